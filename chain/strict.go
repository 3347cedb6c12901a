package chain

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Strict is a [Policy] that asks every certificate of a chain, the root too, for
// what RFC 5280 demands of certificates and paths (sections 4 and 6) and
// crypto/x509 lets pass: the encoding, version, serial number, names and times;
// that extensions are there, once, critical or not, and not empty; that key
// identifiers match; what only a CA may have and what each CA must.
//
// It can only refuse. What the standard recommends, it does not ask for, and what
// crypto/x509 checks, it leaves to it. The error is an *[Error] that tells the
// certificate, the rule and its section.
//
// Strict costs a few microseconds a chain. Some public roots are older than the
// standard and fail it: those of version 1, with the serial number zero, or
// without key identifiers.
func Strict(c Chain, at time.Time) error {
	return judge(c, at, "RFC 5280", strictRules[:])
}

// rule is one demand of a standard on the certificates of a chain.
type rule struct {
	name    string
	section string
	broken  func(*subject) string // how; empty where the rule is kept
}

// subject is a certificate of a chain that rules are asked about.
type subject struct {
	fields
	*x509.Certificate
	issuer     *x509.Certificate // nil at the end of the chain
	leaf, root bool              // both, in a chain of one
}

// judge returns an error for the first rule that is broken.
func judge(c Chain, at time.Time, standard string, rules []rule) error {
	if err := firstInvalid(c, at); err != nil {
		return err
	}
	var failed error
	breaches(c, rules, func(cert *x509.Certificate, r rule, how string) bool {
		failed = refuse(c, cert, at, fmt.Errorf("%s: %s (%s section %s)", r.name, how, standard, r.section))
		return false
	})
	return failed
}

// breaches tells every rule that is broken, from the leaf upwards, as long as the
// answer is to go on. Of a certificate that cannot be read nothing else is told.
func breaches(c Chain, rules []rule, tell func(cert *x509.Certificate, r rule, how string) bool) {
	var room [16]extension
	s := subject{fields: fields{extensions: room[:0]}}
	for i, cert := range c {
		s.Certificate, s.issuer = cert, nil
		s.leaf, s.root = i == 0, i == len(c)-1
		if !s.root {
			s.issuer = c[i+1]
		}
		s.fields = fields{extensions: s.extensions[:0]}
		if how := s.read(cert); how != "" {
			if !tell(cert, rule{name: "certificate", section: "4.1"}, how) {
				return
			}
			continue
		}
		for _, r := range rules {
			if how := r.broken(&s); how != "" && !tell(cert, r, how) {
				return
			}
		}
	}
}

var strictRules = [...]rule{
	{"version", "4.1.2.1", strictVersion},
	{"serialNumber", "4.1.2.2", strictSerialNumber},
	{"issuer", "4.1.2.4", strictIssuer},
	{"validity", "4.1.2.5", strictValidity},
	{"subject", "4.1.2.6", strictSubject},
	{"unique identifiers", "4.1.2.8", strictUniqueIdentifiers},
	{"extensions", "4.2", strictExtensions},
	{"authorityKeyIdentifier", "4.2.1.1", strictAuthorityKeyIdentifier},
	{"subjectKeyIdentifier", "4.2.1.2", strictSubjectKeyIdentifier},
	{"keyUsage", "4.2.1.3", strictKeyUsage},
	{"certificatePolicies", "4.2.1.4", strictCertificatePolicies},
	{"policyMappings", "4.2.1.5", strictPolicyMappings},
	{"subjectAltName", "4.2.1.6", strictSubjectAltName},
	{"basicConstraints", "4.2.1.9", strictBasicConstraints},
	{"nameConstraints", "4.2.1.10", strictNameConstraints},
	{"policyConstraints", "4.2.1.11", strictPolicyConstraints},
	{"extKeyUsage", "4.2.1.12", strictExtKeyUsage},
	{"inhibitAnyPolicy", "4.2.1.14", strictInhibitAnyPolicy},
}

// Section 4.1.2.1: extensions are of version 3, unique identifiers of 2 and 3.
// crypto/x509 does not read them in the other versions.
func strictVersion(s *subject) string {
	switch {
	case s.hasExtensions && s.version != 3:
		return fmt.Sprintf("it has extensions and is of version %d, not 3", s.version)
	case s.uniqueIDs && s.version < 2:
		return "it has unique identifiers and is of version 1"
	}
	return ""
}

// Section 4.1.2.2: a positive integer of at most 20 octets, counted as encoded.
func strictSerialNumber(s *subject) string {
	switch {
	case len(s.serial) == 0 || s.serial[0]&0x80 != 0:
		return "it is negative"
	case len(s.serial) == 1 && s.serial[0] == 0:
		return "it is zero"
	case len(s.serial) > 20:
		return fmt.Sprintf("it has %d octets, and at most 20 are allowed", len(s.serial))
	}
	return ""
}

// Section 4.1.2.4: a non-empty name.
func strictIssuer(s *subject) string {
	switch {
	case s.fields.issuer.Empty():
		return "it is empty"
	case !wellFormedName(s.fields.issuer):
		return "it has an empty part, or one with more than a type and a value"
	}
	return ""
}

// Section 4.1.2.5: UTCTime through 2049 and GeneralizedTime from 2050, in
// Greenwich Mean Time, with seconds and without fractions of them.
func strictValidity(s *subject) string {
	if !s.fields.notBefore.strict() {
		return "notBefore is not written as it should be"
	}
	if !s.fields.notAfter.strict() {
		return "notAfter is not written as it should be"
	}
	return ""
}

func (t timeField) strict() bool {
	digits, zulu := bytes.CutSuffix(t.value, []byte("Z"))
	if !zulu || slices.ContainsFunc(digits, func(b byte) bool { return b < '0' || b > '9' }) {
		return false
	}
	switch t.tag {
	case asn1.UTCTime:
		return len(digits) == len("060102150405")
	case asn1.GeneralizedTime:
		return len(digits) == len("20060102150405") && string(digits[:4]) >= "2050"
	}
	return false
}

// Section 4.1.2.6: a CA has a name; others may do with a subjectAltName, which is
// critical then (section 4.2.1.6).
func strictSubject(s *subject) string {
	if !s.fields.subject.Empty() {
		if !wellFormedName(s.fields.subject) {
			return "it has an empty part, or one with more than a type and a value"
		}
		return ""
	}
	if !s.leaf || isCA(s.Certificate) {
		return "it is empty, in a CA certificate"
	}
	if san := s.find(idSubjectAltName); san == nil || !san.critical {
		return "it is empty, and there is no critical subjectAltName in its place"
	}
	return ""
}

// Section 4.1.2.8: there are none.
func strictUniqueIdentifiers(s *subject) string {
	if s.uniqueIDs {
		return "no CA may issue them"
	}
	return ""
}

// Section 4.2, and 4.1.2.9: at least one where there is the field, none twice, and
// each value the DER of one thing.
func strictExtensions(s *subject) string {
	if s.hasExtensions && len(s.extensions) == 0 {
		return "the field is there and empty"
	}
	if id := s.duplicate(); id != nil {
		return fmt.Sprintf("%s is there twice", extensionName(id))
	}
	for i := range s.extensions {
		value := cryptobyte.String(s.extensions[i].value)
		var skipped cryptobyte.String
		var tag asn1.Tag
		if !value.ReadAnyASN1(&skipped, &tag) || !value.Empty() {
			return fmt.Sprintf("the value of %s is not the DER of one thing", extensionName(s.extensions[i].id))
		}
	}
	return ""
}

func extensionName(id []byte) string {
	if len(id) == 3 && id[0] == idCE0 && id[1] == idCE1 && id[2] < 0x80 {
		return fmt.Sprintf("2.5.29.%d", id[2])
	}
	var oid x509.OID
	if len(id) > 32 || oid.UnmarshalBinary(id) != nil {
		return "an extension"
	}
	return oid.String()
}

// Section 4.2.1.1: the key identifier is there, but for self-signed certificates,
// and is that of the issuer (4.2.1.2); the issuer's name and number are both there
// or both not.
func strictAuthorityKeyIdentifier(s *subject) string {
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
func strictSubjectKeyIdentifier(s *subject) string {
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

// Section 4.2.1.3: at least one usage; every CA has the extension, with
// keyCertSign (also 6.1.4 (n)), and nobody else has keyCertSign.
func strictKeyUsage(s *subject) string {
	e := s.find(idKeyUsage)
	ca := isCA(s.Certificate)
	switch {
	case e == nil && (ca || !s.leaf):
		return "it is missing, in a CA certificate"
	case e == nil:
		return ""
	case s.KeyUsage == 0:
		return "it allows no use at all"
	case (ca || !s.leaf) && s.KeyUsage&x509.KeyUsageCertSign == 0:
		return "it does not allow a CA to sign certificates"
	case !ca && s.KeyUsage&x509.KeyUsageCertSign != 0:
		return "it allows to sign certificates, and this is no CA"
	}
	return ""
}

// Section 4.2.1.4: at least one policy. crypto/x509 refuses one that is there twice.
func strictCertificatePolicies(s *subject) string {
	return s.notEmpty(idCertificatePolicies)
}

func (s *subject) notEmpty(number byte) string {
	e := s.find(number)
	if e == nil {
		return ""
	}
	if content, ok := e.sequence(); !ok || content.Empty() {
		return "it is empty or malformed"
	}
	return ""
}

// Section 4.2.1.5: anyPolicy is not mapped.
func strictPolicyMappings(s *subject) string {
	for _, m := range s.PolicyMappings {
		if m.IssuerDomainPolicy.Equal(anyPolicy) || m.SubjectDomainPolicy.Equal(anyPolicy) {
			return "anyPolicy is mapped"
		}
	}
	return s.notEmpty(idPolicyMappings)
}

// Section 4.2.1.6: at least one name, no empty ones, domain names in the preferred
// syntax, URIs with a scheme. What crypto/x509 checks of mail and IP addresses is
// not repeated.
func strictSubjectAltName(s *subject) string {
	e := s.find(idSubjectAltName)
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
			return fmt.Sprintf("%s is no domain name", quotePart(string(name)))
		case tag == tagURI && !hasScheme(name):
			return fmt.Sprintf("%s is no absolute URI", quotePart(string(name)))
		}
	}
	return ""
}

// isGeneralName knows the nine kinds, each primitive or constructed as it must be:
// crypto/x509 does not see a dNSName that is not.
func isGeneralName(tag asn1.Tag) bool {
	switch number := tag &^ 0xe0; number {
	case 0, 3, 4, 5:
		return tag == number.ContextSpecific().Constructed()
	default:
		return number <= 8 && tag == number.ContextSpecific()
	}
}

// preferredSyntax is that of RFC 1034 section 3.5, as RFC 1123 section 2.1 changed
// it: labels of letters, digits and hyphens, which are not at the ends, at most 63
// octets each and 253 in all. The first label may be a wildcard, of which RFC 5280
// leaves the meaning to others.
func preferredSyntax(name []byte) bool {
	if rest, wildcard := bytes.CutPrefix(name, []byte("*.")); wildcard {
		name = rest
	}
	if len(name) == 0 || len(name) > 253 {
		return false
	}
	for label := range bytes.SplitSeq(name, []byte(".")) {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, b := range label {
			if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' {
				return false
			}
		}
	}
	return true
}

// hasScheme looks for what RFC 3986 section 3.1 calls a scheme, and something
// behind it.
func hasScheme(uri []byte) bool {
	colon := bytes.IndexByte(uri, ':')
	if colon < 1 || colon == len(uri)-1 {
		return false
	}
	for i, b := range uri[:colon] {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(b))) {
			return false
		}
	}
	return true
}

// Section 4.2.1.9: in every CA certificate, critical; a path length only in a CA
// that may sign certificates. Section 6.1.4 (k) asks for cA above the leaf.
func strictBasicConstraints(s *subject) string {
	e := s.find(idBasicConstraints)
	ca := isCA(s.Certificate)
	if !s.leaf && !ca {
		return "a certificate that issued another is no CA"
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
	case ca && !e.critical:
		return "it is not critical, in a CA certificate"
	case hasPathLength && (!ca || s.KeyUsage&x509.KeyUsageCertSign == 0):
		return "it has a path length, and this is no CA that signs certificates"
	}
	return ""
}

// Section 4.2.1.10: only in CA certificates, critical, and the subtrees without
// minimum and maximum, at which crypto/x509 does not look.
func strictNameConstraints(s *subject) string {
	e := s.find(idNameConstraints)
	if e == nil {
		return ""
	}
	switch {
	case !isCA(s.Certificate):
		return "it is in a certificate that is no CA's"
	case !e.critical:
		return "it is not critical"
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
		}
	}
	if !content.Empty() {
		return "it is malformed"
	}
	return ""
}

// Section 4.2.1.11: critical, and not empty; what crypto/x509 does not know in it,
// it passes over.
func strictPolicyConstraints(s *subject) string {
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
func strictExtKeyUsage(s *subject) string {
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

// Section 4.2.1.14: critical.
func strictInhibitAnyPolicy(s *subject) string {
	if e := s.find(idInhibitAnyPolicy); e != nil && !e.critical {
		return "it is not critical"
	}
	return ""
}
