package chain

import (
	"bytes"
	"crypto/x509"
	"iter"

	"github.com/go-pkioverheid/trust/truststore"
)

// pathsAbove finds the paths from ca to a root by signature. It may find fewer
// than there are where a hierarchy is out of the ordinary, never others.
func (s *settings) pathsAbove(ca *x509.Certificate) []upperPath {
	var (
		found  []upperPath
		checks int
		walk   func(path []*x509.Certificate)
	)
	walk = func(path []*x509.Certificate) {
		child := path[len(path)-1]
		for parent, by := range s.candidates(child, nil) {
			if len(found) == maxPaths || len(path) == maxDepth {
				return
			}
			if parent.PublicKey == nil || !isCA(parent) || len(parent.UnhandledCriticalExtensions) > 0 ||
				constrained(parent) || inPath(parent, path) {
				continue
			}
			if checks++; checks > maxSignatures {
				return
			}
			if !s.signed(child, parent) {
				continue
			}
			next := append(path[:len(path):len(path)], parent)
			if by == ofRoots {
				if p, ok := newUpperPath(next[1:]); ok {
					found = append(found, p)
				}
			} else {
				walk(next)
			}
		}
	}
	walk([]*x509.Certificate{ca})
	return found
}

// ordered yields the anchors as the stores hold them, so that pools are alike.
func (s *settings) ordered() iter.Seq2[*x509.Certificate, *anchor] {
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
// again, as it does for the sessions that it resumes.
func (s *settings) anchorOf(cert *x509.Certificate) *anchor {
	if a := s.anchors[cert]; a != nil {
		return a
	}
	for _, store := range []*truststore.Store{s.roots, s.intermediates} {
		for own := range store.BySubject(cert.RawSubject) {
			if bytes.Equal(own.Raw, cert.Raw) {
				return s.anchors[own]
			}
		}
	}
	return nil
}
