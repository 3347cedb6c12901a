package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// stateUnder is that of a handshake with a certificate and the CAs above it.
func stateUnder(a *pkiotest.Authority, cert tls.Certificate) *tls.ConnectionState {
	cas := a.Certificates()
	ch := []*x509.Certificate{cert.Leaf}
	for i := len(cas) - 1; i >= 0; i-- {
		if ch[len(ch)-1].CheckSignatureFrom(cas[i]) == nil {
			ch = append(ch, cas[i])
		}
	}
	return &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{ch}}
}

// serverUnder is a server that trusts one root, what may come in its place, and what it
// distrusts.
func serverUnder(t *testing.T, a *pkiotest.Authority) (*pkioverheid.Server, *truststore.Source, *pkioverheid.Distrusted) {
	t.Helper()
	roots, distrusted := truststore.NewSource(a.Roots()), new(pkioverheid.Distrusted)
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: pkioverheid.Trust{OnlyRoots: true, Roots: roots, Distrusted: distrusted}, KeyPairs: pairs(ownPair())}, anybody)
	require.NoError(t, err)
	return s, roots, distrusted
}

// What the first of two sets refused, each of which names all roots, stays refused.
func TestASecondMistakeLiftsNothing(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	all := pkioverheid.DistrustedEntry{Key: chain.KeyHash(g1.Certificates()[0]), Reason: "by mistake"}
	s, _, d := serverUnder(t, g1)
	third, other := g1.Issue(pkiotest.Leaf{}), g1.Issue(pkiotest.Leaf{})
	_, err := s.Identify(stateUnder(g1, third))
	require.NoError(t, err)
	require.NoError(t, d.Set(all, pkioverheid.DistrustedEntry{Key: chain.KeyHash(third.Leaf), Reason: "lost"}))
	_, err = s.Identify(stateUnder(g1, third))
	require.ErrorContains(t, err, "lost")
	require.NoError(t, d.Set(all, pkioverheid.DistrustedEntry{Key: chain.KeyHash(other.Leaf), Reason: "lost too"}))
	_, err = s.Identify(stateUnder(g1, third))
	assert.ErrorContains(t, err, "distrusted", "SECURITY.md: it keeps refusing what it refused before")
}

// Of a set that names all roots those are spared that were trusted, and no other.
func TestADistrustedRootThatComesLaterIsNotTrusted(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	s, src, d := serverUnder(t, g1)
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(g1.Certificates()[0])}, pkioverheid.DistrustedEntry{Key: chain.KeyHash(g4.Certificates()[0]), Reason: "never"}))
	leaf := g4.Issue(pkiotest.Leaf{})
	_, err := s.Identify(stateUnder(g4, leaf))
	require.Error(t, err)
	both := truststore.New()
	both.Add(g1.Certificates()[0], g4.Certificates()[0])
	require.NoError(t, src.Set(both))
	_, err = s.Identify(stateUnder(g4, leaf))
	assert.Error(t, err, "a root that was never trusted, and is distrusted")
	_, err = s.Identify(stateUnder(g1, g1.Issue(pkiotest.Leaf{})))
	assert.NoError(t, err, "the root from before stays")
}

func TestADistrustedRootInPlaceOfTheOnlyOneIsNotTrusted(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	s, src, d := serverUnder(t, g1)
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(g1.Certificates()[0])}, pkioverheid.DistrustedEntry{Key: chain.KeyHash(g4.Certificates()[0]), Reason: "never"}))
	require.NoError(t, src.Set(g4.Roots()))
	_, err := s.Identify(stateUnder(g4, g4.Issue(pkiotest.Leaf{})))
	assert.Error(t, err)
}
