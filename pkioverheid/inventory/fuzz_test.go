package inventory_test

import (
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
)

// Whatever a file holds, a scan ends, what it says fits on a line and into JSON, and
// the certificates are those that truststore finds.
func FuzzScan(f *testing.F) {
	paths, err := filepath.Glob("../../truststore/testdata/seeds/*/*")
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(data)
	}
	g1 := pkioverheid.PrivateG1.Certificates()[2]
	f.Add([]byte(cpaOf(g1)))
	f.Add(utf16Of(pemOf(g1)))
	f.Add([]byte(`{"ca": "` + strings.ReplaceAll(pemOf(g1), "\n", `\n`) + `"}`))
	f.Add([]byte("<html>" + pemOf(g1)))
	f.Add([]byte(" \n<"))
	f.Add([]byte("\xff\xfe-"))
	cfg := inventory.Config{Parallel: 1, Time: now, Passwords: func(string) iter.Seq[string] { return slices.Values([]string{"geheim"}) }}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg := cfg
		cfg.FS = fstest.MapFS{"file": {Data: data}}
		found := map[truststore.Fingerprint]bool{}
		for r := range inventory.Scan(t.Context(), cfg, "file") {
			text := r.String()
			require.True(t, utf8.ValidString(text))
			require.NotContains(t, text, "\n")
			require.Less(t, len(text), 3000)
			out, err := json.Marshal(r)
			require.NoError(t, err)
			require.True(t, json.Valid(out))
			require.Equal(t, r.Err == nil, r.Certificate != nil)
			if r.Err != nil {
				continue
			}
			found[r.Fingerprint()] = true
			require.NotEmpty(t, r.Place)
			require.NotEmpty(t, r.State())
		}
		for _, password := range []string{"", "geheim"} {
			all, err := truststore.Decode(data, truststore.WithPassword(password))
			if err != nil {
				continue
			}
			for cert := range all.All() {
				require.True(t, found[truststore.FingerprintOf(cert)], "%v", cert.Subject)
			}
		}
	})
}
