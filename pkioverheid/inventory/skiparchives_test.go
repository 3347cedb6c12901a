package inventory_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

func TestArchivesAreLeftOutIfAsked(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.jar")
	f, err := os.Create(path)
	require.NoError(t, err)
	archive := zip.NewWriter(f)
	w, err := archive.Create("ca.der")
	require.NoError(t, err)
	_, err = w.Write(pkioverheid.PrivateG1.Root().Raw)
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	require.NoError(t, f.Close())

	look := func(skip bool, target string) (certificates, unread int64) {
		cfg := inventory.Config{SkipArchives: skip, Progress: new(inventory.Progress)}
		for r := range inventory.Scan(t.Context(), cfg, target) {
			if r.Err != nil {
				assert.ErrorIs(t, r.Err, inventory.ErrSkipped)
			}
		}
		return cfg.Progress.Certificates.Load(), cfg.Progress.Unread.Load()
	}
	for name, c := range map[string]struct {
		skip                 bool
		target               string
		certificates, unread int64
	}{
		"a folder":                         {false, dir, 1, 0},
		"a folder without archives":        {true, dir, 0, 1},
		"an archive that is named, though": {true, path, 1, 0},
	} {
		certificates, unread := look(c.skip, c.target)
		assert.Equal(t, c.certificates, certificates, name)
		assert.Equal(t, c.unread, unread, name)
	}
}
