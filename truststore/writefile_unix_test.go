//go:build unix

package truststore

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ownership returns the mode, owner and group of a file.
func ownership(t testing.TB, path string) (mode os.FileMode, uid, gid int) {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	stat := info.Sys().(*syscall.Stat_t)
	return info.Mode(), int(stat.Uid), int(stat.Gid)
}

func TestWriteFileKeepsModeAndOwner(t *testing.T) {
	s := New(realCerts(t)[0])
	for _, mode := range []os.FileMode{0o600, 0o640, 0o664, 0o444, 0o400, 0o777} {
		path := write(t, t.TempDir(), "store.pem", []byte("old"))
		uid, gid := os.Geteuid(), os.Getegid()
		if uid == 0 {
			uid, gid = 1234, 5678 // only root may
		}
		require.NoError(t, os.Chown(path, uid, gid))
		require.NoError(t, os.Chmod(path, mode))
		require.NoError(t, s.WriteFile(path, PEM))
		m, u, g := ownership(t, path)
		assert.Equal(t, mode, m)
		assert.Equal(t, [2]int{uid, gid}, [2]int{u, g})
	}
}

func TestWriteFileMakesNewFilesThatOthersCanRead(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	s := New(realCerts(t)[0])
	path := filepath.Join(t.TempDir(), "store.pem")
	require.NoError(t, s.WriteFile(path, PEM))
	mode, uid, gid := ownership(t, path)
	assert.Equal(t, os.FileMode(0o644), mode)
	assert.Equal(t, [2]int{os.Geteuid(), os.Getegid()}, [2]int{uid, gid})

	syscall.Umask(0o027)
	path = filepath.Join(t.TempDir(), "store.pem")
	require.NoError(t, s.WriteFile(path, PEM))
	mode, _, _ = ownership(t, path)
	assert.Equal(t, os.FileMode(0o640), mode, "the umask holds")
}

func TestWriteFileReplacesNothingButFiles(t *testing.T) {
	dir := t.TempDir()
	s := New(realCerts(t)[0])
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	socket := filepath.Join(dir, "socket")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer listener.Close()
	for _, path := range []string{pipe, socket, os.DevNull} {
		mode, _, _ := ownership(t, path)
		err := s.WriteFile(path, PEM)
		assert.EqualError(t, err, "truststore: writing "+path+": this is a pipe, a socket or a device: give the name of a regular file")
		after, _, _ := ownership(t, path)
		assert.Equal(t, mode, after)
	}
	assert.Equal(t, []string{"pipe", "socket"}, names(t, dir))
}
