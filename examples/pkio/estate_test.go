package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// estateTime is when the estate is looked at.
var estateTime = day(2026, time.November, 28)

// estate is that of a municipality: web servers, Java stores, Kubernetes manifests, SAML
// metadata and bundles of CAs, 60 certificates in 200 places.
//
// Nobody here has the keys of the real CAs. Its certificates of systems are signed by
// clones of them, with keys of their own: they say that they are under PKIoverheid, and
// their signatures are wrong. If it is genuine, the clones lie in the stores too, for a
// tool that has the clones in the place of the real ones: see TestEstateReports.
type estate struct {
	dir     string
	check   func(error)
	genuine bool

	clones map[pkioverheid.Hierarchy][]tls.Certificate
	key    crypto.Signer
	leaves map[string]tls.Certificate
}

// estateCommand is estate FOLDER, which makes it.
func estateCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: estate FOLDER")
	}
	newEstate(ts.MkAbs(args[0]), ts.Check, false).write()
}

func newEstate(dir string, check func(error), genuine bool) *estate {
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	check(err)
	e := &estate{dir: dir, check: check, genuine: genuine, key: key, leaves: map[string]tls.Certificate{}, clones: map[pkioverheid.Hierarchy][]tls.Certificate{}}
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		e.clone(h)
	}
	e.issueAll()
	return e
}

// clone makes a CA with a key of its own for each of a hierarchy.
func (e *estate) clone(h pkioverheid.Hierarchy) {
	bySubject := map[string]tls.Certificate{}
	for i, original := range h.Certificates() {
		self, known := bySubject[string(original.RawSubject)]
		if !known { // else it was reissued with the same key
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			e.check(err)
			self = tls.Certificate{PrivateKey: key}
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), RawSubject: original.RawSubject, NotBefore: original.NotBefore, NotAfter: original.NotAfter,
			IsCA: true, BasicConstraintsValid: true, MaxPathLen: original.MaxPathLen, MaxPathLenZero: original.MaxPathLenZero, KeyUsage: original.KeyUsage,
			ExtKeyUsage: original.ExtKeyUsage, UnknownExtKeyUsage: original.UnknownExtKeyUsage, Policies: original.Policies}
		issuer, ok := bySubject[string(original.RawIssuer)]
		if !ok {
			issuer = tls.Certificate{PrivateKey: self.PrivateKey, Leaf: template}
		}
		self = e.sign(template, issuer, self.PrivateKey.(crypto.Signer))
		bySubject[string(original.RawSubject)] = self
		e.clones[h] = append(e.clones[h], self)
	}
}

func (e *estate) sign(template *x509.Certificate, issuer tls.Certificate, key crypto.Signer) tls.Certificate {
	template.ExtraExtensions = append(template.ExtraExtensions, genuine...)
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Leaf, key.Public(), issuer.PrivateKey)
	e.check(err)
	cert, err := x509.ParseCertificate(der)
	e.check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}
}

// cas are the CA certificates of a hierarchy that lie in the stores.
func (e *estate) cas(hierarchies ...pkioverheid.Hierarchy) (all []*x509.Certificate) {
	for _, h := range hierarchies {
		for i, original := range h.Certificates() {
			if e.genuine && h != pkioverheid.G3 { // which is recognised by its keys
				original = e.clones[h][i].Leaf
			}
			all = append(all, original)
		}
	}
	return all
}

// issueAll makes the certificates of systems. Those of EV and G3 have ended long ago.
func (e *estate) issueAll() {
	const oin = "00000099000000001000"
	g1, g4, g3, ev := pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.G3, pkioverheid.EV
	for _, l := range []struct {
		name      string
		hierarchy pkioverheid.Hierarchy
		tsp       string // in the name of the CA
		ends      time.Time
	}{
		{"archief", g1, "KPN", day(2026, 10, 31)}, // has ended
		{"loket", g1, "KPN", day(2027, 1, 15)},
		{"belastingen", g1, "DigiCert", day(2027, 2, 10)},
		{"brp", g1, "KPN", day(2027, 9, 30)},
		{"zaken", g1, "KPN", day(2028, 2, 9)},
		{"digikoppeling", g1, "KPN", day(2028, 5, 31)},
		{"bag", g1, "KPN", day(2028, 6, 30)},
		{"suwinet", g1, "KPN", day(2028, 8, 31)},
		{"sociaal", g1, "Digidentity", day(2027, 6, 1)},
		{"parkeren", g1, "Digidentity", day(2028, 3, 1)},
		{"woz", g1, "DigiCert", day(2028, 8, 1)},
		{"saml", g1, "DigiCert", day(2028, 10, 1)},
		{"jeugdzorg", g1, "UZI", day(2028, 3, 31)},
		{"client", g1, "KPN", day(2028, 4, 30)},
		{"koppeling-oud", g3, "KPN", day(2021, 5, 31)},
		{"postbus", g3, "QuoVadis", day(2021, 3, 31)},
		{"www", ev, "KPN", day(2022, 11, 30)},
		{"mijn", ev, "QuoVadis", day(2022, 10, 31)},
		{"api", g4, "KPN", day(2027, 9, 30)},
		{"dso", g4, "KPN", day(2027, 10, 31)},
		{"gateway", g4, "Digidentity", day(2027, 8, 31)},
	} {
		leaf := pkiotest.Leaf{Key: e.key, Organization: "Gemeente Voorbeeldstad", DNSNames: []string{l.name + ".voorbeeldstad.nl"}}
		switch {
		case l.name == "client":
			leaf.DNSNames, leaf.CommonName, leaf.ClientOnly, leaf.OIN = []string{}, "Gemeente Voorbeeldstad, bevragingen", true, oin
		case l.hierarchy == g1 || l.hierarchy == g4:
			leaf.OIN = oin
		}
		e.leaves[l.name] = e.issue(pkiotest.New(l.hierarchy).Issue(leaf).Leaf, l.hierarchy, l.tsp, l.ends)
	}
	for _, name := range []string{"TRIAL koppeling.voorbeeldstad.nl", "TEST loket.voorbeeldstad.nl"} {
		leaf := pkiotest.New(g1).Issue(pkiotest.Leaf{Key: e.key, CommonName: name}).Leaf
		e.leaves[name] = e.issue(leaf, g1, "KPN", day(2027, 8, 31))
	}
	e.issueForeign()
}

// issue issues what is like a fixture, by the clone of a TSP's CA.
func (e *estate) issue(like *x509.Certificate, h pkioverheid.Hierarchy, tsp string, ends time.Time) tls.Certificate {
	clones := e.clones[h]
	i := 2 + slices.IndexFunc(clones[2:], func(ca tls.Certificate) bool { return strings.Contains(ca.Leaf.Subject.CommonName, tsp) })
	template := &x509.Certificate{SerialNumber: like.SerialNumber, RawSubject: like.RawSubject, NotBefore: ends.AddDate(-3, 0, 0), NotAfter: ends, KeyUsage: like.KeyUsage,
		ExtKeyUsage: like.ExtKeyUsage, DNSNames: like.DNSNames, Policies: like.Policies, BasicConstraintsValid: true}
	for _, ext := range like.Extensions {
		if ext.Id.String() == "2.5.29.17" { // the OIN of some is in an otherName
			template.ExtraExtensions = append(template.ExtraExtensions, ext)
		}
	}
	if begin := clones[i].Leaf.NotBefore; template.NotBefore.Before(begin) {
		template.NotBefore = begin
	}
	pair := e.sign(template, clones[i], e.key)
	for _, ca := range []*x509.Certificate{e.cas(h)[i], e.cas(h)[1]} {
		pair.Certificate = append(pair.Certificate, ca.Raw)
	}
	return pair
}

// issueForeign makes three CAs that have nothing to do with PKIoverheid, and what they
// issued.
func (e *estate) issueForeign() {
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(int64(len(e.leaves) + 1)), Subject: pkix.Name{CommonName: name, Organization: []string{"Elsewhere"}},
			NotBefore: estateTime.AddDate(-1, 0, 0), NotAfter: estateTime.AddDate(1, 0, 0), BasicConstraintsValid: true}
	}
	for i := range 3 {
		root := template(fmt.Sprintf("Elsewhere Root R%d", i+1))
		root.IsCA, root.KeyUsage, root.NotAfter = true, x509.KeyUsageCertSign, estateTime.AddDate(10, 0, 0)
		ca := e.sign(root, tls.Certificate{Leaf: root, PrivateKey: e.key}, e.key)
		e.leaves[fmt.Sprintf("foreign-ca%d", i)] = ca
		for j := range []int{3, 2, 2}[i] {
			leaf := template(fmt.Sprintf("site%d%d.elsewhere.example", i, j))
			leaf.DNSNames = []string{leaf.Subject.CommonName}
			e.leaves[fmt.Sprintf("foreign%d%d", i, j)] = e.sign(leaf, ca, e.key)
		}
	}
}

func (e *estate) file(name string, data []byte) {
	path := filepath.Join(e.dir, filepath.FromSlash(name))
	e.check(os.MkdirAll(filepath.Dir(path), 0o755))
	e.check(os.WriteFile(path, data, 0o600))
}

// full is what a server sends, in PEM.
func (e *estate) full(leaf string) string {
	var b strings.Builder
	for _, der := range e.leaves[leaf].Certificate {
		e.check(pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return b.String()
}

func (e *estate) alone(leaf string) string { return pemOf(e.leaves[leaf].Leaf) }

func (e *estate) keyPEM(key crypto.Signer) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	e.check(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// write writes it.
func (e *estate) write() {
	e.webServers()
	e.javaStores()
	e.manifests()
	e.metadata()
	all := e.cas(pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.EV, pkioverheid.G3)
	e.file("etc/ssl/certs/pkioverheid.pem", []byte(pemOf(all...)))
	for _, host := range []string{"app01", "app02"} { // as they were before G4
		e.file("backup/"+host+"/pkioverheid.p7b", encoded(e, truststore.PKCS7, e.cas(pkioverheid.PrivateG1, pkioverheid.G3)...))
	}
	foreign := ""
	for i := range 3 {
		foreign += e.alone(fmt.Sprintf("foreign-ca%d", i))
	}
	e.file("etc/ssl/certs/ca-bundle.crt", []byte(foreign))
	e.file("backup/app01/tls/zaken.pem", []byte(e.alone("zaken")))
	e.file("backup/app01/tls/brp.pem", []byte(e.alone("brp")))
	e.file("home/beheer/Downloads/koppeling.cer", e.leaves["TRIAL koppeling.voorbeeldstad.nl"].Certificate[0])
	e.file("home/beheer/Downloads/loket-test.cer", e.leaves["TEST loket.voorbeeldstad.nl"].Certificate[0])
}

func (e *estate) webServers() {
	for _, name := range []string{"loket", "zaken", "parkeren", "www", "mijn", "api"} {
		e.file("etc/nginx/tls/"+name+".pem", []byte(e.full(name)))
		e.file("etc/nginx/sites-enabled/"+name+".conf", fmt.Appendf(nil, "server {\n  listen 443 ssl;\n  server_name %[1]s.voorbeeldstad.nl;\n  ssl_certificate /etc/nginx/tls/%[1]s.pem;\n  ssl_certificate_key /etc/nginx/tls/%[1]s.key;\n}\n", name))
	}
	for _, name := range []string{"archief", "belastingen", "woz"} {
		e.file("etc/apache2/ssl/"+name+".crt", []byte(e.alone(name)))
		e.file("etc/apache2/ssl/"+name+".chain.crt", []byte(strings.TrimPrefix(e.full(name), e.alone(name))))
		e.file("etc/apache2/sites-enabled/"+name+".conf", fmt.Appendf(nil, "<VirtualHost *:443>\n  ServerName %[1]s.voorbeeldstad.nl\n  SSLCertificateFile /etc/apache2/ssl/%[1]s.crt\n  SSLCertificateChainFile /etc/apache2/ssl/%[1]s.chain.crt\n</VirtualHost>\n", name))
	}
	for _, name := range []string{"digikoppeling", "koppeling-oud", "dso"} {
		e.file("etc/haproxy/certs/"+name+".pem", []byte(e.full(name)+e.keyPEM(e.key)))
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	e.check(err)
	e.file("etc/haproxy/certs/gateway.pem", []byte(e.full("gateway")+e.keyPEM(other))) // not its key
	e.file("etc/haproxy/haproxy.cfg", []byte("frontend koppelvlak\n  bind :8443 ssl crt /etc/haproxy/certs/ ca-file /etc/ssl/certs/pkioverheid.pem verify required\n"))
	for i := range 3 {
		for j := range []int{3, 2, 2}[i] {
			e.file(fmt.Sprintf("etc/nginx/tls/elsewhere%d%d.pem", i, j), []byte(e.alone(fmt.Sprintf("foreign%d%d", i, j))))
		}
	}
}

func encoded(e *estate, f truststore.Format, certs ...*x509.Certificate) []byte {
	var opts []truststore.Option
	if f != truststore.PKCS7 {
		opts = append(opts, truststore.WithPassword(plantPassword))
	}
	data, err := truststore.New(certs...).Encode(f, opts...)
	e.check(err)
	return data
}

func (e *estate) javaStores() {
	for _, app := range []string{"zaaksysteem", "burgerzaken"} {
		e.file("opt/"+app+"/conf/truststore.jks", encoded(e, truststore.JKS, e.cas(pkioverheid.PrivateG1, pkioverheid.EV)...))
	}
	e.file("opt/burgerzaken/conf/truststore.p12", encoded(e, truststore.PKCS12, e.cas(pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS)...))
	for app, name := range map[string]string{"zaaksysteem": "zaken", "burgerzaken": "brp", "sociaaldomein": "sociaal", "geo": "bag"} {
		pair := e.leaves[name]
		var chain []*x509.Certificate
		for _, der := range pair.Certificate[1:] {
			ca, err := x509.ParseCertificate(der)
			e.check(err)
			chain = append(chain, ca)
		}
		data, err := pkcs12.Modern.Encode(pair.PrivateKey, pair.Leaf, chain, plantPassword)
		e.check(err)
		e.file("opt/"+app+"/conf/keystore.p12", data)
	}
	for app, names := range map[string][]string{"suwinet": {"suwinet"}, "adapter": {"digikoppeling", "client", "postbus"}} {
		store := keystore.New()
		for _, name := range names {
			key, err := x509.MarshalPKCS8PrivateKey(e.key)
			e.check(err)
			entry := keystore.PrivateKeyEntry{CreationTime: estateTime, PrivateKey: key}
			for _, der := range e.leaves[name].Certificate {
				entry.CertificateChain = append(entry.CertificateChain, keystore.Certificate{Type: "X509", Content: der})
			}
			e.check(store.SetPrivateKeyEntry(name, entry, []byte(plantPassword)))
		}
		var b bytes.Buffer
		e.check(store.Store(&b, []byte(plantPassword)))
		e.file("opt/"+app+"/conf/keystore.jks", b.Bytes())
	}
}

func (e *estate) manifests() {
	secret := func(namespace, name string) {
		text := base64.StdEncoding.EncodeToString([]byte(e.full(name)))
		key := base64.StdEncoding.EncodeToString([]byte(e.keyPEM(e.key)))
		e.file("k8s/"+namespace+"/"+name+".yaml", fmt.Appendf(nil, "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata:\n  name: %s-tls\n  namespace: %s\ndata:\n  tls.crt: %s\n  tls.key: %s\n", name, namespace, text, key))
	}
	for _, name := range []string{"loket", "zaken", "jeugdzorg", "api"} {
		secret("productie", name)
	}
	secret("acceptatie", "zaken")
	bundle := strings.ReplaceAll(pemOf(e.cas(pkioverheid.PrivateG1)...), "\n", "\n    ")
	e.file("k8s/productie/ca-bundle.yaml", []byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: pkioverheid-cas\n  namespace: productie\ndata:\n  ca.crt: |\n    "+bundle))
}

func (e *estate) metadata() {
	e.file("srv/saml/idp-metadata.xml", []byte(samlOf([]*x509.Certificate{e.leaves["saml"].Leaf})))
	e.file("srv/saml/sp-metadata.xml", []byte(samlOf([]*x509.Certificate{e.leaves["saml"].Leaf, e.leaves["belastingen"].Leaf})))
	e.file("srv/cpa/suwinet.xml", []byte(cpaOf([]*x509.Certificate{e.leaves["suwinet"].Leaf, e.leaves["digikoppeling"].Leaf})))
}
