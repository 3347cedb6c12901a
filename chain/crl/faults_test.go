package crl_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

func between(from, until time.Time) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = from, until }
}

func body(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

// endless sends zeros until nobody reads on.
func endless(w http.ResponseWriter, _ *http.Request) {
	for block := make([]byte, 64<<10); ; {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// dripping sends a byte at a time, and no end.
func dripping(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = w.Write([]byte{0x30})
		_ = http.NewResponseController(w).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

// brokenOff sends less than it announces.
func brokenOff(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data[:len(data)/2])
	}
}

// What a server can do to us where no list is available yet. Soft-fail helps where
// there was no complete answer, and nowhere else.
func TestFaultsOfAServer(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	list := l.issuing.list()
	stranger := newAuthority("Issuing CA", ecdsaKeyOf("stranger"))
	for name, fault := range map[string]struct {
		page http.HandlerFunc
		text string
		soft bool
	}{
		"hangs up":                  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, `fetch "http://127.0.0.1`, true},
		"sends a byte now and then": {dripping, "context deadline exceeded", true},
		"answers 404":               {http.NotFound, "404 Not Found", true},
		"answers 500":               {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "500", true},
		"breaks off":                {brokenOff(list), "breaks off", true},
		"sends without end":         {endless, "more than 1048576 bytes", true},
		"announces a gigabyte": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1073741824")
			w.WriteHeader(200)
		}, "more than 1048576 bytes", true},
		"sends HTML":                     {body([]byte("<!DOCTYPE html><html>log in first</html>")), "no certificate revocation list", false},
		"sends nothing":                  {body(nil), "the input is empty", false},
		"sends half of it":               {body(list[:len(list)/2]), "damaged", false},
		"sends another CA's":             {body(l.domain.list()), `the list is by "Domain CA"`, false},
		"sends that of a CA of the name": {body(stranger.list()), "is not a CRL of the issuer", false},
		"sends it with a changed byte":   {body(append(bytes.Clone(list[:len(list)-1]), list[len(list)-1]^1)), "signature", false},
		"sends an old one":               {body(l.issuing.list(between(now.Add(-49*time.Hour), now.Add(-time.Hour)))), "ended at 2026-11-23 11:00:00Z", false},
		"sends one of tomorrow":          {body(l.issuing.list(between(now.Add(24*time.Hour), now.Add(48*time.Hour)))), "is the clock right?", false},
		"redirects in a loop":            {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/issuing.crl", http.StatusFound) }, "not allowed", false},
		"redirects into our network": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://10.0.0.1/x.crl", http.StatusFound)
		}, "not allowed", false},
		"says that nothing has changed": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, "304", true},
	} {
		t.Run(name, func(t *testing.T) {
			s.publish(l)
			s.handle("/issuing.crl", fault.page)
			var told atomic.Pointer[error]
			for _, soft := range []bool{false, true} {
				c := newChecker(t, s, func(cfg *crl.Config) {
					cfg.MaxBytes = 1 << 20
					cfg.Timeout = 20 * time.Second
					if strings.Contains(name, "now and then") {
						cfg.Timeout = 1500 * time.Millisecond
					}
					if soft {
						cfg.SoftFail = func(err error) { told.Store(&err) }
					}
				})
				begin := time.Now()
				err := c.Policy(l.chain(), now)
				assert.Less(t, time.Since(begin), 15*time.Second)
				if soft && fault.soft {
					require.NoError(t, err)
					err = *told.Load()
				}
				refusedAs(t, chain.RevocationUnknown, fault.text, err)
				if soft {
					assert.Equal(t, fault.soft, told.Load() != nil)
				}

				// Nobody waits for it a second time.
				visits := s.visited("/issuing.crl")
				begin = time.Now()
				err = c.Policy(l.chain(), now)
				assert.Equal(t, soft && fault.soft, err == nil)
				assert.Less(t, time.Since(begin), time.Second)
				assert.Equal(t, visits, s.visited("/issuing.crl"))
			}
		})
	}
}

func TestFaultsOfAServerWhileACRLIsAtHand(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	for name, fault := range map[string]struct {
		page http.HandlerFunc
		text string
	}{
		"is down":                       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, `fetch "http://127.0.0.1`},
		"sends HTML":                    {body([]byte("<html>")), "no certificate revocation list"},
		"sends another CA's":            {body(l.domain.list()), "Domain CA"},
		"sends an older one":            {body(l.issuing.list(between(now.Add(-2*time.Hour), now.Add(48*time.Hour)))), "older CRL"},
		"sends one of tomorrow":         {body(l.issuing.list(numbered(8), between(now.Add(36*time.Hour), now.Add(48*time.Hour)))), "is the clock right?"},
		"sends one with a lower number": {body(l.issuing.list(func(l *x509.RevocationList) { l.Number.SetInt64(6) })), "older CRL (number 6 of 2026-11-23 11:00:00Z) than before (number 7 "},
	} {
		t.Run(name, func(t *testing.T) {
			s.publish(l)
			s.serve("/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
			clock := newClock(now)
			c := newChecker(t, s, func(cfg *crl.Config) { cfg.Time = clock.now })
			refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
			s.handle("/issuing.crl", fault.page)

			clock.advance(4*time.Hour + time.Minute)
			refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), clock.now()))
			assert.NoError(t, c.Policy(l.chainOf(l.leafWith(99)), clock.now()))
			require.Eventually(t, func() bool { return statusOf(c, "/issuing.crl").Err != nil }, 20*time.Second, 5*time.Millisecond)
			st := statusOf(c, "/issuing.crl")
			assert.ErrorContains(t, st.Err, fault.text)
			assert.Equal(t, "7", st.Number)
			assert.Equal(t, 4*time.Hour+time.Minute, st.Age)
			refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), clock.now()))
			assert.NoError(t, c.Policy(l.chainOf(l.leafWith(99)), clock.now()))

			clock.set(now.Add(24*time.Hour + 6*time.Minute))
			refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), clock.now()))
			refusedAs(t, chain.RevocationUnknown, "ended at 2026-11-24 12:00:00Z", c.Policy(l.chainOf(l.leafWith(99)), clock.now()))
		})
	}
}

func statusOf(c *crl.Checker, where string) crl.Status {
	for _, st := range c.Status() {
		if strings.HasSuffix(st.URL, where) || st.File != "" && strings.HasSuffix(st.File, where) {
			return st
		}
	}
	return crl.Status{}
}

func TestSoftFailIsForTheUnreachableOnly(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	soft := func(cfg *crl.Config) {
		cfg.SoftFail = func(error) {}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := listener.Addr().String()
	require.NoError(t, listener.Close())
	naming := func(urls ...string) chain.Chain {
		return l.chainOf(l.issuing.issue(77, func(c *x509.Certificate) { c.CRLDistributionPoints = urls }))
	}

	s.publish(l)
	s.serve("/html.crl", []byte("<html>"))
	t.Run("nobody listens there", func(t *testing.T) {
		c := newChecker(t, s, soft, func(cfg *crl.Config) { cfg.Hosts = append(cfg.Hosts, nobody) })
		assert.NoError(t, c.Policy(naming("http://"+nobody+"/x.crl"), now))
	})
	t.Run("one address is dead and the other works", func(t *testing.T) {
		c := newChecker(t, s, func(cfg *crl.Config) { cfg.Hosts = append(cfg.Hosts, nobody) })
		assert.NoError(t, c.Policy(naming("http://"+nobody+"/x.crl", s.URL+"/issuing.crl"), now))
	})
	for name, test := range map[string]struct {
		urls []string
		text string
	}{
		"one address is dead and the other sends HTML": {[]string{"http://" + nobody + "/x.crl", s.URL + "/html.crl"}, "no certificate revocation list"},
		"the host is not allowed":                      {[]string{"http://crl.example/x.crl"}, "not among those that may be asked"},
		"there is no address":                          {nil, "names no http or https address"},
		"there is an ldap address only":                {[]string{"ldap://127.0.0.1/cn=x"}, "names no http or https address"},
		"the address is too long":                      {[]string{s.URL + "/" + strings.Repeat("x", 2048)}, "names no http or https address"},
		"the address is none":                          {[]string{"http://%zz/", "http:///x.crl", "http:x"}, "names no http or https address"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChecker(t, s, soft, func(cfg *crl.Config) { cfg.Hosts = append(cfg.Hosts, nobody) })
			refusedAs(t, chain.RevocationUnknown, test.text, c.Policy(naming(test.urls...), now))
		})
	}
	t.Run("the host is allowed, and its address is not of the Internet", func(t *testing.T) {
		c := newChecker(t, s, soft, func(cfg *crl.Config) { cfg.AllowPrivate = false })
		before := s.visited("/issuing.crl")
		refusedAs(t, chain.RevocationUnknown, "private ones are not allowed", c.Policy(l.chain(), now))
		assert.Equal(t, before, s.visited("/issuing.crl"))
	})
	t.Run("a CA is revoked and the CRL for the leaf is out of reach", func(t *testing.T) {
		s.handle("/issuing.crl", http.NotFound)
		s.serve("/domain.crl", l.domain.list(revoking(revoked(serialIssuing, hourAgo, crl.CACompromise))))
		c := newChecker(t, s, soft)
		refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
	})
	t.Run("the CRL of a CA is out of reach and the leaf is revoked", func(t *testing.T) {
		s.publish(l)
		s.handle("/root.crl", http.NotFound)
		s.serve("/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
		c := newChecker(t, s, soft)
		refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
		c = newChecker(t, s) // also where either is a reason to refuse
		refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
	})
}

func TestAnIssuerThatMayNotSignCRLs(t *testing.T) {
	s := newSite(t)
	root := newAuthority("Root", ecdsaKeyOf("Root"), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	leaf := root.issue(5, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.URL + "/root.crl"} })
	s.serve("/root.crl", root.list())
	c := newChecker(t, s, func(cfg *crl.Config) { cfg.SoftFail = func(error) {} })
	refusedAs(t, chain.RevocationUnknown, "may not sign CRLs", c.Policy(chain.Chain{leaf, root.Certificate}, now))
	assert.Zero(t, s.visited("/root.crl"))
}

func TestClocksThatAreOff(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	skewed := func(off, skew time.Duration) *crl.Checker {
		return newChecker(t, s, func(cfg *crl.Config) {
			cfg.Time = func() time.Time { return now.Add(off) }
			cfg.ClockSkew = skew
		})
	}
	s.publish(l)
	s.serve("/issuing.crl", l.issuing.list(between(now, now.Add(30*time.Minute))))
	for name, test := range map[string]struct {
		off, skew time.Duration
		text      string
	}{
		"right":                                  {0, 0, ""},
		"four minutes slow":                      {-4 * time.Minute, 0, ""},
		"four minutes past the end":              {34 * time.Minute, 0, ""},
		"six minutes past the end":               {36 * time.Minute, 0, "ended at"},
		"an hour slow":                           {-time.Hour, 0, "is the clock right?"},
		"an hour fast":                           {time.Hour, 0, "ended at"},
		"an hour slow, and two hours allowed":    {-time.Hour, 2 * time.Hour, ""},
		"an hour fast, and two hours allowed":    {time.Hour, 2 * time.Hour, ""},
		"a second slow, and nothing allowed":     {-time.Second, -1, "is the clock right?"},
		"a second past the end, nothing allowed": {30*time.Minute + time.Second, -1, "ended at"},
	} {
		t.Run(name, func(t *testing.T) {
			err := skewed(test.off, test.skew).Policy(l.chain(), time.Time{})
			if test.text == "" {
				assert.NoError(t, err)
				return
			}
			refusedAs(t, chain.RevocationUnknown, test.text, err)
		})
	}
}

// Who verifies takes a moment, and a fetch some seconds: that is not the past.
func TestAMinuteAgoIsNow(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	s.serve("/issuing.crl", l.issuing.list(between(now, now.Add(time.Hour)), revoking(revoked(serialLeaf, now.Add(-30*time.Second), crl.KeyCompromise))))
	c := newChecker(t, s, func(cfg *crl.Config) { cfg.ClockSkew = -1 })
	refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now.Add(-time.Minute)))
	assert.NoError(t, c.Policy(l.chain(), now.Add(-time.Hour)), "but then it was good")
}

func TestFaultsOfTheCache(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	cached := func(t *testing.T, dir string, more ...func(*crl.Config)) *crl.Checker {
		return newChecker(t, s, append([]func(*crl.Config){func(cfg *crl.Config) { cfg.Cache = dir }}, more...)...)
	}
	fill := func(t *testing.T) (dir string, files []string) {
		dir = filepath.Join(t.TempDir(), "cache")
		c := cached(t, dir)
		require.NoError(t, c.Policy(l.chain(), now))
		require.NoError(t, c.Close())
		files, err := filepath.Glob(dir + "/*.crl")
		require.NoError(t, err)
		require.Len(t, files, 3)
		return dir, files
	}

	t.Run("it lets a program start while the servers are down", func(t *testing.T) {
		dir, _ := fill(t)
		for _, path := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
			s.handle(path, http.NotFound)
		}
		defer s.publish(l)
		c := cached(t, dir)
		assert.NoError(t, c.Policy(l.chain(), now))
		st := statusOf(c, "/issuing.crl")
		assert.Equal(t, "7", st.Number)
		assert.Zero(t, st.Confirmed)
		assert.Equal(t, time.Hour, st.Age)
		require.Eventually(t, func() bool { return statusOf(c, "/issuing.crl").Err != nil }, 20*time.Second, 5*time.Millisecond)
		assert.NoError(t, c.Policy(l.chain(), now))
	})
	t.Run("and is made newer in the background", func(t *testing.T) {
		dir, _ := fill(t)
		s.serve("/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, now, crl.KeyCompromise)), func(l *x509.RevocationList) { l.Number.SetInt64(8) }))
		defer s.publish(l)
		c := cached(t, dir)
		_ = c.Policy(l.chain(), now)
		require.Eventually(t, func() bool { return c.Policy(l.chain(), now) != nil }, 20*time.Second, 5*time.Millisecond)
		assert.Equal(t, "8", statusOf(c, "/issuing.crl").Number)
	})
	t.Run("nobody is refused for a list in it that has ended", func(t *testing.T) {
		dir, _ := fill(t)
		later := now.Add(48 * time.Hour)
		for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain, "/issuing.crl": l.issuing} {
			data := a.list(numbered(8), between(later.Add(-time.Hour), later.Add(time.Hour)))
			s.handle(path, func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(100 * time.Millisecond) // so that it can be seen who waits
				_, _ = w.Write(data)
			})
		}
		defer s.publish(l)
		c := cached(t, dir, func(cfg *crl.Config) { cfg.Time = func() time.Time { return later } })
		assert.NoError(t, c.Policy(l.chain(), later))
	})
	t.Run("its lists do not go backwards", func(t *testing.T) {
		dir, _ := fill(t)
		s.serve("/issuing.crl", l.issuing.list(func(l *x509.RevocationList) { l.Number.SetInt64(6) }))
		defer s.publish(l)
		c := cached(t, dir)
		require.NoError(t, c.Prefetch(t.Context(), l.chain()[1:]))
		require.NoError(t, c.Policy(l.chain(), now))
		require.Eventually(t, func() bool { return statusOf(c, "/issuing.crl").Err != nil }, 20*time.Second, 5*time.Millisecond)
		assert.Equal(t, "7", statusOf(c, "/issuing.crl").Number)
		assert.ErrorContains(t, statusOf(c, "/issuing.crl").Err, "older CRL")
	})

	stranger := newAuthority("Issuing CA", ecdsaKeyOf("stranger"))
	for name, spoil := range map[string]func(path string, data []byte) error{
		"cut off":      func(path string, data []byte) error { return os.WriteFile(path, data[:len(data)/2], 0o644) },
		"empty":        func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o644) },
		"changed":      func(path string, data []byte) error { data[len(data)-1] ^= 1; return os.WriteFile(path, data, 0o644) },
		"another CA's": func(path string, _ []byte) error { return os.WriteFile(path, stranger.list(), 0o644) },
		"huge":         func(path string, _ []byte) error { return os.Truncate(path, 1<<40) },
		"a folder":     func(path string, _ []byte) error { os.Remove(path); return os.Mkdir(path, 0o755) },
	} {
		t.Run("a file of it is "+name, func(t *testing.T) {
			dir, files := fill(t)
			for _, file := range files {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				require.NoError(t, spoil(file, data))
			}
			c := cached(t, dir)
			assert.NoError(t, c.Policy(l.chain(), now), "what the server has counts")
			for _, path := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
				s.handle(path, http.NotFound)
			}
			defer s.publish(l)
			if name != "a folder" { // which stays what it is
				assert.NoError(t, cached(t, dir).Policy(l.chain(), now), "the files are whole again")
				for i, file := range files {
					data, err := os.ReadFile(file)
					require.NoError(t, err)
					require.NoError(t, spoil(files[i], data))
				}
			}
			refusedAs(t, chain.RevocationUnknown, "404", cached(t, dir).Policy(l.chain(), now))
		})
	}
	t.Run("it cannot be written", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "cache")
		c := cached(t, dir)
		require.NoError(t, os.Remove(dir))
		require.NoError(t, os.WriteFile(dir, nil, 0o644)) // root may write anywhere else
		require.NoError(t, c.Policy(l.chain(), now))
		assert.Error(t, statusOf(c, "/issuing.crl").Err)
		assert.Equal(t, now, statusOf(c, "/issuing.crl").Confirmed)
	})
	t.Run("of two CAs at one address", func(t *testing.T) {
		dir, _ := fill(t)
		other := newLayers(s.URL)
		other.issuing = other.domain.below("Another CA", 44, s.URL+"/domain.crl")
		leaf := other.leafWith(5)
		c := cached(t, dir)
		refusedAs(t, chain.RevocationUnknown, "is not a CRL of the issuer", c.Policy(other.chainOf(leaf), now))
		assert.NoError(t, c.Policy(l.chain(), now))
	})
	t.Run("files that no run needs any more", func(t *testing.T) {
		dir := t.TempDir()
		for i := range 300 {
			file := fmt.Sprintf("%s/crl.example-%032x.crl", dir, i)
			require.NoError(t, os.WriteFile(file, nil, 0o644))
			require.NoError(t, os.Chtimes(file, time.Time{}, now.Add(time.Duration(i)*time.Minute)))
		}
		require.NoError(t, os.WriteFile(dir+"/notes.txt", nil, 0o644))
		cached(t, dir)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, left, 257)
		assert.NoFileExists(t, fmt.Sprintf("%s/crl.example-%032x.crl", dir, 43))
		assert.FileExists(t, fmt.Sprintf("%s/crl.example-%032x.crl", dir, 44))
		assert.FileExists(t, dir+"/notes.txt")
	})
}

func TestAHostileCACannotFillTheMemory(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	cache := t.TempDir()
	clock := newClock(now)
	c := newChecker(t, s, func(cfg *crl.Config) { cfg.Cache, cfg.Time = cache, clock.now })
	require.NoError(t, c.Policy(l.chain(), now))

	hostile := l
	hostile.issuing = l.domain.below("Hostile CA", 66, s.URL+"/domain.crl")
	wanted := hostile.issuing.issue(999, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.URL + "/wanted.crl"} })
	s.serve("/wanted.crl", hostile.issuing.list(onlyFor(s.URL+"/wanted.crl")))
	require.NoError(t, c.Prefetch(t.Context(), hostile.chainOf(wanted)))
	for i := range 300 {
		clock.advance(time.Second) // the first is the one that was not used for longest
		// Each list names the address it is for, or the first would do for all.
		url := fmt.Sprintf("%s/%d.crl", s.URL, i)
		s.serve(fmt.Sprintf("/%d.crl", i), hostile.issuing.list(onlyFor(url)))
		leaf := hostile.issuing.issue(int64(1000+i), func(c *x509.Certificate) { c.CRLDistributionPoints = []string{url} })
		require.NoError(t, c.Policy(hostile.chainOf(leaf), now))
	}
	assert.LessOrEqual(t, len(c.Status()), 256)
	assert.Eventually(t, func() bool {
		files, err := os.ReadDir(cache)
		return err == nil && len(files) <= 256
	}, 20*time.Second, 10*time.Millisecond, "nor the disk")
	before := s.visited("/issuing.crl")
	require.NoError(t, c.Policy(l.chain(), now))
	assert.Equal(t, before, s.visited("/issuing.crl"), "what others need is not pushed out")
	require.NoError(t, c.Policy(hostile.chainOf(wanted), now))
	assert.Equal(t, 1, s.visited("/wanted.crl"), "nor what Prefetch asked for")
}

// Large lists are pushed out before there are many.
func TestAHostileCACannotFillTheMemoryWithLargeLists(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	c := newChecker(t, s, func(cfg *crl.Config) { cfg.MaxBytes = 4 << 10 })
	require.NoError(t, c.Policy(l.chain(), now))
	hostile := l
	hostile.issuing = l.domain.below("Hostile CA", 66, s.URL+"/domain.crl")
	entries := make([]x509.RevocationListEntry, 100)
	for i := range entries {
		entries[i] = revoked(int64(5000+i), hourAgo, crl.Superseded)
	}
	for i := range 60 {
		url := fmt.Sprintf("%s/%d.crl", s.URL, i)
		s.serve(fmt.Sprintf("/%d.crl", i), hostile.issuing.list(onlyFor(url), revoking(entries...)))
		leaf := hostile.issuing.issue(int64(1000+i), func(c *x509.Certificate) { c.CRLDistributionPoints = []string{url} })
		require.NoError(t, c.Policy(hostile.chainOf(leaf), now))
	}
	assert.Less(t, len(c.Status()), 30)
	assert.Greater(t, len(c.Status()), 15)
	require.NoError(t, c.Policy(l.chain(), now))
	assert.Equal(t, 1, s.visited("/issuing.crl"), "what others need is not pushed out")
}

// onlyFor is the critical issuing distribution point of RFC 5280 section 5.2.5.
func onlyFor(url string) func(*x509.RevocationList) {
	return extended(28, true, element(0x30, element(0xa0, element(0xa0, element(0x86, []byte(url))))))
}
