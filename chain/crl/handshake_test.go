package crl_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/truststore"
)

// Real handshakes of crypto/tls: with a server that sends its leaf only or with
// its chain, anew and resumed, before and after a revocation.
func TestHandshakes(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	server := l.leafWith(200, func(c *x509.Certificate) {
		c.DNSNames = []string{"localhost"}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	for name, test := range map[string]struct {
		path string
		list []byte
	}{
		"its certificate": {"/issuing.crl", l.issuing.list(numbered(8), revoking(revoked(200, now.Add(time.Hour), crl.KeyCompromise)))},
		"its CA":          {"/domain.crl", l.domain.list(numbered(8), revoking(revoked(serialIssuing, now.Add(time.Hour), crl.CACompromise)))},
	} {
		for sends, certs := range map[string][][]byte{
			"the leaf only":   {server.Raw},
			"its whole chain": {server.Raw, l.issuing.Raw, l.domain.Raw},
		} {
			t.Run(name+" is revoked, and it sends "+sends, func(t *testing.T) {
				s.publish(l)
				address := serveTLS(t, tls.Certificate{Certificate: certs, PrivateKey: ecdsaKey()})
				clock := newClock(now)
				c := newChecker(t, s, func(cfg *crl.Config) { cfg.Time = clock.now })
				v, err := chain.NewVerifier(truststore.New(l.root.Certificate), truststore.New(l.domain.Certificate, l.issuing.Certificate), chain.WithPolicy(c.Policy))
				require.NoError(t, err)
				fresh := &tls.Config{
					RootCAs: v.CertPool(clock.now), Time: clock.now, ServerName: "localhost",
					VerifyConnection: func(cs tls.ConnectionState) error {
						_, err := v.Check(cs.VerifiedChains, clock.now())
						return err
					},
				}
				resuming := fresh.Clone()
				resuming.ClientSessionCache = tls.NewLRUClientSessionCache(1)

				_, err = dial(address, resuming)
				require.NoError(t, err)
				resumed, err := dial(address, resuming)
				require.NoError(t, err)
				require.True(t, resumed)

				s.serve(test.path, test.list)
				clock.advance(4*time.Hour + time.Second)
				_, _ = dial(address, fresh) // finds that the lists are due
				require.Eventually(t, func() bool { return statusOf(c, test.path).Number == "8" }, 20*time.Second, 5*time.Millisecond)
				_, err = dial(address, resuming)
				refusedAs(t, chain.Revoked, "was revoked on", err)
				_, err = dial(address, fresh)
				assert.Error(t, err)
			})
		}
	}
}

// serveTLS answers each connection with a byte.
func serveTLS(t *testing.T, cert tls.Certificate) string {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func(conn net.Conn) {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = conn.Write([]byte{1})
			}(conn)
		}
	}()
	return listener.Addr().String()
}

// dial shakes hands, and reads the byte before which a session ticket comes.
func dial(address string, cfg *tls.Config) (resumed bool, err error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", address, cfg)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	return conn.ConnectionState().DidResume, err
}
