package main

import (
	"compress/flate"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const (
	// partyOIN is the connected party's, a test number (prefix 00000099).
	partyOIN = pkioverheid.OIN("00000099000000001000")

	citizen    = "test-citizen-1"
	host       = "was-preprod1.digid.nl"
	entityID   = "urn:nl-eid-gdi:1.0:AD:" + string(standin.ServiceOIN) + ":entities:9000"
	resolveURL = "https://" + host + "/saml/idp/resolve_artifact"
)

// standIn behaves as DigiD does: what systems call asks for their certificate and
// their OIN; it takes signed requests only, and signs what it answers.
type standIn struct {
	systems  *httptest.Server // metadata and artifact resolution, over mutual TLS
	browsers *httptest.Server // the login page, whose certificate is not of this kind

	mu        sync.Mutex
	tls       *pkioverheid.KeyPair // of systems
	signed    tls.Certificate      // named in the metadata, which it signs
	signing   tls.Certificate      // that signs answers: the same, but in a test
	another   *x509.Certificate    // named there too, if it is set
	party     *x509.Certificate
	acs       string
	artifacts map[string]saml.AuthnRequest
}

func fixtures() pkioverheid.Trust {
	return pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS))
}

// newStandIn starts one whose certificates are of two hierarchies. The caller closes it.
func newStandIn(forTLS, forSigning pkioverheid.Hierarchy) (*standIn, error) {
	s := &standIn{tls: pkiotest.New(forTLS).KeyPair(forHost), artifacts: map[string]saml.AuthnRequest{}}
	if err := s.replace(forTLS, forSigning); err != nil {
		return nil, err
	}
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: fixtures(), KeyPairs: []*pkioverheid.KeyPair{s.tls}}, pkioverheid.AllowOIN(partyOIN))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /saml/idp/metadata", s.serveMetadata)
	mux.HandleFunc("POST /saml/idp/resolve_artifact", s.resolve)
	s.systems = httptest.NewUnstartedServer(mux)
	s.systems.TLS = server.TLSConfig()
	s.systems.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.systems.StartTLS()

	pages := http.NewServeMux()
	pages.HandleFunc("GET /login", s.login)
	s.browsers = httptest.NewServer(pages)
	return s, nil
}

func (s *standIn) close() {
	s.systems.Close()
	s.browsers.Close()
}

// replace is what Logius does on the day of a switch.
func (s *standIn) replace(forTLS, forSigning pkioverheid.Hierarchy) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.tls.Set(pkiotest.New(forTLS).Issue(forHost)); err != nil {
		return err
	}
	s.signing = pkiotest.New(forSigning).Issue(pkiotest.Leaf{CommonName: "saml-signing", Organization: "Logius", OIN: standin.ServiceOIN})
	s.signed = s.signing
	if s.systems != nil {
		s.systems.CloseClientConnections()
	}
	return nil
}

var forHost = pkiotest.Leaf{DNSNames: []string{host}, Organization: "Logius"}

// register says whose signatures to accept, and where the answers go.
func (s *standIn) register(cert *x509.Certificate, acs string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.party, s.acs = cert, acs
}

// dial connects to the stand-in, whatever the address.
func (s *standIn) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, s.systems.Listener.Addr().String())
}

func (s *standIn) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := standin.KeyDescriptor("signing", s.signed)
	if s.another != nil {
		keys += standin.KeyDescriptor("signing", tls.Certificate{Leaf: s.another})
	}
	const binding = "urn:oasis:names:tc:SAML:2.0:bindings:"
	document, err := standin.Sign(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1" entityID="`+entityID+`" validUntil="`+time.Now().AddDate(0, 0, 1).UTC().Format(time.RFC3339)+`">`+standin.SignatureMark+`
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`+keys+`
    <md:ArtifactResolutionService Binding="`+binding+`SOAP" Location="`+resolveURL+`" index="0"></md:ArtifactResolutionService>
    <md:SingleSignOnService Binding="`+binding+`HTTP-Redirect" Location="`+s.browsers.URL+`/login"></md:SingleSignOnService>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`, s.signed)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	io.WriteString(w, document)
}

// login is the page on which somebody logs in, without asking for a password. What it
// sends back by the browser is an artifact: a ticket, by which the party gets the
// answer from resolve.
func (s *standIn) login(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, err := readRequest(r.URL, s.party)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if request.ProtocolBinding != saml.HTTPArtifactBinding {
		http.Error(w, "artifacts only", http.StatusBadRequest)
		return
	}
	source := sha1.Sum([]byte(entityID))
	handle := make([]byte, 20)
	rand.Read(handle)
	artifact := base64.StdEncoding.EncodeToString(append(append([]byte{0, 4, 0, 0}, source[:]...), handle...))
	s.artifacts[artifact] = request
	answer := url.Values{"SAMLart": {artifact}, "RelayState": {r.URL.Query().Get("RelayState")}}
	http.Redirect(w, r, s.acs+"?"+answer.Encode(), http.StatusFound)
}

// readRequest reads what came by the HTTP-Redirect binding, and checks the signature,
// which is over the query as it was sent.
func readRequest(u *url.URL, party *x509.Certificate) (request saml.AuthnRequest, err error) {
	signed, _, found := strings.Cut(u.RawQuery, "&Signature=")
	signature, err := base64.StdEncoding.DecodeString(u.Query().Get("Signature"))
	if !found || err != nil || u.Query().Get("SigAlg") != dsig.RSASHA256SignatureMethod {
		return request, errors.New("the request is not signed with SHA-256")
	}
	key, ok := party.PublicKey.(*rsa.PublicKey)
	digest := sha256.Sum256([]byte(signed))
	if !ok || rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) != nil {
		return request, errors.New("the request was not signed by the connected party")
	}
	deflated, err := base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
	if err != nil {
		return request, err
	}
	body := io.LimitReader(flate.NewReader(strings.NewReader(string(deflated))), 1<<20)
	err = xml.NewDecoder(body).Decode(&request)
	return request, err
}

// resolve gives the answer for an artifact, once.
func (s *standIn) resolve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	envelope, err := s.answer(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	doc := etree.NewDocument()
	doc.SetRoot(envelope)
	doc.WriteTo(w)
}

func (s *standIn) answer(body io.Reader) (*etree.Element, error) {
	doc := etree.NewDocument()
	if _, err := doc.ReadFrom(body); err != nil {
		return nil, err
	}
	el := doc.FindElement("/Envelope/Body/ArtifactResolve")
	if el == nil {
		return nil, errors.New("no ArtifactResolve")
	}
	el, err := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{s.party}}).Validate(el)
	if err != nil {
		return nil, fmt.Errorf("the signature of ArtifactResolve: %w", err)
	}
	doc.SetRoot(el)
	text, err := doc.WriteToBytes()
	if err != nil {
		return nil, err
	}
	var resolve saml.ArtifactResolve
	if err := xml.Unmarshal(text, &resolve); err != nil {
		return nil, err
	}
	request, found := s.artifacts[resolve.Artifact]
	delete(s.artifacts, resolve.Artifact)
	if !found {
		return nil, errors.New("no such artifact")
	}

	signer, err := dsig.NewSigningContext(s.signing.PrivateKey.(crypto.Signer), s.signing.Certificate[:1])
	if err != nil {
		return nil, err
	}
	signer.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := signer.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return nil, err
	}
	response := s.response(resolve, request)
	signed, err := signer.SignEnveloped(response.Element())
	if err != nil {
		return nil, err
	}
	response.Signature = signed.Child[len(signed.Child)-1].(*etree.Element)

	envelope := etree.NewElement("soapenv:Envelope")
	envelope.CreateAttr("xmlns:soapenv", "http://schemas.xmlsoap.org/soap/envelope/")
	envelope.CreateElement("soapenv:Body").AddChild(response.Element())
	return envelope, nil
}

func (s *standIn) response(resolve saml.ArtifactResolve, request saml.AuthnRequest) saml.ArtifactResponse {
	now := time.Now()
	issuer := &saml.Issuer{Value: entityID}
	ok := saml.Status{StatusCode: saml.StatusCode{Value: saml.StatusSuccess}}
	return saml.ArtifactResponse{
		ID: "_" + rand.Text(), InResponseTo: resolve.ID, Version: "2.0", IssueInstant: now, Issuer: issuer, Status: ok,
		Response: saml.Response{
			ID: "_" + rand.Text(), InResponseTo: request.ID, Version: "2.0", IssueInstant: now, Issuer: issuer, Status: ok,
			Destination: s.acs,
			Assertion: &saml.Assertion{
				ID: "_" + rand.Text(), Version: "2.0", IssueInstant: now, Issuer: *issuer,
				Subject: &saml.Subject{
					NameID: &saml.NameID{Value: citizen},
					SubjectConfirmations: []saml.SubjectConfirmation{{
						Method: "urn:oasis:names:tc:SAML:2.0:cm:bearer",
						SubjectConfirmationData: &saml.SubjectConfirmationData{
							InResponseTo: request.ID, Recipient: s.acs, NotOnOrAfter: now.Add(2 * time.Minute),
						},
					}},
				},
				Conditions: &saml.Conditions{
					NotBefore: now, NotOnOrAfter: now.Add(2 * time.Minute),
					AudienceRestrictions: []saml.AudienceRestriction{{Audience: saml.Audience{Value: request.Issuer.Value}}},
				},
				AuthnStatements: []saml.AuthnStatement{{AuthnInstant: now, SessionIndex: "_" + rand.Text()}},
			},
		},
	}
}
