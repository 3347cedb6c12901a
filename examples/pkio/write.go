package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/truststore"
)

// outFile is where a command writes: a file, or standard output, which is "-". All that
// pkio writes to files goes through it, so that nothing is lost that is not its own.
type outFile struct {
	path      string
	force     bool
	kind      reportKind // of what is written, if it is a report
	partial   bool       // what is written is a report of an audit that was stopped
	inputs    []string   // what is read, which is never written over
	passwords []string   // which may open a key store that is there
}

func forceFlag(cmd *cobra.Command, force *bool) {
	cmd.Flags().BoolVar(force, "force", false, "write over any file but one with a private key")
}

// stream returns where the bytes go as they are: standard output, also by the name of
// its device, or the null device. It is nil for a file.
func (o *outFile) stream(cmd *cobra.Command) io.Writer {
	if o.path == "-" {
		return cmd.OutOrStdout()
	}
	to, err := os.Stat(o.path)
	if err != nil {
		return nil
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(to, null) {
		return io.Discard
	}
	if out, err := os.Stdout.Stat(); err == nil && os.SameFile(to, out) {
		return cmd.OutOrStdout()
	}
	return nil
}

// remarks is for what is said beside the output.
func (o *outFile) remarks(cmd *cobra.Command) io.Writer {
	if w := o.stream(cmd); w != nil && w != io.Discard {
		return cmd.ErrOrStderr()
	}
	return cmd.OutOrStdout()
}

// check refuses a place where something would be lost, or that cannot be written. It is
// asked before the work is done, and once more before the file is written. certs is how
// many certificates a store will have; it is notYet where that is not known, and
// aReport for a report.
func (o *outFile) check(cmd *cobra.Command, certs int) error {
	if o.stream(cmd) != nil {
		return nil
	}
	old, err := os.Lstat(o.path)
	switch {
	case amongDevices(o.path):
		return fmt.Errorf("%q is under /dev, where no files are made: give another name, or - for standard output", o.path)
	case errors.Is(err, fs.ErrNotExist):
		return tryFolder(o.path)
	case err != nil:
		return err
	case old.Mode().Type() == fs.ModeSymlink:
		return fmt.Errorf("%q is a symbolic link: give the path of the file itself", o.path)
	case old.IsDir():
		return fmt.Errorf("%q is a folder: give the name of a file", o.path)
	case !old.Mode().IsRegular():
		return fmt.Errorf("%q is not a regular file: give another name", o.path)
	}
	for _, in := range o.inputs {
		over, err := isInput(o.path, in)
		if err != nil {
			return err
		}
		if over {
			return fmt.Errorf("%q is what is read: give the output another name", o.path)
		}
	}
	found, err := o.existing(old.Size())
	if err != nil {
		return err
	}
	return o.mayReplace(found, certs)
}

const (
	notYet  = -1
	aReport = -2
)

// mayReplace decides by what is there.
func (o *outFile) mayReplace(found existing, certs int) error {
	switch {
	case found.key:
		return fmt.Errorf("%q holds a private key, and is never written over: give another name", o.path)
	case found.locked:
		return fmt.Errorf("%q may hold a private key, since it is a key store that cannot be opened, and is never written over: give another name", o.path)
	case o.force || found.empty:
		return nil
	case o.partial && found.kind == o.kind && !found.partial:
		return fmt.Errorf("%q has a report of a whole run, and this one was stopped: give --force to write over it", o.path)
	case found.kind == "" && !found.store, found.kind != o.kind:
		what := "a trust store that pkio wrote"
		if certs == aReport {
			what = "a " + string(o.kind) + " that pkio wrote"
		}
		return fmt.Errorf("%q exists and is not %s: give another name, or --force to write over it", o.path, what)
	case certs >= 0 && certs < found.certs:
		return fmt.Errorf("%q has %s, and would have %d: give another name, or --force to write over it", o.path, count(found.certs, "certificate"), certs)
	}
	return nil
}

// write writes the file whole or not at all.
func (o *outFile) write(cmd *cobra.Command, data []byte, certs int) error {
	if w := o.stream(cmd); w != nil {
		_, err := w.Write(data)
		return err
	}
	if err := o.check(cmd, certs); err != nil {
		return err
	}
	return truststore.ReplaceFile(o.path, data)
}

// amongDevices reports whether path is under /dev. A device that is not there, or whose
// name was mistyped, would become a file, which takes memory and is gone after a restart.
func amongDevices(path string) bool {
	folder, err := filepath.Abs(filepath.Dir(path))
	if real, e := filepath.EvalSymlinks(folder); err == nil && e == nil {
		folder = real
	}
	return folder == "/dev" || strings.HasPrefix(folder, "/dev/")
}

// tryFolder reports whether a file can be made: better to hear that now than after an
// hour.
func tryFolder(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".pkio-*.tmp")
	if err != nil {
		return fmt.Errorf("%q cannot be written: %w", path, errors.Unwrap(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// maxExisting is how much of a file is looked at before it is written over.
const maxExisting = 64 << 20

// existing is what a file is that would be written over.
type existing struct {
	empty, key, locked bool
	kind               reportKind // of a report that pkio wrote
	partial            bool       // of a report
	store              bool       // pkio wrote it
	certs              int        // of a store
}

func (o *outFile) existing(size int64) (existing, error) {
	if size == 0 {
		return existing{empty: true}, nil
	}
	data, err := truststore.ReadFile(o.path, maxExisting)
	if err != nil {
		return existing{}, fmt.Errorf("it is not known what would be written over: %w", err)
	}
	passwords := append(slices.Clone(o.passwords), javaPassword)
	found := existing{kind: kindOf(data), partial: isPartial(data)}
	found.key, found.locked = holdsKey(data, passwords)
	if certs := ownStore(data, passwords); certs != nil {
		found.store, found.certs = true, certs.Len()
	}
	return found, nil
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

// isSamePlace reports whether two names are of one file, which need not be there yet.
func isSamePlace(a, b string) bool {
	if b == "" || a == os.DevNull {
		return false
	}
	if same, err := isInput(a, b); err == nil && same {
		return true
	}
	of, err := os.Stat(filepath.Dir(a))
	other, err2 := os.Stat(filepath.Dir(b))
	return err == nil && err2 == nil && os.SameFile(of, other) && filepath.Base(a) == filepath.Base(b)
}
