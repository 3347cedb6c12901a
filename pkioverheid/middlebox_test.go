package pkioverheid_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// onePacketBox passes connections on to a server, and resets those whose ClientHello
// does not fit one packet of Ethernet, as some middleboxes do.
func onePacketBox(t *testing.T, server string) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	pass := func(client *net.TCPConn) {
		defer client.Close()
		header := make([]byte, 5)
		if _, err := io.ReadFull(client, header); err != nil {
			return
		}
		if len(header)+int(binary.BigEndian.Uint16(header[3:])) > 1460 {
			_ = client.SetLinger(0)
			return
		}
		back, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer back.Close()
		_, _ = back.Write(header)
		go func() { _, _ = io.Copy(client, back) }()
		_, _ = io.Copy(back, client)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pass(c.(*net.TCPConn))
		}
	}()
	return l.Addr().String()
}

// What the README says about Go's default key exchange.
func TestAMiddleboxThatTakesOnePacketNeedsAnotherKeyExchange(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	srv := g1.NewServer(http.NotFoundHandler(), pkiotest.Leaf{})
	defer srv.Close()
	box := onePacketBox(t, srv.Listener.Addr().String())
	_, port, err := net.SplitHostPort(box)
	require.NoError(t, err)
	url := "https://localhost:" + port

	for name, c := range map[string]struct {
		curves []tls.CurveID
		works  bool
	}{
		"Go's default, X25519MLKEM768 first": {nil, false},
		"without it":                         {[]tls.CurveID{tls.X25519, tls.CurveP256}, true},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{
				Trust: pkiotest.Trust(g1),
				Base:  &http.Transport{TLSClientConfig: &tls.Config{CurvePreferences: c.curves}, TLSHandshakeTimeout: 10 * time.Second},
			})
			require.NoError(t, err)
			resp, err := client.Get(url)
			if c.works {
				require.NoError(t, err)
				resp.Body.Close()
				return
			}
			require.Error(t, err)
			assert.Regexp(t, "connection reset by peer|EOF", err.Error())
		})
	}
}
