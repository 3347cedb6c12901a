package pkioverheid_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestAVerifierRefusesWhatAClientRefuses(t *testing.T) {
	g1, g3 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3)
	verify := func(trust pkioverheid.Trust, certs ...*x509.Certificate) error {
		v, err := pkioverheid.NewVerifier(trust)
		require.NoError(t, err)
		_, _, err = v.Inspect(certs, pkioverheid.SignerOptions{Time: g1.Time()})
		return err
	}
	leaf := g1.Issue(pkiotest.Leaf{LeafOnly: true}).Leaf
	assert.NoError(t, verify(pkiotest.Trust(g1), leaf))
	assert.Error(t, verify(pkioverheid.Trust{}, append([]*x509.Certificate{leaf}, g1.Certificates()...)...))
	assert.Error(t, verify(pkiotest.Trust(g1), append([]*x509.Certificate{g3.Issue(pkiotest.Leaf{}).Leaf}, g3.Certificates()...)...))
	refuse := func(c chain.Chain, _ time.Time) error { return assert.AnError }
	assert.ErrorIs(t, verify(pkioverheid.Trust{Roots: truststore.NewSource(g1.Roots()), Policy: refuse}, leaf), assert.AnError)

	_, err := pkioverheid.NewVerifier(pkioverheid.Trust{Roots: truststore.NewSource(g3.Roots())})
	assert.ErrorContains(t, err, "G3")

	// What is put into the store later was not checked, and does not come in.
	store := truststore.New()
	v, err := pkioverheid.NewVerifier(pkioverheid.Trust{Roots: truststore.NewSource(store)})
	require.NoError(t, err)
	store.Add(g1.Certificates()[0])
	_, _, err = v.Inspect([]*x509.Certificate{leaf}, pkioverheid.SignerOptions{})
	assert.Error(t, err)
}

// What a token's header has in x5c, as a caller sends it.
func TestWhoeverShowsACertificateMustProveTheKey(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g1))
	require.NoError(t, err)
	system := g1.Issue(pkiotest.Leaf{OIN: someOIN})
	certs := []*x509.Certificate{system.Leaf, g1.Certificates()[2]}
	good := func(*x509.Certificate) error { return nil }

	id, err := v.Verify(certs, pkioverheid.SignerOptions{}, func(c *x509.Certificate) error {
		assert.True(t, system.Leaf.Equal(c))
		return nil
	})
	require.NoError(t, err)
	assert.EqualValues(t, someOIN, id.OIN())
	assert.NoError(t, pkioverheid.AllowOIN(someOIN)(id))

	stolen := errors.New("the signature is of another key")
	id, err = v.Verify(certs, pkioverheid.SignerOptions{}, func(*x509.Certificate) error { return stolen })
	assert.ErrorIs(t, err, stolen)
	assert.Error(t, pkioverheid.AllowAnySystem()(id))
	_, err = v.Verify(certs, pkioverheid.SignerOptions{}, nil)
	assert.ErrorContains(t, err, "proves nothing")

	asked := false
	never := func(*x509.Certificate) error { asked = true; return nil }
	many := slices.Repeat(certs, 6)
	person := g1.Issue(pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.8.1"}}).Leaf
	ended := g1.Issue(pkiotest.Leaf{NotAfter: time.Now().Add(-24 * time.Hour)}).Leaf
	cas := g1.Certificates()
	for name, c := range map[string]struct {
		certs []*x509.Certificate
		opts  pkioverheid.SignerOptions
	}{
		"nothing":      {nil, pkioverheid.SignerOptions{}},
		"a nil":        {[]*x509.Certificate{nil}, pkioverheid.SignerOptions{}},
		"never parsed": {[]*x509.Certificate{{}}, pkioverheid.SignerOptions{}},
		"too many":     {many, pkioverheid.SignerOptions{}},
		"a person":     {[]*x509.Certificate{person}, pkioverheid.SignerOptions{}},
		"an organisation's, and systems are wanted": {[]*x509.Certificate{g1.Issue(pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.8.4"}}).Leaf}, pkioverheid.SignerOptions{Kinds: []pkioverheid.Kind{pkioverheid.System}}},
		"ended":           {[]*x509.Certificate{ended}, pkioverheid.SignerOptions{}},
		"of another time": {certs, pkioverheid.SignerOptions{Time: time.Now().AddDate(9, 0, 0)}},
		"for another use": {certs, pkioverheid.SignerOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}},
		"G3":              {[]*x509.Certificate{pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{}).Leaf}, pkioverheid.SignerOptions{}},
		"a CA":            {cas[2:3], pkioverheid.SignerOptions{}},
		"a forged one":    {[]*x509.Certificate{forgedPair(t, someOIN).Leaf}, pkioverheid.SignerOptions{}},
	} {
		id, err := v.Verify(c.certs, c.opts, never)
		assert.Error(t, err, name)
		assert.Equal(t, pkioverheid.Identity{}, id, name)
	}
	assert.False(t, asked, "the signature is checked last")

	root, signer := testcert.OtherHierarchy(t, "2.16.528.1.1003.1.2.44.16.11.1", someOIN)
	other, err := pkioverheid.NewVerifier(pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root))})
	require.NoError(t, err)
	_, err = other.Verify([]*x509.Certificate{signer.Leaf}, pkioverheid.SignerOptions{}, good)
	assert.ErrorContains(t, err, "not the certificate of a system or an organisation")
	_, _, err = other.Inspect([]*x509.Certificate{signer.Leaf}, pkioverheid.SignerOptions{})
	assert.ErrorContains(t, err, "not the certificate of a system or an organisation")
	id, err = other.Verify([]*x509.Certificate{signer.Leaf}, pkioverheid.SignerOptions{Kinds: []pkioverheid.Kind{pkioverheid.Person}}, good)
	assert.NoError(t, err)
	assert.Equal(t, pkioverheid.Person, id.Kind())
	_, err = v.Verify([]*x509.Certificate{ended}, pkioverheid.SignerOptions{Time: time.Now().Add(-36 * time.Hour)}, good)
	assert.NoError(t, err, "an archive of then")

	raw := [][]byte{system.Leaf.Raw, g1.Certificates()[2].Raw}
	id, err = v.VerifyRaw(raw, pkioverheid.SignerOptions{}, good)
	assert.NoError(t, err)
	assert.EqualValues(t, someOIN, id.OIN())
	_, err = v.VerifyRaw([][]byte{{1, 2}}, pkioverheid.SignerOptions{}, good)
	assert.ErrorContains(t, err, "certificate 1 cannot be read")
	_, err = v.VerifyRaw(slices.Repeat(raw, 6), pkioverheid.SignerOptions{}, good)
	assert.ErrorContains(t, err, "at most 10")
}

// A zero Kind, left over in a list or read from a setting that is not there, would let in
// every certificate whose policies say nothing.
func TestAKindThatIsNoneIsAnError(t *testing.T) {
	root, leaf := testcert.OtherHierarchy(t, "1.2.3.4", someOIN)
	v, err := pkioverheid.NewVerifier(pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root))})
	require.NoError(t, err)
	for name, kinds := range map[string][]pkioverheid.Kind{
		"zero alone":        {""},
		"zero among others": {pkioverheid.System, ""},
		"another word":      {"robot"},
	} {
		opts := pkioverheid.SignerOptions{Kinds: kinds}
		id, err := v.Verify([]*x509.Certificate{leaf.Leaf}, opts, func(*x509.Certificate) error { return nil })
		assert.ErrorContains(t, err, "is not a Kind", name)
		assert.Equal(t, pkioverheid.Identity{}, id, name)
		_, _, err = v.Inspect([]*x509.Certificate{leaf.Leaf}, opts)
		assert.ErrorContains(t, err, "is not a Kind", name)
	}
	_, _, err = v.Inspect([]*x509.Certificate{leaf.Leaf}, pkioverheid.SignerOptions{})
	assert.ErrorContains(t, err, "not the certificate of a system or an organisation")
}

func TestAVerifierFollowsItsRoots(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	roots := truststore.NewSource(g1.Roots())
	v, err := pkioverheid.NewVerifier(pkioverheid.Trust{Roots: roots})
	require.NoError(t, err)
	leaf := []*x509.Certificate{g4.Issue(pkiotest.Leaf{}).Leaf}
	_, _, err = v.Inspect(leaf, pkioverheid.SignerOptions{})
	assert.Error(t, err)
	require.NoError(t, roots.Set(g4.Roots()))
	c, claim, err := v.Inspect(leaf, pkioverheid.SignerOptions{})
	require.NoError(t, err)
	assert.Len(t, c, 4)
	assert.Equal(t, pkioverheid.PrivateG4TLS, claim.Hierarchy)
}

// A token came with the certificate of its signer. The check is of a library for tokens.
func ExampleVerifier_Verify() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g1)) // yours is the zero Trust
	if err != nil {
		log.Fatal(err)
	}
	signer := g1.Issue(pkiotest.Leaf{OIN: "00000003271987420000"})
	message := sha256.Sum256([]byte("token"))
	signature, err := signer.PrivateKey.(crypto.Signer).Sign(rand.Reader, message[:], crypto.SHA256)
	if err != nil {
		log.Fatal(err)
	}

	x5c := []*x509.Certificate{signer.Leaf}
	id, err := v.Verify(x5c, pkioverheid.SignerOptions{}, func(cert *x509.Certificate) error {
		return rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, message[:], signature)
	})
	fmt.Println(id.OIN(), err)
	// Output: 00000003271987420000 <nil>
}

// An archive has a document, its detached signature and the certificate of the signer, under
// EV, of which all certificates have ended. A timestamp says that it was there in 2021: that
// time must come from somebody else than the signer.
func ExampleVerifier_VerifyRaw() {
	ev := pkiotest.New(pkioverheid.EV)
	document, signature, certificate := signedIn2021(ev)

	v, err := pkioverheid.NewVerifier(pkiotest.Trust(ev)) // yours is Trust{Hierarchies: []Hierarchy{EV}}
	if err != nil {
		log.Fatal(err)
	}
	check := func(cert *x509.Certificate) error {
		return cert.CheckSignature(x509.SHA256WithRSA, document, signature)
	}
	then := pkioverheid.SignerOptions{Time: time.Date(2021, 6, 1, 12, 0, 0, 0, time.UTC)}
	id, err := v.VerifyRaw([][]byte{certificate}, then, check)
	fmt.Println(id.OIN(), id.Hierarchy(), err)

	_, err = v.VerifyRaw([][]byte{certificate}, pkioverheid.SignerOptions{}, check)
	var failed *chain.Error
	fmt.Println(errors.As(err, &failed) && failed.Reason == chain.Expired)
	document = []byte("Besluit: afgewezen")
	_, err = v.VerifyRaw([][]byte{certificate}, then, check)
	fmt.Println(err != nil)
	// Output:
	// 00000003271987420000 EV <nil>
	// true
	// true
}

func signedIn2021(ev *pkiotest.Authority) (document, signature, certificate []byte) {
	signer := ev.Issue(pkiotest.Leaf{OIN: "00000003271987420000", NotBefore: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)})
	document = []byte("Besluit: toegekend")
	sum := sha256.Sum256(document)
	signature, err := signer.PrivateKey.(crypto.Signer).Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		log.Fatal(err)
	}
	return document, signature, signer.Certificate[0]
}

// The certificate of a signature made in 2022, verified at that time.
func ExampleVerifier_Inspect() {
	ev := pkiotest.New(pkioverheid.EV)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(ev)) // yours is the zero Trust
	if err != nil {
		log.Fatal(err)
	}
	signer := []*x509.Certificate{ev.Issue(pkiotest.Leaf{LeafOnly: true, CommonName: "signer"}).Leaf}
	c, claim, err := v.Inspect(signer, pkioverheid.SignerOptions{Time: ev.Time()})
	fmt.Println(len(c), claim.Hierarchy, err)
	_, _, err = v.Inspect(signer, pkioverheid.SignerOptions{})
	fmt.Println(err != nil)
	// Output:
	// 4 EV <nil>
	// true
}

func ExampleVerifier_Chains() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g1))
	if err != nil {
		log.Fatal(err)
	}
	x := v.Chains().Explain([]*x509.Certificate{g1.Issue(pkiotest.Leaf{}).Leaf}, chain.VerifyOptions{})
	fmt.Println(x.Err, len(x.Path))
	// Output: <nil> 4
}

// Nobody can renew a certificate under EV: its CAs have expired too.
func TestTheExplanationOfACertificateUnderEVDoesNotAskToRenewIt(t *testing.T) {
	ev := pkiotest.New(pkioverheid.EV)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(ev))
	require.NoError(t, err)
	e := v.Chains().Explain([]*x509.Certificate{ev.Issue(pkiotest.Leaf{}).Leaf}, chain.VerifyOptions{Time: time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.Equal(t, chain.Expired, e.Reason)
	assert.Contains(t, e.Advice, "Ask for a certificate of another CA.")
}

func TestASignerIsAskedForItsOIN(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(a))
	require.NoError(t, err)
	const one, two = pkioverheid.OIN("00000099000000001000"), pkioverheid.OIN("00000099000000002000")
	signed := func(*x509.Certificate) error { return nil }
	verify := func(cert tls.Certificate, oins ...pkioverheid.OIN) error {
		_, err := v.Verify([]*x509.Certificate{cert.Leaf}, pkioverheid.SignerOptions{OINs: oins}, signed)
		return err
	}
	assert.NoError(t, verify(a.Issue(pkiotest.Leaf{OIN: one})))
	assert.NoError(t, verify(a.Issue(pkiotest.Leaf{})))
	assert.NoError(t, verify(a.Issue(pkiotest.Leaf{OIN: one}), two, one))
	err = verify(a.Issue(pkiotest.Leaf{OIN: one}), two)
	assert.ErrorContains(t, err, "bears the OIN 00000099000000001000")
	var refused *chain.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
	assert.ErrorContains(t, verify(a.Issue(pkiotest.Leaf{}), two), "no serialNumber")
	assert.ErrorContains(t, verify(a.Issue(pkiotest.Leaf{OIN: one}), one, "1"), "SignerOptions.OINs")
}

// TSPs number persons as they like, and some with twenty digits.
func TestTheNumberOfAPersonIsNotAnOIN(t *testing.T) {
	const number = pkioverheid.OIN("00000099000000001000")
	root, person := testcert.OtherHierarchy(t, "2.16.528.1.1003.1.2.44.16.11.1", number)
	v, err := pkioverheid.NewVerifier(pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root))})
	require.NoError(t, err)
	signer := []*x509.Certificate{person.Leaf}
	signed := func(*x509.Certificate) error { return nil }
	persons := []pkioverheid.Kind{pkioverheid.Person, pkioverheid.System}
	id, err := v.Verify(signer, pkioverheid.SignerOptions{Kinds: persons}, signed)
	require.NoError(t, err)
	require.Equal(t, pkioverheid.Person, id.Kind())
	_, err = v.Verify(signer, pkioverheid.SignerOptions{Kinds: persons, OINs: []pkioverheid.OIN{number}}, signed)
	assert.ErrorContains(t, err, "of a person")
}

// crypto/x509 counts a negative usage as one that every certificate allows.
func TestAKeyUsageThatIsNoneIsAnError(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(a))
	require.NoError(t, err)
	for _, u := range []x509.ExtKeyUsage{-1, 64, 9999} {
		_, _, err = v.Inspect([]*x509.Certificate{a.Issue(pkiotest.Leaf{}).Leaf}, pkioverheid.SignerOptions{KeyUsages: []x509.ExtKeyUsage{u}})
		assert.Error(t, err, "%d", u)
	}
}
