package crl_test

import (
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

func TestReasonsHaveTheNamesOfTheStandard(t *testing.T) {
	for reason, want := range map[crl.Reason]string{
		crl.Unspecified:          "unspecified",
		crl.KeyCompromise:        "keyCompromise",
		crl.CACompromise:         "cACompromise",
		crl.AffiliationChanged:   "affiliationChanged",
		crl.Superseded:           "superseded",
		crl.CessationOfOperation: "cessationOfOperation",
		crl.CertificateHold:      "certificateHold",
		7:                        "Reason(7)",
		crl.RemoveFromCRL:        "removeFromCRL",
		crl.PrivilegeWithdrawn:   "privilegeWithdrawn",
		crl.AACompromise:         "aACompromise",
		11:                       "Reason(11)",
		255:                      "Reason(255)",
	} {
		assert.Equal(t, want, reason.String())
	}
	text, err := json.Marshal(map[string]crl.Reason{"reason": crl.Superseded})
	require.NoError(t, err)
	assert.JSONEq(t, `{"reason": "superseded"}`, string(text))
}

func TestRevokedErrorSaysItInOneLine(t *testing.T) {
	whole := &crl.RevokedError{
		Serial: big.NewInt(0xabcdef),
		Entry: crl.Entry{
			RevokedAt: now.Add(-time.Hour), InvalidityDate: now.AddDate(0, 0, -2).In(time.FixedZone("", 3600)), Reason: crl.KeyCompromise,
		},
		At: now, Issuer: pkix.Name{CommonName: "Issuing CA"}, Number: big.NewInt(12), ThisUpdate: now.Add(-time.Minute),
	}
	assert.EqualError(t, whole, `crl: certificate abcdef was revoked on 2026-11-23 11:00:00Z (keyCompromise, invalid since 2026-11-21 12:00:00Z), `+
		`says the CRL of "Issuing CA", number 12, of 2026-11-23 11:59:00Z: ask the holder for the certificate that replaces it`)

	hostile := &crl.RevokedError{
		Serial: new(big.Int).Lsh(big.NewInt(1), 1000),
		Issuer: pkix.Name{Organization: []string{"\x1b[31m\n" + strings.Repeat("é", 1000)}},
	}
	assert.Less(t, len(hostile.Error()), 400)
	assert.NotContains(t, hostile.Error(), "\x1b")
	assert.NotContains(t, hostile.Error(), "\n")
	assert.NotEmpty(t, new(crl.RevokedError).Error())
}
