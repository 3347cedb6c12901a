package policy_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

func TestKindsOfPolicies(t *testing.T) {
	set := policy.NewSet([]policy.Rule{{Number: policy.G1Authenticity, Kind: policy.Organisation}, {Number: policy.G1Server, Kind: policy.System}}, policy.Tests)
	added := policy.NewSet(policy.Added)
	cases := []struct {
		name   string
		set    policy.Set
		number string
		want   policy.Kind
	}{
		{"a server of G1", set, policy.G1Server, policy.System},
		{"the same where it is not known", added, policy.G1Server, ""},
		{"a person of G4 G-Other", added, "2.16.528.1.1003.1.2.44.16.12.3", policy.Person},
		{"the TRIAL tool's below a root for tests", added, "2.16.528.1.1003.1.2.41.15.35.11", policy.System},
		{"the TRIAL tool's below one of production", set, "2.16.528.1.1003.1.2.41.15.35.11", policy.Test},
		{"CIBG's below a root for tests", added, "2.16.528.1.1007.99.44.15.35.11", policy.System},
		{"CIBG's below one of production", set, "2.16.528.1.1007.99.44.15.35.11", policy.Test},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := policy.Parse(c.number)
			assert.Equal(t, c.want, c.set.KindOf(p))
			assert.Equal(t, strings.Contains(c.number, ".2.41.") || strings.Contains(c.number, ".1007.99."), policy.IsTest(p))
			assert.Equal(t, strings.HasPrefix(c.number, "2.16.528.1.1003.1.2."), policy.IsPKIoverheid(p))
		})
	}
	assert.Zero(t, set.KindOf())
	assert.Equal(t, policy.System, set.KindOf(policy.Parse(policy.G1Authenticity), policy.Parse(policy.G1Server)), "the first kind of several")
}

// Elsewhere a policy would be missed when the tables change.
func TestPoliciesAreInTheTablesOnly(t *testing.T) {
	top := os.DirFS("../..")
	require.NoError(t, fs.WalkDir(top, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || slices.Contains([]string{"internal/policy/table.go", "hierarchy.go"}, path) {
			return err
		}
		data, err := fs.ReadFile(top, path)
		for line := range strings.Lines(string(data)) {
			assert.False(t, strings.Contains(line, `"2.16.528.1.1003.1.2`) && !strings.HasPrefix(line, "//"), "%s: %s", path, line)
		}
		return err
	}))
}
