//go:build aix || dragonfly || linux || openbsd || solaris

package truststore

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when a file or what is known about it was changed last. Programs
// cannot set it, as they can the time of modification.
func changeTime(info fs.FileInfo) time.Time {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(int64(s.Ctim.Sec), int64(s.Ctim.Nsec))
	}
	return time.Time{}
}
