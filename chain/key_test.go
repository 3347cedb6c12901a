package chain_test

import (
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/chain"
)

func TestTheHashOfAKeyIsThatOfItsNumbers(t *testing.T) {
	l := newLayers()
	odd := *l.leaf
	odd.RawSubjectPublicKeyInfo = append(odd.RawSubjectPublicKeyInfo[:len(odd.RawSubjectPublicKeyInfo):len(odd.RawSubjectPublicKeyInfo)], 5, 0)
	assert.Equal(t, sha256.Sum256(l.leaf.RawSubjectPublicKeyInfo), chain.KeyHash(l.leaf))
	assert.Equal(t, chain.KeyHash(l.leaf), chain.KeyHash(&odd))
	assert.NotEqual(t, chain.KeyHash(l.leaf), chain.KeyHash(l.issuing.Certificate))
	unknown := &x509.Certificate{RawSubjectPublicKeyInfo: []byte("a key of tomorrow")}
	assert.Equal(t, sha256.Sum256(unknown.RawSubjectPublicKeyInfo), chain.KeyHash(unknown))
	assert.Zero(t, chain.KeyHash(nil))
	assert.Zero(t, chain.KeyHash(&x509.Certificate{PublicKey: l.leaf.PublicKey}))
}
