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
// content (see Detect):
//
//   - PEM: CERTIFICATE, TRUSTED CERTIFICATE and PKCS7 blocks. Text between them
//     and CRLs are passed over. See RestrictedCertificate for what a TRUSTED
//     CERTIFICATE or a PKCS12 may say of a certificate that is then refused.
//   - DER: one certificate, or several one after the other; also as base64
//     without BEGIN and END lines.
//   - PKCS7: the certificates in it. The signatures are not looked at: who
//     delivered a file is no matter of its form.
//   - PKCS12: trust stores of Java and all others that hold certificates, with
//     the encryption of today (AES, PBMAC1) and of old (RC2, triple DES).
//   - JKS: trusted certificate entries. JCEKS is not read.
//   - XML: all ds:X509Certificate elements, wherever they stand. A document
//     with a DTD, or in another encoding than UTF-8, is refused.
//
// With WithPassword, the password must be that of a PKCS12 or JKS (see ErrPassword),
// and a PKCS12 that has none is refused; other formats have none and are read all the
// same, so that a folder can hold both. Without it, a file that is not encrypted is read,
// and its integrity is not checked, as keytool does it: a JKS is never encrypted,
// a PKCS12 nearly always.
//
// Decode is strict: if one certificate among many cannot be read, the error says
// which, and nothing is returned. So are private keys, anything else that is no
// certificate, and data without any certificate an error. See KeepGoing.
func Decode(data []byte, opts ...Option) (*Store, error) {
	s, err := decode(data, newOptions(opts))
	return s, within("truststore", err)
}

// decode returns both a Store and an error where KeepGoing says so.
func decode(data []byte, o options) (*Store, error) {
	d := decoder{options: o, certs: new(Store)}
	return d.result(d.decode(data))
}

// maxPlace bounds what an error says of a path: whoever may put a file into a
// folder chooses its name.
const maxPlace = 4096

// decoder gathers what is read.
type decoder struct {
	options
	certs *Store
	bad   skipped
	crl   bool // there was a CRL, in PEM

	visit func(Entry) error // see Entries; nil where certificates are gathered
	entry Entry             // the place that is being read, for visit
}

func (d *decoder) decode(data []byte) error {
	if int64(len(data)) > d.limit {
		return errTooLarge(d.limit)
	}
	k, data, err := sniff(data)
	if err != nil {
		return err
	}
	d.entry.Format = k.format()
	switch {
	case k == kindPEM:
		return d.addPEM(data)
	case k == kindDER:
		return d.addDER(data)
	case k == kindPKCS7:
		return d.addPKCS7(data)
	case k == kindPKCS12:
		return d.addPKCS12(data)
	case k == kindJKS:
		return d.addJKS(data)
	case k == kindXML:
		return d.addXML(data)
	}
	if d.visit != nil {
		return d.visit(Entry{Kind: PrivateKey, Number: 1})
	}
	return errPrivateKey
}

var (
	errNoCertificate = errors.New("there is no certificate in it")
	errOnlyCRLs      = errors.New("there is no certificate in it, only a certificate revocation list (CRL)")
)

// result is what decode returns after an error that ended the reading, or nil.
func (d *decoder) result(err error) (*Store, error) {
	if err == nil && len(d.bad.errs) == 0 && d.certs.Len() == 0 {
		if err = errNoCertificate; d.crl {
			err = errOnlyCRLs
		}
	}
	if err != nil && !d.keepGoing {
		return nil, err
	}
	if err != nil {
		d.bad.add(err)
	}
	if len(d.bad.errs) == 0 {
		return d.certs, nil
	}
	if d.certs.Len() == 0 {
		return nil, &d.bad
	}
	return d.certs, &d.bad
}

// skip is called for what is wrong with one certificate among others. It returns
// the error, which ends the reading, or nil where KeepGoing says so.
func (d *decoder) skip(err error) error {
	if !d.keepGoing {
		return err
	}
	if d.visit != nil {
		if errors.Is(err, errStopped) {
			return err
		}
		e := d.entry
		e.Err = err
		return d.visit(e)
	}
	d.bad.add(err)
	return nil
}

// skipped are the errors of a reading that went on.
type skipped struct {
	errs []error
	more int
}

// maxSkipped bounds what is kept: a hostile file can have a million errors.
const maxSkipped = 100

func (s *skipped) add(err error) {
	if more, ok := err.(*skipped); ok {
		for _, err := range more.errs {
			s.add(err)
		}
		s.more += more.more
		return
	}
	if len(s.errs) == maxSkipped {
		s.more++
		return
	}
	s.errs = append(s.errs, err)
}

func (s *skipped) Error() string {
	text := errors.Join(s.errs...).Error()
	if s.more > 0 {
		text += fmt.Sprintf("\ntruststore: and %d more errors", s.more)
	}
	return text
}

func (s *skipped) Unwrap() []error { return s.errs }

// within puts before an error, or before each of several, where it happened.
func within(place string, err error) error {
	if err == nil {
		return nil
	}
	place = printable(place, maxPlace)
	s, ok := err.(*skipped)
	if !ok {
		return fmt.Errorf("%s: %w", place, err)
	}
	all := &skipped{more: s.more}
	for _, err := range s.errs {
		all.errs = append(all.errs, fmt.Errorf("%s: %w", place, err))
	}
	return all
}

func errTooLarge(limit int64) error {
	return fmt.Errorf("there are more than %d bytes: raise the limit with WithLimit if that is right", limit)
}

// addCertificate parses one certificate. It copies the bytes, because crypto/x509
// keeps them, and they belong to the caller or are part of something larger.
func (d *decoder) addCertificate(der []byte) error {
	if len(der) > maxCertificate {
		return errLargeCertificate
	}
	if d.visit != nil {
		return d.found(der)
	}
	cert, err := x509.ParseCertificate(bytes.Clone(der))
	if err != nil {
		return brief(err)
	}
	d.certs.Add(cert)
	return nil
}

var errLargeCertificate = fmt.Errorf("a certificate of more than %d bytes", maxCertificate)

// addDER reads certificates that follow one another, with nothing after the last
// one but white space.
func (d *decoder) addDER(data []byte) error {
	for number, at := 1, 0; ; number++ {
		d.entry.Number = number
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
		if err != nil { // where the next one begins is not known
			return fmt.Errorf("certificate %d (byte %d): %w", number, at, err)
		}
		if err := d.addCertificate(data[at : at+h.size+h.length]); err != nil {
			if err := d.skip(fmt.Errorf("certificate %d (byte %d): %w", number, at, err)); err != nil {
				return err
			}
		}
		at += h.size + h.length
	}
}

func (d *decoder) addPEM(text []byte) error {
	r := pemReader{text: text, pure: bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), pemBegin)}
	next := r.next
	if d.visit != nil {
		next = r.nextInText
	}
	for {
		block, err := next()
		if err == nil && block == nil {
			return nil
		}
		d.entry = Entry{Format: d.entry.Format, Number: max(r.count, 1), Line: r.line, Kind: r.lost}
		if err == nil {
			d.entry.Line, d.entry.Kind = block.line, r.claim(block.kind, block.body)
			if err = d.addBlock(block); err == nil {
				continue
			}
			err = within(block.String(), err)
		}
		if err := d.skip(err); err != nil {
			return err
		}
	}
}

func (d *decoder) addBlock(block *pemBlock) error {
	switch {
	case isCertificateBlock(block.kind):
	case block.kind == "X509 CRL":
		d.crl = true
		return nil
	default:
		if d.visit != nil {
			if isKeyBlock(block.kind) {
				return d.visit(d.entry)
			}
			return nil
		}
		return otherBlock(block.kind)
	}
	der, err := block.der()
	if err != nil {
		return err
	}
	switch block.kind {
	case "CERTIFICATE", "X509 CERTIFICATE":
		return d.addCertificate(der)
	case "TRUSTED CERTIFICATE":
		// OpenSSL appends to the certificate what it is trusted for.
		h, err := readASN1Header(der)
		if err != nil {
			return err
		}
		if h.length == indefinite {
			return errors.New("it is not DER: no length")
		}
		p, err := readCertAux(der[h.size+h.length:])
		if err != nil {
			return err
		}
		d.entry.Kind = TrustedCertificate
		return d.addWithPurposes(der[:h.size+h.length], p)
	}
	inside := decoder{options: d.options, certs: d.certs, visit: d.visit, entry: d.entry}
	if err := inside.addPKCS7(der); err != nil || len(inside.bad.errs) == 0 {
		return err
	}
	return &inside.bad
}

func isCertificateBlock(kind string) bool {
	switch kind {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS":
		return true
	}
	return false
}

func isKeyBlock(kind string) bool { return strings.HasSuffix(kind, "PRIVATE KEY") }
