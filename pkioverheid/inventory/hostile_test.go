package inventory_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// zerosInGzip is a file of so many zero bytes, or of whatever text is repeated, compressed.
func zerosInGzip(t testing.TB, text string, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	part := []byte(strings.Repeat(text, 1<<20/len(text)))
	for n := 0; n < size; n += len(part) {
		_, err := w.Write(part)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// nested is data in so many archives inside one another.
func nested(t testing.TB, data []byte, depth int) []byte {
	for i := range depth {
		switch i % 3 {
		case 0:
			data = zipOf(t, "a", string(data))
		case 1:
			data = gzipOf(t, data)
		default:
			data = tarOf(t, "a", string(data))
		}
	}
	return data
}

// emptyMembers is an archive of so many files without contents.
func emptyMembers(t testing.TB, n int, tarred bool) []byte {
	t.Helper()
	var out bytes.Buffer
	if tarred {
		z := gzip.NewWriter(&out)
		w := tar.NewWriter(z)
		for i := range n {
			require.NoError(t, w.WriteHeader(&tar.Header{Name: fmt.Sprint(i), Typeflag: tar.TypeReg}))
		}
		require.NoError(t, w.Close())
		require.NoError(t, z.Close())
		return out.Bytes()
	}
	w := zip.NewWriter(&out)
	for i := range n {
		_, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i)})
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// overlapping is a zip in whose list the same file is many times.
func overlapping(t testing.TB, n int) []byte {
	t.Helper()
	one := zipOf(t, "a", strings.Repeat("# nothing\n", 1<<20))
	end := len(one) - 22
	list := bytes.LastIndex(one, []byte("PK\x01\x02"))
	out := append(bytes.Clone(one[:list]), bytes.Repeat(one[list:end], n)...)
	tail := bytes.Clone(one[end:])
	tail[8], tail[9], tail[10], tail[11] = byte(n), byte(n>>8), byte(n), byte(n>>8)
	size := n * (end - list)
	for i := range 4 {
		tail[12+i] = byte(size >> (8 * i))
	}
	return append(out, tail...)
}

// Archives of those who mean harm end within bounds of time and memory, and it is said that
// they were not read to their end.
func TestHostileArchives(t *testing.T) {
	bomb, many := 100<<20, 200_001 // bytes and files, just beyond the bounds
	if os.Getenv("THOROUGH") != "" {
		bomb, many = 1<<30, 1_000_000
	}
	g1 := pemOf(pkioverheid.PrivateG1.Root())
	sparse := func() []byte { // a hole of a tebibyte
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		require.NoError(t, w.WriteHeader(&tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 6, PAXRecords: map[string]string{
			"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a", "GNU.sparse.realsize": fmt.Sprint(int64(1) << 40),
		}, Format: tar.FormatPAX}))
		_, _ = io.WriteString(w, "0\n\n\n\n\n")
		_ = w.Close()
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		data func() []byte
		want string
		long bool
	}{
		"a bomb of zeros":           {func() []byte { return tarInGzip(t, bomb) }, "becomes too large", false},
		"a bomb of text":            {func() []byte { return zerosInGzip(t, "# nothing here\n", bomb) }, "becomes too large", false},
		"a bomb of PEM":             {func() []byte { return zerosInGzip(t, "# x\n-----BEGIN ", 70<<20) }, "larger than", false},
		"the same file many times":  {func() []byte { return overlapping(t, 1000) }, "becomes too large", false},
		"archives in archives":      {func() []byte { return nested(t, []byte(g1), 20) }, "inside one another", false},
		"many files in a zip":       {func() []byte { return emptyMembers(t, many, false) }, "files in the archive", true},
		"many files in a tar":       {func() []byte { return emptyMembers(t, many, true) }, "files in the archive", true},
		"a file with a hole in it":  {sparse, "", false},
		"a zip of a bomb in a gzip": {func() []byte { return gzipOf(t, zipOf(t, "a", string(tarInGzip(t, bomb)))) }, "becomes too large", true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.long && os.Getenv("THOROUGH") == "" {
				t.Skip("takes seconds: set THOROUGH=1")
			}
			data := c.data()
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			begin := time.Now()
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: data}}}, ".")
			runtime.ReadMemStats(&after)
			t.Logf("%d KiB: %v, %d MiB", len(data)>>10, time.Since(begin).Round(time.Millisecond), (after.Sys-before.Sys)>>20)
			assert.Empty(t, found)
			assert.Less(t, time.Since(begin), 30*time.Second)
			assert.Less(t, after.Sys-before.Sys, uint64(300<<20))
			if c.want != "" {
				require.Error(t, troubles["a"])
				assert.ErrorContains(t, troubles["a"], c.want)
				assert.NotErrorIs(t, troubles["a"], inventory.ErrSkipped)
			}
		})
	}
}

// tarInGzip is a compressed tar with a file of zero bytes that begins as text.
func tarInGzip(t testing.TB, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: int64(size)}))
	part := bytes.Repeat([]byte("a"), 1<<20)
	for n := 0; n < size; n += len(part) {
		_, err := w.Write(part)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return out.Bytes()
}

// Values on which the reader could begin again and again take no more than their time.
func TestHostileValues(t *testing.T) {
	size := 128 << 10
	if os.Getenv("THOROUGH") != "" {
		size = 4 << 20
	}
	cert := inBase64(pkioverheid.PrivateG1.Root())
	for name, unit := range map[string]string{
		"beginnings of certificates": `"` + cert[:64] + `" `,
		"certificates":               `"` + cert + `" `,
		"JKS":                        "/u3+7QAAAAI ",
		"JWS":                        "eyJ.",
		"JWS in one another":         "_eyJ",
		"JWS with x5c":               "eyJIng1Yy",
		"URLs":                       "-----BEGIN%20",
		"x5c":                        `"x5c":["` + cert[:64] + `",`,
		"parts":                      "--x\r\n",
		"elements":                   "<X509Certificate>MII",
		"elements that are closed":   "<X509Certificate>MII</X509Certificate>",
		"keys":                       keyPEMOfNobody + pemOf(pkioverheid.PrivateG1.Root()),
	} {
		for begin, text := range map[string]string{"text": "# x\n", "XML": "<x>", "mail": "Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\n"} {
			t.Run(name+" in "+begin, func(t *testing.T) {
				data := []byte(text + strings.Repeat(unit, size/len(unit)) + ".")
				start := time.Now()
				for range inventory.Scan(t.Context(), inventory.Config{FS: fstest.MapFS{"a": {Data: data}}}, ".") {
				}
				if took := time.Since(start); took > time.Second {
					t.Log(took)
				}
				assert.Less(t, time.Since(start), 20*time.Second)
			})
		}
	}
}
