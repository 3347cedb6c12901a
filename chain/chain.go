package chain

import (
	"crypto/x509"
	"slices"
)

// Chain is a path from a certificate to a trust anchor: the end-entity
// certificate first, the self-signed root last. Where a verification failed, an
// [Error] holds the path as far as its signatures check out, which may end early.
type Chain []*x509.Certificate

// Leaf returns the first certificate, or nil.
func (c Chain) Leaf() *x509.Certificate {
	if len(c) == 0 {
		return nil
	}
	return c[0]
}

// Root returns the last certificate, or nil. It is a root only in a chain that
// a [Verifier] returned or handed to a [Policy].
func (c Chain) Root() *x509.Certificate {
	if len(c) == 0 {
		return nil
	}
	return c[len(c)-1]
}

func (c Chain) equal(o Chain) bool { return slices.EqualFunc(c, o, (*x509.Certificate).Equal) }
