package inventory_test

import (
	"bytes"
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

var hierarchies = []pkioverheid.Hierarchy{pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.G3}

// realCAs are the CA certificates that are embedded.
func realCAs() (certs []*x509.Certificate) {
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		certs = append(certs, h.Certificates()...)
	}
	return certs
}

// planted returns the real CA certificates, a leaf of each hierarchy, and a
// certificate of others, whose keys are known.
func planted(t testing.TB) (certs []*x509.Certificate, withKey []tls.Certificate) {
	t.Helper()
	for _, h := range hierarchies {
		certs = append(certs, h.Certificates()...)
		leaf := pkiotest.New(h).Issue(pkiotest.Leaf{DNSNames: []string{"leaf.example"}})
		certs = append(certs, leaf.Leaf)
		withKey = append(withKey, leaf)
	}
	foreign, err := tls.X509KeyPair([]byte(foreignCert), []byte(foreignKey))
	require.NoError(t, err)
	return append(certs, foreign.Leaf), append(withKey, foreign)
}

func pemOf(certs ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a strings.Builder takes all
	}
	return b.String()
}

func keyPEM(t testing.TB, c tls.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func inBase64(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }

func samlOf(certs ...*x509.Certificate) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`)
	for i, c := range certs {
		fmt.Fprintf(&b, `<md:EntityDescriptor entityID="urn:party:%d"><md:IDPSSODescriptor><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>`, i, inBase64(c))
	}
	return b.String() + `</md:EntitiesDescriptor>`
}

func cpaOf(certs ...*x509.Certificate) string {
	var b strings.Builder
	b.WriteString(`<tp:CollaborationProtocolAgreement xmlns:tp="http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><tp:PartyInfo tp:partyName="Logius"><tp:PartyId tp:type="urn:osb:oin"> 00000004003214345001 </tp:PartyId>`)
	for i, c := range certs {
		fmt.Fprintf(&b, `<tp:Certificate tp:certId="c%d"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></tp:Certificate>`, i, inBase64(c))
	}
	return b.String() + `<tp:SecurityDetails tp:securityId="s"><tp:TrustAnchors><tp:AnchorCertificateRef tp:certId="c1"/></tp:TrustAnchors></tp:SecurityDetails>` +
		`<tp:DocExchange><tp:SigningCertificateRef tp:certId="c0"/><tp:ClientCertificateRef tp:certId="c0"/></tp:DocExchange></tp:PartyInfo></tp:CollaborationProtocolAgreement>`
}

func utf16Of(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func encode(t testing.TB, certs []*x509.Certificate, f truststore.Format) []byte {
	t.Helper()
	var opts []truststore.Option
	if f == truststore.PKCS12 || f == truststore.JKS {
		opts = append(opts, truststore.WithPassword("geheim"))
	}
	var data []byte
	fips140.WithoutEnforcement(func() { // which has no JKS
		var err error
		data, err = truststore.New(certs...).Encode(f, opts...)
		require.NoError(t, err)
	})
	return data
}

// handmade returns files that hold certs, all of them or, where the form takes one,
// one in each.
func handmade(t testing.TB, certs []*x509.Certificate) map[string][]byte {
	t.Helper()
	quoted, err := json.MarshalIndent(map[string]string{"ca": pemOf(certs...)}, "", " ")
	require.NoError(t, err)
	ders := make([][]byte, len(certs))
	for i, c := range certs {
		ders[i] = c.Raw
	}
	files := map[string][]byte{
		"all.pem":          []byte(pemOf(certs...)),
		"crlf.crt":         []byte(strings.ReplaceAll(pemOf(certs...), "\n", "\r\n")),
		"comments.txt":     []byte("# our certificates\n\nSubject: x\n" + strings.ReplaceAll(pemOf(certs...), "-----BEGIN", "\ncomment -----\n-----BEGIN")),
		"secret.yaml":      []byte("data:\n  ca.crt: |\n    " + strings.ReplaceAll(pemOf(certs...), "\n", "\n    ")),
		"config.json":      quoted,
		"program.go":       []byte("package x\n\nconst ca = `" + pemOf(certs...) + "`\n"),
		"page.html":        []byte("<!DOCTYPE html><html><pre>\n" + pemOf(certs...) + "</pre></html>"),
		"windows.cer":      utf16Of(pemOf(certs...)),
		"no bom.cer":       utf16Of(pemOf(certs...))[2:],
		"bom.pem":          []byte("\ufeff" + pemOf(certs...)),
		"all.der":          bytes.Join(ders, nil),
		"all.p7b":          encode(t, certs, truststore.PKCS7),
		"pkcs7.pem":        pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: encode(t, certs, truststore.PKCS7)}),
		"trust.p12":        encode(t, certs, truststore.PKCS12),
		"trust.jks":        encode(t, certs, truststore.JKS),
		"metadata.xml":     []byte(samlOf(certs...)),
		"cpa.xml":          []byte(cpaOf(certs...)),
		"long/.hidden/..x": []byte(strings.Repeat("# no certificate here\n", 40000) + pemOf(certs...)),
	}
	for i, c := range certs {
		files[fmt.Sprintf("der/%d.cer", i)] = c.Raw
		files[fmt.Sprintf("base64/%d.cer", i)] = []byte(inBase64(c))
		files[fmt.Sprintf("no extension/%d", i)] = []byte(pemOf(c))
	}
	return files
}

// write puts files into a folder.
func write(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	return dir
}

// passwords is a Config.Passwords.
func passwords(known ...string) func(string) iter.Seq[string] {
	return func(string) iter.Seq[string] { return slices.Values(known) }
}

// scan returns what was found, by path below dir, and fails on any trouble.
func scan(t testing.TB, cfg inventory.Config, dir string) map[string][]inventory.Result {
	t.Helper()
	found := map[string][]inventory.Result{}
	for r := range inventory.Scan(t.Context(), cfg, dir) {
		if testcert.RefusedByFIPS(t, r.Err) {
			continue
		}
		require.NoError(t, r.Err)
		require.NotNil(t, r.Certificate)
		assert.NotEmpty(t, r.Place)
		name, err := filepath.Rel(dir, r.Path)
		require.NoError(t, err)
		found[name] = append(found[name], r)
	}
	return found
}

func fingerprints(results []inventory.Result) (all []string) {
	for _, r := range results {
		all = append(all, truststore.FingerprintOf(r.Certificate).String())
	}
	return all
}

func fingerprintsOf(certs ...*x509.Certificate) (all []string) {
	for _, c := range certs {
		all = append(all, truststore.FingerprintOf(c).String())
	}
	return all
}

// Every certificate is found in every form, once, and nothing besides.
func TestScanFindsWhatIsPlanted(t *testing.T) {
	certs, _ := planted(t)
	files := handmade(t, certs)
	want := map[string][]string{}
	for name := range files {
		want[name] = fingerprintsOf(certs...)
	}
	for i, c := range certs {
		for _, form := range []string{"der/%d.cer", "base64/%d.cer", "no extension/%d"} {
			want[fmt.Sprintf(form, i)] = fingerprintsOf(c)
		}
	}
	for name, data := range map[string][]byte{
		"README.md":    []byte("To make a certificate:\n-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"),
		"key.pem":      []byte(foreignKey),
		"program":      append([]byte("\x7fELF\x02\x01\x01\x00\x00"), pemOf(certs...)...),
		"feed.xml":     []byte("<feed/>"),
		"empty":        nil,
		"spaces":       []byte("  \n"),
		"request.pem":  []byte("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"),
		"license":      []byte("MIT License\n\nCopyright"),
		"number":       []byte("0.1.2\n"),
		"schema.xml":   []byte(`<a xmlns:ds="http://www.w3.org/2000/09/xmldsig#">X509Certificate</a>`),
		"page of html": []byte("<html>X509Certificate</html>"),
		"list.crl":     {0x30, 0x82, 0, 5, 0x30, 0x03, 2, 1, 1},
	} {
		files["none/"+name] = data
	}
	found := scan(t, inventory.Config{Passwords: passwords("wrong", "geheim")}, write(t, files))
	for name, want := range want {
		assert.ElementsMatch(t, want, fingerprints(found[name]), name)
		delete(found, name)
	}
	assert.Empty(t, found)
}

// program returns the path of a program that a test runs. CI has all of them.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed: CI installs it", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(program(t, name), args...).CombinedOutput()
	require.NoErrorf(t, err, "%s %v: %s", name, args, out)
}

// The same in files that other programs write, with and without keys.
func TestScanFindsWhatOtherProgramsWrite(t *testing.T) {
	certs, withKey := planted(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	work := t.TempDir()
	all := filepath.Join(work, "all.pem")
	require.NoError(t, os.WriteFile(all, []byte(pemOf(certs...)), 0o600))
	want := map[string][]string{}

	run(t, "openssl", "crl2pkcs7", "-nocrl", "-certfile", all, "-outform", "DER", "-out", at("openssl.p7b"))
	run(t, "openssl", "crl2pkcs7", "-nocrl", "-certfile", all, "-out", at("openssl.p7.pem"))
	run(t, "openssl", "pkcs12", "-export", "-nokeys", "-in", all, "-out", at("openssl.p12"), "-passout", "pass:geheim")
	run(t, "openssl", "pkcs12", "-in", at("openssl.p12"), "-out", at("bags.txt"), "-passin", "pass:geheim", "-nokeys")
	ours := filepath.Join(work, "ours.p12")
	require.NoError(t, os.WriteFile(ours, encode(t, certs, truststore.PKCS12), 0o600))
	for name, kind := range map[string]string{"trust.jks": "JKS", "trust.p12": "PKCS12"} {
		run(t, "keytool", "-importkeystore", "-noprompt", "-srckeystore", ours, "-srcstorepass", "geheim",
			"-destkeystore", at(name), "-deststoretype", kind, "-deststorepass", "geheim1")
	}
	for _, name := range []string{"openssl.p7b", "openssl.p7.pem", "openssl.p12", "bags.txt", "trust.jks", "trust.p12"} {
		want[name] = fingerprintsOf(certs...)
	}
	for i, c := range withKey {
		name := func(form string) string { return fmt.Sprintf(form, i) }
		single := filepath.Join(work, name("%d.pem"))
		require.NoError(t, os.WriteFile(single, []byte(pemOf(c.Leaf)+keyPEM(t, c)), 0o600))
		run(t, "openssl", "x509", "-in", single, "-outform", "DER", "-out", at(name("%d.der")))
		run(t, "openssl", "x509", "-in", single, "-text", "-out", at(name("text%d.txt")))
		run(t, "openssl", "x509", "-in", single, "-trustout", "-addtrust", "serverAuth", "-out", at(name("trusted%d.pem")))
		run(t, "openssl", "pkcs12", "-export", "-in", single, "-name", "alias", "-out", at(name("key%d.p12")), "-passout", "pass:geheim")
		run(t, "openssl", "pkcs12", "-in", at(name("key%d.p12")), "-passin", "pass:geheim", "-nodes", "-out", at(name("both%d.pem")))
		run(t, "keytool", "-importkeystore", "-srckeystore", at(name("key%d.p12")), "-srcstorepass", "geheim", "-srcalias", "alias", "-destalias", name("alias%d"),
			"-destkeystore", at("keys.jks"), "-deststoretype", "JKS", "-deststorepass", "geheim1", "-destkeypass", "geheim1")
		want["keys.jks"] = append(want["keys.jks"], fingerprintsOf(c.Leaf)...)
		for _, form := range []string{"%d.der", "text%d.txt", "trusted%d.pem", "key%d.p12", "both%d.pem"} {
			want[name(form)] = fingerprintsOf(c.Leaf)
		}
	}
	found := scan(t, inventory.Config{Passwords: passwords("geheim", "geheim1")}, dir)
	if fips140.Enforced() { // openssl derives keys with a salt of 8 bytes
		for name := range want {
			if strings.HasSuffix(name, ".p12") && name != "trust.p12" {
				assert.NotContains(t, found, name)
				delete(want, name)
			}
		}
	}
	for name, want := range want {
		assert.ElementsMatch(t, want, fingerprints(found[name]), name)
	}
	assert.Len(t, found, len(want))

	for name, want := range map[string]struct {
		use   inventory.Use
		place string
	}{
		"0.der":        {inventory.UnknownUse, "certificate 1"},
		"trusted0.pem": {inventory.TrustAnchor, "line 1"},
		"key0.p12":     {inventory.KeyEntry, `entry 1 "alias"`},
		"both0.pem":    {inventory.KeyEntry, "line "},
		"keys.jks":     {inventory.KeyEntry, "entry 1 "},
		"trust.jks":    {inventory.TrustAnchor, "entry 1 "},
		"trust.p12":    {inventory.TrustAnchor, "entry 1 "},
	} {
		if fips140.Enforced() && name == "key0.p12" {
			continue // see above
		}
		if assert.NotEmpty(t, found[name], name) {
			assert.Equal(t, want.use, found[name][0].Use, name)
			assert.True(t, strings.HasPrefix(found[name][0].Place, want.place), found[name][0].Place)
		}
	}
}

func TestScanTellsWhatCertificatesAreFor(t *testing.T) {
	certs, withKey := planted(t)
	leaf, ca := withKey[1], pkioverheid.PrivateG1.Certificates()[2]
	issuer, err := x509.ParseCertificate(leaf.Certificate[1])
	require.NoError(t, err)
	fp := func(c *x509.Certificate) string { return truststore.FingerprintOf(c).String()[:8] }
	signed := strings.Replace(samlOf(certs[0]), "<md:EntityDescriptor", `<ds:Signature><ds:KeyInfo><ds:X509Data><ds:X509Certificate>`+inBase64(ca)+`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature><md:EntityDescriptor`, 1)
	rejects, err := hex.DecodeString("300ca00a06082b06010505070301") // openssl x509 -addreject serverAuth
	require.NoError(t, err)
	rejected := string(pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: append(slices.Clip(ca.Raw), rejects...)}))
	for name, c := range map[string]struct {
		data string
		want []string
	}{
		"a bundle":                       {pemOf(leaf.Leaf, ca), []string{fp(leaf.Leaf) + " : line 1", fp(ca) + " : line"}},
		"a bundle with its key":          {pemOf(leaf.Leaf, issuer) + keyPEM(t, leaf), []string{fp(leaf.Leaf) + " key entry: line 1", fp(issuer) + " chain of a key entry: line"}},
		"a key and a CA of others":       {pemOf(leaf.Leaf, ca) + keyPEM(t, leaf), []string{fp(leaf.Leaf) + " key entry: line 1", fp(ca) + " : line"}},
		"the key of another":             {pemOf(leaf.Leaf, issuer) + keyPEM(t, withKey[2]), []string{fp(leaf.Leaf) + " beside the key of another certificate: line 1", fp(issuer) + " : line"}},
		"two with their keys":            {keyPEM(t, leaf) + pemOf(leaf.Leaf, withKey[2].Leaf) + keyPEM(t, withKey[2]), []string{fp(leaf.Leaf) + " key entry: line", fp(withKey[2].Leaf) + " key entry: line"}},
		"two of which one has its key":   {pemOf(leaf.Leaf, withKey[2].Leaf) + keyPEM(t, withKey[2]), []string{fp(leaf.Leaf) + " : line", fp(withKey[2].Leaf) + " key entry: line"}},
		"a key that cannot be read":      {pemOf(leaf.Leaf, ca) + keyPEMOfNobody, []string{fp(leaf.Leaf) + " key entry: line 1", fp(ca) + " chain of a key entry: line"}},
		"a CA before a leaf and its key": {pemOf(issuer, leaf.Leaf) + keyPEM(t, leaf), []string{fp(issuer) + " chain of a key entry: line 1", fp(leaf.Leaf) + " key entry: line"}},
		"a CA with the key of another":   {keyPEM(t, leaf) + pemOf(ca), []string{fp(ca) + " beside the key of another certificate: line"}},
		"SAML signing":                   {samlOf(ca), []string{fp(ca) + " SAML signing: EntitiesDescriptor/EntityDescriptor/IDPSSODescriptor/KeyDescriptor[signing] of urn:party:0"}},
		"SAML encryption":                {strings.ReplaceAll(samlOf(ca), `"signing"`, `"encryption"`), []string{fp(ca) + " SAML encryption: EntitiesDescriptor/EntityDescriptor/IDPSSODescriptor/KeyDescriptor[encryption] of urn:party:0"}},
		"SAML without a use":             {strings.ReplaceAll(samlOf(ca), ` use="signing"`, ""), []string{fp(ca) + " SAML signing and encryption: EntitiesDescriptor/EntityDescriptor/IDPSSODescriptor/KeyDescriptor of urn:party:0"}},
		"signed metadata":                {signed, []string{fp(ca) + " document signature: EntitiesDescriptor/Signature", fp(certs[0]) + " SAML signing: "}},
		"a CPA":                          {cpaOf(leaf.Leaf, ca), []string{fp(leaf.Leaf) + " CPA party: CollaborationProtocolAgreement/PartyInfo/Certificate[c0] (Signing, Client) of 00000004003214345001", fp(ca) + " trust anchor: CollaborationProtocolAgreement/PartyInfo/Certificate[c1] (Anchor) of 00000004003214345001"}},
		"a CPA without PartyId":          {strings.Replace(cpaOf(leaf.Leaf), "00000004003214345001", "", 1), []string{fp(leaf.Leaf) + " CPA party: CollaborationProtocolAgreement/PartyInfo/Certificate[c0] (Signing, Client) of Logius"}},
		"a document of others":           {`<a use="signing" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Certificate>` + inBase64(ca) + `</ds:X509Certificate></a>`, []string{fp(ca) + " : a[signing]"}},
		"a CA that openssl rejects":      {rejected, []string{fp(ca) + " restricted anchor: line 1 (rejected for serverAuth)"}},
		"PEM in a page":                  {"<html>\n<p>\n" + pemOf(ca), []string{fp(ca) + " : line 3"}},
		"PEM in a string of JSON":        {`{"a": "` + strings.ReplaceAll(pemOf(ca, leaf.Leaf), "\n", `\n`) + `"}`, []string{fp(ca) + " : line 1", fp(leaf.Leaf) + " : line 1, block 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, map[string][]byte{"file": []byte(c.data)})
			var got []string
			for _, r := range scan(t, inventory.Config{}, dir)["file"] {
				text := fmt.Sprintf("%s %v: %s", truststore.FingerprintOf(r.Certificate).String()[:8], r.Use, r.Place)
				if r.Party != "" {
					text += " of " + r.Party
				}
				got = append(got, text)
			}
			require.Len(t, got, len(c.want), "%v", got)
			for i := range got {
				assert.Truef(t, strings.HasPrefix(got[i], c.want[i]), "got  %s\nwant %s", got[i], c.want[i])
			}
		})
	}
}

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A certificate of nobody, and its key.
const foreignCert = `-----BEGIN CERTIFICATE-----
MIIByzCCAXKgAwIBAgIUWKERo4DqxXyXYZOVmFGwokOQal0wCgYIKoZIzj0EAwIw
LjEYMBYGA1UEAwwPZm9yZWlnbi5leGFtcGxlMRIwEAYDVQQKDAlFbHNld2hlcmUw
IBcNMjYxMTIzMTYzMzQyWhgPMjEyNjEwMzAxNjMzNDJaMC4xGDAWBgNVBAMMD2Zv
cmVpZ24uZXhhbXBsZTESMBAGA1UECgwJRWxzZXdoZXJlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE7dPm71CQe882zefl5rOm8siWb72MiuKMA7oHa2tWQCttlsxm
7xzy/8w0M+XZNYrYv9TrJ2W1wWMFqg0d79+CUaNsMGowHQYDVR0OBBYEFGaTyi7g
7x2F2A767rsKYtaB/K/dMB8GA1UdIwQYMBaAFGaTyi7g7x2F2A767rsKYtaB/K/d
MBoGA1UdEQQTMBGCD2ZvcmVpZ24uZXhhbXBsZTAMBgNVHRMBAf8EAjAAMAoGCCqG
SM49BAMCA0cAMEQCIEAvvEZr/Yz83YoBger46tLI5G81JVCRu2jOVM+sRnXWAiAe
9/WkIv3SShX6jQsdcd8v8pI1TnHu5/DEvhbBPbV+TA==
-----END CERTIFICATE-----
`
const foreignKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBXSNdBasFSh9pdi0
FtiXX9xTS8FSKyeZ2+ttrRaP12WhRANCAATt0+bvUJB7zzbN5+Xms6byyJZvvYyK
4owDugdra1ZAK22WzGbvHPL/zDQz5dk1iti/1OsnZbXBYwWqDR3v34JR
-----END PRIVATE KEY-----
`
