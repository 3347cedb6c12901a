package crl

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"iter"
	"math/big"
	"slices"
	"sort"
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

// entries are the entries of a list, without a pointer in them: a table for each
// length of serial number, in which rows of bytes stand in order. A row is
//
//	the serial number, as in DER
//	when it was revoked
//	the reason, one byte
//	the invalidity date, where any entry of the list has one
//
// Each time is a number of seconds since a base, from 1, in four bytes where that
// is enough for the whole list, else in five; 0 is none.
type entries struct {
	tables    []table // by length
	base      int64   // in seconds since 1970
	timeBytes int
	invalid   bool // rows have an invalidity date
}

// table is a sort.Interface.
type table struct {
	length int // of the serial numbers
	width  int // of the rows
	rows   []byte
}

func (t *table) Len() int           { return len(t.rows) / t.width }
func (t *table) Less(i, j int) bool { return bytes.Compare(t.row(i), t.row(j)) < 0 }

func (t *table) Swap(i, j int) {
	var third [maxSerial + 16]byte
	a, b := t.row(i), t.row(j)
	copy(third[:], a)
	copy(a, b)
	copy(b, third[:t.width])
}

func (t *table) row(i int) []byte { return t.rows[i*t.width:][:t.width] }

func (l *entries) widthOf(length int) int {
	w := length + l.timeBytes + 1
	if l.invalid {
		w += l.timeBytes
	}
	return w
}

// find returns the row of a serial number, or nil.
func (l *entries) find(serial []byte) []byte {
	for i := range l.tables {
		t := &l.tables[i]
		if t.length != len(serial) {
			continue
		}
		if i, found := sort.Find(t.Len(), func(i int) int { return bytes.Compare(serial, t.row(i)[:t.length]) }); found {
			return t.row(i)
		}
	}
	return nil
}

// entry reads a row behind its serial number.
func (l *entries) entry(row []byte) Entry {
	e := Entry{
		RevokedAt: l.time(row),
		Reason:    Reason(row[l.timeBytes]),
	}
	if l.invalid {
		e.InvalidityDate = l.time(row[l.timeBytes+1:])
	}
	return e
}

func (l *entries) time(b []byte) time.Time {
	offset := int64(binary.BigEndian.Uint32(b))
	if l.timeBytes == 5 {
		offset = offset<<8 | int64(b[4])
	}
	if offset == 0 {
		return time.Time{}
	}
	return time.Unix(l.base+offset-1, 0).UTC()
}

func (l *entries) appendTime(row []byte, t moment) []byte {
	var offset int64
	if t.set {
		offset = t.seconds - l.base + 1
	}
	if l.timeBytes == 5 {
		row = append(row, byte(offset>>32))
	}
	return binary.BigEndian.AppendUint32(row, uint32(offset))
}

// appendRow adds an entry at the end of its table.
func (l *entries) appendRow(t *table, e *entry) {
	t.rows = append(t.rows, e.serial...)
	t.rows = l.appendTime(t.rows, e.revoked)
	t.rows = append(t.rows, byte(e.reason))
	if l.invalid {
		t.rows = l.appendTime(t.rows, e.invalid)
	}
}

// order sorts a table and leaves one row for each serial number: the first in
// the order of dates whose reason is not RemoveFromCRL, if there is one.
func (l *entries) order(t *table) {
	width := t.width
	sort.Sort(t)
	kept := 0
	for from := 0; from < len(t.rows); {
		serial := t.rows[from : from+t.length]
		best, next := from, from+width
		for next < len(t.rows) && bytes.Equal(t.rows[next:next+t.length], serial) {
			if l.removes(t, best) && !l.removes(t, next) {
				best = next
			}
			next += width
		}
		copy(t.rows[kept:kept+width], t.rows[best:best+width])
		kept += width
		from = next
	}
	t.rows = t.rows[:kept]
}

func (l *entries) removes(t *table, at int) bool {
	return Reason(t.rows[at+t.length+l.timeBytes]) == RemoveFromCRL
}

// integerContent returns the content of the DER of n, in buf; false if it is
// longer.
func integerContent(buf []byte, n *big.Int) ([]byte, bool) {
	octets := n.BitLen()/8 + 1 // with room for the sign
	if octets > len(buf) {
		return nil, false
	}
	content := n.FillBytes(buf[:octets])
	if n.Sign() < 0 { // two's complement
		carry := true
		for i := len(content) - 1; i >= 0; i-- {
			content[i] = ^content[i]
			if carry {
				content[i]++
				carry = content[i] == 0
			}
		}
	}
	for len(content) > 1 && (content[0] == 0 && content[1] < 0x80 || content[0] == 0xff && content[1] >= 0x80) {
		content = content[1:]
	}
	return content, true
}

// integerOf is the inverse of integerContent.
func integerOf(content []byte) *big.Int {
	n := new(big.Int).SetBytes(content)
	if content[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(content))))
	}
	return n
}
