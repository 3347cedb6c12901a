package pkioverheid_test

import (
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// loopback is the address of a test server, as net.Dial takes it.
func loopback(url string) string { return "127.0.0.1" + strings.TrimPrefix(url, "https://localhost") }

// resuming is a client that keeps its sessions, and counts the signatures of its key.
func resuming(t *testing.T, version uint16) (*tls.Config, *counting) {
	t.Helper()
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN})
	key := &counting{Signer: cert.PrivateKey.(crypto.Signer)}
	cert.PrivateKey = key
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(cert)})
	require.NoError(t, err)
	tc.ServerName, tc.MaxVersion, tc.ClientSessionCache = "localhost", version, tls.NewLRUClientSessionCache(0)
	return tc, key
}

func TestAClientThatGoesOnResumingMustSignOnceInASessionLifetime(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range []struct {
			name            string
			lifetime, every time.Duration
			signatures      int // in twelve connections
		}{
			{"24 hours by default, reconnecting each 5 hours", 0, 5 * time.Hour, 3},
			{"an hour, reconnecting each 10 minutes", time.Hour, 10 * time.Minute, 2},
			{"a week, reconnecting each 5 days", 7 * 24 * time.Hour, 5 * 24 * time.Hour, 6},
			{"a minute, reconnecting each 2 minutes", time.Minute, 2 * time.Minute, 12},
		} {
			t.Run(tls.VersionName(version)+"/"+c.name, func(t *testing.T) {
				clock := new(laterClock)
				address := loopback(serve(t, serverConfig(t, pkioverheid.ServerConfig{
					Trust: pkioverheid.Trust{Time: clock.now}, SessionLifetime: c.lifetime,
				}, pkioverheid.AllowOIN(someOIN))))
				client, key := resuming(t, version)
				for range 12 {
					_, err := exchange(address, client)
					require.NoError(t, err)
					clock.ahead.Add(int64(c.every))
				}
				assert.Equal(t, c.signatures, key.times)
			})
		}
	}
}

// Two sessions of one certificate, the older one resumed at the same time as the newer:
// neither lasts longer for it.
func TestSessionsOfOneCertificateDoNotProlongEachOther(t *testing.T) {
	clock := new(laterClock)
	address := loopback(serve(t, serverConfig(t, pkioverheid.ServerConfig{
		Trust: pkioverheid.Trust{Time: clock.now}, SessionLifetime: time.Hour,
	}, pkioverheid.AllowOIN(someOIN))))
	older, key := resuming(t, tls.VersionTLS13)
	newer := older.Clone()
	newer.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	again := func(tc *tls.Config) bool {
		resumed, err := exchange(address, tc)
		require.NoError(t, err)
		return resumed
	}
	assert.False(t, again(older))
	clock.ahead.Add(int64(50 * time.Minute))
	assert.False(t, again(newer))
	assert.True(t, again(newer))
	assert.True(t, again(older))
	assert.True(t, again(newer))
	clock.ahead.Add(int64(11 * time.Minute))
	assert.False(t, again(older), "it signed 61 minutes ago")
	signed := key.times
	again(newer) // may have to sign too early, never too late
	clock.ahead.Add(int64(30 * time.Minute))
	assert.True(t, again(newer), "and recovers")
	assert.LessOrEqual(t, key.times, signed+1)
}

func TestASessionEndsWithTheCertificateThatTheServerShowed(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			own := pairs(ownPair())
			server := serverConfig(t, pkioverheid.ServerConfig{KeyPairs: own}, pkioverheid.AllowOIN(someOIN))
			server.NextProtos = []string{"http/1.1"}
			address := loopback(serve(t, server))
			client, _ := resuming(t, version)
			for i, want := range []bool{false, true, false, true} {
				if i == 2 {
					require.NoError(t, own[0].Set(ownPair()))
				}
				resumed, err := exchange(address, client)
				require.NoError(t, err)
				assert.Equal(t, want, resumed, "connection %d", i)
			}
		})
	}
}

func TestASessionLifetimeIsNotNegative(t *testing.T) {
	_, err := pkioverheid.NewServer(pkioverheid.ServerConfig{KeyPairs: pairs(ownPair()), SessionLifetime: -1}, anybody)
	assert.ErrorContains(t, err, "SessionTicketsDisabled")
}

// heldTicket is a server that answers with the OIN of its client, and can hold the
// handshake of one connection between the client's Finished and the server's ticket.
func heldTicket(t *testing.T, version uint16, own tls.Certificate) (url string, hold func() (held <-chan struct{}, release func())) {
	t.Helper()
	var holding atomic.Pointer[[2]chan struct{}]
	tc := &tls.Config{Certificates: []tls.Certificate{own}, MaxVersion: version, ClientAuth: tls.RequireAnyClientCert}
	tc.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		if h := holding.Swap(nil); h != nil {
			close(h[0])
			<-h[1]
		}
		return tc.EncryptTicket(cs, ss)
	}
	tc.UnwrapSession = tc.DecryptTicket
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claim, _ := pkioverheid.ClaimOf(r.TLS.PeerCertificates[0])
		fmt.Fprint(w, claim.OIN)
	}))
	srv.TLS = tc
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), func() (<-chan struct{}, func()) {
		h := &[2]chan struct{}{make(chan struct{}), make(chan struct{})}
		holding.Store(h)
		return h[0], func() { close(h[1]) }
	}
}

func TestATicketThatArrivesAfterAReplacementResumesNothing(t *testing.T) {
	const otherOIN = "00000001002220647000"
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, what := range []string{"the key pair", "the trust"} {
			t.Run(tls.VersionName(version)+"/"+what, func(t *testing.T) {
				url, hold := heldTicket(t, version, g1.Issue(pkiotest.Leaf{}))
				own, roots := pairs(g1.Issue(pkiotest.Leaf{OIN: someOIN})), truststore.NewSource(g1.Roots())
				client := newClient(t, pkioverheid.ClientConfig{
					Trust: pkioverheid.Trust{Roots: roots}, KeyPairs: own, Base: &http.Transport{DisableKeepAlives: true},
				})
				get := func() (oin string, resumed bool) {
					resp, err := client.Get(url)
					if !assert.NoError(t, err) {
						return "", false
					}
					defer resp.Body.Close()
					body, err := io.ReadAll(resp.Body)
					assert.NoError(t, err)
					return string(body), resp.TLS.DidResume
				}
				held, release := hold()
				done := make(chan string)
				go func() {
					oin, _ := get()
					done <- oin
				}()
				<-held
				want := someOIN
				if what == "the key pair" {
					want = otherOIN
					require.NoError(t, own[0].Set(g1.Issue(pkiotest.Leaf{OIN: otherOIN})))
				} else {
					more := g1.Roots()
					more.Add(testRoot(t, "A").Leaf)
					require.NoError(t, roots.Set(more))
				}
				if version == tls.VersionTLS12 { // there the handshake is not complete yet
					release()
					release = func() {}
				} else {
					oin, resumed := get()
					assert.EqualValues(t, want, oin)
					assert.False(t, resumed)
				}
				release()
				assert.EqualValues(t, someOIN, <-done)
				oin, resumed := get()
				assert.EqualValues(t, want, oin)
				assert.Equal(t, version == tls.VersionTLS13, resumed, "of the connection after the replacement, if there was one")
				oin, resumed = get()
				assert.EqualValues(t, want, oin)
				assert.True(t, resumed)
			})
		}
	}
}

// On a resumed session no server asks for a certificate. What it asked for, and was
// shown, in the handshake that the session began with is what a refusal is about.
func TestARefusalOnAResumedSessionSaysWhatWasAskedAndShown(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	own := g1.Issue(pkiotest.Leaf{OIN: someOIN})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version)+"/in the handshake", func(t *testing.T) {
			var refuse atomic.Bool
			tc := serverConfig(t, pkioverheid.ServerConfig{}, func(pkioverheid.Identity) error {
				if refuse.Load() {
					return errors.New("no longer on the list")
				}
				return nil
			})
			tc.MaxVersion = version
			client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(own), Base: &http.Transport{DisableKeepAlives: true}})
			url := serve(t, tc)
			resp, err := client.Get(url)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			refuse.Store(true)
			_, err = client.Get(url)
			var refused *pkioverheid.ClientCertificateError
			require.ErrorAs(t, err, &refused)
			assert.True(t, refused.Known)
			assert.True(t, refused.Sent)
			assert.Equal(t, own.Leaf, refused.Certificate)
		})
		t.Run(tls.VersionName(version)+"/in a response", func(t *testing.T) {
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
			srv.TLS = &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: version}
			srv.StartTLS()
			t.Cleanup(srv.Close)
			client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(own), Base: &http.Transport{DisableKeepAlives: true}})
			for _, resumed := range []bool{false, true} {
				resp, err := client.Get(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
				require.NoError(t, err)
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				require.Equal(t, resumed, resp.TLS.DidResume)
				var refused *pkioverheid.ClientCertificateError
				require.ErrorAs(t, pkioverheid.RefusedCertificate(resp), &refused)
				assert.True(t, refused.Sent)
				assert.Equal(t, own.Leaf, refused.Certificate)
			}
		})
	}
}

// The README says what tickets cost: those of a plain server hold the client's chain and
// one verified chain, ours each verified chain.
func TestTicketsAreLittleLargerThanThoseOfAPlainServer(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		a := pkiotest.New(h)
		own := a.Issue(pkiotest.Leaf{OIN: someOIN})
		size := func(tc *tls.Config) int {
			var size atomic.Int64
			wrap := tc.WrapSession
			if wrap == nil {
				wrap, tc.UnwrapSession = tc.EncryptTicket, tc.DecryptTicket
			}
			tc.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
				ticket, err := wrap(cs, ss)
				size.Store(int64(len(ticket)))
				return ticket, err
			}
			require.NoError(t, call(t, serve(t, tc), &own))
			return int(size.Load())
		}
		ours := size(serverConfig(t, pkioverheid.ServerConfig{Trust: pkiotest.Trust(a)}, pkioverheid.AllowOIN(someOIN)))
		plain := size(&tls.Config{Certificates: []tls.Certificate{ownPair()}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.Roots().CertPool()})
		require.NotZero(t, plain)
		assert.Less(t, float64(ours)/float64(plain), 1.25, "%v: %d and %d bytes", h, ours, plain)
		assert.Less(t, ours, 14_000)
	}
}

// crypto/tls keeps sessions by host name, without the port.
func TestTwoPortsOfOneNameInTurnResumeNothing(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), Base: &http.Transport{DisableKeepAlives: true}})
	one := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}})
	other := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}})
	for i, c := range []struct {
		url     string
		resumed bool
	}{{one, false}, {one, true}, {other, false}, {other, true}, {one, false}, {other, false}} {
		resp, err := client.Get(c.url)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		assert.Equal(t, c.resumed, resp.TLS.DidResume, "connection %d", i)
	}
}
