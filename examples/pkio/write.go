package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

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
