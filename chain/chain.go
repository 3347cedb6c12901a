package chain

import (
	"crypto/x509"
	"errors"
	"time"
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

// Policy says what it has against a chain at a time, or nil. It runs only on
// complete chains, up to a self-signed root, whose signatures check out, and
// after the certificates above an anchor were found valid at that time. It may
// run more than once in a handshake and in several goroutines at the same time,
// and must not change the chain.
//
// A policy that knows better than "refused by policy" returns an *[Error] with
// a Reason of its own, such as [Revoked].
type Policy func(c Chain, at time.Time) error

// All returns the policy that asks each of the given ones in turn and stops at
// the first error. Nil policies are left out; All() is against nothing.
func All(policies ...Policy) Policy {
	kept := make([]Policy, 0, len(policies))
	for _, p := range policies {
		if p != nil {
			kept = append(kept, p)
		}
	}
	return func(c Chain, at time.Time) error {
		for _, p := range kept {
			if err := p(c, at); err != nil {
				return err
			}
		}
		return nil
	}
}

// errNoVerifiedChain is what Check says of a peer whose chain nobody verified:
// crypto/tls leaves VerifiedChains empty under InsecureSkipVerify.
var errNoVerifiedChain = errors.New("chain: no verified chain: was verification turned off?")

// errForeignChain is what Check says of chains that end at none of its anchors.
var errForeignChain = errors.New("chain: the verified chains end at no CA that this verifier holds now: were they verified with its CertPool?")
