package inventory

import (
	"bytes"
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
		if err != nil || filepath.Base(filepath.Dir(path)) == "key" && format == 0 {
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
