package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// host is in the network metadata. No real one was published.
const host = "bsnk.example"

// bsnk plays the service: it decrypts, and signs, with the keys of its metadata.
type bsnk struct {
	issued              map[string]tls.Certificate
	signing, encryption []tls.Certificate
}

func newBSNk() *bsnk { return &bsnk{issued: map[string]tls.Certificate{}} }

// renew makes the next metadata have new certificates.
func (b *bsnk) renew() { clear(b.issued) }

// metadata publishes a certificate of each hierarchy.
// The last one for signing signs it.
func (b *bsnk) metadata(signing, encryption []pkioverheid.Hierarchy, at time.Time) ([]byte, error) {
	var keys strings.Builder
	descriptors := func(use string, hierarchies []pkioverheid.Hierarchy) (certs []tls.Certificate) {
		for _, h := range hierarchies {
			name := use + h.String()
			if _, ok := b.issued[name]; !ok {
				b.issued[name] = pkiotest.New(h).Issue(validAt(at, pkiotest.Leaf{OIN: standin.ServiceOIN, CommonName: "BSNk " + use}))
				if h == ev && at.Equal(today) { // left from before
					b.issued[name] = pkiotest.New(h).Issue(pkiotest.Leaf{OIN: standin.ServiceOIN, CommonName: "BSNk " + use})
				}
			}
			cert := b.issued[name]
			certs = append(certs, cert)
			keys.WriteString(standin.KeyDescriptor(use, cert))
		}
		return certs
	}
	b.signing, b.encryption = descriptors("signing", signing), descriptors("encryption", encryption)
	document, err := standin.Sign(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1">`+standin.SignatureMark+`
  <md:EntityDescriptor entityID="`+entityID+`">
    <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`+keys.String()+`
      <md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://`+host+`/transform" index="0"></md:ArtifactResolutionService>
    </md:IDPSSODescriptor>
  </md:EntityDescriptor>
</md:EntitiesDescriptor>`, b.signing[len(b.signing)-1])
	return []byte(xml.Header + document), err
}

func (b *bsnk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var asked request
	if err == nil {
		err = xml.Unmarshal(data, &asked)
	}
	var encrypted, identity []byte
	if err == nil {
		encrypted, err = base64.StdEncoding.DecodeString(asked.Identity)
	}
	if err == nil {
		// The last of its encryption certificates is the one in use.
		key := b.encryption[len(b.encryption)-1].PrivateKey.(*rsa.PrivateKey)
		identity, err = rsa.DecryptOAEP(sha256.New(), nil, key, encrypted, nil)
	}
	if err != nil {
		http.Error(w, "this is not a request, or not encrypted for us", http.StatusBadRequest)
		return
	}
	answer := response{Pseudonym: fmt.Sprintf("pseudonym of a number of %d digits", len(identity))}
	digest := sha256.Sum256([]byte(answer.Pseudonym))
	key := b.signing[len(b.signing)-1].PrivateKey.(*rsa.PrivateKey)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer.Signature = base64.StdEncoding.EncodeToString(signature)
	text, err := xml.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Write(text)
}
