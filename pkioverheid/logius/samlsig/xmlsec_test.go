package samlsig

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// xmlsec1 runs the program of that name, of Debian's package of that name.
func xmlsec1(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmlsec1 is not installed")
		}
		t.Skip("xmlsec1 is not installed")
	}
	cmd := exec.Command(path, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("xmlsec1 %v: %v: %s", args, err, stderr.String())
	}
	return out, err
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// signedByXmlsec has xmlsec1 fill in the signature of a document.
func signedByXmlsec(t *testing.T, template string, cert tls.Certificate, element string) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	require.NoError(t, err)
	private := file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	public := file(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Leaf.Raw})))
	out, err := xmlsec1(t, "--sign", "--privkey-pem", private+","+public, "--id-attr:ID", metadata+":"+element, file(t, "template.xml", template))
	require.NoError(t, err)
	return out
}

// template is a Signature for xmlsec1 to fill in, in lines as people write them.
func template(c14n, method, transform, digest, keyInfo string) string {
	return `<dsig:Signature xmlns:dsig="http://www.w3.org/2000/09/xmldsig#" Id="s">
    <dsig:SignedInfo>
      <dsig:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">` + c14n + `</dsig:CanonicalizationMethod>
      <dsig:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#` + method + `"/>
      <dsig:Reference URI="#_1">
        <dsig:Transforms>
          <dsig:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
          <dsig:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">` + transform + `</dsig:Transform>
        </dsig:Transforms>
        <dsig:DigestMethod Algorithm="` + digest + `"/>
        <dsig:DigestValue/>
      </dsig:Reference>
    </dsig:SignedInfo>
    <dsig:SignatureValue/>
    ` + keyInfo + `
  </dsig:Signature>`
}

func TestWhatXmlsecSignsVerifies(t *testing.T) {
	const sha256, sha384, sha512 = "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512"
	const keyName, data = `<dsig:KeyInfo><dsig:KeyName>the key</dsig:KeyName></dsig:KeyInfo>`, `<dsig:KeyInfo><dsig:KeyName>the key</dsig:KeyName><dsig:X509Data/></dsig:KeyInfo>`
	inclusive := func(prefixes string) string {
		return `<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="` + prefixes + `"/>`
	}
	cert, elliptic := partyCertificate, g1.Issue(pkiotest.Leaf{OIN: partyOIN, ECDSA: true})
	v := verifierOf(t, pkiotest.Trust(g1))
	for name, c := range map[string]struct {
		signature string
		cert      tls.Certificate
	}{
		"with KeyName only":                           {template("", "rsa-sha256", "", sha256, keyName), cert},
		"with X509Data":                               {template("", "rsa-sha256", "", sha256, data), cert},
		"without KeyInfo":                             {template("", "rsa-sha256", "", sha256, ""), cert},
		"with InclusiveNamespaces":                    {template("", "rsa-sha256", inclusive("xs xsi dsig"), sha256, data), cert},
		"with InclusiveNamespaces of the default one": {template("", "rsa-sha256", inclusive("#default xs"), sha256, keyName), cert},
		"with InclusiveNamespaces that are not there": {template(inclusive("dsig other"), "rsa-sha256", inclusive("other"), sha256, keyName), cert},
		"with RSA and SHA-384":                        {template("", "rsa-sha384", "", sha384, keyName), cert},
		"with RSA and SHA-512":                        {template("", "rsa-sha512", "", sha512, keyName), cert},
		"with ECDSA":                                  {template("", "ecdsa-sha256", "", sha256, data), elliptic},
		"with ECDSA and SHA-512":                      {template("", "ecdsa-sha512", "", sha512, keyName), elliptic},
	} {
		for form, doc := range unevenDocuments(c.cert) {
			if form != "with prefixes" && !strings.Contains(name, "InclusiveNamespaces") {
				continue
			}
			t.Run(name+"/"+form, func(t *testing.T) {
				signed := signedByXmlsec(t, strings.Replace(doc, signatureMark, c.signature, 1), c.cert, "EntityDescriptor")
				m, err := VerifyMetadata(signed, v, pkioverheid.SignerOptions{})
				require.NoError(t, err, "%s", signed)
				require.Len(t, m.Entities, 1)
				assert.Equal(t, []*x509.Certificate{c.cert.Leaf}, m.Entities[0].Keys[0].Certificates)
				assert.Equal(t, "https://dienst.example/login?a=1&b=2", m.Entities[0].Endpoints[0].Location)

				_, err = VerifyMetadata([]byte(strings.Replace(string(signed), "dienst.example", "elders.example", 1)), v, pkioverheid.SignerOptions{})
				assert.ErrorContains(t, err, "the signed document was another one")
			})
		}
	}
}

// unevenDocuments are not in their canonical form.
func unevenDocuments(cert tls.Certificate) map[string]string {
	doc := `<?xml version="1.0" encoding="UTF-8"?>
<!-- before -->
<md:EntityDescriptor   entityID='` + partyID + `'
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1" validUntil="2040-01-01T00:00:00Z">
  ` + signatureMark + `
  <md:IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
        <ds:KeyName><![CDATA[the key]]></ds:KeyName><!-- between -->
        ` + x509Data(cert.Leaf) + `
      </ds:KeyInfo>
    </md:KeyDescriptor>
    <md:SingleSignOnService Location="https://dienst.example/login?a=1&#38;b=2" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/>
  </md:IDPSSODescriptor>
  <md:Organization xml:lang="nl"><md:OrganizationName xml:lang="nl">Gemeente &quot;Súdwest&#45;Fryslân&quot; &gt; &#x1F3DB;</md:OrganizationName></md:Organization>
  <md:Extensions><x xmlns="urn:x" xsi:type="xs:string" b="1" a="2"><y xmlns=""/><z/></x></md:Extensions>
</md:EntityDescriptor>
<!-- after -->
`
	prefixes := strings.NewReplacer("<md:", "<", "</md:", "</", "xmlns:md", "xmlns")
	return map[string]string{
		"with prefixes":    doc,
		"without prefixes": prefixes.Replace(doc),
		"with CRLF":        strings.ReplaceAll(doc, "\n", "\r\n"),
	}
}

// goxmldsig takes no account of InclusiveNamespaces in the CanonicalizationMethod, which
// matter where one of them is declared around the Signature and not used in SignedInfo.
func TestInclusiveNamespacesOfSignedInfoAreNotVerified(t *testing.T) {
	inclusive := `<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/>`
	doc := strings.Replace(unevenDocuments(partyCertificate)["with prefixes"], signatureMark, template(inclusive, "rsa-sha256", "", "http://www.w3.org/2001/04/xmlenc#sha256", ""), 1)
	_, err := VerifyMetadata(signedByXmlsec(t, doc, partyCertificate, "EntityDescriptor"), verifierOf(t, pkiotest.Trust(g1)), pkioverheid.SignerOptions{})
	assert.ErrorContains(t, err, "InclusiveNamespaces in its CanonicalizationMethod")
}

func TestXmlsecAgrees(t *testing.T) {
	public := file(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: partyCertificate.Leaf.Raw})))
	verify := func(doc string) error {
		_, err := xmlsec1(t, "--verify", "--enabled-key-data", "x509", "--pubkey-cert-pem", public, "--id-attr:ID", metadata+":EntityDescriptor", file(t, "doc.xml", doc))
		return err
	}
	signed := string(signing{cert: partyCertificate, keyInfo: " "}.sign(t, party("_1", partyID, goodRole())))
	assert.NoError(t, verify(signed), "what is signed by hand in these tests is a signature")
	assert.Error(t, verify(strings.Replace(signed, "dienst.example", "elders.example", 1)))
}
