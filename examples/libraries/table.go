package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/examples/libraries/grpc"
	"github.com/go-pkioverheid/trust/examples/libraries/http3"
	"github.com/go-pkioverheid/trust/examples/libraries/kafka"
	"github.com/go-pkioverheid/trust/examples/libraries/nats"
	"github.com/go-pkioverheid/trust/examples/libraries/otelhttp"
	"github.com/go-pkioverheid/trust/examples/libraries/pgx"
	"github.com/go-pkioverheid/trust/examples/libraries/retryablehttp"
	"github.com/go-pkioverheid/trust/pkioverheid"
)

// library is a row of the table.
type library struct {
	name, folder string
	serve        func(outcome) (addr string, stop func() error, err error)
	call         func(ctx context.Context, addr string) error
}

func overTLS(protocol string, inClear func(net.Conn) error) func(outcome) (string, func() error, error) {
	return func(o outcome) (string, func() error, error) { return listen(serverConfig(o, protocol), inClear) }
}

// libraries are the rows. What is called is in the folders.
var libraries = []library{
	{"github.com/jackc/pgx", "pgx", overTLS("", postgreSQL), func(ctx context.Context, addr string) error {
		_, err := pgx.Connect(ctx, "postgres://user@"+addr+"/db?sslmode=verify-full", client())
		return err
	}},
	{"github.com/nats-io/nats.go", "nats", overTLS("", natsInfo), func(ctx context.Context, addr string) error {
		_, err := nats.Connect(ctx, "tls://"+addr, client())
		return err
	}},
	{"github.com/twmb/franz-go", "kafka", overTLS("", nil), func(ctx context.Context, addr string) error {
		_, err := kafka.Connect(ctx, addr, client(), kgo.RequestRetries(0))
		return err
	}},
	{"google.golang.org/grpc", "grpc", overTLS("h2", nil), func(ctx context.Context, addr string) error {
		conn, creds, err := grpc.NewClient(addr, client())
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
		return creds.Explain(err)
	}},
	{"github.com/quic-go/quic-go/http3", "http3", func(o outcome) (string, func() error, error) {
		tc := serverConfig(o, "")
		tc.MaxVersion = tls.VersionTLS13 // QUIC has no other
		return listenQUIC(tc)
	}, func(ctx context.Context, addr string) error {
		c, t, err := http3.NewClient(client())
		if err != nil {
			return err
		}
		defer t.Close()
		return get(ctx, c.Do, addr)
	}},
	{"github.com/hashicorp/go-retryablehttp", "retryablehttp", overTLS("http/1.1", nil), func(ctx context.Context, addr string) error {
		c, err := retryablehttp.NewClient(client())
		if err != nil {
			return err
		}
		return get(ctx, c.StandardClient().Do, addr)
	}},
	{"go.opentelemetry.io/…/otelhttp", "otelhttp", overTLS("http/1.1", nil), func(ctx context.Context, addr string) error {
		c, err := otelhttp.NewClient(client())
		if err != nil {
			return err
		}
		return get(ctx, c.Do, addr)
	}},
}

func get(ctx context.Context, do func(*http.Request) (*http.Response, error), addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+addr, nil)
	if err != nil {
		return err
	}
	resp, err := do(req)
	if err != nil {
		return err
	}
	return errors.Join(resp.Body.Close(), errors.New("it was answered"))
}

// try returns the error of a call that comes to this.
func (l library) try(ctx context.Context, o outcome) (err, failed error) {
	addr, stop, failed := l.serve(o)
	if failed != nil {
		return nil, failed
	}
	err = l.call(ctx, addr)
	return err, stop()
}

const (
	lostAll  = "the error"
	lostSent = "what was asked for and sent"
)

// lost returns what is missing in an error, empty for nothing.
func lost(o outcome, err error) string {
	var (
		g3     *pkioverheid.G3Error
		server *pkioverheid.ServerCertificateError
		client *pkioverheid.ClientCertificateError
	)
	switch {
	case o == underG3 && errors.As(err, &g3) && errors.As(err, &server):
	case o == expired && errors.As(err, &server) && server.Reason == chain.Expired:
	case o >= refusedInTLS12 && errors.As(err, &client):
		if !client.Known || !client.Sent || len(client.AcceptableCAs) == 0 {
			return lostSent
		}
	default:
		return lostAll
	}
	return ""
}

//go:embed */*.go
var sources embed.FS

// glue counts the lines of a folder that are there for our errors, without comments: those
// that say so at their end, and those between two comments.
func glue(folder string) (lines int, err error) {
	f, err := sources.Open(folder + "/" + folder + ".go")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	within := false
	s := bufio.NewScanner(f)
	for s.Scan() {
		switch line := strings.TrimSpace(s.Text()); {
		case line == "// glue begins":
			within = true
		case line == "// glue ends":
			within = false
		case line == "" || strings.HasPrefix(line, "//"):
		case within || strings.HasSuffix(line, "// glue"):
			lines++
		}
	}
	return lines, s.Err()
}

// demonstrate prints the table of the README.
func demonstrate(ctx context.Context, w io.Writer) error {
	fmt.Fprintf(w, "| library | lines of glue | what is lost |\n|---|---|---|\n")
	for _, l := range libraries {
		var losses []string
		for o := range outcomes {
			err, failed := l.try(ctx, o)
			if failed != nil {
				return failed
			}
			if what := lost(o, err); what != "" && (len(losses) == 0 || losses[len(losses)-1] != what) {
				losses = append(losses, what)
			}
		}
		lines, err := glue(l.folder)
		if err != nil {
			return err
		}
		if len(losses) == 0 {
			losses = []string{"nothing"}
		}
		fmt.Fprintf(w, "| [%s](examples/libraries/%[2]s/%[2]s.go) | %[3]d | %[4]s |\n", l.name, l.folder, lines, strings.Join(losses, "; "))
	}
	_, err := fmt.Fprintln(w, others)
	return err
}

// others is the row by whose rule the rest goes.
const others = "| any other that wraps errors | 2 | without a context in the handshake: " + lostSent + "; where only text is left: the error, unless its dial function or credentials are wrapped as for gRPC |"
