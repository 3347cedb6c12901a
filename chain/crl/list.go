package crl

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"iter"
	"math/big"
	"slices"
	"time"
)

// List is a certificate revocation list that [Parse] read. It does not change and
// is safe for concurrent use. What its methods return may be shared with it: do
// not change that either.
//
// The zero value is an empty list that covers no certificate and that no CA signed.
type List struct {
	issuer                 pkix.Name
	rawIssuer              []byte
	thisUpdate, nextUpdate time.Time
	number                 *big.Int
	authorityKeyID         []byte
	scope                  scope

	algorithm x509.SignatureAlgorithm
	signature []byte
	signed    []byte // the hash of what was signed; all of it if the algorithm is Ed25519

	entries
}

// Entry is what a list says of a certificate.
type Entry struct {
	// RevokedAt is when the CA revoked the certificate. It may lie after the
	// list's own date.
	RevokedAt time.Time

	// InvalidityDate is since when the CA takes the certificate for bad, which is
	// often before it was told; zero if the list does not say. RFC 5280 section
	// 5.3.2.
	InvalidityDate time.Time

	Reason Reason
}

// Issuer returns the name of the CA that published the list.
func (l *List) Issuer() pkix.Name { return l.issuer }

// RawIssuer returns the DER of that name.
func (l *List) RawIssuer() []byte { return l.rawIssuer }

// ThisUpdate returns when the list was made.
func (l *List) ThisUpdate() time.Time { return l.thisUpdate }

// NextUpdate returns when its successor is due at the latest. It is never before
// ThisUpdate.
func (l *List) NextUpdate() time.Time { return l.nextUpdate }

// Number returns the CRL number, which grows from list to list, or nil if there is
// none. RFC 5280 section 5.2.3.
func (l *List) Number() *big.Int { return l.number }

// AuthorityKeyID returns the identifier of the key that signed the list, or nil
// if the list does not tell.
func (l *List) AuthorityKeyID() []byte { return l.authorityKeyID }

// SignatureAlgorithm returns how the list was signed;
// x509.UnknownSignatureAlgorithm if crypto/x509 does not know it.
func (l *List) SignatureAlgorithm() x509.SignatureAlgorithm { return l.algorithm }

// Len returns the number of certificates on the list. One that is on it twice
// counts once.
func (l *List) Len() int {
	n := 0
	for i := range l.tables {
		n += l.tables[i].Len()
	}
	return n
}

// Lookup returns what the list says of a serial number of its issuer's, and
// whether it says anything. It does not allocate.
//
// If a number is on the list more than once, the entry with the earliest date
// counts, and any other before RemoveFromCRL. [List.Check] is the one to ask
// whether a certificate is revoked.
func (l *List) Lookup(serial *big.Int) (Entry, bool) {
	if serial == nil {
		return Entry{}, false
	}
	var buf [maxSerial + 1]byte // a power of two may seem to need one more
	content, ok := integerContent(buf[:], serial)
	if !ok {
		return Entry{}, false // Parse took no number of that size
	}
	row := l.find(content)
	if row == nil {
		return Entry{}, false
	}
	return l.entry(row[len(content):]), true
}

// All yields the serial numbers on the list and what it says of each, shorter
// numbers before longer ones.
func (l *List) All() iter.Seq2[*big.Int, Entry] {
	return func(yield func(*big.Int, Entry) bool) {
		for i := range l.tables {
			t := &l.tables[i]
			for row := range slices.Chunk(t.rows, t.width) {
				if !yield(integerOf(row[:t.length]), l.entry(row[t.length:])) {
					return
				}
			}
		}
	}
}

// Check tells whether a certificate was revoked at a time: a *[RevokedError] if
// its number is on the list with a date that is not after that time, nil if it is
// not on it or was revoked later. A zero time means now. A certificate that was
// valid then and was revoked since is found by [List.Lookup]; the invalidity date,
// which may lie before the time, decides nothing.
//
// An entry with the reason RemoveFromCRL says that the certificate is not revoked
// any more (RFC 5280 section 6.3.3 (k)).
//
// Check asks neither whether the list is genuine ([List.CheckSignatureFrom]) nor
// whether it speaks about the certificate ([List.Covers]) nor whether it is
// current. A list that has its say on a certificate passes all three. Of a
// certificate that had expired when the list was made it says nothing by silence:
// CAs leave those out, revoked or not (RFC 5280 section 3.3).
func (l *List) Check(cert *x509.Certificate, at time.Time) error {
	if cert == nil || cert.SerialNumber == nil {
		return errNoCertificate
	}
	if at.IsZero() {
		at = time.Now()
	}
	e, ok := l.Lookup(cert.SerialNumber)
	if !ok || e.Reason == RemoveFromCRL || e.RevokedAt.After(at) {
		return nil
	}
	return &RevokedError{
		Serial: cert.SerialNumber, Entry: e, At: at,
		Issuer: l.issuer, Number: l.number, ThisUpdate: l.thisUpdate, NextUpdate: l.nextUpdate,
	}
}

var errNoCertificate = errors.New("crl: no certificate to check, or one that was never parsed")
