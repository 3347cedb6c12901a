package chain_test

import (
	"crypto"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestComplete(t *testing.T) {
	l := newLayers()
	stranger := newRoot("Stranger")
	for _, test := range []struct {
		name  string
		held  *truststore.Store // intermediates
		certs []*x509.Certificate
	}{
		{"the leaf alone, the verifier has the CAs", l.intermediates(), []*x509.Certificate{l.leaf}},
		{"the whole chain, the verifier has no CA", truststore.New(), l.full()},
		{"all but the root, which the verifier has", truststore.New(), l.full()[:3]},
		{"the end of the chain is in the verifier", truststore.New(l.domain.Certificate), []*x509.Certificate{l.leaf, l.issuing.Certificate}},
		{"the beginning of the chain is in the verifier", truststore.New(l.issuing.Certificate), []*x509.Certificate{l.leaf, l.domain.Certificate}},
		{"in the wrong order", truststore.New(), []*x509.Certificate{l.root.Certificate, l.issuing.Certificate, l.leaf, l.domain.Certificate}},
		{"upside down", truststore.New(), []*x509.Certificate{l.root.Certificate, l.domain.Certificate, l.issuing.Certificate, l.leaf}},
		{"twice", l.intermediates(), append(l.full(), l.full()...)},
		{"copies of what the verifier has", l.intermediates(), []*x509.Certificate{copyOf(l.issuing.Certificate), l.leaf, copyOf(l.domain.Certificate)}},
		{"with nil among them", truststore.New(), []*x509.Certificate{nil, l.domain.Certificate, nil, l.leaf, l.issuing.Certificate}},
		{"with CAs that do not belong to it", truststore.New(),
			[]*x509.Certificate{stranger.Certificate, l.leaf, l.issuing.Certificate, stranger.issueCA("Other CA").Certificate, l.domain.Certificate}},
		{"with a second certificate of the same CA", l.intermediates(), []*x509.Certificate{l.issuing.Certificate, l.leaf, l.issuing.issue("second.example")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := mustVerifier(l.roots(), test.held)
			c, err := v.Complete(test.certs, now)
			require.NoError(t, err)
			assertSameCerts(t, l.full(), c)
		})
	}
}

func TestCompletePicksTheEndEntity(t *testing.T) {
	l := newLayers()
	self := sign(leafTemplate("self.example"), nil, l.root.key, l.root.key, nil)
	other := l.domain.issueCA("Other CA")
	v := l.verifier()
	for _, test := range []struct {
		name  string
		certs []*x509.Certificate
		want  chain.Chain
	}{
		{"of two, the first", []*x509.Certificate{l.issuing.Certificate, l.issuing.issue("z.example"), l.leaf}, nil},
		{"a CA, if there is nothing below it", []*x509.Certificate{l.root.Certificate, l.issuing.Certificate, l.domain.Certificate}, l.full()[1:]},
		{"no CA before one that is, wherever it is", []*x509.Certificate{other.Certificate, l.leaf}, l.full()},
		{"a root alone", []*x509.Certificate{l.root.Certificate}, l.full()[3:]},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := v.Complete(test.certs, now)
			require.NoError(t, err)
			if test.want == nil {
				assert.Same(t, test.certs[1], c.Leaf())
				return
			}
			assertSameCerts(t, test.want, c)
		})
	}
	t.Run("a self-signed certificate that is not a CA", func(t *testing.T) {
		_, err := v.Complete([]*x509.Certificate{self}, now)
		var e *chain.Error
		require.ErrorAs(t, err, &e)
		assertSameCerts(t, chain.Chain{self}, e.Chain)
	})
}

func TestCompletePrefers(t *testing.T) {
	root := newRoot("Root")
	key, topKey := newKey(), newKey()
	old := root.certify("Issuing CA", key, expired)
	fresh := root.certify("Issuing CA", key)
	// The same CA below another one that is below the root.
	top := root.certify("Top CA", topKey)
	longer := top.certify("Issuing CA", key)
	longerOld := top.certify("Issuing CA", key, expired)
	leaf := fresh.issue("host.example")
	long := chain.Chain{leaf, longer.Certificate, top.Certificate, root.Certificate}

	complete := func(t *testing.T, at time.Time, intermediates, certs []*x509.Certificate) chain.Chain {
		t.Helper()
		v := mustVerifier(truststore.New(root.Certificate), truststore.New(intermediates...))
		c, err := v.Complete(append([]*x509.Certificate{leaf}, certs...), at)
		require.NoError(t, err)
		return c
	}

	for _, test := range []struct {
		name          string
		at            time.Time
		intermediates []*x509.Certificate
		certs         []*x509.Certificate
		want          chain.Chain
	}{
		{"the path that is valid", now, []*x509.Certificate{old.Certificate, fresh.Certificate}, nil, chain.Chain{leaf, fresh.Certificate, root.Certificate}},
		{"also if the peer sent the other", now, []*x509.Certificate{fresh.Certificate}, []*x509.Certificate{old.Certificate}, chain.Chain{leaf, fresh.Certificate, root.Certificate}},
		{"the longest of valid ones", now, []*x509.Certificate{fresh.Certificate, longer.Certificate, top.Certificate}, nil, long},
		{"also if it is put together from both", now, []*x509.Certificate{fresh.Certificate, top.Certificate}, []*x509.Certificate{longer.Certificate}, long},
		{"a valid one before a longer one", now, []*x509.Certificate{longerOld.Certificate, top.Certificate, fresh.Certificate}, nil, chain.Chain{leaf, fresh.Certificate, root.Certificate}},
		{"of equals, the one that the verifier holds first", now.AddDate(-4, 0, 0), []*x509.Certificate{old.Certificate, fresh.Certificate}, nil, chain.Chain{leaf, old.Certificate, root.Certificate}},
		{"the longest, where all have expired", now.AddDate(20, 0, 0), []*x509.Certificate{fresh.Certificate, longer.Certificate, top.Certificate}, nil, long},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 8 {
				shuffled := slices.Clone(test.certs)
				rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
				assertSameCerts(t, test.want, complete(t, test.at, test.intermediates, shuffled))
			}
		})
	}

	t.Run("a zero time is now", func(t *testing.T) {
		past := root.certify("Issuing CA", key, valid(time.Now().AddDate(-3, 0, 0), time.Now().AddDate(-2, 0, 0)))
		present := root.certify("Issuing CA", key, valid(time.Now().AddDate(-1, 0, 0), time.Now().AddDate(1, 0, 0)))
		leaf := present.issue("host.example", valid(time.Now().AddDate(-1, 0, 0), time.Now().AddDate(1, 0, 0)))
		root := truststore.New(newRootFor(root.key, "Root", valid(time.Now().AddDate(-4, 0, 0), time.Now().AddDate(4, 0, 0))).Certificate)
		v := mustVerifier(root, truststore.New(past.Certificate, present.Certificate))
		c, err := v.Complete([]*x509.Certificate{leaf}, time.Time{})
		require.NoError(t, err)
		assert.Same(t, present.Certificate, c[1])
	})
}

// newRootFor is a root for a key that has others.
func newRootFor(key crypto.Signer, name string, edits ...edit) authority {
	return authority{sign(caTemplate(name), nil, key, key, edits), key}
}

// The same certificates give the same path in whichever order they come.
func TestCompleteIsDeterministic(t *testing.T) {
	root, other := newRoot("Root"), newRoot("Other Root")
	key, topKey, rootKey := newKey(), newKey(), newKey()
	rolled := newRootFor(rootKey, "New Root")
	leaf := root.certify("Issuing CA", key).issue("host.example")
	until := func(years int) edit { return func(c *x509.Certificate) { c.NotAfter = now.AddDate(years, 0, 0) } }

	// Reissued three times with the same key, and cross-signed: below both roots,
	// below a CA that is below one, and below the new root, which is
	// cross-signed itself.
	top := root.certify("Top CA", topKey)
	certs := []*x509.Certificate{
		leaf,
		root.certify("Issuing CA", key, until(1)).Certificate,
		root.certify("Issuing CA", key, until(2)).Certificate,
		root.certify("Issuing CA", key, until(2)).Certificate,
		root.certify("Issuing CA", key, expired).Certificate,
		other.certify("Issuing CA", key, until(3)).Certificate,
		top.certify("Issuing CA", key, until(1)).Certificate,
		top.certify("Issuing CA", key, until(2)).Certificate,
		top.certify("Issuing CA", key, expired).Certificate,
		top.Certificate,
		other.certify("Top CA", topKey, until(3)).Certificate,
		other.certify("Top CA", topKey, expired).Certificate,
		rolled.certify("Issuing CA", key, notYetValid).Certificate,
		root.certify("New Root", rootKey, until(1)).Certificate,
		rolled.Certificate, root.Certificate, other.Certificate,
	}
	for _, test := range []struct {
		name string
		at   time.Time
		v    *chain.Verifier
		want []int // of certs
	}{
		{"the longest valid path, of the certificates that are valid longest", now, mustVerifier(truststore.New(root.Certificate), truststore.New()), []int{0, 7, 9, 15}},
		{"likewise with two roots", now, mustVerifier(truststore.New(root.Certificate, other.Certificate), truststore.New()), []int{0, 7, 9, 15}},
		{"likewise without any", now, mustVerifier(truststore.New(), truststore.New()), []int{0, 7, 9, 15}},
		{"when all has expired", now.AddDate(20, 0, 0), mustVerifier(truststore.New(root.Certificate), truststore.New()), []int{0, 12, 13, 15}},
		{"later, when more is valid", now.AddDate(0, 2, 0), mustVerifier(truststore.New(root.Certificate), truststore.New()), []int{0, 12, 13, 15}},
		{"the valid one of those of the verifier", now, mustVerifier(truststore.New(root.Certificate), truststore.New(certs[8], certs[6], certs[9])), []int{0, 6, 9, 15}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var want chain.Chain
			for _, i := range test.want {
				want = append(want, certs[i])
			}
			for i := range 50 {
				shuffled := append(slices.Clone(certs), certs[i%len(certs)]) // and one twice
				rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
				c, err := test.v.Complete(shuffled, test.at)
				if err != nil {
					var failed *chain.Error
					require.ErrorAs(t, err, &failed)
					c = failed.Chain
				}
				require.True(t, slices.EqualFunc(want, c, (*x509.Certificate).Equal), "%s instead of %s", names(c), names(want))
			}
		})
	}

	t.Run("certificates that nothing distinguishes but themselves", func(t *testing.T) {
		var certs []*x509.Certificate
		for range 40 {
			certs = append(certs, root.certify("Issuing CA", key).Certificate, newRoot("Root").certify("Issuing CA", key).Certificate)
		}
		certs = append(certs, leaf)
		v := mustVerifier(truststore.New(root.Certificate), truststore.New())
		var first chain.Chain
		for range 20 {
			rand.Shuffle(len(certs), func(i, j int) { certs[i], certs[j] = certs[j], certs[i] })
			c, err := v.Complete(certs, now)
			var failed *chain.Error
			if errors.As(err, &failed) { // too many signatures to check: that too is always so
				c = failed.Chain
			}
			if first == nil {
				first = c
			}
			require.True(t, slices.EqualFunc(first, c, (*x509.Certificate).Equal))
		}
	})
}

func TestCompleteFails(t *testing.T) {
	l := newLayers()
	stranger := newLayers()
	v := l.verifier()

	for _, test := range []struct {
		name   string
		certs  []*x509.Certificate
		reason chain.Reason
		path   chain.Chain
	}{
		{"nothing", nil, chain.Unsupported, nil},
		{"nothing but nil", []*x509.Certificate{nil, nil}, chain.Unsupported, nil},
		{"nothing that was parsed", []*x509.Certificate{{}}, chain.Unsupported, nil},
		{"an unknown CA", []*x509.Certificate{newRoot("X").issue("host.example")}, chain.UnknownAuthority, nil},
		{"CAs of the same names with other keys", stranger.full(), chain.UnknownAuthority, stranger.full()},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := v.Complete(test.certs, now)
			var e *chain.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.reason, e.Reason)
			assert.Equal(t, now, e.At)
			assert.NotContains(t, e.Error(), "chain: refused")
			if test.path != nil {
				assertSameCerts(t, test.path, e.Chain)
			}
		})
	}
}

func TestCompleteChecksNothingElse(t *testing.T) {
	l := newLayers(nil, []edit{expired}, []edit{usages(x509.ExtKeyUsageCodeSigning), onlyDomain("other.example")}, nil)
	v := l.verifier(chain.WithPolicy(func(chain.Chain, time.Time) error { return errRevoked }))
	c, err := v.Complete([]*x509.Certificate{l.leaf}, now)
	require.NoError(t, err)
	assertSameCerts(t, l.full(), c)
}

func assertSameCerts(t *testing.T, want, got chain.Chain) {
	t.Helper()
	assert.Equal(t, names(want), names(got))
	assert.True(t, slices.EqualFunc(want, got, (*x509.Certificate).Equal), "not the same certificates")
}

func names(certs []*x509.Certificate) []string {
	var n []string
	for _, c := range certs {
		n = append(n, c.Subject.CommonName)
	}
	return n
}
