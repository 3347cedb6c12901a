package profile_test

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/profile"
)

// signedWith only says so: a policy sees chains whose signatures were checked.
func signedWith(algorithm ...int) change {
	return func(f *forged) { f.algorithm = seq(oidDER(algorithm...)) }
}

func signedWithRSA(number int) change {
	return func(f *forged) { f.algorithm = seq(oidDER(1, 2, 840, 113549, 1, 1, number), []byte{5, 0}) }
}

// signedWithPSS takes the last number of a SHA-2 hash, a salt length, and the
// parameters of the hash, NULL or nothing.
func signedWithPSS(hash int, salt byte, parameters []byte) change {
	sha := seq(oidDER(2, 16, 840, 1, 101, 3, 4, 2, hash), parameters)
	return func(f *forged) {
		f.algorithm = seq(oidDER(1, 2, 840, 113549, 1, 1, 10), seq(
			tagged(0xa0, sha), tagged(0xa1, seq(oidDER(1, 2, 840, 113549, 1, 1, 8), sha)), tagged(0xa2, []byte{2, 1, salt})))
	}
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

func validity(from, until string) change {
	return func(f *forged) { f.notBefore, f.notAfter = utcTime(from), utcTime(until) }
}

// 9.8.7.6 and 2003:db8::1 are reserved for nothing.
const (
	address4 = "\x09\x08\x07\x06"
	address6 = "\x20\x03\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
)

const hostName = "subjectAltName 7.1.2.7.12"

var webPKIRuleTests = []ruleTest{
	{"an RSA key has at least 2048 bits", "key size 6.1.5", inLeaf,
		rawKey(rsaKeyDER(2040, 1, 0, 1)), rawKey(rsaKeyDER(2048, 1, 0, 1)), "2040 bits"},
	{"an RSA key has a multiple of 8 bits", "key size 6.1.5", inLeaf,
		rawKey(rsaKeyDER(2049, 1, 0, 1)), rawKey(rsaKeyDER(2056, 1, 0, 1)), "multiple of 8"},
	{"the key of a root counts too", "key size 6.1.5", inRoot,
		rawKey(rsaKeyDER(1024, 1, 0, 1)), rawKey(rsaKeyDER(4096, 1, 0, 1)), "1024 bits"},
	{"P-224 is not a curve for it", "key size 6.1.5", inLeaf,
		keyOfKind(onCurve(elliptic.P224()).Public()), keyOfKind(onCurve(elliptic.P384()).Public()), "P-224"},
	{"a DSA key is none for it", "key size 6.1.5", inLeaf,
		rawKey(dsaKeyDER()), keyOfKind(onCurve(elliptic.P521()).Public()), "DSA"},
	{"an Ed25519 key is none for it", "key size 6.1.5", inLeaf,
		keyOfKind(ed25519.NewKeyFromSeed(make([]byte, 32)).Public()), nil, "neither"},
	{"an RSA exponent is 3 or more", "RSA exponent 6.1.6", inLeaf,
		rawKey(rsaKeyDER(2048, 1)), rawKey(rsaKeyDER(2048, 3)), "it is 1"},
	{"an RSA exponent is odd", "RSA exponent 6.1.6", inLeaf,
		rawKey(rsaKeyDER(2048, 1, 0, 0)), rawKey(rsaKeyDER(2048, 1, 0, 1)), "it is 65536"},

	{"a certificate of now is valid for 200 days", "validity 6.3.2", inLeaf,
		validity("260601120000Z", "261218120000Z"), validity("260601120000Z", "261218115959Z"), "more than 200 days"},
	{"one that was issued before 15 March 2026 for 398", "validity 6.3.2", inLeaf,
		validity("260314235959Z", "270416235959Z"), validity("260314235959Z", "270416235958Z"), "more than 398 days"},
	{"one that was issued on it for 200", "validity 6.3.2", inLeaf,
		validity("260315000000Z", "270416000000Z"), validity("260315000000Z", "260930235959Z"), "more than 200 days"},
	{"from 15 March 2027 for 100", "validity 6.3.2", inLeaf,
		validity("270315000000Z", "270623000000Z"), validity("270315000000Z", "270622235959Z"), "more than 100 days"},
	{"from 15 March 2029 for 47", "validity 6.3.2", inLeaf,
		validity("290315000000Z", "290501000000Z"), validity("290315000000Z", "290430235959Z"), "more than 47 days"},
	{"before September 2020 for 825", "validity 6.3.2", inLeaf,
		validity("200831235959Z", "221204235959Z"), validity("200831235959Z", "221204235958Z"), "more than 825 days"},
	{"an end that never comes is none", "validity 6.3.2", inLeaf,
		func(f *forged) { f.notAfter = generalizedTime("99991231235959Z") }, validity("180228235959Z", "491231235959Z"), "more than 200 days"},

	{"a leaf is of version 3", "version 7.1.1", inRoot,
		func(f *forged) { f.version, f.noExts = nil, true }, nil, "it is 1"},
	{"version 2 is none either", "version 7.1.1", inRoot,
		func(f *forged) { f.version[4], f.noExts = 1, true }, nil, "it is 2"},

	{"a root has no extended key usages", "root extKeyUsage 7.1.2.1.2", inRoot, with(37, false, usageList(1)), nil, ""},
	{"the keyUsage of a CA is critical", "CA keyUsage 7.1.2.10.7", inCA,
		with(15, false, []byte{3, 2, 1, 0x06}), with(15, true, []byte{3, 2, 1, 0x86}), "not critical"},
	{"a CA may sign revocation lists", "CA keyUsage 7.1.2.10.7", inCA,
		with(15, true, []byte{3, 2, 2, 0x04}), with(15, true, []byte{3, 2, 1, 0x06}), "revocation lists"},

	{"the key identifier of a root is its own", "root authorityKeyIdentifier 7.1.2.1", inRoot,
		with(35, false, seq(tagged(0x80, "another"))), without(35), ""},

	{"a CA is not a server", "basicConstraints 7.1.2.7.8", inLeaf,
		with(19, true, seq([]byte{1, 1, 0xff})), with(19, true, seq()), "not a server"},
	{"basicConstraints are critical in a leaf too", "basicConstraints 7.1.2.7.8", inLeaf,
		with(19, false, seq()), with(19, true, seq()), "not critical"},

	{"a leaf has extended key usages", "extKeyUsage 7.1.2.7.10", inLeaf, without(37), with(37, false, usageList(1, 2)), "missing"},
	{"extended key usages are not critical", "extKeyUsage 7.1.2.7.10", inLeaf,
		with(37, true, usageList(1)), with(37, false, usageList(1)), "critical"},
	{"they have serverAuth", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(2)), with(37, false, usageList(2, 1)), "serverAuth"},
	{"they do not have any usage", "extKeyUsage 7.1.2.7.10", inLeaf,
		with(37, false, seq(oidDER(1, 3, 6, 1, 5, 5, 7, 3, 1), oidDER(2, 5, 29, 37, 0))), nil, "anyExtendedKeyUsage"},
	{"any usage is not serverAuth", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, seq(oidDER(2, 5, 29, 37, 0))), nil, "serverAuth"},
	{"they do not have codeSigning", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(1, 3)), nil, "codeSigning"},
	{"they do not have emailProtection", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(1, 4)), nil, "emailProtection"},
	{"they do not have timeStamping", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(1, 8)), nil, "timeStamping"},
	{"they do not have OCSPSigning", "extKeyUsage 7.1.2.7.10", inLeaf, with(37, false, usageList(1, 9)), nil, "OCSPSigning"},

	{"they do not have the signing of precertificates", "extKeyUsage 7.1.2.7.10", inLeaf,
		with(37, false, seq(oidDER(1, 3, 6, 1, 5, 5, 7, 3, 1), oidDER(1, 3, 6, 1, 4, 1, 11129, 2, 4, 4))),
		with(37, false, seq(oidDER(1, 3, 6, 1, 5, 5, 7, 3, 1), oidDER(1, 3, 6, 1, 4, 1, 11129, 2, 4, 5))), "precertificates"},

	{"a server signs no revocation lists", "keyUsage 7.1.2.7.11", inLeaf,
		with(15, true, []byte{3, 2, 1, 0x82}), without(15), "revocation lists"},
	{"an ECDSA key enciphers no keys", "keyUsage 7.1.2.7.11", inLeaf,
		with(15, true, []byte{3, 2, 5, 0xa0}), with(15, true, []byte{3, 2, 3, 0x88}), "more than"},
	{"an ECDSA key makes signatures", "keyUsage 7.1.2.7.11", inLeaf,
		with(15, true, []byte{3, 2, 3, 0x08}), changes(rawKey(rsaKeyDER(2048, 1, 0, 1)), with(15, true, []byte{3, 2, 5, 0x20})), "does not allow"},

	{"a leaf has a subjectAltName", hostName, inLeaf, changes(without(17), subjectOf(rdn(10, "Organisation"))), subjectOf(rdn(10, "Organisation")), "missing"},
	{"a subjectAltName beside a subject is not critical", hostName, inLeaf,
		with(17, true, seq(tagged(0x82, "host.example"))), forHosts("host.example"), "critical"},
	{"a subjectAltName without one is", hostName, inLeaf,
		changes(noSubject, with(17, false, seq(tagged(0x82, "host.example")))), forHosts("host.example"), "not critical"},
	{"a mail address is not a server", hostName, inLeaf, alone(0x81, "a@host.example"), alone(0x82, "host.example"), "neither"},
	{"a URI is not a server", hostName, inLeaf, alone(0x86, "https://host.example"), alone(0x87, address4), "neither"},
	{"an IP address is not a host name", hostName, inLeaf, forHosts("192.0.2.1"), alone(0x87, address4), "is an IP address"},
	{"an IP address of version 6 is none", hostName, inLeaf, forHosts("2001:db8::1"), alone(0x87, address6), "is an IP address"},
	{"what ends in a number is none", hostName, inLeaf, forHosts("host.1"), forHosts("1.host1"), "like an IP address"},
	{"an underscore is in no host name", hostName, inLeaf, forHosts("a_b.example"), forHosts("a-b.example"), "not a domain name"},
	{"a host name does not end in a dot", hostName, inLeaf, forHosts("host.example."), forHosts("host.example"), "not a domain name"},
	{"a host name does not begin with a dot", hostName, inLeaf, forHosts(".example.com"), forHosts("example.com"), "not a domain name"},
	{"a wildcard is the leftmost label", hostName, inLeaf, forHosts("a.*.example.com"), forHosts("*.a.example.com"), "leftmost"},
	{"a wildcard is the whole of it", hostName, inLeaf, forHosts("a*.example.com"), forHosts("*.example.com"), "leftmost"},
	{"a wildcard is not half of a label", hostName, inLeaf, forHosts("*a.example.com"), forHosts("*.example.com"), "leftmost"},
	{"a wildcard is one label", hostName, inLeaf, forHosts("*.*.example.com"), forHosts("*.example.com"), "leftmost"},
	{"a wildcard alone is for everything", hostName, inLeaf, forHosts("*"), forHosts("*.example.com"), "leftmost"},
	{"a wildcard is not for a top-level domain", hostName, inLeaf, forHosts("*.com"), forHosts("*.example.com"), "top-level"},
	{"a wildcard is not within a label of Unicode", hostName, inLeaf, forHosts("xn--*-1b3c148a.example.com"), forHosts("xn--bcher-kva.example.com"), "leftmost"},
	{"hyphens in the third and fourth place are reserved", hostName, inLeaf, forHosts("ab--c.example"), forHosts("xn--bcher-kva.example"), "reserved"},
	{"one label is an internal name", hostName, inLeaf, forHosts("localhost"), forHosts("localhost.example"), "single label"},
	{"a name of an address of version 4 is none", hostName, inLeaf, forHosts("6.7.8.9.IN-ADDR.arpa"), forHosts("6.7.8.9.xin-addr.arpa"), "in the DNS"},
	{"a name of an address of version 6 is none", hostName, inLeaf, forHosts("ip6.arpa"), forHosts("ip6.arpa.example"), "in the DNS"},
	{"a label of Unicode is Punycode", hostName, inLeaf, forHosts("xn--99999999999.example"), forHosts("XN--80AK6AA92E.example"), "Punycode"},
	{"Punycode ends where it ends", hostName, inLeaf, forHosts("xn--bcher-kv.example"), forHosts("xn--bcher-kva.example"), "Punycode"},
	{"a private address is reserved", hostName, inLeaf, alone(0x87, "\x0a\x00\x00\x01"), alone(0x87, "\x0b\x00\x00\x01"), "10.0.0.1 is a reserved"},
	{"the prefix alone is reserved", hostName, inLeaf, forHosts("xn--.example"), forHosts("a--b.example"), "not a domain name"},

	{"the issuer's name and number are not given", "authorityKeyIdentifier 7.1.2.11", inLeaf,
		with(35, false, seq(tagged(0x80, forge()[inCA].SubjectKeyId), tagged(0xa1, tagged(0xa4, nameDER("Root"))), tagged(0x82, []byte{1}))),
		with(35, false, seq(tagged(0x80, forge()[inCA].SubjectKeyId))), "name or serial number"},

	{"SHA-1 is not a signature algorithm", "signature algorithm 7.1.3.2", inLeaf, signedWithRSA(5), signedWithRSA(11), "SHA1-RSA"},
	{"an RSA algorithm has NULL for parameters", "signature algorithm 7.1.3.2", inLeaf,
		signedWith(1, 2, 840, 113549, 1, 1, 11), signedWithRSA(12), "not encoded"},
	{"an ECDSA algorithm has none", "signature algorithm 7.1.3.2", inLeaf,
		func(f *forged) { f.algorithm = seq(oidDER(1, 2, 840, 10045, 4, 3, 2), []byte{5, 0}) }, nil, "not encoded"},
	{"the hash of PSS has NULL for parameters", "signature algorithm 7.1.3.2", inLeaf,
		signedWithPSS(1, 0x20, nil), signedWithPSS(1, 0x20, []byte{5, 0}), "not encoded"},
	{"a salt is as long as its hash", "signature algorithm 7.1.3.2", inLeaf,
		signedWithPSS(2, 0x20, []byte{5, 0}), signedWithPSS(2, 0x30, []byte{5, 0}), "0 is not allowed"},
	{"MD5 is not either", "signature algorithm 7.1.3.2", inLeaf, signedWithRSA(4), signedWithPSS(3, 0x40, []byte{5, 0}), "MD5-RSA"},
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
		named("9.008.7.6", tagged(0x87, address4)), named("9.8.7.6", tagged(0x87, address4)), ""},
	{"an IP address of version 6 is as short as can be", "commonName 7.1.4.3", inLeaf,
		named("2003:DB8:0:0::1", tagged(0x87, address6)),
		named("2003:db8::1", tagged(0x87, address6)), ""},
}

func TestWebPKIRules(t *testing.T) {
	for _, test := range webPKIRuleTests {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, profile.WebPKI, func(c chain.Chain) []string { _, webPKI := profile.BrokenRules(c); return webPKI })
		})
	}
}

func TestWebPKIAccepts(t *testing.T) {
	assert.NoError(t, profile.WebPKI(forge(), now))
	assert.NoError(t, profile.WebPKI(forge(nil, nil, signedWithRSA(5)), now), "a root may be signed with SHA-1")
	assert.NoError(t, profile.WebPKI(forge(nil, nil, with(15, false, []byte{3, 2, 2, 0x04})), now), "and have an older keyUsage")
	assert.NoError(t, profile.WebPKI(forge(nil, with(37, false, usageList(1)))[:2], now), "an anchor that is not a root may be limited to usages")
	assert.NoError(t, profile.WebPKI(written(), now), "what crypto/x509 itself writes")
}

// Addresses at both ends of each block, and beside it.
func TestWebPKIReservedAddresses(t *testing.T) {
	refused := func(address string) bool {
		ip := netip.MustParseAddr(address).AsSlice()
		err := profile.WebPKI(forge(alone(0x87, string(ip))), now)
		if err != nil {
			assert.ErrorContains(t, err, "is a reserved IP address (CA/Browser Forum BR section 7.1.2.7.12)")
		}
		return err != nil
	}
	for _, block := range []string{
		"0.0.0.0 0.255.255.255", "10.0.0.0 10.255.255.255", "100.64.0.0 100.127.255.255", "127.0.0.0 127.255.255.255",
		"169.254.0.0 169.254.255.255", "172.16.0.0 172.31.255.255", "192.0.0.0 192.0.0.255", "192.0.2.0 192.0.2.255",
		"192.31.196.0 192.31.196.255", "192.52.193.0 192.52.193.255", "192.168.0.0 192.168.255.255", "192.175.48.0 192.175.48.255",
		"198.18.0.0 198.19.255.255", "198.51.100.0 198.51.100.255", "203.0.113.0 203.0.113.255", "224.0.0.0 255.255.255.255",
		":: 1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:: 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"2002:: 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8000:: 2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
		"3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "4000:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	} {
		first, last, _ := strings.Cut(block, " ")
		assert.True(t, refused(first), first)
		assert.True(t, refused(last), last)
		if before := netip.MustParseAddr(first).Prev(); before.IsValid() {
			assert.False(t, refused(before.String()), before)
		}
		if after := netip.MustParseAddr(last).Next(); after.IsValid() {
			assert.False(t, refused(after.String()), after)
		}
	}
}

// The samples of RFC 3492 section 7.1 that are labels, and what no encoder writes.
func TestWebPKIPunycode(t *testing.T) {
	for _, label := range []string{
		"egbpdaj6bu4bxfgehfvwxn",
		"ihqwcrb4cv8a8dqg056pqjye",
		"ihqwctvzc91f659drss3x8bo0yb",
		"n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa",
		"b1abfaaepdrnnbgefbaDotcwatmq2g4l",
		"TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g",
		"3B-ww4c5e180e575a65lsy2b",
		"-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n",
		"d9juau41awczczp",
	} {
		assert.NoError(t, profile.WebPKI(forge(forHosts("xn--"+label+".example")), now), label)
	}
	for _, label := range []string{
		"b",                           // the first number goes on
		"-a0",                         // no delimiter before it
		"0",                           // so does this one
		"99999999999",                 // beyond Unicode
		strings.Repeat("9", 59),       // beyond any number
		strings.Repeat("z", 58) + "9", // the same
	} {
		assert.ErrorContains(t, profile.WebPKI(forge(forHosts("xn--"+label+".example")), now), "not valid Punycode", label)
	}
}
