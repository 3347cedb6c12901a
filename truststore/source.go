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

// Source holds a Store that changes while the program runs. Watch makes one that follows
// the disk, NewSource one that the program sets; the zero Source is empty. All methods are
// safe for concurrent use.
//
// Ask it for each connection, because a *tls.Config keeps its pool: a server in
// GetConfigForClient, a client when it dials.
type Source struct {
	current atomic.Pointer[sourceContents]
	follows bool // what is on the disk
}

// sourceContents is never changed: a Source gets a new one.
type sourceContents struct {
	store *Store
	err   error
}

// NewSource returns a Source with the certificates of the store, which may be nil. Only
// Set changes it.
func NewSource(store *Store) *Source {
	s := new(Source)
	s.put(copyOf(store), nil)
	return s
}

// Set replaces the certificates by a copy of those of the store. A store without
// certificates is an error, and so is any store if Watch made the Source; the present
// certificates then stay.
func (s *Source) Set(store *Store) error {
	if s.follows {
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
		s.current.Store(&sourceContents{store: old.store, err: err})
		return false
	}
	s.current.Store(&sourceContents{store: store, err: err})
	return true
}

// Store returns the present certificates: the same pointer until they change. Do not modify
// it. Its CertPool is for a tls.Config.
func (s *Source) Store() *Store {
	if c := s.current.Load(); c != nil {
		return c.store
	}
	return nil
}

// Err returns nil if what is in use is what is on the disk, and otherwise the reason why
// not, for a health check.
func (s *Source) Err() error {
	if c := s.current.Load(); c != nil {
		return c.err
	}
	return nil
}

// Reload is what OnReload reports.
type Reload struct {
	// Store is in use from now on. It is the previous one if Err says why nothing else
	// is, or if the certificates are the same.
	Store *Store
	// Changes are the differences from the previous Store.
	Changes Changes
	// Err is why the contents of the disk are not in use or, with KeepGoing, what was
	// left out of them. It is nil when all is well again.
	Err error
}

type watchOptions struct {
	interval time.Duration
	onReload func(Reload)
	onLook   func(time.Time)
	time     func() time.Time
}

// OnReload makes Watch call f after new contents are in use, when they cannot be used, and
// when they can again. The calls come one after another; the Source waits for f. Without
// it slog.Default() logs the same.
func OnReload(f func(Reload)) Option {
	return func(o *options) { o.watch.onReload = f }
}

// OnLook has Watch call f after each look at the disk, with the time of its clock, from
// the same goroutine as OnReload: for what must happen now and then, such as a warning
// or a sign of life. If it is given twice, both are called.
func OnLook(f func(at time.Time)) Option {
	return func(o *options) {
		if before := o.watch.onLook; before != nil && f != nil {
			o.watch.onLook = func(at time.Time) { before(at); f(at) }
		} else if f != nil {
			o.watch.onLook = f
		}
	}
}

// WithTime sets the clock by which Watch compares times. nil, the default, is time.Now,
// and a zero time is now. Waiting is by timers in any case: a test that moves the clock
// sets a short interval.
func WithTime(now func() time.Time) Option {
	return func(o *options) { o.watch.time = now }
}

const (
	defaultInterval = 10 * time.Second
	minInterval     = 10 * time.Millisecond
)

// WithInterval sets how often Watch looks at the disk: at least every 10 milliseconds,
// by default (zero or less) every 10 seconds.
func WithInterval(d time.Duration) Option {
	return func(o *options) { o.watch.interval = d }
}

// Watch opens a file or a folder, as Open does, and reads it again when it changes, until
// ctx ends; the Source then keeps its contents. The options are those of Open, WithInterval
// and OnReload.
//
// It follows renames, symbolic links (as of Kubernetes) and writing in place. What cannot
// be read, or holds no certificate, never replaces what is in use; it is reported. See
// "Details" in the package documentation.
func Watch(ctx context.Context, path string, opts ...Option) (*Source, error) {
	if err := ctx.Err(); err != nil {
		return nil, ours(fmt.Errorf("watching %s: %w", path, err))
	}
	s := &Source{follows: true}
	t := &storeOnDisk{source: s, path: absolute(path), opts: opts, options: newOptions(opts)}
	w := newWatcher(t, t.path, t.watch)
	if w.onReload == nil {
		w.onReload = w.log
	}
	if err := w.first(ctx); err != nil {
		return nil, err
	}
	go w.run(ctx)
	return s, nil
}

// absolute makes a path mean the same when the program changes its folder.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil && path != "" {
		return abs
	}
	return path
}

// followed is what a watcher follows.
type followed interface {
	// scan returns the files, as stat shows them, links followed.
	scan() []fileState

	// sum hashes what open would read, errors included.
	sum() contentSum

	// open reads the files and returns the sum of the very bytes that it read. put
	// puts them to use and reports whether that is worth a report; where put is nil, err
	// says why they cannot be used, and otherwise what was left out of them.
	open() (put func() (r Reload, changed bool, err error), sum contentSum, err error)

	// keep notes why what is on the disk is not in use, nil if it is again.
	keep(err error) Reload
}

// storeOnDisk is what Watch follows.
type storeOnDisk struct {
	source *Source
	path   string
	opts   []Option
	options
}

// watcher is what the goroutine of a Source knows.
type watcher struct {
	followed
	name string // for errors
	watchOptions

	seen  []fileState // what the last look found
	since time.Time   // when that was seen first
	sure  bool        // that it is in use, and that hardly a change can escape it
	read  time.Time   // when the bytes were last read

	used    contentSum // of what is in use
	partial error      // what KeepGoing left out of it

	pending      contentSum // what the last look found, if that is new
	pendingRead  time.Time  // when that was read first
	pendingSince time.Time  // since when there is something new, zero if nothing is

	failed  contentSum // of what could not be used
	failure error      // why, nil if all is well
}

// contentSum identifies all that Open would read.
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

func newWatcher(f followed, name string, o watchOptions) *watcher {
	if o.interval <= 0 {
		o.interval = defaultInterval
	}
	o.interval = max(o.interval, minInterval)
	return &watcher{followed: f, name: name, watchOptions: o}
}

func (w *watcher) now() time.Time {
	if w.time != nil {
		if t := w.time(); !t.IsZero() {
			return t
		}
	}
	return time.Now()
}

// first puts to use what there is to begin with.
func (w *watcher) first(ctx context.Context) error {
	for range firstTries {
		w.seen, w.since = w.scan(), w.now()
		put, sum, err := w.open()
		if w.sum() == sum {
			if put == nil {
				return err
			}
			w.used, w.read, w.partial = sum, w.since, err
			_, _, err = put()
			return err
		}
		select {
		case <-ctx.Done():
			return ours(fmt.Errorf("watching %s: %w", w.name, ctx.Err()))
		case <-time.After(settle):
		}
	}
	return w.unstable()
}

func (w *watcher) unstable() error {
	return ours(fmt.Errorf("%s: the contents do not stop changing, so that they cannot be used", w.name))
}

func (w *watcher) run(ctx context.Context) {
	if w.partial != nil {
		w.report(ctx, w.keep(w.partial))
	}
	timer := time.NewTimer(w.interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(w.look(ctx))
			if w.onLook != nil && ctx.Err() == nil {
				w.onLook(w.now())
			}
		}
	}
}

// look looks at the disk and returns when to do so again.
func (w *watcher) look(ctx context.Context) time.Duration {
	now := w.now()
	if seen := w.scan(); !slices.EqualFunc(seen, w.seen, fileState.same) {
		w.seen, w.since, w.sure = seen, now, false
	}
	if age := now.Sub(w.read); w.sure && age >= 0 && age < reread {
		return w.interval
	}
	sum := w.sum()
	w.read = now
	if sum == w.used {
		w.pendingSince = time.Time{}
		// If the files have been as they are for so long that a later change must
		// show in them, they need not be read again.
		w.sure = now.Sub(w.since) > granularity && slices.EqualFunc(w.scan(), w.seen, fileState.same)
		if w.failure != nil {
			w.failure = nil
			w.report(ctx, w.keep(w.partial))
		}
		return w.interval
	}
	w.sure = false
	if w.pendingSince.IsZero() {
		w.pendingSince = now
		return w.await(ctx, sum)
	}
	if sum != w.pending {
		return w.await(ctx, sum)
	}
	switch age := now.Sub(w.pendingRead); {
	case age < 0: // the clock was set back
		return w.await(ctx, sum)
	case age < settle:
		return min(settle-age, w.interval)
	}
	put, got, err := w.open()
	if got != sum {
		return w.await(ctx, got)
	}
	// What cannot be used is tried again at the next look: the cause may lie
	// elsewhere, such as too many open files.
	w.pendingSince = time.Time{}
	if put == nil {
		w.fail(ctx, err, sum)
	} else {
		w.use(ctx, put, err, sum)
	}
	return w.interval
}

// await notes contents that were not there before, and returns when to look at them
// again.
func (w *watcher) await(ctx context.Context, sum contentSum) time.Duration {
	w.pending, w.pendingRead = sum, w.now()
	if w.pendingRead.Sub(w.pendingSince) > patience {
		w.fail(ctx, w.unstable(), contentSum{})
	}
	return min(settle, w.interval)
}

// orNoCertificate makes sure that an empty Store is an error, whatever Open says.
func orNoCertificate(err error, path string) error {
	if err == nil {
		err = ours(fmt.Errorf("%s: %w", path, errNoCertificate))
	}
	return err
}

// use puts new contents to use.
func (w *watcher) use(ctx context.Context, put func() (Reload, bool, error), partial error, sum contentSum) {
	r, changed, err := put()
	if err != nil {
		w.fail(ctx, err, sum)
		return
	}
	changed = changed || w.failure != nil || w.partial != nil
	w.used, w.partial, w.failure = sum, partial, nil
	if changed {
		w.report(ctx, r)
	}
}

// fail keeps what is in use.
func (w *watcher) fail(ctx context.Context, err error, sum contentSum) {
	said := w.failure != nil && w.failed == sum && w.failure.Error() == err.Error()
	w.failed, w.failure = sum, err
	if !said {
		w.report(ctx, w.keep(err))
	}
}

func (w *watcher) report(ctx context.Context, r Reload) {
	if ctx.Err() == nil {
		w.onReload(r)
	}
}

// log is what OnReload is without an option.
func (w *watcher) log(r Reload) {
	attrs := []any{"path", w.name, "certificates", r.Store.Len(), "added", len(r.Changes.Added), "removed", len(r.Changes.Removed)}
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
func (w *storeOnDisk) sum() contentSum {
	return w.each(func(string, []byte, error) {})
}

// each reads what Open would read, and hashes what it gives to f.
func (w *storeOnDisk) each(f func(path string, data []byte, err error)) (sum contentSum) {
	return readAll(scan(w.path), w.limit, f)
}

// readAll reads files, and hashes what it gives to f.
func readAll(files []fileState, limit int64, f func(path string, data []byte, err error)) (sum contentSum) {
	h := sha256.New()
	for _, file := range files {
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

func (w *storeOnDisk) scan() []fileState { return scan(w.path) }

func (w *storeOnDisk) keep(err error) Reload {
	old := w.source.current.Load()
	w.source.current.Store(&sourceContents{store: old.store, err: err})
	return Reload{Store: old.store, Err: err}
}

func (w *storeOnDisk) open() (put func() (Reload, bool, error), sum contentSum, err error) {
	store, sum, err := w.decode()
	if store.Len() == 0 {
		return nil, sum, orNoCertificate(err, w.path)
	}
	return func() (Reload, bool, error) {
		var before *Store
		if old := w.source.current.Load(); old != nil {
			before = old.store
		}
		changed := w.source.put(store, err)
		now := w.source.Store()
		return Reload{Store: now, Changes: Diff(before, now), Err: err}, changed || err != nil, nil
	}, sum, err
}

// decode does what Open does, and returns the sum of the very bytes that it used. With
// a sum from before or after Open, links that lead elsewhere for a moment could make
// it use other bytes than those.
func (w *storeOnDisk) decode() (store *Store, sum contentSum, err error) {
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
		e = together(path, e, w.limit)
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
	return store, sum, ours(err)
}
