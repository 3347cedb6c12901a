package truststore

import (
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asNobody runs f with the rights to files of a user without any. Only root can
// become nobody: for others the rights that they have must do.
func asNobody(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Geteuid() == 0 {
			// Of this thread alone, which ends with the goroutine.
			runtime.LockOSThread()
			for _, call := range []uintptr{syscall.SYS_SETFSGID, syscall.SYS_SETFSUID} {
				syscall.RawSyscall(call, 65534, 0, 0)
			}
		}
		f()
	}()
	<-done
}

// publicFolder makes a folder with the given mode that everybody can get at.
func publicFolder(t testing.TB, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	require.NoError(t, os.Chmod(dir, mode))
	return dir
}

func TestWriteFileWithoutTheRightToKeepTheOwner(t *testing.T) {
	dir := publicFolder(t, 0o777)
	path := write(t, dir, "store.pem", []byte("old"))
	require.NoError(t, os.Chmod(path, 0o664))
	_, _, before := ownership(t, path)
	s := New(realCerts(t)[0])
	asNobody(func() { assert.NoError(t, s.WriteFile(path, PEM)) })
	mode, uid, gid := ownership(t, path)
	if gid == before {
		assert.Equal(t, os.FileMode(0o664), mode)
	} else {
		assert.Equal(t, 65534, uid)
		assert.Equal(t, os.FileMode(0o644), mode, "another group does not get the right to write")
	}
	assert.Equal(t, 1, open(t, path).Len())
}

func TestWriteFileLeavesNothingBehindWhenItMayNotReplace(t *testing.T) {
	dir := publicFolder(t, 0o777|os.ModeSticky) // as /tmp: to make files, not to replace those of others
	path := write(t, dir, "store.pem", []byte("old"))
	if os.Geteuid() == 0 {
		s := New(realCerts(t)[0])
		asNobody(func() {
			err := s.WriteFile(path, PEM)
			assert.ErrorIs(t, err, os.ErrPermission)
			assert.ErrorContains(t, err, "rename", "the last step")
		})
		assert.Equal(t, "old", string(read(t, dir, "store.pem")))
	}
	assert.Equal(t, []string{"store.pem"}, names(t, dir))
}

// TestFullDisk is the process in which no file may have more than 4096 bytes.
func TestFullDisk(t *testing.T) {
	path := os.Getenv("TRUSTSTORE_CHILD")
	if path == "" {
		return
	}
	s := New(realCerts(t)...)
	signal.Ignore(syscall.SIGXFSZ)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}))
	assert.ErrorIs(t, s.WriteFile(path, PEM), syscall.EFBIG)
}

func TestWriteFileLeavesNothingBehindWhenTheDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "store.pem", []byte("old"))
	require.NoError(t, child(t, "TestFullDisk", path).Run())
	assert.Equal(t, []string{"store.pem"}, names(t, dir))
	assert.Equal(t, "old", string(read(t, dir, "store.pem")))
	require.NoError(t, child(t, "TestFullDisk", filepath.Join(dir, "new.pem")).Run())
	assert.Equal(t, []string{"store.pem"}, names(t, dir))
}
