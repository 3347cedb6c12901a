package chain_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/profile"
	"github.com/go-pkioverheid/trust/truststore"
)

// hostileInput is what somebody sends who wants the other side to compute.
type hostileInput struct {
	name  string
	leaf  *x509.Certificate
	extra []*x509.Certificate
}

// hostileInputs takes seconds to make. Some of it is below trusted.
var hostileInputs = sync.OnceValues(func() (trusted authority, inputs []hostileInput) {
	trusted = newRoot("Trusted")
	// Another subjectAltName in each: crypto/x509 takes two certificates of one
	// name and key for the same in a path, but for that.
	numbered := func(c *x509.Certificate) { c.DNSNames = []string{fmt.Sprintf("n%d.example", c.SerialNumber)} }
	many := func(n int, prefix string) []string {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("%s%d.example", prefix, i)
		}
		return names
	}
	add := func(name string, leaf *x509.Certificate, extra ...*x509.Certificate) {
		inputs = append(inputs, hostileInput{name, leaf, extra})
	}
	same := func(key crypto.Signer, n int, edits ...edit) (*x509.Certificate, []*x509.Certificate) {
		return newRootFor(key, "X").issue("host.example"), repeat(n, func() *x509.Certificate { return newRootFor(key, "X", edits...).Certificate })
	}
	for _, k := range []struct {
		name string
		key  crypto.Signer
		n    int
	}{
		{"ECDSA on P-256", newKey(), 300},
		{"ECDSA on P-521", onCurve(elliptic.P521()), 120},
		{"RSA of 4096 bits", newSmoothKey(4096, 65537), 60},
		{"RSA of 8192 bits", newSmoothKey(8192, 65537), 120},
		{"RSA of 16384 bits", newSmoothKey(16384, 65537), 20},
		{"RSA of 4096 bits with the exponent 2^31-1", newSmoothKey(4096, 1<<31-1), 60},
	} {
		leaf, certs := same(k.key, k.n)
		add(fmt.Sprintf("%d of one name and key, %s", k.n, k.name), leaf, certs...)
		leaf, certs = same(k.key, k.n, numbered)
		add(fmt.Sprintf("%d of one name and key, with other subjectAltNames, %s", k.n, k.name), leaf, certs...)
		if k.n > 50 {
			add(fmt.Sprintf("50 of one name and key, with other subjectAltNames, %s", k.name), leaf, certs[:50]...)
		}
	}

	long := func(n int, from authority, edits ...edit) (authority, []*x509.Certificate) {
		var certs []*x509.Certificate
		for i := range n {
			from = from.issueCA(fmt.Sprintf("CA %d", i), edits...)
			certs = append(certs, from.Certificate)
		}
		return from, certs
	}
	end, certs := long(400, newRoot("Stranger"))
	add("a chain of 400 to a root that nobody trusts", end.issue("host.example"), certs...)
	end, certs = long(400, trusted)
	add("a chain of 400 to a trusted root", end.issue("host.example"), certs...)

	for _, n := range []int{2000, 20_000} {
		key := newKey()
		names := func(c *x509.Certificate) { c.DNSNames = append(many(n, "n"), "host.example") }
		constraints := func(c *x509.Certificate) {
			numbered(c)
			c.ExcludedDNSDomains = many(n, "x")
		}
		leaf := newRootFor(key, "X").issue("host.example", names)
		add(fmt.Sprintf("%d names against %d constraints in each of 50 that nobody trusts", n, n), leaf,
			repeat(50, func() *x509.Certificate { return newRootFor(key, "X", constraints).Certificate })...)
		add(fmt.Sprintf("%d names against %d constraints in each of 50 below a trusted root", n, n), leaf,
			repeat(50, func() *x509.Certificate { return trusted.certify("X", key, constraints).Certificate })...)
	}
	var oids []x509.OID
	for i := range 2000 {
		oids = append(oids, oid(1, 2, 3, uint64(i)))
	}
	key := newKey()
	add("2000 policies in each of 50 below a trusted root", newRootFor(key, "X").issue("host.example", policies(oids...)),
		repeat(50, func() *x509.Certificate { return trusted.certify("X", key, numbered, policies(oids...)).Certificate })...)
	end, certs = long(60, trusted, policies(oids[:1000]...))
	add("1000 policies in each of a chain of 60", end.issue("host.example", policies(oids[:1000]...)), certs...)
	megabyte := func(c *x509.Certificate) {
		numbered(c)
		extension(asn1.ObjectIdentifier{1, 2, 3}, false, make([]byte, 1<<20)...)(c)
	}
	leaf, certs := same(key, 20, megabyte)
	add("20 of a megabyte", leaf, certs...)
	return trusted, inputs
})

// A peer chooses what it sends. It must not choose how long we work: within 100 ms
// on a machine that does nothing else, the log says.
func TestHostileInputsEndQuickly(t *testing.T) {
	const most = time.Second // the race detector included
	trusted, inputs := hostileInputs()
	v := mustVerifier(truststore.New(trusted.Certificate), truststore.New())
	strict := mustVerifier(truststore.New(trusted.Certificate), truststore.New(), chain.WithPolicy(profile.WebPKI),
		chain.WithVeto(chain.VetoKeys([32]byte{})), chain.WithDistrusted(truststore.New(newRoot("X").Certificate), nil))
	var worst time.Duration
	for _, input := range inputs {
		t.Run(input.name, func(t *testing.T) {
			for name, ask := range map[string]func() error{
				"Verify": func() error {
					_, err := v.Verify(input.leaf, chain.VerifyOptions{Time: now, Extra: input.extra})
					return err
				},
				"Verify with vetoes and profiles": func() error {
					_, err := strict.Verify(input.leaf, chain.VerifyOptions{Time: now, Extra: input.extra})
					return err
				},
				"Complete": func() error {
					_, err := v.Complete(append([]*x509.Certificate{input.leaf}, input.extra...), now)
					return err
				},
				"Explain": func() error {
					return v.Explain(append([]*x509.Certificate{input.leaf}, input.extra...), chain.VerifyOptions{Time: now}).Err
				},
				"Check": func() error {
					_, err := v.Check([][]*x509.Certificate{append([]*x509.Certificate{input.leaf}, input.extra...)}, now)
					return err
				},
			} {
				took, err := quickest(t, most, ask)
				t.Log(name, took, shortened(err))
				worst = max(worst, took)
				var e *chain.Error
				if name != "Complete" || err != nil { // which checks nothing
					require.ErrorAs(t, err, &e, name)
				}
			}
		})
	}
	t.Log("the longest:", worst)
}

// quickest is how much CPU time f takes where nothing else gets in its way.
func quickest(t *testing.T, most time.Duration, f func() error) (time.Duration, error) {
	t.Helper()
	best := time.Duration(1<<63 - 1)
	var err error
	for try := 0; try < 1 || best > most && try < 5; try++ {
		begin := cpuTime()
		err = f()
		best = min(best, cpuTime()-begin)
	}
	assert.Less(t, best, most)
	return best, err
}

func shortened(err error) string {
	if err == nil {
		return "accepted"
	}
	return err.Error()[:min(len(err.Error()), 200)]
}

// What crypto/tls itself makes of such input, before it asks us: nothing of ours can
// bound that. The log says; it is not a promise of crypto/tls, so nothing is asserted
// but that the handshake fails. It takes at most 256 KiB of certificates, and no RSA
// keys of more than 8192 bits.
func TestHostileHandshakes(t *testing.T) {
	trusted, inputs := hostileInputs()
	v := mustVerifier(truststore.New(trusted.Certificate), truststore.New())
	for _, input := range inputs {
		t.Run(input.name, func(t *testing.T) {
			// The client verifies before it asks for a proof of the leaf's key, which nobody has.
			pair := tls.Certificate{PrivateKey: newKey(), Certificate: [][]byte{input.leaf.Raw}}
			size := len(input.leaf.Raw)
			for _, c := range input.extra {
				if size += len(c.Raw) + 5; size > 250<<10 {
					break
				}
				pair.Certificate = append(pair.Certificate, c.Raw)
			}
			cost := func(roots *x509.CertPool) (time.Duration, error) {
				return quickest(t, time.Minute, func() error {
					client, _ := handshake(t, &tls.Config{RootCAs: roots, ServerName: "host.example", Time: clock}, &tls.Config{Certificates: []tls.Certificate{pair}})
					return client
				})
			}
			plain, err := cost(poolOf(trusted.Certificate))
			assert.Error(t, err)
			ours, err := cost(v.CertPool(clock))
			assert.Error(t, err)
			t.Logf("%d certificates: with a pool of the root %s, with ours %s: %s", len(pair.Certificate), plain, ours, shortened(err))
		})
	}
}

func TestLimits(t *testing.T) {
	large, odd := newSmoothKey(8193, 65537), newSmoothKey(2048, 65539)
	largest := newSmoothKey(8192, 65537)
	with := func(key crypto.Signer) layers {
		l := newLayers()
		l.root = newRootFor(key, "Root")
		l.domain = l.root.certify("Domain CA", key)
		l.issuing = l.domain.certify("Issuing CA", key)
		l.leaf = sign(leafTemplate("host.example"), l.issuing.Certificate, key, key, nil)
		return l
	}
	none := truststore.New()
	for _, test := range []struct {
		name string
		key  crypto.Signer
		says string // "" if it is within the limits
	}{
		{"the largest modulus", largest, ""},
		{"a modulus too large", large, "its RSA key has 8193 bits, and at most 8192 are allowed"},
		{"an exponent too large", odd, "its RSA key has the exponent 65539, and at most 65537 is allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := with(test.key)
			v, err := chain.NewVerifier(l.roots(), l.intermediates())
			if test.says == "" {
				require.NoError(t, err)
				for _, v := range []*chain.Verifier{v, mustVerifier(l.roots(), none)} {
					c, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: l.full()})
					require.NoError(t, err)
					assertSameCerts(t, l.full(), c)
					c, err = v.Complete(l.full(), now)
					require.NoError(t, err)
					assertSameCerts(t, l.full(), c)
					verified, err := verifyAsTLS(v, l.leaf, l.full())
					require.NoError(t, err)
					_, err = v.Check(verified, now)
					assert.NoError(t, err)
				}
				return
			}
			assert.ErrorContains(t, err, test.says)
			assert.ErrorContains(t, err, `"Root" cannot be a trust anchor`)
			root := newRoot("Good Root")
			_, err = chain.NewVerifier(truststore.New(root.Certificate), truststore.New(root.certify("Issuing CA", test.key).Certificate))
			assert.ErrorContains(t, err, test.says)
			assert.ErrorContains(t, err, `"Issuing CA" cannot be an intermediate`)

			// In a leaf.
			v = mustVerifier(truststore.New(root.Certificate), none)
			leaf := sign(leafTemplate("host.example"), root.Certificate, test.key, root.key, nil)
			_, err = v.Verify(leaf, chain.VerifyOptions{Time: now})
			var e *chain.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, chain.Unsupported, e.Reason)
			assert.Same(t, leaf, e.Cert)
			assert.Equal(t, now, e.At)
			assert.ErrorContains(t, err, test.says)
			_, err = v.Check([][]*x509.Certificate{{leaf, root.Certificate}}, now)
			require.ErrorAs(t, err, &e)
			assert.Equal(t, chain.Unsupported, e.Reason)
			assert.ErrorContains(t, err, test.says)
			_, err = verifyAsTLS(v, leaf, nil)
			assert.ErrorContains(t, err, test.says, "the pool asks too")

			_, err = mustVerifier(none, none).Verify(leaf, chain.VerifyOptions{Time: now})
			require.ErrorAs(t, err, &e)
			assert.Equal(t, chain.Unsupported, e.Reason, "whoever issued it")

			// In what a peer sends along.
			sent := root.certify("Sent CA", test.key)
			leaf = sign(leafTemplate("host.example"), sent.Certificate, newKey(), test.key, nil)
			_, err = v.Verify(leaf, chain.VerifyOptions{Time: now, Extra: []*x509.Certificate{sent.Certificate}})
			require.ErrorAs(t, err, &e)
			assert.Equal(t, chain.Unsupported, e.Reason)
			assert.ErrorContains(t, err, test.says)
			_, err = v.Complete([]*x509.Certificate{leaf, sent.Certificate}, now)
			require.ErrorAs(t, err, &e)
			assert.Equal(t, chain.Unsupported, e.Reason)

			// Beside a path that is good.
			good := root.issueCA("Sent CA")
			leaf = good.issue("host.example")
			c, err := v.Verify(leaf, chain.VerifyOptions{Time: now, Extra: []*x509.Certificate{sent.Certificate, good.Certificate}})
			require.NoError(t, err)
			assertSameCerts(t, chain.Chain{leaf, good.Certificate, root.Certificate}, c)
			c, err = v.Complete([]*x509.Certificate{leaf, sent.Certificate, good.Certificate}, now)
			require.NoError(t, err)
			assertSameCerts(t, chain.Chain{leaf, good.Certificate, root.Certificate}, c)
		})
	}
}

func TestLimitsOfCertificatesAndSignatures(t *testing.T) {
	root := newRoot("Root")
	key := newKey()
	issuing := root.certify("Issuing CA", key)
	leaf := issuing.issue("host.example")
	namesakes := repeat(5, func() *x509.Certificate { return newRoot("Issuing CA").Certificate })
	extra := append(slices.Clone(namesakes), issuing.Certificate)
	unrelated := repeat(200, func() *x509.Certificate { return newRoot("Unrelated").Certificate })
	verify := func(sent, signatures int, extra ...*x509.Certificate) error {
		_, err := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithLimits(sent, signatures)).
			Verify(leaf, chain.VerifyOptions{Time: now, Extra: extra})
		return err
	}
	complete := func(sent, signatures int, extra ...*x509.Certificate) error {
		_, err := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithLimits(sent, signatures)).
			Complete(append([]*x509.Certificate{leaf}, extra...), now)
		return err
	}
	assert.NoError(t, verify(6, 100, extra...))
	assert.NoError(t, verify(6, 100, slices.Concat(extra, extra, unrelated)...), "each once, and what no name leads to does not count")
	assert.ErrorContains(t, verify(5, 100, extra...), "7 certificates, and at most 6 are allowed")
	assert.NoError(t, complete(64, 7, extra...))
	assert.ErrorContains(t, complete(64, 6, extra...), "to find")

	// One signature with a large key counts as four.
	large := root.certify("Large CA", newSmoothKey(8192, 65537))
	leaf = sign(leafTemplate("host.example"), large.Certificate, newKey(), large.key, nil)
	assert.NoError(t, verify(64, 4, large.Certificate))
	assert.ErrorContains(t, verify(64, 3, large.Certificate), "large keys")
}

// What takes crypto/x509 long beside signatures is bounded too.
func TestLimitsOfWhatIsRead(t *testing.T) {
	key := newKey()
	issuing := newRootFor(key, "X")
	numbered := func(c *x509.Certificate) { c.DNSNames = []string{fmt.Sprintf("n%d.example", c.SerialNumber)} }
	// A directoryName, which crypto/x509 does not compare with: it takes each name apart anyway.
	otherNames := extension(ce(30), false, 0x30, 0x08, 0xa0, 0x06, 0x30, 0x04, 0xa4, 0x02, 0x30, 0x00)
	times := func(n int, one func(c *x509.Certificate, i int)) edit {
		return func(c *x509.Certificate) {
			for i := range n {
				one(c, i)
			}
		}
	}
	mailboxes := func(c *x509.Certificate, i int) {
		c.EmailAddresses = append(c.EmailAddresses, fmt.Sprintf("jan%d@host.example", i))
	}
	extensions := func(c *x509.Certificate, i int) { extension(asn1.ObjectIdentifier{1, 2, 3, i}, false, 0x05, 0x00)(c) }
	oids := func(c *x509.Certificate, i int) { c.Policies = append(c.Policies, oid(1, 2, 3, uint64(i))) }
	bytes := func(c *x509.Certificate, i int) {
		extension(asn1.ObjectIdentifier{1, 2, 3, i}, false, make([]byte, 1<<16)...)(c)
	}
	for _, test := range []struct {
		name string
		leaf edit
		cas  []edit
		says string // "" if it is within the limits
	}{
		{"names that there is no constraint for", times(1900, mailboxes), []edit{numbered, otherNames}, ""},
		{"more of them", times(2001, mailboxes), []edit{numbered, otherNames}, "too many paths with names and name constraints"},
		{"as many where no CA constrains names", times(2001, mailboxes), []edit{numbered}, ""},
		{"extensions in CAs of one name and key", nil, []edit{numbered, times(20, extensions)}, ""},
		{"more of them", nil, []edit{numbered, times(40, extensions)}, "extensions, and at most 2000 are allowed"},
		{"policies", nil, []edit{numbered, times(15, oids)}, ""},
		{"more of them", nil, []edit{numbered, times(20, oids)}, "certificate policies, and at most 1000 are allowed"},
		{"a leaf of 192 KiB", times(3, bytes), []edit{numbered}, ""},
		{"a leaf of 256 KiB", times(4, bytes), []edit{numbered}, "bytes, and at most 262144 are allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			edits := []edit{}
			if test.leaf != nil {
				edits = append(edits, test.leaf)
			}
			v := newLayers().verifier()
			_, err := v.Verify(issuing.issue("host.example", edits...), chain.VerifyOptions{Time: now, Extra: repeat(60, func() *x509.Certificate {
				return newRootFor(key, "X", test.cas...).Certificate
			})})
			if test.says == "" {
				assert.ErrorContains(t, err, "x509:", "it was asked")
				return
			}
			assert.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), "x509:", "it was not asked")
		})
	}
}

// A chain may have many names and many constraints, and neither is looked at beyond.
func TestLimitsOfNamesAndConstraints(t *testing.T) {
	many := func(n int) []string {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("n%05d.example", i)
		}
		return names
	}
	for _, test := range []struct {
		name               string
		names, constraints int
		says               string
	}{
		{"ten thousand of each", 10_000, 10_000, ""},
		{"one name more", 10_001, 1, "it has 10001 names, and at most 10000 are allowed"},
		{"without any constraint too", 10_001, 0, "it has 10001 names, and at most 10000 are allowed"},
		{"one constraint more", 1, 10_001, "10001 name constraints, and at most 10000 are allowed"},
	} {
		constrain := func(c *x509.Certificate) {
			c.ExcludedDNSDomains = append(many(test.constraints), "evil.example")[:test.constraints]
		}
		names := func(c *x509.Certificate) {
			c.DNSNames = append(many(test.names-1), "host.example")
			for i := range c.DNSNames[:test.names-1] {
				c.DNSNames[i] = "x" + c.DNSNames[i]
			}
		}
		root := newRoot("Root", constrain)
		plain := newRoot("Plain Root")
		issuing := plain.issueCA("Issuing CA", constrain)
		for where, v := range map[string]*chain.Verifier{
			"the root":           mustVerifier(truststore.New(root.Certificate), truststore.New()),
			"an intermediate":    mustVerifier(truststore.New(plain.Certificate), truststore.New(issuing.Certificate)),
			"what the peer sent": mustVerifier(truststore.New(plain.Certificate), truststore.New()),
		} {
			t.Run(test.name+", constrained by "+where, func(t *testing.T) {
				from := issuing
				if where == "the root" {
					from = root
				}
				leaf := from.issue("host.example", names)
				took, err := quickest(t, time.Second, func() error {
					_, err := v.Verify(leaf, chain.VerifyOptions{Time: now, DNSName: "host.example", Extra: []*x509.Certificate{issuing.Certificate}})
					return err
				})
				t.Log(took)
				if len(leaf.Raw)+len(issuing.Raw) > 256<<10 && where == "what the peer sent" && test.says == "" {
					assert.ErrorContains(t, err, "bytes, and at most 262144")
					return
				}
				if test.says == "" {
					assert.NoError(t, err)
					return
				}
				assert.ErrorContains(t, err, test.says)
				assert.NotContains(t, err.Error(), "x509:", "it was not asked")
			})
		}
	}
}

// What is in use, and a good deal more, is within the limits.
func TestLimitsLeaveRoom(t *testing.T) {
	rsa4096, p521, p384 := newSmoothKey(4096, 65537), onCurve(elliptic.P521()), onCurve(elliptic.P384())
	for _, test := range []struct {
		name string
		key  func(i int) crypto.Signer
	}{
		{"RSA of 4096 bits", func(int) crypto.Signer { return rsa4096 }},
		{"ECDSA on P-384", func(int) crypto.Signer { return p384 }},
		{"ECDSA on P-521", func(int) crypto.Signer { return p521 }},
		{"a root of 8192 bits", func(i int) crypto.Signer {
			if i == 0 {
				return newSmoothKey(8192, 65537)
			}
			return rsa4096
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := newRootFor(test.key(0), "CA 0")
			a, all := top, []*x509.Certificate{top.Certificate}
			var names []string
			var oids []x509.OID
			for i := range 50 {
				names = append(names, fmt.Sprintf("n%d.example", i))
				oids = append(oids, oid(1, 2, 3, uint64(i)))
			}
			for i := 1; i < 9; i++ {
				a = a.certify(fmt.Sprintf("CA %d", i), test.key(i), policies(oids...), func(c *x509.Certificate) {
					c.PermittedDNSDomains = append(slices.Clone(names), "host.example")
				})
				all = append(all, a.Certificate)
			}
			leaf := sign(leafTemplate("host.example"), a.Certificate, newKey(), a.key, []edit{policies(oids...), func(c *x509.Certificate) { c.DNSNames = names }})
			v := mustVerifier(truststore.New(top.Certificate), truststore.New())
			c, err := v.Verify(leaf, chain.VerifyOptions{Time: now, Extra: all})
			require.NoError(t, err)
			assert.Len(t, c, 10)
			_, err = v.Complete(append(all, leaf), now)
			assert.NoError(t, err)
		})
	}
}
