package logius_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

const (
	ownOIN   = pkioverheid.OIN("00000099000000001000") // test numbers (facts.md §6)
	theirOIN = pkioverheid.OIN("00000099000000002000")
)

// fixtures are the test roots of the hierarchies.
func fixtures(hierarchies ...pkioverheid.Hierarchy) *truststore.Store {
	roots := truststore.New()
	for _, h := range hierarchies {
		for root := range pkiotest.New(h).Roots().All() {
			roots.Add(root)
		}
	}
	return roots
}

// standIn starts a server that shows cert, and returns a transport that dials it
// whatever the address, and the addresses that were dialled.
func standIn(t testing.TB, h http.Handler, cert tls.Certificate) (base *http.Transport, dialled *[]string) {
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}, ClientAuth: tls.RequestClientCert}
	srv.Config.ErrorLog = discard
	srv.StartTLS()
	t.Cleanup(srv.Close)
	dialled = new([]string)
	return &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		*dialled = append(*dialled, addr)
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}}, dialled
}

// at returns the service with one host, which is in production.
func at(s logius.Service, host string) logius.Service {
	s.Hosts = []logius.Host{{Name: host, Environment: logius.Production}}
	return s
}

// issue issues certificates without anything but what is asked for.
func issue(t testing.TB, h pkioverheid.Hierarchy, l pkiotest.Leaf) *x509.Certificate {
	cert := pkiotest.New(h).Issue(l)
	require.NotNil(t, cert.Leaf)
	return cert.Leaf
}

// lines is base64 as documents have it, broken into indented lines.
func lines(cert *x509.Certificate) string {
	text := base64.StdEncoding.EncodeToString(cert.Raw)
	var out strings.Builder
	for len(text) > 64 {
		out.WriteString("\n\t\t  " + text[:64])
		text = text[64:]
	}
	return out.String() + "\n\t\t  " + text + "\r\n\t"
}

// keyDescriptor is a part of metadata. An empty use is left out.
func keyDescriptor(use string, certs ...*x509.Certificate) string {
	attribute := ""
	if use != "" {
		attribute = ` use="` + use + `"`
	}
	var data strings.Builder
	for _, c := range certs {
		data.WriteString("<ds:X509Certificate>" + lines(c) + "</ds:X509Certificate>\n")
	}
	return fmt.Sprintf("  <md:KeyDescriptor%s>\n   <ds:KeyInfo><ds:KeyName>key &amp; name</ds:KeyName><ds:X509Data>%s</ds:X509Data></ds:KeyInfo>\n  </md:KeyDescriptor>\n", attribute, data.String())
}

// entity is a party in metadata.
func entity(id string, keys ...string) string {
	return fmt.Sprintf(`<md:EntityDescriptor entityID="%s">
 <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
%s  <md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://was.digid.nl/saml/idp/resolve_artifact" index="0"/>
  <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://WAS.digid.nl:443/saml/idp/request_authentication"/>
 </md:IDPSSODescriptor>
</md:EntityDescriptor>
`, id, strings.Join(keys, ""))
}

// network is metadata of several parties.
func network(entities ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<!-- made for a test -->
<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
` + strings.Join(entities, "") + "</md:EntitiesDescriptor>\n"
}

func readMetadata(t testing.TB, text string) *logius.Metadata {
	m, err := logius.ReadMetadata(strings.NewReader(text))
	require.NoError(t, err)
	return m
}

// party is a part of a CPA.
func party(name string, oin pkioverheid.OIN, cert *x509.Certificate) string {
	id := "cert_" + name
	return fmt.Sprintf(`
 <tp:PartyInfo tp:partyName="%[1]s" tp:defaultMshChannelId="dc_%[1]s" tp:defaultMshPackageId="p_%[1]s">
  <tp:PartyId tp:type="urn:osb:oin"> %[2]s
  </tp:PartyId>
  <tp:Certificate tp:certId="%[3]s"><ds:KeyInfo><ds:X509Data>
   <ds:X509Certificate>%[4]s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></tp:Certificate>
  <tp:Transport tp:transportId="t_%[1]s">
   <tp:TransportSender><tp:TransportClientSecurity><tp:ClientCertificateRef tp:certId="%[3]s"/></tp:TransportClientSecurity></tp:TransportSender>
   <tp:TransportReceiver><tp:TransportServerSecurity><tp:ServerCertificateRef tp:certId="%[3]s"/></tp:TransportServerSecurity></tp:TransportReceiver>
  </tp:Transport>
  <tp:DocExchange tp:docExchangeId="d_%[1]s"><tp:ebXMLSenderBinding tp:version="2.0"><tp:SenderNonRepudiation>
   <tp:SigningCertificateRef tp:certId="%[3]s"/></tp:SenderNonRepudiation></tp:ebXMLSenderBinding></tp:DocExchange>
 </tp:PartyInfo>`, name, oin, id, lines(cert))
}

// cpa is an agreement of these parties, for ten years from 2020 on.
func cpa(parties ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<tp:CollaborationProtocolAgreement xmlns:tp="http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" tp:cpaid="cpa-1" tp:version="2_0b">
 <tp:Status tp:value="agreed"/>
 <tp:Start>2020-11-25T00:00:00Z</tp:Start>
 <tp:End>2030-11-25T00:00:00</tp:End>` + strings.Join(parties, "") + `
</tp:CollaborationProtocolAgreement>
`
}

func readCPA(t testing.TB, text string) *logius.CPA {
	c, err := logius.ReadCPA(strings.NewReader(text))
	require.NoError(t, err)
	return c
}

// withinG1 is a time at which the fixtures of G1 and G4 are valid.
func withinG1() time.Time { return pkiotest.New(pkioverheid.PrivateG1).Time() }

var anyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}

func fingerprint(cert tls.Certificate) truststore.Fingerprint {
	return truststore.FingerprintOf(cert.Leaf)
}

// tinyCertificate is a short one, under nobody's CA.
func tinyCertificate(t testing.TB) *x509.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Unix(0, 0), NotAfter: time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: "y"}}, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func verifier(t testing.TB, s logius.Service, hierarchies ...pkioverheid.Hierarchy) *pkioverheid.Verifier {
	v, err := s.Verifier(pkioverheid.Trust{Roots: truststore.NewSource(fixtures(hierarchies...))})
	require.NoError(t, err)
	return v
}

// program returns the path of a program. Without it a test is skipped, but not in
// CI, which installs all of them.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and in CI no test may skip", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}
