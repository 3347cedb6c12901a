package chain

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
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// WebPKI is a [Policy] that asks a chain for what the Baseline Requirements of the
// CA/Browser Forum demand of public server certificates and the CAs above them, as
// far as a certificate shows it: version 3, keys and signature algorithms, extended
// key usages, and a subjectAltName of well-formed host names and IP addresses in
// which the common name, if there is one, is found again.
//
// It comes on top of [Strict] and does not repeat it: All(Strict, WebPKI) is both.
// The error is an *[Error] that tells the certificate, the rule and its section (of
// version 2 of the requirements).
//
// It holds no lists that change, so that it knows nothing of public suffixes,
// top-level domains and reserved IP addresses, and it does not ask for how long a
// certificate is valid, for certificate policies, or for Certificate
// Transparency.
func WebPKI(c Chain, at time.Time) error {
	return judge(c, at, "CA/Browser Forum BR", webPKIRules[:])
}

var webPKIRules = [...]rule{
	{"key size", "6.1.5", webPKIKey},
	{"RSA exponent", "6.1.6", webPKIExponent},
	{"version", "7.1.1", webPKIVersion},
	{"root extKeyUsage", "7.1.2.1.2", webPKIRootUsage},
	{"root authorityKeyIdentifier", "7.1.2.1.3", webPKIRootKeyIdentifier},
	{"basicConstraints", "7.1.2.7.8", webPKIBasicConstraints},
	{"extKeyUsage", "7.1.2.7.10", webPKIExtKeyUsage},
	{"keyUsage", "7.1.2.7.11", webPKIKeyUsage},
	{"subjectAltName", "7.1.2.7.12", webPKISubjectAltName},
	{"authorityKeyIdentifier", "7.1.2.11.1", webPKIAuthorityKeyIdentifier},
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
			return fmt.Sprintf("an RSA key has %d bits, which is no multiple of 8", bits)
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

// Section 7.1.2.1.3: where a root has the extension, its key identifier is the
// root's own.
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

// Section 7.1.2.7.8: a server certificate is no CA.
func webPKIBasicConstraints(s *subject) string {
	if s.leaf && isCA(s.Certificate) {
		return "a CA is no server"
	}
	return ""
}

// Section 7.1.2.7.10 and the table of 7.1.2.7.6: present, not critical, with
// serverAuth, perhaps clientAuth, and none of those that are for others.
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
	return ""
}

// Section 7.1.2.7.11: a server signs neither certificates nor revocation lists.
func webPKIKeyUsage(s *subject) string {
	if s.leaf && s.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		return "it allows to sign certificates or revocation lists"
	}
	return ""
}

// Section 7.1.2.7.12: present, of host names and IP addresses only, and critical
// where there is no other name and only there.
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
				return quotePart(string(name)) + " " + how
			}
		case tag == tagIP && len(name) != 4 && len(name) != 16:
			return "an IP address is malformed"
		case tag != tagIP:
			return "it has names that are neither of hosts nor IP addresses"
		}
	}
	return ""
}

// webPKIHostName tells what is wrong with a dNSName. Sections 7.1.2.7.12 and 1.6.1:
// a fully qualified domain name in labels of letters, digits and hyphens, of
// which those with hyphens in the third and fourth place are internationalised;
// and a wildcard is "*." and such a name. Section 3.2.2.6: a wildcard is not for a
// whole top-level domain.
func webPKIHostName(name string) string {
	domain, wildcard := strings.CutPrefix(name, "*.")
	if strings.Contains(domain, "*") {
		return "has a wildcard that is not the whole leftmost label"
	}
	if wildcard && !strings.Contains(domain, ".") {
		return "is a wildcard for a whole top-level domain"
	}
	if _, err := netip.ParseAddr(domain); err == nil {
		return "is an IP address"
	}
	if !preferredSyntax([]byte(domain)) {
		return "is no domain name"
	}
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return "ends like an IP address"
	}
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) >= 4 && label[2:4] == "--" && (len(label) == 4 || !strings.EqualFold(label[:2], "xn")) {
			return "has a reserved label"
		}
	}
	return ""
}

// Section 7.1.2.11.1: the key identifier says who the issuer is, and nothing else.
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
// with the one of them that goes with the curve. The root's signature does not
// count: those of SHA-1 roots may go on to be used (section 7.1.3, before version 2).
func webPKISignature(s *subject) string {
	if s.root && selfIssued(s.Certificate) {
		return ""
	}
	var curve elliptic.Curve
	switch s.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		return ""
	case x509.ECDSAWithSHA256:
		curve = elliptic.P256()
	case x509.ECDSAWithSHA384:
		curve = elliptic.P384()
	case x509.ECDSAWithSHA512:
		curve = elliptic.P521()
	default:
		return fmt.Sprintf("%s is not allowed", s.SignatureAlgorithm)
	}
	if s.issuer == nil {
		return ""
	}
	if key, ok := s.issuer.PublicKey.(*ecdsa.PublicKey); ok && key.Curve != curve {
		return fmt.Sprintf("%s is not allowed for a key on %s", s.SignatureAlgorithm, key.Curve.Params().Name)
	}
	return ""
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
	return quotePart(name) + " is not a name in the subjectAltName"
}
