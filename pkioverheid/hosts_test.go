package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestHostsAreExactNames(t *testing.T) {
	for host, says := range map[string]string{
		"bücher.example":       "xn--",
		"*.example.nl":         "wildcards",
		"https://example.nl":   "port", // its colon begins one
		"example.nl/path":      "wildcards",
		"":                     "empty",
		"127.0.0.1":            "address",
		"127.0.0.1:443":        "address",
		"[::1]:443":            "host name",
		"example.nl:":          "port",
		"example.nl:https":     "port",
		"example.nl, other.nl": "host name",
	} {
		_, err := pkioverheid.NewClient(pkioverheid.ClientConfig{RenegotiateHosts: []string{host}})
		assert.ErrorContains(t, err, "ClientConfig.RenegotiateHosts", host)
		assert.ErrorContains(t, err, says, host)
		_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{PublicHosts: []string{host}})
		assert.ErrorContains(t, err, "ClientConfig.PublicHosts", host)
	}
	_, err := pkioverheid.NewClient(pkioverheid.ClientConfig{RenegotiateHosts: []string{"Example.NL", "example.nl:8443", "xn--bcher-kva.example"}})
	assert.NoError(t, err)
	_, err = pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{RenegotiateHosts: []string{"example.nl"}})
	assert.ErrorContains(t, err, "RenegotiateHosts is for NewTransport and NewClient")
	_, err = pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{PublicHosts: []string{"example.nl"}})
	assert.ErrorContains(t, err, "PublicHosts is for NewTransport and NewClient")
	_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{
		RenegotiateHosts: []string{"example.nl"},
		Base:             &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}},
	})
	assert.ErrorContains(t, err, "sets MinVersion: ClientConfig.RenegotiateHosts needs TLS 1.2")
}

// tunnelProxy is a proxy that is called by https, asks for a certificate, and notes the OIN
// in what it is shown.
func tunnelProxy(t *testing.T, own tls.Certificate, to string, shown chan<- string) (address string) {
	t.Helper()
	url := serveFunc(t, &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert, NextProtos: []string{"http/1.1"}}, func(w http.ResponseWriter, r *http.Request) {
		oin := ""
		if len(r.TLS.PeerCertificates) > 0 {
			oin = r.TLS.PeerCertificates[0].Subject.SerialNumber
		}
		shown <- oin
		target, err := net.Dial("tcp", to)
		if !assert.NoError(t, err) {
			return
		}
		defer target.Close()
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(target, buffered); target.Close() }()
		_, _ = io.Copy(conn, target)
	})
	return loopback(url)
}

// The function may answer something else each time it is asked.
func TestAPairOfAHostIsNotShownToAProxy(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	const ours, everybodys = pkioverheid.OIN("00000099000000001000"), pkioverheid.OIN("00000099000000002000")
	for _, c := range []struct {
		name  string
		late  []string
		toAll bool   // there is a pair for all hosts too
		proxy string // what it may see
	}{
		{"alone", nil, false, ""},
		{"with one for all hosts", nil, true, string(everybodys)},
		{"alone, to a host that asks late", []string{"target.example"}, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := serveFunc(t, &tls.Config{
				Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{DNSNames: []string{"target.example"}})}, ClientAuth: tls.RequireAnyClientCert,
			}, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.SerialNumber)
			})
			shown := make(chan string, 10)
			address := tunnelProxy(t, g1.Issue(pkiotest.Leaf{DNSNames: []string{"proxy.example"}}), loopback(target), shown)
			pair := g1.KeyPair(pkiotest.Leaf{OIN: ours})
			pair.Hosts = []string{"target.example"}
			all := []*pkioverheid.KeyPair{pair}
			if c.toAll {
				all = append(all, g1.KeyPair(pkiotest.Leaf{OIN: everybodys}))
			}
			var asked atomic.Int64
			client := newClient(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: all, RenegotiateHosts: c.late, Base: &http.Transport{
				DisableKeepAlives: true,
				Proxy: func(*http.Request) (*url.URL, error) {
					if asked.Add(1)%2 == 0 {
						return &url.URL{Scheme: "https", Host: "proxy.example"}, nil
					}
					return nil, nil
				},
				DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
					to := loopback(target)
					if strings.HasPrefix(addr, "proxy.example:") {
						to = address
					}
					return new(net.Dialer).DialContext(ctx, network, to)
				},
			}})
			for i := range 6 {
				assert.Equal(t, string(ours), body(t, client, "https://target.example/"))
				assert.EqualValues(t, i+1, asked.Load(), "it is asked once a request")
				if i%2 == 1 {
					assert.Equal(t, c.proxy, <-shown)
				}
			}
			assert.Empty(t, shown)
		})
	}
}
