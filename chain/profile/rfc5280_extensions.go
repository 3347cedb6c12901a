package profile

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Section 4.2.1.1: the key identifier is there, but for self-signed certificates,
// and is that of the issuer (4.2.1.2); the issuer's name and number are both there
// or both not.
func rfcAuthorityKeyIdentifier(s *subject) string {
	e := s.find(idAuthorityKeyIdentifier)
	selfSigned := s.root && selfIssued(s.Certificate)
	if e == nil {
		if selfSigned {
			return ""
		}
		return "it is missing"
	}
	ids, ok := e.keyIdentifiers()
	switch {
	case !ok:
		return "it is malformed"
	case e.critical:
		return "it is critical"
	case ids.hasIssuer != ids.hasSerial:
		return "it has one of the issuer's name and serial number, and not the other"
	case !ids.hasKey && !selfSigned:
		return "it has no key identifier"
	}
	issuer := s.issuer
	if selfSigned {
		issuer = s.Certificate
	}
	if ids.hasKey && issuer != nil && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(ids.key, issuer.SubjectKeyId) {
		return "it is not the subjectKeyIdentifier of the issuer"
	}
	return ""
}

// Section 4.2.1.2: every CA has one, and it is not critical.
func rfcSubjectKeyIdentifier(s *subject) string {
	e := s.find(idSubjectKeyIdentifier)
	if e == nil {
		if !s.leaf || isCA(s.Certificate) {
			return "it is missing, in a CA certificate"
		}
		return ""
	}
	value := cryptobyte.String(e.value)
	var id cryptobyte.String
	switch {
	case e.critical:
		return "it is critical"
	case !value.ReadASN1(&id, asn1.OCTET_STRING) || !value.Empty() || id.Empty():
		return "it is empty or malformed"
	}
	return ""
}

// Section 4.2.1.3: at least one usage of the nine, in DER (section 4.1), which leaves
// away the zeros at the end (X.690 section 11.2.2); every CA has the extension, with
// keyCertSign (also 6.1.4 (n)), and nobody else has keyCertSign.
func rfcKeyUsage(s *subject) string {
	e := s.find(idKeyUsage)
	ca := isCA(s.Certificate)
	switch {
	case e == nil && (ca || !s.leaf):
		return "it is missing, in a CA certificate"
	case e == nil:
		return ""
	case s.KeyUsage == 0:
		return "it allows no use at all"
	case !e.namedBits(9):
		return "its bits are not in DER, or there are more than nine"
	case (ca || !s.leaf) && s.KeyUsage&x509.KeyUsageCertSign == 0:
		return "it does not allow a CA to sign certificates"
	case !ca && s.KeyUsage&x509.KeyUsageCertSign != 0:
		return "it allows to sign certificates, and this is not a CA"
	}
	return ""
}

// namedBits reports whether the value is a BIT STRING of at most so many named bits,
// of which the last is set.
func (e *extension) namedBits(most int) bool {
	value := cryptobyte.String(e.value)
	var bits cryptobyte.String
	if !value.ReadASN1(&bits, asn1.BIT_STRING) || len(bits) < 2 || bits[0] > 7 {
		return false
	}
	unused, last := int(bits[0]), bits[len(bits)-1]
	return last>>unused&1 == 1 && 8*(len(bits)-1)-unused <= most
}

// Section 4.2.1.4: at least one policy, at least one qualifier where there is the
// field, and those of anyPolicy, and of any policy where the extension is critical, are
// a CPS or a user notice. crypto/x509 refuses a policy that is there twice.
func rfcCertificatePolicies(s *subject) string {
	e := s.find(idCertificatePolicies)
	if how := e.notEmpty(); e == nil || how != "" {
		return how
	}
	policies, _ := e.sequence()
	for !policies.Empty() {
		var policy, id, qualifiers cryptobyte.String
		var there bool
		if !policies.ReadASN1(&policy, asn1.SEQUENCE) || !policy.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) ||
			!policy.ReadOptionalASN1(&qualifiers, &there, asn1.SEQUENCE) || !policy.Empty() || there && qualifiers.Empty() {
			return "it is malformed"
		}
		for !qualifiers.Empty() {
			var qualifier, kind cryptobyte.String
			if !qualifiers.ReadASN1(&qualifier, asn1.SEQUENCE) || !qualifier.ReadASN1(&kind, asn1.OBJECT_IDENTIFIER) || !isOID(kind) {
				return "it is malformed"
			}
			known := string(kind) == idQT+"\x01" || string(kind) == idQT+"\x02"
			switch {
			case !known && string(id) == idAnyPolicy:
				return "anyPolicy has a qualifier that is neither a CPS nor a user notice"
			case !known && e.critical:
				return "it is critical, and has a qualifier that is neither a CPS nor a user notice"
			}
		}
	}
	return ""
}

// idAnyPolicy is the DER of anyPolicy, 2.5.29.32.0.
const idAnyPolicy = "\x55\x1d\x20\x00"

// notEmpty says what is wrong with an extension that is a SEQUENCE SIZE (1..MAX);
// nil has nothing wrong.
func (e *extension) notEmpty() string {
	if e == nil {
		return ""
	}
	if content, ok := e.sequence(); !ok || content.Empty() {
		return "it is empty or malformed"
	}
	return ""
}

// Section 4.2.1.5: at least one mapping, and none of anyPolicy. crypto/x509 takes
// identifiers of policies that are none.
func rfcPolicyMappings(s *subject) string {
	e := s.find(idPolicyMappings)
	if how := e.notEmpty(); e == nil || how != "" {
		return how
	}
	mappings, _ := e.sequence()
	for !mappings.Empty() {
		var mapping, from, to cryptobyte.String
		if !mappings.ReadASN1(&mapping, asn1.SEQUENCE) ||
			!mapping.ReadASN1(&from, asn1.OBJECT_IDENTIFIER) || !isOID(from) ||
			!mapping.ReadASN1(&to, asn1.OBJECT_IDENTIFIER) || !isOID(to) || !mapping.Empty() {
			return "it is malformed"
		}
		if string(from) == idAnyPolicy || string(to) == idAnyPolicy {
			return "anyPolicy is mapped"
		}
	}
	return ""
}

// Section 4.2.1.6: at least one name, no empty ones, domain names in the preferred
// syntax, mail addresses that are a mailbox, absolute URIs, and IP addresses of 4 or
// 16 octets.
func rfcSubjectAltName(s *subject) string {
	return s.find(idSubjectAltName).alternativeNames()
}

// Section 4.2.1.7: as in a subjectAltName.
func rfcIssuerAltName(s *subject) string {
	return s.find(idIssuerAltName).alternativeNames()
}

func (e *extension) alternativeNames() string {
	if e == nil {
		return ""
	}
	names, ok := e.sequence()
	if !ok || names.Empty() {
		return "it is empty or malformed"
	}
	for !names.Empty() {
		var name cryptobyte.String
		var tag asn1.Tag
		switch ok := names.ReadAnyASN1(&name, &tag); {
		case !ok || !isGeneralName(tag):
			return "it is malformed"
		case name.Empty():
			return "it has an empty name"
		case tag == tagDNSName && !preferredSyntax(name):
			return fmt.Sprintf("%s is not a domain name", safetext.Quote(string(name)))
		case tag == tagMail && !isMailbox(name):
			return fmt.Sprintf("%s is not a mailbox", safetext.Quote(string(name)))
		case tag == tagURI && !isAbsoluteURI(name):
			return fmt.Sprintf("%s is not an absolute URI", safetext.Quote(string(name)))
		case tag == tagIP && len(name) != 4 && len(name) != 16:
			return fmt.Sprintf("an IP address has %d octets", len(name))
		}
	}
	return ""
}

// Section 4.2.1.8: at least one attribute, and not critical.
func rfcSubjectDirectoryAttributes(s *subject) string {
	e := s.find(idSubjectDirectoryAttributes)
	if e != nil && e.critical {
		return "it is critical"
	}
	if how := e.notEmpty(); e == nil || how != "" {
		return how
	}
	attributes, _ := e.sequence()
	for !attributes.Empty() {
		var attribute, kind, values cryptobyte.String
		if !attributes.ReadASN1(&attribute, asn1.SEQUENCE) || !attribute.ReadASN1(&kind, asn1.OBJECT_IDENTIFIER) || !isOID(kind) ||
			!attribute.ReadASN1(&values, asn1.SET) || !attribute.Empty() || values.Empty() {
			return "it is malformed"
		}
	}
	return ""
}

// Section 4.2.1.9: in every CA certificate, critical; a path length only in a CA
// that may sign certificates; and in DER (section 4.1), in which cA is only written
// where it is TRUE. Section 6.1.4 (k) asks for cA above the leaf.
func rfcBasicConstraints(s *subject) string {
	e := s.find(idBasicConstraints)
	ca := isCA(s.Certificate)
	if !s.leaf && !ca {
		return "a certificate that issued another is not a CA"
	}
	if e == nil {
		return ""
	}
	content, ok := e.sequence()
	var skipped cryptobyte.String
	var there, hasPathLength bool
	switch {
	case !ok || !content.ReadOptionalASN1(&skipped, &there, asn1.BOOLEAN) ||
		!content.ReadOptionalASN1(&skipped, &hasPathLength, asn1.INTEGER) || !content.Empty():
		return "it is malformed"
	case there && !ca:
		return "cA is written out as FALSE"
	case ca && !e.critical:
		return "it is not critical, in a CA certificate"
	case hasPathLength && (!ca || s.KeyUsage&x509.KeyUsageCertSign == 0):
		return "it has a path length, and this is not a CA that signs certificates"
	}
	return ""
}

// Section 4.2.1.10: only in CA certificates, critical, the subtrees without minimum
// and maximum, at which crypto/x509 does not look, those of URIs a domain name, perhaps
// with a dot before it, and those of hosts without that dot.
func rfcNameConstraints(s *subject) string {
	if e := s.find(idNameConstraints); e != nil && isCA(s.Certificate) && !e.critical {
		return "it is not critical"
	}
	return s.nameConstraints()
}

// nameConstraints is all of that but for critical.
func (s *subject) nameConstraints() string {
	e := s.find(idNameConstraints)
	if e == nil {
		return ""
	}
	if !isCA(s.Certificate) {
		return "it is in a certificate that is not a CA's"
	}
	content, ok := e.sequence()
	if !ok || content.Empty() {
		return "it is empty or malformed"
	}
	for _, tag := range [...]asn1.Tag{asn1.Tag(0).ContextSpecific().Constructed(), asn1.Tag(1).ContextSpecific().Constructed()} {
		var subtrees cryptobyte.String
		var there bool
		if !content.ReadOptionalASN1(&subtrees, &there, tag) || there && subtrees.Empty() {
			return "it is empty or malformed"
		}
		for !subtrees.Empty() {
			var subtree, base cryptobyte.String
			var kind asn1.Tag
			if !subtrees.ReadASN1(&subtree, asn1.SEQUENCE) || !subtree.ReadAnyASN1(&base, &kind) {
				return "it is malformed"
			}
			if !subtree.Empty() {
				return "a subtree has a minimum or maximum"
			}
			switch {
			case kind == tagURI && !isHost(bytes.TrimPrefix(base, []byte("."))):
				return fmt.Sprintf("%s is not a host or domain for URIs", safetext.Quote(string(base)))
			case kind == tagDNSName && bytes.HasPrefix(base, []byte(".")):
				return fmt.Sprintf("%s has a dot before it, which only domains for URIs and mail have", safetext.Quote(string(base)))
			}
		}
	}
	if !content.Empty() {
		return "it is malformed"
	}
	return ""
}

// Section 4.2.1.11: critical, and not empty; what crypto/x509 does not know in it,
// it skips.
func rfcPolicyConstraints(s *subject) string {
	e := s.find(idPolicyConstraints)
	if e == nil {
		return ""
	}
	if !e.critical {
		return "it is not critical"
	}
	content, ok := e.sequence()
	if !ok || content.Empty() {
		return "it is empty or malformed"
	}
	for _, tag := range [...]asn1.Tag{asn1.Tag(0).ContextSpecific(), asn1.Tag(1).ContextSpecific()} {
		var skip cryptobyte.String
		var there bool
		if !content.ReadOptionalASN1(&skip, &there, tag) || there && (skip.Empty() || skip[0]&0x80 != 0) {
			return "it is malformed"
		}
	}
	if !content.Empty() {
		return "it is malformed"
	}
	return ""
}

// Section 4.2.1.12: at least one usage. crypto/x509 takes an empty list for none at
// all, which allows every usage.
func rfcExtKeyUsage(s *subject) string {
	e := s.find(idExtKeyUsage)
	if e == nil {
		return ""
	}
	content, ok := e.sequence()
	if !ok || content.Empty() {
		return "it is empty or malformed"
	}
	for !content.Empty() {
		var usage cryptobyte.String
		if !content.ReadASN1(&usage, asn1.OBJECT_IDENTIFIER) || usage.Empty() {
			return "it is malformed"
		}
	}
	return ""
}

// Section 4.2.1.13: at least one point, each with a name or the issuer of its lists.
func rfcCRLDistributionPoints(s *subject) string {
	return s.find(idCRLDistributionPoints).distributionPoints()
}

func (e *extension) distributionPoints() string {
	if how := e.notEmpty(); e == nil || how != "" {
		return how
	}
	points, _ := e.sequence()
	for !points.Empty() {
		var point, name, reasons, issuer cryptobyte.String
		var hasName, hasIssuer, skipped bool
		if !points.ReadASN1(&point, asn1.SEQUENCE) ||
			!point.ReadOptionalASN1(&name, &hasName, asn1.Tag(0).ContextSpecific().Constructed()) ||
			!point.ReadOptionalASN1(&reasons, &skipped, asn1.Tag(1).ContextSpecific()) ||
			!point.ReadOptionalASN1(&issuer, &hasIssuer, asn1.Tag(2).ContextSpecific().Constructed()) || !point.Empty() {
			return "it is malformed"
		}
		if !hasName && !hasIssuer {
			return "a point has neither a name nor the issuer of its lists"
		}
		if hasIssuer && issuer.Empty() {
			return "a point has an empty issuer"
		}
		if hasName {
			var content cryptobyte.String
			var tag asn1.Tag
			if !name.ReadAnyASN1(&content, &tag) || !name.Empty() || content.Empty() {
				return "a point has an empty or malformed name"
			}
		}
	}
	return ""
}

// Section 4.2.1.14: critical, and a number that is not negative.
func rfcInhibitAnyPolicy(s *subject) string {
	e := s.find(idInhibitAnyPolicy)
	if e == nil {
		return ""
	}
	value := cryptobyte.String(e.value)
	var skip cryptobyte.String
	switch {
	case !e.critical:
		return "it is not critical"
	case !value.ReadASN1(&skip, asn1.INTEGER) || !value.Empty() || skip.Empty() || skip[0]&0x80 != 0:
		return "it is malformed"
	}
	return ""
}

// Section 4.2.1.15: as in cRLDistributionPoints, and not critical.
func rfcFreshestCRL(s *subject) string {
	e := s.find(idFreshestCRL)
	if e != nil && e.critical {
		return "it is critical"
	}
	return e.distributionPoints()
}

// Section 4.2.2.1: at least one description, each a method and a location, and not
// critical.
func rfcAuthorityInfoAccess(s *subject) string {
	return s.findAccess(idAuthorityInfoAccess).accessDescriptions()
}

// Section 4.2.2.2: the same.
func rfcSubjectInfoAccess(s *subject) string {
	return s.findAccess(idSubjectInfoAccess).accessDescriptions()
}

func (e *extension) accessDescriptions() string {
	if e != nil && e.critical {
		return "it is critical"
	}
	if how := e.notEmpty(); e == nil || how != "" {
		return how
	}
	list, _ := e.sequence()
	for !list.Empty() {
		var description, method, location cryptobyte.String
		var tag asn1.Tag
		if !list.ReadASN1(&description, asn1.SEQUENCE) || !description.ReadASN1(&method, asn1.OBJECT_IDENTIFIER) || !isOID(method) ||
			!description.ReadAnyASN1(&location, &tag) || !description.Empty() || !isGeneralName(tag) || location.Empty() {
			return "it is malformed"
		}
	}
	return ""
}
