package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// following has a client, a server and a verifier with the same roots, and reports which
// of them accept certificates below a root.
func following(t *testing.T, trust pkioverheid.Trust, root tls.Certificate) func() [3]bool {
	t.Helper()
	leaf := testLeaf(t, root)
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf}})
	client, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: trust})
	require.NoError(t, err)
	client.ServerName = "localhost"
	transport := newClient(t, pkioverheid.ClientConfig{Trust: trust})
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(ownPair())}, anybody)
	require.NoError(t, err)
	server := loopback(serve(t, s.TLSConfig()))
	caller := &tls.Config{
		RootCAs: pkiotest.New(pkioverheid.PrivateG1).Roots().CertPool(), ServerName: "localhost",
		GetClientCertificate: shown(leaf), VerifyConnection: func(tls.ConnectionState) error { return nil },
	}
	v, err := pkioverheid.NewVerifier(trust)
	require.NoError(t, err)
	return func() (accepted [3]bool) {
		resp, err := transport.Get(url)
		if accepted[0] = err == nil; err == nil {
			resp.Body.Close()
		}
		// A configuration trusts what there was when it was made, as far as it is there.
		if _, err = exchange(loopback(url), client); err == nil {
			assert.True(t, accepted[0])
		}
		_, err = exchange(server, caller)
		accepted[1] = err == nil
		_, err = v.Chains().Verify(leaf.Leaf, chain.VerifyOptions{})
		accepted[2] = err == nil
		return accepted
	}
}

func TestClientsServersAndVerifiersFollowRootsThatAProgramSets(t *testing.T) {
	a, b := testRoot(t, "A"), testRoot(t, "B")
	roots := truststore.NewSource(truststore.New(a.Leaf))
	trust := pkioverheid.Trust{Roots: roots}
	trust.Logger, _ = lines()
	underA, underB := following(t, trust, a), following(t, trust, b)
	all, none := [3]bool{true, true, true}, [3]bool{}
	assert.Equal(t, all, underA())
	assert.Equal(t, none, underB())

	require.NoError(t, roots.Set(truststore.New(b.Leaf)))
	assert.Equal(t, none, underA(), "what was taken away")
	assert.Equal(t, all, underB())

	for name, store := range map[string]*truststore.Store{"nothing": nil, "an empty store": truststore.New()} {
		assert.Error(t, roots.Set(store), name)
		assert.Equal(t, all, underB(), name)
	}
	for name, cert := range map[string]*x509.Certificate{
		"G3": pkioverheid.G3.Root(), "a certificate that is not a CA": testLeaf(t, a).Leaf, "a fixture that was read": copied(t, pkiotest.New(pkioverheid.PrivateG1).Certificates()[0]),
	} {
		require.NoError(t, roots.Set(truststore.New(a.Leaf, cert)), name)
		assert.Equal(t, none, underA(), name)
		assert.Equal(t, all, underB(), "%s: what was there stays", name)
	}
	require.NoError(t, roots.Set(truststore.New(a.Leaf, b.Leaf)))
	assert.Equal(t, all, underA())
	assert.Equal(t, all, underB())
}

func copied(t *testing.T, cert *x509.Certificate) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(cert.Raw)
	require.NoError(t, err)
	return c
}

// What fetches the roots is the program's: handshakes do not wait for it.
func TestAFetchThatBlocksOrPanicsLeavesWhatWasThere(t *testing.T) {
	a := testRoot(t, "A")
	roots := truststore.NewSource(truststore.New(a.Leaf))
	accepts := following(t, pkioverheid.Trust{Roots: roots}, a)
	fetching, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	feed := func(fetch func() *truststore.Store) {
		wg.Go(func() {
			defer func() { _ = recover() }()
			_ = roots.Set(fetch())
		})
	}
	feed(func() *truststore.Store { close(fetching); <-release; return nil })
	feed(func() *truststore.Store { panic("the database is away") })
	<-fetching
	assert.Equal(t, [3]bool{true, true, true}, accepts())
	close(release)
	wg.Wait()
	assert.Equal(t, [3]bool{true, true, true}, accepts())
}

// Entries, roots and handshakes at the same time: whoever is distrusted when a question is
// asked is never let in.
func TestReplacingWhatIsDistrustedUnderLoad(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	stolen := g1.Issue(pkiotest.Leaf{})
	other := g1.Issue(pkiotest.Leaf{})
	roots := truststore.NewSource(g1.Roots())
	var d pkioverheid.Distrusted
	trust := pkioverheid.Trust{Roots: roots, Distrusted: &d}
	trust.Logger, _ = lines()
	always := pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(stolen.Leaf)}
	require.NoError(t, d.Set(always))
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(ownPair())}, anybody)
	require.NoError(t, err)
	v, err := pkioverheid.NewVerifier(trust)
	require.NoError(t, err)
	end := time.After(300 * time.Millisecond)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, err := s.Identify(connectionOf(g1, stolen.Leaf))
				assert.Error(t, err)
				_, _, err = v.Inspect([]*x509.Certificate{stolen.Leaf}, pkioverheid.SignerOptions{})
				assert.Error(t, err)
				_, err = s.Identify(connectionOf(g1, other.Leaf))
				assert.NoError(t, err)
			}
		})
	}
	for i := 0; ; i++ {
		select {
		case <-end:
			close(stop)
			wg.Wait()
			return
		default:
		}
		assert.NoError(t, d.Set(always, pkioverheid.DistrustedEntry{Key: [32]byte{1, byte(i)}, Reason: fmt.Sprint(i)}))
		assert.NoError(t, roots.Set(truststore.New(append(g1.Certificates()[:1:1], pkiotest.New(pkioverheid.PrivateG4TLS).Certificates()[:i%2]...)...)))
	}
}

// A request that is under way does not make a state from before come back.
func TestAnEntryCountsForTheNextQuestion(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf := g1.Issue(pkiotest.Leaf{}).Leaf
	var d pkioverheid.Distrusted
	trust := pkiotest.Trust(g1)
	trust.Distrusted = &d
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(ownPair())}, anybody)
	require.NoError(t, err)
	for range 10 {
		require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(leaf)}))
		_, err = s.Identify(connectionOf(g1, leaf))
		require.Error(t, err)
		require.NoError(t, d.Set())
		_, err = s.Identify(connectionOf(g1, leaf))
		require.NoError(t, err)
	}
}
