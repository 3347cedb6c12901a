package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
)

// host and metadataPath are those of production, as logius.DigiD has them.
const (
	host         = "was.digid.nl"
	metadataPath = "/saml/idp/metadata"
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

// application keeps what lasts from one login to the next.
type application struct{ keys *logius.Keyring }

func newApplication(trust pkioverheid.Trust) (*application, error) {
	keys, err := logius.DigiD().NewKeyring(trust)
	if err != nil {
		return nil, err
	}
	return &application{keys}, nil
}

// login does what follows when a user comes back from DigiD with an artifact. It
// returns how many signing certificates were in use.
//
// Until 2020 this had the G3 root in a file (see clientBefore), and DigiD's signing
// certificate in another one: two files to replace on the night of each move. Now
// nothing changes here from G3 to G1, nor from G1 to G4.
func (a *application) login(w io.Writer, cfg pkioverheid.ClientConfig) (int, error) {
	client, err := logius.DigiD().NewClient(logius.Production, cfg)
	if err != nil {
		return 0, err
	}
	defer client.CloseIdleConnections()
	client.Timeout = 20 * time.Second

	metadata, err := fetch(client)
	if err != nil {
		return 0, err
	}
	changes := a.keys.Update(metadata)
	for _, c := range changes.Signing.Added {
		fmt.Fprintf(w, "   new signing certificate, issued by %s\n", c.Issuer.CommonName)
	}
	for _, c := range changes.Signing.Removed {
		fmt.Fprintf(w, "   signing certificate gone, issued by %s\n", c.Issuer.CommonName)
	}
	for _, r := range changes.Refused {
		fmt.Fprintf(w, "   signing certificate refused: %v\n", r.Err)
	}

	idp := metadata.Entities[0]
	signing := a.keys.Signing(idp.ID)
	if signing.Len() == 0 {
		fmt.Fprintln(w, "   nobody is let in: no signature of DigiD can be verified")
		return 0, nil
	}
	endpoint := slices.IndexFunc(idp.Endpoints, func(e logius.Endpoint) bool { return e.Service == "ArtifactResolutionService" })
	if endpoint < 0 {
		return 0, errors.New("the metadata has no ArtifactResolutionService")
	}
	// Wherever the metadata says: the client calls DigiD's hosts and no others.
	answer, err := resolve(client, idp.Endpoints[endpoint].Location, "AAQAAartifact")
	if err != nil {
		return 0, err
	}
	// Your SAML library now verifies the signature of the answer with these, and no
	// others. What it finds unsigned is nobody's login.
	fmt.Fprintf(w, "   artifact resolved: %s; its signature is to be verified with %d certificate(s)\n", answer, signing.Len())
	return signing.Len(), nil
}

// fetch gets the metadata from where DigiD publishes it. That is what it is
// believed for: ReadMetadata verifies no signature.
func fetch(client *http.Client) (*logius.Metadata, error) {
	resp, err := client.Get((&url.URL{Scheme: "https", Host: host, Path: metadataPath}).String())
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return logius.ReadMetadata(resp.Body)
}

// envelope is a message of SOAP 1.1 about a SAML artifact.
type envelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Resolve  *artifactResolve  `xml:"urn:oasis:names:tc:SAML:2.0:protocol ArtifactResolve"`
		Response *artifactResponse `xml:"urn:oasis:names:tc:SAML:2.0:protocol ArtifactResponse"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

type artifactResolve struct {
	ID           string `xml:",attr"`
	Version      string `xml:",attr"`
	IssueInstant string `xml:",attr"`
	Issuer       string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	Artifact     string `xml:"urn:oasis:names:tc:SAML:2.0:protocol Artifact"`
}

type artifactResponse struct {
	ID           string `xml:",attr"`
	InResponseTo string `xml:",attr"`
	Version      string `xml:",attr"`
	Status       struct {
		Code struct {
			Value string `xml:",attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:protocol StatusCode"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:protocol Status"`
}

const success = "urn:oasis:names:tc:SAML:2.0:status:Success"

// resolve asks DigiD, over SOAP, what an artifact means.
func resolve(client *http.Client, location, artifact string) (string, error) {
	var e envelope
	e.Body.Resolve = &artifactResolve{
		ID: "_1", Version: "2.0", IssueInstant: time.Now().UTC().Format(time.RFC3339),
		Issuer: "urn:example:application", Artifact: artifact,
	}
	body, err := xml.Marshal(e)
	if err != nil {
		return "", err
	}
	resp, err := client.Post(location, "text/xml; charset=utf-8", strings.NewReader(xml.Header+string(body)))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if err := pkioverheid.RefusedCertificate(resp); err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	var reply envelope
	if err := xml.Unmarshal(data, &reply); err != nil {
		return "", fmt.Errorf("%s: %w", resp.Status, err)
	}
	r := reply.Body.Response
	if r == nil || r.InResponseTo != "_1" {
		return "", fmt.Errorf("%s: this is not an answer to our question", resp.Status)
	}
	if r.Status.Code.Value != success {
		return "", fmt.Errorf("DigiD says %q", r.Status.Code.Value)
	}
	return "success", nil
}
