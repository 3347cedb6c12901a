package retryablehttp_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/examples/libraries/retryablehttp"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestWhatIsPermanentIsNotRepeated(t *testing.T) {
	g1, g3 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3)
	yesterday := pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)}
	unavailable := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	refuse := func(tls.ConnectionState) error { return errors.New("not on the list") }
	for _, c := range []struct {
		name  string
		tc    *tls.Config
		calls int
	}{
		{"a server under G3", &tls.Config{Certificates: []tls.Certificate{g3.Issue(pkiotest.Leaf{})}}, 1},
		{"an expired server", &tls.Config{Certificates: []tls.Certificate{g1.Issue(yesterday)}}, 1},
		{"a server that wants a certificate", &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, ClientAuth: tls.RequireAnyClientCert, VerifyConnection: refuse, MaxVersion: tls.VersionTLS12}, 1},
		{"a server that is overloaded", &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(unavailable)
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.Config.SetKeepAlivesEnabled(false)
			var calls atomic.Int32
			srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					calls.Add(1)
				}
			}
			srv.TLS = c.tc
			srv.StartTLS()
			defer srv.Close()
			client, err := retryablehttp.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)})
			require.NoError(t, err)
			client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = c.calls, time.Millisecond, time.Millisecond
			if c.calls > 1 {
				client.RetryMax = c.calls - 1
			}
			_, err = client.Get(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
			require.Error(t, err)
			assert.Equal(t, c.calls, int(calls.Load()))
		})
	}
}

func TestWhatMayComeRightIsRepeated(t *testing.T) {
	for name, err := range map[string]error{
		"a CRL that was not there": &pkioverheid.ServerCertificateError{Reason: chain.RevocationUnknown},
		"a guess":                  &pkioverheid.ClientCertificateError{Guess: true},
		"a lost connection":        io.ErrUnexpectedEOF,
	} {
		again, err := retryablehttp.CheckRetry(t.Context(), nil, err)
		assert.True(t, again, name)
		assert.NoError(t, err, name)
	}
}
