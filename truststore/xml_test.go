package truststore

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inLines is base64 as documents have it: broken into indented lines.
func inLines(der []byte) string {
	text := base64.StdEncoding.EncodeToString(der)
	var out strings.Builder
	for len(text) > 64 {
		out.WriteString("\n\t\t  " + text[:64])
		text = text[64:]
	}
	return out.String() + "\n\t\t  " + text + "\r\n\t"
}

// samlMetadata is a document in the form of SAML metadata.
func samlMetadata(certs ...*x509.Certificate) string {
	var out strings.Builder
	out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!-- made for a test -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="urn:nl-eid-gdi:1.0:test">
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`)
	for i, cert := range certs {
		fmt.Fprintf(&out, `
    <md:KeyDescriptor use="%s">
      <ds:KeyInfo><ds:KeyName>key-%d &amp; more</ds:KeyName><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>`, []string{"signing", "encryption"}[i%2], i, inLines(cert.Raw))
	}
	return out.String() + "\n  </md:SPSSODescriptor>\n</md:EntityDescriptor>\n"
}

// cpa is a document in the form of a collaboration protocol agreement.
func cpa(cert *x509.Certificate) string {
	return `<tp:CollaborationProtocolAgreement xmlns:tp="http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd">
<tp:PartyInfo tp:partyName="Party"><tp:PartyId tp:type="urn:osb:oin">00000001234567890000</tp:PartyId>
<tp:Certificate tp:certId="cert-1"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` +
		base64.StdEncoding.EncodeToString(cert.Raw) + `</X509Certificate><X509CRL>AAAA</X509CRL></X509Data></KeyInfo></tp:Certificate></tp:PartyInfo></tp:CollaborationProtocolAgreement>`
}

func TestDecodeReadsXML(t *testing.T) {
	all := realCerts(t)
	saml := samlMetadata(all[:3]...)
	for name, c := range map[string]struct {
		data string
		want []*x509.Certificate
	}{
		"SAML metadata":                          {saml, all[:3]},
		"SAML metadata with all certificates":    {samlMetadata(all...), all},
		"after a byte order mark":                {"\xef\xbb\xbf" + saml, all[:3]},
		"after white space":                      {"\r\n" + strings.TrimPrefix(saml, `<?xml version="1.0" encoding="UTF-8"?>`), all[:3]},
		"in US-ASCII":                            {strings.Replace(saml, "UTF-8", "us-ascii", 1), all[:3]},
		"with CRLF":                              {strings.ReplaceAll(saml, "\n", "\r\n"), all[:3]},
		"a CPA, whose signatures have no prefix": {cpa(all[0]), all[:1]},
		"the same certificate twice":             {samlMetadata(all[0], all[0]), all[:1]},
		"another prefix":                         {strings.NewReplacer("ds:", "sig:", ":ds", ":sig").Replace(saml), all[:3]},
		"base64 in CDATA":                        {strings.NewReplacer("<ds:X509Certificate>", "<ds:X509Certificate><![CDATA[", "</ds:X509Certificate>", "]]></ds:X509Certificate>").Replace(saml), all[:3]},
		"a comment within the base64":            {strings.ReplaceAll(saml, "<ds:X509Certificate>", "<ds:X509Certificate><!-- it is -->"), all[:3]},
		"PEM within a comment":                   {strings.Replace(saml, "made for a test", string(bytes.ReplaceAll(text(all[5]), []byte("-----"), []byte("- - -")))+"\n", 1), all[:3]},
		"PEM within a text":                      {strings.Replace(saml, " &amp; more", "\n"+string(text(all[5])), 1), all[:3]},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Decode([]byte(c.data), WithPassword("needless"))
			require.NoError(t, err)
			assertCerts(t, c.want, s)
			format, err := Detect([]byte(c.data))
			require.NoError(t, err)
			assert.Equal(t, XML, format)
		})
	}
}

func TestDecodeRefusesXML(t *testing.T) {
	all := realCerts(t)
	saml := samlMetadata(all[:3]...)
	second := strings.Index(saml, "<ds:X509Certificate>")
	second += 1 + strings.Index(saml[second+1:], "<ds:X509Certificate>")
	place := fmt.Sprintf("X509Certificate 2 (byte %d): ", second)
	laughs := `<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>`
	root := strings.Index(saml, "<md:EntityDescriptor")
	utf16 := bytes.ReplaceAll([]byte(saml), []byte("<"), []byte("<\x00"))
	for name, c := range map[string]struct {
		data string
		want string
	}{
		"an entity that becomes a billion":     {saml[:root] + laughs + saml[root:], fmt.Sprintf("byte %d: the document has a DTD", root)},
		"an external entity":                   {saml[:root] + `<!DOCTYPE x SYSTEM "file:///etc/passwd">` + saml[root:], "has a DTD"},
		"an entity without a DTD":              {strings.Replace(saml, "&amp;", "&b;", 1), "invalid character entity &b;"},
		"no end":                               {saml[:len(saml)-30], "cut off"},
		"no end in a certificate":              {saml[:second+100], place},
		"no end in a tag":                      {saml[:second+5], "cut off"},
		"no end in a comment":                  {saml[:root-10], "cut off"},
		"tags without end":                     {strings.Repeat("<a>", 5_000_000), "more than 128 elements inside one another"},
		"a tag with a million attributes":      {"<a " + strings.Repeat("b='' ", 1_000_000) + "/>", "a tag of more than 65536 bytes"},
		"a tag name without end":               {"<a" + strings.Repeat("b", 10_000_000), "a tag of more than 65536 bytes"},
		"a certificate of many megabytes":      {saml[:second+20] + strings.Repeat("A", 10_000_000) + saml[second+20:], place + "a certificate of more than"},
		"another encoding":                     {strings.Replace(saml, "UTF-8", "ISO-8859-1", 1), "save it as UTF-8"},
		"UTF-16 without a mark":                {string(utf16[len(utf16)-30:]), "neither certificates"},
		"UTF-16 from the first byte":           {"<\x00?\x00x\x00", "UTF-16"},
		"bytes that are not UTF-8":             {strings.Replace(saml, "key-0", "k\xe9y", 1), "invalid UTF-8"},
		"a star in the base64":                 {saml[:second+200] + "*" + saml[second+201:], place + "damaged base64"},
		"a lost character":                     {saml[:second+200] + saml[second+201:], place},
		"a certificate without content":        {strings.Replace(cpa(all[0]), "<X509Certificate>", "<X509Certificate></X509Certificate><X509Certificate>", 1), "X509Certificate 1 ("},
		"a certificate that is none":           {strings.Replace(cpa(all[0]), "<X509Certificate>", "<X509Certificate>MAA=</X509Certificate><X509Certificate>", 1), "X509Certificate 1 ("},
		"an element within a certificate":      {strings.Replace(saml, "<ds:X509Certificate>", "<ds:X509Certificate><b/>", 1), "something else than base64"},
		"tags that do not match":               {strings.Replace(saml, "</ds:X509Data>", "</ds:KeyInfo>", 1), "damaged XML in line"},
		"a tag that no terminal should see":    {"<a><\x1b[31m/></a>", "damaged XML in line 1"},
		"two documents":                        {saml[root:] + saml[root:], "second document"},
		"text after the document":              {saml + "and more", "text outside"},
		"no certificate":                       {samlMetadata(), "there is no X509Certificate element"},
		"certificates of another namespace":    {strings.Replace(saml, "xmldsig#", "xmldsig2#", 1), "there is no X509Certificate element"},
		"certificates without a namespace":     {strings.ReplaceAll(saml, "ds:X509Certificate", "X509Certificate"), "there is no X509Certificate element"},
		"a prefix that is not declared":        {strings.Replace(saml, "xmlns:ds", "xmlns:dsig", 1), "there is no X509Certificate element"},
		"only a declaration":                   {`<?xml version="1.0"?>`, "there is no X509Certificate element"},
		"a processing instruction without end": {`<?xml version="1.0"`, "cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			s, err := Decode([]byte(c.data))
			assert.ErrorContains(t, err, c.want)
			assert.Nil(t, s)
			assert.NotContains(t, err.Error(), "\x1b")
			assert.Less(t, len(err.Error()), 500)
			assert.Less(t, time.Since(start), 3*time.Second)
		})
	}
	short := cpa(all[0])
	for n := range short {
		s, err := Decode([]byte(short[:n]))
		require.Error(t, err, "%d bytes", n)
		require.Nil(t, s)
	}
}
