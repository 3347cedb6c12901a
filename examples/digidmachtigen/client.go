package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
)

// clientBefore is how many programs did it until 2020, and some still do: the one
// root that was needed, from a file. It goes on trusting G3, which was withdrawn,
// and stops on the day that the service moves.
func clientBefore(g3Root *x509.Certificate, own *tls.Certificate, base *http.Transport) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(g3Root)
	base.TLSClientConfig = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{*own}}
	return &http.Client{Transport: base, Timeout: 20 * time.Second}
}

// clientNow is all that changes. It trusts Private G1, and its successor Private G4
// from today on, so that the day on which the service moves is nobody's night
// shift; and it calls the hosts of the service only.
//
// In your program cfg holds no more than the certificate that you were issued:
//
//	own, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "client.p7b", Key: "client.key"})
//	...
//	clientNow(pkioverheid.ClientConfig{KeyPairs: []*pkioverheid.KeyPair{own}})
func clientNow(cfg pkioverheid.ClientConfig) (*http.Client, error) {
	client, err := logius.DigiDMachtigen().NewClient(logius.Production, cfg)
	if err != nil {
		return nil, err
	}
	client.Timeout = 20 * time.Second
	return client, nil
}

// envelope is a message of SOAP 1.1.
type envelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Question *question `xml:"urn:example:machtigen Vraag"`
		Answer   *answer   `xml:"urn:example:machtigen Antwoord"`
		Fault    *fault    `xml:"http://schemas.xmlsoap.org/soap/envelope/ Fault"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

type question struct {
	ID string `xml:"Machtiging"`
}

type answer struct {
	ID    string `xml:"Machtiging"`
	State string `xml:"Toestand"`
}

type fault struct {
	Code   string `xml:"faultcode"`
	Reason string `xml:"faultstring"`
}

// ask sends a question and returns the answer in words.
func ask(client *http.Client, url, id string) (string, error) {
	var e envelope
	e.Body.Question = &question{ID: id}
	body, err := xml.Marshal(e)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(xml.Header+string(body)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("SOAPAction", `"urn:example:machtigen:Vraag"`)
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if err := pkioverheid.RefusedCertificate(resp); err != nil {
		return "", err
	}
	reply, err := readEnvelope(resp.Body)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", resp.Status, err)
	case reply.Body.Fault != nil:
		return "", fmt.Errorf("%s: %s", reply.Body.Fault.Code, reply.Body.Fault.Reason)
	case reply.Body.Answer == nil:
		return "", fmt.Errorf("%s: there is no answer in it", resp.Status)
	}
	return fmt.Sprintf("machtiging %s is %s", reply.Body.Answer.ID, reply.Body.Answer.State), nil
}

func readEnvelope(r io.Reader) (envelope, error) {
	var e envelope
	data, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return e, err
	}
	return e, xml.Unmarshal(data, &e)
}
