package pkioverheid_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func ExampleIdentity_LogValue() {
	id := pkiotest.New(pkioverheid.PrivateG1).Identity(pkiotest.Leaf{OIN: "00000099000000001000"})
	value := id.LogValue().Group()
	for _, a := range value[:4] {
		fmt.Println(a)
	}
	// Output:
	// oin=00000099000000001000
	// kind=system
	// hierarchy=Private G1
	// tsp=KPN
}

// What is logged is a handful of attributes, however large the certificate is.
func TestLogValuesAreShort(t *testing.T) {
	const most = 2000 // bytes of a line, with texts of at most 400
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	huge := strings.Repeat("\x1b[2J naam", 5000)
	hostile := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: huge, Organization: []string{huge, huge}}, DNSNames: []string{"a.example"}}, nil).Leaf
	claim, _ := pkioverheid.ClaimOf(hostile)
	claim.Certificate = hostile
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g1))
	require.NoError(t, err)
	explained := v.Chains().Explain([]*x509.Certificate{hostile}, chain.VerifyOptions{})
	_, _, refused := v.Inspect([]*x509.Certificate{hostile}, pkioverheid.SignerOptions{})
	var failed *chain.Error
	require.ErrorAs(t, refused, &failed)
	for name, value := range map[string]any{
		"an Identity":              g1.Identity(pkiotest.Leaf{OIN: someOIN, Organization: strings.Repeat("n", 60)}),
		"nobody":                   pkioverheid.Identity{},
		"a Claim":                  claim,
		"an Advice":                advice.For(hostile, "", time.Time{}),
		"an Advice about G1":       advice.For(pkioverheid.PrivateG1.Root(), "", time.Time{}),
		"an Explanation":           explained,
		"a chain.Error":            failed,
		"a ServerCertificateError": &pkioverheid.ServerCertificateError{Host: huge, Reason: chain.Expired, Path: chain.Chain{hostile}, Problem: huge, Advice: huge, Err: []error{refused}},
		"a ClientCertificateError": &pkioverheid.ClientCertificateError{Host: huge, Certificate: hostile, AcceptableCAs: []string{huge}, Problem: huge, Advice: huge},
		"a G3Error":                pkioverheid.RejectG3([]*x509.Certificate{pkioverheid.G3.Root()}),
		"an AccessError":           &pkioverheid.AccessError{Problem: huge, Advice: huge, Reason: pkioverheid.NotLetIn},
		"a RevokedError":           &crl.RevokedError{Serial: new(big.Int).Lsh(big.NewInt(1), 4000), Issuer: hostile.Subject},
		"an Event":                 pkioverheid.Event{Server: true, Peer: huge, Certificate: hostile, Err: errors.New(huge), Reason: pkioverheid.RefusedPeer},
		"a KeyPairStatus":          g1.KeyPair(pkiotest.Leaf{}).Status(),
	} {
		t.Run(name, func(t *testing.T) {
			require.Implements(t, (*slog.LogValuer)(nil), value)
			var text, js bytes.Buffer
			slog.New(slog.NewTextHandler(&text, nil)).Info("said", "value", value)
			slog.New(slog.NewJSONHandler(&js, nil)).Info("said", "value", value)
			for _, line := range []string{text.String(), js.String()} {
				assert.Less(t, len(line), most)
				assert.Equal(t, 1, strings.Count(line, "\n"))
				assert.NotContains(t, line, "\x1b")
				assert.NotContains(t, line, "!PANIC")
				assert.NotContains(t, line, truststore.FingerprintOf(hostile).String())
			}
			var logged map[string]any
			require.NoError(t, json.Unmarshal(js.Bytes(), &logged))
			if group, ok := logged["value"].(map[string]any); ok {
				assert.NotEmpty(t, group)
				assert.LessOrEqual(t, len(group), 10)
			} else {
				assert.Equal(t, "nobody", logged["value"])
			}
		})
	}
}

// A library that wraps our error does not make it long.
func TestAWrappedErrorOfOursIsLoggedAsItsText(t *testing.T) {
	g3 := pkioverheid.RejectG3([]*x509.Certificate{pkioverheid.G3.Root()})
	var js bytes.Buffer
	slog.New(slog.NewJSONHandler(&js, nil)).Info("said", "err", fmt.Errorf("calling: %w", g3))
	assert.Contains(t, js.String(), "G3 refused")
	assert.Less(t, js.Len(), 1500)
}
