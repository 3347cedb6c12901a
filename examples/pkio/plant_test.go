package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// plantPassword opens every key store that is planted.
const plantPassword = "geheim1"

// plantOnce returns the command plant FOLDER WANT, which writes files of every format, each
// with certificates under G3, EV, Private G1, Private G4 and a foreign CA in it, made by
// hand, with this library, by openssl and by keytool. WANT gets a line for each: path and
// fingerprint. They are made once, in dir, and copied for each script.
func plantOnce(dir string) func(ts *testscript.TestScript, neg bool, args []string) {
	var mu sync.Mutex
	planted, want := filepath.Join(dir, "planted"), filepath.Join(dir, "want")
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: plant FOLDER WANT")
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := os.Stat(want); err != nil {
			ts.Check(os.RemoveAll(planted)) // of a script that failed in the middle
			plant(ts, planted, want)
		}
		ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(planted)))
		data, err := os.ReadFile(want)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
	}
}

func plant(ts *testscript.TestScript, dir, want string) {
	p := &planting{ts: ts, dir: dir, work: ts.MkAbs("plant.work")}
	ts.Check(os.MkdirAll(p.dir, 0o755))
	ts.Check(os.MkdirAll(p.work, 0o755))
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.G3, pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		p.certs = append(p.certs, h.Certificates()...) // the real ones
		leaf := pkiotest.New(h).Issue(pkiotest.Leaf{DNSNames: []string{strings.ReplaceAll(strings.ToLower(h.String()), " ", "-") + ".example"}})
		p.certs, p.leaves = append(p.certs, leaf.Leaf), append(p.leaves, leaf)
	}
	foreign := issueForeign(ts)
	p.certs, p.leaves = append(p.certs, foreign.Leaf), append(p.leaves, foreign)

	p.byHand()
	p.byOpenSSL()
	p.byKeytool()
	slices.Sort(p.want)
	ts.Check(os.WriteFile(want, []byte(strings.Join(p.want, "\n")+"\n"), 0o600))
}

// found JSON WANT FOLDER compares what an audit found with what was planted.
func foundCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: found JSON WANT FOLDER")
	}
	var results struct {
		Certificates []struct {
			SHA256 string
			Places []struct{ Path string }
		}
		NotRead []struct{ Error string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &results))
	var got []string
	for _, r := range results.NotRead {
		ts.Fatalf("%s", r.Error)
	}
	for _, r := range results.Certificates {
		for _, p := range r.Places {
			path, err := filepath.Rel(ts.MkAbs(args[2]), ts.MkAbs(p.Path))
			ts.Check(err)
			got = append(got, filepath.ToSlash(path)+" "+r.SHA256)
		}
	}
	slices.Sort(got)
	want := strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n")
	if len(want) < 500 {
		ts.Fatalf("only %d were planted", len(want))
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			ts.Fatalf("missed %s", line)
		}
	}
	slices.Sort(want)
	for i, line := range got {
		if i >= len(want) || want[i] != line {
			ts.Fatalf("found %s, which was not planted, or not so often", line)
		}
	}
}

type planting struct {
	ts        *testscript.TestScript
	dir, work string
	certs     []*x509.Certificate // all of them
	leaves    []tls.Certificate   // those with a key
	want      []string
}

func (p *planting) expect(name string, certs ...*x509.Certificate) {
	for _, c := range certs {
		p.want = append(p.want, name+" "+truststore.FingerprintOf(c).String())
	}
}

func (p *planting) write(name string, data []byte, certs ...*x509.Certificate) {
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	p.ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	p.ts.Check(os.WriteFile(path, data, 0o600))
	p.expect(name, certs...)
}

func (p *planting) encode(f truststore.Format) []byte {
	var opts []truststore.Option
	if f == truststore.PKCS12 || f == truststore.JKS {
		opts = append(opts, truststore.WithPassword(plantPassword))
	}
	data, err := truststore.New(p.certs...).Encode(f, opts...)
	p.ts.Check(err)
	return data
}

func (p *planting) byHand() {
	all := pemOf(p.certs...)
	var ders bytes.Buffer
	for _, c := range p.certs {
		ders.Write(c.Raw)
	}
	object, err := json.Marshal(map[string]string{"ca": all})
	p.ts.Check(err)
	for name, data := range map[string][]byte{
		"hand/all.pem":            []byte(all),
		"hand/crlf.crt":           []byte(strings.ReplaceAll(all, "\n", "\r\n")),
		"hand/bom.pem":            []byte("\ufeff" + all),
		"hand/utf16.cer":          utf16Of(all),
		"hand/nginx.conf":         []byte("server {\n# -----\n" + all + "}\n"),
		"hand/secret.yaml":        []byte("data:\n  ca.crt: |\n    " + strings.ReplaceAll(all, "\n", "\n    ")),
		"hand/object.json":        object,
		"hand/several.der":        ders.Bytes(),
		"hand/metadata.xml":       []byte(samlOf(p.certs)),
		"hand/cpa.xml":            []byte(cpaOf(p.certs)),
		"library/all.p7b":         p.encode(truststore.PKCS7),
		"library/trust.p12":       p.encode(truststore.PKCS12),
		"library/trust.jks":       p.encode(truststore.JKS),
		"library/all.pem":         p.encode(truststore.PEM),
		"deep/a/b/c/.hidden/file": []byte(all),
	} {
		p.write(name, data, p.certs...)
	}
	for i, c := range p.certs {
		p.write(fmt.Sprintf("single/%d.cer", i), c.Raw, c)
		p.write(fmt.Sprintf("base64/%d.txt", i), []byte(base64.StdEncoding.EncodeToString(c.Raw)), c)
	}
	for name, text := range map[string]string{
		"README":   "To make a certificate:\n-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n",
		"feed.xml": "<feed/>",
		"empty":    "",
	} {
		p.write("none/"+name, []byte(text))
	}
}

func (p *planting) run(name string, args ...string) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		p.ts.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

func (p *planting) byOpenSSL() {
	at := func(name string) string {
		p.ts.Check(os.MkdirAll(filepath.Join(p.dir, "openssl"), 0o755))
		return filepath.Join(p.dir, "openssl", name)
	}
	all := filepath.Join(p.work, "all.pem")
	p.ts.Check(os.WriteFile(all, []byte(pemOf(p.certs...)), 0o600))
	p.run("openssl", "crl2pkcs7", "-nocrl", "-certfile", all, "-outform", "DER", "-out", at("all.p7b"))
	p.run("openssl", "crl2pkcs7", "-nocrl", "-certfile", all, "-out", at("p7.pem"))
	p.run("openssl", "pkcs12", "-export", "-nokeys", "-in", all, "-out", at("all.p12"), "-passout", "pass:"+plantPassword)
	p.run("openssl", "pkcs12", "-in", at("all.p12"), "-nokeys", "-out", at("bags.txt"), "-passin", "pass:"+plantPassword)
	for _, name := range []string{"all.p7b", "p7.pem", "all.p12", "bags.txt"} {
		p.expect("openssl/"+name, p.certs...)
	}
	for i, leaf := range p.leaves {
		key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
		p.ts.Check(err)
		both := filepath.Join(p.work, fmt.Sprintf("%d.pem", i))
		p.ts.Check(os.WriteFile(both, append([]byte(pemOf(leaf.Leaf)), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), 0o600))
		name := func(form string) string { return fmt.Sprintf(form, i) }
		p.run("openssl", "x509", "-in", both, "-outform", "DER", "-out", at(name("%d.der")))
		p.run("openssl", "x509", "-in", both, "-text", "-out", at(name("%d.txt")))
		p.run("openssl", "x509", "-in", both, "-trustout", "-addtrust", "serverAuth", "-out", at(name("trusted%d.pem")))
		p.run("openssl", "pkcs12", "-export", "-in", both, "-name", name("key%d"), "-out", at(name("key%d.p12")), "-passout", "pass:"+plantPassword)
		for _, form := range []string{"%d.der", "%d.txt", "trusted%d.pem", "key%d.p12"} {
			p.expect("openssl/"+name(form), leaf.Leaf)
		}
	}
}

func (p *planting) byKeytool() {
	ours := filepath.Join(p.work, "ours.p12")
	p.ts.Check(os.WriteFile(ours, p.encode(truststore.PKCS12), 0o600))
	p.ts.Check(os.MkdirAll(filepath.Join(p.dir, "keytool"), 0o755))
	to := func(source, name, kind string) {
		p.run("keytool", "-importkeystore", "-noprompt", "-srckeystore", source, "-srcstorepass", plantPassword,
			"-destkeystore", filepath.Join(p.dir, "keytool", name), "-deststoretype", kind, "-deststorepass", plantPassword)
	}
	to(ours, "trust.jks", "JKS")
	to(ours, "trust.p12", "PKCS12")
	p.expect("keytool/trust.jks", p.certs...)
	p.expect("keytool/trust.p12", p.certs...)
	for i, leaf := range p.leaves {
		to(filepath.Join(p.dir, "openssl", fmt.Sprintf("key%d.p12", i)), "keys.jks", "JKS")
		p.expect("keytool/keys.jks", leaf.Leaf)
	}
}

func pemOf(certs ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a strings.Builder takes all
	}
	return b.String()
}

func utf16Of(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func samlOf(certs []*x509.Certificate) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`)
	for i, c := range certs {
		fmt.Fprintf(&b, `<md:EntityDescriptor entityID="urn:party:%d"><md:IDPSSODescriptor><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
%s
</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>`, i, base64.StdEncoding.EncodeToString(c.Raw))
	}
	return b.String() + `</md:EntitiesDescriptor>`
}

func cpaOf(certs []*x509.Certificate) string {
	var b strings.Builder
	b.WriteString(`<tp:CollaborationProtocolAgreement xmlns:tp="http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><tp:PartyInfo tp:partyName="Logius"><tp:PartyId tp:type="urn:osb:oin">00000004003214345001</tp:PartyId>`)
	for i, c := range certs {
		fmt.Fprintf(&b, `<tp:Certificate tp:certId="c%d"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></tp:Certificate>`, i, base64.StdEncoding.EncodeToString(c.Raw))
	}
	return b.String() + `</tp:PartyInfo></tp:CollaborationProtocolAgreement>`
}

// issueForeign makes a certificate that has nothing to do with PKIoverheid.
func issueForeign(ts *testscript.TestScript) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "foreign.example", Organization: []string{"Elsewhere"}},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		DNSNames:     []string{"foreign.example"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	cert, err := x509.ParseCertificate(der)
	ts.Check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}
}
