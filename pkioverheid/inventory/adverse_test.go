package inventory_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// replaced is a file that is another one each time that it is opened.
type replaced struct {
	contents [][]byte
	opened   *atomic.Int64
}

func (r replaced) Open(name string) (fs.File, error) {
	if name == "." {
		return nil, fs.ErrInvalid
	}
	i := min(int(r.opened.Add(1))-1, len(r.contents)-1)
	return fstest.MapFS{name: {Data: r.contents[i]}}.Open(name)
}

// A large file is opened twice, one in UTF-16 three times. In between it can be emptied,
// or be replaced.
func TestAFileThatChangesWhileItIsRead(t *testing.T) {
	cert := string(root(pkioverheid.PrivateG1))
	long := []byte(cert + strings.Repeat("# and nothing more\n", 20000))
	utf16 := utf16Of(string(long))
	for name, c := range map[string]struct {
		first, second []byte
		found         int
	}{
		"emptied":                 {long, nil, 0},
		"only spaces are left":    {long, []byte(" \n"), 0},
		"UTF-16 that is emptied":  {utf16, nil, 0},
		"UTF-16 cut to a byte":    {utf16, []byte("\xff"), 0},
		"another text":            {long, []byte("nothing"), 0},
		"DER in place of text":    {long, pkioverheid.PrivateG1.Root().Raw, 1},
		"text in place of UTF-16": {utf16, []byte(cert), 1},
	} {
		t.Run(name, func(t *testing.T) {
			opens := 4 // fs.Stat opens it too
			if bytes.Equal(c.first, utf16) {
				opens = 5
			}
			for kept := 3; kept < opens; kept++ {
				contents := append(slices.Repeat([][]byte{c.first}, kept), c.second)
				fsys := replaced{contents, new(atomic.Int64)}
				found, troubles := scanAll(t, inventory.Config{FS: fsys}, "a")
				assert.Len(t, found, c.found)
				assert.Equal(t, c.found == 0, troubles["a"] != nil, "it was named itself")
				assert.EqualValues(t, opens, fsys.opened.Load(), "how often it is opened: adapt the test")
			}
		})
	}
}

// What a CPA says elsewhere than around a certificate is read within limits,
// too: of the attributes of a tag, encoding/xml makes many times their size.
func TestACPAWithATagOfManyMegabytes(t *testing.T) {
	cpa := cpaOf(pkioverheid.PrivateG1.Root())
	cpa = strings.Replace(cpa, "</tp:PartyInfo>", "<tp:x "+strings.Repeat(`a="" `, 4<<20)+"/></tp:PartyInfo>", 1)
	fsys := fstest.MapFS{"a": {Data: []byte(cpa)}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found, troubles := scanAll(t, inventory.Config{FS: fsys}, "a")
	runtime.ReadMemStats(&after)
	require.Len(t, found, 1)
	assert.Equal(t, inventory.CPAParty, found[0].Use)
	assert.ErrorContains(t, troubles["a"], "a tag of more than")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20))
}

func TestCertificatesThatAreCutOffAreTold(t *testing.T) {
	text := []byte(base64.StdEncoding.EncodeToString(pkioverheid.PrivateG1.Root().Raw))
	for name, data := range map[string][]byte{
		"base64":                             text[:400],
		"base64 in lines":                    bytes.ReplaceAll(text[:400], []byte("A"), []byte("A\r\n")),
		"base64 of which half a group":       text[:401],
		"base64 after a byte order mark":     append([]byte("\ufeff"), text[:400]...),
		"base64 with something else between": append(append(bytes.Clone(text), strings.Repeat(" ", 4096)...), "\x01"...),
	} {
		t.Run(name, func(t *testing.T) {
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: data}}}, "a")
			assert.Empty(t, found)
			assert.Error(t, troubles["a"])
		})
	}
	_, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte("MICE are not certificates")}, "b": {Data: []byte("MIIB")}}}, ".")
	assert.Empty(t, troubles)
}

// PEM as it is in programs, settings and messages.
func TestPEMInOtherText(t *testing.T) {
	g1, g4 := pkioverheid.PrivateG1.Root(), pkioverheid.PrivateG4TLS.Root()
	pem := pemOf(g1, g4)
	lines := strings.Split(strings.TrimSpace(pem), "\n")
	around := func(before, after string) string {
		return before + strings.Join(lines, after+"\n"+before) + after + "\n"
	}
	oneLine := strings.TrimSpace(strings.ReplaceAll(pem, "\n", " "))
	in64 := base64.StdEncoding.EncodeToString([]byte(pem))
	var wrapped strings.Builder
	for i := 0; i < len(in64); i += 76 {
		wrapped.WriteString("    " + in64[i:min(i+76, len(in64))] + "\n")
	}
	for name, text := range map[string]string{
		"a string of C":                                    "const char ca[] =\n" + around(`  "`, `\n"`) + ";\n",
		"a string of C on the first line":                  `const char ca[] = ` + around(`"`, `\r\n" \`) + ";\n",
		"strings of Java":                                  "String ca =\n" + around(`    "`, `\n" +`) + `"";`,
		"a list of strings":                                "[\n" + around(`'`, `',`) + "]",
		"a comment":                                        "x=1\n" + around("# ", ""),
		"a comment of C":                                   around("// ", ""),
		"a block comment":                                  "/*\n" + around(" * ", "") + " */",
		"a patch":                                          "+++ b/ca.pem\n@@ -0,0 +1,40 @@\n" + around("+", ""),
		"a comment of JavaScript":                          "/**\n * @example\n * const ca = `" + strings.ReplaceAll(strings.TrimSpace(pem), "\n", "\n * ") + "`\n */",
		"a message that is quoted":                         around("> ", ""),
		"one line with spaces":                             oneLine,
		"a setting on one line":                            `CA="` + oneLine + `" # ours`,
		"one line without spaces":                          strings.ReplaceAll(pem, "\n", ""),
		"JSON in JSON":                                     `{"a": "{\"ca\": \"` + strings.ReplaceAll(pem, "\n", `\\n`) + `\"}"}`,
		"JSON of PHP":                                      `{"ca":"` + strings.ReplaceAll(strings.ReplaceAll(pem, "/", `\/`), "\n", `\n`) + `"}`,
		"JSON of Gson":                                     `{"ca":"` + strings.ReplaceAll(strings.ReplaceAll(pem, "=", `\u003d`), "\n", `\n`) + `"}`,
		"no line break before END":                         strings.ReplaceAll(pem, "\n-----END", "-----END"),
		"no line break between two":                        strings.ReplaceAll(pem, "-----\n-----", "----------"),
		"line breaks of old":                               strings.ReplaceAll(pem, "\n", "\r"),
		"a Secret of Kubernetes":                           "kind: Secret\ndata:\n  ca.crt: " + in64 + "\n  x: eA==\n",
		"a Secret of Kubernetes in JSON":                   `{"kind": "Secret", "data": {"ca.crt": "` + in64 + `"}}`,
		"a Secret, folded":                                 "data:\n  ca.crt: >\n" + wrapped.String() + "  x: eA==\n",
		"a property list":                                  "<?xml version=\"1.0\"?><plist><data>\n" + wrapped.String() + "</data></plist>",
		"PEM in a document that is signed":                 strings.Replace(samlOf(g1), "</md:EntitiesDescriptor>", "<x>\n"+pemOf(g4)+"</x></md:EntitiesDescriptor>", 1),
		"elements of a default name space":                 strings.ReplaceAll(strings.ReplaceAll(samlOf(g1, g4), "<ds:X509Certificate", `<X509Certificate xmlns="http://www.w3.org/2000/09/xmldsig#"`), "</ds:X509Certificate", "</X509Certificate"),
		"elements with CDATA":                              strings.NewReplacer("<ds:X509Certificate>", "<ds:X509Certificate><![CDATA[", "</ds:X509Certificate>", "]]></ds:X509Certificate>").Replace(samlOf(g1, g4)),
		"elements with a comment":                          strings.ReplaceAll(samlOf(g1, g4), "<ds:X509Certificate>", "<ds:X509Certificate><!-- ours -->\n"),
		"elements with a reference":                        strings.ReplaceAll(samlOf(g1, g4), "</ds:X509Certificate>", "&#13;\n</ds:X509Certificate>"),
		"a document after a byte order mark and a comment": "\ufeff" + strings.Replace(samlOf(g1, g4), "?>", "?><!-- x -->", 1),
		"base64 of PEM and nothing more":                   wrapped.String(),
		"JSON with line breaks by number":                  `{"ca":"` + strings.ReplaceAll(pem, "\n", `\u000a`) + `"}`,
		"properties of Java":                               "ca=" + strings.NewReplacer("\n", `\n`, "=", `\=`).Replace(pem) + "\n",
		"an attribute of XML":                              `<x ca="` + strings.ReplaceAll(pem, "\n", "&#10;") + `"/>`,
		"an element of XML from Windows":                   "<x>\n" + strings.ReplaceAll(pem, "\n", "&#13;\n") + "</x>",
		"UTF-16 that XML speaks of":                        string(utf16Of(strings.Replace(samlOf(g1, g4), "?>", ` encoding="UTF-16"?>`, 1))),
		"a Secret with a comment of two bytes before":      "ca: " + base64.StdEncoding.EncodeToString([]byte("#\n"+pem)) + "\n",
		"a Secret with a line of ten bytes before":         "ca: " + base64.StdEncoding.EncodeToString([]byte("# G3 root\n"+pem)) + "\n",
		"a Secret with an empty line before":               "ca: " + base64.StdEncoding.EncodeToString([]byte("\n"+pem)) + "\n",
		"PEM, and one of them in base64":                   pemOf(g1) + "x: " + base64.StdEncoding.EncodeToString([]byte(pemOf(g4))) + "\n",
		"a mention before, and an example":                 "look for \"-----BEGIN CERTIFICATE-----\", or\n\"-----BEGIN CERTIFICATE-----\\n\"\n" + pem,
	} {
		t.Run(name, func(t *testing.T) {
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text)}}}, "a")
			assert.Equal(t, fingerprintsOf(g1, g4), fingerprints(found))
			assert.Empty(t, troubles)
		})
	}
}

// A Secret of Kubernetes has the key beside the certificate.
func TestSecretsOfKubernetes(t *testing.T) {
	_, withKey := planted(t)
	in64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	text := "data:\n  tls.crt: " + in64(pemOf(withKey[0].Leaf)) + "\n  tls.key: " + in64(keyPEM(t, withKey[0])) + "\n"
	found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text)}}}, "a")
	assert.Empty(t, troubles)
	require.Len(t, found, 1)
	assert.Equal(t, inventory.KeyEntry, found[0].Use)
	assert.Equal(t, "line 2 in base64, line 1", found[0].Place)
	assert.Equal(t, truststore.PEM, found[0].Format)

	// It is reported that one is cut off, or damaged.
	for _, damaged := range []string{in64(pemOf(withKey[0].Leaf))[:400], in64(pemOf(withKey[0].Leaf)[:400]), in64(strings.Replace(pemOf(withKey[0].Leaf), "\nMII", "\nMII!", 1))} {
		found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte("x: " + damaged + "\n")}}}, "a")
		assert.Empty(t, found)
		assert.Error(t, troubles["a"])
	}
}

// What only speaks of PEM is not an error.
func TestTextThatSpeaksOfPEM(t *testing.T) {
	for name, text := range map[string]string{
		"a program":         "if !strings.HasPrefix(s, \"-----BEGIN CERTIFICATE-----\") {\n\treturn \"-----BEGIN CERTIFICATE-----\\n\" + s + \"\\n-----END CERTIFICATE-----\"\n}\n",
		"an expression":     "grep -e '-----BEGIN CERTIFICATE-----' -e '-----END CERTIFICATE-----' x\n",
		"an example":        "set CA to `-----BEGIN CERTIFICATE-----...-----END CERTIFICATE-----`\n",
		"one of Kubernetes": "data:\n  tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t...\n  b: LS0tLS1CRUdJTi\n",
	} {
		_, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text)}}}, ".")
		assert.Empty(t, troubles, name)
		found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text + pemOf(pkioverheid.PrivateG1.Root()))}}}, "a")
		assert.Empty(t, troubles, name)
		assert.Len(t, found, 1, name)
	}
}

// What is damaged is reported everywhere, also beside others that are not.
func TestDamageInOtherText(t *testing.T) {
	g1, g4 := pemOf(pkioverheid.PrivateG1.Root()), pemOf(pkioverheid.PrivateG4TLS.Root())
	for damage, cert := range map[string]string{
		"a wrong character": strings.Replace(g1, "MII", "MI!", 1),
		"no END":            g1[:len(g1)-40],
	} {
		inJSON := strings.ReplaceAll(cert, "\n", `\n`)
		for name, text := range map[string]string{
			"JSON":         `{"ca": "` + inJSON + `", "b": "x"}`,
			"a setting":    `CA="` + inJSON + "\"\n",
			"a C header":   "#define CA \"" + strings.ReplaceAll(strings.TrimSpace(cert), "\n", "\\n\" \\\n\"") + "\"\n",
			"other text":   "# the roots\n" + cert,
			"PEM with key": keyPEMOfNobody + cert,
		} {
			_, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text)}}}, "a")
			assert.Error(t, troubles["a"], "%s in %s", damage, name)
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text + "\n" + g4)}}}, "a")
			assert.Error(t, troubles["a"], "%s in %s, and another one", damage, name)
			assert.Len(t, found, 1, "%s in %s, and another one", damage, name)
		}
	}
}

const keyPEMOfNobody = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"

// Containers that were cut off are reported, as certificates are.
func TestFilesThatAreCutOff(t *testing.T) {
	certs, _ := planted(t)
	for _, f := range []truststore.Format{truststore.DER, truststore.PKCS7, truststore.PKCS12, truststore.JKS} {
		whole := encode(t, certs[:3], f)
		for _, length := range []int{100, 900, len(whole) - 1} {
			cut := whole[:length]
			_, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: cut}}}, "a")
			assert.Error(t, troubles["a"], "%v of %d bytes", f, length)
			if f != truststore.JKS {
				_, troubles = scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(base64.StdEncoding.EncodeToString(cut))}}}, "a")
				assert.Error(t, troubles["a"], "%v of %d bytes in base64", f, length)
			}
		}
	}
}

// What PowerShell writes is UTF-16, also of base64.
func TestBase64InUTF16(t *testing.T) {
	g1 := pkioverheid.PrivateG1.Root()
	found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: utf16Of(inBase64(g1) + "\r\n")}}}, "a")
	assert.Empty(t, troubles)
	assert.Equal(t, fingerprintsOf(g1), fingerprints(found))
}

// Many damaged blocks take no more than their time.
func TestHostileBlocks(t *testing.T) {
	const block = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
	for name, around := range map[string][2]string{"in text": {"# x\n", ""}, "alone": {"", ""}, "in XML": {"<a>", "</a>"}} {
		text := []byte(around[0] + strings.Repeat(block, 4<<20/len(block)) + around[1])
		begin := time.Now()
		for range inventory.Scan(t.Context(), inventory.Config{FS: fstest.MapFS{"a": {Data: text}}}, "a") {
		}
		t.Log(name, time.Since(begin))
		assert.Less(t, time.Since(begin), 30*time.Second, name)
	}
}

// Megabytes on one line take no more than their time.
func TestHostileTextOnOneLine(t *testing.T) {
	cert := strings.ReplaceAll(pemOf(pkioverheid.PrivateG1.Root()), "\n", " ")
	for name, unit := range map[string]string{
		"BEGIN":           "-----BEGIN ",
		"BEGIN of a kind": "-----BEGIN CERTIFICATE-----",
		"empty blocks":    "-----BEGIN X----------END X-----",
		"marks":           "-----BEGIN X-----\"A\"-----END X-----",
		"base64":          "LS0tLS1CRUdJTi ",
		"base64 and more": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t,",
		"backslashes":     "-----BEGIN X-----" + strings.Repeat(`\`, 100),
		"certificates":    cert,
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte("x " + strings.Repeat(unit, 4<<20/len(unit)))
			begin := time.Now()
			n := 0
			for range inventory.Scan(t.Context(), inventory.Config{FS: fstest.MapFS{"a": {Data: text}}}, "a") {
				n++
			}
			t.Log(n, time.Since(begin))
			assert.Less(t, time.Since(begin), 30*time.Second)
		})
	}
}

// Who names a file counts on it: what it is, if it holds no certificate, is said in the
// words of truststore.Open. Below a folder it is skipped.
func TestATargetThatHoldsNoCertificateIsNamedForWhatItIs(t *testing.T) {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	key := leaf.PrivateKey.(crypto.Signer)
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	large := strings.Repeat("a.example:443\n", 30_000)
	for name, c := range map[string]struct{ data, want string }{
		"a web page":            {"<!DOCTYPE html>\n<html><body>404</body></html>", "this is an HTML page"},
		"a request":             {string(request), "this is a certificate request"},
		"a request in PEM":      {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})), "this is a certificate request"},
		"a private key":         {string(keyPEM(t, leaf)), "this is a private key"},
		"a public key":          {string(public), "this is a public key"},
		"a list of hosts":       {"a.example:443\nb.example:443\n", "this is a list of hosts"},
		"a large list of hosts": {large, "this is a list of hosts"},
		"a large program":       {"\x7fELF" + strings.Repeat("\x00", 300_000), "neither certificates nor keys"},
		"a text":                {"hello", "neither certificates nor keys"},
		"nothing":               {"", "it is empty"},
		"a CRL in PEM":          {"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", "only a certificate revocation list"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "a")
			require.NoError(t, os.WriteFile(file, []byte(c.data), 0o600))
			_, open := truststore.Open(file)
			require.ErrorContains(t, open, c.want)
			found, troubles := scanAll(t, inventory.Config{}, file)
			assert.Empty(t, found)
			require.Error(t, troubles["a"])
			assert.Equal(t, strings.TrimPrefix(open.Error(), "truststore: "), strings.TrimPrefix(troubles["a"].Error(), "inventory: "))
			assert.NotErrorIs(t, troubles["a"], inventory.ErrSkipped)
			_, troubles = scanAll(t, inventory.Config{}, dir)
			assert.Empty(t, troubles)
		})
	}
}

// Markup is looked through as text too, so that what is wrong with it as XML is beside the
// point.
func TestMarkupWithoutACertificateIsNotSaidToBeDamaged(t *testing.T) {
	for name, data := range map[string]string{
		"XML":              "<feed/>",
		"XML with a DTD":   "<?xml version='1.0'?><!DOCTYPE feed><feed/>",
		"a program in PHP": "<?php echo '<X509Certificate>';",
	} {
		file := filepath.Join(t.TempDir(), "a")
		require.NoError(t, os.WriteFile(file, []byte(data), 0o600), name)
		found, troubles := scanAll(t, inventory.Config{}, file)
		assert.Empty(t, found, name)
		assert.EqualError(t, troubles["a"], "inventory: "+file+": there is no certificate in it", name)
	}
}

// That much was found in one file says nothing about the next one.
func TestWhatATargetIsIsSaidAfterALargeFile(t *testing.T) {
	var many strings.Builder
	for _, der := range distinct(t, 600) {
		require.NoError(t, pem.Encode(&many, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	fsys := fstest.MapFS{"a": {Data: []byte(many.String())}, "b": {}, "c": {Data: []byte("hello")}}
	found, troubles := scanAll(t, inventory.Config{FS: fsys, Parallel: 1}, "a", "b", "c")
	assert.Len(t, found, 600)
	assert.ErrorContains(t, troubles["b"], "it is empty")
	assert.ErrorContains(t, troubles["c"], "neither certificates nor keys")
}
