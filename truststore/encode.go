package truststore

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/smallstep/pkcs7"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/go-pkioverheid/trust/truststore/safetext"
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
	switch f {
	case PEM, DER, PKCS7:
		if o.password != "" {
			return nil, fmt.Errorf("%v has no password: leave it away or choose another format", f)
		}
	case PKCS12, JKS:
		if o.password == "" {
			return nil, fmt.Errorf("%v needs a password, without which Java would not read it: give one with WithPassword", f)
		}
		for cert := range s.All() {
			if err := checkForJava(cert); err != nil {
				return nil, err
			}
		}
	}
	switch f {
	case PEM:
		return s.encodePEM(), nil
	case DER:
		return s.encodeDER(), nil
	case PKCS7:
		return pkcs7.DegenerateCertificate(s.encodeDER())
	case PKCS12:
		return s.encodePKCS12(o.password)
	case JKS:
		return s.encodeJKS(o.password)
	case XML:
		return nil, errors.New("XML is read only: choose another format")
	}
	return nil, fmt.Errorf("cannot write %v: want PEM, DER, PKCS7, PKCS12 or JKS", f)
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

// encodePEM writes the blocks itself: encoding/pem takes as long for one as all
// of the rest, comment included, and the rest is needed.
func (s *Store) encodePEM() []byte {
	size := 0
	for cert := range s.All() {
		size += 300 + len(cert.Raw)*65/48 // more where a subject is long
	}
	out := make([]byte, 0, size)
	for cert := range s.All() {
		out = appendComment(out, cert)
		out = append(out, "-----BEGIN CERTIFICATE-----\n"...)
		for raw := cert.Raw; len(raw) > 0; {
			n := min(len(raw), 48) // which are 64 characters
			out = append(base64.StdEncoding.AppendEncode(out, raw[:n]), '\n')
			raw = raw[n:]
		}
		out = append(out, "-----END CERTIFICATE-----\n"...)
	}
	return out
}

// encodePKCS12 writes a trust store of Java.
func (s *Store) encodePKCS12(password string) ([]byte, error) {
	if strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("the password of a PKCS12 must be printable ASCII, because Java takes no other")
	}
	var entries []pkcs12.TrustStoreEntry
	for cert, alias := range s.aliases() {
		entries = append(entries, pkcs12.TrustStoreEntry{Cert: cert, FriendlyName: alias})
	}
	// As many iterations as keytool.
	return pkcs12.Modern2023.WithIterations(10_000).EncodeTrustStoreEntries(entries, password)
}

// appendComment writes one line, whatever the subject is: certificates come from
// anybody, and the text of this line is not to become a block of its own.
func appendComment(out []byte, cert *x509.Certificate) []byte {
	subject := printable(safetext.Name(cert.Subject, safetext.MostDN), 2*safetext.MostDN)
	out = append(append(out, "# "...), subject...)
	out = cert.NotAfter.UTC().AppendFormat(append(out, " | expires "...), "2006-01-02")
	sum := FingerprintOf(cert)
	return append(hex.AppendEncode(append(out, " | SHA-256 "...), sum[:]), '\n')
}
