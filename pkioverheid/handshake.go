package pkioverheid

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

// certificateRequest is what a server asked of a client in one handshake, and
// what came of it.
type certificateRequest struct {
	acceptableCAs [][]byte
	certificate   *x509.Certificate // what there was to show
	chain         [][]byte          // with what is above it
	unsupported   error             // why it was not shown
	sent          bool
	next          *x509.Certificate // the next one for the same host
	at            time.Time
}

// acceptable reports whether a CA of the certificate's chain is among those that
// the server announced, as crypto/tls asks.
func (r *certificateRequest) acceptable() bool {
	if len(r.acceptableCAs) == 0 {
		return true
	}
	for _, der := range r.chain {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			continue
		}
		for _, ca := range r.acceptableCAs {
			if bytes.Equal(ca, cert.RawIssuer) {
				return true
			}
		}
	}
	return false
}

// attempt notes what happens to one request on its way. Its context carries it to
// the connection that the request causes to be dialled, and the connection
// carries it to the other requests that share it. One of WithHandshake has a clock from
// the handshake on, request and nothing else.
type attempt struct {
	clock func() time.Time
	asked *requests // those of its Transport
	host  string    // in lower case

	proxy    *url.URL // by which it is called, nil for none
	proxyErr error    // why that is not known

	mu         sync.Mutex
	request    *certificateRequest // in the last handshake that this attempt caused
	known      bool                // request was seen, or it was seen that there was none
	started    int                 // handshakes; with an https proxy the first is the proxy's
	answered   bool                // a server sent something over the connection that this attempt caused
	dialler    *attempt            // that of the connection in use, which may be another's
	version    uint16              // of TLS on that connection
	http2      bool                // was negotiated on it
	bodyFailed bool                // the request's own body could not be read

	dialling     bool // a connection, whose handshakes are not complete
	dialled      int  // its handshakes that are
	severalDials bool // at the same time, so that dialled is of either
}

type attemptKey struct{}

// withAttempt returns a context whose handshakes and connections are noted.
func withAttempt(ctx context.Context, clock func() time.Time, asked *requests) (context.Context, *attempt) {
	a := &attempt{clock: clock, asked: asked}
	ctx = context.WithValue(ctx, attemptKey{}, a)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeStart: func() {
			a.mu.Lock()
			a.request = nil // of the proxy's handshake
			a.started++
			a.mu.Unlock()
		},
		TLSHandshakeDone: func(cs tls.ConnectionState, err error) {
			if err != nil {
				a.dialEnds()
				return
			}
			a.handshakeEnds()
			a.mu.Lock()
			a.known = true
			if cs.DidResume {
				a.request, a.known = asked.of(cs.ServerName)
			} else {
				asked.record(cs.ServerName, a.request)
			}
			a.mu.Unlock()
		},
		GotConn: func(info httptrace.GotConnInfo) {
			dialler, with := diallerOf(info.Conn)
			a.mu.Lock()
			a.dialler, a.version, a.http2 = dialler, with.Version, with.NegotiatedProtocol == "h2"
			a.mu.Unlock()
		},
		GotFirstResponseByte: func() {
			a.mu.Lock()
			dialler := a.dialler
			a.mu.Unlock()
			if dialler != nil {
				dialler.mu.Lock()
				dialler.answered = true
				dialler.mu.Unlock()
			}
		},
	}), a
}

// hostOf returns with whom the handshake is to which a [Transport] gave the context, in
// lower case. It is empty where that is not known.
func hostOf(ctx context.Context) string {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		return ""
	}
	if !a.httpsProxy() {
		return a.host
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.severalDials:
		return ""
	case a.dialled == 0: // the proxy's own handshake comes first
		return hostName(a.proxy)
	}
	return a.host
}

// askedProxy is http.Transport.Proxy: what the Base's said about the request.
func askedProxy(req *http.Request) (*url.URL, error) {
	if a, ok := req.Context().Value(attemptKey{}).(*attempt); ok {
		return a.proxy, a.proxyErr
	}
	return nil, errors.New("pkioverheid: it is not known by which proxy to call")
}

// httpsProxy reports whether the proxy has a handshake of its own.
func (a *attempt) httpsProxy() bool { return a.proxy != nil && a.proxy.Scheme == "https" }

// dial records that a connection is dialled for the attempt, and dialEnds that this failed.
// net/http may dial another one while it still waits for the first.
func (a *attempt) dial() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.severalDials = a.severalDials || a.dialling
	a.dialling, a.dialled = true, 0
}

// handshakeEnds records that one of a connection's handshakes is complete.
func (a *attempt) handshakeEnds() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dialled++
	a.dialling = a.dialling && a.httpsProxy() && a.dialled < 2
}

func (a *attempt) dialEnds() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dialling = false
}

// requests are what servers asked for in whole handshakes, nil for nothing, by the names
// under which sessions are kept: a resumed session goes on with what was shown then.
type requests struct {
	mu     sync.Mutex
	byName map[string]*certificateRequest
}

const maxRequests = 64 // as many as tls.NewLRUClientSessionCache keeps sessions

func (r *requests) of(name string) (request *certificateRequest, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	request, known = r.byName[name]
	return request, known
}

func (r *requests) record(name string, request *certificateRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "" {
		return // an IP address
	}
	if r.byName == nil {
		r.byName = make(map[string]*certificateRequest)
	}
	if _, ok := r.byName[name]; !ok && len(r.byName) >= maxRequests {
		for some := range r.byName {
			delete(r.byName, some)
			break
		}
	}
	r.byName[name] = request
}

func recordRequest(ctx context.Context, r certificateRequest, clock func() time.Time) {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		r.at = clock()
		a.mu.Lock()
		a.request, a.clock = &r, clock
		a.mu.Unlock()
	}
}

func (a *attempt) now() time.Time {
	a.mu.Lock()
	clock := clockOf(a.clock)
	a.mu.Unlock()
	return clock()
}

// seen is what is known of the connection that an attempt used, or of the
// handshake in which it failed.
type seen struct {
	request    *certificateRequest // nil: nobody asked, as far as was seen
	known      bool                // that nobody asked is certain
	connected  bool                // the handshake was completed
	version    uint16
	http2      bool
	answered   bool
	bodyFailed bool
}

func (a *attempt) seen() seen {
	a.mu.Lock()
	s := seen{request: a.request, known: a.known, connected: a.dialler != nil, version: a.version, http2: a.http2, answered: a.answered, bodyFailed: a.bodyFailed}
	dialler := a.dialler
	a.mu.Unlock()
	if dialler != nil && dialler != a {
		dialler.mu.Lock()
		s.request, s.known, s.answered = dialler.request, dialler.known, dialler.answered
		dialler.mu.Unlock()
	}
	return s
}

// dialled is a connection that remembers the attempt that it was dialled for.
type dialled struct {
	net.Conn
	attempt *attempt
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// recording makes the connections of dial remember their attempts.
func recording(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		a, ok := ctx.Value(attemptKey{}).(*attempt)
		if !ok {
			return dial(ctx, network, addr)
		}
		a.dial()
		conn, err := dial(ctx, network, addr)
		if err != nil {
			a.dialEnds()
			return nil, err
		}
		return &dialled{conn, a}, nil
	}
}

func diallerOf(conn net.Conn) (*attempt, tls.ConnectionState) {
	var with tls.ConnectionState
	for {
		switch c := conn.(type) {
		case *tls.Conn:
			if with.Version == 0 { // below an https proxy's lies the proxy's own
				with = c.ConnectionState()
			}
			conn = c.NetConn()
		case *dialled:
			return c.attempt, with
		default:
			return nil, with
		}
	}
}

// notedBody notes that reading a request's body failed: an error about that does not come
// from the server.
type notedBody struct {
	io.ReadCloser
	attempt *attempt
}

func (b notedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.attempt.mu.Lock()
		b.attempt.bodyFailed = true
		b.attempt.mu.Unlock()
	}
	return n, err
}
