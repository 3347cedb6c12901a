// Package otelhttp makes spans of calls with
// go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp, which hands on errors as
// they are and records their text in the span.
package otelhttp

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// NewClient makes a client whose calls are spans.
func NewClient(cfg pkioverheid.ClientConfig, opts ...otelhttp.Option) (*http.Client, error) {
	t, err := pkioverheid.NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: otelhttp.NewTransport(t, opts...)}, nil // glue
}
