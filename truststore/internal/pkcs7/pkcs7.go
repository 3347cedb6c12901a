// Package pkcs7 reads the certificates of PKCS#7 files. The signatures are not looked at.
package pkcs7

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"iter"

	library "github.com/smallstep/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

var (
	errDamaged    = errors.New("damaged PKCS#7")
	errNotX509    = errors.New("this is not an X.509 certificate")
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

// Entries yields the certificates of a SignedData. github.com/smallstep/pkcs7 reads it,
// after a walk that bounds it. Ours reads what that does not: files with one bad
// certificate, of which it returns none; files in BER, of which it turns the certificates
// into others in DER, which have another fingerprint, and which nobody signed; and large
// ones. A test names files for each.
func Entries(data []byte, _ entry.Options) iter.Seq[entry.Entry] {
	der, err := ber.Only(data, "PKCS#7")
	if err != nil {
		return entry.Only(err)
	}
	inDER := &der[0] == &data[0]
	if inDER {
		if certs := byLibrary(der); len(certs) > 0 {
			return func(yield func(entry.Entry) bool) {
				for i, cert := range certs {
					if !yield(entry.Entry{Kind: entry.Plain, Number: i + 1, DER: cert.Raw, Place: place}) {
						return
					}
				}
			}
		}
	}
	certs, err := find(der)
	if err != nil {
		return entry.Only(err)
	}
	// Certificates in BER do not have their bytes any more. One ends the reading:
	// to look for each of many would take time with the square of the file.
	for i, file := 0, data; i < len(certs) && !inDER; i++ {
		at := bytes.Index(file, certs[i])
		if at < 0 {
			return entry.Only(fmt.Errorf("certificate %d in the PKCS#7 is not in DER", i+1))
		}
		file = file[at+len(certs[i]):]
	}
	return func(yield func(entry.Entry) bool) {
		for i, cert := range certs {
			e := entry.Entry{Kind: entry.Plain, Number: i + 1, DER: cert, Place: place}
			if cert[0] != ber.Sequence {
				e.Err = errNotX509
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

// find returns the elements of a SignedData in DER where certificates belong.
func find(der []byte) (certs [][]byte, err error) {
	var info, content, set, ignored cryptobyte.String
	var contentType asn1.ObjectIdentifier
	in := cryptobyte.String(der)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !ber.ReadOID(&info, &contentType) {
		return nil, errDamaged
	}
	if !contentType.Equal(oidSignedData) {
		return nil, fmt.Errorf("a PKCS#7 of type %v, which carries no certificates: want signed data (a .p7b file)", contentType)
	}
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
	var hasCerts bool
	if !info.ReadASN1(&content, explicit) || !content.ReadASN1(&content, cbasn1.SEQUENCE) ||
		!content.ReadASN1(&ignored, cbasn1.INTEGER) || // version
		!content.ReadASN1(&ignored, cbasn1.SET) || // digest algorithms
		!content.ReadASN1(&ignored, cbasn1.SEQUENCE) || // the signed content
		!content.ReadOptionalASN1(&set, &hasCerts, explicit) {
		return nil, errDamaged
	}
	for number := 1; len(set) > 0; number++ {
		var cert cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadAnyASN1Element(&cert, &tag) {
			return nil, fmt.Errorf("certificate %d in the PKCS#7 is damaged", number)
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// Encode writes a SignedData without a signature. certs are in DER, one after the other.
func Encode(certs []byte) ([]byte, error) { return library.DegenerateCertificate(certs) }
