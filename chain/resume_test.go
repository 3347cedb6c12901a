package chain_test

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
)

// A session is resumed without asking any pool: a policy that has changed its
// mind is asked by Check alone.
func TestResumedSessions(t *testing.T) {
	key := newKey()
	l := newLayers()
	l.leaf = sign(leafTemplate("host.example"), l.issuing.Certificate, key, l.issuing.key, nil)

	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, sent := range []struct {
			name  string
			certs chain.Chain
		}{
			{"the peer sends its leaf only", l.full()[:1]},
			{"the peer sends its chain", l.full()[:3]},
			{"the peer sends the root too", l.full()},
		} {
			for _, side := range []string{"client", "server"} {
				t.Run(tls.VersionName(version)+" "+side+": "+sent.name, func(t *testing.T) {
					var revoked atomic.Bool
					v := l.verifier(chain.WithPolicy(func(c chain.Chain, at time.Time) error {
						assert.Equal(t, now, at)
						assertSameCerts(t, l.full(), c)
						if revoked.Load() {
							return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: c[1], At: at, Err: []error{errRevoked}}
						}
						return nil
					}))
					var resumed atomic.Int32
					check := func(cs tls.ConnectionState) error {
						if cs.DidResume {
							resumed.Add(1)
						}
						_, err := v.Check(cs.VerifiedChains, now)
						return err
					}
					pair := keyPair(key, sent.certs)
					client := &tls.Config{
						ServerName: "host.example", Time: clock,
						MinVersion: version, MaxVersion: version,
						ClientSessionCache: tls.NewLRUClientSessionCache(8),
						RootCAs:            v.CertPool(clock),
					}
					server := &tls.Config{Time: clock, Certificates: []tls.Certificate{pair}}
					// The side under test verifies; the other one goes along.
					var verdict func() error
					if side == "client" {
						client.VerifyConnection = check
						verdict = func() error { err, _ := handshake(t, client, server); return err }
					} else {
						client.Certificates = []tls.Certificate{pair}
						server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, v.CertPool(clock)
						server.VerifyConnection = check
						// The client's own check would find the revoked CA first.
						client.RootCAs = poolOf(l.issuing.Certificate)
						verdict = func() error { _, err := handshake(t, client, server); return err }
					}

					require.NoError(t, verdict())
					require.Zero(t, resumed.Load())
					require.NoError(t, verdict())
					require.EqualValues(t, 1, resumed.Load(), "the second session was not resumed: the test tests nothing")

					revoked.Store(true)
					err := verdict()
					require.EqualValues(t, 2, resumed.Load())
					var e *chain.Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, chain.Revoked, e.Reason)
					assert.ErrorIs(t, err, errRevoked)
				})
			}
		}
	}
}

func keyPair(key crypto.Signer, certs []*x509.Certificate) tls.Certificate {
	pair := tls.Certificate{PrivateKey: key, Leaf: certs[0]}
	for _, c := range certs {
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	return pair
}

// handshake connects client and server and sends a byte back, so that the client
// reads the session tickets that come before it. It returns what each side says.
func handshake(t *testing.T, client, server *tls.Config) (ofClient, ofServer error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()

	done := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		s := tls.Server(conn, server)
		if err = s.Handshake(); err == nil {
			_, err = s.Write([]byte{1})
			s.CloseWrite()
			io.Copy(io.Discard, conn)
		}
		done <- err
	}()

	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	c := tls.Client(conn, client)
	if ofClient = c.Handshake(); ofClient == nil {
		_, ofClient = io.ReadFull(c, make([]byte, 1))
	}
	conn.Close()
	return ofClient, <-done
}
