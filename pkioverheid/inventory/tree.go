package inventory

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// tree is where files are: the operating system's, or an fs.FS.
type tree struct{ fsys fs.FS }

func treeOf(fsys fs.FS) tree { return tree{fsys} }

func (t tree) stat(path string) (fs.FileInfo, error) {
	if t.fsys != nil {
		return fs.Stat(t.fsys, path)
	}
	return os.Stat(path)
}

// open does not wait for what takes the place of a file, see openFlags.
func (t tree) open(path string) (fs.File, error) {
	if t.fsys != nil {
		return t.fsys.Open(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err // not a *os.File that is nil
	}
	return f, nil
}

// join keeps the bytes of names as they are.
func (t tree) join(folder, name string) string {
	separator := string(filepath.Separator)
	if t.fsys != nil {
		separator = "/"
	}
	switch {
	case folder == ".":
		return name
	case strings.HasSuffix(folder, separator):
		return folder + name
	}
	return folder + separator + name
}

// outside remembers the files outside of the targets to which links lead. After so
// many, a file can be found twice.
type outside struct {
	mu   sync.Mutex
	seen map[string]bool
}

const (
	maxOutside     = 1 << 14
	maxOutsidePath = 512
)

// first reports whether a path is seen for the first time.
func (o *outside) first(path string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[path] {
		return false
	}
	if len(o.seen) < maxOutside && len(path) <= maxOutsidePath {
		if o.seen == nil {
			o.seen = make(map[string]bool)
		}
		o.seen[path] = true
	}
	return true
}
