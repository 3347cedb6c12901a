package chain_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/chain"
)

func TestChain(t *testing.T) {
	l := newLayers()
	assert.Same(t, l.leaf, l.full().Leaf())
	assert.Same(t, l.root.Certificate, l.full().Root())

	one := chain.Chain{l.leaf}
	assert.Same(t, l.leaf, one.Leaf())
	assert.Same(t, l.leaf, one.Root())

	assert.Nil(t, chain.Chain{}.Leaf())
	assert.Nil(t, chain.Chain{}.Root())
	assert.Nil(t, chain.Chain(nil).Leaf())
	assert.Nil(t, chain.Chain(nil).Root())
}

func TestAll(t *testing.T) {
	var asked []string
	policy := func(name string, err error) chain.Policy {
		return func(c chain.Chain, at time.Time) error {
			asked = append(asked, name)
			assert.Len(t, c, 2)
			assert.Equal(t, now, at)
			return err
		}
	}
	first, second := errors.New("first"), errors.New("second")

	for _, test := range []struct {
		name   string
		policy chain.Policy
		err    error
		asked  []string
	}{
		{"no policies accept everything", chain.All(), nil, nil},
		{"a nil policy is left out", chain.All(nil, policy("a", nil), nil), nil, []string{"a"}},
		{"each is asked in turn", chain.All(policy("a", nil), policy("b", nil)), nil, []string{"a", "b"}},
		{"the first error ends it", chain.All(policy("a", nil), policy("b", first), policy("c", second)), first, []string{"a", "b"}},
		{"a policy of policies is one", chain.All(chain.All(policy("a", nil)), chain.All(policy("b", second))), second, []string{"a", "b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked = nil
			assert.Equal(t, test.err, test.policy(make(chain.Chain, 2), now))
			assert.Equal(t, test.asked, asked)
		})
	}

	t.Run("the list may be changed afterwards", func(t *testing.T) {
		list := []chain.Policy{policy("a", first)}
		all := chain.All(list...)
		list[0] = nil
		assert.Equal(t, first, all(make(chain.Chain, 2), now))
	})
}

// keeping is a policy that keeps the chains that it was asked about and refuses
// those with one of the revoked certificates in them.
type keeping struct {
	revoked []*x509.Certificate
	chains  []chain.Chain
	times   []time.Time
}

func (n *keeping) policy(c chain.Chain, at time.Time) error {
	n.chains, n.times = append(n.chains, c), append(n.times, at)
	for _, cert := range c {
		for _, r := range n.revoked {
			if cert.Equal(r) {
				return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: r, At: at, Err: []error{errRevoked}}
			}
		}
	}
	return nil
}

var errRevoked = errors.New("it is on the list")
