package crl

import (
	"bytes"
	"crypto/x509"
	encodingasn1 "encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
)

const (
	// maxSerial is the longest serial number that is read, in octets of DER. RFC
	// 5280 section 5.1.2.6 has 20; issuers have made longer ones.
	maxSerial = 128
	// maxHead bounds all of a list but its entries: names, extensions, signature.
	// Real ones have less than two kilobytes.
	maxHead = 64 << 10
	// maxExtensions bounds the extensions of a list and of an entry.
	maxExtensions = 32
	// maxNumber is the longest CRL number, in octets without a sign. RFC 5280 section 5.2.3.
	maxNumber = 20
)

// Parse reads a certificate revocation list of version 2 from DER or PEM ("X509
// CRL"). The input is one list and nothing behind it; before a PEM block may stand
// text without a BEGIN in it, such as openssl writes. The list keeps nothing of
// data, unless it is signed with Ed25519: then a copy of what was signed.
//
// Parse checks no signature, but is never more lenient than
// [x509.ParseRevocationList]. Besides, it is an error if
//
//   - a time is not as DER and RFC 5280 have it, nextUpdate is missing
//     (section 5.1.2.5) or lies before thisUpdate;
//   - there is a critical extension other than an issuing distribution point, a
//     CRL number, a reason code or an invalidity date, or an extension is there twice;
//   - the list is a delta CRL (section 5.2.4) or an indirect CRL (sections 5.2.5 and 5.3.3);
//   - a serial number has more than 128 octets (the standard allows 20), a CRL
//     number is negative or has more than 20, or what stands around the entries has
//     more than 64 KiB;
//   - there is data behind any of its parts.
//
// Numbers that are zero or negative, reason codes that the standard does not name,
// and entries in any order and more than once are read. The entries of a list take
// less memory than their DER, whatever stands in it, and nothing else is allocated
// in proportion to it.
func Parse(data []byte) (*List, error) {
	der, err := derOf(data)
	if err != nil {
		return nil, err
	}
	l := new(List)
	entries, first, err := l.readHead(der)
	if err != nil {
		return nil, err
	}
	if err := l.readEntries(entries, first); err != nil {
		return nil, err
	}
	return l, nil
}

var (
	pemBegin = []byte("-----BEGIN ")

	errNoList  = errors.New("crl: no certificate revocation list: the input is empty")
	errPEM     = errors.New("crl: the PEM block is damaged: fetch the list again")
	errBehind  = errors.New("crl: there is data behind the PEM block")
	errMore    = errors.New("crl: there is more than one PEM block: give each list to Parse by itself")
	errHeaders = errors.New("crl: the PEM block has headers, which a CRL has not")
)

// derOf returns the DER in data, which is that or PEM.
func derOf(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errNoList
	}
	if data[0] == byte(asn1.SEQUENCE) {
		return data, nil
	}
	begin := bytes.Index(data, pemBegin)
	if begin < 0 {
		return nil, fmt.Errorf("crl: no certificate revocation list: this is neither DER nor PEM and begins with %s", quote.Text(string(data[:min(len(data), quote.Most)])))
	}
	switch {
	case begin > 0 && data[begin-1] != '\n':
		return nil, errPEM
	case bytes.Count(data[begin:], pemBegin) > 1:
		return nil, errMore
	}
	block, rest := pem.Decode(data[begin:])
	switch {
	case block == nil:
		return nil, errPEM
	case block.Type != "X509 CRL":
		return nil, fmt.Errorf("crl: the PEM block is of type %s and not X509 CRL", quote.Text(block.Type))
	case len(block.Headers) > 0:
		return nil, errHeaders
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errBehind
	}
	return block.Bytes, nil
}

func malformed(what string) error {
	return fmt.Errorf("crl: %s: this is no certificate revocation list, or a damaged one", what)
}

// readHead reads all of the list but its entries, which it returns, and where they
// begin.
func (l *List) readHead(der []byte) (entries cryptobyte.String, first int, err error) {
	var list, tbs, inner, outer cryptobyte.String
	var signed, signature cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&list, asn1.SEQUENCE) {
		return nil, 0, malformed(fmt.Sprintf("the %d bytes are no whole SEQUENCE", len(der)))
	}
	if !input.Empty() {
		return nil, 0, fmt.Errorf("crl: there are %d bytes behind the list", len(input))
	}
	if !list.ReadASN1Element(&signed, asn1.SEQUENCE) ||
		!list.ReadASN1Element(&outer, asn1.SEQUENCE) ||
		!list.ReadASN1Element(&signature, asn1.BIT_STRING) || !list.Empty() {
		return nil, 0, malformed("it is not made up of a content, an algorithm and a signature")
	}
	tbs = signed
	tbs.ReadASN1(&tbs, asn1.SEQUENCE)

	var version int
	var fullVersion, issuer, thisUpdate, nextUpdate, extensions cryptobyte.String
	if tbs.PeekASN1Tag(asn1.SEQUENCE) {
		return nil, 0, errors.New("crl: the list is of version 1, and RFC 5280 section 5.1.2.1 asks for 2")
	}
	whole := tbs
	if !tbs.ReadASN1Integer(&version) {
		return nil, 0, malformed("its version is malformed")
	}
	fullVersion = whole[:len(whole)-len(tbs)]
	if version != 1 {
		return nil, 0, fmt.Errorf("crl: the list is of version %d, and RFC 5280 section 5.1.2.1 asks for 2", int64(version)+1)
	}
	if !tbs.ReadASN1Element(&inner, asn1.SEQUENCE) || !tbs.ReadASN1Element(&issuer, asn1.SEQUENCE) {
		return nil, 0, malformed("its algorithm or its issuer is malformed")
	}
	made, err := readHeadTime(&tbs, &thisUpdate, "thisUpdate")
	if err != nil {
		return nil, 0, err
	}
	if !tbs.PeekASN1Tag(asn1.UTCTime) && !tbs.PeekASN1Tag(asn1.GeneralizedTime) {
		return nil, 0, errors.New("crl: the list does not tell when the next one is due, which RFC 5280 section 5.1.2.5 requires")
	}
	due, err := readHeadTime(&tbs, &nextUpdate, "nextUpdate")
	if err != nil {
		return nil, 0, err
	}
	if due < made {
		return nil, 0, errors.New("crl: the list ends (nextUpdate) before it begins (thisUpdate)")
	}
	if tbs.PeekASN1Tag(asn1.SEQUENCE) {
		if !tbs.ReadASN1(&entries, asn1.SEQUENCE) {
			return nil, 0, malformed("its list of entries is malformed")
		}
		first = len(der) - len(outer) - len(signature) - len(tbs) - len(entries)
	}
	if !tbs.Empty() && !tbs.ReadASN1Element(&extensions, asn1.Tag(0).ContextSpecific().Constructed()) || !tbs.Empty() {
		return nil, 0, malformed("there is something else where its extensions belong")
	}

	if len(inner)+len(outer)+len(issuer)+len(extensions)+len(signature) > maxHead {
		return nil, 0, fmt.Errorf("crl: what stands around the entries has more than %d bytes", maxHead)
	}
	head, err := parseHead(outer, signature, fullVersion, inner, issuer, thisUpdate, nextUpdate, extensions)
	if err != nil {
		return nil, 0, err
	}
	l.issuer = head.Issuer
	l.rawIssuer = head.RawIssuer
	l.thisUpdate, l.nextUpdate = time.Unix(made, 0).UTC(), time.Unix(due, 0).UTC()
	l.algorithm = head.SignatureAlgorithm
	var bits cryptobyte.String
	if !signature.ReadASN1(&bits, asn1.BIT_STRING) || bits.Empty() || bits[0] != 0 {
		return nil, 0, malformed("the bits of its signature do not make whole octets")
	}
	l.signature = head.Signature
	l.signed = digest(l.algorithm, signed)
	return entries, first, l.readExtensions(head, extensions)
}

// parseHead has crypto/x509 read the list without its entries: whatever it does
// not take, we do not take either.
func parseHead(outer, signature cryptobyte.String, tbs ...cryptobyte.String) (*x509.RevocationList, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, part := range tbs {
				b.AddBytes(part)
			}
		})
		b.AddBytes(outer)
		b.AddBytes(signature)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("crl: %w", err)
	}
	head, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("crl: %w", err)
	}
	return head, nil
}

// The extensions of lists and entries below id-ce, 2.5.29, of which the DER is
// these two octets and one for each number below. RFC 5280 sections 5.2 and 5.3.
const (
	idCE0, idCE1 = 0x55, 0x1d

	idCRLNumber                = 20
	idReasonCode               = 21
	idInvalidityDate           = 24
	idDeltaCRLIndicator        = 27
	idIssuingDistributionPoint = 28
	idCertificateIssuer        = 29
	idCRLDistributionPoints    = 31
	idAuthorityKeyIdentifier   = 35
)

// readExtensions reads those of the list: head is what crypto/x509 made of them,
// and raw what it read.
func (l *List) readExtensions(head *x509.RevocationList, raw cryptobyte.String) error {
	var wrapped, sequence cryptobyte.String
	if len(raw) > 0 && (!raw.ReadASN1(&wrapped, asn1.Tag(0).ContextSpecific().Constructed()) ||
		!wrapped.ReadASN1(&sequence, asn1.SEQUENCE) || !wrapped.Empty()) {
		return malformed("its extensions are malformed")
	}
	if len(head.Extensions) > maxExtensions {
		return fmt.Errorf("crl: the list has more than %d extensions", maxExtensions)
	}
	for i := range head.Extensions {
		e := &head.Extensions[i]
		var whole cryptobyte.String
		var id cryptobyte.String
		if !sequence.ReadASN1(&whole, asn1.SEQUENCE) || !whole.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) ||
			whole.PeekASN1Tag(asn1.BOOLEAN) && !whole.SkipASN1(asn1.BOOLEAN) ||
			!whole.SkipASN1(asn1.OCTET_STRING) || !whole.Empty() {
			return malformed("one of its extensions is malformed")
		}
		for _, before := range head.Extensions[:i] {
			if before.Id.Equal(e.Id) {
				return fmt.Errorf("crl: the list has the extension %s twice", quote.Text(e.Id.String()))
			}
		}
		number := -1
		if len(id) == 3 && id[0] == idCE0 && id[1] == idCE1 {
			number = int(id[2])
		}
		switch number {
		case idAuthorityKeyIdentifier:
			// crypto/x509 refuses one that is critical.
			l.authorityKeyID = head.AuthorityKeyId
		case idCRLNumber:
			value := cryptobyte.String(e.Value)
			if !value.SkipASN1(asn1.INTEGER) || !value.Empty() {
				return malformed("its CRL number is malformed")
			}
			if head.Number.Sign() < 0 || head.Number.BitLen() > 8*maxNumber {
				return fmt.Errorf("crl: the CRL number is negative or has more than %d octets, which RFC 5280 section 5.2.3 rules out", maxNumber)
			}
			l.number = head.Number
		case idIssuingDistributionPoint:
			if err := l.scope.read(e.Value); err != nil {
				return err
			}
		case idDeltaCRLIndicator:
			return errors.New("crl: the list is a delta CRL, which tells changes only: fetch the complete one")
		default:
			if e.Critical {
				return fmt.Errorf("crl: the list has the critical extension %s, which is not understood", quote.Text(e.Id.String()))
			}
		}
	}
	return nil
}

// moment is a time in seconds since 1970, or none.
type moment struct {
	seconds int64
	set     bool
}

// entry is one entry of a list as it stands in the DER.
type entry struct {
	serial           []byte // the content of the INTEGER
	revoked, invalid moment
	reason           Reason
}

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

	// One block for all tables.
	var places [maxSerial + 1]int
	size := 0
	for length, n := range counts {
		if n > 0 {
			places[length] = len(l.tables)
			l.tables = append(l.tables, table{length: length, width: l.widthOf(length)})
			size += n * l.widthOf(length)
		}
	}
	block := make([]byte, size)
	for i := range l.tables {
		t := &l.tables[i]
		n := counts[t.length] * t.width
		t.rows, block = block[:0:n], block[n:]
	}
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
	}
	return nil
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
		return fmt.Errorf("it has the critical extension %s, which is not understood", quote.Text(oid.String()))
	}
	return nil
}

// readElement takes a DER element off b.
func readElement(b []byte) (tag asn1.Tag, content, left []byte, ok bool) {
	if len(b) >= 2 && b[0]&0x1f != 0x1f && b[1] < 0x80 {
		end := 2 + int(b[1])
		if end > len(b) {
			return 0, nil, nil, false
		}
		return asn1.Tag(b[0]), b[2:end], b[end:], true
	}
	s := cryptobyte.String(b)
	ok = s.ReadAnyASN1((*cryptobyte.String)(&content), &tag)
	return tag, content, s, ok
}

// readHeadTime reads a time of the list itself, and keeps its DER.
func readHeadTime(tbs, raw *cryptobyte.String, what string) (int64, error) {
	var tag asn1.Tag
	if tbs.ReadAnyASN1Element(raw, &tag) {
		var content cryptobyte.String
		element := *raw
		if element.ReadASN1(&content, tag) {
			if t, ok := parseTime(tag, content); ok {
				return t.seconds, nil
			}
		}
	}
	return 0, malformed("its " + what + " is malformed")
}

// parseTime reads a time as RFC 5280 sections 5.1.2.4 to 5.1.2.6 and DER have it:
// with seconds, in UTC, without fractions. A GeneralizedTime before 2050 is read,
// as crypto/x509 does.
func parseTime(tag asn1.Tag, b []byte) (t moment, ok bool) {
	var year int
	switch {
	case tag == asn1.UTCTime && len(b) == len("YYMMDDHHMMSSZ"):
		if year, ok = twoDigits(b); !ok {
			return t, false
		}
		if b = b[2:]; year < 50 {
			year += 2000
		} else {
			year += 1900
		}
	case tag == asn1.GeneralizedTime && len(b) == len("YYYYMMDDHHMMSSZ"):
		century, ok1 := twoDigits(b)
		years, ok2 := twoDigits(b[2:])
		if !ok1 || !ok2 {
			return t, false
		}
		year, b = 100*century+years, b[4:]
	default:
		return t, false
	}
	month, ok1 := twoDigits(b)
	day, ok2 := twoDigits(b[2:])
	hour, ok3 := twoDigits(b[4:])
	minute, ok4 := twoDigits(b[6:])
	second, ok5 := twoDigits(b[8:])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || b[10] != 'Z' ||
		month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	date := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if day > 28 && date.Day() != day {
		return t, false
	}
	return moment{date.Unix(), true}, true
}

func twoDigits(b []byte) (int, bool) {
	tens, ones := b[0]-'0', b[1]-'0'
	return 10*int(tens) + int(ones), tens <= 9 && ones <= 9
}
