package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

var digikoppelingRules = []string{
	"PKI001", "PKI002", "PKI003", "PKI004", "PKI005",
	"TLS001", "TLS002", "TLS003", "TLS004", "TLS005", "TLS006", "TLSCIPH001",
	"SIGN001", "SIGN002", "SIGN003", "SIGN004",
}

// outcome finds the result of a rule, among all of them in order.
func outcome(t testing.TB, all []pkioverheid.RuleResult, rule string) pkioverheid.RuleResult {
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
	return pkioverheid.RuleResult{}
}

func TestCertificatesAreCheckedAgainstDigikoppeling(t *testing.T) {
	const met, broken, open = pkioverheid.Met, pkioverheid.Broken, pkioverheid.NotChecked
	g1, g3, g4, ev := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3), pkiotest.New(pkioverheid.PrivateG4TLS), pkiotest.New(pkioverheid.EV)
	own := pkiotest.OIN(someOIN)
	good := g1.Issue(own).Leaf
	ended := g1.Issue(own, pkiotest.Validity(time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour))).Leaf
	later := g1.Issue(own, pkiotest.Validity(time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour))).Leaf
	foreign := sign(t, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, nil).Leaf
	otherRoot, otherLeaf := otherHierarchy(t, "2.16.528.1.1003.1.2.44.16.25.8")
	trusted := pkioverheid.Config{Roots: fixtureRoots()}
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
		opts    pkioverheid.DigikoppelingOptions
		rule    string
		verdict pkioverheid.Verdict
		reason  string
	}{
		{"it bears an OIN", good, time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI001", met, "the OIN 00000003271987420000"},
		{"it bears none", g1.Issue().Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI001", broken, "has no serialNumber"},
		{"it bears a number of the TSP's own", g1.Issue(pkiotest.OIN("NTRNL-27142")).Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI001", broken, `"NTRNL-27142" is no OIN`},
		{"it bears 19 digits", g1.Issue(pkiotest.OIN("0000000327198742000")).Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI001", broken, "is no OIN"},
		{"it is a CA", g1.Certificates()[2], time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI001", broken, "is a CA"},
		{"it is valid, revocation not asked", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI002", open, "no revocation policy"},
		{"it is valid and not revoked", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: fine}, "PKI002", met, "not revoked"},
		{"it was revoked", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: revoked}, "PKI002", broken, "on the CRL since"},
		{"it has ended", ended, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: fine}, "PKI002", broken, "it ended on"},
		{"it had not ended at the time", ended, time.Now().Add(-36 * time.Hour), pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: fine}, "PKI002", met, "not revoked"},
		{"it is valid later", later, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI002", broken, "valid from"},
		{"its CA has ended", g1.Issue(own, pkiotest.Validity(time.Now(), date(2035, 1, 1))).Leaf, date(2029, 1, 1), pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI002", broken, "expired"},
		{"it is under G3", g3.Issue(own).Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI002", broken, "was withdrawn"},
		{"it does not verify", good, time.Time{}, pkioverheid.DigikoppelingOptions{Revocation: fine}, "PKI002", open, "does not verify"},
		{"date and CRL were tested", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: fine}, "PKI003", met, "the CRLs were tested"},
		{"they were tested and it was revoked", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: revoked}, "PKI003", met, "were tested"},
		{"its CRL cannot be had", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: unknown}, "PKI002", broken, "its CRL ended; yesterday"},
		{"the CRL that was to be tested cannot be had", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: unknown}, "PKI003", open, "do not tell"},
		{"the CRL was not tested", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI003", open, "the dates alone"},
		{"there was no valid chain to test", ended, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Revocation: fine}, "PKI003", open, "not consulted"},
		{"its CRL is published", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI004", met, "http://"},
		{"it names no CRL", foreign, time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI004", broken, "names no CRL"},
		{"its CRL is in LDAP only", sign(t, &x509.Certificate{CRLDistributionPoints: []string{"ldap://x", "h"}}, nil).Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI004", broken, "names no CRL"},
		{"it is of Private G1", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI005", met, "Staat der Nederlanden Private Root CA - G1"},
		{"it is of Private G1 and breaks another rule, which a policy asks for", g1.Issue().Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{Config: pkioverheid.Config{Roots: fixtureRoots(), Policy: pkioverheid.DigikoppelingPolicy(nil)}}, "PKI005", met, "Private Root CA - G1"},
		{"it is of Private G4", g4.Issue(own).Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI005", met, "Priv G-TLS"},
		{"it was of Private G1 and has ended", ended, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI005", met, "Private G1"},
		{"it was of EV", ev.Issue(own).Leaf, ev.Time(), pkioverheid.DigikoppelingOptions{Config: pkioverheid.Config{Roots: ev.Roots()}}, "PKI005", broken, "not a private root"},
		{"it is of G3", g3.Issue(own).Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI005", broken, "withdrawn"},
		{"it is of somebody else", foreign, time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI005", broken, "does not verify"},
		{"it claims to be of Private G1", forgedPair(t, someOIN).Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{Extra: pkioverheid.PrivateG1.Certificates()}, "PKI005", broken, "does not verify"},
		{"it is of a root that was added", otherLeaf.Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{Config: pkioverheid.Config{ClientRoots: truststore.New(otherRoot)}}, "PKI005", open, "not known here"},
		{"the Config is wrong", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: pkioverheid.Config{OnlyRoots: true}}, "PKI005", open, "no roots to trust"},
		{"the chain came along, not the root", good, time.Time{}, pkioverheid.DigikoppelingOptions{Config: trusted, Extra: g1.Certificates()[1:]}, "PKI005", met, "Private G1"},
		{"it is about connections", good, time.Time{}, pkioverheid.DigikoppelingOptions{}, "TLS003", open, "about connections"},
		{"it is about messages", good, time.Time{}, pkioverheid.DigikoppelingOptions{}, "SIGN001", open, "about signatures on messages"},
		{"no certificate", nil, time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI001", open, "there is no certificate"},
		{"one that was never parsed", new(x509.Certificate), time.Time{}, pkioverheid.DigikoppelingOptions{}, "PKI005", open, "there is no certificate"},
	}
	for _, c := range cases {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			got := outcome(t, pkioverheid.CheckDigikoppeling(c.cert, c.at, c.opts), c.rule)
			assert.Equal(t, c.verdict, got.Verdict, got.Reason)
			assert.Contains(t, got.Reason, c.reason)
		})
	}
}

func TestEveryEmbeddedCertificateNamesItsCRL(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		for _, c := range h.Certificates()[1:] {
			got := outcome(t, pkioverheid.CheckDigikoppeling(c, date(2026, 11, 23), pkioverheid.DigikoppelingOptions{}), "PKI004")
			assert.Equal(t, pkioverheid.Met, got.Verdict, c.Subject.CommonName)
		}
	}
}

func TestConnectionsAreCheckedAgainstDigikoppeling(t *testing.T) {
	const met, broken, open = pkioverheid.Met, pkioverheid.Broken, pkioverheid.NotChecked
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	own := g1.Issue().Leaf
	trusted := pkioverheid.Config{Roots: fixtureRoots()}
	with := func(change func(*tls.ConnectionState)) *tls.ConnectionState {
		cs := verifiedState(t)
		change(cs)
		return cs
	}
	as := func(version, suite uint16) *tls.ConnectionState {
		return with(func(cs *tls.ConnectionState) { cs.Version, cs.CipherSuite = version, suite })
	}
	person := func(cs *tls.ConnectionState) {
		cs.VerifiedChains[0][0] = g1.Issue(pkiotest.OIN(someOIN), pkiotest.Policy("2.16.528.1.1003.1.2.8.1")).Leaf
	}
	unverified := func(cs *tls.ConnectionState) {
		cs.PeerCertificates, cs.VerifiedChains = cs.VerifiedChains[0], nil
	}
	cases := []struct {
		name    string
		cs      *tls.ConnectionState
		opts    pkioverheid.DigikoppelingOptions
		rule    string
		verdict pkioverheid.Verdict
		reason  string
	}{
		{"the certificate counts as well", verifiedState(t), pkioverheid.DigikoppelingOptions{Config: trusted}, "PKI001", met, "OIN"},
		{"a system's", verifiedState(t), pkioverheid.DigikoppelingOptions{Config: trusted}, "TLS001", met, "a system's certificate under Private G1"},
		{"a person's", with(person), pkioverheid.DigikoppelingOptions{Config: trusted}, "TLS001", broken, "not one for a system"},
		{"nobody verified it", with(unverified), pkioverheid.DigikoppelingOptions{Config: trusted}, "TLS001", broken, "without verifying"},
		{"verified by others, not trusted here", verifiedState(t), pkioverheid.DigikoppelingOptions{}, "TLS001", broken, "does not verify"},
		{"no certificate", &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13}, pkioverheid.DigikoppelingOptions{}, "TLS001", broken, "showed no certificate"},
		{"no certificate, so no OIN", &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13}, pkioverheid.DigikoppelingOptions{}, "PKI001", broken, "no certificate"},
		{"the other side's only is known", verifiedState(t), pkioverheid.DigikoppelingOptions{Config: trusted}, "TLS002", open, "was not given"},
		{"both showed one", verifiedState(t), pkioverheid.DigikoppelingOptions{Config: trusted, Own: own}, "TLS002", met, "both sides"},
		{"ours is of G3", verifiedState(t), pkioverheid.DigikoppelingOptions{Config: trusted, Own: pkiotest.New(pkioverheid.G3).Issue().Leaf}, "TLS002", broken, "this side's"},
		{"theirs is missing", &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13}, pkioverheid.DigikoppelingOptions{Own: own}, "TLS002", broken, "the other side showed no"},
		{"TLS 1.1", as(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA), pkioverheid.DigikoppelingOptions{}, "TLS003", broken, "older than TLS 1.2"},
		{"TLS 1.2", as(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), pkioverheid.DigikoppelingOptions{}, "TLS003", met, "TLS 1.2"},
		{"TLS 1.1, again", as(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA), pkioverheid.DigikoppelingOptions{}, "TLS004", broken, "required"},
		{"TLS 1.2, again", as(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), pkioverheid.DigikoppelingOptions{}, "TLS004", met, "TLS 1.3 is strongly advised"},
		{"TLS 1.3", verifiedState(t), pkioverheid.DigikoppelingOptions{}, "TLS004", met, "TLS 1.3"},
		{"the port is not known", verifiedState(t), pkioverheid.DigikoppelingOptions{}, "TLS005", open, "not given"},
		{"port 443", verifiedState(t), pkioverheid.DigikoppelingOptions{Port: 443}, "TLS005", met, "443"},
		{"port 8443", verifiedState(t), pkioverheid.DigikoppelingOptions{Port: 8443}, "TLS005", broken, "8443"},
		{"a good suite", as(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), pkioverheid.DigikoppelingOptions{}, "TLSCIPH001", met, "AES_256_GCM"},
		{"CBC", as(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), pkioverheid.DigikoppelingOptions{}, "TLSCIPH001", broken, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not rated"},
		{"no forward secrecy", as(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_256_GCM_SHA384), pkioverheid.DigikoppelingOptions{}, "TLS006", broken, "not rated"},
		{"any suite of TLS 1.1", as(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), pkioverheid.DigikoppelingOptions{}, "TLS006", broken, "older"},
		{"TLS 1.3's own", verifiedState(t), pkioverheid.DigikoppelingOptions{}, "TLSCIPH001", met, "TLS_AES_128_GCM_SHA256"},
		{"before the handshake", new(tls.ConnectionState), pkioverheid.DigikoppelingOptions{}, "TLS003", open, "not complete"},
		{"nil", nil, pkioverheid.DigikoppelingOptions{}, "TLS003", open, "not complete"},
		{"chains of nothing", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}, {nil}}}, pkioverheid.DigikoppelingOptions{}, "PKI001", broken, "there is no certificate"},
	}
	for _, c := range cases {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			got := outcome(t, pkioverheid.CheckDigikoppelingConnection(c.cs, time.Time{}, c.opts), c.rule)
			assert.Equal(t, c.verdict, got.Verdict, got.Reason)
			assert.Contains(t, got.Reason, c.reason)
		})
	}
}

// On both sides of a real connection of our own, everything that can be checked is met.
func TestOurOwnConnectionsKeepToDigikoppeling(t *testing.T) {
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	cfg := pkioverheid.Config{Roots: g4.Roots()}
	own, mine := g4.Issue(pkiotest.OIN("00000001002220647000")), g4.Issue(pkiotest.OIN(someOIN))
	fine := func(chain.Chain, time.Time) error { return nil }
	opts := pkioverheid.DigikoppelingOptions{Config: cfg, Revocation: fine, Port: 443}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		tc := serverConfig(t, pkioverheid.Config{Roots: g4.Roots(), Certificate: &own, Policy: pkioverheid.DigikoppelingPolicy(fine)}, pkioverheid.AllowOIN(someOIN))
		tc.MaxVersion = version
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			opts := opts
			opts.Own = own.Leaf
			assert.NoError(t, json.NewEncoder(w).Encode(pkioverheid.CheckDigikoppelingConnection(r.TLS, time.Time{}, opts)))
		}))
		srv.TLS = tc
		srv.StartTLS()
		t.Cleanup(srv.Close)
		resp, body, err := fetch(t, pkioverheid.Config{Roots: g4.Roots(), Certificate: &mine, Policy: pkioverheid.DigikoppelingPolicy(fine)}, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
		require.NoError(t, err)
		var seenByServer []pkioverheid.RuleResult
		require.NoError(t, json.Unmarshal([]byte(body), &seenByServer), body)
		opts.Own = mine.Leaf
		seenByClient := pkioverheid.CheckDigikoppelingConnection(resp.TLS, time.Time{}, opts)
		for _, all := range [][]pkioverheid.RuleResult{seenByServer, seenByClient} {
			outcome(t, all, "PKI001")
			for _, r := range all {
				if strings.HasPrefix(r.Rule, "SIGN") {
					assert.Equal(t, pkioverheid.NotChecked, r.Verdict)
				} else {
					assert.Equal(t, pkioverheid.Met, r.Verdict, fmt.Sprint(r))
				}
			}
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
}

func TestThePolicyOfDigikoppelingRefusesWhatBreaksIt(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cas := g1.Certificates()
	chainOf := func(opts ...pkiotest.LeafOption) chain.Chain {
		return chain.Chain{g1.Issue(opts...).Leaf, cas[2], cas[1], cas[0]}
	}
	own := pkiotest.OIN(someOIN)
	sure := errors.New("on the CRL")
	revoked := func(c chain.Chain, at time.Time) error {
		return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: c[1], At: at, Err: []error{sure}}
	}
	now := time.Now()
	assert.NoError(t, pkioverheid.DigikoppelingPolicy(nil)(chainOf(own), now))
	assert.NoError(t, pkioverheid.DigikoppelingPolicy(func(chain.Chain, time.Time) error { return nil })(chainOf(own), now))

	var refused *chain.Error
	require.ErrorAs(t, pkioverheid.DigikoppelingPolicy(nil)(chainOf(), now), &refused)
	assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
	assert.ErrorContains(t, refused, "Digikoppeling PKI001")

	err := pkioverheid.DigikoppelingPolicy(revoked)(chainOf(own), now)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.Revoked, refused.Reason)
	assert.Equal(t, cas[2], refused.Cert)
	assert.ErrorIs(t, err, sure)

	assert.ErrorIs(t, pkioverheid.DigikoppelingPolicy(func(chain.Chain, time.Time) error { return sure })(chainOf(own), now), sure)
	ev := pkiotest.New(pkioverheid.EV)
	evCAs := ev.Certificates()
	assert.ErrorContains(t, pkioverheid.DigikoppelingPolicy(nil)(chain.Chain{ev.Issue(own).Leaf, evCAs[2], evCAs[1], evCAs[0]}, ev.Time()), "PKI005")
	assert.ErrorContains(t, pkioverheid.DigikoppelingPolicy(nil)(nil, now), "no certificate")
	assert.ErrorContains(t, pkioverheid.DigikoppelingPolicy(nil)(chain.Chain{nil}, now), "no certificate")

	// In a Config: a server that lets in any caller but for this.
	tc := serverConfig(t, pkioverheid.Config{Policy: pkioverheid.DigikoppelingPolicy(nil)}, func(pkioverheid.Identity) error { return nil })
	url := serve(t, tc)
	with, without := g1.Issue(own), g1.Issue()
	assert.NoError(t, call(t, url, &with))
	assert.Error(t, call(t, url, &without))
}

func TestResultsGoThroughJSON(t *testing.T) {
	all := pkioverheid.CheckDigikoppeling(pkiotest.New(pkioverheid.PrivateG1).Issue().Leaf, time.Time{}, pkioverheid.DigikoppelingOptions{})
	data, err := json.Marshal(all)
	require.NoError(t, err)
	assert.Contains(t, string(data), `{"rule":"PKI001","verdict":"broken","reason":"the subject has no serialNumber`)
	assert.Contains(t, string(data), `"verdict":"not checked"`)
	var back []pkioverheid.RuleResult
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, all, back)
	assert.Equal(t, "Verdict(9)", pkioverheid.Verdict(9).String())
	var v pkioverheid.Verdict
	assert.Error(t, v.UnmarshalText([]byte("perhaps")))
}
