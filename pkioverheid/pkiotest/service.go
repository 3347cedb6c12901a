package pkiotest

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
)

// NewService starts a server that plays a service under the service's own host name, with
// mutual TLS: it shows a certificate made of l, for host if l has no DNSNames, and lets in
// the clients of this package that allow permits. The server's URL is https://host, which
// a client reaches by way of [Base]. The caller closes the server. NewService panics on
// failure.
func (a *Authority) NewService(host string, h http.Handler, allow pkioverheid.Authorizer, l Leaf) *httptest.Server {
	var all []*Authority
	for _, h := range pkioverheid.Hierarchies() {
		if fixture.Certificates(string(h)) != nil {
			all = append(all, New(h))
		}
	}
	trust := Trust(all...)
	trust.OnlyRoots, trust.Time, trust.Logger = true, a.Time, slog.New(slog.DiscardHandler)
	if l.DNSNames == nil {
		l.DNSNames = []string{host}
	}
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{a.KeyPair(l)}}, allow)
	if err != nil {
		panic(fmt.Sprintf("pkiotest: NewService: %v", err))
	}
	srv := httptest.NewUnstartedServer(server.Handler(h))
	srv.TLS = server.TLSConfig()
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	srv.URL = "https://" + host
	return srv
}

// Base returns a transport for pkioverheid.ClientConfig.Base that connects to srv,
// whichever host the client asks for.
func Base(srv *httptest.Server) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}}
}
