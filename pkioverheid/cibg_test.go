package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// testdata/cibg-acceptatie has the names, policies and UZI number of CIBG's acceptance
// environment (facts.md §5); its keys are for this test only.
func TestSystemsOfCIBGsAcceptanceEnvironmentAreLetInBelowTrialRoots(t *testing.T) {
	const dir = "testdata/cibg-acceptatie/"
	root, err := truststore.Open(dir + "root.pem")
	require.NoError(t, err)
	pair, err := tls.LoadX509KeyPair(dir+"chain.pem", dir+"leaf.key")
	require.NoError(t, err)
	clock := func() time.Time { return time.Date(2026, 12, 15, 0, 0, 0, 0, time.UTC) }

	cases := []struct {
		name    string
		trust   pkioverheid.Trust
		allow   pkioverheid.Authorizer
		allowed bool
	}{
		{"any system", pkioverheid.Trust{TrialRoots: root}, pkioverheid.AllowAnySystem(), true},
		{"a list of OINs, of which it has none", pkioverheid.Trust{TrialRoots: root}, pkioverheid.AllowOIN(someOIN), false},
		{"in production", pkioverheid.Trust{}, pkioverheid.AllowAnySystem(), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.trust.Time = clock
			var seen []pkioverheid.Identity
			tc := serverConfig(t, pkioverheid.ServerConfig{Trust: c.trust}, func(id pkioverheid.Identity) error {
				seen = append(seen, id)
				return c.allow(id)
			})
			url := serve(t, tc)
			_, err := (&tls.Dialer{Config: &tls.Config{
				RootCAs: pkiotest.New(pkioverheid.PrivateG1).Roots().CertPool(), ServerName: "localhost",
				GetClientCertificate: shown(pair), MaxVersion: tls.VersionTLS12, // whose client learns of a refusal in the handshake
			}}).DialContext(t.Context(), "tcp", url[len("https://"):])
			if !c.allowed {
				assert.Error(t, err)
			} else if assert.NoError(t, err) {
				require.Len(t, seen, 1)
				assert.Equal(t, pkioverheid.System, seen[0].Kind())
				uzi, ok := seen[0].UZI()
				assert.True(t, ok)
				assert.Equal(t, pkioverheid.UZI{Number: "900030787", URA: "90000380", OtherName: uzi.OtherName}, uzi)
				assert.Regexp(t, `-1-900030787-S-90000380-00\.000-[0-9]{8}$`, uzi.OtherName)
				assert.Equal(t, pkioverheid.CIBG, seen[0].TSP())
				assert.Empty(t, seen[0].OIN())
			}
		})
	}

	t.Run("its root is refused as one of production", func(t *testing.T) {
		own := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
		for name, cfg := range map[string]pkioverheid.ServerConfig{
			"Roots":       {Trust: pkioverheid.Trust{Roots: truststore.NewSource(root)}},
			"ClientRoots": {ClientRoots: truststore.NewSource(root)},
		} {
			cfg.KeyPairs = pairs(own)
			_, err := pkioverheid.NewServer(cfg, pkioverheid.AllowAnySystem())
			assert.ErrorContains(t, err, "is a test certificate", name)
		}
	})

	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	require.NoError(t, err)
	assert.Equal(t, advice.TestOnly, advice.For(leaf, "", clock()).Status)
}
