package crl_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// What is in a folder may be anything. To open a pipe is to wait for a writer, and a
// device can be read for ever.
func TestAFolderWithWhatAreNoFiles(t *testing.T) {
	l := newLayers("http://crl.example")
	dir, elsewhere := t.TempDir(), t.TempDir()
	put(t, dir+"/root.crl", l.root.list())
	put(t, dir+"/domain.crl", l.domain.list())
	put(t, elsewhere+"/list", l.issuing.list())
	require.NoError(t, os.Symlink(elsewhere+"/list", dir+"/issuing.crl"))
	require.NoError(t, os.Symlink(dir+"/loop.crl", dir+"/loop.crl"))
	require.NoError(t, os.Symlink(elsewhere+"/nothing", dir+"/dangling.crl"))
	require.NoError(t, os.Symlink("/dev/zero", dir+"/zero.crl"))
	require.NoError(t, syscall.Mkfifo(dir+"/pipe.crl", 0o644))
	c := newChecker(t, nil, inFolder(dir))
	assert.NoError(t, c.Policy(l.chain(), now))
	assert.NoError(t, statusOf(c, "/issuing.crl").Err, "a link is as good as a file")
	for file, text := range map[string]string{
		"/loop.crl": "symbolic links", "/dangling.crl": "no such file",
		"/zero.crl": "not a regular file", "/pipe.crl": "not a regular file",
	} {
		assert.ErrorContains(t, statusOf(c, file).Err, text)
	}
}

func TestACacheWithAPipeInPlaceOfAFile(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	dir := t.TempDir()
	cached := func() *crl.Checker { return newChecker(t, s, func(cfg *crl.Config) { cfg.Cache = dir }) }
	c := cached()
	require.NoError(t, c.Policy(l.chain(), now))
	require.NoError(t, c.Close())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, file := range files {
		path := dir + "/" + file.Name()
		require.NoError(t, os.Remove(path))
		require.NoError(t, syscall.Mkfifo(path, 0o644))
	}
	begin := time.Now()
	s.serve("/issuing.crl", l.issuing.list(numbered(8), revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
	c = cached()
	refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
	require.NoError(t, c.Close())
	assert.Less(t, time.Since(begin), 15*time.Second)
	for _, file := range files {
		info, err := os.Stat(dir + "/" + file.Name())
		require.NoError(t, err)
		assert.True(t, info.Mode().IsRegular(), "a file again")
	}
}
