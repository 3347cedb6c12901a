package digikoppeling_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/digikoppeling"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

const someOIN = pkioverheid.OIN("00000003271987420000")

var digikoppelingRules = []string{
	"PKI001", "PKI002", "PKI003", "PKI004", "PKI005",
	"TLS001", "TLS002", "TLS003", "TLS004", "TLS005", "TLS006", "TLSCIPH001",
	"SIGN001", "SIGN002", "SIGN003", "SIGN004",
}

// outcome finds the result of a rule, among all of them in order.
func outcome(t testing.TB, all []digikoppeling.Result, rule string) digikoppeling.Result {
	t.Helper()
	var rules []string
	for _, r := range all {
		rules = append(rules, r.Rule)
		assert.NotEmpty(t, r.Reason, r.Rule)
		assert.NotContains(t, r.Reason, "\n")
		assert.NotContains(t, r.Reason, "\x1b")
		assert.NotContains(t, r.Reason, "%!")
		assert.Less(t, len(r.Reason), 700)
	}
	require.Equal(t, digikoppelingRules, rules)
	for _, r := range all {
		if r.Rule == rule {
			return r
		}
	}
	require.Fail(t, "no such rule", rule)
	return digikoppeling.Result{}
}

func TestCertificatesAreCheckedAgainstDigikoppeling(t *testing.T) {
	const met, broken, open = digikoppeling.Met, digikoppeling.Broken, digikoppeling.NotChecked
	g1, g3, g4, ev := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3), pkiotest.New(pkioverheid.PrivateG4TLS), pkiotest.New(pkioverheid.EV)
	own := pkiotest.Leaf{OIN: someOIN}
	good := g1.Issue(own).Leaf
	ended := g1.Issue(pkiotest.Leaf{OIN: someOIN, NotAfter: time.Now().Add(-24 * time.Hour)}).Leaf
	later := g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: time.Now().Add(24 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour)}).Leaf
	foreign := testcert.Sign(t, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, nil).Leaf
	otherRoot, otherLeaf := testcert.OtherHierarchy(t, "2.16.528.1.1003.1.2.44.16.25.8", someOIN)
	trusted := fixtures()
	strict := fixtures()
	strict.Policy = digikoppeling.Policy(nil)
	fine := func(chain.Chain, time.Time) error { return nil }
	revoked := func(c chain.Chain, at time.Time) error {
		return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: c.Leaf(), At: at, Err: []error{errors.New("on the CRL since\n2026-01-01")}}
	}
	unknown := func(c chain.Chain, at time.Time) error {
		return &chain.Error{Reason: chain.RevocationUnknown, Chain: c, Cert: c.Leaf(), At: at, Err: []error{errors.New("its CRL ended\nyesterday")}}
	}
	cases := []struct {
		name    string
		cert    *x509.Certificate
		at      time.Time
		opts    digikoppeling.Options
		rule    string
		verdict digikoppeling.Verdict
		reason  string
	}{
		{"it bears an OIN", good, time.Time{}, digikoppeling.Options{}, "PKI001", met, "the OIN 00000003271987420000"},
		{"it bears none", g1.Issue(pkiotest.Leaf{}).Leaf, time.Time{}, digikoppeling.Options{}, "PKI001", broken, "has no serialNumber"},
		{"it bears a number of the TSP's own", g1.Issue(pkiotest.Leaf{OIN: "NTRNL-27142"}).Leaf, time.Time{}, digikoppeling.Options{}, "PKI001", broken, `"NTRNL-27142" is not an OIN`},
		{"it bears 19 digits", g1.Issue(pkiotest.Leaf{OIN: "0000000327198742000"}).Leaf, time.Time{}, digikoppeling.Options{}, "PKI001", broken, "is not an OIN"},
		{"it is a CA", g1.Certificates()[2], time.Time{}, digikoppeling.Options{}, "PKI001", broken, "is a CA"},
		{"it is valid, revocation not asked", good, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI002", open, "no revocation policy"},
		{"it is valid and not revoked", good, time.Time{}, digikoppeling.Options{Trust: trusted, Revocation: fine}, "PKI002", met, "not revoked"},
		{"it was revoked", good, time.Time{}, digikoppeling.Options{Trust: trusted, Revocation: revoked}, "PKI002", broken, "on the CRL since"},
		{"it has ended", ended, time.Time{}, digikoppeling.Options{Trust: trusted, Revocation: fine}, "PKI002", broken, "it ended on"},
		{"it had not ended at the time", ended, time.Now().Add(-36 * time.Hour), digikoppeling.Options{Trust: trusted, Revocation: fine}, "PKI002", met, "not revoked"},
		{"it is valid later", later, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI002", broken, "valid from"},
		{"its CA has ended", g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: time.Now(), NotAfter: day(2035, 1, 1)}).Leaf, day(2029, 1, 1), digikoppeling.Options{Trust: trusted}, "PKI002", broken, "expired"},
		{"it is under G3", g3.Issue(own).Leaf, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI002", broken, "was withdrawn"},
		{"it does not verify", good, time.Time{}, digikoppeling.Options{Revocation: fine}, "PKI002", open, "does not verify"},
		{"date and CRL were tested", good, time.Time{}, digikoppeling.Options{Trust: trusted, Revocation: fine}, "PKI003", met, "the CRLs were tested"},
		{"they were tested and it was revoked", good, time.Time{}, digikoppeling.Options{Trust: trusted, Revocation: revoked}, "PKI003", met, "were tested"},
		{"its CRL cannot be fetched", good, time.Time{}, digikoppeling.Options{Trust: trusted, Revocation: unknown}, "PKI002", broken, "its CRL ended; yesterday"},
		{"the CRL that was to be tested cannot be fetched", good, time.Time{}, digikoppeling.Options{Trust: trusted, Revocation: unknown}, "PKI003", open, "do not say"},
		{"the CRL was not tested", good, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI003", open, "the dates alone"},
		{"there was no valid chain to test", ended, time.Time{}, digikoppeling.Options{Trust: trusted, Revocation: fine}, "PKI003", open, "not consulted"},
		{"its CRL is published", good, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI004", met, "http://"},
		{"it names no CRL", foreign, time.Time{}, digikoppeling.Options{}, "PKI004", broken, "names no CRL"},
		{"its CRL is in LDAP only", testcert.Sign(t, &x509.Certificate{CRLDistributionPoints: []string{"ldap://x", "h"}}, nil).Leaf, time.Time{}, digikoppeling.Options{}, "PKI004", broken, "names no CRL"},
		{"it is of Private G1", good, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI005", met, "Staat der Nederlanden Private Root CA - G1"},
		{"it is of Private G1 and breaks another rule, which a policy asks for", g1.Issue(pkiotest.Leaf{}).Leaf, time.Time{}, digikoppeling.Options{Trust: strict}, "PKI005", met, "Private Root CA - G1"},
		{"it is of Private G4", g4.Issue(own).Leaf, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI005", met, "Priv G-TLS"},
		{"it was of Private G1 and has ended", ended, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI005", met, "Private G1"},
		{"it was of EV", ev.Issue(own).Leaf, ev.Time(), digikoppeling.Options{Trust: pkiotest.Trust(ev)}, "PKI005", broken, "not a private root"},
		{"it is of G3", g3.Issue(own).Leaf, time.Time{}, digikoppeling.Options{Trust: trusted}, "PKI005", broken, "withdrawn"},
		{"it is of somebody else", foreign, time.Time{}, digikoppeling.Options{}, "PKI005", broken, "does not verify"},
		{"it claims to be of Private G1", testcert.Claiming(t, testcert.CA(t, "KPN PKIoverheid Private Services CA - G1"), func(c *x509.Certificate) { c.Subject.SerialNumber = string(someOIN) }), time.Time{}, digikoppeling.Options{Extra: pkioverheid.PrivateG1.Certificates()}, "PKI005", broken, "does not verify"},
		{"it is of a root that was added", otherLeaf.Leaf, time.Time{}, digikoppeling.Options{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(otherRoot))}}, "PKI005", open, "not known here"},
		{"the Trust is wrong", good, time.Time{}, digikoppeling.Options{Trust: pkioverheid.Trust{OnlyRoots: true}}, "PKI005", open, "no roots to trust"},
		{"the chain came along, not the root", good, time.Time{}, digikoppeling.Options{Trust: trusted, Extra: g1.Certificates()[1:]}, "PKI005", met, "Private G1"},
		{"it is about connections", good, time.Time{}, digikoppeling.Options{}, "TLS003", open, "about connections"},
		{"it is about messages", good, time.Time{}, digikoppeling.Options{}, "SIGN001", open, "about signatures on messages"},
		{"no certificate", nil, time.Time{}, digikoppeling.Options{}, "PKI001", open, "there is no certificate"},
		{"one that was never parsed", new(x509.Certificate), time.Time{}, digikoppeling.Options{}, "PKI005", open, "there is no certificate"},
	}
	for _, c := range cases {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			got := outcome(t, digikoppeling.Check(c.cert, c.at, c.opts), c.rule)
			assert.Equal(t, c.verdict, got.Verdict, got.Reason)
			assert.Contains(t, got.Reason, c.reason)
		})
	}
}

func TestEveryEmbeddedCertificateNamesItsCRL(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		for _, c := range h.Certificates()[1:] {
			got := outcome(t, digikoppeling.Check(c, day(2026, 11, 23), digikoppeling.Options{}), "PKI004")
			assert.Equal(t, digikoppeling.Met, got.Verdict, c.Subject.CommonName)
		}
	}
}

func TestConnectionsAreCheckedAgainstDigikoppeling(t *testing.T) {
	const met, broken, open = digikoppeling.Met, digikoppeling.Broken, digikoppeling.NotChecked
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	own := g1.Issue(pkiotest.Leaf{}).Leaf
	trusted := fixtures()
	with := func(change func(*tls.ConnectionState)) *tls.ConnectionState {
		cs := verifiedState(t)
		change(cs)
		return cs
	}
	as := func(version, suite uint16) *tls.ConnectionState {
		return with(func(cs *tls.ConnectionState) { cs.Version, cs.CipherSuite = version, suite })
	}
	person := func(cs *tls.ConnectionState) {
		cs.VerifiedChains[0][0] = g1.Issue(pkiotest.Leaf{OIN: someOIN, Policies: []string{"2.16.528.1.1003.1.2.8.1"}}).Leaf
	}
	unverified := func(cs *tls.ConnectionState) {
		cs.PeerCertificates, cs.VerifiedChains = cs.VerifiedChains[0], nil
	}
	cases := []struct {
		name    string
		cs      *tls.ConnectionState
		opts    digikoppeling.Options
		rule    string
		verdict digikoppeling.Verdict
		reason  string
	}{
		{"the certificate counts as well", verifiedState(t), digikoppeling.Options{Trust: trusted}, "PKI001", met, "OIN"},
		{"a system's", verifiedState(t), digikoppeling.Options{Trust: trusted}, "TLS001", met, "a system's certificate under Private G1"},
		{"a person's", with(person), digikoppeling.Options{Trust: trusted}, "TLS001", broken, "not one for a system"},
		{"nobody verified it", with(unverified), digikoppeling.Options{Trust: trusted}, "TLS001", broken, "without verifying"},
		{"verified by others, not trusted here", verifiedState(t), digikoppeling.Options{}, "TLS001", broken, "does not verify"},
		{"no certificate", &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13}, digikoppeling.Options{}, "TLS001", broken, "showed no certificate"},
		{"no certificate, so no OIN", &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13}, digikoppeling.Options{}, "PKI001", broken, "no certificate"},
		{"the other side's only is known", verifiedState(t), digikoppeling.Options{Trust: trusted}, "TLS002", open, "was not given"},
		{"both showed one", verifiedState(t), digikoppeling.Options{Trust: trusted, Own: own}, "TLS002", met, "both sides"},
		{"ours is of G3", verifiedState(t), digikoppeling.Options{Trust: trusted, Own: pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{}).Leaf}, "TLS002", broken, "this side's"},
		{"theirs is missing", &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13}, digikoppeling.Options{Own: own}, "TLS002", broken, "the other side showed no"},
		{"TLS 1.1", as(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA), digikoppeling.Options{}, "TLS003", broken, "older than TLS 1.2"},
		{"TLS 1.2", as(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), digikoppeling.Options{}, "TLS003", met, "TLS 1.2"},
		{"TLS 1.1, again", as(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA), digikoppeling.Options{}, "TLS004", broken, "required"},
		{"TLS 1.2, again", as(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), digikoppeling.Options{}, "TLS004", met, "TLS 1.3 is strongly advised"},
		{"TLS 1.3", verifiedState(t), digikoppeling.Options{}, "TLS004", met, "TLS 1.3"},
		{"the port is not known", verifiedState(t), digikoppeling.Options{}, "TLS005", open, "not given"},
		{"port 443", verifiedState(t), digikoppeling.Options{Port: 443}, "TLS005", met, "443"},
		{"port 8443", verifiedState(t), digikoppeling.Options{Port: 8443}, "TLS005", broken, "8443"},
		{"port 8443 of FSC", verifiedState(t), digikoppeling.Options{Port: 8443, FSC: true}, "TLS005", met, "8443"},
		{"port 8444 of FSC", verifiedState(t), digikoppeling.Options{Port: 8444, FSC: true}, "TLS005", broken, "8444"},
		{"a good suite", as(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), digikoppeling.Options{}, "TLSCIPH001", met, "AES_256_GCM"},
		{"CBC", as(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), digikoppeling.Options{}, "TLSCIPH001", broken, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not rated"},
		{"no forward secrecy", as(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_256_GCM_SHA384), digikoppeling.Options{}, "TLS006", broken, "not rated"},
		{"any suite of TLS 1.1", as(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), digikoppeling.Options{}, "TLS006", broken, "older"},
		{"TLS 1.3's own", verifiedState(t), digikoppeling.Options{}, "TLSCIPH001", met, "TLS_AES_128_GCM_SHA256"},
		{"before the handshake", new(tls.ConnectionState), digikoppeling.Options{}, "TLS003", open, "not complete"},
		{"nil", nil, digikoppeling.Options{}, "TLS003", open, "not complete"},
		{"chains of nothing", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}, {nil}}}, digikoppeling.Options{}, "PKI001", broken, "there is no certificate"},
	}
	for _, c := range cases {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			got := outcome(t, digikoppeling.CheckConnection(c.cs, time.Time{}, c.opts), c.rule)
			assert.Equal(t, c.verdict, got.Verdict, got.Reason)
			assert.Contains(t, got.Reason, c.reason)
		})
	}
}

// On both sides of a real connection of our own, everything that can be checked is met.
func TestOurOwnConnectionsKeepToDigikoppeling(t *testing.T) {
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	trusted := pkiotest.Trust(g4)
	own, mine := g4.Issue(pkiotest.Leaf{OIN: "00000001002220647000"}), g4.Issue(pkiotest.Leaf{OIN: someOIN})
	fine := func(chain.Chain, time.Time) error { return nil }
	opts := digikoppeling.Options{Trust: trusted, Revocation: fine, Port: 443}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		strict := trusted
		strict.Policy = digikoppeling.Policy(fine)
		tc := serverConfig(t, strict, own, pkioverheid.AllowOIN(someOIN))
		tc.MaxVersion = version
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			opts := opts
			opts.Own = own.Leaf
			assert.NoError(t, json.NewEncoder(w).Encode(digikoppeling.CheckConnection(r.TLS, time.Time{}, opts)))
		}))
		srv.TLS = tc
		srv.StartTLS()
		t.Cleanup(srv.Close)
		resp, body, err := fetch(t, strict, mine, srv.URL)
		require.NoError(t, err)
		var seenByServer []digikoppeling.Result
		require.NoError(t, json.Unmarshal([]byte(body), &seenByServer), body)
		opts.Own = mine.Leaf
		seenByClient := digikoppeling.CheckConnection(resp.TLS, time.Time{}, opts)
		for _, all := range [][]digikoppeling.Result{seenByServer, seenByClient} {
			outcome(t, all, "PKI001")
			for _, r := range all {
				if strings.HasPrefix(r.Rule, "SIGN") {
					assert.Equal(t, digikoppeling.NotChecked, r.Verdict)
				} else {
					assert.Equal(t, digikoppeling.Met, r.Verdict, fmt.Sprint(r))
				}
			}
		}
	}
}

func TestThePolicyOfDigikoppelingRefusesWhatBreaksIt(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cas := g1.Certificates()
	chainOf := func(l pkiotest.Leaf) chain.Chain {
		return chain.Chain{g1.Issue(l).Leaf, cas[2], cas[1], cas[0]}
	}
	own := pkiotest.Leaf{OIN: someOIN}
	sure := errors.New("on the CRL")
	revoked := func(c chain.Chain, at time.Time) error {
		return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: c[1], At: at, Err: []error{sure}}
	}
	now := time.Now()
	assert.NoError(t, digikoppeling.Policy(nil)(chainOf(own), now))
	assert.NoError(t, digikoppeling.Policy(func(chain.Chain, time.Time) error { return nil })(chainOf(own), now))

	var refused *chain.Error
	require.ErrorAs(t, digikoppeling.Policy(nil)(chainOf(pkiotest.Leaf{}), now), &refused)
	assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
	assert.ErrorContains(t, refused, "Digikoppeling PKI001")

	err := digikoppeling.Policy(revoked)(chainOf(own), now)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.Revoked, refused.Reason)
	assert.Equal(t, cas[2], refused.Cert)
	assert.ErrorIs(t, err, sure)

	assert.ErrorIs(t, digikoppeling.Policy(func(chain.Chain, time.Time) error { return sure })(chainOf(own), now), sure)
	ev := pkiotest.New(pkioverheid.EV)
	evCAs := ev.Certificates()
	assert.ErrorContains(t, digikoppeling.Policy(nil)(chain.Chain{ev.Issue(own).Leaf, evCAs[2], evCAs[1], evCAs[0]}, ev.Time()), "PKI005")
	assert.ErrorContains(t, digikoppeling.Policy(nil)(nil, now), "no certificate")
	assert.ErrorContains(t, digikoppeling.Policy(nil)(chain.Chain{nil}, now), "no certificate")

	// In a Trust: a server that lets in any caller but for this.
	strict := fixtures()
	strict.Policy = digikoppeling.Policy(nil)
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.TLS = serverConfig(t, strict, g1.Issue(pkiotest.Leaf{}), func(pkioverheid.Identity) error { return nil })
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, _, err = fetch(t, fixtures(), g1.Issue(own), srv.URL)
	assert.NoError(t, err)
	_, _, err = fetch(t, fixtures(), g1.Issue(pkiotest.Leaf{}), srv.URL)
	assert.Error(t, err)
}

// fixtures trusts the hierarchies of package pkiotest.
func fixtures() pkioverheid.Trust {
	return pkiotest.Trust(pkiotest.New(pkioverheid.EV), pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS))
}

func day(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

func verifiedState(t testing.TB) *tls.ConnectionState {
	t.Helper()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cas := g1.Certificates()
	return &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, HandshakeComplete: true,
		VerifiedChains: [][]*x509.Certificate{{g1.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf, cas[2], cas[1], cas[0]}}}
}

func keyPairs(t testing.TB, cert tls.Certificate) []*pkioverheid.KeyPair {
	t.Helper()
	pair, err := pkioverheid.NewKeyPair(cert)
	require.NoError(t, err)
	return []*pkioverheid.KeyPair{pair}
}

func serverConfig(t testing.TB, trust pkioverheid.Trust, own tls.Certificate, allow pkioverheid.Authorizer) *tls.Config {
	t.Helper()
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: keyPairs(t, own)}, allow)
	require.NoError(t, err)
	return s.TLSConfig()
}

func fetch(t testing.TB, trust pkioverheid.Trust, own tls.Certificate, url string) (*http.Response, string, error) {
	t.Helper()
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: trust, KeyPairs: keyPairs(t, own)})
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	resp, err := client.Get(strings.Replace(url, "127.0.0.1", "localhost", 1))
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body), nil
}

// The Revocation of the Trust is asked where no other is given.
func TestTheRevocationOfTheTrustIsAsked(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	good, bad := a.Issue(pkiotest.Leaf{OIN: someOIN}), a.Issue(pkiotest.Leaf{OIN: someOIN})
	a.Revoke(bad.Leaf, crl.KeyCompromise)
	checker, err := crl.NewChecker(pkiotest.CRLConfig(a))
	require.NoError(t, err)
	t.Cleanup(func() { checker.Close() })
	opts := digikoppeling.Options{Trust: pkiotest.Trust(a)}
	opts.Trust.Revocation = checker
	for leaf, want := range map[*x509.Certificate]digikoppeling.Verdict{good.Leaf: digikoppeling.Met, bad.Leaf: digikoppeling.Broken} {
		rules := digikoppeling.Check(leaf, a.Time(), opts)
		assert.Equal(t, want, outcome(t, rules, "PKI002").Verdict)
		assert.Equal(t, digikoppeling.Met, outcome(t, rules, "PKI003").Verdict)
	}
}

func TestResultsGoThroughJSON(t *testing.T) {
	all := digikoppeling.Check(pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf, time.Time{}, digikoppeling.Options{})
	data, err := json.Marshal(all)
	require.NoError(t, err)
	assert.Contains(t, string(data), `{"rule":"PKI001","verdict":"broken","reason":"the subject has no serialNumber`)
	assert.Contains(t, string(data), `"verdict":"not checked"`)
	var back []digikoppeling.Result
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, all, back)
}
