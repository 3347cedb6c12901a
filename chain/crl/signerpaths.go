package crl

import (
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
)

// paths remembers the paths of signers, which take signatures to find.
type paths struct {
	mu    sync.Mutex
	known map[pathKey][]*x509.Certificate
}

type pathKey struct {
	signer *x509.Certificate
	root   string // its DER
}

// maxKnownPaths bounds what is remembered.
const maxKnownPaths = 64

// of returns the path of a signer to the root above, which is the end of a verified chain.
func (p *paths) of(signer *x509.Certificate, above chain.Chain, at time.Time) []*x509.Certificate {
	key := pathKey{signer, string(above.Root().Raw)}
	p.mu.Lock()
	path := p.known[key]
	p.mu.Unlock()
	valid := func(cert *x509.Certificate) bool { return !at.Before(cert.NotBefore) && !at.After(cert.NotAfter) }
	if path != nil && !slices.ContainsFunc(path, func(cert *x509.Certificate) bool { return !valid(cert) }) {
		return path
	}
	opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	opts.Roots.AddCert(above.Root())
	for _, cert := range above[:len(above)-1] {
		opts.Intermediates.AddCert(cert)
	}
	chains, err := signer.Verify(opts)
	if err != nil || len(chains[0]) < 2 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxKnownPaths {
		p.known = make(map[pathKey][]*x509.Certificate)
	}
	p.known[key] = chains[0]
	return chains[0]
}
