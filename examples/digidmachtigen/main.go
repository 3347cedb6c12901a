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
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const host = "soap.machtigen.digid.nl"

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
		service := pkiotest.New(stage.service).NewService(host, http.HandlerFunc(serveSOAP), pkioverheid.AllowOIN(standin.OwnOIN), pkiotest.Leaf{OIN: standin.ServiceOIN})
		own := standin.OwnCertificate(stage.own)
		before := clientBefore(pkiotest.New(pkioverheid.G3).Certificates()[0], own, pkiotest.Base(service))
		now, err := clientNow(pkioverheid.ClientConfig{Trust: standin.Trust(), KeyPairs: standin.KeyPairs(own), Base: pkiotest.Base(service)})
		if err != nil {
			service.Close()
			return err
		}
		errBefore, errNow := try(w, "before", before), try(w, "now", now)
		service.Close()
		if (errBefore == nil) != stage.before || (errNow == nil) != stage.now {
			return standin.ErrUnexpected
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
		fmt.Fprintf(w, "   %-6s  refused: %v\n", program, standin.Explain(err))
		return err
	}
	fmt.Fprintf(w, "   %-6s  %s\n", program, answer)
	return nil
}
