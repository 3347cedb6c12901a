package pkioverheid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// odder returns other encodings of a SubjectPublicKeyInfo: with something after each
// of its parts and within its bit string, with unused bits, and with other parameters.
func odder(t testing.TB, spki []byte) map[string][]byte {
	t.Helper()
	var key, algorithm, oid, bits cryptobyte.String
	outer := cryptobyte.String(spki)
	require.True(t, outer.ReadASN1(&key, asn1.SEQUENCE) && key.ReadASN1(&algorithm, asn1.SEQUENCE) &&
		key.ReadASN1(&bits, asn1.BIT_STRING) && algorithm.ReadASN1Element(&oid, asn1.OBJECT_IDENTIFIER))
	parameters, content := []byte(algorithm), []byte(bits[1:])
	build := func(parameters, bits []byte, behindAlgorithm, behind string) []byte {
		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(oid)
				b.AddBytes(parameters)
				b.AddBytes([]byte(behindAlgorithm))
			})
			b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes(bits) })
			b.AddBytes([]byte(behind))
		})
		return b.BytesOrPanic()
	}
	plain := append([]byte{0}, content...)
	require.Equal(t, spki, build(parameters, plain, "", ""))

	made := map[string][]byte{
		"without parameters":            build(nil, plain, "", ""),
		"with NULL for parameters":      build([]byte{5, 0}, plain, "", ""),
		"a NULL after the parameters":   build(parameters, plain, "\x05\x00", ""),
		"bytes after the parameters":    build(parameters, plain, "any", ""),
		"a NULL after the bit string":   build(parameters, plain, "", "\x05\x00"),
		"bytes after the bit string":    build(parameters, plain, "", "any"),
		"bytes at the bit string's end": build(parameters, append(plain[:len(plain):len(plain)], 0, 0), "", ""),
	}
	for unused := range byte(8) { // the bits moved to the left by so many
		n := new(big.Int).Lsh(new(big.Int).SetBytes(content), uint(unused))
		shifted := n.FillBytes(make([]byte, (n.BitLen()+7)/8))
		if unused > 0 {
			made["with unused bits "+string('0'+unused)] = build(parameters, append([]byte{unused}, shifted...), "", "")
		}
	}
	var numbers cryptobyte.String
	if inner := cryptobyte.String(content); inner.ReadASN1(&numbers, asn1.SEQUENCE) && inner.Empty() {
		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(numbers); b.AddASN1Int64(1) })
		made["a number after the key's"] = build(parameters, append([]byte{0}, b.BytesOrPanic()...), "", "")
	}
	if content[0] == 4 && len(content)%2 == 1 { // a point, compressed
		half := append([]byte{0, 2 + content[len(content)-1]&1}, content[1:(len(content)+1)/2]...)
		made["a compressed point"] = build(parameters, half, "", "")
	}
	return made
}

// withKey returns the certificate with another SubjectPublicKeyInfo, signed anew.
func withKey(t testing.TB, cert *x509.Certificate, spki []byte, signer *ecdsa.PrivateKey) []byte {
	t.Helper()
	var outer, tbs, algorithm, element cryptobyte.String
	input := cryptobyte.String(cert.Raw)
	require.True(t, input.ReadASN1(&outer, asn1.SEQUENCE) && outer.ReadASN1(&tbs, asn1.SEQUENCE) && outer.ReadASN1Element(&algorithm, asn1.SEQUENCE))
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for !tbs.Empty() {
			var tag asn1.Tag
			require.True(t, tbs.ReadAnyASN1Element(&element, &tag))
			if string(element) == string(cert.RawSubjectPublicKeyInfo) {
				element = spki
			}
			b.AddBytes(element)
		}
	})
	signed := b.BytesOrPanic()
	digest := sha256.Sum256(signed)
	signature, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	require.NoError(t, err)
	var whole cryptobyte.Builder
	whole.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(signed)
		b.AddBytes(algorithm)
		b.AddASN1BitString(signature)
	})
	return whole.BytesOrPanic()
}

// oddly returns certificates of a CA for a key, in all encodings of it that crypto/x509
// takes, below a root.
func oddly(t testing.TB, key crypto.PublicKey) (root *x509.Certificate, issued map[string]*x509.Certificate) {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	}
	parse := func(der []byte, err error) *x509.Certificate {
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return cert
	}
	root = parse(x509.CreateCertificate(rand.Reader, template("Own root"), template("Own root"), signer.Public(), signer))
	ca := parse(x509.CreateCertificate(rand.Reader, template("Own CA"), root, key, signer))
	issued = map[string]*x509.Certificate{"as usual": ca}
	for name, spki := range odder(t, ca.RawSubjectPublicKeyInfo) {
		cert, err := x509.ParseCertificate(withKey(t, ca, spki, signer))
		if err != nil || !cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(key) {
			continue // another key, or none
		}
		require.NoError(t, cert.CheckSignatureFrom(root))
		issued[name] = cert
	}
	return root, issued
}

func TestAKeyIsRecognisedInEveryEncoding(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	g3, fixture := pkioverheid.G3.Certificates()[4], pkiotest.New(pkioverheid.PrivateG1).Certificates()[2]
	for name, key := range map[string]crypto.PublicKey{
		"a withdrawn CA of G3": g3.PublicKey, "a fixture": fixture.PublicKey, "ECDSA": curve.Public(), "Ed25519": edwards,
	} {
		t.Run(name, func(t *testing.T) {
			root, issued := oddly(t, key)
			assert.Greater(t, len(issued), 3, "encodings that crypto/x509 takes")
			usual := issued["as usual"]
			assert.Equal(t, sha256.Sum256(usual.RawSubjectPublicKeyInfo), chain.KeyHash(usual))
			for how, cert := range issued {
				assert.Equal(t, chain.KeyHash(usual), chain.KeyHash(cert), how)
				assert.Error(t, chain.VetoKeys(chain.KeyHash(usual))([]*x509.Certificate{cert}), how)
				claim, known := pkioverheid.ClaimOf(cert)
				switch name {
				case "a withdrawn CA of G3":
					var refused *pkioverheid.G3Error
					require.ErrorAs(t, pkioverheid.RejectG3([]*x509.Certificate{cert, root}), &refused, how)
					assert.Equal(t, pkioverheid.ByKey, refused.By, how)
					assert.True(t, refused.Withdrawn, how)
					assert.Equal(t, pkioverheid.G3, claim.Hierarchy)
				case "a fixture":
					assert.Equal(t, advice.Compromised, advice.For(cert, "", time.Now()).Status, how)
					_, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(cert))}})
					assert.ErrorContains(t, err, "is public", how)
				default:
					assert.False(t, known)
				}
			}
		})
	}
}

// A CA that somebody's own root certifies, whatever it is called, and whose key is that
// of a withdrawn CA.
func TestAWithdrawnKeyIsRefusedInEveryEncodingOnTheWire(t *testing.T) {
	g3 := pkiotest.New(pkioverheid.G3)
	withdrawn := g3.Certificates()[2]
	root, issued := oddly(t, withdrawn.PublicKey)
	for how, ca := range issued {
		leaf := sign(t, &x509.Certificate{DNSNames: []string{"localhost"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
			&tls.Certificate{Leaf: ca, PrivateKey: g3.PrivateKey(withdrawn)})
		leaf.Certificate = [][]byte{leaf.Leaf.Raw, ca.Raw}
		require.NoError(t, leaf.Leaf.CheckSignatureFrom(ca))
		url := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf}})
		_, err := get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root))}}, url)
		var refused *pkioverheid.G3Error
		assert.ErrorAs(t, err, &refused, how)
	}
}
