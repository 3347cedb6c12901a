// Command digid shows a web application that uses DigiD: it fetches DigiD's SAML
// metadata over HTTPS, keeps the signing certificates of it that verify, and
// resolves an artifact over SOAP with mutual TLS, on the way from G3 to Private G1
// and from there to Private G4. It calls a stand-in on the loopback interface,
// prints what it does, and stops.
//
//	go run ./examples/digid
//
// What to read: client.go is what a program has; its newApplication has the metadata
// fetched, verified, bound to DigiD and refreshed. The signature of an answer is the work
// of a SAML library, which gets the certificates and the http.Client from here.
//
// The exit status is 0 if everything went as it should, 1 if not.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
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
	signing []pkioverheid.Hierarchy // of the certificates in its metadata, which the first has signed
	own     pkioverheid.Hierarchy   // of our certificate
	inUse   int                     // signing certificates that are accepted then; 0: DigiD is refused
}

var g3, g1, g4 = pkioverheid.G3, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS

var stages = []stage{
	{"DigiD under G3, as until November 2020", g3, of(g3), g1, 0},
	{"DigiD's server moved to Private G1, its signing certificate did not", g1, of(g3), g1, 0},
	{"26 November 2020, 06:00: the signing certificate moved too", g1, of(g1), g1, 1},
	{"Before 2028: a signing certificate under Private G4 beside the old one", g1, of(g1, g4), g1, 2},
	{"DigiD moved to Private G4", g4, of(g4), g1, 1},
	{"We moved too: a new file with our certificate, and no new code", g4, of(g4), g4, 1},
}

func of(h ...pkioverheid.Hierarchy) []pkioverheid.Hierarchy { return h }

func run(w io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	d := &demonstration{digid: newIdentityProvider(), updates: make(chan logius.KeyChanges, 100)}
	defer d.close()
	own := standin.KeyPairs(standin.OwnCertificate(g1))
	for i, s := range stages {
		fmt.Fprintf(w, "%d. %s\n", i+1, s.title)
		if err := d.move(s); err != nil {
			return err
		}
		if err := own[0].Set(*standin.OwnCertificate(s.own)); err != nil {
			return err
		}
		if err := d.before(w, s); (err == nil) != (s.tls == g3) {
			return standin.ErrUnexpected
		}
		if err := d.now(ctx, w, s, own); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return ownCertificates(w)
}

// demonstration has the stand-in for DigiD and the application.
type demonstration struct {
	digid   *identityProvider
	server  *httptest.Server
	app     *application // nil as long as it could not start
	updates chan logius.KeyChanges

	address atomic.Value // where DigiD is
}

func (d *demonstration) close() {
	if d.server != nil {
		d.server.Close()
	}
}

// move replaces DigiD's certificates.
func (d *demonstration) move(s stage) error {
	d.close()
	d.server = pkiotest.New(s.tls).NewService(host, d.digid, pkioverheid.AllowOIN(standin.OwnOIN), pkiotest.Leaf{OIN: standin.ServiceOIN})
	d.address.Store(d.server.Listener.Addr().String())
	return d.digid.setSigning(s.signing)
}

// before tries what was in use until 2020.
func (d *demonstration) before(w io.Writer, s stage) error {
	client := clientBefore(pkiotest.New(g3).Certificates()[0], standin.OwnCertificate(s.own), pkiotest.Base(d.server))
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + host + metadataPath)
	if err != nil {
		fmt.Fprintf(w, "   before: refused: %v\n", err)
		return err
	}
	fmt.Fprintln(w, "   before: trusted")
	return resp.Body.Close()
}

// now starts the application, or waits until it has followed DigiD, and logs in.
func (d *demonstration) now(ctx context.Context, w io.Writer, s stage, own []*pkioverheid.KeyPair) error {
	if d.app == nil {
		// Yours has the key pair only, and the interval of an hour (0).
		trust := standin.Trust()
		trust.Logger = slog.New(slog.DiscardHandler) // DigiD is away while it moves
		cfg := pkioverheid.ClientConfig{Trust: trust, KeyPairs: own, Base: &http.Transport{DialContext: d.dial}}
		app, err := newApplication(ctx, cfg, 10*time.Millisecond, d.updated)
		if (err == nil) != (s.inUse > 0) {
			return fmt.Errorf("%w: %w", standin.ErrUnexpected, err)
		}
		if err != nil {
			fmt.Fprintf(w, "   now: refused: %s\n", standin.Explain(err))
			return nil
		}
		d.app = app
	}
	for len(d.updates) > 0 || d.app.keys.Signing(entityID).Len() != s.inUse {
		select {
		case c := <-d.updates:
			show(w, c)
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return standin.ErrUnexpected
		}
	}
	return d.app.login(w)
}

// dial connects to DigiD wherever it is.
func (d *demonstration) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, d.address.Load().(string))
}

// updated passes on what changed.
func (d *demonstration) updated(c logius.KeyChanges) {
	if len(c.Signing.Added)+len(c.Signing.Removed)+len(c.Refused) > 0 {
		d.updates <- c
	}
}

func show(w io.Writer, changes logius.KeyChanges) {
	for _, c := range changes.Signing.Added {
		fmt.Fprintf(w, "   new signing certificate, issued by %s\n", c.Issuer.CommonName)
	}
	for _, c := range changes.Signing.Removed {
		fmt.Fprintf(w, "   signing certificate gone, issued by %s\n", c.Issuer.CommonName)
	}
	for _, r := range changes.Refused {
		fmt.Fprintf(w, "   signing certificate refused: %v\n", r.Err)
	}
}

// ownCertificates shows the rules for our own certificates in the two environments.
func ownCertificates(w io.Writer) error {
	fmt.Fprintln(w, "Our own certificates, in preproduction and production:")
	now, next := standin.OwnCertificate(g1).Leaf, standin.OwnCertificate(g4).Leaf
	good := logius.CheckDigiDCertificates(now, now, standin.Trust())
	mixed := logius.CheckDigiDCertificates(next, now, standin.Trust())
	fmt.Fprintf(w, "   both under G1: %v\n   G4 and G1: %v\n\n", good, mixed)
	if good != nil || mixed == nil {
		return standin.ErrUnexpected
	}
	fmt.Fprintln(w, "Everything is as it should be.")
	return nil
}
