package truststore

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// variant returns a certificate that differs in its last byte.
func variant(t testing.TB, last byte) []byte {
	raw := bytes.Clone(realCerts(t)[0].Raw)
	raw[len(raw)-1] = last
	return text(parse(t, raw))
}

// A link that leads elsewhere and back while Watch reads: what is in use must be
// what was hashed, or else the Source would take the one for the other for ever.
func TestWatchIsNotDeceivedByALinkThatComesBack(t *testing.T) {
	certs := realCerts(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "link")
	many := write(t, dir, "many", ders(certs...))
	one := write(t, dir, "one", ders(certs[0]))
	lead := func(to string) {
		assert.NoError(t, os.Symlink(to, path+".new"))
		assert.NoError(t, os.Rename(path+".new", path))
	}
	lead(many)
	var stop atomic.Bool
	ended := make(chan bool)
	go func() {
		defer close(ended)
		for !stop.Load() {
			lead(one)
			runtime.Gosched()
			lead(many)
		}
	}()
	defer func() { stop.Store(true); <-ended }()
	opts := []Option{}
	w := &storeOnDisk{path: path, opts: opts, options: newOptions(opts)}
	sums := map[contentSum]int{}
	for range 2000 {
		store, sum, err := w.decode()
		require.NoError(t, err)
		if n, ok := sums[sum]; ok {
			require.Equal(t, n, store.Len(), "the sum of other contents")
		}
		sums[sum] = store.Len()
	}
	assert.LessOrEqual(t, len(sums), 2)
}

func TestWatchUsesNewContentsAfterTheyStayedForAQuarterOfASecond(t *testing.T) {
	certs := realCerts(t)
	path := write(t, t.TempDir(), "a.pem", text(certs[0]))
	synctest.Test(t, func(t *testing.T) {
		used := make(chan time.Time, 1)
		s, err := Watch(t.Context(), path, WithInterval(minInterval), OnReload(func(Reload) { used <- time.Now() }))
		require.NoError(t, err)
		// Each part is a good store. The last change is the one that counts.
		for n := 2; n < 12; n++ {
			overwrite(t, path, text(certs[:n]...))
			time.Sleep(settle - 10*time.Millisecond)
			assert.Equal(t, 1, s.Store().Len())
		}
		overwrite(t, path, text(certs...))
		last := time.Now()
		assert.GreaterOrEqual(t, (<-used).Sub(last), settle)
		assert.Equal(t, len(certs), s.Store().Len())
	})
}

func TestWatchNoticesAChangeInPlaceOfTheSameSizeAndTime(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.pem", variant(t, 0))
	at := time.Unix(1, 0)
	require.NoError(t, os.Chtimes(path, at, at))
	change := func(t *testing.T, last byte) {
		before, err := os.Stat(path)
		require.NoError(t, err)
		// The bubble has a clock of its own, and the file system's is coarse: wait
		// until the file has another time.
		for start := 0; start < 1_000_000; start++ {
			overwrite(t, path, variant(t, last))
			require.NoError(t, os.Chtimes(path, at, at))
			after, err := os.Stat(path)
			require.NoError(t, err)
			if changeTime(before).IsZero() || !changeTime(after).Equal(changeTime(before)) {
				return
			}
		}
		assert.Fail(t, "the time of change stops")
	}
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path)
		w.wait()
		w.wait()
		w.quiet(w.Store(), "nothing has changed")
		change(t, 1)
		if info, err := os.Stat(path); assert.NoError(t, err) && changeTime(info).IsZero() {
			time.Sleep(reread)
		}
		w.wait()
		assert.NoError(t, w.one().Err)
		assertCerts(t, list(open(t, path)), w.Store())
	})
	// And where nothing shows, once a minute.
	synctest.Test(t, func(t *testing.T) {
		s, err := Watch(t.Context(), path, WithInterval(time.Hour))
		require.NoError(t, err)
		var used time.Time
		w := newWatcher(&storeOnDisk{source: s, path: path, options: newOptions(nil)}, path,
			watchOptions{interval: 10 * time.Second, onReload: func(Reload) { used = time.Now() }})
		w.used, w.read = w.sum(), time.Now()
		change(t, 2)
		w.seen, w.sure = scan(path), true // as if the change did not show
		first, start := s.Store(), time.Now()
		for s.Store() == first && time.Since(start) < time.Hour {
			time.Sleep(w.look(t.Context()))
		}
		assert.Equal(t, reread+settle, used.Sub(start))
		assertCerts(t, list(open(t, path)), s.Store())
	})
}
