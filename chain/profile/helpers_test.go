package profile_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// now is when the tests take place.
var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func poolOf(certs ...*x509.Certificate) *x509.CertPool { return truststore.New(certs...).CertPool() }

func oid(ints ...uint64) x509.OID { return must(x509.OIDFromInts(ints)) }

func mustVerifier(roots, intermediates *truststore.Store, opts ...chain.Option) *chain.Verifier {
	return must(chain.NewVerifier(roots, intermediates, opts...))
}

// written is a chain of three as crypto/x509 writes it.
func written() chain.Chain {
	keys := forgedKeys()
	sign := func(template, parent *x509.Certificate, key, signer crypto.Signer) *x509.Certificate {
		return parsed(must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)))
	}
	ca := func(name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
			NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	}
	root := sign(ca("Root"), ca("Root"), keys[2], keys[2])
	issuing := sign(ca("Issuing CA"), root, keys[1], keys[2])
	leaf := sign(&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "host.example"}, DNSNames: []string{"host.example"},
		NotBefore: now.AddDate(0, -3, 0), NotAfter: now.AddDate(0, 3, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, issuing, keys[0], keys[1])
	return chain.Chain{leaf, issuing, root}
}
