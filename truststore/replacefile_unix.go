//go:build unix

package truststore

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives f the owner and the group of the old file, as far as permitted,
// and reports whether it has the group. Only root may give a file away; others may
// give it to a group of theirs.
func keepOwner(f *os.File, old fs.FileInfo) (group bool) {
	want, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	have, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	if have.Uid != want.Uid && f.Chown(int(want.Uid), int(want.Gid)) == nil {
		return true
	}
	return have.Gid == want.Gid || f.Chown(-1, int(want.Gid)) == nil
}
