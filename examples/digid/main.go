// Command digid shows a web application behind DigiD: it fetches DigiD's SAML
// metadata over HTTPS, keeps the signing certificates of it that verify, and
// resolves an artifact over SOAP with mutual TLS, on the way from G3 to Private G1
// and from there to Private G4. It calls a stand-in on the loopback interface,
// prints what it does, and stops.
//
//	go run ./examples/digid
//
// What to read: client.go is what a program has. It verifies no XML signature: that
// is the work of a SAML library, which gets the certificates and the http.Client
// from here.
//
// The exit status is 0 if everything went as it should, 1 if not.
package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// ownOIN is a test number (prefix 00000099), and so is the service's.
const (
	ownOIN     = pkioverheid.OIN("00000099000000001000")
	serviceOIN = pkioverheid.OIN("00000099000000002000")
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "digid:", err)
		os.Exit(1)
	}
}

// stage is a day in the life of DigiD and of the application.
type stage struct {
	title   string
	tls     pkioverheid.Hierarchy   // of DigiD's server
	signing []pkioverheid.Hierarchy // of the certificates in its metadata
	own     pkioverheid.Hierarchy   // of our certificate
	inUse   int                     // signing certificates that are accepted then; -1: DigiD is refused
}

var g3, g1, g4 = pkioverheid.G3, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS

var stages = []stage{
	{"DigiD under G3, as until November 2020", g3, of(g3), g1, -1},
	{"DigiD's server moved to Private G1, its signing certificate did not", g1, of(g3), g1, 0},
	{"26 November 2020, 06:00: the signing certificate moved too", g1, of(g1), g1, 1},
	{"Before 2028: a signing certificate under Private G4 beside the old one", g1, of(g1, g4), g1, 2},
	{"DigiD moved to Private G4", g4, of(g4), g1, 1},
	{"We moved too: a new file with our certificate, and no new code", g4, of(g4), g4, 1},
}

func of(h ...pkioverheid.Hierarchy) []pkioverheid.Hierarchy { return h }

func run(w io.Writer) error {
	digid := newIdentityProvider()
	app, err := newApplication(testTrust()) // yours is the zero value
	if err != nil {
		return err
	}
	for i, s := range stages {
		fmt.Fprintf(w, "%d. %s\n", i+1, s.title)
		digid.setSigning(s.signing)
		server := pkiotest.New(s.tls).NewService(host, digid, pkioverheid.AllowOIN(ownOIN), pkiotest.OIN(serviceOIN))
		own := ownCertificate(s.own)
		if err := before(w, clientBefore(pkiotest.New(g3).Certificates()[0], own, pkiotest.Base(server))); (err == nil) != (s.tls == g3) {
			server.Close()
			return errors.New("this is not how it should be")
		}
		// Yours has the key pair only.
		inUse, err := app.login(w, pkioverheid.ClientConfig{Trust: testTrust(), KeyPairs: keyPairs(own), Base: pkiotest.Base(server)})
		server.Close()
		if err != nil {
			fmt.Fprintf(w, "   now: refused: %v\n", explain(err))
			inUse = -1
		}
		if inUse != s.inUse {
			return fmt.Errorf("%d signing certificates are in use: this is not how it should be", inUse)
		}
		fmt.Fprintln(w)
	}
	return ownCertificates(w)
}

// before tries what was in use until 2020.
func before(w io.Writer, client *http.Client) error {
	defer client.CloseIdleConnections()
	_, err := fetch(client)
	if err != nil {
		fmt.Fprintf(w, "   before: refused: %v\n", err)
	} else {
		fmt.Fprintln(w, "   before: trusted")
	}
	return err
}

// ownCertificates shows the rules for our own certificates in the two environments.
func ownCertificates(w io.Writer) error {
	fmt.Fprintln(w, "Our own certificates, in preproduction and production:")
	now, next := ownCertificate(g1).Leaf, ownCertificate(g4).Leaf
	good := logius.CheckDigiDCertificates(now, now, testTrust())
	mixed := logius.CheckDigiDCertificates(next, now, testTrust())
	fmt.Fprintf(w, "   both under G1: %v\n   G4 and G1: %v\n\n", good, mixed)
	if good != nil || mixed == nil {
		return errors.New("this is not how it should be")
	}
	fmt.Fprintln(w, "Everything is as it should be.")
	return nil
}

// explain keeps of an error what a reader needs.
func explain(err error) string {
	var theirs *pkioverheid.ServerCertificateError
	if errors.As(err, &theirs) {
		return theirs.Problem + " " + theirs.Advice
	}
	return err.Error()
}

// ownCertificate takes the place of
//
//	pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "client.p7b", Key: "client.key"})
func ownCertificate(h pkioverheid.Hierarchy) *tls.Certificate {
	cert := pkiotest.New(h).Issue(pkiotest.OIN(ownOIN), pkiotest.DNSNames("koppeling.example"))
	return &cert
}

// testTrust trusts the fixture roots of Private G1 and G4 too. Your program does not
// need it: the real ones are built in.
func testTrust() pkioverheid.Trust {
	return pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS))
}

// keyPairs are those of a program that loaded the certificate.
func keyPairs(own *tls.Certificate) []*pkioverheid.KeyPair {
	pair, err := pkioverheid.NewKeyPair(*own)
	if err != nil {
		panic(err) // pkiotest makes good ones
	}
	return []*pkioverheid.KeyPair{pair}
}
