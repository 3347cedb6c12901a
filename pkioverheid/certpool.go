package pkioverheid

import (
	"crypto/x509"
	"slices"
	"sync"
)

// DefaultCertPool returns a new [CertPool] of [Hierarchies], for tls.Config.RootCAs or
// whatever else takes a pool. No pool is asked when a TLS session is resumed. A program that
// resumes sessions asks itself:
//
//	config.VerifyConnection = func(cs tls.ConnectionState) error {
//		return pkioverheid.RejectG3(cs.PeerCertificates)
//	}
func DefaultCertPool() *x509.CertPool { return defaultTrust().verifier.CertPool(nil) }

// defaultTrust is what the zero Trust amounts to, for a client.
var defaultTrust = sync.OnceValue(func() *trustState { return mustTrust(Hierarchies()) })

// CertPool returns a new pool that trusts the given hierarchies, at the present time. It
// has their TSP CAs too, so that a server that sends only its own certificate is verified,
// and refuses withdrawn CAs and certificates for tests. G3 is in the pool to be refused in
// words. Without a known hierarchy it trusts nothing.
//
// What a program adds to the pool is trusted without any of this: use [Trust.Roots]. For the
// clients of a server use a [Server], because a server announces what is in its pool.
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
