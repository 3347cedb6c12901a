package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustNew(t *testing.T, cfg Config) *Fetcher {
	t.Helper()
	f, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// open is a Config that allows the servers of the tests.
func open() Config {
	return Config{Hosts: []string{"*"}, AllowPrivate: true, Timeout: 20 * time.Second}
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestGet(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
		assert.Empty(t, r.Header.Get("Cookie"))
		w.Header().Set("Etag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, r.URL.Path)
	})
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	at, err := url.Parse(s.URL)
	require.NoError(t, err)
	jar.SetCookies(at, []*http.Cookie{{Name: "secret", Value: "1"}})

	for _, test := range []struct {
		name   string
		client *http.Client
	}{
		{"a transport of its own", nil},
		{"the default client", http.DefaultClient},
		{"a client with a jar", &http.Client{Jar: jar}},
		{"a client with a transport", &http.Client{Transport: &http.Transport{}}},
		{"a client with another RoundTripper", &http.Client{Transport: roundTripper(http.DefaultTransport.RoundTrip)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := open()
			cfg.Client = test.client
			f := mustNew(t, cfg)
			for range 2 { // the second over the same connection
				res, err := f.Get(t.Context(), s.URL+"/ca.cer#part", nil)
				require.NoError(t, err)
				assert.Equal(t, http.StatusOK, res.Status)
				assert.Equal(t, "/ca.cer", string(res.Body))
				assert.False(t, res.NotModified)

				res, err = f.Get(t.Context(), s.URL, http.Header{"If-None-Match": {res.Header.Get("Etag")}})
				require.NoError(t, err)
				assert.Equal(t, http.StatusNotModified, res.Status)
				assert.True(t, res.NotModified)
				assert.Nil(t, res.Body)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		cfg  Config
		says string
	}{
		{"a URL as a host", Config{Hosts: []string{"http://host.example/"}}, "and no URL"},
		{"an empty host", Config{Hosts: []string{""}}, "neither a host name"},
		{"a pattern", Config{Hosts: []string{"*.example"}}, "neither a host name"},
		{"a port that is none", Config{Hosts: []string{"host.example:99999"}}, "not a port"},
		{"port zero", Config{Hosts: []string{"host.example:0"}}, "not a port"},
		{"a host that ends in a colon", Config{Hosts: []string{"host.example:"}}, "neither a host name"},
		{"an address of an interface", Config{Hosts: []string{"fe80::1%eth0"}}, "zone"},
		{"a bracket that is not closed", Config{Hosts: []string{"[::1"}}, "neither a host name"},
		{"a name in brackets", Config{Hosts: []string{"[host.example]"}}, "neither a host name"},
		{"something after the brackets", Config{Hosts: []string{"[::1]8080"}}, "neither a host name"},
		{"a short form of an address", Config{Hosts: []string{"127.1"}}, "neither a host name"},
		{"a negative time", Config{Timeout: -1}, "negative"},
		{"a negative size", Config{MaxBytes: -1}, "negative"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(test.cfg)
			assert.ErrorContains(t, err, test.says)
		})
	}
}

func TestAllowedHosts(t *testing.T) {
	for _, test := range []struct {
		name  string
		hosts []string
		url   string
		says  string // nothing: it is allowed
	}{
		{"no hosts allow nothing", nil, "http://host.example/", "not among those"},
		{"a host", []string{"host.example"}, "http://host.example/", ""},
		{"a host and https", []string{"host.example"}, "https://host.example/", ""},
		{"upper and lower case are the same", []string{"Host.Example"}, "HTTP://hOST.eXAMPLE/", ""},
		{"the default port", []string{"host.example"}, "http://host.example:80/", ""},
		{"another port is another server", []string{"host.example"}, "http://host.example:8080/", "not among those"},
		{"the port of the other scheme too", []string{"host.example"}, "http://host.example:443/", "not among those"},
		{"a port that is allowed", []string{"host.example:8080"}, "http://host.example:8080/", ""},
		{"that one only", []string{"host.example:8080"}, "http://host.example/", "not among those"},
		{"a default port that is allowed", []string{"host.example:443"}, "https://host.example/", ""},
		{"a host below", []string{"host.example"}, "http://a.host.example/", "not among those"},
		{"a host above", []string{"host.example"}, "http://example/", "not among those"},
		{"a dot after it", []string{"host.example"}, "http://host.example./", "not among those"},
		{"an address", []string{"::1"}, "http://[0:0::1]/", ""},
		{"an address with a port", []string{"[::1]:8080"}, "http://[::1]:8080/", ""},
		{"any host", []string{"*"}, "http://host.example:8080/", ""},
		{"a user name", []string{"*"}, "http://host.example@other.example/", "user name"},
		{"a password", []string{"*"}, "http://a:b@host.example/", "user name"},
		{"another scheme", []string{"*"}, "ldap://host.example/cn=CA", "only http and https"},
		{"a file", []string{"*"}, "file:///etc/passwd", "only http and https"},
		{"no scheme", []string{"*"}, "host.example/ca.cer", "only http and https"},
		{"no host", []string{"*"}, "http:///ca.cer", "not a URL of a file"},
		{"an opaque URL", []string{"*"}, "http:host.example", "not a URL of a file"},
		{"no URL at all", []string{"*"}, "http://\x1b[2J/", "not a URL of a file"},
		{"empty", []string{"*"}, "", "only http and https"},
		{"too long", []string{"*"}, "http://host.example/" + strings.Repeat("a", maxURL), "more than 2048 characters"},
		{"a name that resolvers take for an address", []string{"*"}, "http://127.1/", "neither a host name"},
		{"a number", []string{"*"}, "http://2130706433/", "neither a host name"},
		{"a number with a dot", []string{"*"}, "http://0x7f000001./", "neither a host name"},
		{"a name that is not of ASCII", []string{"*"}, "http://ⅼocalhost/", "neither a host name"},
		{"an address of an interface", []string{"*"}, "http://[fe80::1%25eth0]/", "zone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := open()
			cfg.Hosts = test.hosts
			_, err := mustNew(t, cfg).check(test.url)
			if test.says == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, test.says)
		})
	}
}

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"1.1.1.1": true, "192.0.1.1": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.1": true,
		"2a00:d00:100::1": true, "3ffe::1": true, "2620:4f:8000::1": true, "2001:1234::1": true, "64:ff9b::1.1.1.1": true, "2002:101:101::1": true,

		"0.0.0.0": false, "0.1.2.3": false, "127.0.0.1": false, "127.255.0.1": false, "10.0.0.1": false, "172.16.0.1": false,
		"172.31.255.255": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false,
		"224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false, "192.0.0.8": false,
		"192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false, "203.0.113.1": false,
		"::": false, "::1": false, "fe80::1": false, "fec0::1": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "100::1": false,
		"2001:db8::1": false, "2001::1": false, "64:ff9b:1::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:100.64.0.1": false,
		"::ffff:0:127.0.0.1": false, "::ffff:0:10.0.0.1": false, "1::1": false, "4000::1": false, "5f00::1": false, "fe00::1": false, "3fff::1": false,
		"::127.0.0.1": false, "64:ff9b::10.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2002:c0a8:101::1": false,
	} {
		assert.Equal(t, want, public(netip.MustParseAddr(addr)), addr)
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	var asked, connected atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1) }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connected.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	require.NoError(t, err)

	dialer := &net.Dialer{}
	for _, test := range []struct {
		name     string
		client   *http.Client
		connects bool
	}{
		{"a transport of its own", nil, false},
		{"a client without a dial function", &http.Client{Transport: &http.Transport{}}, false},
		{"the default client", http.DefaultClient, true},
		{"a client with a dial function", &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := open()
			cfg.AllowPrivate, cfg.Client = false, test.client
			f := mustNew(t, cfg)
			connected.Store(0)
			// The name is one that no look at the URL gives away: what it resolves to does.
			for _, host := range []string{"localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"} {
				_, err := f.Get(t.Context(), "http://"+host+":"+port+"/", nil)
				require.ErrorIs(t, err, ErrNotAllowed, host)
				assert.ErrorContains(t, err, "not an address of the public Internet", host)
			}
			if !test.connects {
				assert.Zero(t, connected.Load())
			}
		})
	}
	assert.Zero(t, asked.Load(), "nothing may have been sent")

	t.Run("TLS by a dial function of the caller", func(t *testing.T) {
		s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
		defer s.Close()
		transport := s.Client().Transport.(*http.Transport).Clone()
		transport.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, addr)
		}
		cfg := open()
		cfg.AllowPrivate, cfg.Client = false, &http.Client{Transport: transport}
		_, err := mustNew(t, cfg).Get(t.Context(), strings.Replace(s.URL, "127.0.0.1", "localhost", 1), nil)
		require.ErrorIs(t, err, ErrNotAllowed)
		assert.Zero(t, asked.Load())
	})

	t.Run("another RoundTripper is asked for names only", func(t *testing.T) {
		cfg := open()
		cfg.AllowPrivate = false
		cfg.Client = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("x"))}, nil
		})}
		f := mustNew(t, cfg)
		_, err := f.Get(t.Context(), "http://10.0.0.1/", nil)
		assert.ErrorIs(t, err, ErrNotAllowed)
		_, err = f.Get(t.Context(), "http://localhost/", nil)
		assert.NoError(t, err)
	})

	t.Run("a connection to something else than an address", func(t *testing.T) {
		cfg := open()
		cfg.AllowPrivate = false
		cfg.Client = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			c, other := net.Pipe()
			t.Cleanup(func() { other.Close() })
			return c, nil
		}}}
		_, err := mustNew(t, cfg).Get(t.Context(), "http://host.example/", nil)
		assert.ErrorIs(t, err, ErrNotAllowed)
	})
}

func TestProxies(t *testing.T) {
	var asked []string
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		io.WriteString(w, "by the proxy")
	})
	at, err := url.Parse(proxy.URL)
	require.NoError(t, err)

	t.Run("a client's is, wherever it is", func(t *testing.T) {
		cfg := open()
		cfg.AllowPrivate = false
		cfg.Client = &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}
		f := mustNew(t, cfg)
		res, err := f.Get(t.Context(), "http://host.example/ca.cer", nil)
		require.NoError(t, err)
		assert.Equal(t, "by the proxy", string(res.Body))
		assert.Equal(t, []string{"http://host.example/ca.cer"}, asked)

		_, err = f.Get(t.Context(), "http://10.0.0.1/ca.cer", nil)
		assert.ErrorIs(t, err, ErrNotAllowed)
	})
	t.Run("what does not go by the proxy is guarded", func(t *testing.T) {
		cfg := open()
		cfg.AllowPrivate = false
		cfg.Client = &http.Client{Transport: &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Hostname() == "localhost" {
				return nil, nil
			}
			return at, nil
		}}}
		f := mustNew(t, cfg)
		_, err := f.Get(t.Context(), "http://host.example/ca.cer", nil)
		require.NoError(t, err)
		_, err = f.Get(t.Context(), "http://localhost:"+at.Port()+"/", nil)
		assert.ErrorIs(t, err, ErrNotAllowed)
	})
}

func TestRedirects(t *testing.T) {
	var secure *httptest.Server
	secure = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/again":
			http.Redirect(w, r, secure.URL+"/ca.cer", http.StatusFound)
		case "/down":
			http.Redirect(w, r, "http://host.example/ca.cer", http.StatusFound)
		default:
			assert.Equal(t, "kept", r.Header.Get("X-Test"))
			io.WriteString(w, "over https")
		}
	}))
	defer secure.Close()
	locations := map[string]string{
		"/https":    secure.URL + "/ca.cer",
		"/twice":    secure.URL + "/again",
		"/down":     secure.URL + "/down",
		"/http":     "http://host.example/ca.cer",
		"/same":     "/https",
		"/other":    "https://other.example/ca.cer",
		"/user":     "https://me@" + strings.TrimPrefix(secure.URL, "https://"),
		"/file":     "file:///etc/passwd",
		"/bad":      "https://[::1",
		"/relative": "ca.cer",
		"/private":  "https://10.0.0.1/",
		"/loop":     "/loop",
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		plain := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if to := locations[r.URL.Path]; to != "" {
				w.Header().Set("Location", to)
			}
			w.WriteHeader(status)
		})
		cfg := open()
		cfg.Hosts = []string{strings.TrimPrefix(plain.URL, "http://"), strings.TrimPrefix(secure.URL, "https://"), "host.example"}
		cfg.Client = secure.Client() // trusts the server
		f := mustNew(t, cfg)

		res, err := f.Get(t.Context(), plain.URL+"/https", http.Header{"X-Test": {"kept"}})
		require.NoError(t, err)
		assert.Equal(t, "over https", string(res.Body))

		for _, path := range []string{"/twice", "/down", "/http", "/same", "/other", "/user", "/file", "/relative", "/private", "/loop"} {
			_, err := f.Get(t.Context(), plain.URL+path, nil)
			require.ErrorIs(t, err, ErrNotAllowed, path)
			assert.ErrorContains(t, err, "redirect", path)
		}
		_, err = f.Get(t.Context(), secure.URL+"/again", nil)
		require.ErrorIs(t, err, ErrNotAllowed, "from https to https")
		for _, path := range []string{"/bad", "/nowhere"} {
			_, err := f.Get(t.Context(), plain.URL+path, nil)
			assert.ErrorContains(t, err, "redirect", path)
		}
	}

	t.Run("the address that a redirect leads to is guarded", func(t *testing.T) {
		// The first answer comes from a public host, in the eyes of the guard.
		cfg := open()
		cfg.AllowPrivate = false
		cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			require.Equal(t, "host.example", r.URL.Host)
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://[::ffff:10.1.2.3]/"}}, Body: http.NoBody}, nil
		})}
		_, err := mustNew(t, cfg).Get(t.Context(), "http://host.example/", nil)
		assert.ErrorIs(t, err, ErrNotAllowed)
	})
}

func TestBodies(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/just":
			w.Write(make([]byte, 1000))
		case "/announced":
			w.Header().Set("Content-Length", "1001")
			w.Write(make([]byte, 1001))
		case "/promised":
			w.Header().Set("Content-Length", "1001")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/unannounced":
			w.(http.Flusher).Flush()
			w.Write(make([]byte, 1001))
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/cut":
			w.Header().Set("Content-Length", "500")
			w.Write(make([]byte, 100))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(make([]byte, 1<<20))
			z.Close()
		case "/header":
			for i := range 1000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 1000))
			}
		case "/unasked":
			w.WriteHeader(http.StatusNotModified)
		case "/busy":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/odd":
			w.WriteHeader(299)
		}
	})
	cfg := open()
	cfg.MaxBytes = 1000
	f := mustNew(t, cfg)
	res, err := f.Get(t.Context(), s.URL+"/just", nil)
	require.NoError(t, err)
	assert.Len(t, res.Body, 1000)

	for path, says := range map[string]string{
		"/announced":   "more than 1000 bytes",
		"/promised":    "more than 1000 bytes",
		"/unannounced": "more than 1000 bytes",
		"/endless":     "more than 1000 bytes",
		"/cut":         "breaks off after 100 bytes",
		"/bomb":        `compresses what it sends ("gzip")`,
		"/header":      "header",
		"/unasked":     "304 Not Modified",
		"/busy":        "503 Service Unavailable",
		"/odd":         "status 299",
	} {
		_, err := f.Get(t.Context(), s.URL+path, nil)
		assert.ErrorContains(t, err, says, path)
	}
	_, err = f.Get(t.Context(), s.URL+"/busy", nil)
	var status *StatusError
	require.ErrorAs(t, err, &status)
	assert.Equal(t, "7", status.Header.Get("Retry-After"))

	t.Run("a client whose RoundTripper unpacks", func(t *testing.T) {
		cfg := cfg
		cfg.Client = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Uncompressed: true, Body: http.NoBody}, nil
		})}
		_, err := mustNew(t, cfg).Get(t.Context(), s.URL, nil)
		assert.ErrorContains(t, err, "compresses")
	})
}

func TestSlowServers(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"one that never answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"one that sends a byte now and then", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.Write([]byte{0})
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.handler)
			cfg := open()
			cfg.Timeout = 200 * time.Millisecond
			f := mustNew(t, cfg)
			begin := time.Now()
			_, err := f.Get(t.Context(), s.URL, nil)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.ErrorContains(t, err, "no complete answer within 200ms")
			assert.Less(t, time.Since(begin), 10*time.Second)

			cfg.Timeout = time.Hour
			cfg.Client = &http.Client{Timeout: 200 * time.Millisecond}
			_, err = mustNew(t, cfg).Get(t.Context(), s.URL, nil)
			assert.ErrorContains(t, err, "within 200ms", "the client's timeout is shorter")

			cfg.Client = nil
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err = mustNew(t, cfg).Get(ctx, s.URL, nil)
			assert.ErrorIs(t, err, context.DeadlineExceeded)

			ctx, cancel = context.WithCancel(t.Context())
			cancel()
			_, err = mustNew(t, cfg).Get(ctx, s.URL, nil)
			assert.ErrorIs(t, err, context.Canceled)
		})
	}
}

// http.Client fills in what these leave out.
func TestRoundTrippersThatReturnLittle(t *testing.T) {
	for _, test := range []struct {
		name string
		res  *http.Response
		says string
	}{
		{"nothing", nil, "returned nothing"},
		{"a refusal without a body", &http.Response{StatusCode: http.StatusNotFound}, "404 Not Found"},
		{"a redirect without a body", &http.Response{StatusCode: http.StatusFound}, "no location"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := open()
			cfg.Client = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return test.res, nil })}
			_, err := mustNew(t, cfg).Get(t.Context(), "http://host.example/", nil)
			assert.ErrorContains(t, err, test.says)
		})
	}
}

func TestErrorsAreOneHarmlessLine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 \x1b[2J\u202e"+strings.Repeat("ü", 4000)+"\r\n\r\n")
			c.Close()
		}
	}()
	f := mustNew(t, open())
	for _, u := range []string{
		"http://" + l.Addr().String() + "/" + strings.Repeat("a", 1000),
		"http://host.example/\u202e\x1b",
	} {
		_, err := f.Get(t.Context(), u, nil)
		require.Error(t, err)
		text := err.Error()
		assert.Less(t, len(text), 1200)
		assert.True(t, utf8.ValidString(text))
		assert.False(t, bytes.ContainsAny([]byte(text), "\x1b\n\u202e"), text)
		assert.True(t, strings.HasPrefix(text, `fetch "http://`), text)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	f := mustNew(t, open())
	done := make(chan error)
	for i := range 8 {
		go func() {
			res, err := f.Get(t.Context(), fmt.Sprintf("%s/%d", s.URL, i), nil)
			if err == nil && string(res.Body) != fmt.Sprintf("/%d", i) {
				err = fmt.Errorf("got %q", res.Body)
			}
			done <- err
		}()
	}
	for range 8 {
		assert.NoError(t, <-done)
	}
}
