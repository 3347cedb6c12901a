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
	refused error // why an issuer of the right name and key identifier, above the end, was skipped
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

// search looks for the best path by signature.
type search struct {
	*settings
	extra   *truststore.Store
	at      time.Time
	best    signedPath
	done    work
	tooLong bool
}

// follow follows signatures from leaf as far up as they check out, through the
// CAs of the verifier and extra, and returns the best path.
func (s *settings) follow(leaf *x509.Certificate, extra *truststore.Store, at time.Time) signedPath {
	best := signedPath{path: Chain{leaf}, valid: validAt([]*x509.Certificate{leaf}, at)}
	if s.roots.Contains(leaf) {
		best.rooted = true
		return best
	}
	f := &search{settings: s, extra: inAnyOrder(s.besides(extra)), at: at, best: best}
	f.from(Chain{leaf})
	f.best.gaveUp = f.tooLong || f.done.exhausted(s.limits)
	return f.best
}

func (f *search) from(path Chain) {
	var refused error
	end := true
	for parent, by := range f.candidates(path[len(path)-1], f.extra) {
		if !f.done.step(f.limits) {
			break
		}
		signed, err := f.signed(path, parent)
		if err != nil {
			refused = err
		}
		if !signed {
			continue
		}
		end = false
		next := append(path[:len(path):len(path)], parent)
		if by != ofRoots {
			f.from(next)
		} else if c := (signedPath{path: next, rooted: true, valid: validAt(next, f.at)}); c.betterThan(f.best) {
			f.best = c
		}
	}
	if !end {
		return
	}
	c := signedPath{path: path, valid: validAt(path, f.at), refused: refused}
	if c.betterThan(f.best) || len(path) == 1 {
		f.best = c
	}
}

// signed reports whether the path goes on to parent. The error is why not, where its
// name and key identifier are those of the issuer.
func (f *search) signed(path Chain, parent *x509.Certificate) (bool, error) {
	child := path[len(path)-1]
	if inPath(parent, path) {
		return false, nil
	}
	if len(path) == maxDepth {
		f.tooLong = true
		return false, nil
	}
	if err := keyTooLarge(parent); err != nil {
		if keyIdentifiersMatch(child, parent) {
			return false, &limitError{"an issuer of its name is not used: " + err.text, true}
		}
		return false, nil
	}
	if !f.done.signature(parent, f.limits) {
		return false, nil
	}
	err := child.CheckSignatureFrom(parent)
	// What is self-issued was signed by its own key, not by a namesake.
	if err != nil && (selfIssued(child) || !keyIdentifiersMatch(child, parent)) {
		return false, nil
	}
	return err == nil, err
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
