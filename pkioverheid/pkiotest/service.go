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
// mutual TLS: it shows a certificate for host, and lets in the clients that allow permits,
// with certificates of this package under any of pkioverheid.Hierarchies. Its clock is
// [Authority.Time]. Refusals are not logged. The server's URL is https://host, which a client
// reaches by way of [Base]. The caller closes the server. NewService panics on failure.
func (a *Authority) NewService(host string, h http.Handler, allow pkioverheid.Authorizer, opts ...LeafOption) *httptest.Server {
	var all []*Authority
	for _, h := range pkioverheid.Hierarchies() {
		if fixture.Certificates(string(h)) != nil {
			all = append(all, New(h))
		}
	}
	trust := Trust(all...)
	trust.OnlyRoots, trust.Time, trust.Logger = true, a.Time, slog.New(slog.DiscardHandler)
	own := a.KeyPair(append([]LeafOption{DNSNames(host)}, opts...)...)
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}, allow)
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
