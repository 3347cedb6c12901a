package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
)

// Of CAs that are known by name and not embedded nobody can say whose signature is on a
// certificate: it need not be forged.
func TestASignatureThatCannotBeCheckedIsNotCalledForged(t *testing.T) {
	for _, c := range []struct {
		name, issuer, o string
		forged          bool
		problem, advice string
	}{
		{"a CA that was withdrawn", "UZI Server - G4 PKIo Priv G-TLS SYS - 2024", "CIBG", false, "was withdrawn on 2025-10-29", "under another CA"},
		{"a hierarchy that ended", "KPN PKIoverheid Organisatie CA - G2", "KPN B.V.", false, "Generation 2", "Private G4"},
		{"a CA whose key is known", "KPN PKIoverheid Private Services CA - G1", "KPN B.V.", true, "that CA's signature is not on it", "forged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaf := testcert.ClaimingName(t, pkix.Name{CommonName: c.issuer, Organization: []string{c.o}, Country: []string{"NL"}})
			err := pkioverheid.Explain(context.Background(), &tls.CertificateVerificationError{
				UnverifiedCertificates: []*x509.Certificate{leaf}, Err: x509.UnknownAuthorityError{Cert: leaf}})
			var refused *pkioverheid.ServerCertificateError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, chain.UnknownAuthority, refused.Reason)
			assert.Contains(t, refused.Problem, c.problem)
			assert.Contains(t, refused.Advice, c.advice)
			assert.Equal(t, c.forged, strings.Contains(refused.Advice, "forged"))
		})
	}
}
