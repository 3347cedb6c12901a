package pkioverheid_test

import (
	"crypto/x509"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestAVerifierRefusesWhatAClientRefuses(t *testing.T) {
	g1, g3 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3)
	anyUsage := []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	verify := func(cfg pkioverheid.Config, cert *x509.Certificate, extra ...*x509.Certificate) error {
		v, err := pkioverheid.NewVerifier(cfg)
		require.NoError(t, err)
		_, err = v.Verify(cert, chain.VerifyOptions{Time: g1.Time(), KeyUsages: anyUsage, Extra: extra})
		return err
	}
	leaf := g1.Issue(pkiotest.LeafOnly()).Leaf
	assert.NoError(t, verify(pkioverheid.Config{Roots: g1.Roots()}, leaf))
	assert.Error(t, verify(pkioverheid.Config{}, leaf, g1.Certificates()...))
	assert.Error(t, verify(pkioverheid.Config{Roots: g1.Roots()}, g3.Issue().Leaf, g3.Certificates()...))
	refuse := func(c chain.Chain, _ time.Time) error { return assert.AnError }
	assert.ErrorIs(t, verify(pkioverheid.Config{Roots: g1.Roots(), Policy: refuse}, leaf), assert.AnError)

	real := pkioverheid.PrivateG1.Certificates()[2]
	assert.NoError(t, verify(pkioverheid.Config{}, real))
	assert.Error(t, verify(pkioverheid.Config{Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG4TLS}}, real))

	_, err := pkioverheid.NewVerifier(pkioverheid.Config{Roots: g3.Roots()})
	assert.ErrorContains(t, err, "G3")

	// What is put into the store later was not checked, and does not come in.
	store := truststore.New()
	v, err := pkioverheid.NewVerifier(pkioverheid.Config{Roots: store})
	require.NoError(t, err)
	store.Add(g1.Certificates()[0])
	_, err = v.Verify(leaf, chain.VerifyOptions{Time: g1.Time(), KeyUsages: anyUsage})
	assert.Error(t, err)
}

// The certificate of a signature made in 2021, verified at that time.
func ExampleNewVerifier() {
	ev := pkiotest.New(pkioverheid.EV)
	v, err := pkioverheid.NewVerifier(pkioverheid.Config{Roots: ev.Roots()}) // yours has no Roots
	if err != nil {
		log.Fatal(err)
	}
	signer := ev.Issue(pkiotest.LeafOnly(), pkiotest.CommonName("signer")).Leaf
	anyUsage := []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	c, err := v.Verify(signer, chain.VerifyOptions{Time: ev.Time(), KeyUsages: anyUsage})
	fmt.Println(len(c), err)
	_, err = v.Verify(signer, chain.VerifyOptions{KeyUsages: anyUsage})
	fmt.Println(err != nil)
	// Output:
	// 4 <nil>
	// true
}
