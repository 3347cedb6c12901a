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

// List is a certificate revocation list that [Parse] read. It is safe for concurrent
// use: do not change its fields, nor what its methods return. The zero value is an empty
// list that covers no certificate and that no CA signed.
type List struct {
	Issuer             pkix.Name
	RawIssuer          []byte    // its DER
	ThisUpdate         time.Time // when the list was made
	NextUpdate         time.Time // when the next list is due at the latest, not before ThisUpdate
	Number             *big.Int  // grows from list to list, or nil (RFC 5280 section 5.2.3)
	AuthorityKeyID     []byte    // of the key that signed the list, or nil
	SignatureAlgorithm x509.SignatureAlgorithm

	scope         scope
	pointsToDelta bool // it has the extension freshestCRL, RFC 5280 section 5.2.6

	signature []byte
	signed    []byte // the hash of what was signed; all of it if the algorithm is Ed25519

	entries
}

// Entry is what a list says about a certificate.
type Entry struct {
	// RevokedAt is when the CA revoked it, which may be after the date of the list.
	RevokedAt time.Time

	// InvalidityDate is since when the CA considers the certificate invalid, zero if the
	// list does not say (RFC 5280 section 5.3.2).
	InvalidityDate time.Time

	Reason Reason
}

// Len returns the number of certificates on the list.
func (l *List) Len() int {
	n := 0
	for i := range l.tables {
		n += l.tables[i].Len()
	}
	return n
}

// Lookup returns what the list says about a serial number of its issuer, and whether it is
// there. Of several entries the earliest counts, RemoveFromCRL last. It does not allocate.
func (l *List) Lookup(serial *big.Int) (Entry, bool) {
	if serial == nil {
		return Entry{}, false
	}
	var usual [24]byte
	buf := usual[:]
	if serial.BitLen() > 8*(len(usual)-1) {
		buf = make([]byte, maxSerial+1) // a power of two may seem to need one more
	}
	content, ok := integerContent(buf, serial)
	if !ok {
		return Entry{}, false // Parse took no number of that size
	}
	row := l.find(content)
	if row == nil {
		return Entry{}, false
	}
	return l.entry(row[len(content):]), true
}

// All yields the serial numbers on the list with their entries, shorter numbers
// first.
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

// Check reports whether a certificate was revoked at the given time: a *[RevokedError] if it
// is on the list with a date that is not after that and a reason other than RemoveFromCRL. A
// zero time means now. Ask [List.CheckSignatureFrom], [List.Covers] and NextUpdate too. That
// an expired certificate is not on a list proves nothing (RFC 5280 section 3.3).
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
		Issuer: l.Issuer, Number: l.Number, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate,
	}
}

var errNoCertificate = errors.New("crl: no certificate to check, or one that was never parsed")
