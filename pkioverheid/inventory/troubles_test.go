package inventory_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// A file that is damaged in many places does not flood a report: a hundred errors are
// reported, and then how many more there are.
func TestErrorsOfOneFileAreBounded(t *testing.T) {
	const damaged = "-----BEGIN CERTIFICATE\nMII\n"
	cert := pemOf(pkioverheid.PrivateG1.Root())
	archive := func(n int, content string) string {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for i := range n {
			f, err := w.Create(fmt.Sprint(i))
			require.NoError(t, err)
			_, err = io.WriteString(f, content)
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		return out.String()
	}
	for name, c := range map[string]struct {
		data                   string
		certs, errors, skipped int
		last                   string
	}{
		"a hundred errors":                          {cert + strings.Repeat(damaged, 100), 1, 100, 0, "damaged BEGIN line"},
		"one more":                                  {cert + strings.Repeat(damaged, 101), 1, 101, 0, "inventory: a: 1 more place in it could not be looked at"},
		"more than are kept, and a certificate":     {strings.Repeat(damaged, 40000) + cert, 1, 101, 0, "inventory: a: 39900 more places in it could not be looked at"},
		"many in the files of an archive":           {archive(60, cert+strings.Repeat(damaged, 3)), 60, 101, 0, "inventory: a: 80 more places in it could not be looked at"},
		"many files of an archive that are no text": {archive(150, "7z\xbc\xaf\x27\x1c"), 0, 0, 101, "inventory: a: 50 more places in it are not read"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"a": {Data: []byte(c.data)}, "b": {Data: []byte(damaged)}}
			progress := new(inventory.Progress)
			certs, troubles, skipped, last, other := 0, 0, 0, "", 0
			for r := range inventory.Scan(t.Context(), inventory.Config{FS: fsys, Progress: progress}, "a", "b") {
				switch {
				case r.Path == "b":
					other++
				case r.Err == nil:
					certs++
				case errors.Is(r.Err, inventory.ErrSkipped):
					skipped++
					last = r.Err.Error()
				default:
					troubles++
					last = r.Err.Error()
				}
			}
			assert.Equal(t, []int{c.certs, c.errors, c.skipped}, []int{certs, troubles, skipped}, "certificates, errors, skipped")
			assert.Contains(t, last, c.last)
			assert.Equal(t, 1, other, "another file has its own bound")
			if skipped > 0 {
				assert.EqualValues(t, 150, progress.Unread.Load())
			}
			n := 0
			for range inventory.ScanReader(t.Context(), inventory.Config{}, "a", strings.NewReader(c.data), int64(len(c.data))) {
				n++
			}
			assert.Equal(t, c.certs+c.errors+c.skipped, n, "read as a stream")
		})
	}
}
