package chain

import (
	"crypto/x509"
	"errors"
	"time"
)

// anchor is a CA at which a verification may stop, because what is above it
// is known: nothing for a root, and for a CA below one (a derived anchor) the
// paths up to a root, each checked by signature, once.
type anchor struct {
	cert  *x509.Certificate
	above func() []upperPath
}

// upperPath is one path above an anchor, with all that its certificates demand
// of the chains below them.
type upperPath struct {
	certs     []*x509.Certificate // from the anchor's issuer to the root; none above a root
	notBefore time.Time           // the latest of certs
	notAfter  time.Time           // the earliest
	usages    usages
	maxLower  int // how many certificates may be below the anchor; -1: any number
}

var errNoUpperPath = errors.New("chain: no path to a root above this CA is valid at that time and allows this")

// complete returns the chains lower + anchor + a path above it that crypto/x509
// would build too, given the roots. It only ever leaves out, never lets in:
// what it is unsure of is left to a verification from the roots. With requested
// nil, the usage is not known, and whatever the lower part is good for must be
// allowed above.
func (a *anchor) complete(lower []*x509.Certificate, at time.Time, requested []x509.ExtKeyUsage) []Chain {
	var chains []Chain
	paths := a.above()
	for i := range paths {
		p := &paths[i]
		if len(p.certs) > 0 && !p.allows(lower, a.cert, at, requested) {
			continue
		}
		c := make(Chain, 0, len(lower)+1+len(p.certs))
		c = append(append(append(c, lower...), a.cert), p.certs...)
		chains = append(chains, c)
	}
	return chains
}

func (p *upperPath) allows(lower []*x509.Certificate, anchor *x509.Certificate, at time.Time, requested []x509.ExtKeyUsage) bool {
	if at.Before(p.notBefore) || at.After(p.notAfter) {
		return false
	}
	if p.maxLower >= 0 && len(lower) > p.maxLower {
		return false
	}
	below := usagesOf(anchor)
	for _, cert := range lower {
		// A certificate that demands an explicit policy asks what the whole path
		// asserts, and crypto/x509 saw its lower part only.
		if demandsExplicitPolicy(cert) {
			return false
		}
		below = below.and(usagesOf(cert))
		for _, upper := range p.certs {
			if sameEntity(cert, upper) {
				return false
			}
		}
	}
	if requested == nil {
		return below.within(p.usages)
	}
	for _, u := range requested {
		if u == x509.ExtKeyUsageAny || below.allow(u) && p.usages.allow(u) {
			return true
		}
	}
	return false
}

// newUpperPath sums up what certs demand; false where no chain at all is short
// enough for their path lengths.
func newUpperPath(certs []*x509.Certificate) (upperPath, bool) {
	p := upperPath{certs: certs, notBefore: certs[0].NotBefore, notAfter: certs[0].NotAfter, maxLower: -1}
	for i, c := range certs {
		if c.NotBefore.After(p.notBefore) {
			p.notBefore = c.NotBefore
		}
		if c.NotAfter.Before(p.notAfter) {
			p.notAfter = c.NotAfter
		}
		p.usages = p.usages.and(usagesOf(c))
		// RFC 5280 section 4.2.1.9, counted as crypto/x509 does: below c are
		// the leaf, which does not count, the other lower certificates, the
		// anchor, and i of ours.
		if c.MaxPathLen >= 0 {
			room := c.MaxPathLen - i
			if room < 0 {
				return upperPath{}, false
			}
			if p.maxLower < 0 || room < p.maxLower {
				p.maxLower = room
			}
		}
	}
	return p, true
}
