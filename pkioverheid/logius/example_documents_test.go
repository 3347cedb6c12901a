package logius_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// What the examples read and call.

func exampleRoots() *truststore.Store {
	return fixtures(pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS)
}

// serve starts a server of that name under fixture certificates, and returns what a
// client's Config needs for it.
func serve(h pkioverheid.Hierarchy, host string) (base *http.Transport, roots *truststore.Store, stop func()) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pkiotest.New(h).Issue(pkiotest.Leaf{DNSNames: []string{host}})}}
	srv.Config.ErrorLog = discard
	srv.StartTLS()
	base = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}}
	return base, exampleRoots(), srv.Close
}

func exampleMetadata(h pkioverheid.Hierarchy) string {
	authority := pkiotest.New(h)
	key := func(use string) string {
		return fmt.Sprintf(`<md:KeyDescriptor use="%s"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
			use, base64.StdEncoding.EncodeToString(authority.Issue(pkiotest.Leaf{}).Leaf.Raw))
	}
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="urn:nl:example">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + key("signing") + key("encryption") + `
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://bsnk.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`
}

func exampleCPA() string {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	return strings.TrimSpace(cpa(
		party("Gemeente", "00000099000000001000", g1.Issue(pkiotest.Leaf{OIN: "00000099000000001000"}).Leaf),
		party("Logius", "00000099000000002000", g1.Issue(pkiotest.Leaf{OIN: "00000099000000002000"}).Leaf),
	))
}
