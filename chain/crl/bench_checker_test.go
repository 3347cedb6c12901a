package crl_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/truststore"
)

// BenchmarkCheckChain is what a handshake pays for revocation: a chain of four
// layers, the CAs RSA with 4096 bits as real ones are, compared with loaded CRLs
// with a hundred thousand entries each, among which its numbers fall, beside verifying it through package chain (the
// leaf's signature only) and through crypto/x509 (all of them).
func BenchmarkCheckChain(b *testing.B) {
	s := newSite(b)
	l := layers{base: s.URL}
	var keys [3]*rsa.PrivateKey
	var made sync.WaitGroup
	for i := range keys {
		made.Go(func() {
			key, err := rsa.GenerateKey(rand.Reader, 4096)
			if err != nil {
				panic(err)
			}
			keys[i] = key
		})
	}
	made.Wait()
	ecdsaKeys.Store("Domain CA of RSA", keys[1])
	ecdsaKeys.Store("Issuing CA of RSA", keys[2])
	l.root = newAuthority("Root of RSA", keys[0])
	l.domain = l.root.below("Domain CA of RSA", 1_350_003, s.URL+"/root.crl")
	l.issuing = l.domain.below("Issuing CA of RSA", 1_140_003, s.URL+"/domain.crl")
	l.leaf = l.leafWith(1_544_442)
	entries := make([]x509.RevocationListEntry, 100_000)
	for i := range entries {
		entries[i] = revoked(int64(1_000_000+i*7), hourAgo, crl.Superseded)
	}
	s.serve("/root.crl", l.root.list(revoking(entries...)))
	s.serve("/domain.crl", l.domain.list(revoking(entries...)))
	s.serve("/issuing.crl", l.issuing.list(revoking(entries...)))
	c := newChecker(b, s)
	prefetch(b, c, l)

	v, err := chain.NewVerifier(truststore.New(l.root.Certificate), truststore.New(l.domain.Certificate, l.issuing.Certificate))
	require.NoError(b, err)
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(l.root.Certificate)
	intermediates.AddCert(l.domain.Certificate)
	intermediates.AddCert(l.issuing.Certificate)
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageAny}

	ch := l.chain()
	fastest := map[string]time.Duration{}
	run := func(name string, times int, f func()) {
		begin := time.Now()
		for range times {
			f()
		}
		if d := time.Since(begin) / time.Duration(times); fastest[name] == 0 || d < fastest[name] {
			fastest[name] = d
		}
	}
	check := func() { require.NoError(b, c.Policy(ch, now)) }
	for b.Loop() {
		run("check", 20, check)
		run("chain", 1, func() {
			_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, KeyUsages: usages})
			require.NoError(b, err)
		})
		run("x509", 1, func() {
			_, err := l.leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now, KeyUsages: usages})
			require.NoError(b, err)
		})
	}
	b.ReportMetric(float64(fastest["check"]), "check-ns")
	b.ReportMetric(float64(fastest["check"])/float64(fastest["chain"]), "time/chain")
	b.ReportMetric(float64(fastest["check"])/float64(fastest["x509"]), "time/x509")
	b.ReportMetric(testing.AllocsPerRun(100, check), "allocs")
}

// BenchmarkHandshakesAtAnEmptyCache has a thousand handshakes arrive at once, and
// reports how often each URL is fetched for them.
func BenchmarkHandshakesAtAnEmptyCache(b *testing.B) {
	s := newSite(b)
	l := newLayers(s.URL)
	fetched := 0
	var mu sync.Mutex
	for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain, "/issuing.crl": l.issuing} {
		list := a.list()
		s.handle(path, func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			fetched++
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			_, _ = w.Write(list)
		})
	}
	n := 0
	for b.Loop() {
		c := newChecker(b, s)
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { require.NoError(b, c.Policy(l.chain(), now)) })
		}
		all.Wait()
		require.NoError(b, c.Close())
		n++
	}
	b.ReportMetric(float64(fetched)/float64(3*n), "fetches/URL")
}
