package profile_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/profile"
	"github.com/go-pkioverheid/trust/truststore"
)

// ruleTest has a change of one certificate of a chain that breaks one rule, and one
// that is as close to it as can be and keeps it. Without a certificate both are in
// the leaf.
type ruleTest struct {
	name   string
	rule   string // with its section
	cert   int    // 0 for the leaf, 1 for the issuing CA, 2 for the root
	broken change
	kept   change
	what   string // part of the error, if the rule can be broken in several ways
}

const (
	inLeaf = iota
	inCA
	inRoot
)

var rfc5280RuleTests = slices.Concat(permittedNameTests, []ruleTest{
	{"data after the signature changes the fingerprint of a certificate", "certificate 4.1", inLeaf,
		func(f *forged) { f.behind = []byte{5, 0} }, nil, "after the signature"},
	{"so do unused bits in the signature", "certificate 4.1", inLeaf,
		func(f *forged) { f.shifted = true }, nil, "whole octets"},
	{"fields after the extensions are of no version", "certificate 4.1", inLeaf,
		func(f *forged) { f.more = tagged(0xa4, []byte{5, 0}) }, nil, "no version has"},
	{"fields before the extensions hide them from crypto/x509", "certificate 4.1", inLeaf,
		func(f *forged) { f.unique = tagged(0xa1, []byte{5, 0}) }, nil, "no version has"},
	{"an extension has nothing after its value", "certificate 4.1", inLeaf,
		func(f *forged) { f.extensions[0].more = []byte{5, 0} }, nil, "one of its extensions is malformed"},
	{"the validity is two times and nothing else", "certificate 4.1", inLeaf,
		func(f *forged) { f.notAfter = append(f.notAfter, 5, 0) }, nil, "content is malformed"},

	{"extensions are of version 3, not 2", "version 4.1.2.1", inLeaf,
		func(f *forged) { f.version[4] = 1 }, nil, "version 2"},
	{"unique identifiers are not of version 1", "version 4.1.2.1", inRoot,
		func(f *forged) { f.version, f.noExts, f.unique = nil, true, tagged(0x81, []byte{0, 1}) }, nil, "of version 1"},

	{"a serial number is not zero", "serialNumber 4.1.2.2", inLeaf,
		func(f *forged) { f.serial = []byte{0} }, func(f *forged) { f.serial = []byte{1} }, "zero"},
	{"a serial number has at most 20 octets", "serialNumber 4.1.2.2", inLeaf,
		func(f *forged) { f.serial = bytes.Repeat([]byte{1}, 21) },
		func(f *forged) { f.serial = bytes.Repeat([]byte{1}, 20) }, "21 octets"},
	{"an octet for the sign counts", "serialNumber 4.1.2.2", inLeaf,
		func(f *forged) { f.serial = append([]byte{0}, bytes.Repeat([]byte{0xff}, 20)...) },
		func(f *forged) { f.serial = append([]byte{0}, bytes.Repeat([]byte{0xff}, 19)...) }, "21 octets"},
	{"the serial number of a root counts too", "serialNumber 4.1.2.2", inRoot,
		func(f *forged) { f.serial = []byte{0} }, func(f *forged) { f.serial = []byte{1} }, "zero"},

	{"an empty part makes no name of an issuer", "issuer 4.1.2.4", inLeaf,
		func(f *forged) { f.issuer = seq(tagged(0x31, []byte{})) }, nil, "empty part"},
	{"the name of an issuer is not empty", "issuer 4.1.2.4", inLeaf,
		func(f *forged) { f.issuer = seq() }, nil, "it is empty"},

	{"years before 2050 are UTCTime", "validity 4.1.2.5", inLeaf,
		func(f *forged) { f.notAfter = generalizedTime("20491231235959Z") },
		func(f *forged) { f.notAfter = utcTime("491231235959Z") }, "notAfter"},
	{"years from 2050 are GeneralizedTime, without an offset", "validity 4.1.2.5", inLeaf,
		func(f *forged) { f.notAfter = generalizedTime("20500101000000+0100") },
		func(f *forged) { f.notAfter = generalizedTime("20500101000000Z") }, "notAfter"},
	{"the end that never comes is in order", "validity 4.1.2.5", inLeaf,
		func(f *forged) { f.notBefore = generalizedTime("20211101120000Z") },
		func(f *forged) { f.notAfter = generalizedTime("99991231235959Z") }, "notBefore"},
	{"a time has seconds", "validity 4.1.2.5", inLeaf,
		func(f *forged) { f.notBefore = utcTime("2111011200Z") },
		func(f *forged) { f.notBefore = utcTime("211101120000Z") }, "notBefore"},
	{"a time has no offset", "validity 4.1.2.5", inLeaf,
		func(f *forged) { f.notBefore = utcTime("211101120000+0100") },
		func(f *forged) { f.notBefore = utcTime("991101120000Z") }, "notBefore"},

	{"an empty subject needs a critical subjectAltName", "subject 4.1.2.6", inLeaf,
		changes(noSubject, with(17, false, seq(tagged(0x82, "host.example")))), forHosts("host.example"), "no critical subjectAltName"},
	{"an empty subject needs a subjectAltName", "subject 4.1.2.6", inLeaf,
		changes(noSubject, without(17)), without(17), "no critical subjectAltName"},
	{"a subject has no empty part", "subject 4.1.2.6", inLeaf,
		subjectOf(tagged(0x31, []byte{}), rdn(3, "host.example")), subjectOf(rdn(10, "Organisation"), rdn(3, "host.example")), "empty part"},

	{"a name has no empty string", "subject 4.1.2.6", inLeaf,
		subjectOf(rdn(10, ""), rdn(3, "host.example")), subjectOf(rdn(10, " "), rdn(3, "host.example")), "empty part"},
	{"nor has that of an issuer", "issuer 4.1.2.4", inRoot,
		func(f *forged) { f.issuer = seq(rdn(3, "")) }, nil, "empty part"},
	{"a mail address is in the subjectAltName too", "subject 4.1.2.6", inLeaf,
		subjectOf(mailRDN("a@host.example")), mailToo("a@host.example", "a@HOST.example"), "a@host.example"},
	{"a mail address is that in the subjectAltName", "subject 4.1.2.6", inLeaf,
		mailToo("a@host.example", "A@host.example"), mailToo("A@Host.example", "A@host.example"), "a@host.example"},

	{"nobody issues unique identifiers", "unique identifiers 4.1.2.8", inLeaf,
		func(f *forged) { f.unique = tagged(0x82, []byte{0, 1}) }, nil, ""},

	{"a value is one thing and nothing after it", "extensions 4.2", inLeaf,
		with(99, false, []byte{5, 0, 5, 0}), with(99, false, []byte{5, 0}), "2.5.29.99"},
	{"an extension that is not critical does not say so", "extensions 4.2", inLeaf,
		func(f *forged) { f.extensions[0].writtenFalse = true }, nil, "2.5.29.14 has critical"},
	{"a value is DER", "extensions 4.2", inLeaf,
		with(99, false, []byte("text")), with(99, false, tagged(0x0c, "text")), "2.5.29.99"},

	{"a certificate names the key of its issuer", "authorityKeyIdentifier 4.2.1.1", inLeaf, without(35), nil, "missing"},
	{"a CA below the root names it too", "authorityKeyIdentifier 4.2.1.1", inCA, without(35), nil, "missing"},
	{"a key identifier is asked for, the issuer's name and number are not enough", "authorityKeyIdentifier 4.2.1.1", inLeaf,
		with(35, false, seq(tagged(0xa1, tagged(0xa4, nameDER("Root"))), tagged(0x82, []byte{1}))), nil, "no key identifier"},
	{"the issuer's number does not come without its name", "authorityKeyIdentifier 4.2.1.1", inRoot,
		with(35, false, seq(tagged(0x82, []byte{1}))), without(35), "not the other"},
	{"a key identifier is the issuer's", "authorityKeyIdentifier 4.2.1.1", inLeaf,
		with(35, false, seq(tagged(0x80, "another"))), nil, "not the subjectKeyIdentifier"},
	{"nothing comes after the issuer's number", "authorityKeyIdentifier 4.2.1.1", inRoot,
		with(35, false, seq([]byte{5, 0})), without(35), "malformed"},

	{"a root names its key", "subjectKeyIdentifier 4.2.1.2", inRoot, without(14), nil, "missing"},
	{"a CA names its key", "subjectKeyIdentifier 4.2.1.2", inCA, without(14), nil, "missing"},
	{"a leaf need not, but not with an empty one", "subjectKeyIdentifier 4.2.1.2", inLeaf,
		with(14, false, octets(nil)), without(14), "empty"},

	{"a CA has a keyUsage", "keyUsage 4.2.1.3", inCA, without(15), nil, "missing"},
	{"a root has a keyUsage", "keyUsage 4.2.1.3", inRoot, without(15), nil, "missing"},
	{"a keyUsage allows something", "keyUsage 4.2.1.3", inLeaf, with(15, true, []byte{3, 1, 0}), without(15), "no use"},
	{"a CA may sign certificates", "keyUsage 4.2.1.3", inRoot,
		with(15, true, []byte{3, 2, 1, 0x02}), with(15, true, []byte{3, 2, 2, 0x04}), "does not allow a CA"},
	{"nobody else may", "keyUsage 4.2.1.3", inLeaf,
		with(15, true, []byte{3, 2, 2, 0x84}), with(15, true, []byte{3, 2, 7, 0x80}), "this is not a CA"},

	{"usages have no zeros after the last", "keyUsage 4.2.1.3", inLeaf,
		with(15, true, []byte{3, 2, 0, 0x80}), with(15, true, []byte{3, 2, 5, 0xa0}), "not in DER"},
	{"usages have no octet of zeros after the last", "keyUsage 4.2.1.3", inLeaf,
		with(15, true, []byte{3, 3, 0, 0x80, 0}), with(15, true, []byte{3, 3, 7, 0x08, 0x80}), "not in DER"},
	{"there are nine usages", "keyUsage 4.2.1.3", inLeaf,
		with(15, true, []byte{3, 3, 6, 0x80, 0x40}), with(15, true, []byte{3, 2, 3, 0x78}), "more than nine"},

	{"a list of policies is not empty", "certificatePolicies 4.2.1.4", inLeaf,
		with(32, false, seq()), with(32, false, seq(seq(oidDER(1, 2, 3)))), ""},
	{"a list of qualifiers is not empty", "certificatePolicies 4.2.1.4", inLeaf,
		with(32, false, seq(seq(oidDER(1, 2, 3), seq()))), with(32, false, seq(seq(oidDER(1, 2, 3)), qualified(1, 2, 4))), "malformed"},
	{"anyPolicy has the qualifiers that all know", "certificatePolicies 4.2.1.4", inCA,
		with(32, false, seq(seq(oidDER(2, 5, 29, 32, 0), seq(seq(oidDER(1, 2, 3), []byte{5, 0}))))),
		with(32, false, seq(qualified(2, 5, 29, 32, 0), seq(oidDER(1, 2, 4), seq(seq(oidDER(1, 2, 3), []byte{5, 0}))))), "anyPolicy"},
	{"a critical extension has no qualifiers that not all know", "certificatePolicies 4.2.1.4", inLeaf,
		with(32, true, seq(seq(oidDER(1, 2, 4), seq(seq(oidDER(1, 2, 3), []byte{5, 0}))))),
		with(32, true, seq(qualified(1, 2, 4))), "it is critical"},
	{"anyPolicy is not mapped", "policyMappings 4.2.1.5", inCA,
		with(33, true, seq(seq(oidDER(2, 5, 29, 32, 0), oidDER(1, 2, 3)))),
		with(33, true, seq(seq(oidDER(1, 2, 4), oidDER(1, 2, 3)))), "anyPolicy"},
	{"a policy has an identifier that ends", "policyMappings 4.2.1.5", inCA,
		with(33, true, seq(seq(oidDER(1, 2, 4), tagged(0x06, []byte{0x55, 0x1d, 0x20, 0x80})))),
		with(33, true, seq(seq(oidDER(1, 2, 4), tagged(0x06, []byte{0x55, 0x1d, 0x20, 0x81, 0x00})))), "malformed"},
	{"and has no zeros before its numbers", "policyMappings 4.2.1.5", inCA,
		with(33, true, seq(seq(tagged(0x06, []byte{0x55, 0x1d, 0x80, 0x20}), oidDER(1, 2, 3)))),
		with(33, true, seq(seq(tagged(0x06, []byte{0x55, 0x1d, 0x81, 0x80, 0x20}), oidDER(1, 2, 3)))), "malformed"},
	{"nothing comes after a mapping", "policyMappings 4.2.1.5", inCA,
		with(33, true, seq(seq(oidDER(1, 2, 4), oidDER(1, 2, 3), []byte{5, 0}))), with(33, true, seq(seq(oidDER(1, 2, 4), oidDER(1, 2, 3)))), "malformed"},
	{"a list of mappings is not empty", "policyMappings 4.2.1.5", inCA, with(33, true, seq()), nil, "empty"},

	{"a subjectAltName has a name", "subjectAltName 4.2.1.6", inLeaf, with(17, false, seq()), nil, "empty"},
	{"a name is not empty", "subjectAltName 4.2.1.6", inLeaf,
		with(17, false, seq(tagged(0x82, "host.example"), tagged(0x82, ""))), nil, "empty name"},
	{"a name is of one of nine kinds", "subjectAltName 4.2.1.6", inLeaf,
		with(17, false, seq(tagged(0x82, "host.example"), tagged(0xa2, "host.example"))), nil, "malformed"},
	{"an underscore is in no domain name", "subjectAltName 4.2.1.6", inLeaf,
		forHosts("under_score.example"), forHosts("under-score.example"), "under_score.example"},
	{"a domain name has no empty labels", "subjectAltName 4.2.1.6", inLeaf, forHosts("host..example"), forHosts("host.example"), ""},
	{"a domain name does not end in a dot", "subjectAltName 4.2.1.6", inLeaf, forHosts("host.example."), forHosts("host"), ""},
	{"a domain name does not begin with a dot", "subjectAltName 4.2.1.6", inLeaf, forHosts(".host.example"), forHosts("1host.example"), ""},
	{"a label does not begin with a hyphen", "subjectAltName 4.2.1.6", inLeaf, forHosts("-host.example"), forHosts("h-ost.example"), ""},
	{"a label does not end with one", "subjectAltName 4.2.1.6", inLeaf, forHosts("host-.example"), forHosts("HOST.example"), ""},
	{"a label has at most 63 octets", "subjectAltName 4.2.1.6", inLeaf,
		forHosts(strings.Repeat("a", 64) + ".example"), forHosts(strings.Repeat("a", 63) + ".example"), ""},
	{"a domain name has at most 253", "subjectAltName 4.2.1.6", inLeaf,
		forHosts(strings.Repeat("a.", 126) + "aa"), forHosts(strings.Repeat("a.", 126) + "a"), ""},
	{"a wildcard is the whole first label", "subjectAltName 4.2.1.6", inLeaf, forHosts("a*.example.com"), forHosts("*.example.com"), ""},
	{"a wildcard is nowhere else", "subjectAltName 4.2.1.6", inLeaf, forHosts("*.*.example.com"), forHosts("*.a.example.com"), ""},
	{"a wildcard is not alone", "subjectAltName 4.2.1.6", inLeaf, forHosts("*"), forHosts("*.example.com"), ""},
	{"a space is not a domain name", "subjectAltName 4.2.1.6", inLeaf, forHosts(" "), forHosts("a"), ""},
	{"a URI has a scheme", "subjectAltName 4.2.1.6", inCA,
		with(17, false, seq(tagged(0x86, "path"))), with(17, false, seq(tagged(0x86, "urn:path"))), "absolute URI"},

	{"a mail address has a host", "subjectAltName 4.2.1.6", inLeaf, forMail("a"), forMail("a@b"), "not a mailbox"},
	{"the host of a mail address is a domain name", "subjectAltName 4.2.1.6", inLeaf, forMail("a@b_c.example"), forMail("a_@b-c.example"), "not a mailbox"},
	{"a mail address is not in angle brackets", "subjectAltName 4.2.1.6", inLeaf, forMail("<a@b.example>"), forMail("{a}@b.example"), "not a mailbox"},
	{"a mail address has no comment", "subjectAltName 4.2.1.6", inLeaf, forMail("a@b.example (comment)"), forMail(`"a (comment)"@b.example`), "not a mailbox"},
	{"a mail address has no name before it", "subjectAltName 4.2.1.6", inLeaf, forMail("A a@b.example"), forMail("A.a@b.example"), "not a mailbox"},
	{"a mail address has no dots together", "subjectAltName 4.2.1.6", inLeaf, forMail("a..b@c.example"), forMail(`"a..b"@c.example`), "not a mailbox"},
	{"a quote in a mail address has a backslash", "subjectAltName 4.2.1.6", inLeaf, forMail(`"a"b"@c.example`), forMail(`"a\"b\\"@c.example`), "not a mailbox"},
	{"an address of a mail host is in brackets", "subjectAltName 4.2.1.6", inLeaf, forMail("a@[192.0.2.1"), forMail("a@[IPv6:2001:db8::1]"), "not a mailbox"},

	{"an issuerAltName has a name", "issuerAltName 4.2.1.7", inLeaf,
		with(18, false, seq()), with(18, false, seq(tagged(0x82, "ca.example"))), "empty"},
	{"a URI has something after the scheme", "issuerAltName 4.2.1.7", inLeaf, forURI("urn:"), forURI("urn:a"), "absolute URI"},
	{"a scheme begins with a letter", "issuerAltName 4.2.1.7", inLeaf, forURI("1a:b"), forURI("a1+-.:b"), "absolute URI"},
	{"a URI has no characters but its own", "issuerAltName 4.2.1.7", inLeaf, forURI("urn:a|b"), forURI("urn:a%7Cb"), "absolute URI"},
	{"an authority has a host", "issuerAltName 4.2.1.7", inLeaf, forURI("ldap:///cn=a"), forURI("ldap:/cn=a"), "absolute URI"},
	{"the host of a URI is a domain name", "issuerAltName 4.2.1.7", inLeaf, forURI("http://a_b.example/"), forURI("http://user@a-b.example.:80/?q#f"), "absolute URI"},
	{"the host of a URI is not a wildcard", "issuerAltName 4.2.1.7", inLeaf, forURI("http://*.example/"), forURI("http://example?*"), "absolute URI"},
	{"the names in it are as in a subjectAltName", "issuerAltName 4.2.1.7", inLeaf,
		with(18, false, seq(tagged(0x86, "//ca.example/"))), with(18, false, seq(tagged(0x86, "https://[2001:db8::1]:443/"))), "absolute URI"},
	{"an address of version 6 has no zone", "issuerAltName 4.2.1.7", inLeaf,
		with(18, false, seq(tagged(0x86, "https://[fe80::1%25eth0]/"))), with(18, false, seq(tagged(0x86, "https://192.0.2.1"))), "absolute URI"},
	{"an IP address has 4 or 16 octets", "issuerAltName 4.2.1.7", inLeaf,
		with(18, false, seq(tagged(0x87, "12345"))), with(18, false, seq(tagged(0x87, "1234"), tagged(0x87, "1234567890123456"))), "5 octets"},

	{"a list of attributes is not empty", "subjectDirectoryAttributes 4.2.1.8", inLeaf,
		with(9, false, seq()), with(9, false, seq(seq(oidDER(1, 3, 6, 1, 5, 5, 7, 9, 4), tagged(0x31, tagged(0x13, "NL"))))), "empty"},

	{"an attribute has a value", "subjectDirectoryAttributes 4.2.1.8", inLeaf,
		with(9, false, seq(seq(oidDER(1, 2, 3), tagged(0x31, []byte{})))), with(9, false, seq(seq(oidDER(1, 2, 3), tagged(0x31, []byte{5, 0})))), "malformed"},
	{"attributes are not critical", "subjectDirectoryAttributes 4.2.1.8", inLeaf,
		with(9, true, seq(seq(oidDER(1, 2, 3), tagged(0x31, []byte{5, 0})))), with(9, false, seq(seq(oidDER(1, 2, 3), tagged(0x31, []byte{5, 0})))), "critical"},

	{"basicConstraints are critical in a CA", "basicConstraints 4.2.1.9", inCA,
		with(19, false, seq([]byte{1, 1, 0xff})), with(19, true, seq([]byte{1, 1, 0xff})), "not critical"},
	{"basicConstraints are critical in a root", "basicConstraints 4.2.1.9", inRoot,
		with(19, false, seq([]byte{1, 1, 0xff})), with(19, true, seq([]byte{1, 1, 0xff}, []byte{2, 1, 1})), "not critical"},
	{"a path length is a CA's", "basicConstraints 4.2.1.9", inLeaf,
		with(19, true, seq([]byte{2, 1, 0})), with(19, false, seq()), "path length"},
	{"who is not a CA does not say so", "basicConstraints 4.2.1.9", inLeaf,
		with(19, true, seq([]byte{1, 1, 0})), with(19, true, seq()), "written out"},
	{"nothing comes after the path length", "basicConstraints 4.2.1.9", inCA,
		with(19, true, seq([]byte{1, 1, 0xff}, []byte{2, 1, 0}, []byte{5, 0})), with(19, true, seq([]byte{1, 1, 0xff}, []byte{2, 1, 0})), "malformed"},

	{"name constraints are a CA's", "nameConstraints 4.2.1.10", inLeaf,
		with(30, true, seq(tagged(0xa0, seq(tagged(0x82, "example"))))), nil, "not a CA's"},
	{"name constraints are critical", "nameConstraints 4.2.1.10", inCA,
		with(30, false, seq(tagged(0xa0, seq(tagged(0x82, "example"))))),
		with(30, true, seq(tagged(0xa0, seq(tagged(0x82, "example"))))), "not critical"},
	{"a subtree has no maximum", "nameConstraints 4.2.1.10", inCA,
		with(30, true, seq(tagged(0xa0, seq(tagged(0x82, "example"), tagged(0x81, []byte{1}))))),
		with(30, true, seq(tagged(0xa0, seq(tagged(0x82, "example"))), tagged(0xa1, seq(tagged(0x82, "not.example"))))), "maximum"},
	{"a subtree of hosts has no dot before it", "nameConstraints 4.2.1.10", inCA,
		with(30, true, seq(tagged(0xa0, seq(tagged(0x82, ".example"))))),
		with(30, true, seq(tagged(0xa0, seq(tagged(0x82, "example"))))), "has a dot before it"},
	{"a subtree of URIs is of a domain name", "nameConstraints 4.2.1.10", inCA,
		with(30, true, seq(tagged(0xa1, seq(tagged(0x86, "host&example"))))),
		with(30, true, seq(tagged(0xa1, seq(tagged(0x86, "host.example")), seq(tagged(0x86, ".example"))))), "not a host"},
	{"subtrees are not empty", "nameConstraints 4.2.1.10", inCA,
		with(30, true, seq(tagged(0xa0, []byte{}), tagged(0xa1, seq(tagged(0x82, "not.example"))))), nil, "empty"},

	{"policy constraints are critical", "policyConstraints 4.2.1.11", inCA,
		with(36, false, seq([]byte{0x80, 1, 9})), with(36, true, seq([]byte{0x80, 1, 9})), "not critical"},
	{"policy constraints are not empty", "policyConstraints 4.2.1.11", inCA,
		with(36, true, seq()), with(36, true, seq([]byte{0x81, 1, 9})), "empty"},
	{"policy constraints that crypto/x509 does not see are malformed", "policyConstraints 4.2.1.11", inCA,
		with(36, true, seq([]byte{0xa0, 3, 2, 1, 0})), with(36, true, seq([]byte{0x80, 1, 9}, []byte{0x81, 1, 9})), "malformed"},

	{"an empty list of usages is not a permission for all", "extKeyUsage 4.2.1.12", inCA,
		with(37, false, seq()), with(37, false, usageList(1)), "empty"},

	{"a list of distribution points is not empty", "cRLDistributionPoints 4.2.1.13", inLeaf,
		with(31, false, seq()), with(31, false, seq(seq(pointName))), "empty"},
	{"a distribution point is not of reasons alone", "cRLDistributionPoints 4.2.1.13", inLeaf,
		with(31, false, seq(seq(pointName), seq([]byte{0x81, 2, 1, 2}))),
		with(31, false, seq(seq(pointName, []byte{0x81, 2, 1, 2}), seq(tagged(0xa2, tagged(0xa4, nameDER("CRL issuer")))))), "neither"},
	{"the name of a distribution point is not empty", "cRLDistributionPoints 4.2.1.13", inLeaf,
		with(31, false, seq(seq(tagged(0xa0, tagged(0xa0, []byte{}))))), with(31, false, seq(seq(pointName))), "empty or malformed name"},
	{"nor is the issuer of its lists", "cRLDistributionPoints 4.2.1.13", inCA,
		with(31, false, seq(seq(pointName, tagged(0xa2, []byte{})))), with(31, false, seq(seq(pointName, tagged(0xa2, tagged(0xa4, nameDER("CRL issuer")))))), "empty issuer"},

	{"inhibitAnyPolicy is critical", "inhibitAnyPolicy 4.2.1.14", inCA,
		with(54, false, []byte{2, 1, 0}), with(54, true, []byte{2, 1, 0}), "not critical"},
	{"it allows no negative number of certificates", "inhibitAnyPolicy 4.2.1.14", inCA,
		with(54, true, []byte{2, 1, 0xff}), with(54, true, []byte{2, 2, 0, 0xff}), "malformed"},

	{"a point for delta lists is not of reasons alone", "freshestCRL 4.2.1.15", inLeaf,
		with(46, false, seq(seq([]byte{0x81, 2, 1, 2}))), with(46, false, seq(seq(pointName))), "neither"},

	{"points for delta lists are not critical", "freshestCRL 4.2.1.15", inLeaf,
		with(46, true, seq(seq(pointName))), with(46, false, seq(seq(pointName))), "critical"},

	{"a list of accesses to the issuer is not empty", "authorityInfoAccess 4.2.2.1", inLeaf,
		withAccess(1, seq()), withAccess(1, seq(access(2))), "empty"},
	{"an access has a location", "authorityInfoAccess 4.2.2.1", inCA,
		withAccess(1, seq(access(2), seq(oidDER(1, 3, 6, 1, 5, 5, 7, 48, 1), tagged(0xa6, "x")))), withAccess(1, seq(access(1), access(2))), "malformed"},
	{"a list of accesses to the subject is not empty", "subjectInfoAccess 4.2.2.2", inLeaf,
		withAccess(11, seq()), withAccess(11, seq(access(5))), "empty"},
	{"accesses to the subject are not critical", "subjectInfoAccess 4.2.2.2", inLeaf,
		changes(withAccess(11, seq(access(5))), lastCritical), withAccess(11, seq(access(5))), "critical"},
})

// pointName is the name of a distribution point: a URL.
var pointName = tagged(0xa0, tagged(0xa0, tagged(0x86, "http://crl.example/a.crl")))

func access(method int) []byte {
	return seq(oidDER(1, 3, 6, 1, 5, 5, 7, 48, method), tagged(0x86, "http://ca.example/a"))
}

// qualified is a policy with the URL of a CPS and a user notice.
func qualified(policy ...int) []byte {
	return seq(oidDER(policy...), seq(
		seq(oidDER(1, 3, 6, 1, 5, 5, 7, 2, 1), tagged(0x16, "https://cps.example/")),
		seq(oidDER(1, 3, 6, 1, 5, 5, 7, 2, 2), seq(tagged(0x0c, "text")))))
}

func lastCritical(f *forged) { f.extensions[len(f.extensions)-1].critical = true }

func forMail(address string) change {
	return with(17, false, seq(tagged(0x82, "host.example"), tagged(0x81, address)))
}

// forURI puts it where crypto/x509 does not look.
func forURI(uri string) change { return with(18, false, seq(tagged(0x86, uri))) }

// mailToo gives a leaf a mail address in its subject and one in its subjectAltName.
func mailToo(subject, san string) change {
	return changes(subjectOf(mailRDN(subject)), forMail(san))
}

// alsoBroken are the rules that what breaks another cannot but break too.
var alsoBroken = map[string][]string{
	"unique identifiers are not of version 1": {"unique identifiers 4.1.2.8", "subjectKeyIdentifier 4.2.1.2", "keyUsage 4.2.1.3", "basicConstraints 4.2.1.9"},
	"extensions are of version 3, not 2":      {"keyUsage 4.2.1.3"}, // it is not read
}

// refusedByX509 are the broken chains that crypto/x509 does not accept either:
// because of the rule, or because nothing is signed with what it asks about.
var refusedByX509 = map[string]bool{
	"an empty part makes no name of an issuer": true,
	"the name of an issuer is not empty":       true,
	"a CA may sign certificates":               true,
	"attributes are not critical":              true,
	"points for delta lists are not critical":  true,
	"accesses to the subject are not critical": true,
	"from 15 March 2027 for 100":               true, // not yet valid
	"from 15 March 2029 for 47":                true,
	"before September 2020 for 825":            true, // expired
	"an RSA algorithm has NULL for parameters": true,
	"the hash of PSS has NULL for parameters":  true,
	"a salt is as long as its hash":            true,
	"MD5 is not either":                        true,
	"the key of a root counts too":             true,
	"they have serverAuth":                     true,
	"SHA-1 is not a signature algorithm":       true,
	"SHA-1 is none with ECDSA":                 true,
	"a hash goes with its curve":               true,
}

// chains are the one that keeps the rule and the one that breaks it.
func (test *ruleTest) chains() (kept, broken chain.Chain) {
	at := func(c change) chain.Chain {
		changes := make([]change, 3)
		changes[inCA] = aboveOf[test.name]
		changes[test.cert] = c
		return forge(changes...)
	}
	return at(test.kept), at(test.broken)
}

// run asks about both chains.
func (test *ruleTest) run(t *testing.T, profile chain.Policy, broken func(chain.Chain) []string) {
	kept, c := test.chains()

	assert.NoError(t, profile(kept, now))
	assert.Equal(t, append([]string{test.rule}, alsoBroken[test.name]...), broken(c))

	err := profile(c, now)
	var refused *chain.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
	assert.Equal(t, c, refused.Chain)
	assert.Same(t, c[test.cert], refused.Cert)
	assert.Equal(t, now, refused.At)
	require.Len(t, refused.Err, 1)
	text, end := refused.Err[0].Error(), strings.LastIndexByte(test.rule, ' ')
	assert.True(t, strings.HasPrefix(text, test.rule[:end]+": "), text)
	assert.True(t, strings.HasSuffix(text, " section "+test.rule[end+1:]+")"), text)
	assert.Contains(t, text, test.what)

	_, err = c[0].Verify(x509.VerifyOptions{Roots: poolOf(c[2]), Intermediates: poolOf(c[1]), CurrentTime: now})
	if refusedByX509[test.name] {
		assert.Error(t, err)
	} else {
		assert.NoError(t, err, "crypto/x509 lets it pass")
	}
}

func TestRFC5280Rules(t *testing.T) {
	for _, test := range rfc5280RuleTests {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, profile.RFC5280, func(c chain.Chain) []string { strict, _ := profile.BrokenRules(c); return strict })
		})
	}
}

func TestEveryRuleHasATest(t *testing.T) {
	strict, webPKI := profile.RuleNames()
	for _, profile := range []struct {
		rules []string
		tests []ruleTest
	}{{strict, rfc5280RuleTests}, {webPKI, webPKIRuleTests}} {
		for _, rule := range profile.rules {
			assert.True(t, slices.ContainsFunc(profile.tests, func(test ruleTest) bool { return test.rule == rule }), rule)
		}
	}
}

func TestRFC5280Accepts(t *testing.T) {
	c := written()
	assert.NoError(t, profile.RFC5280(forge(), now))
	assert.NoError(t, profile.RFC5280(c, now), "what crypto/x509 itself writes")
	assert.NoError(t, profile.RFC5280(c[2:], now), "a root alone")
	assert.NoError(t, profile.RFC5280(c[1:], now), "a CA as the one that is verified")
}

func TestRFC5280RefusesWhatIsNoChain(t *testing.T) {
	for name, c := range map[string]chain.Chain{
		"none":            nil,
		"empty":           {},
		"a nil in it":     {forge()[0], nil},
		"only nil":        {nil, nil},
		"not parsed":      {{}},
		"one not parsed":  {{SerialNumber: big.NewInt(1)}, {}},
		"cut off":         {{RawTBSCertificate: forge()[0].RawTBSCertificate[:100]}},
		"without content": {{RawTBSCertificate: []byte{0x30, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, policy := range []chain.Policy{profile.RFC5280, profile.WebPKI} {
				var refused *chain.Error
				assert.ErrorAs(t, policy(c, now), &refused)
			}
		})
	}
}

func TestRFC5280ThroughAVerifier(t *testing.T) {
	c := forge(nil, with(37, false, seq()))
	v := mustVerifier(truststore.New(c[2]), truststore.New(c[1]), chain.WithPolicy(profile.RFC5280))
	_, err := v.Verify(c[0], chain.VerifyOptions{Time: now})
	var refused *chain.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
	assert.Same(t, c[1], refused.Cert)
	assert.EqualError(t, err, `chain: refused by policy: "Issuing CA": extKeyUsage: it is empty or malformed (RFC 5280 section 4.2.1.12)`)

	_, err = mustVerifier(truststore.New(c[2]), truststore.New(c[1])).Verify(c[0], chain.VerifyOptions{Time: now})
	assert.NoError(t, err, "crypto/x509 has nothing against it")
}

// A duplicate extension and a negative serial number do not get through
// crypto/x509's parser, as it is today and as it is built by default.
func TestRFC5280OnWhatTheParserRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		broken change
		rule   string
	}{
		"an extension that is there twice":        {func(f *forged) { f.extensions = append(f.extensions, f.extensions[0]) }, "extensions: 2.5.29.14 is there twice"},
		"one of many that is there twice":         {func(f *forged) { f.extensions = append(manyExtensions(100), f.extensions[0], f.extensions[0]) }, "extensions: 2.5.29.14 is there twice"},
		"a field of extensions that has none":     {func(f *forged) { f.extensions = nil }, "extensions: the field is there and empty"},
		"a negative serial number":                {func(f *forged) { f.serial = []byte{0x80} }, "serialNumber: it is negative"},
		"a critical authority key identifier":     {func(f *forged) { f.extensions[1].critical = true }, "authorityKeyIdentifier: it is critical"},
		"a critical authorityInfoAccess":          {changes(withAccess(1, seq(access(2))), lastCritical), "authorityInfoAccess: it is critical"},
		"a critical subject key identifier":       {func(f *forged) { f.extensions[0].critical = true }, "subjectKeyIdentifier: it is critical"},
		"a version that is written out":           {func(f *forged) { f.version[4] = 0 }, "certificate: its version is written out"},
		"a malformed list of extended key usages": {with(37, false, seq([]byte{5, 0})), "extKeyUsage: it is malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			good := forge()
			parts := forgedParts()[0]
			test.broken(&parts)
			leaf := *good[0]
			leaf.Raw, leaf.RawTBSCertificate = nil, parts.tbs()
			assert.ErrorContains(t, profile.RFC5280(chain.Chain{&leaf, good[1], good[2]}, now), test.rule)
		})
	}
}

// realChains are the CAs of package pkioverheid, each TSP CA with those above it
// and a leaf below it of which the signature is worth nothing.
func realChains(t *testing.T) map[string]chain.Chain {
	files, err := filepath.Glob("../../pkioverheid/certs/*/*.pem")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	folders := map[string][]*x509.Certificate{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		block, _ := pem.Decode(data)
		require.NotNil(t, block)
		folder := filepath.Base(filepath.Dir(file))
		folders[folder] = append(folders[folder], parsed(block.Bytes))
	}
	chains := map[string]chain.Chain{}
	for folder, certs := range folders {
		bySubject := map[string]*x509.Certificate{}
		for _, c := range certs {
			bySubject[string(c.RawSubject)] = c
		}
		for _, tsp := range certs {
			domain := bySubject[string(tsp.RawIssuer)]
			root := bySubject[string(domain.RawIssuer)]
			if domain == root {
				continue // a root or a domain CA
			}
			leaf := forgedParts()[0]
			leaf.issuer = tsp.RawSubject
			with(35, false, seq(tagged(0x80, tsp.SubjectKeyId)))(&leaf)
			chains[folder+"/"+tsp.Subject.CommonName+" "+tsp.NotBefore.Format("2006")] = chain.Chain{parsed(leaf.der(forgedKeys()[1])), tsp, domain, root}
		}
	}
	require.Len(t, chains, len(files)-2*len(folders))
	return chains
}

func TestRFC5280AcceptsEveryRealHierarchy(t *testing.T) {
	for name, c := range realChains(t) {
		t.Run(name, func(t *testing.T) {
			assert.NoError(t, profile.RFC5280(c, now))
			assert.NoError(t, profile.WebPKI(c, now))
		})
	}
}

// publicRoots are those of the system, without what its owner may have added.
func publicRoots(t *testing.T) []*x509.Certificate {
	s, err := truststore.Open("/etc/ssl/certs/ca-certificates.crt")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no ca-certificates here")
	}
	require.NoError(t, err)
	return slices.Collect(s.Filter(func(c *x509.Certificate) bool { return len(c.Subject.Organization) > 0 }).All())
}

// The public roots that break a rule: they are older than the rule, or than its being
// enforced; and two have zeros after the bits of their keyUsage, which DER does not.
var oldPublicRoots = map[string][]string{
	"Certigna":                                                    {"authorityKeyIdentifier 7.1.2.11"},
	"Certum Trusted Network CA 2":                                 {"validity 4.1.2.5"},
	"QuoVadis Root CA 2":                                          {"authorityKeyIdentifier 7.1.2.11"},
	"QuoVadis Root CA 3":                                          {"authorityKeyIdentifier 7.1.2.11"},
	"TWCA Global Root CA":                                         {"subjectKeyIdentifier 4.2.1.2"},
	"Go Daddy Root Certificate Authority - G2":                    {"serialNumber 4.1.2.2"},
	"Starfield Root Certificate Authority - G2":                   {"serialNumber 4.1.2.2"},
	"Starfield Services Root Certificate Authority - G2":          {"serialNumber 4.1.2.2"},
	"Hellenic Academic and Research Institutions ECC RootCA 2015": {"serialNumber 4.1.2.2"},
	"Hellenic Academic and Research Institutions RootCA 2015":     {"serialNumber 4.1.2.2"},
	"The Go Daddy Group, Inc.":                                    {"serialNumber 4.1.2.2", "keyUsage 4.2.1.3", "basicConstraints 4.2.1.9", "authorityKeyIdentifier 7.1.2.11"},
	"Starfield Technologies, Inc.":                                {"serialNumber 4.1.2.2", "keyUsage 4.2.1.3", "basicConstraints 4.2.1.9", "authorityKeyIdentifier 7.1.2.11"},
	"SECOM Trust Systems CO.,LTD.":                                {"serialNumber 4.1.2.2"},
	"Trustwave Global ECC P256 Certification Authority":           {"keyUsage 4.2.1.3"},
	"Trustwave Global ECC P384 Certification Authority":           {"keyUsage 4.2.1.3"},
	"Chunghwa Telecom Co., Ltd.":                                  {"keyUsage 4.2.1.3", "basicConstraints 4.2.1.9"},
}

func TestProfilesOnPublicRoots(t *testing.T) {
	roots := publicRoots(t)
	fine := 0
	for _, root := range roots {
		leaf := forgedParts()[0]
		leaf.issuer = root.RawSubject
		signedWithRSA(11)(&leaf)
		if len(root.SubjectKeyId) > 0 {
			with(35, false, seq(tagged(0x80, root.SubjectKeyId)))(&leaf)
		}
		leafCert := parsed(leaf.der(forgedKeys()[1]))
		name := root.Subject.CommonName
		if name == "" {
			name = root.Subject.Organization[0]
		}
		broken := slices.Concat(profile.BrokenRules(chain.Chain{leafCert, root}))
		if len(broken) == 0 {
			fine++
			continue
		}
		if known, ok := oldPublicRoots[name]; ok {
			assert.Equal(t, known, broken, name)
		} else {
			t.Logf("%s: %v", name, broken) // another system, other roots
		}
	}
	t.Logf("%d of %d public roots keep every rule", fine, len(roots))
	assert.GreaterOrEqual(t, fine*10, len(roots)*8)
}

// manyExtensions are unknown and harmless.
func manyExtensions(n int) []forgedExtension {
	list := make([]forgedExtension, n)
	for i := range list {
		list[i] = forgedExtension{id: []int{1, 3, 6, 1, 4, 1, 55555, i}, value: []byte{5, 0}}
	}
	return list
}
