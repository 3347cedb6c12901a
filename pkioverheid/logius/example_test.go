package logius_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// A client of DigiD Machtigen, with the certificate that you were issued.
func Example() {
	call := func() (*http.Response, error) {
		own, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "client.p7b", Key: "client.key"})
		if err != nil {
			return nil, err
		}
		client, err := logius.DigiDMachtigen().NewClient(logius.Production, pkioverheid.ClientConfig{KeyPairs: []*pkioverheid.KeyPair{own}})
		if err != nil {
			return nil, err
		}
		return client.Post("https://soap.machtigen.digid.nl/", "text/xml; charset=utf-8", strings.NewReader("<Envelope/>"))
	}
	_, err := call()
	fmt.Println(err)
	// Output: pkioverheid: truststore: stat client.p7b: no such file or directory
}

func ExampleServices() {
	for _, s := range logius.Services() {
		fmt.Printf("%s: %s, %v, then %v\n", s.Name, s.Protocol, s.Hierarchies, s.Successors)
	}
	// Output:
	// BSNk: SAML, [Private G1 EV], then [Private G4 TLS]
	// DigiD: SAML, [Private G1], then [Private G4 TLS]
	// DigiD Machtigen: SOAP, [Private G1], then [Private G4 TLS]
	// MijnOverheid Persoonlijke Gegevens: SOAP, [Private G1], then [Private G4 TLS]
	// MijnOverheid Lopende Zaken: ebMS2, [Private G1], then [Private G4 TLS]
	// MijnOverheid Berichtenbox: ebMS2, [Private G1], then [Private G4 TLS]
}

// The hosts of BSNk are in the network metadata that you were given.
func ExampleBSNk() {
	s := logius.BSNk()
	s.Hosts = []logius.Host{{Name: "bsnk.example", Environment: logius.Production}}
	client, err := s.NewClient(logius.Production, pkioverheid.ClientConfig{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Get("https://other.example/")
	fmt.Println(err)
	// Output: Get "https://other.example/": logius: refused to connect to "other.example": it is not a host of "BSNk", production
}

func ExampleDigiD() {
	for _, h := range logius.DigiD().Hosts {
		fmt.Printf("%s: https://%s%s\n", h.Environment, h.Name, h.Path)
	}
	// Output:
	// preproduction: https://was-preprod1.digid.nl/saml/idp/metadata
	// production: https://was.digid.nl/saml/idp/metadata
}

func ExampleDigiDMachtigen() {
	client, err := logius.DigiDMachtigen().NewClient(logius.Production, pkioverheid.ClientConfig{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Get("https://soap.pp.machtigen.digid.nl/")
	fmt.Println(err)
	// Output: Get "https://soap.pp.machtigen.digid.nl/": logius: refused to connect to "soap.pp.machtigen.digid.nl": it is not a host of "DigiD Machtigen", production
}

func ExampleMijnOverheidPersoonlijkeGegevens() {
	text, err := json.MarshalIndent(logius.MijnOverheidPersoonlijkeGegevens().Hosts[3], "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
	// Output:
	// {
	//   "name": "osb.kps.mijnoverheid.nl",
	//   "environment": "production",
	//   "network": "Diginetwerk"
	// }
}

// The second of the three ways: the leaf is pinned, on top of the hierarchy. The
// first takes it from the CPA, as here; the third does without the Policy.
func ExampleMijnOverheidLopendeZaken() {
	agreement, err := logius.ReadCPA(strings.NewReader(exampleCPA()))
	if err != nil {
		log.Fatal(err)
	}
	theirs, ok := agreement.Party("00000099000000002000")
	if !ok {
		log.Fatal("the agreement is not with Logius")
	}
	var pins []truststore.Fingerprint
	for _, cert := range theirs.InRole("Server") {
		pins = append(pins, truststore.FingerprintOf(cert))
	}
	client, err := logius.MijnOverheidLopendeZaken().NewClient(logius.Production, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Policy: chain.PinLeaf(pins...)}})
	fmt.Println(client != nil, len(pins), err)
	// Output: true 1 <nil>
}

// Your agreement names the host. Only KPN's certificates pass.
func ExampleMijnOverheidBerichtenbox() {
	s := logius.MijnOverheidBerichtenbox()
	s.Hosts = []logius.Host{{Name: "berichtenbox.example", Environment: logius.Production}}
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	v, err := s.Verifier(pkiotest.Trust(g1))
	if err != nil {
		log.Fatal(err)
	}
	for _, tsp := range []string{"KPN", "QuoVadis"} {
		cert := g1.Issue(pkiotest.Leaf{TSP: tsp, DNSNames: []string{"berichtenbox.example"}})
		_, _, err := v.Inspect([]*x509.Certificate{cert.Leaf}, pkioverheid.SignerOptions{})
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// chain: refused by policy: "berichtenbox.example": logius: it was not issued by a CA that is known, by its key, to be of KPN
}

// Before the service moved to Private G4 its certificate was under G1, and a client
// trusts both, so that the day of the move needs no change. One that is configured
// without the successor stops at it.
func ExampleService_NewClient() {
	try := func(s logius.Service, server pkioverheid.Hierarchy) {
		// In place of the service: a server on this machine, with a certificate of
		// package pkiotest for the service's name. Your ClientConfig has no Base
		// and no Roots.
		base, roots, stop := serve(server, "osb.mijnoverheid.nl")
		defer stop()
		client, err := s.NewClient(logius.Production, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(roots)}, Base: base})
		if err != nil {
			log.Fatal(err)
		}
		defer client.CloseIdleConnections()
		resp, err := client.Get("https://osb.mijnoverheid.nl/")
		if err != nil {
			fmt.Println(server, "is refused")
			return
		}
		resp.Body.Close()
		fmt.Println(server, resp.Status)
	}
	try(logius.MijnOverheidPersoonlijkeGegevens(), pkioverheid.PrivateG1)
	try(logius.MijnOverheidPersoonlijkeGegevens(), pkioverheid.PrivateG4TLS)
	try(logius.MijnOverheidPersoonlijkeGegevens(), pkioverheid.G3)
	// Output:
	// Private G1 200 OK
	// Private G4 TLS 200 OK
	// G3 is refused
}

func ExampleService_Verifier() {
	v, err := logius.DigiD().Verifier(pkioverheid.Trust{})
	if err != nil {
		log.Fatal(err)
	}
	stranger := []*x509.Certificate{pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf}
	_, _, err = v.Inspect(stranger, pkioverheid.SignerOptions{})
	fmt.Println(err != nil)
	// Output: true
}

// The metadata as it is today, and as it is after the service moved to G4.
func ExampleKeyring_Update() {
	keys, err := logius.BSNk().NewKeyring(pkioverheid.Trust{Roots: truststore.NewSource(exampleRoots())}) // yours has no Roots
	if err != nil {
		log.Fatal(err)
	}
	for _, document := range []string{exampleMetadata(pkioverheid.PrivateG1), exampleMetadata(pkioverheid.PrivateG4TLS)} {
		metadata, err := logius.ReadMetadata(strings.NewReader(document))
		if err != nil {
			log.Fatal(err)
		}
		changes := keys.Update(metadata)
		fmt.Println("signing:", len(changes.Signing.Added), "added,", len(changes.Signing.Removed), "removed")
		fmt.Println("encryption:", len(changes.Encryption.Added), "added,", len(changes.Encryption.Removed), "removed")
		for _, r := range changes.Refused {
			fmt.Println("refused:", r.EntityID, r.Use, r.Err)
		}
	}
	fmt.Println("in use:", keys.Signing("urn:nl:example").Len(), keys.Encryption("urn:nl:example").Len())
	// Output:
	// signing: 1 added, 0 removed
	// encryption: 1 added, 0 removed
	// signing: 1 added, 1 removed
	// encryption: 1 added, 1 removed
	// in use: 1 1
}

func ExampleService_NewKeyring() {
	keys, err := logius.DigiD().NewKeyring(pkioverheid.Trust{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.Signing("https://was.digid.nl/saml/idp/metadata").Len(), "before the metadata was read")
	// Output: 0 before the metadata was read
}

func ExampleReadMetadata() {
	metadata, err := logius.ReadMetadata(strings.NewReader(exampleMetadata(pkioverheid.PrivateG1)))
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range metadata.Entities {
		for _, key := range e.Keys {
			fmt.Println(e.ID, key.Use, len(key.Certificates))
		}
	}
	_, err = logius.ReadMetadata(strings.NewReader("<EntityDescriptor/>"))
	fmt.Println(err)
	// Output:
	// urn:nl:example signing 1
	// urn:nl:example encryption 1
	// logius: SAML metadata: line 1, in EntityDescriptor: the element "EntityDescriptor" is of no namespace: want urn:oasis:names:tc:SAML:2.0:metadata
}

func ExampleEntity_Hosts() {
	metadata, err := logius.ReadMetadata(strings.NewReader(exampleMetadata(pkioverheid.PrivateG1)))
	if err != nil {
		log.Fatal(err)
	}
	s := logius.BSNk()
	for _, name := range metadata.Entities[0].Hosts() {
		s.Hosts = append(s.Hosts, logius.Host{Name: name, Environment: logius.Production})
	}
	fmt.Println(s.Hosts[0].Name)
	// Output: bsnk.example
}

func ExampleReadCPA() {
	agreement, err := logius.ReadCPA(strings.NewReader(exampleCPA()))
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range agreement.Parties {
		for _, c := range p.Certificates {
			fmt.Println(p.Name, p.OIN(), c.ID, c.Roles)
		}
	}
	// Output:
	// Gemeente 00000099000000001000 cert_Gemeente [Client Server Signing]
	// Logius 00000099000000002000 cert_Logius [Client Server Signing]
}

func ExampleCPA_Check() {
	agreement, err := logius.ReadCPA(strings.NewReader(exampleCPA()))
	if err != nil {
		log.Fatal(err)
	}
	v, err := logius.MijnOverheidLopendeZaken().Verifier(pkioverheid.Trust{Roots: truststore.NewSource(exampleRoots())}) // yours has no Roots
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(agreement.Check(v, pkiotest.New(pkioverheid.PrivateG1).Time()))
	fmt.Println(agreement.Check(v, time.Date(2031, time.January, 1, 0, 0, 0, 0, time.UTC)) != nil)
	// Output:
	// <nil>
	// true
}

func ExampleCPA_Party() {
	agreement, err := logius.ReadCPA(strings.NewReader(exampleCPA()))
	if err != nil {
		log.Fatal(err)
	}
	p, ok := agreement.Party("00000099000000002000")
	fmt.Println(p.Name, ok)
	// Output: Logius true
}

func ExampleParty_InRole() {
	agreement, err := logius.ReadCPA(strings.NewReader(exampleCPA()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(agreement.Parties[1].InRole("Signing")), len(agreement.Parties[1].InRole("Encryption")))
	// Output: 1 0
}

func ExampleParty_OIN() {
	p := logius.Party{IDs: []logius.PartyID{{Type: "urn:osb:oin", Value: "00000099000000001000"}}}
	fmt.Println(p.OIN(), p.OIN().Validate())
	// Output: 00000099000000001000 <nil>
}

// A .p7b as a TSP delivers it, with the CAs above the certificate.
func ExampleRegisterCertificate() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	delivered := truststore.New(g1.Certificates()...)
	delivered.Add(g1.Issue(pkiotest.Leaf{OIN: "00000099000000001000"}).Leaf)
	p7b, err := delivered.Encode(truststore.PKCS7)
	if err != nil {
		log.Fatal(err)
	}
	text, err := logius.RegisterCertificate(p7b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Count(text, []byte("BEGIN CERTIFICATE")), "certificate of", delivered.Len())
	// Output: 1 certificate of 5
}

func ExampleCheckDigiDCertificates() {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	now, next := g1.Issue(pkiotest.Leaf{CommonName: "was", OIN: "00000099000000001000"}).Leaf, g4.Issue(pkiotest.Leaf{}).Leaf
	err := logius.CheckDigiDCertificates(next, now, pkioverheid.Trust{Roots: truststore.NewSource(exampleRoots())}) // yours has no Roots
	fmt.Println(err)
	// Output: logius: DigiD: the certificate for preproduction is under Private G4 TLS and the one for production under Private G1: use the same kind in both
}

func ExampleEntity_OIN() {
	oin, err := logius.Entity{ID: "urn:nl-eid-gdi:1.0:RD:00000004000000149000:entities:9002"}.OIN()
	fmt.Println(oin, err)
	// Output: 00000004000000149000 <nil>
}

// A party has a certificate that crypto/x509 does not parse; the others stay.
func ExampleKey() {
	document := strings.Replace(exampleMetadata(pkioverheid.PrivateG1), "<ds:X509Certificate>", "<ds:X509Certificate>MAA=</ds:X509Certificate><ds:X509Certificate>", 1)
	metadata, err := logius.ReadMetadata(strings.NewReader(document))
	if err != nil {
		log.Fatal(err)
	}
	for _, key := range metadata.Entities[0].Keys {
		fmt.Println(key.Use, len(key.Certificates), len(key.Unread))
	}
	// Output:
	// signing 1 1
	// encryption 1 0
}

// Have the metadata fetched, and verified by package samlsig: see the example there.
func ExampleKeyring_Watch() {
	keys, err := logius.BSNk().NewKeyring(pkioverheid.Trust{})
	if err != nil {
		log.Fatal(err)
	}
	err = keys.Watch(context.Background(), logius.MetadataSource{URL: "https://bsnk.example/metadata", Client: http.DefaultClient})
	fmt.Println(err)
	// Output: logius: MetadataSource.Verify is nil, so that anybody could write the metadata: use samlsig.VerifyMetadata
}

func ExampleKeyring_Metadata() {
	keys, err := logius.BSNk().NewKeyring(pkioverheid.Trust{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.Metadata() == nil)
	keys.Update(&logius.Metadata{Entities: []logius.Entity{{ID: "urn:nl:one"}}})
	fmt.Println(keys.Metadata().Entities[0].ID)
	// Output:
	// true
	// urn:nl:one
}
