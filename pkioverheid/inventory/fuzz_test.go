package inventory_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
)

// Whatever a file holds, a scan ends, what it says fits on a line and into JSON, and
// the certificates are those that truststore finds.
func FuzzScan(f *testing.F) {
	paths, err := filepath.Glob("../../truststore/testdata/seeds/*/*")
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(data)
	}
	g1 := pkioverheid.PrivateG1.Certificates()[2]
	f.Add([]byte(cpaOf(g1)))
	f.Add(utf16Of(pemOf(g1)))
	f.Add([]byte(`{"ca": "` + strings.ReplaceAll(pemOf(g1), "\n", `\n`) + `"}`))
	f.Add([]byte("<html>" + pemOf(g1)))
	f.Add([]byte(" \n<"))
	f.Add([]byte("\xff\xfe-"))
	fuzzFinding(f, true)
}

// fuzzFinding fuzzes what a file holds; all says that truststore finds no certificate that is
// not found.
func fuzzFinding(f *testing.F, all bool) {
	cfg := inventory.Config{Parallel: 1, Time: now, Passwords: func(string) iter.Seq[string] { return slices.Values([]string{"geheim"}) }}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg := cfg
		cfg.FS = fstest.MapFS{"file": {Data: data}}
		found := map[truststore.Fingerprint]bool{}
		for r := range inventory.Scan(t.Context(), cfg, "file") {
			require.Equal(t, r.Err == nil, r.Certificate != nil)
			if !all { // to verify takes most of the time
				require.NotContains(t, r.Where(), "\n")
				if r.Err != nil {
					require.NotContains(t, r.Err.Error(), "\n")
					require.Less(t, len(r.Err.Error()), 3000)
				}
				continue
			}
			text := r.String()
			require.True(t, utf8.ValidString(text))
			require.NotContains(t, text, "\n")
			require.Less(t, len(text), 3000)
			out, err := json.Marshal(r)
			require.NoError(t, err)
			require.True(t, json.Valid(out))
			if r.Err != nil {
				continue
			}
			found[truststore.FingerprintOf(r.Certificate)] = true
			require.NotEmpty(t, r.Place)
			require.NotEmpty(t, r.State())
		}
		if !all || isProgram(data) {
			return
		}
		for _, password := range []string{"", "geheim"} {
			all, err := truststore.Decode(data, truststore.WithPassword(password))
			if err != nil {
				continue
			}
			for cert := range all.All() {
				require.True(t, found[truststore.FingerprintOf(cert)], "%v", cert.Subject)
			}
		}
	})
}

// isProgram reports whether a scan takes what truststore reads as text for a program, in which
// it looks for no text: there are zeros at its beginning.
func isProgram(data []byte) bool {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) { // UTF-16
		return false
	}
	format, _ := truststore.Detect(data)
	return (format == truststore.PEM || format == truststore.XML) && bytes.IndexByte(data[:min(len(data), 4<<10)], 0) >= 0
}

// fuzzIn fuzzes a reader of what other files are in.
func fuzzIn(f *testing.F, seeds ...[]byte) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	fuzzFinding(f, false)
}

func FuzzArchive(f *testing.F) {
	g4 := string(pkioverheid.PrivateG4TLS.Root().Raw)
	jar := zipOf(f, "a.der", g4, "b/", "")
	fuzzIn(f, jar, tarOf(f, "a", g4), gzipOf(f, tarOf(f, "a.jar", string(jar))), zipOf(f, "a.tar", string(tarOf(f, "a", g4))), []byte("7z\xbc\xaf\x27\x1c"))
}

func FuzzValues(f *testing.F) {
	g1 := pkioverheid.PrivateG1.Certificates()[2]
	in64 := inBase64(g1)
	fuzzIn(f, []byte("ca: "+in64+"\n"), []byte(`{"x5c":["`+in64+`","`+in64[:100]+`"]}`), []byte("-----BEGIN%20CERTIFICATE-----%0A"+in64+"%0A-----END%20CERTIFICATE-----"),
		[]byte("eyJ4NWMiOlsi"+base64.RawURLEncoding.EncodeToString([]byte(in64))), []byte("x: /u3+7QAAAAIAAAAA"), []byte("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="), []byte(`a=MIIC\/\u002b\`+"\n"))
}

func FuzzDocument(f *testing.F) {
	g1 := pkioverheid.PrivateG1.Certificates()[2]
	fuzzIn(f, []byte(samlOf(g1)), []byte(cpaOf(g1)), []byte(`<a><wsse:BinarySecurityToken xmlns:wsse="x">`+inBase64(g1)+`</wsse:BinarySecurityToken><b c="`+inBase64(g1)+`"/>`),
		[]byte("<!DOCTYPE a [<!ENTITY b 'c'>]><a><X509Certificate>{{ }}</X509Certificate></a>"))
}

func FuzzMail(f *testing.F) {
	g4 := pkioverheid.PrivateG4TLS.Root()
	fuzzIn(f, []byte("Content-Type: multipart/related; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: a/b\r\n\r\n"+string(g4.Raw)+"\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n"+inBase64(g4)+"\r\n--x--\r\n"),
		[]byte("--y\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nMII\n--x--\n--y--\n"))
}

func FuzzWindowsStore(f *testing.F) {
	g4 := pkioverheid.PrivateG4TLS.Root()
	fuzzIn(f, sstOf([]byte("property"), g4.Raw), sstOf(g4.Raw)[:100])
}

func FuzzKeyBeside(f *testing.F) {
	_, withKey := planted(f)
	leaf := withKey[1]
	fuzzIn(f, []byte(pemOf(leaf.Leaf)+keyPEM(f, leaf)), []byte(keyPEM(f, withKey[2])+pemOf(leaf.Leaf)), []byte(keyPEMOfNobody+foreignCert+foreignKey))
}
