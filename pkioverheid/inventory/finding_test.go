package inventory_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/fips140"
	"crypto/tls"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
)

// summary is a line for each result: the common name, the use and the place.
func summary(results []inventory.Result) (lines []string) {
	for _, r := range results {
		name := r.Certificate.Subject.CommonName
		lines = append(lines, fmt.Sprintf("%s; %v; %s", name[:min(len(name), 22)], r.Use, r.Place))
	}
	return lines
}

// The files of testdata/cases were made with openssl and keytool; that of Windows by hand, from
// its description.
func TestFilesOfOthers(t *testing.T) {
	for name, want := range map[string][]string{
		"app.jar": {
			`lang.voorbeeldstad.nl; key entry; in "opt/tomcat/conf/keystore.jks", entry 1 "lang", chain position 1`,
			`QuoVadis PKIoverheid P; chain of a key entry; in "opt/tomcat/conf/keystore.jks", entry 1 "lang", chain position 2`,
			`Staat der Nederlanden ; chain of a key entry; in "opt/tomcat/conf/keystore.jks", entry 1 "lang", chain position 3`,
		},
		"jwks.json":                         {`zaken.voorbeeldstad.nl; JSON Web Key; line 7, x5c`},
		"wsse.xml":                          {`zaken.voorbeeldstad.nl; WS-Security token; Envelope/Header/Security/BinarySecurityToken`},
		"store.sst":                         {`zaken.voorbeeldstad.nl; ; certificate 1`, `g3.voorbeeldstad.nl; ; certificate 2`},
		"mismatched-key.pem":                {`localhost; beside the key of another certificate; line 1`},
		"rejected-trusted-certificate.pem":  {`Staat der Nederlanden ; restricted anchor; line 1 (rejected for serverAuth, clientAuth)`},
		"certificate-key-x942-dhparams.pem": {`localhost; key entry; line 1`},
		"cr-only.pem":                       {`localhost; ; line 1`},
		"tvs-metadata-2022.xml":             {`preprod-saml-tvs-rd.di; SAML signing; EntityDescriptor/IDPSSODescriptor/KeyDescriptor[signing]`},
		"html-page.cer":                     nil,
		"schema-with-dtd.xsd":               nil,
		"reader.php":                        nil,
		"request.csr.der":                   nil,
		"publickey.der":                     nil,
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata/cases", name))
			require.NoError(t, err)
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{name: {Data: data}}}, ".")
			assert.Empty(t, troubles)
			assert.Equal(t, want, summary(found))
		})
	}
}

func TestKeyStoresInSecretsOfKubernetes(t *testing.T) {
	found, troubles := scanAll(t, inventory.Config{Passwords: passwords("changeit")}, "testdata/cases/secret-p12-jks-der.yaml")
	if testcert.RefusedByFIPS(t, troubles["secret-p12-jks-der.yaml"]) {
		return
	}
	assert.Empty(t, troubles)
	formats, uses := map[truststore.Format]int{}, map[inventory.Use]int{}
	for _, r := range found {
		formats[r.Format]++
		uses[r.Use]++
	}
	assert.Equal(t, map[truststore.Format]int{truststore.PEM: 3, truststore.PKCS12: 3, truststore.JKS: 20, truststore.DER: 1}, formats)
	assert.Equal(t, map[inventory.Use]int{inventory.KeyEntry: 3, inventory.KeyChain: 4, inventory.TrustAnchor: 20}, uses)

	_, troubles = scanAll(t, inventory.Config{}, "testdata/cases/secret-p12-jks-der.yaml")
	assert.ErrorContains(t, troubles["secret-p12-jks-der.yaml"], "a key store whose password is not known")
}

// What only speaks of certificates, or leaves a place for them, holds none.
func TestTextsWithoutCertificatesArePassedOver(t *testing.T) {
	metadata := func(cert string) string {
		return strings.Replace(samlOf(pkioverheid.PrivateG1.Root()), inBase64(pkioverheid.PrivateG1.Root()), cert, 1)
	}
	enveloped, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,tag:0"`
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}, make([]byte, 500)})
	require.NoError(t, err)
	in64 := base64.StdEncoding.EncodeToString(enveloped)
	root := inBase64(pkioverheid.PrivateG1.Root())
	for name, data := range map[string]string{
		"a DTD":                         "<!ELEMENT X509Certificate (#PCDATA)>\n<!-- http://www.w3.org/2000/09/xmldsig# -->",
		"a schema with entities":        `<!DOCTYPE schema [ <!ENTITY dsig 'http://www.w3.org/2000/09/xmldsig#'> ]><schema><element name="X509Certificate"/></schema>`,
		"a template with a value":       metadata("{{ certificate }}"),
		"a template with points":        metadata("..."),
		"a template without anything":   metadata(""),
		"a template of ERB":             metadata("<%= cert %>"),
		"a template of PHP":             metadata("<?php echo $cert ?>"),
		"a template of Jinja":           strings.Replace(metadata("{{ cert }}"), "<md:IDPSSODescriptor>", "{% if x < 3 %}<md:IDPSSODescriptor>", 1),
		"a template that is not closed": metadata("{{ cert }}")[:400],
		"a program in PHP":              "<?php $x = '<ds:X509Certificate xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">' . $cert . '</ds:X509Certificate>';",
		"a program in Python":           "XML = '''<ds:X509Certificate xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">%s</ds:X509Certificate>'''\n",
		"documentation":                 "x5c: [\"" + root[:80] + "...\"]\n`" + root[:200] + "`\n",
		"PEM with points":               "-----BEGIN CERTIFICATE-----\n" + root[:64] + "\n...\n-----END CERTIFICATE-----\n",
		"PEM with a variable":           "-----BEGIN CERTIFICATE-----\n{{ certificate }}\n-----END CERTIFICATE-----\n",
		"PEM with what is left out":     "# an example\n-----BEGIN CERTIFICATE-----\n" + root[:64] + "\n<...>\n-----END CERTIFICATE-----\n",
		"PEM with nothing":              "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n",
		"an encrypted message":          string(enveloped),
		"an encrypted message in PEM":   "-----BEGIN PKCS7-----\n" + in64 + "\n-----END PKCS7-----\n",
		"an encrypted message of CMS":   "-----BEGIN CMS-----\n" + in64 + "\n-----END CMS-----\n",
		"an encrypted message in MIME":  "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\n" + in64 + "\n",
		"capitals":                      "const MIN = 1, MIMETYPE = 2, MIGHGHGHGHGHGHGHGHGHGHGHGHGHGH = 3, MIIIIIIIIIIIIIIIIIIIIIIIIIIIIIII = 4\n",
		"a JSON Web Token":              "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4NWMifQ.c2lnbmF0dXJl\n",
		"a source map":                  "//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJ4NWMiOltdfQ==\n",
	} {
		t.Run(name, func(t *testing.T) {
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(data)}}}, ".")
			assert.Empty(t, found)
			assert.Empty(t, troubles)
		})
	}
}

// A document that holds certificates and cannot be read whole is reported, with those that
// are found nevertheless.
func TestADocumentThatIsDamagedIsReported(t *testing.T) {
	g1, g4 := pkioverheid.PrivateG1.Root(), pkioverheid.PrivateG4TLS.Root()
	whole := samlOf(g1, g4)
	for name, c := range map[string]struct {
		data  string
		found int
	}{
		"cut off after a certificate":   {whole[:strings.LastIndex(whole, "</md:")], 2},
		"cut off in the first one":      {whole[:600], 0},
		"cut off in the second one":     {whole[:strings.LastIndex(whole, "MII")+300], 1},
		"damaged before the first one":  {strings.Replace(whole, "<md:IDP", "<md:x y<<md:IDP", 1), 2},
		"with a DTD":                    {"<!DOCTYPE x>" + strings.TrimPrefix(whole, `<?xml version="1.0"?>`), 2},
		"one of them is damaged":        {strings.Replace(whole, "MII", "MI!", 1), 1},
		"something else in one of them": {strings.Replace(whole, "MII", "MII<x/>", 1), 1},
	} {
		t.Run(name, func(t *testing.T) {
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(c.data)}}}, ".")
			assert.Len(t, found, c.found)
			assert.Error(t, troubles["a"])
		})
	}
}

func pkiPathOf(t *testing.T, ders ...[]byte) []byte {
	t.Helper()
	var path []asn1.RawValue
	for _, der := range ders {
		path = append(path, asn1.RawValue{FullBytes: der})
	}
	der, err := asn1.Marshal(path)
	require.NoError(t, err)
	return der
}

func TestCertificatesInValues(t *testing.T) {
	certs, withKey := planted(t)
	g1, g4 := pkioverheid.PrivateG1.Root(), pkioverheid.PrivateG4TLS.Root()
	leaf := withKey[1]
	in64 := func(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
	path := pkiPathOf(t, g1.Raw, g4.Raw)
	p7 := encode(t, certs[:2], truststore.PKCS7)
	jws, err := json.Marshal(map[string]any{"alg": "RS256", "x5c": []string{inBase64(g1), inBase64(g4)}})
	require.NoError(t, err)
	lines := strings.TrimSpace(strings.NewReplacer("-----BEGIN CERTIFICATE-----\n", "", "-----END CERTIFICATE-----\n", "").Replace(pemOf(g1)))
	token := func(kind, value string) string {
		return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><wsse:BinarySecurityToken ValueType="` + kind + `">` + value + `</wsse:BinarySecurityToken></s:Envelope>`
	}
	list := `<?xml version="1.0"?><TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"><ServiceDigitalIdentity><DigitalId><X509Certificate>` + inBase64(g1) + `</X509Certificate></DigitalId></ServiceDigitalIdentity></TrustServiceStatusList>`
	mail := "MIME-Version: 1.0\r\nContent-Type: Multipart/Related; type=\"text/xml\";\r\n boundary=\"=_x\"\r\n\r\n--=_x\r\nContent-Type: text/xml\r\n\r\n" + token("x", inBase64(g1)) +
		"\r\n--=_x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n" + string(g4.Raw) +
		"\r\n--=_x\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: base64\r\n\r\n" + in64([]byte(samlOf(leaf.Leaf))) + "\r\n--=_x--\r\n"
	const soap = "Envelope/BinarySecurityToken"
	a, b, c := "Staat der Nederlanden ", "Staat der Nederlanden ", "leaf.example"
	for name, v := range map[string]struct {
		data string
		want []string
	}{
		"DER in YAML":                      {"a: 1\nca: " + inBase64(g1) + "\n", []string{a + "; ; line 2 in base64"}},
		"DER in YAML, folded":              {"ca: >-\n  " + strings.ReplaceAll(lines, "\n", "\n  ") + "\nb: MIIx\n", []string{a + "; ; line 2 in base64"}},
		"two on a line of JSON":            {`{"a":"` + inBase64(g1) + `","b":"` + inBase64(g4) + `"}`, []string{a + "; ; line 1 in base64", b + "; ; line 1, value 2 in base64"}},
		"JSON with escapes":                {`{"a":"` + strings.ReplaceAll(strings.ReplaceAll(inBase64(g1), "/", `\/`), "+", `\u002b`) + `"}`, []string{a + "; ; line 1 in base64"}},
		"properties that go on":            {"ca=" + strings.ReplaceAll(lines, "\n", "\\\n   ") + "\n", []string{a + "; ; line 1 in base64"}},
		"an attribute of XML":              {`<x><y cert="` + inBase64(g1) + `"/></x>`, []string{a + "; ; line 1 in base64"}},
		"PKCS#7 in YAML":                   {"ca: " + in64(p7) + "\n", []string{certs[0].Subject.CommonName[:22] + "; ; line 1 in base64, certificate 1", certs[1].Subject.CommonName[:22] + "; ; line 1 in base64, certificate 2"}},
		"a certificate and its key in DER": {"crt: " + inBase64(leaf.Leaf) + "\nkey: " + in64(derOfKey(t, leaf)) + "\n", []string{c + "; key entry; line 1 in base64"}},
		"a certificate and another key":    {"crt: " + inBase64(leaf.Leaf) + "\nkey: " + in64(derOfKey(t, withKey[2])) + "\n", []string{c + "; beside the key of another certificate; line 1 in base64"}},
		"x5c of several":                   {`{"keys":[{"x5c":["` + inBase64(g1) + `", "` + inBase64(g4) + `"]},{"x5c":["` + inBase64(leaf.Leaf) + `"]}]}`, []string{a + "; JSON Web Key; line 1, x5c", b + "; JSON Web Key; line 1, value 2, x5c, certificate 2", c + "; JSON Web Key; line 1, value 3, x5c"}},
		"a JSON Web Signature":             {"token: " + base64.RawURLEncoding.EncodeToString(jws) + ".e30.c2ln\n", []string{a + "; JSON Web Signature; line 1 in a JSON Web Signature, x5c", b + "; JSON Web Signature; line 1 in a JSON Web Signature, x5c, certificate 2"}},
		"a header of nginx in a log":       {"10.0.0.1 - GET / " + strings.ReplaceAll(url.QueryEscape(pemOf(g1)), "+", "%20") + " 200\n", []string{a + "; client certificate from a proxy; line 1 in a URL, line 1"}},
		"a header with a plus for a space": {"cert=" + url.QueryEscape(pemOf(g1)) + "&x=1\n", []string{a + "; client certificate from a proxy; line 1 in a URL, line 1"}},
		"a token with a certificate":       {token("x", inBase64(g1)), []string{a + "; WS-Security token; " + soap}},
		"a token with a PKIPath":           {token("x", in64(path)), []string{a + "; WS-Security token; " + soap + ", certificate 1", b + "; WS-Security token; " + soap + ", certificate 2"}},
		"a token with PKCS#7":              {token("x", in64(p7)), []string{certs[0].Subject.CommonName[:22] + "; WS-Security token; " + soap + ", certificate 1", certs[1].Subject.CommonName[:22] + "; WS-Security token; " + soap + ", certificate 2"}},
		"a PKIPath":                        {string(path), []string{a + "; ; certificate 1", b + "; ; certificate 2"}},
		"a trusted list":                   {list, []string{a + "; service of a trusted list; TrustServiceStatusList/ServiceDigitalIdentity/DigitalId"}},
		"a message of ebMS":                {mail, []string{a + "; WS-Security token; part 1, " + soap, b + "; ; part 2, certificate 1", c + "; SAML signing; part 3, EntitiesDescriptor/EntityDescriptor/IDPSSODescriptor/KeyDescriptor[signing]"}},
		"a message without its head":       {mail[strings.Index(mail, "--=_x"):], []string{a + "; WS-Security token; part 1, " + soap, b + "; ; part 2, certificate 1", c + "; SAML signing; part 3, EntitiesDescriptor/EntityDescriptor/IDPSSODescriptor/KeyDescriptor[signing]"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, before := range []string{"", strings.Repeat("# nothing here\n", 20_000)} {
				if before != "" && (v.data[0] == '<' || v.data[0] < ' ' || v.data[0] == '0' || strings.Contains(name, "message") || strings.Contains(name, "PKIPath")) {
					continue
				}
				found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(before + v.data)}}}, ".")
				assert.Empty(t, troubles)
				got := summary(found)
				if before != "" {
					assert.Len(t, got, len(v.want))
					continue
				}
				assert.Equal(t, v.want, got)
			}
		})
	}
}

// A program or a manual has keys and certificates that have nothing to do with each other.
func TestAKeyElsewhereInATextIsOfNoCertificate(t *testing.T) {
	_, withKey := planted(t)
	for between, want := range map[string]inventory.Use{
		"\n":              inventory.KeyMismatch,
		"\nconst key = `": inventory.KeyMismatch,
		"\n" + strings.Repeat("Words between them.\n", 10): inventory.UnknownUse,
	} {
		text := "const certificate = `" + strings.TrimSpace(pemOf(withKey[1].Leaf)) + "`" + between + keyPEM(t, withKey[2])
		found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text)}}}, ".")
		assert.Empty(t, troubles)
		require.Len(t, found, 1)
		assert.Equal(t, want, found[0].Use, between)
	}
}

// An encrypted key is compared with the certificate beside it if its password is known, and
// else taken for the key of that.
func TestAnEncryptedKeyIsComparedIfItsPasswordIsKnown(t *testing.T) {
	if fips140.Enforced() {
		t.Skip("the salt of OpenSSL, of eight bytes, is not approved for FIPS 140-3")
	}
	_, withKey := planted(t)
	dir := t.TempDir()
	plain, encrypted := filepath.Join(dir, "plain.pem"), filepath.Join(dir, "encrypted.pem")
	require.NoError(t, os.WriteFile(plain, []byte(keyPEM(t, withKey[2])), 0o600))
	run(t, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-in", plain, "-passout", "pass:geheim-van-de-sleutel", "-out", encrypted)
	key, err := os.ReadFile(encrypted)
	require.NoError(t, err)
	require.Contains(t, string(key), "BEGIN ENCRYPTED PRIVATE KEY")
	own, another := pemOf(withKey[2].Leaf), pemOf(withKey[1].Leaf)
	for name, c := range map[string]struct {
		text      string
		passwords []string
		want      []inventory.Use
	}{
		"beside its certificate, known":                {own + string(key), []string{"wrong", "geheim-van-de-sleutel"}, []inventory.Use{inventory.KeyEntry}},
		"beside another certificate, known":            {another + string(key), []string{"wrong", "geheim-van-de-sleutel"}, []inventory.Use{inventory.KeyMismatch}},
		"before another certificate, known":            {string(key) + another, []string{"geheim-van-de-sleutel"}, []inventory.Use{inventory.KeyMismatch}},
		"beside both, known":                           {another + own + string(key), []string{"geheim-van-de-sleutel"}, []inventory.Use{inventory.UnknownUse, inventory.KeyEntry}},
		"beside its certificate, with wrong passwords": {own + string(key), []string{"wrong", ""}, []inventory.Use{inventory.KeyEntry}},
		"beside another certificate, with none":        {another + string(key), nil, []inventory.Use{inventory.KeyEntry}},
		"beside another certificate, in base64, known": {"key: " + base64.StdEncoding.EncodeToString([]byte(another+string(key))), []string{"geheim-van-de-sleutel"}, []inventory.Use{inventory.KeyMismatch}},
		"beside another certificate, in JSON, known":   {fmt.Sprintf("{\"cert\": %q, \"key\": %q}", another, key), []string{"geheim-van-de-sleutel"}, []inventory.Use{inventory.KeyMismatch}},
		"beside another certificate, in a tar, known":  {string(tarOf(t, "a.pem", another+string(key))), []string{"geheim-van-de-sleutel"}, []inventory.Use{inventory.KeyMismatch}},
	} {
		found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(c.text)}}, Passwords: passwords(c.passwords...)}, ".")
		assert.Empty(t, troubles, name)
		var uses []inventory.Use
		for _, r := range found {
			uses = append(uses, r.Use)
		}
		assert.Equal(t, c.want, uses, name)
	}
}

func derOfKey(t *testing.T, c tls.Certificate) []byte {
	t.Helper()
	block, _ := pem.Decode([]byte(keyPEM(t, c)))
	require.NotNil(t, block)
	return block.Bytes
}

// zipOf makes a zip of names and contents by turns.
func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		require.NoError(t, err)
		_, err = w.Write([]byte(files[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return out.Bytes()
}

func tarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o600, Typeflag: tar.TypeReg}))
		_, err := w.Write([]byte(files[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func gzipOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestArchives(t *testing.T) {
	g1, g4 := pemOf(pkioverheid.PrivateG1.Root()), pkioverheid.PrivateG4TLS.Root()
	a, b := "Staat der Nederlanden ; ; ", "Staat der Nederlanden ; ; "
	jar := string(zipOf(t, "x.class", "\xca\xfe\xba\xbe", "conf/g1.pem", g1, "g4.der", string(g4.Raw)))
	war := zipOf(t, "WEB-INF/lib/a.jar", jar, "WEB-INF/web.xml", "<web-app/>")
	for name, c := range map[string]struct {
		data []byte
		want []string
	}{
		"a jar":                     {[]byte(jar), []string{a + `in "conf/g1.pem", line 1`, b + `in "g4.der", certificate 1`}},
		"a war with a jar":          {war, []string{a + `in "WEB-INF/lib/a.jar", in "conf/g1.pem", line 1`, b + `in "WEB-INF/lib/a.jar", in "g4.der", certificate 1`}},
		"an ear with a war":         {zipOf(t, "b.war", string(war)), []string{a + `in "b.war", in "WEB-INF/lib/a.jar", in "conf/g1.pem", line 1`, b + `in "b.war", in "WEB-INF/lib/a.jar", in "g4.der", certificate 1`}},
		"a tar":                     {tarOf(t, "a/b", "nothing", "g1.pem", g1), []string{a + `in "g1.pem", line 1`}},
		"a compressed tar":          {gzipOf(t, tarOf(t, "g1.pem", g1, "a.war", string(war))), []string{a + `in "g1.pem", line 1`, a + `in "a.war", in "WEB-INF/lib/a.jar", in "conf/g1.pem", line 1`, b + `in "a.war", in "WEB-INF/lib/a.jar", in "g4.der", certificate 1`}},
		"a compressed file":         {gzipOf(t, []byte("# x\n"+g1)), []string{a + "line 2"}},
		"two compressed files":      {append(gzipOf(t, []byte("# x\n")), gzipOf(t, []byte(g1))...), []string{a + "line 2"}},
		"names that lead elsewhere": {zipOf(t, "../../../etc/passwd", g1, "/etc/shadow", g1), []string{a + `in "../../../etc/passwd", line 1`, a + `in "/etc/shadow", line 1`}},
		"a name that is not text":   {zipOf(t, "a\x1b[2J\n", g1), []string{a + `in "a\x1b[2J\n", line 1`}},
		"a zip after a program":     {append([]byte(nil), zipOf(t, "g1.pem", g1)...), []string{a + `in "g1.pem", line 1`}},
		"PEM in UTF-16 in a zip":    {zipOf(t, "a", string(utf16Of(g1))), []string{a + `in "a", line 1`}},
		"a zip without anything":    {zipOf(t), nil},
	} {
		t.Run(name, func(t *testing.T) {
			progress := new(inventory.Progress)
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: c.data}}, Progress: progress}, ".")
			assert.Empty(t, troubles)
			assert.Equal(t, c.want, summary(found))
			assert.EqualValues(t, len(c.want), progress.Certificates.Load())
			assert.Zero(t, progress.Unread.Load())

			dir := write(t, map[string][]byte{"a": c.data}) // which can be read anywhere
			found, troubles = scanAll(t, inventory.Config{}, filepath.Join(dir, "a"))
			assert.Equal(t, c.want, summary(found))
			assert.Equal(t, len(c.want) == 0, troubles["a"] != nil)

			var streamed []inventory.Result
			for r := range inventory.ScanReader(t.Context(), inventory.Config{}, "a", bytes.NewReader(c.data), -1) {
				require.NoError(t, r.Err)
				streamed = append(streamed, r)
			}
			assert.Equal(t, c.want, summary(streamed))
		})
	}
}

// What is not read is counted, and is a result that says so.
func TestWhatIsNotReadIsCounted(t *testing.T) {
	g1 := pemOf(pkioverheid.PrivateG1.Root())
	encrypted := zipOf(t, "a", g1)
	for at := range encrypted { // its flags, in both of its headers
		if bytes.HasPrefix(encrypted[at:], []byte("PK\x03\x04")) {
			encrypted[at+6] |= 1
		}
		if bytes.HasPrefix(encrypted[at:], []byte("PK\x01\x02")) {
			encrypted[at+8] |= 1
		}
	}
	tarred := tarOf(t, "a", g1, "b", strings.Repeat(g1, 100))
	tarred = tarred[:len(tarred)-1024-len(g1)] // what ends a tar, and a part of the last certificate
	var gzipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&gzipped, gzip.NoCompression) // releases of Go compress differently
	require.NoError(t, err)
	_, err = z.Write(tarred)
	require.NoError(t, err)
	require.NoError(t, z.Flush())
	for name, c := range map[string]struct {
		data  []byte
		want  string
		found int
	}{
		"7z":                       {[]byte("7z\xbc\xaf\x27\x1c\x00\x04"), "a 7z archive", 0},
		"rar":                      {[]byte("Rar!\x1a\x07\x01\x00"), "a rar archive", 0},
		"xz":                       {[]byte("\xfd7zXZ\x00\x00\x04"), "compressed with xz", 0},
		"an image of a disk":       {[]byte("QFI\xfb\x00\x00\x00\x03"), "an image of a disk", 0},
		"a database":               {[]byte("SQLite format 3\x00\x10\x00"), "an SQLite database", 0},
		"7z in a zip":              {zipOf(t, "a.7z", "7z\xbc\xaf\x27\x1c\x00\x04"), `in "a.7z", this is a 7z archive`, 0},
		"an encrypted zip":         {encrypted, "encrypted", 0},
		"a zip that is cut off":    {zipOf(t, "a", g1)[:300], "damaged", 0},
		"a tar that is cut off":    {tarred, "damaged", 100},
		"a tar.gz that is cut off": {gzipped.Bytes(), "damaged", 100},
		"a gzip that is damaged":   {[]byte("\x1f\x8b\x08\xff"), "damaged", 0},
	} {
		t.Run(name, func(t *testing.T) {
			progress := new(inventory.Progress)
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: c.data}}, Progress: progress}, ".")
			assert.Len(t, found, c.found)
			require.Error(t, troubles["a"])
			assert.ErrorContains(t, troubles["a"], c.want)
			assert.ErrorIs(t, troubles["a"], inventory.ErrSkipped)
			assert.EqualValues(t, 1, progress.Unread.Load())
		})
	}
	progress := new(inventory.Progress)
	_, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"x/.git/objects/aa/bb": {Data: []byte("x\x01")}, "x/a": {}}, Progress: progress}, ".")
	assert.ErrorIs(t, troubles["objects"], inventory.ErrSkipped)
	assert.EqualValues(t, 1, progress.Unread.Load())
}

func sstOf(elements ...[]byte) []byte {
	out := []byte("\x00\x00\x00\x00CERT")
	for _, e := range elements {
		id := uint32(32)
		if len(e) < 100 {
			id = 3 // a property
		}
		out = binary.LittleEndian.AppendUint32(out, id)
		out = binary.LittleEndian.AppendUint32(out, 1)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(e)))
		out = append(out, e...)
	}
	return append(out, make([]byte, 12)...)
}

func TestAStoreOfWindows(t *testing.T) {
	g1 := pkioverheid.PrivateG1.Root()
	data := sstOf([]byte("a thumbprint"), g1.Raw, []byte{}, pkioverheid.PrivateG4TLS.Root().Raw)
	found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: data}}}, ".")
	assert.Empty(t, troubles)
	assert.Len(t, found, 2)
	found, troubles = scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: data[:len(data)-100]}}}, ".")
	assert.ErrorContains(t, troubles["a"], "cut off")
	assert.Len(t, found, 1)
}
