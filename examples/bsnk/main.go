// Command bsnk shows a party in the network of BSNk: it reads the network metadata
// (XML), puts the signing certificates of it into its trust store and encrypts with
// the encryption certificate, and follows both as the metadata changes, from G3 to
// Private G1 and EV and from there to Private G4. It calls a stand-in on the
// loopback interface, prints what it does, and stops.
//
//	go run ./examples/bsnk
//
// What to read: client.go is what a program has. The messages are made up: those of
// BSNk are the work of other libraries.
//
// The exit status is 0 if everything went as it should, 1 if not.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bsnk:", err)
		os.Exit(1)
	}
}

var (
	g3, ev, g1, g4 = pkioverheid.G3, pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS

	today = pkiotest.New(g1).Time()
)

// stages are versions of the network metadata, with what the service and we have at
// that time.
var stages = []struct {
	title               string
	at                  time.Time
	tls                 pkioverheid.Hierarchy
	signing, encryption []pkioverheid.Hierarchy
	own                 pkioverheid.Hierarchy
	works               bool
}{
	{"November 2020: everything under G3", day(2020, time.November, 30), g3, of(g3), of(g3), g1, false},
	{"1 December 2020: under Private G1 and EV", day(2020, time.December, 2), g1, of(ev), of(g1), g1, true},
	{"Today: a certificate under EV has been forgotten in the metadata", today, g1, of(ev, g1), of(g1), g1, true},
	{"Before 2028: the next signing certificate is announced, under Private G4", today, g1, of(g1, g4), of(g1), g1, true},
	{"The service moved to Private G4, and its encryption certificate was replaced", today, g4, of(g1, g4), of(g4), g1, true},
	{"The old signing certificate was removed, and we moved too", today, g4, of(g4), of(g4), g4, true},
}

func of(h ...pkioverheid.Hierarchy) []pkioverheid.Hierarchy { return h }

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
}

func run(w io.Writer) error {
	var at time.Time
	trust := standin.Trust() // yours is the zero value
	trust.Time = func() time.Time { return at }
	p, err := newParty(trust)
	if err != nil {
		return err
	}
	bsnk := newBSNk()
	for i, s := range stages {
		fmt.Fprintf(w, "%d. %s\n", i+1, s.title)
		at = s.at
		if i == 0 || !stages[i-1].at.Equal(at) {
			bsnk.renew()
		}
		server := pkiotest.New(s.tls).NewService(host, bsnk, pkioverheid.AllowOIN(standin.OwnOIN), validAt(at, pkiotest.Leaf{OIN: standin.ServiceOIN}))
		own := pkiotest.New(s.own).Issue(validAt(at, standin.OwnLeaf))
		old := clientBefore(pkiotest.New(g3).Certificates()[0], &own, pkiotest.Base(server))
		if err := before(w, old, at); (err == nil) != (s.tls == g3) {
			server.Close()
			return standin.ErrUnexpected
		}
		document, err := bsnk.metadata(s.signing, s.encryption, at)
		if err == nil {
			err = p.follow(w, document)
		}
		if err == nil {
			err = p.call(w, pkioverheid.ClientConfig{Trust: trust, KeyPairs: standin.KeyPairs(&own), Base: pkiotest.Base(server)})
		}
		server.Close()
		if err != nil {
			fmt.Fprintf(w, "   failed: %v\n", standin.Explain(err))
		}
		if (err == nil) != s.works {
			return standin.ErrUnexpected
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "Everything is as it should be.")
	return nil
}

// before tries what was in use until 2020.
func before(w io.Writer, client *http.Client, at time.Time) error {
	client.Transport.(*http.Transport).TLSClientConfig.Time = func() time.Time { return at } // yours has none
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + host + "/")
	if err != nil {
		fmt.Fprintf(w, "   before: refused: %v\n", err)
		return err
	}
	fmt.Fprintln(w, "   before: trusted")
	return resp.Body.Close()
}

// validAt makes a certificate valid from before a time until after today.
func validAt(at time.Time, l pkiotest.Leaf) pkiotest.Leaf {
	l.NotBefore, l.NotAfter = at.AddDate(0, -6, 0), today.AddDate(0, 6, 0)
	return l
}
