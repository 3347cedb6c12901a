package pkioverheid_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
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

// serverConfig is a G1 server's that trusts the fixtures given.
func serverConfig(t testing.TB, cfg pkioverheid.ServerConfig, allow pkioverheid.Authorizer) *tls.Config {
	t.Helper()
	return newServer(t, cfg, func(id pkioverheid.Identity) error {
		if id.Certificate() == pkioverheid.PrivateG4TLS.Root() {
			return nil // the constructor's question, which tests that count do not count
		}
		return allow(id)
	}).TLSConfig()
}

// newServer is a G1 server that trusts the fixtures, where cfg does not say otherwise.
func newServer(t testing.TB, cfg pkioverheid.ServerConfig, allow pkioverheid.Authorizer) *pkioverheid.Server {
	t.Helper()
	if cfg.KeyPairs == nil && cfg.Proxy == nil {
		cfg.KeyPairs = pairs(ownPair())
	}
	if cfg.Trust.Roots == nil && !cfg.Trust.OnlyRoots {
		cfg.Trust.Roots = truststore.NewSource(fixtureRoots())
	}
	s, err := pkioverheid.NewServer(cfg, allow)
	require.NoError(t, err)
	return s
}

func ownPair() tls.Certificate { return pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}) }

// call makes one request with a client certificate.
func call(t testing.TB, url string, cert *tls.Certificate, change ...func(*pkioverheid.ClientConfig)) error {
	t.Helper()
	cfg := pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairsOf(cert)}
	for _, c := range change {
		c(&cfg)
	}
	_, err := get(t, cfg, url)
	return err
}

// shown is what a stock client sends when set to, whatever the server announces.
func shown(cert tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
}

func TestServersLetInWhomTheAuthorizerAllows(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	own := pkiotest.Leaf{OIN: someOIN}
	person := []string{"2.16.528.1.1003.1.2.8.1"}
	listed, anybody := pkioverheid.AllowOIN("00000004194049711000", someOIN), pkioverheid.AllowAnySystem()
	cases := []struct {
		name    string
		allow   pkioverheid.Authorizer
		cert    tls.Certificate
		allowed bool
	}{
		{"the OIN is on the list", listed, g1.Issue(own), true},
		{"under G4", listed, g4.Issue(own), true},
		{"for clients only, without domain names", listed, g1.Issue(pkiotest.Leaf{OIN: someOIN, ClientOnly: true, DNSNames: []string{}}), true},
		{"the leaf alone", listed, g4.Issue(pkiotest.Leaf{OIN: someOIN, LeafOnly: true}), true},
		{"another OIN", listed, g1.Issue(pkiotest.Leaf{OIN: "00000001002220647000"}), false},
		{"no OIN", listed, g1.Issue(pkiotest.Leaf{}), false},
		{"a number of the TSP's own", listed, g1.Issue(pkiotest.Leaf{OIN: "NTRNL-27142"}), false},
		{"an empty list", pkioverheid.AllowOIN(), g1.Issue(own), false},
		{"any system", anybody, g1.Issue(pkiotest.Leaf{}), true},
		{"a person with the OIN", listed, g1.Issue(pkiotest.Leaf{OIN: someOIN, Policies: person}), false},
		{"a person", anybody, g1.Issue(pkiotest.Leaf{Policies: person}), false},
		{"no policy at all", anybody, g1.Issue(pkiotest.Leaf{Policies: []string{}}), false},
		{"a policy of G4 under G1", anybody, g1.Issue(pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.44.15.35.11"}}), false},
		{"a seal beside a person's", anybody, g4.Issue(pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.44.16.25.4"}}), false},
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range cases {
			t.Run(tls.VersionName(version)+"/"+c.name, func(t *testing.T) {
				var refusals atomic.Int64
				tc := serverConfig(t, pkioverheid.ServerConfig{}, func(id pkioverheid.Identity) error {
					err := c.allow(id)
					if err != nil {
						refusals.Add(1)
					}
					return err
				})
				tc.MaxVersion = version
				err := call(t, serve(t, tc), &c.cert)
				if c.allowed {
					assert.NoError(t, err)
					return
				}
				var refused *pkioverheid.ClientCertificateError
				require.ErrorAs(t, err, &refused)
				assert.True(t, refused.Sent)
				assert.NotZero(t, refusals.Load())
			})
		}
	}
}

func TestServersRefuseWhatDoesNotVerify(t *testing.T) {
	g1, g3, ev := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3), pkiotest.New(pkioverheid.EV)
	now := time.Now()
	forged := forgedPair(t, someOIN)
	cases := map[string]tls.Certificate{
		"G3":                 g3.Issue(pkiotest.Leaf{OIN: someOIN}),
		"G3, leaf only":      g3.Issue(pkiotest.Leaf{OIN: someOIN, LeafOnly: true}),
		"an ended hierarchy": ev.Issue(pkiotest.Leaf{OIN: someOIN}),
		"expired":            g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}),
		"a forged certificate with a TSP's name, its key identifier and an OIN": forged,
		"none": {},
	}
	for name, cert := range cases {
		t.Run(name, func(t *testing.T) {
			asked := false
			tc := serverConfig(t, pkioverheid.ServerConfig{}, func(pkioverheid.Identity) error { asked = true; return nil })
			url := serve(t, tc)
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
				RootCAs:              pkiotest.New(pkioverheid.PrivateG1).Roots().CertPool(),
				GetClientCertificate: shown(cert),
			}}}
			_, err := client.Get(url)
			require.Error(t, err)
			assert.False(t, asked, "nobody is identified")
		})
	}
}

func TestPersonsCASignedWithASystemsPolicyAreRefused(t *testing.T) {
	// Every CA between the certificate and the root must assert the policy: the
	// domain CA of persons under Private Root G1 asserts 8.1 to 8.3 only.
	system, err := x509.ParseOID("2.16.528.1.1003.1.2.8.6")
	require.NoError(t, err)
	leaf := sign(t, &x509.Certificate{
		Subject:  pkix.Name{CommonName: "system", SerialNumber: string(someOIN)},
		Policies: []x509.OID{system},
	}, nil).Leaf
	id, err := verified(fixtureTrust(), leaf, personsCA(t), pkioverheid.PrivateG1.Root())
	require.NoError(t, err)
	assert.Equal(t, pkioverheid.PrivateG1, id.Hierarchy())
	assert.Empty(t, id.Policies())
	assert.Error(t, pkioverheid.AllowAnySystem()(id))
	assert.Error(t, pkioverheid.AllowOIN(someOIN)(id))
}

func TestServersAnnounceWhatTheyTrustAndNotG3(t *testing.T) {
	for _, at := range []time.Time{{}, time.Date(2021, 6, 1, 0, 0, 0, 0, time.UTC)} {
		s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Time: func() time.Time { return at }}, KeyPairs: pairs(ownPair())}, pkioverheid.AllowAnySystem())
		require.NoError(t, err)
		tc := s.TLSConfig()
		assert.Equal(t, tls.RequireAndVerifyClientCert, tc.ClientAuth)
		var announced [][]byte
		url := serve(t, tc)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: pkiotest.New(pkioverheid.PrivateG1).Roots().CertPool(),
			GetClientCertificate: func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
				announced = info.AcceptableCAs
				return new(tls.Certificate), nil
			},
		}}}
		_, err = client.Get(url)
		require.Error(t, err)
		if at.IsZero() {
			at = time.Now()
		}
		var want [][]byte
		for _, h := range pkioverheid.Hierarchies() {
			for _, c := range append(h.Certificates()[2:], h.Root()) {
				if !at.After(c.NotAfter) {
					want = append(want, c.RawSubject)
				}
			}
		}
		assert.ElementsMatch(t, want, announced)
		ev := pkioverheid.EV.Root()
		assert.Equal(t, !at.After(ev.NotAfter), slices.ContainsFunc(announced, func(name []byte) bool { return bytes.Equal(name, ev.RawSubject) }), "EV at %v", at)
		for _, c := range pkioverheid.G3.Certificates() {
			assert.NotContains(t, announced, c.RawSubject)
		}
	}
}

// A list that cannot work is found when the server is made, wherever it is.
func TestAServerIsNotMadeWithAnOINThatIsNotValid(t *testing.T) {
	own := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	caller := pkiotest.New(pkioverheid.PrivateG1).Identity(pkiotest.Leaf{OIN: someOIN})
	bad := pkioverheid.AllowOIN(someOIN, "123")
	var list pkioverheid.OINList
	var noList *pkioverheid.OINList
	or := func(a, b pkioverheid.Authorizer) pkioverheid.Authorizer {
		return func(id pkioverheid.Identity) error {
			if a(id) == nil {
				return nil
			}
			return b(id)
		}
	}
	nobody := pkioverheid.AllowOIN("00000001002220647000")
	for name, allow := range map[string]pkioverheid.Authorizer{
		"first of two alternatives":          or(bad, nobody),
		"second of two alternatives":         or(nobody, bad),
		"second, after AllOf":                or(pkioverheid.AllOf(nobody), bad),
		"second, after a list that may grow": or(list.Allow, bad),
		"an alternative in AllOf":            pkioverheid.AllOf(or(nobody, bad)),
		"a list of OINs that is nil":         noList.Allow,
		"an alternative that is not a list":  or(nobody, noList.Allow),
		"alone":                              bad,
		"after one for numbers":              pkioverheid.AllOf(noTestOIN, bad),
		"first of several":                   pkioverheid.AllOf(bad, pkioverheid.AllowAnySystem()),
		"after an empty list":                pkioverheid.AllOf(pkioverheid.AllowAnySystem(), list.Allow, pkioverheid.AllowOIN(someOIN), bad),
		"after one that refuses":             pkioverheid.AllOf(func(pkioverheid.Identity) error { return errors.New("closed") }, bad),
		"in AllOf within AllOf":              pkioverheid.AllOf(pkioverheid.AllowAnySystem(), pkioverheid.AllOf(bad)),
		"an empty OIN":                       pkioverheid.AllowOIN(""),
		"AllOf of nothing":                   pkioverheid.AllOf(),
		"AllOf with a nil":                   pkioverheid.AllOf(pkioverheid.AllowAnySystem(), nil),
		"in a program's own, first":          func(id pkioverheid.Identity) error { return fmt.Errorf("mine: %w", bad(id)) },
		"in a program's own, after another": func(id pkioverheid.Identity) error {
			if err := pkioverheid.AllowAnySystem()(id); err != nil {
				return err
			}
			return bad(id)
		},
	} {
		_, err := pkioverheid.NewServer(pkioverheid.ServerConfig{KeyPairs: pairs(own)}, allow)
		assert.Error(t, err, name)
		_, err = newServer(t, pkioverheid.ServerConfig{}, anybody).HandlerFor(allow)
		assert.Error(t, err, name)
		assert.Error(t, allow(caller), name)
	}
	_, err := pkioverheid.NewServer(pkioverheid.ServerConfig{KeyPairs: pairs(own)}, bad)
	assert.ErrorContains(t, err, `"123" is not an OIN`)

	var kept pkioverheid.Identity
	_, err = pkioverheid.NewServer(pkioverheid.ServerConfig{KeyPairs: pairs(own)}, func(id pkioverheid.Identity) error {
		kept = id
		return pkioverheid.AllOf(pkioverheid.AllowAnySystem(), pkioverheid.AllowOIN(someOIN), list.Allow)(id)
	})
	require.NoError(t, err)
	assert.Error(t, pkioverheid.AllowAnySystem()(kept), "the probe is nobody afterwards")
	assert.Error(t, pkioverheid.AllowOIN(someOIN)(kept))
	assert.NoError(t, pkioverheid.AllOf(pkioverheid.AllowAnySystem(), pkioverheid.AllowOIN(someOIN))(caller))
	assert.Error(t, pkioverheid.AllOf(pkioverheid.AllowAnySystem(), list.Allow)(caller))
	assert.Error(t, pkioverheid.AllOf(pkioverheid.AllowAnySystem())(pkioverheid.Identity{}))
}

func TestServerConfigErrors(t *testing.T) {
	own := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	_, err := pkioverheid.NewServer(pkioverheid.ServerConfig{KeyPairs: pairs(own)}, nil)
	assert.ErrorContains(t, err, "Authorizer")
	_, err = pkioverheid.NewServer(pkioverheid.ServerConfig{}, pkioverheid.AllowAnySystem())
	assert.ErrorContains(t, err, "LoadKeyPair")
	_, err = pkioverheid.NewServer(pkioverheid.ServerConfig{KeyPairs: pairs(own), ClientRoots: truststore.NewSource(pkiotest.New(pkioverheid.G3).Roots())}, pkioverheid.AllowAnySystem())
	var g3 *pkioverheid.G3Error
	assert.ErrorAs(t, err, &g3)
}

func TestClientRootsCountForClientsOnly(t *testing.T) {
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	clientCert := g4.Issue(pkiotest.Leaf{OIN: someOIN})
	tc := serverConfig(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(pkiotest.New(pkioverheid.PrivateG1).Roots())}, ClientRoots: truststore.NewSource(g4.Roots())}, pkioverheid.AllowOIN(someOIN))
	assert.NoError(t, call(t, serve(t, tc), &clientCert))
}

func TestTheAuthorizerIsAskedOnResumedSessionsToo(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			var refuse atomic.Bool
			tc := serverConfig(t, pkioverheid.ServerConfig{}, func(id pkioverheid.Identity) error {
				if refuse.Load() {
					return errors.New("no longer on the list")
				}
				return pkioverheid.AllowOIN(someOIN)(id)
			})
			tc.NextProtos = []string{}
			address := strings.TrimPrefix(serve(t, tc), "https://")
			cert := g1.Issue(pkiotest.Leaf{OIN: someOIN})
			client, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(cert)})
			require.NoError(t, err)
			client.MaxVersion = version
			client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
			connect := func() (bool, error) {
				conn, err := tls.Dial("tcp", address, client)
				if err != nil {
					return false, err
				}
				defer conn.Close()
				fmt.Fprint(conn, "GET / HTTP/1.0\r\n\r\n")
				_, err = io.ReadAll(conn)
				return conn.ConnectionState().DidResume, err
			}
			_, err = connect()
			require.NoError(t, err)
			resumed, err := connect()
			require.NoError(t, err)
			require.True(t, resumed)
			refuse.Store(true)
			_, err = connect()
			assert.Error(t, err)
		})
	}
}

func TestARefusalOfOurCertificateSaysWhatWasAskedAndWhatWasSent(t *testing.T) {
	g1, g3, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3), pkiotest.New(pkioverheid.PrivateG4TLS)
	own := g1.Issue(pkiotest.Leaf{})
	onlyG4 := func(tc *tls.Config) { tc.ClientCAs = g4.Roots().CertPool() }
	anyCA := func(tc *tls.Config) { tc.ClientCAs = x509.NewCertPool() }
	cases := []struct {
		name   string
		server func(*tls.Config)
		cert   *tls.Certificate
		sent   bool
		words  []string
	}{
		{"no certificate", func(*tls.Config) {}, nil, false, []string{"there is none to send", "ClientConfig.KeyPairs", "Private G1"}},
		{"no CA of ours is announced", onlyG4, ptr(g1.Issue(pkiotest.Leaf{})), false, []string{"accepts certificates under \"Staat der Nederlanden - G4 Root Priv G-TLS - 2024\"", "was not sent", "(Private G1)", "Use a certificate under a CA that the server accepts"}},
		{"an unknown CA, none announced", anyCA, ptr(g1.Issue(pkiotest.Leaf{})), true, []string{"refused our certificate", "Ask the server's owner to trust the root"}},
		{"expired", func(*tls.Config) {}, ptr(g1.Issue(pkiotest.Leaf{NotAfter: time.Now().Add(-24 * time.Hour)})), true, []string{"Replace it, or check the clocks"}},
		{"G3", anyCA, ptr(g3.Issue(pkiotest.Leaf{})), true, []string{"G3 is no longer accepted", "Private G4"}},
		{"a key that cannot do RSA-PSS", func(tc *tls.Config) {}, ptr(badSigner(g1.Issue(pkiotest.Leaf{}))), true, []string{"RSA-PSS"}},
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range cases {
			t.Run(tls.VersionName(version)+"/"+c.name, func(t *testing.T) {
				tc := &tls.Config{
					Certificates: []tls.Certificate{own},
					ClientAuth:   tls.RequireAndVerifyClientCert,
					ClientCAs:    g1.Roots().CertPool(),
					MinVersion:   version, MaxVersion: version,
				}
				c.server(tc)
				url := serve(t, tc)
				// In TLS 1.3 the alert comes after the handshake, and is lost if the
				// request is written to a connection that was closed meanwhile.
				told := false
				for range 20 {
					err := call(t, url, c.cert)
					var refused *pkioverheid.ClientCertificateError
					require.ErrorAs(t, err, &refused)
					assert.Equal(t, c.sent, refused.Sent)
					assert.Equal(t, "localhost", refused.Host)
					assert.Equal(t, c.cert == nil, refused.Certificate == nil)
					assert.NotContains(t, err.Error(), "\n")
					if told = strings.Contains(err.Error(), "remote error"); told {
						for _, w := range c.words {
							assert.Contains(t, err.Error(), w)
						}
						break
					}
				}
				assert.True(t, told, "the alert was never seen")
			})
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestTheChainOfAClientsKeyPairIsCompleted(t *testing.T) {
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	cert := g4.Issue(pkiotest.Leaf{OIN: someOIN, LeafOnly: true})
	tc := serverConfig(t, pkioverheid.ServerConfig{}, pkioverheid.AllowOIN(someOIN))
	tc.ClientCAs = g4.Roots().CertPool() // announces the root alone, knows nothing in between
	tc.VerifyConnection = nil
	assert.NoError(t, call(t, serve(t, tc), &cert))
	assert.Len(t, cert.Certificate, 1, "the caller's own is not changed")
}

func TestAnIdentityNeedsAVerifiedChain(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf := g1.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	forged := forgedPair(t, someOIN)
	foreign := truststore.New(forged.Leaf)
	s := newServer(t, pkioverheid.ServerConfig{}, anybody)
	for name, cs := range map[string]*tls.ConnectionState{
		"nil":                       nil,
		"nothing":                   {},
		"not verified":              {PeerCertificates: []*x509.Certificate{leaf}},
		"an empty chain":            {VerifiedChains: [][]*x509.Certificate{{}}},
		"a chain of nil":            {VerifiedChains: [][]*x509.Certificate{{nil}}},
		"forged, in a pool alone":   {VerifiedChains: [][]*x509.Certificate{{forged.Leaf}}},
		"forged, under another CA":  {VerifiedChains: [][]*x509.Certificate{{forged.Leaf, firstOf(foreign)}}},
		"claims only, nobody known": {VerifiedChains: [][]*x509.Certificate{{leaf}}},
	} {
		id, err := s.Identify(cs)
		assert.Error(t, err, name)
		assert.Equal(t, pkioverheid.Identity{}, id, name)
	}
}

// Whoever has a root can write any number into certificates, and TSPs write numbers of
// their own into those of persons: an Authorizer that compares OINs must not see them.
func TestAnOINIsVerifiedOnlyOfSystemsAndOrganisations(t *testing.T) {
	const system, person = "2.16.528.1.1003.1.2.44.16.25.8", "2.16.528.1.1003.1.2.44.16.12.7"
	below := func(policy string, trust func(*pkioverheid.ServerConfig, *truststore.Source)) (pkioverheid.ServerConfig, []*x509.Certificate) {
		root, leaf := testcert.OtherHierarchy(t, policy, someOIN)
		cfg := pkioverheid.ServerConfig{}
		trust(&cfg, truststore.NewSource(truststore.New(root)))
		return cfg, []*x509.Certificate{leaf.Leaf, root}
	}
	ofG1 := func(policy string) (pkioverheid.ServerConfig, []*x509.Certificate) {
		g1 := pkiotest.New(pkioverheid.PrivateG1)
		cas := g1.Certificates()
		return pkioverheid.ServerConfig{Trust: pkiotest.Trust(g1)},
			[]*x509.Certificate{g1.Issue(pkiotest.Leaf{OIN: someOIN, Policies: []string{policy}}).Leaf, cas[2], cas[1], cas[0]}
	}
	inRoots := func(cfg *pkioverheid.ServerConfig, s *truststore.Source) { cfg.Trust.Roots = s }
	inClientRoots := func(cfg *pkioverheid.ServerConfig, s *truststore.Source) { cfg.ClientRoots = s }
	for name, c := range map[string]struct {
		make func() (pkioverheid.ServerConfig, []*x509.Certificate)
		want pkioverheid.OIN
	}{
		"a system of G1":                       {func() (pkioverheid.ServerConfig, []*x509.Certificate) { return ofG1("2.16.528.1.1003.1.2.8.6") }, someOIN},
		"an organisation of G1":                {func() (pkioverheid.ServerConfig, []*x509.Certificate) { return ofG1("2.16.528.1.1003.1.2.8.4") }, someOIN},
		"a person of G1":                       {func() (pkioverheid.ServerConfig, []*x509.Certificate) { return ofG1("2.16.528.1.1003.1.2.8.1") }, ""},
		"a policy that G1 does not know":       {func() (pkioverheid.ServerConfig, []*x509.Certificate) { return ofG1("1.2.3.4") }, ""},
		"any policy below an added root":       {func() (pkioverheid.ServerConfig, []*x509.Certificate) { return below("1.2.3.4", inRoots) }, ""},
		"a system's policy, below such a root": {func() (pkioverheid.ServerConfig, []*x509.Certificate) { return below(system, inRoots) }, ""},
		"a system below a root for clients":    {func() (pkioverheid.ServerConfig, []*x509.Certificate) { return below(system, inClientRoots) }, someOIN},
		"a person below a root for clients":    {func() (pkioverheid.ServerConfig, []*x509.Certificate) { return below(person, inClientRoots) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, chain := c.make()
			cfg.KeyPairs = pairs(ownPair())
			s, err := pkioverheid.NewServer(cfg, anybody)
			require.NoError(t, err)
			id, err := s.Identify(&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{chain}})
			require.NoError(t, err)
			assert.Equal(t, c.want, id.OIN())
			assert.Equal(t, someOIN, id.Claim().OIN, "what the certificate says can be read anyway")
		})
	}
}

// The state of a client's own connection holds chains that were verified for servers.
func TestACallersCertificateMustBeForClients(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	s := newServer(t, pkioverheid.ServerConfig{Trust: pkiotest.Trust(g1)}, pkioverheid.AllowAnySystem())
	for name, c := range map[string]struct {
		leaf pkiotest.Leaf
		ok   bool
	}{
		"for both":    {pkiotest.Leaf{}, true},
		"for clients": {pkiotest.Leaf{ClientOnly: true}, true},
		"for servers": {pkiotest.Leaf{ServerOnly: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			leaf, cas := g1.Issue(c.leaf).Leaf, g1.Certificates()
			for _, above := range [][]*x509.Certificate{{cas[2], cas[1], cas[0]}, {cas[2]}} {
				state := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{append([]*x509.Certificate{leaf}, above...)}}
				_, err := s.Identify(state)
				request := httptest.NewRequest(http.MethodGet, "/", nil)
				request.TLS = state
				answer := httptest.NewRecorder()
				s.Handler(http.NotFoundHandler()).ServeHTTP(answer, request)
				inHandshake := s.TLSConfig().VerifyConnection(*state)
				if c.ok {
					assert.NoError(t, err)
					assert.NoError(t, inHandshake)
					assert.Equal(t, http.StatusNotFound, answer.Code)
					continue
				}
				for _, err := range []error{err, inHandshake} {
					var failed *chain.Error
					if assert.ErrorAs(t, err, &failed) {
						assert.Equal(t, chain.WrongUsage, failed.Reason, err)
					}
				}
				assert.Equal(t, http.StatusForbidden, answer.Code)
				assert.Contains(t, answer.Body.String(), "wrong usage")
			}
		})
	}
}

func firstOf(s *truststore.Store) *x509.Certificate {
	for c := range s.All() {
		return c
	}
	return nil
}

func TestTestCertificatesNeedTheirOwnRoots(t *testing.T) {
	root, leaf := trialHierarchy(t)
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf}})
	_, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root))}})
	assert.ErrorContains(t, err, "TrialRoots")
	_, err = get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{TrialRoots: truststore.New(root)}}, url)
	assert.NoError(t, err)

	// A TRIAL name under a root that was not named for it.
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	url = serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{CommonName: "TRIAL system"})}})
	for _, cfg := range []pkioverheid.ClientConfig{pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(g1.Roots()), TrialRoots: truststore.New(root)}}} {
		_, err = get(t, cfg, url)
		var refused *pkioverheid.ServerCertificateError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
		assert.Contains(t, err.Error(), "test certificate")
	}
	url = serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.41.15.35.11"}})}})
	_, err = get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, url)
	assert.ErrorContains(t, err, "the policy 2.16.528.1.1003.1.2.41.15.35.11")
}

// systemOf is who an authority's certificate identifies, as a server finds.
func systemOf(t testing.TB, h pkioverheid.Hierarchy, l pkiotest.Leaf) pkioverheid.Identity {
	t.Helper()
	a := pkiotest.New(h)
	cas := a.Certificates()
	id, err := verified(pkiotest.Trust(a), a.Issue(l).Leaf, cas[2], cas[1], cas[0])
	require.NoError(t, err)
	return id
}

func TestAListOfOINsChangesWhileTheServerRuns(t *testing.T) {
	var list pkioverheid.OINList
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN})
	url := serve(t, serverConfig(t, pkioverheid.ServerConfig{}, list.Allow))
	assert.Error(t, call(t, url, &cert), "the zero value lets in nobody")
	require.NoError(t, list.Set(someOIN, "00000001002220647000"))
	assert.NoError(t, call(t, url, &cert))
	assert.ErrorContains(t, list.Set("00000001002220647000", "27198742"), "stays as it was")
	assert.NoError(t, call(t, url, &cert))
	require.NoError(t, list.Set("00000001002220647000"))
	assert.Error(t, call(t, url, &cert))
	require.NoError(t, list.Set())
	assert.Error(t, call(t, url, &cert))
}

func TestAListOfOINsAsksForASystemToo(t *testing.T) {
	var list pkioverheid.OINList
	require.NoError(t, list.Set(someOIN))
	assert.NoError(t, list.Allow(systemOf(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: someOIN})))
	assert.ErrorContains(t, list.Allow(systemOf(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: someOIN, Policies: []string{"2.16.528.1.1003.1.2.8.1"}})), "not the certificate of a system")
	assert.ErrorContains(t, list.Allow(systemOf(t, pkioverheid.PrivateG1, pkiotest.Leaf{})), "bears no OIN")
	assert.ErrorContains(t, list.Allow(systemOf(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: "00000001002220647000"})), "OIN 00000001002220647000 is not on the list")
}

func TestNumbersForTestsCanBeRefused(t *testing.T) {
	const test = "00000099000000001000"
	allow := pkioverheid.AllOf(noTestOIN, pkioverheid.AllowOIN(test, someOIN))
	assert.ErrorContains(t, allow(systemOf(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{OIN: test})), "number for tests")
	assert.NoError(t, allow(systemOf(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{OIN: someOIN})))
	assert.Error(t, allow(systemOf(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{OIN: "00000001002220647000"})))
	assert.NoError(t, pkioverheid.AllowOIN(test)(systemOf(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{OIN: test})), "where that is wanted")
}

// noTestOIN is a program's own.
func noTestOIN(id pkioverheid.Identity) error {
	if id.OIN().IsTest() {
		return errors.New("a number for tests")
	}
	return nil
}
