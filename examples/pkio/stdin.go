package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// stdinName is how standard input is given where a file is read.
const stdinName = "-"

// isStdin reports whether a name is that of standard input.
func isStdin(path string) bool {
	return path == stdinName || path == "/dev/stdin" || path == "/dev/fd/0" || path == "/proc/self/fd/0"
}

// errStdinTwice keeps two flags from sharing what only one can read.
var errStdinTwice = errors.New("standard input is read twice: give one of the two as a file")

// stdin is standard input: read as a stream, once, or kept as the bytes of a file.
var stdin struct {
	data  []byte
	taken bool
}

// stdinStream is standard input for whoever reads it as it comes.
func stdinStream() (io.Reader, error) {
	if stdin.taken {
		return nil, errStdinTwice
	}
	stdin.taken = true
	return os.Stdin, nil
}

// readFile reads a file, a pipe that the shell gives a name, or standard input, of at
// most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	in, name := io.Reader(nil), safetext.Printable(path, 300)
	if isStdin(path) {
		name = "standard input"
		var err error
		if in, err = stdinStream(); err != nil {
			return nil, err
		}
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %s bytes", name, thousands(int(limit)))
	}
	return data, nil
}

// maxStore is how many bytes of standard input are kept as those of a file.
const maxStore = 64 << 20

// openFile opens a file or folder, or standard input, whose bytes are kept for the next
// time: another password may be tried.
func openFile(path string, opts ...truststore.Option) (*truststore.Store, error) {
	if !isStdin(path) {
		return truststore.Open(path, opts...)
	}
	if err := keepStdin(); err != nil {
		return nil, err
	}
	return truststore.Decode(stdin.data, opts...)
}

func keepStdin() (err error) {
	if stdin.data == nil {
		stdin.data, err = readFile(stdinName, maxStore)
	}
	return err
}

// scan is inventory.Scan, where "-" is standard input.
func scan(ctx context.Context, cfg inventory.Config, in io.Reader, targets ...string) iter.Seq[inventory.Result] {
	return func(yield func(inventory.Result) bool) {
		var others []string
		for _, t := range targets {
			if !isStdin(t) {
				others = append(others, t)
			}
		}
		if len(others) < len(targets) {
			found := false
			for r := range inventory.ScanReader(ctx, cfg, stdinName, in, -1) {
				if found = true; !yield(r) {
					return
				}
			}
			if !found && ctx.Err() == nil && !yield(inventory.Result{Target: stdinName, Path: stdinName, Err: errNothingIn}) {
				return
			}
		}
		if len(others) == 0 {
			return
		}
		for r := range inventory.Scan(ctx, cfg, others...) {
			if !yield(r) {
				return
			}
		}
	}
}

var errNothingIn = errors.New("there is no certificate in it")
