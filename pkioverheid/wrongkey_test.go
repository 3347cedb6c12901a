package pkioverheid_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// Whoever shows the certificate of somebody else is refused, which is more than a handshake
// that ended.
func TestTraceReportsAClientWithTheCertificateOfSomebodyElse(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	stolen := g1.Issue(pkiotest.Leaf{})
	stolen.PrivateKey = g1.Issue(pkiotest.Leaf{}).PrivateKey
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			var mu sync.Mutex
			var failed []pkioverheid.FailureReason
			trust := fixtureTrust()
			trust.Logger, _ = lines()
			trust.Trace = &pkioverheid.Trace{Failed: func(e pkioverheid.Event) {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, e.Reason)
			}}
			s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(ownPair())}, anybody)
			require.NoError(t, err)
			srv := httptest.NewUnstartedServer(http.NotFoundHandler())
			srv.Config.ErrorLog, srv.TLS = s.ErrorLog(), s.TLSConfig()
			srv.StartTLS()
			t.Cleanup(srv.Close)
			_, err = exchange(srv.Listener.Addr().String(), &tls.Config{
				RootCAs: g1.Roots().CertPool(), ServerName: "localhost", MaxVersion: version,
				GetClientCertificate: shown(stolen), VerifyConnection: func(tls.ConnectionState) error { return nil },
			})
			assert.Error(t, err)
			require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(failed) > 0 }, 20*time.Second, 10*time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			assert.Equal(t, []pkioverheid.FailureReason{pkioverheid.RefusedPeer}, failed)
		})
	}
}
