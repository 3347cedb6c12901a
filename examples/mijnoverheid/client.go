package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/truststore"
)

// Until 2020 these programs trusted the G3 root from a file (clientBefore), and a CPA
// named the certificates under it. In what is below nothing changes from G3 to G1,
// nor from G1 to G4, but the CPA: it names certificates, and a new one comes with each.

// clientBefore is how many programs did it until 2020, and some still do: the one
// root that was needed, from a file. It goes on trusting G3, which was withdrawn,
// and stops on the day that the service moves.
func clientBefore(g3Root *x509.Certificate, own *tls.Certificate, base *http.Transport) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(g3Root)
	base.TLSClientConfig = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{*own}}
	return &http.Client{Transport: base, Timeout: 20 * time.Second}
}

// way is how Lopende Zaken is trusted: one of three.
type way string

const (
	byCPA       way = "by the CPA's certificate"
	byPin       way = "by a pinned leaf"
	byHierarchy way = "by the hierarchy"
)

// send sends a message of Lopende Zaken.
func send(w way, cfg pkioverheid.ClientConfig, agreement string) error {
	cpa, err := logius.ReadCPA(strings.NewReader(agreement))
	if err != nil {
		return err
	}
	switch w {
	case byCPA:
		// The agreement is checked as a whole, and then says which certificate to
		// expect.
		v, err := logius.MijnOverheidLopendeZaken().Verifier(cfg.Trust)
		if err != nil {
			return err
		}
		if err := cpa.Check(v, time.Now()); err != nil {
			return err
		}
		cfg.Trust.Policy = chain.All(cfg.Trust.Policy, pin(cpa))
	case byPin:
		// As a TLS offloader does it that knows the certificate and no CPA: the
		// fingerprint would be in its settings. The hierarchy is still
		// checked.
		cfg.Trust.Policy = chain.All(cfg.Trust.Policy, pin(cpa))
	case byHierarchy:
	}
	client, err := logius.MijnOverheidLopendeZaken().NewClient(logius.Production, cfg)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	client.Timeout = 20 * time.Second
	return exchange(client, "https://"+host+path, message{
		cpaID: cpa.ID, from: standin.OwnOIN, to: standin.ServiceOIN, id: "1@koppeling.example",
		payload: "<zaak xmlns='urn:example:zaken'>Z-1</zaak>",
	})
}

// pin is the policy that wants the server certificate of the CPA.
func pin(cpa *logius.CPA) chain.Policy {
	var pins []truststore.Fingerprint
	if theirs, ok := cpa.Party(standin.ServiceOIN); ok {
		for _, cert := range theirs.InRole("Server") {
			pins = append(pins, truststore.FingerprintOf(cert))
		}
	}
	return chain.PinLeaf(pins...) // without any, nobody
}

// exportForRegister makes what is uploaded to the CPA register: of our certificate
// with its chain, the certificate alone.
//
// In your program it is os.ReadFile("client.p7b") and logius.RegisterCertificate.
func exportForRegister(own *tls.Certificate) ([]byte, error) {
	delivered := truststore.New()
	for _, der := range own.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		delivered.Add(cert)
	}
	p7b, err := delivered.Encode(truststore.PKCS7)
	if err != nil {
		return nil, err
	}
	return logius.RegisterCertificate(p7b)
}

// envelope is a message of SOAP 1.1 with a question in it, or its answer.
type envelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Question string `xml:"urn:example:mijnoverheid Vraag,omitempty"`
		Answer   string `xml:"urn:example:mijnoverheid Antwoord,omitempty"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

// ask asks a service something over SOAP.
func ask(s logius.Service, cfg pkioverheid.ClientConfig, url string) error {
	client, err := s.NewClient(logius.Production, cfg)
	if err != nil {
		return err
	}
	client.Timeout = 20 * time.Second
	return askSOAP(client, url)
}

func askSOAP(client *http.Client, url string) error {
	defer client.CloseIdleConnections()
	var e envelope
	e.Body.Question = "wie ben ik?"
	body, err := xml.Marshal(e)
	if err != nil {
		return err
	}
	resp, err := client.Post(url, "text/xml; charset=utf-8", strings.NewReader(xml.Header+string(body)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	var answer envelope
	if err := xml.Unmarshal(data, &answer); err != nil {
		return err
	}
	if answer.Body.Answer != string(standin.OwnOIN) {
		return fmt.Errorf("the answer is %q", answer.Body.Answer)
	}
	return nil
}
