package chain

import (
	"crypto/x509"
	"time"
)

// ErrBeforeSignatures is in an error of Verify that came before any signature.
var ErrBeforeSignatures = errBeforeSignatures

// WithLimits makes some limits smaller.
func WithLimits(sent, signatures int) Option {
	return func(s *settings) { s.limits = limits{sent, signatures} }
}

// WithMemory remembers so many certificates and bytes; none turns it off.
func WithMemory(most, bytes int) Option {
	return func(s *settings) { s.memory = newMemory(most, bytes, s.holds) }
}

const MaxRemembered = maxRemembered

// Remembered is how much is remembered.
func (v *Verifier) Remembered() (count, bytes int) {
	m := v.settings.Load().memory
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries), m.bytes
}

// Remembers reports whether a certificate is, for serverAuth.
func (v *Verifier) Remembers(der []byte) bool {
	m := v.settings.Load().memory
	key, ok := m.keyOf(der, serverAuth)
	m.mu.Lock()
	defer m.mu.Unlock()
	return ok && m.entries[key] != nil
}

// ReasonOf is what is made of crypto/x509's error about a chain with good signatures.
func ReasonOf(c Chain, at time.Time, err error) (Reason, *x509.Certificate) {
	return signedPath{path: c, rooted: true}.reason(at, err, nil)
}
