package chain

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
	"github.com/go-pkioverheid/trust/truststore"
)

// CompleteKeyPair returns a copy of a key pair that holds what a peer needs: its
// certificate, which is the first of pair.Certificate, and the CAs up to the root,
// without the root, as [Verifier.Complete] finds them in the pair and in the
// verifier. Leaf is set, and all else of the pair is kept. The root itself, should
// it be the certificate of the pair, stays alone.
//
// A pair without a certificate or a key, or with a key that does not belong to its
// certificate, is an error. Where no path leads to a root, the error is an *[Error].
func (v *Verifier) CompleteKeyPair(ctx context.Context, pair tls.Certificate, at time.Time) (tls.Certificate, error) {
	if len(pair.Certificate) == 0 || pair.PrivateKey == nil {
		return tls.Certificate{}, errors.New("chain: the key pair holds no certificate or no private key")
	}
	certs := make([]*x509.Certificate, len(pair.Certificate))
	for i, der := range pair.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("chain: certificate %d of the key pair: %w", i+1, err)
		}
		certs[i] = cert
	}
	leaf := certs[0]
	if !belongs(pair.PrivateKey, leaf) {
		return tls.Certificate{}, fmt.Errorf("chain: the private key does not belong to %s, the first certificate of the key pair: is it another's, or are the certificates in another order?", quote.Certificate(leaf))
	}
	path, err := v.complete(ctx, leaf, truststore.New(certs...), at)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair.Leaf = leaf
	pair.Certificate = [][]byte{leaf.Raw}
	for _, ca := range path[1:max(1, len(path)-1)] {
		pair.Certificate = append(pair.Certificate, ca.Raw)
	}
	return pair, nil
}

// belongs compares the public keys; it is false of a key that has none.
func belongs(key crypto.PrivateKey, cert *x509.Certificate) bool {
	private, ok := key.(interface{ Public() crypto.PublicKey })
	if !ok {
		return false
	}
	public, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}
