package pkioverheid_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// crypto/tls asks VerifyConnection before the client has signed: whoever sends somebody
// else's certificate gets so far.
func TestNobodyIsIdentifiedWithinAHandshake(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			trust := fixtureTrust()
			trust.Logger, _ = lines()
			s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(ownPair())}, anybody)
			require.NoError(t, err)
			answer := func(state tls.ConnectionState) int {
				r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
				r.TLS = &state
				s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})).ServeHTTP(w, r)
				return w.Code
			}
			var within error
			status := 0
			tc := s.TLSConfig()
			verify := tc.VerifyConnection
			tc.VerifyConnection = func(cs tls.ConnectionState) error {
				_, within = s.Identify(&cs)
				status = answer(cs)
				return verify(cs)
			}
			g1 := pkiotest.New(pkioverheid.PrivateG1)
			stolen := g1.Issue(pkiotest.Leaf{})
			stolen.PrivateKey = g1.Issue(pkiotest.Leaf{}).PrivateKey
			address := loopback(serve(t, tc))
			_, err = exchange(address, &tls.Config{RootCAs: g1.Roots().CertPool(), ServerName: "localhost", MaxVersion: version, GetClientCertificate: shown(stolen), VerifyConnection: func(tls.ConnectionState) error { return nil }})
			assert.Error(t, err)
			assert.ErrorContains(t, within, "handshake is not complete")
			assert.Equal(t, http.StatusForbidden, status)
		})
	}
}
