package quote

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", `""`},
		{"a name", "Staat der Nederlanden", `"Staat der Nederlanden"`},
		{"letters beyond ASCII stay", "Coöperatie", `"Coöperatie"`},
		{"quotation marks and backslashes get a backslash", `a"b\c`, `"a\"b\\c"`},
		{"control characters are escaped", "a\x1b[2J\r\nb\x00", `"a\x1b[2J\r\nb\x00"`},
		{"so is what turns the direction of writing", "a\u202eb", `"a\u202eb"`},
		{"so is what is not UTF-8", "a\xffb", `"a\xffb"`},
		{"as many bytes as are shown", strings.Repeat("a", Most), `"` + strings.Repeat("a", Most) + `"`},
		{"a byte more", strings.Repeat("a", Most+1), `"` + strings.Repeat("a", Most) + `…"`},
		{"a character that would be cut through is left out", strings.Repeat("a", Most-1) + "€b", `"` + strings.Repeat("a", Most-1) + `…"`},
		{"a text that is cut loses what is not UTF-8", "a\xffb" + strings.Repeat("c", Most), `"ab` + strings.Repeat("c", Most-3) + `…"`},
		{"the limit is on what goes in", strings.Repeat("\x1b", Most+1), `"` + strings.Repeat(`\x1b`, Most) + `…"`},
	} {
		assert.Equal(t, c.want, Text(c.text), c.name)
	}
}

func TestEscaped(t *testing.T) {
	assert.Empty(t, Escaped("", Most))
	assert.Equal(t, `a\"\x1bö`, Escaped("a\"\x1bö", Most))
	assert.Equal(t, "a…", Escaped("aöb", 2))
	assert.Equal(t, strings.Repeat("a", 100), Escaped(strings.Repeat("a", 100), 100))
}

func TestCertificate(t *testing.T) {
	named := func(cn string, dns, o []string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: cn, Organization: o}, DNSNames: dns}
	}
	for _, c := range []struct {
		name string
		cert *x509.Certificate
		want string
	}{
		{"the common name comes first", named("cn", []string{"a.example", "b.example"}, []string{"O"}), `"cn"`},
		{"then the first DNS name", named("", []string{"a.example", "b.example"}, []string{"O"}), `"a.example"`},
		{"then the first organization", named("", nil, []string{"O", "P"}), `"O"`},
		{"the name is quoted and shortened", named("\n"+strings.Repeat("a", Most), nil, nil), `"\n` + strings.Repeat("a", Most-1) + `…"`},
		{"no name", named("", nil, nil), `""`},
		{"no certificate", nil, `""`},
	} {
		assert.Equal(t, c.want, Certificate(c.cert), c.name)
	}
}

func TestURLShowsThoseOfRealCRLsWhole(t *testing.T) {
	const longest = "http://crl.managedpki.com/KPNBVPKIoverheidOrganisatieServerCAG3/LatestCRL.crl"
	assert.Equal(t, `"`+longest+`"`, URL(longest))
	assert.Equal(t, `"`+strings.Repeat("a", 128)+`…"`, URL(strings.Repeat("a", 129)))
}
