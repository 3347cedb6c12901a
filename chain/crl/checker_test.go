package crl_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/truststore"
)

var hourAgo = now.Add(-time.Hour)

func TestPolicyFetchesTheCRLsOfAChain(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	c := newChecker(t, s)
	require.NoError(t, c.Policy(l.chain(), now))
	require.NoError(t, c.Policy(l.chain(), time.Time{}))
	for _, path := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
		assert.Equal(t, 1, s.visited(path), path)
	}
}

func TestPolicyRefusesWhatIsRevoked(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	for name, test := range map[string]struct {
		path   string
		list   []byte
		serial int64
		cert   *x509.Certificate
	}{
		"the certificate itself":             {"/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))), serialLeaf, l.leaf},
		"its CA":                             {"/domain.crl", l.domain.list(revoking(revoked(serialIssuing, hourAgo, crl.CACompromise))), serialIssuing, l.issuing.Certificate},
		"the CA above":                       {"/root.crl", l.root.list(revoking(revoked(serialDomain, hourAgo, crl.Superseded))), serialDomain, l.domain.Certificate},
		"one whose entry has a date to come": {"/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, now.Add(2*time.Hour), crl.Superseded))), serialLeaf, l.leaf},
	} {
		t.Run(name, func(t *testing.T) {
			s.publish(l)
			s.serve(test.path, test.list)
			c := newChecker(t, s, func(cfg *crl.Config) { cfg.SoftFail = func(error) {} })
			for range 2 {
				err := c.Policy(l.chain(), now)
				refusedAs(t, chain.Revoked, "was revoked on", err)
				var why *crl.RevokedError
				require.ErrorAs(t, err, &why)
				assert.Equal(t, test.serial, why.Serial.Int64())
				var refused *chain.Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, test.cert, refused.Cert)
			}
			other := l.leafWith(99)
			if test.cert == l.leaf {
				assert.NoError(t, c.Policy(l.chainOf(other), now))
			}
		})
	}
}

func TestPolicyFetchesNothingThatARevokedCANames(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	s.serve("/domain.crl", l.domain.list(revoking(revoked(serialIssuing, hourAgo, crl.CACompromise))))
	c := newChecker(t, s)
	require.NoError(t, c.Prefetch(context.Background(), l.chain()[1:]))
	refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
	assert.Zero(t, s.visited("/issuing.crl"))
}

func TestPolicyInAVerifierAndItsPool(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	s.serve("/domain.crl", l.domain.list(revoking(revoked(serialIssuing, hourAgo, crl.CACompromise))))
	c := newChecker(t, s)
	v, err := chain.NewVerifier(truststore.New(l.root.Certificate), truststore.New(l.domain.Certificate, l.issuing.Certificate), chain.WithPolicy(c.Policy))
	require.NoError(t, err)
	_, err = v.Verify(l.leaf, chain.VerifyOptions{Time: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	refusedAs(t, chain.Revoked, "", err)
	_, err = l.leaf.Verify(x509.VerifyOptions{Roots: v.CertPool(func() time.Time { return now }), CurrentTime: now})
	assert.Error(t, err)

	t.Run("nothing is fetched for a certificate that is not authentic", func(t *testing.T) {
		forged := newLayers(s.URL) // the same names, but another key of the issuing CA
		forged.issuing = newAuthority("Issuing CA", ecdsaKeyOf("another"))
		before := s.visited("/forged.crl")
		leaf := forged.leafWith(5, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.URL + "/forged.crl"} })
		_, err := v.Verify(leaf, chain.VerifyOptions{Time: now})
		assert.Error(t, err)
		assert.Equal(t, before, s.visited("/forged.crl"))
	})
}

func TestPolicyRefusesWhatIsNoChain(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	c := newChecker(t, s)
	for name, ch := range map[string]chain.Chain{
		"nothing":                             nil,
		"a nil in it":                         {l.leaf, nil, l.root.Certificate},
		"a certificate never parsed":          {&x509.Certificate{}, l.root.Certificate},
		"one that ends below its root":        {l.leaf, l.issuing.Certificate},
		"one certificate that is not a root ": {l.leaf},
	} {
		t.Run(name, func(t *testing.T) {
			refusedAs(t, chain.Unsupported, "", c.Policy(ch, now))
		})
	}
	assert.NoError(t, c.Policy(chain.Chain{l.root.Certificate}, now), "a root alone has nobody to revoke it")
}

// It is the key that signs lists.
func TestAReissuedCAHasTheListsOfItsKey(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	s.serve("/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
	c := newChecker(t, s)
	refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
	reissued := l
	reissued.issuing = l.domain.below("Issuing CA", 612, s.URL+"/domain.crl")
	require.NotEqual(t, l.issuing.Raw, reissued.issuing.Raw)
	refusedAs(t, chain.Revoked, "", c.Policy(reissued.chain(), now))
	assert.NoError(t, c.Policy(reissued.chainOf(l.leafWith(99)), now))
	assert.Equal(t, 1, s.visited("/issuing.crl"))
	assert.Len(t, c.Status(), 3)

	// A certificate of the key with another identifier than the lists have gets none,
	// whether it comes first or not, and takes none away.
	odd := l
	odd.issuing = l.domain.below("Issuing CA", 613, s.URL+"/domain.crl")
	odd.issuing.SubjectKeyId = []byte("another")
	for _, c := range []*crl.Checker{c, newChecker(t, s)} {
		refusedAs(t, chain.RevocationUnknown, "key identifiers differ", c.Policy(odd.chainOf(odd.leafWith(99)), now))
		assert.NoError(t, c.Policy(l.chainOf(l.leafWith(99)), now))
	}

	// One of the same name with another key has nothing from it.
	namesake := l
	namesake.issuing = newAuthority("Issuing CA", ecdsaKeyOf("namesake"))
	refusedAs(t, chain.RevocationUnknown, "is not a CRL of the issuer", c.Policy(chain.Chain{namesake.leafWith(serialLeaf), namesake.issuing.Certificate}, now))
}

func TestAThousandHandshakesFetchOnce(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	list := l.issuing.list()
	s.handle("/issuing.crl", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond)
		_, _ = w.Write(list)
	})
	c := newChecker(t, s)
	var all sync.WaitGroup
	for range 1000 {
		all.Add(1)
		go func() {
			defer all.Done()
			assert.NoError(t, c.Policy(l.chain(), now))
		}()
	}
	all.Wait()
	for _, path := range []string{"/root.crl", "/domain.crl", "/issuing.crl"} {
		assert.Equal(t, 1, s.visited(path), path)
	}
}

func TestStatusTellsAHealthEndpoint(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	s.handle("/root.crl", http.NotFound)
	c := newChecker(t, s)
	assert.Empty(t, c.Status())
	require.Error(t, c.Prefetch(context.Background(), l.chain()))
	all := c.Status()
	require.Len(t, all, 3)
	byURL := map[string]crl.Status{}
	for _, st := range all {
		byURL[st.URL] = st
	}
	good := byURL[s.URL+"/issuing.crl"]
	assert.NoError(t, good.Err)
	assert.Equal(t, "CN=Issuing CA,O=Test,C=NL", good.Issuer)
	assert.Equal(t, "7", good.Number)
	assert.Equal(t, hourAgo, good.ThisUpdate)
	assert.Equal(t, now.Add(24*time.Hour), good.NextUpdate)
	assert.Equal(t, now, good.Confirmed)
	assert.Zero(t, good.Age)
	assert.LessOrEqual(t, good.NextRefresh.Sub(now), 4*time.Hour)
	assert.Greater(t, good.NextRefresh.Sub(now), 3*time.Hour+30*time.Minute)
	bad := byURL[s.URL+"/root.crl"]
	assert.ErrorContains(t, bad.Err, "404")
	assert.Zero(t, bad.NextUpdate)
	assert.LessOrEqual(t, bad.NextRefresh.Sub(now), 5*time.Second)

	text, err := json.Marshal(all)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"number":"7","thisUpdate":"2026-11-23T11:00:00Z","nextUpdate":"2026-11-24T12:00:00Z","entries":0,"confirmed":"2026-11-23T12:00:00Z","ageSeconds":0`)
	assert.Contains(t, string(text), `the server answers 404 Not Found"`)
	assert.NotContains(t, string(text), "0001-01-01")
}

// The monotonic clock stops while a machine sleeps: what came before that would
// seem to be young.
func TestStatusTellsTheAgeByTheClockOnTheWall(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	shift := time.Until(now)
	c := newChecker(t, s, func(cfg *crl.Config) { cfg.Time = func() time.Time { return time.Now().Add(shift) } })
	require.NoError(t, c.Prefetch(context.Background(), l.chain()[2:]))
	confirmed := statusOf(c, "/root.crl").Confirmed
	assert.False(t, confirmed.IsZero())
	assert.NotContains(t, confirmed.String(), "m=")
}

func TestCloseEndsEverything(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	asked := make(chan struct{})
	s.handle("/issuing.crl", func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	c := newChecker(t, s)
	prefetch(t, c, layers{leaf: l.issuing.Certificate, issuing: l.domain, domain: l.root, root: l.root})
	answer := make(chan error)
	go func() { answer <- c.Policy(l.chain(), now) }()
	<-asked
	require.NoError(t, c.Close())
	refusedAs(t, chain.RevocationUnknown, "the Checker is closed", <-answer)
	assert.Empty(t, leaked())
	require.NoError(t, c.Close())

	refusedAs(t, chain.RevocationUnknown, "the Checker is closed", c.Policy(l.chain(), now))
	assert.NoError(t, c.Policy(l.chain()[1:], now), "with the lists that are available")
	assert.ErrorContains(t, c.Prefetch(context.Background(), l.chain()), "the Checker is closed")
}

func TestPrefetch(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	ctx := context.Background()

	t.Run("of whole hierarchies, in any order and repeated", func(t *testing.T) {
		c := newChecker(t, s)
		require.NoError(t, c.Prefetch(ctx, []*x509.Certificate{l.leaf, l.root.Certificate}, l.chain(), []*x509.Certificate{l.domain.Certificate, l.issuing.Certificate}))
		before := s.visited("/issuing.crl")
		require.NoError(t, c.Policy(l.chain(), now))
		require.NoError(t, c.Prefetch(ctx, l.chain()))
		assert.Equal(t, before, s.visited("/issuing.crl"))
	})
	t.Run("without the issuer, or with one of the same name only", func(t *testing.T) {
		c := newChecker(t, s)
		assert.ErrorContains(t, c.Prefetch(ctx, l.chain()[:1]), `its issuer "Issuing CA" is not among the certificates`)
		namesake := newAuthority("Issuing CA", ecdsaKeyOf("namesake"))
		assert.ErrorContains(t, c.Prefetch(ctx, []*x509.Certificate{l.leaf, namesake.Certificate}), "is not among the certificates")
		assert.Empty(t, c.Status())
	})
	t.Run("of nothing, or of what was never parsed", func(t *testing.T) {
		c := newChecker(t, s)
		assert.NoError(t, c.Prefetch(ctx))
		assert.Error(t, c.Prefetch(ctx, []*x509.Certificate{nil, {}}))
	})
	t.Run("tries again at once what failed before", func(t *testing.T) {
		c := newChecker(t, s)
		s.handle("/issuing.crl", http.NotFound)
		assert.ErrorContains(t, c.Prefetch(ctx, l.chain()), "404")
		s.serve("/issuing.crl", l.issuing.list())
		assert.NoError(t, c.Prefetch(ctx, l.chain()))
	})
	t.Run("until the context ends", func(t *testing.T) {
		c := newChecker(t, s)
		s.handle("/issuing.crl", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		defer s.serve("/issuing.crl", l.issuing.list())
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, c.Prefetch(short, l.chain()), context.DeadlineExceeded)
	})
	t.Run("asks the second address if the first has no list", func(t *testing.T) {
		c := newChecker(t, s)
		leaf := l.leafWith(99, func(c *x509.Certificate) {
			c.CRLDistributionPoints = []string{s.URL + "/one.crl", s.URL + "/two.crl"}
		})
		s.serve("/two.crl", l.issuing.list())
		assert.NoError(t, c.Prefetch(ctx, l.chainOf(leaf)))
		assert.Equal(t, 1, s.visited("/two.crl"))
		s.serve("/one.crl", l.issuing.list())
		assert.NoError(t, newChecker(t, s).Prefetch(ctx, l.chainOf(leaf)))
		assert.Equal(t, 1, s.visited("/two.crl"), "and not if it has one")
	})
	t.Run("of a hierarchy that is over", func(t *testing.T) {
		ended := l
		ended.domain = l.root.below("Domain CA", serialDomain, s.URL+"/root.crl")
		ended.domain.NotAfter = now.Add(-time.Second)
		expired := l.leafWith(99, func(c *x509.Certificate) {
			c.NotAfter = hourAgo
			c.CRLDistributionPoints = []string{s.URL + "/gone.crl"}
		})
		c := newChecker(t, s)
		assert.NoError(t, c.Prefetch(ctx, ended.chain()[1:], l.chainOf(expired)[:2]))
		assert.Empty(t, c.Status())
		assert.Zero(t, s.visited("/gone.crl"))
	})
	t.Run("of a CA that is revoked is not an error", func(t *testing.T) {
		c := newChecker(t, s)
		s.serve("/domain.crl", l.domain.list(revoking(revoked(serialIssuing, hourAgo, crl.CACompromise))))
		defer s.publish(l)
		assert.NoError(t, c.Prefetch(ctx, l.chain()))
	})
}

func TestNewCheckerRefusesWhatCannotWork(t *testing.T) {
	for name, cfg := range map[string]crl.Config{
		"no source at all":           {},
		"a host that is a URL":       {Hosts: []string{"http://crl.example"}},
		"a folder that is not there": {Folder: t.TempDir() + "/none"},
		"a cache that is a file":     {Hosts: []string{"crl.example"}, Cache: "checker_test.go"},
		"a negative time limit":      {Hosts: []string{"crl.example"}, Timeout: -1},
		"a negative size limit":      {Hosts: []string{"crl.example"}, MaxBytes: -1},
		"a negative interval":        {Hosts: []string{"crl.example"}, RefreshEvery: -1},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := crl.NewChecker(cfg)
			assert.Nil(t, c)
			assert.ErrorContains(t, err, "crl: ")
		})
	}
}

// A CA whose certificates name different addresses, of which one is behind: an older
// list, current or not, must not hide what a newer one has.
func TestOfTheListsOfOneCATheNewestDecides(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	naming := func(path string) chain.Chain {
		return l.chainOf(l.leafWith(serialLeaf, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.URL + path} }))
	}
	other := func(path string) chain.Chain {
		return l.chainOf(l.leafWith(99, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.URL + path} }))
	}
	s.serve("/behind.crl", l.issuing.list(onlyFor(s.URL+"/behind.crl"), numbered(6), between(now.Add(-2*time.Hour), now.Add(time.Hour))))
	s.serve("/newer.crl", l.issuing.list(revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
	for name, order := range map[string][2]string{
		"the newer one comes first": {"/newer.crl", "/behind.crl"},
		"the newer one comes last":  {"/behind.crl", "/newer.crl"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChecker(t, s)
			for _, path := range order {
				// Prefetch asks its address whatever is available.
				require.NoError(t, c.Prefetch(t.Context(), other(path)))
			}
			require.Len(t, c.Status(), 4)
			refusedAs(t, chain.Revoked, "number 7", c.Policy(naming("/behind.crl"), now))
			assert.NoError(t, c.Policy(other("/behind.crl"), now))
		})
	}
}

// As in a folder: see TestOnAListForOthersIsRevokedAllTheSame.
func TestOnAFetchedListForOthersIsRevokedAllTheSame(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	scope := element(0x30, element(0x83, []byte{6, 0x40})) // keyCompromise
	s.serve("/scoped.crl", l.issuing.list(numbered(6), extended(28, true, scope), revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
	naming := func(serial int64) chain.Chain {
		return l.chainOf(l.leafWith(serial, func(c *x509.Certificate) {
			c.CRLDistributionPoints = []string{s.URL + "/scoped.crl", s.URL + "/issuing.crl"}
		}))
	}
	c := newChecker(t, s)
	assert.NoError(t, c.Policy(naming(99), now), "the other list is complete")
	refusedAs(t, chain.Revoked, "number 6", c.Policy(naming(serialLeaf), now))
}

// "No limit", as one may write it.
func TestTheLargestMaxBytesIsALargeOne(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	dir := t.TempDir()
	put(t, dir+"/issuing.crl", l.issuing.list())
	c := newChecker(t, s, inFolder(dir), func(cfg *crl.Config) {
		cfg.Hosts = []string{s.host()}
		cfg.MaxBytes, cfg.Cache = math.MaxInt64, t.TempDir()
	})
	require.NoError(t, c.Policy(l.chain(), now))
	require.NoError(t, statusOf(c, "/issuing.crl").Err)
	assert.Zero(t, s.visited("/issuing.crl"))
	require.NoError(t, c.Prefetch(t.Context(), l.chain()))
	assert.Len(t, c.Status(), 4)
}

// A CA with a new key, which its old key vouches for: two authorities of one name, each
// of which has a list. Both are above the leaf, so the list of either speaks about it.
func TestACAWithANewKeyHasAListForEach(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	renewed := l.issuing.withKey(ecdsaKeyOf("new key"), 500, s.URL+"/old.crl")
	require.Equal(t, renewed.RawSubject, renewed.RawIssuer)
	leaf := renewed.issue(serialLeaf, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.URL + "/new.crl"} })
	ch := chain.Chain{leaf, renewed.Certificate, l.issuing.Certificate, l.domain.Certificate, l.root.Certificate}
	for name, test := range map[string]struct {
		old, new []byte
		reason   chain.Reason
		text     string
	}{
		"nobody is revoked":            {l.issuing.list(), renewed.list(), "", ""},
		"the new key is":               {l.issuing.list(revoking(revoked(500, hourAgo, crl.Superseded))), renewed.list(), chain.Revoked, `"Issuing CA"`},
		"the certificate is":           {l.issuing.list(), renewed.list(revoking(revoked(serialLeaf, hourAgo, crl.Superseded))), chain.Revoked, `"host.example"`},
		"the old key makes both lists": {l.issuing.list(), l.issuing.list(), "", ""},
		"the new key makes both lists": {renewed.list(), renewed.list(), chain.RevocationUnknown, "key identifiers differ"},
	} {
		t.Run(name, func(t *testing.T) {
			s.serve("/old.crl", test.old)
			s.serve("/new.crl", test.new)
			oldFirst := newChecker(t, s)
			_ = oldFirst.Policy(ch[1:], now) // which fetches the list at the old address only
			for _, c := range []*crl.Checker{newChecker(t, s), oldFirst} {
				if err := c.Policy(ch, now); test.reason == "" {
					assert.NoError(t, err)
				} else {
					refusedAs(t, test.reason, test.text, err)
				}
			}
		})
	}
}

// A CA that two others signed is refused on the path of the one that revoked it, and
// is as good as ever on the other.
func TestACAWithTwoIssuersIsRevokedByEachForItself(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	other := newAuthority("Other root", ecdsaKeyOf("Other root"))
	crossed := other.below("Issuing CA", serialIssuing, s.URL+"/other.crl")
	require.Equal(t, l.issuing.RawSubjectPublicKeyInfo, crossed.RawSubjectPublicKeyInfo)
	s.serve("/other.crl", other.list(revoking(revoked(serialIssuing, hourAgo, crl.Superseded))))
	c := newChecker(t, s)
	refusedAs(t, chain.Revoked, `the CRL of "Other root"`, c.Policy(chain.Chain{l.leaf, crossed.Certificate, other.Certificate}, now))
	assert.NoError(t, c.Policy(l.chain(), now))

	roots := truststore.New(l.root.Certificate, other.Certificate)
	cas := truststore.New(l.domain.Certificate, l.issuing.Certificate, crossed.Certificate)
	v, err := chain.NewVerifier(roots, cas, chain.WithPolicy(c.Policy))
	require.NoError(t, err)
	options := chain.VerifyOptions{Time: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	found, err := v.Verify(l.leaf, options)
	require.NoError(t, err)
	assert.Equal(t, l.root.Certificate, found.Root())

	s.serve("/domain.crl", l.domain.list(revoking(revoked(serialIssuing, hourAgo, crl.Superseded))))
	v, err = chain.NewVerifier(roots, cas, chain.WithPolicy(newChecker(t, s).Policy))
	require.NoError(t, err)
	_, err = v.Verify(l.leaf, options)
	require.Error(t, err)
	assert.Equal(t, chain.Revoked, reasonOf(t, err))
}

// That the Checker was closed is not a reason to let a certificate pass.
func TestCloseWhileSomebodyWaitsIsNotUnreachable(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	asked := make(chan struct{})
	s.handle("/issuing.crl", func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	c := newChecker(t, s, func(cfg *crl.Config) {
		cfg.SoftFail = func(err error) { t.Error("let pass:", err) }
	})
	got := make(chan error, 20)
	for range cap(got) {
		go func() { got <- c.Policy(l.chain(), now) }()
	}
	<-asked
	require.NoError(t, c.Close())
	for range cap(got) {
		refusedAs(t, chain.RevocationUnknown, "the Checker is closed", <-got)
	}
}
