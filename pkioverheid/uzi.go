package pkioverheid

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// UZI is the holder of an UZI server certificate (UZI-servercertificaat), a care
// provider with its system.
type UZI struct {
	// Number is the UZI-nummer, 9 digits.
	Number string `json:"uzi"`

	// URA is the number of the care provider (UZI-register abonneenummer), 8 digits.
	URA string `json:"ura"`

	// OtherName is the text of the subjectAltName that holds both, as did:x509 takes it
	// in san:otherName.
	OtherName string `json:"otherName"`
}

var (
	oidSubjectAltName      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidUZIName             = asn1.ObjectIdentifier{2, 5, 5, 5}
	oidPermanentIdentifier = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 3} // RFC 4043
)

// uziOf reads the subjectAltName of a certificate of CIBG, the only provider in whose
// certificates that name is more than words. It is zero where there is none, and where
// two differ.
func uziOf(cert *x509.Certificate, tsp TSP) UZI {
	if tsp != CIBG {
		return UZI{}
	}
	prefix := uziPrefix
	if _, test := testMark(cert); test {
		prefix = uziTestPrefix
	}
	for _, ext := range cert.Extensions { // crypto/x509 refuses a second of one kind
		if ext.Id.Equal(oidSubjectAltName) {
			uzi, _ := uziInNames(ext.Value, prefix)
			return uzi
		}
	}
	return UZI{}
}

// uziInNames reads the GeneralNames of RFC 5280 section 4.2.1.6.
func uziInNames(der []byte, prefix string) (UZI, bool) {
	var (
		found UZI
		names = cryptobyte.String(der)
	)
	if !names.ReadASN1(&names, cbasn1.SEQUENCE) {
		return UZI{}, false
	}
	for !names.Empty() {
		var (
			name cryptobyte.String
			tag  cbasn1.Tag
		)
		if !names.ReadAnyASN1(&name, &tag) {
			return UZI{}, false
		}
		if tag != cbasn1.Tag(0).Constructed().ContextSpecific() { // otherName
			continue
		}
		text, ok := otherName(name)
		if !ok {
			continue
		}
		uzi, ok := parseUZI(text, prefix)
		if !ok {
			continue
		}
		if found != (UZI{}) && found != uzi {
			return UZI{}, false
		}
		found = uzi
	}
	return found, found != (UZI{})
}

// otherName returns the text of the two kinds of name in which CIBG writes the
// holder (facts.md §7).
func otherName(name cryptobyte.String) (text string, ok bool) {
	var (
		kind  asn1.ObjectIdentifier
		value cryptobyte.String
		read  cryptobyte.String
	)
	if !name.ReadASN1ObjectIdentifier(&kind) ||
		!name.ReadASN1(&value, cbasn1.Tag(0).Constructed().ContextSpecific()) || !name.Empty() {
		return "", false
	}
	switch {
	case kind.Equal(oidUZIName):
		ok = value.ReadASN1(&read, cbasn1.IA5String) && value.Empty()
	case kind.Equal(oidPermanentIdentifier):
		// SEQUENCE { identifierValue UTF8String OPTIONAL, assigner OBJECT IDENTIFIER OPTIONAL }
		var identifier cryptobyte.String
		ok = value.ReadASN1(&identifier, cbasn1.SEQUENCE) && value.Empty() &&
			identifier.ReadASN1(&read, cbasn1.UTF8String)
	}
	return string(read), ok
}

// uziPrefix is what comes before the number in the names of server certificates,
// uziTestPrefix in those of CIBG's acceptance environment (facts.md §5 and §7).
const (
	uziPrefix     = "2.16.528.1.1003.1.3.5.5.5-1-"
	uziTestPrefix = "2.16.528.1.1007.99.2110-1-"
)

// parseUZI reads, after the prefix, <UZI, 9>-S-<URA, 8>-00.000-<8 digits>
// (facts.md §7). S is a server's; persons have other letters there.
func parseUZI(text, prefix string) (UZI, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) != len("123456789-S-12345678-00.000-12345678") {
		return UZI{}, false
	}
	uzi := UZI{Number: rest[:9], URA: rest[12:20], OtherName: text}
	if !digits(uzi.Number) || rest[9:12] != "-S-" || !digits(uzi.URA) || rest[20:28] != "-00.000-" || !digits(rest[28:]) {
		return UZI{}, false
	}
	return uzi, true
}
