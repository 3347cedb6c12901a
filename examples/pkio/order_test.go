package main

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// pkioRun runs pkio here, and returns what it prints.
func pkioRun(t testing.TB, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	require.NoErrorf(t, root.Execute(), "%s", out.String())
	return out.String()
}

// The command for a request works as it is, or says what is to be filled in.
func TestTheCommandForARequestWorks(t *testing.T) {
	issuer := *pkioverheid.PrivateG1.Certificates()[2]
	issuer.PublicKey = nil // nobody here has its key
	issue := func(subject pkix.Name, names ...string) string {
		key := underG1Key(t)
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, DNSNames: names, NotBefore: day(2025, 1, 1), NotAfter: day(2028, 1, 1),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, Policies: []x509.OID{oid(t, "2.16.528.1.1003.1.2.8.6")}, ExtraExtensions: genuine}, &issuer, key.Public(), key)
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return pemOf(cert)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	whole := pkix.Name{CommonName: "a.example.org", Organization: []string{"Gemeente"}, SerialNumber: "00000003123456780000"}
	writeFiles(t, dir, map[string]string{
		"it's old.pem": issue(whole, "a.example.org"),
		"number.pem":   issue(pkix.Name{CommonName: "a.example.org", Organization: []string{"Gemeente"}}, "a.example.org"),
		"wildcard.pem": issue(whole, "*.example.org"),
		"two.pem":      issue(whole, "a.example.org") + issue(whole, "b.example.org"),
	})
	command := regexp.MustCompile(`(?m)^  pkio (request .*)\n((?:  [A-Z]+: .*\n)*)`)
	for file, want := range map[string][2]string{
		"it's old.pem": {`request --from 'it'\''s old.pem' --key-out new.key --out new.csr`, ""},
		"number.pem":   {"request --from number.pem --kvk NUMBER --key-out new.key --out new.csr", "  NUMBER: its number there, of eight digits\n"},
		"wildcard.pem": {"request --from wildcard.pem --dns HOST --key-out new.key --out new.csr", "  HOST: your DNS names, with commas and without wildcards\n"},
		"two.pem":      {"request --from CERT --key-out new.key --out new.csr", "  CERT: a file with only the certificate that the new one replaces\n"},
	} {
		found := command.FindStringSubmatch(pkioRun(t, "plan", "--order", file, "--at", "2026-11-23", "--lang", "en"))
		require.NotNil(t, found, file)
		assert.Equal(t, want[0], found[1])
		assert.Equal(t, want[1], found[2])
	}
	pkioRun(t, "request", "--from", "it's old.pem", "--key-out", "a.key", "--out", "a.csr")
	pkioRun(t, "request", "--from", "number.pem", "--kvk", "12345678", "--key", "a.key", "--out", "b.csr")
	pkioRun(t, "request", "--from", "wildcard.pem", "--dns", "a.example.org", "--key", "a.key", "--out", "c.csr")
	all := pkioRun(t, "plan", "--order", "--lang", "en")
	assert.True(t, strings.Contains(all, "  OIN: your OIN, for Digikoppeling; leave --oin out without one\n"), all)
}

func oid(t testing.TB, number string) x509.OID {
	t.Helper()
	o, err := x509.ParseOID(number)
	require.NoError(t, err)
	return o
}

// Two certificates of one name, as a CA has that was issued anew, get different names.
func TestNamesThatAreTheSameAreToldApart(t *testing.T) {
	certs := []*certificate{
		{Name: "a", SHA256: strings.Repeat("0", 63) + "1", NotBefore: day(2020, 1, 1)}, {Name: "b", NotBefore: day(2020, 1, 1)},
		{Name: "a", SHA256: strings.Repeat("0", 63) + "2", NotBefore: day(2021, 1, 1)}, {Name: "a", SHA256: strings.Repeat("0", 63) + "3", NotBefore: day(2021, 1, 1)},
	}
	assert.Equal(t, []string{"a (issued 2020-01-01)", "b", "a (issued 2021-01-01) (SHA-256 …00000002)", "a (issued 2021-01-01) (SHA-256 …00000003)"}, distinctNames(english, certs, 60))
	assert.Equal(t, "a (uitgegeven 01-01-2020)", distinctNames(dutch, certs, 60)[0])
	var act action
	for _, c := range pkioverheid.G3.Certificates() {
		act.Certificates = append(act.Certificates, &certificate{Name: c.Subject.CommonName, NotBefore: c.NotBefore, SHA256: strings.Repeat("0", 64)})
	}
	names := map[string]bool{}
	for _, name := range act.names(english) {
		names[name] = true
	}
	assert.Len(t, names, len(act.Certificates), "as many names as it says that there are")
}
