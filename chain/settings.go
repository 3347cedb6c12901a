package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// settings are what a Verifier holds at one time. Nothing of it changes, but for what
// it remembers.
type settings struct {
	roots         *truststore.Store
	intermediates *truststore.Store
	limits        limits
	policy        Policy
	veto          Veto              // all of them; nil for none
	distrusted    *truststore.Store // what one of them is about
	why           Veto              // what to say about it

	anchors    map[*x509.Certificate]*anchor
	anchorPool *x509.CertPool // all anchors, without constraints: for Verify, which completes and asks itself
	rootPool   *x509.CertPool

	mu     sync.Mutex
	checks map[edge]bool // signatures between CAs of the verifier

	memory *memory
}

func newSettings(roots, intermediates *truststore.Store, opts []Option) (*settings, error) {
	if roots == nil || intermediates == nil {
		return nil, errors.New("chain: a verifier needs a store of roots and one of intermediates; either may be empty")
	}
	s := &settings{
		limits:   limits{maxSent, maxSignatures},
		policy:   All(),
		anchors:  make(map[*x509.Certificate]*anchor, roots.Len()+intermediates.Len()),
		rootPool: roots.CertPool(),
		checks:   make(map[edge]bool),
	}
	s.memory = newMemory(maxRemembered, maxRememberedBytes, s.holds)
	for _, opt := range opts {
		opt(s)
	}
	// Copies: the caller may go on to change its stores.
	s.roots = roots.Filter(func(*x509.Certificate) bool { return true })
	s.intermediates = intermediates.Filter(func(c *x509.Certificate) bool { return !roots.Contains(c) })
	s.distrusted = s.distrusted.Filter(func(*x509.Certificate) bool { return true })
	if s.distrusted.Len() > 0 {
		s.veto = both(s.vetoDistrusted, s.veto)
	}
	s.anchorPool = s.roots.Filter(func(c *x509.Certificate) bool { return !tooConstrained(c) }).CertPool()
	for root := range s.roots.All() {
		if !isCA(root) {
			return nil, fmt.Errorf("chain: %s is not a CA, so it cannot be a root: trust its CA and pin it by a policy", safetext.Certificate(root))
		}
		if !selfIssued(root) {
			return nil, fmt.Errorf("chain: %s is not a root but issued by another CA: give it as an intermediate", safetext.Certificate(root))
		}
		if err := keyTooLarge(root); err != nil {
			return nil, fmt.Errorf("chain: %s cannot be a trust anchor: %s", safetext.Certificate(root), err.text)
		}
		s.anchors[root] = &anchor{cert: root, above: func() []upperPath { return []upperPath{{maxLower: -1}} }}
	}
	for ca := range s.intermediates.All() {
		if !isCA(ca) {
			return nil, fmt.Errorf("chain: %s is not a CA, so it cannot be an intermediate", safetext.Certificate(ca))
		}
		if err := keyTooLarge(ca); err != nil {
			return nil, fmt.Errorf("chain: %s cannot be an intermediate: %s", safetext.Certificate(ca), err.text)
		}
		if selfIssued(ca) || constrainsPolicies(ca) || tooConstrained(ca) {
			continue // crypto/x509 may use it on a path from a root
		}
		s.anchors[ca] = &anchor{
			cert:  ca,
			above: sync.OnceValue(func() []upperPath { return s.pathsAbove(ca) }),
		}
		s.anchorPool.AddCert(ca)
	}
	return s, nil
}

// ask asks all that may have something against a complete chain.
func (s *settings) ask(c Chain, at time.Time) error {
	if err := s.veto.Policy(c, at); err != nil {
		return err
	}
	if err := keysWithinLimits(c, at); err != nil {
		return err
	}
	return s.policy(c, at)
}
