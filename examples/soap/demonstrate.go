package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const (
	g3 = pkioverheid.G3
	g1 = pkioverheid.PrivateG1
	g4 = pkioverheid.PrivateG4TLS

	// Test numbers (prefix 00000099).
	connected = pkioverheid.OIN("00000099000000001000")
	stranger  = pkioverheid.OIN("00000099000000002000")

	host = "soap.pp.machtigen.digid.nl"
)

// demonstrate calls the service as it was, is and will be.
func demonstrate(w io.Writer) error {
	for _, c := range []struct {
		what    string
		service pkioverheid.Hierarchy
		cert    pkioverheid.Hierarchy
		oin     pkioverheid.OIN
		ask     CheckAuthorisation
	}{
		{"The service under G3, until November 2020", g3, g1, connected, CheckAuthorisation{Represented: "A", Representative: "B"}},
		{"The service under G1, and our certificate too", g1, g1, connected, CheckAuthorisation{Represented: "A", Representative: "B"}},
		{"The service moves to G4 before we do", g4, g1, connected, CheckAuthorisation{Represented: "A", Representative: "B"}},
		{"We move too: another file for LoadKeyPair, and no other code", g4, g4, connected, CheckAuthorisation{Represented: "A", Representative: "B"}},
		{"Our certificate is still under G3", g1, g3, connected, CheckAuthorisation{Represented: "A", Representative: "B"}},
		{"Our OIN is not connected", g1, g1, stranger, CheckAuthorisation{Represented: "A", Representative: "B"}},
		{"A question that the service does not answer", g1, g1, connected, CheckAuthorisation{Represented: "A"}},
	} {
		fmt.Fprintf(w, "%s:\n", c.what)
		s, err := newStandIn(c.service)
		if err != nil {
			return err
		}
		response, err := s.ask(issue(c.cert, c.oin), &c.ask)
		s.close()
		if err != nil {
			fmt.Fprintf(w, "  %s\n\n", explain(err))
			continue
		}
		fmt.Fprintf(w, "  may %s act for %s? %t\n\n", c.ask.Representative, c.ask.Represented, response.Granted)
	}
	return nil
}

// fixtures trusts the test roots of G1 and G4. In your program it stays out: the real
// hierarchies are built in.
func fixtures() pkioverheid.Trust {
	return pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS))
}

// issue is for a program with a certificate. In yours: pkioverheid.LoadKeyPair.
func issue(h pkioverheid.Hierarchy, oin pkioverheid.OIN) pkioverheid.ClientConfig {
	return issueLeaf(h, pkiotest.Leaf{OIN: oin})
}

func issueLeaf(h pkioverheid.Hierarchy, l pkiotest.Leaf) pkioverheid.ClientConfig {
	return pkioverheid.ClientConfig{Trust: fixtures(), KeyPairs: []*pkioverheid.KeyPair{pkiotest.New(h).KeyPair(l)}}
}

// standIn behaves as the service does: it asks for a certificate, and lets in who is
// connected.
type standIn struct{ *httptest.Server }

func newStandIn(h pkioverheid.Hierarchy) (*standIn, error) {
	trust := fixtures()
	trust.Logger = slog.New(slog.DiscardHandler)
	own := pkiotest.New(h).KeyPair(pkiotest.Leaf{DNSNames: []string{host}, Organization: "Logius"})
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}, pkioverheid.AllowOIN(connected))
	if err != nil {
		return nil, err
	}
	s := &standIn{httptest.NewUnstartedServer(server.Handler(http.HandlerFunc(serve)))}
	s.TLS = server.TLSConfigForHandler()
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s, nil
}

func (s *standIn) close() { s.Server.Close() }

// dial connects to the stand-in, whatever the address.
func (s *standIn) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
}

// ask makes a client and calls once.
func (s *standIn) ask(cfg pkioverheid.ClientConfig, request *CheckAuthorisation) (*CheckAuthorisationResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cfg.Base = &http.Transport{DialContext: s.dial, DisableKeepAlives: true} // not in your program
	p, err := newPort(cfg)
	if err != nil {
		return nil, err
	}
	return p.CheckAuthorisation(ctx, request)
}

// serve answers that B may act for A, and nobody else for anybody.
func serve(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Body struct {
			CheckAuthorisation CheckAuthorisation
		} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
	}
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	err := xml.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request)
	ask := request.Body.CheckAuthorisation
	const before, after = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>`, `</s:Body></s:Envelope>`
	if err != nil || ask.Represented == "" || ask.Representative == "" {
		w.WriteHeader(http.StatusInternalServerError) // as SOAP 1.1 has it
		io.WriteString(w, before+`<s:Fault><faultcode>s:Client</faultcode><faultstring>two persons are needed</faultstring></s:Fault>`+after)
		return
	}
	fmt.Fprintf(w, `%s<m:CheckAuthorisationResponse xmlns:m="urn:example:machtigen"><m:Granted>%t</m:Granted></m:CheckAuthorisationResponse>%s`,
		before, ask.Represented == "A" && ask.Representative == "B", after)
}
