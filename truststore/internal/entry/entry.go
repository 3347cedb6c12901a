// Package entry is what the packages of the formats have in common: each has a function
// Entries that takes data and Options, and yields an Entry for whatever it finds, in the
// order of the file.
package entry

import (
	"crypto"
	"encoding/xml"
	"errors"
	"fmt"
	"iter"

	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
)

// Kind is what an Entry is. Unknown is for entries with an error.
type Kind uint8

// Those up to PrivateKey are those of truststore.EntryKind.
const (
	Unknown Kind = iota
	Plain
	Trusted
	OfKey
	Restricted
	PrivateKey
	CRL   // which is skipped
	Other // neither a certificate nor a key; Err says what
)

// Entry is what truststore.Entry is, with what else Decode and DecodeKey want.
type Entry struct {
	Kind        Kind
	Number      int // zero where Err is about the whole file
	Line        int
	Position    int
	Alias       string
	Elements    []xml.StartElement
	Restriction string
	DER         []byte

	// Key reads the private key.
	Key func() (crypto.Signer, error)

	// Err says what is wrong here, or of an Other what it is.
	Err error

	// Place says where the entry is, for an error about it, if Err does not.
	Place  func(Entry) string
	Offset int    // in bytes
	Label  string // of a block of PEM
}

// Within is an error about the entry, with its place.
func (e Entry) Within(err error) error {
	if e.Place == nil {
		return err
	}
	return fmt.Errorf("%s: %w", e.Place(e), err)
}

// Options are those of reading.
type Options struct {
	Password string

	// KeyPassword is that of a key in a JKS, if it has one of its own.
	KeyPassword string
	Work        *pbe.Work // of all that is read with these options
}

// Only is a sequence of one error about a whole file.
func Only(err error) iter.Seq[Entry] {
	return func(yield func(Entry) bool) { yield(Entry{Err: err}) }
}

// MaxCertificate bounds one certificate, since crypto/x509 makes many small values of a
// large one. TLS carries no more than 256 KiB for a whole chain.
const MaxCertificate = 1 << 20

// ErrLarge is the error for a larger one.
var ErrLarge = fmt.Errorf("a certificate of more than %d bytes", MaxCertificate)

// ErrNoLength is the error for a certificate of indefinite length.
var ErrNoLength = errors.New("it is not DER: no length")
