package safetext_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

func TestPrintable(t *testing.T) {
	assert.Equal(t, `a\xffb\x00�é…`, safetext.Printable("a\xffb\x00\ufffdéé", 9))
	assert.Equal(t, "a b--c", safetext.Printable("a b--c", 9))
	assert.Equal(t, "…", safetext.Printable("é", 1))
	assert.Equal(t, "C:\\new \"a\"", safetext.Printable("C:\\new \"a\"", 99))
	assert.Equal(t, "C:\\new\\n \"a\"", safetext.Printable("C:\\new\n \"a\"", 99))
	assert.Equal(t, `\x1b[2J`, safetext.Printable("\x1b[2J", 9))
}

func TestErrorsOfOthersAreShortened(t *testing.T) {
	assert.NoError(t, safetext.Error(nil))
	small := errors.New("a\nb")
	assert.ErrorIs(t, safetext.Error(small), small)
	assert.EqualError(t, safetext.Error(small), `a\nb`)
	assert.LessOrEqual(t, len(safetext.Error(errors.New(strings.Repeat("\n", 5000))).Error()), safetext.MostError)
}

func TestQuote(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", `""`},
		{"letters beyond ASCII stay", "Coöperatie", `"Coöperatie"`},
		{"quotation marks and backslashes get a backslash", `a"b\c`, `"a\"b\\c"`},
		{"control characters are escaped", "a\x1b[2J\r\nb\x00", `"a\x1b[2J\r\nb\x00"`},
		{"so is what turns the direction of writing", "a\u202eb", `"a\u202eb"`},
		{"so is what is not UTF-8", "a\xffb", `"a\xffb"`},
		{"as many bytes as are shown", strings.Repeat("a", safetext.Most), `"` + strings.Repeat("a", safetext.Most) + `"`},
		{"a byte more", strings.Repeat("a", safetext.Most+1), `"` + strings.Repeat("a", safetext.Most) + `…"`},
		{"a character that would be cut through is left out", strings.Repeat("a", safetext.Most-1) + "€b", `"` + strings.Repeat("a", safetext.Most-1) + `…"`},
		{"the limit is on what goes in", strings.Repeat("\x1b", safetext.Most+1), `"` + strings.Repeat(`\x1b`, safetext.Most) + `…"`},
	} {
		assert.Equal(t, c.want, safetext.Quote(c.text), c.name)
	}
}

func TestURLsOfRealCRLsAreShownWhole(t *testing.T) {
	const longest = "http://crl.managedpki.com/KPNBVPKIoverheidOrganisatieServerCAG3/LatestCRL.crl"
	assert.Equal(t, `"`+longest+`"`, safetext.Quote(longest))
	assert.Equal(t, `"http://`+strings.Repeat("a", 121)+`…"`, safetext.Quote("http://"+strings.Repeat("a", 122)))
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
		{"then all of the name", named("", nil, []string{"O"}), `"O=O"`},
		{"the name is quoted and shortened", named("\n"+strings.Repeat("a", safetext.Most), nil, nil), `"\n` + strings.Repeat("a", safetext.Most-1) + `…"`},
		{"no name", named("", nil, nil), "a certificate without a name"},
		{"no certificate", nil, "no certificate"},
	} {
		assert.Equal(t, c.want, safetext.Certificate(c.cert), c.name)
	}
}
