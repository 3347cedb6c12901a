package chain_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// A certificate that somebody changed may hold a key that lacks its parts, with which
// crypto/rsa and crypto/ecdsa panic.
func TestAKeyWithoutItsPartsIsRefused(t *testing.T) {
	root := newRoot("Root")
	leaf := root.issue("example")
	for name, key := range map[string]any{
		"no RSA key": (*rsa.PublicKey)(nil), "an empty RSA key": new(rsa.PublicKey),
		"no ECDSA key": (*ecdsa.PublicKey)(nil), "an empty ECDSA key": new(ecdsa.PublicKey),
	} {
		t.Run(name, func(t *testing.T) {
			v, err := chain.NewVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithPolicy(chain.MinKeySizes(2048, 256)))
			require.NoError(t, err)
			odd, oddRoot := *leaf, *root.Certificate
			odd.PublicKey, oddRoot.PublicKey = key, key
			_, err = v.Verify(&odd, chain.VerifyOptions{})
			var refused *chain.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, chain.Unsupported, refused.Reason)
			assert.False(t, v.Explain([]*x509.Certificate{&odd}, chain.VerifyOptions{}).OK)
			assert.Error(t, chain.MinKeySizes(2048, 256)(chain.Chain{&odd, root.Certificate}, time.Now()))

			other, err := chain.NewVerifier(truststore.New(), truststore.New())
			require.NoError(t, err)
			_, err = other.Verify(leaf, chain.VerifyOptions{Extra: []*x509.Certificate{&oddRoot}})
			assert.Error(t, err, "the key of its issuer")
			_, err = chain.NewVerifier(truststore.New(&oddRoot), truststore.New())
			assert.Error(t, err)
		})
	}
}
