package chain

import (
	"crypto/x509"
	"slices"

	"github.com/go-pkioverheid/trust/truststore"
)

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

// effort counts, on all paths by name from leaf, the issuers that crypto/x509 may look at
// and what signatures with large keys count as. It stops where either is beyond its limit.
func (s *settings) effort(leaf *x509.Certificate, extra *truststore.Store) (steps, large int) {
	var walk func(path []*x509.Certificate) bool
	walk = func(path []*x509.Certificate) bool {
		for parent, by := range s.candidates(path[len(path)-1], extra) {
			if by == ofExtra && keyTooLarge(parent) != nil || slices.Contains(path, parent) {
				continue
			}
			if isLarge(parent) {
				large += weight(parent)
			}
			steps++
			if large > s.limits.signatures || steps > maxSteps {
				return false
			}
			if by != ofRoots && !walk(append(path[:len(path):len(path)], parent)) {
				return false
			}
		}
		return true
	}
	walk([]*x509.Certificate{leaf})
	return steps, large
}

// tooMuchWork is asked where a CA constrains names or has a large key: crypto/x509 counts
// signatures only.
func (s *settings) tooMuchWork(leaf *x509.Certificate, extra *truststore.Store, all *amount) *limitError {
	steps, large := s.effort(leaf, extra)
	switch {
	case large > s.limits.signatures || large > 0 && steps > maxSteps:
		return errLargeKeys
	case min(steps, maxSignatures)*(all.names+all.constraints) > maxNameWork:
		return errNameWork
	}
	return nil
}
