package chain

import (
	"bytes"
	"crypto/x509"
	"errors"
)

var errDistrusted = errors.New("this CA is distrusted")

// vetoDistrusted is asked about whole paths, because an anchor that refuses closes
// only the path that ends at it: a peer may send the distrusted certificate with others
// above it.
func (s *settings) vetoDistrusted(certs []*x509.Certificate) error {
	for i, cert := range certs {
		if s.isDistrusted(cert) {
			return s.refusal(certs[: i+1 : i+1])
		}
	}
	return nil
}

// isDistrusted compares what was signed, not the whole: crypto/x509 takes the same
// certificate with another form of the signature, or with bytes after it.
func (s *settings) isDistrusted(cert *x509.Certificate) bool {
	for distrusted := range s.distrusted.BySubject(cert.RawSubject) {
		if bytes.Equal(distrusted.RawTBSCertificate, cert.RawTBSCertificate) {
			return true
		}
	}
	return false
}

// refusal is what is said about a path that ends at a distrusted certificate.
func (s *settings) refusal(certs []*x509.Certificate) error {
	if s.why != nil {
		if err := s.why(certs); err != nil {
			return err
		}
	}
	return errDistrusted
}
