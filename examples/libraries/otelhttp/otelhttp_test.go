package otelhttp_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/examples/libraries/otelhttp"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// Some servers let the handshake pass and answer with a status. That is explained too: the
// response still carries what was asked for and sent.
func TestAResponseIsExplainedThroughASpan(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, ClientAuth: tls.RequestClientCert}
	srv.StartTLS()
	defer srv.Close()
	client, err := otelhttp.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}})
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	resp, err := client.Get(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
	require.NoError(t, err)
	defer resp.Body.Close()
	var refused *pkioverheid.ClientCertificateError
	require.ErrorAs(t, pkioverheid.RefusedCertificate(resp), &refused)
	assert.True(t, refused.Known)
	assert.True(t, refused.Sent)
}
