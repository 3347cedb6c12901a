package pkiotest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
)

// NewServer starts a server that shows what [Authority.Issue] makes of l, and speaks
// HTTP/2 and HTTP/1.1. Its URL is https://localhost:port. The caller closes it. NewServer
// panics on failure.
func (a *Authority) NewServer(h http.Handler, l Leaf) *httptest.Server {
	cert := a.Issue(l)
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
