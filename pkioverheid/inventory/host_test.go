package inventory_test

import (
	"cmp"
	"context"
	"crypto/fips140"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// serve answers each connection with f and returns the address.
func serve(t testing.TB, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
	return strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)
}

// serveTLS shakes hands and then does nothing.
func serveTLS(t testing.TB, cfg *tls.Config) string {
	return serve(t, func(c net.Conn) { _ = tls.Server(c, cfg).Handshake() })
}

// verifierOf trusts the fixture of a hierarchy.
func verifierOf(t testing.TB, h pkioverheid.Hierarchy) *chain.Verifier {
	t.Helper()
	certs := pkiotest.New(h).Certificates()
	v, err := chain.NewVerifier(truststore.New(certs[0]), truststore.New(certs[1:]...))
	require.NoError(t, err)
	return v
}

func TestHostsShowWhatTheyPresent(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	right := g1.Issue(pkiotest.Leaf{})
	wrong := g1.Issue(pkiotest.Leaf{DNSNames: []string{"other.example"}})
	client := g1.Issue(pkiotest.Leaf{ClientOnly: true})
	alone := tls.Certificate{Certificate: right.Certificate[:1], PrivateKey: right.PrivateKey}
	many := right
	for len(many.Certificate) < 150 { // 200 are more than crypto/tls of both sides takes, see below
		many.Certificate = append(many.Certificate, right.Certificate[1])
	}
	cfg := inventory.Config{Verifier: verifierOf(t, pkioverheid.PrivateG1), Time: g1.Time(), Timeout: 20 * time.Second}
	for name, c := range map[string]struct {
		server  *tls.Config
		certs   int
		state   string
		trouble string
	}{
		"a good one":                         {&tls.Config{Certificates: []tls.Certificate{right}}, 3, "trusted", ""},
		"one that sends its leaf only":       {&tls.Config{Certificates: []tls.Certificate{alone}}, 1, "trusted", ""},
		"one with a name of others":          {&tls.Config{Certificates: []tls.Certificate{wrong}}, 3, "wrong name", ""},
		"one with a client's certificate":    {&tls.Config{Certificates: []tls.Certificate{client}}, 3, "wrong usage", ""},
		"one that asks for a certificate":    {&tls.Config{Certificates: []tls.Certificate{right}, ClientAuth: tls.RequireAnyClientCert}, 3, "trusted", ""},
		"the same in TLS 1.2":                {&tls.Config{Certificates: []tls.Certificate{right}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, 3, "trusted", ""},
		"one with TLS 1.0 and nothing later": {&tls.Config{Certificates: []tls.Certificate{right}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, 3, "trusted", ""},
		"one with an old cipher":             {&tls.Config{Certificates: []tls.Certificate{right}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}, 3, "trusted", ""},
		"one that sends far too many":        {&tls.Config{Certificates: []tls.Certificate{many}}, 150, "trusted", "it sends 150 certificates"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := serveTLS(t, c.server)
			found, troubles := scanAll(t, cfg, addr)
			if fips140.Enforced() && (c.server.MaxVersion == tls.VersionTLS10 || c.server.CipherSuites != nil) {
				assert.Empty(t, found)
				assert.NotEmpty(t, troubles)
				t.Logf("fips140=only: %s (TLS 1.0, triple DES)", t.Name())
				return
			}
			require.Len(t, found, c.certs)
			assert.Equal(t, inventory.TLSServer, found[0].Use)
			assert.Equal(t, "chain position 1", found[0].Place)
			assert.Equal(t, c.state, found[0].State())
			assert.Equal(t, addr, found[0].Target)
			assert.Empty(t, found[0].Path)
			assert.Zero(t, found[0].Format)
			assert.Equal(t, found[0].State() == "trusted", found[0].Explain().OK)
			for _, r := range found[1:] {
				assert.Equal(t, inventory.TLSChain, r.Use)
				assert.Equal(t, "trusted", r.State())
			}
			if c.trouble == "" {
				assert.Empty(t, troubles)
			} else {
				assert.ErrorContains(t, troubles[addr], c.trouble)
			}
		})
	}
}

func TestHostsThatShowNothing(t *testing.T) {
	plain := httptest.NewUnstartedServer(http.NotFoundHandler())
	plain.Config.ErrorLog = log.New(io.Discard, "", 0)
	plain.Start()
	defer plain.Close()
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	tooMany := leaf
	for len(tooMany.Certificate) < 250 {
		tooMany.Certificate = append(tooMany.Certificate, leaf.Certificate[1])
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	want := map[string]string{
		plain.Listener.Addr().String():                               "plain HTTP, not TLS",
		closed.Addr().String():                                       "connection refused",
		serve(t, func(c net.Conn) {}):                                "", // reset or closed, as the race goes
		serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }): "did not answer within 1s",
		serve(t, func(c net.Conn) { _, _ = c.Write([]byte("220 mail.example ESMTP\r\n")); _, _ = io.Copy(io.Discard, c) }): "something else than TLS",
		serve(t, func(c net.Conn) { // a handshake message without an end, byte by byte
			_, _ = c.Write([]byte{22, 3, 3, 0, 100, 2, 0, 0, 200})
			for {
				if _, err := c.Write([]byte{3}); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}): "",
		serveTLS(t, &tls.Config{Certificates: []tls.Certificate{tooMany}}):                                                                "exceeds maximum",
		serveTLS(t, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }}): "internal error",
	}
	var targets []string
	for addr := range want {
		targets = append(targets, addr)
	}
	begin := time.Now()
	found, troubles := scanAll(t, inventory.Config{Timeout: time.Second}, targets...)
	assert.Less(t, time.Since(begin), 20*time.Second)
	assert.Empty(t, found)
	assert.Len(t, troubles, len(want))
	for addr, text := range want {
		if assert.Error(t, troubles[addr]) {
			assert.ErrorContains(t, troubles[addr], "inventory: "+addr+": ")
			assert.ErrorContains(t, troubles[addr], text)
		}
	}
}

func TestDialIsUsedAndTargetsAreTold(t *testing.T) {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	asked := make(chan string, 10)
	addr := serveTLS(t, &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		asked <- "SNI " + h.ServerName
		return &leaf, nil
	}})
	progress := new(inventory.Progress)
	cfg := inventory.Config{Progress: progress, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		asked <- network + " " + address
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	for target, want := range map[string][]string{
		"service.example:443": {"tcp service.example:443", "SNI service.example"},
		"[2001:db8::1]:8443":  {"tcp [2001:db8::1]:8443", "SNI "},
		"192.0.2.1:443":       {"tcp 192.0.2.1:443", "SNI "},
	} {
		found, troubles := scanAll(t, cfg, target)
		assert.Len(t, found, 3)
		assert.Empty(t, troubles)
		assert.Equal(t, want, []string{<-asked, <-asked})
		assert.Equal(t, want, []string{<-asked, <-asked}, "once more, for a key of the other kind")
	}
	assert.EqualValues(t, 3, progress.Hosts.Load())
	assert.EqualValues(t, 9, progress.Certificates.Load())
	for _, path := range []string{"service.example", "service.example:https", ":443", "a/b:443", "service.example:0", "service.example:70000"} {
		_, troubles := scanAll(t, cfg, path)
		require.Len(t, troubles, 1, path)
		for _, err := range troubles {
			assert.ErrorContains(t, err, "no such file")
		}
	}
}

// A host is asked for the name that what it presents must be for.
func TestAHostIsAskedForTheServerName(t *testing.T) {
	asked := make(chan string, 2) // for a key of each kind
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{DNSNames: []string{"virtual.example"}})
	addr := serveTLS(t, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		asked <- hello.ServerName
		return &leaf, nil
	}})
	for name, state := range map[string]string{"virtual.example": "trusted", "": "wrong name"} {
		found, troubles := scanAll(t, inventory.Config{ServerName: name, Verifier: verifierOf(t, pkioverheid.PrivateG1)}, addr)
		require.Empty(t, troubles)
		require.NotEmpty(t, found)
		assert.Equal(t, cmp.Or(name, "localhost"), <-asked)
		assert.Equal(t, cmp.Or(name, "localhost"), <-asked)
		assert.Equal(t, state, found[0].State())
		assert.Equal(t, addr, found[0].Target)
	}
}
