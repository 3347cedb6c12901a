package chain

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
)

// KeyHash returns the SHA-256 of a certificate's public key, in the SubjectPublicKeyInfo
// that crypto/x509 writes. It takes others for the same key, with data after the key for
// one, and all of these have one hash. A key that it does not write is hashed as it is
// in the certificate. The hash of a certificate that was not parsed is zero.
func KeyHash(cert *x509.Certificate) [sha256.Size]byte {
	if cert == nil || len(cert.RawSubjectPublicKeyInfo) == 0 {
		return [sha256.Size]byte{}
	}
	der, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	if err != nil {
		der = cert.RawSubjectPublicKeyInfo
	}
	return sha256.Sum256(der)
}

// sameKey compares keys as crypto/x509 does.
func sameKey(a, b *x509.Certificate) bool {
	if bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) {
		return true
	}
	key, ok := a.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b.PublicKey)
}
