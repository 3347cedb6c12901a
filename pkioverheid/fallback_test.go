package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
)

// A root that was taken away is not trusted for the sake of another source that holds
// something wrong.
func TestOneSourceOfRootsIsUsedWhileTheOtherIsRefused(t *testing.T) {
	a, b, c := testRoot(t, "A"), testRoot(t, "B"), testRoot(t, "C")
	wrong := truststore.New(c.Leaf, pkioverheid.G3.Root())
	roots, clientRoots := truststore.NewSource(truststore.New(a.Leaf, b.Leaf)), truststore.NewSource(truststore.New(b.Leaf, c.Leaf))
	trust := pkioverheid.Trust{Roots: roots}
	trust.Logger, _ = lines()
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, ClientRoots: clientRoots, KeyPairs: pairs(ownPair())}, anybody)
	require.NoError(t, err)
	known := func(root tls.Certificate) bool {
		_, err := s.Identify(&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{testLeaf(t, root).Leaf, root.Leaf}}})
		return err == nil
	}
	require.True(t, known(a) && known(b) && known(c))

	require.NoError(t, clientRoots.Set(wrong))
	assert.True(t, known(a) && known(b) && known(c), "what was there stays")
	require.NoError(t, roots.Set(truststore.New(b.Leaf)))
	assert.False(t, known(a), "what was taken away from Trust.Roots, while ClientRoots are refused")
	assert.True(t, known(b) && known(c))

	require.NoError(t, clientRoots.Set(truststore.New(b.Leaf)))
	assert.False(t, known(c))
	require.NoError(t, roots.Set(wrong))
	require.NoError(t, clientRoots.Set(truststore.New(c.Leaf)))
	assert.True(t, known(c), "what was added to ClientRoots, while Trust.Roots are refused")
	assert.True(t, known(b), "what is in use of Trust.Roots")
}
