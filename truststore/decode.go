package truststore

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// maxCertificate bounds one certificate, since crypto/x509 makes many small
// values of a large one. TLS carries no more than 256 KiB for a whole chain.
const maxCertificate = 1 << 20

// Decode reads certificates in any of the formats that it can tell from their
// content (see Detect): PEM, DER, base64 without armour, and PKCS#7. In PEM it
// reads CERTIFICATE, TRUSTED CERTIFICATE and PKCS7 blocks and passes over text
// between them and over CRLs.
//
// Decode is strict: if one certificate among many cannot be read, the error says
// which, and nothing is returned. So are private keys, anything else that is no
// certificate, and data without any certificate an error. The signatures in
// PKCS#7 are not looked at: who delivered a file is no matter of its form.
//
// PKCS#12, JKS and XML are recognised, but not yet read.
func Decode(data []byte, opts ...Option) (*Store, error) {
	s, err := decode(data, newOptions(opts))
	if err != nil {
		return nil, fmt.Errorf("truststore: %w", err)
	}
	return s, nil
}

func decode(data []byte, o options) (*Store, error) {
	if int64(len(data)) > o.limit {
		return nil, errTooLarge(o.limit)
	}
	k, data, err := sniff(data)
	if err != nil {
		return nil, err
	}
	s := new(Store)
	switch {
	case k == kindPEM:
		err = s.addPEM(data)
	case k == kindDER:
		err = s.addDER(data)
	case k == kindPKCS7:
		err = s.addPKCS7(data)
	case k.isKey():
		err = errPrivateKey
	default:
		err = fmt.Errorf("%v is not yet read: convert the certificates to PEM", k.format())
	}
	if err != nil {
		return nil, err
	}
	if s.Len() == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return s, nil
}

func errTooLarge(limit int64) error {
	return fmt.Errorf("there are more than %d bytes: raise the limit with WithLimit if that is right", limit)
}

// addCertificate parses one certificate. It copies the bytes, because crypto/x509
// keeps them, and they belong to the caller or are part of something larger.
func (s *Store) addCertificate(der []byte) error {
	if len(der) > maxCertificate {
		return fmt.Errorf("a certificate of more than %d bytes", maxCertificate)
	}
	cert, err := x509.ParseCertificate(bytes.Clone(der))
	if err != nil {
		return err
	}
	s.Add(cert)
	return nil
}

// addDER reads certificates that follow one another, with nothing after the last
// one but white space.
func (s *Store) addDER(data []byte) error {
	for number, at := 1, 0; ; number++ {
		if rest := bytes.TrimLeft(data[at:], "\r\n\t "); len(rest) == 0 {
			return nil
		}
		h, err := readASN1Header(data[at:])
		if err == nil && h.length == indefinite {
			err = errors.New("it is not DER: no length")
		}
		if err == nil && h.tag != tagSequence {
			err = errors.New("this is no certificate")
		}
		if err == nil {
			err = s.addCertificate(data[at : at+h.size+h.length])
		}
		if err != nil {
			return fmt.Errorf("certificate %d (byte %d): %w", number, at, err)
		}
		at += h.size + h.length
	}
}

func (s *Store) addPEM(text []byte) error {
	r := pemReader{text: text}
	for {
		block, err := r.next()
		if err != nil {
			return err
		}
		if block == nil {
			return nil
		}
		if err := s.addBlock(block); err != nil {
			return fmt.Errorf("%v: %w", block, err)
		}
	}
}

func (s *Store) addBlock(block *pemBlock) error {
	switch block.kind {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS":
	case "X509 CRL":
		return nil
	default:
		if isKeyBlock(block.kind) {
			return errPrivateKey
		}
		return errors.New("this is no certificate")
	}
	der, err := block.der()
	if err != nil {
		return err
	}
	switch block.kind {
	case "CERTIFICATE", "X509 CERTIFICATE":
		return s.addCertificate(der)
	case "TRUSTED CERTIFICATE":
		// OpenSSL appends to the certificate what it is trusted for.
		h, err := readASN1Header(der)
		if err != nil {
			return err
		}
		if h.length == indefinite {
			return errors.New("it is not DER: no length")
		}
		return s.addCertificate(der[:h.size+h.length])
	}
	return s.addPKCS7(der)
}

func isKeyBlock(kind string) bool { return strings.HasSuffix(kind, "PRIVATE KEY") }
