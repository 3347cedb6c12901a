// Package kafka connects to Kafka with github.com/twmb/franz-go, whose errors wrap those
// of crypto/tls and whose context reaches the handshake.
package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// Connect makes a client of a broker, HOST:PORT, and asks whether it is there.
func Connect(ctx context.Context, broker string, cfg pkioverheid.ClientConfig, opts ...kgo.Opt) (*kgo.Client, error) {
	tc, err := pkioverheid.ClientTLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(broker), kgo.DialTLSConfig(tc))...)
	if err != nil {
		return nil, err
	}
	ctx = pkioverheid.WithHandshake(ctx) // glue
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return nil, pkioverheid.Explain(ctx, err) // glue
	}
	return client, nil
}
