package truststore

import (
	"encoding/xml"
	"iter"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
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
	PlainCertificate = EntryKind(entry.Plain)

	// TrustedCertificate is one that the file marks as trusted: a trusted entry of a
	// JKS, or of a PKCS#12 by Java's attribute, or a TRUSTED CERTIFICATE of OpenSSL.
	TrustedCertificate = EntryKind(entry.Trusted)

	// KeyCertificate is one that the file keeps with a private key: the key's own,
	// or in a JKS one of those above it.
	KeyCertificate = EntryKind(entry.OfKey)

	// RestrictedCertificate is one that the file trusts, but for none of serverAuth,
	// clientAuth and anyExtendedKeyUsage, or rejects for any use: a TRUSTED
	// CERTIFICATE of OpenSSL, or one with Java's attribute in a PKCS#12. Decode and
	// Open refuse it, because a Store could not keep the restriction.
	RestrictedCertificate = EntryKind(entry.Restricted)

	// PrivateKey is a private key, which is not read.
	PrivateKey = EntryKind(entry.PrivateKey)
)

// Entries lists what a file holds, in its order, for programs that report on
// files: which certificates, where, with what the file says about each, and what
// is wrong between them. Unlike Decode it goes on after what cannot be read, does
// not parse certificates, repeats what is repeated, and has nothing against private
// keys, nor against blocks of PEM with something else.
//
// Who wants to trust what is in a file uses Decode.
//
// What is wrong with the file as a whole is an Entry without a Number.
func Entries(data []byte, opts ...Option) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for format, e := range entriesIn(data, newOptions(opts)) {
			if e.Kind == entry.CRL || e.Kind == entry.Other {
				continue
			}
			out := Entry{
				Format: format, Kind: EntryKind(e.Kind), Number: e.Number, Line: e.Line, Position: e.Position,
				Alias: e.Alias, Elements: e.Elements, Restriction: e.Restriction, DER: e.DER,
			}
			if e.Err != nil {
				out.Err = within("truststore", e.Within(e.Err))
				if out.DER, out.Restriction = nil, ""; format != PEM {
					out.Kind = 0
				}
			}
			if !yield(out) {
				return
			}
		}
	}
}

// entries are those of a file, with its format.
type entries = iter.Seq2[Format, entry.Entry]

// entriesIn reads a file, whatever it is.
func entriesIn(data []byte, o options) entries {
	if int64(len(data)) > o.limit {
		return only(0, tooLarge(o.limit))
	}
	f, data, err := sniff(data)
	if err != nil {
		return only(0, err)
	}
	return f.entriesIn(data, o)
}

// only is a sequence of one error about a whole file.
func only(f Format, err error) entries {
	return func(yield func(Format, entry.Entry) bool) { yield(f, entry.Entry{Err: err}) }
}

// entriesIn reads a file of this format.
func (f *form) entriesIn(data []byte, o options) entries {
	return func(yield func(Format, entry.Entry) bool) {
		for e := range f.entries(data, entry.Options{Password: o.password, Work: o.work}) {
			if e.Err == nil && len(e.DER) > entry.MaxCertificate {
				e.Err = entry.ErrLarge
			}
			if !yield(f.format, e) {
				return
			}
		}
	}
}

// ErrPassword and ErrNoPassword are found by [errors.Is] in the errors for files
// that cannot be read without their password. Where none was given, both are
// found; where one was given that does not fit, only ErrPassword is.
var (
	ErrPassword   = pbe.ErrPassword
	ErrNoPassword = pbe.ErrNoPassword
)
