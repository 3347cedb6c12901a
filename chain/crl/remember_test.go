package crl_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// soft lets pass what SoftFail may let pass, which must not be what was known to be
// revoked.
func soft(cfg *crl.Config) { cfg.SoftFail = func(error) {} }

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for path := range w.pages {
		w.pages[path] = isDown
	}
}

// In each case a certificate is known to be revoked. Then something happens, and the
// network is cut, so that only what was known can say.
func TestARevocationIsNotForgotten(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(t *testing.T, w *wire, l layers, c *crl.Checker)
		text    string
	}{
		"because nobody asked for 25 hours": {func(_ *testing.T, _ *wire, _ layers, _ *crl.Checker) {
			time.Sleep(25 * time.Hour)
		}, "number 7"},
		"because nobody asked for twenty days": {func(_ *testing.T, _ *wire, _ layers, _ *crl.Checker) {
			time.Sleep(20 * 24 * time.Hour)
		}, "number 7"},
		"because its list ended while nobody asked": {func(_ *testing.T, _ *wire, _ layers, _ *crl.Checker) {
			time.Sleep(40 * 24 * time.Hour)
		}, "number 7"},
		"because the clock jumped ahead and back": {func(_ *testing.T, w *wire, _ layers, _ *crl.Checker) {
			w.ahead.Store(int64(400 * 24 * time.Hour))
			time.Sleep(2 * time.Minute)
			w.ahead.Store(0)
			time.Sleep(2 * time.Minute)
		}, "number 7"},
		"because the server has a newer list that cannot be used": {func(_ *testing.T, w *wire, l layers, _ *crl.Checker) {
			critical := extended(99, true, []byte{5, 0})
			w.serve("/issuing.crl", l.issuing.list(numbered(8), critical, between(now, now.Add(60*24*time.Hour))))
			time.Sleep(5 * time.Hour)
		}, "number 7"},
		"because the server has an older list": {func(_ *testing.T, w *wire, l layers, _ *crl.Checker) {
			w.serve("/issuing.crl", l.issuing.list(numbered(6), between(now.Add(-2*time.Hour), now.Add(60*24*time.Hour))))
			time.Sleep(5 * time.Hour)
		}, "number 7"},
		"because the server has a list for others in its place, and an older one elsewhere": {func(t *testing.T, w *wire, l layers, c *crl.Checker) {
			w.serve("/issuing.crl", l.issuing.list(numbered(8), onlyForCAs, between(now.Add(time.Hour), now.Add(60*24*time.Hour))))
			w.serve("/older.crl", l.issuing.list(numbered(6), between(now.Add(-2*time.Hour), now.Add(60*24*time.Hour))))
			other := l.chainOf(l.leafWith(98, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/older.crl"} }))
			require.NoError(t, c.Prefetch(t.Context(), other))
			time.Sleep(5 * time.Hour)
			require.Equal(t, "8", statusOf(c, "/issuing.crl").Number)
		}, "number 7"},
		"and then a list for others goes before an older one at the same address": {func(_ *testing.T, w *wire, l layers, _ *crl.Checker) {
			w.serve("/issuing.crl", l.issuing.list(numbered(8), onlyForCAs, between(now.Add(time.Hour), now.Add(60*24*time.Hour))))
			time.Sleep(5 * time.Hour)
			w.serve("/issuing.crl", l.issuing.list(numbered(6), between(now.Add(-2*time.Hour), now.Add(60*24*time.Hour))))
			time.Sleep(5 * time.Hour)
		}, "number 7"},
		"when another certificate of its CA is presented": {nil, "number 7"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
				list := l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise)), between(hourAgo, now.Add(30*24*time.Hour)))
				w.serve("/issuing.crl", list)
				refusedAs(t, chain.Revoked, "number 7", c.Policy(l.chain(), w.now()))
				ch := l.chain()
				if test.happens == nil {
					// Its key with no identifier, which no longer matches by name.
					der := must(x509.ParseCertificate(l.issuing.Raw))
					der.SubjectKeyId = nil
					ch[1] = der
				} else {
					test.happens(t, w, l, c)
				}
				w.cut()
				refusedAs(t, chain.Revoked, test.text, c.Policy(ch, w.now()))
				time.Sleep(time.Minute)
				refusedAs(t, chain.Revoked, test.text, c.Policy(ch, w.now()))
			}, soft)
		})
	}
}

// At the next start too.
func TestAListForOthersDoesNotTakeThePlaceOfOneInTheCache(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	dir := t.TempDir()
	clock := newClock(now)
	cached := func(cfg *crl.Config) { cfg.Cache, cfg.Time = dir, clock.now }
	s.serve("/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
	c := newChecker(t, s, cached)
	refusedAs(t, chain.Revoked, "number 7", c.Policy(l.chain(), now))
	s.serve("/issuing.crl", l.issuing.list(numbered(8), onlyForCAs, between(now, now.Add(48*time.Hour))))
	clock.advance(5 * time.Hour)
	refusedAs(t, chain.Revoked, "number 7", c.Policy(l.chain(), clock.now()))
	require.Eventually(t, func() bool { return statusOf(c, "/issuing.crl").Number == "8" }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, c.Close())

	s.serve("/issuing.crl", l.issuing.list(numbered(6), between(now.Add(-2*time.Hour), now.Add(48*time.Hour))))
	refusedAs(t, chain.Revoked, "number 7", newChecker(t, s, cached).Policy(l.chain(), clock.now()))
}

// onlyForCAs is the issuing distribution point of a list for CA certificates.
var onlyForCAs = extended(28, true, element(0x30, element(0x82, []byte{0xff})))

// With a list that is current, a good peer is let in after a quiet night in which the
// server went down.
func TestAListThatIsCurrentCountsAfterAQuietDay(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		require.NoError(t, c.Policy(l.chain(), w.now()))
		time.Sleep(25 * time.Hour)
		w.cut()
		assert.NoError(t, c.Policy(l.chain(), w.now()))
	})
}

// fill has a Checker fetch large lists of CAs, one each.
func fill(t *testing.T, w *wire, l layers, c *crl.Checker, from, to int) {
	t.Helper()
	entries := make([]x509.RevocationListEntry, 100)
	for i := range entries {
		entries[i] = revoked(int64(5000+i), hourAgo, crl.Superseded)
	}
	for i := from; i < to; i++ {
		other := l
		other.issuing = l.domain.below(fmt.Sprintf("CA %d", i), int64(100+i), "http://crl.example/domain.crl")
		path := fmt.Sprintf("/%d.crl", i)
		w.serve(path, other.issuing.list(revoking(entries...), between(hourAgo, now.Add(30*24*time.Hour))))
		leaf := other.issuing.issue(999, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example" + path} })
		require.NoError(t, c.Policy(other.chainOf(leaf), w.now()))
		time.Sleep(time.Second)
	}
}

func TestWhatWasNotUsedForLongestGivesWay(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.serve("/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise)), between(hourAgo, now.Add(30*24*time.Hour))))
		refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), w.now()))
		time.Sleep(time.Second)
		fill(t, w, l, c, 0, 10)
		refusedAs(t, chain.Revoked, "number 7", c.Policy(l.chain(), w.now()))
		time.Sleep(time.Second)
		fill(t, w, l, c, 10, 20)
		assert.ErrorContains(t, statusOf(c, "/0.crl").Err, "gave way for room")
		assert.NoError(t, statusOf(c, "/issuing.crl").Err, "what was used since stays")
		assert.NoError(t, statusOf(c, "/19.crl").Err)
		refusedAs(t, chain.Revoked, "number 7", c.Policy(l.chain(), w.now()))
		assert.Len(t, w.visits("/issuing.crl"), 1)
	}, func(cfg *crl.Config) { cfg.MaxBytes = 4 << 10 })
}

func TestWhatGaveWayIsNotTurnedIntoAPass(t *testing.T) {
	older := func(w *wire, l layers) {
		w.serve("/issuing.crl", l.issuing.list(numbered(6), between(now.Add(-2*time.Hour), now.Add(60*24*time.Hour))))
	}
	for name, test := range map[string]struct {
		cache   bool
		happens func(w *wire, l layers)
		reason  chain.Reason
		text    string
	}{
		"when the network is cut":                      {false, func(w *wire, _ layers) { w.cut() }, chain.RevocationUnknown, "gave way for room"},
		"when the server has an older list":            {false, older, chain.RevocationUnknown, "older CRL"},
		"when the network is cut and there is a cache": {true, func(w *wire, _ layers) { w.cut() }, chain.Revoked, "number 7"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
				w.serve("/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise)), between(hourAgo, now.Add(30*24*time.Hour))))
				refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), w.now()))
				time.Sleep(time.Second)
				fill(t, w, l, c, 0, 30)
				require.ErrorContains(t, statusOf(c, "/issuing.crl").Err, "gave way for room")
				test.happens(w, l)
				refusedAs(t, test.reason, test.text, c.Policy(l.chain(), w.now()))
				if test.cache {
					assert.NotContains(t, fmt.Sprint(statusOf(c, "/issuing.crl").Err), "gave way")
				}
			}, soft, func(cfg *crl.Config) {
				cfg.MaxBytes = 4 << 10
				if test.cache {
					cfg.Cache = t.TempDir()
				}
			})
		})
	}
}

// Of a list that was there and cannot be read nobody knows who was on it.
func TestSoftFailIsNotForWhatCannotBeRead(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	for name, spoil := range map[string]func(t *testing.T, file string){
		"a file of the cache is cut off": func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, 100)) },
		"a file of the cache is empty":   func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, 0)) },
		"a file of the cache is another CA's": func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, newAuthority("Issuing CA", ecdsaKeyOf("stranger")).list(), 0o644))
		},
		"a file of the cache is of tomorrow, or the clock is wrong": func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, l.issuing.list(between(now.Add(24*time.Hour), now.Add(48*time.Hour))), 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.publish(l)
			dir := t.TempDir()
			cached := func(cfg *crl.Config) { cfg.Cache = dir }
			c := newChecker(t, s, cached)
			require.NoError(t, c.Policy(l.chain(), now))
			require.NoError(t, c.Close())
			for _, path := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
				s.handle(path, http.NotFound)
			}
			files, err := filepath.Glob(dir + "/*.crl")
			require.NoError(t, err)
			for _, file := range files {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				if must(crl.Parse(data)).CheckSignatureFrom(l.issuing.Certificate) == nil {
					spoil(t, file)
				}
			}
			c = newChecker(t, s, cached, soft)
			for range 2 {
				refusedAs(t, chain.RevocationUnknown, "crl: cache", c.Policy(l.chain(), now))
			}
			s.publish(l)
			require.NoError(t, newChecker(t, s, cached, soft).Policy(l.chain(), now), "what the server has counts")
		})
	}
	t.Run("a file of the folder is damaged", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir+"/issuing.crl", l.issuing.list()[:100])
		s.publish(l)
		s.handle("/issuing.crl", http.NotFound)
		c := newChecker(t, s, inFolder(dir), soft, func(cfg *crl.Config) { cfg.Hosts = []string{s.host()} })
		refusedAs(t, chain.RevocationUnknown, "cannot be used as it is", c.Policy(l.chain(), now))
	})
}

// Whoever brings lists into the folder, from the network for instance, cannot take one
// out of use with what only looks like its successor.
func TestAListOfTheFolderStaysUntilItsCAMadeAnother(t *testing.T) {
	l := newLayers("http://crl.example")
	stranger := newAuthority("Issuing CA", ecdsaKeyOf("stranger"), func(c *x509.Certificate) { c.SubjectKeyId = l.issuing.SubjectKeyId })
	for name, next := range map[string][]byte{
		"of a CA of the same name": stranger.list(numbered(8), between(now, now.Add(48*time.Hour))),
		"of tomorrow":              l.issuing.list(numbered(8), between(now.Add(time.Hour), now.Add(48*time.Hour))),
		"for others":               l.issuing.list(numbered(8), onlyForCAs, between(now, now.Add(48*time.Hour))),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				put(t, dir+"/root.crl", l.root.list())
				put(t, dir+"/domain.crl", l.domain.list())
				put(t, dir+"/older.crl", l.issuing.list(numbered(6), between(now.Add(-2*time.Hour), now.Add(24*time.Hour))))
				put(t, dir+"/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
				c, err := crl.NewChecker(crl.Config{Folder: dir, Logger: silent, Time: func() time.Time { return now }})
				require.NoError(t, err)
				defer c.Close()
				refusedAs(t, chain.Revoked, "number 7", c.Policy(l.chain(), now))
				put(t, dir+"/issuing.crl", next)
				time.Sleep(time.Minute)
				synctest.Wait()
				refusedAs(t, chain.Revoked, "number 7", c.Policy(l.chain(), now))
				found := false
				for _, st := range c.Status() {
					found = found || st.Err != nil && strings.Contains(st.Err.Error(), "no longer in the folder")
				}
				assert.True(t, found)
			})
		})
	}
}

// A file that somebody removed from the cache while the program runs.
func TestTheCacheIsFilledAgain(t *testing.T) {
	dir := t.TempDir()
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		list := l.issuing.list(between(hourAgo, now.Add(30*24*time.Hour)))
		w.handle("/issuing.crl", func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("If-None-Match") != "" {
				return answer(304, nil), nil
			}
			res := answer(200, list)
			res.Header.Set("ETag", `"1"`)
			return res, nil
		})
		require.NoError(t, c.Policy(l.chain(), w.now()))
		synctest.Wait()
		files, err := filepath.Glob(dir + "/*.crl")
		require.NoError(t, err)
		require.Len(t, files, 3)
		for _, file := range files {
			require.NoError(t, os.Remove(file))
		}
		time.Sleep(9 * time.Hour)
		synctest.Wait()
		assert.NoError(t, statusOf(c, "/issuing.crl").Err)
		data := [][]byte{}
		for _, file := range files {
			if b, err := os.ReadFile(file); err == nil {
				data = append(data, b)
			}
		}
		assert.Contains(t, data, list)
	}, func(cfg *crl.Config) { cfg.Cache = dir })
}
