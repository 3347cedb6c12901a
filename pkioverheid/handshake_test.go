package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
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

const someOIN = pkioverheid.OIN("00000003271987420000")

// fixtures are the hierarchies of package pkiotest that can be trusted.
var fixtures = []pkioverheid.Hierarchy{pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS}

// fixtureRoots are the roots of all fixture hierarchies that can be trusted.
func fixtureRoots() *truststore.Store {
	roots := truststore.New()
	for _, h := range fixtures {
		for c := range pkiotest.New(h).Roots().All() {
			roots.Add(c)
		}
	}
	return roots
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })

// serve starts a server with exactly these TLS settings.
func serve(t testing.TB, tc *tls.Config) string {
	t.Helper()
	return serveFunc(t, tc, hello)
}

func serveFunc(t testing.TB, tc *tls.Config, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = tc
	if tc.NextProtos == nil {
		srv.EnableHTTP2 = true
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	require.NoError(t, err)
	return "https://" + net.JoinHostPort("localhost", port)
}

// get makes one request with a client of its own and closes its connections.
func get(t testing.TB, cfg pkioverheid.ClientConfig, url string) (*http.Response, error) {
	t.Helper()
	cfg.AllowUnsuitable = true // what is shown to a server is for it to refuse
	client, err := pkioverheid.NewClient(cfg)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	client.Timeout = 20 * time.Second
	resp, err := client.Get(url)
	if err == nil {
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "hello", string(body))
	}
	return resp, err
}

// presentation is what a server sends of its chain, given leaf, TSP CA, domain CA
// and root.
type presentation struct {
	name string
	of   func(leaf, tsp, domain, root []byte) [][]byte
}

var presentations = []presentation{
	{"leaf only", func(l, t, d, r []byte) [][]byte { return [][]byte{l} }},
	{"leaf and TSP CA", func(l, t, d, r []byte) [][]byte { return [][]byte{l, t} }},
	{"leaf and domain CA", func(l, t, d, r []byte) [][]byte { return [][]byte{l, d} }},
	{"whole chain", func(l, t, d, r []byte) [][]byte { return [][]byte{l, t, d} }},
	{"wrong order", func(l, t, d, r []byte) [][]byte { return [][]byte{l, d, t} }},
	{"twice", func(l, t, d, r []byte) [][]byte { return [][]byte{l, t, d, l, t, d} }},
	{"with the root", func(l, t, d, r []byte) [][]byte { return [][]byte{l, t, d, r} }},
	{"root first", func(l, t, d, r []byte) [][]byte { return [][]byte{l, r, d, t} }},
}

// present is a key pair of the authority, sent as p says.
func present(a *pkiotest.Authority, p presentation) tls.Certificate {
	pair := a.Issue(pkiotest.Leaf{})
	certs := a.Certificates()
	pair.Certificate = p.of(pair.Certificate[0], pair.Certificate[1], pair.Certificate[2], certs[0].Raw)
	return pair
}

func TestServersAreTrustedHoweverTheySendTheirChain(t *testing.T) {
	for _, h := range fixtures {
		authority := pkiotest.New(h)
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			for _, p := range presentations {
				t.Run(fmt.Sprintf("%v/%s/%s", h, tls.VersionName(version), p.name), func(t *testing.T) {
					url := serve(t, &tls.Config{
						Certificates: []tls.Certificate{present(authority, p)},
						MinVersion:   version, MaxVersion: version,
					})
					resp, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(authority.Roots()), Time: authority.Time}}, url)
					require.NoError(t, err)
					assert.Equal(t, 2, resp.ProtoMajor, "HTTP/2 stays on")

					claim, ok := pkioverheid.ClaimOf(resp.TLS.PeerCertificates[0])
					require.True(t, ok)
					assert.Equal(t, h, claim.Hierarchy)
					assert.Equal(t, pkioverheid.KPN, claim.TSP)
					assert.Equal(t, pkioverheid.System, claim.Kind)
					assert.True(t, claim.Fixture)
				})
			}
		}
	}
}

func TestBothTSPsOfAHierarchyAreKnown(t *testing.T) {
	for h, other := range map[pkioverheid.Hierarchy]string{pkioverheid.PrivateG1: "QuoVadis", pkioverheid.PrivateG4TLS: "Digidentity"} {
		authority := pkiotest.New(h)
		for _, tsp := range []string{"KPN", other} {
			url := serve(t, &tls.Config{Certificates: []tls.Certificate{authority.Issue(pkiotest.Leaf{TSP: tsp, LeafOnly: true})}})
			resp, err := get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(authority)}, url)
			require.NoError(t, err)
			claim, _ := pkioverheid.ClaimOf(resp.TLS.PeerCertificates[0])
			assert.EqualValues(t, tsp, claim.TSP)
		}
	}
}

// The words of crypto/x509 carry ours in some presentations and not in others.
// Our own errors carry them in all.
func TestG3IsRefusedInEveryPresentation(t *testing.T) {
	g3, g1 := pkiotest.New(pkioverheid.G3), pkiotest.New(pkioverheid.PrivateG1)
	cas := g3.Certificates() // root, domain CA, the TSP CA of 2019 and of 2016
	root, domain := cas[0].Raw, cas[1].Raw
	reissues := map[string][]byte{}
	for _, year := range []string{"2016", "2019"} {
		reissues[year] = g3.Issue(pkiotest.Leaf{TSP: year}).Certificate[1]
	}
	require.NotEqual(t, reissues["2016"], reissues["2019"])
	leaf := g3.Issue(pkiotest.Leaf{})
	l, a, b := leaf.Certificate[0], reissues["2019"], reissues["2016"]

	cases := []struct {
		name     string
		sent     [][]byte
		ourWords bool // in crypto/x509's error
	}{
		{"leaf only", [][]byte{l}, true},
		{"leaf and TSP CA of 2019", [][]byte{l, a}, true},
		{"leaf and TSP CA of 2016", [][]byte{l, b}, true},
		{"leaf and both reissues", [][]byte{l, a, b}, true},
		{"leaf, TSP CA of 2019, domain CA", [][]byte{l, a, domain}, true},
		{"leaf, TSP CA of 2016, domain CA", [][]byte{l, b, domain}, true},
		{"leaf, both reissues, domain CA", [][]byte{l, a, b, domain}, true},
		{"the CAs swapped", [][]byte{l, domain, a}, true},
		{"leaf and domain CA", [][]byte{l, domain}, true},
		{"leaf and root", [][]byte{l, root}, true},
		{"whole chain with the root, 2019", [][]byte{l, a, domain, root}, false},
		{"whole chain with the root, 2016", [][]byte{l, b, domain, root}, false},
		{"both reissues with the root", [][]byte{l, a, b, domain, root}, false},
		{"the root and the CAs swapped", [][]byte{l, root, domain, b, a}, false},
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range cases {
			t.Run(tls.VersionName(version)+"/"+c.name, func(t *testing.T) {
				pair := leaf
				pair.Certificate = c.sent
				url := serve(t, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: version, MaxVersion: version})
				cfg := pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}

				tc, err := pkioverheid.ClientTLSConfig(cfg)
				require.NoError(t, err)
				_, err = tls.Dial("tcp", strings.TrimPrefix(url, "https://"), tc)
				var verification *tls.CertificateVerificationError
				require.ErrorAs(t, err, &verification)
				assert.Equal(t, c.ourWords, strings.Contains(err.Error(), "G3 refused"), err.Error())

				_, err = get(t, cfg, url)
				var withdrawn *pkioverheid.G3Error
				require.ErrorAs(t, err, &withdrawn)
				assert.Equal(t, "KPN BV PKIoverheid Organisatie Server CA - G3", withdrawn.CA)
				assert.Equal(t, pkioverheid.ByKey, withdrawn.By)
				assert.True(t, withdrawn.Withdrawn)
				for _, words := range []string{withdrawn.CA, "withdrawn", "Private G4", "KPN"} {
					assert.Contains(t, err.Error(), words)
				}

				// A program that trusts no fixture refuses them no less clearly.
				_, err = get(t, pkioverheid.ClientConfig{}, url)
				require.ErrorAs(t, err, &withdrawn)
				assert.Equal(t, "KPN BV PKIoverheid Organisatie Server CA - G3", withdrawn.CA)
			})
		}
	}
}

func TestG3IsRefusedUnderAWrongHostNameToo(t *testing.T) {
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{DNSNames: []string{"other.example"}})}})
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(fixtureRoots()), Time: time.Now}}, url)
	var withdrawn *pkioverheid.G3Error
	require.ErrorAs(t, err, &withdrawn)
	var hostname x509.HostnameError
	assert.ErrorAs(t, err, &hostname)
}

func TestARevokedTSPCAIsRefusedHoweverTheServerSendsItsChain(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		authority := pkiotest.New(h)
		revoked := authority.Certificates()[2]
		var shortest int
		cfg := pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(authority.Roots()), Policy: func(c chain.Chain, at time.Time) error {
			if shortest == 0 || len(c) < shortest {
				shortest = len(c)
			}
			if slices.ContainsFunc(c, revoked.Equal) {
				return &chain.Error{Reason: chain.Revoked, Cert: revoked, At: at}
			}
			return nil
		}}}
		for _, p := range presentations {
			t.Run(h.String()+"/"+p.name, func(t *testing.T) {
				url := serve(t, &tls.Config{Certificates: []tls.Certificate{present(authority, p)}})
				_, err := get(t, cfg, url)
				var refused *pkioverheid.ServerCertificateError
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, chain.Revoked, refused.Reason)
			})
		}
		assert.Equal(t, 4, shortest, "a policy sees complete chains only")
		url := serve(t, &tls.Config{Certificates: []tls.Certificate{authority.Issue(pkiotest.Leaf{TSP: map[pkioverheid.Hierarchy]string{
			pkioverheid.PrivateG1: "QuoVadis", pkioverheid.PrivateG4TLS: "Digidentity"}[h]})}})
		_, err := get(t, cfg, url)
		assert.NoError(t, err, "the other TSP CA is not revoked")
	}
}

func TestRefusalsNameThePathAndSayWhatToDo(t *testing.T) {
	g1, g4, ev := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS), pkiotest.New(pkioverheid.EV)
	now := time.Now()
	foreign := httptest.NewTLSServer(nil) // a self-signed certificate of net/http's
	foreign.Close()

	cases := []struct {
		name   string
		server tls.Certificate
		cfg    pkioverheid.ClientConfig
		reason chain.Reason
		length int
		words  []string
	}{
		{"an ended hierarchy", ev.Issue(pkiotest.Leaf{}), pkioverheid.ClientConfig{Trust: pkiotest.Trust(ev)}, chain.Expired, 4,
			[]string{"the EV hierarchy has ended", "2022-12-0", "EV Root CA\" (EV", "Private G4"}},
		{"an ended hierarchy, leaf only", ev.Issue(pkiotest.Leaf{LeafOnly: true}), pkioverheid.ClientConfig{Trust: pkiotest.Trust(ev)}, chain.Expired, 4,
			[]string{"the EV hierarchy has ended"}},
		{"an ended hierarchy, a leaf that claims to be valid", ev.Issue(pkiotest.Leaf{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}), pkioverheid.ClientConfig{Trust: pkiotest.Trust(ev)}, chain.Expired, 4,
			[]string{"the EV hierarchy has ended"}},
		{"an expired certificate", g1.Issue(pkiotest.Leaf{NotAfter: now.Add(-24 * time.Hour)}), pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, chain.Expired, 4,
			[]string{"\"localhost\" has expired: it ended on " + now.Add(-24*time.Hour).UTC().Format(time.DateOnly), "Private G1"}},
		{"not yet valid", g4.Issue(pkiotest.Leaf{NotBefore: now.Add(24 * time.Hour), NotAfter: now.Add(48 * time.Hour)}), pkioverheid.ClientConfig{Trust: pkiotest.Trust(g4)}, chain.NotYetValid, 4,
			[]string{"clock", "Private G4"}},
		{"another host", g1.Issue(pkiotest.Leaf{DNSNames: []string{"soap.example.nl", "b.nl", "c.nl", "d.nl"}}), pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, chain.WrongName, 4,
			[]string{`"soap.example.nl", "b.nl", "c.nl" and "d.nl"`, "Private G1"}},
		{"a client's certificate", g4.Issue(pkiotest.Leaf{ClientOnly: true}), pkioverheid.ClientConfig{Trust: pkiotest.Trust(g4)}, chain.WrongUsage, 4,
			[]string{"serverAuth"}},
		{"somebody else's CA", foreign.TLS.Certificates[0], pkioverheid.ClientConfig{}, chain.UnknownAuthority, 1,
			[]string{"self-signed", "Trust.Roots"}},
		{"a fixture that nobody trusts", g1.Issue(pkiotest.Leaf{}), pkioverheid.ClientConfig{}, chain.UnknownAuthority, 3,
			[]string{"package pkiotest", "pkiotest.Trust", "Private G1"}},
		{"a fixture that nobody trusts, leaf only", g1.Issue(pkiotest.Leaf{LeafOnly: true}), pkioverheid.ClientConfig{}, chain.UnknownAuthority, 1,
			[]string{"presents itself as issued by", "not on it", "Private G1"}},
		{"a fixture of another hierarchy", g4.Issue(pkiotest.Leaf{}), pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, chain.UnknownAuthority, 4,
			[]string{"Private G4 TLS, pkiotest", "package pkiotest"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := get(t, c.cfg, serve(t, &tls.Config{Certificates: []tls.Certificate{c.server}}))
			var refused *pkioverheid.ServerCertificateError
			require.ErrorAs(t, err, &refused)
			t.Log(err)
			assert.Equal(t, c.reason, refused.Reason)
			assert.Len(t, refused.Path, c.length)
			assert.Equal(t, "localhost", refused.Host)
			for _, w := range c.words {
				assert.Contains(t, err.Error(), w)
			}
			assert.NotContains(t, err.Error(), "\n")
			var verification *tls.CertificateVerificationError
			assert.ErrorAs(t, err, &verification, "crypto/tls's own is underneath")
			var ofChain *chain.Error
			assert.ErrorAs(t, err, &ofChain)
		})
	}
}

func TestARealHierarchyThatIsNotTrustedIsNamed(t *testing.T) {
	// No real leaf is available with its key; the CA certificates are.
	cfg, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG4TLS}}})
	require.NoError(t, err)
	g1 := pkioverheid.PrivateG1.Certificates()
	err = cfg.VerifyConnection(tls.ConnectionState{ServerName: "soap.machtigen.digid.nl", VerifiedChains: [][]*x509.Certificate{{g1[2], g1[1], g1[0]}}})
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.UnknownAuthority, refused.Reason)
	assert.Contains(t, err.Error(), "it is under Private G1, which is not trusted here")
}

func TestNothingVerifiedIsRefused(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}})
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)})
	require.NoError(t, err)
	tc.InsecureSkipVerify = true // what a hurried user adds
	_, err = tls.Dial("tcp", strings.TrimPrefix(url, "https://"), tc)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "no verified chain")
}

func TestAnAddedPolicyIsAskedOnResumedSessionsToo(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			var against error
			var asked int
			tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(g1.Roots()), Policy: func(chain.Chain, time.Time) error {
				asked++
				return against
			}}})
			require.NoError(t, err)
			tc.ClientSessionCache = tls.NewLRUClientSessionCache(0)
			tc.MaxVersion = version
			url := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, NextProtos: []string{}})
			connect := func() (tls.ConnectionState, error) {
				conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), tc)
				if err != nil {
					return tls.ConnectionState{}, err
				}
				defer conn.Close()
				fmt.Fprint(conn, "GET / HTTP/1.0\r\n\r\n")
				_, err = io.ReadAll(conn) // TLS 1.3 tickets come after the handshake
				return conn.ConnectionState(), err
			}
			_, err = connect()
			require.NoError(t, err)
			asked = 0
			state, err := connect()
			require.NoError(t, err)
			require.True(t, state.DidResume)
			assert.Equal(t, 1, asked, "by VerifyConnection; the pool is not asked")
			against = errors.New("changed its mind")
			_, err = connect()
			assert.ErrorIs(t, err, against)
		})
	}
}

func TestTransportRefusesEverythingButHTTPS(t *testing.T) {
	var reached bool
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached = true }))
	defer plain.Close()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	redirecting := g1.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL, http.StatusTemporaryRedirect)
	}), pkiotest.Leaf{})
	defer redirecting.Close()
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)})
	require.NoError(t, err)
	for _, url := range []string{plain.URL, redirecting.URL, "ftp://localhost/"} {
		_, err = client.Post(url, "text/xml", strings.NewReader("a secret"))
		require.Error(t, err)
		assert.Contains(t, err.Error(), "https only")
	}
	assert.False(t, reached)
	_, err = client.Transport.RoundTrip(&http.Request{})
	assert.Error(t, err)
}

func TestBaseKeepsWhatItMayAndRefusesTheRest(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	refused := map[string]*http.Transport{
		"DialTLSContext":     {DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return nil, nil }},
		"DialTLS":            {DialTLS: func(string, string) (net.Conn, error) { return nil, nil }},
		"InsecureSkipVerify": {TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		"RootCAs":            {TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}},
		"Certificates":       {TLSClientConfig: &tls.Config{Certificates: make([]tls.Certificate, 1)}},
		"Time":               {TLSClientConfig: &tls.Config{Time: time.Now}},
		"ServerName":         {TLSClientConfig: &tls.Config{ServerName: "one.example"}},
		"MaxVersion":         {TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS11}},
		"ClientCAs":          {TLSClientConfig: &tls.Config{ClientCAs: x509.NewCertPool()}},
		"ClientAuth":         {TLSClientConfig: &tls.Config{ClientAuth: tls.RequireAnyClientCert}},
		"GetCertificate":     {TLSClientConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }}},
		"GetConfigForClient": {TLSClientConfig: &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }}},
		"WrapSession":        {TLSClientConfig: &tls.Config{WrapSession: func(tls.ConnectionState, *tls.SessionState) ([]byte, error) { return nil, nil }}},
		"UnwrapSession":      {TLSClientConfig: &tls.Config{UnwrapSession: func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil }}},
		//lint:ignore SA1019 it is deprecated, and crypto/tls still obeys it
		"SessionTicketKey":            {TLSClientConfig: &tls.Config{SessionTicketKey: [32]byte{1}}},
		"EncryptedClientHelloKeys":    {TLSClientConfig: &tls.Config{EncryptedClientHelloKeys: make([]tls.EncryptedClientHelloKey, 1)}},
		"GetEncryptedClientHelloKeys": {TLSClientConfig: &tls.Config{GetEncryptedClientHelloKeys: func(*tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) { return nil, nil }}},
		"GetClientCertificate":        {TLSClientConfig: &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, nil }}},
	}
	for name, base := range refused {
		_, err := pkioverheid.NewTransport(pkioverheid.ClientConfig{Base: base})
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), name)
	}

	var dialled, proxied, verified int
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}})
	base := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled++
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
		ResponseHeaderTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS10, VerifyConnection: func(tls.ConnectionState) error {
			verified++
			return nil
		}},
	}
	base.Proxy = func(r *http.Request) (*url.URL, error) { proxied++; return nil, nil }
	resp, err := get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), Base: base}, address)
	require.NoError(t, err)
	assert.Equal(t, 2, resp.ProtoMajor)
	assert.Equal(t, []int{1, 1, 1}, []int{dialled, proxied, verified})
	assert.EqualValues(t, tls.VersionTLS10, base.TLSClientConfig.MinVersion, "the caller's own is not changed")
	assert.Nil(t, base.TLSClientConfig.RootCAs)

	_, err = get(t, pkioverheid.ClientConfig{Base: &http.Transport{TLSClientConfig: &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return nil }}}}, address)
	assert.Error(t, err, "the caller's VerifyConnection comes on top, not instead")

	http1 := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	resp, err = get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), Base: http1}, address)
	require.NoError(t, err)
	assert.Equal(t, 1, resp.ProtoMajor, "who switched HTTP/2 off keeps it off")
}

func TestOldProtocolsAndSuitesAreRefused(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	_, err := get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, url)
	assert.ErrorContains(t, err, "protocol version")
	url = serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, NextProtos: []string{"http/1.1"}})
	_, err = get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, url)
	assert.ErrorContains(t, err, "handshake failure")
	var ours *pkioverheid.ClientCertificateError
	assert.False(t, errors.As(err, &ours), "nobody asked for a certificate")
}

func TestTimeoutsStayTimeouts(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Base: &http.Transport{TLSHandshakeTimeout: 50 * time.Millisecond}})
	require.NoError(t, err)
	_, err = client.Get("https://" + silent.Addr().String())
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", "https://"+silent.Addr().String(), nil)
	require.NoError(t, err)
	client, err = pkioverheid.NewClient(pkioverheid.ClientConfig{})
	require.NoError(t, err)
	_, err = client.Do(req)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestConfigErrors(t *testing.T) {
	g1, g3 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3)
	reread, err := x509.ParseCertificate(g1.Certificates()[0].Raw)
	require.NoError(t, err)
	cases := map[string]struct {
		cfg   pkioverheid.ClientConfig
		words string
	}{
		"G3 among the hierarchies":       {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Hierarchies: []pkioverheid.Hierarchy{pkioverheid.G3}}}, "withdrawn"},
		"no hierarchy":                   {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Hierarchies: []pkioverheid.Hierarchy{""}}}, "no such hierarchy"},
		"the real G3 root":               {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(pkioverheid.G3.Root()))}}, "G3"},
		"a G3 TSP CA":                    {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(testcert.CA(t, "KPN BV PKIoverheid Organisatie Server CA - G3")))}}, "withdrawn"},
		"G3 for clients only":            {pkioverheid.ClientConfig{Trust: pkiotest.Trust(g3)}, "G3"},
		"a fixture root read from bytes": {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(reread))}}, "private key"},
		"a leaf as an anchor":            {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(forgedPair(t, someOIN).Leaf))}}, "is not a CA"},
		"only roots, and none":           {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{OnlyRoots: true}}, "no roots"},
		"only roots, and a hierarchy":    {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{OnlyRoots: true, Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1}, Roots: truststore.NewSource(pkiotest.New(pkioverheid.PrivateG1).Roots())}}, "set one of them"},
		"only roots, and G3":             {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{OnlyRoots: true, Hierarchies: []pkioverheid.Hierarchy{pkioverheid.G3}, Roots: truststore.NewSource(pkiotest.New(pkioverheid.PrivateG1).Roots())}}, "set one of them"},
		"a production root for TRIAL":    {pkioverheid.ClientConfig{Trust: pkioverheid.Trust{TrialRoots: truststore.New(pkioverheid.PrivateG1.Root())}}, "not a test certificate"},
		"an empty key pair":              {pkioverheid.ClientConfig{KeyPairs: []*pkioverheid.KeyPair{new(pkioverheid.KeyPair)}}, "LoadKeyPair"},
		"no key pair":                    {pkioverheid.ClientConfig{KeyPairs: []*pkioverheid.KeyPair{nil}}, "LoadKeyPair"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := pkioverheid.NewClient(c.cfg)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.words)
			assert.Contains(t, err.Error(), "pkioverheid: ")
		})
	}
	_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g3)})
	var withdrawn *pkioverheid.G3Error
	assert.ErrorAs(t, err, &withdrawn)
}
