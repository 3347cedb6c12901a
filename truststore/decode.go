package truststore

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/notcerts"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Decode reads certificates in any of the formats, which it recognises by their content.
// It is strict: one certificate that cannot be read, a private key, or no certificate at
// all is an error that says where, and nothing is returned. See [KeepGoing], and [ErrPassword]
// for files with a password.
func Decode(data []byte, opts ...Option) (*Store, error) {
	s, err := decode(data, newOptions(opts))
	return s, ours(err)
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

// maxPlace bounds how much of a path an error has: whoever may put a file into a
// folder chooses its name.
const maxPlace = 4096

// decoder gathers certificates.
type decoder struct {
	options
	certs *Store
	bad   skipped
	crl   bool // there was a CRL, in PEM

	passed error // of parameters for keys, in PEM
}

var (
	errNoCertificate = errors.New("there is no certificate in it")
	errOnlyCRLs      = errors.New("there is no certificate in it, only a certificate revocation list (CRL)")
	errKeyInside     = notcerts.KeyError("there is a private key in it: give a file with certificates only")
)

// add adds what an entry holds: a certificate, or else it is an error.
func (d *decoder) add(f Format, e entry.Entry) error {
	switch {
	case e.Kind == entry.CRL:
		d.crl = true
		return nil
	case e.Kind == entry.Other && strings.HasSuffix(e.Label, "PARAMETERS"): // beside certificates
		d.passed = e.Within(e.Err)
		return nil
	case e.Err != nil:
		if e.Kind == entry.Trusted { // how far cannot be read
			d.reject(e.DER)
		}
		return e.Within(e.Err)
	case e.Kind == entry.PrivateKey && (f == PKCS12 || f == JKS):
		return e.Within(errKeyInside)
	case e.Kind == entry.PrivateKey:
		return e.Within(notcerts.ErrPrivateKey)
	case e.Kind == entry.Restricted:
		d.reject(e.DER)
		return e.Within(fmt.Errorf("it marks the certificate as %s: leave it out", e.Restriction))
	}
	// crypto/x509 keeps the bytes, which belong to the caller or are part of
	// something larger.
	cert, err := x509.ParseCertificate(bytes.Clone(e.DER))
	if err != nil {
		err = safetext.Error(err)
		if o, wrong := readOutline(e.DER); wrong == nil && o.unknownKey {
			err = fmt.Errorf("%w: its key is %s", err, o.Key)
		}
		return e.Within(err)
	}
	d.certs.Add(cert)
	return nil
}

// reject has end leave out a certificate, wherever it is.
func (d *decoder) reject(der []byte) {
	if d.keepGoing {
		d.rejected[sha256.Sum256(der)] = true
	}
}

// result is what there is at the end of the data.
func (d *decoder) result() (*Store, error) {
	if d.certs.Len() == 0 && len(d.bad.errs) == 0 {
		err := errNoCertificate
		switch {
		case d.crl:
			err = errOnlyCRLs
		case d.passed != nil:
			err = d.passed
		}
		if err := d.skip(err); err != nil {
			return nil, err
		}
	}
	return d.end()
}

// end returns what was gathered.
func (d *decoder) end() (*Store, error) {
	if len(d.rejected) > 0 {
		d.certs = d.certs.Filter(func(c *x509.Certificate) bool { return !d.rejected[sha256.Sum256(c.Raw)] })
	}
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

// ProblemAdvice is that of [failure], for each error on a line of its own.
func (s *skipped) ProblemAdvice() (problem, advice string) {
	var lines []string
	for _, err := range s.errs {
		if f, ok := err.(*failure); ok {
			err = f.err
		}
		lines = append(lines, err.Error())
	}
	if s.more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more errors", s.more))
	}
	return strings.Join(lines, "\n"), ""
}

func (s *skipped) Unwrap() []error { return s.errs }

// failure is an error as this package returns it.
type failure struct{ err error }

func (f *failure) Error() string { return "truststore: " + f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// ProblemAdvice returns what is wrong without the name of this package, for users of a
// program.
func (f *failure) ProblemAdvice() (problem, advice string) { return f.err.Error(), "" }

// ours is an error, or each of several, as this package returns it.
func ours(err error) error {
	return each(err, func(err error) error { return &failure{err} })
}

// within puts before an error, or before each of several, where it happened.
func within(place string, err error) error {
	place = safetext.Printable(place, maxPlace)
	return each(err, func(err error) error { return fmt.Errorf("%s: %w", place, err) })
}

// each changes an error, or each of several.
func each(err error, as func(error) error) error {
	if err == nil {
		return nil
	}
	s, ok := err.(*skipped)
	if !ok {
		return as(err)
	}
	all := &skipped{more: s.more}
	for _, err := range s.errs {
		all.errs = append(all.errs, as(err))
	}
	return all
}

// tooLarge is the error for more bytes than WithLimit allows.
type tooLarge int64

func (limit tooLarge) Error() string {
	return fmt.Sprintf("there are more than %d bytes, which is the limit: put the certificates into a file of their own", int64(limit))
}
