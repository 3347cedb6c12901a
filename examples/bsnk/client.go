package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/logius/samlsig"
)

// entityID is the party in the network metadata that we deal with. It carries its OIN,
// which its certificates must bear.
const entityID = "urn:etoegang:BSNk:" + string(standin.ServiceOIN) + ":entities:1"

// clientBefore is how many programs did it until 2020, and some still do: the one
// root that was needed, from a file. It goes on trusting G3, which was withdrawn,
// and stops on the day that the service moves.
func clientBefore(g3Root *x509.Certificate, own *tls.Certificate, base *http.Transport) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(g3Root)
	base.TLSClientConfig = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{*own}}
	return &http.Client{Transport: base, Timeout: 20 * time.Second}
}

// party is we, with what the network metadata says about us.
//
// Until 2020 programs had the G3 root (see clientBefore) and the certificates of the other
// parties in a trust store (a .jks, a folder of files), and replaced both by hand at each
// move. Now the hierarchies come with package logius and the certificates with the
// metadata: nothing changes here from G3 to G1, nor from G1 to G4.
type party struct {
	keys    *logius.Keyring
	signers *pkioverheid.Verifier
	service logius.Service // with the hosts of the metadata
}

func newParty(trust pkioverheid.Trust) (*party, error) {
	keys, err := logius.BSNk().NewKeyring(trust)
	if err != nil {
		return nil, err
	}
	signers, err := logius.BSNk().Verifier(trust)
	if err != nil {
		return nil, err
	}
	return &party{keys: keys, signers: signers}, nil
}

// follow takes a new version of the network metadata, if the operator of the network
// signed it. Of several parties, the document itself does not say whose signature to
// expect.
func (p *party) follow(w io.Writer, document []byte) error {
	metadata, err := samlsig.VerifyMetadata(document, p.signers, pkioverheid.SignerOptions{OINs: []pkioverheid.OIN{standin.ServiceOIN}})
	if err != nil {
		return err // and what there was stays in use
	}
	changes := p.keys.Update(metadata)
	for _, c := range []struct {
		use            string
		added, removed []*x509.Certificate
	}{
		{"signing", changes.Signing.Added, changes.Signing.Removed},
		{"encryption", changes.Encryption.Added, changes.Encryption.Removed},
	} {
		for _, cert := range c.added {
			fmt.Fprintf(w, "   %s certificate added, issued by %s\n", c.use, cert.Issuer.CommonName)
		}
		for _, cert := range c.removed {
			fmt.Fprintf(w, "   %s certificate removed, issued by %s\n", c.use, cert.Issuer.CommonName)
		}
	}
	for _, r := range changes.Refused {
		fmt.Fprintf(w, "   %s certificate refused: %v\n", r.Use, r.Err)
	}

	p.service = logius.BSNk()
	for _, e := range metadata.Entities {
		if e.ID != entityID {
			continue
		}
		for _, name := range e.Hosts() {
			p.service.Hosts = append(p.service.Hosts, logius.Host{Name: name, Environment: logius.Production})
		}
	}
	return nil
}

type request struct {
	XMLName  xml.Name `xml:"urn:example:bsnk Transform"`
	Identity string   `xml:"EncryptedIdentity"` // in base64
}

type response struct {
	XMLName   xml.Name `xml:"urn:example:bsnk Transformed"`
	Pseudonym string   `xml:"Pseudonym"`
	Signature string   `xml:"Signature"` // in base64
}

// call has an identity transformed into a pseudonym: encrypted for the service, and
// signed by it.
func (p *party) call(w io.Writer, cfg pkioverheid.ClientConfig) error {
	client, err := p.service.NewClient(logius.Production, cfg)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	client.Timeout = 20 * time.Second

	encrypted, err := p.encrypt([]byte("999990019")) // a made-up number
	if err != nil {
		return err
	}
	body, err := xml.Marshal(request{Identity: base64.StdEncoding.EncodeToString(encrypted)})
	if err != nil {
		return err
	}
	resp, err := client.Post("https://"+host+"/transform", "text/xml; charset=utf-8", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return fmt.Errorf("%s: %q", resp.Status, text)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	var answer response
	if err := xml.Unmarshal(data, &answer); err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(answer.Signature)
	if err != nil {
		return err
	}
	if err := p.verify([]byte(answer.Pseudonym), signature); err != nil {
		return err
	}
	fmt.Fprintf(w, "   answer: %s, signed by the service\n", answer.Pseudonym)
	return nil
}

// encrypt uses the service's encryption certificate, of several the newest.
func (p *party) encrypt(plain []byte) ([]byte, error) {
	var newest *x509.Certificate
	for c := range p.keys.Encryption(entityID).All() {
		if newest == nil || c.NotBefore.After(newest.NotBefore) {
			newest = c
		}
	}
	if newest == nil {
		return nil, errors.New("there is no encryption certificate that is accepted, so nothing is sent")
	}
	key, ok := newest.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the encryption certificate has no RSA key")
	}
	return rsa.EncryptOAEP(sha256.New(), rand.Reader, key, plain, nil)
}

// verify asks for a signature by one of the service's signing certificates.
func (p *party) verify(data, signature []byte) error {
	for c := range p.keys.Signing(entityID).All() {
		if c.CheckSignature(x509.SHA256WithRSA, data, signature) == nil {
			return nil
		}
	}
	return errors.New("none of the service's signing certificates made this signature")
}
