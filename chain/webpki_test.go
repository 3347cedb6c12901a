package chain_test

import (
	"crypto/elliptic"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/chain"
)

// signedWith only says so: a policy sees chains whose signatures were checked.
func signedWith(algorithm ...int) change {
	return func(f *forged) { f.algorithm = seq(oidDER(algorithm...)) }
}

func signedWithRSA(number int) change {
	return func(f *forged) { f.algorithm = seq(oidDER(1, 2, 840, 113549, 1, 1, number), []byte{5, 0}) }
}

// dsaKeyDER is a public key of 2048 bits.
func dsaKeyDER() []byte {
	integer := tagged(0x02, "\x00"+strings.Repeat("\xff", 256))
	return seq(seq(oidDER(1, 2, 840, 10040, 4, 1), seq(integer, integer, integer)), tagged(0x03, []byte{0}, integer))
}

// alone gives a leaf that name only, and no common name.
func alone(tag uint8, name string) change {
	return changes(noSubject, with(17, true, seq(tagged(tag, name))))
}

// named gives a leaf a common name, and its subjectAltName.
func named(commonName string, generalNames ...[]byte) change {
	return changes(subjectOf(rdn(3, commonName)), with(17, false, seq(generalNames...)))
}

const hostName = "subjectAltName 7.1.2.7.12"

var webPKIRuleTests = []ruleTest{
	{"an RSA key has at least 2048 bits", "key size 6.1.5", inLeaf,
		rawKey(rsaKeyDER(2040, 1, 0, 1)), rawKey(rsaKeyDER(2048, 1, 0, 1)), "2040 bits"},
	{"an RSA key has a multiple of 8 bits", "key size 6.1.5", inLeaf,
		rawKey(rsaKeyDER(2049, 1, 0, 1)), rawKey(rsaKeyDER(2056, 1, 0, 1)), "multiple of 8"},
	{"the key of a root counts too", "key size 6.1.5", inRoot,
		rawKey(rsaKeyDER(1024, 1, 0, 1)), rawKey(rsaKeyDER(4096, 1, 0, 1)), "1024 bits"},
	{"P-224 is no curve for it", "key size 6.1.5", inLeaf,
		keyOfKind(onCurve(elliptic.P224()).Public()), keyOfKind(onCurve(elliptic.P384()).Public()), "P-224"},
	{"a DSA key is none for it", "key size 6.1.5", inLeaf,
		rawKey(dsaKeyDER()), keyOfKind(onCurve(elliptic.P521()).Public()), "DSA"},
	{"an Ed25519 key is none for it", "key size 6.1.5", inLeaf,
		keyOfKind(signers()[0].Public()), nil, "neither"},
	{"an RSA exponent is 3 or more", "RSA exponent 6.1.6", inLeaf,
		rawKey(rsaKeyDER(2048, 1)), rawKey(rsaKeyDER(2048, 3)), "it is 1"},
	{"an RSA exponent is odd", "RSA exponent 6.1.6", inLeaf,
		rawKey(rsaKeyDER(2048, 1, 0, 0)), rawKey(rsaKeyDER(2048, 1, 0, 1)), "it is 65536"},

	{"a leaf is of version 3", "version 7.1.1", inRoot,
		func(f *forged) { f.version, f.noExts = nil, true }, nil, "it is 1"},
	{"version 2 is none either", "version 7.1.1", inRoot,
		func(f *forged) { f.version[4], f.noExts = 1, true }, nil, "it is 2"},

	{"a root has no extended key usages", "root extKeyUsage 7.1.2.1.2", inRoot, with(37, false, usageList(1)), nil, ""},
	{"the key identifier of a root is its own", "root authorityKeyIdentifier 7.1.2.1.3", inRoot,
		with(35, false, seq(tagged(0x80, "another"))), without(35), ""},

	{"a CA is no server", "basicConstraints 7.1.2.7.8", inLeaf,
		with(19, true, seq([]byte{1, 1, 0xff})), with(19, true, seq()), ""},

	{"a leaf has extended key usages", "extKeyUsage 7.1.2.7.10", inLeaf, without(37), with(37, false, usageList(1, 2)), "missing"},
	{"extended key usages are not critical", "extKeyUsage 7.1.2.7.10", inLeaf,
		with(37, true, usageList(1)), with(37, false, usageList(1)), "critical"},
	{"they have serverAuth", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(2)), with(37, false, usageList(2, 1)), "serverAuth"},
	{"they do not have any usage", "extKeyUsage 7.1.2.7.10", inLeaf,
		with(37, false, seq(oidDER(1, 3, 6, 1, 5, 5, 7, 3, 1), oidDER(2, 5, 29, 37, 0))), nil, "anyExtendedKeyUsage"},
	{"any usage is no serverAuth", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, seq(oidDER(2, 5, 29, 37, 0))), nil, "serverAuth"},
	{"they do not have codeSigning", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(1, 3)), nil, "codeSigning"},
	{"they do not have emailProtection", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(1, 4)), nil, "emailProtection"},
	{"they do not have timeStamping", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(1, 8)), nil, "timeStamping"},
	{"they do not have OCSPSigning", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(1, 9)), nil, "OCSPSigning"},

	{"a server signs no revocation lists", "keyUsage 7.1.2.7.11", inLeaf,
		with(15, true, []byte{3, 2, 1, 0x82}), with(15, true, []byte{3, 2, 5, 0xa0}), ""},

	{"a leaf has a subjectAltName", hostName, inLeaf, changes(without(17), subjectOf(rdn(10, "Organisation"))), subjectOf(rdn(10, "Organisation")), "missing"},
	{"a subjectAltName beside a subject is not critical", hostName, inLeaf,
		with(17, true, seq(tagged(0x82, "host.example"))), forHosts("host.example"), "critical"},
	{"a subjectAltName without one is", hostName, inLeaf,
		changes(noSubject, with(17, false, seq(tagged(0x82, "host.example")))), forHosts("host.example"), "not critical"},
	{"a mail address is no server", hostName, inLeaf, alone(0x81, "a@host.example"), alone(0x82, "host.example"), "neither"},
	{"a URI is no server", hostName, inLeaf, alone(0x86, "https://host.example"), alone(0x87, "\x7f\x00\x00\x01"), "neither"},
	{"an IP address is no host name", hostName, inLeaf, forHosts("192.0.2.1"), alone(0x87, "\xc0\x00\x02\x01"), "is an IP address"},
	{"an IP address of version 6 is none", hostName, inLeaf, forHosts("2001:db8::1"), alone(0x87, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), "is an IP address"},
	{"what ends in a number is none", hostName, inLeaf, forHosts("host.1"), forHosts("1.host1"), "like an IP address"},
	{"an underscore is in no host name", hostName, inLeaf, forHosts("a_b.example"), forHosts("a-b.example"), "no domain name"},
	{"a host name does not end in a dot", hostName, inLeaf, forHosts("host.example."), forHosts("host.example"), "no domain name"},
	{"a host name does not begin with a dot", hostName, inLeaf, forHosts(".example.com"), forHosts("example.com"), "no domain name"},
	{"a wildcard is the leftmost label", hostName, inLeaf, forHosts("a.*.example.com"), forHosts("*.a.example.com"), "leftmost"},
	{"a wildcard is the whole of it", hostName, inLeaf, forHosts("a*.example.com"), forHosts("*.example.com"), "leftmost"},
	{"a wildcard is not half of a label", hostName, inLeaf, forHosts("*a.example.com"), forHosts("*.example.com"), "leftmost"},
	{"a wildcard is one label", hostName, inLeaf, forHosts("*.*.example.com"), forHosts("*.example.com"), "leftmost"},
	{"a wildcard alone is for everything", hostName, inLeaf, forHosts("*"), forHosts("*.example.com"), "leftmost"},
	{"a wildcard is not for a top-level domain", hostName, inLeaf, forHosts("*.com"), forHosts("*.example.com"), "top-level"},
	{"a wildcard is not within a label of Unicode", hostName, inLeaf, forHosts("xn--*-1b3c148a.example.com"), forHosts("xn--bcher-kva.example.com"), "leftmost"},
	{"hyphens in the third and fourth place are reserved", hostName, inLeaf, forHosts("ab--c.example"), forHosts("xn--bcher-kva.example"), "reserved"},
	{"the prefix alone is reserved", hostName, inLeaf, forHosts("xn--.example"), forHosts("a--b.example"), "no domain name"},

	{"the issuer's name and number are not given", "authorityKeyIdentifier 7.1.2.11.1", inLeaf,
		with(35, false, seq(tagged(0x80, "id"), tagged(0xa1, tagged(0xa4, nameDER("Root"))), tagged(0x82, []byte{1}))),
		with(35, false, seq(tagged(0x80, "id"))), "name or serial number"},

	{"SHA-1 is no signature algorithm", "signature algorithm 7.1.3.2", inLeaf, signedWithRSA(5), signedWithRSA(11), "SHA1-RSA"},
	{"SHA-1 is none with ECDSA", "signature algorithm 7.1.3.2", inCA, signedWith(1, 2, 840, 10045, 4, 1), signedWith(1, 2, 840, 10045, 4, 3, 2), "ECDSA-SHA1"},
	{"a hash goes with its curve", "signature algorithm 7.1.3.2", inLeaf, signedWith(1, 2, 840, 10045, 4, 3, 4), signedWithRSA(13), "P-256"},

	{"a common name is in the subjectAltName", "commonName 7.1.4.3", inLeaf,
		subjectOf(rdn(3, "other.example")), subjectOf(rdn(3, "host.example")), "other.example"},
	{"there is one common name", "commonName 7.1.4.3", inLeaf,
		subjectOf(rdn(3, "host.example"), rdn(3, "host.example")), subjectOf(rdn(10, "Organisation"), rdn(3, "host.example")), "there are 2"},
	{"a common name is a copy, letter by letter", "commonName 7.1.4.3", inLeaf,
		subjectOf(rdn(3, "Host.example")), subjectOf(rdn(10, "host.example")), "Host.example"},
	{"a common name is not in Unicode", "commonName 7.1.4.3", inLeaf,
		named("bücher.example", tagged(0x82, "xn--bcher-kva.example")), named("xn--bcher-kva.example", tagged(0x82, "xn--bcher-kva.example")), "bücher"},
	{"an IP address has no leading zeros", "commonName 7.1.4.3", inLeaf,
		named("192.0.002.1", tagged(0x87, "\xc0\x00\x02\x01")), named("192.0.2.1", tagged(0x87, "\xc0\x00\x02\x01")), ""},
	{"an IP address of version 6 is as short as can be", "commonName 7.1.4.3", inLeaf,
		named("2001:DB8:0:0::1", tagged(0x87, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")),
		named("2001:db8::1", tagged(0x87, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")), ""},
}

func TestWebPKIRules(t *testing.T) {
	for _, test := range webPKIRuleTests {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, chain.WebPKI, func(c chain.Chain) []string { _, webPKI := chain.BrokenRules(c); return webPKI })
		})
	}
}

func TestWebPKIAccepts(t *testing.T) {
	assert.NoError(t, chain.WebPKI(forge(), now))
	assert.NoError(t, chain.WebPKI(forge(nil, nil, signedWithRSA(5)), now), "a root may be signed with SHA-1")
	assert.NoError(t, chain.WebPKI(forge(nil, with(37, false, usageList(1)))[:2], now), "an anchor that is no root may be limited to usages")
	assert.NoError(t, chain.WebPKI(newLayers().full(), now), "what crypto/x509 itself writes")
}
