package pkioverheid_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// cost is what one run of something takes.
type cost struct {
	time  time.Duration
	bytes uint64
}

// measure runs f n times and returns the fastest run and the average bytes.
func measure(n int, f func()) cost {
	f()
	best := time.Duration(1<<63 - 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	runtime.ReadMemStats(&after)
	return cost{best, (after.TotalAlloc - before.TotalAlloc) / uint64(n)}
}

// compare reports ours against the peer, measured in turns in one run.
func compare(b *testing.B, ours, peer func()) (timeRatio, bytesRatio float64) {
	const turns, runs = 5, 20
	a, p := cost{time: 1<<63 - 1}, cost{time: 1<<63 - 1}
	for range turns {
		ca, cp := measure(runs, ours), measure(runs, peer)
		a.time, p.time = min(a.time, ca.time), min(p.time, cp.time)
		a.bytes, p.bytes = ca.bytes, cp.bytes
	}
	return float64(a.time) / float64(p.time), float64(a.bytes) / float64(p.bytes)
}

// A leaf that a server sends alone, against the leaf verified from the root with
// the intermediates available: crypto/x509 with its own pools.
func BenchmarkVerifyLeafAlone(b *testing.B) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		b.Run(h.String(), func(b *testing.B) {
			authority := pkiotest.New(h)
			leaf := authority.Issue(pkiotest.Leaf{}).Leaf
			tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(authority.Roots()), OnlyRoots: true}})
			require.NoError(b, err)
			pool := tc.RootCAs
			roots, intermediates := plainPools(authority)
			ours := func() { mustVerify(b, leaf, pool, nil) }
			peer := func() { mustVerify(b, leaf, roots, intermediates) }
			speed, bytes := compare(b, ours, peer)
			for b.Loop() {
				ours()
			}
			b.ReportMetric(1/speed, "times-as-fast-as-plain-pools")
			b.ReportMetric(bytes, "bytes/plain-pools")
		})
	}
}

// A leaf with its whole chain, as crypto/tls verifies it: against a plain pool of the root.
func BenchmarkVerifyWholeChain(b *testing.B) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		b.Run(h.String(), func(b *testing.B) {
			authority := pkiotest.New(h)
			pair := authority.Issue(pkiotest.Leaf{})
			tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(authority.Roots()), OnlyRoots: true}})
			require.NoError(b, err)
			pool := tc.RootCAs
			roots, _ := plainPools(authority)
			asTLS := func(roots *x509.CertPool) {
				intermediates := x509.NewCertPool()
				for _, der := range pair.Certificate[1:] {
					c, err := x509.ParseCertificate(der)
					require.NoError(b, err)
					intermediates.AddCert(c)
				}
				mustVerify(b, pair.Leaf, roots, intermediates)
			}
			speed, bytes := compare(b, func() { asTLS(pool) }, func() { asTLS(roots) })
			for b.Loop() {
				asTLS(pool)
			}
			b.ReportMetric(speed, "time/plain-root-pool")
			b.ReportMetric(bytes, "bytes/plain-root-pool")
		})
	}
}

// A whole TLS 1.3 handshake of both sides over a pipe.
func BenchmarkHandshake(b *testing.B) {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	pair := authority.Issue(pkiotest.Leaf{})
	ours, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(authority.Roots()), OnlyRoots: true}})
	require.NoError(b, err)
	ours.ServerName = "localhost"
	plain := &tls.Config{RootCAs: authority.Roots().CertPool(), ServerName: "localhost"}
	server := &tls.Config{Certificates: []tls.Certificate{pair}, SessionTicketsDisabled: true}
	handshake := func(client *tls.Config) {
		c, s := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- tls.Server(s, server).Handshake() }()
		if err := tls.Client(c, client).Handshake(); err != nil {
			b.Fatal(err)
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		c.Close()
		s.Close()
	}
	speed, bytes := compare(b, func() { handshake(ours) }, func() { handshake(plain) })
	for b.Loop() {
		handshake(ours)
	}
	b.ReportMetric(speed, "time/plain-root-pool")
	b.ReportMetric(bytes, "bytes/plain-root-pool")
}

func plainPools(a *pkiotest.Authority) (roots, intermediates *x509.CertPool) {
	roots, intermediates = x509.NewCertPool(), x509.NewCertPool()
	for i, c := range a.Certificates() {
		if i == 0 {
			roots.AddCert(c)
		} else {
			intermediates.AddCert(c)
		}
	}
	return roots, intermediates
}

func mustVerify(b *testing.B, leaf *x509.Certificate, roots, intermediates *x509.CertPool) {
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates}); err != nil {
		b.Fatal(err)
	}
}

func claimCases(b testing.TB) map[string]*x509.Certificate {
	return map[string]*x509.Certificate{
		"embedded TSP CA": testcert.CA(b, "KPN - G4 PKIo Priv G-TLS SYS - 2025"),
		"G3 TSP CA":       testcert.CA(b, "KPN BV PKIoverheid Organisatie Server CA - G3"),
		"G3 leaf":         pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{}).Leaf,
	}
}

// The peer is the check of one signature, the least that any verification costs.
func BenchmarkClaimOf(b *testing.B) {
	kpn := pkioverheid.PrivateG4TLS.Certificates()
	for name, cert := range claimCases(b) {
		b.Run(name, func(b *testing.B) {
			pkioverheid.ClaimOf(cert)
			many := func() {
				for range 100 {
					pkioverheid.ClaimOf(cert)
				}
			}
			speed, _ := compare(b, many, func() { _ = kpn[3].CheckSignatureFrom(kpn[1]) })
			b.ReportAllocs()
			for b.Loop() {
				pkioverheid.ClaimOf(cert)
			}
			b.ReportMetric(speed/100, "of-a-signature-check")
		})
	}
}

func BenchmarkRejectG3(b *testing.B) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cas := g1.Certificates()
	chain := []*x509.Certificate{g1.Issue(pkiotest.Leaf{}).Leaf, cas[2], cas[1], cas[0]}
	many := func() {
		for range 100 {
			_ = pkioverheid.RejectG3(chain)
		}
	}
	speed, _ := compare(b, many, func() { _ = cas[2].CheckSignatureFrom(cas[1]) })
	b.ReportAllocs()
	for b.Loop() {
		_ = pkioverheid.RejectG3(chain)
	}
	b.ReportMetric(speed/100, "of-a-signature-check")
}

// G3 refused by a Verifier, without any signature: the leaf with its CAs, as a
// server sends them, and alone.
func BenchmarkRefuseG3(b *testing.B) {
	g3 := pkiotest.New(pkioverheid.G3)
	leaf, cas := g3.Issue(pkiotest.Leaf{}).Leaf, g3.Certificates()
	g1 := pkioverheid.PrivateG1.Certificates()
	distrusted := truststore.New(cas...)
	distrusted.Add(pkioverheid.G3.Certificates()...)
	keys := make([][sha256.Size]byte, 0, distrusted.Len())
	for c := range distrusted.All() {
		keys = append(keys, chain.KeyHash(c))
	}
	for _, bench := range []struct {
		name  string
		opts  []chain.Option
		extra []*x509.Certificate
	}{
		{"RejectG3 of a chain", []chain.Option{chain.WithVeto(pkioverheid.RejectG3)}, cas},
		{"RejectG3 of a leaf alone", []chain.Option{chain.WithVeto(pkioverheid.RejectG3)}, nil},
		{"keys of a chain", []chain.Option{chain.WithVeto(chain.VetoKeys(keys...))}, cas},
		{"distrusted, a leaf alone", []chain.Option{chain.WithDistrusted(distrusted, pkioverheid.RejectG3)}, nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			v, err := chain.NewVerifier(truststore.New(g1[0]), truststore.New(g1[1:]...), bench.opts...)
			require.NoError(b, err)
			refuse := func() {
				if _, err := v.Verify(leaf, chain.VerifyOptions{Extra: bench.extra}); err == nil {
					b.Fatal("accepted")
				}
			}
			many := func() {
				for range 100 {
					refuse()
				}
			}
			speed, _ := compare(b, many, func() { _ = leaf.CheckSignatureFrom(cas[len(cas)-1]) })
			for b.Loop() {
				refuse()
			}
			b.ReportMetric(speed/100, "of-a-signature-check")
		})
	}
}

// silent is a ResponseWriter that costs nothing.
type silent struct{ header http.Header }

func (w silent) Header() http.Header         { return w.header }
func (w silent) Write(p []byte) (int, error) { return len(p), nil }
func (w silent) WriteHeader(int)             {}

// What knowing the caller adds to a request on a connection that stays open, or behind
// a proxy. The peer is a whole request over TLS on loopback to the same handler bare;
// "µs-added" is for scale.
func BenchmarkHandler(b *testing.B) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	pair := g1.Issue(pkiotest.Leaf{OIN: someOIN})
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
	var list pkioverheid.OINList
	require.NoError(b, list.Set(someOIN))

	srv := httptest.NewUnstartedServer(bare)
	srv.TLS = serverConfig(b, pkioverheid.ServerConfig{}, list.Allow)
	srv.StartTLS()
	b.Cleanup(srv.Close)
	client := newClient(b, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(pair)})
	url := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	whole := func() {
		resp, err := client.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}

	direct := httptest.NewRequest("GET", "/", nil)
	direct.TLS = verifiedState(b)
	proxied := httptest.NewRequest("GET", "/", nil)
	proxied.Header.Set("X-Client-Cert", escapedPEM(pair.Leaf))
	for name, c := range map[string]struct {
		request *http.Request
		proxy   *pkioverheid.Proxy
	}{
		"kept-alive":   {direct, nil},
		"behind nginx": {proxied, &pkioverheid.Proxy{Format: pkioverheid.NginxEscapedPEM, Header: "X-Client-Cert", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}},
	} {
		b.Run(name, func(b *testing.B) {
			h := newServer(b, pkioverheid.ServerConfig{Proxy: c.proxy}, list.Allow).Handler(bare)
			const many = 1000
			run := func(h http.Handler) func() {
				w := silent{http.Header{}}
				return func() {
					for range many {
						h.ServeHTTP(w, c.request)
					}
				}
			}
			ofRequest, _ := compare(b, run(h), whole)
			added := measure(50, run(h)).time - measure(50, run(bare)).time
			w := silent{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, c.request)
			}
			b.ReportMetric(added.Seconds()*1e6/many, "µs-added")
			b.ReportMetric(ofRequest/many, "of-a-request")
		})
	}
}

// The peer is parsing the certificate, which whoever goes through many does anyway.
func BenchmarkAdvise(b *testing.B) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for name, cert := range map[string]*x509.Certificate{
		"G1":      testcert.Claiming(b, testcert.CA(b, "KPN PKIoverheid Private Services CA - G1")),
		"G3":      testcert.Claiming(b, testcert.CA(b, "KPN BV PKIoverheid Organisatie Server CA - G3")),
		"foreign": sign(b, &x509.Certificate{Subject: pkix.Name{CommonName: "x"}}, nil).Leaf,
	} {
		b.Run(name, func(b *testing.B) {
			many := func() {
				for range 100 {
					advice.For(cert, "", at)
				}
			}
			speed, bytes := compare(b, many, func() {
				for range 100 {
					if _, err := x509.ParseCertificate(cert.Raw); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ReportAllocs()
			for b.Loop() {
				advice.For(cert, "", at)
			}
			b.ReportMetric(speed, "of-parsing-it")
			b.ReportMetric(bytes, "bytes/parsing-it")
		})
	}
}
