package pkioverheid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// The key of a request of ours stays as it is: making one takes a second.
var rsa3072 = func() crypto.Signer {
	return pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{}).PrivateKey.(crypto.Signer)
}()

func order() pkioverheid.Request {
	return pkioverheid.Request{
		Organization: "Gemeente Voorbeeld ’s-Gravenmoer", KVK: "99999991", OIN: "00000099999999910000",
		DNSNames: []string{"service.example", "www.service.example"}, Key: rsa3072,
	}
}

// As openssl sees it, it is what Logius' TRIAL tool makes and takes (facts.md §5).
func TestOpenSSLReadsAndVerifiesARequest(t *testing.T) {
	program(t, "openssl")
	dir := folder(t.TempDir())
	for _, c := range []struct {
		name      string
		hierarchy pkioverheid.Hierarchy
		dns       []string
		says      []string
		not       []string
	}{
		{"G4 G-TLS", "", []string{"service.example", "www.service.example"}, []string{
			"Signature Algorithm: rsassaPss", "Hash Algorithm: sha512", "Mask Algorithm: mgf1 with sha512", "Salt Length: 0x40",
			"Public-Key: (3072 bit)", "Public Key Algorithm: rsaEncryption",
			"DNS:service.example, DNS:www.service.example", "CN=service.example",
		}, []string{"IP Address"}},
		{"G4 G-Other", "", []string{}, []string{"Signature Algorithm: rsassaPss", "CN=Gemeente Voorbeeld"}, []string{"DNS:"}},
		{"Private G1", pkioverheid.PrivateG1, []string{"service.example"}, []string{"Signature Algorithm: sha256WithRSAEncryption"}, []string{"rsassaPss"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := order()
			r.Hierarchy, r.DNSNames = c.hierarchy, c.dns
			der, key, err := pkioverheid.NewRequest(r)
			require.NoError(t, err)
			assert.Equal(t, rsa3072, key)
			file := dir.put(t, "request.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
			text, ok := execute(t, "", "openssl", "req", "-in", file, "-verify", "-noout", "-text", "-nameopt", "sep_comma_plus,utf8,sname", "-utf8")
			require.True(t, ok, text)
			text = strings.NewReplacer(" = ", "=", "(default)", "").Replace(text)
			for _, words := range append(c.says, "verify OK", "C=NL", "O=Gemeente Voorbeeld ’s-Gravenmoer", "serialNumber=00000099999999910000", "organizationIdentifier=NTRNL-99999991") {
				assert.Contains(t, text, words)
			}
			for _, words := range c.not {
				assert.NotContains(t, text, words)
			}
		})
	}
}

// The rules that the TRIAL tool has for what it is given, as its profile states them.
func TestARequestKeepsToTheTRIALProfile(t *testing.T) {
	der, _, err := pkioverheid.NewRequest(order())
	require.NoError(t, err)
	request, err := x509.ParseCertificateRequest(der)
	require.NoError(t, err)
	require.NoError(t, request.CheckSignature())
	assert.GreaterOrEqual(t, request.PublicKey.(*rsa.PublicKey).N.BitLen(), 3072)
	assert.Equal(t, 65537, request.PublicKey.(*rsa.PublicKey).E)
	allowed := map[string]*regexp.Regexp{
		"2.5.4.6":  regexp.MustCompile(`^[A-Z][A-Z]$`),
		"2.5.4.3":  regexp.MustCompile(`^.{2,64}$`),
		"2.5.4.10": regexp.MustCompile(`^.{2,64}$`),
		"2.5.4.97": regexp.MustCompile(`^NTRNL-[0-9]{8}$`),
		"2.5.4.5":  regexp.MustCompile(`^[0-9]{20}$`),
	}
	require.Len(t, request.Subject.Names, len(allowed))
	for _, name := range request.Subject.Names {
		assert.Regexp(t, allowed[name.Type.String()], name.Value)
	}
	assert.NotEmpty(t, request.DNSNames)
	assert.Empty(t, request.IPAddresses)
	assert.Len(t, request.Extensions, 1, "the DNS names and nothing else")
}

func TestARequestFollowsAnExistingCertificate(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	old := g1.Issue(pkiotest.Leaf{Organization: "Stichting ICTU", OIN: "00000003271987420000", DNSNames: []string{"a.example", "b.example"}}).Leaf
	der, _, err := pkioverheid.NewRequest(pkioverheid.Request{From: old, Key: rsa3072})
	require.NoError(t, err)
	request, err := x509.ParseCertificateRequest(der)
	require.NoError(t, err)
	assert.Equal(t, old.DNSNames, request.DNSNames)
	assert.Equal(t, []string{"Stichting ICTU"}, request.Subject.Organization)
	assert.Equal(t, "00000003271987420000", request.Subject.SerialNumber)
	assert.Contains(t, fmt.Sprint(request.Subject.Names), "NTRNL-27198742", "the number in the OIN is that in the Handelsregister")

	_, _, err = pkioverheid.NewRequest(pkioverheid.Request{From: g1.Certificates()[2], Key: rsa3072})
	assert.ErrorContains(t, err, "From is a CA")
	tsps := g1.Issue(pkiotest.Leaf{OIN: "TSP-1234"}).Leaf // a number of the TSP's own is not an OIN
	der, _, err = pkioverheid.NewRequest(pkioverheid.Request{From: tsps, Organization: "Other", KVK: "12345678", DNSNames: []string{"c.example"}, Key: rsa3072})
	require.NoError(t, err)
	request, err = x509.ParseCertificateRequest(der)
	require.NoError(t, err)
	assert.Empty(t, request.Subject.SerialNumber)
	assert.Equal(t, []string{"Other"}, request.Subject.Organization)
	assert.Equal(t, []string{"c.example"}, request.DNSNames)
}

func TestARequestThatATSPWouldRefuseIsAnError(t *testing.T) {
	elliptic256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf("host%d.example", i)
	}
	for says, change := range map[string]func(*pkioverheid.Request){
		"Organization":              func(r *pkioverheid.Request) { r.Organization = "" },
		"Organization is \"a\\nb\"": func(r *pkioverheid.Request) { r.Organization = "a\nb" },
		"CommonName":                func(r *pkioverheid.Request) { r.CommonName = strings.Repeat("x", 65) },
		"KVK":                       func(r *pkioverheid.Request) { r.KVK = "1234567" },
		"OIN":                       func(r *pkioverheid.Request) { r.OIN = "123" },
		"\"*.example\"":             func(r *pkioverheid.Request) { r.DNSNames = []string{"*.example"} },
		"\"192.0.2.1\"":             func(r *pkioverheid.Request) { r.DNSNames = []string{"192.0.2.1"} },
		"\"localhost\"":             func(r *pkioverheid.Request) { r.DNSNames = []string{"localhost"} },
		"\"bücher.example\"":        func(r *pkioverheid.Request) { r.DNSNames = []string{"bücher.example"} },
		"\"a.onion\"":               func(r *pkioverheid.Request) { r.DNSNames = []string{"a.onion"} },
		"twice":                     func(r *pkioverheid.Request) { r.DNSNames = []string{"a.example", "A.example"} },
		"101 names":                 func(r *pkioverheid.Request) { r.DNSNames = many },
		"RSA only":                  func(r *pkioverheid.Request) { r.Key = elliptic256 },
		"2048 bits":                 func(r *pkioverheid.Request) { r.Key = nil; r.Bits = 2048 },
		"16384 bits":                func(r *pkioverheid.Request) { r.Key = nil; r.Bits = 16384 },
		"Hierarchy is EV":           func(r *pkioverheid.Request) { r.Hierarchy = pkioverheid.EV },
		"Hierarchy is G3":           func(r *pkioverheid.Request) { r.Hierarchy = pkioverheid.G3 },
	} {
		r := order()
		change(&r)
		_, _, err := pkioverheid.NewRequest(r)
		assert.ErrorContains(t, err, says)
		assert.ErrorContains(t, err, "pkioverheid: Request")
	}
}

func ExampleNewRequest() {
	request, key, err := pkioverheid.NewRequest(pkioverheid.Request{
		Organization: "Gemeente Voorbeeld", KVK: "12345678", OIN: "00000003123456780000",
		DNSNames: []string{"service.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "request")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	// The key stays here, and the request goes to the TSP.
	if err := os.WriteFile(dir+"/new.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		log.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(csr.SignatureAlgorithm, csr.Subject.SerialNumber, csr.DNSNames)
	// Output: SHA512-RSAPSS 00000003123456780000 [service.example]
}
