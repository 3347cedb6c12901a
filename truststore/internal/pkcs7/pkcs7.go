// Package pkcs7 reads the certificates of PKCS#7 files. The signatures are not looked at.
package pkcs7

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"iter"

	library "github.com/smallstep/pkcs7"
	"golang.org/x/crypto/cryptobyte"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

var (
	errDamaged    = errors.New("damaged PKCS#7")
	errNotX509    = errors.New("this is not an X.509 certificate")
	errNotDER     = errors.New("it is not in DER")
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

// Entries yields the certificates of a SignedData. github.com/smallstep/pkcs7 reads it,
// after a walk that bounds it. Ours reads what that does not: files with one bad
// certificate, of which it returns none; files in BER, of which it turns the certificates
// into others in DER, which have another fingerprint, and which nobody signed; and large
// ones. A test names files for each.
func Entries(data []byte, _ entry.Options) iter.Seq[entry.Entry] {
	size, inBER, err := ber.Walk(data)
	if err == nil {
		err = ber.End(data[size:], "PKCS#7")
	}
	if err != nil {
		return entry.Only(err)
	}
	if data = data[:size]; !inBER {
		if certs := byLibrary(data); len(certs) > 0 {
			return func(yield func(entry.Entry) bool) {
				for i, cert := range certs {
					if !yield(entry.Entry{Kind: entry.Plain, Number: i + 1, DER: cert.Raw, Place: place}) {
						return
					}
				}
			}
		}
	}
	certs, err := find(data)
	if err != nil {
		return entry.Only(err)
	}
	return func(yield func(entry.Entry) bool) {
		for i, cert := range certs {
			e := entry.Entry{Kind: entry.Plain, Number: i + 1, DER: cert, Place: place}
			if cert[0] != ber.Sequence {
				e.Err = errNotX509
			} else if _, inBER, _ := ber.Walk(cert); inBER {
				e.Err = errNotDER
			}
			if !yield(e) {
				return
			}
		}
	}
}

func place(e entry.Entry) string { return fmt.Sprintf("certificate %d in the PKCS#7", e.Number) }

// The library copies a file once for each depth in it and makes a hundred bytes of
// each element, which may have two. Files that people send have some hundred
// certificates at most; larger ones are read without the library.
const maxForLibrary = 1 << 20

// byLibrary returns the certificates that the library reads, or none. Their bytes count:
// crypto/x509 reads them again, because the library has a switch for the whole process that
// lets a more lenient parser in.
func byLibrary(der []byte) []*x509.Certificate {
	if len(der) > maxForLibrary {
		return nil
	}
	p7, err := library.Parse(der)
	if err != nil {
		return nil
	}
	return p7.Certificates
}

// find returns the elements of a SignedData, in DER or BER, where certificates belong.
func find(data []byte) (certs [][]byte, err error) {
	info, _, ok := next(data, ber.Sequence)
	var contentType asn1.ObjectIdentifier
	in := cryptobyte.String(info)
	if !ok || !ber.ReadOID(&in, &contentType) {
		return nil, errDamaged
	}
	if !contentType.Equal(oidSignedData) {
		return nil, fmt.Errorf("a PKCS#7 of type %v, which carries no certificates: want signed data (a .p7b file)", contentType)
	}
	const set, explicit = 0x31, 0xa0
	content, _, ok := next(in, explicit)
	if ok {
		content, _, ok = next(content, ber.Sequence)
	}
	for _, tag := range []byte{ber.Integer, set, ber.Sequence} { // version, digest algorithms, the signed content
		if ok {
			_, content, ok = next(content, tag)
		}
	}
	if !ok {
		return nil, errDamaged
	}
	if len(content) == 0 || content[0] != explicit {
		return nil, nil
	}
	for content, _, _ = next(content, explicit); len(content) > 0; {
		size, _, err := ber.Walk(content)
		if err != nil {
			return nil, fmt.Errorf("certificate %d in the PKCS#7 is damaged", len(certs)+1)
		}
		certs = append(certs, content[:size:size])
		content = content[size:]
	}
	return certs, nil
}

// next returns the content of the first element, which must have this tag, and what
// follows it.
func next(data []byte, tag byte) (content, rest []byte, ok bool) {
	size, _, err := ber.Walk(data)
	if err != nil || data[0] != tag {
		return nil, nil, false
	}
	h, err := ber.ReadHeader(data)
	if err != nil {
		return nil, nil, false
	}
	content = data[h.Size:size]
	if h.Length == ber.Indefinite {
		content = content[:len(content)-2] // the end mark
	}
	return content, data[size:], true
}

// Encode writes a SignedData without a signature. certs are in DER, one after the other.
func Encode(certs []byte) ([]byte, error) { return library.DegenerateCertificate(certs) }
