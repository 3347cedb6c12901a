package pkioverheid

import (
	"crypto/x509"
	"slices"
	"sync"
)

// DefaultCertPool returns a new pool of [Hierarchies], for tls.Config.RootCAs or
// whatever else takes a pool. It is [CertPool] of these hierarchies.
func DefaultCertPool() *x509.CertPool { return defaultTrust().verifier.CertPool(nil) }

// defaultTrust is what the zero Trust amounts to, for a client.
var defaultTrust = sync.OnceValue(func() *trustState { return mustTrust(Hierarchies()) })

// CertPool returns a new pool that trusts the given hierarchies, at the present
// time. Beside their roots it holds the TSP CAs, so that a server that sends
// nothing but its own certificate is verified, and each of them refuses chains
// with a CA that was withdrawn. The CAs of G3 are in the pool to be refused in
// words: no certificate under G3 verifies, also if G3 is among the arguments.
// The pool of no known hierarchy trusts nothing.
//
// Certificates of the TRIAL tool and of package pkiotest are refused too. What a
// program adds to the pool is trusted without any of this, but for the G3 root,
// which stays refused: roots of your own belong into [Trust.Roots].
//
// A program that makes its own tls.Config with this pool gets crypto/tls's
// errors. [ClientTLSConfig] and [NewTransport] check resumed sessions too, and say
// more. For the clients of a server use a [Server]: a server announces
// what is in its pool as what it accepts, and G3 is in this one.
func CertPool(h Hierarchy, more ...Hierarchy) *x509.CertPool {
	return mustTrust(append([]Hierarchy{h}, more...)).verifier.CertPool(nil)
}

// mustTrust leaves out what is not to be trusted, so that nothing in it can fail.
func mustTrust(hierarchies []Hierarchy) *trustState {
	trusted := slices.DeleteFunc(slices.Clone(hierarchies), func(h Hierarchy) bool { return !h.trustable() })
	t, err := newTrustState(Trust{}, forServers, trusted, trustContents{})
	if err != nil {
		panic(err.Error())
	}
	return t
}
