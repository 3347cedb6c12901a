package main

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// identityProvider plays DigiD: metadata, and artifacts over SOAP.
type identityProvider struct {
	*http.ServeMux
	metadata string
	issued   map[pkioverheid.Hierarchy][]byte
}

func newIdentityProvider() *identityProvider {
	p := &identityProvider{ServeMux: http.NewServeMux(), issued: map[pkioverheid.Hierarchy][]byte{}}
	p.HandleFunc("GET "+metadataPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		io.WriteString(w, p.metadata)
	})
	p.HandleFunc("POST /saml/idp/resolve_artifact", p.resolve)
	return p
}

// setSigning makes metadata with a signing certificate of each hierarchy.
func (p *identityProvider) setSigning(hierarchies []pkioverheid.Hierarchy) {
	var keys strings.Builder
	for _, h := range hierarchies {
		if p.issued[h] == nil {
			p.issued[h] = pkiotest.New(h).Issue(pkiotest.CommonName("DigiD"), pkiotest.OIN(serviceOIN)).Leaf.Raw
		}
		fmt.Fprintf(&keys, `
    <md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
      %s
    </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`, base64.StdEncoding.EncodeToString(p.issued[h]))
	}
	p.metadata = xml.Header + `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://` + host + metadataPath + `">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + keys.String() + `
    <md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://` + host + `/saml/idp/resolve_artifact" index="0"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`
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
