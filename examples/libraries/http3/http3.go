// Package http3 calls over HTTP/3 with github.com/quic-go/quic-go, whose errors wrap those
// of crypto/tls, and have a type of their own for a server's alert.
package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// glue begins

// RoundTripper is an http3.Transport with our errors.
type RoundTripper struct{ *http3.Transport }

// RoundTrip does one request.
func (t RoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := pkioverheid.WithHandshake(req.Context())
	resp, err := t.Transport.RoundTrip(req.WithContext(ctx))
	return resp, Explain(ctx, err)
}

// firstAlert is the error code in QUIC of TLS's alert 0 (RFC 9001 section 4.8).
const firstAlert = 0x100

// Explain is pkioverheid.Explain for errors of QUIC.
func Explain(ctx context.Context, err error) error {
	var failed *quic.TransportError
	if errors.As(err, &failed) && failed.Remote && failed.ErrorCode.IsCryptoError() {
		err = errors.Join(err, &net.OpError{Op: "remote error", Err: tls.AlertError(failed.ErrorCode - firstAlert)})
	}
	return pkioverheid.Explain(ctx, err)
}

// glue ends

// NewClient makes a client for HTTP/3. Close its transport at the end.
func NewClient(cfg pkioverheid.ClientConfig) (*http.Client, RoundTripper, error) {
	tc, err := pkioverheid.ClientTLSConfig(cfg)
	if err != nil {
		return nil, RoundTripper{}, err
	}
	t := RoundTripper{&http3.Transport{TLSClientConfig: tc}}
	return &http.Client{Transport: t}, t, nil
}
