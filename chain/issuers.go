package chain

import (
	"bytes"
	"crypto/x509"
	"iter"

	"github.com/go-pkioverheid/trust/truststore"
)

// origin is where a certificate that may be an issuer comes from.
type origin uint8

const (
	ofRoots origin = iota
	ofIntermediates
	ofExtra
	ofDistrusted // and of none of the others
)

// candidates yields the certificates that bear the name of child's issuer: those
// of the verifier, then those of extra, which has none of these and may be nil.
func (s *settings) candidates(child *x509.Certificate, extra *truststore.Store) iter.Seq2[*x509.Certificate, origin] {
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
func (s *settings) besides(certs *truststore.Store) *truststore.Store {
	return certs.Filter(func(cert *x509.Certificate) bool { return !s.holds(cert) })
}

func (s *settings) holds(cert *x509.Certificate) bool {
	return s.roots.Contains(cert) || s.intermediates.Contains(cert)
}

type edge struct{ child, parent *x509.Certificate }

// signed checks a signature between CAs that the verifier holds, once.
func (s *settings) signed(child, parent *x509.Certificate) bool {
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
// name, so that crypto/x509 need not look at each of a hundred thousand. The error is
// a *limitError where they are too many or too large.
func (s *settings) reachable(leaf *x509.Certificate, extra *truststore.Store) (*x509.CertPool, error) {
	var (
		pool               = x509.NewCertPool()
		seen               = map[string]bool{}
		queue              = []*x509.Certificate{leaf}
		constrained, large bool
		all                amount
	)
	all.add(leaf)
	for len(queue) > 0 {
		child := queue[0]
		queue = queue[1:]
		if seen[string(child.RawIssuer)] {
			continue
		}
		seen[string(child.RawIssuer)] = true
		for cert, by := range s.candidates(child, extra) {
			if by == ofExtra && keyTooLarge(cert) != nil {
				continue
			}
			constrained = constrained || constrainsNames(cert)
			large = large || isLarge(cert)
			if by != ofExtra {
				all.addOwn(cert)
			} else if all.add(cert); all.sent > s.limits.sent+1 {
				return nil, all.beyond(s.limits)
			}
			if by == ofRoots {
				continue
			}
			pool.AddCert(cert)
			queue = append(queue, cert)
		}
	}
	if err := all.beyond(s.limits); err != nil {
		return nil, err
	}
	if constrained || large {
		if !constrained {
			all.names, all.constraints = 0, 0
		}
		if err := s.tooMuchWork(leaf, extra, &all); err != nil {
			return nil, err
		}
	}
	return pool, nil
}

// keyIdentifiersMatch is false for two CAs of one name that are known to have
// different keys: a signature by the one is not a bad signature by the other.
func keyIdentifiersMatch(child, parent *x509.Certificate) bool {
	return len(child.AuthorityKeyId) == 0 || len(parent.SubjectKeyId) == 0 ||
		bytes.Equal(child.AuthorityKeyId, parent.SubjectKeyId)
}

// sameEntity reports certificates of the same name and key, which crypto/x509 does
// not put twice in a path.
func sameEntity(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubject, b.RawSubject) && sameKey(a, b)
}

func inPath(cert *x509.Certificate, path []*x509.Certificate) bool {
	for _, c := range path {
		if sameEntity(c, cert) {
			return true
		}
	}
	return false
}

func isCA(cert *x509.Certificate) bool { return cert.BasicConstraintsValid && cert.IsCA }

func selfIssued(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, cert.RawIssuer) }
