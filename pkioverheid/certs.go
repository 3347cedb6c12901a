package pkioverheid

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"fmt"
	"slices"
	"sync"

	"github.com/go-pkioverheid/trust/chain"
)

// certFiles holds the CA certificates as published at cert.pkioverheid.nl, a
// folder a hierarchy, a file a certificate. A test holds each against its row of
// knownCAs.
//
//go:embed certs
var certFiles embed.FS

// embedded parses the files that knownCAs names, on first use. They are part of the
// program: one that does not parse cannot get past the tests.
var embedded = sync.OnceValue(func() map[Hierarchy][]*x509.Certificate {
	all := make(map[Hierarchy][]*x509.Certificate, len(hierarchyTable))
	for _, k := range knownCAs {
		if k.file == "" {
			continue
		}
		cert, err := readCertificate("certs/" + k.file)
		if err != nil {
			panic("pkioverheid: " + err.Error())
		}
		all[k.hierarchy] = append(all[k.hierarchy], cert)
	}
	for _, certs := range all {
		sortFromRoot(certs)
	}
	return all
})

func readCertificate(path string) (*x509.Certificate, error) {
	data, err := certFiles.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cert, nil
}

// sortFromRoot puts the root first, then the domain CA, then the TSP CAs in the
// order in which they were.
func sortFromRoot(certs []*x509.Certificate) {
	var root []byte
	for _, c := range certs {
		if selfIssued(c) {
			root = c.RawSubject
		}
	}
	layer := func(c *x509.Certificate) Role {
		switch {
		case selfIssued(c):
			return Root
		case bytes.Equal(c.RawIssuer, root):
			return DomainCA
		}
		return TSPCA
	}
	slices.SortStableFunc(certs, func(a, b *x509.Certificate) int { return cmp.Compare(layer(a), layer(b)) })
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// Certificates returns the CA certificates of the hierarchy in a new slice: the
// root, the domain CA, the TSP CAs. Those of G3 are for recognising, not for
// trusting. It is empty where none is embedded. The certificates themselves are
// shared and must not be modified.
func (h Hierarchy) Certificates() []*x509.Certificate { return slices.Clone(embedded()[h]) }

// Root returns the self-signed root of the hierarchy, nil if none is embedded. The
// certificate is shared and must not be modified.
func (h Hierarchy) Root() *x509.Certificate {
	if certs := embedded()[h]; len(certs) > 0 {
		return certs[0]
	}
	return nil
}

// DefaultCertPool returns a new pool of [Hierarchies], for tls.Config.RootCAs or
// whatever else takes a pool. It is [CertPool] of these hierarchies.
func DefaultCertPool() *x509.CertPool { return defaultVerifier().CertPool(nil) }

var defaultVerifier = sync.OnceValue(func() *chain.Verifier {
	return mustVerifier(Hierarchies())
})

// CertPool returns a new pool that trusts the given hierarchies, at the present
// time. Beside their roots it holds the TSP CAs, so that a server that sends
// nothing but its own certificate is verified, and each of them refuses chains
// that [RejectWithdrawn] refuses. The CAs of G3 are in the pool to be refused in
// words: no certificate under G3 verifies, also if G3 is among the arguments.
// The pool of no known hierarchy trusts nothing.
//
// Certificates of the TRIAL tool and of package pkiotest are refused too. What a
// program adds to the pool is trusted without any of this, but for the G3 root,
// which stays refused: roots of your own belong into [Config.Roots].
//
// A program that makes its own tls.Config with this pool gets crypto/tls's
// errors. [ClientTLSConfig] and [NewTransport] check resumed sessions too, and say
// more. For the clients of a server use [ServerTLSConfig]: a server announces
// what is in its pool as what it accepts, and G3 is in this one.
func CertPool(h Hierarchy, more ...Hierarchy) *x509.CertPool {
	return mustVerifier(append([]Hierarchy{h}, more...)).CertPool(nil)
}

// mustVerifier leaves out what is not to be trusted, so that nothing in it can fail.
func mustVerifier(hierarchies []Hierarchy) *chain.Verifier {
	trusted := slices.DeleteFunc(slices.Clone(hierarchies), func(h Hierarchy) bool { return !h.trustable() })
	if trusted == nil {
		trusted = []Hierarchy{}
	}
	t, err := newTrust(Config{Hierarchies: trusted}, forServers)
	if err != nil {
		panic(err.Error())
	}
	return t.verifier
}

// Intermediates returns a new pool of the domain CAs and TSP CAs of the
// hierarchies, for x509.VerifyOptions.Intermediates. It holds no root, and
// nothing of G3: crypto/x509 would use a G3 CA from there to get to a G3 root
// that the system may still trust.
func Intermediates(h Hierarchy, more ...Hierarchy) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, h := range append([]Hierarchy{h}, more...) {
		if !h.trustable() {
			continue
		}
		for _, c := range embedded()[h] {
			if !selfIssued(c) {
				pool.AddCert(c)
			}
		}
	}
	return pool
}
