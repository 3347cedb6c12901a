package chain

import (
	"crypto/x509"
	"errors"
	"time"
)

// CertPool returns a new pool for tls.Config.RootCAs or ClientCAs, or whatever
// else takes a pool: of the roots, and of the issuing CAs as derived anchors, so
// that a peer which sends nothing but its own certificate can be verified. Issuing
// CAs are those with no other CA of the verifier below them; what a CA further up
// issues itself verifies if the peer sends that CA along. crypto/x509 follows each
// path that it finds, and each more anchor on the way up would cost every
// handshake one more signature check.
//
// Each anchor asks the vetoes and policies, which see the complete chain at the time of
// clock; a nil clock is time.Now, and so is a zero time. Use the clock of
// tls.Config.Time. See [Verifier.Replace] for what becomes of a pool afterwards.
//
// A pool's policies do not run on resumed sessions, nor where a peer presents a
// certificate of the pool as its own, and their words are lost in some of
// crypto/x509's errors: [Verifier.Check] does it again, for certain.
func (v *Verifier) CertPool(clock func() time.Time) *x509.CertPool {
	if clock == nil {
		clock = time.Now
	}
	s := v.settings.Load()
	pool := x509.NewCertPool()
	for cert := range s.distrusted.All() {
		// crypto/x509 asks no constraint about a certificate that is itself in
		// the pool, told by a hash of Raw; everything else it reads elsewhere. With
		// another Raw the distrusted CA is in the pool as an issuer only. A root keeps
		// its own: then AddCert of a bundle that still has it changes nothing.
		issuer := *cert
		if !selfIssued(cert) {
			issuer.Raw = append(cert.Raw[:len(cert.Raw):len(cert.Raw)], 0)
		}
		pool.AddCertWithConstraint(&issuer, func(lower []*x509.Certificate) error {
			return s.refusal(append(lower[:len(lower):len(lower)], cert))
		})
	}
	upper := map[*x509.Certificate]bool{} // CAs that have others below them, by signature
	for _, a := range s.ordered() {
		for _, p := range a.above() {
			if len(p.certs) > 1 {
				upper[p.certs[0]] = true
			}
		}
	}
	for cert, a := range s.ordered() {
		if s.isDistrusted(cert) {
			continue
		}
		// Verified here and not on first use: a certificate that is itself in the
		// pool is accepted without its constraint.
		if upper[cert] || len(a.above()) == 0 {
			continue
		}
		pool.AddCertWithConstraint(cert, func(lower []*x509.Certificate) error {
			at := clock()
			if at.IsZero() {
				at = time.Now()
			}
			s := v.settings.Load()
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
		})
	}
	return pool
}

// errReplaced is what a pool says of a CA that Replace took away after the pool
// was made.
var errReplaced = errors.New("chain: this CA is no longer trusted: the verifier was given others")
