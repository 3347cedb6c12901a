package inventory_test

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// A text that is larger than what may be in memory is read in parts of 16 MiB that
// overlap. Nothing that lies across a border is lost, and nothing is found twice.
func TestALargeTextIsReadInParts(t *testing.T) {
	const part, overlap = 16 << 20, 2 << 20
	cert := pemOf(pkioverheid.PrivateG1.Root())
	value := "key: " + inBase64(pkioverheid.PrivateG4TLS.Root()) + "\n"
	line := strings.Repeat("x", 63) + "\n"
	for name, at := range map[string]int{
		"at its beginning":                       0,
		"before the border":                      part - len(cert) - len(value),
		"across the border":                      part - len(cert)/2,
		"the value across the border":            part - len(cert) - len(value)/2,
		"across where the overlap begins":        part - overlap - len(cert)/2,
		"the value where the overlap begins":     part - overlap - len(cert) - len(value)/2,
		"just before the overlap":                part - overlap - len(cert) - len(value),
		"in the overlap":                         part - overlap/2,
		"across the second border":               part + part - overlap - 4<<10 - len(cert)/2,
		"across where the second overlap begins": part + part - 2*overlap - 4<<10 - len(cert)/2,
	} {
		t.Run(name, func(t *testing.T) {
			if at > part && !thorough {
				t.Skip("set THOROUGH=1")
			}
			before := at - at%len(line)
			text := strings.Repeat(line, before/len(line)) + strings.Repeat("y", max(0, at-before-1))
			if at > before {
				text += "\n"
			}
			text += cert + value
			want := fmt.Sprint(strings.Count(text[:at], "\n")+1, " ", strings.Count(text[:at+len(cert)], "\n")+1)
			text += strings.Repeat(line, max(0, 35<<20-len(text))/len(line))
			path := filepath.Join(t.TempDir(), "app.log")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			check := func(results iter.Seq[inventory.Result]) {
				var lines []string
				for r := range results {
					require.NoError(t, r.Err)
					lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(r.Place, "line "), " in base64"))
				}
				assert.Equal(t, want, strings.Join(lines, " "))
			}
			check(inventory.Scan(t.Context(), inventory.Config{MaxFileSize: 1 << 20}, path))
			check(inventory.ScanReader(t.Context(), inventory.Config{MaxFileSize: 17 << 20}, "-", strings.NewReader(text), -1))
		})
	}
}

// An error in a text that is read in parts says where it is.
func TestAnErrorInALargeTextSaysWhere(t *testing.T) {
	const lines = 400_000
	text := io.MultiReader(strings.NewReader(strings.Repeat(strings.Repeat("x", 63)+"\n", lines)), strings.NewReader("-----BEGIN CERTIFICATE-----\nMIIB\n-----END"), bytes.NewReader(nil))
	var errs []error
	for r := range inventory.ScanReader(t.Context(), inventory.Config{}, "-", text, -1) {
		errs = append(errs, r.Err)
	}
	require.Len(t, errs, 1)
	assert.ErrorContains(t, errs[0], "after line ")
}
