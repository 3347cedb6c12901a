package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// The roots of the operating system are read once in a process: the tests run in one of
// their own, which has a root of the test among them.
func TestPublicHosts(t *testing.T) {
	roots := os.Getenv("PUBLIC_ROOTS")
	if roots == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPublicHosts$", "-test.v")
		cmd.Env = append(os.Environ(), "PUBLIC_ROOTS="+filepath.Join(t.TempDir(), "roots.pem"), "SSL_CERT_DIR=/nowhere")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestPublicHosts/", "or it tested nothing")
		return
	}
	public := testRoot(t, "Public CA")
	g1, g3 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3)
	inSystem := truststore.New(public.Leaf, g1.Certificates()[0], g3.Certificates()[0])
	require.NoError(t, inSystem.WriteFile(roots, truststore.PEM))
	t.Setenv("SSL_CERT_FILE", roots)

	p := publicWorld{g1: g1, own: g1.Issue(pkiotest.Leaf{OIN: someOIN})}
	p.leafFor = func(name string) tls.Certificate {
		return sign(t, &x509.Certificate{DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, &public)
	}
	t.Run("who is let in where", p.testHosts)
	t.Run("redirects", p.testRedirects)
	t.Run("proxies", p.testProxies)
	t.Run("distrusted", func(t *testing.T) {
		s := p.serve(t, p.leafFor("public.example"), hello)
		var d pkioverheid.Distrusted
		p := p
		p.distrusted = &d
		var failed, peers []pkioverheid.Event
		p.trace = &pkioverheid.Trace{
			Failed: func(e pkioverheid.Event) { failed = append(failed, e) },
			Peer:   func(e pkioverheid.Event) { peers = append(peers, e) },
		}
		c := p.client(t, map[string]string{"public.example:443": s.address}, new(http.Transport), "public.example")
		_ = body(t, c, "https://public.example/")
		require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(public.Leaf)}))
		_, err := c.Get("https://public.example/")
		var refused *pkioverheid.ServerCertificateError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, chain.Distrusted, refused.Reason)
		require.Len(t, peers, 1, "Trace hears of it")
		assert.Equal(t, "public.example", peers[0].Peer)
		require.Len(t, failed, 1, "and of that, once")
		assert.Equal(t, chain.Distrusted, failed[0].Cause)
	})
	t.Run("G3", func(t *testing.T) {
		_, err := p.get(t, p.serve(t, g3.Issue(pkiotest.Leaf{DNSNames: []string{"public.example"}}), hello), "https://public.example/", "public.example")
		var refused *pkioverheid.G3Error
		assert.ErrorAs(t, err, &refused)
	})
}

// publicWorld is hosts with certificates of a public CA and of PKIoverheid.
type publicWorld struct {
	g1      *pkiotest.Authority
	own     tls.Certificate
	leafFor func(name string) tls.Certificate

	distrusted *pkioverheid.Distrusted
	trace      *pkioverheid.Trace
}

// server is a test server that wants a certificate, and counts who showed one.
type publicServer struct {
	address string
	shown   *atomic.Int32
}

func (p publicWorld) serve(t *testing.T, pair tls.Certificate, h http.HandlerFunc) publicServer {
	t.Helper()
	shown := new(atomic.Int32)
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, VerifyConnection: func(tls.ConnectionState) error {
		shown.Add(1)
		return nil
	}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return publicServer{srv.Listener.Addr().String(), shown}
}

// client calls hosts whose every name leads to one of the addresses, and to the first for
// names that are not there.
func (p publicWorld) client(t *testing.T, to map[string]string, base *http.Transport, public ...string) *http.Client {
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if at, ok := to[address]; ok {
			address = at
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	trust := pkiotest.Trust(p.g1)
	trust.Distrusted, trust.Trace = p.distrusted, p.trace
	return newClient(t, pkioverheid.ClientConfig{
		Trust: trust, KeyPairs: pairs(p.own), PublicHosts: public, Base: base,
	})
}

// get calls one server.
func (p publicWorld) get(t *testing.T, s publicServer, url string, public ...string) (*http.Response, error) {
	address := strings.Trim(strings.TrimPrefix(url, "https://"), "/")
	if !strings.Contains(address, ":") {
		address += ":443"
	}
	resp, err := p.client(t, map[string]string{address: s.address}, new(http.Transport), public...).Get(url)
	if err == nil {
		resp.Body.Close()
	}
	return resp, err
}

func (p publicWorld) testHosts(t *testing.T) {
	for _, c := range []struct {
		name    string
		url     string
		pair    tls.Certificate
		listed  string
		refused string
	}{
		{"a public certificate on a listed host", "https://public.example/", p.leafFor("public.example"), "public.example", ""},
		{"listed in capitals", "https://public.example/", p.leafFor("public.example"), "Public.EXAMPLE", ""},
		{"called in capitals", "https://PUBLIC.example/", p.leafFor("public.example"), "public.example", ""},
		{"listed without a port, on any", "https://public.example:8443/", p.leafFor("public.example"), "public.example", ""},
		{"listed with its port", "https://public.example:8443/", p.leafFor("public.example"), "public.example:8443", ""},
		{"listed with the port of https", "https://public.example/", p.leafFor("public.example"), "public.example:443", ""},
		{"a public certificate on another port", "https://public.example:8443/", p.leafFor("public.example"), "public.example:443", "not known here"},
		{"a public certificate on a host of PKIoverheid", "https://host.example/", p.leafFor("host.example"), "public.example", "not known here"},
		{"a public certificate below a listed name", "https://sub.public.example/", p.leafFor("sub.public.example"), "public.example", "not known here"},
		{"a public certificate for another name", "https://public.example/", p.leafFor("other.example"), "public.example", "not public.example"},
		{"a certificate of PKIoverheid on its host", "https://host.example/", p.g1.Issue(pkiotest.Leaf{DNSNames: []string{"host.example"}}), "public.example", ""},
		{"a certificate of PKIoverheid on a listed host", "https://public.example/", p.g1.Issue(pkiotest.Leaf{DNSNames: []string{"public.example"}}), "public.example", "for certificates of public CAs only"},
		{"one of PKIoverheid whose root the system has not", "https://public.example/", pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{DNSNames: []string{"public.example"}}), "public.example", "roots of the operating system"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := p.serve(t, c.pair, hello)
			resp, err := p.get(t, s, c.url, c.listed)
			if c.refused != "" {
				var refused *pkioverheid.ServerCertificateError
				require.ErrorAs(t, err, &refused)
				assert.ErrorContains(t, err, c.refused)
				assert.NotEqual(t, chain.Reason(""), refused.Reason)
				assert.Zero(t, s.shown.Load(), "our certificate was shown")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, 2, resp.ProtoMajor)
			assert.EqualValues(t, 1, s.shown.Load())
		})
	}
}

func (p publicWorld) testRedirects(t *testing.T) {
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			}
		}
	}
	listed := p.serve(t, p.leafFor("public.example"), redirect("https://host.example/end"))
	host := p.serve(t, p.g1.Issue(pkiotest.Leaf{DNSNames: []string{"host.example"}}), redirect("https://public.example/end"))
	astray := p.serve(t, p.leafFor("public.example"), redirect("https://stranger.example/end"))
	stranger := p.serve(t, p.leafFor("stranger.example"), hello)
	to := map[string]string{"public.example:443": listed.address, "host.example:443": host.address, "stranger.example:443": stranger.address}
	for _, start := range []string{"https://public.example/", "https://host.example/"} {
		resp, err := p.client(t, to, new(http.Transport), "public.example").Get(start)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, "/end", resp.Request.URL.Path)
	}
	to["public.example:443"] = astray.address
	_, err := p.client(t, to, new(http.Transport), "public.example").Get("https://public.example/")
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "stranger.example", refused.Host)
	assert.Zero(t, stranger.shown.Load(), "our certificate was shown")
}

func (p publicWorld) testProxies(t *testing.T) {
	s := p.serve(t, p.leafFor("public.example"), hello)
	tunnel := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there, err := net.Dial("tcp", s.address)
		if !assert.NoError(t, err) {
			return
		}
		here, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		fmt.Fprint(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, here); there.Close() }()
		_, _ = io.Copy(here, there)
		here.Close()
	})
	for _, c := range []struct {
		name, listed, refused string
		tls                   *tls.Certificate
	}{
		{"called by http", "public.example", "", nil},
		{"called by https, not listed", "public.example", "of a proxy", ptr(p.leafFor("proxy.example"))},
		{"called by https, listed", "public.example,proxy.example", "", ptr(p.leafFor("proxy.example"))},
		{"called by https, of PKIoverheid", "public.example", "of a proxy", ptr(p.g1.Issue(pkiotest.Leaf{DNSNames: []string{"proxy.example"}}))},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy := httptest.NewUnstartedServer(tunnel)
			proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
			scheme := "http"
			if c.tls == nil {
				proxy.Start()
			} else {
				scheme = "https"
				proxy.TLS = &tls.Config{Certificates: []tls.Certificate{*c.tls}, NextProtos: []string{"http/1.1"}}
				proxy.StartTLS()
			}
			t.Cleanup(proxy.Close)
			to := map[string]string{"proxy.example:3128": proxy.Listener.Addr().String()}
			base := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: scheme, Host: "proxy.example:3128"})}
			resp, err := p.client(t, to, base, strings.Split(c.listed, ",")...).Get("https://public.example/")
			if c.refused != "" {
				assert.ErrorContains(t, err, c.refused)
				return
			}
			require.NoError(t, err)
			resp.Body.Close()
		})
	}
}
