package chain_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/profile"
	"github.com/go-pkioverheid/trust/truststore"
)

// A certificate alone, as many a server sends it: the verifier knows the CAs.
func ExampleVerifier_Verify() {
	root := newRoot("Root")
	domain := root.issueCA("Domain CA")
	issuing := domain.issueCA("Issuing CA")
	leaf := issuing.issue("host.example")

	v, err := chain.NewVerifier(truststore.New(root.Certificate), truststore.New(domain.Certificate, issuing.Certificate))
	if err != nil {
		panic(err)
	}
	c, err := v.Verify(leaf, chain.VerifyOptions{DNSName: "host.example", Time: now})
	if err != nil {
		panic(err)
	}
	for _, cert := range c {
		fmt.Println(cert.Subject.CommonName)
	}
	// Output:
	// host.example
	// Issuing CA
	// Domain CA
	// Root
}

// The error says how far the path goes and what broke it.
// The second time, nothing is read and no signature is checked.
func ExampleVerifier_VerifyRaw() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	received := [][]byte{issuing.issue("host.example").Raw, issuing.Raw} // as in x5c

	v, err := chain.NewVerifier(truststore.New(root.Certificate), truststore.New())
	if err != nil {
		panic(err)
	}
	for range 2 {
		c, err := v.VerifyRaw(received, chain.VerifyOptions{Time: now})
		fmt.Println(len(c), err)
	}
	// Output:
	// 3 <nil>
	// 3 <nil>
}

func ExampleError() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA", valid(now.AddDate(-5, 0, 0), now.AddDate(0, 0, -1)))
	leaf := issuing.issue("host.example")
	v := mustVerifier(truststore.New(root.Certificate), truststore.New())

	_, err := v.Verify(leaf, chain.VerifyOptions{Time: now, Extra: []*x509.Certificate{issuing.Certificate}})
	var failed *chain.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Reason)
		fmt.Println(failed.Cert.Subject.CommonName)
		fmt.Println("the path goes up to:", failed.Chain.Root().Subject.CommonName)
	}
	// Output:
	// expired
	// Issuing CA
	// the path goes up to: Root
}

// A client that trusts the verifier's roots, whatever a server sends, and that
// asks the policies about resumed sessions as well.
func ExampleVerifier_CertPool() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(issuing.Certificate))

	clock := func() time.Time { return now } // a program leaves out both: the default is time.Now
	config := &tls.Config{
		ServerName: "host.example",
		RootCAs:    v.CertPool(clock),
		Time:       clock,
		VerifyConnection: func(cs tls.ConnectionState) error {
			_, err := v.Check(cs.VerifiedChains, clock())
			return err
		},
	}

	leaf := issuing.issue("host.example")
	_, err := leaf.Verify(x509.VerifyOptions{Roots: config.RootCAs, CurrentTime: now}) // crypto/tls does this
	fmt.Println(err)
	// Output: <nil>
}

// New roots for a program that runs: whoever holds the verifier sees them.
func ExampleVerifier_Replace() {
	old, fresh := newRoot("Old Root"), newRoot("New Root")
	leaf := fresh.issue("host.example")
	v := mustVerifier(truststore.New(old.Certificate), truststore.New())

	_, err := v.Verify(leaf, chain.VerifyOptions{Time: now})
	fmt.Println(err != nil)

	// What is not given again is gone: the old root, and all options.
	if err := v.Replace(truststore.New(fresh.Certificate), truststore.New(), chain.WithPolicy(profile.RFC5280)); err != nil {
		panic(err) // the old root would be trusted as before
	}
	_, err = v.Verify(leaf, chain.VerifyOptions{Time: now})
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// In tls.Config.VerifyConnection: what crypto/tls verified with a pool of the
// verifier, completed up to the root and checked once more.
func ExampleVerifier_Check() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	leaf := issuing.issue("host.example")
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(issuing.Certificate))

	state := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf, issuing.Certificate}}}
	c, err := v.Check(state.VerifiedChains, now)
	fmt.Println(len(c), err)

	_, err = v.Check(nil, now) // under InsecureSkipVerify
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// chain: unknown authority: no verified chain: was verification turned off?
}

// What a supplier delivers is rarely in order and complete.
func ExampleVerifier_Complete() {
	root := newRoot("Root")
	domain := root.issueCA("Domain CA")
	issuing := domain.issueCA("Issuing CA")
	leaf := issuing.issue("host.example")
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(domain.Certificate))

	delivered := []*x509.Certificate{root.Certificate, issuing.Certificate, leaf, leaf}
	c, err := v.Complete(delivered, now)
	if err != nil {
		panic(err)
	}
	for _, cert := range c[:len(c)-1] { // nobody needs to be sent the root
		fmt.Println(cert.Subject.CommonName)
	}
	// Output:
	// host.example
	// Issuing CA
	// Domain CA
}

// A policy sees the complete chain, also where the server sent its leaf only.
func ExampleWithPolicy() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	leaf := issuing.issue("host.example")

	noneOfThese := func(revoked *truststore.Store) chain.Policy {
		return func(c chain.Chain, at time.Time) error {
			for _, cert := range c {
				if revoked.Contains(cert) {
					return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: cert, At: at, Err: []error{errors.New("it is on the list")}}
				}
			}
			return nil
		}
	}
	v, err := chain.NewVerifier(truststore.New(root.Certificate), truststore.New(issuing.Certificate),
		chain.WithPolicy(noneOfThese(truststore.New(issuing.Certificate))))
	if err != nil {
		panic(err)
	}
	_, err = v.Verify(leaf, chain.VerifyOptions{Time: now})
	fmt.Println(err)
	// Output: chain: revoked: "Issuing CA": it is on the list
}

// A CA that is not trusted can be in the pool to be refused in words of ours.
func ExampleWithDistrusted() {
	withdrawn := newRoot("Old Root")
	leaf := withdrawn.issue("host.example")

	v, err := chain.NewVerifier(truststore.New(), truststore.New(),
		chain.WithDistrusted(truststore.New(withdrawn.Certificate), func(c []*x509.Certificate) error {
			return errors.New("this CA was withdrawn in 2025: ask for a certificate under the new one")
		}))
	if err != nil {
		panic(err)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: v.CertPool(nil), CurrentTime: now})
	fmt.Println(err)
	// Output: x509: certificate signed by unknown authority (possibly because of "this CA was withdrawn in 2025: ask for a certificate under the new one" while trying to verify candidate authority certificate "Old Root")
}

// What nobody may trust, whoever issued it, is refused before anything is computed.
func ExampleWithVeto() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	leaf := issuing.issue("host.example")
	v, err := chain.NewVerifier(truststore.New(root.Certificate), truststore.New(issuing.Certificate),
		chain.WithVeto(chain.VetoSubjects(pkix.Name{CommonName: "Issuing CA"})))
	if err != nil {
		panic(err)
	}
	_, err = v.Verify(leaf, chain.VerifyOptions{Time: now})
	fmt.Println(err)
	// Output: chain: refused by policy: "Issuing CA": this subject is distrusted by its name; all paths that names lead to are vetoed, so signatures were not checked
}

// A veto among policies.
func ExampleVeto_Policy() {
	root := newRoot("Root")
	leaf := root.issue("host.example")
	policy := chain.All(profile.RFC5280, chain.VetoCertificates(truststore.FingerprintOf(leaf)).Policy)
	fmt.Println(policy(chain.Chain{leaf, root.Certificate}, now) != nil)
	// Output: true
}

func ExampleAll() {
	short := func(c chain.Chain, at time.Time) error {
		if days := c.Leaf().NotAfter.Sub(c.Leaf().NotBefore).Hours() / 24; days > 398 {
			return fmt.Errorf("valid for %.0f days", days)
		}
		return nil
	}
	noOrganisation := func(c chain.Chain, at time.Time) error {
		if len(c.Leaf().Subject.Organization) == 0 {
			return errors.New("no organisation in it")
		}
		return nil
	}
	leaf := newRoot("Root").issue("host.example")
	fmt.Println(chain.All(short, noOrganisation)(chain.Chain{leaf}, now))
	fmt.Println(chain.All(noOrganisation, short)(chain.Chain{leaf}, now))
	fmt.Println(chain.All()(chain.Chain{leaf}, now))
	// Output:
	// valid for 730 days
	// no organisation in it
	// <nil>
}

func ExampleNewVerifier() {
	root := newRoot("Root")
	leaf := root.issue("host.example")

	_, err := chain.NewVerifier(truststore.New(leaf), truststore.New())
	fmt.Println(err)
	// Output: chain: "host.example" is not a CA, so it cannot be a root: trust its CA and pin it by a policy
}

func ExampleReason() {
	root := newRoot("Root")
	leaf := root.issue("host.example")
	v := mustVerifier(truststore.New(root.Certificate), truststore.New())

	_, err := v.Verify(leaf, chain.VerifyOptions{Time: now, DNSName: "other.example"})
	var failed *chain.Error
	if errors.As(err, &failed) && failed.Reason == chain.WrongName {
		fmt.Println("it is for", failed.Chain.Leaf().DNSNames)
	}
	// Output: it is for [host.example]
}

func ExampleChain() {
	root := newRoot("Root")
	c := chain.Chain{root.issue("host.example"), root.Certificate}
	fmt.Println(c.Leaf().Subject.CommonName, "up to", c.Root().Subject.CommonName)
	fmt.Println(chain.Chain{}.Leaf() == nil)
	// Output:
	// host.example up to Root
	// true
}

// What a supplier delivered, explained to whoever must deal with it.
func ExampleVerifier_Explain() {
	root := fixedRoot("Root")
	issuing := root.fixedCA("Issuing CA", 2)
	leaf := issuing.fixedLeaf("host.example", 3)
	v := mustVerifier(truststore.New(root.Certificate), truststore.New())

	e := v.Explain([]*x509.Certificate{leaf}, chain.VerifyOptions{DNSName: "host.example", Time: now})
	fmt.Println(e)
	// Output:
	// REFUSED: unknown authority
	// Checked: at 2026-11-01 12:00:00 UTC, for host "host.example"
	// Problem: The certificate of "Issuing CA", the issuer of "host.example", is
	//          missing: it was not given, and is not known here.
	// Advice:  Let the other side send its whole chain, without the root, or get the
	//          certificate of "Issuing CA" from its supplier. If it is a root that you
	//          trust, add it to the roots.
	//
	// "CN=Issuing CA" (named as the issuer)
	// └─"CN=host.example" (given)
	//     valid   2025-11-01 to 2027-11-01
	//     key     Ed25519; signed with Ed25519
	//     serial  03
	//     SHA-256 9f375ebe7bf623e2734d6b1c7104a3a6f7f0860bdf88b11d8854f82bc6490518
	//     ✗ WRONG its issuer "Issuing CA" was not given, and is not known here
	//     ✓ fine  valid at that time; for serverAuth and clientAuth; for this host
}

// The same as lines of a program's own.
func ExampleExplanation() {
	root := fixedRoot("Root")
	leaf := root.fixedLeaf("host.example", 3, expired)
	v := mustVerifier(truststore.New(root.Certificate), truststore.New())

	e := v.Explain([]*x509.Certificate{leaf}, chain.VerifyOptions{Time: now})
	for _, cert := range e.Path {
		for _, check := range cert.Observations {
			fmt.Printf("%s: %s: %s: %s\n", cert.Subject, check.Name, check.Result, check.Text)
		}
	}
	// Output:
	// CN=host.example: validity: fail: ended on 2026-10-01, 31 days before 2026-11-01
	// CN=host.example: signature: pass: signed by the CA above
	// CN=host.example: extended key usage: pass: for serverAuth and clientAuth
	// CN=Root: validity: pass: valid at that time
	// CN=Root: trust: pass: a root that is trusted here
	// CN=Root: ca: pass: a CA
	// CN=Root: key usage: pass: its key may sign certificates
}
