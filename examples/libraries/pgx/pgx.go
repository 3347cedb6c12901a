// Package pgx connects to PostgreSQL with github.com/jackc/pgx.
package pgx

import (
	"context"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// Connect connects to a server that has a certificate of PKIoverheid.
func Connect(ctx context.Context, addr string, cfg pkioverheid.ClientConfig) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig("sslmode=verify-full")
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	config.Host, config.Port = host, uint16(number)
	if config.TLSConfig, err = pkioverheid.ClientTLSConfig(cfg); err != nil {
		return nil, err
	}
	config.TLSConfig.ServerName = host
	return pgx.ConnectConfig(ctx, config)
}
