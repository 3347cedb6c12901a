package chain

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Strict is a [Policy] that asks every certificate of a chain, the root too, for
// what RFC 5280 demands of certificates and paths (sections 4 and 6) and
// crypto/x509 lets pass: the encoding, version, serial number, names and times;
// that extensions are there, once, critical or not, and not empty; that key
// identifiers match; what only a CA may have and what each CA must.
//
// It can only refuse. What the standard recommends, it does not ask for, and what
// crypto/x509 checks, it leaves to it. The upper bounds and string types of
// attributes are of appendix A and not asked for, nor are the parameters of a
// signature algorithm, which RFC 4055 section 5 has verifiers accept with and
// without NULL. The error is an *[Error] that tells the certificate, the rule and
// its section.
//
// Strict costs a few microseconds a chain. Some public roots fail it, most of them
// older than the standard: those of version 1, with the serial number zero, without
// key identifiers, or with a keyUsage that is not in DER.
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
	{"issuerAltName", "4.2.1.7", strictIssuerAltName},
	{"subjectDirectoryAttributes", "4.2.1.8", strictSubjectDirectoryAttributes},
	{"basicConstraints", "4.2.1.9", strictBasicConstraints},
	{"nameConstraints", "4.2.1.10", strictNameConstraints},
	{"policyConstraints", "4.2.1.11", strictPolicyConstraints},
	{"extKeyUsage", "4.2.1.12", strictExtKeyUsage},
	{"cRLDistributionPoints", "4.2.1.13", strictCRLDistributionPoints},
	{"inhibitAnyPolicy", "4.2.1.14", strictInhibitAnyPolicy},
	{"freshestCRL", "4.2.1.15", strictFreshestCRL},
	{"authorityInfoAccess", "4.2.2.1", strictAuthorityInfoAccess},
	{"subjectInfoAccess", "4.2.2.2", strictSubjectInfoAccess},
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
	if !zulu || slices.ContainsFunc(digits, func(b byte) bool { return !isDigit(b) }) {
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
// critical then (section 4.2.1.6). A mail address is in the subjectAltName too: the
// constraints of section 4.2.1.10 are about the names there.
func strictSubject(s *subject) string {
	if !s.fields.subject.Empty() {
		if !wellFormedName(s.fields.subject) {
			return "it has an empty part, or one with more than a type and a value"
		}
		return s.strictMail()
	}
	if !s.leaf || isCA(s.Certificate) {
		return "it is empty, in a CA certificate"
	}
	if san := s.find(idSubjectAltName); san == nil || !san.critical {
		return "it is empty, and there is no critical subjectAltName in its place"
	}
	return ""
}

var oidMailAddress = []int{1, 2, 840, 113549, 1, 9, 1}

func (s *subject) strictMail() string {
	var known map[string]bool
	for _, attribute := range s.Certificate.Subject.Names {
		if !attribute.Type.Equal(oidMailAddress) {
			continue
		}
		if known == nil {
			known = make(map[string]bool, len(s.EmailAddresses))
			for _, address := range s.EmailAddresses {
				known[sameMail(address)] = true
			}
		}
		if address, _ := attribute.Value.(string); !known[sameMail(address)] {
			return fmt.Sprintf("the mail address %s is not in the subjectAltName", quote.Text(address))
		}
	}
	return ""
}

// sameMail is the same for addresses that section 7.5 takes for equal: those of
// which the host differs in case.
func sameMail(address string) string {
	at := strings.LastIndexByte(address, '@')
	return address[:at+1] + strings.ToLower(address[at+1:])
}

// Section 4.1.2.8: there are none.
func strictUniqueIdentifiers(s *subject) string {
	if s.uniqueIDs {
		return "no CA may issue them"
	}
	return ""
}

// Section 4.2, and 4.1.2.9: at least one where there is the field, none twice, and
// each in DER (section 4.1): the value that of one thing, and critical only written
// where it is TRUE (X.690 section 11.5).
func strictExtensions(s *subject) string {
	if s.hasExtensions && len(s.extensions) == 0 {
		return "the field is there and empty"
	}
	if id := s.duplicate(); id != nil {
		return fmt.Sprintf("%s is there twice", extensionName(id))
	}
	for i := range s.extensions {
		if s.extensions[i].writtenFalse {
			return fmt.Sprintf("%s has critical written out as FALSE", extensionName(s.extensions[i].id))
		}
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
	if oid.UnmarshalBinary(id) != nil {
		return "an extension"
	}
	return safetext.OID(oid, safetext.Most)
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

// Section 4.2.1.3: at least one usage of the nine, in DER (section 4.1), which leaves
// away the zeros at the end (X.690 section 11.2.2); every CA has the extension, with
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
	case !e.namedBits(9):
		return "its bits are not in DER, or there are more than nine"
	case (ca || !s.leaf) && s.KeyUsage&x509.KeyUsageCertSign == 0:
		return "it does not allow a CA to sign certificates"
	case !ca && s.KeyUsage&x509.KeyUsageCertSign != 0:
		return "it allows to sign certificates, and this is no CA"
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
// field, and those of anyPolicy are a CPS or a user notice. crypto/x509 refuses a
// policy that is there twice.
func strictCertificatePolicies(s *subject) string {
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
			if string(id) == idAnyPolicy && string(kind) != idQT+"\x01" && string(kind) != idQT+"\x02" {
				return "anyPolicy has a qualifier that is neither a CPS nor a user notice"
			}
		}
	}
	return ""
}

// idAnyPolicy is the DER of anyPolicy, 2.5.29.32.0.
const idAnyPolicy = "\x55\x1d\x20\x00"

// notEmpty tells what is wrong with an extension that is a SEQUENCE SIZE (1..MAX);
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
func strictPolicyMappings(s *subject) string {
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
func strictSubjectAltName(s *subject) string {
	return s.find(idSubjectAltName).alternativeNames()
}

// Section 4.2.1.7: as in a subjectAltName.
func strictIssuerAltName(s *subject) string {
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
			return fmt.Sprintf("%s is no domain name", quote.Text(string(name)))
		case tag == tagMail && !isMailbox(name):
			return fmt.Sprintf("%s is no mailbox", quote.Text(string(name)))
		case tag == tagURI && !isAbsoluteURI(name):
			return fmt.Sprintf("%s is no absolute URI", quote.Text(string(name)))
		case tag == tagIP && len(name) != 4 && len(name) != 16:
			return fmt.Sprintf("an IP address has %d octets", len(name))
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
			if !isLetterOrDigit(b) && b != '-' {
				return false
			}
		}
	}
	return true
}

// isHost is a domain name that is no wildcard; the dots and digits of an IPv4 address
// are in its syntax.
func isHost(name []byte) bool { return preferredSyntax(name) && name[0] != '*' }

// isMailbox knows the Mailbox of RFC 2821 section 4.1.2: a dot-string or a quoted
// string, an at sign, and a domain name or an address in brackets; with nothing
// before it, behind it or around it.
func isMailbox(address []byte) bool {
	at := bytes.LastIndexByte(address, '@')
	if at < 1 {
		return false
	}
	local, domain := address[:at], address[at+1:]
	if local[0] == '"' {
		if !isQuoted(local) {
			return false
		}
	} else {
		for atom := range bytes.SplitSeq(local, []byte(".")) {
			if len(atom) == 0 || slices.ContainsFunc(atom, func(b byte) bool {
				return !isLetterOrDigit(b) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", b) < 0
			}) {
				return false
			}
		}
	}
	if literal, ok := bytes.CutPrefix(domain, []byte("[")); ok {
		literal, ok = bytes.CutSuffix(literal, []byte("]"))
		return ok && len(literal) > 0 && !slices.ContainsFunc(literal, func(b byte) bool {
			return b < '!' || b > '~' || b >= '[' && b <= ']'
		})
	}
	return isHost(domain)
}

// isQuoted knows a Quoted-string: printable octets between quotes, where a backslash
// comes before each quote and backslash.
func isQuoted(s []byte) bool {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return false
	}
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == '"' {
			return false
		}
		if i == len(s) || s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isLetterOrDigit(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// isAbsoluteURI asks for what section 4.2.1.6 demands of a URI: the characters of
// RFC 3986 section 2, a scheme (section 3.1), something behind it, and, where that
// begins with an authority (section 3.2), a domain name or IP address in it.
func isAbsoluteURI(uri []byte) bool {
	for i, b := range uri {
		if b == '%' {
			if len(uri) < i+3 || !isHex(uri[i+1]) || !isHex(uri[i+2]) {
				return false
			}
		} else if !isLetterOrDigit(b) && strings.IndexByte("-._~:/?#[]@!$&'()*+,;=", b) < 0 {
			return false
		}
	}
	colon := bytes.IndexByte(uri, ':')
	if colon < 1 || colon == len(uri)-1 || !isLetterOrDigit(uri[0]) || isDigit(uri[0]) {
		return false
	}
	if slices.ContainsFunc(uri[:colon], func(b byte) bool {
		return !isLetterOrDigit(b) && b != '+' && b != '-' && b != '.'
	}) {
		return false
	}
	authority, ok := bytes.CutPrefix(uri[colon+1:], []byte("//"))
	if !ok {
		return true
	}
	if end := bytes.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	return hasHost(authority[bytes.LastIndexByte(authority, '@')+1:])
}

// hasHost takes a host and perhaps a port.
func hasHost(s []byte) bool {
	host, port := s, []byte(nil)
	if literal, ok := bytes.CutPrefix(s, []byte("[")); ok {
		end := bytes.IndexByte(literal, ']')
		if end < 0 || end > 45 { // the longest address has 45 characters
			return false
		}
		addr, err := netip.ParseAddr(string(literal[:end]))
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return false
		}
		host, port = nil, literal[end+1:]
		if len(port) > 0 && port[0] != ':' {
			return false
		}
		port = bytes.TrimPrefix(port, []byte(":"))
	} else if colon := bytes.IndexByte(s, ':'); colon >= 0 {
		host, port = s[:colon], s[colon+1:]
	}
	if slices.ContainsFunc(port, func(b byte) bool { return !isDigit(b) }) {
		return false
	}
	return host == nil || isHost(bytes.TrimSuffix(host, []byte(".")))
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isHex(b byte) bool { return isDigit(b) || b|0x20 >= 'a' && b|0x20 <= 'f' }

// Section 4.2.1.8: at least one attribute, and not critical.
func strictSubjectDirectoryAttributes(s *subject) string {
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
	case there && !ca:
		return "cA is written out as FALSE"
	case ca && !e.critical:
		return "it is not critical, in a CA certificate"
	case hasPathLength && (!ca || s.KeyUsage&x509.KeyUsageCertSign == 0):
		return "it has a path length, and this is no CA that signs certificates"
	}
	return ""
}

// Section 4.2.1.10: only in CA certificates, critical, the subtrees without minimum
// and maximum, at which crypto/x509 does not look, and those of URIs a domain name,
// perhaps with a dot before it.
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
			if kind == tagURI && !isHost(bytes.TrimPrefix(base, []byte("."))) {
				return fmt.Sprintf("%s is no host or domain for URIs", quote.Text(string(base)))
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

// Section 4.2.1.13: at least one point, each with a name or the issuer of its lists.
func strictCRLDistributionPoints(s *subject) string {
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
func strictInhibitAnyPolicy(s *subject) string {
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
func strictFreshestCRL(s *subject) string {
	e := s.find(idFreshestCRL)
	if e != nil && e.critical {
		return "it is critical"
	}
	return e.distributionPoints()
}

// Section 4.2.2.1: at least one description, each a method and a location, and not
// critical.
func strictAuthorityInfoAccess(s *subject) string {
	return s.findAccess(idAuthorityInfoAccess).accessDescriptions()
}

// Section 4.2.2.2: the same.
func strictSubjectInfoAccess(s *subject) string {
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
