package truststore

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
)

// Encode writes the certificates in the given format. XML is read only.
//
// In PEM, a comment line before each certificate tells a reader its subject, the
// day on which it expires, and its fingerprint:
//
//	# CN=Example Root,O=Example,C=NL | expires 2036-01-01 | SHA-256 0f3c…
//
// PKCS7 is written without a signature. An empty Store gives a file without
// certificates, which Decode does not accept.
//
// PKCS12 and JKS are trust stores for Java, which need a password (WithPassword).
// It keeps nothing secret, since certificates are public, but Java ignores what is
// in a PKCS12 without one. For PKCS12 it must be printable ASCII, because Java
// takes no other; keytool wants six characters when it makes a file, and reads a
// file with fewer. Each certificate has its common name as its alias, in lower
// case, with a number behind it where two have the same. A certificate without an
// issuer, or without any name, or with an RSA key of less than 512 or more than 16384
// bits, is an error, because of one such Java would refuse
// the whole file. PKCS12 is encrypted with AES-256, which is read by Java 12 and
// later and by 8 and 11 with updates since July 2021, by OpenSSL 1.1.1, and by
// Windows Server 2019; JKS is for Java that is older.
//
// The same Store gives the same bytes, except in PKCS12: there, salts are random,
// as they must be. The order is that of the Store, except in JKS: there, it is that
// of the aliases, and the dates of the entries are those on which the
// certificates became valid.
func (s *Store) Encode(f Format, opts ...Option) ([]byte, error) {
	data, err := s.encode(f, newOptions(opts))
	if err != nil {
		return nil, fmt.Errorf("truststore: %w", err)
	}
	return data, nil
}

func (s *Store) encode(f Format, o options) ([]byte, error) {
	row := formOf(f)
	switch {
	case row == nil:
		return nil, fmt.Errorf("cannot write %v: want PEM, DER, PKCS7, PKCS12 or JKS", f)
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
			return fmt.Errorf("the certificate with SHA-256 %v has an RSA key of %d bits with the exponent %d, and Java would not read a file with it: leave it out", FingerprintOf(cert), key.N.BitLen(), key.E)
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
