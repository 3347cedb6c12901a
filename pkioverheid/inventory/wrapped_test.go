package inventory_test

import (
	"encoding/asn1"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// wrapped is base64 in lines, each with something before it.
func wrapped(data []byte, width int, before string) string {
	var out strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(data)), width) {
		out.WriteString(before + string(line) + "\n")
	}
	return out.String()
}

// What openssl writes has text before the first block, and base64 writes lines: the first
// block begins anywhere in one of them, or at the end of one and the beginning of the next.
func TestPEMInBase64InLinesIsFoundWhereverItBegins(t *testing.T) {
	g1 := pkioverheid.PrivateG1.Certificates()[:2]
	for _, width := range []int{64, 76} {
		for before := range 2 * width {
			text := []byte(strings.Repeat("x", before) + "\n" + pemOf(g1...))
			for name, data := range map[string]string{"alone": wrapped(text, width, ""), "in YAML": "a:\n  b: |\n" + wrapped(text, width, "    ") + "c: d\n"} {
				found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"f": {Data: []byte(data)}}}, ".")
				assert.Empty(t, troubles, "%s, lines of %d, after %d", name, width, before)
				require.Len(t, found, 2, "%s, lines of %d, after %d", name, width, before)
			}
		}
	}
}

// A file that is base64 alone can be a list, too.
func TestBase64AloneOfSeveralIsFound(t *testing.T) {
	g1 := pkioverheid.PrivateG1.Certificates()
	var padded []string // of which the end is where the base64 of one file would end
	for _, c := range g1 {
		if s := inBase64(c); strings.HasSuffix(s, "=") {
			padded = append(padded, s)
		}
	}
	require.GreaterOrEqual(t, len(padded), 2)
	path, err := asn1.Marshal([]asn1.RawValue{{FullBytes: g1[0].Raw}, {FullBytes: g1[1].Raw}})
	require.NoError(t, err)
	for name, data := range map[string]string{
		"one a line":              padded[0] + "\n" + padded[1] + "\n",
		"with a blank line":       padded[0] + "\r\n\r\n" + padded[1],
		"a PKIPath":               base64.StdEncoding.EncodeToString(path),
		"a PKIPath, in lines":     wrapped(path, 64, ""),
		"two in one, as of cat":   base64.StdEncoding.EncodeToString(slices.Concat(g1[0].Raw, g1[1].Raw)),
		"one cut off before them": "certificates\n" + padded[0][:600] + "\n" + padded[0] + "\n" + padded[1] + "\n",
	} {
		found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"f": {Data: []byte(data)}}}, ".")
		assert.Empty(t, troubles, name)
		assert.Len(t, found, 2, name)
	}
}
