package inventory

import (
	"archive/zip"
	"bytes"
	"crypto/fips140"
	"fmt"
	"iter"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An archive of key stores whose passwords take seconds each is not read for days.
func TestKeyStoresInOneFileHaveABoundedTime(t *testing.T) {
	if fips140.Enforced() {
		t.Skip("fips140=only does not allow the key store of this test")
	}
	store, err := os.ReadFile("../../truststore/testdata/cases/eight-zero-bytes.p12")
	require.NoError(t, err)
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for n := range 5 {
		f, err := w.Create(fmt.Sprintf("%d.p12", n))
		require.NoError(t, err)
		_, err = f.Write(store)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	cfg := Config{Passwords: func(string) iter.Seq[string] { return slices.Values([]string{"test"}) }}
	scan := func() (certs int, errs []string) {
		for r := range ScanReader(t.Context(), cfg, "a.zip", bytes.NewReader(archive.Bytes()), int64(archive.Len())) {
			if r.Err != nil {
				errs = append(errs, r.Err.Error())
			} else {
				certs++
			}
		}
		return certs, errs
	}
	certs, errs := scan()
	assert.Equal(t, 5, certs)
	assert.Empty(t, errs)

	defer func(d time.Duration) { maxOpening = d }(maxOpening)
	maxOpening = time.Nanosecond
	certs, errs = scan()
	assert.Zero(t, certs)
	require.Len(t, errs, 1, "it is said once")
	assert.Contains(t, errs[0], "and the rest of them was not read")
}
