package prometheus_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/examples/libraries/prometheus"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const listed, other = pkioverheid.OIN("00000099000000001000"), pkioverheid.OIN("00000099000000002000")

var g1 = pkiotest.New(pkioverheid.PrivateG1)

func TestWhatTheMetricsAndSpansSay(t *testing.T) {
	checker, err := crl.NewChecker(pkiotest.CRLConfig(g1))
	require.NoError(t, err)
	defer checker.Close()
	own := g1.KeyPair(pkiotest.Leaf{OIN: listed})
	metrics := prometheus.New(map[string]*pkioverheid.KeyPair{"server": own}, checker)
	registry := client.NewPedanticRegistry()
	require.NoError(t, registry.Register(metrics))

	trust := pkiotest.Trust(g1)
	trust.Trace, trust.Revocation = metrics.Trace(), checker
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}, pkioverheid.AllowOIN(listed))
	require.NoError(t, err)
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	srv := httptest.NewUnstartedServer(prometheus.Handler(server, http.NotFoundHandler(), otelhttp.WithTracerProvider(provider)))
	srv.TLS, srv.Config.ErrorLog = server.TLSConfigForHandler(), server.ErrorLog()
	srv.StartTLS()
	defer srv.Close()

	for _, c := range []struct {
		leaf   pkiotest.Leaf
		status int // 0: no answer
	}{
		{pkiotest.Leaf{OIN: listed}, http.StatusNotFound},
		{pkiotest.Leaf{OIN: other}, http.StatusForbidden},
		{pkiotest.Leaf{OIN: listed, NotAfter: time.Now().AddDate(0, 0, -1)}, 0},
	} {
		caller, err := pkioverheid.NewClient(pkioverheid.ClientConfig{
			Trust: pkiotest.Trust(g1), KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(c.leaf)}, AllowUnsuitable: true,
		})
		require.NoError(t, err)
		resp, err := caller.Get(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
		if c.status == 0 {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, c.status, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
		caller.CloseIdleConnections()
	}

	text := scrape(t, registry)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(text, "pkioverheid_refusals_total") && time.Now().Before(end); text = scrape(t, registry) {
		time.Sleep(10 * time.Millisecond) // the server's side of a refusal may come last
	}
	for _, line := range []string{
		`pkioverheid_own_deadline_timestamp_seconds{hierarchy="` + pkioverheid.PrivateG1.String() + `",name="server"} `,
		`pkioverheid_own_not_replaced{name="server"} 0`,
		`pkioverheid_crl_usable{issuer="`,
		`pkioverheid_crl_age_seconds{issuer="`,
		`pkioverheid_crl_next_update_timestamp_seconds{issuer="`,
		`pkioverheid_handshakes_total{hierarchy="` + pkioverheid.PrivateG1.String() + `",side="server"} 2`,
		`pkioverheid_refusals_total{cause="` + string(chain.Expired) + `",reason="` + string(pkioverheid.RefusedPeer) + `",side="server"} 1`,
		`pkioverheid_refused_requests_total{cause="",reason="` + string(pkioverheid.NotLetIn) + `"} 1`,
	} {
		assert.Contains(t, text, line)
	}
	assert.Equal(t, 3, strings.Count(text, "\npkioverheid_crl_usable{"), "the root's list and two CAs'")
	assert.NotContains(t, text, string(other), "a label of anybody's choice")

	require.Len(t, spans.Ended(), 2)
	assert.Contains(t, spans.Ended()[0].Attributes(), attribute.String("pkioverheid.oin", string(listed)))
}

func scrape(t *testing.T, registry *client.Registry) string {
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: log.New(io.Discard, "", 0)}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, rec.Code, rec.Body.String())
	return rec.Body.String()
}
