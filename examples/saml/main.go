// Command saml shows github.com/crewjam/saml with DigiD: an application that lets
// people log in, whose HTTP client is that of package logius. It fetches the metadata
// and resolves artifacts over mutual TLS, as DigiD asks for it, and takes nobody's
// word that was not signed with a certificate of PKIoverheid.
//
//	go -C examples/saml run .
//
// It starts a stand-in for DigiD on the loopback interface, under test certificates of
// each hierarchy, plays the browser, and stops by itself. It shows the switches that
// Logius asked for: from G3, which is refused, to G1, and from G1 to G4, while the
// application runs. What is to be copied is in this file.
package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/logius/samlsig"
	"github.com/go-pkioverheid/trust/truststore"
)

// metadataURL is where DigiD's preproduction environment publishes its metadata. The
// client connects to no other host, whatever the metadata says.
const metadataURL = "https://was-preprod1.digid.nl/saml/idp/metadata"

func main() {
	if err := demonstrate(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "saml:", err)
		os.Exit(1)
	}
}

// digid is a connection with DigiD.
type digid struct {
	client   *http.Client
	verifier *pkioverheid.Verifier
	keys     *logius.Keyring
}

// newDigiD makes a connection that shows cfg.KeyPairs: see pkioverheid.LoadKeyPair.
// It trusts Private G1 and its successor G4.
func newDigiD(cfg pkioverheid.ClientConfig) (*digid, error) {
	client, err := logius.DigiD().NewClient(logius.Preproduction, cfg)
	if err != nil {
		return nil, err
	}
	client.Timeout = 30 * time.Second
	verifier, err := logius.DigiD().Verifier(cfg.Trust)
	if err != nil {
		return nil, err
	}
	keys, err := logius.DigiD().NewKeyring(cfg.Trust)
	if err != nil {
		return nil, err
	}
	return &digid{client, verifier, keys}, nil
}

// fetchMetadata fetches the metadata, verifies its signature, and keeps those of its
// signing certificates that verify and bear DigiD's OIN. Call it once an hour or a day:
// that is how a new one comes in. (logius.Keyring.Watch does it by itself.) What is not
// signed of the document is not read, by no library.
func (d *digid) fetchMetadata(ctx context.Context) (*saml.EntityDescriptor, logius.KeyChanges, error) {
	var changes logius.KeyChanges
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, metadataURL, nil)
	if err != nil {
		return nil, changes, err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, changes, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, changes, fmt.Errorf("the metadata: %s", resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, changes, err
	}
	read, err := samlsig.VerifyMetadata(data, d.verifier, pkioverheid.SignerOptions{})
	if err != nil {
		return nil, changes, err
	}
	changes = d.keys.Update(read)
	party := read.Entities[0]
	if d.keys.Signing(party.ID).Len() == 0 {
		err := errors.New("the metadata has no signing certificate that verifies")
		for _, refused := range changes.Refused {
			err = fmt.Errorf("%w: %w", err, refused.Err)
		}
		return nil, changes, err
	}
	return describe(party, d.keys.Signing(party.ID)), changes, nil
}

// describe is what crewjam/saml needs to know of a party, from what the party signed.
func describe(party logius.Entity, signing *truststore.Store) *saml.EntityDescriptor {
	var d saml.IDPSSODescriptor
	for _, e := range party.Endpoints {
		endpoint := saml.Endpoint{Binding: e.Binding, Location: e.Location}
		switch e.Service {
		case "SingleSignOnService":
			d.SingleSignOnServices = append(d.SingleSignOnServices, endpoint)
		case "ArtifactResolutionService":
			d.ArtifactResolutionServices = append(d.ArtifactResolutionServices, endpoint)
		}
	}
	for cert := range signing.All() {
		data := saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(cert.Raw)}}}
		d.KeyDescriptors = append(d.KeyDescriptors, saml.KeyDescriptor{Use: "signing", KeyInfo: saml.KeyInfo{X509Data: data}})
	}
	return &saml.EntityDescriptor{EntityID: party.ID, IDPSSODescriptors: []saml.IDPSSODescriptor{d}}
}

// newLogin makes what an application at the URL app has people log in with. Requests
// are signed with own. It need not be made again when the metadata changes.
func newLogin(d *digid, metadata *saml.EntityDescriptor, own tls.Certificate, app *url.URL, logger *slog.Logger) (*samlsp.Middleware, error) {
	key, ok := own.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key cannot sign")
	}
	login, err := samlsp.New(samlsp.Options{
		URL:                 *app,
		Key:                 key,
		Certificate:         own.Leaf,
		HTTPClient:          d.client, // resolves artifacts
		IDPMetadata:         metadata,
		SignRequest:         true,
		UseArtifactResponse: true,
	})
	if err != nil {
		return nil, err
	}
	login.ServiceProvider.SignatureMethod = dsig.RSASHA256SignatureMethod // samlsp's own choice is SHA-1
	login.ServiceProvider.SignatureVerifier = signedBy{d.keys, metadata.EntityID}
	login.OnError = func(w http.ResponseWriter, r *http.Request, err error) {
		// samlsp's own handler logs the whole response, and with it who wanted to log in.
		var invalid *saml.InvalidResponseError
		if errors.As(err, &invalid) {
			err = invalid.PrivateErr
		}
		logger.WarnContext(r.Context(), "login failed", "reason", err)
		http.Error(w, "Login failed.", http.StatusForbidden)
	}
	return login, nil
}

// signedBy accepts signatures by the certificates in the Keyring, which it asks each
// time. crewjam/saml by itself accepts every certificate that is in the metadata
// that it was started with, also one that nobody issued or that has been replaced.
type signedBy struct {
	keys     *logius.Keyring
	entityID string
}

func (s signedBy) VerifySignature(v *dsig.ValidationContext, el *etree.Element) error {
	v.CertificateStore = s
	_, err := v.Validate(el)
	return err
}

// Certificates are those by which DigiD may have signed.
func (s signedBy) Certificates() ([]*x509.Certificate, error) {
	return slices.Collect(s.keys.Signing(s.entityID).All()), nil
}
