package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// haproxy starts an HAProxy that shows own and passes requests on to a backend, with
// the certificate of whoever called.
func haproxy(t testing.TB, own tls.Certificate, roots, backend, bind string) string {
	t.Helper()
	dir := folder(t.TempDir())
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(t, err)
	both := dir.put(t, "own.pem", append(inPEM("CERTIFICATE", own.Certificate...), inPEM("PRIVATE KEY", key)...))
	socket, port := listening(t)
	defer socket.Close()
	path := dir.put(t, "haproxy.cfg", []byte(`
global
  maxconn 64
defaults
  mode http
  timeout connect 10s
  timeout client 20s
  timeout server 20s
frontend tls
  bind fd@3 ssl crt `+both+` ca-file `+roots+` alpn h2,http/1.1 `+bind+`
  http-request set-header X-Client-Cert %[ssl_c_der,base64]
  default_backend go
backend go
  server go `+strings.TrimPrefix(backend, "http://")+` source 127.0.0.2
`))
	background(t, func(cmd *exec.Cmd) {
		cmd.ExtraFiles = []*os.File{socket}
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	}, "haproxy", "-db", "-f", path)
	return "https://" + net.JoinHostPort("localhost", port)
}

// A proxy in front ends TLS, as at most organisations, and passes requests on to us without TLS.
// It calls from an address of its own, so that others on this machine are strangers.
func TestBehindAProxyTheCallerIsWhoShowedTheCertificate(t *testing.T) {
	t.Parallel()
	const depth = "ssl_verify_depth 2"
	for name, p := range map[string]struct {
		format pkioverheid.ProxyFormat
		// start returns the URLs of two: one refuses whom it does not know, the other
		// leaves that to us.
		start func(t *testing.T, own tls.Certificate, roots, backend string) (strict, lax string)
		none  string // what the strict one says to a caller without a certificate; empty: it ends the handshake
	}{
		"nginx": {pkioverheid.NginxEscapedPEM, func(t *testing.T, own tls.Certificate, roots, backend string) (strict, lax string) {
			pass := "proxy_pass " + backend + "; proxy_bind 127.0.0.2; proxy_set_header X-Client-Cert $ssl_client_escaped_cert;"
			return nginxWith(t, own, pass, depth, "ssl_client_certificate "+roots),
				nginxWith(t, own, pass, depth, "ssl_client_certificate "+roots, "error_page 495 496 = /")
		}, "No required SSL certificate"},
		"haproxy": {pkioverheid.HAProxyDER, func(t *testing.T, own tls.Certificate, roots, backend string) (strict, lax string) {
			return haproxy(t, own, roots, backend, "verify required"),
				haproxy(t, own, roots, backend, "verify optional ca-ignore-err all crt-ignore-err all")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			program(t, name)
			behindProxy(t, p.format, p.start, p.none)
		})
	}
}

func behindProxy(t *testing.T, format pkioverheid.ProxyFormat, start func(t *testing.T, own tls.Certificate, roots, backend string) (strict, lax string), none string) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	const other = pkioverheid.OIN("00000001002220647000")
	leaf := g1.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	stolen := escapedPEM(leaf) // certificates are public
	if format == pkioverheid.HAProxyDER {
		stolen = base64.StdEncoding.EncodeToString(leaf.Raw)
	}
	yesterday := pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)}
	dir := folder(t.TempDir())
	roots := dir.put(t, "roots.pem", append(inPEM("CERTIFICATE", g1.Certificates()[0].Raw), inPEM("CERTIFICATE", g4.Certificates()[0].Raw)...))

	h, inside, _ := guarded(t, pkioverheid.ServerConfig{Proxy: &pkioverheid.Proxy{
		Format: format,
		Header: "X-Client-Cert",
		From:   []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
	}}, pkioverheid.AllowOIN(someOIN))
	backend := httptest.NewServer(h)
	t.Cleanup(backend.Close)
	url, lax := start(t, g1.Issue(pkiotest.Leaf{}), roots, backend.URL)

	call := func(t *testing.T, url string, cfg pkioverheid.ClientConfig, header string) (int, string) {
		t.Helper()
		cfg.Trust = fixtureTrust()
		client := newClient(t, cfg)
		client.Timeout = 20 * time.Second
		req, err := http.NewRequest("GET", url, nil)
		require.NoError(t, err)
		if header != "" {
			req.Header.Set("X-Client-Cert", header)
		}
		resp, err := client.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer resp.Body.Close()
		var body [2048]byte
		n, _ := resp.Body.Read(body[:])
		return resp.StatusCode, string(body[:n])
	}
	refused := 0 // in the handshake
	if none != "" {
		refused = 400
	}
	cases := []struct {
		name   string
		url    string
		cfg    pkioverheid.ClientConfig
		header string
		status int
		says   string
	}{
		{"G1", url, pkioverheid.ClientConfig{KeyPairs: pairs(*clientPair(g1, pkiotest.Leaf{}))}, "", 200, "welcome, 00000003271987420000 of Private G1"},
		{"G4", url, pkioverheid.ClientConfig{KeyPairs: pairs(*clientPair(g4, pkiotest.Leaf{}))}, "", 200, "welcome, 00000003271987420000 of Private G4 TLS"},
		{"another OIN", url, pkioverheid.ClientConfig{KeyPairs: pairs(*clientPair(g1, pkiotest.Leaf{OIN: other}))}, "", 403, "OIN 00000001002220647000 is not on the list"},
		{"another OIN, with a header of its own that is overwritten", url, pkioverheid.ClientConfig{KeyPairs: pairs(*clientPair(g1, pkiotest.Leaf{OIN: other}))}, stolen, 403, "OIN 00000001002220647000 is not on the list"},
		{"no certificate, with a header of its own", url, pkioverheid.ClientConfig{}, stolen, refused, none},
		{"no certificate, and it lets that through: it sends no header then, and not the caller's", lax, pkioverheid.ClientConfig{}, stolen, 403, "got no certificate from the caller"},
		{"a certificate that has ended, and it lets that through", lax, pkioverheid.ClientConfig{KeyPairs: pairs(*clientPair(g1, yesterday))}, "", 403, "refused: expired"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := inside.calls.Load()
			status, body := call(t, c.url, c.cfg, c.header)
			assert.Equal(t, c.status, status, body)
			assert.Contains(t, body, c.says)
			assert.Equal(t, status == 200, inside.calls.Load() > before)
		})
	}
	t.Run("past it, with a header", func(t *testing.T) {
		req, err := http.NewRequest("GET", backend.URL, nil)
		require.NoError(t, err)
		req.Header.Set("X-Client-Cert", stolen)
		resp, err := (&http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}).DialContext}}).Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 403, resp.StatusCode)
	})
}
