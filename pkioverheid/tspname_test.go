package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// The State names the CAs that it certifies. What a TSP that is not known here calls a CA
// below its own is not the name of another TSP, such as CIBG, whose UZI numbers count.
func TestATSPCannotNameACAForAnotherTSP(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	root, domain := g1.Certificates()[0], g1.Certificates()[1]
	ca := func(o string, above tls.Certificate) tls.Certificate {
		return sign(t, &x509.Certificate{
			Subject: pkix.Name{CommonName: o + " CA", Organization: []string{o}, Country: []string{"NL"}},
			IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Policies: domain.Policies,
		}, &above)
	}
	state := tls.Certificate{Leaf: domain, PrivateKey: g1.PrivateKey(domain)}
	for _, c := range []struct {
		name string
		cas  []string // from the State's CA down
		want pkioverheid.TSP
	}{
		{"a CA that the State names", []string{"CIBG"}, pkioverheid.CIBG},
		{"one below a CA of the State", []string{"Staat der Nederlanden", "CIBG"}, pkioverheid.CIBG},
		{"one below its own", []string{"CIBG", "Systems of CIBG"}, pkioverheid.CIBG},
		{"one that a TSP names", []string{"Nieuwe TSP B.V.", "CIBG"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			above, chain := state, []*x509.Certificate{domain, root}
			for _, o := range c.cas {
				above = ca(o, above)
				chain = append([]*x509.Certificate{above.Leaf}, chain...)
			}
			leaf := sign(t, &x509.Certificate{
				Subject: pkix.Name{CommonName: "system"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
				Policies: []x509.OID{policy.Parse(policy.G1Server)},
			}, &above).Leaf
			id, err := verified(fixtureTrust(), append([]*x509.Certificate{leaf}, chain...)...)
			require.NoError(t, err)
			assert.Equal(t, c.want, id.TSP())
			assert.Equal(t, pkioverheid.PrivateG1, id.Hierarchy())
		})
	}
}
