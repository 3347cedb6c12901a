package pkioverheid_test

import (
	"crypto"
	"crypto/x509"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func provedForTest(*x509.Certificate) error { return nil }

// What was a yes a moment ago is a no, as soon as something speaks against it.
func TestARememberedSignerIsVerifiedForAllThatCanChange(t *testing.T) {
	g1, other := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	var clock atomic.Pointer[time.Time]
	var refused atomic.Bool
	start := time.Now()
	roots := truststore.NewSource(g1.Roots())
	var ofLists atomic.Pointer[time.Time]
	ofLists.Store(&start)
	cfg := pkiotest.CRLConfig(g1, other)
	cfg.Time = func() time.Time { return *ofLists.Load() }
	checker, distrusted := revocationOf(t, cfg), new(pkioverheid.Distrusted)
	v, err := pkioverheid.NewVerifier(pkioverheid.Trust{
		Roots: roots, Revocation: checker, Distrusted: distrusted,
		RefuseFrom: map[pkioverheid.Hierarchy]time.Time{pkioverheid.PrivateG1: start.Add(20 * time.Hour)},
		Time:       func() time.Time { return *clock.Load() },
		Policy: func(chain.Chain, time.Time) error {
			if refused.Load() {
				return assert.AnError
			}
			return nil
		},
	})
	require.NoError(t, err)
	reset := func() {
		require.NoError(t, distrusted.Set())
		clock.Store(&start)
		refused.Store(false)
		require.NoError(t, roots.Set(g1.Roots()))
	}
	signer := g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: start.Add(-time.Hour), NotAfter: start.Add(30 * time.Hour)})
	brief := g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: start.Add(-time.Hour), NotAfter: start.Add(time.Hour)})
	later := func(d time.Duration) { at := start.Add(d); clock.Store(&at) }
	clientAuth := pkioverheid.SignerOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	for _, test := range []struct {
		name   string
		leaf   *x509.Certificate
		change func()
		opts   pkioverheid.SignerOptions
	}{
		{"it has ended", brief.Leaf, func() { later(2 * time.Hour) }, pkioverheid.SignerOptions{}},
		{"its hierarchy is refused from now on", signer.Leaf, func() { later(21 * time.Hour) }, pkioverheid.SignerOptions{}},
		{"a policy of the program refuses", signer.Leaf, func() { refused.Store(true) }, pkioverheid.SignerOptions{}},
		{"its root was taken away", signer.Leaf, func() { require.NoError(t, roots.Set(other.Roots())) }, pkioverheid.SignerOptions{}},
		{"for another use", signer.Leaf, func() {}, clientAuth},
		{"of another kind", signer.Leaf, func() {}, pkioverheid.SignerOptions{Kinds: []pkioverheid.Kind{pkioverheid.Person}}},
		{"of another OIN", signer.Leaf, func() {}, pkioverheid.SignerOptions{OINs: []pkioverheid.OIN{"00000001123456789000"}}},
		{"at a time before it", signer.Leaf, func() {}, pkioverheid.SignerOptions{Time: start.AddDate(0, -1, 0)}},
		{"it was revoked", signer.Leaf, func() {
			g1.Revoke(signer.Leaf, crl.KeyCompromise)
			of := start.Add(5 * time.Hour) // the list is due again
			ofLists.Store(&of)
			assert.Eventually(t, func() bool {
				_, err := v.VerifyRaw([][]byte{signer.Leaf.Raw}, pkioverheid.SignerOptions{}, provedForTest)
				return err != nil
			}, 10*time.Second, time.Millisecond)
		}, pkioverheid.SignerOptions{}},
		{"it is distrusted", brief.Leaf, func() {
			require.NoError(t, distrusted.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(brief.Leaf), Reason: "stolen"}))
		}, pkioverheid.SignerOptions{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			reset()
			raw := [][]byte{test.leaf.Raw}
			for range 2 {
				id, err := v.VerifyRaw(raw, pkioverheid.SignerOptions{}, provedForTest)
				require.NoError(t, err)
				assert.EqualValues(t, someOIN, id.OIN())
			}
			test.change()
			id, err := v.VerifyRaw(raw, test.opts, provedForTest)
			assert.Error(t, err)
			assert.Equal(t, pkioverheid.Identity{}, id)
			_, err = v.Verify([]*x509.Certificate{test.leaf}, test.opts, provedForTest)
			assert.Error(t, err)
			_, _, err = v.Inspect([]*x509.Certificate{test.leaf}, test.opts)
			assert.Error(t, err)
		})
	}
}

// Who knows the certificate of another, and what it says, is not the other.
func TestAnIdentityIsMadeOfBytes(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g1))
	require.NoError(t, err)
	signer, thief := g1.Issue(pkiotest.Leaf{OIN: someOIN}), g1.Issue(pkiotest.Leaf{ECDSA: true, OIN: "00000001123456789000"})
	changed := *signer.Leaf
	changed.Subject.SerialNumber, changed.PublicKey = "00000001123456789000", thief.Leaf.PublicKey
	for range 3 {
		id, err := v.Verify([]*x509.Certificate{&changed}, pkioverheid.SignerOptions{}, func(cert *x509.Certificate) error {
			if cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(thief.Leaf.PublicKey) {
				return nil
			}
			return errors.New("signed by another key")
		})
		assert.ErrorContains(t, err, "signed by another key")
		assert.Equal(t, pkioverheid.Identity{}, id)
		id, err = v.Verify([]*x509.Certificate{&changed}, pkioverheid.SignerOptions{}, provedForTest)
		require.NoError(t, err)
		assert.EqualValues(t, someOIN, id.OIN())
		assert.EqualValues(t, someOIN, id.Certificate().Subject.SerialNumber)
		assert.Equal(t, signer.Leaf.PublicKey, id.Certificate().PublicKey)
	}
}

func TestVerifyRawNeedsAProofToo(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g1))
	require.NoError(t, err)
	raw := [][]byte{g1.Issue(pkiotest.Leaf{}).Leaf.Raw}
	for range 2 {
		_, err = v.VerifyRaw(raw, pkioverheid.SignerOptions{}, nil)
		assert.ErrorContains(t, err, "proves nothing")
		_, err = v.VerifyRaw(raw, pkioverheid.SignerOptions{}, func(*x509.Certificate) error { return assert.AnError })
		assert.ErrorIs(t, err, assert.AnError)
		_, err = v.VerifyRaw(raw, pkioverheid.SignerOptions{}, provedForTest)
		require.NoError(t, err)
	}
	_, err = v.VerifyRaw([][]byte{nil}, pkioverheid.SignerOptions{}, provedForTest)
	assert.Error(t, err)
}

// With policies and a loaded CRL.
func TestARememberedSignerTakesTwoAllocations(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	trust := pkiotest.Trust(g1)
	trust.Revocation = revocationOf(t, pkiotest.CRLConfig(g1))
	v, err := pkioverheid.NewVerifier(trust)
	require.NoError(t, err)
	leaf := g1.Issue(pkiotest.Leaf{}).Leaf
	certs, raw := []*x509.Certificate{leaf}, [][]byte{leaf.Raw}
	for name, verify := range map[string]func() error{
		"chain.Verify": func() error { _, err := v.Chains().Verify(leaf, chain.VerifyOptions{}); return err },
		"Verify":       func() error { _, err := v.Verify(certs, pkioverheid.SignerOptions{}, provedForTest); return err },
		"VerifyRaw":    func() error { _, err := v.VerifyRaw(raw, pkioverheid.SignerOptions{}, provedForTest); return err },
	} {
		require.NoError(t, verify())
		assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = verify() }), 2.0, name)
	}
}
