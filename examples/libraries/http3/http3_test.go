package http3_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	quichttp3 "github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/examples/libraries/http3"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const listed = pkioverheid.OIN("00000099000000001000")

var g1 = pkiotest.New(pkioverheid.PrivateG1)

func newServer(t *testing.T) *pkioverheid.Server {
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: pkiotest.Trust(g1), KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}}, pkioverheid.AllowOIN(listed))
	require.NoError(t, err)
	return s
}

func clientOf(oin pkioverheid.OIN) pkioverheid.ClientConfig {
	return pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{OIN: oin})}}
}

func TestAServerKnowsWhoCalls(t *testing.T) {
	s := newServer(t)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &quichttp3.Server{
		TLSConfig: quichttp3.ConfigureTLSConfig(s.TLSConfigForHandler()),
		Handler: s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, _ := pkioverheid.IdentityFromContext(r.Context())
			_, _ = io.WriteString(w, string(id.OIN()))
		})),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(conn) }()
	defer func() {
		assert.NoError(t, srv.Close())
		<-done
		assert.NoError(t, conn.Close())
	}()
	_, port, err := net.SplitHostPort(conn.LocalAddr().String())
	require.NoError(t, err)
	for oin, want := range map[pkioverheid.OIN]int{listed: http.StatusOK, "00000099000000002000": http.StatusForbidden} {
		client, transport, err := http3.NewClient(clientOf(oin))
		require.NoError(t, err)
		resp, err := client.Get("https://localhost:" + port)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, want, resp.StatusCode)
		if want == http.StatusOK {
			assert.Equal(t, string(oin), string(body))
		}
		assert.NoError(t, resp.Body.Close())
		assert.NoError(t, transport.Close())
	}
}

// What comes in 0-RTT can be sent again by whoever has seen it, in the name of the client.
func TestEarlyDataIsRefusedWhereClientsAreAuthenticated(t *testing.T) {
	plain := &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	plain.ClientCAs.AddCert(g1.Certificates()[0])
	s := newServer(t)
	for _, c := range []struct {
		name  string
		tc    *tls.Config
		early bool
	}{
		{"crypto/tls alone takes it, or this test would show nothing", plain, true},
		{"Server.TLSConfig", s.TLSConfig(), false},
		{"Server.TLSConfigForHandler", s.TLSConfigForHandler(), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.tc.NextProtos = []string{"echo"}
			ln, err := quic.ListenAddrEarly("127.0.0.1:0", c.tc, &quic.Config{Allow0RTT: true})
			require.NoError(t, err)
			defer ln.Close()
			early := make(chan bool, 2)
			go serveEcho(ln, early)
			tc, err := pkioverheid.ClientTLSConfig(clientOf(listed))
			require.NoError(t, err)
			tc.ServerName, tc.NextProtos = "localhost", []string{"echo"}
			tickets := &cache{tls.NewLRUClientSessionCache(1), make(chan struct{}, 9)}
			tc.ClientSessionCache = tickets

			call(t, ln.Addr().String(), tc)
			select {
			case <-tickets.put:
			case <-time.After(10 * time.Second):
				require.Fail(t, "no ticket came")
			}
			resumed := call(t, ln.Addr().String(), tc)
			assert.True(t, resumed.TLS.DidResume)
			assert.Equal(t, c.early, resumed.Used0RTT)
			assert.False(t, <-early)
			assert.Equal(t, c.early, <-early)
		})
	}
}

// cache reports when a ticket came.
type cache struct {
	tls.ClientSessionCache
	put chan struct{}
}

func (c *cache) Put(key string, s *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, s)
	if s != nil {
		c.put <- struct{}{}
	}
}

// call sends as early as it may, and again where the server did not take it.
func call(t *testing.T, addr string, tc *tls.Config) quic.ConnectionState {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := quic.DialAddrEarly(ctx, addr, tc, nil)
	require.NoError(t, err)
	err = echo(ctx, conn)
	if errors.Is(err, quic.Err0RTTRejected) {
		conn, err = conn.NextConnection(ctx)
		require.NoError(t, err)
		err = echo(ctx, conn)
	}
	require.NoError(t, err)
	cs := conn.ConnectionState()
	require.NoError(t, conn.CloseWithError(0, ""))
	return cs
}

func echo(ctx context.Context, conn *quic.Conn) error {
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Write([]byte("hello")); err != nil {
		return err
	}
	if err := stream.Close(); err != nil {
		return err
	}
	_, err = io.ReadAll(stream)
	return err
}

func serveEcho(ln *quic.EarlyListener, early chan<- bool) {
	for {
		conn, err := ln.Accept(context.Background())
		if err != nil {
			return
		}
		go func() {
			stream, err := conn.AcceptStream(context.Background())
			if err != nil {
				return
			}
			<-conn.HandshakeComplete()
			early <- conn.ConnectionState().Used0RTT
			_, _ = io.Copy(stream, stream)
			_ = stream.Close()
		}()
	}
}
