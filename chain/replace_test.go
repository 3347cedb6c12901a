package chain_test

import (
	"crypto/x509"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestReplace(t *testing.T) {
	old, fresh := newLayers(), newLayers()
	v := old.verifier(chain.WithPolicy(chain.PinLeaf(truststore.FingerprintOf(old.leaf))))
	pool := v.CertPool(clock)

	require.NoError(t, v.Replace(fresh.roots(), fresh.intermediates()))
	c, err := v.Verify(fresh.leaf, chain.VerifyOptions{Time: now})
	require.NoError(t, err, "neither the old roots nor the old policy are left")
	assertSameCerts(t, fresh.full(), c)
	c, err = v.Complete([]*x509.Certificate{fresh.leaf}, now)
	require.NoError(t, err)
	assertSameCerts(t, fresh.full(), c)
	c, err = v.Check([][]*x509.Certificate{fresh.full()[:2]}, now)
	require.NoError(t, err)
	assertSameCerts(t, fresh.full(), c)

	var e *chain.Error
	_, err = v.Verify(old.leaf, chain.VerifyOptions{Time: now, Extra: old.full()})
	require.ErrorAs(t, err, &e)
	assert.Equal(t, chain.UnknownAuthority, e.Reason)
	_, err = v.Check([][]*x509.Certificate{old.full()}, now)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, chain.UnknownAuthority, e.Reason)

	t.Run("a pool from before refuses what is gone, and does not have what came", func(t *testing.T) {
		for _, l := range []layers{old, fresh} {
			for _, p := range l.presentations() {
				_, err := l.leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: poolOf(p.extra...), CurrentTime: now})
				assert.Error(t, err, p.name)
			}
		}
		_, err := old.leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now})
		assert.ErrorContains(t, err, "no longer trusted")
	})
	t.Run("a pool from now accepts what came", func(t *testing.T) {
		_, err := verifyAsTLS(v, fresh.leaf, nil)
		assert.NoError(t, err)
	})
}

func TestReplaceWithAnErrorChangesNothing(t *testing.T) {
	l, other := newLayers(), newLayers()
	v := l.verifier(chain.WithDistrusted(truststore.New(other.root.Certificate), nil))
	for name, replace := range map[string]func() error{
		"nil roots":         func() error { return v.Replace(nil, other.intermediates()) },
		"nil intermediates": func() error { return v.Replace(other.roots(), nil) },
		"a leaf as a root": func() error {
			return v.Replace(truststore.New(other.root.Certificate, other.leaf), other.intermediates())
		},
		"a leaf as a CA": func() error { return v.Replace(other.roots(), truststore.New(other.leaf)) },
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, replace())
			c, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
			require.NoError(t, err)
			assertSameCerts(t, l.full(), c)
			_, err = v.Verify(other.leaf, chain.VerifyOptions{Time: now, Extra: other.full()})
			assert.Error(t, err)
		})
	}
}

// The CAs that are in a pool from before are checked by the verifier as it is now.
func TestPoolFromBeforeReplace(t *testing.T) {
	l := newLayers()
	refused := errors.New("not this one")
	refuse := func(chain.Chain, time.Time) error { return refused }
	again := l.root.certify("Domain CA", l.domain.key)
	again.Certificate = copyOf(again.Certificate)
	for _, test := range []struct {
		name     string
		replace  func(v *chain.Verifier) error
		accepted bool
	}{
		{"the same once more", func(v *chain.Verifier) error { return v.Replace(l.roots(), l.intermediates()) }, true},
		{"copies of the same", func(v *chain.Verifier) error {
			return v.Replace(truststore.New(copyOf(l.root.Certificate)), truststore.New(copyOf(l.issuing.Certificate), copyOf(l.domain.Certificate)))
		}, true},
		{"a policy came", func(v *chain.Verifier) error {
			return v.Replace(l.roots(), l.intermediates(), chain.WithPolicy(refuse))
		}, false},
		{"the issuing CA is distrusted", func(v *chain.Verifier) error {
			return v.Replace(l.roots(), l.intermediates(), chain.WithDistrusted(truststore.New(l.issuing.Certificate), nil))
		}, false},
		{"the domain CA is distrusted", func(v *chain.Verifier) error {
			return v.Replace(l.roots(), l.intermediates(), chain.WithDistrusted(truststore.New(l.domain.Certificate), nil))
		}, false},
		{"the domain CA is another with the same key", func(v *chain.Verifier) error {
			return v.Replace(l.roots(), truststore.New(l.issuing.Certificate, again.Certificate))
		}, true},
		{"the domain CA is gone", func(v *chain.Verifier) error { return v.Replace(l.roots(), truststore.New(l.issuing.Certificate)) }, false},
		{"the issuing CA is gone", func(v *chain.Verifier) error { return v.Replace(l.roots(), truststore.New(l.domain.Certificate)) }, false},
		{"the root is gone", func(v *chain.Verifier) error { return v.Replace(truststore.New(), l.intermediates()) }, false},
		{"the root is an intermediate", func(v *chain.Verifier) error { return v.Replace(truststore.New(), truststore.New(l.full()[1:]...)) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := l.verifier()
			pool := v.CertPool(clock)
			require.NoError(t, test.replace(v))
			verified, err := l.leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now})
			if !test.accepted {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			_, err = v.Check(verified, now)
			assert.NoError(t, err)
		})
	}
}

// Whoever asks while it is replaced gets an answer of the one or of the other,
// never of the roots of the one and the policies of the other.
func TestReplaceWhileItRuns(t *testing.T) {
	one, other := newRoot("One"), newRoot("Other")
	byOne := one.issueCA("Issuing CA")
	byOther := other.certify("Issuing CA", byOne.key)
	leaf := byOne.issue("host.example")
	of := func(root, issuing authority) (*truststore.Store, *truststore.Store, chain.Option) {
		return truststore.New(root.Certificate), truststore.New(issuing.Certificate), chain.WithPolicy(func(c chain.Chain, _ time.Time) error {
			if c.Root() != root.Certificate {
				return errors.New("a root of the other")
			}
			return nil
		})
	}
	roots, intermediates, policy := of(one, byOne)
	v := mustVerifier(roots, intermediates, policy)

	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for asked := 0; ; asked++ {
				select {
				case <-done:
					if asked >= 20 {
						return
					}
				default:
				}
				switch i % 3 {
				case 0:
					_, err := v.Verify(leaf, chain.VerifyOptions{Time: now})
					assert.NoError(t, err)
				case 1:
					_, err := v.Complete([]*x509.Certificate{leaf}, now)
					assert.NoError(t, err)
				case 2:
					verified := [][]*x509.Certificate{{leaf, byOne.Certificate}, {leaf, byOther.Certificate}}
					_, err := v.Check(verified, now)
					assert.NoError(t, err)
					// This one may be refused: the CA in the pool may be gone.
					verifyAsTLS(v, leaf, nil)
				}
			}
		}()
	}
	for i := range 200 {
		root, issuing := one, byOne
		if i%2 == 0 {
			root, issuing = other, byOther
		}
		roots, intermediates, policy := of(root, issuing)
		require.NoError(t, v.Replace(roots, intermediates, policy))
		require.Error(t, v.Replace(truststore.New(leaf), truststore.New()))
	}
	close(done)
	wg.Wait()
}
