//go:build !linux

package inventory

import "io/fs"

// fileSystem is the one of a target, which other systems than Linux do not look at.
type fileSystem struct{}

func (*fileSystem) leaves(fs.File, int, bool) (bool, string) { return false, "" }
