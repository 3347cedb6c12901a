package crl_test

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
