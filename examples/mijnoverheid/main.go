// Command mijnoverheid shows the three services of MijnOverheid: Persoonlijke
// Gegevens (SOAP), Lopende Zaken and Berichtenbox (ebMS2 with a CPA), all over mutual
// TLS, on the way from G3 to Private G1 and from there to Private G4. It calls
// stand-ins on the loopback interface, prints what it does, and stops.
//
//	go run ./examples/mijnoverheid
//
// What to read: client.go is what a program has, message.go the ebMS2 message. The
// contents are made up.
//
// The exit status is 0 if everything went as it should, 1 if not.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// host is that of Lopende Zaken and Persoonlijke Gegevens in production, on the
// internet; the one for Diginetwerk is osb.kps.mijnoverheid.nl.
const (
	host = "osb.mijnoverheid.nl"
	path = "/exchange/00000004003214345001"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mijnoverheid:", err)
		os.Exit(1)
	}
}

var g3, g1, g4 = pkioverheid.G3, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS

func run(w io.Writer) error {
	for _, part := range []func(io.Writer) error{persoonlijkeGegevens, lopendeZaken, berichtenbox} {
		if err := part(w); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "Everything is as it should be.")
	return nil
}

// report prints what came of something and reports whether that was expected.
func report(w io.Writer, what string, err error, want bool) error {
	if err != nil {
		fmt.Fprintf(w, "   %s: refused: %s\n", what, standin.Explain(err))
	} else {
		fmt.Fprintf(w, "   %s: answered\n", what)
	}
	if (err == nil) != want {
		return standin.ErrUnexpected
	}
	return nil
}

func persoonlijkeGegevens(w io.Writer) error {
	fmt.Fprintln(w, "Persoonlijke Gegevens, over SOAP")
	for _, h := range []pkioverheid.Hierarchy{g3, g1, g4} {
		server := pkiotest.New(h).NewService(host, &service{}, pkioverheid.AllowOIN(standin.OwnOIN), pkiotest.Leaf{OIN: standin.ServiceOIN})
		const url = "https://" + host + "/persoonlijkegegevens"
		own := standin.OwnCertificate(g1)
		before := askSOAP(clientBefore(pkiotest.New(g3).Certificates()[0], own, pkiotest.Base(server)), url)
		now := ask(logius.MijnOverheidPersoonlijkeGegevens(), pkioverheid.ClientConfig{
			KeyPairs: standin.KeyPairs(own),
			Trust:    standin.Trust(), Base: pkiotest.Base(server), // yours has neither
		}, url)
		server.Close()
		if err := report(w, "under "+h.String()+", before", before, h == g3); err != nil {
			return err
		}
		if err := report(w, "under "+h.String()+", now", now, h != g3); err != nil {
			return err
		}
	}
	return nil
}

// lopendeZaken goes through the three ways of trusting the service. Who trusts the
// hierarchy does not notice a new certificate; the plan of 2020 asks for a new CPA
// anyway, since the old one names the certificate that is gone.
func lopendeZaken(w io.Writer) error {
	fmt.Fprintln(w, "Lopende Zaken, ebMS2 with a CPA")
	var agreed string // the agreement in use
	for _, stage := range []struct {
		title  string
		server pkioverheid.Hierarchy
		own    pkioverheid.Hierarchy
		renew  bool // a new agreement, on the certificates of today
		works  map[way]bool
	}{
		{"under G3, with an agreement on its certificate", g3, g1, true, nil},
		{"under Private G1, with the agreement of before", g1, g1, false, map[way]bool{byHierarchy: true}},
		{"under Private G1, with a new agreement", g1, g1, true, map[way]bool{byCPA: true, byPin: true, byHierarchy: true}},
		{"under Private G4, with the agreement of before", g4, g1, false, map[way]bool{byHierarchy: true}},
		{"both under Private G4, with a new agreement", g4, g4, true, map[way]bool{byCPA: true, byPin: true, byHierarchy: true}},
	} {
		fmt.Fprintf(w, "   %s\n", stage.title)
		answers := &service{}
		server := pkiotest.New(stage.server).NewService(host, answers, pkioverheid.AllowOIN(standin.OwnOIN), pkiotest.Leaf{OIN: standin.ServiceOIN})
		own := standin.OwnCertificate(stage.own)
		if stage.renew {
			upload, err := exportForRegister(own)
			if err != nil {
				server.Close()
				return err
			}
			if agreed, err = register(upload, server.Certificate()); err != nil {
				server.Close()
				return err
			}
		}
		answers.agreement = agreed
		cfg := pkioverheid.ClientConfig{Trust: standin.Trust(), KeyPairs: standin.KeyPairs(own), Base: pkiotest.Base(server)} // yours has the key pair only
		for _, way := range []way{byCPA, byPin, byHierarchy} {
			err := send(way, cfg, agreed)
			if err := report(w, "  "+string(way), err, stage.works[way]); err != nil {
				server.Close()
				return err
			}
		}
		server.Close()
	}
	return nil
}

func berichtenbox(w io.Writer) error {
	fmt.Fprintln(w, "Berichtenbox: KPN's certificates only")
	const host = "berichtenbox.example" // no real one was published
	s := logius.MijnOverheidBerichtenbox()
	s.Hosts = []logius.Host{{Name: host, Environment: logius.Production}}
	for _, c := range []struct {
		hierarchy pkioverheid.Hierarchy
		tsp       string
		works     bool
	}{{g1, "KPN", true}, {g1, "QuoVadis", false}, {g4, "KPN", true}, {g4, "Digidentity", false}} {
		server := pkiotest.New(c.hierarchy).NewService(host, &service{}, pkioverheid.AllowOIN(standin.OwnOIN), pkiotest.Leaf{OIN: standin.ServiceOIN, TSP: c.tsp})
		err := ask(s, pkioverheid.ClientConfig{Trust: standin.Trust(), KeyPairs: standin.KeyPairs(standin.OwnCertificate(g1)), Base: pkiotest.Base(server)}, "https://"+host+"/")
		server.Close()
		if err := report(w, fmt.Sprintf("%s, under %s", c.tsp, c.hierarchy), err, c.works); err != nil {
			return err
		}
	}
	return nil
}
