package crl

import (
	"bytes"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
)

// signers returns the certificates whose lists speak about ch[i]: that of its issuer, and
// others of that name, because a CA that changes its key signs its lists with the new
// one. These are above it in the chain, or are the operator's own, verify up to the root
// of the chain and are not revoked. What a peer only sent is not among them.
func (c *Checker) signers(ch chain.Chain, i int, q *question) []*x509.Certificate {
	signers := ch[i+1 : i+2 : i+2]
	for _, above := range ch[i+2:] {
		if bytes.Equal(above.RawSubject, ch[i].RawIssuer) {
			signers = append(signers, above)
		}
	}
	for _, own := range c.ownSigners(ch[i].RawIssuer) {
		if slices.ContainsFunc(signers, own.Equal) {
			continue
		}
		path := c.paths.of(own, ch[i+1:], q.at)
		if path == nil {
			continue
		}
		revocable := slices.ContainsFunc(path[:len(path)-1], func(cert *x509.Certificate) bool {
			return c.check(cert, signersIn(path, cert), q).state != good
		})
		if !revocable {
			signers = append(signers, own)
		}
	}
	return signers
}

// ownSigners are the operator's certificates of a name, from Config and the folder.
func (c *Checker) ownSigners(name []byte) []*x509.Certificate {
	var signers []*x509.Certificate
	if len(c.configured) > 0 {
		signers = c.configured[string(name)]
	}
	if contents := c.store.folder.current.Load(); contents != nil && len(contents.signers) > 0 {
		signers = slices.Concat(signers, contents.signers[string(name)])
	}
	return signers
}

// signersIn are the signers for a certificate of the path of a signer: its issuer, and
// itself where a CA issued it for its own new key, which is the one that goes on.
func signersIn(path []*x509.Certificate, cert *x509.Certificate) []*x509.Certificate {
	issuer := path[slices.Index(path, cert)+1]
	if bytes.Equal(cert.RawSubject, cert.RawIssuer) {
		return []*x509.Certificate{issuer, cert}
	}
	return []*x509.Certificate{issuer}
}

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
