package chain_test

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// Whatever crypto/x509 lets pass although RFC 5280 does not: here a CA with an
// empty list of extended key usages, which it takes for every usage.
func ExampleStrict() {
	c := forge(nil, with(37, false, seq()))
	v, err := chain.NewVerifier(truststore.New(c.Root()), truststore.New(c[1]), chain.WithPolicy(chain.Strict))
	if err != nil {
		panic(err)
	}
	_, err = v.Verify(c.Leaf(), chain.VerifyOptions{Time: now})
	fmt.Println(err)
	// Output: chain: refused by policy: "Issuing CA": extKeyUsage: it is empty or malformed (RFC 5280 section 4.2.1.12)
}

// Both profiles for servers on the internet, and a minimum of our own.
func ExampleWebPKI() {
	public := chain.All(chain.Strict, chain.WebPKI, chain.MinKeySizes(3072, 256))
	fmt.Println(public(forge(), now))
	fmt.Println(public(forge(changes(noSubject, forHosts("*.com"))), now))
	// Output:
	// <nil>
	// chain: refused by policy: "*.com": subjectAltName: "*.com" is a wildcard for a whole top-level domain (CA/Browser Forum BR section 7.1.2.7.12)
}

func ExampleVetoCertificates() {
	root := newRoot("Root")
	leaf := root.issue("host.example")
	veto := chain.VetoCertificates(truststore.FingerprintOf(leaf)) // or ParseFingerprint of what a supplier wrote

	fmt.Println(veto([]*x509.Certificate{leaf, root.Certificate}) != nil)
	fmt.Println(veto([]*x509.Certificate{root.issue("host.example"), root.Certificate}))
	// Output:
	// true
	// <nil>
}

// A CA that was withdrawn and that may have been reissued.
func ExampleVetoKeys() {
	root := newRoot("Root")
	withdrawn := root.issueCA("Issuing CA")
	reissued := root.certify("Issuing CA again", withdrawn.key)
	veto := chain.VetoKeys(sha256.Sum256(withdrawn.RawSubjectPublicKeyInfo))

	err := veto([]*x509.Certificate{reissued.issue("host.example"), reissued.Certificate, root.Certificate})
	fmt.Println(err != nil)
	// Output: true
}

// A CA that was withdrawn and of which no key is at hand.
func ExampleVetoSubjects() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA", subjectName(pkix.Name{CommonName: "Issuing CA", Organization: []string{"Supplier"}, Country: []string{"NL"}}))
	veto := chain.VetoSubjects(pkix.Name{CommonName: "Issuing CA", Organization: []string{"Supplier"}})

	fmt.Println(veto([]*x509.Certificate{issuing.issue("host.example"), issuing.Certificate, root.Certificate}))
	// Output: chain: refused by policy: "Issuing CA": this subject is distrusted, by its name
}

// One certificate of one server, and everything that the hierarchy asks of it.
func ExamplePinLeaf() {
	root := newRoot("Root")
	leaf := root.issue("host.example")
	v, err := chain.NewVerifier(truststore.New(root.Certificate), truststore.New(),
		chain.WithPolicy(chain.PinLeaf(truststore.FingerprintOf(leaf))))
	if err != nil {
		panic(err)
	}
	_, err = v.Verify(leaf, chain.VerifyOptions{Time: now})
	fmt.Println(err)
	_, err = v.Verify(root.issue("host.example"), chain.VerifyOptions{Time: now})
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}

// Only certificates of one kind, of a root that also issues others.
func ExampleRequirePolicy() {
	servers, err := x509.ParseOID("2.16.528.1.1003.1.2.8.6")
	if err != nil {
		panic(err)
	}
	persons := oid(2, 16, 528, 1, 1003, 1, 2, 8, 1)
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA", policies(servers, persons))
	require := chain.RequirePolicy(servers)

	fmt.Println(require(chain.Chain{issuing.issue("host.example", policies(servers)), issuing.Certificate, root.Certificate}, now))
	fmt.Println(require(chain.Chain{issuing.issue("A. Person", policies(persons)), issuing.Certificate, root.Certificate}, now))
	// Output:
	// <nil>
	// chain: refused by policy: "A. Person": it does not have the certificate policy that is asked for: 2.16.528.1.1003.1.2.8.6 (RFC 5280 section 6.1.3)
}

// A CA is let go: what it issued stays good until it ends.
func ExampleNotIssuedAfter() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	policy := chain.NotIssuedAfter(now.AddDate(0, -6, 0), sha256.Sum256(issuing.RawSubjectPublicKeyInfo))

	before := issuing.issue("host.example", valid(now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)))
	after := issuing.issue("host.example", valid(now.AddDate(0, -1, 0), now.AddDate(1, 0, 0)))
	fmt.Println(policy(chain.Chain{before, issuing.Certificate, root.Certificate}, now))
	fmt.Println(policy(chain.Chain{after, issuing.Certificate, root.Certificate}, now))
	// Output:
	// <nil>
	// chain: refused by policy: "host.example": it was issued on 2026-10-01, and nothing that its CA issued after 2026-05-01 is trusted
}

func ExampleMinKeySizes() {
	root := newRoot("Root") // on P-256
	c := chain.Chain{root.issue("host.example"), root.Certificate}
	fmt.Println(chain.MinKeySizes(3072, 256)(c, now))
	fmt.Println(chain.MinKeySizes(3072, 384)(c, now))
	// Output:
	// <nil>
	// chain: refused by policy: "host.example": its ECDSA key has 256 bits, and at least 384 are asked for
}

func ExampleSignatureAlgorithms() {
	root := newRoot("Root")
	c := chain.Chain{root.issue("host.example"), root.Certificate}
	fmt.Println(chain.SignatureAlgorithms(x509.SHA512WithRSAPSS, x509.SHA256WithRSA)(c, now))
	// Output: chain: refused by policy: "host.example": it is signed with ECDSA-SHA256, which is not among the algorithms that are allowed
}
