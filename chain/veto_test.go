package chain_test

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestVetoAsAPolicy(t *testing.T) {
	l := newLayers()
	assert.NoError(t, chain.Veto(nil).Policy(l.full(), now))
	assert.NoError(t, chain.All(chain.Veto(nil).Policy)(l.full(), now))

	var e *chain.Error
	require.ErrorAs(t, chain.VetoKeys(chain.KeyHash(l.leaf))(l.full()), &e)
	assert.Zero(t, e.At, "a veto has no time")
	require.ErrorAs(t, chain.VetoKeys(chain.KeyHash(l.leaf)).Policy(l.full(), now), &e)
	assert.Equal(t, now, e.At)

	said := &chain.Error{Reason: chain.Revoked, At: now.AddDate(-1, 0, 0)}
	veto := chain.Veto(func([]*x509.Certificate) error { return said })
	assert.Same(t, said, veto.Policy(l.full(), now), "its own time stays")
	veto = func([]*x509.Certificate) error { return errRevoked }
	assert.Same(t, errRevoked, veto.Policy(l.full(), now))
}

// A leaf with a bad signature shows whether it was checked: then the error is
// about that.
func TestVerifyRefusesEarly(t *testing.T) {
	l := newLayers()
	bad := badlySigned(l.leaf)
	namesake := newLayers()
	cross := newRoot("Other Root").certify("Domain CA", l.domain.key)
	why := errors.New("it was withdrawn")
	none := truststore.New()
	withdrawn := chain.WithDistrusted(truststore.New(l.full()[1:]...), func([]*x509.Certificate) error { return why })
	for _, test := range []struct {
		name   string
		v      *chain.Verifier
		leaf   *x509.Certificate
		extra  []*x509.Certificate
		reason chain.Reason
		sight  bool
		cert   *x509.Certificate
	}{
		{"the leaf itself is distrusted", l.verifier(chain.WithVeto(chain.VetoKeys(chain.KeyHash(bad)))), bad, nil, chain.RefusedByPolicy, true, bad},
		{"its CA is distrusted, which the verifier holds", l.verifier(chain.WithVeto(chain.VetoKeys(chain.KeyHash(l.issuing.Certificate)))), bad, nil, chain.RefusedByPolicy, true, l.issuing.Certificate},
		{"its CA is distrusted, and nobody trusts it", mustVerifier(none, none, chain.WithVeto(chain.VetoKeys(chain.KeyHash(l.issuing.Certificate)))), bad, l.full()[1:2], chain.RefusedByPolicy, true, l.issuing.Certificate},
		{"the CA above is distrusted", l.verifier(chain.WithVeto(chain.VetoKeys(chain.KeyHash(l.domain.Certificate)))), bad, nil, chain.RefusedByPolicy, true, l.domain.Certificate},
		{"the root is distrusted", l.verifier(chain.WithVeto(chain.VetoKeys(chain.KeyHash(l.root.Certificate)))), bad, l.full(), chain.RefusedByPolicy, true, l.root.Certificate},
		{"a root that nobody trusts is distrusted", mustVerifier(none, none, chain.WithVeto(chain.VetoKeys(chain.KeyHash(l.root.Certificate)))), bad, l.full(), chain.RefusedByPolicy, true, l.root.Certificate},
		{"the leaf alone, and its CA is among the withdrawn", namesakes(withdrawn), bad, nil, chain.RefusedByPolicy, true, nil},
		{"the leaf of another CA of that name, and the withdrawn has another key", namesakes(withdrawn), namesake.leaf, nil, chain.UnknownAuthority, false, namesake.leaf},
		{"a reason of its own", l.verifier(chain.WithVeto(func(c []*x509.Certificate) error {
			return &chain.Error{Reason: chain.Revoked, Cert: c[0]}
		})), bad, nil, chain.Revoked, true, bad},

		{"a second path is not distrusted", mustVerifier(l.roots(), truststore.New(l.issuing.Certificate, l.domain.Certificate, cross.Certificate),
			chain.WithVeto(chain.VetoCertificates(truststore.FingerprintOf(l.domain.Certificate)))), bad, nil, chain.BadSignature, false, bad},
		{"nothing is distrusted", l.verifier(chain.WithVeto(chain.VetoKeys())), bad, nil, chain.BadSignature, false, bad},
		{"no issuer is available", mustVerifier(none, none, chain.WithVeto(chain.VetoKeys(chain.KeyHash(l.issuing.Certificate)))), bad, nil, chain.UnknownAuthority, false, bad},
		{"a distrusted certificate of that name beside the issuing CA", l.verifier(chain.WithVeto(chain.VetoKeys(chain.KeyHash(namesake.issuing.Certificate)))), bad,
			namesake.full()[1:], chain.BadSignature, false, bad},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.v.Verify(test.leaf, chain.VerifyOptions{Time: now, Extra: test.extra})
			var e *chain.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.reason, e.Reason, err.Error())
			assert.Same(t, test.cert, e.Cert)
			assert.Equal(t, now, e.At)
			assert.Equal(t, test.sight && test.cert != test.leaf, errors.Is(err, chain.ErrBeforeSignatures), err.Error())
			if test.sight {
				assert.Equal(t, chain.Chain{test.leaf}, e.Chain, "what is known without signatures")
			}
		})
	}
}

func namesakes(withdrawn chain.Option) *chain.Verifier {
	return mustVerifier(truststore.New(newRoot("Root").Certificate), truststore.New(), withdrawn)
}

// badlySigned is a certificate of which the last bit was changed, which is of the signature.
func badlySigned(cert *x509.Certificate) *x509.Certificate {
	der := slices.Clone(cert.Raw)
	der[len(der)-1] ^= 1
	return must(x509.ParseCertificate(der))
}

// What is distrusted must not block what is not.
func TestVetoLeavesOtherPaths(t *testing.T) {
	l, other := newLayers(), newLayers()
	again := other.root.certify("Domain CA", l.domain.key)
	loop := l.issuing.certify("Domain CA", l.domain.key)
	distrusted := []*x509.Certificate{other.root.Certificate, other.domain.Certificate, other.issuing.Certificate, again.Certificate, loop.Certificate}
	var keys [][32]byte
	for _, c := range distrusted[:3] {
		keys = append(keys, chain.KeyHash(c))
	}
	for name, veto := range map[string]chain.Option{
		"by key":         chain.WithVeto(chain.VetoKeys(keys...)),
		"by certificate": chain.WithDistrusted(truststore.New(distrusted...), nil),
		"with others": chain.WithVeto(func(certs []*x509.Certificate) error {
			if slices.Contains(certs, again.Certificate) || slices.Contains(certs, other.root.Certificate) {
				return errRevoked
			}
			return nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			v := l.verifier(veto, chain.WithPolicy(func(c chain.Chain, _ time.Time) error {
				asked++
				return nil
			}))
			c, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: distrusted})
			require.NoError(t, err)
			assertSameCerts(t, l.full(), c)
			verified, err := verifyAsTLS(v, l.leaf, distrusted)
			require.NoError(t, err)
			c, err = v.Check(verified, now)
			require.NoError(t, err)
			assertSameCerts(t, l.full(), c)
			assert.NotZero(t, asked)
		})
	}
}

// A path that a veto refuses is not a policy's business, which may look something up.
func TestVetoesComeBeforePolicies(t *testing.T) {
	l := newLayers()
	for _, distrusted := range l.full() {
		seen := new(keeping)
		v := l.verifier(chain.WithPolicy(seen.policy), chain.WithVeto(nil), chain.WithVeto(chain.VetoKeys()), chain.WithVeto(chain.VetoKeys(chain.KeyHash(distrusted))))
		for _, p := range l.presentations() {
			_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: p.extra})
			assert.Error(t, err)
			_, err = verifyAsTLS(v, l.leaf, p.extra)
			assert.Error(t, err)
			_, err = v.Check([][]*x509.Certificate{l.full(), l.full()[:2]}, now)
			var e *chain.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, chain.RefusedByPolicy, e.Reason)
			assert.Same(t, distrusted, e.Cert)
			assertSameCerts(t, l.full(), e.Chain)
		}
		assert.Empty(t, seen.chains)
	}
}

// A peer can send CAs among which there are more paths than anyone follows, each of
// which ends at one that is distrusted.
func TestRefusingEarlyIsBounded(t *testing.T) {
	key := newKey()
	impostor, distrusted := newRootFor(key, "Impostor"), newRoot("Impostor").Certificate
	asked := 0
	v := newLayers().verifier(chain.WithVeto(func(certs []*x509.Certificate) error {
		if asked++; slices.Contains(certs, distrusted) || asked > 100_000 {
			return errRevoked
		}
		return nil
	}))
	extra := repeat(20, func() *x509.Certificate { return impostor.certify("Impostor", key).Certificate })
	_, err := v.Verify(impostor.issue("host.example"), chain.VerifyOptions{Time: now, Extra: append(extra, distrusted)})
	require.Error(t, err)
	assert.Less(t, asked, 200)
}

// Nor are long certificates read again and again.
func TestRefusingEarlyReadsLittle(t *testing.T) {
	from, read := newRoot("Stranger"), 0
	var extra []*x509.Certificate
	for i := range 20 {
		from = from.issueCA(fmt.Sprintf("CA %d", i), extension(asn1.ObjectIdentifier{1, 2, 3}, false, make([]byte, 100_000)...))
		extra = append(extra, from.Certificate)
	}
	v := newLayers().verifier(chain.WithVeto(func(certs []*x509.Certificate) error {
		for _, c := range certs {
			read += len(c.Raw)
		}
		return nil
	}))
	_, err := v.Verify(from.issue("host.example"), chain.VerifyOptions{Time: now, Extra: extra})
	require.Error(t, err)
	assert.Less(t, read, 2<<20)
}
