// Package pgx connects to PostgreSQL with github.com/jackc/pgx, whose errors wrap those of
// crypto/tls. Its context does not reach the handshake without help.
package pgx

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// Connect connects to a server by a URL that says sslmode=verify-full.
func Connect(ctx context.Context, url string, cfg pkioverheid.ClientConfig) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	tc, err := pkioverheid.ClientTLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	tc.ServerName = config.Host
	config.TLSConfig, config.Fallbacks = tc, nil
	config.AfterNetConnect = shakeHands  // glue
	ctx = pkioverheid.WithHandshake(ctx) // glue
	conn, err := pgx.ConnectConfig(ctx, config)
	return conn, explain(ctx, err) // glue
}

// glue begins

// shakeHands gives the handshake the context of the connection.
func shakeHands(ctx context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
	if c, ok := conn.(*tls.Conn); ok {
		return conn, c.HandshakeContext(ctx)
	}
	return conn, nil
}

// certificateRequired is an alert of TLS 1.3 (RFC 8446 section 6).
const certificateRequired = tls.AlertError(116)

// explain is pkioverheid.Explain. A server that asked for a certificate and got none lets
// the handshake pass, and then says so in its own protocol.
func explain(ctx context.Context, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "28000" && strings.Contains(refused.Message, "client certificate") {
		err = errors.Join(err, &net.OpError{Op: "remote error", Err: certificateRequired})
	}
	return pkioverheid.Explain(ctx, err)
}

// glue ends
