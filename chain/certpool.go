package chain

import (
	"crypto/x509"
	"errors"
	"iter"
	"time"
)

// CertPool returns a new pool for tls.Config.RootCAs or ClientCAs: of the roots and of
// the issuing CAs, so that a peer may send nothing but its own certificate. Vetoes and
// policies see the complete chain, at the time of clock (nil: time.Now), which should
// be the clock of tls.Config.Time.
//
// Not in it are CAs below one with name or policy constraints, CAs with policy
// constraints, and self-issued ones other than roots: below those a peer must send its
// whole chain, though [Verifier.Verify] does without.
//
// No pool is asked when a session is resumed or when a certificate of the pool is
// itself presented: call [Verifier.Check] in tls.Config.VerifyConnection.
func (v *Verifier) CertPool(clock func() time.Time) *x509.CertPool {
	if clock == nil {
		clock = time.Now
	}
	s := v.settings.Load()
	pool := x509.NewCertPool()
	s.addDistrusted(pool)
	for cert := range s.issuing() {
		pool.AddCertWithConstraint(cert, func(lower []*x509.Certificate) error {
			at := clock()
			if at.IsZero() {
				at = time.Now()
			}
			return v.settings.Load().constraint(cert, lower, at)
		})
	}
	return pool
}

// constraint is asked by crypto/x509 about the certificates below an anchor.
func (s *settings) constraint(cert *x509.Certificate, lower []*x509.Certificate, at time.Time) error {
	a := s.anchorOf(cert)
	if a == nil {
		return errReplaced
	}
	refusal := errNoUpperPath
	for _, c := range a.complete(lower, at, nil) {
		if refusal = s.ask(c, at); refusal == nil {
			return nil
		}
	}
	return refusal
}

// issuing yields the CAs for a pool: the roots, and those with no other CA of the
// verifier below them. crypto/x509 follows each path that it finds, so each more anchor
// on the way up would cost every handshake one more signature check.
func (s *settings) issuing() iter.Seq[*x509.Certificate] {
	upper := map[*x509.Certificate]bool{} // CAs that have others below them, by signature
	for _, a := range s.ordered() {
		for _, p := range a.above() {
			if len(p.certs) > 1 {
				upper[p.certs[0]] = true
			}
		}
	}
	return func(yield func(*x509.Certificate) bool) {
		for cert, a := range s.ordered() {
			// Verified here and not on first use: a certificate that is itself in
			// the pool is accepted without its constraint.
			if !s.isDistrusted(cert) && !tooConstrained(cert) && !upper[cert] && len(a.above()) > 0 && !yield(cert) {
				return
			}
		}
	}
}

// addDistrusted adds anchors that always refuse.
func (s *settings) addDistrusted(pool *x509.CertPool) {
	for cert := range s.distrusted.All() {
		// crypto/x509 asks no constraint about a certificate that is itself in the
		// pool, which it finds by a hash of Raw; everything else it reads elsewhere.
		// With another Raw the distrusted CA is in the pool as an issuer only. A root
		// keeps its own: then AddCert of a bundle that still has it changes nothing.
		issuer := *cert
		if !selfIssued(cert) {
			issuer.Raw = append(cert.Raw[:len(cert.Raw):len(cert.Raw)], 0)
		}
		pool.AddCertWithConstraint(&issuer, func(lower []*x509.Certificate) error {
			return s.refusal(append(lower[:len(lower):len(lower)], cert))
		})
	}
}

// errReplaced is what a pool says about a CA that Replace took away after the pool
// was made.
var errReplaced = errors.New("chain: this CA is no longer trusted: the verifier was given other CAs")
