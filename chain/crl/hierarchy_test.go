package crl_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// TestMain fails if any test left a goroutine of a Checker behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leaked(); code == 0 && left != "" {
		os.Stderr.WriteString("goroutines that were not stopped:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// leaked returns the stacks of goroutines that this package's code started, after
// they were given time to end.
func leaked() string {
	var left []string
	for range 500 {
		var b strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
		left = nil
		for _, stack := range strings.Split(b.String(), "\n\n") {
			if strings.Contains(stack, "chain/crl.(*store)") || strings.Contains(stack, "internal/fetch.(") {
				left = append(left, stack)
			}
		}
		if left == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return strings.Join(left, "\n\n")
}

// ecdsaKeyOf makes one key for each name.
var ecdsaKeys sync.Map

func ecdsaKeyOf(name string) crypto.Signer {
	key, ok := ecdsaKeys.Load(name)
	if !ok {
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		key, _ = ecdsaKeys.LoadOrStore(name, must(made, err))
	}
	return key.(crypto.Signer)
}

// below makes a CA under a, whose certificate names where the CRL of a is.
func (a authority) below(name string, serial int64, urls ...string) authority {
	subject := pkix.Name{Country: []string{"NL"}, Organization: []string{"Test"}, CommonName: name}
	return a.sign(subject, ecdsaKeyOf(name), serial, urls)
}

// withKey gives a another key.
func (a authority) withKey(key crypto.Signer, serial int64, urls ...string) authority {
	return a.sign(a.Subject, key, serial, urls)
}

func (a authority) sign(subject pkix.Name, key crypto.Signer, serial int64, urls []string) authority {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      subject,
		NotBefore:    now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		BasicConstraintsValid: true, IsCA: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		CRLDistributionPoints: urls,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.Certificate, key.Public(), a.key))
	return authority{must(x509.ParseCertificate(der)), key}
}

// layers is a hierarchy as real ones are, and where its CRLs are.
type layers struct {
	root, domain, issuing authority
	leaf                  *x509.Certificate
	base                  string // URL of the folder of the CRLs, with no slash after it
}

const (
	serialDomain  = 11
	serialIssuing = 12
	serialLeaf    = 13
)

func newLayers(base string) layers {
	l := layers{base: base}
	l.root = newAuthority("Root", ecdsaKeyOf("Root"))
	l.domain = l.root.below("Domain CA", serialDomain, base+"/root.crl")
	l.issuing = l.domain.below("Issuing CA", serialIssuing, "ldap://127.0.0.1/cn=CRL", base+"/domain.crl")
	l.leaf = l.leafWith(serialLeaf)
	return l
}

func (l layers) leafWith(serial int64, change ...func(*x509.Certificate)) *x509.Certificate {
	return l.issuing.issue(serial, append([]func(*x509.Certificate){func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{l.base + "/issuing.crl"}
	}}, change...)...)
}

func (l layers) chain() chain.Chain { return l.chainOf(l.leaf) }

func (l layers) chainOf(leaf *x509.Certificate) chain.Chain {
	return chain.Chain{leaf, l.issuing.Certificate, l.domain.Certificate, l.root.Certificate}
}

// site is a web server with CRLs.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	pages  map[string]http.HandlerFunc
	visits map[string]int
}

func newSite(t testing.TB) *site {
	s := &site{pages: map[string]http.HandlerFunc{}, visits: map[string]int{}}
	s.Server = httptest.NewServer(s)
	if t != nil { // an example closes it
		t.Cleanup(s.Close)
	}
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.visits[r.URL.Path]++
	page := s.pages[r.URL.Path]
	s.mu.Unlock()
	if page == nil {
		http.NotFound(w, r)
		return
	}
	page(w, r)
}

func (s *site) handle(path string, page http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = page
}

func (s *site) serve(path string, data []byte) {
	s.handle(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) })
}

func (s *site) visited(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visits[path]
}

func (s *site) host() string { return strings.TrimPrefix(s.URL, "http://") }

// publish puts the lists of all CAs on the site, with nobody on them.
func (s *site) publish(l layers) {
	s.serve("/root.crl", l.root.list())
	s.serve("/domain.crl", l.domain.list())
	s.serve("/issuing.crl", l.issuing.list())
}

// clock is one that tests set.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.set(at)
	return c
}

func (c *clock) set(at time.Time)        { c.at.Store(&at) }
func (c *clock) now() time.Time          { return *c.at.Load() }
func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }

var silent = slog.New(slog.DiscardHandler)

// newChecker makes one for the site that is closed when the test ends; change edits
// its Config before.
func newChecker(t testing.TB, s *site, change ...func(*crl.Config)) *crl.Checker {
	cfg := crl.Config{AllowPrivate: true, Timeout: 20 * time.Second, Logger: silent, Time: func() time.Time { return now }}
	if s != nil {
		cfg.Hosts = []string{s.host()}
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := crl.NewChecker(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func prefetch(t testing.TB, c *crl.Checker, l layers) {
	t.Helper()
	require.NoError(t, c.Prefetch(context.Background(), l.chain()))
}

// reasonOf is that of the *chain.Error that a Policy must return.
func reasonOf(t testing.TB, err error) chain.Reason {
	t.Helper()
	var refused *chain.Error
	require.ErrorAs(t, err, &refused)
	return refused.Reason
}

func refusedAs(t testing.TB, want chain.Reason, text string, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, string(want), string(reasonOf(t, err)), err.Error())
	require.ErrorContains(t, err, text)
	require.Less(t, len(err.Error()), 1600)
}
