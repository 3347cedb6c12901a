package chain

import (
	"sync/atomic"

	"github.com/go-pkioverheid/trust/truststore"
)

// Verifier verifies certificates up to the roots that it holds. The decision is
// crypto/x509's; the Verifier adds policies and explanations, and remembers what
// it verified above the issuing CAs. It is safe for concurrent use. Make one with
// [NewVerifier], and change what it trusts with [Verifier.Replace].
type Verifier struct {
	settings atomic.Pointer[settings] // each call loads it once, and so sees all of it or nothing
}

// Option is a setting of [NewVerifier] and [Verifier.Replace].
type Option func(*settings)

// WithPolicy adds a policy, after those that are there. A chain is accepted if
// all policies are.
func WithPolicy(p Policy) Option {
	return func(s *settings) { s.policy = All(s.policy, p) }
}

// NewVerifier returns a verifier that trusts roots and knows intermediates: the
// CAs below them, whose paths to a root are verified when they are first needed.
// Neither may be nil or hold a certificate that is no CA; a root must be
// self-issued, and what it signs of itself is not looked at, for it proves nothing.
// A key beyond the limits is an error. No roots at all is no error: then nothing verifies.
//
// To trust a single leaf, a policy must ask for it: crypto/x509 checks neither
// the issuer nor the constraints of a certificate that stands in a pool itself.
func NewVerifier(roots, intermediates *truststore.Store, opts ...Option) (*Verifier, error) {
	v := new(Verifier)
	if err := v.Replace(roots, intermediates, opts...); err != nil {
		return nil, err
	}
	return v, nil
}

// Replace gives the verifier other roots, intermediates and options, in one step:
// a verification that is under way ends with those that it began with, and the
// next sees the new ones. Nothing of the old is kept; an option that is not given
// again is gone. It takes what NewVerifier takes, and where that is an error,
// everything stays as it was.
//
// A pool that [Verifier.CertPool] made before goes on to hold the CAs that it was
// made of, and asks the verifier as it is now about them: one that is no longer
// trusted is refused, and so is what the present policies have something against.
// What was added to the verifier needs a new pool.
func (v *Verifier) Replace(roots, intermediates *truststore.Store, opts ...Option) error {
	s, err := newSettings(roots, intermediates, opts)
	if err != nil {
		return err
	}
	v.settings.Store(s)
	return nil
}
