package profile_test

import (
	"fmt"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/profile"
	"github.com/go-pkioverheid/trust/truststore"
)

// Whatever crypto/x509 accepts although RFC 5280 does not: here a CA with an
// empty list of extended key usages, which it takes for every usage.
func ExampleRFC5280() {
	c := forge(nil, with(37, false, seq()))
	v, err := chain.NewVerifier(truststore.New(c.Root()), truststore.New(c[1]), chain.WithPolicy(profile.RFC5280))
	if err != nil {
		panic(err)
	}
	_, err = v.Verify(c.Leaf(), chain.VerifyOptions{Time: now})
	fmt.Println(err)
	// Output: chain: refused by policy: "Issuing CA": extKeyUsage: it is empty or malformed (RFC 5280 section 4.2.1.12)
}

// Both profiles for servers on the internet, and a minimum of our own.
func ExampleWebPKI() {
	public := chain.All(profile.WebPKI, chain.MinKeySizes(3072, 256))
	fmt.Println(public(forge(), now))
	fmt.Println(public(forge(changes(noSubject, forHosts("*.com"))), now))
	// Output:
	// <nil>
	// chain: refused by policy: "*.com": subjectAltName: "*.com" is a wildcard for a whole top-level domain (CA/Browser Forum BR section 7.1.2.7.12)
}
