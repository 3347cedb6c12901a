package inventory_test

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// openssl reads it, and programs in C write it.
func TestPEMBeforeZerosIsFound(t *testing.T) {
	text := pemOf(pkioverheid.PrivateG1.Certificates()[:2]...)
	for name, data := range map[string]string{
		"one":                 text + "\x00",
		"without end of line": strings.TrimSuffix(text, "\n") + "\x00",
		"many":                text + strings.Repeat("\x00", 10_000),
		"after other text":    "# certificates\n" + text + "\x00\x00",
		"before binary":       text + "\x00\x01\x02\x00",
	} {
		found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"f": {Data: []byte(data)}}}, ".")
		assert.Empty(t, troubles, name)
		assert.Len(t, found, 2, name)
	}
}

// The format of before POSIX has no mark. GNU tar writes it, and so did all others.
func TestAnOldTarIsRead(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), []byte(pemOf(pkioverheid.PrivateG1.Root())), 0o600))
	cmd := exec.Command("tar", "--format=v7", "-cf", "-", "ca.pem")
	cmd.Dir = dir
	old, err := cmd.Output()
	if err != nil {
		t.Skip("there is no GNU tar: ", err)
	}
	require.False(t, bytes.Contains(old[:512], []byte("ustar")))
	h, err := tar.NewReader(bytes.NewReader(old)).Next()
	require.NoError(t, err)
	require.Equal(t, "ca.pem", h.Name)
	found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: old}}}, ".")
	assert.Empty(t, troubles)
	assert.Len(t, found, 1)
}
