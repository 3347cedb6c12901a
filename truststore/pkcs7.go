package truststore

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// addPKCS7 reads the certificates of a PKCS#7 SignedData.
//
// First it walks the file (see derOf) and finds the certificates in it, so that
// an error can name the bad one, and none is larger than crypto/x509 should see.
// Then github.com/smallstep/pkcs7 reads it. What that cannot do is done here: it
// wants signers named by issuer and serial number, where CMS also has key
// identifiers; with indefinite lengths it reads no empty set; one bad certificate
// and it returns none; and it turns certificates that are in BER into others that
// are in DER, which have another fingerprint, and which nobody signed.
func (d *decoder) addPKCS7(data []byte) error {
	der, certs, err := findPKCS7(data)
	if err != nil {
		return err
	}
	// Certificates in BER do not have their bytes any more. One ends the reading:
	// to look for each of many would take time with the square of the file.
	for i, file := 0, data; i < len(certs) && &der[0] != &data[0]; i++ {
		at := bytes.Index(file, certs[i])
		if at < 0 {
			return fmt.Errorf("certificate %d in the PKCS#7 is not in DER", i+1)
		}
		file = file[at+len(certs[i]):]
	}
	if len(der) <= maxPKCS7ForLibrary && d.visit == nil {
		if p7, err := pkcs7.Parse(der); err == nil && len(p7.Certificates) == len(certs) {
			same := true
			for i, cert := range p7.Certificates {
				same = same && bytes.Equal(cert.Raw, certs[i])
			}
			if same {
				d.certs.Add(p7.Certificates...)
				return nil
			}
		}
	}
	for i, cert := range certs {
		if d.entry.Format == PEM {
			d.entry.Position = i + 1
		} else {
			d.entry.Number = i + 1
		}
		err := errNotX509
		if cert[0] == tagSequence {
			err = d.addCertificate(cert)
		}
		if err != nil {
			if err := d.skip(fmt.Errorf("certificate %d in the PKCS#7: %w", i+1, err)); err != nil {
				return err
			}
		}
	}
	return nil
}

var errNotX509 = errors.New("this is no X.509 certificate")

// The library copies a file once for each depth in it and makes a hundred bytes of
// each element, which may have two. Files that people send have some hundred
// certificates at most; larger ones are read without the library.
const maxPKCS7ForLibrary = 1 << 20

// findPKCS7 returns a SignedData in DER and the elements in it where certificates
// belong.
func findPKCS7(data []byte) (der []byte, certs [][]byte, err error) {
	der, rest, err := derOf(data)
	if err != nil {
		return nil, nil, err
	}
	if rest = bytes.TrimLeft(rest, "\r\n\t "); len(rest) > 0 {
		return nil, nil, fmt.Errorf("%d bytes follow the end of the PKCS#7: the file is damaged, or two files in one", len(rest))
	}
	var info, content, set, ignored cryptobyte.String
	var contentType asn1.ObjectIdentifier
	in := cryptobyte.String(der)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !readOID(&info, &contentType) {
		return nil, nil, errors.New("damaged PKCS#7")
	}
	if !contentType.Equal(oidSignedData) {
		return nil, nil, fmt.Errorf("a PKCS#7 of type %v, which carries no certificates: want signed data (a .p7b file)", contentType)
	}
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
	var hasCerts bool
	if !info.ReadASN1(&content, explicit) || !content.ReadASN1(&content, cbasn1.SEQUENCE) ||
		!content.ReadASN1(&ignored, cbasn1.INTEGER) || // version
		!content.ReadASN1(&ignored, cbasn1.SET) || // digest algorithms
		!content.ReadASN1(&ignored, cbasn1.SEQUENCE) || // the signed content
		!content.ReadOptionalASN1(&set, &hasCerts, explicit) {
		return nil, nil, errors.New("damaged PKCS#7")
	}
	for number := 1; len(set) > 0; number++ {
		var cert cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadAnyASN1Element(&cert, &tag) {
			return nil, nil, fmt.Errorf("certificate %d in the PKCS#7 is damaged", number)
		}
		certs = append(certs, cert)
	}
	return der, certs, nil
}
