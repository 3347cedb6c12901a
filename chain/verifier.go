package chain

import (
	"crypto/x509"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Verifier verifies certificates up to the roots that it holds, and remembers what it
// verified. It is safe for concurrent use. Make one with
// [NewVerifier], and change what it trusts with [Verifier.Replace].
type Verifier struct {
	settings atomic.Pointer[settings] // each call loads it once, and so sees all of it or nothing
}

// NewVerifier returns a verifier of these roots and of intermediates, the CAs below
// them. Neither may be nil; both may be empty. It is an error if one of them is not a
// CA or has a larger RSA key than 8192 bits, and if a root is not self-issued. The
// self-signature of a root is not checked, because it proves nothing.
func NewVerifier(roots, intermediates *truststore.Store, opts ...Option) (*Verifier, error) {
	v := new(Verifier)
	if err := v.Replace(roots, intermediates, opts...); err != nil {
		return nil, err
	}
	return v, nil
}

// Replace gives the verifier other roots, intermediates and options, all of them, in
// one step. Verifications under way end with the old ones. Where NewVerifier would
// fail, everything stays as it was.
//
// Pools of [Verifier.CertPool] keep their CAs, and refuse those that the verifier no
// longer trusts or whose chains its present policies refuse. A new CA needs a new pool.
func (v *Verifier) Replace(roots, intermediates *truststore.Store, opts ...Option) error {
	s, err := newSettings(roots, intermediates, opts)
	if err != nil {
		return err
	}
	v.settings.Store(s)
	return nil
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
			return nil, unfit(root, "is not a CA, so it cannot be a root", "trust its CA and pin it by a policy")
		}
		if !selfIssued(root) {
			return nil, unfit(root, "is not a root but issued by another CA", "give it as an intermediate")
		}
		if err := keyTooLarge(root); err != nil {
			return nil, unfit(root, "cannot be a trust anchor: "+err.text, "")
		}
		s.anchors[root] = &anchor{cert: root, above: func() []upperPath { return []upperPath{{maxLower: -1}} }}
	}
	for ca := range s.intermediates.All() {
		if !isCA(ca) {
			return nil, unfit(ca, "is not a CA, so it cannot be an intermediate", "")
		}
		if err := keyTooLarge(ca); err != nil {
			return nil, unfit(ca, "cannot be an intermediate: "+err.text, "")
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

// unfitError says which certificate a Verifier cannot use as it was given.
type unfitError struct{ problem, advice string }

func unfit(cert *x509.Certificate, problem, advice string) error {
	return &unfitError{safetext.Certificate(cert) + " " + problem, advice}
}

func (e *unfitError) Error() string {
	if e.advice == "" {
		return "chain: " + e.problem
	}
	return "chain: " + e.problem + ": " + e.advice
}

// ProblemAdvice returns what is wrong and, for a programmer, what to do about it.
func (e *unfitError) ProblemAdvice() (problem, advice string) { return e.problem, e.advice }
