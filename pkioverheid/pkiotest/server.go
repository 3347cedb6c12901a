package pkiotest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
)

// NewServer starts a server that shows a certificate made by [Authority.Issue] with the same
// options, and speaks HTTP/2 and HTTP/1.1. Its URL is https://localhost:port, because
// PKIoverheid certificates have no IP addresses. The caller closes it. NewServer panics on
// failure.
//
// The server's Client method returns a client of crypto/x509's own rules that trusts every
// CA of the Authority, G3 too, at [Authority.Time]: to see what pkioverheid makes of the
// server, use a client of pkioverheid. For a tls.Config of your own, set TLS of a server
// from httptest.NewUnstartedServer, with a certificate from Issue in it.
func (a *Authority) NewServer(h http.Handler, opts ...LeafOption) *httptest.Server {
	cert := a.Issue(opts...)
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{
		Certificates: []tls.Certificate{cert},
		// Left to itself, httptest offers HTTP/2 only.
		NextProtos: []string{"h2", "http/1.1"},
	}
	srv.StartTLS()

	// httptest has put the leaf in the client's pool, where crypto/x509 takes it
	// without a look at who signed it.
	pool := x509.NewCertPool()
	for _, ca := range a.certs {
		pool.AddCert(ca)
	}
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig
	config.RootCAs = pool
	config.Time = a.Time

	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		srv.Close()
		panic(fmt.Sprintf("pkiotest: NewServer: %v", err))
	}
	srv.URL = "https://" + net.JoinHostPort("localhost", port)
	return srv
}
