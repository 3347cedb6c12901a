package inventory

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the kernel shows under /proc and /sys is left out of a walk through /, and not
// where it was asked for.
func TestFileSystemsWithoutFilesAreLeftOut(t *testing.T) {
	leaves := func(s *fileSystem, path string, depth int, one bool) bool {
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		skip, why := s.leaves(f, depth, one)
		assert.Equal(t, skip, why != "")
		return skip
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("/proc is not mounted")
	}
	for _, one := range []bool{false, true} {
		s := new(fileSystem)
		assert.False(t, leaves(s, "/", 0, one))
		assert.True(t, leaves(s, "/proc", 1, one))
		assert.True(t, leaves(s, "/sys", 1, one))
		assert.False(t, leaves(s, "/usr", 1, one))
	}
	s := new(fileSystem)
	assert.False(t, leaves(s, "/proc/self", 0, false))
	assert.False(t, leaves(s, "/proc/self/fd", 1, false))

	// Others, such as that in memory, have files.
	if f, err := os.Stat("/dev/shm"); err == nil && f.IsDir() {
		s := new(fileSystem)
		leaves(s, "/", 0, false)
		assert.False(t, leaves(s, "/dev/shm", 1, false))
		assert.True(t, leaves(s, "/dev/shm", 1, true))
	}
}
