package pkioverheid_test

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// What is done for each handshake to choose among two key pairs, against a whole mutual
// handshake: of a server whose client cannot verify the first, and of a client whose server
// takes the second only.
func BenchmarkChoiceAmongTwoKeyPairs(b *testing.B) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	both := pkiotest.Trust(g1, g4)
	own := func() []*pkioverheid.KeyPair { return pairs(g4.Issue(pkiotest.Leaf{}), g1.Issue(pkiotest.Leaf{})) }
	server := serverConfig(b, pkioverheid.ServerConfig{Trust: both, KeyPairs: own()}, anybody)
	server.SessionTicketsDisabled = true
	client, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: both, KeyPairs: own()})
	require.NoError(b, err)
	client.ServerName = "localhost"
	whole := func() {
		if _, err := handshake(server, client); err != nil {
			b.Fatal(err)
		}
	}
	whole()
	withoutPSS := &tls.ClientHelloInfo{
		SupportedVersions: []uint16{tls.VersionTLS12},
		SignatureSchemes:  []tls.SignatureScheme{tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512},
		CipherSuites:      []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	}
	onlyG1 := &tls.CertificateRequestInfo{
		AcceptableCAs: [][]byte{g1.Certificates()[0].RawSubject}, Version: tls.VersionTLS13,
		SignatureSchemes: []tls.SignatureScheme{tls.PSSWithSHA256, tls.PSSWithSHA512, tls.PKCS1WithSHA256},
	}
	for _, c := range []struct {
		name   string
		choose func() *tls.Certificate
	}{
		{"server", func() *tls.Certificate {
			chosen, err := server.GetConfigForClient(withoutPSS)
			require.NoError(b, err)
			return &chosen.Certificates[0]
		}},
		{"client", func() *tls.Certificate {
			chosen, err := client.GetClientCertificate(onlyG1)
			require.NoError(b, err)
			return chosen
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			claim, _ := pkioverheid.ClaimOf(c.choose().Leaf)
			require.Equal(b, pkioverheid.PrivateG1, claim.Hierarchy)
			time, _ := compare(b, func() { c.choose() }, whole)
			for b.Loop() {
				c.choose()
			}
			b.ReportMetric(100*time, "%-of-a-handshake")
		})
	}
}
