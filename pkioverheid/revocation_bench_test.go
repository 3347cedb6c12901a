package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// What Trust.Revocation adds to a handshake whose CRLs are available: VerifyConnection
// with it, less VerifyConnection without, against verifying the chain of four with
// plain pools of crypto/x509.
func BenchmarkRevocation(b *testing.B) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		b.Run(h.String(), func(b *testing.B) {
			a := pkiotest.New(h)
			pair, certs := a.Issue(pkiotest.Leaf{}), a.Certificates()
			cs := tls.ConnectionState{
				ServerName:       "localhost",
				PeerCertificates: []*x509.Certificate{pair.Leaf, certs[2], certs[1]},
				VerifiedChains:   [][]*x509.Certificate{{pair.Leaf, certs[2]}},
			}
			verify := func(checker *crl.Checker) func() {
				trust := pkiotest.Trust(a)
				trust.OnlyRoots, trust.Revocation = true, checker
				tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: trust})
				require.NoError(b, err)
				return func() {
					for range 100 {
						if err := tc.VerifyConnection(cs); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			with := verify(revocationOf(b, pkiotest.CRLConfig(a)))
			without := verify(nil)
			roots, intermediates := plainPools(a)
			peer := func() { mustVerify(b, pair.Leaf, roots, intermediates) }
			more, _ := compare(b, with, peer)
			less, _ := compare(b, without, peer)
			for b.Loop() {
				with()
			}
			b.ReportMetric((more-less)/100, "of-verifying-the-chain")
		})
	}
}
