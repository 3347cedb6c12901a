package inventory

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxDepth is how far down folders are entered. Each level keeps a folder open.
const maxDepth = 256

// readAtOnce is how many names of a folder are in memory.
const readAtOnce = 256

// resolveRoots notes which folders are walked.
func (s *scanner) resolveRoots(paths []string) {
	if s.FS != nil {
		return
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if real, err := realPath(path); err == nil {
				s.roots = append(s.roots, real)
			}
		}
	}
}

func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

// isWalked reports whether a resolved path is found without a link to it.
func (s *scanner) isWalked(real string) bool {
	for _, root := range s.roots {
		rest, below := strings.CutPrefix(real, root)
		if below && (rest == "" || rest[0] == filepath.Separator || strings.HasSuffix(root, string(filepath.Separator))) {
			return true
		}
	}
	return false
}

// walker finds the files. It holds few names at any time, whatever it walks
// through.
type walker struct {
	*scanner
	at     string // the target
	system fileSystem
}

// target walks through one target; false means that nobody wants more.
func (w *walker) target(path string) bool {
	w.at, w.system = path, fileSystem{}
	info, err := w.tree.stat(path)
	switch {
	case err != nil:
		return w.trouble(path, &trouble{where: path, text: osText(err), cause: err})
	case info.IsDir():
		return w.folder(path, 0)
	}
	return w.add(job{target: path, path: path, named: true})
}

func (w *walker) trouble(path string, err error) bool {
	return w.send(Result{Target: w.at, Path: path, Err: err})
}

// add hands over a file.
func (w *walker) add(j job) bool {
	w.jobs <- j
	return w.ctx.Err() == nil
}

func (w *walker) folder(path string, depth int) bool {
	if depth > maxDepth {
		return w.trouble(path, &trouble{where: path, text: "it is more than 256 folders down: name it as a target"})
	}
	f, err := w.tree.open(path)
	if err != nil {
		if depth > 0 && errors.Is(err, fs.ErrNotExist) {
			return true // removed meanwhile
		}
		return w.trouble(path, &trouble{where: path, text: osText(err), cause: err})
	}
	defer f.Close()
	if skip, why := w.system.leaves(f, depth, w.OneFileSystem); skip {
		return w.trouble(path, &trouble{where: path, text: why, skipped: true})
	}
	w.Progress.Folders.Add(1)
	if isGitObjects(path) {
		w.Progress.Unread.Add(1)
		if !w.trouble(path, &trouble{where: path, text: "these are the objects of a git repository, which are not read", skipped: true}) {
			return false
		}
	}
	dir, ok := f.(fs.ReadDirFile)
	if !ok {
		return w.trouble(path, &trouble{where: path, text: "a folder that cannot be listed"})
	}
	var below []string
	for {
		entries, err := dir.ReadDir(readAtOnce)
		below = below[:0]
		for _, e := range entries {
			next := w.tree.join(path, e.Name())
			switch {
			case w.excluded(next):
			case e.IsDir():
				below = append(below, next)
			case e.Type().IsRegular(), e.Type() == fs.ModeSymlink, e.Type() == fs.ModeIrregular:
				if !w.add(job{target: w.at, path: next, link: e.Type() == fs.ModeSymlink}) {
					return false
				}
			default:
				if !w.trouble(next, errNotRegular(next)) {
					return false
				}
			}
		}
		for _, next := range below {
			if !w.folder(next, depth+1) {
				return false
			}
		}
		if err != nil {
			if err == io.EOF {
				return true
			}
			return w.trouble(path, &trouble{where: path, text: osText(err), cause: err})
		}
		if len(entries) == 0 || w.ctx.Err() != nil {
			return w.ctx.Err() == nil
		}
	}
}

// isGitObjects reports whether a folder is one in which git keeps compressed files.
func isGitObjects(path string) bool {
	return filepath.Base(path) == "objects" && strings.HasSuffix(filepath.Dir(path), ".git")
}

func errNotRegular(path string) error {
	return &trouble{where: path, text: "a pipe, socket or device, which is not opened", skipped: true}
}

// osText is what the operating system says, without the path, which it repeats as
// it is.
func osText(err error) string {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Op + ": " + of.Err.Error()
	}
	return err.Error()
}
