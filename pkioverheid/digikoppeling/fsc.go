package digikoppeling

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/go-pkioverheid/trust/chain"
)

// CertificateThumbprint returns the x5t#S256 of a certificate, to which FSC binds access
// tokens (cnf, RFC 8705): the SHA-256 of its DER in base64url. It is empty for nil.
func CertificateThumbprint(cert *x509.Certificate) string {
	if cert == nil || len(cert.Raw) == 0 {
		return ""
	}
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// IsThumbprint reports whether x5t is the x5t#S256 of a certificate. The bytes are
// compared: base64url and the standard base64 of the examples of FSC Core are taken, with
// padding and without.
func IsThumbprint(x5t string, cert *x509.Certificate) bool {
	if cert == nil || len(cert.Raw) == 0 || len(x5t) > base64.StdEncoding.EncodedLen(sha256.Size) {
		return false
	}
	read, err := base64.RawURLEncoding.Strict().DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimSuffix(x5t, "=")))
	sum := sha256.Sum256(cert.Raw)
	return err == nil && string(read) == string(sum[:])
}

// KeyThumbprint returns the SHA-256 of a certificate's public key (its
// SubjectPublicKeyInfo) in hex, by which contracts of FSC name a peer's key. A
// certificate that was renewed with the same key has the same. It is empty for nil.
func KeyThumbprint(cert *x509.Certificate) string {
	if cert == nil || len(cert.Raw) == 0 {
		return ""
	}
	sum := chain.KeyHash(cert)
	return hex.EncodeToString(sum[:])
}

// hasForwardSecrecy asks it of a suite of TLS 1.2; those of 1.3 all have it.
func hasForwardSecrecy(suite uint16) bool {
	return strings.HasPrefix(tls.CipherSuiteName(suite), "TLS_ECDHE_")
}
