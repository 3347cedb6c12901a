package digikoppeling_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/digikoppeling"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func ExampleCheck() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf := g1.Issue(pkiotest.Leaf{}).Leaf // ordered without an OIN
	for _, r := range digikoppeling.Check(leaf, time.Time{}, digikoppeling.Options{
		Trust: pkiotest.Trust(g1),
	}) {
		if r.Verdict != digikoppeling.NotChecked {
			fmt.Println(r.Rule, r.Verdict)
		}
	}
	// Output:
	// PKI001 broken
	// PKI004 met
	// PKI005 met
}

func ExampleCheckConnection() {
	state := &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS12, CipherSuite: tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	for _, r := range digikoppeling.CheckConnection(state, time.Time{}, digikoppeling.Options{Port: 443}) {
		if strings.HasPrefix(r.Rule, "TLS") {
			fmt.Println(r.Rule, r.Verdict, "-", r.Reason)
		}
	}
	// Output:
	// TLS001 broken - the other side showed no certificate
	// TLS002 broken - the other side showed no certificate
	// TLS003 met - TLS 1.2
	// TLS004 met - TLS 1.2; TLS 1.3 is strongly advised
	// TLS005 met - port 443
	// TLS006 broken - TLS_RSA_WITH_AES_128_CBC_SHA is not rated good or sufficient by the NCSC
	// TLSCIPH001 broken - TLS_RSA_WITH_AES_128_CBC_SHA is not rated good or sufficient by the NCSC
}

// A server or client that refuses certificates that break a rule.
func ExamplePolicy() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cas := g1.Certificates()
	policy := digikoppeling.Policy(nil) // or with a policy of package chain/crl
	withoutOIN := chain.Chain{g1.Issue(pkiotest.Leaf{}).Leaf, cas[2], cas[1], cas[0]}
	fmt.Println(policy(withoutOIN, time.Now()))
	// Output: chain: refused by policy: "localhost": Digikoppeling PKI001: the subject has no serialNumber, which should be the OIN. Order a certificate with one
}

func ExampleVerdict() {
	fmt.Println(digikoppeling.Met)
	// Output: met
}
