package crl_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-pkioverheid/trust/chain/crl"
)

// A list, the CA that published it and a certificate of that CA: the four
// questions to ask before a certificate counts as not revoked.
func Example() {
	issuer := ca()
	cert := issuer.issue(0x1234)
	data := issuer.list(revoking(revoked(0x1234, now.AddDate(0, 0, -1), crl.KeyCompromise)))

	check := func(at time.Time) error {
		list, err := crl.Parse(data)
		if err != nil {
			return err
		}
		if err := list.CheckSignatureFrom(issuer.Certificate); err != nil {
			return err
		}
		if err := list.Covers(cert); err != nil {
			return err
		}
		if at.Before(list.ThisUpdate) || at.After(list.NextUpdate) {
			return fmt.Errorf("the list is of %s to %s", list.ThisUpdate, list.NextUpdate)
		}
		return list.Check(cert, at)
	}
	fmt.Println(check(now))
	// Output:
	// crl: certificate 1234 was revoked on 2026-11-22 12:00:00Z (keyCompromise), says the CRL of "Issuing CA", number 7, of 2026-11-23 11:00:00Z: ask the holder for the certificate that replaces it
}

func ExampleParse() {
	list, err := crl.Parse(pemOf(ca().list())) // DER as well
	if err != nil {
		panic(err)
	}
	fmt.Println(list.Issuer.CommonName)
	fmt.Println(list.Number, list.ThisUpdate, list.NextUpdate)
	fmt.Println(list.Len(), "certificates are revoked")

	_, err = crl.Parse([]byte("<html>Not found</html>"))
	fmt.Println(err)
	// Output:
	// Issuing CA
	// 7 2026-11-23 11:00:00 +0000 UTC 2026-11-24 12:00:00 +0000 UTC
	// 0 certificates are revoked
	// crl: no certificate revocation list: this is neither DER nor PEM and begins with "<html>Not found</html>"
}

// A list by a CA of the same name, but with another key.
func ExampleList_CheckSignatureFrom() {
	list, err := crl.Parse(ca().list())
	if err != nil {
		panic(err)
	}
	fmt.Println(list.CheckSignatureFrom(ca().Certificate))
	fmt.Println(list.CheckSignatureFrom(newAuthority("Issuing CA", rsaKey()).Certificate))
	// Output:
	// <nil>
	// crl: the list of "Issuing CA" is by another key of that CA: its key identifiers differ
}

// A list that is for the CA's own CAs only says nothing about a server.
func ExampleList_Covers() {
	onlyContainsCACerts := element(0x30, element(0x82, []byte{0xff}))
	list, err := crl.Parse(ca().list(extended(28, true, onlyContainsCACerts)))
	if err != nil {
		panic(err)
	}
	fmt.Println(list.Covers(ca().issue(1)))
	// Output:
	// crl: the list of "Issuing CA" is for CA certificates only, and this is none
}

// An archive asks about a time in the past: a signature made the day before the
// certificate was revoked was good.
func ExampleList_Check() {
	revokedAt := now.AddDate(0, 0, -1)
	cert := ca().issue(5)
	list, err := crl.Parse(ca().list(revoking(revoked(5, revokedAt, crl.Superseded))))
	if err != nil {
		panic(err)
	}
	fmt.Println("before:", list.Check(cert, revokedAt.Add(-time.Hour)))

	var refused *crl.RevokedError
	if errors.As(list.Check(cert, now), &refused) {
		fmt.Println("after:", refused.RevokedAt, refused.Reason)
	}
	// Output:
	// before: <nil>
	// after: 2026-11-22 12:00:00 +0000 UTC superseded
}

func ExampleList_Lookup() {
	list, err := crl.Parse(ca().list(revoking(revoked(5, now, crl.CertificateHold))))
	if err != nil {
		panic(err)
	}
	fmt.Println(list.Lookup(big.NewInt(5)))
	_, there := list.Lookup(big.NewInt(6))
	fmt.Println(there)
	// Output:
	// {2026-11-23 12:00:00 +0000 UTC 0001-01-01 00:00:00 +0000 UTC certificateHold} true
	// false
}

func ExampleList_All() {
	list, err := crl.Parse(ca().list(revoking(
		revoked(0x20001, now, crl.KeyCompromise),
		revoked(0x300, now, crl.Superseded),
	)))
	if err != nil {
		panic(err)
	}
	for serial, entry := range list.All() {
		fmt.Printf("%x %s\n", serial, entry.Reason)
	}
	// Output:
	// 300 superseded
	// 20001 keyCompromise
}

// What a health page shows of a list.
func ExampleList() {
	list, err := crl.Parse(ca().list(func(l *x509.RevocationList) { l.Number = big.NewInt(12) }))
	if err != nil {
		panic(err)
	}
	fmt.Println(list.Issuer, list.SignatureAlgorithm)
	fmt.Println("number", list.Number, "due in", list.NextUpdate.Sub(now))
	fmt.Println(bytes.Equal(list.RawIssuer, ca().RawSubject), bytes.Equal(list.AuthorityKeyID, ca().SubjectKeyId))
	// Output:
	// CN=Issuing CA,O=Test,C=NL ECDSA-SHA256
	// number 12 due in 24h0m0s
	// true true
}

func ExampleReason() {
	text, err := json.Marshal(struct{ Reason crl.Reason }{crl.CessationOfOperation})
	fmt.Println(string(text), err)
	// Output:
	// {"Reason":"cessationOfOperation"} <nil>
}
