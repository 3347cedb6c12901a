package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// exampleListener is a server that is not of HTTP. It speaks TLS and nothing more.
func exampleListener(tc *tls.Config) net.Listener {
	ln, err := tls.Listen("tcp", "localhost:0", tc)
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	return ln
}

// The error of a library that wraps crypto/tls's.
func ExampleExplain() {
	ln := exampleListener(&tls.Config{Certificates: []tls.Certificate{pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{})}})
	defer ln.Close()

	config, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	config.ServerName = "localhost"
	_, err = tls.Dial("tcp", ln.Addr().String(), config) // a library does this
	err = pkioverheid.Explain(context.Background(), fmt.Errorf("cannot connect: %w", err))
	var g3 *pkioverheid.G3Error
	if errors.As(err, &g3) {
		fmt.Println(g3.CA)
		fmt.Println("withdrawn:", g3.Withdrawn)
	}
	// Output:
	// KPN BV PKIoverheid Organisatie Server CA - G3
	// withdrawn: true
}

// A server that refuses our certificate, which crypto/tls says in two words.
func ExampleWithHandshake() {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	accepts := x509.NewCertPool()
	accepts.AddCert(g4.Certificates()[0])
	ln := exampleListener(&tls.Config{
		Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})},
		ClientCAs:    accepts,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		MaxVersion:   tls.VersionTLS12,
	})
	defer ln.Close()

	config, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{
		Trust:    pkiotest.Trust(g1),
		KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	config.ServerName = "localhost"
	ctx := pkioverheid.WithHandshake(context.Background())
	_, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", ln.Addr().String())
	var refused *pkioverheid.ClientCertificateError
	if errors.As(pkioverheid.Explain(ctx, err), &refused) {
		fmt.Println("sent:", refused.Sent)
		fmt.Println(refused.Advice)
	}
	// Output:
	// sent: false
	// Use a certificate under a CA that the server accepts, or ask the server's owner to accept this one's root.
}
