package truststore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Open reads the certificates of a file, as Decode does, or of all files in a folder, in
// the order of their names. Each file must be one that Decode reads. It skips folders in a
// folder and names that begin with a dot, and follows symbolic links.
func Open(path string, opts ...Option) (*Store, error) {
	o := newOptions(opts)
	s, err := openAny(path, o)
	return s, ours(err)
}

func openAny(path string, o options) (*Store, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		s, _, err := openFile(path, o)
		return s, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	all := decoder{options: o, certs: new(Store)}
	limit := o.limit
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file := filepath.Join(path, e.Name())
		info, err := os.Stat(file) // of what a link leads to
		if err == nil && info.IsDir() {
			continue
		}
		if err == nil {
			var s *Store
			var size int64
			s, size, err = openFile(file, o)
			err = together(file, err, limit)
			o.limit -= size
			for cert := range s.All() {
				all.certs.Add(cert)
			}
		}
		if err != nil {
			if err := all.skip(err); err != nil {
				return nil, err
			}
		}
	}
	if all.certs.Len() == 0 && len(all.bad.errs) == 0 {
		return nil, fmt.Errorf("%s: there is no certificate in this folder", path)
	}
	return all.end()
}

// openFile returns how many bytes it read, too.
func openFile(path string, o options) (*Store, int64, error) {
	data, err := readFile(path, o.limit)
	if err != nil {
		return nil, 0, err
	}
	s, err := decode(data, o)
	return s, int64(len(data)), within(path, err)
}

// together names the limit of all files of a folder, where it is reached in one.
func together(file string, err error, limit int64) error {
	if large := tooLarge(0); errors.As(err, &large) {
		return within(file, fmt.Errorf("the files in this folder have more than %d bytes together, which is the limit", limit))
	}
	return err
}

// ReadFile reads a regular file of at most limit bytes. It follows symbolic links, and
// refuses pipes, devices and sockets without waiting for them.
func ReadFile(path string, limit int64) ([]byte, error) {
	data, err := readFile(path, limit)
	if large := tooLarge(0); errors.As(err, &large) {
		err = within(path, fmt.Errorf("there are more than %d bytes", limit))
	}
	return data, ours(err)
}

func readFile(path string, limit int64) ([]byte, error) {
	// Before opening, since to open a device can do something. What takes the
	// place of the file after that is looked at below, see openFlags.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, within(path, errNotRegular)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, within(path, errNotRegular)
	}
	if info.Size() > limit {
		return nil, within(path, tooLarge(limit))
	}
	// Files grow, and those under /proc have no size.
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, within(path, tooLarge(limit))
	}
	return data, nil
}

var errNotRegular = errors.New("not a regular file")
