package inventory_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestStatesOfTheRealCertificates(t *testing.T) {
	certs := filepath.Join("..", "certs")
	states := func(at time.Time) map[string]int {
		n := map[string]int{}
		found, troubles := scanAll(t, inventory.Config{Time: at, JudgeAhead: true}, certs)
		require.Len(t, found, len(realCAs()))
		require.Empty(t, troubles)
		for _, r := range found {
			id, ok := r.Claim()
			require.True(t, ok)
			n[id.Hierarchy.String()+" "+r.State()]++
			_, err := r.Chain()
			assert.Equal(t, err == nil, r.State() == "trusted")
			assert.Equal(t, err == nil, r.Explain().OK)
			assert.Equal(t, advice.For(r.Certificate, "", at), r.Advice())
		}
		return n
	}
	ev, g4, g3 := len(pkioverheid.EV.Certificates()), len(pkioverheid.PrivateG4TLS.Certificates()), len(pkioverheid.G3.Certificates())
	want := map[string]int{"EV expired": ev, "G3 withdrawn": g3 - 2, "G3 refused by policy": 2}
	for _, h := range pkioverheid.Hierarchies()[1:] { // but for EV
		want[h.String()+" trusted"] = len(h.Certificates())
	}
	assert.Equal(t, want, states(now))
	got := states(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC))
	assert.Equal(t, ev, got["EV trusted"])
	assert.Equal(t, g4, got["Private G4 TLS not yet valid"])
	assert.Equal(t, g3-2, got["G3 withdrawn"])
}

func TestStatesOfLeaves(t *testing.T) {
	for h, want := range map[pkioverheid.Hierarchy]string{
		pkioverheid.EV: "expired", pkioverheid.PrivateG1: "trusted", pkioverheid.PrivateG4TLS: "trusted",
	} {
		authority := pkiotest.New(h)
		leaf := authority.Issue(pkiotest.Leaf{})
		dir := write(t, map[string][]byte{"leaf.pem": []byte(pemOf(leaf.Leaf))})
		at := authority.Time()
		if h == pkioverheid.EV {
			at = time.Time{} // it has ended
		}
		found, _ := scanAll(t, inventory.Config{Verifier: verifierOf(t, h), Time: at}, dir)
		require.Len(t, found, 1)
		assert.Equal(t, want, found[0].State(), h)
		path, err := found[0].Chain()
		if want == "trusted" {
			require.NoError(t, err)
			assert.Len(t, path, 4)
		}
		// The fixture is nobody's CA for those who do not trust it.
		found, _ = scanAll(t, inventory.Config{Time: at}, dir)
		assert.NotEqual(t, "trusted", found[0].State())
		assert.Equal(t, advice.Compromised, found[0].Advice().Status)
	}
	// A leaf of G3 alone is known by the name and key identifier of its issuer.
	g3 := pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{})
	dir := write(t, map[string][]byte{"leaf.pem": []byte(pemOf(g3.Leaf))})
	found, _ := scanAll(t, inventory.Config{Time: now}, dir)
	assert.Equal(t, "withdrawn", found[0].State())
	var refusal *pkioverheid.G3Error
	_, err := found[0].Chain()
	assert.ErrorAs(t, err, &refusal)
}

// A CA that the verifier does not know helps where it lies, and nowhere else.
func TestCAsInTheSameFileHelp(t *testing.T) {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	leaf, certs := authority.Issue(pkiotest.Leaf{}), authority.Certificates()
	onlyRoot, err := chain.NewVerifier(truststore.New(certs[0]), truststore.New())
	require.NoError(t, err)
	dir := write(t, map[string][]byte{
		"1 alone.pem":  []byte(pemOf(leaf.Leaf)),
		"2 chain.pem":  []byte(pemOf(leaf.Leaf, certs[2], certs[1])),
		"3 again.pem":  []byte(pemOf(leaf.Leaf)),
		"4 before.pem": []byte(pemOf(certs[1], certs[2], leaf.Leaf)),
		"5 others.pem": []byte(strings.Repeat(pemOf(certs[0]), 40) + pemOf(roots(t, 40)...) + pemOf(leaf.Leaf, certs[2], certs[1])),
	})
	found, _ := scanAll(t, inventory.Config{Verifier: onlyRoot, Parallel: 1, Time: authority.Time()}, dir)
	found = slices.DeleteFunc(found, func(r inventory.Result) bool { return bytes.Equal(r.Certificate.RawSubject, r.Certificate.RawIssuer) })
	require.Len(t, found, 11)
	for _, r := range found {
		want := "trusted"
		if strings.Contains(r.Path, "alone") || strings.Contains(r.Path, "again") {
			want = "unknown authority"
		}
		assert.Equal(t, want, r.State(), r)
		assert.Equal(t, want == "trusted", r.Explain().OK)
	}
}

// roots are of nobody.
func roots(t testing.TB, n int) (all []*x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for i := range n {
		root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root " + strconv.Itoa(i)}, IsCA: true, BasicConstraintsValid: true}
		der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
		require.NoError(t, err)
		root, err = x509.ParseCertificate(der)
		require.NoError(t, err)
		all = append(all, root)
	}
	return all
}

func TestResultsWithoutACertificate(t *testing.T) {
	var r inventory.Result
	assert.Equal(t, "error", r.State())
	assert.Equal(t, advice.Advice{Status: advice.Unrecognised, Urgency: advice.NotUrgent}, r.Advice())
	assert.Nil(t, r.Explain())
	_, ok := r.Claim()
	assert.False(t, ok)
	path, err := r.Chain()
	assert.Nil(t, path)
	assert.NoError(t, err)
	assert.Empty(t, r.String())
}

// The same certificate in many places is parsed twice: what is seen for the second
// time is remembered.
func TestCertificatesAreShared(t *testing.T) {
	files := map[string][]byte{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		files[name] = root(pkioverheid.PrivateG4TLS)
	}
	found, _ := scanAll(t, inventory.Config{Parallel: 1}, write(t, files))
	require.Len(t, found, len(files))
	seen := map[*x509.Certificate]bool{}
	for _, r := range found {
		seen[r.Certificate] = true
	}
	assert.Len(t, seen, 2)
}
