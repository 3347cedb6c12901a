package pkioverheid_test

import (
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// A certificate that was verified before, with the policies of this package and a loaded
// CRL, against crypto/x509 with the same roots and intermediates in plain pools. At least
// 100 times as fast, with at most 2 allocations; VerifyRaw at least 30 times as fast as
// parsing and crypto/x509.
func BenchmarkVerifierRemembers(b *testing.B) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		a := pkiotest.New(h)
		leaf := a.Issue(pkiotest.Leaf{}).Leaf
		trust := pkiotest.Trust(a)
		trust.Revocation = revocationOf(b, pkiotest.CRLConfig(a))
		v, err := pkioverheid.NewVerifier(trust)
		require.NoError(b, err)
		roots, intermediates := plainPools(a)
		certs, raw := []*x509.Certificate{leaf}, [][]byte{leaf.Raw}
		const times = 100
		bench := func(name string, ours func() error, peer func(), atLeast float64) {
			b.Run(h.String()+"/"+name, func(b *testing.B) {
				hundred := func() {
					for range times {
						if err := ours(); err != nil {
							b.Fatal(err)
						}
					}
				}
				hundred()
				ratio, _ := compare(b, hundred, peer)
				allocations := testing.AllocsPerRun(100, func() { _ = ours() })
				for b.Loop() {
					_ = ours()
				}
				faster := times / ratio
				b.ReportMetric(faster, "times-as-fast")
				b.ReportMetric(allocations, "allocs")
				if faster < atLeast || allocations > 2 {
					b.Errorf("%.0f times as fast with %.0f allocations: at least %.0f and at most 2 are wanted", faster, allocations, atLeast)
				}
			})
		}
		bench("parsed", func() error {
			_, err := v.Verify(certs, pkioverheid.SignerOptions{}, provedForTest)
			return err
		}, func() { mustVerify(b, leaf, roots, intermediates) }, 100)
		bench("raw", func() error {
			_, err := v.VerifyRaw(raw, pkioverheid.SignerOptions{}, provedForTest)
			return err
		}, func() {
			cert, err := x509.ParseCertificate(raw[0])
			require.NoError(b, err)
			mustVerify(b, cert, roots, intermediates)
		}, 30)
	}
}
