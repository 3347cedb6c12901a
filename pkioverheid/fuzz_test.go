package pkioverheid_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/digikoppeling"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// Whatever a certificate holds, what we write about it is short, on one line, and free
// of control characters; and nobody is identified by it as a peer.
func FuzzCertificate(f *testing.F) {
	for _, h := range pkioverheid.AllHierarchies() {
		for _, c := range h.Certificates() {
			f.Add(c.Raw)
		}
	}
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.G3} {
		f.Add(pkiotest.New(h).Issue(pkiotest.Leaf{OIN: "00000003271987420000"}).Certificate[0])
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		pkioverheid.ClaimOf(cert)
		for _, err := range []error{
			pkioverheid.RejectG3([]*x509.Certificate{cert}),
		} {
			if err == nil {
				continue
			}
			if s := err.Error(); len(s) > 2000 || bytes.ContainsAny([]byte(s), "\n\r\x00\x1b") {
				t.Errorf("%q", s)
			}
		}
		texts := []string{advice.For(cert, "", time.Now()).Text, advice.For(cert, advice.Web, cert.NotAfter).Text}
		for _, r := range digikoppeling.Check(cert, time.Time{}, digikoppeling.Options{}) {
			texts = append(texts, r.Reason)
		}
		for _, s := range texts {
			if len(s) == 0 || len(s) > 2000 || bytes.ContainsAny([]byte(s), "\n\r\x00\x1b") {
				t.Errorf("%q", s)
			}
		}
		// As an added root: taken or refused, never a panic.
		_, _ = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(cert)), OnlyRoots: true}})
	})
}

// A key pair that is returned works; an error never holds the password.
func FuzzParseKeyPair(f *testing.F) {
	pair := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		f.Fatal(err)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	f.Add(certPEM, keyPEM)
	f.Add(pair.Certificate[0], key)
	f.Add(append(bytes.Clone(certPEM), keyPEM...), []byte(nil))
	const password = "correct horse battery"
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		got, err := pkioverheid.ParseKeyPair(cert, key, password)
		if err != nil {
			if bytes.Contains([]byte(err.Error()), []byte(password)) {
				t.Error("the password is in the error")
			}
			return
		}
		if got.PrivateKey == nil || len(got.Certificate) == 0 {
			t.Error("half a result")
		}
	})
}
