package pkioverheid_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// Names are those of facts.md §10.
func TestTheFirstGenerationsAreRecognisedAndEnded(t *testing.T) {
	name := func(cn, o string) pkix.Name {
		return pkix.Name{CommonName: cn, Organization: []string{o}, Country: []string{"NL"}}
	}
	today := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	cases := []struct {
		name      string
		cert      *x509.Certificate
		hierarchy pkioverheid.Hierarchy
		status    advice.Status
		words     string
	}{
		{"Digipoort's of 2016", testcert.ClaimingName(t, name("KPN PKIoverheid Organisatie CA - G2", "KPN B.V.")), pkioverheid.Generation2, advice.Ended, "Generation 2 that ended on 2020-03-31"},
		{"below a domain CA of the first", testcert.ClaimingName(t, name("Staat der Nederlanden Overheid CA", "Staat der Nederlanden")), pkioverheid.Generation1, advice.Ended, "Generation 1 that ended on 2015-12-31"},
		{"the root of the second", sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, Subject: name("Staat der Nederlanden Root CA - G2", "Staat der Nederlanden")}, nil).Leaf,
			pkioverheid.Generation2, advice.Ended, "stamcertificaat of Generation 2"},
		{"a company's that is called G2", testcert.ClaimingName(t, name("ABN AMRO CA - G2", "ABN AMRO Bank N.V.")), "", advice.Unrecognised, "nothing to advise"},
		{"the name with another organisation", testcert.ClaimingName(t, name("Staat der Nederlanden Root CA - G2", "Mallory B.V.")), "", advice.Unrecognised, "nothing to advise"},
		{"the first is not Private G1", testcert.ClaimingName(t, name("Staat der Nederlanden Private Root CA - G1", "Staat der Nederlanden")), pkioverheid.PrivateG1, advice.Ending, "Private G1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			claim, ok := pkioverheid.ClaimOf(c.cert)
			assert.Equal(t, c.hierarchy != "", ok)
			assert.Equal(t, c.hierarchy, claim.Hierarchy)
			a := advice.For(c.cert, advice.MachineToMachine, today)
			assert.Equal(t, c.status, a.Status)
			assert.Contains(t, a.Text, c.words)
			if c.status == advice.Ended {
				assert.Equal(t, pkioverheid.PrivateG4TLS, a.Replacement)
				assert.Equal(t, advice.ActNow, a.Urgency)
				assert.NotEmpty(t, a.Sources)
			}
		})
	}
}

func TestTheFirstGenerationsCannotBeTrusted(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.Generation1, pkioverheid.Generation2} {
		_, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Hierarchies: []pkioverheid.Hierarchy{h}}})
		assert.ErrorContains(t, err, "has ended and cannot be trusted")
		assert.NotContains(t, pkioverheid.Hierarchies(), h)
		assert.Empty(t, h.Certificates())
		assert.Nil(t, h.Root())
		assert.True(t, pkioverheid.CertPool(h).Equal(pkioverheid.CertPool("")), "a pool of nothing that is trusted")
	}
}

// A root of the past that a user adds makes nobody a system of today.
func TestNobodyIsASystemBelowTheSecondGeneration(t *testing.T) {
	root := sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		Subject: pkix.Name{CommonName: "Staat der Nederlanden Root CA - G2", Organization: []string{"Staat der Nederlanden"}, Country: []string{"NL"}}}, nil)
	own := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	tc := serverConfig(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root.Leaf))}, KeyPairs: pairs(own)}, pkioverheid.AllowAnySystem())
	systemOID, err := x509.ParseOID("2.16.528.1.1003.1.2.8.6")
	require.NoError(t, err)
	leaf := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "system"}, Policies: []x509.OID{systemOID},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, &root)
	assert.Error(t, call(t, serve(t, tc), &leaf, func(cfg *pkioverheid.ClientConfig) { cfg.Trust = pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1)) }))
}

// A hierarchy may come from a file of settings: what is not one is an error, in a few words
// that can be printed.
func TestAnUnknownHierarchyIsRefusedInAFewWords(t *testing.T) {
	for name, h := range map[string]pkioverheid.Hierarchy{
		"nothing":       "",
		"capitals":      "Private-G1",
		"control codes": "g1\n\x1b[2J",
		"a long text":   pkioverheid.Hierarchy(strings.Repeat("x\n", 100_000)),
	} {
		t.Run(name, func(t *testing.T) {
			_, errTrusted := pkioverheid.NewVerifier(pkioverheid.Trust{Hierarchies: []pkioverheid.Hierarchy{h}})
			_, errRefused := pkioverheid.NewVerifier(pkioverheid.Trust{RefuseFrom: map[pkioverheid.Hierarchy]time.Time{h: time.Now()}})
			errs := []error{errTrusted, errRefused}
			if h != "" { // which is Private G4 there
				_, _, err := pkioverheid.NewRequest(pkioverheid.Request{Hierarchy: h, Organization: "Gemeente Voorbeeld", KVK: "12345678"})
				errs = append(errs, err)
			}
			for _, err := range errs {
				require.Error(t, err)
				assert.Less(t, len(err.Error()), 300)
				assert.NotContains(t, err.Error(), "\n")
				assert.NotContains(t, err.Error(), "\x1b")
			}
			assert.Zero(t, h.Plan())
			assert.Empty(t, h.Certificates())
			assert.True(t, pkioverheid.CertPool(h).Equal(pkioverheid.CertPool(pkioverheid.G3)), "the pool trusts nothing")
		})
	}
}
