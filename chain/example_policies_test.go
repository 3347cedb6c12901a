package chain_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

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
	veto := chain.VetoKeys(chain.KeyHash(withdrawn.Certificate))

	err := veto([]*x509.Certificate{reissued.issue("host.example"), reissued.Certificate, root.Certificate})
	fmt.Println(err != nil)
	// Output: true
}

// A CA that was withdrawn and of which no key is available.
func ExampleVetoSubjects() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA", subjectName(pkix.Name{CommonName: "Issuing CA", Organization: []string{"Supplier"}, Country: []string{"NL"}}))
	veto := chain.VetoSubjects(pkix.Name{CommonName: "Issuing CA", Organization: []string{"Supplier"}})

	fmt.Println(veto([]*x509.Certificate{issuing.issue("host.example"), issuing.Certificate, root.Certificate}))
	// Output: chain: refused by policy: "Issuing CA": this subject is distrusted by its name
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

func ExampleChain_Policies() {
	servers, persons := oid(2, 16, 528, 1, 1003, 1, 2, 8, 6), oid(2, 16, 528, 1, 1003, 1, 2, 8, 1)
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA", policies(persons))
	leaf := issuing.issue("A. Person", policies(persons, servers))
	fmt.Println(chain.Chain{leaf, issuing.Certificate, root.Certificate}.Policies())
	// Output: [2.16.528.1.1003.1.2.8.1]
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

func ExampleKeyHash() {
	root := newRoot("Root")
	first := root.issueCA("Issuing CA")
	reissued := root.certify("Issuing CA", first.key)
	fmt.Println(chain.KeyHash(first.Certificate) == chain.KeyHash(reissued.Certificate))
	// Output: true
}
