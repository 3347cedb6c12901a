package pkioverheid

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore"
)

// forge signs a certificate with a key of its own, whatever it claims.
func forge(t testing.TB, change func(template, parent *x509.Certificate)) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Country: []string{"NL"}, Organization: []string{"Somebody"}, CommonName: "somebody.example"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"somebody.example"},
	}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: "Somebody's CA"}}
	change(template, parent)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func named(cn, o string) pkix.Name {
	return pkix.Name{Country: []string{"NL"}, Organization: []string{o}, CommonName: cn}
}

func TestRejectG3RecognisesEveryEmbeddedCAByItsKey(t *testing.T) {
	withdrawn := 0
	for _, cert := range G3.Certificates() {
		err := RejectG3([]*x509.Certificate{cert})
		var g3 *G3Error
		require.ErrorAs(t, err, &g3, cert.Subject.CommonName)
		assert.Equal(t, ByKey, g3.By)
		assert.Equal(t, cert.Subject.CommonName, g3.CA)
		assert.Contains(t, err.Error(), cert.Subject.CommonName)
		if g3.Withdrawn {
			withdrawn++
			assert.Contains(t, err.Error(), "was withdrawn")
			assert.Contains(t, err.Error(), string(g3.TSP))
		}
	}
	want := 0
	for _, k := range knownCAs {
		if k.hierarchy == G3 && k.file != "" && k.withdrawn != "" {
			want++
		}
	}
	assert.Equal(t, want, withdrawn)
	assert.Equal(t, len(G3.Certificates())-2, withdrawn, "every server CA, and neither the root nor the domain CA")
}

func TestRejectG3RecognisesALeafAlone(t *testing.T) {
	for _, ca := range G3.Certificates()[2:] {
		leaf := forge(t, func(template, parent *x509.Certificate) {
			parent.RawSubject = ca.RawSubject
			parent.SubjectKeyId = ca.SubjectKeyId
		})
		var g3 *G3Error
		require.ErrorAs(t, RejectG3([]*x509.Certificate{leaf}), &g3)
		assert.Equal(t, ByKeyIdentifier, g3.By)
		assert.True(t, g3.Withdrawn)
		assert.Contains(t, g3.Error(), "presents itself as issued by")
	}
}

func TestRejectG3ByExactNames(t *testing.T) {
	cases := map[string]struct {
		subject, issuer pkix.Name
		refused         bool
	}{
		"issued by a withdrawn CA's name, with another key identifier": {named("x.example", "X"), named("KPN BV PKIoverheid Organisatie Server CA - G3", "KPN B.V."), true},
		"issued by the seventh server CA, with another key identifier": {named("x.example", "X"), named("Digidentity PKIoverheid Organisatie Server CA - G3", "Digidentity B.V."), true},
		"a CA of 2023, G3 by its issuer":                               {named("Some new CA - 2030", "Staat der Nederlanden"), named("Staat der Nederlanden Root CA - G3", "Staat der Nederlanden"), true},
		"issued by a CA with an English name and a year":               {named("x", "X"), named("Staat der Nederlanden Organization Services CA - G3 2023", "Staat der Nederlanden"), true},
		"called as a G3 CA itself":                                     {named("Staat der Nederlanden Organisatie Services CA - G3", "Staat der Nederlanden"), named("Somebody", "S"), true},
		"the same common name with another organisation":               {named("x", "X"), named("KPN BV PKIoverheid Organisatie Server CA - G3", "Mallory B.V."), false},
		"a foreign G3":                   {named("x", "X"), named("DigiCert Global Root G3", "DigiCert Inc"), false},
		"QuoVadis's own G3":              {named("QuoVadis Root CA 1 G3", "QuoVadis Limited"), named("QuoVadis Root CA 1 G3", "QuoVadis Limited"), false},
		"a leaf that has G3 in its name": {named("g3.example.nl", "Staat der Nederlanden"), named("KPN - G4 PKIo Priv G-TLS SYS - 2025", "KPN B.V."), false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cert := forge(t, func(template, parent *x509.Certificate) {
				template.Subject, parent.Subject = c.subject, c.issuer
				parent.SubjectKeyId = []byte("another key identifier")
			})
			err := RejectG3([]*x509.Certificate{cert})
			if !c.refused {
				assert.NoError(t, err)
				return
			}
			var g3 *G3Error
			require.ErrorAs(t, err, &g3)
			assert.Equal(t, ByName, g3.By)
		})
	}
}

func TestRejectG3FindsItAnywhereInTheChain(t *testing.T) {
	g3 := G3.Certificates()
	foreign := forge(t, func(template, parent *x509.Certificate) {})
	for _, c := range [][]*x509.Certificate{
		{foreign, g3[2]}, {foreign, g3[1], g3[2]}, {foreign, g3[0]}, {nil, g3[3]}, {foreign, nil, g3[0], nil},
	} {
		assert.Error(t, RejectG3(c))
	}
	var e *G3Error
	tsp := g3[len(g3)-1]
	require.ErrorAs(t, RejectG3([]*x509.Certificate{foreign, tsp, g3[1], g3[0]}), &e)
	assert.Equal(t, tsp.Subject.CommonName, e.CA, "the CA closest to the leaf")
	assert.Same(t, foreign, e.Leaf)
}

func TestRejectG3PassesWhatIsNotG3(t *testing.T) {
	assert.NoError(t, RejectG3(nil))
	assert.NoError(t, RejectG3([]*x509.Certificate{}))
	assert.NoError(t, RejectG3([]*x509.Certificate{nil, nil}))
	assert.NoError(t, RejectG3([]*x509.Certificate{{}}), "a certificate that was never parsed")
	for _, h := range Hierarchies() {
		assert.NoError(t, RejectG3(h.Certificates()), h.String())
	}
}

func TestRejectG3PassesTheRootsOfBrowsers(t *testing.T) {
	const bundle = "/etc/ssl/certs/ca-certificates.crt"
	if _, err := os.Stat(bundle); err != nil {
		skipUnlessCI(t, "no "+bundle)
	}
	roots, err := truststore.Open(bundle)
	require.NoError(t, err)
	called := 0
	for c := range roots.All() {
		if strings.Contains(c.Subject.CommonName, "G3") {
			called++
		}
		assert.NoError(t, RejectG3([]*x509.Certificate{c}), c.Subject.CommonName)
		assert.NoError(t, rejectWithdrawnCAs(chain.Chain{c}, time.Now()), c.Subject.CommonName)
	}
	assert.Greater(t, called, 5, "DigiCert Global Root G3 and its like")
}

// skipUnlessCI skips a test that lacks a program; in CI it fails.
func skipUnlessCI(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func TestThePolicyOfWithdrawnCAsKnowsMoreThanG3(t *testing.T) {
	leaf := forge(t, func(template, parent *x509.Certificate) {
		parent.Subject = named("UZI Server - G4 PKIo Priv G-TLS SYS - 2024", "CIBG")
	})
	err := rejectWithdrawnCAs(chain.Chain{leaf}, time.Now())
	var e *chain.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, chain.Revoked, e.Reason)
	assert.Contains(t, err.Error(), "CIBG")

	assert.NoError(t, rejectWithdrawnCAs(chain.Chain{CANamed(t, "UZI Server - G4 PKIo Priv G-TLS SYS - 2025")}, time.Now()), "the one of 2025")
	assert.NoError(t, rejectWithdrawnCAs(nil, time.Now()))
}

func TestTestCertificatesAreRecognised(t *testing.T) {
	trial, err := x509.OIDFromInts([]uint64{2, 16, 528, 1, 1003, 1, 2, 41, 15, 35, 11})
	require.NoError(t, err)
	production, err := x509.OIDFromInts([]uint64{2, 16, 528, 1, 1003, 1, 2, 44, 15, 35, 11})
	require.NoError(t, err)
	cases := map[string]struct {
		change func(template, parent *x509.Certificate)
		test   bool
	}{
		"issued by a TRIAL CA":             {func(c, p *x509.Certificate) { p.Subject.CommonName = "TRIAL KPN - G4 PKIo Priv G-TLS SYS - 2025" }, true},
		"issued by a TEST CA":              {func(c, p *x509.Certificate) { p.Subject.CommonName = "TEST UZI-register Server CA G4" }, true},
		"called ACCEPTATIE itself":         {func(c, p *x509.Certificate) { c.Subject.CommonName = "ACCEPTATIE Server CA" }, true},
		"with a policy of the TRIAL tool":  {func(c, p *x509.Certificate) { c.Policies = []x509.OID{trial} }, true},
		"with a policy of production":      {func(c, p *x509.Certificate) { c.Policies = []x509.OID{production} }, false},
		"for a host that is called test":   {func(c, p *x509.Certificate) { c.Subject.CommonName = "test.example.nl" }, false},
		"of an organisation called Testen": {func(c, p *x509.Certificate) { c.Subject.CommonName = "TESTEN B.V." }, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, found := testMark(forge(t, c.change))
			assert.Equal(t, c.test, found)
		})
	}
}

func TestHugeNamesAreCutInErrors(t *testing.T) {
	cert := forge(t, func(template, parent *x509.Certificate) {
		template.Subject.CommonName = strings.Repeat("\x1b[31m\n", 200_000) // over 1 MB, with control characters
		parent.Subject = named("KPN BV PKIoverheid Organisatie Server CA - G3", "KPN B.V.")
	})
	require.Greater(t, len(cert.Raw), 1_000_000)
	err := RejectG3([]*x509.Certificate{cert})
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 800)
	assert.NotContains(t, err.Error(), "\x1b")
	assert.NotContains(t, err.Error(), "\n")
	_, ok := ClaimOf(cert)
	assert.True(t, ok)
}

func TestAClaimSaysHowItWasRecognised(t *testing.T) {
	kpn := CANamed(t, "KPN PKIoverheid Private Services CA - G1")

	id, ok := ClaimOf(kpn)
	require.True(t, ok)
	assert.Equal(t, Claim{Hierarchy: PrivateG1, Role: TSPCA, TSP: KPN, Policies: kpn.Policies, By: ByKey, Certificate: kpn}, id)

	id, ok = ClaimOf(PrivateG4TLS.Root())
	require.True(t, ok)
	assert.Equal(t, Root, id.Role)
	assert.Empty(t, id.TSP)

	leaf := forge(t, func(template, parent *x509.Certificate) {
		template.Subject.SerialNumber = "00000003271987420000"
		parent.RawSubject, parent.SubjectKeyId = kpn.RawSubject, kpn.SubjectKeyId
	})
	id, ok = ClaimOf(leaf)
	require.True(t, ok, "a claim, though forged")
	assert.Equal(t, PrivateG1, id.Hierarchy)
	assert.Equal(t, EndEntity, id.Role)
	assert.Equal(t, KPN, id.TSP)
	assert.Equal(t, ByKeyIdentifier, id.By)
	assert.Equal(t, OIN("00000003271987420000"), id.OIN)

	for _, cert := range []*x509.Certificate{nil, {}, forge(t, func(template, parent *x509.Certificate) {})} {
		_, ok = ClaimOf(cert)
		assert.False(t, ok)
	}
}

func TestEveryEmbeddedCertificateIsRecognised(t *testing.T) {
	for h := range everyHierarchy {
		for i, cert := range h.Certificates() {
			id, ok := ClaimOf(cert)
			require.True(t, ok)
			assert.Equal(t, h, id.Hierarchy)
			assert.Equal(t, layer(i), id.Role)
			assert.Equal(t, ByKey, id.By)
			assert.Equal(t, i > 1, id.TSP != "", cert.Subject.CommonName)
			assert.False(t, id.Fixture)
		}
	}
}

func TestTheSerialNumberOfATSPIsNoOIN(t *testing.T) {
	for _, s := range []string{"", "NTRNL-30237459", "0000000327198742000", "000000032719874200001", "00000003 71987420000"} {
		leaf := forge(t, func(template, parent *x509.Certificate) {
			template.Subject.SerialNumber = s
			parent.Subject = named("KPN - G4 PKIo Priv G-TLS SYS - 2025", "KPN B.V.")
		})
		id, ok := ClaimOf(leaf)
		require.True(t, ok)
		assert.Equal(t, ByName, id.By)
		assert.Empty(t, id.OIN)
		if s != "" {
			assert.Error(t, OIN(s).Validate())
		}
	}
}

func TestErrorsAreFoundAndTold(t *testing.T) {
	err := error((&G3Error{Leaf: nil, CA: "X", By: ByName}).explain())
	assert.NotPanics(t, func() { _ = err.Error() })
	var g3 *G3Error
	assert.True(t, errors.As(err, &g3))
	assert.Contains(t, err.Error(), "Private G4")
}

// multiple attributes of one kind are nobody's name.
func TestANameWithTwoOrganisationsIsNobodys(t *testing.T) {
	cert := forge(t, func(template, parent *x509.Certificate) {
		parent.Subject = pkix.Name{Country: []string{"NL"}, Organization: []string{"KPN B.V.", "Mallory"}, CommonName: "KPN BV PKIoverheid Organisatie Server CA - G3"}
	})
	assert.NoError(t, RejectG3([]*x509.Certificate{cert}))
}

func TestNamesAreComparedAttributeByAttribute(t *testing.T) {
	// The real name has organizationIdentifier between O and CN; this one has it last.
	type atv = pkix.AttributeTypeAndValue
	raw, err := asn1.Marshal(pkix.RDNSequence{
		{atv{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "KPN BV PKIoverheid Organisatie Server CA - G3"}},
		{atv{Type: asn1.ObjectIdentifier{2, 5, 4, 6}, Value: "NL"}},
		{atv{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "KPN B.V."}},
		{atv{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "NTRNL-27124701"}},
	})
	require.NoError(t, err)
	cert := forge(t, func(template, parent *x509.Certificate) { parent.RawSubject = raw })
	require.False(t, bytes.Equal(cert.RawIssuer, CANamed(t, "KPN BV PKIoverheid Organisatie Server CA - G3").RawSubject))
	assert.Error(t, RejectG3([]*x509.Certificate{cert}))
}

// The texts about G3 know two dates: that of the plan of 2020, and that of the one CA that
// was revoked before.
func TestTheTextsAboutG3KnowItsDates(t *testing.T) {
	for _, k := range knownCAs {
		if k.hierarchy != G3 || k.withdrawn == "" {
			continue
		}
		want := "2020-12-31"
		if k.cn == phrase.RevokedG3 {
			want = phrase.RevokedG3On.Format(time.DateOnly)
		}
		assert.Equal(t, want, k.withdrawn, k.cn)
	}
}
