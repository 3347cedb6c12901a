package pkioverheid_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// nginx in front ends TLS, as at most organisations, and we are behind it without TLS.
// It calls from an address of its own, so that others on this machine are strangers.
func TestBehindNginxTheCallerIsWhoShowedTheCertificate(t *testing.T) {
	t.Parallel()
	program(t, "nginx")
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	const other = pkioverheid.OIN("00000001002220647000")
	stolen := escapedPEM(g1.Issue(pkiotest.OIN(someOIN)).Leaf) // public, as certificates are
	yesterday := pkiotest.Validity(time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour))
	dir := folder(t.TempDir())
	roots := dir.put(t, "roots.pem", append(inPEM("CERTIFICATE", g1.Certificates()[0].Raw), inPEM("CERTIFICATE", g4.Certificates()[0].Raw)...))

	h, inside, _ := guarded(t, pkioverheid.Access{
		Allow: pkioverheid.AllowOIN(someOIN),
		Proxy: &pkioverheid.Proxy{
			Format: pkioverheid.NginxEscapedPEM,
			Header: "X-Client-Cert",
			From:   []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
		},
	})
	backend := httptest.NewServer(h)
	t.Cleanup(backend.Close)
	pass := "proxy_pass " + backend.URL + "; proxy_bind 127.0.0.2; proxy_set_header X-Client-Cert $ssl_client_escaped_cert;"
	url := nginxWith(t, g1.Issue(), pass, "ssl_verify_depth 2", "ssl_client_certificate "+roots)
	lax := nginxWith(t, g1.Issue(), pass, "ssl_verify_depth 2", "ssl_client_certificate "+roots, "error_page 495 496 = /", "error_page 497 = /")

	call := func(t *testing.T, url string, cfg pkioverheid.Config, header string) (int, string) {
		t.Helper()
		cfg.Roots = fixtureRoots()
		client := newClient(t, cfg)
		client.Timeout = 20 * time.Second
		req, err := http.NewRequest("GET", url, nil)
		require.NoError(t, err)
		if header != "" {
			req.Header.Set("X-Client-Cert", header)
		}
		resp, err := client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		var body [2048]byte
		n, _ := resp.Body.Read(body[:])
		return resp.StatusCode, string(body[:n])
	}
	cases := []struct {
		name   string
		url    string
		cfg    pkioverheid.Config
		header string
		status int
		says   string
	}{
		{"G1", url, pkioverheid.Config{Certificate: clientPair(g1)}, "", 200, "welcome, 00000003271987420000 of Private G1"},
		{"G4", url, pkioverheid.Config{Certificate: clientPair(g4)}, "", 200, "welcome, 00000003271987420000 of Private G4 TLS"},
		{"another OIN", url, pkioverheid.Config{Certificate: clientPair(g1, pkiotest.OIN(other))}, "", 403, "OIN 00000001002220647000 is not on the list"},
		{"another OIN, with a header of its own that nginx overwrites", url, pkioverheid.Config{Certificate: clientPair(g1, pkiotest.OIN(other))}, stolen, 403, "OIN 00000001002220647000 is not on the list"},
		{"no certificate, with a header of its own", url, pkioverheid.Config{}, stolen, 400, "No required SSL certificate"},
		{"no certificate, and nginx lets it through: it sends no header then, and not the client's", lax, pkioverheid.Config{}, stolen, 403, "got no certificate from the caller"},
		{"a certificate that has ended, and nginx lets it through", lax, pkioverheid.Config{Certificate: clientPair(g1, yesterday)}, "", 403, "refused: expired"},
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
	t.Run("past nginx, with a header", func(t *testing.T) {
		req, err := http.NewRequest("GET", backend.URL, nil)
		require.NoError(t, err)
		req.Header.Set("X-Client-Cert", stolen)
		resp, err := (&http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}).DialContext}}).Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 403, resp.StatusCode)
	})
}
