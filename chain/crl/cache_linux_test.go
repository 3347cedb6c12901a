package crl_test

import (
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// A disk that is full in the middle of a file, for which a process of its own sets
// the limit on the size of files: that needs no rights and no disk.
func TestADiskThatIsFull(t *testing.T) {
	if dir := os.Getenv("CRL_TEST_FULL_DISK"); dir != "" {
		onAFullDisk(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestADiskThatIsFull$", "-test.v")
	cmd.Env = append(os.Environ(), "CRL_TEST_FULL_DISK="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "the disk was full")
}

func onAFullDisk(t *testing.T, dir string) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	signal.Ignore(syscall.SIGXFSZ)
	small := limit
	small.Cur = 100
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small))
	defer func() { assert.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)) }()

	c := newChecker(t, s, func(cfg *crl.Config) { cfg.Cache = dir })
	require.NoError(t, c.Policy(l.chain(), now), "the Checker does without")
	st := statusOf(c, "/issuing.crl")
	require.ErrorIs(t, st.Err, syscall.EFBIG)
	assert.Equal(t, "7", st.Number)
	t.Log("the disk was full")
	left, err := filepath.Glob(dir + "/*")
	require.NoError(t, err)
	assert.Empty(t, left)
	hidden, err := filepath.Glob(dir + "/.*")
	require.NoError(t, err)
	assert.Empty(t, hidden, "nor half a file")
}

// A cache that may be read and not written, in a process of its own: root may write
// everywhere, and so gives up being root.
func TestACacheThatIsReadOnly(t *testing.T) {
	if dir := os.Getenv("CRL_TEST_READ_ONLY"); dir != "" {
		inAReadOnlyCache(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestACacheThatIsReadOnly$", "-test.v")
	dir := t.TempDir()
	cmd.Env = append(os.Environ(), "CRL_TEST_READ_ONLY="+dir)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, os.Chmod(dir, 0o755)) // so that it can be removed
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "the cache was read-only")
}

func inAReadOnlyCache(t *testing.T, dir string) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	cached := func() *crl.Checker { return newChecker(t, s, func(cfg *crl.Config) { cfg.Cache = dir }) }
	c := cached()
	require.NoError(t, c.Policy(l.chain(), now))
	require.NoError(t, c.Close())
	files, err := filepath.Glob(dir + "/*.crl")
	require.NoError(t, err)
	require.Len(t, files, 3)
	before, err := os.ReadFile(files[0])
	require.NoError(t, err)

	require.NoError(t, os.Chmod(dir, 0o555))
	if os.Getuid() == 0 {
		require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
		require.NoError(t, syscall.Setuid(65534))
	}
	require.ErrorIs(t, os.WriteFile(dir+"/probe", nil, 0o644), os.ErrPermission)
	t.Log("the cache was read-only")

	for _, path := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
		s.handle(path, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	}
	c = cached()
	require.NoError(t, c.Policy(l.chain(), now), "what is in it is of use")
	require.NoError(t, c.Close())

	s.serve("/root.crl", l.root.list(numbered(8)))
	s.serve("/domain.crl", l.domain.list(numbered(8)))
	s.serve("/issuing.crl", l.issuing.list(numbered(8), revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
	c = cached()
	require.Eventually(t, func() bool { return c.Policy(l.chain(), now) != nil }, 20*time.Second, 5*time.Millisecond)
	refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
	for _, path := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
		require.Eventually(t, func() bool { return statusOf(c, path).Err != nil }, 20*time.Second, 5*time.Millisecond)
		assert.ErrorIs(t, statusOf(c, path).Err, os.ErrPermission)
		assert.Equal(t, "8", statusOf(c, path).Number)
	}
	require.NoError(t, c.Close())
	after, err := os.ReadFile(files[0])
	require.NoError(t, err)
	assert.Equal(t, before, after)
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, all, 3)
}
