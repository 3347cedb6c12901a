package crl_test

import (
	"crypto/x509"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// SoftFail is for servers that do not answer, and not for an address that nobody can ask:
// that would stay so for ever.
func TestSoftFailIsNotForAnAddressThatCannotBeAsked(t *testing.T) {
	for name, address := range map[string]string{
		"a port that is none":               "http://crl.example:0/x.crl",
		"a name that is read as an address": "http://127.1/x.crl",
		"a name that is none":               "http://crl_example!/x.crl",
		"a port that is too large":          "http://crl.example:99999/x.crl",
	} {
		t.Run(name, func(t *testing.T) {
			l := newLayers("http://crl.example")
			dir := t.TempDir()
			put(t, dir+"/root.crl", l.root.list())
			put(t, dir+"/domain.crl", l.domain.list())
			passed := 0
			c := newChecker(t, nil, inFolder(dir), func(cfg *crl.Config) {
				cfg.Hosts, cfg.SoftFail = []string{"*"}, func(error) { passed++ }
			})
			leaf := l.leafWith(77, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{address} })
			refusedAs(t, chain.RevocationUnknown, "", c.Policy(l.chainOf(leaf), now))
			assert.Zero(t, passed)
		})
	}
}

// Whether a list from before that has ended is in memory, in the cache, in the folder or
// nowhere makes no difference with SoftFail, where no server answers. Whom it has as revoked
// stays revoked, and what a server does give decides.
func TestSoftFailIsTheSameWithAListThatHasEndedAndWithoutOne(t *testing.T) {
	unavailable := func(*http.Request) (*http.Response, error) { return answer(http.StatusServiceUnavailable, nil), nil }
	for name, test := range map[string]struct {
		cache, folder, restart bool
		remembers              bool
	}{
		"running":                          {remembers: true},
		"restarted with the cache":         {cache: true, restart: true, remembers: true},
		"restarted without a cache":        {restart: true},
		"restarted with it in the folder":  {folder: true, restart: true, remembers: true},
		"running, and it is in the folder": {folder: true, remembers: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLayers("http://crl.example")
			other := l.chainOf(l.leafWith(99))
			list := func(number int64, from time.Time) []byte {
				return l.issuing.list(numbered(number), between(from, from.Add(10*time.Hour)), revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise)))
			}
			dir, folder := t.TempDir(), t.TempDir()
			passed := 0
			change := func(cfg *crl.Config) {
				cfg.SoftFail = func(err error) {
					passed++
					refusedAs(t, chain.RevocationUnknown, "503", err)
				}
				if test.cache {
					cfg.Cache = dir
				}
				if test.folder {
					put(t, folder+"/issuing.crl", list(7, hourAgo))
					cfg.Folder = folder
				}
			}
			inBubble(t, func(t *testing.T, w *wire, _ layers, _ *crl.Checker) {
				for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain} {
					w.serve(path, a.list(between(hourAgo, now.Add(30*24*time.Hour))))
				}
				w.serve("/issuing.crl", list(7, hourAgo))
				cfg := crl.Config{Hosts: []string{"crl.example"}, Client: &http.Client{Transport: w}, Time: w.now, Logger: silent}
				change(&cfg)
				c := must(crl.NewChecker(cfg))
				defer func() { c.Close() }()
				require.NoError(t, c.Policy(other, w.now()))
				refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), w.now()))

				w.handle("/issuing.crl", unavailable)
				time.Sleep(10 * time.Hour)
				if test.restart {
					c.Close()
					c = must(crl.NewChecker(cfg))
				}
				for range 2 {
					assert.NoError(t, c.Policy(other, w.now()), "nothing that could be fetched refuses it")
				}
				assert.Equal(t, 2, passed)
				if err := c.Policy(l.chain(), w.now()); test.remembers {
					refusedAs(t, chain.Revoked, "number 7", err)
				} else {
					assert.NoError(t, err, "nothing is known")
				}

				w.serve("/issuing.crl", list(7, hourAgo)) // an answer, from which it does not follow that the certificate is good
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				refusedAs(t, chain.RevocationUnknown, "ended at", c.Policy(other, w.now()))
				w.serve("/issuing.crl", list(8, w.now()))
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				assert.NoError(t, c.Policy(other, w.now()))
				refusedAs(t, chain.Revoked, "number 8", c.Policy(l.chain(), w.now()))
			})
		})
	}
}

// Without SoftFail a list that has ended refuses, as having none does.
func TestAListThatHasEndedRefusesWithoutSoftFail(t *testing.T) {
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		w.serve("/issuing.crl", l.issuing.list(between(hourAgo, now.Add(9*time.Hour))))
		require.NoError(t, c.Policy(l.chain(), w.now()))
		w.cut()
		time.Sleep(10 * time.Hour)
		refusedAs(t, chain.RevocationUnknown, "ended at", c.Policy(l.chain(), w.now()))
	})
}

// An allowed server gives a complete answer, a current list for others; the other one is down.
func TestSoftFailIsNotForAServerThatGaveAListForOthers(t *testing.T) {
	for _, before := range []bool{true, false} {
		l := newLayers("http://crl.example")
		leaf := l.chainOf(l.leafWith(99, func(c *x509.Certificate) {
			c.CRLDistributionPoints = []string{"http://crl.example/one.crl", "http://crl.example/two.crl"}
		}))
		onlyCA := []byte{0x30, 3, 0x82, 1, 0xff}
		inBubble(t, func(t *testing.T, w *wire, _ layers, _ *crl.Checker) {
			for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain} {
				w.serve(path, a.list(between(hourAgo, now.Add(30*24*time.Hour))))
			}
			w.serve("/one.crl", l.issuing.list(numbered(9), extended(28, true, onlyCA), between(hourAgo, now.Add(100*time.Hour))))
			down := func(*http.Request) (*http.Response, error) { return answer(http.StatusServiceUnavailable, nil), nil }
			w.handle("/two.crl", down)
			if before {
				w.serve("/two.crl", l.issuing.list(numbered(7), between(hourAgo, now.Add(9*time.Hour))))
			}
			cfg := crl.Config{Hosts: []string{"crl.example"}, Client: &http.Client{Transport: w}, Time: w.now, Logger: silent, SoftFail: func(err error) { t.Error(err) }}
			c := must(crl.NewChecker(cfg))
			defer c.Close()
			if err := c.Policy(leaf, w.now()); before {
				require.NoError(t, err)
			}
			w.handle("/two.crl", down)
			time.Sleep(10 * time.Hour)
			refusedAs(t, chain.RevocationUnknown, "", c.Policy(leaf, w.now()))
		})
	}
}
