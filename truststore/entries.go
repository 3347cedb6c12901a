package truststore

import (
	"encoding/xml"
	"iter"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/notcerts"
	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
)

// Entry is one place of a file: a certificate, a private key, or what cannot be read.
type Entry struct {
	Format Format // of the file
	Kind   EntryKind

	// Number counts blocks of PEM, entries of a key store or certificates of a document,
	// from one. It is zero where Err is about the whole file.
	Number int

	// Line is where a block of PEM begins, from one, else zero.
	Line int

	// Alias is the name in a key store: any characters; of a JKS perhaps not UTF-8.
	Alias string

	// Position counts, from one, the certificates of one private key in a JKS, its own
	// first, or those in one PKCS#7 or PKCS#12 of PEM; else it is zero.
	Position int

	// Elements are the XML elements around the certificate, the outermost first, with
	// at most 16 attributes each and without declarations of name spaces.
	Elements []xml.StartElement

	// Restriction describes for what a RestrictedCertificate is trusted or rejected.
	Restriction string

	// DER is the certificate, not parsed; nil for a private key. It must not be
	// modified: it may be a part of the input.
	DER []byte

	// Err is what is wrong here. Only the place is known then, and in PEM the Kind that
	// the block says it has.
	Err error
}

// EntryKind is what an Entry is. The zero value is for entries with an error.
type EntryKind uint8

// What the kinds of an Entry are.
const (
	// PlainCertificate is a certificate of which the file does not say more.
	PlainCertificate EntryKind = iota + 1

	// TrustedCertificate is marked as trusted: in a JKS, by Java's attribute in a
	// PKCS#12, or as a TRUSTED CERTIFICATE of OpenSSL.
	TrustedCertificate

	// KeyCertificate belongs to a private key in the file, or in a JKS to its chain.
	KeyCertificate

	// RestrictedCertificate is trusted for other uses than serverAuth, clientAuth and
	// anyExtendedKeyUsage only, or rejected for some use. Decode and Open refuse it,
	// because a Store could not keep the restriction.
	RestrictedCertificate

	// PrivateKey is a private key, which is not read.
	PrivateKey
)

// Entries lists what a file holds, in its order, for programs that report on files. Unlike
// Decode it goes on after an error, does not parse certificates, lists what is repeated and
// private keys, and skips other blocks of PEM. An error of the whole file is an Entry
// without a Number.
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
				out.Err = ours(e.Within(e.Err))
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
		return only("", tooLarge(o.limit))
	}
	f, data, err := sniff(data)
	if err != nil {
		return only("", err)
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
		for e := range f.entries(data, entry.Options{Password: o.password, KeyPassword: o.keyPassword, Work: o.work}) {
			if e.Err == nil && len(e.DER) > entry.MaxCertificate {
				e.Err = entry.ErrLarge
			}
			if !yield(f.format, e) {
				return
			}
		}
	}
}

// ErrPassword is in the errors for a file whose password is wrong or missing, and
// ErrNoPassword in those for a missing one. ErrPrivateKey is in the errors for a private
// key, and for a key store of a kind that is not read.
var (
	ErrPassword   = pbe.ErrPassword
	ErrNoPassword = pbe.ErrNoPassword
	ErrPrivateKey = notcerts.ErrKey
)
