package chain

import (
	"sync/atomic"

	"github.com/go-pkioverheid/trust/truststore"
)

// Verifier verifies certificates up to the roots that it holds, and remembers what it
// verified. It is safe for concurrent use. Make one with
// [NewVerifier], and change what it trusts with [Verifier.Replace].
type Verifier struct {
	settings atomic.Pointer[settings] // each call loads it once, and so sees all of it or nothing
}

// Option is a setting of [NewVerifier] and [Verifier.Replace].
type Option func(*settings)

// WithPolicy adds a policy to those given before. A chain must pass all of them.
func WithPolicy(p Policy) Option {
	return func(s *settings) { s.policy = All(s.policy, p) }
}

// NewVerifier returns a verifier of these roots and of intermediates, the CAs below
// them. Neither may be nil; both may be empty. It is an error if one of them is not a
// CA or has a larger RSA key than 8192 bits, and if a root is not self-issued. The
// self-signature of a root is not checked, because it proves nothing.
func NewVerifier(roots, intermediates *truststore.Store, opts ...Option) (*Verifier, error) {
	v := new(Verifier)
	if err := v.Replace(roots, intermediates, opts...); err != nil {
		return nil, err
	}
	return v, nil
}

// Replace gives the verifier other roots, intermediates and options, all of them, in
// one step. Verifications under way end with the old ones. Where NewVerifier would
// fail, everything stays as it was.
//
// Pools of [Verifier.CertPool] keep their CAs, and refuse those that the verifier no
// longer trusts or whose chains its present policies refuse. A new CA needs a new pool.
func (v *Verifier) Replace(roots, intermediates *truststore.Store, opts ...Option) error {
	s, err := newSettings(roots, intermediates, opts)
	if err != nil {
		return err
	}
	v.settings.Store(s)
	return nil
}
