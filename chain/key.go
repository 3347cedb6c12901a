package chain

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// KeyHash returns the SHA-256 of a certificate's public key, in the SubjectPublicKeyInfo
// that crypto/x509 writes. It takes others for the same key, with data after the key for
// one, and all of these have one hash. A key that it does not write is hashed as it is
// in the certificate. The hash of a certificate that was not parsed is zero.
func KeyHash(cert *x509.Certificate) [sha256.Size]byte {
	if cert == nil || len(cert.RawSubjectPublicKeyInfo) == 0 {
		return [sha256.Size]byte{}
	}
	der := cert.RawSubjectPublicKeyInfo
	if !canonicalKey(der) {
		if written, err := x509.MarshalPKIXPublicKey(cert.PublicKey); err == nil {
			der = written
		}
	}
	return sha256.Sum256(der)
}

const (
	// algorithmRSA is the AlgorithmIdentifier of RSA keys, RFC 3279 section 2.3.1.
	algorithmRSA = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
	// oidECKey is id-ecPublicKey, RFC 5480 section 2.1.1.
	oidECKey = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
)

// fixedKeys are what goes before the keys that are all of one length: curve points
// without compression (RFC 5480 section 2.2), and Ed25519 (RFC 8410 section 4).
var fixedKeys = [...]struct {
	before string
	length int
}{
	{"\x30\x59\x30\x13" + oidECKey + "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04", 64},
	{"\x30\x76\x30\x10" + oidECKey + "\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00\x04", 96},
	{"\x30\x81\x9b\x30\x10" + oidECKey + "\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00\x04", 132},
	{"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 32},
}

// canonicalKey reports a SubjectPublicKeyInfo that crypto/x509 would write like this.
// It may be false for others that it would: to write one takes twenty times as long.
func canonicalKey(der []byte) bool {
	for _, key := range fixedKeys {
		if len(der) == len(key.before)+key.length && strings.HasPrefix(string(der[:len(key.before)]), key.before) {
			return true
		}
	}
	input := cryptobyte.String(der)
	var spki, algorithm, bits, key cryptobyte.String
	return input.ReadASN1(&spki, asn1.SEQUENCE) && input.Empty() &&
		spki.ReadASN1Element(&algorithm, asn1.SEQUENCE) && string(algorithm) == algorithmRSA &&
		spki.ReadASN1(&bits, asn1.BIT_STRING) && spki.Empty() && bits.Skip(1) && der[len(der)-len(bits)-1] == 0 &&
		bits.ReadASN1(&key, asn1.SEQUENCE) && bits.Empty() &&
		isInteger(&key) && isInteger(&key) && key.Empty()
}

// isInteger skips an INTEGER in the fewest octets.
func isInteger(s *cryptobyte.String) bool {
	var content cryptobyte.String
	return s.ReadASN1(&content, asn1.INTEGER) && len(content) > 0 &&
		(len(content) == 1 || content[0] != 0 || content[1]&0x80 != 0)
}

// sameKey compares keys as crypto/x509 does.
func sameKey(a, b *x509.Certificate) bool {
	if bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) {
		return true
	}
	key, ok := a.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b.PublicKey)
}
