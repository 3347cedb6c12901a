package inventory

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore"
)

// Whatever truststore reads, a scan looks into.
func TestAScanLooksIntoWhateverTruststoreReads(t *testing.T) {
	paths, err := filepath.Glob("../../truststore/testdata/seeds/*/*")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		format, err := truststore.Detect(data)
		if err != nil || filepath.Base(filepath.Dir(path)) == "key" && format == "" {
			continue
		}
		for _, begin := range []string{"", "\xef\xbb\xbf", "\r\n\t "} {
			data := append([]byte(begin), data...)
			if also, err := truststore.Detect(data); err != nil || also != format {
				continue
			}
			kind := look(data[:min(len(data), headSize)])
			want := map[truststore.Format]contentKind{
				truststore.PEM: text, truststore.XML: text, truststore.JKS: container,
				truststore.DER: container, truststore.PKCS7: container, truststore.PKCS12: container,
			}[format]
			if kind == bareBase64 && bytes.IndexByte(data, 0) < 0 {
				continue
			}
			assert.Equal(t, want, kind, "%s after %q", path, begin)
			assert.True(t, kind != text || mentions(data), path)
		}
	}
}

// mentions looks for several marks at once, and finds what is found when each is searched for.
func TestMentionsFindsEachMark(t *testing.T) {
	pieces := []string{"I", "J", "M", "A", "G", "MI", "MII", "MIIC", "MIIB0A", "MIIBIjAN", "MIIC3TCCAoSgAwIBAgIUJ", "zzMIIC3TCCAoSgAwIBAgIUJ", "AAAAI", "/u3+7QAAAAI", "/u3+7Q",
		"zs7OzgAAAAI", "zs7Ozg", "-----BEG", "-----BEGIN", "BEGIN", "-----", "LS0t", "LS0tLS1CRUdJTi", "0tLS0tQkVHSU4g", "tLS0tLUJFR0lOI", "LS0tLS1CRUdJ",
		"ey", "eyJ", "eyJhbGciOiJSUzI1NiIsIng1YyI6", "Ing1Yy", "J4NWMi", " ", "\n", ".", "=", "x", "\x00"}
	found := 0
	for i := range uint64(20000) {
		r := rand.New(rand.NewPCG(i, 1))
		var text []byte
		for range 1 + r.IntN(6) {
			text = append(text, pieces[r.IntN(len(pieces))]...)
		}
		want := mentionsPEM(text)
		for i, m := range valueMarks {
			want = want || m.kind != valueInURL && newValues(text).search(i, 0) < len(text)
		}
		require.Equal(t, want, mentions(text), "%q", text)
		if want {
			found++
		}
	}
	assert.Greater(t, found, 1000)
	assert.Less(t, found, 19000)
}
