package chain_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

var update = flag.Bool("update", false, "write the golden files of this package anew; look at each before committing it")

// fixedKey is the same key for the same name, for ever.
func fixedKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// fixed makes a certificate that is the same in each run: of a name, its number
// and edits. keyName is who it is for.
func fixed(keyName string, number int64) edit {
	return func(c *x509.Certificate) {
		c.SerialNumber = big.NewInt(number)
		id := sha256.Sum256([]byte("id of " + keyName))
		c.SubjectKeyId = id[:20]
	}
}

func fixedRoot(name string, edits ...edit) authority {
	return newRootFor(fixedKey(name), name, append([]edit{fixed(name, 1)}, edits...)...)
}

func (a authority) fixedCA(name string, number int64, edits ...edit) authority {
	return a.certify(name, fixedKey(name), append([]edit{fixed(name, number)}, edits...)...)
}

func (a authority) fixedLeaf(host string, number int64, edits ...edit) *x509.Certificate {
	return sign(leafTemplate(host), a.Certificate, fixedKey(host), a.key, append([]edit{fixed(host, number)}, edits...))
}

// fixedLayers is newLayers, the same in each run.
func fixedLayers(edits ...[]edit) layers {
	of := func(i int) []edit {
		if i < len(edits) {
			return edits[i]
		}
		return nil
	}
	named := func(organisation string) edit {
		return func(c *x509.Certificate) {
			c.Subject.Organization, c.Subject.Country = []string{organisation}, []string{"NL"}
		}
	}
	var l layers
	l.root = fixedRoot("Root", append([]edit{named("State")}, of(0)...)...)
	l.domain = l.root.fixedCA("Domain CA", 2, append([]edit{named("State")}, of(1)...)...)
	l.issuing = l.domain.fixedCA("Issuing CA", 3, append([]edit{named("Supplier B.V.")}, of(2)...)...)
	l.leaf = l.issuing.fixedLeaf("host.example", 0x1a2b, append([]edit{named("Buyer")}, of(3)...)...)
	return l
}

// explained is one case of the golden files.
type explained struct {
	file     string
	verifier *chain.Verifier
	certs    []*x509.Certificate
	opts     chain.VerifyOptions
	reason   chain.Reason // 0: fine
	json     bool
}

func explainedCases(t *testing.T) []explained {
	l := fixedLayers()
	trusting := l.verifier()
	onlyRoot := mustVerifier(l.roots(), truststore.New())
	stranger := fixedRoot("Other Root")
	untrusted := stranger.fixedCA("Other CA", 7)
	same := newRootFor(fixedKey("Namesake"), "Root", fixed("Namesake", 66), func(c *x509.Certificate) { c.Subject = l.root.Subject })
	self := sign(leafTemplate("self.example"), nil, fixedKey("self"), fixedKey("self"), []edit{fixed("self", 9)})

	oldCA := fixedLayers(nil, nil, []edit{expired})
	young := fixedLayers(nil, nil, nil, []edit{notYetValid})
	old := fixedLayers(nil, nil, nil, []edit{expired})
	clients := fixedLayers(nil, nil, []edit{usages(x509.ExtKeyUsageClientAuth)})
	signer := fixedLayers(nil, nil, nil, []edit{usages(x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageClientAuth)})
	short := fixedLayers(nil, []edit{maxPathLen(0)})
	narrow := fixedLayers(nil, []edit{onlyDomain("other.example")})
	odd := fixedLayers(nil, nil, nil, []edit{unknownCritical})
	silent := fixedLayers(nil, nil, nil, []edit{func(c *x509.Certificate) { c.DNSNames = nil }})
	noCA := authority{l.leaf, fixedKey("host.example")}
	hostile := l.issuing.fixedLeaf("host.example", 0x66, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "\x1b[2J\x07\u202etxe.\u2066evil\"\n", Organization: []string{strings.Repeat("long ", 100)}}
		c.DNSNames = []string{"\x1b]0;owned\x07", "b.example", "c.example", "d.example", "e.example"}
	})
	located := untrusted.fixedLeaf("host.example", 8, func(c *x509.Certificate) {
		c.IssuingCertificateURL = []string{"http://certificates.example/other-ca.cer"}
	})
	shuffled := []*x509.Certificate{l.root.Certificate, untrusted.Certificate, l.issuing.Certificate, l.leaf,
		l.domain.fixedCA("Second CA", 4, expired).Certificate, l.domain.Certificate, l.leaf, l.issuing.fixedLeaf("second.example", 5)}
	many := []*x509.Certificate{l.leaf}
	for i := range 1000 {
		many = append(many, stranger.fixedLeaf(fmt.Sprintf("host%d.example", i), int64(100+i)))
	}
	distrusts := l.verifier(chain.WithVeto(chain.VetoKeys(chain.KeyHash(l.issuing.Certificate))))
	withdrawn := fixedRoot("Old Root")
	gone := l.verifier(chain.WithDistrusted(truststore.New(withdrawn.Certificate), func(c []*x509.Certificate) error {
		return &chain.Error{Reason: chain.RefusedByPolicy, Chain: c, Cert: c[len(c)-1],
			Problem: `"Old Root" was withdrawn in 2025.`, Advice: "Ask for a certificate under the new one.", Err: []error{errors.New("this CA was withdrawn in 2025")}}
	}))
	weak := l.verifier(chain.WithPolicy(func(chain.Chain, time.Time) error {
		return errors.New("certificates of Buyer are refused on Sundays")
	}))
	list := l.verifier(chain.WithPolicy(func(c chain.Chain, at time.Time) error {
		return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: c.Leaf(), At: at, Err: []error{errors.New("since 2026-10-12, reason keyCompromise")}}
	}))
	cautious := mustVerifier(l.roots(), truststore.New(), chain.WithLimits(3, 100))
	large := sign(leafTemplate("large.example"), l.issuing.Certificate, newSmoothKey(16384, 65537), l.issuing.key, []edit{fixed("large", 10)})
	reissued := []*x509.Certificate{l.leaf, l.domain.Certificate}
	for i := range 10 {
		reissued = append(reissued, l.domain.certify("Issuing CA", l.issuing.key, fixed("Issuing CA", int64(20+i)), func(c *x509.Certificate) { c.Subject = l.issuing.Subject }).Certificate)
	}
	host := chain.VerifyOptions{DNSName: "host.example"}
	leaf := []*x509.Certificate{l.leaf}

	g1, g4 := realHierarchy(t, "private-g1"), realHierarchy(t, "private-g4-tls")
	trustG1 := mustVerifier(g1.SelfSigned(), g1.Filter(func(c *x509.Certificate) bool { return !g1.SelfSigned().Contains(c) }))
	realCA := func(s *truststore.Store, name string) *x509.Certificate {
		for c := range s.All() {
			if strings.Contains(c.Subject.CommonName, name) && !bytes.Equal(c.RawSubject, c.RawIssuer) {
				return c
			}
		}
		require.Fail(t, "no such CA", name)
		return nil
	}
	anyUse := chain.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}

	return []explained{
		{"fine", onlyRoot, l.full()[:3], host, "", true},
		{"fine-leaf-alone", trusting, leaf, host, "", false},
		{"fine-shuffled-with-unused", onlyRoot, shuffled, host, "", false},
		{"fine-real-ca", trustG1, []*x509.Certificate{realCA(g1, "KPN")}, anyUse, "", false},
		{"expired", trusting, []*x509.Certificate{old.leaf}, host, chain.Expired, true},
		{"expired-ca", onlyRoot, oldCA.full()[:3], host, chain.Expired, false},
		{"expired-just-now", trusting, leaf, chain.VerifyOptions{Time: l.leaf.NotAfter.Add(90 * time.Minute)}, chain.Expired, false},
		{"not-yet-valid", trusting, []*x509.Certificate{young.leaf}, host, chain.NotYetValid, false},
		{"unknown-authority", trusting, []*x509.Certificate{untrusted.fixedLeaf("host.example", 8)}, host, chain.UnknownAuthority, false},
		{"unknown-authority-with-url", trusting, []*x509.Certificate{located}, host, chain.UnknownAuthority, false},
		{"unknown-authority-issuer-missing", onlyRoot, []*x509.Certificate{l.leaf, l.issuing.Certificate}, host, chain.UnknownAuthority, true},
		{"unknown-authority-untrusted-root", trusting, []*x509.Certificate{untrusted.fixedLeaf("host.example", 8), untrusted.Certificate, stranger.Certificate}, host, chain.UnknownAuthority, false},
		{"unknown-authority-self-signed", trusting, []*x509.Certificate{self}, chain.VerifyOptions{DNSName: "self.example"}, chain.UnknownAuthority, false},
		{"unknown-authority-another-key", mustVerifier(truststore.New(same.Certificate), truststore.New()), l.full()[:3], host, chain.UnknownAuthority, false},
		{"unknown-authority-real-ca", trustG1, []*x509.Certificate{realCA(g4, "KPN")}, anyUse, chain.UnknownAuthority, false},
		{"bad-signature", trusting, []*x509.Certificate{mutated(l.leaf)}, host, chain.BadSignature, false},
		{"wrong-name", trusting, leaf, chain.VerifyOptions{DNSName: "other.example"}, chain.WrongName, false},
		{"wrong-name-none", trusting, []*x509.Certificate{silent.leaf}, host, chain.WrongName, false},
		{"wrong-usage", trusting, []*x509.Certificate{signer.leaf}, host, chain.WrongUsage, false},
		{"wrong-usage-ca", clients.verifier(), []*x509.Certificate{clients.leaf}, host, chain.WrongUsage, false},
		{"path-too-long", short.verifier(), []*x509.Certificate{short.leaf}, host, chain.PathTooLong, false},
		{"name-not-permitted", narrow.verifier(), []*x509.Certificate{narrow.leaf}, host, chain.NameNotPermitted, false},
		{"no-ca", trusting, []*x509.Certificate{noCA.fixedLeaf("below.example", 10), l.leaf}, chain.VerifyOptions{DNSName: "below.example"}, chain.NotACA, false},
		{"refused-by-policy", distrusts, leaf, host, chain.RefusedByPolicy, false},
		{"refused-by-distrusted-root", gone, []*x509.Certificate{withdrawn.fixedLeaf("host.example", 11)}, host, chain.RefusedByPolicy, false},
		{"refused-by-policy-no-certificate", weak, leaf, host, chain.RefusedByPolicy, false},
		{"revoked", list, leaf, host, chain.Revoked, true},
		{"unsupported", trusting, []*x509.Certificate{odd.leaf}, host, chain.Unsupported, false},
		{"unsupported-large-key", cautious, []*x509.Certificate{large}, anyUse, chain.Unsupported, false},
		{"unsupported-too-many", cautious, reissued, host, chain.Unsupported, false},
		{"nothing", trusting, nil, host, chain.Unsupported, false},
		{"hostile-names", trusting, []*x509.Certificate{hostile, l.issuing.Certificate}, chain.VerifyOptions{DNSName: "\x1b[2J.example"}, chain.WrongName, true},
		{"a-thousand", onlyRoot, many, host, chain.UnknownAuthority, false},
	}
}

// realHierarchy reads the certificates of a real hierarchy, which are files.
func realHierarchy(t *testing.T, name string) *truststore.Store {
	t.Helper()
	s, err := truststore.Open(filepath.Join("..", "pkioverheid", "certs", name))
	require.NoError(t, err)
	return s
}

func TestExplain(t *testing.T) {
	for _, test := range explainedCases(t) {
		t.Run(test.file, func(t *testing.T) {
			if test.opts.Time.IsZero() {
				test.opts.Time = now
			}
			e := test.verifier.Explain(test.certs, test.opts)
			assert.Equal(t, test.reason, e.Reason)
			assert.Equal(t, test.reason == "", e.OK)
			assert.Equal(t, e.OK, e.Err == nil)
			text := e.String()
			golden(t, test.file+".txt", text)
			assert.Equal(t, text, test.verifier.Explain(test.certs, test.opts).String(), "each time the same")
			if test.json {
				data, err := json.MarshalIndent(e, "", "  ")
				require.NoError(t, err)
				golden(t, test.file+".json", string(data)+"\n")
			}

			for i, line := range strings.Split(text, "\n") {
				assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, "line %d: %s", i+1, line)
				assert.Equal(t, strings.TrimRight(line, " "), line, "line %d", i+1)
			}
			for _, r := range text {
				if r != '\n' && !unicode.IsPrint(r) || r == utf8.RuneError {
					assert.Fail(t, "not printable", "%q", r)
				}
			}
			assert.Less(t, len(text), 8<<10)
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", "explain", file)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	assert.Equal(t, string(want), got)
}

// Whatever the hierarchy, the verdict is Verify's, and what is said about each
// certificate goes with it.
func TestExplainAgreesWithVerify(t *testing.T) {
	accepted, refused := 0, 0
	for seed := range uint64(40) {
		w := newWorld(newDice(seed, nil))
		for range 15 {
			q := w.question()
			w.at = q.at
			opts := chain.VerifyOptions{DNSName: q.dns, Time: q.at, KeyUsages: q.usages, Extra: q.extra}
			for _, v := range []*chain.Verifier{w.plain, w.strict} {
				verified, err := v.Verify(q.leaf, opts)
				e := v.Explain([]*x509.Certificate{q.leaf}, opts)
				require.Equal(t, err == nil, e.OK, w.describe(q))
				failed := 0
				path := chain.Chain{}
				for i, cert := range e.Path {
					path = append(path, cert.Certificate)
					for _, c := range cert.Observations {
						if c.Result == chain.Fail {
							failed++
						}
						require.NotEmpty(t, c.Text)
					}
					if i > 0 && e.OK {
						require.NoError(t, e.Path[i-1].Certificate.CheckSignatureFrom(cert.Certificate))
					}
				}
				if err == nil {
					accepted++
					require.Zero(t, failed, "%s\n%s", e, w.describe(q))
					require.Empty(t, e.Problem)
					assertSameCerts(t, verified, path)
					continue
				}
				refused++
				var own *chain.Error
				require.ErrorAs(t, err, &own)
				require.Equal(t, own.Reason, e.Reason)
				require.NotZero(t, failed, "%v\n%s\n%s", err, e, w.describe(q))
				require.NotEmpty(t, e.Problem)
				require.NotEmpty(t, e.Advice)
				require.Same(t, q.leaf, path.Leaf())
			}
		}
	}
	assert.NotZero(t, accepted)
	assert.NotZero(t, refused)
	t.Log(accepted, "accepted,", refused, "refused")
}

func TestExplainOfAnError(t *testing.T) {
	l := newLayers(nil, []edit{expired})
	v := l.verifier()
	_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
	var failed *chain.Error
	require.ErrorAs(t, err, &failed)
	e := v.Explain(failed.Chain, chain.VerifyOptions{Time: failed.At})
	assert.Equal(t, failed.Reason, e.Reason)
	assert.Contains(t, e.Problem, `"Domain CA" has expired`)
}

func TestExplainIsBounded(t *testing.T) {
	// A thousand CAs of one name and key, which all could have issued each other.
	key := newKey()
	certs := []*x509.Certificate{}
	root := newRoot("Root")
	for range 1000 {
		certs = append(certs, root.certify("CA", key).Certificate)
	}
	leaf := authority{certs[0], key}.issue("host.example", func(c *x509.Certificate) {
		for i := range 2000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("%d.%s.example", i, strings.Repeat("a", 60)))
			c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, []int{1, 2, i})
		}
		c.ExtKeyUsage = nil
		c.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 5000)
		c.Subject.OrganizationalUnit = []string{strings.Repeat("\u202e", 1<<16)}
	})
	v := mustVerifier(truststore.New(newRoot("Other").Certificate), truststore.New())
	begin := time.Now()
	e := v.Explain(append(certs, leaf), chain.VerifyOptions{DNSName: "host.example", Time: now})
	text := e.String()
	assert.Less(t, time.Since(begin), 5*time.Second)
	assert.Less(t, len(text), 8<<10)
	assert.Len(t, e.Unused, 999)
	for _, check := range e.Path[0].Observations {
		assert.Less(t, len(check.Text), 1000)
	}
}

func TestExplainOfOddTimes(t *testing.T) {
	l := newLayers()
	for _, at := range []time.Time{time.Unix(1<<40, 0), time.Unix(-1<<40, 0), now.In(time.FixedZone("X", 5*3600))} {
		e := l.verifier().Explain(l.full(), chain.VerifyOptions{Time: at})
		_, err := json.Marshal(e)
		assert.NoError(t, err)
		assert.NotEmpty(t, e.String())
	}
}

func TestExplanationsOfNothing(t *testing.T) {
	assert.Contains(t, new(chain.Explanation).String(), "REFUSED")
	l := newLayers()
	e := l.verifier().Explain([]*x509.Certificate{nil, {}}, chain.VerifyOptions{})
	assert.Equal(t, chain.Unsupported, e.Reason)
	assert.WithinDuration(t, time.Now(), e.Time, time.Minute)
	e = l.verifier().Explain([]*x509.Certificate{nil, l.leaf}, chain.VerifyOptions{Time: now, Extra: []*x509.Certificate{nil, {}}})
	assert.True(t, e.OK)
}

// What is explained is not a certificate beside itself: it takes no room from the others.
func TestExplainCountsAsVerifyDoes(t *testing.T) {
	root := newRoot("X")
	between := root.issueCA("Y")
	leaf := between.certify("X", newKey()).Certificate
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithLimits(1, 100))
	_, err := v.Verify(leaf, chain.VerifyOptions{Time: now, Extra: []*x509.Certificate{between.Certificate}})
	require.NoError(t, err)
	assert.NoError(t, v.Explain([]*x509.Certificate{leaf, between.Certificate}, chain.VerifyOptions{Time: now}).Err)
}

func TestTheIssuerIsNamedThoughItsNameBeginsLikeTheSubject(t *testing.T) {
	long := strings.Repeat("x", 300)
	leaf := newRoot(long+"a").issue("host.example", func(c *x509.Certificate) { c.Subject.CommonName = long + "b" })
	v := mustVerifier(truststore.New(), truststore.New())
	assert.Contains(t, v.Explain([]*x509.Certificate{leaf}, chain.VerifyOptions{Time: now}).String(), "(named as the issuer)")
}
