package truststore

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Source gives the present contents of a store that changes while the program runs.
// Watch makes one that follows the disk, and NewSource one that the program sets.
// All methods are safe for any number of goroutines.
//
// Ask it anew for each connection: a *tls.Config keeps the pool that it was given.
// A server asks in tls.Config.GetConfigForClient, a client makes the configuration
// for a connection when it dials. What is built from a Store, such as a verifier, is
// good for as long as Store returns the same pointer.
//
// The zero Source is empty, until it is set.
type Source struct {
	current atomic.Pointer[sourceContents]
	stop    context.CancelFunc
	done    chan struct{}
}

// sourceContents is never changed: a Source gets a new one.
type sourceContents struct {
	store *Store
	pool  *x509.CertPool
	err   error
}

// NewSource returns a Source with the certificates of the store, which may be nil. It
// follows no file: only Set changes it.
func NewSource(store *Store) *Source {
	s := new(Source)
	s.put(copyOf(store), nil)
	return s
}

// Set replaces the certificates of the Source. The Source keeps a copy, so that a
// later change of the store has no effect. A store without certificates is an error,
// as it is for Watch, and so is a Source that Watch made: the present ones then stay.
func (s *Source) Set(store *Store) error {
	if s.stop != nil {
		return errors.New("truststore: this Source follows a file or a folder: change that, or set one that NewSource made")
	}
	if store.Len() == 0 {
		return errors.New("truststore: a Source is not set to a store without any certificate")
	}
	s.put(copyOf(store), nil)
	return nil
}

func copyOf(store *Store) *Store {
	return store.Filter(func(*x509.Certificate) bool { return true })
}

// put puts a Store to use and reports whether that changes the certificates. If it
// does not, the Store in use stays.
func (s *Source) put(store *Store, err error) (changed bool) {
	old := s.current.Load()
	if old != nil && slices.EqualFunc(slices.Collect(old.store.All()), slices.Collect(store.All()), (*x509.Certificate).Equal) {
		s.current.Store(&sourceContents{store: old.store, pool: old.pool, err: err})
		return false
	}
	s.current.Store(&sourceContents{store: store, pool: store.CertPool(), err: err})
	return true
}

// Store returns the certificates that are in use: the same pointer until they
// change. Do not modify it. Asking costs an atomic load and no allocation.
func (s *Source) Store() *Store {
	if c := s.current.Load(); c != nil {
		return c.store
	}
	return nil
}

// CertPool returns the certificates that are in use as a pool: the same pointer
// until they change. Do not add to it; Clone gives one for that. Asking costs an
// atomic load and no allocation. It is never nil, which would stand for the
// certificates of the system: the zero Source makes an empty pool at each call.
func (s *Source) CertPool() *x509.CertPool {
	if c := s.current.Load(); c != nil {
		return c.pool
	}
	return x509.NewCertPool()
}

// Err returns nil if what is in use is what is on the disk, and otherwise why not,
// for a program that reports its own health. It is at most as old as the interval
// of the watch.
func (s *Source) Err() error {
	if c := s.current.Load(); c != nil {
		return c.err
	}
	return nil
}

// Close ends the watch, if there is one, as does the end of the context that Watch was
// given. It waits for a look that is under way, and with it for the function of
// OnReload, which must therefore not call Close. The Source goes on to give the
// contents that it has. Close returns nil, each time.
func (s *Source) Close() error {
	if s.stop != nil {
		s.stop()
		<-s.done
	}
	return nil
}

// Reload is what OnReload reports.
type Reload struct {
	// Store is in use from now on. It is the one from before if Err says why
	// there is no other, and if the same certificates could be read again.
	Store *Store
	// Changes are those from the Store that was in use before.
	Changes Changes
	// Err says why what is on the disk is not in use, or, with KeepGoing, what
	// was left out of it. When it is nil, everything is right again.
	Err error
}

type watchOptions struct {
	interval time.Duration
	onReload func(Reload)
}

// OnReload has Watch call f after it has put new contents to use, when it cannot do
// so, and when it can again: once for each of these, not at each look. The calls
// come one after another from a goroutine of the Source, which looks at nothing while
// f runs. Without OnReload, slog.Default() gets it: errors at the level Error, the rest
// at Info.
func OnReload(f func(Reload)) Option {
	return func(o *options) { o.watch.onReload = f }
}

const (
	defaultInterval = 10 * time.Second
	minInterval     = 100 * time.Millisecond
)

// WithInterval sets how often Watch looks at the disk. The default, which zero or
// less stands for, is 10 seconds; what is less than 100 milliseconds is taken as
// that. A look costs a stat for each file, and once a minute the reading of them.
func WithInterval(d time.Duration) Option {
	return func(o *options) { o.watch.interval = d }
}

// Watch opens a file or a folder, as Open does, and looks at it again at intervals,
// until ctx ends or Close is called. If it cannot be opened, there is no Source. The
// options are those of Open, WithInterval and OnReload.
//
// It does not matter how the store is changed: by renaming a file over it, as
// WriteFile and many editors do; by swapping a symbolic link anywhere on the path, as
// Kubernetes does for a mounted ConfigMap or Secret (with subPath it never updates
// one); or by writing in place. To tell a file that is still being written from one
// that is finished, a Source uses new contents only when it finds them twice, at least
// a quarter of a second apart. Who writes in place, a few certificates at a time, and
// pauses longer than that can make a part be used for a moment; with WriteFile that
// cannot happen. The first contents, which Watch reads before it returns, do not wait
// so long: they need only be the same when it has read them as while it did. If they
// are not, it reads them again, ten times at most.
//
// Contents are compared by hash. When files were only touched, nothing happens, and
// when they hold the same certificates in the same order as before, the Store stays.
// A look reads files only if something about them is new: size, mode, the time of
// modification, on Unix also the time of change, which programs cannot set. Once a
// minute, or at each look if these are rarer, it reads them anyway. So a file that is
// written in place and given its old time and size is noticed at the next look on
// Unix, and elsewhere within that minute.
//
// What cannot be read never replaces what is in use. That goes for a damaged file,
// for one that has vanished, and for a store without any certificate: a program that
// is to trust nobody any more has to be told otherwise. The error is reported once
// for each change on the disk, and so is the recovery.
func Watch(ctx context.Context, path string, opts ...Option) (*Source, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("truststore: watching %s: %w", path, err)
	}
	w := &watcher{path: path, opts: opts, options: newOptions(opts)}
	// The path is to mean the same when the program changes its folder.
	if abs, err := filepath.Abs(path); err == nil && path != "" {
		w.path = abs
	}
	if w.watch.interval <= 0 {
		w.watch.interval = defaultInterval
	}
	w.watch.interval = max(w.watch.interval, minInterval)
	if w.watch.onReload == nil {
		w.watch.onReload = w.log
	}

	store, err := w.first(ctx)
	if store.Len() == 0 {
		return nil, orNoCertificate(err, path)
	}
	w.partial = err
	ctx, stop := context.WithCancel(ctx)
	w.source = &Source{stop: stop, done: make(chan struct{})}
	w.source.put(store, err)
	go w.run(ctx)
	return w.source, nil
}

// watcher is what the goroutine of a Source knows.
type watcher struct {
	source *Source
	path   string
	opts   []Option
	options

	seen  []fileState // what the last look found
	since time.Time   // when that was seen first
	sure  bool        // that it is in use, and that hardly a change can hide behind it
	read  time.Time   // when the bytes were last read

	used    contentSum // of what is in use
	partial error      // what KeepGoing left out of it

	pending      contentSum // what the last look found, if that is new
	pendingRead  time.Time  // when that was read first
	pendingSince time.Time  // since when there is something new, zero if nothing is

	failed  contentSum // of what could not be used
	failure error      // why, nil if all is well
}

// contentSum stands for all that Open would read.
type contentSum [sha256.Size]byte

// settle is how long contents must stay the same before they are used.
const settle = 250 * time.Millisecond

// reread is how long a look may rely on what stat shows.
const reread = time.Minute

// firstTries is how often Watch reads contents that change meanwhile.
const firstTries = 10

// granularity is that of the coarsest clocks of file systems (FAT): two changes
// within it can leave the same time behind.
const granularity = 2 * time.Second

// patience is how long contents may go on changing before that is an error.
const patience = time.Minute

// first reads what the Source begins with.
func (w *watcher) first(ctx context.Context) (*Store, error) {
	for range firstTries {
		w.seen, w.since = scan(w.path), time.Now()
		store, sum, err := w.open()
		if w.sum() == sum {
			w.used, w.read = sum, w.since
			return store, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("truststore: watching %s: %w", w.path, ctx.Err())
		case <-time.After(settle):
		}
	}
	return nil, w.unstable()
}

func (w *watcher) unstable() error {
	return fmt.Errorf("truststore: %s: the contents do not stop changing, so that they cannot be used", w.path)
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.source.done)
	if w.partial != nil {
		w.report(ctx, Reload{Store: w.source.Store(), Err: w.partial})
	}
	timer := time.NewTimer(w.watch.interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(w.look(ctx))
		}
	}
}

// look looks at the disk and returns when to do so again.
func (w *watcher) look(ctx context.Context) time.Duration {
	now := time.Now()
	if seen := scan(w.path); !slices.EqualFunc(seen, w.seen, fileState.same) {
		w.seen, w.since, w.sure = seen, now, false
	}
	if w.sure && now.Sub(w.read) < reread {
		return w.watch.interval
	}
	sum := w.sum()
	w.read = now
	if sum == w.used {
		w.pendingSince = time.Time{}
		// If the files have been as they are for so long that a later change must
		// show in them, they need not be read again.
		w.sure = now.Sub(w.since) > granularity && slices.EqualFunc(scan(w.path), w.seen, fileState.same)
		if w.failure != nil {
			w.use(ctx, w.source.Store(), w.partial, sum)
		}
		return w.watch.interval
	}
	w.sure = false
	if w.pendingSince.IsZero() {
		w.pendingSince = now
		return w.await(ctx, sum)
	}
	if sum != w.pending {
		return w.await(ctx, sum)
	}
	if left := settle - now.Sub(w.pendingRead); left > 0 {
		return min(left, w.watch.interval)
	}
	store, got, err := w.open()
	if got != sum {
		return w.await(ctx, got)
	}
	// What cannot be used is tried again at the next look: the cause may lie
	// elsewhere, such as too many open files.
	w.pendingSince = time.Time{}
	if store.Len() == 0 {
		w.fail(ctx, orNoCertificate(err, w.path), sum)
	} else {
		w.use(ctx, store, err, sum)
	}
	return w.watch.interval
}

// await notes contents that were not there before, and returns when to look at them
// again.
func (w *watcher) await(ctx context.Context, sum contentSum) time.Duration {
	w.pending, w.pendingRead = sum, time.Now()
	if w.pendingRead.Sub(w.pendingSince) > patience {
		w.fail(ctx, w.unstable(), contentSum{})
	}
	return min(settle, w.watch.interval)
}

// orNoCertificate makes sure that an empty Store is an error, whatever Open says.
func orNoCertificate(err error, path string) error {
	if err == nil {
		err = fmt.Errorf("truststore: %s: there is no certificate in it", path)
	}
	return err
}

// use puts a Store to use.
func (w *watcher) use(ctx context.Context, store *Store, err error, sum contentSum) {
	old := w.source.current.Load()
	w.used, w.partial, w.failure = sum, err, nil
	if w.source.put(store, err) || err != nil || old.err != nil {
		now := w.source.Store()
		w.report(ctx, Reload{Store: now, Changes: Diff(old.store, now), Err: err})
	}
}

// fail keeps what is in use.
func (w *watcher) fail(ctx context.Context, err error, sum contentSum) {
	said := w.failure != nil && w.failed == sum && w.failure.Error() == err.Error()
	w.failed, w.failure = sum, err
	if said {
		return
	}
	old := w.source.current.Load()
	w.source.current.Store(&sourceContents{store: old.store, pool: old.pool, err: err})
	w.report(ctx, Reload{Store: old.store, Err: err})
}

func (w *watcher) report(ctx context.Context, r Reload) {
	if ctx.Err() == nil {
		w.watch.onReload(r)
	}
}

// log is what OnReload is without an option.
func (w *watcher) log(r Reload) {
	attrs := []any{"path", w.path, "certificates", r.Store.Len(), "added", len(r.Changes.Added), "removed", len(r.Changes.Removed)}
	switch {
	case r.Err == nil:
		slog.Info("truststore: what is on the disk is in use", attrs...)
	case w.failure == nil:
		slog.Error("truststore: a part of what is on the disk is in use", append(attrs, "error", r.Err)...)
	default:
		slog.Error("truststore: what is on the disk cannot be used, the contents from before stay in use", append(attrs, "error", r.Err)...)
	}
}

// fileState is a file as stat shows it.
type fileState struct {
	path string
	info fs.FileInfo // nil if there is none
	err  error       // of reading the folder path
}

func (a fileState) same(b fileState) bool {
	if a.path != b.path || a.info == nil || b.info == nil {
		return a.path == b.path && a.info == b.info
	}
	return os.SameFile(a.info, b.info) && a.info.Mode() == b.info.Mode() &&
		a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime()) &&
		changeTime(a.info).Equal(changeTime(b.info))
}

// scan returns the files that Open would read, links followed.
func scan(path string) []fileState {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []fileState{{path: path, info: info}}
	}
	var files []fileState
	entries, err := os.ReadDir(path)
	if err != nil {
		return []fileState{{path: path, err: err}}
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file := filepath.Join(path, e.Name())
		if info, err := os.Stat(file); err != nil || !info.IsDir() {
			files = append(files, fileState{path: file, info: info})
		}
	}
	return files
}

// sum hashes what Open would read, errors included.
func (w *watcher) sum() contentSum {
	return w.each(func(string, []byte, error) {})
}

// each reads what Open would read, and hashes what it gives to f.
func (w *watcher) each(f func(path string, data []byte, err error)) (sum contentSum) {
	h := sha256.New()
	limit := w.limit
	for _, file := range scan(w.path) {
		data, err := []byte(nil), file.err
		if err == nil {
			data, err = readFile(file.path, limit)
		}
		fmt.Fprintf(h, "%q %d %q\n", file.path, len(data), fmt.Sprint(err))
		h.Write(data)
		limit -= int64(len(data))
		f(file.path, data, err)
	}
	h.Sum(sum[:0])
	return sum
}

// open does what Open does, and returns the sum of the very bytes that it used. With
// a sum from before or after Open, links that lead elsewhere for a moment could make
// it use other bytes than those.
func (w *watcher) open() (store *Store, sum contentSum, err error) {
	o := newOptions(w.opts)
	all := decoder{options: o, certs: new(Store)}
	alone, failed := false, false
	sum = w.each(func(path string, data []byte, e error) {
		if failed {
			return
		}
		alone = path == w.path
		var s *Store
		if e == nil {
			s, e = decode(data, o)
			e = within(path, e)
		}
		if alone {
			store, err = s, e
			return
		}
		o.limit -= int64(len(data))
		for cert := range s.All() {
			all.certs.Add(cert)
		}
		if e != nil {
			err = all.skip(e)
			failed = err != nil
		}
	})
	switch {
	case alone || failed:
	case all.certs.Len() == 0 && len(all.bad.errs) == 0:
		err = fmt.Errorf("%s: there is no certificate in this folder", w.path)
	default:
		store, err = all.end()
	}
	return store, sum, within("truststore", err)
}
