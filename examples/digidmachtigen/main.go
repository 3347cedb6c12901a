// Command digidmachtigen shows a client of DigiD Machtigen, SOAP over mutual TLS, on
// its way from G3 to Private G1 and from there to Private G4. It calls a stand-in on
// the loopback interface, prints what came of each call, and stops.
//
//	go run ./examples/digidmachtigen
//
// What to read: client.go is what a program has, before and after. The messages
// are made up; those of the service are in its own documentation.
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
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const host = "soap.machtigen.digid.nl"

// ownOIN is a test number (prefix 00000099), and so is the service's.
const (
	ownOIN     = pkioverheid.OIN("00000099000000001000")
	serviceOIN = pkioverheid.OIN("00000099000000002000")
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "digidmachtigen:", err)
		os.Exit(1)
	}
}

// stages are the certificates of the service over the years, and ours.
var stages = []struct {
	title        string
	service, own pkioverheid.Hierarchy
	before, now  bool // which program gets an answer
}{
	{"The service under G3, as until November 2020", pkioverheid.G3, pkioverheid.PrivateG1, true, false},
	{"The service under Private G1, as since then", pkioverheid.PrivateG1, pkioverheid.PrivateG1, false, true},
	{"The service under Private G4, from some day before 2028 on; our certificate is still under G1", pkioverheid.PrivateG4TLS, pkioverheid.PrivateG1, false, true},
	{"Both under Private G4: a new file with our certificate, and no new code", pkioverheid.PrivateG4TLS, pkioverheid.PrivateG4TLS, false, true},
}

func run(w io.Writer) error {
	for i, stage := range stages {
		fmt.Fprintf(w, "%d. %s\n", i+1, stage.title)
		service := pkiotest.New(stage.service).NewService(host, http.HandlerFunc(serveSOAP), pkioverheid.AllowOIN(ownOIN), pkiotest.OIN(serviceOIN))
		own := ownCertificate(stage.own)
		before := clientBefore(pkiotest.New(pkioverheid.G3).Certificates()[0], own, pkiotest.Base(service))
		now, err := clientNow(pkioverheid.ClientConfig{Trust: testTrust(), KeyPairs: keyPairs(own), Base: pkiotest.Base(service)})
		if err != nil {
			service.Close()
			return err
		}
		errBefore, errNow := try(w, "before", before), try(w, "now", now)
		service.Close()
		if (errBefore == nil) != stage.before || (errNow == nil) != stage.now {
			return errors.New("this is not how it should be")
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "Everything is as it should be.")
	return nil
}

func try(w io.Writer, program string, client *http.Client) error {
	defer client.CloseIdleConnections()
	answer, err := ask(client, "https://"+host+"/machtigen", "M-1")
	if err != nil {
		fmt.Fprintf(w, "   %-6s  refused: %v\n", program, explain(err))
		return err
	}
	fmt.Fprintf(w, "   %-6s  %s\n", program, answer)
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
