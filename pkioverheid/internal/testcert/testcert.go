// Package testcert has what the tests of several packages share: odd certificates that
// package pkiotest, which is for everybody, does not make, and what FIPS 140-3 refuses.
package testcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// Sign makes a certificate with a key of its own under parent, or self-signed.
func Sign(t testing.TB, template *x509.Certificate, parent *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(time.Now().UnixNano())
	}
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	issuer, signer := template, crypto.PrivateKey(key)
	if parent != nil {
		issuer, signer = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}
}

// Claiming returns a certificate that says that a real CA issued it. Certificates of
// pkiotest would be known as what they are, compromised.
func Claiming(t testing.TB, ca *x509.Certificate, change ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7),
		Subject:      pkix.Name{CommonName: "gemeente.example", Organization: []string{"Gemeente"}},
		NotBefore:    time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC),
		DNSNames:    []string{"gemeente.example"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, c := range change {
		c(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{RawSubject: ca.RawSubject, SubjectKeyId: ca.SubjectKeyId}, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return cert
}

// ClaimingName returns a leaf that says that a CA of that name issued it.
func ClaimingName(t testing.TB, issuer pkix.Name) *x509.Certificate {
	t.Helper()
	return Claiming(t, Sign(t, &x509.Certificate{Subject: issuer, IsCA: true, BasicConstraintsValid: true}, nil).Leaf)
}

// OtherHierarchy is a root that this module does not know, and below it a client's
// certificate with a policy and an OIN.
func OtherHierarchy(t testing.TB, policy string, oin pkioverheid.OIN) (*x509.Certificate, tls.Certificate) {
	t.Helper()
	number, err := x509.ParseOID(policy)
	must(t, err)
	root := Sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Other Root", Organization: []string{"Other"}, Country: []string{"NL"}},
		IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	return root.Leaf, Sign(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "Other", SerialNumber: string(oin)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
		Policies: []x509.OID{number},
	}, &root)
}

// CA returns an embedded CA by its common name.
func CA(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.G3} {
		for _, c := range h.Certificates() {
			if c.Subject.CommonName == name {
				return c
			}
		}
	}
	t.Fatal("no such CA: ", name)
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// RefusedByFIPS reports whether err is truststore's refusal of an algorithm where FIPS
// 140-3 is enforced, which ends a test that needs it. It logs what was refused: .ci/run
// lists it.
func RefusedByFIPS(t testing.TB, err error) bool {
	t.Helper()
	if err == nil || !fips140.Enforced() || !strings.Contains(err.Error(), ", which GODEBUG=fips140=only does not allow") {
		return false
	}
	_, algorithm, _ := strings.Cut(err.Error(), "it needs ")
	algorithm, _, _ = strings.Cut(algorithm, ",")
	t.Logf("fips140=only: %s (%s)", t.Name(), algorithm)
	return true
}
