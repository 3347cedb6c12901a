package truststore

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// Encode writes the certificates in the given format, in their order. The same
// Store gives the same bytes.
//
// In PEM, a comment line before each certificate tells a reader its subject, the
// day on which it expires, and its fingerprint:
//
//	# CN=Example Root,O=Example,C=NL | expires 2036-01-01 | SHA-256 0f3c…
//
// An empty Store gives no bytes, which Decode does not accept. Formats other
// than PEM and DER are not yet written.
func (s *Store) Encode(f Format, opts ...Option) ([]byte, error) {
	if o := newOptions(opts); o.password != "" && (f == PEM || f == DER) {
		return nil, fmt.Errorf("truststore: %v has no password: leave it away or choose another format", f)
	}
	var out bytes.Buffer
	switch f {
	case PEM:
		for cert := range s.All() {
			out.WriteString(comment(cert))
			// Writing to a Buffer does not fail, and there are no headers.
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
		}
	case DER:
		for cert := range s.All() {
			out.Write(cert.Raw)
		}
	case PKCS7, PKCS12, JKS:
		return nil, fmt.Errorf("truststore: %v is not yet written: use PEM", f)
	case XML:
		return nil, fmt.Errorf("truststore: XML is read only: use PEM")
	default:
		return nil, fmt.Errorf("truststore: cannot write %v: want PEM or DER", f)
	}
	return out.Bytes(), nil
}

// comment is one line, whatever the subject is: certificates come from anybody,
// and the text of this line is not to become a block of its own.
func comment(cert *x509.Certificate) string {
	// Name.String takes time with the square of the number of its parts.
	subject := "(a subject of unusual length)"
	if len(cert.RawSubject) <= 8192 {
		subject = printable(cert.Subject.String(), 256)
	}
	return fmt.Sprintf("# %s | expires %s | SHA-256 %v\n",
		subject, cert.NotAfter.UTC().Format("2006-01-02"), FingerprintOf(cert))
}
