package chain

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
	"github.com/go-pkioverheid/trust/truststore"
)

// state is what a Verifier holds at one time. Nothing of it changes, but for what
// it remembers of signatures.
type state struct {
	roots         *truststore.Store
	intermediates *truststore.Store
	limits        Limits
	policy        Policy
	veto          Veto              // all of them; nil for none
	distrusted    *truststore.Store // what one of them is about
	why           Veto              // what to say of it

	anchors    map[*x509.Certificate]*anchor
	anchorPool *x509.CertPool // all anchors, without constraints: for Verify, which completes and judges itself
	rootPool   *x509.CertPool

	mu     sync.Mutex
	checks map[edge]bool // signatures between CAs that are held
}

type edge struct{ child, parent *x509.Certificate }

func newState(roots, intermediates *truststore.Store, opts []Option) (*state, error) {
	if roots == nil || intermediates == nil {
		return nil, errors.New("chain: a verifier needs a store of roots and one of intermediates; either may be empty")
	}
	s := &state{
		policy:   All(),
		anchors:  make(map[*x509.Certificate]*anchor, roots.Len()+intermediates.Len()),
		rootPool: roots.CertPool(),
		checks:   make(map[edge]bool),
	}
	for _, opt := range opts {
		opt(s)
	}
	var err error
	if s.limits, err = s.limits.withDefaults(); err != nil {
		return nil, err
	}
	// Copies: the caller may go on to change its stores.
	s.roots = roots.Filter(func(*x509.Certificate) bool { return true })
	s.intermediates = intermediates.Filter(func(c *x509.Certificate) bool { return !roots.Contains(c) })
	s.distrusted = s.distrusted.Filter(func(*x509.Certificate) bool { return true })
	if s.distrusted.Len() > 0 {
		s.veto = both(s.vetoDistrusted, s.veto)
	}
	s.anchorPool = s.roots.CertPool()
	for root := range s.roots.All() {
		if !isCA(root) {
			return nil, fmt.Errorf("chain: %s is no CA, so it cannot be a trust anchor: trust the CA that issued it, and pin the certificate by a policy", quote.Certificate(root))
		}
		if !selfIssued(root) {
			return nil, fmt.Errorf("chain: %s is not a root (its issuer is another): give it as an intermediate, and its root as a root", quote.Certificate(root))
		}
		if how := s.limits.beyond(root); how != "" {
			return nil, fmt.Errorf("chain: %s cannot be a trust anchor: %s", quote.Certificate(root), how)
		}
		s.anchors[root] = &anchor{cert: root, above: func() []upperPath { return []upperPath{{maxLower: -1}} }}
	}
	for ca := range s.intermediates.All() {
		if !isCA(ca) {
			return nil, fmt.Errorf("chain: %s is no CA, so it cannot be an intermediate", quote.Certificate(ca))
		}
		if how := s.limits.beyond(ca); how != "" {
			return nil, fmt.Errorf("chain: %s cannot be an intermediate: %s", quote.Certificate(ca), how)
		}
		if selfIssued(ca) || constrained(ca) {
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

// judge asks all that may have something against a complete chain.
func (s *state) judge(c Chain, at time.Time) error {
	if err := s.veto.Policy(c, at); err != nil {
		return err
	}
	if err := s.withinLimits(c, at); err != nil {
		return err
	}
	return s.policy(c, at)
}

// ordered yields the anchors as the stores hold them, so that pools are alike.
func (s *state) ordered() iter.Seq2[*x509.Certificate, *anchor] {
	return func(yield func(*x509.Certificate, *anchor) bool) {
		for _, store := range []*truststore.Store{s.roots, s.intermediates} {
			for cert := range store.All() {
				if a := s.anchors[cert]; a != nil && !yield(cert, a) {
					return
				}
			}
		}
	}
}

// anchorOf finds the anchor of a certificate that crypto/tls may have parsed
// anew, as it does for the sessions that it resumes.
func (s *state) anchorOf(cert *x509.Certificate) *anchor {
	if a := s.anchors[cert]; a != nil {
		return a
	}
	for _, store := range []*truststore.Store{s.roots, s.intermediates} {
		for held := range store.BySubject(cert.RawSubject) {
			if bytes.Equal(held.Raw, cert.Raw) {
				return s.anchors[held]
			}
		}
	}
	return nil
}

// origin is where a certificate that may be an issuer comes from.
type origin uint8

const (
	ofRoots origin = iota
	ofIntermediates
	ofExtra
	ofDistrusted // and of none of the others
)

// candidates yields the certificates that bear the name of child's issuer: those
// that are held, then those of extra, which holds no others and may be nil.
func (s *state) candidates(child *x509.Certificate, extra *truststore.Store) iter.Seq2[*x509.Certificate, origin] {
	return func(yield func(*x509.Certificate, origin) bool) {
		for root := range s.roots.BySubject(child.RawIssuer) {
			if !yield(root, ofRoots) {
				return
			}
		}
		for ca := range s.intermediates.BySubject(child.RawIssuer) {
			if !yield(ca, ofIntermediates) {
				return
			}
		}
		for cert := range extra.BySubject(child.RawIssuer) {
			if !yield(cert, ofExtra) {
				return
			}
		}
	}
}

// besides returns what the verifier does not hold itself.
func (s *state) besides(certs *truststore.Store) *truststore.Store {
	return certs.Filter(func(cert *x509.Certificate) bool { return !s.holds(cert) })
}

func (s *state) holds(cert *x509.Certificate) bool {
	return s.roots.Contains(cert) || s.intermediates.Contains(cert)
}

// signed checks a signature between CAs that the verifier holds, once.
func (s *state) signed(child, parent *x509.Certificate) bool {
	e := edge{child, parent}
	s.mu.Lock()
	ok, known := s.checks[e]
	s.mu.Unlock()
	if !known {
		ok = child.CheckSignatureFrom(parent) == nil
		s.mu.Lock()
		s.checks[e] = ok
		s.mu.Unlock()
	}
	return ok
}

// reachable returns the certificates that a path from leaf can lead through, by
// name, so that crypto/x509 need not look at each of a hundred thousand.
func (s *state) reachable(leaf *x509.Certificate, extra *truststore.Store) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	seen := map[string]bool{}
	queue := []*x509.Certificate{leaf}
	sent := 0
	for len(queue) > 0 {
		child := queue[0]
		queue = queue[1:]
		if seen[string(child.RawIssuer)] {
			continue
		}
		seen[string(child.RawIssuer)] = true
		for cert, by := range s.candidates(child, extra) {
			if by == ofRoots || by == ofExtra && s.limits.beyond(cert) != "" {
				continue
			}
			if by == ofExtra {
				if sent++; sent > s.limits.Certificates {
					return nil, errTooMany
				}
			}
			pool.AddCert(cert)
			queue = append(queue, cert)
		}
	}
	return pool, nil
}
