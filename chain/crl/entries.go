package crl

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"sort"
	"time"
)

// Entry is what a list says about a certificate.
type Entry struct {
	// RevokedAt is when the CA revoked it, which may be after the date of the list.
	RevokedAt time.Time

	// InvalidityDate is since when the CA considers the certificate invalid, zero if the
	// list does not say (RFC 5280 section 5.3.2).
	InvalidityDate time.Time

	Reason Reason
}

// entries are the entries of a list, without a pointer in them: a table for each
// length of serial number, in which rows of bytes are in order. A row is
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

	// The index, without which a check of a chain takes half as long again. It decides
	// nothing but time.
	common      int    // so many octets are the same in all numbers
	first, last uint64 // the keys of the first and the last number: what follows these octets
	shift       uint
	index       []uint32 // how many rows are before a key less first, shifted; and all of them
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
		key := keyOfSerial(serial[t.common:])
		if key < t.first || key > t.last {
			return nil
		}
		bucket := (key - t.first) >> t.shift
		low := int(t.index[bucket])
		n, found := sort.Find(int(t.index[bucket+1])-low, func(n int) int { return bytes.Compare(serial, t.row(low + n)[:t.length]) })
		if found {
			return t.row(low + n)
		}
		return nil
	}
	return nil
}

// makeIndex notes where in a table, which is in order, the numbers begin that have
// one key or another. Where CAs choose numbers at random or count up, each of its
// buckets has some eight of them. It takes half a byte a row.
func (t *table) makeIndex() {
	const rowsOfBucket = 8
	n := t.Len()
	first, last := t.row(0)[:t.length], t.row(n - 1)[:t.length]
	for t.common < t.length && first[t.common] == last[t.common] {
		t.common++
	}
	t.first, t.last = keyOfSerial(first[t.common:]), keyOfSerial(last[t.common:])
	for (t.last-t.first)>>t.shift > uint64(n/rowsOfBucket) {
		t.shift++
	}
	t.index = make([]uint32, (t.last-t.first)>>t.shift+2)
	for i := range n {
		t.index[(keyOfSerial(t.row(i)[t.common:t.length])-t.first)>>t.shift+1] = uint32(i + 1)
	}
	for i := range t.index[1:] {
		t.index[i+1] = max(t.index[i], t.index[i+1])
	}
}

// keyOfSerial is the beginning of a serial number, as a number.
func keyOfSerial(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var key uint64
	for i := range 8 {
		key <<= 8
		if i < len(b) {
			key |= uint64(b[i])
		}
	}
	return key
}

// entry reads a row after its serial number.
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

// entry is one entry of a list as it is in the DER.
type entry struct {
	serial           []byte // the content of the INTEGER
	revoked, invalid moment
	reason           Reason
}
