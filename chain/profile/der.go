package profile

import (
	"bytes"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// fields are the parts of a certificate that crypto/x509 does not show, or reads
// more leniently than the standard has them: as they are in the DER.
type fields struct {
	version             int               // 1, 2 or 3, as people count
	serial              []byte            // the content octets of the INTEGER
	algorithm           cryptobyte.String // of the signature: the content of the AlgorithmIdentifier
	issuer, subject     cryptobyte.String
	notBefore, notAfter timeField
	uniqueIDs           bool
	hasExtensions       bool // the field is there; extensions may be empty anyway
	extensions          []extension
}

type timeField struct {
	tag   asn1.Tag
	value []byte
}

// extension of RFC 5280 section 4.1. The id is the content of its DER.
type extension struct {
	id           []byte
	critical     bool
	writtenFalse bool // critical is there, and FALSE
	value        []byte
}

// The extensions of RFC 5280 section 4.2 that the rules ask about: below id-ce,
// 2.5.29, of which the DER is these two octets and one for each number below.
const (
	idCE0, idCE1 = 0x55, 0x1d

	idSubjectDirectoryAttributes = 9
	idSubjectKeyIdentifier       = 14
	idKeyUsage                   = 15
	idSubjectAltName             = 17
	idIssuerAltName              = 18
	idBasicConstraints           = 19
	idNameConstraints            = 30
	idCRLDistributionPoints      = 31
	idCertificatePolicies        = 32
	idPolicyMappings             = 33
	idAuthorityKeyIdentifier     = 35
	idPolicyConstraints          = 36
	idExtKeyUsage                = 37
	idFreshestCRL                = 46
	idInhibitAnyPolicy           = 54
)

// idPE is the DER of id-pe, 1.3.6.1.5.5.7.1, and idQT that of id-qt,
// 1.3.6.1.5.5.7.2; one octet follows for each number below.
const (
	idPE = "\x2b\x06\x01\x05\x05\x07\x01"
	idQT = "\x2b\x06\x01\x05\x05\x07\x02"

	idAuthorityInfoAccess = 1
	idSubjectInfoAccess   = 11
)

// find returns an extension below id-ce, or nil.
func (f *fields) find(number byte) *extension {
	for i := range f.extensions {
		if id := f.extensions[i].id; len(id) == 3 && id[2] == number && id[0] == idCE0 && id[1] == idCE1 {
			return &f.extensions[i]
		}
	}
	return nil
}

// findAccess returns an extension below id-pe, or nil.
func (f *fields) findAccess(number byte) *extension {
	for i := range f.extensions {
		if id := f.extensions[i].id; len(id) == len(idPE)+1 && id[len(idPE)] == number && string(id[:len(idPE)]) == idPE {
			return &f.extensions[i]
		}
	}
	return nil
}

// read takes a certificate apart in one pass. The answer says what is not as the
// ASN.1 of RFC 5280 section 4.1 has it; it is empty if all is well. crypto/x509
// skips most of this: it stops reading where it has what it wants.
func (f *fields) read(cert *x509.Certificate) string {
	// A certificate that was put together by hand may have no Raw.
	if len(cert.Raw) > 0 {
		if how := brokenEnvelope(cert.Raw); how != "" {
			return how
		}
	}
	raw := cryptobyte.String(cert.RawTBSCertificate)
	var (
		tbs, version, validity, skipped cryptobyte.String
		hasVersion                      bool
	)
	if !raw.ReadASN1(&tbs, asn1.SEQUENCE) || !raw.Empty() {
		return "its content is malformed"
	}
	f.version = 1
	if !tbs.ReadOptionalASN1(&version, &hasVersion, asn1.Tag(0).ContextSpecific().Constructed()) {
		return "its version is malformed"
	}
	if hasVersion {
		if !version.ReadASN1Integer(&f.version) || !version.Empty() {
			return "its version is malformed"
		}
		if f.version == 0 {
			return "its version is written out although it is the default (X.690 section 11.5)"
		}
		f.version++
	}
	if !tbs.ReadASN1((*cryptobyte.String)(&f.serial), asn1.INTEGER) ||
		!tbs.ReadASN1(&f.algorithm, asn1.SEQUENCE) ||
		!tbs.ReadASN1(&f.issuer, asn1.SEQUENCE) ||
		!tbs.ReadASN1(&validity, asn1.SEQUENCE) ||
		!f.notBefore.read(&validity) || !f.notAfter.read(&validity) || !validity.Empty() ||
		!tbs.ReadASN1(&f.subject, asn1.SEQUENCE) ||
		!tbs.ReadASN1(&skipped, asn1.SEQUENCE) { // subjectPublicKeyInfo
		return "its content is malformed"
	}
	for _, tag := range [...]asn1.Tag{asn1.Tag(1).ContextSpecific(), asn1.Tag(2).ContextSpecific()} {
		var there bool
		if !tbs.ReadOptionalASN1(&skipped, &there, tag) {
			return "its unique identifiers are malformed"
		}
		f.uniqueIDs = f.uniqueIDs || there
	}
	var wrapped, list cryptobyte.String
	if !tbs.ReadOptionalASN1(&wrapped, &f.hasExtensions, asn1.Tag(3).ContextSpecific().Constructed()) {
		return "its extensions are malformed"
	}
	if !tbs.Empty() {
		return "its content has fields that no version has"
	}
	if f.hasExtensions && (!wrapped.ReadASN1(&list, asn1.SEQUENCE) || !wrapped.Empty()) {
		return "its extensions are malformed"
	}
	f.extensions = f.extensions[:0]
	for !list.Empty() {
		var e extension
		if !e.read(&list) {
			return "one of its extensions is malformed"
		}
		f.extensions = append(f.extensions, e)
	}
	return ""
}

// brokenEnvelope says what is wrong around the signed content of a certificate.
func brokenEnvelope(der []byte) string {
	var certificate, skipped, signature cryptobyte.String
	raw := cryptobyte.String(der)
	if !raw.ReadASN1(&certificate, asn1.SEQUENCE) || !raw.Empty() ||
		!certificate.ReadASN1(&skipped, asn1.SEQUENCE) ||
		!certificate.ReadASN1(&skipped, asn1.SEQUENCE) ||
		!certificate.ReadASN1(&signature, asn1.BIT_STRING) || signature.Empty() {
		return "it is not made up of a content, an algorithm and a signature"
	}
	if signature[0] != 0 {
		return "the bits of its signature do not make whole octets"
	}
	if !certificate.Empty() {
		return "there is data after the signature"
	}
	return ""
}

func (t *timeField) read(from *cryptobyte.String) bool {
	return from.ReadAnyASN1((*cryptobyte.String)(&t.value), &t.tag)
}

func (e *extension) read(from *cryptobyte.String) bool {
	var s cryptobyte.String
	if !from.ReadASN1(&s, asn1.SEQUENCE) || !s.ReadASN1((*cryptobyte.String)(&e.id), asn1.OBJECT_IDENTIFIER) {
		return false
	}
	if s.PeekASN1Tag(asn1.BOOLEAN) {
		if !s.ReadASN1Boolean(&e.critical) {
			return false
		}
		e.writtenFalse = !e.critical
	}
	return s.ReadASN1((*cryptobyte.String)(&e.value), asn1.OCTET_STRING) && s.Empty()
}

// isOID reports whether the content of an OBJECT IDENTIFIER is in DER (X.690 section
// 8.19.2): every number in the fewest octets, and the last one ends.
func isOID(content []byte) bool {
	for i, b := range content {
		if b == 0x80 && (i == 0 || content[i-1]&0x80 == 0) {
			return false
		}
	}
	return len(content) > 0 && content[len(content)-1]&0x80 == 0
}

// duplicate returns the identifier of an extension that is there twice, or nil.
func (f *fields) duplicate() []byte {
	const few = 16
	if len(f.extensions) <= few {
		for i, e := range f.extensions {
			for _, other := range f.extensions[:i] {
				if bytes.Equal(e.id, other.id) {
					return e.id
				}
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(f.extensions))
	for _, e := range f.extensions {
		if seen[string(e.id)] {
			return e.id
		}
		seen[string(e.id)] = true
	}
	return nil
}

// sequence returns the content of an extension that is a SEQUENCE and nothing
// after it.
func (e *extension) sequence() (content cryptobyte.String, ok bool) {
	value := cryptobyte.String(e.value)
	ok = value.ReadASN1(&content, asn1.SEQUENCE) && value.Empty()
	return content, ok
}

// keyIdentifiers is an authority key identifier, RFC 5280 section 4.2.1.1.
type keyIdentifiers struct {
	key                  []byte
	hasKey               bool
	hasIssuer, hasSerial bool
}

func (e *extension) keyIdentifiers() (k keyIdentifiers, ok bool) {
	s, ok := e.sequence()
	var skipped cryptobyte.String
	ok = ok && s.ReadOptionalASN1((*cryptobyte.String)(&k.key), &k.hasKey, asn1.Tag(0).ContextSpecific()) &&
		s.ReadOptionalASN1(&skipped, &k.hasIssuer, asn1.Tag(1).ContextSpecific().Constructed()) &&
		s.ReadOptionalASN1(&skipped, &k.hasSerial, asn1.Tag(2).ContextSpecific()) &&
		s.Empty()
	return k, ok
}

// The kinds of GeneralName, RFC 5280 section 4.2.1.6, that the rules ask about.
const (
	tagMail    = asn1.Tag(1) | 0x80
	tagDNSName = asn1.Tag(2) | 0x80
	tagURI     = asn1.Tag(6) | 0x80
	tagIP      = asn1.Tag(7) | 0x80
)

// wellFormedName reports whether an RDNSequence is as RFC 5280 section 4.1.2.4 has
// it: sets of at least one attribute, each a type and a value, which is not an empty
// DirectoryString.
func wellFormedName(rdns cryptobyte.String) bool {
	for !rdns.Empty() {
		var set cryptobyte.String
		if !rdns.ReadASN1(&set, asn1.SET) || set.Empty() {
			return false
		}
		for !set.Empty() {
			var attribute, skipped, value cryptobyte.String
			var tag asn1.Tag
			if !set.ReadASN1(&attribute, asn1.SEQUENCE) ||
				!attribute.ReadASN1(&skipped, asn1.OBJECT_IDENTIFIER) ||
				!attribute.ReadAnyASN1(&value, &tag) || !attribute.Empty() {
				return false
			}
			if value.Empty() && isDirectoryString(tag) {
				return false
			}
		}
	}
	return true
}

// isDirectoryString reports one of the five choices: teletexString, printableString,
// universalString, utf8String and bmpString.
func isDirectoryString(tag asn1.Tag) bool {
	switch tag {
	case asn1.T61String, asn1.PrintableString, asn1.UTF8String, 28, 30:
		return true
	}
	return false
}
