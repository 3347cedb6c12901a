package crl

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// scope is what a list says about itself in an issuing distribution point, RFC 5280
// section 5.2.5. The zero value is all certificates of the issuer.
type scope struct {
	named bool
	names [][]byte // of the distribution point, see readPoint

	users, cas, attributes bool // only these
	someReasons            bool
}

// maxNames bounds the names of a distribution point.
const maxNames = 64

var errScope = malformed("its issuing distribution point is malformed")

func (s *scope) read(value []byte) error {
	input := cryptobyte.String(value)
	var content, point, reasons cryptobyte.String
	if !input.ReadASN1(&content, asn1.SEQUENCE) || !input.Empty() ||
		!content.ReadOptionalASN1(&point, &s.named, asn1.Tag(0).ContextSpecific().Constructed()) {
		return errScope
	}
	if s.named {
		names, ok := readPoint(point)
		if !ok {
			return errScope
		}
		if len(names) > maxNames {
			return fmt.Errorf("crl: the issuing distribution point has more than %d names", maxNames)
		}
		s.names = names
	}
	indirect := false
	if !readFlag(&content, 1, &s.users) || !readFlag(&content, 2, &s.cas) ||
		!content.ReadOptionalASN1(&reasons, &s.someReasons, asn1.Tag(3).ContextSpecific()) ||
		!readFlag(&content, 4, &indirect) || !readFlag(&content, 5, &s.attributes) || !content.Empty() {
		return errScope
	}
	if indirect {
		return errors.New("crl: the list is an indirect CRL, which speaks for other CAs too: that is not supported")
	}
	if !s.named && !s.someReasons && !s.users && !s.cas && !s.attributes {
		return errors.New("crl: the issuing distribution point is empty, which RFC 5280 section 5.2.5 rules out")
	}
	if s.users && s.cas || s.users && s.attributes || s.cas && s.attributes {
		return errors.New("crl: the list is only for two kinds of certificates, which rules out all (RFC 5280 section 5.2.5)")
	}
	return nil
}

// readFlag reads a BOOLEAN with a tag of its own, which may be absent.
func readFlag(s *cryptobyte.String, tag uint8, flag *bool) bool {
	var value cryptobyte.String
	var there bool
	if !s.ReadOptionalASN1(&value, &there, asn1.Tag(tag).ContextSpecific()) {
		return false
	}
	if there && (len(value) != 1 || value[0] != 0 && value[0] != 0xff) {
		return false
	}
	*flag = there && value[0] != 0
	return true
}

// readPoint reads a DistributionPointName: the DER of each of its full names. A
// name relative to the CRL issuer counts as none: crypto/x509 reads no certificate
// that has one.
func readPoint(point cryptobyte.String) (names [][]byte, ok bool) {
	relative := asn1.Tag(1).ContextSpecific().Constructed()
	if point.PeekASN1Tag(relative) {
		return nil, point.SkipASN1(relative) && point.Empty()
	}
	var full cryptobyte.String
	if !point.ReadASN1(&full, asn1.Tag(0).ContextSpecific().Constructed()) || !point.Empty() {
		return nil, false
	}
	for !full.Empty() {
		var name cryptobyte.String
		var tag asn1.Tag
		if !full.ReadAnyASN1Element(&name, &tag) {
			return nil, false
		}
		names = append(names, name)
	}
	return names, len(names) > 0
}
