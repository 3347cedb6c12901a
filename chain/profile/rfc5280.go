package profile

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// RFC5280 is a [chain.Policy] that asks every certificate, the root too, for what sections 4
// and 6 of RFC 5280 demand and crypto/x509 does not check. The error is a *[chain.Error]
// with the certificate, the rule and its section.
func RFC5280(c chain.Chain, at time.Time) error {
	return check(c, at, rfc5280)
}

const rfc5280Name = "RFC 5280"

var rfc5280 = []standard{{rfc5280Name, rfc5280Rules[:]}}

var rfc5280Rules = [...]rule{
	{"version", "4.1.2.1", rfcVersion},
	{"serialNumber", "4.1.2.2", rfcSerialNumber},
	{"issuer", "4.1.2.4", rfcIssuer},
	{"validity", "4.1.2.5", rfcValidity},
	{"subject", "4.1.2.6", rfcSubject},
	{"unique identifiers", "4.1.2.8", rfcUniqueIdentifiers},
	{"extensions", "4.2", rfcExtensions},
	{"authorityKeyIdentifier", "4.2.1.1", rfcAuthorityKeyIdentifier},
	{"subjectKeyIdentifier", "4.2.1.2", rfcSubjectKeyIdentifier},
	{"keyUsage", "4.2.1.3", rfcKeyUsage},
	{"certificatePolicies", "4.2.1.4", rfcCertificatePolicies},
	{"policyMappings", "4.2.1.5", rfcPolicyMappings},
	{"subjectAltName", "4.2.1.6", rfcSubjectAltName},
	{"issuerAltName", "4.2.1.7", rfcIssuerAltName},
	{"subjectDirectoryAttributes", "4.2.1.8", rfcSubjectDirectoryAttributes},
	{"basicConstraints", "4.2.1.9", rfcBasicConstraints},
	{"nameConstraints", "4.2.1.10", rfcNameConstraints},
	{"permitted names", "4.2.1.10", rfcPermittedNames},
	{"policyConstraints", "4.2.1.11", rfcPolicyConstraints},
	{"extKeyUsage", "4.2.1.12", rfcExtKeyUsage},
	{"cRLDistributionPoints", "4.2.1.13", rfcCRLDistributionPoints},
	{"inhibitAnyPolicy", "4.2.1.14", rfcInhibitAnyPolicy},
	{"freshestCRL", "4.2.1.15", rfcFreshestCRL},
	{"authorityInfoAccess", "4.2.2.1", rfcAuthorityInfoAccess},
	{"subjectInfoAccess", "4.2.2.2", rfcSubjectInfoAccess},
}

// Section 4.1.2.1: extensions are of version 3, unique identifiers of 2 and 3.
// crypto/x509 does not read them in the other versions.
func rfcVersion(s *subject) string {
	switch {
	case s.hasExtensions && s.version != 3:
		return fmt.Sprintf("it has extensions and is of version %d, not 3", s.version)
	case s.uniqueIDs && s.version < 2:
		return "it has unique identifiers and is of version 1"
	}
	return ""
}

// Section 4.1.2.2: a positive integer of at most 20 octets, counted as encoded.
func rfcSerialNumber(s *subject) string {
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
func rfcIssuer(s *subject) string {
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
func rfcValidity(s *subject) string {
	if !s.fields.notBefore.asInRFC5280() {
		return "notBefore is not written as it should be"
	}
	if !s.fields.notAfter.asInRFC5280() {
		return "notAfter is not written as it should be"
	}
	return ""
}

func (t timeField) asInRFC5280() bool {
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
func rfcSubject(s *subject) string {
	if !s.fields.subject.Empty() {
		if !wellFormedName(s.fields.subject) {
			return "it has an empty part, or one with more than a type and a value"
		}
		return s.rfcMail()
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

func (s *subject) rfcMail() string {
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
			return fmt.Sprintf("the mail address %s is not in the subjectAltName", safetext.Quote(address))
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
func rfcUniqueIdentifiers(s *subject) string {
	if s.uniqueIDs {
		return "no CA may issue them"
	}
	return ""
}

// Section 4.2, and 4.1.2.9: at least one where there is the field, none twice, and
// each in DER (section 4.1): the value that of one thing, and critical only written
// where it is TRUE (X.690 section 11.5).
func rfcExtensions(s *subject) string {
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
