package truststore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// WatchFiles reads files that belong together, such as a certificate and its key, and
// gives their contents to use, in the order of the paths, with the time of the clock. It
// does so again when a file is new, in the ways and after the pauses that Watch
// describes: use gets no contents that are still being written. If a file cannot be read,
// or use returns an error, that is reported as by Watch, and tried again.
//
// What goes wrong the first time is an error. After that a goroutine looks until ctx
// ends, and problem returns why what is on the disk is not in use, nil if it is. The
// options are WithInterval, WithTime, WithLimit, which counts for all files together,
// OnLook and OnReload, whose Reload has no Store. Others are an error.
func WatchFiles(ctx context.Context, use func(contents [][]byte, at time.Time) error, paths []string, opts ...Option) (problem func() error, err error) {
	switch {
	case use == nil:
		return nil, errors.New("truststore: WatchFiles needs a function to use the files")
	case len(paths) == 0 || slices.Contains(paths, ""):
		return nil, errors.New("truststore: WatchFiles needs the paths of the files")
	}
	name := strings.Join(paths, ", ")
	if err := ctx.Err(); err != nil {
		return nil, ours(fmt.Errorf("watching %s: %w", name, err))
	}
	o := newOptions(opts)
	switch {
	case o.password != "":
		return nil, errors.New("truststore: WatchFiles does not take WithPassword: the function that uses the files opens them")
	case o.keepGoing:
		return nil, errors.New("truststore: WatchFiles does not take KeepGoing: the function that uses the files reads them")
	}
	f := &files{limit: o.limit, use: use}
	for _, path := range paths {
		f.paths = append(f.paths, absolute(path))
	}
	w := newWatcher(f, name, o.watch)
	f.now = w.now
	if w.onReload == nil {
		w.onReload = w.logFiles
	}
	if err := w.first(ctx); err != nil {
		return nil, err
	}
	go w.run(ctx)
	return f.problem, nil
}

// files is what WatchFiles follows.
type files struct {
	paths []string
	limit int64
	use   func([][]byte, time.Time) error
	now   func() time.Time
	err   atomic.Pointer[error]
}

func (f *files) problem() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *files) scan() []fileState {
	all := make([]fileState, len(f.paths))
	for i, path := range f.paths {
		all[i].path = path
		all[i].info, _ = os.Stat(path) // nil if there is none; reading says why
	}
	return all
}

func (f *files) sum() contentSum { return readAll(f.scan(), f.limit, func(string, []byte, error) {}) }

func (f *files) open() (put func() (Reload, bool, error), sum contentSum, err error) {
	var contents [][]byte
	sum = readAll(f.scan(), f.limit, func(path string, data []byte, e error) {
		if large := tooLarge(0); errors.As(e, &large) {
			e = within(path, fmt.Errorf("the files have more than %d bytes together", f.limit))
		}
		if err == nil {
			err = e
		}
		contents = append(contents, data)
	})
	if err != nil {
		return nil, sum, ours(err)
	}
	return func() (Reload, bool, error) {
		err := f.use(contents, f.now())
		if err == nil {
			f.err.Store(nil)
		}
		return Reload{}, true, err
	}, sum, nil
}

func (f *files) keep(err error) Reload {
	f.err.Store(nil)
	if err != nil {
		f.err.Store(&err)
	}
	return Reload{Err: err}
}

// logFiles is what OnReload is without an option.
func (w *watcher) logFiles(r Reload) {
	if r.Err == nil {
		slog.Info("truststore: what is on the disk is in use", "path", w.name)
		return
	}
	slog.Error("truststore: what is on the disk cannot be used, the contents from before stay in use", "path", w.name, "error", r.Err)
}
