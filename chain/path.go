package chain

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// signedPath is a path by signature, and what was seen at its end.
type signedPath struct {
	path    Chain
	rooted  bool  // it ends at a root of the verifier
	valid   bool  // all of it is valid at the time that was asked about
	refused error // why an issuer of the right name and key identifier, above the end, was passed over
	gaveUp  bool  // there may be more to find
}

func (c signedPath) betterThan(o signedPath) bool {
	if c.rooted != o.rooted {
		return c.rooted
	}
	if c.valid != o.valid {
		return c.valid
	}
	return len(c.path) > len(o.path)
}

// follow follows signatures from leaf as far up as they check out, through the
// CAs of the verifier and extra, and returns the best path.
func (s *settings) follow(leaf *x509.Certificate, extra *truststore.Store, at time.Time) signedPath {
	best := signedPath{path: Chain{leaf}, valid: validAt([]*x509.Certificate{leaf}, at)}
	if s.roots.Contains(leaf) {
		best.rooted = true
		return best
	}
	extra = inAnyOrder(s.besides(extra))
	var done work
	tooLong := false
	var walk func(path Chain)
	walk = func(path Chain) {
		child := path[len(path)-1]
		var refused error
		end := true
		visit := func(parent *x509.Certificate, isRoot bool) {
			if inPath(parent, path) {
				return
			}
			if len(path) == maxDepth {
				tooLong = true
				return
			}
			if err := keyTooLarge(parent); err != nil {
				if keyIdentifiersMatch(child, parent) {
					refused = &limitError{"an issuer of its name is not used: " + err.text, true}
				}
				return
			}
			if !done.signature(parent, s.limits) {
				return
			}
			if err := child.CheckSignatureFrom(parent); err != nil {
				// What is self-issued was signed by its own key, not by a namesake.
				if !selfIssued(child) && keyIdentifiersMatch(child, parent) {
					refused = err
				}
				return
			}
			end = false
			next := append(path[:len(path):len(path)], parent)
			if !isRoot {
				walk(next)
				return
			}
			if c := (signedPath{path: next, rooted: true, valid: validAt(next, at)}); c.betterThan(best) {
				best = c
			}
		}
		for parent, by := range s.candidates(child, extra) {
			if !done.step(s.limits) {
				break
			}
			visit(parent, by == ofRoots)
		}
		if end {
			c := signedPath{path: path, valid: validAt(path, at), refused: refused}
			if c.betterThan(best) || len(path) == 1 {
				best = c
			}
		}
	}
	walk(Chain{leaf})
	best.gaveUp = tooLong || done.exhausted(s.limits)
	return best
}

// inAnyOrder returns the certificates in an order of their own, so that paths that
// are as good as each other, and what remains undone where there are too many, do
// not depend on the order in which somebody gave them: those that are valid for
// longer first.
func inAnyOrder(certs *truststore.Store) *truststore.Store {
	if certs.Len() < 2 {
		return certs
	}
	return truststore.New(slices.SortedFunc(certs.All(), func(a, b *x509.Certificate) int {
		if c := b.NotAfter.Compare(a.NotAfter); c != 0 {
			return c
		}
		return bytes.Compare(a.Raw, b.Raw)
	})...)
}
