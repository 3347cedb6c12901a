package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/logius/samlsig"
)

// host and metadataPath are those of production, as logius.DigiD has them. The entityID
// carries the OIN of whoever signs the metadata, here a test number.
const (
	host         = "was.digid.nl"
	metadataPath = "/saml/idp/metadata"
	entityID     = "urn:nl-eid-gdi:1.0:AD:" + string(standin.ServiceOIN) + ":entities:9000"
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
type application struct {
	client *http.Client
	keys   *logius.Keyring
}

// newApplication has DigiD's metadata fetched over mutual TLS, its signature verified up
// to PKIoverheid and bound to DigiD by the OIN, and all of that done again each hour until
// ctx ends: a copy in a file would get old.
//
// Until 2020 this had the G3 root in a file (see clientBefore), and DigiD's signing
// certificate in another one: two files to replace on the night of each move. Now
// nothing changes here from G3 to G1, nor from G1 to G4.
func newApplication(ctx context.Context, cfg pkioverheid.ClientConfig, interval time.Duration, onUpdate func(logius.KeyChanges)) (*application, error) {
	client, err := logius.DigiD().NewClient(logius.Production, cfg)
	if err != nil {
		return nil, err
	}
	client.Timeout = 20 * time.Second
	verifier, err := logius.DigiD().Verifier(cfg.Trust)
	if err != nil {
		return nil, err
	}
	keys, err := logius.DigiD().NewKeyring(cfg.Trust)
	if err != nil {
		return nil, err
	}
	return &application{client, keys}, keys.Watch(ctx, logius.MetadataSource{
		URL: "https://" + host + metadataPath, Client: client, Interval: interval, OnUpdate: onUpdate,
		Verify: func(doc []byte) (*logius.Metadata, error) {
			return samlsig.VerifyMetadata(doc, verifier, pkioverheid.SignerOptions{})
		},
	})
}

// login does what follows when a user comes back from DigiD with an artifact.
func (a *application) login(w io.Writer) error {
	idp := a.keys.Metadata().Entities[0]
	if idp.ID != entityID {
		return fmt.Errorf("the metadata is that of %q", idp.ID)
	}
	endpoint := slices.IndexFunc(idp.Endpoints, func(e logius.Endpoint) bool { return e.Service == "ArtifactResolutionService" })
	if endpoint < 0 {
		return errors.New("the metadata has no ArtifactResolutionService")
	}
	// Wherever the metadata says: the client calls DigiD's hosts and no others.
	answer, err := resolve(a.client, idp.Endpoints[endpoint].Location, "AAQAAartifact")
	if err != nil {
		return err
	}
	// Your SAML library now verifies the signature of the answer with these, and no
	// others. What it finds unsigned is nobody's login.
	fmt.Fprintf(w, "   artifact resolved: %s; its signature is to be verified with %d certificate(s)\n", answer, a.keys.Signing(entityID).Len())
	return nil
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
