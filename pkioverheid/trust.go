package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Trust says whom to trust. The zero value trusts [Hierarchies], at the present time.
// It is read when something is made of it, and may be used again.
type Trust struct {
	// Hierarchies to trust. Empty means Hierarchies(). G3 is an error.
	Hierarchies []Hierarchy

	// Roots are trusted as well: those of truststore.NewSource, or of truststore.Watch
	// where they change while the program runs. Certificates that are not self-issued
	// are taken for CAs below a root, which a peer then need not send. It is an error
	// if one is not a CA, is of G3, is for tests (see TrialRoots), or has a key that is
	// public because it belongs to package pkiotest, unless the certificate came from
	// that package in this program. New contents that would be such an error are not
	// used, and Logger gets the reason. nil adds nothing.
	//
	// A [Transport] uses new contents for its next connections, and a [Server] for its
	// next handshakes. A config of [ClientTLSConfig] trusts what there was when it was
	// made, as far as it is still there.
	Roots *truststore.Source

	// OnlyRoots trusts Roots, TrialRoots and ServerConfig.ClientRoots, and no hierarchy:
	// with Hierarchies it is an error.
	OnlyRoots bool

	// TrialRoots are trusted as well, and are what certificates marked as tests may be
	// below: common names that start with the word TRIAL, TEST or ACCEPTATIE, policies
	// of the TRIAL tool. Without it these are refused, under a production root in any
	// case. nil adds nothing.
	TrialRoots *truststore.Store

	// Distrusted is refused from the moment on at which it is in the set: in new and
	// resumed handshakes, by a [Verifier], at the next request through [Server.Handler],
	// with Connection: close, and at the next [Server.Identify]. A [Transport] uses its
	// connections and sessions from before no more. A set that would refuse all roots in
	// use is an error; as a replacement it is not used, and Logger and Trace.Replaced get
	// the reason. nil distrusts nothing.
	Distrusted *Distrusted

	// RefuseFrom refuses peers under a hierarchy from a time on, on resumed sessions too.
	// nil refuses none.
	RefuseFrom map[Hierarchy]time.Time

	// Policy is asked about every complete chain of the other side, after
	// the rules of this package; nil rejects nothing. One chain that passes is enough.
	Policy chain.Policy

	// Revocation refuses certificates of the other side that are revoked or whose
	// status cannot be determined: each but the root is looked up in the CRL of its
	// issuer, after all else passed, once a handshake, resumed ones too. An OCSP
	// response that the other side staples must be good besides. PKIoverheid and
	// Digikoppeling require it (facts.md §7, PKI002 and PKI003); crypto/tls does not
	// do it. nil does not ask.
	//
	// The Checker is yours: make one for the whole program, with the clock that is in
	// Time and with [CRLHosts], and close it at the end. Its crl.Config says what
	// becomes of a connection when a CRL is not available. Waiting for one is part of
	// the handshake: with a Base of your own, let crl.Config.Timeout be shorter than
	// its TLSHandshakeTimeout. A connection that is open stays so.
	//
	// It is asked in VerifyConnection, whose words reach the other side's owner, and
	// not by the pool of a tls.Config: whatever takes a pool alone needs that of a
	// [Verifier].
	Revocation *crl.Checker

	// Time returns the time to verify at. nil is time.Now, and a zero time is now.
	Time func() time.Time

	// Trace reports what clients and servers show and see. nil is none.
	Trace *Trace

	// Logger gets a line at level Warn when something must be done about a key pair (see
	// Trace.Own; at level Info if it has no OIN), and one at level Error when new contents of Roots, ClientRoots or
	// Distrusted are refused, and a [Server]'s one at level Warn for requests that its Handler
	// refuses, at most one a second for each reason. nil is slog.Default.
	Logger *slog.Logger
}

// snapshot returns a Trust that the caller cannot change any more: what it puts into
// its stores and slices later was not checked.
func (t Trust) snapshot() Trust {
	t.TrialRoots = copyOf(t.TrialRoots)
	t.Hierarchies = slices.Clone(t.Hierarchies)
	t.RefuseFrom = maps.Clone(t.RefuseFrom)
	return t
}

// trusted are the hierarchies that a Trust says to trust.
func (t Trust) trusted() []Hierarchy {
	switch {
	case t.OnlyRoots:
		return nil
	case len(t.Hierarchies) == 0:
		return Hierarchies()
	}
	return t.Hierarchies
}

func (t Trust) logger() *slog.Logger {
	if t.Logger == nil {
		return slog.Default()
	}
	return t.Logger
}

// side is whose certificates are verified.
type side int

const (
	forServers side = iota // a client verifies servers
	forClients             // a server verifies clients
)

// trustState is what a Trust amounts to, with the contents that its sources have.
type trustState struct {
	// verifier asks all but Revocation. It makes the pools, whose refusals
	// crypto/tls puts down to an unknown CA, and nothing is fetched to explain a
	// certificate that was refused for something else. complete asks Revocation too,
	// last; without one it is the same.
	verifier, complete *chain.Verifier
	announced          *announced // for clients
	revocation         *crl.Checker
	distrusted         *distrustedSet
	clock              func() time.Time

	// systemRoots are added roots under which systems may have certificates
	// whose hierarchy is not known here.
	systemRoots *truststore.Store

	// known are CAs that help to explain a refused chain: those of all
	// hierarchies, trusted or not.
	known []*x509.Certificate

	// cas are all CAs that something is known of: see genuine.
	cas *truststore.Store
}

// addedRoots are the roots that a user added in a field.
type addedRoots struct {
	field string
	store *truststore.Store
}

// newTrustState keeps the stores, which must not change any more.
func newTrustState(cfg Trust, s side, hierarchies []Hierarchy, now contents) (*trustState, error) {
	if err := checkRefuseFrom(cfg.RefuseFrom); err != nil {
		return nil, err
	}
	if cfg.OnlyRoots && len(cfg.Hierarchies) > 0 {
		return nil, errors.New("pkioverheid: Trust has OnlyRoots, which trusts no hierarchy, and Hierarchies: set one of them")
	}
	roots, intermediates := truststore.New(), truststore.New()
	for _, h := range hierarchies {
		switch {
		case !h.known():
			return nil, fmt.Errorf("pkioverheid: Trust.Hierarchies: no such hierarchy: %v", h)
		case hierarchyTable[h].withdrawn:
			return nil, fmt.Errorf("pkioverheid: Trust.Hierarchies: %v was withdrawn and cannot be trusted", h)
		case !h.trustable():
			return nil, fmt.Errorf("pkioverheid: Trust.Hierarchies: %v has ended and cannot be trusted: none of its certificates is embedded", h)
		}
		certs := embedded()[h]
		roots.Add(certs[0])
		intermediates.Add(certs[1:]...)
	}
	for _, a := range []addedRoots{
		{"Trust.Roots", now.roots}, {"Trust.TrialRoots", cfg.TrialRoots}, {"ServerConfig.ClientRoots", now.clientRoots},
	} {
		for cert := range a.store.All() {
			if err := checkAdded(cert, a.field == "Trust.TrialRoots"); err != nil {
				return nil, fmt.Errorf("pkioverheid: %s: %w", a.field, err)
			}
			if selfIssued(cert) {
				roots.Add(cert)
			} else {
				intermediates.Add(cert)
			}
		}
	}
	if err := now.distrusted.checkRoots(roots); err != nil {
		return nil, err
	}
	if cfg.OnlyRoots && roots.Len() == 0 {
		return nil, errors.New("pkioverheid: Trust.OnlyRoots is set and there are no roots to trust")
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
		// What can be said before signatures, and then the rest.
		chain.WithVeto(RejectG3),
		chain.WithVeto(vetoOf(now.distrusted)),
		chain.WithPolicy(rejectWithdrawnCAs),
		chain.WithPolicy(rejectCompromised(fixtures.Contains)),
		chain.WithPolicy(rejectTest(cfg.TrialRoots.Contains)),
		chain.WithPolicy(refuseFrom(cfg.RefuseFrom)),
		chain.WithPolicy(cfg.Policy),
	}
	if s == forServers {
		opts = append(opts, chain.WithDistrusted(distrusted, RejectG3))
	}
	v, err := chain.NewVerifier(roots, intermediates, opts...)
	if err != nil {
		return nil, fmt.Errorf("pkioverheid: Trust: %w", err)
	}
	t := &trustState{verifier: v, complete: v, revocation: cfg.Revocation, distrusted: now.distrusted, clock: clockOf(cfg.Time), systemRoots: copyOf(cfg.TrialRoots)}
	if cfg.Revocation != nil {
		if t.complete, err = chain.NewVerifier(roots, intermediates, append(opts, chain.WithPolicy(cfg.Revocation.Policy))...); err != nil {
			return nil, fmt.Errorf("pkioverheid: Trust: %w", err)
		}
	}
	if s == forClients {
		if t.announced, err = newAnnounced(t, cfg.RefuseFrom, roots.Filter(now.distrusted.accepts), intermediates.Filter(now.distrusted.accepts), opts); err != nil {
			return nil, fmt.Errorf("pkioverheid: Trust: %w", err)
		}
	}
	for root := range now.clientRoots.All() {
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

// check finds a complete chain among those that crypto/tls verified that is valid,
// for that usage, and passes all policies.
func (t *trustState) check(cs tls.ConnectionState, usage x509.ExtKeyUsage) (chain.Chain, error) {
	at := t.clock()
	c, err := t.complete.Check(cs.VerifiedChains, at, usage)
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

// checkAdded checks a certificate that a user wants to trust.
func checkAdded(cert *x509.Certificate, trial bool) error {
	if g3 := findG3([]*x509.Certificate{cert}); g3 != nil {
		return g3
	}
	if isCompromised(cert) && !isFixture(cert) {
		return errCompromised(cert)
	}
	if a := recognised().keyOf(cert); trial && a != nil && !a.fixture {
		return fmt.Errorf("%s is not a test certificate, and certificates for tests may not be under it", safetext.Certificate(cert))
	}
	if mark, found := testMark(cert); found && !trial {
		return errTest(cert, mark)
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
