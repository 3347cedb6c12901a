package chain_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestNewVerifier(t *testing.T) {
	l := newLayers()
	pinned := sign(leafTemplate("pinned.example"), nil, l.root.key, l.root.key, nil)
	empty := truststore.New()
	for _, test := range []struct {
		name                 string
		roots, intermediates *truststore.Store
		err                  string // part of it; "" for none
	}{
		{"roots and intermediates", l.roots(), l.intermediates(), ""},
		{"no intermediates", l.roots(), empty, ""},
		{"nothing at all", empty, empty, ""},
		{"a root among the intermediates too", l.roots(), truststore.New(l.full()[1:]...), ""},
		{"a root among the intermediates only", empty, truststore.New(l.full()[1:]...), ""},
		{"nil roots", nil, empty, "a store of roots and one of intermediates"},
		{"nil intermediates", l.roots(), nil, "a store of roots and one of intermediates"},
		{"a leaf as a root", truststore.New(l.leaf), empty, `"host.example" is not a CA, so it cannot be a root: trust its CA and pin it by a policy`},
		{"a self-signed leaf as a root", truststore.New(pinned), empty, `"pinned.example" is not a CA`},
		{"a CA below the root as a root", truststore.New(l.root.Certificate, l.issuing.Certificate), empty, `"Issuing CA" is not a root but issued by another CA`},
		{"a leaf as an intermediate", l.roots(), truststore.New(l.leaf), `"host.example" is not a CA, so it cannot be an intermediate`},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := chain.NewVerifier(test.roots, test.intermediates)
			if test.err == "" {
				require.NoError(t, err)
				require.NotNil(t, v)
				return
			}
			assert.Nil(t, v)
			assert.ErrorContains(t, err, test.err)
			assert.ErrorContains(t, err, "chain: ")
		})
	}
}

func TestNewVerifierCopiesItsStores(t *testing.T) {
	l := newLayers()
	roots, intermediates, distrusted := l.roots(), l.intermediates(), truststore.New()
	v := mustVerifier(roots, intermediates, chain.WithDistrusted(distrusted, nil))
	*roots, *intermediates = truststore.Store{}, truststore.Store{}
	distrusted.Add(l.issuing.Certificate)
	_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
	assert.NoError(t, err)
}

// presentation is what a peer sends beside its own certificate.
type presentation struct {
	name  string
	extra []*x509.Certificate
}

// presentations are those of servers that were met.
func (l layers) presentations() []presentation {
	unrelated := newLayers()
	return []presentation{
		{"leaf only", nil},
		{"leaf and issuing CA", l.full()[1:2]},
		{"leaf and domain CA", l.full()[2:3]},
		{"the chain", l.full()[1:3]},
		{"the chain with the root", l.full()[1:]},
		{"leaf and root", l.full()[3:]},
		{"shuffled", []*x509.Certificate{l.root.Certificate, l.domain.Certificate, l.issuing.Certificate}},
		{"twice", slices.Concat(l.full(), l.full())},
		{"copies", []*x509.Certificate{copyOf(l.issuing.Certificate), copyOf(l.domain.Certificate), copyOf(l.root.Certificate)}},
		{"with CAs of the same names and other keys", slices.Concat(unrelated.full(), l.full()[1:])},
		{"nothing but CAs of the same names and other keys", unrelated.full()},
	}
}

// verifyAsTLS verifies as crypto/tls does: with the pool, and what the peer sent.
func verifyAsTLS(v *chain.Verifier, leaf *x509.Certificate, extra []*x509.Certificate, usages ...x509.ExtKeyUsage) ([][]*x509.Certificate, error) {
	return leaf.Verify(x509.VerifyOptions{
		Roots:         v.CertPool(clock),
		Intermediates: poolOf(extra...),
		CurrentTime:   now,
		KeyUsages:     usages,
	})
}

func TestVerifierAcceptsWhateverPeersSend(t *testing.T) {
	l := newLayers()
	for _, p := range l.presentations() {
		t.Run(p.name, func(t *testing.T) {
			var seen keeping
			v := l.verifier(chain.WithPolicy(seen.policy))

			c, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: append([]*x509.Certificate{nil}, p.extra...), DNSName: "host.example"})
			require.NoError(t, err)
			assertSameCerts(t, l.full(), c)

			verified, err := verifyAsTLS(v, l.leaf, p.extra)
			require.NoError(t, err)
			c, err = v.Check(verified, now)
			require.NoError(t, err)
			assertSameCerts(t, l.full(), c)

			require.NotEmpty(t, seen.chains)
			for i, c := range seen.chains {
				assertSameCerts(t, l.full(), c)
				assert.Equal(t, now, seen.times[i])
			}
		})
	}
}

// One surviving path is enough for crypto/x509: none may survive.
func TestVerifierRefusesWhatAPolicyRefuses(t *testing.T) {
	l := newLayers()
	for _, revoked := range l.full() {
		t.Run(revoked.Subject.CommonName+" is revoked", func(t *testing.T) {
			for _, p := range l.presentations() {
				t.Run(p.name, func(t *testing.T) {
					seen := keeping{revoked: []*x509.Certificate{revoked}}
					v := l.verifier(chain.WithPolicy(seen.policy))

					_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: p.extra})
					var e *chain.Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, chain.Revoked, e.Reason)
					assert.Same(t, revoked, e.Cert)
					assertSameCerts(t, l.full(), e.Chain)
					assert.ErrorIs(t, err, errRevoked)
					assert.Len(t, seen.chains, 1, "asked more than once about one chain")

					_, err = verifyAsTLS(v, l.leaf, p.extra)
					require.Error(t, err)
					var unknown x509.UnknownAuthorityError
					assert.ErrorAs(t, err, &unknown)

					for _, verified := range [][][]*x509.Certificate{{l.full()}, {l.full()[:2]}, {l.full()[:2], l.full()}} {
						_, err = v.Check(verified, now)
						require.ErrorAs(t, err, &e)
						assert.Equal(t, chain.Revoked, e.Reason)
					}
					for _, c := range seen.chains {
						assertSameCerts(t, l.full(), c)
					}
				})
			}
		})
	}
}

func TestVerifierTakesThePathThatAPolicyAllows(t *testing.T) {
	one, other := newRoot("One"), newRoot("Other")
	byOne := one.issueCA("Issuing CA")
	byOther := other.certify("Issuing CA", byOne.key)
	leaf := byOne.issue("host.example")
	seen := keeping{revoked: []*x509.Certificate{byOne.Certificate}}
	v := mustVerifier(truststore.New(one.Certificate, other.Certificate), truststore.New(byOne.Certificate, byOther.Certificate), chain.WithPolicy(seen.policy))

	want := chain.Chain{leaf, byOther.Certificate, other.Certificate}
	c, err := v.Verify(leaf, chain.VerifyOptions{Time: now})
	require.NoError(t, err)
	assertSameCerts(t, want, c)

	verified, err := verifyAsTLS(v, leaf, []*x509.Certificate{byOne.Certificate})
	require.NoError(t, err)
	c, err = v.Check(verified, now)
	require.NoError(t, err)
	assertSameCerts(t, want, c)
}

func TestWithDistrusted(t *testing.T) {
	veto := errors.New("it was withdrawn")
	l := newLayers()
	for _, distrusted := range l.full() {
		t.Run(distrusted.Subject.CommonName+" is distrusted", func(t *testing.T) {
			var said []chain.Chain
			why := func(c []*x509.Certificate) error {
				said = append(said, c)
				return veto
			}
			for _, p := range l.presentations() {
				t.Run(p.name, func(t *testing.T) {
					said = nil
					// A copy: what is distrusted is the certificate, not the value.
					v := l.verifier(chain.WithDistrusted(truststore.New(copyOf(distrusted)), why))
					_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: p.extra})
					var e *chain.Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, chain.RefusedByPolicy, e.Reason)
					assert.ErrorIs(t, err, veto)

					_, err = verifyAsTLS(v, l.leaf, p.extra)
					assert.Error(t, err)

					_, err = v.Check([][]*x509.Certificate{l.full()}, now)
					assert.ErrorIs(t, err, veto)

					require.NotEmpty(t, said)
					for _, c := range said {
						assert.True(t, c[len(c)-1].Equal(distrusted), "it gets the chain up to the distrusted certificate")
						assert.True(t, c[0].Equal(l.leaf))
					}
				})
			}
		})
	}

	t.Run("a distrusted CA that presents itself does not verify", func(t *testing.T) {
		for _, distrusted := range l.full()[1:] {
			for _, v := range []*chain.Verifier{
				l.verifier(chain.WithDistrusted(truststore.New(distrusted), nil)),
				mustVerifier(truststore.New(), truststore.New(), chain.WithDistrusted(truststore.New(l.full()[1:]...), nil)),
			} {
				for _, p := range l.presentations() {
					if !bytes.Equal(distrusted.RawIssuer, distrusted.RawSubject) {
						_, err := verifyAsTLS(v, distrusted, p.extra, x509.ExtKeyUsageAny)
						assert.Error(t, err, "%s: %s", distrusted.Subject.CommonName, p.name)
					}
					_, err := v.Check([][]*x509.Certificate{{distrusted}}, now)
					assert.Error(t, err, "%s: %s", distrusted.Subject.CommonName, p.name)
					_, err = v.Verify(distrusted, chain.VerifyOptions{Time: now, Extra: p.extra})
					assert.Error(t, err, "%s: %s", distrusted.Subject.CommonName, p.name)
				}
			}
		}
	})

	t.Run("a distrusted CA in other bytes is distrusted", func(t *testing.T) {
		again := withDataBehind(l.issuing.Certificate)
		v := l.verifier(chain.WithDistrusted(truststore.New(l.issuing.Certificate), nil))
		for _, p := range l.presentations() {
			extra := append([]*x509.Certificate{again}, p.extra...)
			_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: extra})
			assert.Error(t, err, p.name)
			_, err = verifyAsTLS(v, l.leaf, extra)
			assert.Error(t, err, p.name)
		}
	})

	t.Run("a distrusted root that is added to the pool stays distrusted", func(t *testing.T) {
		root := l.full()[len(l.full())-1]
		pool := l.verifier(chain.WithDistrusted(truststore.New(root), nil)).CertPool(nil)
		pool.AddCert(copyOf(root))
		for _, p := range l.presentations() {
			intermediates := x509.NewCertPool()
			for _, c := range p.extra {
				intermediates.AddCert(c)
			}
			_, err := l.leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: intermediates, CurrentTime: now})
			assert.Error(t, err, p.name)
		}
	})

	t.Run("crypto/x509 reports the words of an unknown CA that is distrusted", func(t *testing.T) {
		v := mustVerifier(truststore.New(), truststore.New(), chain.WithDistrusted(truststore.New(l.issuing.Certificate), func([]*x509.Certificate) error { return veto }))
		_, err := verifyAsTLS(v, l.leaf, nil)
		assert.ErrorContains(t, err, veto.Error())
	})

	for name, why := range map[string]func([]*x509.Certificate) error{
		"an error that why does not return is made up for": func([]*x509.Certificate) error { return nil },
		"so is a nil why": nil,
	} {
		t.Run(name, func(t *testing.T) {
			v := l.verifier(chain.WithDistrusted(truststore.New(l.issuing.Certificate), why))
			for _, p := range l.presentations() {
				_, err := verifyAsTLS(v, l.leaf, p.extra)
				assert.Error(t, err)
				_, err = v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: p.extra})
				assert.ErrorContains(t, err, "this CA is distrusted")
			}
		})
	}

	t.Run("nothing distrusted is nothing refused", func(t *testing.T) {
		for _, none := range []*truststore.Store{nil, truststore.New()} {
			_, err := l.verifier(chain.WithDistrusted(none, nil)).Verify(l.leaf, chain.VerifyOptions{Time: now})
			assert.NoError(t, err)
		}
	})

	t.Run("the veto comes before the policies", func(t *testing.T) {
		var seen keeping
		v := l.verifier(chain.WithPolicy(seen.policy), chain.WithDistrusted(truststore.New(l.domain.Certificate), nil))
		_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
		assert.Error(t, err)
		assert.Empty(t, seen.chains)
	})

	t.Run("the same CA reissued is another certificate", func(t *testing.T) {
		again := l.domain.certify("Issuing CA", l.issuing.key)
		v := mustVerifier(l.roots(), truststore.New(l.domain.Certificate, l.issuing.Certificate, again.Certificate),
			chain.WithDistrusted(truststore.New(l.issuing.Certificate), nil))
		c, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
		require.NoError(t, err)
		assertSameCerts(t, chain.Chain{l.leaf, again.Certificate, l.domain.Certificate, l.root.Certificate}, c)
		_, err = verifyAsTLS(v, l.leaf, l.full()[1:])
		assert.NoError(t, err)
	})
}

func TestWithPolicy(t *testing.T) {
	l := newLayers()
	var order []int
	note := func(i int) chain.Policy {
		return func(chain.Chain, time.Time) error { order = append(order, i); return nil }
	}
	v := l.verifier(chain.WithPolicy(note(1)), chain.WithPolicy(nil), chain.WithPolicy(chain.All(note(2), note(3))))
	_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3}, order)
}

// What is above an issuing CA is checked as crypto/x509 does from the root.
func TestVerifierJudgesTheUpperPath(t *testing.T) {
	server, client := x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	some := oid(1, 2, 3)
	for _, test := range []struct {
		name   string
		l      layers
		usages []x509.ExtKeyUsage
		reason chain.Reason // 0: Verify accepts
		pool   bool         // the pool accepts the leaf alone
	}{
		{"nothing unusual", newLayers(), nil, "", true},

		{"the domain CA has expired", newLayers(nil, []edit{expired}), nil, chain.Expired, false},
		{"the root has expired", newLayers([]edit{expired}), nil, chain.Expired, false},
		{"the issuing CA has expired", newLayers(nil, nil, []edit{expired}), nil, chain.Expired, false},
		{"the leaf has expired", newLayers(nil, nil, nil, []edit{expired}), nil, chain.Expired, false},
		{"the domain CA is not yet valid", newLayers(nil, []edit{notYetValid}), nil, chain.NotYetValid, false},
		{"the root is not yet valid", newLayers([]edit{notYetValid}), nil, chain.NotYetValid, false},
		{"the leaf is not yet valid", newLayers(nil, nil, nil, []edit{notYetValid}), nil, chain.NotYetValid, false},
		{"the domain CA ends at this second", newLayers(nil, []edit{valid(now, now)}), nil, "", true},

		{"the domain CA is for client certificates", newLayers(nil, []edit{usages(client)}), nil, chain.WrongUsage, false},
		{"the same, and a client is verified", newLayers(nil, []edit{usages(client)}, nil, []edit{usages(client)}), []x509.ExtKeyUsage{client}, "", true},
		{"the same, and the leaf would be good for servers too", newLayers(nil, []edit{usages(client)}), []x509.ExtKeyUsage{client}, "", false},
		{"the same, and any usage will do", newLayers(nil, []edit{usages(client)}), []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, "", false},
		{"the same, and either will do", newLayers(nil, []edit{usages(client)}), []x509.ExtKeyUsage{server, client}, "", false},
		{"the root is for signing code", newLayers([]edit{usages(x509.ExtKeyUsageCodeSigning)}), nil, chain.WrongUsage, false},
		{"the domain CA is for any usage", newLayers(nil, []edit{usages(x509.ExtKeyUsageAny)}), nil, "", true},
		{"the domain CA is for servers and clients", newLayers(nil, []edit{usages(server, client)}), nil, "", true},
		{"the domain CA is for servers, the leaf for all", newLayers(nil, []edit{usages(server)}, nil, []edit{usages()}), nil, "", false},
		{"the domain CA is for something unknown", newLayers(nil, []edit{func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}} }}), nil, chain.WrongUsage, false},
		{"either usage will do, the domain CA is for one and the leaf for the other", newLayers(nil, []edit{usages(server)}, nil, []edit{usages(client)}), []x509.ExtKeyUsage{server, client}, chain.WrongUsage, false},
		{"either usage will do, the domain CA is for one and the issuing CA for the other", newLayers(nil, []edit{usages(server)}, []edit{usages(client)}), []x509.ExtKeyUsage{server, client}, chain.WrongUsage, false},
		{"the issuing CA and the domain CA are for servers, the leaf for all", newLayers(nil, []edit{usages(server)}, []edit{usages(server)}, []edit{usages()}), nil, "", true},
		{"a usage that there is not", newLayers(nil, []edit{usages(server)}), []x509.ExtKeyUsage{1000}, chain.WrongUsage, false},
		{"a usage that there is not, and nothing is restricted", newLayers(nil, nil, nil, []edit{usages()}), []x509.ExtKeyUsage{1000}, "", true},
		{"root and domain CA have no usage in common", newLayers([]edit{usages(client)}, []edit{usages(server)}), nil, chain.WrongUsage, false},

		{"the root allows two CAs below", newLayers([]edit{maxPathLen(2)}), nil, "", true},
		{"the root allows one CA below", newLayers([]edit{maxPathLen(1)}), nil, chain.PathTooLong, false},
		{"the root allows no CA below", newLayers([]edit{maxPathLen(0)}), nil, chain.PathTooLong, false},
		{"the root allows one CA below, and the domain CA many", newLayers([]edit{maxPathLen(1)}, []edit{maxPathLen(5)}), nil, chain.PathTooLong, false},
		{"the root allows many CAs below, and the domain CA none", newLayers([]edit{maxPathLen(5)}, []edit{maxPathLen(0)}), nil, chain.PathTooLong, false},
		{"the domain CA allows one CA below", newLayers(nil, []edit{maxPathLen(1)}), nil, "", true},
		{"the domain CA allows none", newLayers(nil, []edit{maxPathLen(0)}), nil, chain.PathTooLong, false},
		{"the issuing CA allows none", newLayers(nil, nil, []edit{maxPathLen(0)}), nil, "", true},

		{"the domain CA is constrained to this name", newLayers(nil, []edit{onlyDomain("example")}), nil, "", false},
		{"the domain CA is constrained to other names", newLayers(nil, []edit{onlyDomain("other")}), nil, chain.NameNotPermitted, false},
		{"the root is constrained to other names", newLayers([]edit{onlyDomain("other")}), nil, chain.NameNotPermitted, false},
		{"the issuing CA is constrained to this name", newLayers(nil, nil, []edit{onlyDomain("example")}), nil, "", true},
		{"the issuing CA is constrained to other names", newLayers(nil, nil, []edit{onlyDomain("other")}), nil, chain.NameNotPermitted, false},

		{"the domain CA requires a policy that all have", newLayers(nil, []edit{requireExplicitPolicy(0), policies(some)}, []edit{policies(some)}, []edit{policies(some)}), nil, "", false},
		{"the domain CA requires a policy that the leaf lacks", newLayers(nil, []edit{requireExplicitPolicy(0), policies(some)}, []edit{policies(some)}), nil, chain.NoValidPolicy, false},
		{"the issuing CA requires a policy that the domain CA lacks", newLayers(nil, nil, []edit{requireExplicitPolicy(0), policies(some)}, []edit{policies(some)}), nil, chain.NoValidPolicy, false},
		{"the leaf requires a policy that all have", newLayers(nil, []edit{policies(some)}, []edit{policies(some)}, []edit{requireExplicitPolicy(0), policies(some)}), nil, "", false},
		{"the leaf requires a policy that the domain CA lacks", newLayers(nil, nil, []edit{policies(some)}, []edit{requireExplicitPolicy(0), policies(some)}), nil, chain.NoValidPolicy, false},
		{"the domain CA maps policies", newLayers(nil, []edit{extension(asn1.ObjectIdentifier{2, 5, 29, 33}, true, 0x30, 0x0a, 0x30, 0x08, 0x06, 0x02, 0x2a, 0x03, 0x06, 0x02, 0x2a, 0x04)}), nil, "", false},
		{"the domain CA inhibits anyPolicy", newLayers(nil, []edit{extension(asn1.ObjectIdentifier{2, 5, 29, 54}, true, 0x02, 0x01, 0x00)}), nil, "", false},
		{"the domain CA inhibits policy mapping", newLayers(nil, []edit{extension(asn1.ObjectIdentifier{2, 5, 29, 36}, true, 0x30, 0x03, 0x81, 0x01, 0x00)}), nil, "", false},

		{"the domain CA has an unknown critical extension", newLayers(nil, []edit{unknownCritical}), nil, chain.Unsupported, false},
		{"the issuing CA has one", newLayers(nil, nil, []edit{unknownCritical}), nil, chain.Unsupported, false},
		{"the leaf has one", newLayers(nil, nil, nil, []edit{unknownCritical}), nil, chain.Unsupported, false},
		{"the domain CA may not sign certificates", newLayers(nil, []edit{func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }}), nil, chain.NotACA, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := test.l
			var seen keeping
			v := l.verifier(chain.WithPolicy(seen.policy))
			opts := chain.VerifyOptions{Time: now, KeyUsages: test.usages}
			_, theirs := l.leaf.Verify(x509.VerifyOptions{
				Roots: poolOf(l.root.Certificate), Intermediates: poolOf(l.full()[1:3]...), CurrentTime: now, KeyUsages: test.usages,
			})
			for _, p := range l.presentations() {
				opts.Extra = p.extra
				c, err := v.Verify(l.leaf, opts)
				if test.reason == "" {
					require.NoError(t, theirs, "the case is none")
					require.NoError(t, err, p.name)
					assertSameCerts(t, l.full(), c)
				} else {
					require.Error(t, theirs, "the case is none")
					var e *chain.Error
					require.ErrorAs(t, err, &e, p.name)
					assert.Equal(t, test.reason, e.Reason, "%s: %v", p.name, err)
					assert.Same(t, l.leaf, e.Chain.Leaf())
				}

				verified, err := verifyAsTLS(v, l.leaf, p.extra, test.usages...)
				switch {
				case test.reason != "":
					assert.Error(t, err, p.name)
				case test.pool || len(p.extra) == 2 && p.name == "the chain":
					// From the root, and with nothing in doubt, the pool is not a stricter.
					require.NoError(t, err, p.name)
					_, err := v.Check(verified, now)
					assert.NoError(t, err, p.name)
				case len(p.extra) == 0:
					assert.Error(t, err)
				}
			}
			for _, c := range seen.chains {
				assertSameCerts(t, l.full(), c)
			}
		})
	}
}

func TestVerifyReasons(t *testing.T) {
	l := newLayers()
	v := l.verifier()
	other := newLayers()
	server := authority{key: newKey()}
	server.Certificate = sign(leafTemplate("host.example"), l.issuing.Certificate, server.key, l.issuing.key, nil)

	for _, test := range []struct {
		name   string
		leaf   *x509.Certificate
		opts   chain.VerifyOptions
		reason chain.Reason
		path   []string
		cert   string
	}{
		{"another host", l.leaf, chain.VerifyOptions{DNSName: "other.example"}, chain.WrongName, []string{"host.example", "Issuing CA", "Domain CA", "Root"}, "host.example"},
		{"a usage that the leaf has not", l.leaf, chain.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}, chain.WrongUsage, []string{"host.example", "Issuing CA", "Domain CA", "Root"}, "host.example"},
		{"later", l.leaf, chain.VerifyOptions{Time: now.AddDate(3, 0, 0)}, chain.Expired, []string{"host.example", "Issuing CA", "Domain CA", "Root"}, "host.example"},
		{"earlier", l.leaf, chain.VerifyOptions{Time: now.AddDate(-3, 0, 0)}, chain.NotYetValid, []string{"host.example", "Issuing CA", "Domain CA", "Root"}, "host.example"},
		{"a CA with the same name and another key", other.leaf, chain.VerifyOptions{}, chain.UnknownAuthority, []string{"host.example"}, "host.example"},
		{"a hierarchy that is not trusted", other.leaf, chain.VerifyOptions{Extra: other.full()}, chain.UnknownAuthority, []string{"host.example", "Issuing CA", "Domain CA", "Root"}, "Root"},
		{"a hierarchy that is not trusted and another host", other.leaf, chain.VerifyOptions{Extra: other.full(), DNSName: "other.example"}, chain.UnknownAuthority, []string{"host.example", "Issuing CA", "Domain CA", "Root"}, "Root"},
		{"a self-signed leaf", sign(leafTemplate("self.example"), nil, l.root.key, l.root.key, nil), chain.VerifyOptions{}, chain.UnknownAuthority, []string{"self.example"}, "self.example"},
		{"a changed certificate", mutated(l.leaf), chain.VerifyOptions{}, chain.BadSignature, []string{"host.example"}, "host.example"},
		{"one issued by a leaf", server.issue("a.example"), chain.VerifyOptions{Extra: []*x509.Certificate{server.Certificate}}, chain.NotACA, []string{"a.example"}, "a.example"},
		{"nil", nil, chain.VerifyOptions{}, chain.Unsupported, nil, ""},
		{"a certificate that was never parsed", &x509.Certificate{}, chain.VerifyOptions{}, chain.Unsupported, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.opts.Time.IsZero() {
				test.opts.Time = now
			}
			c, err := v.Verify(test.leaf, test.opts)
			assert.Nil(t, c)
			var e *chain.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.reason, e.Reason, err.Error())
			assert.Equal(t, test.path, names(e.Chain))
			assert.Equal(t, test.opts.Time, e.At)
			if test.cert == "" {
				assert.Nil(t, e.Cert)
			} else if assert.NotNil(t, e.Cert) {
				assert.Equal(t, test.cert, e.Cert.Subject.CommonName)
			}
		})
	}
}

func TestVerifyTime(t *testing.T) {
	begin, end := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	present := []edit{valid(begin, end)}
	l := newLayers(present, present, present, present)
	var seen keeping
	v := l.verifier(chain.WithPolicy(seen.policy))

	_, err := v.Verify(l.leaf, chain.VerifyOptions{})
	require.NoError(t, err, "a zero time is now")
	_, err = v.Check([][]*x509.Certificate{l.full()}, time.Time{})
	require.NoError(t, err)
	for _, clock := range []func() time.Time{nil, time.Now, func() time.Time { return time.Time{} }} {
		_, err = l.leaf.Verify(x509.VerifyOptions{Roots: v.CertPool(clock)})
		require.NoError(t, err)
	}
	for _, at := range seen.times {
		assert.WithinDuration(t, time.Now(), at, time.Minute)
	}

	_, err = l.leaf.Verify(x509.VerifyOptions{Roots: v.CertPool(func() time.Time { return end.Add(time.Hour) })})
	assert.Error(t, err, "the CAs above the anchor are checked by the pool's clock")
}

func TestVerifyAnchorsThemselves(t *testing.T) {
	l := newLayers()
	seen := keeping{revoked: []*x509.Certificate{l.issuing.Certificate}}
	v := l.verifier(chain.WithPolicy(seen.policy))

	c, err := v.Verify(l.root.Certificate, chain.VerifyOptions{Time: now})
	require.NoError(t, err)
	assertSameCerts(t, l.full()[3:], c)

	c, err = v.Verify(l.domain.Certificate, chain.VerifyOptions{Time: now})
	require.NoError(t, err)
	assertSameCerts(t, l.full()[2:], c)

	_, err = v.Verify(l.issuing.Certificate, chain.VerifyOptions{Time: now})
	assert.ErrorIs(t, err, errRevoked, "Verify asks the policies about a CA that it holds")

	// crypto/x509 asks no constraint about a certificate that is in the pool:
	// this is what Check is for.
	verified, err := verifyAsTLS(v, l.issuing.Certificate, nil)
	if err == nil {
		_, err = v.Check(verified, now)
	}
	assert.ErrorIs(t, err, errRevoked)

	old := newLayers(nil, []edit{expired})
	v = old.verifier()
	_, err = v.Verify(old.issuing.Certificate, chain.VerifyOptions{Time: now})
	assert.Error(t, err)
	verified, err = verifyAsTLS(v, old.issuing.Certificate, nil)
	if err == nil {
		_, err = v.Check(verified, now)
	}
	assert.Error(t, err, "what is above a CA that presents itself counts")
}

func TestVerifierOfReissuedCAs(t *testing.T) {
	root := newRoot("Root")
	key := newKey()
	old := root.certify("Domain CA", key, expired)
	fresh := root.certify("Domain CA", key)
	issuing := fresh.issueCA("Issuing CA")
	leaf := issuing.issue("host.example")
	want := chain.Chain{leaf, issuing.Certificate, fresh.Certificate, root.Certificate}

	for _, test := range []struct {
		name          string
		intermediates []*x509.Certificate
		extra         []*x509.Certificate
		accepted      bool
	}{
		{"both are in the verifier", []*x509.Certificate{old.Certificate, fresh.Certificate, issuing.Certificate}, nil, true},
		{"the present one is in the verifier and the old one sent", []*x509.Certificate{fresh.Certificate, issuing.Certificate}, []*x509.Certificate{old.Certificate}, true},
		{"the old one is in the verifier and the present one sent", []*x509.Certificate{old.Certificate, issuing.Certificate}, []*x509.Certificate{issuing.Certificate, fresh.Certificate}, true},
		{"the old one is in the verifier and nothing sent", []*x509.Certificate{old.Certificate, issuing.Certificate}, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := mustVerifier(truststore.New(root.Certificate), truststore.New(test.intermediates...))
			c, err := v.Verify(leaf, chain.VerifyOptions{Time: now, Extra: test.extra})
			verified, poolErr := verifyAsTLS(v, leaf, test.extra)
			if !test.accepted {
				var e *chain.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, chain.Expired, e.Reason)
				assert.Same(t, old.Certificate, e.Cert)
				assert.Error(t, poolErr)
				return
			}
			require.NoError(t, err)
			assertSameCerts(t, want, c)
			require.NoError(t, poolErr)
			c, err = v.Check(verified, now)
			require.NoError(t, err)
			assertSameCerts(t, want, c)
		})
	}
}

func TestVerifierOfCrossSignedCAs(t *testing.T) {
	one, other := newRoot("One"), newRoot("Other", expired)
	issuing := one.issueCA("Issuing CA")
	cross := other.certify("Issuing CA", issuing.key)
	leaf := issuing.issue("host.example")
	both := truststore.New(one.Certificate, other.Certificate)
	all := truststore.New(cross.Certificate, issuing.Certificate)

	v := mustVerifier(both, all)
	c, err := v.Verify(leaf, chain.VerifyOptions{Time: now})
	require.NoError(t, err, "the path of the root that is still valid")
	assertSameCerts(t, chain.Chain{leaf, issuing.Certificate, one.Certificate}, c)

	for _, extra := range [][]*x509.Certificate{nil, {cross.Certificate}, {issuing.Certificate}, {cross.Certificate, issuing.Certificate}} {
		verified, err := verifyAsTLS(v, leaf, extra)
		require.NoError(t, err)
		c, err = v.Check(verified, now)
		require.NoError(t, err)
		assertSameCerts(t, chain.Chain{leaf, issuing.Certificate, one.Certificate}, c)
	}

	// Two CAs that signed each other have no end of paths.
	a := newRoot("A")
	keyB, keyC := newKey(), newKey()
	b := a.certify("B", keyB)
	cByB := b.certify("C", keyC)
	bByC := cByB.certify("B", keyB)
	leaf = cByB.issue("host.example")
	v = mustVerifier(truststore.New(a.Certificate), truststore.New(bByC.Certificate, b.Certificate, cByB.Certificate))
	c, err = v.Verify(leaf, chain.VerifyOptions{Time: now})
	require.NoError(t, err)
	assertSameCerts(t, chain.Chain{leaf, cByB.Certificate, b.Certificate, a.Certificate}, c)
}

func TestCheck(t *testing.T) {
	l := newLayers()
	other := newLayers()
	v := l.verifier()

	for _, test := range []struct {
		name     string
		verified [][]*x509.Certificate
	}{
		{"the complete chain", [][]*x509.Certificate{l.full()}},
		{"one that ends at a derived anchor", [][]*x509.Certificate{l.full()[:2]}},
		{"one that ends at the domain CA", [][]*x509.Certificate{l.full()[:3]}},
		{"copies, as crypto/tls makes of a resumed session", [][]*x509.Certificate{{copyOf(l.leaf), copyOf(l.issuing.Certificate)}}},
		{"a copy of the root", [][]*x509.Certificate{{l.leaf, l.issuing.Certificate, l.domain.Certificate, copyOf(l.root.Certificate)}}},
		{"after one of another verifier", [][]*x509.Certificate{other.full(), l.full()}},
		{"after chains that are none", [][]*x509.Certificate{nil, {}, {nil}, {l.leaf, nil}, {nil, l.issuing.Certificate}, l.full()}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := v.Check(test.verified, now)
			require.NoError(t, err)
			assertSameCerts(t, l.full(), c)
		})
	}

	const server, client = x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	for _, test := range []struct {
		name   string
		l      layers
		usages []x509.ExtKeyUsage
		ok     bool
	}{
		{"a leaf for servers, and clients are wanted", newLayers(nil, nil, nil, []edit{usages(server)}), []x509.ExtKeyUsage{client}, false},
		{"a root for servers, and clients are wanted", newLayers([]edit{usages(server)}), []x509.ExtKeyUsage{client}, false},
		{"an issuing CA for servers, and clients are wanted", newLayers(nil, nil, []edit{usages(server)}), []x509.ExtKeyUsage{client}, false},
		{"either, the CA is for one and the leaf for the other", newLayers(nil, nil, []edit{usages(server)}, []edit{usages(client)}), []x509.ExtKeyUsage{server, client}, false},
		{"a leaf for servers, and either will do", newLayers(nil, nil, nil, []edit{usages(server)}), []x509.ExtKeyUsage{client, server}, true},
		{"a leaf for servers, and any usage will do", newLayers(nil, nil, nil, []edit{usages(server)}), []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, true},
		{"a leaf for servers, and nothing is asked", newLayers(nil, nil, nil, []edit{usages(server)}), nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, verified := range [][]*x509.Certificate{test.l.full(), test.l.full()[:2]} {
				_, err := test.l.verifier().Check([][]*x509.Certificate{verified}, now, test.usages...)
				if test.ok {
					assert.NoError(t, err)
					continue
				}
				var e *chain.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, chain.WrongUsage, e.Reason, err.Error())
			}
		})
	}

	for _, test := range []struct {
		name     string
		verified [][]*x509.Certificate
		at       time.Time
		reason   chain.Reason
	}{
		{"no chain", nil, now, chain.UnknownAuthority},
		{"empty chains", [][]*x509.Certificate{{}, nil, {}}, now, chain.UnknownAuthority},
		{"nil certificates", [][]*x509.Certificate{{nil}, {nil, nil}}, now, chain.UnknownAuthority},
		{"a chain of another verifier", [][]*x509.Certificate{other.full()}, now, chain.UnknownAuthority},
		{"a chain that ends at no anchor", [][]*x509.Certificate{{l.leaf}}, now, chain.UnknownAuthority},
		{"the leaf has expired since", [][]*x509.Certificate{l.full()[:2]}, now.AddDate(2, 0, 0), chain.Expired},
		{"and from the root", [][]*x509.Certificate{l.full()}, now.AddDate(2, 0, 0), chain.Expired},
		{"before its time", [][]*x509.Certificate{l.full()[:2]}, now.AddDate(-2, 0, 0), chain.NotYetValid},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := v.Check(test.verified, test.at)
			assert.Nil(t, c)
			var e *chain.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.reason, e.Reason, err.Error())
			assert.Equal(t, test.at, e.At)
		})
	}

	t.Run("a CA above the anchor has expired since", func(t *testing.T) {
		l := newLayers(nil, []edit{valid(now.AddDate(-1, 0, 0), now.AddDate(0, 0, 1))})
		v := l.verifier()
		_, err := v.Check([][]*x509.Certificate{l.full()[:2]}, now)
		require.NoError(t, err)
		_, err = v.Check([][]*x509.Certificate{l.full()[:2]}, now.AddDate(0, 0, 2))
		var e *chain.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, chain.Expired, e.Reason)
		assert.Same(t, l.domain.Certificate, e.Cert)
	})

	t.Run("says what to look for where verification was turned off", func(t *testing.T) {
		_, err := v.Check(nil, now)
		assert.ErrorContains(t, err, "was verification turned off?")
	})

	t.Run("says what to look for where another pool verified", func(t *testing.T) {
		_, err := v.Check([][]*x509.Certificate{other.full()}, now)
		assert.ErrorContains(t, err, "were they verified with its CertPool?")
	})

	t.Run("leaves its argument alone", func(t *testing.T) {
		verified := [][]*x509.Certificate{nil, l.full()}
		_, err := v.Check(verified, now)
		require.NoError(t, err)
		assert.Nil(t, verified[0])
		assertSameCerts(t, l.full(), verified[1])
	})
}

func TestCertPool(t *testing.T) {
	l := newLayers()
	v := l.verifier()

	t.Run("each is new", func(t *testing.T) {
		pool := v.CertPool(clock)
		pool.AddCert(newRoot("Mine").Certificate)
		assert.False(t, pool.Equal(v.CertPool(clock)))
		assert.True(t, v.CertPool(clock).Equal(v.CertPool(nil)))
	})
	t.Run("holds the roots and the issuing CAs", func(t *testing.T) {
		assert.True(t, v.CertPool(clock).Equal(poolOf(l.root.Certificate, l.issuing.Certificate)))
	})
	t.Run("of no roots trusts nothing", func(t *testing.T) {
		v := mustVerifier(truststore.New(), l.intermediates())
		assert.True(t, v.CertPool(nil).Equal(x509.NewCertPool()))
		_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: l.full()})
		assert.Error(t, err)
		_, err = v.Verify(l.issuing.Certificate, chain.VerifyOptions{Time: now})
		assert.Error(t, err)
	})
	t.Run("holds no CA without a path to a root", func(t *testing.T) {
		stray := newLayers()
		v := mustVerifier(l.roots(), truststore.New(l.domain.Certificate, l.issuing.Certificate, stray.issuing.Certificate, stray.domain.Certificate))
		assert.True(t, v.CertPool(nil).Equal(l.verifier().CertPool(nil)))
		_, err := verifyAsTLS(v, stray.leaf, stray.full())
		assert.Error(t, err)
		_, err = verifyAsTLS(v, stray.issuing.Certificate, stray.full(), x509.ExtKeyUsageAny)
		assert.Error(t, err)
	})
	t.Run("holds no self-issued intermediate", func(t *testing.T) {
		second := newLayers()
		v := mustVerifier(l.roots(), truststore.New(second.root.Certificate, second.domain.Certificate, second.issuing.Certificate))
		assert.True(t, v.CertPool(nil).Equal(poolOf(l.root.Certificate)))
		_, err := v.Verify(second.leaf, chain.VerifyOptions{Time: now})
		assert.Error(t, err)
	})
	t.Run("a policy does not see the anchor twice", func(t *testing.T) {
		// crypto/x509 gives a constraint the chain without the anchor. If a release
		// of Go should do otherwise, this is where it shows.
		var seen keeping
		_, err := verifyAsTLS(l.verifier(chain.WithPolicy(seen.policy)), l.leaf, nil)
		require.NoError(t, err)
		require.Len(t, seen.chains, 1)
		assertSameCerts(t, l.full(), seen.chains[0])
	})
}

// crypto/x509 puts no name and key twice in a path, so that a derived anchor may not.
func TestVerifierPutsNoCATwiceInAPath(t *testing.T) {
	root := newRoot("Root")
	upper := root.issueCA("Upper CA")
	lower := upper.issueCA("Lower CA")
	again := lower.certify("Upper CA", upper.key)
	leaf := upper.issue("host.example")
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(upper.Certificate, lower.Certificate))

	_, err := verifyAsTLS(v, leaf, []*x509.Certificate{again.Certificate})
	assert.Error(t, err)
	_, err = v.Check([][]*x509.Certificate{{leaf, again.Certificate, lower.Certificate}}, now)
	assert.Error(t, err)
	c, err := v.Verify(leaf, chain.VerifyOptions{Time: now, Extra: []*x509.Certificate{again.Certificate}})
	require.NoError(t, err)
	assertSameCerts(t, chain.Chain{leaf, upper.Certificate, root.Certificate}, c)
}

// A rolled-over root is certified by the old one under the same name.
func TestVerifierOfARolledOverRoot(t *testing.T) {
	before := newRoot("Root")
	key := newKey()
	after := newRootFor(key, "Root")
	newWithOld := before.certify("Root", key)
	issuing := after.issueCA("Issuing CA")
	leaf := issuing.issue("host.example")

	v := mustVerifier(truststore.New(before.Certificate), truststore.New(issuing.Certificate, newWithOld.Certificate))
	want := chain.Chain{leaf, issuing.Certificate, newWithOld.Certificate, before.Certificate}
	c, err := v.Verify(leaf, chain.VerifyOptions{Time: now})
	require.NoError(t, err)
	assertSameCerts(t, want, c)
	verified, err := verifyAsTLS(v, leaf, nil)
	require.NoError(t, err)
	c, err = v.Check(verified, now)
	require.NoError(t, err)
	assertSameCerts(t, want, c)
}

func TestVerifierIsSafeForConcurrentUse(t *testing.T) {
	l := newLayers()
	v := l.verifier(chain.WithPolicy(func(chain.Chain, time.Time) error { return nil }))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 20 {
				switch (i + j) % 4 {
				case 0:
					_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
					assert.NoError(t, err)
				case 1:
					verified, err := verifyAsTLS(v, l.leaf, nil)
					assert.NoError(t, err)
					_, err = v.Check(verified, now)
					assert.NoError(t, err)
				case 2:
					_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, DNSName: "other.example"})
					assert.Error(t, err)
				case 3:
					_, err := v.Complete([]*x509.Certificate{l.leaf}, now)
					assert.NoError(t, err)
				}
			}
		}()
	}
	wg.Wait()
}

// A peer chooses what it sends. It must not choose how long we work.
func TestHostileExtraEndsQuickly(t *testing.T) {
	l := newLayers()
	key := newKey()
	impostor := newRootFor(key, "Impostor")
	other := newRoot("Other impostor")
	for _, test := range []struct {
		name  string
		leaf  *x509.Certificate
		extra []*x509.Certificate
		valid bool
	}{
		{"200 reissues of one CA, which did issue the leaf", impostor.issue("host.example"),
			repeat(200, func() *x509.Certificate { return other.certify("Impostor", key).Certificate }), false},
		{"200 self-signed certificates with one name and key", impostor.issue("host.example"),
			repeat(200, func() *x509.Certificate { return newRootFor(key, "Impostor").Certificate }), false},
		{"200 CAs with one name and as many keys", impostor.issue("host.example"),
			repeat(200, func() *x509.Certificate { return newRoot("Impostor").Certificate }), false},
		{"two CAs that signed each other, 100 times", impostor.issue("host.example"),
			slices.Concat(
				repeat(100, func() *x509.Certificate { return other.certify("Impostor", key).Certificate }),
				repeat(100, func() *x509.Certificate { return impostor.certify("Other impostor", other.key).Certificate })), false},
		{"200 namesakes of the issuing CA, and a leaf that it issued", l.leaf,
			repeat(200, func() *x509.Certificate { return newRoot("Issuing CA").Certificate }), true},
		{"200 namesakes with its key identifier", l.leaf,
			repeat(200, func() *x509.Certificate {
				return newRoot("Issuing CA", func(c *x509.Certificate) { c.SubjectKeyId = l.issuing.SubjectKeyId }).Certificate
			}), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := l.verifier()
			begin := time.Now()
			_, err := v.Verify(test.leaf, chain.VerifyOptions{Time: now, Extra: test.extra})
			assert.Equal(t, test.valid, err == nil, err)
			_, err = v.Complete(append([]*x509.Certificate{test.leaf}, test.extra...), now)
			assert.Equal(t, test.valid, err == nil, err)
			assert.Less(t, time.Since(begin), 2*time.Second, "the race detector and a busy machine included")
		})
	}

	t.Run("a hierarchy that holds 200 reissues", func(t *testing.T) {
		domains := repeat(200, func() *x509.Certificate { return l.root.certify("Domain CA", l.domain.key).Certificate })
		v := mustVerifier(l.roots(), truststore.New(append(domains, l.issuing.Certificate)...))
		begin := time.Now()
		verified, err := verifyAsTLS(v, l.leaf, nil)
		require.NoError(t, err)
		_, err = v.Check(verified, now)
		require.NoError(t, err)
		assert.Less(t, time.Since(begin), 2*time.Second)
	})
}

func repeat(n int, f func() *x509.Certificate) []*x509.Certificate {
	certs := make([]*x509.Certificate, n)
	for i := range certs {
		certs[i] = f()
	}
	return certs
}
