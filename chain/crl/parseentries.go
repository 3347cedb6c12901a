package crl

import (
	"bytes"
	encodingasn1 "encoding/asn1"
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// readEntries fills the tables, in two passes: with what the first has counted,
// nothing is allocated that is not kept.
func (l *List) readEntries(all cryptobyte.String, first int) error {
	var (
		counts      [maxSerial + 1]int
		total       int
		oldest      = int64(math.MaxInt64)
		newest      = int64(math.MinInt64)
		e           entry
		left        = []byte(all)
		widthOfTime = 4
	)
	span := func(t moment) { oldest, newest = min(oldest, t.seconds), max(newest, t.seconds) }
	for len(left) > 0 {
		at := first + len(all) - len(left)
		var err error
		if left, err = e.read(left); err != nil {
			return fmt.Errorf("crl: entry %d, at byte %d: %w", total+1, at, err)
		}
		total++
		counts[len(e.serial)]++
		span(e.revoked)
		if e.invalid.set {
			span(e.invalid)
			l.invalid = true
		}
	}
	if total == 0 {
		return nil
	}
	if newest-oldest >= math.MaxUint32 { // offsets begin at 1
		widthOfTime = 5
	}
	l.base, l.timeBytes = oldest, widthOfTime

	places := l.makeTables(&counts)
	var unordered [maxSerial + 1]bool
	left = all
	for len(left) > 0 {
		left, _ = e.read(left) // it was read before
		n := len(e.serial)
		t := &l.tables[places[n]]
		if last := len(t.rows) - t.width; last >= 0 && !unordered[n] && bytes.Compare(t.rows[last:last+n], e.serial) >= 0 {
			unordered[n] = true
		}
		l.appendRow(t, &e)
	}
	for i := range l.tables {
		t := &l.tables[i]
		if unordered[t.length] {
			l.order(t)
		}
		t.makeIndex()
	}
	return nil
}

// makeTables makes room for so many entries of each length, and returns which table is of
// which length.
func (l *List) makeTables(counts *[maxSerial + 1]int) (places [maxSerial + 1]int) {
	size := 0
	for length, n := range counts {
		if n > 0 {
			places[length] = len(l.tables)
			l.tables = append(l.tables, table{length: length, width: l.widthOf(length)})
			size += n * l.widthOf(length)
		}
	}
	block := make([]byte, size) // one for all tables
	for i := range l.tables {
		t := &l.tables[i]
		n := counts[t.length] * t.width
		t.rows, block = block[:0:n], block[n:]
	}
	return places
}

var (
	errEntry      = errors.New("it is not made up of a serial number, a date and extensions: the list is damaged")
	errSerial     = errors.New("its serial number is malformed")
	errLongSerial = fmt.Errorf("its serial number has more than %d octets", maxSerial)
	errDate       = errors.New("its revocation date is malformed")
	errExtension  = errors.New("one of its extensions is malformed")
	errReason     = errors.New("its reason code is malformed")
	errInvalidity = errors.New("its invalidity date is malformed")
	errTwice      = errors.New("an extension is there twice")
	errManyMore   = fmt.Errorf("it has more than %d extensions", maxExtensions)
	errIndirect   = errors.New("it names a certificate issuer: the list is an indirect CRL, which is not supported")
)

// read takes one entry off b and returns what is left. Of b nothing is copied.
func (e *entry) read(b []byte) (left []byte, err error) {
	tag, content, left, ok := readElement(b)
	if !ok || tag != asn1.SEQUENCE {
		return nil, errEntry
	}
	tag, e.serial, content, ok = readElement(content)
	if !ok || tag != asn1.INTEGER {
		return nil, errEntry
	}
	switch s := e.serial; {
	case len(s) == 0 || len(s) > 1 && (s[0] == 0 && s[1] < 0x80 || s[0] == 0xff && s[1] >= 0x80):
		return nil, errSerial
	case len(s) > maxSerial:
		return nil, errLongSerial
	}
	tag, date, content, ok := readElement(content)
	if !ok {
		return nil, errEntry
	}
	if e.revoked, ok = parseTime(tag, date); !ok {
		return nil, errDate
	}
	e.reason, e.invalid = Unspecified, moment{}
	if len(content) == 0 {
		return left, nil
	}
	tag, extensions, content, ok := readElement(content)
	if !ok || tag != asn1.SEQUENCE || len(content) > 0 {
		return nil, errEntry
	}
	return left, e.readExtensions(extensions)
}

func (e *entry) readExtensions(b []byte) error {
	var seen [maxExtensions][]byte
	for n := 0; len(b) > 0; n++ {
		if n == maxExtensions {
			return errManyMore
		}
		tag, extension, left, ok := readElement(b)
		if !ok || tag != asn1.SEQUENCE {
			return errExtension
		}
		b = left
		whole := extension
		tag, id, extension, ok := readElement(extension)
		if !ok || tag != asn1.OBJECT_IDENTIFIER {
			return errExtension
		}
		oid := whole[:len(whole)-len(extension)]
		tag, value, extension, ok := readElement(extension)
		critical := false
		if ok && tag == asn1.BOOLEAN {
			if len(value) != 1 || value[0] != 0 && value[0] != 0xff {
				return errExtension
			}
			critical = value[0] != 0
			tag, value, extension, ok = readElement(extension)
		}
		if !ok || tag != asn1.OCTET_STRING || len(extension) > 0 {
			return errExtension
		}
		if slices.ContainsFunc(seen[:n], func(s []byte) bool { return bytes.Equal(s, id) }) {
			return errTwice
		}
		seen[n] = id

		number := -1
		if len(id) == 3 && id[0] == idCE0 && id[1] == idCE1 {
			number = int(id[2])
		}
		switch number {
		case idReasonCode:
			if len(value) != 3 || value[0] != byte(asn1.ENUM) || value[1] != 1 || value[2] >= 0x80 {
				return errReason
			}
			e.reason = Reason(value[2])
		case idInvalidityDate:
			tag, date, left, ok := readElement(value)
			if !ok || tag != asn1.GeneralizedTime || len(left) > 0 {
				return errInvalidity
			}
			if e.invalid, ok = parseTime(tag, date); !ok {
				return errInvalidity
			}
		case idCertificateIssuer:
			return errIndirect
		default:
			if err := checkUnknown(oid, critical); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkUnknown has something against an extension whose identifier is malformed or
// which must be understood.
func checkUnknown(id cryptobyte.String, critical bool) error {
	var oid encodingasn1.ObjectIdentifier
	if !id.ReadASN1ObjectIdentifier(&oid) {
		return errExtension
	}
	if critical {
		return fmt.Errorf("it has the critical extension %s, which is not understood", safetext.Quote(oid.String()))
	}
	return nil
}
