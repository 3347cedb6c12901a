package main

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

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

// start starts it under a hierarchy, at a time, with a certificate for the service's
// own host.
func start(h pkioverheid.Hierarchy, host string, service http.Handler, at time.Time) (*standIn, error) {
	cert := pkiotest.New(h).Issue(pkiotest.DNSNames(host), pkiotest.OIN(serviceOIN), validAt(at))
	config, err := pkioverheid.ServerTLSConfig(pkioverheid.Config{
		Certificate: &cert,
		Roots:       testRoots(),
		OnlyRoots:   true,
		Time:        func() time.Time { return at },
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

// testRoots are the fixture roots of Private G1, EV and Private G4. Your program has
// no need of them: the real ones are built in.
func testRoots() *truststore.Store {
	roots := truststore.New()
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.EV, pkioverheid.PrivateG4TLS} {
		for root := range pkiotest.New(h).Roots().All() {
			roots.Add(root)
		}
	}
	return roots
}

// validAt makes a certificate valid for a year around a time.
func validAt(at time.Time) pkiotest.LeafOption {
	return pkiotest.Validity(at.AddDate(0, -6, 0), at.AddDate(0, 6, 0))
}

// ownCertificate stands for
//
//	pkioverheid.LoadKeyPair("client.p7b", "client.key", "")
func ownCertificate(h pkioverheid.Hierarchy, at time.Time) *tls.Certificate {
	cert := pkiotest.New(h).Issue(pkiotest.OIN(ownOIN), pkiotest.DNSNames("koppeling.example"), validAt(at))
	return &cert
}
