package truststore

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// addPKCS7 reads the certificates of a PKCS#7 SignedData, after the walk.
//
// It does not use github.com/smallstep/pkcs7, for two reasons: with indefinite
// lengths that does not read an empty set, and the digest algorithms of a file
// without signatures are one; and its errors do not say which certificate is
// bad. Our tests compare the two on what both can read.
func (s *Store) addPKCS7(data []byte) error {
	der, rest, err := derOf(data)
	if err != nil {
		return err
	}
	if rest = bytes.TrimLeft(rest, "\r\n\t "); len(rest) > 0 {
		return fmt.Errorf("%d bytes follow the end of the PKCS#7: the file is damaged, or two files in one", len(rest))
	}
	var info, content, certs, ignored cryptobyte.String
	var contentType asn1.ObjectIdentifier
	in := cryptobyte.String(der)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&contentType) {
		return errors.New("damaged PKCS#7")
	}
	if !contentType.Equal(oidSignedData) {
		return fmt.Errorf("a PKCS#7 of type %v, which carries no certificates: want signed data (a .p7b file)", contentType)
	}
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
	var hasCerts bool
	if !info.ReadASN1(&content, explicit) || !content.ReadASN1(&content, cbasn1.SEQUENCE) ||
		!content.ReadASN1(&ignored, cbasn1.INTEGER) || // version
		!content.ReadASN1(&ignored, cbasn1.SET) || // digest algorithms
		!content.ReadASN1(&ignored, cbasn1.SEQUENCE) || // the signed content
		!content.ReadOptionalASN1(&certs, &hasCerts, explicit) {
		return errors.New("damaged PKCS#7")
	}
	for number := 1; len(certs) > 0; number++ {
		var cert cryptobyte.String
		var tag cbasn1.Tag
		if !certs.ReadAnyASN1Element(&cert, &tag) {
			return fmt.Errorf("certificate %d in the PKCS#7 is damaged", number)
		}
		if tag != cbasn1.SEQUENCE {
			return fmt.Errorf("certificate %d in the PKCS#7 is no X.509 certificate", number)
		}
		if err := s.addCertificate(cert); err != nil {
			return fmt.Errorf("certificate %d in the PKCS#7: %w", number, err)
		}
	}
	return nil
}
