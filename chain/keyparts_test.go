package chain_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// A certificate that somebody changed may hold a key that lacks its parts, with which
// the standard library panics.
func TestAKeyWithoutItsPartsIsRefused(t *testing.T) {
	root := newRoot("Root")
	leaf := root.issue("example")
	for name, key := range map[string]any{
		"no RSA key": (*rsa.PublicKey)(nil), "an empty RSA key": new(rsa.PublicKey),
		"no ECDSA key": (*ecdsa.PublicKey)(nil), "an empty ECDSA key": new(ecdsa.PublicKey),
		"an ECDSA key without a point": &ecdsa.PublicKey{Curve: elliptic.P256()},
		//lint:ignore SA1019 nothing else makes half a point
		"an ECDSA key of half a point": &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1)},
		"no Ed25519 key":               ed25519.PublicKey(nil), "half an Ed25519 key": make(ed25519.PublicKey, ed25519.PublicKeySize/2),
	} {
		t.Run(name, func(t *testing.T) {
			v, err := chain.NewVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithPolicy(chain.MinKeySizes(2048, 256)))
			require.NoError(t, err)
			odd, oddRoot := *leaf, *root.Certificate
			odd.PublicKey, oddRoot.PublicKey = key, key
			issued := *leaf
			if _, ok := key.(ed25519.PublicKey); ok { // with another, the key is not asked
				oddRoot.SignatureAlgorithm, issued.SignatureAlgorithm = x509.PureEd25519, x509.PureEd25519
			}
			_, err = v.Verify(&odd, chain.VerifyOptions{})
			var refused *chain.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, chain.Unsupported, refused.Reason)
			assert.False(t, v.Explain([]*x509.Certificate{&odd}, chain.VerifyOptions{}).OK)
			assert.Error(t, chain.MinKeySizes(2048, 256)(chain.Chain{&odd, root.Certificate}, time.Now()))

			other, err := chain.NewVerifier(truststore.New(), truststore.New())
			require.NoError(t, err)
			_, err = other.Verify(&issued, chain.VerifyOptions{Extra: []*x509.Certificate{&oddRoot}})
			assert.Error(t, err, "the key of its issuer")
			_, err = chain.NewVerifier(truststore.New(&oddRoot), truststore.New())
			assert.Error(t, err)
		})
	}
}
