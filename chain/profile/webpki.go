package profile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// WebPKI is a [chain.Policy] that asks for what the Baseline Requirements of the CA/Browser
// Forum, version 2, demand of public servers and their CAs, and for what RFC5280 does, but
// that a nameConstraints is critical. Its errors are those of RFC5280.
func WebPKI(c chain.Chain, at time.Time) error {
	return check(c, at, webPKI)
}

var webPKI = []standard{{"CA/Browser Forum BR", webPKIRules[:]}, {rfc5280Name, withoutCritical()}}

// withoutCritical are the rules of RFC 5280 with the exception of section 7.1.2.10.8: a
// nameConstraints may be critical or not.
func withoutCritical() []rule {
	rules := slices.Clone(rfc5280Rules[:])
	i := slices.IndexFunc(rules, func(r rule) bool { return r.name == "nameConstraints" })
	rules[i].broken = (*subject).nameConstraints
	return rules
}

// The sections of two rules are one level up, in the profile of roots (7.1.2.1) and
// in what all profiles share (7.1.2.11): it is not certain which part of them it is.
var webPKIRules = [...]rule{
	{"key size", "6.1.5", webPKIKey},
	{"RSA exponent", "6.1.6", webPKIExponent},
	{"validity", "6.3.2", webPKIValidity},
	{"version", "7.1.1", webPKIVersion},
	{"root authorityKeyIdentifier", "7.1.2.1", webPKIRootKeyIdentifier},
	{"root extKeyUsage", "7.1.2.1.2", webPKIRootUsage},
	{"basicConstraints", "7.1.2.7.8", webPKIBasicConstraints},
	{"extKeyUsage", "7.1.2.7.10", webPKIExtKeyUsage},
	{"keyUsage", "7.1.2.7.11", webPKIKeyUsage},
	{"subjectAltName", "7.1.2.7.12", webPKISubjectAltName},
	{"CA keyUsage", "7.1.2.10.7", webPKICAKeyUsage},
	{"authorityKeyIdentifier", "7.1.2.11", webPKIAuthorityKeyIdentifier},
	{"signature algorithm", "7.1.3.2", webPKISignature},
	{"commonName", "7.1.4.3", webPKICommonName},
}

// Section 6.1.5: RSA of at least 2048 bits and a multiple of 8, ECDSA on P-256,
// P-384 or P-521, and nothing else.
func webPKIKey(s *subject) string {
	switch key := s.PublicKey.(type) {
	case *rsa.PublicKey:
		switch bits := key.N.BitLen(); {
		case bits < 2048:
			return fmt.Sprintf("an RSA key has %d bits, and 2048 are asked for", bits)
		case bits%8 != 0:
			return fmt.Sprintf("an RSA key has %d bits, which is not a multiple of 8", bits)
		}
		return ""
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return ""
		}
		return fmt.Sprintf("an ECDSA key is on the curve %s", key.Curve.Params().Name)
	}
	if s.PublicKeyAlgorithm == x509.DSA {
		return "it is a DSA key"
	}
	return "the key is neither RSA nor ECDSA"
}

// Section 6.1.6: an odd public exponent of 3 or more.
func webPKIExponent(s *subject) string {
	if key, ok := s.PublicKey.(*rsa.PublicKey); ok && (key.E < 3 || key.E%2 == 0) {
		return fmt.Sprintf("it is %d", key.E)
	}
	return ""
}

// Section 6.3.2, with ballot SC-081: fewer days the later a certificate begins, which
// is when it was issued, give or take two days (section 7.1.2.7). Both ends count, and
// a day has 86,400 seconds. What begins before March 2018 is not asked.
func webPKIValidity(s *subject) string {
	if !s.leaf {
		return ""
	}
	days := 0
	for _, limit := range [...]struct{ year, month, day, days int }{
		{2018, 3, 1, 825}, {2020, 9, 1, 398}, {2026, 3, 15, 200}, {2027, 3, 15, 100}, {2029, 3, 15, 47},
	} {
		if !s.NotBefore.Before(time.Date(limit.year, time.Month(limit.month), limit.day, 0, 0, 0, 0, time.UTC)) {
			days = limit.days
		}
	}
	// Not by the difference of the times, which ends at 292 years.
	if days > 0 && !s.NotAfter.Before(s.NotBefore.Add(time.Duration(days)*24*time.Hour)) {
		return fmt.Sprintf("it is valid for more than %d days", days)
	}
	return ""
}

// Section 7.1.1: version 3, of roots too.
func webPKIVersion(s *subject) string {
	if s.version != 3 {
		return fmt.Sprintf("it is %d, not 3", s.version)
	}
	return ""
}

// Section 7.1.2.1.2: a root is not limited to usages. A CA below one may be, at the
// end of a chain too.
func webPKIRootUsage(s *subject) string {
	if s.root && !s.leaf && selfIssued(s.Certificate) && s.find(idExtKeyUsage) != nil {
		return "a root has one"
	}
	return ""
}

// Section 7.1.2.1: where a root has the extension, its key identifier is the root's
// own.
func webPKIRootKeyIdentifier(s *subject) string {
	e := s.find(idAuthorityKeyIdentifier)
	if e == nil || !s.root || !selfIssued(s.Certificate) {
		return ""
	}
	ids, ok := e.keyIdentifiers()
	switch {
	case !ok || !ids.hasKey:
		return "it has no key identifier"
	case !bytes.Equal(ids.key, s.SubjectKeyId):
		return "its key identifier is not that of the root"
	}
	return ""
}

// Section 7.1.2.7.8, and 7.1.2.7.6: a server certificate is not a CA, and says so in a
// critical extension if at all.
func webPKIBasicConstraints(s *subject) string {
	if !s.leaf {
		return ""
	}
	if isCA(s.Certificate) {
		return "a CA is not a server"
	}
	if e := s.find(idBasicConstraints); e != nil && !e.critical {
		return "it is not critical"
	}
	return ""
}

var oidPrecertificateSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 4}

// Section 7.1.2.7.10, and 7.1.2.7.6: present, not critical, with serverAuth, perhaps
// clientAuth, and none of those that are for others.
func webPKIExtKeyUsage(s *subject) string {
	if !s.leaf {
		return ""
	}
	switch e := s.find(idExtKeyUsage); {
	case e == nil:
		return "it is missing"
	case e.critical:
		return "it is critical"
	case !slices.Contains(s.ExtKeyUsage, x509.ExtKeyUsageServerAuth):
		return "serverAuth is not in it"
	}
	for _, usage := range s.ExtKeyUsage {
		switch usage {
		case x509.ExtKeyUsageAny:
			return "anyExtendedKeyUsage is in it"
		case x509.ExtKeyUsageCodeSigning:
			return "codeSigning is in it"
		case x509.ExtKeyUsageEmailProtection:
			return "emailProtection is in it"
		case x509.ExtKeyUsageTimeStamping:
			return "timeStamping is in it"
		case x509.ExtKeyUsageOCSPSigning:
			return "OCSPSigning is in it"
		}
	}
	if slices.ContainsFunc(s.UnknownExtKeyUsage, oidPrecertificateSigning.Equal) {
		return "the signing of precertificates is in it"
	}
	return ""
}

// Section 7.1.2.7.11: a server signs neither certificates nor revocation lists. An
// ECDSA key makes signatures, and perhaps agrees on keys.
func webPKIKeyUsage(s *subject) string {
	if !s.leaf || s.find(idKeyUsage) == nil {
		return ""
	}
	if s.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		return "it allows to sign certificates or revocation lists"
	}
	if _, ok := s.PublicKey.(*ecdsa.PublicKey); !ok {
		return ""
	}
	switch {
	case s.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return "it does not allow an ECDSA key to make signatures"
	case s.KeyUsage&^(x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement) != 0:
		return "it allows an ECDSA key more than signatures and key agreement"
	}
	return ""
}

// Section 7.1.2.10.7: the keyUsage of a CA is critical and allows revocation lists
// too. Roots are not asked, of which some that go on to be used are older.
func webPKICAKeyUsage(s *subject) string {
	e := s.find(idKeyUsage)
	switch {
	case e == nil || s.leaf || s.root && selfIssued(s.Certificate):
		return ""
	case !e.critical:
		return "it is not critical, in a CA certificate"
	case s.KeyUsage&x509.KeyUsageCRLSign == 0:
		return "it does not allow a CA to sign revocation lists"
	}
	return ""
}

// Section 7.1.2.7.12: present, of host names and public IP addresses only, and
// critical where there is no other name and only there.
func webPKISubjectAltName(s *subject) string {
	if !s.leaf {
		return ""
	}
	e := s.find(idSubjectAltName)
	if e == nil {
		return "it is missing"
	}
	names, ok := e.sequence()
	switch {
	case !ok || names.Empty():
		return "it is empty or malformed"
	case e.critical && !s.fields.subject.Empty():
		return "it is critical, and the subject is not empty"
	case !e.critical && s.fields.subject.Empty():
		return "it is not critical, and the subject is empty"
	}
	for !names.Empty() {
		var name cryptobyte.String
		var tag cbasn1.Tag
		switch ok := names.ReadAnyASN1(&name, &tag); {
		case !ok:
			return "it is malformed"
		case tag == tagDNSName:
			if how := webPKIHostName(string(name)); how != "" {
				return safetext.Quote(string(name)) + " " + how
			}
		case tag == tagIP && len(name) != 4 && len(name) != 16:
			return "an IP address is malformed"
		case tag == tagIP && isReserved(name):
			addr, _ := netip.AddrFromSlice(name)
			return addr.String() + " is a reserved IP address"
		case tag != tagIP:
			return "it has names that are neither of hosts nor IP addresses"
		}
	}
	return ""
}

// Section 7.1.2.11: the key identifier says who the issuer is, and nothing else.
func webPKIAuthorityKeyIdentifier(s *subject) string {
	e := s.find(idAuthorityKeyIdentifier)
	if e == nil {
		return ""
	}
	switch ids, ok := e.keyIdentifiers(); {
	case !ok || !ids.hasKey:
		return "it has no key identifier"
	case ids.hasIssuer || ids.hasSerial:
		return "it has the issuer's name or serial number"
	}
	return ""
}

// Sections 7.1.3.2.1 and 7.1.3.2.2: RSA with SHA-256, SHA-384 or SHA-512, and ECDSA
// with the one of them that goes with the curve, each in the one encoding that is
// given there. The root's signature does not count: existing roots with SHA-1 may go
// on to be used (section 7.1.3, before version 2).
func webPKISignature(s *subject) string {
	if s.root && selfIssued(s.Certificate) {
		return ""
	}
	for _, allowed := range webPKISignatures {
		if allowed.algorithm != s.SignatureAlgorithm {
			continue
		}
		if string(s.algorithm) != allowed.der {
			return fmt.Sprintf("%s is not encoded as it must be", s.SignatureAlgorithm)
		}
		if s.issuer == nil || allowed.curve == "" {
			return ""
		}
		if key, ok := s.issuer.PublicKey.(*ecdsa.PublicKey); ok && key.Curve.Params().Name != allowed.curve {
			return fmt.Sprintf("%s is not allowed for a key on %s", s.SignatureAlgorithm, key.Curve.Params().Name)
		}
		return ""
	}
	return fmt.Sprintf("%s is not allowed", s.SignatureAlgorithm)
}

const (
	derRSA = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"         // pkcs-1, but for its last number
	derSHA = "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" // the same of the SHA-2 hashes
	derEC  = "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"             // and of ecdsa-with-SHA2
	null   = "\x05\x00"

	derPSS  = derRSA + "\x0a\x30\x34\xa0\x0f" + derSHA
	derMGF1 = null + "\xa1\x1c\x30\x1a" + derRSA + "\x08" + derSHA
	derSalt = null + "\xa2\x03\x02\x01"
)

var webPKISignatures = [...]struct {
	algorithm x509.SignatureAlgorithm
	der       string // the content of the AlgorithmIdentifier
	curve     string
}{
	{x509.SHA256WithRSA, derRSA + "\x0b" + null, ""},
	{x509.SHA384WithRSA, derRSA + "\x0c" + null, ""},
	{x509.SHA512WithRSA, derRSA + "\x0d" + null, ""},
	{x509.SHA256WithRSAPSS, derPSS + "\x01" + derMGF1 + "\x01" + derSalt + "\x20", ""},
	{x509.SHA384WithRSAPSS, derPSS + "\x02" + derMGF1 + "\x02" + derSalt + "\x30", ""},
	{x509.SHA512WithRSAPSS, derPSS + "\x03" + derMGF1 + "\x03" + derSalt + "\x40", ""},
	{x509.ECDSAWithSHA256, derEC + "\x02", "P-256"},
	{x509.ECDSAWithSHA384, derEC + "\x03", "P-384"},
	{x509.ECDSAWithSHA512, derEC + "\x04", "P-521"},
}

var oidCommonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// Section 7.1.4.3: at most one, and a copy of a name in the subjectAltName.
func webPKICommonName(s *subject) string {
	if !s.leaf {
		return ""
	}
	count, name := 0, ""
	for _, attribute := range s.Subject.Names {
		if attribute.Type.Equal(oidCommonName) {
			count++
			name, _ = attribute.Value.(string)
		}
	}
	switch {
	case count == 0:
		return ""
	case count > 1:
		return fmt.Sprintf("there are %d", count)
	case slices.Contains(s.DNSNames, name):
		return ""
	}
	for _, ip := range s.IPAddresses {
		// String writes IPv4 as RFC 3986 section 3.2.2 has it, and IPv6 as RFC 5952 does.
		if addr, ok := netip.AddrFromSlice(ip); ok && addr.String() == name {
			return ""
		}
	}
	return safetext.Quote(name) + " is not a name in the subjectAltName"
}
