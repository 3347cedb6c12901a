package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/crewjam/saml/samlsp"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const (
	g3 = pkioverheid.G3
	g1 = pkioverheid.PrivateG1
	g4 = pkioverheid.PrivateG4TLS
)

// demonstrate goes through the switches, in the order in which they came.
func demonstrate(w io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	fmt.Fprintln(w, "DigiD under G3, as before the replacement of 2020:")
	a, err := start(ctx, w, g3, g3, g1)
	if err == nil {
		a.close()
		return fmt.Errorf("G3 was not refused")
	}
	fmt.Fprintf(w, "  refused: %v\n\n", err)

	fmt.Fprintln(w, "DigiD under G1, but still signing under G3:")
	if a, err = start(ctx, w, g1, g3, g1); err == nil {
		a.close()
		return fmt.Errorf("a signing certificate of G3 was not refused")
	}
	fmt.Fprintf(w, "  refused: %v\n\n", err)

	fmt.Fprintln(w, "DigiD under G1, our certificate too:")
	if a, err = start(ctx, w, g1, g1, g1); err != nil {
		return err
	}
	defer a.close()
	if err := a.logIn(ctx); err != nil {
		return err
	}

	fmt.Fprintln(w, "\nDigiD moves to G4. Our application goes on as it is, and reads the metadata again:")
	if err := a.standIn.replace(g4, g4); err != nil {
		return err
	}
	_, changes, err := a.digid.fetchMetadata(ctx)
	if err != nil {
		return err
	}
	for _, c := range changes.Signing.Removed {
		fmt.Fprintf(w, "  it no longer signs with the certificate issued by %s\n", c.Issuer.CommonName)
	}
	for _, c := range changes.Signing.Added {
		fmt.Fprintf(w, "  it now signs with the one issued by %s\n", c.Issuer.CommonName)
	}
	if err := a.logIn(ctx); err != nil {
		return err
	}

	fmt.Fprintln(w, "\nWe move to G4, in preproduction before production:")
	before, after := pkiotest.New(g1).Issue(pkiotest.Leaf{OIN: partyOIN}), pkiotest.New(g4).Issue(pkiotest.Leaf{OIN: partyOIN})
	fmt.Fprintf(w, "  is G4 in one and G1 in the other good? %v\n", logius.CheckDigiDCertificates(after.Leaf, before.Leaf, fixtures()))
	fmt.Fprintf(w, "  is G4 in both? %v\n", orYes(logius.CheckDigiDCertificates(after.Leaf, after.Leaf, fixtures())))
	b, err := start(ctx, w, g4, g4, g4)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.logIn(ctx); err != nil {
		return err
	}
	return nil
}

func orYes(err error) any {
	if err != nil {
		return err
	}
	return "yes"
}

// application is a web application with a page for which one must log in.
type application struct {
	w       io.Writer
	standIn *standIn
	digid   *digid
	server  *httptest.Server
}

// start starts a stand-in with certificates of the first two hierarchies, and an
// application with one of the third that people log in to by it.
func start(ctx context.Context, w io.Writer, forTLS, forSigning, own pkioverheid.Hierarchy) (*application, error) {
	stand, err := newStandIn(forTLS, forSigning)
	if err != nil {
		return nil, err
	}
	a, err := newApplication(ctx, w, stand, own)
	if err != nil {
		stand.close()
		return nil, err
	}
	return a, nil
}

func newApplication(ctx context.Context, w io.Writer, stand *standIn, own pkioverheid.Hierarchy) (*application, error) {
	// In your program: tls.LoadX509KeyPair, or the key of a token.
	cert := pkiotest.New(own).Issue(pkiotest.Leaf{OIN: partyOIN})
	pair, err := pkioverheid.NewKeyPair(cert)
	if err != nil {
		return nil, err
	}
	d, err := newDigiD(pkioverheid.ClientConfig{
		KeyPairs: []*pkioverheid.KeyPair{pair},
		// In your program these two stay out: the real hierarchies are built in, and
		// the real DigiD is dialled.
		Trust: fixtures(),
		Base:  &http.Transport{DialContext: stand.dial},
	})
	if err != nil {
		return nil, err
	}
	metadata, _, err := d.fetchMetadata(ctx)
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	app, err := url.Parse(server.URL)
	if err != nil {
		server.Close()
		return nil, err
	}
	login, err := newLogin(d, metadata, cert, app, slog.New(slog.NewTextHandler(w, nil)))
	if err != nil {
		server.Close()
		return nil, err
	}
	mux.Handle("/saml/", login)
	mux.Handle("/", login.RequireAccount(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := samlsp.SessionFromContext(r.Context()).(samlsp.JWTSessionClaims)
		fmt.Fprintf(w, "Welcome, %s.", session.Subject)
	})))
	stand.register(cert.Leaf, login.ServiceProvider.AcsURL.String())
	return &application{w, stand, d, server}, nil
}

func (a *application) close() {
	a.server.Close()
	a.digid.client.CloseIdleConnections()
	a.standIn.close()
}

// logIn is a browser that opens the page and goes where it is sent.
func (a *application) logIn(ctx context.Context) error {
	page, err := browse(ctx, a.server.URL)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.w, "  the browser shows: %s\n", page)
	return nil
}

func browse(ctx context.Context, url string) (page string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	browser := &http.Client{Jar: jar}
	defer browser.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := browser.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(text)), err
}
