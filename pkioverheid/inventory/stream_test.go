package inventory_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// Of bytes that come from elsewhere the same is found as of a file in a folder.
func TestScanReaderFindsWhatScanFindsInAFile(t *testing.T) {
	g1, g4 := pkioverheid.PrivateG1.Root(), pkioverheid.PrivateG4TLS.Root()
	long := bytes.Repeat([]byte("# nothing here\n"), 30_000)
	for name, data := range map[string][]byte{
		"PEM":                        []byte(pemOf(g1, g4)),
		"PEM in UTF-16":              utf16Of(pemOf(g1, g4)),
		"PEM at the end of much":     append(bytes.Clone(long), pemOf(g1)...),
		"DER":                        g1.Raw,
		"metadata":                   []byte(samlOf(g1, g4)),
		"a certificate that is cut":  []byte(pemOf(g1)[:500]),
		"text without a certificate": long,
		"nothing":                    nil,
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for r := range inventory.Scan(t.Context(), inventory.Config{FS: fstest.MapFS{"a": {Data: data}}}, ".") {
				want = append(want, r.String())
			}
			for _, size := range []int64{-1, int64(len(data))} {
				var got []string
				progress := new(inventory.Progress)
				for r := range inventory.ScanReader(t.Context(), inventory.Config{Progress: progress}, "a", iotest.OneByteReader(bytes.NewReader(data)), size) {
					assert.Equal(t, "a", r.Path)
					assert.Equal(t, "a", r.Target)
					got = append(got, r.String())
				}
				assert.Equal(t, want, got)
				assert.EqualValues(t, 1, progress.Files.Load())
			}
		})
	}
}

func TestScanReaderReportsWhatItCannotRead(t *testing.T) {
	cert := []byte(pemOf(pkioverheid.PrivateG1.Root()))
	refused := errors.New("the bucket is gone")
	for name, c := range map[string]struct {
		in   io.Reader
		size int64
		want string
	}{
		"an error at once":         {iotest.ErrReader(refused), -1, "a.pem: the bucket is gone"},
		"an error in the middle":   {io.MultiReader(bytes.NewReader(bytes.Repeat(cert, 3)), iotest.ErrReader(refused)), -1, "a.pem: the bucket is gone"},
		"too large by its size":    {bytes.NewReader(pkioverheid.PrivateG1.Root().Raw), 11_000, "larger than 10000 bytes"},
		"too large without a size": {bytes.NewReader(append(bytes.Clone(pkioverheid.PrivateG1.Root().Raw), make([]byte, 10_000)...)), -1, "larger than 10000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var errs []error
			for r := range inventory.ScanReader(t.Context(), inventory.Config{MaxFileSize: 10_000}, "a.pem", c.in, c.size) {
				if r.Err != nil {
					errs = append(errs, r.Err)
				}
			}
			require.Len(t, errs, 1)
			assert.ErrorContains(t, errs[0], c.want)
		})
	}
}

// What may come out of an archive depends on its size, or on the bound where that is not
// known.
func TestScanReaderOpensArchivesWhoseSizeIsNotKnown(t *testing.T) {
	lines := strings.Repeat("# nothing here\n", 2<<20)
	archive := zipOf(t, "a", lines, "b", lines, "c", lines, "z", pemOf(pkioverheid.PrivateG1.Root()))
	for size, known := range map[int64]bool{-1: false, int64(len(archive)): true} {
		found, refused := 0, 0
		for r := range inventory.ScanReader(t.Context(), inventory.Config{MaxFileSize: 256 << 20}, "a.zip", bytes.NewReader(archive), size) {
			if r.Err != nil {
				refused++
				assert.ErrorContains(t, r.Err, "becomes too large")
			} else {
				found++
			}
		}
		if known { // 90 MiB of 300 KiB
			assert.Equal(t, [2]int{0, 1}, [2]int{found, refused}, "of a known size")
		} else {
			assert.Equal(t, [2]int{1, 0}, [2]int{found, refused}, "of one that is not known")
		}
	}
	for r := range inventory.ScanReader(t.Context(), inventory.Config{}, "a.zip", bytes.NewReader(archive), -1) {
		assert.NoError(t, r.Err, "with the default bound")
	}
}
