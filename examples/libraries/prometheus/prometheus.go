// Package prometheus has the metrics of a service with certificates of PKIoverheid, for
// github.com/prometheus/client_golang, and its spans, by otelhttp: until when our own
// certificates are good, how old the CRLs are, and who was refused.
package prometheus

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
)

var (
	deadline   = prometheus.NewDesc("pkioverheid_own_deadline_timestamp_seconds", "When our own certificate must have been replaced.", []string{"name", "hierarchy"}, nil)
	unused     = prometheus.NewDesc("pkioverheid_own_not_replaced", "1 if what the files hold is not in use.", []string{"name"}, nil)
	age        = prometheus.NewDesc("pkioverheid_crl_age_seconds", "How long ago the CRL was confirmed or made.", crlLabels, nil)
	usable     = prometheus.NewDesc("pkioverheid_crl_usable", "1 if the CRL can say that a certificate is not revoked.", crlLabels, nil)
	nextUpdate = prometheus.NewDesc("pkioverheid_crl_next_update_timestamp_seconds", "Until when the CRL counts.", crlLabels, nil)
)

// Two CAs may have one name, and not one key.
var crlLabels = []string{"issuer", "issuer_key", "source"}

// Metrics are to be registered with a prometheus.Registerer.
type Metrics struct {
	pairs   map[string]*pkioverheid.KeyPair
	checker *crl.Checker
	peers   *prometheus.CounterVec
	failed  *prometheus.CounterVec
	refused *prometheus.CounterVec
}

// New makes the metrics of our own key pairs, each under a name, and of a checker's CRLs.
func New(pairs map[string]*pkioverheid.KeyPair, checker *crl.Checker) *Metrics {
	return &Metrics{
		pairs: pairs, checker: checker,
		peers:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pkioverheid_handshakes_total", Help: "Certificates of the other side that passed."}, []string{"side", "hierarchy"}),
		failed:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pkioverheid_refusals_total", Help: "Certificates that one side refused."}, []string{"side", "reason", "cause"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pkioverheid_refused_requests_total", Help: "Requests that the server refused."}, []string{"reason", "cause"}),
	}
}

// Trace counts. Labels are of a few values: no OIN, which anybody can make up.
func (m *Metrics) Trace() *pkioverheid.Trace {
	return &pkioverheid.Trace{
		Peer:    func(e pkioverheid.Event) { m.peers.WithLabelValues(side(e), e.Hierarchy.String()).Inc() },
		Failed:  func(e pkioverheid.Event) { m.failed.WithLabelValues(side(e), string(e.Reason), string(e.Cause)).Inc() },
		Refused: func(e pkioverheid.Event) { m.refused.WithLabelValues(string(e.Reason), string(e.Cause)).Inc() },
	}
}

func side(e pkioverheid.Event) string {
	if e.Server {
		return "server"
	}
	return "client"
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Describe describes the metrics.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{deadline, unused, usable, age, nextUpdate} {
		ch <- d
	}
	m.peers.Describe(ch)
	m.failed.Describe(ch)
	m.refused.Describe(ch)
}

// Collect reads them as they are now.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for name, k := range m.pairs {
		s := k.Status()
		gauge(deadline, float64(s.Deadline.Unix()), name, s.Hierarchy.String())
		gauge(unused, number(s.Err != nil), name)
	}
	for _, s := range m.checker.Status() {
		labels := []string{s.Issuer, s.IssuerKeyID, s.URL + s.File} // from one of the two
		gauge(usable, number(s.Usable), labels...)
		gauge(age, s.Age.Seconds(), labels...)
		gauge(nextUpdate, float64(s.NextUpdate.Unix()), labels...)
	}
	m.peers.Collect(ch)
	m.failed.Collect(ch)
	m.refused.Collect(ch)
}

// Handler lets in whom the server allows, and puts the caller into the span of the request.
func Handler(server *pkioverheid.Server, next http.Handler, opts ...otelhttp.Option) http.Handler {
	return otelhttp.NewHandler(server.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := pkioverheid.IdentityFromContext(r.Context()); ok {
			trace.SpanFromContext(r.Context()).SetAttributes(
				attribute.String("pkioverheid.oin", string(id.OIN())),
				attribute.String("pkioverheid.hierarchy", id.Hierarchy().String()))
		}
		next.ServeHTTP(w, r)
	})), "service", opts...)
}
