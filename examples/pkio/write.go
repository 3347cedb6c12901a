package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile puts a file in its place whole or not at all, as truststore's WriteFile does
// for certificates: under another name in the same folder first.
func writeFile(path string, write func(io.Writer) error) (err error) {
	perm := fs.FileMode(0o644)
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return fmt.Errorf("%q is no regular file: give the name of one, or of none that exists", path)
	default:
		perm = old.Mode().Perm()
	}
	temp := filepath.Join(filepath.Dir(path), ".pkio-"+rand.Text()+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // closed already, perhaps
			err = errors.Join(err, os.Remove(temp))
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// mayWrite refuses to write to what is read, and to "-": output goes to a file.
func mayWrite(path string, inputs ...string) error {
	if path == "-" {
		return errors.New("\"-\" is not standard output here: give the name of a file")
	}
	for _, in := range inputs {
		over, err := isInput(path, in)
		if err != nil {
			return err
		}
		if over {
			return fmt.Errorf("%q is what is read: give the output another name", path)
		}
	}
	return nil
}

// isInput reports whether writing to out would write over in: the same file, whatever
// the names and links that lead there, or, if in is a folder, a file in it.
func isInput(out, in string) (bool, error) {
	to, err := os.Stat(out)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	from, err := os.Stat(in)
	if err != nil {
		return false, err
	}
	if !from.IsDir() {
		return os.SameFile(to, from), nil
	}
	entries, err := os.ReadDir(in)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if file, err := os.Stat(filepath.Join(in, e.Name())); err == nil && os.SameFile(to, file) {
			return true, nil
		}
	}
	return false, nil
}
