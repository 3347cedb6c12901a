package chain

import (
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
