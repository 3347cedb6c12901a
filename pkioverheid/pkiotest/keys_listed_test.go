package pkiotest_test

import (
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestEveryKeyOfALeafIsListedAsCompromised(t *testing.T) {
	listed := fixture.LeafKeys()
	dealt := map[[sha256.Size]byte]bool{}
	note := func(c *x509.Certificate) {
		key := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		assert.Contains(t, listed, key)
		dealt[key] = true
	}
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.G3} {
		authority := pkiotest.New(h)
		for range 4 {
			note(authority.Issue(pkiotest.Leaf{}).Leaf)
		}
		note(authority.Issue(pkiotest.Leaf{ECDSA: true}).Leaf)
	}
	assert.Len(t, dealt, len(listed), "and no others")
}

func TestARootWithAPublicKeyIsRefused(t *testing.T) {
	pair := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	der, err := x509.CreateCertificate(nil, &x509.Certificate{
		SerialNumber: pair.Leaf.SerialNumber, NotBefore: pair.Leaf.NotBefore, NotAfter: pair.Leaf.NotAfter,
		IsCA: true, BasicConstraintsValid: true, Subject: pair.Leaf.Subject,
	}, &x509.Certificate{Subject: pair.Leaf.Subject}, pair.Leaf.PublicKey, pair.PrivateKey)
	require.NoError(t, err)
	root, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root))}})
	assert.ErrorContains(t, err, "is public")
}
