// Package nats connects to NATS with github.com/nats-io/nats.go, whose errors wrap those
// of crypto/tls. Its handshake has no context. In TLS 1.3 a server that closes at once may
// be faster than its alert, and then a lost connection is all that is known.
package nats

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// Connect connects to a server by a URL that begins with tls://.
func Connect(ctx context.Context, url string, cfg pkioverheid.ClientConfig, opts ...nats.Option) (*nats.Conn, error) {
	tc, err := pkioverheid.ClientTLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := nats.Connect(url, append(opts, nats.Secure(tc))...)
	return conn, pkioverheid.Explain(ctx, err) // glue
}
