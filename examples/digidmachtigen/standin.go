package main

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// ownOIN is a test number (prefix 00000099), and so is the service's.
const (
	ownOIN     = pkioverheid.OIN("00000099000000001000")
	serviceOIN = pkioverheid.OIN("00000099000000002000")
)

// standIn plays the service, on the loopback interface: a server with mutual TLS
// that lets our OIN in, under certificates of package pkiotest.
type standIn struct {
	server      *httptest.Server
	certificate tls.Certificate
}

// start starts it under a hierarchy, with a certificate for the service's own host.
func start(h pkioverheid.Hierarchy, host string, service http.Handler, more ...pkiotest.LeafOption) (*standIn, error) {
	cert := pkiotest.New(h).Issue(append([]pkiotest.LeafOption{pkiotest.DNSNames(host), pkiotest.OIN(serviceOIN)}, more...)...)
	config, err := pkioverheid.ServerTLSConfig(pkioverheid.Config{
		Certificate: &cert,
		Roots:       testRoots(),
		OnlyRoots:   true,
	}, pkioverheid.AllowOIN(ownOIN))
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{cert}
	srv := httptest.NewUnstartedServer(service)
	srv.TLS = config
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of refusals, which we do too
	srv.StartTLS()
	return &standIn{srv, cert}, nil
}

func (s *standIn) stop() { s.server.Close() }

// base dials the stand-in in place of the service. Your program has no need of it.
func (s *standIn) base() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.server.Listener.Addr().String())
	}}
}

// testRoots are the fixture roots of Private G1 and G4. Your program has no need of
// them: the real ones are built in.
func testRoots() *truststore.Store {
	roots := pkiotest.New(pkioverheid.PrivateG1).Roots()
	for root := range pkiotest.New(pkioverheid.PrivateG4TLS).Roots().All() {
		roots.Add(root)
	}
	return roots
}

// ownCertificate stands for
//
//	pkioverheid.LoadKeyPair("client.p7b", "client.key", "")
func ownCertificate(h pkioverheid.Hierarchy) *tls.Certificate {
	cert := pkiotest.New(h).Issue(pkiotest.OIN(ownOIN), pkiotest.DNSNames("koppeling.example"))
	return &cert
}
