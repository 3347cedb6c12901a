package crl_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

// judge asks crypto/x509 and us about the signature of a list: theirs is an error
// too if they do not read it.
func judge(der []byte, issuer *x509.Certificate) (own, theirs error) {
	if l, err := crl.Parse(der); err != nil {
		own = err
	} else {
		own = l.CheckSignatureFrom(issuer)
	}
	if l, err := x509.ParseRevocationList(der); err != nil {
		theirs = err
	} else {
		fips140.WithoutEnforcement(func() { theirs = l.CheckSignatureFrom(issuer) })
	}
	return own, theirs
}

// DER of algorithms.
func oid(content ...byte) []byte { return element(0x06, content) }

var (
	null       = []byte{5, 0}
	hashSHA1   = oid(0x2b, 0x0e, 0x03, 0x02, 0x1a)
	hashSHA256 = oid(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01)
	hashSHA384 = oid(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02)
	hashSHA512 = oid(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03)
)

func pkcs1(n byte) []byte {
	return element(0x30, oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n), null)
}

func ecdsaWith(content ...byte) []byte {
	return element(0x30, oid(append([]byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04}, content...)...))
}

func pss(hash, maskHash []byte, salt byte, more ...[]byte) []byte {
	mask := element(0x30, oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 8), element(0x30, maskHash, null))
	parameters := append([][]byte{element(0xa0, element(0x30, hash, null)), element(0xa1, mask), element(0xa2, integer(salt))}, more...)
	return element(0x30, oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 10), element(0x30, parameters...))
}

// The signatures are good in each case: what is refused is the algorithm.
func TestSignatureAlgorithms(t *testing.T) {
	rsaCA := newAuthority("Issuing CA", rsaKey())
	p384 := newAuthority("Issuing CA", must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)))
	edCA := newAuthority("Issuing CA", ed25519Key())
	salted := func(n int) func(crypto.Hash) crypto.SignerOpts {
		return func(h crypto.Hash) crypto.SignerOpts { return &rsa.PSSOptions{SaltLength: n, Hash: h} }
	}
	for _, c := range []struct {
		name      string
		ca        authority
		algorithm []byte
		hash      crypto.Hash
		opts      func(crypto.Hash) crypto.SignerOpts
		own, them bool
	}{
		{"RSA PKCS #1 with MD5", rsaCA, pkcs1(4), crypto.MD5, nil, false, false},
		{"RSA PKCS #1 with SHA-1, which crypto/x509 takes for CRLs", rsaCA, pkcs1(5), crypto.SHA1, nil, false, true},
		{"RSA PKCS #1 with SHA-256", rsaCA, pkcs1(11), crypto.SHA256, nil, true, true},
		{"RSA PKCS #1 with SHA-384", rsaCA, pkcs1(12), crypto.SHA384, nil, true, true},
		{"RSA PKCS #1 with SHA-512", rsaCA, pkcs1(13), crypto.SHA512, nil, true, true},
		{"RSA PKCS #1 with SHA-224", rsaCA, pkcs1(14), crypto.SHA224, nil, false, false},
		{"RSA PSS with SHA-256", rsaCA, pss(hashSHA256, hashSHA256, 32), crypto.SHA256, salted(32), true, true},
		{"RSA PSS with SHA-384", rsaCA, pss(hashSHA384, hashSHA384, 48), crypto.SHA384, salted(48), true, true},
		{"RSA PSS with SHA-512", rsaCA, pss(hashSHA512, hashSHA512, 64), crypto.SHA512, salted(64), true, true},
		{"RSA PSS with SHA-1", rsaCA, pss(hashSHA1, hashSHA1, 20), crypto.SHA1, salted(20), false, false},
		{"RSA PSS with a short salt", rsaCA, pss(hashSHA256, hashSHA256, 20), crypto.SHA256, salted(20), false, false},
		{"RSA PSS with a salt that is shorter than it says", rsaCA, pss(hashSHA256, hashSHA256, 32), crypto.SHA256, salted(20), false, false},
		{"RSA PSS with another hash in the mask", rsaCA, pss(hashSHA256, hashSHA512, 32), crypto.SHA256, salted(32), false, false},
		{"RSA PSS with a trailer that is the default", rsaCA, pss(hashSHA256, hashSHA256, 32, element(0xa3, integer(1))), crypto.SHA256, salted(32), true, true},
		{"RSA PSS with another trailer", rsaCA, pss(hashSHA256, hashSHA256, 32, element(0xa3, integer(2))), crypto.SHA256, salted(32), false, false},
		{"RSA PSS without parameters", rsaCA, element(0x30, oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 10)), crypto.SHA256, salted(32), false, false},
		{"RSA PSS that says PKCS #1", rsaCA, pkcs1(11), crypto.SHA256, salted(32), false, false},
		{"RSA PKCS #1 that says PSS", rsaCA, pss(hashSHA256, hashSHA256, 32), crypto.SHA256, nil, false, false},
		{"ECDSA with SHA-1, which crypto/x509 takes for CRLs", p384, ecdsaWith(1), crypto.SHA1, nil, false, true},
		{"ECDSA with SHA-256", p384, ecdsaWith(3, 2), crypto.SHA256, nil, true, true},
		{"ECDSA with SHA-384", p384, ecdsaWith(3, 3), crypto.SHA384, nil, true, true},
		{"ECDSA with SHA-512", p384, ecdsaWith(3, 4), crypto.SHA512, nil, true, true},
		{"ECDSA with another hash than it says", p384, ecdsaWith(3, 4), crypto.SHA384, nil, false, false},
		{"Ed25519", edCA, element(0x30, oid(0x2b, 0x65, 0x70)), 0, nil, true, true},
		{"Ed25519 with parameters", edCA, element(0x30, oid(0x2b, 0x65, 0x70), null), 0, nil, false, false},
		{"an algorithm that nobody knows", edCA, element(0x30, oid(0x2a, 3, 4)), 0, nil, false, false},
		{"an RSA signature that says ECDSA", rsaCA, ecdsaWith(3, 2), crypto.SHA256, nil, false, false},
		{"an RSA signature that says Ed25519", rsaCA, element(0x30, oid(0x2b, 0x65, 0x70)), crypto.SHA256, nil, false, false},
		{"an ECDSA signature that says RSA PKCS #1", p384, pkcs1(11), crypto.SHA256, nil, false, false},
		{"an ECDSA signature that says RSA PSS", p384, pss(hashSHA256, hashSHA256, 32), crypto.SHA256, nil, false, false},
		{"an ECDSA signature that says Ed25519", p384, element(0x30, oid(0x2b, 0x65, 0x70)), crypto.SHA256, nil, false, false},
		{"an Ed25519 signature that says ECDSA", edCA, ecdsaWith(3, 2), 0, nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHandmade()
			h.issuer, h.inner, h.outer = c.ca.RawSubject, c.algorithm, c.algorithm
			signed := h.content()
			opts := crypto.SignerOpts(c.hash)
			if c.opts != nil {
				opts = c.opts(c.hash)
			}
			var signature []byte
			fips140.WithoutEnforcement(func() {
				if c.hash != 0 {
					sum := c.hash.New()
					sum.Write(signed)
					signed = sum.Sum(nil)
				}
				signature = must(c.ca.key.Sign(rand.Reader, signed, opts))
			})
			der := h.with(signature)
			own, theirs := judge(der, c.ca.Certificate)
			assert.Equal(t, c.own, own == nil, own)
			assert.Equal(t, c.them, theirs == nil, theirs)

			// The same signature over another content.
			h.revoked = element(0x30, entryOf(integer(6), utcTime("260101000000Z")))
			der = h.with(signature)
			own, theirs = judge(der, c.ca.Certificate)
			assert.Error(t, own)
			assert.Error(t, theirs)
		})
	}
}

func TestSHA1IsCalledInsecure(t *testing.T) {
	h := newHandmade()
	h.inner, h.outer = ecdsaWith(1), ecdsaWith(1)
	own, _ := judge(h.with([]byte{1}), ca().Certificate)
	var insecure x509.InsecureAlgorithmError
	assert.ErrorAs(t, own, &insecure)
}

func TestCheckSignatureFromAsksForTheRightIssuer(t *testing.T) {
	of := func(change func(*x509.Certificate)) authority { return newAuthority("Issuing CA", ecdsaKey(), change) }
	p256 := func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }
	for _, c := range []struct {
		name      string
		signer    authority
		issuer    authority
		want      string
		forbidden bool // wraps crypto/x509's word for it
	}{
		{"the CA that made it", ca(), ca(), "", false},
		{"another name with the same key", ca(), newAuthority("Another CA", ecdsaKey()), `by "Issuing CA" and not by "Another CA"`, false},
		{"another key of that name", ca(), newAuthority("Issuing CA", p256()), "key identifiers differ", false},
		{"another key with the same key identifier", ca(), newAuthority("Issuing CA", p256(), func(c *x509.Certificate) { c.SubjectKeyId = ca().SubjectKeyId }), "not made with the right key", false},
		{"the same key under another key identifier", ca(), of(func(c *x509.Certificate) { c.SubjectKeyId = []byte{1} }), "key identifiers differ", false},
		{"no CA", ca(), of(func(c *x509.Certificate) { c.IsCA = false }), "is not a CA", true},
		{"a certificate that does not say whether it is a CA", ca(), of(func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = false, false }), "is not a CA", true},
		{"a CA that may not sign lists", ca(), of(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }), "cRLSign", true},
		{"a CA without a key usage", ca(), of(func(c *x509.Certificate) { c.KeyUsage = 0 }), "", false},
		{"a CA whose key usage is none at all", ca(), of(func(c *x509.Certificate) {
			c.KeyUsage = 0
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 1, 0}}}
		}), "cRLSign", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			der := c.signer.list()
			own, theirs := judge(der, c.issuer.Certificate)
			if c.want == "" {
				assert.NoError(t, own)
				assert.NoError(t, theirs)
				return
			}
			require.ErrorContains(t, own, c.want)
			assert.Equal(t, c.forbidden, errors.As(own, new(x509.ConstraintViolationError)))
		})
	}

	l := must(crl.Parse(ca().list()))
	assert.Error(t, l.CheckSignatureFrom(nil))
	assert.Error(t, l.CheckSignatureFrom(&x509.Certificate{}))
	assert.Error(t, new(crl.List).CheckSignatureFrom(ca().Certificate))

	// Without identifiers names decide, and then the signature.
	h := newHandmade()
	assert.NoError(t, must(crl.Parse(h.sign())).CheckSignatureFrom(ca().Certificate))

	nobody := *ca().Certificate
	nobody.PublicKey, nobody.PublicKeyAlgorithm = nil, x509.UnknownPublicKeyAlgorithm
	assert.ErrorIs(t, l.CheckSignatureFrom(&nobody), x509.ErrUnsupportedAlgorithm)
}

// Whatever the kind of key, the words are the same, and crypto/rsa's are kept.
func TestBadSignatureIsExplained(t *testing.T) {
	sameID := func(c *x509.Certificate) { c.SubjectKeyId = []byte{1} }
	another := must(rsa.GenerateKey(rand.Reader, 2048))
	for _, algorithm := range []x509.SignatureAlgorithm{x509.SHA256WithRSA, x509.SHA512WithRSAPSS} {
		l := must(crl.Parse(newAuthority("Issuing CA", rsaKey(), sameID).list(func(l *x509.RevocationList) { l.SignatureAlgorithm = algorithm })))
		err := l.CheckSignatureFrom(newAuthority("Issuing CA", another, sameID).Certificate)
		assert.ErrorIs(t, err, rsa.ErrVerification)
		assert.ErrorContains(t, err, `the signature of the list of "Issuing CA": it was not made with the right key, or what it signs was changed`)
	}
}

func TestLargeRSAKeysAreRefusedUnused(t *testing.T) {
	rsaCA := newAuthority("Issuing CA", rsaKey())
	l := must(crl.Parse(rsaCA.list()))
	require.NoError(t, l.CheckSignatureFrom(rsaCA.Certificate))
	for name, key := range map[string]*rsa.PublicKey{
		"8200 bits":         {N: new(big.Int).SetBit(big.NewInt(1), 8199, 1), E: 65537},
		"an exponent 65539": {N: rsaKey().Public().(*rsa.PublicKey).N, E: 65539},
		"no modulus":        {E: 65537},
	} {
		issuer := *rsaCA.Certificate
		issuer.PublicKey = key
		assert.ErrorContains(t, l.CheckSignatureFrom(&issuer), "8192 bits", name)
	}
}

// Whatever is changed in a list: what crypto/x509 refuses we refuse, and no
// changed list passes.
func TestChangedListsNeverPass(t *testing.T) {
	edCA := newAuthority("Ed25519 CA", ed25519Key())
	rsaCA := newAuthority("RSA CA", rsaKey())
	change := func(a x509.SignatureAlgorithm) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) { l.SignatureAlgorithm = a }
	}
	entries := revoking(revoked(5, now, crl.KeyCompromise), revoked(300, now, crl.Unspecified))
	random := mathrand.New(mathrand.NewPCG(1, 1))
	for name, c := range map[string]struct {
		ca  authority
		der []byte
	}{
		"ECDSA":      {ca(), ca().list(entries)},
		"Ed25519":    {edCA, edCA.list(entries)},
		"RSA PKCS 1": {rsaCA, rsaCA.list(entries, change(x509.SHA384WithRSA))},
		"RSA PSS":    {rsaCA, rsaCA.list(entries, change(x509.SHA512WithRSAPSS))},
	} {
		t.Run(name, func(t *testing.T) {
			own, theirs := judge(c.der, c.ca.Certificate)
			require.NoError(t, own)
			require.NoError(t, theirs)
			for i := range c.der {
				for _, bit := range []byte{1, 0x80, byte(2 + random.IntN(0x7d))} {
					mutated := slices.Clone(c.der)
					mutated[i] ^= bit
					own, theirs := judge(mutated, c.ca.Certificate)
					if theirs != nil {
						require.Error(t, own, "%d ^ %x", i, bit)
					}
					require.Error(t, own, fmt.Sprintf("%d ^ %x", i, bit))
				}
			}
		})
	}
}
