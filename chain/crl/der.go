package crl

import (
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
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
	idFreshestCRL              = 46
)

func malformed(what string) error {
	return fmt.Errorf("crl: %s: this is not a certificate revocation list, or a damaged one", what)
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

// moment is a time in seconds since 1970, or none.
type moment struct {
	seconds int64
	set     bool
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
