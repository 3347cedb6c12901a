package chain

import "github.com/go-pkioverheid/trust/truststore"

// Option is a setting of [NewVerifier] and [Verifier.Replace].
type Option func(*settings)

// WithPolicy adds a policy to those given before. A chain must pass all of them.
func WithPolicy(p Policy) Option {
	return func(s *settings) { s.policy = All(s.policy, p) }
}

// WithVeto adds a veto to those given before. nil adds nothing. [Verifier.Verify]
// checks no signature where vetoes leave no path.
func WithVeto(d Veto) Option {
	return func(s *settings) { s.veto = both(s.veto, d) }
}

// WithDistrusted vetoes every path with one of certs in it. why, which may be nil, makes
// the error from the path up to and with that certificate. A second WithDistrusted
// replaces the first.
//
// The pools of [Verifier.CertPool] hold certs as anchors that always refuse, so that
// crypto/x509 reports why. Servers announce the subjects in ClientCAs to their clients:
// do not use it for such a pool.
func WithDistrusted(certs *truststore.Store, why Veto) Option {
	return func(s *settings) { s.distrusted, s.why = certs, why }
}
