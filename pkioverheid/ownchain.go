package pkioverheid

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// withChain returns a copy of a key pair with all certificates below its root. A
// client's needs them most: crypto/tls shows a certificate only if one of its chain was
// issued by a CA that the server announces.
func (t *trustState) withChain(pair tls.Certificate) (*tls.Certificate, error) {
	key, ok := pair.PrivateKey.(crypto.Signer)
	if len(pair.Certificate) == 0 || !ok || isEmptyKey(key) {
		return nil, errors.New("holds no certificate, or no private key that is a crypto.Signer")
	}
	certs := truststore.New()
	var leaf *x509.Certificate
	for i, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate that cannot be read, number %d: %w", i+1, err)
		}
		if i == 0 {
			leaf = c
		} else {
			certs.Add(c)
		}
	}
	if certificateOf(key, truststore.New(leaf)) == nil {
		return nil, fmt.Errorf("has a private key of another certificate than %s", safetext.Certificate(leaf))
	}
	pair.Leaf = leaf
	return t.addCAs(&pair, slices.Collect(certs.All())), nil
}

// isEmptyKey reports what is left of a key where an error was ignored, with which the
// standard library would panic.
func isEmptyKey(key crypto.Signer) bool {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key == nil || key.N == nil
	case *ecdsa.PrivateKey:
		return key == nil || key.Curve == nil
	case ed25519.PrivateKey:
		return len(key) != ed25519.PrivateKeySize
	case *ed25519.PrivateKey:
		return key == nil || len(*key) != ed25519.PrivateKeySize
	}
	return false
}

// addCAs returns a copy of a complete key pair with the CAs above it that are found in
// extra and here.
func (t *trustState) addCAs(pair *tls.Certificate, extra []*x509.Certificate) *tls.Certificate {
	added := *pair
	if path := t.path(pair.Leaf, extra); len(path) > 1 {
		added.Certificate = nil
		for _, c := range path {
			if !selfIssued(c) || c == pair.Leaf {
				added.Certificate = append(added.Certificate, c.Raw)
			}
		}
	}
	return &added
}

// certificateOf returns the certificate with the public key of key, of several
// (renewed with the same key) the one that is valid longest.
func certificateOf(key crypto.Signer, certs *truststore.Store) *x509.Certificate {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return nil
	}
	var found *x509.Certificate
	for c := range certs.All() {
		if public.Equal(c.PublicKey) && (found == nil || c.NotAfter.After(found.NotAfter)) {
			found = c
		}
	}
	return found
}

// path returns the certificates from leaf up, as far as they can be found in
// extra and among all that is known here.
func (t *trustState) path(leaf *x509.Certificate, extra []*x509.Certificate) chain.Chain {
	certs := slices.Concat([]*x509.Certificate{leaf}, extra)
	path, err := t.verifier.Complete(certs, t.clock())
	if err == nil && path.Leaf() == leaf {
		return path
	}
	// Not under a root that is trusted here: a client's own may be another's.
	certs = append(certs, t.known...)
	var failed *chain.Error
	if _, err = t.verifier.Complete(certs, t.clock()); errors.As(err, &failed) && failed.Chain.Leaf() == leaf {
		return failed.Chain
	}
	return chain.Chain{leaf}
}

// above returns the CAs of a complete key pair.
func above(pair *tls.Certificate) (cas []*x509.Certificate) {
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			cas = append(cas, c)
		}
	}
	return cas
}
