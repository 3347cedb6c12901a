package chain

import (
	"crypto/x509"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// errBeforeSignatures is said with a veto of certificates that only names lead to.
var errBeforeSignatures = errors.New("all paths that names lead to are vetoed, so signatures were not checked")

// refuseEarly follows names from leaf upwards, and returns an error if a veto
// refuses every path on the way, so that none is left for crypto/x509 to accept.
// An end that is not refused, trusted or not, leaves the answer to signatures.
func (s *settings) refuseEarly(leaf *x509.Certificate, extra *truststore.Store, at time.Time) *Error {
	if s.veto == nil {
		return nil
	}
	if err := s.veto([]*x509.Certificate{leaf}); err != nil {
		return vetoed(leaf, at, err)
	}
	if s.roots.Contains(leaf) {
		return nil
	}
	var (
		first error
		steps int
		read  int // bytes
		walk  func(path []*x509.Certificate, size int) bool
	)
	// walk reports whether every path that begins like this is refused.
	walk = func(path []*x509.Certificate, size int) bool {
		child := path[len(path)-1]
		refused := false
		for issuer, by := range s.vetoable(child, extra) {
			if slices.Contains(path, issuer) {
				continue
			}
			steps++
			read += size + len(issuer.Raw)
			if steps > maxVetoPaths || read > maxVetoBytes {
				return false
			}
			next := append(path[:len(path):len(path)], issuer)
			if err := s.veto(next); err != nil {
				if first == nil {
					first = err
				}
			} else if by == ofRoots || !walk(next, size+len(issuer.Raw)) {
				return false
			}
			refused = true
		}
		return refused
	}
	if !walk([]*x509.Certificate{leaf}, len(leaf.Raw)) {
		return nil
	}
	return vetoed(leaf, at, first, errBeforeSignatures)
}

// vetoable yields the candidates, and the distrusted certificates that may be the
// issuer: those say something to a peer whose own certificate is all there is. One
// that is known to have another key than the issuer is not the one that is meant.
func (s *settings) vetoable(child *x509.Certificate, extra *truststore.Store) iter.Seq2[*x509.Certificate, origin] {
	return func(yield func(*x509.Certificate, origin) bool) {
		for cert, by := range s.candidates(child, extra) {
			if !yield(cert, by) {
				return
			}
		}
		for cert := range s.distrusted.BySubject(child.RawIssuer) {
			if !s.holds(cert) && !extra.Contains(cert) && keyIdentifiersMatch(child, cert) && !yield(cert, ofDistrusted) {
				return
			}
		}
	}
}

func vetoed(leaf *x509.Certificate, at time.Time, errs ...error) *Error {
	e := &Error{Chain: Chain{leaf}, At: at, Err: errs}
	e.Reason, e.Cert = ofRefusals(errs)
	return e
}
