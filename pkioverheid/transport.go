package pkioverheid

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
)

// NewClient returns an http.Client on a [NewTransport] of cfg, and otherwise as
// net/http makes it. It follows redirects to https only.
func NewClient(cfg Config) (*http.Client, error) {
	t, err := NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t}, nil
}

// Transport is an http.RoundTripper for https that trusts PKIoverheid. Where a
// connection fails over a certificate its errors say which and what to do:
// *[ServerCertificateError] for the server's, with a *[G3Error] in it under G3,
// *[ClientCertificateError] for ours. All other errors are net/http's.
//
// It is safe for concurrent use, keeps connections, and speaks HTTP/2, as
// http.Transport does. An https proxy must itself have a certificate that cfg
// trusts.
type Transport struct {
	base   *http.Transport
	client *clientSide
	name   string // the server name that Config.Base asks to verify, if any
}

// NewTransport returns a Transport, or an error for a Config that contradicts
// itself; see the fields of [Config].
func NewTransport(cfg Config) (*Transport, error) {
	client, err := newClientSide(cfg)
	if err != nil {
		return nil, err
	}
	base := cfg.Base
	if base == nil {
		base, _ = http.DefaultTransport.(*http.Transport)
	}
	if base == nil { // replaced by something of the program's own
		base = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	}
	//lint:ignore SA1019 DialTLS is deprecated, and net/http still obeys it
	if base.DialTLS != nil || base.DialTLSContext != nil {
		return nil, errors.New("pkioverheid: Config.Base dials TLS itself (DialTLS or DialTLSContext), so nothing would be verified here: set DialContext instead")
	}
	base = base.Clone()
	// A custom TLSClientConfig or dialler would otherwise switch HTTP/2 off.
	if base.TLSNextProto == nil {
		base.ForceAttemptHTTP2 = true
	}
	t := &Transport{base: base, client: client}
	if err := t.configure(base.TLSClientConfig); err != nil {
		return nil, err
	}
	return t, nil
}

// configure completes the TLS settings of Config.Base with ours.
func (t *Transport) configure(given *tls.Config) error {
	tc := t.client.tlsConfig()
	t.base.TLSClientConfig = tc
	if given == nil {
		return nil
	}
	for _, clash := range []struct {
		set  bool
		name string
		use  string
	}{
		{given.InsecureSkipVerify, "InsecureSkipVerify", "trust the server's root with Config.Roots"},
		{given.RootCAs != nil, "RootCAs", "use Config.Roots"},
		{len(given.Certificates) > 0, "Certificates", "use Config.Certificate"},
		{given.GetClientCertificate != nil, "GetClientCertificate", "use Config.GetCertificate"},
		{given.Time != nil, "Time", "use Config.Time"},
		{given.EncryptedClientHelloRejectionVerify != nil, "EncryptedClientHelloRejectionVerify", "leave it to crypto/tls"},
	} {
		if clash.set {
			return fmt.Errorf("pkioverheid: Config.Base.TLSClientConfig sets %s: %s", clash.name, clash.use)
		}
	}
	merged := given.Clone()
	merged.RootCAs, merged.Time, merged.GetClientCertificate = tc.RootCAs, tc.Time, tc.GetClientCertificate
	merged.MinVersion = max(given.MinVersion, tc.MinVersion)
	merged.CipherSuites = tc.CipherSuites
	merged.Renegotiation = tc.Renegotiation
	merged.VerifyConnection = func(cs tls.ConnectionState) error {
		if err := tc.VerifyConnection(cs); err != nil {
			return err
		}
		if given.VerifyConnection != nil {
			return given.VerifyConnection(cs)
		}
		return nil
	}
	t.name = given.ServerName
	t.base.TLSClientConfig = merged
	return nil
}

// RoundTrip sends a request over https. Any other scheme is refused, also when a
// redirect leads there: a 307 would send the body once more, in clear.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Scheme != "https" {
		if req.Body != nil {
			req.Body.Close()
		}
		if req.URL == nil {
			return nil, errors.New("pkioverheid: the request has no URL")
		}
		return nil, fmt.Errorf("pkioverheid: refused to call %s over %s: PKIoverheid services are called over https only", quoteHost(req.URL.Host), quoteHost(req.URL.Scheme))
	}
	ctx, attempt := withAttempt(req.Context())
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	if err == nil {
		return resp, nil // its Request carries the attempt, for RefusedCertificate
	}
	return nil, t.explain(req.Context(), req.URL.Hostname(), attempt, err)
}

func (t *Transport) explain(ctx context.Context, host string, a *attempt, err error) error {
	var ours *ServerCertificateError
	if ctx.Err() != nil || errors.As(err, &ours) {
		return err
	}
	var refused *tls.CertificateVerificationError
	if errors.As(err, &refused) {
		name := host
		if t.name != "" {
			name = t.name
		}
		return t.client.explainServer(name, refused)
	}
	if e := a.clientCertificateError(host, t.client.clock(), err); e != nil {
		return e
	}
	return err
}

// CloseIdleConnections closes the connections that are not in use.
func (t *Transport) CloseIdleConnections() { t.base.CloseIdleConnections() }
