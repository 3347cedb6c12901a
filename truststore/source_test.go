package truststore

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder keeps what OnReload reports.
type recorder struct {
	mu      sync.Mutex
	reloads []Reload
}

func (r *recorder) add(reload Reload) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reloads = append(r.reloads, reload)
}

// take returns what came since the last time.
func (r *recorder) take() []Reload {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.reloads = nil }()
	return r.reloads
}

// watched is a Source in the bubble of synctest: its time passes only while
// everybody waits, so that an hour of looks takes a moment, and none is missed.
type watched struct {
	*testing.T
	*Source
	told *recorder
}

func watch(t *testing.T, path string, opts ...Option) watched {
	t.Helper()
	told := new(recorder)
	s, err := Watch(t.Context(), path, append(opts, OnReload(told.add))...)
	require.NoError(t, err)
	return watched{t, s, told}
}

// wait lets some looks pass.
func (w watched) wait() {
	time.Sleep(25 * time.Second)
	synctest.Wait()
}

// quiet asserts that nothing was reported and that nothing changed.
func (w watched) quiet(since *Store, why string) {
	w.Helper()
	assert.Empty(w, w.told.take(), why)
	assert.Same(w, since, w.Store(), why)
}

// one returns the only report.
func (w watched) one() Reload {
	w.Helper()
	told := w.told.take()
	require.Len(w, told, 1)
	assert.Same(w, told[0].Store, w.Store())
	assert.Equal(w, told[0].Err, w.Err())
	return told[0]
}

func rename(t testing.TB, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", data, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func overwrite(t testing.TB, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

// mount makes a folder as Kubernetes mounts a ConfigMap: the files are links through
// the link ..data into a folder. remount replaces all of them at once.
func mount(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	remount(t, dir, files)
	for name := range files {
		require.NoError(t, os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
	}
}

func remount(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	version, err := os.MkdirTemp(dir, "..2026_11_23_")
	require.NoError(t, err)
	for name, data := range files {
		write(t, version, name, data)
	}
	require.NoError(t, os.Symlink(filepath.Base(version), filepath.Join(dir, "..data_tmp")))
	require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	if old != "" {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, old)))
	}
}

func TestWatchPicksUpEachWayToChangeAStore(t *testing.T) {
	certs := realCerts(t)
	before, after := text(certs[:3]...), text(certs[1:5]...)
	changes := Changes{Added: certs[3:5], Removed: certs[:1]}
	for name, c := range map[string]func(t *testing.T, dir string) (path string, change func()){
		"a file renamed over it": func(t *testing.T, dir string) (string, func()) {
			path := write(t, dir, "a.pem", before)
			return path, func() { rename(t, path, after) }
		},
		"WriteFile": func(t *testing.T, dir string) (string, func()) {
			path := write(t, dir, "a.pem", before)
			return path, func() { require.NoError(t, New(certs[1:5]...).WriteFile(path, PEM)) }
		},
		"the file written in place": func(t *testing.T, dir string) (string, func()) {
			path := write(t, dir, "a.pem", before)
			return path, func() { overwrite(t, path, after) }
		},
		"the file removed and made anew": func(t *testing.T, dir string) (string, func()) {
			path := write(t, dir, "a.pem", before)
			return path, func() { require.NoError(t, os.Remove(path)); overwrite(t, path, after) }
		},
		"another format": func(t *testing.T, dir string) (string, func()) {
			path := write(t, dir, "a.pem", before)
			return path, func() { rename(t, path, bag(t, certs[1:5]...)) }
		},
		"a link led elsewhere": func(t *testing.T, dir string) (string, func()) {
			write(t, dir, "a.pem", before)
			write(t, dir, "b.pem", after)
			path := filepath.Join(dir, "link")
			require.NoError(t, os.Symlink("a.pem", path))
			return path, func() { require.NoError(t, os.Remove(path)); require.NoError(t, os.Symlink("b.pem", path)) }
		},
		"a ConfigMap mounted with one file in it": func(t *testing.T, dir string) (string, func()) {
			mount(t, dir, map[string][]byte{"ca.pem": before})
			return filepath.Join(dir, "ca.pem"), func() { remount(t, dir, map[string][]byte{"ca.pem": after}) }
		},
		"a ConfigMap mounted as a folder": func(t *testing.T, dir string) (string, func()) {
			mount(t, dir, map[string][]byte{"a.pem": text(certs[:2]...), "b.pem": text(certs[2])})
			return dir, func() {
				remount(t, dir, map[string][]byte{"a.pem": text(certs[1]), "b.pem": text(certs[2:5]...)})
			}
		},
		"a folder with a file more and a file less": func(t *testing.T, dir string) (string, func()) {
			write(t, dir, "a.pem", text(certs[0]))
			write(t, dir, "b.pem", text(certs[1:3]...))
			return dir, func() {
				write(t, dir, "c.pem", text(certs[3:5]...))
				require.NoError(t, os.Remove(filepath.Join(dir, "a.pem")))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				path, change := c(t, dir)
				w := watch(t, path)
				first := w.Store()
				w.wait()
				w.quiet(first, "nothing has changed")
				change()
				w.quiet(first, "nobody has looked yet")
				w.wait()
				got := w.one()
				assert.NoError(t, got.Err)
				assert.NotSame(t, first, w.Store())
				assertCerts(t, changes.Added, New(got.Changes.Added...))
				assertCerts(t, changes.Removed, New(got.Changes.Removed...))
				assertCerts(t, list(w.Store()), open(t, path))
				second := w.Store()
				w.wait()
				w.quiet(second, "nothing has changed again")
			})
		})
	}
}

func TestWatchKeepsWhatItHasWhileTheDiskHasNothingBetter(t *testing.T) {
	certs := realCerts(t)
	good := text(certs[:3]...)
	for name, c := range map[string]struct {
		broken func(t *testing.T, path string)
		want   string // of the error
	}{
		"a damaged certificate": {func(t *testing.T, path string) {
			overwrite(t, path, bytes.Replace(good, []byte("MII"), []byte("M!!"), 1))
		}, "damaged base64"},
		"a file that is cut off":      {func(t *testing.T, path string) { overwrite(t, path, good[:len(good)-100]) }, "cut off"},
		"an empty file":               {func(t *testing.T, path string) { overwrite(t, path, nil) }, "empty"},
		"a text without certificates": {func(t *testing.T, path string) { overwrite(t, path, []byte("hello")) }, "neither certificates"},
		"a page of HTML":              {func(t *testing.T, path string) { rename(t, path, []byte("<html>")) }, "HTML"},
		"a file that has vanished":    {func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, "no such file"},
		"a link that leads nowhere": {func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Symlink("none", path))
		}, "no such file"},
		"a folder without certificates": {func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
		}, "no certificate in this folder"},
		"a file beyond the limit": {func(t *testing.T, path string) { overwrite(t, path, bytes.Repeat(good, 10)) }, "more than 20000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "a.pem", good)
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, path, WithLimit(20000))
				first := w.Store()
				c.broken(t, path)
				w.wait()
				got := w.one()
				assert.ErrorContains(t, got.Err, c.want)
				assert.ErrorContains(t, got.Err, "truststore: ")
				assert.ErrorContains(t, got.Err, path)
				assert.Equal(t, Changes{}, got.Changes)
				assert.Same(t, first, w.Store())
				for range 10 {
					w.wait()
				}
				w.quiet(first, "said once, and the error stays")
				assert.Error(t, w.Err())

				require.NoError(t, os.RemoveAll(path))
				overwrite(t, path, good)
				w.wait()
				got = w.one()
				assert.NoError(t, got.Err, "recovered")
				assert.Equal(t, Changes{}, got.Changes)
				assert.Same(t, first, w.Store(), "with the same contents")

				c.broken(t, path)
				w.wait()
				assert.Error(t, w.one().Err, "another change, another report")
				require.NoError(t, os.RemoveAll(path))
				overwrite(t, path, text(certs[3]))
				w.wait()
				got = w.one()
				assert.NoError(t, got.Err)
				assert.Len(t, got.Changes.Added, 1)
				assert.Len(t, got.Changes.Removed, 3)
			})
		})
	}
}

func TestWatchReportsEachBrokenVersion(t *testing.T) {
	path := write(t, t.TempDir(), "a.pem", text(realCerts(t)...))
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path)
		for _, broken := range []string{"one", "two", "two", "three"} {
			rename(t, path, []byte(broken))
			w.wait()
			if told := w.told.take(); assert.LessOrEqual(t, len(told), 1) && len(told) == 0 {
				assert.Equal(t, "two", broken, "written again, which is not a change")
			}
		}
	})
}

func TestWatchWaitsForTheEndOfAWriteInPlace(t *testing.T) {
	certs := realCerts(t)
	whole := text(certs...)
	path := write(t, t.TempDir(), "a.pem", text(certs[0]))
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path)
		first := w.Store()
		w.wait()
		// In pieces, some of which end between two certificates: such a part is a
		// good store by itself.
		f, err := os.Create(path)
		require.NoError(t, err)
		for _, cert := range certs {
			piece := text(cert)
			for _, part := range [][]byte{piece[:100], piece[100:]} {
				time.Sleep(240 * time.Millisecond)
				_, err := f.Write(part)
				require.NoError(t, err)
				w.quiet(first, "not yet finished")
			}
		}
		require.NoError(t, f.Close())
		w.wait()
		got := w.one()
		assert.NoError(t, got.Err)
		assertCerts(t, certs, w.Store())
		assert.Equal(t, whole, read(t, filepath.Dir(path), "a.pem"))
	})
}

func TestWatchUsesNothingThatChangesWhileItIsRead(t *testing.T) {
	certs := realCerts(t)
	path := write(t, t.TempDir(), "a.pem", text(certs[0]))
	synctest.Test(t, func(t *testing.T) {
		// An option is run whenever Open is, and this one writes.
		var calls atomic.Int32
		var during atomic.Pointer[[]byte]
		w := watch(t, path, func(*options) {
			if calls.Add(1) == 1 {
				return // Watch itself
			}
			if data := during.Swap(nil); data != nil {
				overwrite(t, path, *data)
			} else if calls.Load() == 2 {
				overwrite(t, path, text(certs...))
			}
		})
		first := w.Store()
		assert.Equal(t, len(certs), first.Len())
		w.wait()
		w.quiet(first, "what Open read is what is there")

		part := text(certs[:7]...)
		during.Store(&part)
		overwrite(t, path, text(certs[:9]...))
		for during.Load() != nil {
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		w.quiet(first, "Open read a part of something new")
		overwrite(t, path, text(certs[:9]...))
		w.wait()
		assert.NoError(t, w.one().Err)
		assert.Equal(t, 9, w.Store().Len())
	})
}

func TestWatchSeesChangesThatStatHardlyShows(t *testing.T) {
	certs := realCerts(t)
	variant := func(last byte) []byte {
		raw := bytes.Clone(certs[0].Raw)
		raw[len(raw)-1] = last
		return text(parse(t, raw))
	}
	path := write(t, t.TempDir(), "a.pem", variant(0))
	synctest.Test(t, func(t *testing.T) {
		at := time.Unix(1e9, 0)
		require.NoError(t, os.Chtimes(path, at, at))
		w := watch(t, path, WithInterval(minInterval))
		w.wait()
		w.quiet(w.Store(), "nothing has changed")

		require.NoError(t, os.WriteFile(path+".new", variant(1), 0o600))
		require.NoError(t, os.Chtimes(path+".new", at, at))
		require.NoError(t, os.Rename(path+".new", path))
		w.wait()
		assert.NoError(t, w.one().Err, "another file of the same size and time")

		// In file systems with coarse clocks, the last of several changes can
		// leave the time as it was.
		at = at.Add(time.Second)
		overwrite(t, path, variant(2))
		require.NoError(t, os.Chtimes(path, at, at))
		time.Sleep(time.Second)
		synctest.Wait()
		assert.NoError(t, w.one().Err)
		overwrite(t, path, variant(3))
		require.NoError(t, os.Chtimes(path, at, at))
		w.wait()
		assert.NoError(t, w.one().Err, "the same file, of the same size and time")
		assertCerts(t, list(open(t, path)), w.Store())
	})
}

func TestWatchSaysWhenTheContentsDoNotStopChanging(t *testing.T) {
	path := write(t, t.TempDir(), "a.pem", text(realCerts(t)[0]))
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path)
		first := w.Store()
		for i := range 1000 {
			overwrite(t, path, fmt.Appendf(nil, "entry %d", i))
			time.Sleep(100 * time.Millisecond)
		}
		got := w.one()
		assert.ErrorContains(t, got.Err, "do not stop changing")
		assert.Same(t, first, w.Store())
		overwrite(t, path, text(realCerts(t)[0]))
		w.wait()
		assert.NoError(t, w.one().Err)
	})
}

func TestWatchTakesNoTouchForAChange(t *testing.T) {
	certs := realCerts(t)
	path := write(t, t.TempDir(), "a.pem", text(certs[:3]...))
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, path)
		first := w.Store()
		for name, touch := range map[string]func(){
			"another time":                        func() { require.NoError(t, os.Chtimes(path, time.Time{}, time.Unix(1, 0))) },
			"another mode":                        func() { require.NoError(t, os.Chmod(path, 0o640)) },
			"the same written again":              func() { overwrite(t, path, text(certs[:3]...)) },
			"the same in a new file":              func() { rename(t, path, text(certs[:3]...)) },
			"another comment":                     func() { overwrite(t, path, append([]byte("# hello\n"), text(certs[:3]...)...)) },
			"the same certificates in other form": func() { rename(t, path, ders(certs[:3]...)) },
			"gone for less than a look":           func() { require.NoError(t, os.Rename(path, path+"~")); require.NoError(t, os.Rename(path+"~", path)) },
		} {
			touch()
			w.wait()
			w.quiet(first, name)
		}
		rename(t, path, text(certs[2], certs[1], certs[0]))
		w.wait()
		got := w.one()
		assert.Equal(t, Changes{}, got.Changes)
		assert.NotSame(t, first, w.Store(), "another order is not a change")
	})
}

func TestWatchKeepsGoingWhenTold(t *testing.T) {
	certs := realCerts(t)
	bad := string(pemOf("CERTIFICATE", certs[0].Raw[:100]))
	path := write(t, t.TempDir(), "a.pem", []byte(string(text(certs[:2]...))+bad))
	synctest.Test(t, func(t *testing.T) {
		_, err := Watch(t.Context(), path)
		require.Error(t, err)
		w := watch(t, path, KeepGoing())
		synctest.Wait()
		assert.Error(t, w.one().Err, "said at once")
		assert.Equal(t, 2, w.Store().Len())
		w.wait()
		w.quiet(w.Store(), "and not again")

		overwrite(t, path, []byte(string(text(certs[:3]...))+bad))
		w.wait()
		got := w.one()
		assert.Error(t, got.Err)
		assert.Len(t, got.Changes.Added, 1)

		require.NoError(t, os.Remove(path))
		w.wait()
		assert.ErrorIs(t, w.one().Err, os.ErrNotExist)
		overwrite(t, path, []byte(string(text(certs[:3]...))+bad))
		w.wait()
		assert.NotErrorIs(t, w.one().Err, os.ErrNotExist, "what was wrong before")
		assert.Error(t, w.Err())

		overwrite(t, path, text(certs[:3]...))
		w.wait()
		got = w.one()
		assert.NoError(t, got.Err, "all is well")
		assert.Equal(t, Changes{}, got.Changes)
	})
}

func TestWatchNeedsAFirstLoad(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { // which would notice a goroutine that is left
		for name, path := range map[string]string{
			"a missing file":  filepath.Join(dir, "none"),
			"an empty folder": dir,
			"no path":         "",
		} {
			s, err := Watch(t.Context(), path)
			assert.ErrorContains(t, err, "truststore: ", name)
			assert.Nil(t, s)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		s, err := Watch(ctx, write(t, dir, "a.pem", text(realCerts(t)[0])))
		assert.ErrorIs(t, err, context.Canceled)
		assert.Nil(t, s)
	})
}

func TestWatchEndsWithItsContext(t *testing.T) {
	certs := realCerts(t)
	path := write(t, t.TempDir(), "a.pem", text(certs[0]))
	// At its end, the bubble waits for all goroutines in it, and fails when one of them never
	// ends.
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		told := new(recorder)
		s, err := Watch(ctx, path, OnReload(told.add))
		require.NoError(t, err)
		first := s.Store()
		stop()
		overwrite(t, path, []byte("broken"))
		time.Sleep(time.Hour)
		assert.Empty(t, told.take())
		assert.Same(t, first, s.Store(), "it gives what it has")
	})
}

func TestWatchLogsToTheDefaultWhenNobodyElseIsTold(t *testing.T) {
	certs := realCerts(t)
	path := write(t, t.TempDir(), "a.pem", text(certs[0]))
	var out bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "path" && a.Value.String() == path {
			return slog.Attr{}
		}
		return a
	}})))
	synctest.Test(t, func(t *testing.T) {
		_, err := Watch(t.Context(), path)
		require.NoError(t, err)
		w := watch(t, path)
		for _, data := range [][]byte{text(certs[1:3]...), []byte("broken"), text(certs[1:3]...)} {
			rename(t, path, data)
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		assert.Len(t, w.told.take(), 3)
		assert.Equal(t, `level=INFO msg="truststore: what is on the disk is in use" certificates=2 added=2 removed=1
level=ERROR msg="truststore: what is on the disk cannot be used, the contents from before stay in use" certificates=2 added=0 removed=0 error="truststore: `+path+`: neither certificates nor keys nor a container of them are recognised in it"
level=INFO msg="truststore: what is on the disk is in use" certificates=2 added=0 removed=0
`, out.String())
	})
}

func TestASourceThatTheProgramSets(t *testing.T) {
	certs := realCerts(t)
	given := New(certs[0])
	s := NewSource(given)
	first := s.Store()
	given.Add(certs[1])
	assert.Equal(t, certs[:1], slices.Collect(s.Store().All()), "what is added to the store later does not come in")

	require.NoError(t, s.Set(New(certs[0])))
	assert.Same(t, first, s.Store(), "the same certificates")

	require.NoError(t, s.Set(given))
	assert.Equal(t, certs[:2], slices.Collect(s.Store().All()))

	for name, empty := range map[string]*Store{"nil": nil, "empty": new(Store)} {
		assert.Error(t, s.Set(empty), name)
		assert.Equal(t, 2, s.Store().Len(), name)
	}
	assert.NoError(t, s.Err())

	var zero Source
	require.NoError(t, zero.Set(given))
	assert.Equal(t, 2, zero.Store().Len())
	assert.Zero(t, NewSource(nil).Store().Len())
}

func TestAWatchedSourceCannotBeSet(t *testing.T) {
	certs := realCerts(t)
	path := write(t, t.TempDir(), "a.pem", text(certs[0]))
	s, err := Watch(t.Context(), path, OnReload(func(Reload) {}))
	require.NoError(t, err)
	assert.ErrorContains(t, s.Set(New(certs[1])), "follows a file or a folder")
	assert.Error(t, s.Set(New(certs[1])), "nor after its end")
	assert.Equal(t, certs[:1], slices.Collect(s.Store().All()))
}

func TestWatchIntervals(t *testing.T) {
	certs := realCerts(t)
	for name, c := range map[string]struct {
		given, after time.Duration // until new contents are used
	}{
		"the default":       {0, 10*time.Second + settle},
		"less than none":    {-time.Hour, 10*time.Second + settle},
		"a second":          {time.Second, time.Second + settle},
		"an hour":           {time.Hour, time.Hour + settle},
		"less than is good": {1, minInterval + settle},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "a.pem", text(certs[0]))
			synctest.Test(t, func(t *testing.T) {
				used := make(chan time.Time, 1)
				_, err := Watch(t.Context(), path, WithInterval(c.given), OnReload(func(Reload) { used <- time.Now() }))
				require.NoError(t, err)
				for i := range 4 {
					rename(t, path, text(certs[i+1]))
					start := time.Now()
					assert.Equal(t, c.after, (<-used).Sub(start))
				}
			})
		})
	}
}

func TestWatchTakesARelativePathForTheFolderOfItsTime(t *testing.T) {
	certs := realCerts(t)
	dir := t.TempDir()
	path := write(t, dir, "a.pem", text(certs[0]))
	t.Chdir(dir)
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, "a.pem")
		require.NoError(t, os.Chdir(os.TempDir()))
		overwrite(t, path, text(certs[1]))
		w.wait()
		assert.NoError(t, w.one().Err)
	})
}

func TestZeroSourceTrustsNobody(t *testing.T) {
	var s Source
	assert.Zero(t, s.Store().Len())
	assert.True(t, s.Store().CertPool().Equal(x509.NewCertPool()), "and not the system's, which nil would mean")
	assert.NoError(t, s.Err())
}

// TestWatchWithWritersAndReaders runs by the true clock, for the race detector.
func TestWatchWithWritersAndReaders(t *testing.T) {
	certs := realCerts(t)
	path := write(t, t.TempDir(), "a.pem", text(certs[0]))
	told := new(recorder)
	s, err := Watch(t.Context(), path, WithInterval(minInterval), OnReload(told.add))
	require.NoError(t, err)
	var group sync.WaitGroup
	var stop atomic.Bool
	for range 4 {
		group.Go(func() {
			for !stop.Load() {
				n := s.Store().Len()
				if !assert.Contains(t, []int{1, 5, len(certs)}, n) || !assert.NoError(t, s.Err()) {
					return
				}
				runtime.Gosched()
			}
		})
	}
	for i := range 20 {
		n := []int{1, 5, len(certs)}[i%3]
		require.NoError(t, New(certs[:n]...).WriteFile(path, PEM))
		time.Sleep(60 * time.Millisecond)
	}
	require.NoError(t, New(certs...).WriteFile(path, PEM))
	assert.Eventually(t, func() bool { return s.Store().Len() == len(certs) }, 10*time.Second, 10*time.Millisecond)
	stop.Store(true)
	group.Wait()
	for _, r := range told.take() {
		assert.NoError(t, r.Err)
	}
}

// TestARunningServerUsesTheNewContents shows what a Source is for: clients come and
// go with the contents of a file, sessions that they could resume too.
func TestARunningServerUsesTheNewContents(t *testing.T) {
	self := func(name string) tls.Certificate {
		cert := newCert(t, pkix.Name{CommonName: name})
		return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: testKey(), Leaf: cert}
	}
	server, first, second := self("server"), self("first"), self("second")
	path := write(t, t.TempDir(), "clients.pem", text(first.Leaf))
	told := make(chan Reload, 1)
	source, err := Watch(t.Context(), path, WithInterval(minInterval), OnReload(func(r Reload) { told <- r }))
	require.NoError(t, err)

	base := &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			config := base.Clone()
			config.ClientCAs = source.Store().CertPool()
			return config, nil
		},
	})
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func(conn net.Conn) {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}(conn)
		}
	}()
	connect := func(config *tls.Config) error {
		conn, err := tls.Dial("tcp", listener.Addr().String(), config)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("x")); err != nil {
			return err
		}
		_, err = io.ReadFull(conn, make([]byte, 1))
		return err
	}
	client := func(cert tls.Certificate) *tls.Config {
		// The server's certificate is not the matter here.
		return &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(0),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }}
	}
	a, b := client(first), client(second)
	assert.NoError(t, connect(a))
	assert.Error(t, connect(b))

	rename(t, path, text(second.Leaf))
	require.NoError(t, (<-told).Err)
	assert.Error(t, connect(a), "with the session from before, or without")
	assert.NoError(t, connect(b))
}

func TestAskingASourceAllocatesNothing(t *testing.T) {
	s, err := Watch(t.Context(), write(t, t.TempDir(), "a.pem", text(realCerts(t)...)))
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		if s.Store() == nil || s.Err() != nil {
			t.Fail()
		}
	}))
}

// BenchmarkSourceStore reports what asking costs beside an atomic load.
func BenchmarkSourceStore(b *testing.B) {
	s, err := Watch(b.Context(), write(b, b.TempDir(), "a.pem", text(realCerts(b)...)))
	require.NoError(b, err)
	var plain atomic.Pointer[Store]
	plain.Store(s.Store())
	const rounds = 10_000
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		for range rounds {
			if s.Store() == nil {
				b.Fatal("no store")
			}
		}
		between := time.Now()
		for range rounds {
			if plain.Load() == nil {
				b.Fatal("no store")
			}
		}
		ours += between.Sub(start)
		theirs += time.Since(between)
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "of-atomic-load")
}

// BenchmarkLook reports what it costs to look at a file that has not changed, beside
// one stat.
func BenchmarkLook(b *testing.B) {
	path := write(b, b.TempDir(), "a.pem", text(realCerts(b)...))
	s, err := Watch(b.Context(), path, WithInterval(time.Hour))
	require.NoError(b, err)
	w := &watcher{followed: &storeOnDisk{source: s, path: path}, seen: scan(path), sure: true, read: time.Now()}
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		w.look(b.Context())
		between := time.Now()
		if _, err := os.Stat(path); err != nil {
			b.Fatal(err)
		}
		ours += between.Sub(start)
		theirs += time.Since(between)
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "of-stat")
}
