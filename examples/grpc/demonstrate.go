package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// Test numbers (prefix 00000099).
const (
	listed = pkioverheid.OIN("00000099000000001000")
	other  = pkioverheid.OIN("00000099000000002000")
)

// fixtures trusts the test roots of G1 and G4. In your program it stays out: the real
// hierarchies are built in.
func fixtures() pkioverheid.Trust {
	return pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS))
}

// issue is for a program with a certificate. In yours: pkioverheid.LoadKeyPair.
func issue(h pkioverheid.Hierarchy, oin pkioverheid.OIN) pkioverheid.ClientConfig {
	return issueLeaf(h, pkiotest.Leaf{OIN: oin})
}

func issueLeaf(h pkioverheid.Hierarchy, l pkiotest.Leaf) pkioverheid.ClientConfig {
	return pkioverheid.ClientConfig{Trust: fixtures(), KeyPairs: []*pkioverheid.KeyPair{pkiotest.New(h).KeyPair(l)}}
}

// serverOf is for a server with a certificate.
func serverOf(h pkioverheid.Hierarchy) pkioverheid.ServerConfig {
	return pkioverheid.ServerConfig{Trust: fixtures(), KeyPairs: []*pkioverheid.KeyPair{pkiotest.New(h).KeyPair(pkiotest.Leaf{})}}
}

// demonstrate calls servers under each hierarchy and prints what comes of it. The
// client is the same throughout, but for the certificate that it shows.
func demonstrate(w io.Writer) error {
	const (
		g3 = pkioverheid.G3
		g1 = pkioverheid.PrivateG1
		g4 = pkioverheid.PrivateG4TLS
	)
	for _, c := range []struct {
		what   string
		server pkioverheid.Hierarchy
		client pkioverheid.ClientConfig
	}{
		{"a server that was not replaced in 2020", g3, issue(g1, listed)},
		{"G1, as it is today", g1, issue(g1, listed)},
		{"the server moved to G4, the client did not yet", g4, issue(g1, listed)},
		{"both moved to G4", g4, issue(g4, listed)},
		{"a system that is not on the list", g1, issue(g1, other)},
		{"a person's certificate of G1", g1, issueLeaf(g1, pkiotest.Leaf{OIN: listed, Policies: []string{"2.16.528.1.1003.1.2.8.1"}})},
	} {
		fmt.Fprintf(w, "%s:\n\n", c.what)
		target, stop, err := serve(w, serverOf(c.server))
		if err != nil {
			return err
		}
		conn, err := dial(target, c.client)
		if err != nil {
			stop()
			return err
		}
		got, err := call(conn)
		conn.Close()
		stop()
		if err != nil {
			fmt.Fprintf(w, "client: %s: %s\n\n", status.Code(err), status.Convert(err).Message())
			continue
		}
		fmt.Fprintf(w, "client: %s\n\n", got)
	}
	return nil
}

// serve runs a health service that logs who asks.
func serve(w io.Writer, cfg pkioverheid.ServerConfig) (target string, stop func(), err error) {
	logger := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: inShort}))
	srv, err := newServer(cfg, pkioverheid.AllowOIN(listed), logger)
	if err != nil {
		return "", nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		ln.Close()
		return "", nil, err
	}
	healthpb.RegisterHealthServer(srv, service{health.NewServer(), logger})
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(ln)
	}()
	stop = func() {
		srv.Stop()
		<-done
	}
	// PKIoverheid certificates have no IP addresses.
	return net.JoinHostPort("localhost", port), stop, nil
}

// service is the health service of gRPC, which knows who asks.
type service struct {
	*health.Server
	logger *slog.Logger
}

func (s service) Check(ctx context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	id := callerOf(ctx)
	s.logger.InfoContext(ctx, "called", "oin", id.OIN(), "hierarchy", id.Hierarchy())
	return s.Server.Check(ctx, req)
}

func call(conn *grpc.ClientConn) (healthpb.HealthCheckResponse_ServingStatus, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	resp, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	return resp.GetStatus(), err
}

// inShort makes log lines that do not differ from run to run.
func inShort(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey, "remote":
		return slog.Attr{}
	case slog.LevelKey:
		return slog.String("server", a.Value.String())
	}
	return a
}
