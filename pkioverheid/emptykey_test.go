package pkioverheid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

func TestAKeyThatIsNilOrEmptyIsAnError(t *testing.T) {
	own := ownPair()
	k, err := pkioverheid.NewKeyPair(own)
	require.NoError(t, err)
	for name, key := range map[string]crypto.PrivateKey{
		"no RSA key": (*rsa.PrivateKey)(nil), "an empty RSA key": new(rsa.PrivateKey),
		"no ECDSA key": (*ecdsa.PrivateKey)(nil), "an empty ECDSA key": new(ecdsa.PrivateKey),
		"no Ed25519 key": ed25519.PrivateKey(nil), "a nil pointer to one": (*ed25519.PrivateKey)(nil),
	} {
		t.Run(name, func(t *testing.T) {
			pair := tls.Certificate{Certificate: own.Certificate, PrivateKey: key}
			_, err := pkioverheid.NewKeyPair(pair)
			assert.ErrorContains(t, err, "no private key")
			assert.ErrorContains(t, k.Set(pair), "no private key")
			_, _, err = pkioverheid.NewRequest(pkioverheid.Request{
				Organization: "Gemeente Voorbeeld", KVK: "12345678", DNSNames: []string{"gemeente.example"}, Key: key.(crypto.Signer),
			})
			assert.ErrorContains(t, err, "Request.Key")
		})
	}
	assert.Equal(t, own.Leaf, k.Certificate())
}
