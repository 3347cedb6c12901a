package pkioverheid_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// welcome answers with who calls, and counts.
type welcome struct{ calls atomic.Int64 }

func (h *welcome) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.calls.Add(1)
	id, ok := pkioverheid.IdentityFromContext(r.Context())
	if !ok {
		http.Error(w, "nobody", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "welcome, %s of %v", id.OIN(), id.Hierarchy())
}

// guarded is a Server's Handler, what gets through to it and what is logged.
func guarded(t testing.TB, cfg pkioverheid.ServerConfig, allow pkioverheid.Authorizer) (http.Handler, *welcome, *record) {
	t.Helper()
	logged, inside := new(record), new(welcome)
	cfg.Trust.Logger = slog.New(slog.NewJSONHandler(logged, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return newServer(t, cfg, allow).Handler(inside), inside, logged
}

// behindTLS serves a handler with mutual TLS that lets in every certificate that verifies.
func behindTLS(t testing.TB, h http.Handler, cfg pkioverheid.ServerConfig, http2 bool) string {
	t.Helper()
	tc := serverConfig(t, cfg, func(pkioverheid.Identity) error { return nil })
	srv := httptest.NewUnstartedServer(h)
	srv.TLS, srv.EnableHTTP2 = tc, http2
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	require.NoError(t, err)
	return "https://" + net.JoinHostPort("localhost", port)
}

func TestHandlersLearnWhoCalls(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	own := pkiotest.Leaf{OIN: someOIN}
	cases := []struct {
		name    string
		cert    tls.Certificate
		status  int
		says    string
		oin     string
		subject string
	}{
		{"G1, on the list", g1.Issue(own), 200, "welcome, 00000003271987420000 of Private G1", "", ""},
		{"G4, on the list", g4.Issue(own), 200, "welcome, 00000003271987420000 of Private G4 TLS", "", ""},
		{"another OIN", g1.Issue(pkiotest.Leaf{OIN: "00000001002220647000"}), 403, "OIN 00000001002220647000 is not on the list", "00000001002220647000", "Testgemeente"},
		{"no OIN", g1.Issue(pkiotest.Leaf{}), 403, "bears no OIN", "", "Testgemeente"},
		{"a person with the OIN", g1.Issue(pkiotest.Leaf{OIN: someOIN, Policies: []string{"2.16.528.1.1003.1.2.8.1"}}), 403, "not the certificate of a system", "", "SERIALNUMBER=" + string(someOIN)},
		{"a name with control characters", g1.Issue(pkiotest.Leaf{Organization: "a\x1b[2J\nb"}), 403, "bears no OIN", "", `O=a\\1B[2J\\0Ab`},
	}
	for _, http2 := range []bool{false, true} {
		for _, c := range cases {
			t.Run(fmt.Sprintf("HTTP/2 %v/%s", http2, c.name), func(t *testing.T) {
				h, inside, logged := guarded(t, pkioverheid.ServerConfig{}, pkioverheid.AllowOIN(someOIN))
				resp, body, err := fetch(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(c.cert)}, behindTLS(t, h, pkioverheid.ServerConfig{}, http2))
				require.NoError(t, err)
				assert.Equal(t, http2, resp.ProtoMajor == 2)
				assert.Equal(t, c.status, resp.StatusCode)
				assert.Contains(t, body, c.says)
				if c.status == 200 {
					assert.Empty(t, logged.String())
					return
				}
				assert.Zero(t, inside.calls.Load())
				assert.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"))
				assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
				assert.Equal(t, 1, strings.Count(body, "\n"))
				assert.Equal(t, 1, strings.Count(logged.String(), "\n"))
				assert.Contains(t, logged.String(), `"level":"WARN"`)
				assert.Contains(t, logged.String(), c.says)
				assert.Contains(t, logged.String(), `"oin":"`+c.oin+`"`)
				assert.Contains(t, logged.String(), c.subject)
				assert.Contains(t, logged.String(), `"remote":"127.0.0.1:`)
				assert.NotContains(t, logged.String(), `\u001b`)
			})
		}
	}
}

func TestWhoIsNotVerifiedIsRefused(t *testing.T) {
	g1, g3 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3)
	leaf, cas := g1.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf, g1.Certificates()
	ended := g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}).Leaf
	g3Leaf, g3CAs := g3.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf, g3.Certificates()
	cases := []struct {
		name  string
		state *tls.ConnectionState
		says  string
	}{
		{"no TLS", nil, "did not come over TLS"},
		{"no certificate", &tls.ConnectionState{}, "showed no certificate that was verified"},
		{"a certificate that nobody verified", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}, "showed no certificate that was verified"},
		{"an empty chain", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}}}, "showed no certificate"},
		{"a chain of nil", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{nil}}}, "refused: unknown authority"},
		{"ended since the handshake", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{ended, cas[2], cas[1], cas[0]}}}, "refused: expired"},
		{"verified by others, under G3", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{g3Leaf, g3CAs[2], g3CAs[1], g3CAs[0]}}}, "G3 refused"},
		{"a CA", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cas[2], cas[1], cas[0]}}}, "the caller's certificate was refused"},
		{"verified by others, under a root that is not trusted here", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{forgedPair(t, someOIN).Leaf, personsCA(t)}}}, "refused: unknown authority"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h, inside, logged := guarded(t, pkioverheid.ServerConfig{}, func(pkioverheid.Identity) error { return nil })
			for range 2 { // the second time from what is remembered
				r := httptest.NewRequest("GET", "/", nil)
				r.TLS = c.state
				r.Header.Set("X-Client-Cert", escapedPEM(leaf)) // means nothing here
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				assert.Equal(t, 403, w.Code)
				assert.Contains(t, w.Body.String(), c.says)
			}
			assert.Zero(t, inside.calls.Load())
			assert.Equal(t, 1, strings.Count(logged.String(), "\n"))
		})
	}
}

func TestTheContextOfOthersHoldsNobody(t *testing.T) {
	_, ok := pkioverheid.IdentityFromContext(context.Background())
	assert.False(t, ok)
}

func TestServerErrors(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	with := func(p pkioverheid.Proxy) pkioverheid.ServerConfig { return pkioverheid.ServerConfig{Proxy: &p} }
	own := pairs(ownPair())
	for name, c := range map[string]struct {
		cfg  pkioverheid.ServerConfig
		says string
	}{
		"no key pair":                   {pkioverheid.ServerConfig{}, "ServerConfig.KeyPairs is empty: load one with LoadKeyPair, or set Proxy"},
		"a nil among them":              {pkioverheid.ServerConfig{KeyPairs: append(own, nil)}, "KeyPairs holds an empty KeyPair"},
		"no root":                       {pkioverheid.ServerConfig{KeyPairs: own, Trust: pkioverheid.Trust{OnlyRoots: true}}, "no roots to trust"},
		"no format":                     {with(pkioverheid.Proxy{Header: "X", From: loopback}), "Proxy.Format"},
		"a format that is none":         {with(pkioverheid.Proxy{Format: "apache", Header: "X", From: loopback}), "Proxy.Format"},
		"no header where none is usual": {with(pkioverheid.Proxy{Format: pkioverheid.NginxEscapedPEM, From: loopback}), "Proxy.Header"},
		"a header that is none":         {with(pkioverheid.Proxy{Format: pkioverheid.NginxEscapedPEM, Header: "X Y:", From: loopback}), "is not the name of a header"},
		"no address":                    {with(pkioverheid.Proxy{Format: pkioverheid.EnvoyXFCC}), "Proxy.From is empty"},
		"a prefix that is none":         {with(pkioverheid.Proxy{Format: pkioverheid.EnvoyXFCC, From: make([]netip.Prefix, 1)}), "a prefix that is not valid"},
		"everybody":                     {with(pkioverheid.Proxy{Format: pkioverheid.EnvoyXFCC, From: []netip.Prefix{netip.MustParsePrefix("::/0")}}), "every address"},
		"IPv4 in IPv6":                  {with(pkioverheid.Proxy{Format: pkioverheid.EnvoyXFCC, From: []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr("::ffff:10.0.0.0"), 104)}}), "IPv4 prefix"},
	} {
		_, err := pkioverheid.NewServer(c.cfg, pkioverheid.AllowAnySystem())
		assert.ErrorContains(t, err, c.says, name)
	}
	s := newServer(t, pkioverheid.ServerConfig{}, anybody)
	_, err := s.HandlerFor(nil)
	assert.ErrorContains(t, err, "needs an Authorizer")
	assert.Panics(t, func() { s.Handler(nil) }, "as http.Handle does")
}

func TestACallerUnderClientRootsIsIdentified(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	cfg := pkioverheid.ServerConfig{Trust: pkiotest.Trust(g1), ClientRoots: truststore.NewSource(g4.Roots())}
	h, _, _ := guarded(t, cfg, pkioverheid.AllowOIN(someOIN))
	url := behindTLS(t, h, cfg, false)
	cert := g4.Issue(pkiotest.Leaf{OIN: someOIN})
	resp, body, err := fetch(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(cert)}, url)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode, body)

	// G-Other is not among the hierarchies: its holder is known by the root's being
	// named.
	root, leaf := testcert.OtherHierarchy(t, "2.16.528.1.1003.1.2.44.16.25.8", someOIN)
	cfg = pkioverheid.ServerConfig{Trust: pkiotest.Trust(g1), ClientRoots: truststore.NewSource(truststore.New(root))}
	h, _, _ = guarded(t, cfg, pkioverheid.AllowOIN(someOIN))
	resp, body, err = fetch(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(leaf)}, behindTLS(t, h, cfg, false))
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode, body)
	assert.Contains(t, body, someOIN)

	person, leaf := testcert.OtherHierarchy(t, "2.16.528.1.1003.1.2.44.16.11.1", someOIN)
	cfg.ClientRoots = truststore.NewSource(truststore.New(person))
	h, _, _ = guarded(t, cfg, pkioverheid.AllowOIN(someOIN))
	resp, body, err = fetch(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(leaf)}, behindTLS(t, h, cfg, false))
	require.NoError(t, err)
	assert.Equal(t, 403, resp.StatusCode)
	assert.Contains(t, body, "not the certificate of a system")
}

// What a root of a user's own calls a CA does not make it CIBG's: the root's owner can
// write any name.
func TestATSPIsKnownByANameOnlyBelowRootsForClients(t *testing.T) {
	root, pair := uziBelow(t, "CIBG")
	chains := [][]*x509.Certificate{pair}
	for name, c := range map[string]struct {
		cfg  pkioverheid.ServerConfig
		want pkioverheid.TSP
	}{
		"below Roots":       {pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root))}}, ""},
		"below ClientRoots": {pkioverheid.ServerConfig{ClientRoots: truststore.NewSource(truststore.New(root))}, pkioverheid.CIBG},
		"below TrialRoots":  {pkioverheid.ServerConfig{Trust: pkioverheid.Trust{TrialRoots: truststore.New(root)}}, pkioverheid.CIBG},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.KeyPairs = pairs(ownPair())
			s, err := pkioverheid.NewServer(c.cfg, anybody)
			require.NoError(t, err)
			identify := s.Identify
			id, err := identify(&tls.ConnectionState{VerifiedChains: chains})
			require.NoError(t, err)
			assert.Zero(t, id.Hierarchy())
			assert.Equal(t, c.want, id.TSP())
		})
	}
}

// uziBelow is a chain of three, whose CA is called that.
func uziBelow(t testing.TB, organization string) (root *x509.Certificate, verified []*x509.Certificate) {
	t.Helper()
	name := func(cn string) pkix.Name {
		return pkix.Name{CommonName: cn, Organization: []string{organization}, Country: []string{"NL"}}
	}
	top := sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: name("Root")}, nil)
	ca := sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: name("CA")}, &top)
	leaf := sign(t, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, Subject: pkix.Name{CommonName: "x", SerialNumber: string(someOIN)}}, &ca)
	return top.Leaf, []*x509.Certificate{leaf.Leaf, ca.Leaf, top.Leaf}
}

func TestCallersAreIdentifiedForOtherServersThanNetHTTPs(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	root, other := testcert.OtherHierarchy(t, "2.16.528.1.1003.1.2.44.16.25.8", someOIN)
	a, b := testRoot(t, "A"), testRoot(t, "B")
	with := func(root tls.Certificate) *truststore.Store {
		all := fixtureRoots()
		all.Add(root.Leaf)
		return all
	}
	roots := truststore.NewSource(with(a))
	now := time.Now()
	s := newServer(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: roots, Time: func() time.Time { return now }}, ClientRoots: truststore.NewSource(truststore.New(root))}, anybody)
	identify := s.Identify
	shown := func(leaf *x509.Certificate, above ...*x509.Certificate) *tls.ConnectionState {
		return &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{append([]*x509.Certificate{leaf}, above...)}}
	}
	up := func(a *pkiotest.Authority) []*x509.Certificate {
		cas := a.Certificates()
		return []*x509.Certificate{cas[2], cas[1], cas[0]}
	}
	own := pkiotest.Leaf{OIN: someOIN}
	ofG1, ofG4, ofA := shown(g1.Issue(own).Leaf, up(g1)...), shown(g4.Issue(own).Leaf, up(g4)...), shown(testLeaf(t, a).Leaf, a.Leaf)
	for _, c := range []struct {
		state *tls.ConnectionState
		want  pkioverheid.Hierarchy
	}{{ofG1, pkioverheid.PrivateG1}, {ofG4, pkioverheid.PrivateG4TLS}, {shown(other.Leaf, root), ""}} {
		id, err := identify(c.state)
		require.NoError(t, err)
		assert.Equal(t, c.want, id.Hierarchy())
		assert.NoError(t, pkioverheid.AllowOIN(someOIN)(id))
	}
	foreign, leaf := testcert.OtherHierarchy(t, "2.16.528.1.1003.1.2.44.16.25.8", someOIN)
	for name, state := range map[string]*tls.ConnectionState{
		"nobody":                       nil,
		"no certificate":               {},
		"a certificate not verified":   {PeerCertificates: []*x509.Certificate{g1.Issue(own).Leaf}},
		"a chain of nothing":           {VerifiedChains: [][]*x509.Certificate{nil}},
		"a CA":                         shown(g1.Certificates()[2], g1.Certificates()[1], g1.Certificates()[0]),
		"a CA that is trusted, alone":  shown(g1.Certificates()[0]),
		"verified by another's roots":  shown(leaf.Leaf, foreign),
		"a chain that others verified": shown(g1.Issue(own).Leaf, foreign),
	} {
		id, err := identify(state)
		assert.ErrorContains(t, err, "pkioverheid: ", name)
		assert.Equal(t, pkioverheid.Identity{}, id, name)
	}
	_, err := identify(ofA)
	assert.NoError(t, err)
	require.NoError(t, roots.Set(with(b)))
	_, err = identify(ofA)
	assert.Error(t, err, "the root was taken away")
	_, err = identify(ofG1)
	assert.NoError(t, err)
	now = now.AddDate(5, 0, 0)
	_, err = identify(ofG1)
	assert.Error(t, err, "it has ended since")
}

func TestTheListCountsForConnectionsThatAreOpen(t *testing.T) {
	var list pkioverheid.OINList
	require.NoError(t, list.Set(someOIN))
	h, _, _ := guarded(t, pkioverheid.ServerConfig{}, list.Allow)
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN})
	client := newClient(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(cert)})
	var handshakes atomic.Int64
	tc := serverConfig(t, pkioverheid.ServerConfig{}, func(pkioverheid.Identity) error { handshakes.Add(1); return nil })
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = tc
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	require.NoError(t, err)
	status := func() int {
		resp, err := client.Get("https://localhost:" + port)
		require.NoError(t, err)
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		return resp.StatusCode
	}
	assert.Equal(t, 200, status())
	require.NoError(t, list.Set())
	assert.Equal(t, 403, status())
	require.NoError(t, list.Set(someOIN))
	assert.Equal(t, 200, status())
	assert.Equal(t, int64(1), handshakes.Load(), "all on one connection")
}

// A CRL may be out of reach for a moment: that is not a reason to refuse a connection for
// as long as an identity is kept.
func TestARefusalIsNotKept(t *testing.T) {
	var down atomic.Bool
	h, _, _ := guarded(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Policy: func(chain.Chain, time.Time) error {
		if down.Load() {
			return errors.New("the CRL cannot be fetched")
		}
		return nil
	}}}, pkioverheid.AllowOIN(someOIN))
	r := httptest.NewRequest("GET", "/", nil)
	r.TLS = verifiedState(t)
	for _, c := range []struct {
		down   bool
		status int
	}{{true, 403}, {true, 403}, {false, 200}, {true, 200}} { // the last from what is kept
		down.Store(c.down)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, c.status, w.Code, w.Body.String())
	}
}

func TestWhatAnAuthorizerSaysIsToldOnlyIfItIsMeantTo(t *testing.T) {
	state := verifiedState(t)
	for name, c := range map[string]struct {
		err         error
		told, tells string
	}{
		"an error of its own":       {errors.New("dial tcp 10.0.0.7: password hunter2"), `"localhost" is not let in`, "hunter2"},
		"an AccessError":            {&pkioverheid.AccessError{Problem: "your contract\nhas ended."}, `your contract\nhas ended`, "has ended"},
		"an AccessError in another": {fmt.Errorf("hunter2: %w", &pkioverheid.AccessError{Problem: "no contract."}), "pkioverheid: no contract", "hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, logged := guarded(t, pkioverheid.ServerConfig{}, func(pkioverheid.Identity) error { return c.err })
			r := httptest.NewRequest("GET", "/", nil)
			r.TLS = state
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, 403, w.Code)
			assert.Contains(t, w.Body.String(), c.told)
			assert.NotContains(t, w.Body.String(), "hunter2")
			assert.Contains(t, logged.String(), c.tells)
		})
	}
}

// verifiedState is what crypto/tls found of a system's certificate.
func verifiedState(t testing.TB) *tls.ConnectionState {
	t.Helper()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cas := g1.Certificates()
	return &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, HandshakeComplete: true,
		VerifiedChains: [][]*x509.Certificate{{g1.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf, cas[2], cas[1], cas[0]}}}
}

func TestChainsAreJudgedAgainWhenTheRootsChange(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	var judged atomic.Int64
	refuse := errors.New("revoked")
	var revoked atomic.Bool
	h, _, _ := guarded(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(g1.Roots()), Policy: func(chain.Chain, time.Time) error {
		judged.Add(1)
		if revoked.Load() {
			return refuse
		}
		return nil
	}}}, pkioverheid.AllowOIN(someOIN))
	state := verifiedState(t)
	serve := func(state *tls.ConnectionState) int {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = state
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for range 10 {
		assert.Equal(t, 200, serve(state))
	}
	assert.Equal(t, int64(1), judged.Load(), "once a connection")
	revoked.Store(true)
	again := *state
	assert.Equal(t, 403, serve(&again), "another connection")
	// The same pointer with another certificate in it, as no server of net/http does.
	state.VerifiedChains = verifiedState(t).VerifiedChains
	assert.Equal(t, 403, serve(state))
}

func TestARootThatIsTakenAwayCountsForOpenConnections(t *testing.T) {
	a, b := testRoot(t, "A"), testRoot(t, "B")
	leaf := testLeaf(t, a).Leaf
	roots := watchRoots(t, a.Leaf)
	cfg := pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: roots.source, OnlyRoots: true}}
	direct, _, _ := guarded(t, cfg, func(pkioverheid.Identity) error { return nil })
	proxied, _, _ := guarded(t, behind(cfg, &pkioverheid.Proxy{Format: pkioverheid.RFC9440, From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}), func(pkioverheid.Identity) error { return nil })
	r := httptest.NewRequest("GET", "/", nil)
	r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf, a.Leaf}}}
	r.Header.Set("Client-Cert", ":"+base64.StdEncoding.EncodeToString(leaf.Raw)+":")
	status := func(h http.Handler) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for _, h := range []http.Handler{direct, proxied} {
		assert.Equal(t, 200, status(h))
	}
	roots.write(t, b.Leaf)
	for _, h := range []http.Handler{direct, proxied} {
		assert.Equal(t, 403, status(h))
	}
}

func TestManyCallersAtTheSameTime(t *testing.T) {
	var list pkioverheid.OINList
	require.NoError(t, list.Set(someOIN))
	h, inside, _ := guarded(t, pkioverheid.ServerConfig{}, list.Allow)
	states := []*tls.ConnectionState{verifiedState(t), verifiedState(t), verifiedState(t)}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				r := httptest.NewRequest("GET", "/", nil)
				r.TLS = states[(i+j)%len(states)]
				h.ServeHTTP(httptest.NewRecorder(), r)
				assert.NoError(t, list.Set(someOIN, "00000001002220647000"))
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(8*50), inside.calls.Load())
}

// The headers of proxies.

func escapedPEM(certs ...*x509.Certificate) string { return url.PathEscape(inPlain(certs...)) }

func inPlain(certs ...*x509.Certificate) string {
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return string(text)
}

// xfccPEM escapes as Envoy does, plus signs and all.
func xfccPEM(certs ...*x509.Certificate) string {
	return strings.NewReplacer("+", "%2B", "=", "%3D", "/", "%2F").Replace(escapedPEM(certs...))
}

func TestProxiesSendTheCertificateInAHeader(t *testing.T) {
	const (
		nginx, envoy, haproxy, rfc = pkioverheid.NginxEscapedPEM, pkioverheid.EnvoyXFCC, pkioverheid.HAProxyDER, pkioverheid.RFC9440
	)
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf := g1.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	other := g1.Issue(pkiotest.Leaf{OIN: "00000001002220647000"}).Leaf
	person := g1.Issue(pkiotest.Leaf{OIN: someOIN, Policies: []string{"2.16.528.1.1003.1.2.8.1"}}).Leaf
	ended := g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}).Leaf
	g3 := pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	forged := forgedPair(t, someOIN).Leaf
	serverOnly := g1.Issue(pkiotest.Leaf{OIN: someOIN, ServerOnly: true}).Leaf
	b64 := func(der []byte) string { return base64.StdEncoding.EncodeToString(der) }
	quoted := func(key, value string) string { return key + `="` + value + `"` }
	const proxy, stranger = "192.0.2.1:4711", "198.51.100.7:4711"
	cases := []struct {
		name   string
		format pkioverheid.ProxyFormat
		remote string
		values []string
		status int
		says   string
	}{
		{"nginx", nginx, proxy, []string{escapedPEM(leaf)}, 200, "welcome"},
		{"nginx, over IPv6 with the address in IPv6's form", nginx, "[::ffff:192.0.2.1]:4711", []string{escapedPEM(leaf)}, 200, "welcome"},
		{"nginx, over IPv6", nginx, "[2001:db8::7%eth0]:4711", []string{escapedPEM(leaf)}, 200, "welcome"},
		{"HAProxy", haproxy, proxy, []string{b64(leaf.Raw)}, 200, "welcome"},
		{"RFC 9440", rfc, proxy, []string{":" + b64(leaf.Raw) + ":"}, 200, "welcome"},
		{"Envoy, Cert", envoy, proxy, []string{`By=spiffe://x;Hash=00;` + quoted("Cert", xfccPEM(leaf)) + `;Subject="CN=\"a\",O=b;c";URI=;DNS=localhost`}, 200, "welcome"},
		{"Envoy, Chain", envoy, proxy, []string{quoted("Chain", xfccPEM(leaf, g1.Certificates()[2]))}, 200, "welcome"},
		{"Envoy, both", envoy, proxy, []string{quoted("Cert", xfccPEM(leaf)) + ";" + quoted("Chain", xfccPEM(leaf, g1.Certificates()[2], g1.Certificates()[1]))}, 200, "welcome"},
		{"Envoy, unquoted", envoy, proxy, []string{"cert=" + xfccPEM(leaf)}, 200, "welcome"},

		{"a stranger with the header", nginx, stranger, []string{escapedPEM(leaf)}, 403, "came from an address that is not the proxy's"},
		{"a stranger without", nginx, stranger, nil, 403, "did not come through the proxy"},
		{"an address that is none", nginx, "", []string{escapedPEM(leaf)}, 403, "not the proxy's"},
		{"an address with no port", nginx, "192.0.2.1", []string{escapedPEM(leaf)}, 403, "not the proxy's"},
		{"a Unix socket that is not", nginx, "@", []string{escapedPEM(leaf)}, 403, "not the proxy's"},
		{"no header", nginx, proxy, nil, 403, "got no certificate from the caller"},
		{"an empty header", haproxy, proxy, []string{""}, 403, "got no certificate from the caller"},
		{"the header twice", nginx, proxy, []string{escapedPEM(leaf), escapedPEM(leaf)}, 400, "it is there 2 times"},
		{"the header twice, empty first", nginx, proxy, []string{"", escapedPEM(leaf)}, 400, "it is there 2 times"},
		{"two certificates in one", nginx, proxy, []string{escapedPEM(leaf, other)}, 400, "two certificates"},
		{"two certificates in DER", haproxy, proxy, []string{b64(append(bytes.Clone(leaf.Raw), other.Raw...))}, 400, "trailing data"},
		{"two values joined by a comma", haproxy, proxy, []string{b64(leaf.Raw) + ", " + b64(other.Raw)}, 400, "base64 is broken"},
		{"two elements of Envoy", envoy, proxy, []string{quoted("Cert", xfccPEM(leaf)) + "," + quoted("Cert", xfccPEM(other))}, 400, "SANITIZE_SET"},
		{"Cert twice in Envoy's element", envoy, proxy, []string{quoted("Cert", xfccPEM(leaf)) + ";" + quoted("CERT", xfccPEM(other))}, 400, `"CERT" twice`},
		{"Cert twice, empty first", envoy, proxy, []string{`Cert="";` + quoted("Cert", xfccPEM(other))}, 400, `"Cert" twice`},
		{"Cert is not of Chain", envoy, proxy, []string{quoted("Cert", xfccPEM(leaf)) + ";" + quoted("Chain", xfccPEM(other, leaf))}, 400, "not the first certificate of its Chain"},
		{"two certificates in Cert", envoy, proxy, []string{quoted("Cert", xfccPEM(leaf, other))}, 400, "two certificates"},
		{"eleven in Chain", envoy, proxy, []string{quoted("Chain", xfccPEM(leaf, leaf, leaf, leaf, leaf, leaf, leaf, leaf, leaf, leaf, leaf))}, 400, "more than 10"},
		{"Envoy without Cert", envoy, proxy, []string{"By=x;Hash=00"}, 400, "set cert to true"},
		{"Envoy with a quotation mark missing", envoy, proxy, []string{`Cert="` + xfccPEM(leaf)}, 400, "quotation mark is missing"},
		{"Envoy, cut off in an escape", envoy, proxy, []string{`Cert="\`}, 400, "quotation mark is missing"},
		{"Envoy with something behind", envoy, proxy, []string{quoted("Cert", xfccPEM(leaf)) + "x"}, 400, "after a quoted value"},
		{"Envoy, no pairs", envoy, proxy, []string{"hello"}, 400, "key=value"},
		{"Envoy, a quotation mark within", envoy, proxy, []string{`By=a"b`}, 400, "quotation mark"},
		{"percent-encoding that is broken", nginx, proxy, []string{escapedPEM(leaf) + "%2"}, 400, "percent-encoding"},
		{"a private key beside it", nginx, proxy, []string{escapedPEM(leaf) + "-----BEGIN%20PRIVATE%20KEY-----%0A-----END%20PRIVATE%20KEY-----"}, 400, "not one certificate in PEM"},
		{"text before it", nginx, proxy, []string{"hello%0A" + escapedPEM(leaf)}, 400, "not one certificate in PEM"},
		{"white space only", nginx, proxy, []string{"%20"}, 400, "not one certificate in PEM"},
		{"cut off", nginx, proxy, []string{escapedPEM(leaf)[:400]}, 400, "not one certificate in PEM"},
		{"as a query is escaped", nginx, proxy, []string{url.QueryEscape(inPlain(leaf))}, 400, "not one certificate in PEM: its spaces are written as +, as url.QueryEscape does: write it as nginx and url.PathEscape do"},
		{"with a plus sign that became a space", nginx, proxy, []string{strings.Replace(escapedPEM(leaf), "%0AM", "%0A%20", 1)}, 400, "there are spaces in its base64, where a + or the end of a line was"},
		{"with four of them, which are a character less", nginx, proxy, []string{strings.Replace(escapedPEM(leaf), "%0AMIIF", "%0A%20%20%20%20", 1)}, 400, "there are spaces in its base64, where a + or the end of a line was"},
		{"with lines that became one", nginx, proxy, []string{strings.ReplaceAll(inPlain(leaf), "\n", " ")}, 400, "there are spaces in its base64, where a + or the end of a line was"},
		{"without its first line", nginx, proxy, []string{strings.TrimPrefix(escapedPEM(leaf), "-----BEGIN%20CERTIFICATE-----%0A")}, 400, "it does not begin with -----BEGIN CERTIFICATE-----"},
		{"in DER", nginx, proxy, []string{b64(leaf.Raw)}, 400, "it does not begin with -----BEGIN CERTIFICATE-----"},
		{"a body that is not a certificate", nginx, proxy, []string{"-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----"}, 400, "malformed"},
		{"DER that is cut off", haproxy, proxy, []string{b64(leaf.Raw[:100])}, 400, "malformed"},
		{"no colons", rfc, proxy, []string{b64(leaf.Raw)}, 400, "two colons"},
		{"one colon", rfc, proxy, []string{":"}, 400, "two colons"},
		{"a parameter behind", rfc, proxy, []string{":" + b64(leaf.Raw) + ":;a=1"}, 400, "two colons"},
		{"too long", nginx, proxy, []string{strings.Repeat("a", 65537)}, 400, "65537 bytes"},
		{"a megabyte of percent signs", nginx, proxy, []string{strings.Repeat("%", 1<<20)}, 400, "1048576 bytes"},

		{"another OIN", nginx, proxy, []string{escapedPEM(other)}, 403, "OIN 00000001002220647000 is not on the list"},
		{"a person", nginx, proxy, []string{escapedPEM(person)}, 403, "not the certificate of a system"},
		{"ended", nginx, proxy, []string{escapedPEM(ended)}, 403, "refused: expired"},
		{"G3", nginx, proxy, []string{escapedPEM(g3)}, 403, "G3 refused"},
		{"forged", nginx, proxy, []string{escapedPEM(forged)}, 403, "caller's certificate was refused"},
		{"for servers only", nginx, proxy, []string{escapedPEM(serverOnly)}, 403, "refused: wrong usage"},
		{"a CA", nginx, proxy, []string{escapedPEM(g1.Certificates()[2])}, 403, "refused"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h, inside, logged := guarded(t, pkioverheid.ServerConfig{Proxy: &pkioverheid.Proxy{Format: c.format, Header: "x-client-cert", From: []netip.Prefix{
				netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"),
			}}}, pkioverheid.AllowOIN(someOIN))
			for range 2 { // the second time from what is remembered
				r := httptest.NewRequest("GET", "/", nil)
				r.RemoteAddr, r.TLS = c.remote, nil
				r.Header["X-Client-Cert"] = c.values
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				assert.Equal(t, c.status, w.Code)
				assert.Contains(t, w.Body.String(), c.says)
				assert.Less(t, w.Body.Len(), 700)
			}
			if c.status == 200 {
				assert.Equal(t, int64(2), inside.calls.Load())
				assert.Empty(t, logged.String())
			} else {
				assert.Zero(t, inside.calls.Load())
				assert.Equal(t, 1, strings.Count(logged.String(), "\n"))
				assert.Less(t, len(logged.String()), 4000)
			}
		})
	}
}

func TestTheUsualHeadersNeedNoName(t *testing.T) {
	leaf := pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	for header, c := range map[string]struct {
		format pkioverheid.ProxyFormat
		value  string
	}{
		"X-Forwarded-Client-Cert": {pkioverheid.EnvoyXFCC, "Cert=" + xfccPEM(leaf)},
		"Client-Cert":             {pkioverheid.RFC9440, ":" + base64.StdEncoding.EncodeToString(leaf.Raw) + ":"},
	} {
		h, _, _ := guarded(t, pkioverheid.ServerConfig{Proxy: &pkioverheid.Proxy{Format: c.format, From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}}, pkioverheid.AllowOIN(someOIN))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(header, c.value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, 200, w.Code, w.Body.String())
	}
}

// A proxy that speaks TLS to us shows a certificate of its own, which is not the caller's.
func TestBehindAProxyItsOwnCertificateIsNobodys(t *testing.T) {
	h, _, _ := guarded(t, pkioverheid.ServerConfig{Proxy: &pkioverheid.Proxy{
		Format: pkioverheid.RFC9440, From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}}, pkioverheid.AllowOIN(someOIN))
	r := httptest.NewRequest("GET", "/", nil)
	r.TLS = verifiedState(t)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Equal(t, 403, w.Code)
	assert.Contains(t, w.Body.String(), "got no certificate from the caller")
}

func TestAUnixSocketIsTheProxysWhenSaidSo(t *testing.T) {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	for _, unix := range []bool{true, false} {
		p := &pkioverheid.Proxy{Format: pkioverheid.HAProxyDER, Header: "X-Client-Cert", Unix: unix}
		if !unix {
			p.From = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}
		h, _, _ := guarded(t, pkioverheid.ServerConfig{Proxy: p}, pkioverheid.AllowOIN(someOIN))
		dir, err := os.MkdirTemp("", "unix") // a test's own folder can be too long for a socket
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
		listener, err := net.Listen("unix", dir+"/s")
		require.NoError(t, err)
		srv := &httptest.Server{Listener: listener, Config: &http.Server{Handler: h}}
		srv.Start()
		t.Cleanup(srv.Close)
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", dir+"/s")
		}}}
		t.Cleanup(client.CloseIdleConnections)
		req, err := http.NewRequest("GET", "http://localhost/", nil)
		require.NoError(t, err)
		req.Header.Set("X-Client-Cert", base64.StdEncoding.EncodeToString(leaf.Raw))
		resp, err := client.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, unix, resp.StatusCode == 200)

		// The other way about: a TCP connection is none of the socket's.
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Client-Cert", base64.StdEncoding.EncodeToString(leaf.Raw))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, 403, w.Code)
	}
}

// behind is cfg with a proxy in front.
func behind(cfg pkioverheid.ServerConfig, p *pkioverheid.Proxy) pkioverheid.ServerConfig {
	cfg.Proxy = p
	return cfg
}
