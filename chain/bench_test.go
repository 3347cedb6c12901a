package chain_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/chain/profile"
	"github.com/go-pkioverheid/trust/truststore"
)

// rsaKeys are for CAs, made once: with 4096 bits that takes seconds.
var rsaKeys = sync.OnceValue(func() [8]*rsa.PrivateKey {
	var keys [8]*rsa.PrivateKey
	var wg sync.WaitGroup
	for i := range keys {
		wg.Add(1)
		go func() {
			defer wg.Done()
			bits := 4096
			if i == 0 {
				bits = 2048
			}
			key, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				panic(err)
			}
			keys[i] = key
		}()
	}
	wg.Wait()
	return keys
})

// hierarchyOf makes a chain of so many layers in the algorithm of real ones: the
// CAs have RSA keys with 4096 bits, the leaf one with 2048. Every certificate has
// what real ones have and Strict asks for; the leaf is as short-lived as WebPKI asks.
func hierarchyOf(depth int, algorithm x509.SignatureAlgorithm) chain.Chain {
	keys := rsaKeys()
	signed := func(c *x509.Certificate) {
		c.SignatureAlgorithm = algorithm
		c.Policies = []x509.OID{oid(2, 16, 528, 1, 1003, 1, 2, 8, 6)}
		c.CRLDistributionPoints = []string{"http://crl.example/ca.crl"}
		c.IssuingCertificateURL = []string{"http://cert.example/ca.cer"}
		c.OCSPServer = []string{"http://ocsp.example"}
		c.Subject.Organization, c.Subject.Country = []string{"Organisation"}, []string{"NL"}
		c.Subject.SerialNumber = "00000001234567890000"
	}
	c := make(chain.Chain, depth)
	var parent authority
	for i := depth - 1; i > 0; i-- {
		key := keys[1+i%7]
		name := "CA " + strconv.Itoa(i)
		if i == depth-1 {
			parent = newRootFor(key, name, signed)
		} else {
			parent = parent.certify(name, key, signed)
		}
		c[i] = parent.Certificate
	}
	c[0] = sign(leafTemplate("host.example"), parent.Certificate, keys[0], parent.key, []edit{signed, shortLived})
	return c
}

// verifier is one without memory: each verification is as the first.
func (h hierarchy) verifier(opts ...chain.Option) *chain.Verifier {
	return h.remembering(append(opts, chain.WithMemory(0, 0))...)
}

func (h hierarchy) remembering(opts ...chain.Option) *chain.Verifier {
	return mustVerifier(truststore.New(h.Root()), truststore.New(h.Chain[1:len(h.Chain)-1]...), opts...)
}

type hierarchy struct{ chain.Chain }

// rsaLayers is the hierarchy that most is measured with.
var rsaLayers = sync.OnceValue(func() layers {
	c := hierarchyOf(4, x509.SHA256WithRSA)
	return layers{root: authority{Certificate: c[3]}, domain: authority{Certificate: c[2]}, issuing: authority{Certificate: c[1]}, leaf: c[0]}
})

// ratios measures ours beside others, in turns, and reports how ours compares:
// in time, the fastest run of each, and in allocations.
func ratios(b *testing.B, ours func(), others map[string]func()) {
	fastest := func(best *time.Duration, f func()) {
		begin := time.Now()
		f()
		if d := time.Since(begin); *best == 0 || d < *best {
			*best = d
		}
	}
	var own time.Duration
	best := make(map[string]*time.Duration, len(others))
	for name := range others {
		best[name] = new(time.Duration)
	}
	ours() // whatever is remembered is remembered now
	for b.Loop() {
		fastest(&own, ours)
		for name, f := range others {
			fastest(best[name], f)
		}
	}
	ownAllocs := testing.AllocsPerRun(20, ours)
	b.ReportMetric(ownAllocs, "allocs")
	for name, f := range others {
		b.ReportMetric(float64(own)/float64(*best[name]), "time/"+name)
		b.ReportMetric(ownAllocs/max(1, testing.AllocsPerRun(20, f)), "allocs/"+name)
	}
}

// A leaf alone, through a derived anchor, beside crypto/x509 from the root with
// the intermediates available, and beside the one signature check that is the
// least that it can cost. At most: 0.37 of the time of x509 and 0.7 of its
// allocations, because the leaf is read again, and 1.15 signatures.
func BenchmarkVerifyLeafAlone(b *testing.B) {
	for _, algorithm := range []x509.SignatureAlgorithm{x509.SHA256WithRSA, x509.SHA512WithRSAPSS} {
		b.Run(algorithm.String(), func(b *testing.B) {
			h := hierarchy{hierarchyOf(4, algorithm)}
			v := h.verifier()
			roots, intermediates := poolOf(h.Root()), poolOf(h.Chain[1:3]...)
			ratios(b, func() {
				_, err := v.Verify(h.Leaf(), chain.VerifyOptions{Time: now})
				require.NoError(b, err)
			}, map[string]func(){
				"x509": func() {
					_, err := h.Leaf().Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now})
					require.NoError(b, err)
				},
				"signature": func() { require.NoError(b, h.Leaf().CheckSignatureFrom(h.Chain[1])) },
			})
		})
	}
}

// A certificate that was verified before, with policies and a loaded CRL, beside crypto/x509
// with plain pools: at most 0.01 of its time and 1 allocation. From DER, beside parsing and
// crypto/x509.
func BenchmarkVerifyRemembered(b *testing.B) {
	h := hierarchy{hierarchyOf(4, x509.SHA256WithRSA)}
	checker := checkerOf(b, h)
	v := h.remembering(chain.WithPolicy(chain.RequirePolicy(oid(2, 16, 528, 1, 1003, 1, 2, 8, 6))), chain.WithPolicy(checker.Policy))
	roots, intermediates := poolOf(h.Root()), poolOf(h.Chain[1:3]...)
	byX509 := func(leaf *x509.Certificate) {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now})
		require.NoError(b, err)
	}
	raw := [][]byte{h.Leaf().Raw}
	b.Run("parsed", func(b *testing.B) {
		ratios(b, func() {
			if _, err := v.Verify(h.Leaf(), chain.VerifyOptions{Time: now}); err != nil {
				b.Fatal(err)
			}
		}, map[string]func(){"x509": func() { byX509(h.Leaf()) }})
	})
	b.Run("raw", func(b *testing.B) {
		ratios(b, func() {
			if _, err := v.VerifyRaw(raw, chain.VerifyOptions{Time: now}); err != nil {
				b.Fatal(err)
			}
		}, map[string]func(){"parsing-and-x509": func() { byX509(must(x509.ParseCertificate(raw[0]))) }})
	})
}

// checkerOf has a CRL of each CA of a hierarchy of this file.
func checkerOf(t testing.TB, h hierarchy) *crl.Checker {
	dir := t.TempDir()
	for i, ca := range h.Chain[1:] {
		key := rsaKeys()[1+(i+1)%7]
		der := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}, ca, key))
		require.NoError(t, os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".crl"), der, 0o600))
	}
	checker, err := crl.NewChecker(crl.Config{Folder: dir, Time: clock, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { checker.Close() })
	return checker
}

// The depth of a chain costs nothing: what is above the issuing CA is remembered.
func BenchmarkVerifyDepth(b *testing.B) {
	verification := func(depth int) func() {
		h := hierarchy{hierarchyOf(depth, x509.SHA256WithRSA)}
		v := h.verifier()
		return func() {
			c, err := v.Verify(h.Leaf(), chain.VerifyOptions{Time: now})
			require.NoError(b, err)
			require.Len(b, c, depth)
		}
	}
	four := verification(4)
	four()
	for _, depth := range []int{3, 6, 8} {
		b.Run(strconv.Itoa(depth), func(b *testing.B) {
			ratios(b, verification(depth), map[string]func(){"of-4": four})
		})
	}
}

// manyCAs are intermediates of a name and serial number each, and all of one key.
// Their signatures are bad: a verifier must not look at them before it needs to.
func manyCAs(n int) []*x509.Certificate {
	certs := make([]*x509.Certificate, n)
	for i, der := range manyDER(n) {
		certs[i] = must(x509.ParseCertificate(der))
	}
	return certs
}

func manyDER(n int) [][]byte {
	const name = "CA 000000"
	template := newRoot("Root").issueCA(name).Raw
	all := make([][]byte, n)
	for i := range all {
		all[i] = bytes.Replace(template, []byte(name), fmt.Appendf(nil, "CA %06d", i), 1)
	}
	return all
}

// Nor do the CAs that a verifier holds and that have nothing to do with it.
func BenchmarkVerifyAmongCAs(b *testing.B) {
	h := hierarchy{hierarchyOf(4, x509.SHA256WithRSA)}
	verification := func(b *testing.B, n int) func() {
		intermediates := truststore.New(manyCAs(n - 3)...)
		intermediates.Add(h.Chain[1:3]...)
		v := mustVerifier(truststore.New(h.Root()), intermediates, chain.WithMemory(0, 0))
		return func() {
			_, err := v.Verify(h.Leaf(), chain.VerifyOptions{Time: now})
			require.NoError(b, err)
		}
	}
	few := verification(b, 18)
	few()
	for _, n := range []int{1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			ratios(b, verification(b, n), map[string]func(){"of-18": few})
		})
	}
}

// Building a verifier checks no signatures: it costs less than reading what it is
// made of, and each CA a small part of what one signature does.
func BenchmarkNewVerifier(b *testing.B) {
	const n = 100_000
	root := truststore.New(newRoot("Root").Certificate)
	der := manyDER(n)
	certs := make([]*x509.Certificate, n)
	for i := range der {
		certs[i] = must(x509.ParseCertificate(der[i]))
	}
	intermediates := truststore.New(certs...)
	l := rsaLayers()
	var building, parsing, signature time.Duration
	fastest := func(best *time.Duration, f func()) {
		begin := time.Now()
		f()
		if d := time.Since(begin); *best == 0 || d < *best {
			*best = d
		}
	}
	for b.Loop() {
		fastest(&building, func() { mustVerifier(root, intermediates) })
		fastest(&parsing, func() {
			for i := range der {
				certs[i] = must(x509.ParseCertificate(der[i]))
			}
		})
		for range 20 {
			fastest(&signature, func() { require.NoError(b, l.leaf.CheckSignatureFrom(l.issuing.Certificate)) })
		}
	}
	b.ReportMetric(float64(building)/float64(parsing), "time/parsing")
	b.ReportMetric(float64(building)/float64(n*signature), "time/signature/CA")
}

// Strict adds at most 0.1 to a verification.
func BenchmarkVerifyStrict(b *testing.B) {
	h := hierarchy{hierarchyOf(4, x509.SHA256WithRSA)}
	plain, strict := h.verifier(), h.verifier(chain.WithPolicy(profile.RFC5280))
	ratios(b, func() {
		_, err := strict.Verify(h.Leaf(), chain.VerifyOptions{Time: now})
		require.NoError(b, err)
	}, map[string]func(){
		"plain": func() {
			_, err := plain.Verify(h.Leaf(), chain.VerifyOptions{Time: now})
			require.NoError(b, err)
		},
	})
}

// Two cores verify twice as much as one, as far as they check twice as many
// signatures: at least 0.95 of that.
func BenchmarkVerifyOnTwoCores(b *testing.B) {
	h := hierarchy{hierarchyOf(4, x509.SHA256WithRSA)}
	v := h.verifier(chain.WithPolicy(profile.RFC5280), chain.WithVeto(chain.VetoKeys([32]byte{})))
	verify := func() {
		if _, err := v.Verify(h.Leaf(), chain.VerifyOptions{Time: now}); err != nil {
			b.Error(err)
		}
	}
	signature := func() {
		if err := h.Leaf().CheckSignatureFrom(h.Chain[1]); err != nil {
			b.Error(err)
		}
	}
	// rate is how many of f so many goroutines do in a short while: long enough to
	// count, and short enough for some of them to have the machine to themselves.
	rate := func(goroutines int, f func()) float64 {
		const each = 40
		var wg sync.WaitGroup
		begin := time.Now()
		for range goroutines {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range each {
					f()
				}
			}()
		}
		wg.Wait()
		return float64(goroutines*each) / time.Since(begin).Seconds()
	}
	var ofVerify, ofSignature [2]float64
	verify()
	for b.Loop() {
		for i := range 2 {
			ofVerify[i] = max(ofVerify[i], rate(i+1, verify))
			ofSignature[i] = max(ofSignature[i], rate(i+1, signature))
		}
	}
	ours, theirs := ofVerify[1]/ofVerify[0], ofSignature[1]/ofSignature[0]
	b.ReportMetric(ours, "two/one")
	b.ReportMetric(theirs, "signature-two/one")
	b.ReportMetric(ours/theirs, "of-signature")
}

// The same through the pool, as crypto/tls asks it, and Check after it.
func BenchmarkCertPoolLeafAlone(b *testing.B) {
	l := rsaLayers()
	v := l.verifier()
	pool := v.CertPool(clock)
	roots, intermediates := poolOf(l.root.Certificate), poolOf(l.full()[1:3]...)
	ratios(b, func() {
		verified, err := l.leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now})
		require.NoError(b, err)
		_, err = v.Check(verified, now)
		require.NoError(b, err)
	}, map[string]func(){
		"x509": func() {
			_, err := l.leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now})
			require.NoError(b, err)
		},
	})
}

// What a peer sends along must not cost: it is not needed.
func BenchmarkVerifyWithExtra(b *testing.B) {
	l := rsaLayers()
	v := l.verifier(chain.WithMemory(0, 0))
	extra := []*x509.Certificate{copyOf(l.issuing.Certificate), copyOf(l.domain.Certificate), copyOf(l.root.Certificate)}
	ratios(b, func() {
		_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: extra})
		require.NoError(b, err)
	}, map[string]func(){
		"leaf-alone": func() {
			_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
			require.NoError(b, err)
		},
	})
}

// Asking once more about a resumed session costs no signature.
func BenchmarkCheck(b *testing.B) {
	l := rsaLayers()
	v := l.verifier()
	verified := [][]*x509.Certificate{{copyOf(l.leaf), copyOf(l.issuing.Certificate)}}
	ratios(b, func() {
		_, err := v.Check(verified, now)
		require.NoError(b, err)
	}, map[string]func(){
		"signature": func() { require.NoError(b, l.leaf.CheckSignatureFrom(l.issuing.Certificate)) },
	})
}

// A refusal is explained by following signatures once more.
func BenchmarkRefuse(b *testing.B) {
	l := rsaLayers()
	v := mustVerifier(truststore.New(newRoot("Another").Certificate), truststore.New())
	none := x509.NewCertPool()
	intermediates := poolOf(l.full()[1:]...)
	ratios(b, func() {
		_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: l.full()[1:]})
		require.Error(b, err)
	}, map[string]func(){
		"x509": func() {
			_, err := l.leaf.Verify(x509.VerifyOptions{Roots: none, Intermediates: intermediates, CurrentTime: now})
			require.Error(b, err)
		},
	})
}

// A veto needs no signature: what is refused costs nearly nothing.
func BenchmarkRefuseEarly(b *testing.B) {
	l := rsaLayers()
	other := truststore.New(newRoot("Another").Certificate)
	byKey := chain.WithVeto(chain.VetoKeys(chain.KeyHash(l.issuing.Certificate)))
	for _, bench := range []struct {
		name  string
		v     *chain.Verifier
		extra []*x509.Certificate
	}{
		{"chain", mustVerifier(other, truststore.New(), byKey), l.full()[1:]},
		{"leaf-alone", mustVerifier(other, truststore.New(), chain.WithDistrusted(truststore.New(l.full()[1:]...), chain.VetoKeys(chain.KeyHash(l.issuing.Certificate)))), nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			ratios(b, func() {
				_, err := bench.v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: bench.extra})
				require.ErrorIs(b, err, chain.ErrBeforeSignatures)
			}, map[string]func(){
				"signature": func() { require.NoError(b, l.leaf.CheckSignatureFrom(l.issuing.Certificate)) },
			})
		})
	}
}
