// Package pgx connects to PostgreSQL with github.com/jackc/pgx, whose errors wrap those of
// crypto/tls. Its context does not reach the handshake without help.
package pgx

import (
	"context"
	"crypto/tls"
	"net"

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
	return conn, pkioverheid.Explain(ctx, err) // glue
}

// glue begins

// shakeHands gives the handshake the context of the connection.
func shakeHands(ctx context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
	if c, ok := conn.(*tls.Conn); ok {
		return conn, c.HandshakeContext(ctx)
	}
	return conn, nil
}

// glue ends
