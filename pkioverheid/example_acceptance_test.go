package pkioverheid_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
)

// An acceptance environment with a CA of your own: its root is in Trust.TrialRoots, and it
// writes into the certificates of systems what PKIoverheid does, the policy of a system and
// an OIN. Server and Verifier then identify callers as they do in production, where the
// same certificates are refused.
func ExampleTrust_acceptance() {
	var numbers int64
	issue := func(template *x509.Certificate, parent *tls.Certificate) tls.Certificate {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			log.Fatal(err)
		}
		numbers++
		template.SerialNumber = big.NewInt(numbers)
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
		if parent == nil {
			parent = &tls.Certificate{Leaf: template, PrivateKey: key}
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent.Leaf, key.Public(), parent.PrivateKey)
		if err != nil {
			log.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			log.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}
	}
	root := issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "TEST Root of Example"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
	system := func(oin pkioverheid.OIN) tls.Certificate {
		server, err := x509.ParseOID("2.16.528.1.1003.1.2.8.6") // a server under Private G1
		if err != nil {
			log.Fatal(err)
		}
		return issue(&x509.Certificate{
			Subject: pkix.Name{CommonName: "localhost", SerialNumber: string(oin)}, DNSNames: []string{"localhost"}, Policies: []x509.OID{server},
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}, &root)
	}
	keyPair := func(cert tls.Certificate) []*pkioverheid.KeyPair {
		k, err := pkioverheid.NewKeyPair(cert)
		if err != nil {
			log.Fatal(err)
		}
		return []*pkioverheid.KeyPair{k}
	}
	acceptance := pkioverheid.Trust{OnlyRoots: true, TrialRoots: truststore.New(root.Leaf)}

	// A server and its caller.
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: acceptance, KeyPairs: keyPair(system("00000099000000002000"))}, pkioverheid.AllowOIN("00000099000000001000"))
	if err != nil {
		log.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(server.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id, _ := pkioverheid.IdentityFromContext(r.Context())
		fmt.Println("called by", id.OIN(), id.Kind())
	})))
	srv.TLS = server.TLSConfigForHandler()
	srv.StartTLS()
	defer srv.Close()
	caller := system("00000099000000001000")
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: acceptance, KeyPairs: keyPair(caller)})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Get(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	client.CloseIdleConnections()

	// A message and its signature.
	verifier, err := pkioverheid.NewVerifier(acceptance)
	if err != nil {
		log.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a message"))
	signature, err := ecdsa.SignASN1(rand.Reader, caller.PrivateKey.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		log.Fatal(err)
	}
	id, err := verifier.Verify([]*x509.Certificate{caller.Leaf}, pkioverheid.SignerOptions{}, func(cert *x509.Certificate) error {
		return cert.CheckSignature(x509.ECDSAWithSHA256, []byte("a message"), signature)
	})
	fmt.Println("signed by", id.OIN(), id.Kind(), err)

	// In production nobody has set TrialRoots.
	production, err := pkioverheid.NewVerifier(pkioverheid.Trust{})
	if err != nil {
		log.Fatal(err)
	}
	_, _, err = production.Inspect([]*x509.Certificate{caller.Leaf}, pkioverheid.SignerOptions{})
	fmt.Println(err != nil)
	// Output:
	// called by 00000099000000001000 system
	// signed by 00000099000000001000 system <nil>
	// true
}
