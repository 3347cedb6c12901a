package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// side is whose certificates are verified.
type side int

const (
	forServers side = iota // a client verifies servers
	forClients             // a server verifies clients
)

// trustContents are what decides whom to trust.
type trustContents struct {
	roots, clientRoots *truststore.Store
	distrusted         *distrustedSet
}

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
func newTrustState(cfg Trust, s side, hierarchies []Hierarchy, now trustContents) (*trustState, error) {
	if err := checkRefuseFrom(cfg.RefuseFrom); err != nil {
		return nil, err
	}
	roots, intermediates, err := trustedCAs(cfg, hierarchies, now)
	if err != nil {
		return nil, err
	}
	fixtures := trustedFixtures(roots, intermediates)
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
		distrusted := truststore.New(embedded()[G3]...)
		if fixtures.Len() > 0 {
			distrusted.Add(fixture.Certificates(string(G3))...)
		}
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
		if t.announced, err = newAnnounced(t.clock, cfg.RefuseFrom, roots.Filter(now.distrusted.accepts), intermediates.Filter(now.distrusted.accepts), opts); err != nil {
			return nil, fmt.Errorf("pkioverheid: Trust: %w", err)
		}
	}
	for root := range now.clientRoots.All() {
		t.systemRoots.Add(root)
	}
	t.known = knownCertificates(fixtures.Len() > 0)
	t.cas = truststore.New(t.known...)
	for _, store := range []*truststore.Store{roots, intermediates} {
		for ca := range store.All() {
			t.cas.Add(ca)
		}
	}
	return t, nil
}

// trustedCAs returns the CAs of the hierarchies and those that the user added.
func trustedCAs(cfg Trust, hierarchies []Hierarchy, now trustContents) (roots, intermediates *truststore.Store, err error) {
	if cfg.OnlyRoots && len(cfg.Hierarchies) > 0 {
		return nil, nil, errors.New("pkioverheid: Trust has OnlyRoots, which trusts no hierarchy, and Hierarchies: set one of them")
	}
	roots, intermediates = truststore.New(), truststore.New()
	for _, h := range hierarchies {
		switch {
		case !h.known():
			return nil, nil, fmt.Errorf("pkioverheid: Trust.Hierarchies: no such hierarchy: %s", safetext.Quote(string(h)))
		case h.row().withdrawn:
			return nil, nil, fmt.Errorf("pkioverheid: Trust.Hierarchies: %v was withdrawn and cannot be trusted", h)
		case !h.trustable():
			return nil, nil, fmt.Errorf("pkioverheid: Trust.Hierarchies: %v has ended and cannot be trusted: none of its certificates is embedded", h)
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
				return nil, nil, fmt.Errorf("pkioverheid: %s: %w", a.field, err)
			}
			if selfIssued(cert) {
				roots.Add(cert)
			} else {
				intermediates.Add(cert)
			}
		}
	}
	if err := now.distrusted.checkRoots(roots); err != nil {
		return nil, nil, err
	}
	if cfg.OnlyRoots && roots.Len() == 0 {
		return nil, nil, errors.New("pkioverheid: Trust.OnlyRoots is set and there are no roots to trust")
	}
	return roots, intermediates, nil
}

// trustedFixtures returns the roots of package pkiotest that are among roots, and adds the
// CAs below them to intermediates.
func trustedFixtures(roots, intermediates *truststore.Store) *truststore.Store {
	fixtures := truststore.New()
	for h := range everyHierarchy {
		certs := fixture.Certificates(string(h))
		if len(certs) > 0 && roots.Contains(certs[0]) {
			fixtures.Add(certs[0])
			intermediates.Add(certs[1:]...)
		}
	}
	return fixtures
}

// knownCertificates are the CAs of all hierarchies.
func knownCertificates(withFixtures bool) (all []*x509.Certificate) {
	for h := range everyHierarchy {
		all = append(all, embedded()[h]...)
		if withFixtures {
			all = append(all, fixture.Certificates(string(h))...)
		}
	}
	return all
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
	for h := range everyHierarchy {
		for _, f := range fixture.Certificates(string(h)) {
			if f == cert {
				return true
			}
		}
	}
	return false
}
