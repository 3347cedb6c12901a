package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// revocationOf returns a Checker that has the CRLs of Authorities. The end of the test
// makes sure that it leaves no goroutine behind.
func revocationOf(t testing.TB, cfg crl.Config) *crl.Checker {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	others := checkers()
	checker, err := crl.NewChecker(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		checker.Close()
		// Close returns when they are done, which is a moment before they are gone.
		assert.Eventually(t, func() bool { return checkers() <= others }, 20*time.Second, 5*time.Millisecond, "a goroutine of the Checker is left")
	})
	return checker
}

// checkers counts the goroutines of Checkers.
func checkers() int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "created by github.com/go-pkioverheid/trust/chain/crl.")
}

// revocable are the certificates of a path that can be revoked, by what they are.
var revocable = []string{"the certificate", "its TSP CA", "its domain CA"}

// revoke revokes one of them.
func revoke(a *pkiotest.Authority, i int, leaf *x509.Certificate) {
	a.Revoke([]*x509.Certificate{leaf, a.Certificates()[2], a.Certificates()[1]}[i], crl.KeyCompromise)
}

// crossed is a presentation with further paths: the domain CA and the TSP CA once more,
// signed by a root of the server's own.
func crossed(t *testing.T, a *pkiotest.Authority) presentation {
	t.Helper()
	own := testRoot(t, "Root of the server's own")
	domain, tsp := a.Certificates()[1], a.Certificates()[2]
	cross := func(ca *x509.Certificate) []byte {
		template := *ca
		template.SignatureAlgorithm, template.ExtraExtensions, template.AuthorityKeyId = 0, nil, nil
		der, err := x509.CreateCertificate(nil, &template, own.Leaf, ca.PublicKey, own.PrivateKey)
		require.NoError(t, err)
		return der
	}
	return presentation{"with cross certificates", func(l, t, d, r []byte) [][]byte {
		return [][]byte{l, cross(tsp), cross(domain), own.Certificate[0], t, d, r}
	}}
}

func TestRevokedServersAreRefusedHoweverTheySendTheirChain(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		ways := append(presentations[:len(presentations):len(presentations)], crossed(t, pkiotest.New(h)))
		for i, what := range append([]string{"nothing"}, revocable...) {
			a := pkiotest.New(h)
			pair := a.Issue(pkiotest.Leaf{})
			if i > 0 {
				revoke(a, i-1, pair.Leaf)
			}
			cfg := pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Time: a.Time, Revocation: revocationOf(t, pkiotest.CRLConfig(a))}}
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				for _, p := range ways {
					t.Run(fmt.Sprintf("%v/%s is revoked/%s/%s", h, what, tls.VersionName(version), p.name), func(t *testing.T) {
						shown := pair
						certs := a.Certificates()
						shown.Certificate = p.of(pair.Leaf.Raw, certs[2].Raw, certs[1].Raw, certs[0].Raw)
						_, err := get(t, cfg, serve(t, &tls.Config{Certificates: []tls.Certificate{shown}, MaxVersion: version}))
						if i == 0 {
							require.NoError(t, err)
							return
						}
						refused := certs[max(0, 4-i)%4]
						if i == 1 {
							refused = pair.Leaf
						}
						assertRevoked(t, err, refused)
					})
				}
			}
		}
	}
}

// assertRevoked asks that err is a server's refusal, as revoked.
func assertRevoked(t *testing.T, err error, cert *x509.Certificate) {
	t.Helper()
	var (
		e      *pkioverheid.ServerCertificateError
		why    *crl.RevokedError
		failed *chain.Error
		out    *url.Error
	)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, chain.Revoked, e.Reason)
	assert.Equal(t, "localhost", e.Host)
	assert.Len(t, e.Path, 4)
	require.ErrorAs(t, err, &failed)
	assert.True(t, cert.Equal(failed.Cert), "about %s", failed.Cert.Subject.CommonName)
	require.ErrorAs(t, err, &why)
	assert.Equal(t, crl.KeyCompromise, why.Reason)
	assert.Zero(t, why.Serial.Cmp(cert.SerialNumber))
	assert.Contains(t, e.Error(), "is revoked: ")
	assert.NotContains(t, e.Error(), "\n")
	if errors.As(err, &out) {
		assert.False(t, out.Timeout())
	}
}

func TestRevokedClientsAreRefused(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		for i, what := range append([]string{"nothing"}, revocable...) {
			if i > 1 && h != pkioverheid.PrivateG4TLS && !thorough {
				continue // a CA that is revoked
			}
			a := pkiotest.New(h)
			pair := a.Issue(pkiotest.Leaf{OIN: someOIN, ClientOnly: true})
			if i > 0 {
				revoke(a, i-1, pair.Leaf)
			}
			checker := revocationOf(t, pkiotest.CRLConfig(a))
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				for _, p := range presentations {
					t.Run(fmt.Sprintf("%v/%s is revoked/%s/%s", h, what, tls.VersionName(version), p.name), func(t *testing.T) {
						var asked atomic.Int64
						tc := serverConfig(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Revocation: checker}}, func(id pkioverheid.Identity) error {
							asked.Add(1)
							return pkioverheid.AllowOIN(someOIN)(id)
						})
						tc.MaxVersion = version
						said := make(chan error, 100)
						verify := tc.VerifyConnection
						tc.VerifyConnection = func(cs tls.ConnectionState) error {
							err := verify(cs)
							said <- err
							return err
						}
						certs := a.Certificates()
						sent := pair
						sent.Certificate = p.of(pair.Leaf.Raw, certs[2].Raw, certs[1].Raw, certs[0].Raw)
						client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
							RootCAs:              fixtureRoots().CertPool(),
							GetClientCertificate: shown(sent), // as it is, where a KeyPair would be completed
						}}}
						resp, err := client.Get(serve(t, tc))
						if err == nil {
							resp.Body.Close()
						}
						if i == 0 {
							require.NoError(t, err)
							assert.EqualValues(t, 1, asked.Load())
							return
						}
						require.Error(t, err)
						assert.Zero(t, asked.Load(), "the Authorizer is not asked about a certificate that was refused")
						why := <-said
						var failed *chain.Error
						require.ErrorAs(t, why, &failed)
						assert.Equal(t, chain.Revoked, failed.Reason)
						var entry *crl.RevokedError
						assert.ErrorAs(t, why, &entry)
						assert.ErrorContains(t, why, "pkioverheid: the client's certificate was refused: chain: revoked")
					})
				}
			}
		}
	}
}

// laterClock is a clock that a test puts forward.
type laterClock struct{ ahead atomic.Int64 }

func (c *laterClock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// refreshed has the Checker fetch its lists again, five hours on.
func (c *laterClock) refreshed(t testing.TB, checker *crl.Checker, certs []*x509.Certificate) {
	t.Helper()
	c.ahead.Add(int64(5 * time.Hour))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, checker.Prefetch(ctx, certs))
}

func TestAResumedSessionWithAServerThatWasRevokedSinceIsRefused(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for i, what := range revocable {
			t.Run(tls.VersionName(version)+"/"+what, func(t *testing.T) {
				a, clock := pkiotest.New(pkioverheid.PrivateG1), new(laterClock)
				pair := a.Issue(pkiotest.Leaf{})
				revocation := pkiotest.CRLConfig(a)
				revocation.Time = clock.now
				checker := revocationOf(t, revocation)
				tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Time: clock.now, Revocation: checker}})
				require.NoError(t, err)
				tc.ServerName, tc.ClientSessionCache = "localhost", tls.NewLRUClientSessionCache(4)
				host := strings.TrimPrefix(serve(t, &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: version}), "https://localhost")

				resumed, err := exchange("127.0.0.1"+host, tc)
				require.NoError(t, err)
				assert.False(t, resumed)
				resumed, err = exchange("127.0.0.1"+host, tc)
				require.NoError(t, err)
				require.True(t, resumed)

				revoke(a, i, pair.Leaf)
				clock.refreshed(t, checker, append(a.Certificates()[:3], pair.Leaf))
				resumed, err = exchange("127.0.0.1"+host, tc)
				require.Error(t, err)
				assert.True(t, resumed, "it was a resumed session that was refused")
				var e *pkioverheid.ServerCertificateError
				require.ErrorAs(t, err, &e)
				assert.Equal(t, chain.Revoked, e.Reason)
			})
		}
	}
}

// exchange makes one connection and reads from it, for the tickets of TLS 1.3.
func exchange(addr string, config *tls.Config) (resumed bool, err error) {
	config = config.Clone()
	verify := config.VerifyConnection
	config.VerifyConnection = func(cs tls.ConnectionState) error {
		resumed = cs.DidResume
		return verify(cs)
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", addr, config)
	if err != nil {
		return resumed, err
	}
	defer conn.Close()
	if _, err = io.WriteString(conn, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"); err == nil {
		_, err = io.ReadAll(conn)
	}
	return resumed, err
}

func TestAResumedSessionOfAClientThatWasRevokedSinceIsRefused(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for i, what := range revocable {
			t.Run(tls.VersionName(version)+"/"+what, func(t *testing.T) {
				a, clock := pkiotest.New(pkioverheid.PrivateG4TLS), new(laterClock)
				pair := a.Issue(pkiotest.Leaf{OIN: someOIN})
				revocation := pkiotest.CRLConfig(a)
				revocation.Time = clock.now
				checker := revocationOf(t, revocation)
				server := serverConfig(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Revocation: checker, Time: clock.now}}, pkioverheid.AllowOIN(someOIN))
				server.MaxVersion = version
				var resumed atomic.Bool
				verify := server.VerifyConnection
				server.VerifyConnection = func(cs tls.ConnectionState) error {
					resumed.Store(cs.DidResume)
					return verify(cs)
				}
				address := "127.0.0.1" + strings.TrimPrefix(serve(t, server), "https://localhost")
				client, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(pair)})
				require.NoError(t, err)
				client.ServerName, client.ClientSessionCache = "localhost", tls.NewLRUClientSessionCache(4)

				_, err = exchange(address, client)
				require.NoError(t, err)
				_, err = exchange(address, client)
				require.NoError(t, err)
				require.True(t, resumed.Load())

				revoke(a, i, pair.Leaf)
				clock.refreshed(t, checker, append(a.Certificates()[:3], pair.Leaf))
				_, err = exchange(address, client)
				require.Error(t, err)
				assert.True(t, resumed.Load(), "it was a resumed session that was refused")
			})
		}
	}
}

func TestAStapledResponseMustBeGood(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		a := pkiotest.New(h)
		pair, other := a.Issue(pkiotest.Leaf{OIN: someOIN}), a.Issue(pkiotest.Leaf{})
		good := a.OCSPResponse(pair.Leaf)
		elsewhere := pkiotest.New(h) // a responder that knows more than the CRL
		elsewhere.Revoke(pair.Leaf, crl.KeyCompromise)
		damaged := append([]byte(nil), good...)
		damaged[len(damaged)-1] ^= 1
		checker := revocationOf(t, pkiotest.CRLConfig(a))
		for _, c := range []struct {
			name   string
			staple []byte
			reason chain.Reason // 0: none
		}{
			{"none", nil, ""},
			{"good", good, ""},
			{"revoked", elsewhere.OCSPResponse(pair.Leaf), chain.Revoked},
			{"garbage", []byte("<html>"), chain.RevocationUnknown},
			{"with a wrong signature", damaged, chain.RevocationUnknown},
			{"about another certificate", a.OCSPResponse(other.Leaf), chain.RevocationUnknown},
		} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(fmt.Sprintf("%v/%s/%s", h, c.name, tls.VersionName(version)), func(t *testing.T) {
					pair := pair
					pair.OCSPStaple = c.staple
					url := serve(t, &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: version})
					_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: checker}}, url)
					var e *pkioverheid.ServerCertificateError
					if c.reason == "" {
						require.NoError(t, err)
					} else if assert.ErrorAs(t, err, &e) {
						assert.Equal(t, c.reason, e.Reason)
						assert.Contains(t, e.Problem, "OCSP response")
					}
					_, err = get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(a)}, url)
					assert.NoError(t, err, "without Revocation nobody asks")

					if version == tls.VersionTLS12 {
						return // clients cannot staple there
					}
					server := serverConfig(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Revocation: checker}}, pkioverheid.AllowOIN(someOIN))
					err = call(t, serve(t, server), &pair)
					assert.Equal(t, c.reason == "", err == nil, "as a client: %v", err)
				})
			}
		}
	}
}

// A staple is for its handshake: a session goes on when it has ended.
func TestASessionIsResumedWhenItsStapleHasEnded(t *testing.T) {
	a, clock := pkiotest.New(pkioverheid.PrivateG1), new(laterClock)
	pair := a.Issue(pkiotest.Leaf{})
	pair.OCSPStaple = a.OCSPResponse(pair.Leaf) // for a day
	revocation := pkiotest.CRLConfig(a)
	revocation.Time = clock.now
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Time: clock.now, Revocation: revocationOf(t, revocation)}})
	require.NoError(t, err)
	tc.ServerName, tc.ClientSessionCache = "localhost", tls.NewLRUClientSessionCache(4)
	address := "127.0.0.1" + strings.TrimPrefix(serve(t, &tls.Config{Certificates: []tls.Certificate{pair}}), "https://localhost")
	_, err = exchange(address, tc)
	require.NoError(t, err)
	clock.ahead.Add(int64(30 * time.Hour))
	resumed, err := exchange(address, tc)
	require.NoError(t, err)
	assert.True(t, resumed)

	fresh := tc.Clone()
	fresh.ClientSessionCache = nil
	_, err = exchange(address, fresh)
	var e *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, chain.RevocationUnknown, e.Reason)
}

func TestWhereNoCRLTellsTheCertificateIsRefused(t *testing.T) {
	for name, fault := range map[string]func(a *pkiotest.Authority, cfg *crl.Config){
		"the TSP has not renewed it": func(a *pkiotest.Authority, _ *crl.Config) {
			a.ServeCRL(a.Certificates()[2], a.CRL(a.Certificates()[2], a.Time().AddDate(0, 0, -3), a.Time().AddDate(0, 0, -1)))
		},
		"it is gone": func(a *pkiotest.Authority, _ *crl.Config) { a.ServeCRL(a.Certificates()[1], []byte{}) },
		"its host is not allowed": func(_ *pkiotest.Authority, cfg *crl.Config) {
			cfg.Hosts = []string{"crl.pkioverheid.nl"}
		},
	} {
		a := pkiotest.New(pkioverheid.PrivateG1)
		cfg := pkiotest.CRLConfig(a)
		fault(a, &cfg)
		url := serve(t, &tls.Config{Certificates: []tls.Certificate{a.Issue(pkiotest.Leaf{})}})
		_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: revocationOf(t, cfg)}}, url)
		var e *pkioverheid.ServerCertificateError
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, chain.RevocationUnknown, e.Reason, name)
		assert.False(t, e.Timeout(), name)
		assert.Contains(t, e.Error(), "it is not known whether")
		assert.Contains(t, e.Error(), "Trust.Revocation")
	}
}

func TestACRLThatDoesNotComeInTimeIsATimeout(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	stuck := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stuck }))
	defer srv.Close()
	defer close(stuck)
	cfg := pkiotest.CRLConfig(a)
	cfg.Timeout, cfg.AllowPrivate = 200*time.Millisecond, true
	toServer := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}}
	cfg.Client = &http.Client{Transport: toServer}
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: revocationOf(t, cfg)}},
		serve(t, &tls.Config{Certificates: []tls.Certificate{a.Issue(pkiotest.Leaf{})}}))
	var (
		e   *pkioverheid.ServerCertificateError
		out *url.Error
	)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, chain.RevocationUnknown, e.Reason)
	assert.True(t, e.Timeout())
	require.ErrorAs(t, err, &out)
	assert.True(t, out.Timeout())

	// And with soft-fail, it hears that once.
	var told atomic.Int64
	cfg.SoftFail = func(error) { told.Add(1) }
	_, err = get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: revocationOf(t, cfg)}},
		serve(t, &tls.Config{Certificates: []tls.Certificate{a.Issue(pkiotest.Leaf{})}}))
	require.NoError(t, err)
	assert.EqualValues(t, 3, told.Load(), "for each CRL")
}

// counted counts what is fetched.
type counted struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

func TestNothingIsFetchedForACertificateThatIsRefusedAnyway(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	now := time.Now()
	cfg := pkiotest.CRLConfig(a)
	requests := &counted{RoundTripper: cfg.Client.Transport}
	cfg.Client = &http.Client{Transport: requests}
	checker := revocationOf(t, cfg)
	for name, pair := range map[string]tls.Certificate{
		"forged":                                 forgedPair(t, someOIN),
		"expired":                                a.Issue(pkiotest.Leaf{NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}),
		"for another host":                       a.Issue(pkiotest.Leaf{DNSNames: []string{"elders.example"}}),
		"for clients":                            a.Issue(pkiotest.Leaf{ClientOnly: true}),
		"against another policy":                 a.Issue(pkiotest.Leaf{CommonName: "TEST"}),
		"of a hierarchy that is not trusted":     pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{}),
		"of the hierarchy that was withdrawn":    pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{}),
		"of an untrusted root, with a good leaf": testLeaf(t, testRoot(t, "Somebody's root")),
	} {
		_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: checker}}, serve(t, &tls.Config{Certificates: []tls.Certificate{pair}}))
		assert.Error(t, err, name)
		assert.Zero(t, requests.n.Load(), name)
	}
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{a.Issue(pkiotest.Leaf{})}})
	for range 3 {
		_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: checker}}, url)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 3, requests.n.Load(), "one for each CRL, however many connections")
}

func TestHandshakesAtTheSameTimeFetchEachCRLOnce(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	cfg := pkiotest.CRLConfig(a)
	requests := &counted{RoundTripper: cfg.Client.Transport}
	cfg.Client = &http.Client{Transport: requests}
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: revocationOf(t, cfg)}})
	require.NoError(t, err)
	tc.ServerName = "localhost"
	address := "127.0.0.1" + strings.TrimPrefix(serve(t, &tls.Config{Certificates: []tls.Certificate{a.Issue(pkiotest.Leaf{})}}), "https://localhost")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := exchange(address, tc)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.EqualValues(t, 3, requests.n.Load())
}

func TestRevocationGoesOnWithRootsThatChange(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	with := func(name string) *truststore.Store {
		roots := a.Roots()
		roots.Add(testRoot(t, name).Leaf)
		return roots
	}
	roots := truststore.NewSource(with("First"))
	pair := a.Issue(pkiotest.Leaf{})
	client := newClient(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: roots, Revocation: revocationOf(t, pkiotest.CRLConfig(a))}})
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{pair}})
	res, err := client.Get(url)
	require.NoError(t, err)
	res.Body.Close()
	client.CloseIdleConnections()

	revoked := a.Issue(pkiotest.Leaf{})
	a.Revoke(revoked.Leaf, crl.KeyCompromise)
	require.NoError(t, roots.Set(with("Second")))
	// A Checker that has not fetched yet would see it at once; this one has what it had.
	_, err = client.Get(serve(t, &tls.Config{Certificates: []tls.Certificate{revoked}}))
	require.NoError(t, err)
	client.CloseIdleConnections()

	client = newClient(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: roots, Revocation: revocationOf(t, pkiotest.CRLConfig(a))}})
	require.NoError(t, roots.Set(with("Third")))
	_, err = client.Get(serve(t, &tls.Config{Certificates: []tls.Certificate{revoked}}))
	assertRevoked(t, err, revoked.Leaf)
}

func TestAVerifierAndItsPoolRefuseWhatIsRevoked(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	good, bad := a.Issue(pkiotest.Leaf{}), a.Issue(pkiotest.Leaf{})
	a.Revoke(bad.Leaf, crl.KeyCompromise)
	v, err := pkioverheid.NewVerifier(pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: revocationOf(t, pkiotest.CRLConfig(a))})
	require.NoError(t, err)
	_, _, err = v.Inspect([]*x509.Certificate{good.Leaf}, pkioverheid.SignerOptions{})
	assert.NoError(t, err)
	_, _, err = v.Inspect([]*x509.Certificate{bad.Leaf}, pkioverheid.SignerOptions{})
	var failed *chain.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, chain.Revoked, failed.Reason)

	pool := v.Chains().CertPool(nil)
	_, err = good.Leaf.Verify(x509.VerifyOptions{Roots: pool})
	assert.NoError(t, err)
	_, err = bad.Leaf.Verify(x509.VerifyOptions{Roots: pool})
	assert.Error(t, err)
}

func TestAHandlerAsksForRevocationBehindAProxyToo(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	good, bad := a.Issue(pkiotest.Leaf{OIN: someOIN}), a.Issue(pkiotest.Leaf{OIN: someOIN})
	a.Revoke(bad.Leaf, crl.KeyCompromise)
	cfg := pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: revocationOf(t, pkiotest.CRLConfig(a))}}

	behind, _, _ := guarded(t, behind(cfg, &pkioverheid.Proxy{
		Format: pkioverheid.NginxEscapedPEM, Header: "X-Client-Cert", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}), pkioverheid.AllowOIN(someOIN))
	direct, _, _ := guarded(t, cfg, pkioverheid.AllowOIN(someOIN))
	for pair, want := range map[*tls.Certificate]int{&good: http.StatusOK, &bad: http.StatusForbidden} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("X-Client-Cert", escapedPEM(pair.Leaf))
		w := httptest.NewRecorder()
		behind.ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, w.Body.String())

		r = httptest.NewRequest(http.MethodGet, "/", nil)
		certs := a.Certificates()
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{pair.Leaf, certs[2], certs[1], certs[0]}}}
		w = httptest.NewRecorder()
		direct.ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, w.Body.String())
		if want != http.StatusOK {
			assert.Contains(t, w.Body.String(), "revoked")
		}
	}
}

// The addresses in the real certificates, answered with nothing: each is asked, and
// none but those.
func TestTheCRLsOfTheRealHierarchiesAreAskedFor(t *testing.T) {
	asked := make(chan string, 100)
	checker := revocationOf(t, crl.Config{
		Hosts: pkioverheid.CRLHosts(),
		Client: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			asked <- r.URL.String()
			return nil, errors.New("no network in tests")
		})},
	})
	var hierarchies [][]*x509.Certificate
	for _, h := range fixtures {
		hierarchies = append(hierarchies, h.Certificates())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	assert.ErrorContains(t, checker.Prefetch(ctx, hierarchies...), "no network in tests")
	checker.Close()
	close(asked)
	urls := map[string]bool{}
	for u := range asked {
		urls[strings.TrimPrefix(u, "http://crl.pkioverheid.nl/")] = true
	}
	assert.ElementsMatch(t, []string{ // facts.md §7; EV has ended, and nothing is fetched for it
		"PrivateRootLatestCRL-G1.crl", "DomPrivateServicesLatestCRL-G1.crl",
		"StaatderNederlandenG4RootPrivGTLS2024.crl", "StaatderNederlandenG4IntmPrivGTLSSYS2024.crl",
	}, slices.Collect(maps.Keys(urls)))
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
