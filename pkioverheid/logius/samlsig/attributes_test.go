package samlsig

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// A schemaLocation is often in lines. Whoever signs sees spaces there, and who only copies the
// document leaves the lines.
func TestEndsOfLinesInAttributesAreSpaces(t *testing.T) {
	doc := strings.Replace(unevenDocuments(partyCertificate)["with prefixes"], `protocolSupportEnumeration="`, `xsi:schemaLocation="urn:a  urn:b" protocolSupportEnumeration="`, 1)
	doc = strings.Replace(doc, signatureMark, template("", "rsa-sha256", "", "http://www.w3.org/2001/04/xmlenc#sha256", ""), 1)
	signed := string(signedByXmlsec(t, doc, partyCertificate, "EntityDescriptor"))
	require.Contains(t, signed, "urn:a  urn:b")
	for _, space := range []string{"  ", "\n\n", "\n\t", "\r\n ", "\r\r\n", " \r"} {
		_, err := VerifyMetadata([]byte(strings.Replace(signed, "urn:a  urn:b", "urn:a"+space+"urn:b", 1)), verifierOf(t, pkiotest.Trust(g1)), pkioverheid.SignerOptions{})
		assert.NoError(t, err, "%q", space)
	}
	for _, other := range []string{"&#10; ", " ", "   ", "\u00a0 "} {
		_, err := VerifyMetadata([]byte(strings.Replace(signed, "urn:a  urn:b", "urn:a"+other+"urn:b", 1)), verifierOf(t, pkiotest.Trust(g1)), pkioverheid.SignerOptions{})
		assert.Error(t, err, "%q", other)
	}
}

func TestNormalised(t *testing.T) {
	for in, want := range map[string]string{
		"<a b='\r\n\t'\n\tc=\"\n'>\n\">\t\n\"":     "<a b='  '\n\tc=\" '> \">\t\n\"",
		"<!-- <a b='\n -->\n<a b='\n'/>":           "<!-- <a b='\n -->\n<a b=' '/>",
		"<a><![CDATA[<b c='\n]]>\n</a>":            "<a><![CDATA[<b c='\n]]>\n</a>",
		"<?x '\n?>\n<a b='>\n'>it's\n</a\n>'\n<b>": "<?x '\n?>\n<a b='> '>it's\n</a\n>'\n<b>",
	} {
		assert.Equal(t, want, string(normalised([]byte(in))))
	}
}
