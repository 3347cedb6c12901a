package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
	"github.com/go-pkioverheid/trust/truststore"
)

// Config says whom to trust and what to show. The zero value trusts
// [Hierarchies], at the present time, and shows no certificate. A Config is read
// when something is made of it, and may be used again.
type Config struct {
	// Hierarchies to trust. nil means Hierarchies(); empty and not nil, none. G3
	// is an error.
	Hierarchies []Hierarchy

	// Roots are trusted as well. Certificates that are not self-issued are taken
	// for CAs below a root, which a peer then need not send. It is an error if one
	// is no CA, is of G3, is for tests (see TrialRoots), or has a key that is
	// public because it belongs to package pkiotest, unless the certificate came
	// from that package in this program. nil adds nothing.
	Roots *truststore.Store

	// RootSource gives roots that are trusted as well, as Roots are, and that may
	// change while the program runs: see truststore.Watch. A [Transport] uses the
	// new contents for its next connections, and a server for its next handshakes.
	// A config of [ClientTLSConfig] trusts what there was when it was made, as far
	// as it is still there. nil adds nothing.
	RootSource *truststore.Source

	// OnRefusedRoots is called with the reason when new contents of RootSource
	// are what Roots would refuse, and so are not used. The trust from before
	// stays in use then, with all that was removed meanwhile. nil logs the reason
	// with slog.
	OnRefusedRoots func(error)

	// OnlyRoots trusts Roots, RootSource, TrialRoots and ClientRoots, and no
	// hierarchy.
	OnlyRoots bool

	// TrialRoots are trusted as well, and are what certificates marked as tests
	// may stand under: common names that start with the word TRIAL, TEST or
	// ACCEPTATIE, policies of the TRIAL tool. Without it these are refused, under a production root in
	// any case. nil adds nothing.
	TrialRoots *truststore.Store

	// ClientRoots are trusted for the certificates of clients only, by
	// ServerTLSConfig; everything else ignores them. It is the place for
	// "Staat der Nederlanden - G4 Root Priv G-Other - 2024", under which
	// certificates without a domain name are issued. nil adds nothing.
	ClientRoots *truststore.Store

	// Certificate is shown to the other side: a client's when a server asks for
	// it; a server needs one. Certificates missing between it and its root are
	// added, where they are known here. See [LoadKeyPair].
	Certificate *tls.Certificate

	// GetCertificate, if set, is asked by a client instead of Certificate, at
	// each handshake in which the server wants one. nil, or a certificate without
	// contents, shows none. To one that comes alone the CAs above it are added,
	// which costs some signature checks; return the whole chain to save them.
	// Servers ignore it.
	GetCertificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)

	// Policy is asked about every complete chain of the other side, after
	// RejectWithdrawn; nil is against nothing. One chain that passes is enough.
	Policy chain.Policy

	// Revocation refuses certificates of the other side that were revoked, or of which
	// that cannot be told: each but the root is held against the CRL of its issuer,
	// after all else passed, once a handshake, resumed ones too. An OCSP response that
	// the other side staples must be good besides. PKIoverheid requires it, and
	// Digikoppeling does in so many words (facts.md §7, PKI002 and PKI003); crypto/tls
	// does not do it. nil does not ask.
	//
	// The Checker is yours: make one for the whole program, with the clock that is in
	// Time and with [CRLHosts], and close it at the end. Its crl.Config says what
	// becomes of a connection when a CRL cannot be had. Waiting for one is part of the
	// handshake: with a Base of your own, let crl.Config.Timeout be shorter than its
	// TLSHandshakeTimeout. A connection that is open stays so.
	//
	// It is asked in VerifyConnection, whose words reach the other side's owner, and
	// not by the pool of a tls.Config: whatever takes a pool alone needs that of a
	// [NewVerifier].
	Revocation *crl.Checker

	// Time returns the time to verify at. nil is time.Now, and a zero time is now.
	Time func() time.Time

	// Renegotiate lets a server of TLS 1.2 ask for the certificate late, once a
	// connection, as IIS and Apache do that want it for some paths only. HTTP/2
	// knows no renegotiation: if such a server offers it, switch it off with an
	// empty, non-nil TLSNextProto in Base. Clients only.
	Renegotiate bool

	// Base, for NewTransport and NewClient, is the transport whose proxy,
	// timeouts, HTTP/2 and dial settings to use, and whose TLSClientConfig is
	// completed. It is copied, and what would get around verification or
	// contradict this Config is an error: DialTLS, DialTLSContext, functions in
	// TLSNextProto, and in TLSClientConfig InsecureSkipVerify, RootCAs, ServerName,
	// Certificates, GetClientCertificate, Time, Renegotiation, a MaxVersion below TLS
	// 1.2, and what only servers have. nil means the
	// settings of http.DefaultTransport. The other constructors do not use Base.
	Base *http.Transport

	fromSource *truststore.Store // what RootSource holds, as live read it
}

// side is whose certificates are verified.
type side int

const (
	forServers side = iota // a client verifies servers
	forClients             // a server verifies clients
)

// trust is what a Config amounts to.
type trust struct {
	// verifier asks all but Revocation. It makes the pools, whose refusals
	// crypto/tls puts down to an unknown CA, and nothing is fetched to explain a
	// certificate that was refused for something else. judge asks Revocation too,
	// last; without one it is the same.
	verifier, judge *chain.Verifier
	announced       *chain.Verifier // for clients: verifier without the CAs that have ended
	revocation      *crl.Checker
	clock           func() time.Time

	// systemRoots are added roots under which systems may have certificates
	// whose hierarchy is not known here.
	systemRoots *truststore.Store

	// known are CAs that help to explain a refused chain: those of all
	// hierarchies, trusted or not.
	known []*x509.Certificate

	// cas are all CAs that something is known of: see genuine.
	cas *truststore.Store
}

// newTrust keeps the stores of cfg, which must not change any more; RootSource is
// for live to look at.
func newTrust(cfg Config, s side) (*trust, error) {
	roots, intermediates := truststore.New(), truststore.New()
	if !cfg.OnlyRoots {
		hierarchies := cfg.Hierarchies
		if hierarchies == nil {
			hierarchies = Hierarchies()
		}
		for _, h := range hierarchies {
			switch {
			case !h.known():
				return nil, fmt.Errorf("pkioverheid: Config.Hierarchies: no such hierarchy: %v", h)
			case hierarchyTable[h].withdrawn:
				return nil, fmt.Errorf("pkioverheid: Config.Hierarchies: %v was withdrawn and cannot be trusted", h)
			case !h.trustable():
				return nil, fmt.Errorf("pkioverheid: Config.Hierarchies: %v has ended and cannot be trusted: none of its certificates is embedded", h)
			}
			certs := embedded()[h]
			roots.Add(certs[0])
			intermediates.Add(certs[1:]...)
		}
	}
	added := []struct {
		field string
		store *truststore.Store
	}{{"Roots", cfg.Roots}, {"RootSource", cfg.fromSource}, {"TrialRoots", cfg.TrialRoots}}
	if s == forClients {
		added = append(added, struct {
			field string
			store *truststore.Store
		}{"ClientRoots", cfg.ClientRoots})
	}
	for _, a := range added {
		for cert := range a.store.All() {
			if err := checkAdded(cert, a.field == "TrialRoots"); err != nil {
				return nil, fmt.Errorf("pkioverheid: Config.%s: %w", a.field, err)
			}
			if selfIssued(cert) {
				roots.Add(cert)
			} else {
				intermediates.Add(cert)
			}
		}
	}
	if cfg.OnlyRoots && roots.Len() == 0 {
		return nil, errors.New("pkioverheid: Config.OnlyRoots is set and there are no roots to trust")
	}

	fixtures := truststore.New()
	distrusted := truststore.New(embedded()[G3]...)
	for h := EV; h.known(); h++ {
		certs := fixture.Certificates(hierarchyTable[h].text)
		if len(certs) > 0 && roots.Contains(certs[0]) {
			fixtures.Add(certs[0])
			intermediates.Add(certs[1:]...)
		}
	}
	if fixtures.Len() > 0 {
		distrusted.Add(fixture.Certificates(hierarchyTable[G3].text)...)
	}

	opts := []chain.Option{
		// RejectWithdrawn in two: what can be said before signatures, and the rest.
		chain.WithVeto(RejectG3),
		chain.WithPolicy(rejectWithdrawnCAs),
		chain.WithPolicy(rejectCompromised(fixtures.Contains)),
		chain.WithPolicy(rejectTest(cfg.TrialRoots.Contains)),
		chain.WithPolicy(cfg.Policy),
	}
	if s == forServers {
		opts = append(opts, chain.WithDistrusted(distrusted, RejectG3))
	}
	v, err := chain.NewVerifier(roots, intermediates, opts...)
	if err != nil {
		return nil, fmt.Errorf("pkioverheid: Config: %w", err)
	}
	t := &trust{verifier: v, judge: v, revocation: cfg.Revocation, clock: clockOf(cfg.Time), systemRoots: copyOf(cfg.TrialRoots)}
	if cfg.Revocation != nil {
		if t.judge, err = chain.NewVerifier(roots, intermediates, append(opts, chain.WithPolicy(cfg.Revocation.Policy))...); err != nil {
			return nil, fmt.Errorf("pkioverheid: Config: %w", err)
		}
	}
	if s == forClients {
		at := t.clock()
		lasts := func(ca *x509.Certificate) bool { return !at.After(ca.NotAfter) }
		if t.announced, err = chain.NewVerifier(roots.Filter(lasts), intermediates.Filter(lasts), opts...); err != nil {
			return nil, fmt.Errorf("pkioverheid: Config: %w", err)
		}
	}
	for root := range cfg.ClientRoots.All() {
		t.systemRoots.Add(root)
	}
	for h := EV; h.known(); h++ {
		t.known = append(t.known, embedded()[h]...)
		if fixtures.Len() > 0 {
			t.known = append(t.known, fixture.Certificates(hierarchyTable[h].text)...)
		}
	}
	t.cas = truststore.New(t.known...)
	for _, store := range []*truststore.Store{roots, intermediates} {
		for ca := range store.All() {
			t.cas.Add(ca)
		}
	}
	return t, nil
}

// check finds a complete chain among those that crypto/tls verified that is valid
// and passes all policies.
func (t *trust) check(cs tls.ConnectionState) (chain.Chain, error) {
	at := t.clock()
	c, err := t.judge.Check(cs.VerifiedChains, at)
	if err != nil || t.revocation == nil || cs.DidResume {
		// The response of a resumed session is that of its first handshake, and was
		// checked there.
		return c, err
	}
	return c, t.revocation.CheckOCSPResponse(cs.OCSPResponse, c, at)
}

func copyOf(s *truststore.Store) *truststore.Store {
	return s.Filter(func(*x509.Certificate) bool { return true })
}

// clockOf makes nil and a zero time mean now.
func clockOf(clock func() time.Time) func() time.Time {
	if clock == nil {
		return time.Now
	}
	return func() time.Time {
		if t := clock(); !t.IsZero() {
			return t
		}
		return time.Now()
	}
}

// checkAdded judges a certificate that a user wants to trust.
func checkAdded(cert *x509.Certificate, trial bool) error {
	if g3 := findG3([]*x509.Certificate{cert}); g3 != nil {
		return g3
	}
	if isCompromised(cert) && !isFixture(cert) {
		return errCompromised(cert)
	}
	if a := recognised().keyOf(cert); trial && a != nil && !a.fixture {
		return fmt.Errorf("%s is no test certificate, and certificates for tests may not stand under it", quote.Certificate(cert))
	}
	if mark, found := testMark(cert); found && !trial {
		return fmt.Errorf("%s is a test certificate (%s): in a test, name it in Config.TrialRoots", quote.Certificate(cert), mark)
	}
	return nil
}

// isFixture reports whether cert is one of package fixture's own values. That it
// could only have come from there is what makes it acceptable: a copy that was
// read from a file is another value.
func isFixture(cert *x509.Certificate) bool {
	for h := EV; h.known(); h++ {
		for _, f := range fixture.Certificates(hierarchyTable[h].text) {
			if f == cert {
				return true
			}
		}
	}
	return false
}

// cipherSuites are those of TLS 1.2 that the NCSC's guidelines of 2025 rate good
// or sufficient (facts.md §7, TLSCIPH001) and crypto/tls has. TLS 1.3 has good
// ones only.
func cipherSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	}
}
