package chain

import (
	"crypto/x509"
	"fmt"
	"strconv"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

func (x *explaining) describe(cert *x509.Certificate) ExplainedCertificate {
	source := SourceIntermediate
	switch {
	case x.isDistrusted(cert):
		source = SourceDistrusted
	case x.roots.Contains(cert):
		source = SourceRoot
	case x.given.Contains(cert):
		source = SourceGiven
	}
	serial := "none"
	if cert.SerialNumber != nil {
		serial = safetext.Printable(fmt.Sprintf("%02x", cert.SerialNumber.Bytes()), safetext.Most)
		if cert.SerialNumber.Sign() < 0 {
			serial = "-" + serial
		}
		if serial == "" {
			serial = "00"
		}
	}
	return ExplainedCertificate{
		Subject:     safetext.Name(cert.Subject, maxNameText),
		Issuer:      safetext.Name(cert.Issuer, maxNameText),
		Serial:      serial,
		NotBefore:   marshallable(cert.NotBefore),
		NotAfter:    marshallable(cert.NotAfter),
		Key:         keyName(cert),
		Signature:   signatureName(cert.SignatureAlgorithm),
		Fingerprint: truststore.FingerprintOf(cert),
		CA:          isCA(cert),
		Source:      source,
		Certificate: cert,
	}
}

// keyName is the kind and size of a certificate's public key.
func keyName(cert *x509.Certificate) string {
	kind, bits := keySize(cert)
	switch kind {
	case "":
		if cert.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
			return cert.PublicKeyAlgorithm.String()
		}
		return "unknown"
	case "ECDSA":
		return "ECDSA P-" + strconv.Itoa(bits)
	case "RSA":
		return "RSA " + strconv.Itoa(bits)
	}
	return kind
}

var signatureNames = [...]string{
	x509.MD2WithRSA:       "RSA with MD2",
	x509.MD5WithRSA:       "RSA with MD5",
	x509.SHA1WithRSA:      "RSA with SHA-1",
	x509.SHA256WithRSA:    "RSA with SHA-256",
	x509.SHA384WithRSA:    "RSA with SHA-384",
	x509.SHA512WithRSA:    "RSA with SHA-512",
	x509.DSAWithSHA1:      "DSA with SHA-1",
	x509.DSAWithSHA256:    "DSA with SHA-256",
	x509.ECDSAWithSHA1:    "ECDSA with SHA-1",
	x509.ECDSAWithSHA256:  "ECDSA with SHA-256",
	x509.ECDSAWithSHA384:  "ECDSA with SHA-384",
	x509.ECDSAWithSHA512:  "ECDSA with SHA-512",
	x509.SHA256WithRSAPSS: "RSASSA-PSS with SHA-256",
	x509.SHA384WithRSAPSS: "RSASSA-PSS with SHA-384",
	x509.SHA512WithRSAPSS: "RSASSA-PSS with SHA-512",
	x509.PureEd25519:      "Ed25519",
}

func signatureName(a x509.SignatureAlgorithm) string {
	switch {
	case a <= 0:
		return "unknown"
	case int(a) < len(signatureNames) && signatureNames[a] != "":
		return signatureNames[a]
	}
	return a.String()
}

// maxNameText bounds a distinguished name, in bytes.
const maxNameText = 128

// marshallable is a time in UTC that JSON can hold: a certificate may speak of
// times beyond the year 9999 elsewhere.
func marshallable(t time.Time) time.Time {
	t = t.UTC()
	switch {
	case t.Year() > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	case t.Year() < 0:
		return time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return t
}
