package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// clientOIN is a test number (prefix 00000099).
const clientOIN = pkioverheid.OIN("00000099000000001000")

// server is one of the servers that are called, and what should come of it.
type server struct {
	name      string
	hierarchy pkioverheid.Hierarchy
	options   []pkiotest.LeafOption
	accepts   []pkioverheid.Hierarchy // whose client certificates
	want      string
}

const (
	connected = "connected"
	ended     = "refused: ended"
	withdrawn = "refused: withdrawn"
	notLetIn  = "did not accept our certificate"
)

var both = []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS}

var servers = []server{
	{"sends its whole chain", pkioverheid.PrivateG1, nil, both, connected},
	{"sends its whole chain", pkioverheid.PrivateG4TLS, nil, both, connected},
	{"sends its own certificate only", pkioverheid.PrivateG1, []pkiotest.LeafOption{pkiotest.LeafOnly()}, both, connected},
	{"not replaced since 2022", pkioverheid.EV, nil, both, ended},
	{"not replaced since 2020", pkioverheid.G3, nil, both, withdrawn},
	{"accepts clients under G4 only", pkioverheid.PrivateG4TLS, nil, both[1:], notLetIn},
}

// demonstrate calls every server with one client and prints a table. It reports
// whether every outcome was as it should be.
func demonstrate(w io.Writer) (bool, error) {
	// In your program: cert, err := pkioverheid.LoadKeyPair("client.p7b", "client.key", "")
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.OIN(clientOIN), pkiotest.ClientOnly())
	// In your program Roots stays out: the real hierarchies are built in.
	client, err := pkioverheid.NewClient(pkioverheid.Config{Certificate: &cert, Roots: fixtures(pkioverheid.Hierarchies())})
	if err != nil {
		return false, err
	}
	defer client.CloseIdleConnections()
	client.Timeout = 20 * time.Second

	fmt.Fprintf(w, "One client with a certificate under Private G1, OIN %s, calls:\n\n", clientOIN)
	fmt.Fprintf(w, "  %-32s %-15s %s\n      %s\n\n", "SERVER", "HIERARCHY", "OUTCOME", "WHAT TO DO")
	asItShould := true
	for _, s := range servers {
		url, stop, err := s.start()
		if err != nil {
			return false, err
		}
		outcome, todo := call(client, url)
		stop()
		fmt.Fprintf(w, "  %-32s %-15s %s\n", s.name, s.hierarchy, outcome)
		if outcome != s.want {
			asItShould = false
			fmt.Fprintf(w, "      UNEXPECTED: this should have been %q\n", s.want)
		}
		for _, line := range wrap(todo, 84) {
			fmt.Fprintf(w, "      %s\n", line)
		}
		fmt.Fprintln(w)
	}
	if asItShould {
		fmt.Fprintln(w, "Every outcome is as it should be.")
	}
	return asItShould, nil
}

// fixtures are the test roots of the hierarchies.
func fixtures(hierarchies []pkioverheid.Hierarchy) *truststore.Store {
	roots := truststore.New()
	for _, h := range hierarchies {
		for root := range pkiotest.New(h).Roots().All() {
			roots.Add(root)
		}
	}
	return roots
}

// start runs the server, which asks for a client certificate.
func (s server) start() (url string, stop func(), err error) {
	own := pkiotest.New(s.hierarchy).Issue(s.options...)
	config, err := pkioverheid.ServerTLSConfig(pkioverheid.Config{
		Certificate: &own,
		Roots:       fixtures(s.accepts),
		OnlyRoots:   true,
	}, pkioverheid.AllowOIN(clientOIN))
	if err != nil {
		return "", nil, err
	}
	config.Certificates = []tls.Certificate{own} // as it is, also where its chain is not complete
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := pkioverheid.PeerIdentity(r.TLS)
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "hello %s", id.OIN)
	}))
	srv.TLS = config
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		srv.Close()
		return "", nil, err
	}
	return "https://localhost:" + port, srv.Close, nil
}

// call makes a request and says in a word what came of it, and what to do.
func call(client *http.Client, url string) (outcome, todo string) {
	resp, err := client.Post(url, "text/xml; charset=utf-8", strings.NewReader("<Envelope/>"))
	var (
		theirs *pkioverheid.ServerCertificateError
		g3     *pkioverheid.G3Error
		ours   *pkioverheid.ClientCertificateError
	)
	switch {
	case errors.As(err, &g3) && errors.As(err, &theirs):
		return withdrawn, theirs.Cause + "; " + theirs.Advice
	case errors.As(err, &theirs) && theirs.Reason == chain.Expired:
		return ended, theirs.Cause + "; " + theirs.Advice
	case errors.As(err, &theirs):
		return "refused: " + theirs.Reason.String(), theirs.Cause + "; " + theirs.Advice
	case errors.As(err, &ours):
		return notLetIn, "it asked for one under " + strings.Join(ours.AcceptableCAs, ", ") + "; " + ours.Advice
	case err != nil:
		return "failed", err.Error()
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "failed", resp.Status
	}
	id, err := pkioverheid.PeerIdentity(resp.TLS)
	if err != nil {
		return "failed", err.Error()
	}
	if id.Hierarchy == pkioverheid.PrivateG1 {
		return connected, "nothing yet: its owner must have a certificate under Private G4 before November 2028"
	}
	return connected, "nothing"
}

// wrap breaks text into lines of at most width characters, at spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
