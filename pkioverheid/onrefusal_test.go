package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// The problem details of RFC 9457, for REST.
func ExampleServerConfig_problem() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{
		Trust: quiet(pkiotest.Trust(g1)), KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})},
		OnRefusal: func(w http.ResponseWriter, r *http.Request, status int, err error) {
			var refused *pkioverheid.AccessError
			if !errors.As(err, &refused) {
				return // the default text
			}
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": refused.Problem,
			})
		},
	}, pkioverheid.AllowOIN("00000099000000001000"))
	if err != nil {
		panic(err)
	}
	printAnswer(server, connectionOf(g1, g1.Issue(pkiotest.Leaf{OIN: "00000099000000002000"}).Leaf))
	// Output:
	// 403 application/problem+json
	// {"detail":"OIN 00000099000000002000 is not on the list.","status":403,"title":"Forbidden","type":"about:blank"}
}

// A SOAP 1.1 Fault, which has status 500 (SOAP 1.1 section 6.2).
func ExampleServerConfig_fault() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{
		Trust: quiet(pkiotest.Trust(g1)), KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})},
		OnRefusal: func(w http.ResponseWriter, r *http.Request, status int, err error) {
			var text strings.Builder
			_ = xml.EscapeText(&text, []byte(err.Error()))
			w.Header().Set("Content-Type", "text/xml; charset=utf-8")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>`+
				`<faultcode>s:Client</faultcode><faultstring>%s</faultstring></s:Fault></s:Body></s:Envelope>`, text.String())
		},
	}, pkioverheid.AllowOIN("00000099000000001000"))
	if err != nil {
		panic(err)
	}
	printAnswer(server, connectionOf(g1, g1.Issue(pkiotest.Leaf{OIN: "00000099000000002000"}).Leaf))
	// Output:
	// 500 text/xml; charset=utf-8
	// <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>pkioverheid: OIN 00000099000000002000 is not on the list</faultstring></s:Fault></s:Body></s:Envelope>
}

func quiet(t pkioverheid.Trust) pkioverheid.Trust {
	t.Logger = slog.New(slog.DiscardHandler)
	return t
}

// printAnswer prints what the server's Handler answers on a connection.
func printAnswer(server *pkioverheid.Server, state *tls.ConnectionState) {
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	r.TLS = state
	server.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Println(strings.TrimSpace(w.Body.String()))
}

func TestOnRefusalGetsStatusAndReason(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf := g1.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	from := []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	proxy := &pkioverheid.Proxy{Format: pkioverheid.NginxEscapedPEM, Header: "X-Client-Cert", From: from, CallerHeader: "X-Forwarded-For"}
	ended := pkioverheid.Trust{Time: func() time.Time { return leaf.NotAfter.Add(time.Hour) }}
	var d pkioverheid.Distrusted
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(leaf)}))
	secret := func(pkioverheid.Identity) error { return errors.New("a secret about others") }
	for _, c := range []struct {
		name    string
		cfg     pkioverheid.ServerConfig
		allow   pkioverheid.Authorizer
		request func(*http.Request)
		status  int
		reason  pkioverheid.FailureReason
		cause   chain.Reason
		peer    string
	}{
		{"no TLS", pkioverheid.ServerConfig{}, nil, func(r *http.Request) { r.TLS = nil }, 403, pkioverheid.NoCertificate, "", "192.0.2.1:1234"},
		{"not on the list", pkioverheid.ServerConfig{}, pkioverheid.AllowOIN("00000001002220647000"), nil, 403, pkioverheid.NotLetIn, "", "192.0.2.1:1234"},
		{"an Authorizer with a secret", pkioverheid.ServerConfig{}, secret, nil, 403, pkioverheid.NotLetIn, "", "192.0.2.1:1234"},
		{"expired", pkioverheid.ServerConfig{Trust: ended, AllowUnsuitable: true}, nil, nil, 403, pkioverheid.RefusedPeer, chain.Expired, "192.0.2.1:1234"},
		{"distrusted", pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Distrusted: &d}}, nil, nil, 403, pkioverheid.RefusedPeer, chain.Distrusted, "192.0.2.1:1234"},
		{"not by the proxy", pkioverheid.ServerConfig{Proxy: proxy}, nil, func(r *http.Request) { r.RemoteAddr = "192.0.2.9:1" }, 403, pkioverheid.NotFromProxy, "", "192.0.2.9:1"},
		{"a header that cannot be read", pkioverheid.ServerConfig{Proxy: proxy}, nil, func(r *http.Request) {
			r.Header.Set("X-Client-Cert", "nonsense")
			r.Header.Set("X-Forwarded-For", "203.0.113.5, 203.0.113.6")
		}, 400, pkioverheid.UnreadableHeader, "", "203.0.113.6"},
		{"no header", pkioverheid.ServerConfig{Proxy: proxy}, nil, func(r *http.Request) {}, 403, pkioverheid.NoCertificate, "", "192.0.2.1:1234"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var events []pkioverheid.Event
			if c.allow == nil {
				c.allow = anybody
			}
			c.cfg.Trust.Trace = &pkioverheid.Trace{Refused: func(e pkioverheid.Event) { events = append(events, e) }}
			var got []*pkioverheid.AccessError
			c.cfg.OnRefusal = func(w http.ResponseWriter, r *http.Request, status int, err error) {
				assert.Equal(t, c.status, status)
				var refused *pkioverheid.AccessError
				require.ErrorAs(t, err, &refused)
				got = append(got, refused)
				refused.Problem += " changed" // not what is remembered
				if len(got) == 1 {
					http.Error(w, "my own", http.StatusTeapot)
				}
			}
			h, inside, logged := guarded(t, c.cfg, c.allow)
			for i := range 2 {
				r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
				r.RemoteAddr, r.TLS = "192.0.2.1:1234", connectionOf(g1, leaf)
				if c.request != nil {
					c.request(r)
				}
				h.ServeHTTP(w, r)
				if i == 0 {
					assert.Equal(t, 418, w.Code)
					assert.Equal(t, "my own\n", w.Body.String())
				} else {
					assert.Equal(t, c.status, w.Code, "it wrote nothing")
					assert.Contains(t, w.Body.String(), "pkioverheid: ")
				}
				assert.NotContains(t, w.Body.String(), "secret")
			}
			require.Len(t, got, 2)
			assert.Equal(t, got[0].Problem, got[1].Problem)
			assert.Equal(t, c.reason, got[1].Reason)
			assert.Equal(t, c.cause, got[1].Cause)
			assert.NotContains(t, got[1].Error(), "secret")
			require.Len(t, events, 2)
			assert.Equal(t, c.reason, events[1].Reason)
			assert.Equal(t, c.cause, events[1].Cause)
			assert.Equal(t, c.status, events[1].Status)
			assert.Equal(t, c.peer, events[1].Peer)
			assert.True(t, events[1].Server)
			assert.Zero(t, inside.calls.Load())
			assert.Equal(t, 1, strings.Count(logged.String(), "a caller was refused"), "one line a reason and second")
			if c.peer == "203.0.113.6" {
				assert.Contains(t, logged.String(), `"caller":"203.0.113.6"`)
			} else {
				assert.NotContains(t, logged.String(), `"caller"`)
			}
		})
	}
}

func TestTheLogOfRefusedRequestsIsBounded(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	h, _, logged := guarded(t, pkioverheid.ServerConfig{}, pkioverheid.AllowOIN(someOIN))
	other := connectionOf(g1, g1.Issue(pkiotest.Leaf{OIN: "00000001002220647000"}).Leaf)
	ask := func(state *tls.ConnectionState) {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = state
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	began := time.Now()
	for range 200 {
		ask(other)
		ask(nil)
	}
	if took := time.Since(began); took < time.Second {
		assert.Equal(t, 2, strings.Count(logged.String(), "\n"))
		assert.Contains(t, logged.String(), `"kind":"the peer is not let in"`)
		assert.Contains(t, logged.String(), `"kind":"the caller showed no certificate"`)
		time.Sleep(time.Second - took + 10*time.Millisecond)
	}
	ask(other)
	assert.Contains(t, logged.String(), `"left_out":199`)
}

// A header that arrives under another name than the configured one.
func TestAHeaderUnderAnotherNameIsSaidToBeThere(t *testing.T) {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	proxy := &pkioverheid.Proxy{Format: pkioverheid.NginxEscapedPEM, Header: "X-Client-Cert", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}
	for _, c := range []struct {
		name, header, value, logs string
	}{
		{"another name", "X-Ssl-Cert", escapedPEM(leaf), `a certificate came in the header \"X-Ssl-Cert\"`},
		{"no certificate at all", "X-Other", strings.Repeat("x", 1000), "There is no header X-Client-Cert: if callers do have certificates"},
		{"a name that would fill the log", "X-" + strings.Repeat("a", 5000), escapedPEM(leaf), "a certificate came in the header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, inside, logged := guarded(t, pkioverheid.ServerConfig{Proxy: proxy}, anybody)
			r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
			r.RemoteAddr = "192.0.2.1:1234"
			r.Header.Set(c.header, c.value)
			h.ServeHTTP(w, r)
			assert.Equal(t, 403, w.Code)
			assert.NotContains(t, w.Body.String(), c.header, "what the operator reads is not for the caller")
			assert.Contains(t, logged.String(), c.logs)
			assert.Less(t, len(logged.String()), 1500)
			assert.Zero(t, inside.calls.Load())
		})
	}
	for header, says := range map[string]string{"X Client": "not the name of a header", "x-client-cert": "is the header of the certificate"} {
		p := *proxy
		p.CallerHeader = header
		_, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Proxy: &p}, anybody)
		assert.ErrorContains(t, err, says)
	}
}

// Whatever way a handshake ends in, Trace hears the reason.
func TestTraceCountsRefusalsOfHandshakesByCause(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	now := time.Now()
	listed := g1.Issue(pkiotest.Leaf{OIN: someOIN})
	var d pkioverheid.Distrusted
	stolen := g1.Issue(pkiotest.Leaf{OIN: someOIN, CommonName: "stolen"})
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(stolen.Leaf)}))
	for _, c := range []struct {
		name   string
		shows  *tls.Certificate
		reason pkioverheid.FailureReason
		cause  chain.Reason
		words  chain.Reason // where net/http's words are all there is
	}{
		{"untrusted", ptr(testLeaf(t, testRoot(t, "another"))), pkioverheid.RefusedPeer, chain.UnknownAuthority, chain.UnknownAuthority},
		{"expired", ptr(g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)})), pkioverheid.RefusedPeer, chain.Expired, chain.Expired},
		{"not yet valid", ptr(g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: now.Add(time.Hour), NotAfter: now.Add(2 * time.Hour)})), pkioverheid.RefusedPeer, chain.NotYetValid, chain.NotYetValid},
		{"for another use", ptr(g1.Issue(pkiotest.Leaf{OIN: someOIN, ServerOnly: true})), pkioverheid.RefusedPeer, chain.WrongUsage, chain.WrongUsage},
		{"distrusted", &stolen, pkioverheid.RefusedPeer, chain.Distrusted, chain.UnknownAuthority},
		{"not on the list", ptr(g1.Issue(pkiotest.Leaf{OIN: "00000001002220647000"})), pkioverheid.NotLetIn, "", ""},
		{"no certificate", nil, pkioverheid.NoCertificate, "", ""},
	} {
		for _, web := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/net/http %v", c.name, web), func(t *testing.T) {
				var mu sync.Mutex
				var events []pkioverheid.Event
				trust := quiet(pkiotest.Trust(g1))
				trust.Distrusted = &d
				trust.Trace = &pkioverheid.Trace{Failed: func(e pkioverheid.Event) { mu.Lock(); defer mu.Unlock(); events = append(events, e) }}
				s := newServer(t, pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(listed)}, pkioverheid.AllowOIN(someOIN))
				address := handshakesOf(t, s, web)
				tc := &tls.Config{RootCAs: g1.Roots().CertPool(), ServerName: "localhost"}
				if c.shows != nil {
					tc.GetClientCertificate = shown(*c.shows)
				}
				if conn, err := tls.Dial("tcp", address, tc); err == nil {
					_, _ = io.Copy(io.Discard, conn)
					conn.Close()
				}
				require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(events) > 0 }, 20*time.Second, time.Millisecond)
				want := c.cause
				if web {
					want = c.words
				}
				assert.Len(t, events, 1)
				assert.Equal(t, c.reason, events[0].Reason)
				assert.Equal(t, want, events[0].Cause)
			})
		}
	}
}

// handshakesOf serves handshakes by net/http, or by a loop that reports what fails.
func handshakesOf(t *testing.T, s *pkioverheid.Server, web bool) string {
	t.Helper()
	if web {
		srv := httptest.NewUnstartedServer(hello)
		srv.TLS, srv.Config.ErrorLog = s.TLSConfig(), s.ErrorLog()
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv.Listener.Addr().String()
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			raw, err := ln.Accept()
			if err != nil {
				return
			}
			conn := tls.Server(raw, s.TLSConfig())
			s.HandshakeFailed(raw.RemoteAddr(), conn.HandshakeContext(context.Background()))
			conn.Close()
		}
	}()
	return ln.Addr().String()
}
