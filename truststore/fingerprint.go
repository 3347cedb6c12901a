package truststore

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
)

// Fingerprint is the SHA-256 of a certificate's DER, by which CAs name a certificate.
type Fingerprint [sha256.Size]byte

// FingerprintOf returns the fingerprint of a certificate: the zero Fingerprint for nil and
// for one that was not parsed.
func FingerprintOf(cert *x509.Certificate) Fingerprint {
	if cert == nil || len(cert.Raw) == 0 {
		return Fingerprint{}
	}
	return sha256.Sum256(cert.Raw)
}

// ParseFingerprint reads 64 hexadecimal digits, in upper or lower case, with or
// without colons and spaces between them.
func ParseFingerprint(s string) (Fingerprint, error) {
	digits := make([]byte, 0, hex.EncodedLen(sha256.Size))
	for i := range len(s) {
		switch {
		case s[i] == ':' || s[i] == ' ':
			continue
		case len(digits) == cap(digits):
			return Fingerprint{}, fmt.Errorf("truststore: a SHA-256 fingerprint has %d hexadecimal digits: this one is longer", cap(digits))
		}
		digits = append(digits, s[i])
	}
	if len(digits) < cap(digits) {
		return Fingerprint{}, fmt.Errorf("truststore: a SHA-256 fingerprint has %d hexadecimal digits, not %d (40 are of SHA-1)", cap(digits), len(digits))
	}
	var f Fingerprint
	if _, err := hex.Decode(f[:], digits); err != nil {
		return Fingerprint{}, fmt.Errorf("truststore: no fingerprint: %w", err)
	}
	return f, nil
}

// String returns 64 hexadecimal digits in lower case.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// MarshalText returns what String does. It never fails.
func (f Fingerprint) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, f[:]), nil
}

// UnmarshalText takes what ParseFingerprint does. On failure it leaves f as it was.
func (f *Fingerprint) UnmarshalText(text []byte) error {
	parsed, err := ParseFingerprint(string(text))
	if err != nil {
		return err
	}
	*f = parsed
	return nil
}
