package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"time"

	"github.com/quic-go/quic-go"
	quichttp3 "github.com/quic-go/quic-go/http3"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// outcomes are what may become of a certificate, in the order of the table's cases.
type outcome int

const (
	underG3 outcome = iota
	expired
	refusedInTLS12
	refusedInTLS13
	outcomes
)

func (o outcome) String() string {
	return [...]string{"a server under G3", "an expired server", "our certificate refused in TLS 1.2", "our certificate refused in TLS 1.3"}[o]
}

var authority = pkiotest.New(pkioverheid.PrivateG1)

// client is what all libraries are called with. In your program Trust is empty, because
// the real hierarchies are built in, and the key pair comes from LoadKeyPair.
func client() pkioverheid.ClientConfig {
	return pkioverheid.ClientConfig{Trust: pkiotest.Trust(authority), KeyPairs: []*pkioverheid.KeyPair{authority.KeyPair(pkiotest.Leaf{OIN: "00000099000000001000"})}}
}

// serverConfig is of a server with which that comes to pass.
func serverConfig(o outcome, protocol string) *tls.Config {
	tc := &tls.Config{Certificates: []tls.Certificate{authority.Issue(pkiotest.Leaf{})}}
	if protocol != "" {
		tc.NextProtos = []string{protocol}
	}
	switch o {
	case underG3:
		tc.Certificates[0] = pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{})
	case expired:
		tc.Certificates[0] = authority.Issue(pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)})
	default:
		tc.ClientAuth, tc.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		tc.ClientCAs.AddCert(authority.Certificates()[0])
		tc.VerifyConnection = func(tls.ConnectionState) error { return errors.New("its OIN is not on the list") }
		tc.MaxVersion = tls.VersionTLS13
		if o == refusedInTLS12 {
			tc.MaxVersion = tls.VersionTLS12
		}
	}
	return tc
}

// listen starts a server that does nothing but a handshake, after what its protocol says
// in clear. Without a name in its certificate for 127.0.0.1, the address says localhost.
func listen(tc *tls.Config, inClear func(net.Conn) error) (addr string, stop func() error, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go shakeHands(conn, tc, inClear)
		}
	}()
	return local(ln.Addr()), ln.Close, nil
}

func local(addr net.Addr) string {
	_, port, _ := net.SplitHostPort(addr.String())
	return net.JoinHostPort("localhost", port)
}

func shakeHands(conn net.Conn, tc *tls.Config, inClear func(net.Conn) error) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // an error shows in what follows
	if inClear != nil && inClear(conn) != nil {
		return
	}
	if err := tls.Server(conn, tc).Handshake(); err != nil {
		// An alert is lost where data that nobody read makes TCP reset the connection.
		if c, ok := conn.(*net.TCPConn); ok {
			_ = c.CloseWrite()
		}
	}
	_, _ = io.Copy(io.Discard, conn)
}

// postgreSQL takes the SSLRequest and agrees to TLS.
func postgreSQL(conn net.Conn) error {
	if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil {
		return err
	}
	_, err := conn.Write([]byte("S"))
	return err
}

// natsInfo is how a server of NATS begins.
func natsInfo(conn net.Conn) error {
	_, err := conn.Write([]byte(`INFO {"server_id":"X","version":"2.10.0","tls_required":true,"max_payload":1048576}` + "\r\n"))
	return err
}

// listenQUIC starts a server of HTTP/3.
func listenQUIC(tc *tls.Config) (addr string, stop func() error, err error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ln, err := quic.Listen(conn, quichttp3.ConfigureTLSConfig(tc), nil)
	if err != nil {
		return "", nil, errors.Join(err, conn.Close())
	}
	go func() {
		for {
			if _, err := ln.Accept(context.Background()); err != nil {
				return
			}
		}
	}()
	return local(conn.LocalAddr()), func() error { return errors.Join(ln.Close(), conn.Close()) }, nil
}
