// Command soap shows the SOAP client of github.com/hooklift/gowsdl with DigiD
// Machtigen: what gowsdl generates from a WSDL takes an HTTP client, and that is the
// one of package logius, over mutual TLS.
//
//	go -C examples/soap run .
//
// It starts a stand-in for the service on the loopback interface, under test
// certificates of each hierarchy, calls it, and stops by itself. The switches from G3
// to G1 and from G1 to G4 change nothing in the code: see demonstrate.go. What is to
// be copied is in this file; the messages are made up, yours come from the WSDL.
package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hooklift/gowsdl/soap"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
)

// endpoint is in DigiD Machtigen's preproduction environment. The client connects to
// no other.
const endpoint = "https://soap.pp.machtigen.digid.nl/"

func main() {
	if err := demonstrate(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "soap:", err)
		os.Exit(1)
	}
}

// newPort makes a client of the service that shows cfg.KeyPairs: see
// pkioverheid.LoadKeyPair. It trusts Private G1 and its successor G4.
func newPort(cfg pkioverheid.ClientConfig) (*port, error) {
	client, err := newHTTPClient(cfg)
	if err != nil {
		return nil, err
	}
	return &port{soap.NewClient(endpoint, soap.WithHTTPClient(client))}, nil
}

func newHTTPClient(cfg pkioverheid.ClientConfig) (soap.HTTPClient, error) {
	client, err := logius.DigiDMachtigen().NewClient(logius.Preproduction, cfg)
	if err != nil {
		return nil, err
	}
	client.Timeout = 30 * time.Second
	return caller{client}, nil
}

// caller is the HTTP client in between. gowsdl works with the *http.Client itself too;
// this does three things for it.
type caller struct{ client *http.Client }

func (c caller) Do(req *http.Request) (*http.Response, error) {
	req.Close = false // gowsdl asks for a new connection, and so a handshake, for each call
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	// Some servers refuse a certificate only after the handshake, by a page.
	if refused := pkioverheid.RefusedCertificate(resp); refused != nil && !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/xml") {
		defer resp.Body.Close()
		page, _ := io.ReadAll(io.LimitReader(resp.Body, 256))
		return nil, fmt.Errorf("%w; the page says %q", refused, page)
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, 4<<20) // gowsdl reads as much as comes
	return resp, nil
}

// port, and the messages below, are what gowsdl generates for you.
type port struct{ client *soap.Client }

func (p *port) CheckAuthorisation(ctx context.Context, request *CheckAuthorisation) (*CheckAuthorisationResponse, error) {
	response := new(CheckAuthorisationResponse)
	if err := p.client.CallContext(ctx, "urn:example:machtigen/CheckAuthorisation", request, response); err != nil {
		return nil, err
	}
	return response, nil
}

// CheckAuthorisation asks whether one person may act for another.
type CheckAuthorisation struct {
	XMLName        xml.Name `xml:"urn:example:machtigen CheckAuthorisation"`
	Represented    string   `xml:"Represented"`
	Representative string   `xml:"Representative"`
}

// CheckAuthorisationResponse is the answer.
type CheckAuthorisationResponse struct {
	XMLName xml.Name `xml:"urn:example:machtigen CheckAuthorisationResponse"`
	Granted bool     `xml:"Granted"`
}

// explain says what went wrong with a call, and who has to do something about it.
func explain(err error) string {
	var (
		theirs *pkioverheid.ServerCertificateError
		ours   *pkioverheid.ClientCertificateError
		answer *soap.HTTPError
	)
	switch {
	case errors.As(err, &theirs):
		return fmt.Sprintf("we refuse the service's certificate: %s %s", theirs.Problem, theirs.Advice)
	case errors.As(err, &ours):
		return fmt.Sprintf("the service refuses our certificate: %v", err)
	case errors.As(err, &answer):
		// SOAP 1.1 sends faults with status 500, which gowsdl does not read.
		var envelope struct {
			Fault string `xml:"Body>Fault>faultstring"`
		}
		if xml.Unmarshal(answer.ResponseBody, &envelope) == nil && envelope.Fault != "" {
			return "the service answers: " + envelope.Fault
		}
		return fmt.Sprintf("the service answers with status %d: %.200q", answer.StatusCode, answer.ResponseBody)
	}
	return err.Error()
}
