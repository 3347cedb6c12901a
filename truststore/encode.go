package truststore

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
)

// Encode writes the certificates in the given format; XML is read only. PEM has a comment
// before each certificate:
//
//	# CN=Example Root,O=Example,C=NL | expires 2036-01-01 | SHA-256 0f3c…
//
// PKCS12 and JKS are trust stores for Java and need WithPassword, for PKCS12 in printable
// ASCII. Certificates for which Java would refuse the file are an error. See "Details" in the
// package documentation.
func (s *Store) Encode(f Format, opts ...Option) ([]byte, error) {
	data, err := s.encode(f, newOptions(opts))
	if err != nil {
		return nil, ours(err)
	}
	return data, nil
}

func (s *Store) encode(f Format, o options) ([]byte, error) {
	row := formOf(f)
	switch {
	case row == nil:
		return nil, fmt.Errorf("cannot write %q: want PEM, DER, PKCS7, PKCS12 or JKS", f)
	case row.encode == nil:
		return nil, fmt.Errorf("%v is read only: choose another format", f)
	case !row.java && o.password != "":
		return nil, fmt.Errorf("%v has no password: leave it away or choose another format", f)
	case row.java && o.password == "":
		return nil, fmt.Errorf("%v needs a password, without which Java would not read it: give one with WithPassword", f)
	}
	for cert := range s.All() {
		if !row.java {
			break
		}
		if err := checkForJava(cert); err != nil {
			return nil, err
		}
	}
	return row.encode(s, o.password)
}

// checkForJava refuses certificates for which Java would refuse the whole file,
// and say that the password is wrong.
func checkForJava(cert *x509.Certificate) error {
	const emptyName = 2 // bytes: a sequence of nothing
	what := ""
	if len(cert.RawIssuer) <= emptyName {
		what = "issuer"
	} else if len(cert.RawSubject) <= emptyName && !slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool {
		return e.Critical && e.Id.Equal(oidSubjectAltName)
	}) {
		what = "subject"
	}
	if what == "" {
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && (key.N.BitLen() < 512 || key.N.BitLen() > 16384 || key.E < 3) {
			return fmt.Errorf("the certificate with SHA-256 %v has an RSA key (%d bits, exponent %d) that Java would not read: leave it out", FingerprintOf(cert), key.N.BitLen(), key.E)
		}
		return nil
	}
	return fmt.Errorf("the certificate with SHA-256 %v has no %s, and Java would not read a file with it: leave it out", FingerprintOf(cert), what)
}

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

func (s *Store) encodeDER() []byte {
	size := 0
	for cert := range s.All() {
		size += len(cert.Raw)
	}
	out := make([]byte, 0, size)
	for cert := range s.All() {
		out = append(out, cert.Raw...)
	}
	return out
}
