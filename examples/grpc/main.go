// Command grpc shows google.golang.org/grpc over mutual TLS with certificates of
// PKIoverheid: what credentials a client and a server need, how a handler learns
// who calls, and what becomes of callers and servers that may not take part.
//
//	go -C examples/grpc run .
//
// It starts servers on the loopback interface, under test certificates of each
// hierarchy, calls their health service, which comes with gRPC and needs no protoc,
// and stops by itself. What is to be copied is in this file.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
)

func main() {
	if err := demonstrate(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "grpc:", err)
		os.Exit(1)
	}
}

// dial makes a client for a server that asks for a certificate, which is one of
// cfg.KeyPairs: see pkioverheid.LoadKeyPair.
func dial(target string, cfg pkioverheid.ClientConfig) (*grpc.ClientConn, error) {
	config, err := pkioverheid.ClientTLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	return grpc.NewClient(target, grpc.WithTransportCredentials(explained{credentials.NewTLS(config)}))
}

// dialPool makes a client for a server that asks for no certificate. The pool alone
// refuses G3: in your program it is pkioverheid.DefaultCertPool().
func dialPool(target string, pool *x509.CertPool) (*grpc.ClientConn, error) {
	return grpc.NewClient(target, grpc.WithTransportCredentials(explained{credentials.NewClientTLSFromCert(pool, "")}))
}

// newServer makes a server that shows cfg.KeyPairs. Every system of PKIoverheid gets
// through the handshake, and reads in a status why if allow does not admit it. Persons
// do not get that far: see logged.
func newServer(cfg pkioverheid.ServerConfig, allow pkioverheid.Authorizer, logger *slog.Logger) (*grpc.Server, error) {
	server, err := pkioverheid.NewServer(cfg, allow)
	if err != nil {
		return nil, err
	}
	config := server.TLSConfigForHandler() // the interceptors ask allow
	// gRPC works on a copy of config. What it needs is set here, so that it is there
	// too when the roots or the key pair were replaced.
	config.NextProtos = []string{"h2"}
	return grpc.NewServer(
		grpc.Creds(logged{credentials.NewTLS(config), logger}),
		// Both: a stream does not pass the interceptor of unary calls.
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			ctx, err := withCaller(ctx, server)
			if err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			ctx, err := withCaller(stream.Context(), server)
			if err != nil {
				return err
			}
			return askAgain(ctx, server, func(ctx context.Context) error { return next(srv, streamOf{stream, ctx}) })
		}),
		// A client that only ever has unary calls comes back with a new handshake now
		// and then.
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: time.Hour, MaxConnectionAgeGrace: time.Minute}),
	), nil
}

type callerKey struct{}

// callerOf returns who calls, in a handler after the interceptors of newServer.
func callerOf(ctx context.Context) pkioverheid.Identity {
	id, _ := ctx.Value(callerKey{}).(pkioverheid.Identity)
	return id
}

// withCaller puts who calls into the context, if the server admits them.
func withCaller(ctx context.Context, server *pkioverheid.Server) (context.Context, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil, status.Error(codes.Unauthenticated, "it is not known who calls")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil, status.Error(codes.Unauthenticated, "the call did not come over TLS")
	}
	id, err := server.Identify(&info.State)
	var refused *chain.Error            // a policy's words may be about other systems
	var reason *pkioverheid.AccessError // the only one that is for the caller to read
	switch {
	case errors.As(err, &refused):
		return nil, status.Errorf(codes.Unauthenticated, "the certificate was refused: %s", refused.Reason)
	case errors.As(err, &reason):
		return nil, status.Error(codes.PermissionDenied, reason.Error())
	case err != nil:
		return nil, status.Error(codes.PermissionDenied, "not let in")
	}
	return context.WithValue(ctx, callerKey{}, id), nil
}

// asksEvery is how long a certificate that ends, is revoked or is distrusted may stay on a
// stream that is open.
var asksEvery = time.Minute

// askAgain runs the handler of a stream until its caller is not let in any more. The stream
// then ends for the client at once, and for the handler by its context, and by an error of
// RecvMsg or SendMsg if it waits in one.
func askAgain(ctx context.Context, server *pkioverheid.Server, next func(context.Context) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan error, 1)
	go func() { done <- next(ctx) }()
	ticks := time.NewTicker(asksEvery)
	defer ticks.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ticks.C:
			if _, err := withCaller(ctx, server); err != nil {
				end(err)
				return err
			}
		}
	}
}

// streamOf is a stream with another context.
type streamOf struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamOf) Context() context.Context { return s.ctx }

// explained are credentials of a client that say in any case that a server is under
// G3. It is refused without them too, but crypto/tls's words for it vary with what
// the server sends, and gRPC hands on no more of an error than its text. Where your
// program needs the error itself, and why the server refused your certificate, take the
// credentials in examples/libraries/grpc.
type explained struct {
	credentials.TransportCredentials
}

func (e explained) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := e.TransportCredentials.ClientHandshake(ctx, authority, raw)
	return conn, info, pkioverheid.Explain(ctx, err)
}

func (e explained) Clone() credentials.TransportCredentials {
	return explained{e.TransportCredentials.Clone()}
}

// logged are credentials of a server that log why a handshake failed. The client
// learns little of it: with TLS 1.3 its side is complete when the server refuses its
// certificate, and all it sees may be that the connection is gone.
type logged struct {
	credentials.TransportCredentials
	logger *slog.Logger
}

func (l logged) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := l.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		l.logger.Warn("handshake failed", "remote", raw.RemoteAddr().String(), "reason", err.Error())
	}
	return conn, info, err
}

func (l logged) Clone() credentials.TransportCredentials {
	return logged{l.TransportCredentials.Clone(), l.logger}
}
