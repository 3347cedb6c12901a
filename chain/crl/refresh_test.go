package crl_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// wire answers requests in place of the network, so that a test can run in a bubble
// of testing/synctest, in which hours pass at once.
type wire struct {
	begin time.Time
	ahead atomic.Int64 // how far the clock is, a time.Duration
	mu    sync.Mutex
	pages map[string]func(*http.Request) (*http.Response, error)
	asked map[string][]time.Time // since the begin
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.asked[r.URL.Path] = append(w.asked[r.URL.Path], w.now())
	page := w.pages[r.URL.Path]
	w.mu.Unlock()
	return page(r)
}

func (w *wire) now() time.Time { return now.Add(time.Since(w.begin) + time.Duration(w.ahead.Load())) }

func (w *wire) handle(path string, page func(*http.Request) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[path] = page
}

func (w *wire) serve(path string, data []byte) {
	w.handle(path, func(*http.Request) (*http.Response, error) { return answer(200, data), nil })
}

func (w *wire) visits(path string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.asked[path]...)
}

func answer(status int, data []byte) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(data)), ContentLength: int64(len(data))}
}

func isDown(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// inBubble runs a test with a Checker whose CRLs have long lives.
func inBubble(t *testing.T, test func(t *testing.T, w *wire, l layers, c *crl.Checker), change ...func(*crl.Config)) {
	l := newLayers("http://crl.example")
	synctest.Test(t, func(t *testing.T) {
		w := &wire{begin: time.Now(), pages: map[string]func(*http.Request) (*http.Response, error){}, asked: map[string][]time.Time{}}
		for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain, "/issuing.crl": l.issuing} {
			w.serve(path, a.list(between(hourAgo, now.Add(30*24*time.Hour))))
		}
		cfg := crl.Config{Hosts: []string{"crl.example"}, Client: &http.Client{Transport: w}, Time: w.now, Logger: silent}
		for _, f := range change {
			f(&cfg)
		}
		c, err := crl.NewChecker(cfg)
		require.NoError(t, err)
		defer c.Close() // a goroutine that goes on fails the bubble
		test(t, w, l, c)
	})
}

func TestRefreshEveryFourHours(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		require.NoError(t, c.Prefetch(context.Background(), l.chain()))
		time.Sleep(10 * 24 * time.Hour)
		visits := w.visits("/issuing.crl")
		require.Greater(t, len(visits), 10*6)
		gaps := map[time.Duration]bool{}
		for i := range visits[1:] {
			gap := visits[i+1].Sub(visits[i])
			assert.LessOrEqual(t, gap, 4*time.Hour)
			assert.GreaterOrEqual(t, gap, 4*time.Hour-24*time.Minute)
			gaps[gap] = true
		}
		assert.Greater(t, len(gaps), 10, "they vary, or all programs of the country ask at once")
	})
}

func TestRefreshAsOftenAsAskedFor(t *testing.T) {
	for name, test := range map[string]struct{ every, most time.Duration }{
		"ten minutes":           {10 * time.Minute, 10 * time.Minute},
		"a second, is a minute": {time.Second, time.Minute},
		"a day":                 {24 * time.Hour, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
				require.NoError(t, c.Prefetch(context.Background(), l.chain()))
				period := max(12*time.Hour, 5*test.most)
				time.Sleep(period)
				visits := w.visits("/issuing.crl")
				for i := range visits[1:] {
					gap := visits[i+1].Sub(visits[i])
					assert.LessOrEqual(t, gap, test.most)
					assert.GreaterOrEqual(t, gap, test.most*9/10)
				}
				assert.GreaterOrEqual(t, len(visits), int(period/test.most))
			}, func(cfg *crl.Config) { cfg.RefreshEvery = test.every })
		})
	}
}

// However often CRLs are to be fetched.
func TestAServerThatIsDownIsNotStormed(t *testing.T) {
	for name, every := range map[string]time.Duration{"a minute": time.Minute, "five minutes": 5 * time.Minute, "four hours": 4 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
				require.NoError(t, c.Policy(l.chain(), w.now()))
				var storm atomic.Int32
				w.handle("/issuing.crl", func(r *http.Request) (*http.Response, error) {
					if storm.Add(1) > 1000 {
						return hangs(r) // or no time would pass in the bubble
					}
					return isDown(r)
				})
				time.Sleep(10 * time.Hour)
				require.NoError(t, c.Policy(l.chain(), w.now()))
				most := 10*time.Hour/min(every*4/5, 8*time.Minute) + 10
				assert.LessOrEqual(t, int(storm.Load()), int(most))
				assert.Greater(t, int(storm.Load()), int(10*time.Hour/max(every, 10*time.Minute))-30)
			}, func(cfg *crl.Config) { cfg.RefreshEvery = every })
		})
	}
}

func TestRefreshBeforeAListEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.serve("/issuing.crl", l.issuing.list(between(hourAgo, now.Add(time.Hour))))
		require.NoError(t, c.Policy(l.chain(), w.now()))
		time.Sleep(31 * time.Minute)
		assert.Len(t, w.visits("/issuing.crl"), 2)
		w.serve("/issuing.crl", l.issuing.list(numbered(8), between(now.Add(45*time.Minute), now.Add(24*time.Hour))))
		time.Sleep(59 * time.Minute)
		assert.NoError(t, c.Policy(l.chain(), w.now()))
		st := statusOf(c, "/issuing.crl")
		assert.Equal(t, "8", st.Number)
		assert.NoError(t, st.Err)
	})
}

func TestNobodyWaitsForARefresh(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		require.NoError(t, c.Policy(l.chain(), w.now()))
		for _, path := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
			w.handle(path, hangs)
		}
		for range 1000 {
			time.Sleep(time.Minute)
			begin := time.Now()
			require.NoError(t, c.Policy(l.chain(), w.now()))
			require.Zero(t, time.Since(begin))
		}
		assert.Greater(t, len(w.visits("/issuing.crl")), 3)
	})
}

func TestRefreshThatFailsForFiveHours(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.serve("/issuing.crl", l.issuing.list(between(hourAgo, now.Add(9*time.Hour))))
		require.NoError(t, c.Policy(l.chain(), w.now()))
		time.Sleep(3 * time.Hour)
		w.handle("/issuing.crl", isDown)
		failed := len(w.visits("/issuing.crl"))
		for range 5 * 60 {
			time.Sleep(time.Minute)
			require.NoError(t, c.Policy(l.chain(), w.now()), "the old list is still valid")
		}
		st := statusOf(c, "/issuing.crl")
		assert.ErrorContains(t, st.Err, "connection refused")
		assert.Greater(t, st.Age, 5*time.Hour)
		visits := len(w.visits("/issuing.crl")) - failed
		assert.Greater(t, visits, 25, "it is tried again")
		assert.Less(t, visits, 60, "but not all the time")

		time.Sleep(time.Hour + 6*time.Minute)
		refusedAs(t, chain.RevocationUnknown, "ended at 2026-11-23 21:00:00Z", c.Policy(l.chain(), w.now()))
		begin := time.Now()
		refusedAs(t, chain.RevocationUnknown, "connection refused", c.Policy(l.chain(), w.now()))
		assert.Zero(t, time.Since(begin))

		w.serve("/issuing.crl", l.issuing.list(numbered(8), between(now.Add(9*time.Hour), now.Add(24*time.Hour))))
		time.Sleep(10 * time.Minute)
		assert.NoError(t, c.Policy(l.chain(), w.now()), "and goes on by itself when it is up again")
		assert.NoError(t, statusOf(c, "/issuing.crl").Err)
	})
}

func TestADeadServerIsTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.handle("/issuing.crl", hangs)
		begin := time.Now()
		refusedAs(t, chain.RevocationUnknown, "context deadline exceeded", c.Policy(l.chain(), w.now()))
		assert.Equal(t, 10*time.Second, time.Since(begin), "the first waits for the time limit")
		for range 60 * 60 {
			time.Sleep(time.Second)
			begin := time.Now()
			require.Error(t, c.Policy(l.chain(), w.now()))
			require.Zero(t, time.Since(begin), "and nobody after it")
		}
		visits := w.visits("/issuing.crl")
		for i := range visits[1:] {
			assert.LessOrEqual(t, visits[i+1].Sub(visits[i]), 70*time.Second, "10 of which it hangs")
		}
		assert.LessOrEqual(t, visits[1].Sub(visits[0]), 15*time.Second)
		assert.Less(t, len(visits), 80)

		w.serve("/issuing.crl", l.issuing.list())
		time.Sleep(70 * time.Second)
		assert.NoError(t, c.Policy(l.chain(), w.now()))
	})
}

func TestConditionalRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		var (
			mu    sync.Mutex
			asked []http.Header
		)
		list := l.issuing.list(between(hourAgo, now.Add(9*time.Hour)))
		w.handle("/issuing.crl", func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, r.Header.Clone())
			if r.Header.Get("If-None-Match") == `"1"` {
				return answer(304, nil), nil
			}
			res := answer(200, list)
			res.Header.Set("ETag", `"1"`)
			res.Header.Set("Last-Modified", "Mon, 23 Nov 2026 11:00:00 GMT")
			return res, nil
		})
		require.NoError(t, c.Policy(l.chain(), w.now()))
		time.Sleep(4*time.Hour + time.Minute)
		mu.Lock()
		require.Len(t, asked, 2)
		assert.Empty(t, asked[0].Get("If-None-Match")+asked[0].Get("If-Modified-Since"))
		assert.Equal(t, `"1"`, asked[1].Get("If-None-Match"))
		assert.Equal(t, "Mon, 23 Nov 2026 11:00:00 GMT", asked[1].Get("If-Modified-Since"))
		mu.Unlock()
		st := statusOf(c, "/issuing.crl")
		assert.NoError(t, st.Err)
		assert.Less(t, st.Age, time.Hour)

		time.Sleep(6 * time.Hour)
		assert.ErrorContains(t, statusOf(c, "/issuing.crl").Err, "has no newer list than one that ended")
		refusedAs(t, chain.RevocationUnknown, "ended", c.Policy(l.chain(), w.now()))
	})
}

// A server that says for ever that nothing has changed, such as a cache on the way.
func TestAListThatHasEndedIsAskedForWhole(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.handle("/issuing.crl", func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("If-None-Match") != "" {
				return answer(304, nil), nil
			}
			res := answer(200, l.issuing.list(between(w.now().Add(-time.Hour), w.now().Add(9*time.Hour))))
			res.Header.Set("ETag", `"1"`)
			return res, nil
		})
		require.NoError(t, c.Policy(l.chain(), w.now()))
		time.Sleep(9 * time.Hour)
		require.NoError(t, c.Policy(l.chain(), w.now()), "it ended just now")
		time.Sleep(20 * time.Minute)
		require.NoError(t, c.Policy(l.chain(), w.now()))
		assert.NoError(t, statusOf(c, "/issuing.crl").Err)
	})
}

// What a disk that was full, or a folder that is gone, could not keep is kept when it
// can be.
func TestTheCacheIsWrittenWhenThatIsPossibleAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.handle("/issuing.crl", func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("If-None-Match") != "" {
				return answer(304, nil), nil
			}
			res := answer(200, l.issuing.list(between(hourAgo, now.Add(30*24*time.Hour))))
			res.Header.Set("ETag", `"1"`)
			return res, nil
		})
		require.NoError(t, os.Remove(dir))
		require.NoError(t, os.WriteFile(dir, nil, 0o644))
		require.NoError(t, c.Policy(l.chain(), w.now()))
		for _, page := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
			require.Error(t, statusOf(c, page).Err)
		}
		require.NoError(t, os.Remove(dir)) // and nothing is there
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		for _, page := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
			assert.NoError(t, statusOf(c, page).Err)
		}
		files, err := filepath.Glob(dir + "/*.crl")
		require.NoError(t, err)
		assert.Len(t, files, 3)
	}, func(cfg *crl.Config) { cfg.Cache = dir })
}

func TestWhatIsNotUsedIsNotRefreshedForEver(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		require.NoError(t, c.Prefetch(context.Background(), l.chain()[1:]))
		require.NoError(t, c.Policy(l.chain(), w.now()))
		time.Sleep(10 * 24 * time.Hour)
		visits := len(w.visits("/issuing.crl"))
		assert.Less(t, visits, 10)
		assert.Greater(t, len(w.visits("/domain.crl")), 60, "but what Prefetch asked for is")
		st := statusOf(c, "/issuing.crl")
		assert.Equal(t, "7", st.Number)
		assert.Zero(t, st.NextRefresh)
		assert.Greater(t, st.Age, 8*24*time.Hour)

		begin := time.Now()
		require.NoError(t, c.Policy(l.chain(), w.now()), "its list still counts")
		assert.Zero(t, time.Since(begin), "and nobody waits")
		synctest.Wait()
		assert.Len(t, w.visits("/issuing.crl"), visits+1, "while it is refreshed at once")
		assert.NotZero(t, statusOf(c, "/issuing.crl").NextRefresh)
		time.Sleep(12 * time.Hour)
		assert.Greater(t, len(w.visits("/issuing.crl")), visits+3, "and from then on")
	})
}

// An address that never gave a list has nothing that could be forgotten.
func TestAnAddressWithoutAListIsForgottenAfterADay(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.handle("/issuing.crl", isDown)
		require.Error(t, c.Policy(l.chain(), w.now()))
		require.NotEmpty(t, statusOf(c, "/issuing.crl"))
		time.Sleep(26 * time.Hour)
		assert.Empty(t, statusOf(c, "/issuing.crl"))
	})
}

// A connection that needs the same list does not make less of what Prefetch asked for.
func TestWhatPrefetchCouldNotFetchIsKeptUpAllTheSame(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.handle("/issuing.crl", isDown)
		require.Error(t, c.Prefetch(context.Background(), l.chain()))
		require.Error(t, c.Policy(l.chain(), w.now()))
		w.serve("/issuing.crl", l.issuing.list(between(hourAgo, now.Add(30*24*time.Hour))))
		time.Sleep(10 * 24 * time.Hour)
		assert.Greater(t, len(w.visits("/issuing.crl")), 60)
		assert.NoError(t, c.Policy(l.chain(), w.now()))
	})
}

func TestAClockThatJumps(t *testing.T) {
	l := newLayers("http://crl.example")
	synctest.Test(t, func(t *testing.T) {
		clock := newClock(now)
		w := &wire{begin: time.Now(), pages: map[string]func(*http.Request) (*http.Response, error){}, asked: map[string][]time.Time{}}
		for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain, "/issuing.crl": l.issuing} {
			w.serve(path, a.list(between(hourAgo, now.Add(24*time.Hour))))
		}
		c, err := crl.NewChecker(crl.Config{Hosts: []string{"crl.example"}, Client: &http.Client{Transport: w}, Time: clock.now, Logger: silent})
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.Policy(l.chain(), clock.now()))

		// A machine wakes up after two days: the first handshake waits for new lists.
		for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain, "/issuing.crl": l.issuing} {
			w.serve(path, a.list(numbered(8), between(now.Add(47*time.Hour), now.Add(72*time.Hour))))
		}
		clock.advance(48 * time.Hour)
		require.NoError(t, c.Policy(l.chain(), clock.now()))

		// Without a handshake it is noticed within a minute.
		clock.advance(4 * time.Hour)
		before := len(w.visits("/issuing.crl"))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, before+1, len(w.visits("/issuing.crl")))

		// Nor does it rest for days because it was set back.
		clock.advance(-5 * time.Hour)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, before+2, len(w.visits("/issuing.crl")))
	})
}

func TestAHandshakeWaitsOnceForAllItsCRLs(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain, "/issuing.crl": l.issuing} {
			w.handle(path, func(*http.Request) (*http.Response, error) {
				time.Sleep(8 * time.Second)
				return answer(200, a.list()), nil
			})
		}
		begin := time.Now()
		require.NoError(t, c.Policy(l.chain(), w.now()))
		assert.Equal(t, 8*time.Second, time.Since(begin))

		// However many addresses hang.
		leaf := l.issuing.issue(5, func(c *x509.Certificate) {
			for _, n := range []string{"1", "2", "3", "4"} {
				c.CRLDistributionPoints = append(c.CRLDistributionPoints, "http://crl.example/"+n)
				w.handle("/"+n, hangs)
			}
		})
		begin = time.Now()
		other := newLayers("http://crl.example")
		other.issuing = l.domain.below("Another CA", 44, "http://crl.example/domain.crl")
		leaf = other.issuing.issue(5, func(c *x509.Certificate) { c.CRLDistributionPoints = leaf.CRLDistributionPoints })
		refusedAs(t, chain.RevocationUnknown, "context deadline exceeded", c.Policy(other.chainOf(leaf), w.now()))
		assert.Equal(t, 10*time.Second, time.Since(begin))
		time.Sleep(time.Minute)

		// And one that hangs does not keep us from another.
		w.serve("/5", other.issuing.list())
		leaf = other.issuing.issue(6, func(c *x509.Certificate) {
			c.CRLDistributionPoints = []string{"http://crl.example/6", "http://crl.example/5"}
			w.handle("/6", hangs)
		})
		begin = time.Now()
		require.NoError(t, c.Policy(other.chainOf(leaf), w.now()))
		assert.Equal(t, 5*time.Second, time.Since(begin))
	})
}

func TestACAWhoseServersHangDoesNotHoldUpAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		other := l
		other.issuing = l.domain.below("Another CA", 44, "http://crl.example/domain.crl")
		require.NoError(t, c.Prefetch(context.Background(), other.chainOf(l.leaf)[1:]))
		var all sync.WaitGroup
		for i := range 40 {
			url := fmt.Sprintf("http://crl.example/%d", i)
			w.handle(fmt.Sprintf("/%d", i), hangs)
			leaf := other.issuing.issue(int64(100+i), func(c *x509.Certificate) { c.CRLDistributionPoints = []string{url} })
			all.Go(func() { assert.Error(t, c.Policy(other.chainOf(leaf), w.now())) })
		}
		synctest.Wait()
		begin := time.Now()
		assert.NoError(t, c.Policy(l.chain(), w.now()))
		assert.Zero(t, time.Since(begin))
		all.Wait()
		assert.Equal(t, 10*time.Second, time.Since(begin), "and nobody waits longer than the time limit")
	})
}
