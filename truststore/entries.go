package truststore

import (
	"encoding/xml"
	"errors"
	"iter"
)

// Entry is what lies at one place of a file: a certificate, a private key, or
// something that cannot be read.
type Entry struct {
	Format Format // of the file
	Kind   EntryKind

	// Number counts, from one, what the format has: the blocks of PEM, the entries
	// of a key store, the certificates of a document. It is zero where Err is about
	// the whole file.
	Number int

	// Line is where a block of PEM begins, from one, else zero.
	Line int

	// Alias is the name in a key store, where it has one: whatever somebody chose,
	// in any characters. In a JKS it may not be UTF-8.
	Alias string

	// Position counts, from one, the certificates that a JKS holds beside a private
	// key, the key's own first, or those in one PKCS#7 block of PEM; else zero.
	Position int

	// Elements are those of an XML document in which the certificate stands, the
	// document's own first, X509Certificate not among them. Declarations of name
	// spaces are left out of their attributes, and so is what follows the first 16.
	Elements []xml.StartElement

	// Restriction says what a RestrictedCertificate is trusted or rejected for, in
	// words; else it is empty.
	Restriction string

	// DER is the certificate: its bytes, not parsed, so that they may be none. It must
	// not be modified, because it may be a part of what was read. In PEM and XML it is
	// not, where Position is zero. Private keys have none.
	DER []byte

	// Err says what is wrong here, and nothing else is known then but the place, and
	// in PEM the Kind that the block says it is of.
	Err error
}

// EntryKind is what an Entry is. The zero value is for entries with an error, where
// it is not known, and where a text only seems to explain PEM with an example.
type EntryKind uint8

const (
	// PlainCertificate is a certificate of which the file does not say more.
	PlainCertificate EntryKind = iota + 1

	// TrustedCertificate is one that the file marks as trusted: a trusted entry of a
	// JKS, or of a PKCS#12 by Java's attribute, or a TRUSTED CERTIFICATE of OpenSSL.
	TrustedCertificate

	// KeyCertificate is one that the file keeps with a private key: the key's own,
	// or in a JKS one of those above it.
	KeyCertificate

	// RestrictedCertificate is one that the file trusts, but for none of serverAuth,
	// clientAuth and anyExtendedKeyUsage, or rejects for any use: a TRUSTED
	// CERTIFICATE of OpenSSL, or one with Java's attribute in a PKCS#12. Decode and
	// Open refuse it, because a Store could not keep the restriction.
	RestrictedCertificate

	// PrivateKey is a private key, which is not read.
	PrivateKey
)

// Entries lists what a file holds, in its order, for programs that report on
// files: which certificates, where, with what the file says about each, and what
// is wrong between them. Unlike Decode it goes on after what cannot be read, does
// not parse certificates, repeats what is repeated, and has nothing against private
// keys, nor against blocks of PEM with something else. It finds PEM in other
// text too: on one line, or on lines with the quotes, escapes and comment marks
// of programs and settings around them.
//
// Who wants to trust what is in a file uses Decode.
//
// What is wrong with the file as a whole is an Entry without a Number.
func Entries(data []byte, opts ...Option) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		d := decoder{options: newOptions(opts), certs: new(Store)}
		d.keepGoing = true
		d.visit = func(e Entry) error {
			if e.Err != nil {
				if e.DER = nil; e.Format != PEM {
					e.Kind = 0
				}
				e.Err = within("truststore", e.Err)
			}
			if !yield(e) {
				return errStopped
			}
			return nil
		}
		if err := d.decode(data); err != nil && !errors.Is(err, errStopped) {
			d.entry = Entry{Format: d.entry.Format}
			_ = d.skip(err) // it is the last one
		}
	}
}

// errStopped ends a reading that nobody listens to any more.
var errStopped = errors.New("stopped")

// found is called for a certificate, when entries are listed.
func (d *decoder) found(der []byte) error {
	e := d.entry
	e.DER = der
	if e.Kind == 0 {
		e.Kind = PlainCertificate
	}
	return d.visit(e)
}

// maxXMLAttributes is how many attributes of an element an Entry has.
const maxXMLAttributes = 16

// forEntry returns the element without what belongs to XML itself.
func forEntry(e xml.StartElement) xml.StartElement {
	kept := make([]xml.Attr, 0, min(len(e.Attr), maxXMLAttributes))
	for _, a := range e.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && len(kept) < maxXMLAttributes {
			kept = append(kept, a)
		}
	}
	return xml.StartElement{Name: e.Name, Attr: kept}
}

// ErrPassword and ErrNoPassword are found by [errors.Is] in the errors for files
// that cannot be read without their password. Where none was given, both are
// found; where one was given that does not fit, only ErrPassword is.
var (
	ErrPassword   = errors.New("truststore: the password does not fit or is missing")
	ErrNoPassword = errors.New("truststore: the password is missing")
)

// passwordError is errWrongPassword or errNoPassword.
type passwordError string

func (e passwordError) Error() string { return string(e) }

func (e passwordError) Is(target error) bool {
	return target == ErrPassword || target == ErrNoPassword && e == errNoPassword
}
