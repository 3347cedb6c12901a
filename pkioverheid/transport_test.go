package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
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

// mutual starts a server that lets in any system and runs h.
func mutual(t testing.TB, version uint16, http2 bool, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = serverConfig(t, pkioverheid.ServerConfig{}, pkioverheid.AllowAnySystem())
	srv.TLS.MinVersion, srv.TLS.MaxVersion = version, version
	srv.EnableHTTP2 = http2
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return "https://localhost:" + srv.URL[strings.LastIndex(srv.URL, ":")+1:]
}

func newClient(t testing.TB, cfg pkioverheid.ClientConfig) *http.Client {
	t.Helper()
	cfg.AllowUnsuitable = true // what is shown to a server is for it to refuse
	client, err := pkioverheid.NewClient(cfg)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	client.Timeout = 20 * time.Second
	return client
}

func whoAmI(w http.ResponseWriter, r *http.Request) {
	id, err := verified(fixtureTrust(), r.TLS.VerifiedChains[0]...)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, id.OIN())
}

func TestABaseCannotBringConnectionsOfItsOwn(t *testing.T) {
	// As golang.org/x/net/http2's ConfigureTransport does, which shares a pool.
	base := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{
		"h2": func(string, *tls.Conn) http.RoundTripper { return http.DefaultTransport },
	}}
	_, err := pkioverheid.NewTransport(pkioverheid.ClientConfig{Base: base})
	assert.ErrorContains(t, err, "TLSNextProto")

	used := http.DefaultTransport.(*http.Transport).Clone()
	_, _ = used.RoundTrip(httptest.NewRequest("GET", "https://127.0.0.1:1/", nil)) // net/http sets its own by now
	_, err = pkioverheid.NewTransport(pkioverheid.ClientConfig{Base: used})
	assert.NoError(t, err)
}

func TestClientsOfOneBaseDoNotShareSessions(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address := mutual(t, version, false, whoAmI)
		base := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(0)}}
		resumed := false
		for _, oin := range []pkioverheid.OIN{someOIN, "00000001002220647000", someOIN} {
			cert := g1.Issue(pkiotest.Leaf{OIN: oin})
			client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(cert), Base: base})
			for range 2 {
				resp, err := client.Get(address)
				require.NoError(t, err)
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				assert.EqualValues(t, oin, body)
				resumed = resumed || resp.TLS.DidResume
			}
		}
		assert.True(t, resumed, "within one client")
	}
}

func TestStoresAreReadWhenTheClientIsMade(t *testing.T) {
	root, leaf := trialHierarchy(t)
	other, _ := trialHierarchy(t)
	store := truststore.New(other)
	client := newClient(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{TrialRoots: store}})
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf}})
	store.Add(root)
	_, err := client.Get(address)
	assert.Error(t, err)
}

// A server that closes the connection gives no reason. That it agreed to speak HTTP/2, and
// cannot, is one.
func TestALostConnectionIsNotPutDownToTheCertificateAlone(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, protocol := range []string{"h2", "http/1.1"} {
		listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
			Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, ClientAuth: tls.RequireAnyClientCert, NextProtos: []string{protocol},
		})
		require.NoError(t, err)
		t.Cleanup(func() { listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 1<<10)) // the request, and the handshake before it
				conn.Close()
			}
		}()
		client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(g1.Issue(pkiotest.Leaf{}))})
		_, err = client.Get(loopbackURL(listener))
		var ours *pkioverheid.ClientCertificateError
		require.ErrorAs(t, err, &ours, protocol)
		assert.True(t, ours.Guess)
		assert.Contains(t, ours.Problem, "without a reason, perhaps because of our certificate")
		assert.Equal(t, protocol == "h2", strings.Contains(ours.Advice, "HTTP/2"), ours.Advice)
	}
}

func loopbackURL(l net.Listener) string {
	return fmt.Sprintf("https://localhost:%d/", l.Addr().(*net.TCPAddr).Port)
}

type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

func TestTroubleThatIsNotAboutCertificatesKeepsItsError(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cert := g1.Issue(pkiotest.Leaf{})
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	var ours *pkioverheid.ClientCertificateError

	client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(cert)})
	_, err := client.Get(mutual(t, tls.VersionTLS12, false, abort))
	require.Error(t, err)
	assert.False(t, errors.As(err, &ours), "TLS 1.2 accepted the certificate before: %v", err)

	_, err = client.Get(mutual(t, tls.VersionTLS13, false, abort))
	if assert.ErrorAs(t, err, &ours, "in TLS 1.3 nobody can know") {
		assert.True(t, ours.Guess)
		assert.Contains(t, err.Error(), "closed the connection without a reason, perhaps because of our certificate")
		assert.NotContains(t, err.Error(), "HTTP/2")
	}

	for _, http2 := range []bool{true, false} {
		address := mutual(t, tls.VersionTLS13, http2, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
		for _, own := range []error{io.ErrUnexpectedEOF, net.ErrClosed, &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}} {
			client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(cert)})
			_, err := client.Post(address, "text/xml", brokenBody{own})
			require.Error(t, err)
			assert.False(t, errors.As(err, &ours), "the caller's own body failed: %v", err)
		}
	}

	// After an answer, a lost connection is a lost connection.
	n := 0
	address := mutual(t, tls.VersionTLS13, false, func(w http.ResponseWriter, r *http.Request) {
		if n++; n > 1 {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, "hello")
	})
	client = newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(cert)})
	resp, err := client.Get(address)
	require.NoError(t, err)
	_, _ = io.ReadAll(resp.Body)
	resp.Body.Close()
	_, err = client.Post(address, "text/xml", strings.NewReader("x"))
	require.Error(t, err)
	assert.False(t, errors.As(err, &ours), "%v", err)
}

func TestAnAlertInAHandshakeInWhichNobodyAskedIsNotOurCertificates(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write([]byte{21, 3, 3, 0, 2, 2, 46}) // fatal, certificate_unknown
			conn.Close()
		}
	}()
	_, err = newClient(t, pkioverheid.ClientConfig{}).Get("https://" + listener.Addr().String())
	require.Error(t, err)
	var ours *pkioverheid.ClientCertificateError
	assert.False(t, errors.As(err, &ours), "%v", err)
}

func TestARefusalIsToldAlikeToAllRequestsThatShareAConnection(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	expired := g1.Issue(pkiotest.Leaf{NotAfter: time.Now().Add(-24 * time.Hour)})
	for _, http2 := range []bool{true, false} {
		address := mutual(t, tls.VersionTLS13, http2, hello)
		client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(expired)})
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				_, err := client.Get(address)
				var ours *pkioverheid.ClientCertificateError
				if !assert.ErrorAs(t, err, &ours) {
					return
				}
				assert.True(t, ours.Sent || !ours.Known, "%v", err)
				assert.NotContains(t, err.Error(), "none to send")
			})
		}
		wg.Wait()
	}
}

func TestARefusalInARenegotiationSaysThatNothingIsKnown(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	expired := g1.Issue(pkiotest.Leaf{NotAfter: time.Now().Add(-24 * time.Hour)})
	client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(expired), RenegotiateHosts: []string{"localhost"}})
	_, err := client.Get("https://" + lateServer(t) + "/")
	var ours *pkioverheid.ClientCertificateError
	require.ErrorAs(t, err, &ours)
	assert.False(t, ours.Known)
	assert.NotContains(t, err.Error(), "none to send")
	assert.NotContains(t, err.Error(), "ClientConfig.KeyPairs")
}

func TestAKeyThatTheServerCannotUseIsTold(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cert := g1.Issue(pkiotest.Leaf{ECDSA: true})
	address := serve(t, &tls.Config{
		Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: g1.Roots().CertPool(),
		MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	})
	// crypto/tls servers take ECDSA; that one does not is played by the key pair.
	cert.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.Ed25519}
	client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(cert)})
	_, err := client.Get(address)
	var ours *pkioverheid.ClientCertificateError
	require.ErrorAs(t, err, &ours)
	assert.False(t, ours.Sent)
	assert.Contains(t, ours.Problem, "signature algorithm")
}

func TestOldCAsLeftInAChainFileSayNothingOfTheCertificate(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	pair := g1.Issue(pkiotest.Leaf{DNSNames: []string{"other.example"}})
	for _, c := range pkiotest.New(pkioverheid.G3).Certificates() {
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	for _, c := range pkioverheid.G3.Certificates() {
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, serve(t, &tls.Config{Certificates: []tls.Certificate{pair}}))
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.WrongName, refused.Reason)
	var g3 *pkioverheid.G3Error
	assert.False(t, errors.As(err, &g3))
}

func TestAMissingCAIsNamed(t *testing.T) {
	// A TSP CA that is not known here, and a server that leaves the domain CA out.
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	domain := g1.Certificates()[1]
	tsp := sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "A new TSP CA", Country: []string{"NL"}},
		IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, &tls.Certificate{Leaf: domain, PrivateKey: g1.PrivateKey(domain)})
	leaf := sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, &tsp)
	leaf.Certificate = append(leaf.Certificate, tsp.Certificate[0])
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf}})
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, address)
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.UnknownAuthority, refused.Reason)
	assert.Contains(t, err.Error(), `"Staat der Nederlanden Private Services CA - G1" is missing`)
	assert.Contains(t, err.Error(), `add "A new TSP CA" to Trust.Roots`)

	roots := g1.Roots()
	roots.Add(tsp.Leaf)
	_, err = get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(roots)}}, address)
	assert.NoError(t, err, "the advice helps")

	leaf.Certificate = append(leaf.Certificate, domain.Raw)
	_, err = get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, serve(t, &tls.Config{Certificates: []tls.Certificate{leaf}}))
	assert.NoError(t, err, "so does sending the whole chain")
}

func TestACAThatOnlyClaimsItsIssuerDisplacesNobody(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	issuer := *g1.Certificates()[2]
	claims := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "A sub CA, it says"}, IsCA: true, BasicConstraintsValid: true}, nil)
	key := claims.PrivateKey
	claims = sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "A sub CA, it says"}, IsCA: true, BasicConstraintsValid: true,
	}, &tls.Certificate{Leaf: &x509.Certificate{RawSubject: issuer.RawSubject}, PrivateKey: key})
	roots := g1.Roots()
	roots.Add(claims.Leaf)
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{LeafOnly: true})}})
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(roots)}}, address)
	assert.NoError(t, err)
}

func TestOtherCAsThatAreTrustedMakeNoSystems(t *testing.T) {
	root := sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "A company's CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	var policies []x509.OID
	for _, s := range []string{"2.16.528.1.1003.1.2.8.6", "2.16.528.1.1003.1.2.44.16.25.8"} {
		p, err := x509.ParseOID(s)
		require.NoError(t, err)
		policies = append(policies, p)
	}
	client := sign(t, &x509.Certificate{
		Subject:  pkix.Name{CommonName: "client", SerialNumber: string(someOIN)},
		Policies: policies, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, &root)
	trusted := fixtureRoots()
	trusted.Add(root.Leaf)
	for name, c := range map[string]struct {
		cfg     pkioverheid.ServerConfig
		allowed bool
	}{
		"in Roots":       {pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(trusted)}}, false},
		"in ClientRoots": {pkioverheid.ServerConfig{ClientRoots: truststore.NewSource(truststore.New(root.Leaf))}, true},
	} {
		for _, allow := range []pkioverheid.Authorizer{pkioverheid.AllowAnySystem(), pkioverheid.AllowOIN(someOIN)} {
			err := call(t, serve(t, serverConfig(t, c.cfg, allow)), &client)
			assert.Equal(t, c.allowed, err == nil, "%s: %v", name, err)
		}
	}
}

func TestCAsAreNoClients(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for i, ca := range g1.Certificates()[:3] {
		asked := false
		address := serve(t, serverConfig(t, pkioverheid.ServerConfig{}, func(pkioverheid.Identity) error { asked = true; return nil }))
		pair := tls.Certificate{Certificate: [][]byte{ca.Raw}, PrivateKey: g1.PrivateKey(ca)}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: g1.Roots().CertPool(), GetClientCertificate: shown(pair),
		}}}
		_, err := client.Get(address)
		assert.Error(t, err, i)
		assert.False(t, asked, i)
	}
}

func TestTwoSerialNumbersAreNoOIN(t *testing.T) {
	atv := func(oid asn1.ObjectIdentifier, v string) []pkix.AttributeTypeAndValue {
		return []pkix.AttributeTypeAndValue{{Type: oid, Value: v}}
	}
	serial := asn1.ObjectIdentifier{2, 5, 4, 5}
	raw, err := asn1.Marshal(pkix.RDNSequence{
		atv(serial, "00000001002220647000"), atv(serial, string(someOIN)), atv(asn1.ObjectIdentifier{2, 5, 4, 3}, "x"),
	})
	require.NoError(t, err)
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	ca := g1.Certificates()[2]
	leaf := sign(t, &x509.Certificate{RawSubject: raw}, &tls.Certificate{Leaf: ca, PrivateKey: g1.PrivateKey(ca)})
	id, ok := pkioverheid.ClaimOf(leaf.Leaf)
	require.True(t, ok)
	assert.Empty(t, id.OIN)
}

func TestAnHTTPSProxyIsBlamedForItsOwnCertificate(t *testing.T) {
	proxy := serve(t, &tls.Config{Certificates: []tls.Certificate{pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{})}})
	proxyURL, err := url.Parse(proxy)
	require.NoError(t, err)
	_, err = get(t, pkioverheid.ClientConfig{Base: &http.Transport{Proxy: http.ProxyURL(proxyURL)}}, "https://soap.machtigen.digid.nl/")
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "the proxy localhost", refused.Host)
	assert.NotContains(t, refused.Error(), "machtigen")
}

// An https proxy that refuses our certificate is not the host that is called by it. In TLS
// 1.2 net/http wraps its alert once more, and in 1.3 that comes after the handshake.
func TestAProxyThatRefusesOurCertificateIsNamed(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			proxy, err := url.Parse(serve(t, &tls.Config{
				MaxVersion: version, Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})},
				ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(),
			}))
			require.NoError(t, err)
			_, err = get(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(g1.Issue(pkiotest.Leaf{})), Base: &http.Transport{Proxy: http.ProxyURL(proxy)}}, "https://soap.machtigen.digid.nl/")
			var refused *pkioverheid.ClientCertificateError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "the proxy localhost", refused.Host)
		})
	}
}

func TestWordsOfPoliciesStayOnOneShortLine(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(g1.Roots()), Policy: func(chain.Chain, time.Time) error {
		return errors.New(strings.Repeat("\x1b[31m\n", 2000))
	}}}, serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}}))
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.NotContains(t, refused.Error(), "\n")
	assert.NotContains(t, refused.Error(), "\x1b")
	assert.Less(t, len(refused.Error()), 2000)
}

func TestABasesCipherSuitesAreKeptAsFarAsTheyAreGood(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, MaxVersion: tls.VersionTLS12})
	resp, err := get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), Base: &http.Transport{TLSClientConfig: &tls.Config{CipherSuites: []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	}}}}, address)
	require.NoError(t, err)
	assert.Equal(t, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, resp.TLS.CipherSuite)
	_, err = pkioverheid.NewTransport(pkioverheid.ClientConfig{Base: &http.Transport{TLSClientConfig: &tls.Config{CipherSuites: []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	}}}})
	assert.ErrorContains(t, err, "CipherSuites")
}

func TestAZeroClockIsNow(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	zero := func() time.Time { return time.Time{} }
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(g1.Roots()), Time: zero}}, serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}}))
	assert.NoError(t, err)
}

func TestRefusedCertificateOnAConnectionThatIsUsedAgain(t *testing.T) {
	ev := pkiotest.New(pkioverheid.EV)
	own := ev.Issue(pkiotest.Leaf{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert}
	srv.StartTLS()
	defer srv.Close()
	cert := ev.Issue(pkiotest.Leaf{})
	client := newClient(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(ev.Roots()), Time: ev.Time}, KeyPairs: pairs(cert)})
	for range 2 {
		resp, err := client.Get(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
		require.NoError(t, err)
		resp.Body.Close()
		var refused *pkioverheid.ClientCertificateError
		require.ErrorAs(t, pkioverheid.RefusedCertificate(resp), &refused)
		assert.True(t, refused.Sent)
		assert.True(t, refused.Guess)
		assert.NotContains(t, refused.Error(), "clocks", "the clock of the Config says that it is valid")
	}
	for _, resp := range []*http.Response{nil, {}, {StatusCode: 200, Request: httptest.NewRequest("GET", "/", nil)}} {
		assert.NoError(t, pkioverheid.RefusedCertificate(resp))
	}
	err := pkioverheid.RefusedCertificate(&http.Response{StatusCode: 400, Request: httptest.NewRequest("GET", "/", nil)})
	assert.ErrorContains(t, err, "Make the request with a pkioverheid.Transport")
}

// What our own Handler answers says more than a guess, and the page stays there to read.
func TestRefusedCertificateReadsWhatAHandlerOfOursSays(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	h, _, _ := guarded(t, pkioverheid.ServerConfig{}, pkioverheid.AllowOIN(someOIN))
	client := newClient(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(g1.Issue(pkiotest.Leaf{OIN: "00000001002220647000"}))})
	resp, err := client.Get(behindTLS(t, h, pkioverheid.ServerConfig{}, false))
	require.NoError(t, err)
	defer resp.Body.Close()
	var refused *pkioverheid.ClientCertificateError
	require.ErrorAs(t, pkioverheid.RefusedCertificate(resp), &refused)
	assert.False(t, refused.Guess)
	assert.Equal(t, "localhost does not let us in: OIN 00000001002220647000 is not on the list.", refused.Problem)
	assert.NotContains(t, refused.Error(), "nginx")
	page, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "pkioverheid: OIN 00000001002220647000 is not on the list\n", string(page))
}

// A server that never sends the rest of its answer holds up nobody who asks why it refuses.
func TestRefusedCertificateWaitsForNoBody(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		if http2 && !thorough {
			continue
		}
		t.Run(fmt.Sprint("HTTP/2 ", http2), func(t *testing.T) {
			goOn := make(chan struct{})
			url := mutual(t, tls.VersionTLS13, http2, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, "pkioverheid: ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-goOn:
					fmt.Fprint(w, "no.")
				case <-r.Context().Done():
				}
			})
			client := newClient(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}))})
			resp, err := client.Get(url)
			require.NoError(t, err)
			defer resp.Body.Close()
			begin := time.Now()
			var refused *pkioverheid.ClientCertificateError
			require.ErrorAs(t, pkioverheid.RefusedCertificate(resp), &refused)
			assert.Less(t, time.Since(begin), 10*time.Second) // of 20 that the client has
			assert.True(t, refused.Guess)
			close(goOn)
			page, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, "pkioverheid: no.", string(page), "all of it is still there")
		})
	}
}

// A client below a CA of Trust.Roots does not read that it has no policy.
func TestACallerBelowRootsReadsWhereItsRootBelongs(t *testing.T) {
	root, leaf := testcert.OtherHierarchy(t, "2.16.528.1.1003.1.2.44.16.25.8", someOIN)
	id, err := verified(pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root))}, leaf.Leaf, root)
	require.NoError(t, err)
	for _, allow := range []pkioverheid.Authorizer{pkioverheid.AllowAnySystem(), pkioverheid.AllowOIN(someOIN)} {
		var access *pkioverheid.AccessError
		require.ErrorAs(t, allow(id), &access)
		assert.Contains(t, access.Problem, "a root whose hierarchy is not known")
		assert.Contains(t, access.Advice, "ServerConfig.ClientRoots")
		assert.Contains(t, access.Advice, "Trust.TrialRoots")
	}
}

// A TRIAL chain met in production is not an unknown CA like any other.
func TestATrialChainInProductionIsSaidToBeOne(t *testing.T) {
	_, leaf := trialHierarchy(t)
	_, err := get(t, pkioverheid.ClientConfig{}, serve(t, &tls.Config{Certificates: []tls.Certificate{leaf}}))
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Problem, "test certificate")
	assert.Contains(t, refused.Advice, "Trust.TrialRoots")
}

func TestAWrongUsageSaysWhichWasAskedAndWhichIsThere(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{ClientOnly: true})}}))
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.WrongUsage, refused.Reason)
	t.Log(refused)
	assert.Contains(t, refused.Problem, "for serverAuth: it is for clientAuth")
}

func TestCloseIdleConnectionsClosesThem(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, http2 := range []bool{true, false} {
		closed := make(chan struct{}, 10)
		srv := httptest.NewUnstartedServer(hello)
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}}
		srv.EnableHTTP2 = http2
		srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				closed <- struct{}{}
			}
		}
		srv.StartTLS()
		client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)})
		resp, err := client.Get(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
		require.NoError(t, err)
		_, _ = io.ReadAll(resp.Body)
		resp.Body.Close()
		client.CloseIdleConnections()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Errorf("HTTP/2 %v: the connection is still open", http2)
		}
		srv.Close()
	}
}
