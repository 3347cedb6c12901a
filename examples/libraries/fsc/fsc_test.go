package fsc_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/examples/libraries/fsc"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/digikoppeling"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const one, two = pkioverheid.OIN("00000003271987420000"), pkioverheid.OIN("00000001112233445000")

var g1, g4 = pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)

// tokenFor is what a Manager gives a peer.
func tokenFor(t *testing.T, manager tls.Certificate, oin pkioverheid.OIN, x5t string, ends time.Time) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: manager.PrivateKey}, new(jose.SignerOptions).WithHeader("x5t#S256", digikoppeling.CertificateThumbprint(manager.Leaf)))
	require.NoError(t, err)
	claims := fsc.Claims{Claims: jwt.Claims{Subject: string(oin), Expiry: jwt.NewNumericDate(ends)}, Confirmation: fsc.Confirmation{X5T: x5t}}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

// Two peers, under G1 and G4; a token that one of them got is of no use to the other.
func TestATokenIsItsPeersOnly(t *testing.T) {
	manager, forger := g4.Issue(pkiotest.Leaf{OIN: one}), g4.Issue(pkiotest.Leaf{OIN: one})
	now := g4.Time
	inlet := fsc.Inlet(manager.Leaf, now, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := pkioverheid.IdentityFromContext(r.Context())
		io.WriteString(w, string(id.OIN()))
	}))
	server := g4.NewService("inlet.example", inlet, pkioverheid.AllowOIN(one, two), pkiotest.Leaf{})
	defer server.Close()
	call := func(peer tls.Certificate, token string) (int, string) {
		pair, err := pkioverheid.NewKeyPair(peer)
		require.NoError(t, err)
		client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1, g4), KeyPairs: []*pkioverheid.KeyPair{pair}, Base: pkiotest.Base(server)})
		require.NoError(t, err)
		defer client.CloseIdleConnections()
		req, err := http.NewRequest(http.MethodGet, server.URL, nil)
		require.NoError(t, err)
		if token != "" {
			req.Header.Set(fsc.Header, "Bearer "+token)
		}
		resp, err := client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}

	peers := map[pkioverheid.OIN]tls.Certificate{one: g1.Issue(pkiotest.Leaf{OIN: one}), two: g4.Issue(pkiotest.Leaf{OIN: two})}
	soon := now().Add(time.Minute)
	for oin, peer := range peers {
		good := tokenFor(t, manager, oin, digikoppeling.CertificateThumbprint(peer.Leaf), soon)
		status, body := call(peer, good)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, string(oin), body)
		for other, thief := range peers {
			if other != oin {
				status, _ = call(thief, good)
				assert.Equal(t, http.StatusUnauthorized, status, "another peer's")
				status, _ = call(thief, tokenFor(t, manager, oin, digikoppeling.CertificateThumbprint(thief.Leaf), soon))
				assert.Equal(t, http.StatusUnauthorized, status, "of another name")
			}
		}
		for name, token := range map[string]string{
			"none":              "",
			"of a forger":       tokenFor(t, forger, oin, digikoppeling.CertificateThumbprint(peer.Leaf), soon),
			"ended":             tokenFor(t, manager, oin, digikoppeling.CertificateThumbprint(peer.Leaf), now().Add(-time.Minute)),
			"bound to nothing":  tokenFor(t, manager, oin, "", soon),
			"changed":           good[:len(good)-8] + "AAAAAAAA",
			"that is not a JWT": "a.b",
		} {
			status, _ := call(peer, token)
			assert.Equal(t, http.StatusUnauthorized, status, name)
		}
	}

	// A peer that moves to G4 needs a new token: this one is bound to its old certificate.
	old := tokenFor(t, manager, one, digikoppeling.CertificateThumbprint(peers[one].Leaf), soon)
	status, _ := call(g4.Issue(pkiotest.Leaf{OIN: one}), old)
	assert.Equal(t, http.StatusUnauthorized, status)
}
