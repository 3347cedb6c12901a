package pkioverheid_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/chain/profile"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

var updateTestKit = flag.Bool("update-testkit", false, "write testdata/testkit/pkio-*.txt anew")

const testKit = "testdata/testkit"

// kitCase is a file of the test kit; its README has the format.
type kitCase struct {
	headers  [][2]string
	sections [][2]any // a name, and []*x509.Certificate or a list in DER
}

func (k *kitCase) set(name, value string) *kitCase {
	k.headers = append(k.headers, [2]string{name, value})
	return k
}

func (k *kitCase) certs(name string, certs ...*x509.Certificate) *kitCase {
	k.sections = append(k.sections, [2]any{name, certs})
	return k
}

func (k *kitCase) list(der []byte) *kitCase {
	k.sections = append(k.sections, [2]any{"crl", der})
	return k
}

func (k *kitCase) text() string {
	var b bytes.Buffer
	for _, h := range k.headers {
		fmt.Fprintf(&b, "%s: %s\n", h[0], h[1])
	}
	for _, s := range k.sections {
		fmt.Fprintf(&b, "\n[%s]\n", s[0])
		switch v := s[1].(type) {
		case []*x509.Certificate:
			for _, c := range v {
				_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
			}
		case []byte:
			_ = pem.Encode(&b, &pem.Block{Type: "X509 CRL", Bytes: v})
		}
	}
	return b.String()
}

// kitTime is when most cases take place.
var kitTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// kit collects cases of hierarchies.
type kit map[string]*kitCase

func (k kit) add(name, comment, verdict string, at time.Time, chain []*x509.Certificate) *kitCase {
	c := (&kitCase{}).set("comment", comment).set("time", at.Format(time.RFC3339)).set("purpose", "server").set("verdict", verdict)
	k["pkio-"+name] = c.certs("chain", chain...)
	return c
}

// under has a leaf of an Authority for host.example at a time, with its path up to the root.
func under(a *pkiotest.Authority, at time.Time, l pkiotest.Leaf) []*x509.Certificate {
	l.DNSNames, l.NotBefore, l.NotAfter = []string{"host.example"}, at.AddDate(0, -1, 0), at.AddDate(0, 1, 0)
	pair := a.Issue(l)
	var path []*x509.Certificate
	for _, der := range pair.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			panic(err)
		}
		path = append(path, cert)
	}
	return append(path, a.Certificates()[0])
}

// makeKit makes the cases, the same each time.
func makeKit(t *testing.T) kit {
	cryptotest.SetGlobalRandom(t, 20)
	k := kit{}
	ev, g1, g4, g3 := pkiotest.New(pkioverheid.EV), pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS), pkiotest.New(pkioverheid.G3)
	roots := []*x509.Certificate{ev.Certificates()[0], g1.Certificates()[0], g4.Certificates()[0], g3.Certificates()[0]}
	known := slices.Concat(ev.Certificates()[1:], g1.Certificates()[1:], g4.Certificates()[1:], g3.Certificates()[1:3])
	trusted := func(c *kitCase) *kitCase {
		return c.certs("root", roots...).certs("known", known...).certs("withdrawn", roots[3])
	}
	evTime := time.Date(2022, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, h := range []struct {
		name    string
		of      *pkiotest.Authority
		at      time.Time
		verdict string
	}{
		{"g1", g1, kitTime, "accept"}, {"g4-pss", g4, kitTime, "accept"},
		{"ev-in-its-time", ev, evTime, "accept"}, {"g3", g3, kitTime, "refuse withdrawn"},
	} {
		p := under(h.of, h.at, pkiotest.Leaf{})
		for name, sent := range map[string][]*x509.Certificate{
			"leaf-alone": p[:1], "in-order": p[:3], "with-root": p, "in-disorder": {p[0], p[2], p[1]}, "twice": {p[0], p[1], p[1], p[2], p[0]},
		} {
			trusted(k.add(h.name+"-"+name, "Servers send their chain in many ways; the verdict is the same.", h.verdict, h.at, sent).set("host", "host.example"))
		}
	}
	makeRefusals(k, g1, g4, ev, trusted)
	makeRevocations(k, g1, trusted)
	makeWithdrawals(t, k, g3)
	makeReal(t, k)
	return k
}

func makeRefusals(k kit, g1, g4, ev *pkiotest.Authority, trusted func(*kitCase) *kitCase) {
	later := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	trusted(k.add("ev-after-its-time", "The root of EV ended in December 2022.", "refuse expired", later, under(ev, time.Date(2022, 6, 1, 12, 0, 0, 0, time.UTC), pkiotest.Leaf{})))
	p := under(g1, kitTime, pkiotest.Leaf{})
	trusted(k.add("expired", "The certificate of the host has ended.", "refuse expired", kitTime.AddDate(0, 3, 0), p))
	trusted(k.add("not-yet-valid", "The certificate of the host is for later.", "refuse not-yet-valid", kitTime.AddDate(0, -3, 0), p))
	trusted(k.add("wrong-name", "The certificate is for another host.", "refuse name", kitTime, p).set("host", "other.example"))
	trusted(k.add("client-only", "A certificate for clients is not for servers.", "refuse usage", kitTime, under(g4, kitTime, pkiotest.Leaf{ClientOnly: true})))
	k.add("unknown-root", "The root is not trusted.", "refuse unknown-authority", kitTime, p).certs("root", g4.Certificates()[0])
	trusted(k.add("system", "A system has the policy of systems.", "accept", kitTime, p).set("policy", "2.16.528.1.1003.1.2.8.6"))
	trusted(k.add("person", "A person's certificate is not one of a system.", "refuse policy", kitTime,
		under(g1, kitTime, pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.8.1"}})).set("policy", "2.16.528.1.1003.1.2.8.6"))
}

// kitList is a list of a CA.
func kitList(a *pkiotest.Authority, ca, revoked *x509.Certificate) []byte {
	list := &x509.RevocationList{SignatureAlgorithm: ca.SignatureAlgorithm, Number: big.NewInt(7), ThisUpdate: kitTime.Add(-time.Hour), NextUpdate: kitTime.AddDate(0, 0, 2)}
	if revoked != nil {
		list.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: revoked.SerialNumber, RevocationTime: kitTime.Add(-2 * time.Hour), ReasonCode: 1}}
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca, a.PrivateKey(ca))
	if err != nil {
		panic(err)
	}
	return der
}

func makeRevocations(k kit, a *pkiotest.Authority, trusted func(*kitCase) *kitCase) {
	p := under(a, kitTime, pkiotest.Leaf{})
	for _, c := range []struct {
		name, comment, verdict string
		revoked                [3]*x509.Certificate // by the issuer of the leaf, by the domain CA, by the root
		lists                  int
	}{
		{"not-revoked", "Each issuer has a list, and nobody is on it.", "accept", [3]*x509.Certificate{}, 3},
		{"revoked-leaf", "The host's certificate is on the list of its issuer.", "refuse revoked", [3]*x509.Certificate{p[0]}, 3},
		{"revoked-tsp-ca", "The TSP CA is on the list of the domain CA.", "refuse revoked", [3]*x509.Certificate{nil, p[1]}, 3},
		{"no-list-of-the-root", "Nothing says whether the domain CA is revoked.", "refuse revocation-unknown", [3]*x509.Certificate{}, 2},
		{"no-list", "Nothing says whether anybody is revoked.", "refuse revocation-unknown", [3]*x509.Certificate{}, 0},
	} {
		file := k.add(c.name, c.comment, c.verdict, kitTime, p[:3]).set("revocation", "required")
		for i := range c.lists {
			file.list(kitList(a, p[i+1], c.revoked[i]))
		}
		trusted(file)
	}
}

func makeWithdrawals(t *testing.T, k kit, g3 *pkiotest.Authority) {
	cas := g3.Certificates()
	p := under(g3, kitTime, pkiotest.Leaf{})
	reissued := cas[2]
	if p[1].Equal(reissued) {
		reissued = cas[3]
	}
	k.add("same-key-reissued", "The TSP CA was withdrawn in another certificate for the same key.", "refuse withdrawn", kitTime, p[:3]).
		certs("root", cas[0]).certs("withdrawn", reissued)
	k.add("key-not-withdrawn", "The same without a withdrawal.", "accept", kitTime, p[:3]).certs("root", cas[0])

	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	root, withdrawn, chains := oddChains(t, key)
	for name, c := range chains {
		k.add("key-encoded-"+strings.ReplaceAll(name, " ", "-"), "The key of the CA is a withdrawn one, written in another way.", "refuse withdrawn", kitTime, c).
			certs("root", root).certs("withdrawn", withdrawn)
	}
	for _, word := range []string{"TRIAL", "ACCEPTATIE"} {
		ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"NL"}, CommonName: word + " Staat der Nederlanden Root CA"},
			NotBefore: kitTime.AddDate(-1, 0, 0), NotAfter: kitTime.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
		leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "host.example"}, DNSNames: []string{"host.example"},
			NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		top := kitSign(t, ca, nil, key.Public(), key)
		k.add(strings.ToLower(word), "A certificate of a test environment, whose root is not trusted.", "refuse test-certificate", kitTime, []*x509.Certificate{kitSign(t, leaf, top, key.Public(), key), top}).
			certs("root", cas[0])
	}
}

// oddChains are chains of a leaf and a CA whose key is written in each way that crypto/x509
// takes.
func oddChains(t *testing.T, key *ecdsa.PrivateKey) (root, withdrawn *x509.Certificate, chains map[string][]*x509.Certificate) {
	signer, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{8}, 32))
	require.NoError(t, err)
	ca := func(name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: kitTime.AddDate(-1, 0, 0),
			NotAfter: kitTime.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte(name)}
	}
	root = kitSign(t, ca("Root"), nil, signer.Public(), signer)
	withdrawn = kitSign(t, ca("Withdrawn CA"), root, key.Public(), signer)
	leaf := kitSign(t, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "host.example"}, DNSNames: []string{"host.example"},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, withdrawn, key.Public(), key)
	odd := odder(t, withdrawn.RawSubjectPublicKeyInfo)
	chains = map[string][]*x509.Certificate{}
	for _, name := range slices.Sorted(maps.Keys(odd)) {
		cert, err := x509.ParseCertificate(withKey(t, withdrawn, odd[name], signer))
		if err == nil && key.PublicKey.Equal(cert.PublicKey) {
			chains[name] = []*x509.Certificate{leaf, cert}
		}
	}
	require.NotEmpty(t, chains)
	return root, withdrawn, chains
}

func kitSign(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// makeReal has embedded CAs, for which no private key is needed.
func makeReal(t *testing.T, k kit) {
	read := func(name string) *x509.Certificate {
		data, err := os.ReadFile("certs/" + name + ".pem")
		require.NoError(t, err)
		block, _ := pem.Decode(data)
		cert, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		return cert
	}
	g3root := read("g3/staat-der-nederlanden-root-ca-g3")
	for _, c := range []struct{ name, verdict, tsp, domain, root string }{
		{"real-g1", "accept", "private-g1/kpn-pkioverheid-private-services-ca-g1", "private-g1/staat-der-nederlanden-private-services-ca-g1", "private-g1/staat-der-nederlanden-private-root-ca-g1"},
		{"real-g4", "accept", "private-g4-tls/kpn-g4-pkio-priv-g-tls-sys-2025", "private-g4-tls/staat-der-nederlanden-g4-intm-priv-g-tls-sys-2024", "private-g4-tls/staat-der-nederlanden-g4-root-priv-g-tls-2024"},
		{"real-ev", "refuse expired", "ev/kpn-pkioverheid-server-ca-2020", "ev/staat-der-nederlanden-domein-server-ca-2020", "ev/staat-der-nederlanden-ev-root-ca"},
		{"real-g3", "refuse withdrawn", "g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2019", "g3/staat-der-nederlanden-organisatie-services-ca-g3", "g3/staat-der-nederlanden-root-ca-g3"},
	} {
		file := (&kitCase{}).set("comment", "A real CA, verified up to its root.").set("time", kitTime.Format(time.RFC3339)).set("purpose", "any").set("verdict", c.verdict)
		k["pkio-"+c.name] = file.certs("chain", read(c.tsp), read(c.domain)).certs("root", read(c.root)).certs("withdrawn", g3root)
	}
}

func TestTheTestKitIsMadeOfTheSameBytesTwice(t *testing.T) {
	if fips140.Enforced() {
		t.Skip("fips140=only allows no randomness that is the same twice")
	}
	first, second := map[string]string{}, map[string]string{}
	for _, made := range []map[string]string{first, second} {
		t.Run("make", func(t *testing.T) {
			for name, c := range makeKit(t) {
				made[name] = c.text()
			}
		})
	}
	require.NotEmpty(t, first)
	assert.Equal(t, first, second)
	if *updateTestKit {
		old, err := filepath.Glob(testKit + "/pkio-*.txt")
		require.NoError(t, err)
		for _, path := range old {
			require.NoError(t, os.Remove(path))
		}
		for name, text := range first {
			require.NoError(t, os.WriteFile(filepath.Join(testKit, name+".txt"), []byte(text), 0o644))
		}
	}
	for name, text := range first { // what Go releases sign may differ
		head := func(s string) string { s, _, _ = strings.Cut(s, "\n\n"); return s }
		data, err := os.ReadFile(filepath.Join(testKit, name+".txt"))
		require.NoError(t, err)
		assert.Equal(t, head(text), head(string(data)), name)
	}
}

// readCase reads a file of the kit.
func readCase(t *testing.T, path string) (headers map[string]string, certs map[string][]*x509.Certificate, lists [][]byte) {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	parts := strings.Split(string(data), "\n\n[")
	headers, certs = map[string]string{}, map[string][]*x509.Certificate{}
	for line := range strings.Lines(parts[0]) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		require.True(t, ok, line)
		headers[name] = value
	}
	for _, part := range parts[1:] {
		name, rest, _ := strings.Cut(part, "]")
		for block, rest := pem.Decode([]byte(rest)); block != nil; block, rest = pem.Decode(rest) {
			if name == "crl" {
				lists = append(lists, block.Bytes)
				continue
			}
			cert, err := x509.ParseCertificate(block.Bytes)
			require.NoError(t, err)
			certs[name] = append(certs[name], cert)
		}
	}
	return headers, certs, lists
}

// kitVerdict is what this module makes of a case.
func kitVerdict(t *testing.T, headers map[string]string, certs map[string][]*x509.Certificate, lists [][]byte) string {
	at, err := time.Parse(time.RFC3339, headers["time"])
	require.NoError(t, err)
	var by string
	as := func(reason string, p chain.Policy) chain.Option {
		return chain.WithPolicy(func(c chain.Chain, at time.Time) error {
			err := p(c, at)
			if err != nil {
				by = reason
			}
			if err != nil && strings.Contains(err.Error(), ": permitted names: ") {
				by = "name"
			}
			return err
		})
	}
	var keys [][32]byte
	for _, cert := range certs["withdrawn"] {
		keys = append(keys, chain.KeyHash(cert))
	}
	opts := []chain.Option{as("withdrawn", chain.VetoKeys(keys...).Policy)}
	if id := headers["policy"]; id != "" {
		oid, err := x509.ParseOID(id)
		require.NoError(t, err)
		opts = append(opts, as("policy", chain.PolicyInputs{Acceptable: []x509.OID{oid}}.Policy))
	}
	if headers["profile"] == "rfc5280" {
		opts = append(opts, as("malformed", profile.RFC5280))
	}
	if headers["revocation"] == "required" {
		dir := t.TempDir()
		for i, der := range lists {
			require.NoError(t, os.WriteFile(fmt.Sprintf("%s/%d.crl", dir, i), der, 0o600))
		}
		checker, err := crl.NewChecker(crl.Config{Folder: dir, Time: func() time.Time { return at }})
		require.NoError(t, err)
		defer checker.Close()
		opts = append(opts, chain.WithPolicy(checker.Policy))
	}
	v, err := chain.NewVerifier(truststore.New(certs["root"]...), truststore.New(certs["known"]...), opts...)
	require.NoError(t, err)
	usage := map[string]x509.ExtKeyUsage{"server": x509.ExtKeyUsageServerAuth, "any": x509.ExtKeyUsageAny}[headers["purpose"]]
	_, err = v.Verify(certs["chain"][0], chain.VerifyOptions{Time: at, DNSName: headers["host"], KeyUsages: []x509.ExtKeyUsage{usage}, Extra: certs["chain"][1:]})
	if err == nil {
		return "accept"
	}
	var e *chain.Error
	require.True(t, errors.As(err, &e))
	for _, cert := range certs["chain"] {
		if e.Reason == chain.UnknownAuthority && (strings.Contains(cert.Issuer.CommonName, "TRIAL ") || strings.Contains(cert.Issuer.CommonName, "ACCEPTATIE ")) {
			return "refuse test-certificate"
		}
	}
	switch e.Reason {
	case chain.RefusedByPolicy:
		return "refuse " + by
	case chain.WrongName, chain.NameNotPermitted:
		return "refuse name"
	case chain.WrongUsage:
		return "refuse usage"
	case chain.NoValidPolicy:
		return "refuse policy"
	case chain.Expired, chain.NotYetValid, chain.UnknownAuthority, chain.Revoked, chain.RevocationUnknown:
		return "refuse " + strings.ReplaceAll(string(e.Reason), " ", "-")
	}
	return "refuse malformed"
}

func TestTheTestKit(t *testing.T) {
	files, err := filepath.Glob(testKit + "/*.txt")
	require.NoError(t, err)
	require.Greater(t, len(files), 150)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			headers, certs, lists := readCase(t, path)
			assert.Equal(t, headers["verdict"], kitVerdict(t, headers, certs, lists), headers["comment"])
		})
	}
}
