package chain

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// Complete orders and completes what somebody sent or delivered: from certs, in any
// order, it returns the path from their end-entity certificate to a root of the
// verifier, filled up with the verifier's CAs. The order of certs only decides
// which of several end-entity certificates is meant.
//
// Complete follows signatures: it neither checks usages nor asks policies, and the
// path may have expired. It prefers one that is valid at the given time (zero means
// now), then the longest. Without a path to a root, the error is an *[Error] whose
// Chain is the path as far as it goes.
func (v *Verifier) Complete(certs []*x509.Certificate, at time.Time) (Chain, error) {
	if at.IsZero() {
		at = time.Now()
	}
	extra := truststore.New(certs...)
	leaf := endEntity(extra)
	if leaf == nil {
		return nil, &Error{Reason: Unsupported, At: at, Err: []error{errors.New("chain: no certificate to complete")}}
	}
	c := v.state.Load().climb(leaf, extra, at)
	if !c.rooted {
		return nil, c.failure(at, nil, nil)
	}
	return c.path, nil
}

// endEntity picks the certificate that a set was made for; nil from an empty set.
func endEntity(certs *truststore.Store) *x509.Certificate {
	issued := map[string]bool{}
	for c := range certs.All() {
		if !selfIssued(c) {
			issued[string(c.RawIssuer)] = true
		}
	}
	var first, lowestCA *x509.Certificate
	for c := range certs.All() {
		if first == nil {
			first = c
		}
		if issued[string(c.RawSubject)] {
			continue
		}
		if !isCA(c) {
			return c
		}
		if lowestCA == nil {
			lowestCA = c
		}
	}
	if lowestCA != nil {
		return lowestCA
	}
	return first
}

// climbed is a path by signature, and what was seen at its end.
type climbed struct {
	path    Chain
	rooted  bool  // it ends at a root of the verifier
	valid   bool  // all of it is valid at the time that was asked about
	refused error // why an issuer of the right name and key identifier, above the end, was passed over
	gaveUp  bool  // there may be more to find
}

func (c climbed) betterThan(o climbed) bool {
	if c.rooted != o.rooted {
		return c.rooted
	}
	if c.valid != o.valid {
		return c.valid
	}
	return len(c.path) > len(o.path)
}

// climb follows signatures from leaf as far up as they check out, through the
// CAs of the verifier and extra, and returns the best path.
func (s *state) climb(leaf *x509.Certificate, extra *truststore.Store, at time.Time) climbed {
	best := climbed{path: Chain{leaf}, valid: validAt([]*x509.Certificate{leaf}, at)}
	if s.roots.Contains(leaf) {
		best.rooted = true
		return best
	}
	extra = inAnyOrder(s.besides(extra))
	left := work{left: s.limits.Signatures}
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
			if how := s.limits.beyond(parent); how != "" {
				if keyIdentifiersMatch(child, parent) {
					refused = errBeyond("an issuer of its name is not used: " + how)
				}
				return
			}
			if !left.allows(child, parent) {
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
			if c := (climbed{path: next, rooted: true, valid: validAt(next, at)}); c.betterThan(best) {
				best = c
			}
		}
		for parent, by := range s.candidates(child, extra) {
			if !left.step() {
				break
			}
			visit(parent, by == ofRoots)
		}
		if end {
			c := climbed{path: path, valid: validAt(path, at), refused: refused}
			if c.betterThan(best) || len(path) == 1 {
				best = c
			}
		}
	}
	walk(Chain{leaf})
	best.gaveUp = tooLong || left.exhausted()
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

// keyIdentifiersMatch is false for two CAs of one name that are known to have
// different keys: a signature by the one is no bad signature by the other.
func keyIdentifiersMatch(child, parent *x509.Certificate) bool {
	return len(child.AuthorityKeyId) == 0 || len(parent.SubjectKeyId) == 0 ||
		bytes.Equal(child.AuthorityKeyId, parent.SubjectKeyId)
}

// explain makes the error of a refusal: err is crypto/x509's, refusals are the
// policies'; either may be missing.
func (s *state) explain(leaf *x509.Certificate, extra *truststore.Store, at time.Time, err error, refusals []error) *Error {
	return s.climb(leaf, extra, at).failure(at, err, refusals)
}

func (c climbed) failure(at time.Time, err error, refusals []error) *Error {
	e := &Error{Chain: c.path, At: at}
	if err != nil {
		e.Err = append(e.Err, err)
	}
	if !c.rooted && err != errTooMany && err != errTooMuch {
		var beyond errBeyond
		if errors.As(c.refused, &beyond) {
			e.Err = append(e.Err, beyond)
		} else if c.gaveUp {
			e.Err = append(e.Err, errGaveUp)
		}
	}
	e.Err = append(e.Err, refusals...)
	e.Reason, e.Cert = c.reason(at, err, refusals)
	return e
}

func (c climbed) reason(at time.Time, err error, refusals []error) (Reason, *x509.Certificate) {
	if len(refusals) > 0 {
		return ofRefusals(refusals)
	}

	if err == errTooMany || err == errTooMuch {
		return Unsupported, nil
	}
	if !c.rooted {
		// crypto/x509 looks at the leaf's dates and names first. Of a certificate
		// that nobody vouches for they are worth nothing.
		end := c.path[len(c.path)-1]
		var (
			notCA    x509.ConstraintViolationError
			insecure x509.InsecureAlgorithmError
			beyond   errBeyond
		)
		switch {
		case c.gaveUp || errors.As(c.refused, &beyond):
			return Unsupported, end
		case errors.As(c.refused, &insecure) || errors.Is(c.refused, x509.ErrUnsupportedAlgorithm):
			return Unsupported, end
		case errors.As(c.refused, &notCA):
			return NotACA, end
		case c.refused != nil:
			return BadSignature, end
		}
		return UnknownAuthority, end
	}

	var (
		wrongName x509.HostnameError
		invalid   x509.CertificateInvalidError
		unknown   x509.UnknownAuthorityError
	)
	if errors.As(err, &wrongName) {
		return WrongName, c.path[0]
	}
	reason := Reason(0)
	if errors.As(err, &invalid) {
		reason = ofInvalid(invalid, at)
		if reason == NameNotPermitted {
			return reason, c.path[0] // Go 1.25 says which CA, Go 1.26 for which certificate
		}
		if slices.Contains(c.path, invalid.Cert) {
			return reason, invalid.Cert
		}
	}
	// What crypto/x509 says is about another path, or about none.
	if reason, cert := c.fault(at); reason != 0 {
		return reason, cert
	}
	if errors.As(err, &unknown) {
		// It found no path although the signatures are good. Name constraints are
		// what it looks at while it builds paths and fault does not; in Go 1.25.
		for _, cert := range c.path[1:] {
			if constraintsOf(cert) > 0 {
				return NameNotPermitted, c.path[0]
			}
		}
	}
	switch {
	case reason != 0:
		return reason, invalid.Cert
	case err != nil:
		return Unsupported, nil // such as the limit of signatures
	}
	return WrongUsage, nil // by a chain that was verified for another use
}

// fault finds what is wrong with a path whose signatures are good, in the order in
// which crypto/x509 looks; zero if nothing is.
func (c climbed) fault(at time.Time) (Reason, *x509.Certificate) {
	for i, cert := range c.path {
		switch {
		case len(cert.UnhandledCriticalExtensions) > 0:
			return Unsupported, cert
		case !validAt([]*x509.Certificate{cert}, at):
			return outsideValidity(cert, at), cert
		case i > 0 && !isCA(cert):
			return NotACA, cert
		case i > 0 && cert.MaxPathLen >= 0 && i-1 > cert.MaxPathLen:
			return PathTooLong, cert
		}
	}
	return 0, nil
}

// ofInvalid is the reason in crypto/x509's words.
func ofInvalid(err x509.CertificateInvalidError, at time.Time) Reason {
	switch err.Reason {
	case x509.NotAuthorizedToSign:
		return NotACA
	case x509.Expired:
		return outsideValidity(err.Cert, at)
	case x509.CANotAuthorizedForThisName, x509.UnconstrainedName, x509.NameConstraintsWithoutSANs:
		return NameNotPermitted
	case x509.TooManyIntermediates:
		return PathTooLong
	case x509.IncompatibleUsage, x509.CANotAuthorizedForExtKeyUsage:
		return WrongUsage
	case x509.NameMismatch:
		return UnknownAuthority
	case x509.NoValidChains:
		// Whatever it has against usages has a reason of its own.
		return NoValidPolicy
	}
	return Unsupported // TooManyConstraints: it gave up comparing
}

// ofRefusals is what policies and vetoes say that the reason is.
func ofRefusals(refusals []error) (Reason, *x509.Certificate) {
	for _, r := range refusals {
		var own *Error
		if errors.As(r, &own) && own.Reason != 0 {
			return own.Reason, own.Cert
		}
	}
	return RefusedByPolicy, nil
}

func outsideValidity(cert *x509.Certificate, at time.Time) Reason {
	if cert != nil && at.Before(cert.NotBefore) {
		return NotYetValid
	}
	return Expired
}
