package safetext

import (
	"crypto/x509"
	"crypto/x509/pkix"
)

// Certificate is what people call a certificate, in quotation marks: its common name,
// else its first DNS name, else its distinguished name.
func Certificate(cert *x509.Certificate) string {
	switch {
	case cert == nil:
		return "no certificate"
	case cert.Subject.CommonName == "" && len(cert.DNSNames) > 0:
		return Quote(cert.DNSNames[0])
	}
	if name := CA(cert.Subject); name != `""` {
		return name
	}
	return "a certificate without a name"
}

// CA is what people call a CA that has a name: its common name, else its
// distinguished name, in quotation marks.
func CA(name pkix.Name) string {
	if name.CommonName != "" {
		return Quote(name.CommonName)
	}
	return `"` + Name(name, Most) + `"`
}
