package truststore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// ReplaceFile writes data to a file, for what a Store does not write itself. Whoever opens
// the file, also after a crash, finds the old contents or the new ones, whole. The mode
// stays, and the owner where the system permits it; a new file gets 0644 less the umask. A
// symbolic link at path is an error. See "Details" in the package documentation.
func ReplaceFile(path string, data []byte) error {
	if err := replaceFile(path, data); err != nil {
		return ours(fmt.Errorf("writing %s: %w", path, err))
	}
	return nil
}

// replaceFile goes through an os.Root, so that all steps happen in one folder, even
// when somebody moves folders about or puts links in their place meanwhile.
func replaceFile(path string, data []byte) error {
	name := filepath.Base(path)
	if path == "" || os.IsPathSeparator(path[len(path)-1]) || name == "." || name == ".." {
		return errors.New("this is the name of a folder: give that of a file")
	}
	folder, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	old, err := folder.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case old.Mode().Type() == fs.ModeSymlink:
		target, err := folder.Readlink(name)
		if err != nil {
			return err
		}
		return fmt.Errorf("this is a symbolic link to %s: give the path of the file itself, or remove the link", target)
	case old.IsDir():
		return errors.New("this is a folder: give the name of a file")
	case !old.Mode().IsRegular():
		return errors.New("this is a pipe, a socket or a device: give the name of a regular file")
	}

	// Hidden, so that it is not part of a folder that Open reads, and of a length
	// that does not depend on the name.
	temp := ".truststore-" + rand.Text() + ".tmp"
	err = writeTemp(folder, temp, data, old)
	if err == nil {
		err = folder.Rename(temp, name)
	}
	if err != nil {
		// It is not there if it could not be made. No other file has this name.
		if e := folder.Remove(temp); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		return err
	}
	if err := syncFolder(folder); err != nil {
		return fmt.Errorf("the new contents are in place, but may not outlast a loss of power: %w", err)
	}
	return nil
}

// writeTemp writes a new file to the disk, with the mode and owner of the old
// one, if there is one.
func writeTemp(folder *os.Root, name string, data []byte, old fs.FileInfo) (err error) {
	perm := fs.FileMode(0o644)
	if old != nil {
		perm = 0o600 // nobody else, until it is known who may
	}
	f, err := folder.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if old != nil {
		perm = old.Mode().Perm()
		if !keepOwner(f, old) {
			perm = perm&^0o070 | perm&0o007<<3
		}
		// After chown, which takes away bits of the mode.
		if err := f.Chmod(perm); err != nil {
			return err
		}
	}
	return f.Sync()
}

// syncFolder makes a rename durable. Windows cannot do that for a folder, nor
// can some network file systems, which say so with EINVAL.
func syncFolder(folder *os.Root) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := folder.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
