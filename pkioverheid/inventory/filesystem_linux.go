package inventory

import (
	"io/fs"
	"os"
	"syscall"
)

// fileSystem is the one of a target.
type fileSystem struct {
	top    uint64 // the device of the target
	now    uint64 // that of the folder before
	pseudo bool   // the target is itself in one without files
}

// pseudoTypes are the file systems of Linux that show the kernel and hold no files
// (statfs(2), linux/magic.h).
var pseudoTypes = map[int64]bool{
	0x9fa0:     true, // proc
	0x62656572: true, // sysfs
	0x1cd1:     true, // devpts
	0x27e0eb:   true, // cgroup
	0x63677270: true, // cgroup2
	0x64626720: true, // debugfs
	0x74726163: true, // tracefs
	0x73636673: true, // securityfs
	0xf97cff8c: true, // selinuxfs
	0x43415d53: true, // smackfs
	0x6165676c: true, // pstore
	0xcafe4a11: true, // bpf
	0x62656570: true, // configfs
	0x19800202: true, // mqueue
	0x65735543: true, // fusectl
	0x42494e4d: true, // binfmt_misc
	0xde5e81e4: true, // efivarfs
	0x67596969: true, // rpc_pipefs
	0x6e736673: true, // nsfs
}

// leaves reports whether a folder is left out, and why.
func (s *fileSystem) leaves(folder fs.File, depth int, one bool) (skip bool, why string) {
	f, ok := folder.(*os.File)
	if !ok {
		return false, ""
	}
	info, err := f.Stat()
	if err != nil {
		return false, ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false, ""
	}
	device := uint64(stat.Dev)
	if depth == 0 {
		s.top, s.now = device, device
		s.pseudo = isPseudo(f)
		return false, ""
	}
	if !s.pseudo && device != s.now && isPseudo(f) {
		return true, "a file system of the kernel, which holds no files"
	}
	if one && device != s.top {
		return true, "another file system"
	}
	if s.pseudo {
		return false, ""
	}
	s.now = device
	return false, ""
}

func isPseudo(f *os.File) bool {
	var stat syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &stat); err != nil {
		return false
	}
	return pseudoTypes[int64(uint32(stat.Type))]
}
