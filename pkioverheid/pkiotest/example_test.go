package pkiotest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func Example() {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	srv := authority.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "goedemorgen")
	}), pkiotest.Leaf{})
	defer srv.Close()

	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	fmt.Println(res.TLS.PeerCertificates[0].Issuer)
	// Output:
	// goedemorgen
	// CN=KPN PKIoverheid Private Services CA - G1,O=KPN B.V.,C=NL
}

func ExampleNew() {
	authority := pkiotest.New(pkioverheid.PrivateG4TLS)
	for _, ca := range authority.Certificates() {
		fmt.Println(ca.Subject.CommonName, ca.SignatureAlgorithm)
	}
	// Output:
	// Staat der Nederlanden - G4 Root Priv G-TLS - 2024 SHA512-RSAPSS
	// Staat der Nederlanden - G4 Intm Priv G-TLS SYS - 2024 SHA512-RSAPSS
	// KPN - G4 PKIo Priv G-TLS SYS - 2025 SHA512-RSAPSS
	// Digidentity - G4 PKIo Priv G-TLS SYS - 2025 SHA512-RSAPSS
}

func ExampleAuthority_Issue() {
	authority := pkiotest.New(pkioverheid.PrivateG4TLS)
	pair := authority.Issue(pkiotest.Leaf{
		DNSNames:     []string{"api.gemeente.example"},
		Organization: "Gemeente Voorbeeld",
		OIN:          "00000099000000001000",
	})
	fmt.Println(pair.Leaf.Subject.CommonName, pair.Leaf.Subject.SerialNumber)
	fmt.Println(pair.Leaf.Policies)
	fmt.Println(len(pair.Certificate), "certificates")
	// Output:
	// api.gemeente.example 00000099000000001000
	// [2.16.528.1.1003.1.2.44.15.35.11]
	// 3 certificates
}

// What a program should go on trusting: Private G1 and Private G4, also where a
// server sends nothing but its own certificate.
func ExampleAuthority_Roots() {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		authority := pkiotest.New(h)
		srv := authority.NewServer(http.NotFoundHandler(), pkiotest.Leaf{LeafOnly: true})
		defer srv.Close()
		client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(authority.Roots()), Time: authority.Time}})
		if err != nil {
			log.Fatal(err)
		}
		res, err := client.Get(srv.URL)
		if err != nil {
			log.Fatal(err)
		}
		res.Body.Close()
		fmt.Println(h, res.Status)
	}
	// Output:
	// Private G1 404 Not Found
	// Private G4 TLS 404 Not Found
}

// What a program should refuse: G3. The client is the one that the program uses
// in production, for it need trust nothing of this package.
func ExampleLeaf_g3() {
	for _, year := range []string{"2016", "2019"} {
		srv := pkiotest.New(pkioverheid.G3).NewServer(http.NotFoundHandler(), pkiotest.Leaf{TSP: year})
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		defer srv.Close()
		client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{})
		if err != nil {
			log.Fatal(err)
		}
		_, err = client.Get(srv.URL)
		var g3 *pkioverheid.G3Error
		fmt.Println("reissue of", year, "refused:", errors.As(err, &g3) && g3.Withdrawn)
	}
	// Output:
	// reissue of 2016 refused: true
	// reissue of 2019 refused: true
}

// EV ended in 2022. What is issued under it is valid at the time of its
// Authority.
func ExampleAuthority_Time() {
	authority := pkiotest.New(pkioverheid.EV)
	fmt.Println(authority.Time().Format(time.DateOnly))
	fmt.Println(authority.Issue(pkiotest.Leaf{}).Leaf.NotBefore.Format(time.DateOnly))
	// Output:
	// 2022-12-04
	// 2021-12-05
}

// A CRL of the domain CA that revokes a TSP CA.
func ExampleAuthority_PrivateKey() {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	domain, tsp := authority.Certificates()[1], authority.Certificates()[2]
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		SignatureAlgorithm: domain.SignatureAlgorithm,
		Number:             big.NewInt(1),
		ThisUpdate:         authority.Time(),
		NextUpdate:         authority.Time().Add(24 * time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{
			{SerialNumber: tsp.SerialNumber, RevocationTime: authority.Time()},
		},
	}, domain, authority.PrivateKey(domain))
	if err != nil {
		log.Fatal(err)
	}
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(crl.CheckSignatureFrom(domain), len(crl.RevokedCertificateEntries))
	// Output:
	// <nil> 1
}

// A server that asks for a client's certificate has a tls.Config of its own.
func ExampleAuthority_NewServer_mutual() {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.PeerCertificates[0].Subject.SerialNumber)
	}))
	srv.TLS = &tls.Config{
		Certificates: []tls.Certificate{authority.Issue(pkiotest.Leaf{})},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    authority.Roots().CertPool(),
		Time:         authority.Time,
	}
	srv.StartTLS()
	defer srv.Close()

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		Certificates: []tls.Certificate{authority.Issue(pkiotest.Leaf{OIN: "00000099000000001000"})},
		RootCAs:      authority.Roots().CertPool(),
		ServerName:   "localhost",
		Time:         authority.Time,
	}}}
	defer client.CloseIdleConnections()
	res, err := client.Get(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	oin, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(oin))
	// Output:
	// 00000099000000001000
}

func ExampleAuthority_NewServer() {
	authority := pkiotest.New(pkioverheid.PrivateG4TLS)
	srv := authority.NewServer(http.NotFoundHandler(), pkiotest.Leaf{DNSNames: []string{"localhost", "api.gemeente.example"}})
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	fmt.Println(res.Status, res.TLS.PeerCertificates[0].DNSNames)
	// Output:
	// 404 Not Found [localhost api.gemeente.example]
}

func ExampleAuthority_Certificates() {
	authority := pkiotest.New(pkioverheid.G3)
	for _, ca := range authority.Certificates()[2:] {
		fmt.Println(ca.Subject.CommonName, ca.NotBefore.Year())
	}
	// Output:
	// KPN BV PKIoverheid Organisatie Server CA - G3 2019
	// KPN BV PKIoverheid Organisatie Server CA - G3 2016
}

func ExampleLeaf() {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{
		OIN:          "00000099000000001000",
		DNSNames:     []string{"a.example", "b.example"},
		Organization: "Gemeente Voorbeeld",
		CommonName:   "Koppelvlak",
		ClientOnly:   true,
		ECDSA:        true,
	}).Leaf
	fmt.Println(leaf.Subject, leaf.DNSNames)
	fmt.Println(leaf.ExtKeyUsage[0] == x509.ExtKeyUsageClientAuth, len(leaf.ExtKeyUsage), leaf.PublicKeyAlgorithm)
	// Output:
	// SERIALNUMBER=00000099000000001000,CN=Koppelvlak,O=Gemeente Voorbeeld,C=NL [a.example b.example]
	// true 1 ECDSA
}

// Nil is what real certificates have, an empty list is none.
func ExampleLeaf_nilAndEmpty() {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	usual := authority.Issue(pkiotest.Leaf{}).Leaf
	fmt.Println(usual.DNSNames, usual.Policies, usual.CRLDistributionPoints)
	bare := authority.Issue(pkiotest.Leaf{DNSNames: []string{}, Policies: []string{}, CRLDistributionPoints: []string{}}).Leaf
	fmt.Println(bare.DNSNames, bare.Policies, bare.CRLDistributionPoints)
	// Output:
	// [localhost] [2.16.528.1.1003.1.2.8.6] [http://crl.managedpki.com/KPNBVPKIoverheidPrivateServicesCAG1/LatestCRL.crl]
	// [] [] []
}

// An expired certificate.
func ExampleLeaf_expired() {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	pair := authority.Issue(pkiotest.Leaf{NotAfter: authority.Time().AddDate(0, 0, -1)})
	fmt.Println(pair.Leaf.NotAfter.Before(authority.Time()))
	// Output:
	// true
}

// A person's certificate, which must not pass for a system's.
func ExampleLeaf_person() {
	pair := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.8.1"}, ClientOnly: true})
	fmt.Println(pair.Leaf.Policies)
	// Output:
	// [2.16.528.1.1003.1.2.8.1]
}

func ExampleLeaf_key() {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	pair := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{Key: key})
	fmt.Println(key.PublicKey.Equal(pair.Leaf.PublicKey))
	// Output:
	// true
}

// An Authorizer and a handler are tested without a handshake.
func ExampleAuthority_Identity() {
	id := pkiotest.New(pkioverheid.PrivateG4TLS).Identity(pkiotest.Leaf{OIN: "00000099000000001000"})
	fmt.Println(id.OIN(), id.Kind(), id.Hierarchy())
	fmt.Println(pkioverheid.AllowOIN("00000099000000002000")(id))
	// Output:
	// 00000099000000001000 system Private G4 TLS
	// pkioverheid: OIN 00000099000000001000 is not on the list
}

func ExampleWithIdentity() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := pkioverheid.IdentityFromContext(r.Context())
		fmt.Fprint(w, "welcome, ", caller.OIN())
	})
	id := pkiotest.New(pkioverheid.PrivateG1).Identity(pkiotest.Leaf{OIN: "00000099000000001000"})
	r := httptest.NewRequest("GET", "/", nil)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r.WithContext(pkiotest.WithIdentity(r.Context(), id)))
	fmt.Println(w.Body)
	// Output: welcome, 00000099000000001000
}

// A service that is called by its own host name, which in a test leads to a server
// on this machine.
func ExampleAuthority_NewService() {
	authority := pkiotest.New(pkioverheid.PrivateG4TLS)
	srv := authority.NewService("was.digid.nl", http.NotFoundHandler(), pkioverheid.AllowOIN("00000099000000001000"), pkiotest.Leaf{})
	defer srv.Close()

	g1 := pkiotest.New(pkioverheid.PrivateG1)
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{
		Trust:    pkiotest.Trust(g1, authority),
		KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{OIN: "00000099000000001000"})},
		Base:     pkiotest.Base(srv),
	})
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Get("https://was.digid.nl/saml/idp/metadata")
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
	fmt.Println(res.TLS.PeerCertificates[0].DNSNames, res.Status)
	// Output:
	// [was.digid.nl] 404 Not Found
}

// Several hierarchies, for a client that must go on working when a server moves from one
// to the next.
func ExampleTrust() {
	trust := pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS))
	fmt.Println(trust.Roots.Store().Len())
	// Output:
	// 2
}

func ExampleAuthority_KeyPair() {
	own := pkiotest.New(pkioverheid.PrivateG1).KeyPair(pkiotest.Leaf{OIN: "00000099000000001000"})
	fmt.Println(own.Certificate().Subject.SerialNumber)
	// Output:
	// 00000099000000001000
}

func ExampleBase() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	srv := g1.NewServer(http.NotFoundHandler(), pkiotest.Leaf{DNSNames: []string{"service.example"}})
	defer srv.Close()
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), Base: pkiotest.Base(srv)})
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Get("https://service.example/")
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
	fmt.Println(res.Status)
	// Output:
	// 404 Not Found
}
