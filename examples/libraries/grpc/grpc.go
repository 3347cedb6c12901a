// Package grpc calls with google.golang.org/grpc, of whose errors only the text reaches the
// caller. Credentials that keep the last failure hand on the error itself.
package grpc

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// glue begins

// Credentials keep why the last connection failed. The handshake of gRPC has no context,
// so that what was asked for and sent is not recorded.
type Credentials struct {
	credentials.TransportCredentials
	failed *atomic.Pointer[error]
}

// ClientHandshake fails with our errors.
func (c Credentials) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c.failed.Store(nil)
	conn, info, err := c.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, c.keep(err)
	}
	return explained{conn, c}, info, nil
}

// Clone returns credentials that keep failures in the same place.
func (c Credentials) Clone() credentials.TransportCredentials {
	return Credentials{c.TransportCredentials.Clone(), c.failed}
}

func (c Credentials) keep(err error) error {
	err = pkioverheid.Explain(context.Background(), err)
	c.failed.Store(&err)
	return err
}

// Explain adds to the error of a call why there was no connection.
func (c Credentials) Explain(err error) error {
	if failed := c.failed.Load(); failed != nil && status.Code(err) == codes.Unavailable {
		return errors.Join(err, *failed)
	}
	return err
}

// explained is a connection whose reading says that the server refused our certificate, as
// it does in TLS 1.3.
type explained struct {
	net.Conn
	c Credentials
}

func (e explained) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if err != nil {
		err = e.c.keep(err)
	}
	return n, err
}

// glue ends

// NewClient makes a client of a target, and the credentials that explain its errors.
func NewClient(target string, cfg pkioverheid.ClientConfig) (*grpc.ClientConn, Credentials, error) {
	tc, err := pkioverheid.ClientTLSConfig(cfg)
	if err != nil {
		return nil, Credentials{}, err
	}
	creds := Credentials{credentials.NewTLS(tc), new(atomic.Pointer[error])}
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(creds))
	return conn, creds, err
}
