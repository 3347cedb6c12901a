package pkioverheid_test

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// traced records events.
type traced struct {
	mu     sync.Mutex
	shown  []pkioverheid.Event
	peers  []pkioverheid.Event
	failed []pkioverheid.Event
	own    []pkioverheid.Event
}

func put[E any](t *traced, to *[]E) func(E) {
	return func(e E) {
		t.mu.Lock()
		defer t.mu.Unlock()
		*to = append(*to, e)
	}
}

func (t *traced) trace() *pkioverheid.Trace {
	return &pkioverheid.Trace{Shown: put(t, &t.shown), Peer: put(t, &t.peers), Failed: put(t, &t.failed), Own: put(t, &t.own)}
}

// lines is a logger and what it wrote.
func lines() (*slog.Logger, *record) {
	r := new(record)
	return slog.New(slog.NewTextHandler(r, nil)), r
}

func TestTraceSaysWhatWasShownAndWhoPresentsG1(t *testing.T) {
	var client, server traced
	trust := fixtureTrust()
	trust.Trace = server.trace()
	g1, g4 := g1AndG4(t, pkiotest.Leaf{OIN: someOIN})
	url := serve(t, serverConfig(t, pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g4, g1}}, anybody))
	trust.Trace = client.trace()
	c := newClient(t, pkioverheid.ClientConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g1, g4}})
	_ = body(t, c, url)
	require.Len(t, client.shown, 1)
	assert.Equal(t, pkioverheid.Event{Peer: "localhost", Certificate: g1.Certificate(), Hierarchy: pkioverheid.PrivateG1, Announced: true}, client.shown[0])
	require.Len(t, client.peers, 1)
	assert.Equal(t, pkioverheid.PrivateG4TLS, client.peers[0].Hierarchy)
	require.Len(t, server.shown, 1)
	assert.Equal(t, pkioverheid.PrivateG4TLS, server.shown[0].Hierarchy)
	assert.True(t, server.shown[0].Server)
	assert.Contains(t, server.shown[0].Peer, "127.0.0.1:")
	require.Len(t, server.peers, 1)
	assert.Equal(t, pkioverheid.PrivateG1, server.peers[0].Hierarchy)
	assert.Equal(t, pkioverheid.OIN(someOIN), server.peers[0].OIN)
	assert.Empty(t, client.failed)
	assert.Empty(t, server.failed)
}

func TestTraceSaysWhyAHandshakeFailed(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	own := g1.KeyPair(pkiotest.Leaf{OIN: someOIN})
	for _, c := range []struct {
		name   string
		server pkioverheid.Authorizer
		client func(*tls.Config)
		want   pkioverheid.FailureReason
	}{
		{"the Authorizer refuses", func(pkioverheid.Identity) error { return errors.New("no") }, func(*tls.Config) {}, pkioverheid.NotLetIn},
		{"the client does not know our CA", anybody, func(tc *tls.Config) { tc.RootCAs = x509.NewCertPool() }, pkioverheid.PeerBadCertificate},
		{"crypto/x509 refuses the client's", anybody, func(tc *tls.Config) {
			tc.GetClientCertificate = shown(testLeaf(t, testRoot(t, "another")))
		}, pkioverheid.RefusedPeer},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen traced
			trust := pkiotest.Trust(g1)
			trust.Trace = seen.trace()
			trust.Logger, _ = lines()
			s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}, func(id pkioverheid.Identity) error {
				if id.Certificate() == pkioverheid.PrivateG4TLS.Root() {
					return nil
				}
				return c.server(id)
			})
			require.NoError(t, err)
			srv := httptest.NewUnstartedServer(hello)
			srv.TLS, srv.Config.ErrorLog = s.TLSConfig(), s.ErrorLog()
			srv.StartTLS()
			t.Cleanup(srv.Close)
			tc := &tls.Config{RootCAs: g1.Roots().CertPool(), ServerName: "localhost", GetClientCertificate: shown(g1.Issue(pkiotest.Leaf{}))}
			c.client(tc)
			conn, err := tls.Dial("tcp", srv.Listener.Addr().String(), tc)
			if err == nil {
				_, err = conn.Read(make([]byte, 1))
				conn.Close()
			}
			require.Error(t, err)
			require.Eventually(t, func() bool {
				seen.mu.Lock()
				defer seen.mu.Unlock()
				return len(seen.failed) == 1
			}, 20*time.Second, time.Millisecond)
			assert.Equal(t, c.want, seen.failed[0].Reason)
			assert.True(t, seen.failed[0].Server)
		})
	}
}

func TestAClientsTraceSaysThatTheServerBrokeOff(t *testing.T) {
	g1, g4 := g1AndG4(t, pkiotest.Leaf{ClientOnly: true})
	url := takes(t, false, pkioverheid.PrivateG1)
	var seen traced
	trust := fixtureTrust()
	trust.Trace = seen.trace()
	client := newClient(t, pkioverheid.ClientConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g4, g1}})
	_, err := client.Get(url)
	require.Error(t, err)
	require.Len(t, seen.failed, 1)
	// In TLS 1.3 the alert can come too late to be read.
	assert.Contains(t, []pkioverheid.FailureReason{pkioverheid.PeerBadCertificate, pkioverheid.PeerBrokeOff}, seen.failed[0].Reason)
	assert.ErrorContains(t, err, "The server named no CAs; we showed the Private G4 TLS certificate; the Private G1 one is second.")
}

func TestAPanicInTraceIsLoggedOnce(t *testing.T) {
	logger, written := lines()
	trust := fixtureTrust()
	trust.Logger = logger
	trust.Trace = &pkioverheid.Trace{Peer: func(pkioverheid.Event) { panic("in a\nhook") }}
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{ownPair()}})
	client := newClient(t, pkioverheid.ClientConfig{Trust: trust})
	for range 3 {
		_ = body(t, client, url)
		client.CloseIdleConnections()
	}
	assert.Equal(t, 1, strings.Count(written.String(), "panicked"))
}

func TestTheErrorLogIsBounded(t *testing.T) {
	logger, written := lines()
	trust := fixtureTrust()
	var seen traced
	trust.Logger, trust.Trace = logger, seen.trace()
	s := newServer(t, pkioverheid.ServerConfig{Trust: trust}, anybody)
	l := s.ErrorLog()
	for range 1000 {
		l.Print("http: TLS handshake error from 192.0.2.1:1234: remote error: tls: unknown certificate authority")
		l.Print("http: TLS handshake error from 192.0.2.1:1234: EOF")
		l.Print("http: something else \x1b[2J" + strings.Repeat("x", 10000))
	}
	assert.Less(t, strings.Count(written.String(), "\n"), 40)
	assert.NotContains(t, written.String(), "\x1b")
	require.Len(t, seen.failed, 2000)
	assert.Equal(t, pkioverheid.PeerUnknownCA, seen.failed[0].Reason)
	assert.Equal(t, "192.0.2.1:1234", seen.failed[0].Peer)
	assert.Equal(t, pkioverheid.PeerBrokeOff, seen.failed[1].Reason)
	s.HandshakeFailed(nil, nil)
	assert.NotPanics(t, func() {
		newServer(t, pkioverheid.ServerConfig{Trust: fixtureTrust()}, anybody).HandshakeFailed(nil, new(tls.CertificateVerificationError))
	})
	s.HandshakeFailed(nil, errors.New("something"))
	assert.Equal(t, pkioverheid.FailureUnknown, seen.failed[2000].Reason)
	s.HandshakeFailed(&net.TCPAddr{}, io.EOF)
	assert.Equal(t, pkioverheid.PeerBrokeOff, seen.failed[2001].Reason)
}

func TestOurOwnCertificateIsLookedAtWhenItIsLoaded(t *testing.T) {
	now := time.Now()
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	year := func(a *pkiotest.Authority, l pkiotest.Leaf) tls.Certificate {
		l.NotBefore, l.NotAfter = now.AddDate(0, 0, -1), now.AddDate(1, 0, 0)
		return a.Issue(l)
	}
	for _, c := range []struct {
		name   string
		pair   tls.Certificate
		server bool
		want   pkioverheid.OwnProblem
		fatal  bool
	}{
		{"nothing is wrong", year(g4, pkiotest.Leaf{OIN: someOIN}), false, "", false},
		{"nothing is wrong with a server's", year(g4, pkiotest.Leaf{OIN: someOIN}), true, "", false},
		{"no OIN", year(g4, pkiotest.Leaf{}), false, pkioverheid.OwnNoOIN, false},
		{"a number of the TSP's own in its place", year(g4, pkiotest.Leaf{OIN: "123456"}), true, pkioverheid.OwnNoOIN, false},
		{"no OIN, and for another purpose than TLS", year(g1, pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.8.4"}}), false, "", false},
		{"ended", g4.Issue(pkiotest.Leaf{NotAfter: now.AddDate(0, 0, -1)}), false, pkioverheid.OwnEnded, true},
		{"not valid yet", g4.Issue(pkiotest.Leaf{NotBefore: now.AddDate(0, 0, 2), NotAfter: now.AddDate(1, 0, 0)}), false, pkioverheid.OwnNotYetValid, false},
		{"a client's without clientAuth", year(g4, pkiotest.Leaf{ServerOnly: true}), false, pkioverheid.OwnWrongUse, true},
		{"a server's without serverAuth", year(g4, pkiotest.Leaf{ClientOnly: true}), true, pkioverheid.OwnWrongUse, true},
		{"ends in 80 days", g4.Issue(pkiotest.Leaf{NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 0, 80)}), true, pkioverheid.OwnEnding, false},
		{"a key that G4 finds too short", year(g4, pkiotest.Leaf{Key: g1.Issue(pkiotest.Leaf{}).PrivateKey.(crypto.Signer)}), false, pkioverheid.OwnShortKey, false},
		{"a CA is missing", testLeaf(t, testRoot(t, "another")), false, pkioverheid.OwnIncomplete, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, allow := range []bool{false, true} {
				var seen traced
				logger, written := lines()
				trust := fixtureTrust()
				trust.Trace, trust.Logger = seen.trace(), logger
				var err error
				if c.server {
					_, err = pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(c.pair), AllowUnsuitable: allow}, anybody)
				} else {
					_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: trust, KeyPairs: pairs(c.pair), AllowUnsuitable: allow})
				}
				if c.fatal && !allow {
					require.ErrorContains(t, err, "AllowUnsuitable")
					continue
				}
				require.NoError(t, err)
				var problems []pkioverheid.OwnProblem
				for _, e := range seen.own {
					problems = append(problems, e.Problem)
					assert.Equal(t, c.server, e.Server)
					assert.Contains(t, written.String(), string(e.Problem))
				}
				if c.want == "" {
					assert.Empty(t, problems)
				} else {
					assert.Contains(t, problems, c.want)
				}
			}
		})
	}
}

// Also below CAs that this client does not trust.
func TestThatOurOwnCertificateIsRevokedIsReported(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	oin := pkiotest.Leaf{OIN: someOIN}
	gone, good, later := g1.Issue(oin), g1.Issue(oin), g1.Issue(oin)
	underTSP := g1.Issue(pkiotest.Leaf{OIN: someOIN, TSP: "QuoVadis"})
	g1.Revoke(gone.Leaf, crl.KeyCompromise)
	g1.Revoke(g1.Certificates()[3], crl.CACompromise) // QuoVadis
	clock := newClock(time.Now())
	cfg := pkiotest.CRLConfig(g1, g4)
	cfg.Time = clock.now
	var seen traced
	trust := pkiotest.Trust(g4)
	trust.Time, trust.Revocation, trust.Trace = clock.now, revocationOf(t, cfg), seen.trace()
	var written *record
	trust.Logger, written = lines()
	of := func(pair tls.Certificate) (problems []pkioverheid.OwnProblem) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		for _, e := range seen.own {
			if e.Certificate.SerialNumber.Cmp(pair.Leaf.SerialNumber) == 0 && e.Problem == pkioverheid.OwnRevoked {
				problems = append(problems, e.Problem)
			}
		}
		return problems
	}
	client := newClient(t, pkioverheid.ClientConfig{Trust: trust, KeyPairs: pairs(gone, good, underTSP)})
	_, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(later)}, anybody)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(of(gone)) == 1 && len(of(underTSP)) == 1 }, 20*time.Second, 5*time.Millisecond)
	assert.Contains(t, written.String(), " (keyCompromise): ask your TSP for a new one")
	assert.Contains(t, written.String(), "(cACompromise): ask for one under another CA")
	assert.Empty(t, of(good))
	assert.Empty(t, of(later))

	clock.set(time.Now().AddDate(0, 0, 1)) // in the first handshake of the next day
	resp, err := client.Get(serve(t, &tls.Config{Certificates: []tls.Certificate{g4.Issue(pkiotest.Leaf{})}}))
	require.NoError(t, err)
	resp.Body.Close()
	require.Eventually(t, func() bool { return len(of(gone)) == 2 }, 20*time.Second, 5*time.Millisecond)
}

// One clock drives what follows files, warns, chooses and asks CRLs through 90 days.
func TestOneClockThrough90Days(t *testing.T) {
	start := time.Now()
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	clock := newClock(start)
	p := watchPair(t, g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: start.AddDate(0, 0, -1), NotAfter: start.AddDate(0, 0, 80)}))
	p.clock.Store(clock.Load())
	cfg := pkiotest.CRLConfig(g1, g4)
	cfg.Time = clock.now
	publish := func(at time.Time) { // as the CAs do, every second day
		for _, ca := range g1.Certificates()[:3] {
			g1.ServeCRL(ca, g1.CRL(ca, at.Add(-time.Hour), at.Add(80*time.Hour)))
		}
	}
	publish(start)
	trust := clock.trust()
	trust.Revocation = revocationOf(t, cfg)
	var seen traced
	var written *record
	trust.Trace = seen.trace()
	trust.Logger, written = lines()
	second := g4.KeyPair(pkiotest.Leaf{OIN: someOIN, NotBefore: start.AddDate(0, 0, -1), NotAfter: start.AddDate(1, 0, 0)})
	second.PreferFrom = start.AddDate(0, 0, 40)
	client := newClient(t, pkioverheid.ClientConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{p.KeyPair, second}})
	url := takes(t, true, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS)
	showed := make(map[string]int)
	for day := range 90 {
		at := start.AddDate(0, 0, day)
		clock.set(at)
		p.clock.Store(&at)
		if day%2 == 0 {
			publish(at)
		}
		client.CloseIdleConnections()
		resp, err := client.Get(url)
		var refused *pkioverheid.ServerCertificateError
		if errors.As(err, &refused) {
			showed[string(refused.Reason)]++
			continue
		}
		require.NoError(t, err, "day %d", day)
		shown, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		showed[string(shown)]++
		client.CloseIdleConnections()
		if again, err := client.Get(url); err == nil {
			again.Body.Close()
		}
		switch day {
		case 20:
			assert.InDelta(t, 21, seen.ending(), 1, "once a day")
			p.pair(t, "own", g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: start.AddDate(0, 0, -1), NotAfter: start.AddDate(1, 0, 0)}))
			deadline := time.Now().Add(20 * time.Second)
			for p.Status().Certificate.NotAfter.Before(start.AddDate(0, 6, 0)) && time.Now().Before(deadline) {
				next := p.clock.Load().Add(time.Second) // the watcher waits by this clock
				p.clock.Store(&next)
				time.Sleep(5 * time.Millisecond)
			}
			require.NoError(t, p.Status().Err)
		case 79:
			g1.Revoke(resp.TLS.PeerCertificates[0], crl.KeyCompromise)
		}
	}
	// The list from before is good until the new one has come.
	assert.GreaterOrEqual(t, showed["revoked"], 6)
	assert.Equal(t, map[string]int{"Private G1": 40, "Private G4 TLS": 50 - showed["revoked"], "revoked": showed["revoked"]}, showed)
	assert.Contains(t, written.String(), "its deadline is near")
	assert.Contains(t, written.String(), "order one under Private G4 TLS")
}

// ending counts the events about a deadline.
func (t *traced) ending() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.own {
		if e.Problem == pkioverheid.OwnEnding {
			n++
		}
	}
	return n
}

// crypto/x509 quotes the names in a certificate as they are, and as many as there are.
func TestErrorsOfHandshakesAreShortAndOnOneLine(t *testing.T) {
	var reported error
	trust := fixtureTrust()
	trust.Trace = &pkioverheid.Trace{Failed: func(e pkioverheid.Event) { reported = e.Err }}
	s := newServer(t, pkioverheid.ServerConfig{Trust: trust}, anybody)
	name := x509.HostnameError{Host: "a", Certificate: &x509.Certificate{DNSNames: []string{strings.Repeat("name\n", 2000)}}}
	s.HandshakeFailed(nil, &tls.CertificateVerificationError{Err: name})
	require.Error(t, reported)
	assert.Less(t, len(reported.Error()), 1000)
	assert.NotContains(t, reported.Error(), "\n")
	var cause *tls.CertificateVerificationError
	assert.ErrorAs(t, reported, &cause)
}

// Whoever looks for a fault in a handler needs to see where it was, whatever else is logged.
func TestTheLogOfErrorsHasTheStackOfAPanic(t *testing.T) {
	var written strings.Builder
	trust := fixtureTrust()
	trust.Logger = slog.New(slog.NewTextHandler(&written, nil))
	l := newServer(t, pkioverheid.ServerConfig{Trust: trust}, anybody).ErrorLog()
	l.Print("http: something else")
	l.Printf("http: panic serving 192.0.2.1:1234: out of range\n%sthe.place(0x1)\n\t/src/place.go:12", strings.Repeat("net/http.serve(0x1)\n\t/src/server.go:1\n", 100))
	assert.Contains(t, written.String(), "place.go:12")
	l.Print("http: panic serving 192.0.2.1:1234: " + strings.Repeat("x", 1<<20))
	assert.Less(t, len(written.String()), 20<<10)
}
