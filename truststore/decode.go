package truststore

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/other"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

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
	return gather(entriesIn(data, o), o)
}

// gather makes a Store of what a file holds.
func gather(entries entries, o options) (*Store, error) {
	d := decoder{options: o, certs: new(Store)}
	for format, e := range entries {
		if err := d.skip(d.add(format, e)); err != nil {
			return nil, err
		}
	}
	return d.result()
}

// maxPlace bounds what an error says of a path: whoever may put a file into a
// folder chooses its name.
const maxPlace = 4096

// decoder gathers certificates.
type decoder struct {
	options
	certs *Store
	bad   skipped
	crl   bool // there was a CRL, in PEM
}

var (
	errNoCertificate = errors.New("there is no certificate in it")
	errOnlyCRLs      = errors.New("there is no certificate in it, only a certificate revocation list (CRL)")
	errKeyInside     = errors.New("there is a private key in it, and certificates are wanted: give a file with certificates only, or read the key with DecodeKey")
)

// add adds what an entry holds: a certificate, or else it is an error.
func (d *decoder) add(f Format, e entry.Entry) error {
	switch {
	case e.Kind == entry.CRL:
		d.crl = true
		return nil
	case e.Err != nil:
		return e.Within(e.Err)
	case e.Kind == entry.PrivateKey && (f == PKCS12 || f == JKS):
		return e.Within(errKeyInside)
	case e.Kind == entry.PrivateKey:
		return e.Within(other.ErrPrivateKey)
	case e.Kind == entry.Restricted:
		return e.Within(fmt.Errorf("it marks the certificate as %s: leave it out", e.Restriction))
	case e.Cert != nil:
		d.certs.Add(e.Cert)
		return nil
	}
	// crypto/x509 keeps the bytes, which belong to the caller or are part of
	// something larger.
	cert, err := x509.ParseCertificate(bytes.Clone(e.DER))
	if err != nil {
		return e.Within(safetext.Error(err))
	}
	d.certs.Add(cert)
	return nil
}

// result is what there is at the end of the data.
func (d *decoder) result() (*Store, error) {
	if d.certs.Len() == 0 && len(d.bad.errs) == 0 {
		err := errNoCertificate
		if d.crl {
			err = errOnlyCRLs
		}
		if err := d.skip(err); err != nil {
			return nil, err
		}
	}
	return d.end()
}

// end returns what was gathered.
func (d *decoder) end() (*Store, error) {
	switch {
	case len(d.bad.errs) == 0:
		return d.certs, nil
	case d.certs.Len() == 0:
		return nil, &d.bad
	}
	return d.certs, &d.bad
}

// skip is called for what is wrong with one certificate among others. It returns
// the error, which ends the reading, or nil where KeepGoing says so.
func (d *decoder) skip(err error) error {
	if err == nil || !d.keepGoing {
		return err
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
	place = safetext.Printable(place, maxPlace)
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

// tooLarge is the error for more bytes than WithLimit allows.
type tooLarge int64

func (limit tooLarge) Error() string {
	return fmt.Sprintf("there are more than %d bytes: raise the limit with WithLimit if that is right", int64(limit))
}
