package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// clientOIN is a test number (prefix 00000099).
const clientOIN = pkioverheid.OIN("00000099000000001000")

// server is one of the servers that are called, and what should come of it.
type server struct {
	name      string
	hierarchy pkioverheid.Hierarchy
	leaf      pkiotest.Leaf
	accepts   []pkioverheid.Hierarchy // whose client certificates
	sends     way                     // nil: as it was issued
	revoked   bool                    // its certificate is
	ours      bool                    // our certificate is
	want      string
}

const (
	connected = "connected"
	ended     = "refused: ended"
	withdrawn = "refused: withdrawn"
	revoked   = "refused: revoked"
	unknown   = "refused: revocation unknown"
	notLetIn  = "our certificate was refused"
)

var both = []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS}

// servers returns those that are called. QuoVadis's CA under G1 is revoked, and of
// Digidentity's under G4 no CRL is available: see hierarchies.
func servers() []server {
	all := []server{
		{name: "sends its whole chain", hierarchy: pkioverheid.PrivateG1, accepts: both, want: connected},
		{name: "sends its whole chain", hierarchy: pkioverheid.PrivateG4TLS, accepts: both, want: connected},
		{name: "sends its own certificate only", hierarchy: pkioverheid.PrivateG1, leaf: pkiotest.Leaf{LeafOnly: true}, accepts: both, want: connected},
		{name: "not replaced since 2022", hierarchy: pkioverheid.EV, accepts: both, want: ended},
		{name: "not replaced since 2020", hierarchy: pkioverheid.G3, accepts: both, want: withdrawn},
		{name: "accepts clients under G4 only", hierarchy: pkioverheid.PrivateG4TLS, accepts: both[1:], want: notLetIn},
		{name: "accepts all, ours is revoked", hierarchy: pkioverheid.PrivateG4TLS, accepts: both, ours: true, want: notLetIn},
		{name: "revoked", hierarchy: pkioverheid.PrivateG1, accepts: both, revoked: true, want: revoked},
		{name: "revoked", hierarchy: pkioverheid.PrivateG4TLS, accepts: both, revoked: true, want: revoked},
		{
			name: "its TSP's CRL cannot be fetched", hierarchy: pkioverheid.PrivateG4TLS, accepts: both, want: unknown,
			leaf: pkiotest.Leaf{TSP: "Digidentity"},
		},
	}
	for _, w := range ways {
		all = append(all, server{
			name: "TSP CA revoked, sends " + w.name, hierarchy: pkioverheid.PrivateG1, accepts: both, want: revoked,
			leaf: pkiotest.Leaf{TSP: "QuoVadis"}, sends: w.of,
		})
	}
	return all
}

// hierarchies are the authorities that issue for the demonstration, with their CRLs.
func hierarchies() map[pkioverheid.Hierarchy]*pkiotest.Authority {
	all := make(map[pkioverheid.Hierarchy]*pkiotest.Authority)
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.G3} {
		all[h] = pkiotest.New(h)
	}
	all[pkioverheid.PrivateG1].Revoke(all[pkioverheid.PrivateG1].Certificates()[3], crl.CACompromise) // QuoVadis
	gone := []byte{}
	all[pkioverheid.PrivateG4TLS].ServeCRL(all[pkioverheid.PrivateG4TLS].Certificates()[3], gone) // Digidentity
	return all
}

// demonstrate calls every server with one client and prints a table. It reports
// whether every outcome was as it should be.
func demonstrate(w io.Writer) (bool, error) {
	authorities := hierarchies()
	g1 := authorities[pkioverheid.PrivateG1]
	// In your program: pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "client.p7b", Key: "client.key"})
	own := g1.KeyPair(pkiotest.Leaf{OIN: clientOIN, ClientOnly: true})
	revokedPair := g1.Issue(pkiotest.Leaf{OIN: clientOIN, ClientOnly: true})
	g1.Revoke(revokedPair.Leaf, crl.KeyCompromise)
	gone, err := pkioverheid.NewKeyPair(revokedPair)
	if err != nil {
		return false, err
	}
	// What servers show is issued, and revoked, before anybody fetches a CRL.
	all := servers()
	pairs := make([]tls.Certificate, len(all))
	for i, s := range all {
		pairs[i] = authorities[s.hierarchy].Issue(s.leaf)
		if s.revoked {
			authorities[s.hierarchy].Revoke(pairs[i].Leaf, crl.KeyCompromise)
		}
		if s.sends != nil {
			certs := authorities[s.hierarchy].Certificates()
			var err error
			if pairs[i].Certificate, err = s.sends(pairs[i].Leaf, certs[3], certs[1], certs[0]); err != nil {
				return false, err
			}
		}
	}

	// In your program: crl.Config{Hosts: pkioverheid.CRLHosts(), RefreshEvery: pkioverheid.CRLRefresh, Cache: "/var/cache/…"}
	lists := pkiotest.CRLConfig(g1, authorities[pkioverheid.PrivateG4TLS], authorities[pkioverheid.EV])
	lists.Logger = slog.New(slog.DiscardHandler) // it warns of the one that cannot be fetched
	checker, err := crl.NewChecker(lists)
	if err != nil {
		return false, err
	}
	defer checker.Close()

	// In your program pkiotest stays out: the real hierarchies are built in.
	trust := fixtures(append([]pkioverheid.Hierarchy{pkioverheid.EV}, both...))
	trust.Revocation = checker
	cfg := pkioverheid.ClientConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}
	client, err := pkioverheid.NewClient(cfg)
	if err != nil {
		return false, err
	}
	defer client.CloseIdleConnections()
	client.Timeout = 20 * time.Second
	cfg.KeyPairs = []*pkioverheid.KeyPair{gone}
	cfg.Trust.Logger = slog.New(slog.DiscardHandler) // it warns that ours is revoked, which is what is shown here
	withRevoked, err := pkioverheid.NewClient(cfg)
	if err != nil {
		return false, err
	}
	defer withRevoked.CloseIdleConnections()
	withRevoked.Timeout = 20 * time.Second

	fmt.Fprintf(w, "One client with a certificate under Private G1, OIN %s, calls:\n\n", clientOIN)
	fmt.Fprintf(w, row+"    %s\n\n", "SERVER", "UNDER", "OUTCOME", "WHAT TO DO")
	asItShould, before := true, ""
	for i, s := range all {
		url, stop, err := s.start(pairs[i], checker)
		if err != nil {
			return false, err
		}
		caller := client
		if s.ours {
			caller = withRevoked
		}
		outcome, todo := call(caller, url)
		stop()
		if i > 0 && todo != before {
			printTodo(w, before)
		}
		before = todo
		fmt.Fprintf(w, row, s.name, short(s.hierarchy), outcome)
		if outcome != s.want {
			asItShould = false
			fmt.Fprintf(w, "    UNEXPECTED: this should have been %q\n", s.want)
		}
	}
	printTodo(w, before)
	moved, err := migrate(w)
	if err != nil {
		return false, err
	}
	if asItShould = asItShould && moved; asItShould {
		fmt.Fprintln(w, "Every outcome is as it should be.")
	}
	return asItShould, nil
}

// fixtures trusts the test roots of the hierarchies.
func fixtures(hierarchies []pkioverheid.Hierarchy) pkioverheid.Trust {
	var authorities []*pkiotest.Authority
	for _, h := range hierarchies {
		authorities = append(authorities, pkiotest.New(h))
	}
	return pkiotest.Trust(authorities...)
}

// start runs the server, which asks for a client certificate.
func (s server) start(own tls.Certificate, checker *crl.Checker) (url string, stop func(), err error) {
	// What a KeyPair refuses, such as a certificate that has ended, is shown here too.
	pair := pkiotest.New(pkioverheid.PrivateG1).KeyPair(pkiotest.Leaf{OIN: clientOIN})
	trust := fixtures(s.accepts)
	trust.OnlyRoots, trust.Revocation = true, checker
	guard, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{pair}}, pkioverheid.AllowOIN(clientOIN))
	if err != nil {
		return "", nil, err
	}
	config := guard.TLSConfig()
	config.Certificates = []tls.Certificate{own} // as it is, also where its chain is not complete
	srv := httptest.NewUnstartedServer(guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := pkioverheid.IdentityFromContext(r.Context())
		fmt.Fprintf(w, "hello %s", id.OIN())
	})))
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

// row is a line of the table, which fits 80 columns.
const row = "  %-41s  %-5s  %s\n"

// printTodo prints what to do about the rows above it.
func printTodo(w io.Writer, todo string) {
	for _, line := range wrap(todo, 76) {
		fmt.Fprintf(w, "    %s\n", line)
	}
	fmt.Fprintln(w)
}

// short is the name of a hierarchy in the table: G1 for Private G1.
func short(h pkioverheid.Hierarchy) string {
	return strings.TrimSuffix(strings.TrimPrefix(h.String(), "Private "), " TLS")
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
		return withdrawn, theirs.Problem + " " + theirs.Advice
	case errors.As(err, &theirs) && theirs.Reason == chain.Expired:
		return ended, theirs.Problem + " " + theirs.Advice
	case errors.As(err, &theirs):
		return "refused: " + string(theirs.Reason), theirs.Problem + " " + theirs.Advice
	case errors.As(err, &ours):
		return notLetIn, ours.Problem + " " + ours.Advice
	case err != nil:
		return "failed", err.Error()
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "failed", resp.Status
	}
	// What the certificate claims was verified in the handshake.
	if server, _ := pkioverheid.ClaimOf(resp.TLS.PeerCertificates[0]); server.Hierarchy == pkioverheid.PrivateG1 {
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
