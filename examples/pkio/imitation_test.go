package main

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// imitationMark is the extension of what tests take for genuine: nobody here has the keys
// of real CAs.
const imitationMark = "1.3.6.1.4.1.32473.1"

func init() { model.GenuineMark = imitationMark }

var genuine = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 32473, 1}, Value: []byte{5, 0}}}

// imitations are a CA with the name of one under Private G1, a root likewise, and a leaf of
// the former, with what they imitate.
func imitations(t testing.TB) (ca, root, leaf *x509.Certificate) {
	t.Helper()
	key := underG1Key(t)
	issue := func(template, issuer *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), key)
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return cert
	}
	as := func(original *x509.Certificate) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(7), RawSubject: original.RawSubject, NotBefore: original.NotBefore, NotAfter: original.NotAfter, IsCA: true, BasicConstraintsValid: true}
	}
	g1 := pkioverheid.PrivateG1.Certificates()
	root = issue(as(g1[0]), as(g1[0]))
	ca = issue(as(g1[3]), &x509.Certificate{RawSubject: g1[1].RawSubject, SubjectKeyId: g1[1].SubjectKeyId})
	leaf = issue(&x509.Certificate{SerialNumber: big.NewInt(8), Subject: pkix.Name{CommonName: "forged.example"}, DNSNames: []string{"forged.example"},
		NotBefore: day(2026, 1, 1), NotAfter: day(2028, 9, 1)}, ca)
	return ca, root, leaf
}

// What has a name of PKIoverheid without its key is not of PKIoverheid: that is for now, and
// nobody is asked for another one.
func TestImitationsAreForNow(t *testing.T) {
	ca, root, leaf := imitations(t)
	dir := t.TempDir()
	t.Chdir(dir)
	writeFiles(t, dir, map[string]string{"server.pem": pemOf(leaf, ca), "trust.pem": pemOf(append(pkioverheid.PrivateG4TLS.Certificates(), root)...)})
	found := auditOf(t, day(2026, 11, 23), "server.pem", "trust.pem")
	assert.True(t, found.urgent(classNow), "--fail-on now")
	assert.Equal(t, 3, found.Summary.Imitations)
	assert.Equal(t, 3, found.Summary.Now)
	assert.Zero(t, found.Summary.TakeOut+found.Summary.Trust+found.Summary.Later)
	for _, c := range found.Certificates[:3] {
		assert.Equal(t, model.Imitation, c.Status)
		assert.Empty(t, c.Hierarchy+c.Supplier+c.Replacement+c.Deadline)
		assert.Contains(t, c.Reason, "not of PKIoverheid: imitates ")
	}
	table, lines, csv, json, page, metrics := everyOutput(t, found)
	for _, text := range []string{table, lines, page} {
		assert.NotContains(t, text, "Ask ")
		assert.NotContains(t, text, "beside Private G1")
	}
	assert.Contains(t, table, "- now: Take imitations of PKIoverheid out of use, and find out where they came\n  from.\n  3 certificates in 2 files or servers: ")
	assert.Contains(t, table, "9 certificates in 9 places: 3 imitations of PKIoverheid, 6 in order.\n")
	assert.Regexp(t, `\nnow +other +imitation +forged.example +server.pem, line 1\n`, lines)
	assert.Contains(t, csv, "\nnow,,,,,,forged.example,")
	assert.Contains(t, csv, "not of PKIoverheid: imitates ")
	assert.Contains(t, json, `"status":"imitation","state":"imitation","reason":"not of PKIoverheid: imitates \"`+ca.Subject.CommonName+`\"`)
	assert.Contains(t, json, "It is forged, damaged, or of a test chain")
	assert.Contains(t, page, "<li>3 certificates imitate PKIoverheid: ")
	assert.Contains(t, page, "take out: forged.example (line 1)")
	assert.Contains(t, page, `<span class="role">Imitation</span>`)
	assert.NotContains(t, page, "To make it work")
	assert.Regexp(t, `pkio_certificate_state{[^}]*name="forged.example",hierarchy="",[^}]*state="now"} 1`, metrics)
	assert.Contains(t, metrics, `pkio_certificates{state="now"} 3`)

	writeFiles(t, dir, map[string]string{"old.pem": pemOf(pkioverheid.PrivateG4TLS.Certificates()...)})
	d, worse := compareRuns(english, auditOf(t, day(2026, 11, 23), "old.pem"), found)
	assert.True(t, worse)
	require.Len(t, d.Came, 3)
	assert.Equal(t, "forged.example (other), now: not of PKIoverheid: imitates \""+ca.Subject.CommonName+`", whose key did not sign it`, d.Came[2].line(english))

	found.shown.lang = dutch
	table, _, _, _, page, _ = everyOutput(t, found)
	assert.Contains(t, table, "- nu: Haal imitaties van PKIoverheid uit gebruik")
	assert.Contains(t, page, `<span class="role">Imitatie</span>`)
	assert.Contains(t, page, "het imiteert ")
}

// Of what is genuine, or may be, and of fixtures and tests, nothing of the kind is said.
func TestWhatIsNoImitation(t *testing.T) {
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		for _, c := range h.Certificates() {
			assert.Empty(t, model.Imitated(c))
		}
		for _, der := range pkiotest.New(h).Issue(pkiotest.Leaf{}).Certificate {
			c, err := x509.ParseCertificate(der)
			require.NoError(t, err)
			assert.Empty(t, model.Imitated(c))
		}
	}
	assert.Empty(t, model.Imitated(stranger(t)))
	ca, root, leaf := imitations(t)
	for _, c := range []*x509.Certificate{ca, root, leaf} {
		assert.NotEmpty(t, model.Imitated(c))
	}
	leaf.Issuer.CommonName = "Staat der Nederlanden Burger CA - G3" // of which no certificate is available
	assert.Empty(t, model.Imitated(leaf))
}

// Whoever trusts a root of that name by --trust means it.
func TestAnImitationThatIsTrustedOnPurpose(t *testing.T) {
	_, root, _ := imitations(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "root.pem")
	require.NoError(t, os.WriteFile(file, []byte(pemOf(root)), 0o600))
	verifier, err := (&trust{file}).verifier(nil, new(crls))
	require.NoError(t, err)
	c := model.NewCollector(auditRun{At: day(2026, 11, 23)})
	for r := range inventory.Scan(t.Context(), inventory.Config{Time: day(2026, 11, 23), Verifier: verifier}, file) {
		c.Take(r)
	}
	found, _ := c.Finish(0, false, nil)
	assert.Equal(t, model.Trusted, found.Certificates[0].State)
	assert.NotEqual(t, model.Imitation, found.Certificates[0].Status)
}

// Nobody is advised to trust the root of an imitation.
func TestInspectOfAnImitation(t *testing.T) {
	_, root, _ := imitations(t)
	file := filepath.Join(t.TempDir(), "root.pem")
	require.NoError(t, os.WriteFile(file, []byte(pemOf(root)), 0o600))
	for _, command := range []string{"inspect", "verify"} {
		var out bytes.Buffer
		cmd := newRoot()
		cmd.SetOut(&out)
		cmd.SetArgs([]string{command, file, "--at", "2026-11-23", "--lang", "en"})
		assert.Error(t, cmd.Execute(), "status 1")
		text := strings.Join(strings.Fields(out.String()), " ")
		assert.NotContains(t, text, "add it to the roots", command)
		assert.Equal(t, 1, strings.Count(text, "is not of PKIoverheid: it imitates"), command)
	}
}
