package chain_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

func TestTheHashOfAKeyIsThatOfWhatCryptoX509Writes(t *testing.T) {
	for name, cert := range keysOfEveryKind(t) {
		t.Run(name, func(t *testing.T) {
			written, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
			require.NoError(t, err)
			assert.Equal(t, sha256.Sum256(written), chain.KeyHash(cert))
		})
	}
}

// keysOfEveryKind has keys as crypto/x509 writes them, and as others may.
func keysOfEveryKind(t testing.TB) map[string]*x509.Certificate {
	certs := map[string]*x509.Certificate{}
	add := func(name string, public crypto.PublicKey) {
		der, err := x509.MarshalPKIXPublicKey(public)
		require.NoError(t, err)
		certs[name] = &x509.Certificate{PublicKey: public, RawSubjectPublicKeyInfo: der}
		certs[name+", then data"] = &x509.Certificate{PublicKey: public, RawSubjectPublicKeyInfo: append(bytes.Clone(der), 5, 0)}
	}
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		add(curve.Params().Name, key.Public())
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	add("Ed25519", ed)
	if !fips140.Enforced() {
		x, err := ecdh.X25519().GenerateKey(rand.Reader)
		require.NoError(t, err)
		add("X25519", x.PublicKey())
	}
	for _, bits := range []int{1023, 1024, 2047, 2048, 4096} {
		for _, e := range []int{3, 127, 128, 65537} {
			n := new(big.Int).SetBit(new(big.Int), bits-1, 1)
			add(fmt.Sprintf("RSA %d with %d", bits, e), &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: e})
		}
	}
	key := &rsa.PublicKey{N: big.NewInt(0x7fff), E: 3}
	body := "\x03\x0a\x00\x30\x07\x02\x02\x7f\xff\x02\x01\x03"
	algorithm := "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
	for name, spki := range map[string]string{
		"RSA":                                "\x30\x1b" + algorithm + body,
		"RSA with data after the numbers":    "\x30\x1d" + algorithm + "\x03\x0c\x00\x30\x09\x02\x02\x7f\xff\x02\x01\x03\x05\x00",
		"RSA with data after them":           "\x30\x1d" + algorithm + "\x03\x0c\x00\x30\x07\x02\x02\x7f\xff\x02\x01\x03\x05\x00",
		"RSA with data after the bit string": "\x30\x1d" + algorithm + body + "\x05\x00",
		"RSA with a longer algorithm":        "\x30\x1d\x30\x0f" + algorithm[2:] + "\x05\x00" + body,
		"RSA with a long form of its length": "\x30\x81\x1b" + algorithm + body,
		"RSA with an octet too many in N":    "\x30\x1c" + algorithm + "\x03\x0b\x00\x30\x08\x02\x03\x00\x7f\xff\x02\x01\x03",
		"RSA with unused bits":               "\x30\x1b" + algorithm + "\x03\x0a\x01" + body[3:],
	} {
		certs[name] = &x509.Certificate{PublicKey: key, RawSubjectPublicKeyInfo: []byte(spki)}
	}
	return certs
}

func BenchmarkKeyHash(b *testing.B) {
	certs := keysOfEveryKind(b)
	for _, name := range []string{"RSA 4096 with 65537", "RSA 4096 with 65537, then data", "P-256", "P-256, then data", "Ed25519"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				chain.KeyHash(certs[name])
			}
		})
	}
}
