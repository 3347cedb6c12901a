package policy_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

func TestTheTableOfPoliciesFitsTheHierarchies(t *testing.T) {
	below := policy.Below()
	for name := range below {
		if name != policy.Added {
			var h pkioverheid.Hierarchy
			require.NoError(t, h.UnmarshalText([]byte(name)))
			assert.NotZero(t, h)
		}
	}
	for _, h := range pkioverheid.Hierarchies() {
		text, err := h.MarshalText()
		require.NoError(t, err)
		assert.Contains(t, below[string(text)], policy.System, "%v: nobody below it would be a system", h)
	}
	numbers := policy.Numbers()
	slices.Sort(numbers)
	assert.Equal(t, slices.Compact(slices.Clone(numbers)), numbers, "a policy a row")
}

func TestKindsOfPolicies(t *testing.T) {
	cases := []struct {
		name, below, number string
		want                policy.Kind
	}{
		{"a server of G1", "private-g1", policy.G1Server, policy.System},
		{"the same under another hierarchy", "private-g4-tls", policy.G1Server, ""},
		{"a person of G4 G-Other", policy.Added, "2.16.528.1.1003.1.2.44.16.12.3", policy.Person},
		{"the TRIAL tool's below a root for tests", policy.Added, "2.16.528.1.1003.1.2.41.15.35.11", policy.System},
		{"the TRIAL tool's below one of production", "private-g4-tls", "2.16.528.1.1003.1.2.41.15.35.11", policy.Test},
		{"CIBG's below a root for tests", policy.Added, "2.16.528.1.1007.99.44.15.35.11", policy.System},
		{"CIBG's below one of production", "private-g4-tls", "2.16.528.1.1007.99.44.15.35.11", policy.Test},
		{"a hierarchy that ended", "generation-2", policy.G3Server, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := policy.Parse(c.number)
			assert.Equal(t, c.want, policy.KindOf(c.below, p))
			assert.Equal(t, strings.Contains(c.number, ".2.41.") || strings.Contains(c.number, ".1007.99."), policy.IsTest(p))
			assert.Equal(t, strings.HasPrefix(c.number, "2.16.528.1.1003.1.2."), policy.IsPKIoverheid(p))
		})
	}
	assert.Zero(t, policy.KindOf("private-g1"))
	assert.Equal(t, policy.System, policy.KindOf("private-g1", policy.Parse(policy.G1Authenticity), policy.Parse(policy.G1Server)), "the first kind of several")
}

// Elsewhere a policy would be missed when the table changes.
func TestPoliciesAreInTheTableOnly(t *testing.T) {
	top := os.DirFS("../..")
	require.NoError(t, fs.WalkDir(top, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || path == "internal/policy/table.go" {
			return err
		}
		data, err := fs.ReadFile(top, path)
		for line := range strings.Lines(string(data)) {
			assert.False(t, strings.Contains(line, `"2.16.528.1.1003.1.2`) && !strings.HasPrefix(line, "//"), "%s: %s", path, line)
		}
		return err
	}))
}
