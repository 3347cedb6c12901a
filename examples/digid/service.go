package main

import (
	"crypto/tls"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// identityProvider plays DigiD: metadata, and artifacts over SOAP.
type identityProvider struct {
	*http.ServeMux
	issued map[pkioverheid.Hierarchy]tls.Certificate

	mu       sync.Mutex
	metadata string
}

func newIdentityProvider() *identityProvider {
	p := &identityProvider{ServeMux: http.NewServeMux(), issued: map[pkioverheid.Hierarchy]tls.Certificate{}}
	p.HandleFunc("GET "+metadataPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		p.mu.Lock()
		defer p.mu.Unlock()
		io.WriteString(w, p.metadata)
	})
	p.HandleFunc("POST /saml/idp/resolve_artifact", p.resolve)
	return p
}

// setSigning makes metadata with a signing certificate of each hierarchy, signed with the
// first of them.
func (p *identityProvider) setSigning(hierarchies []pkioverheid.Hierarchy) error {
	var keys strings.Builder
	for _, h := range hierarchies {
		if _, ok := p.issued[h]; !ok {
			p.issued[h] = pkiotest.New(h).Issue(pkiotest.Leaf{CommonName: "DigiD", OIN: standin.ServiceOIN})
		}
		keys.WriteString(standin.KeyDescriptor("signing", p.issued[h]))
	}
	signed, err := standin.Sign(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1" entityID="`+entityID+`">`+standin.SignatureMark+`
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`+keys.String()+`
    <md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://`+host+`/saml/idp/resolve_artifact" index="0"></md:ArtifactResolutionService>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`, p.issued[hierarchies[0]])
	p.mu.Lock()
	defer p.mu.Unlock()
	p.metadata = xml.Header + signed
	return err
}

func (p *identityProvider) resolve(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var asked envelope
	if err == nil {
		err = xml.Unmarshal(data, &asked)
	}
	if err != nil || asked.Body.Resolve == nil {
		http.Error(w, "this is not an ArtifactResolve", http.StatusBadRequest)
		return
	}
	var reply envelope
	reply.Body.Response = &artifactResponse{ID: "_2", InResponseTo: asked.Body.Resolve.ID, Version: "2.0"}
	reply.Body.Response.Status.Code.Value = success
	if asked.Body.Resolve.Artifact == "" {
		reply.Body.Response.Status.Code.Value = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	}
	text, err := xml.Marshal(reply)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	io.WriteString(w, xml.Header+string(text))
}
