package chain_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// rsaLayers is a hierarchy like a real one: four layers, the CAs RSA with 4096
// bits. Making its keys takes seconds.
var rsaLayers = sync.OnceValue(func() layers {
	var keys [4]*rsa.PrivateKey
	var wg sync.WaitGroup
	for i, bits := range []int{4096, 4096, 4096, 2048} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			key, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				panic(err)
			}
			keys[i] = key
		}()
	}
	wg.Wait()
	var l layers
	l.root = newRootFor(keys[0], "Root")
	l.domain = l.root.certify("Domain CA", keys[1])
	l.issuing = l.domain.certify("Issuing CA", keys[2])
	l.leaf = sign(leafTemplate("host.example"), l.issuing.Certificate, keys[3], keys[2], []edit{shortLived})
	return l
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
// the intermediates at hand, and beside the one signature check that is the
// least that it can cost.
func BenchmarkVerifyLeafAlone(b *testing.B) {
	l := rsaLayers()
	v := l.verifier()
	roots, intermediates := poolOf(l.root.Certificate), poolOf(l.full()[1:3]...)
	ratios(b, func() {
		_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
		require.NoError(b, err)
	}, map[string]func(){
		"x509": func() {
			_, err := l.leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now})
			require.NoError(b, err)
		},
		"signature": func() { require.NoError(b, l.leaf.CheckSignatureFrom(l.issuing.Certificate)) },
	})
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
	v := l.verifier()
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

// A denial needs no signature: what is refused costs nearly nothing.
func BenchmarkRefuseAtSight(b *testing.B) {
	l := rsaLayers()
	other := truststore.New(newRoot("Another").Certificate)
	byKey := chain.WithDenial(chain.DenyKeys(keyHash(l.issuing.Certificate)))
	for _, bench := range []struct {
		name  string
		v     *chain.Verifier
		extra []*x509.Certificate
	}{
		{"chain", mustVerifier(other, truststore.New(), byKey), l.full()[1:]},
		{"leaf-alone", mustVerifier(other, truststore.New(), chain.WithDenied(truststore.New(l.full()[1:]...), chain.DenyKeys(keyHash(l.issuing.Certificate)))), nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			ratios(b, func() {
				_, err := bench.v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: bench.extra})
				require.ErrorIs(b, err, chain.ErrAtSight)
			}, map[string]func(){
				"signature": func() { require.NoError(b, l.leaf.CheckSignatureFrom(l.issuing.Certificate)) },
			})
		})
	}
}
