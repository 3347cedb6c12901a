package pkioverheid

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// NewClient returns an http.Client on a [NewTransport] of cfg, and otherwise as
// net/http makes it. It follows redirects to https only.
func NewClient(cfg ClientConfig) (*http.Client, error) {
	t, err := NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t}, nil
}

// Transport is an http.RoundTripper for https that trusts PKIoverheid. Where a connection
// fails over a certificate its errors say which and what to do:
// *[ServerCertificateError] for the server's, with a *[G3Error] in it under G3,
// *[ClientCertificateError] for ours. All other errors are net/http's.
//
// It is safe for concurrent use, keeps connections, speaks HTTP/2 and resumes TLS sessions.
// An https proxy must have a certificate that the ClientConfig trusts, and may be shown ours.
type Transport struct {
	current *current[*connector]
}

// connector makes connections by one state of trust.
type connector struct {
	client *clientState
	latest func() *connector // that of the Transport now
	asked  requests
	proxy  func(*http.Request) (*url.URL, error) // Base's; nil for none

	lateHosts, publicHosts hostList
	lanes                  map[lane]*http.Transport // never one for two
}

// lane is a kind of host. Each has an http.Transport of its own, with its own
// connections and sessions.
type lane struct {
	late   string // the host, if it is of ClientConfig.RenegotiateHosts
	public bool   // of ClientConfig.PublicHosts

	// With late: called by an https proxy, which may ask in a renegotiation too.
	httpsProxy bool
}

func (c *connector) laneOf(u *url.URL, httpsProxy bool) lane {
	l := lane{public: c.publicHosts.has(u)}
	if c.lateHosts.has(u) {
		l.late, l.httpsProxy = hostName(u), httpsProxy
	}
	return l
}

// allLanes are those that laneOf may return.
func (c *connector) allLanes() []lane {
	all := []lane{{}}
	if len(c.publicHosts) > 0 {
		all = append(all, lane{public: true})
	}
	for _, listed := range c.lateHosts {
		name, _, _ := strings.Cut(listed, ":")
		for _, l := range []lane{{late: name}, {late: name, httpsProxy: true}, {late: name, public: true}, {late: name, public: true, httpsProxy: true}} {
			if (!l.httpsProxy || c.proxy != nil) && (!l.public || c.publicHosts.hasName(name)) {
				all = append(all, l)
			}
		}
	}
	return all
}

func (c *connector) closeIdle() {
	for _, t := range c.lanes {
		t.CloseIdleConnections()
	}
}

// NewTransport returns a Transport, or an error for a ClientConfig that contradicts
// itself; see its fields.
func NewTransport(cfg ClientConfig) (*Transport, error) {
	name := "ClientConfig.Base"
	if cfg.Base == nil {
		cfg.Base, _ = http.DefaultTransport.(*http.Transport)
		name = "http.DefaultTransport"
	}
	if cfg.Base == nil { // replaced by something of the program's own
		cfg.Base = &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	t := new(Transport)
	latest := func() *connector { return t.current.get() } // for handshakes, which begin when there is one
	l, err := newCurrentClient(cfg, func(cfg ClientConfig, now contents) (*connector, error) {
		return newConnector(cfg, now, name, latest)
	})
	if err != nil {
		return nil, err
	}
	l.get().client.own.daily()
	// Connections that were made by the trust from before are not used again.
	l.retired = (*connector).closeIdle
	t.current = l
	return t, nil
}

// newConnector makes a connector from cfg.Base, which errors call name.
func newConnector(cfg ClientConfig, now contents, name string, latest func() *connector) (*connector, error) {
	client, err := newClientState(cfg, now)
	if err != nil {
		return nil, err
	}
	c := &connector{client: client, latest: latest, proxy: cfg.Base.Proxy, lateHosts: cfg.RenegotiateHosts, publicHosts: cfg.PublicHosts, lanes: make(map[lane]*http.Transport)}
	for _, l := range c.allLanes() {
		if c.lanes[l], err = c.transport(cfg, name, l); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// transport makes the http.Transport of a lane.
func (c *connector) transport(cfg ClientConfig, name string, l lane) (*http.Transport, error) {
	//lint:ignore SA1019 DialTLS is deprecated, and net/http still obeys it
	if cfg.Base.DialTLS != nil || cfg.Base.DialTLSContext != nil {
		return nil, fmt.Errorf("pkioverheid: %s dials TLS itself (DialTLS or DialTLSContext): set DialContext instead", name)
	}
	base := cfg.Base.Clone()
	switch {
	case len(base.TLSNextProto) > 0:
		// The functions in it, which golang.org/x/net/http2 puts there, hand
		// connections to a pool that the caller's transport uses too.
		return nil, fmt.Errorf("pkioverheid: %s sets TLSNextProto, by http2.ConfigureTransport perhaps, and so would share its connections: leave HTTP/2 to net/http, with its settings in HTTP2", name)
	case l.late != "": // HTTP/2 has no renegotiation
		base.ForceAttemptHTTP2, base.Protocols = false, new(http.Protocols)
		base.Protocols.SetHTTP1(true)
	case base.TLSNextProto == nil:
		// A TLSClientConfig or dialler would otherwise switch HTTP/2 off. An empty
		// map is how a caller does that, and stays.
		base.ForceAttemptHTTP2 = true
	}
	if base.IdleConnTimeout == 0 && (cfg.Trust.Roots != nil || cfg.Trust.Distrusted != nil || len(cfg.KeyPairs) > 0) {
		// HTTP/2 keeps a connection that was in use when its connector was retired.
		base.IdleConnTimeout = 90 * time.Second // as http.DefaultTransport has it
	}
	if cfg.Trust.Revocation != nil && name == "http.DefaultTransport" {
		// A Checker may take as long as the whole handshake is given there, and then
		// nobody would read which CRL was waited for.
		base.TLSHandshakeTimeout *= 2
	}
	base.DialContext = recording(dialOf(base))
	if base.Proxy != nil {
		base.Proxy = askedProxy
	}
	tc, err := c.tlsConfig(base.TLSClientConfig, name, l)
	base.TLSClientConfig = tc
	return base, err
}

func dialOf(base *http.Transport) dialFunc {
	//lint:ignore SA1019 Dial is deprecated, and net/http still obeys it
	dial := base.Dial
	switch {
	case base.DialContext != nil:
		return base.DialContext
	case dial != nil:
		return func(_ context.Context, network, addr string) (net.Conn, error) { return dial(network, addr) }
	}
	return new(net.Dialer).DialContext
}

// tlsConfig returns the TLS settings of the base, completed with ours.
func (c *connector) tlsConfig(given *tls.Config, name string, l lane) (*tls.Config, error) {
	tc := c.client.tlsConfig()
	// The handshake of a request may begin after a replacement that the request did not see.
	tc.VerifyConnection = func(cs tls.ConnectionState) error { return c.latest().client.verifyConnection(cs) }
	tc.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return c.latest().client.clientCertificate(info)
	}
	// Its own, and never only cleared: a ticket may arrive after the replacement of
	// what its session began with.
	tc.ClientSessionCache = &ownSessions{tls.NewLRUClientSessionCache(0), c, ""}
	if l.late != "" {
		tc.MaxVersion, tc.Renegotiation = tls.VersionTLS12, tls.RenegotiateOnceAsClient
		if !l.httpsProxy {
			// In a renegotiation crypto/tls passes no context on.
			tc.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return c.latest().client.showTo(l.late, info)
			}
		}
	}
	if l.public {
		tc.RootCAs = nil
		tc.VerifyConnection = func(cs tls.ConnectionState) error { return c.latest().verifyPublic(cs) }
	}
	if given == nil {
		return tc, nil
	}
	if err := clashes(given, tc, name); err != nil {
		return nil, err
	}
	return c.merge(given, tc, name)
}

// clashes refuses TLS settings of the base that would contradict ours.
func clashes(given, tc *tls.Config, name string) error {
	for _, clash := range []struct {
		set   bool
		field string
		use   string
	}{
		{given.InsecureSkipVerify, "InsecureSkipVerify", "trust the server's root with Trust.Roots"},
		{given.RootCAs != nil, "RootCAs", "use Trust.Roots"},
		{given.ServerName != "", "ServerName", "each host, that of a redirect too, is verified under its own name"},
		{len(given.Certificates) > 0, "Certificates", "use ClientConfig.KeyPairs"},
		{given.GetClientCertificate != nil, "GetClientCertificate", "use ClientConfig.KeyPairs"},
		{given.Time != nil, "Time", "use Trust.Time"},
		{given.Renegotiation != tls.RenegotiateNever, "Renegotiation", "use ClientConfig.RenegotiateHosts"},
		{given.EncryptedClientHelloRejectionVerify != nil, "EncryptedClientHelloRejectionVerify", "leave it to crypto/tls"},
		{given.MaxVersion != 0 && given.MaxVersion < tc.MinVersion, "MaxVersion", "TLS 1.2 is the least that PKIoverheid allows"},
		{tc.MaxVersion != 0 && given.MinVersion > tc.MaxVersion, "MinVersion", "ClientConfig.RenegotiateHosts needs TLS 1.2"},
		{given.ClientCAs != nil, "ClientCAs", "only servers have them; use Trust.Roots"},
		{given.ClientAuth != tls.NoClientCert, "ClientAuth", "only servers have it"},
		{given.GetCertificate != nil, "GetCertificate", "only servers have it; use ClientConfig.KeyPairs"},
		{given.GetConfigForClient != nil, "GetConfigForClient", "only servers have it"},
		{given.WrapSession != nil, "WrapSession", "only servers have it"},
		{given.UnwrapSession != nil, "UnwrapSession", "only servers have it"},
		//lint:ignore SA1019 it is deprecated, and servers still obey it
		{given.SessionTicketKey != [32]byte{}, "SessionTicketKey", "only servers have it"},
		{len(given.EncryptedClientHelloKeys) > 0, "EncryptedClientHelloKeys", "only servers have them"},
		{given.GetEncryptedClientHelloKeys != nil, "GetEncryptedClientHelloKeys", "only servers have it"},
	} {
		if clash.set {
			return fmt.Errorf("pkioverheid: %s.TLSClientConfig sets %s: %s", name, clash.field, clash.use)
		}
	}
	return nil
}

func (c *connector) merge(given, tc *tls.Config, name string) (*tls.Config, error) {
	merged := given.Clone()
	merged.RootCAs, merged.Time, merged.GetClientCertificate = tc.RootCAs, tc.Time, tc.GetClientCertificate
	merged.Renegotiation = tc.Renegotiation
	merged.MinVersion = max(given.MinVersion, tc.MinVersion)
	if tc.MaxVersion != 0 { // for a renegotiation, which HTTP/2 does not have either
		merged.MaxVersion = tc.MaxVersion
		// Clone of an http.Transport fills in what it would speak.
		merged.NextProtos = slices.DeleteFunc(slices.Clone(given.NextProtos), func(p string) bool { return p == "h2" })
	}
	if merged.CipherSuites = tc.CipherSuites; given.CipherSuites != nil {
		merged.CipherSuites = slices.DeleteFunc(slices.Clone(given.CipherSuites), func(id uint16) bool {
			return !slices.Contains(tc.CipherSuites, id)
		})
		if len(merged.CipherSuites) == 0 {
			return nil, fmt.Errorf("pkioverheid: %s.TLSClientConfig.CipherSuites has none that the NCSC rates good or sufficient", name)
		}
	}
	if merged.ClientSessionCache = tc.ClientSessionCache; given.ClientSessionCache != nil {
		merged.ClientSessionCache = &ownSessions{given.ClientSessionCache, c, rand.Text()}
	}
	merged.VerifyConnection = func(cs tls.ConnectionState) error {
		if err := tc.VerifyConnection(cs); err != nil {
			return err
		}
		if given.VerifyConnection != nil {
			return given.VerifyConnection(cs)
		}
		return nil
	}
	return merged, nil
}

// ownSessions keeps the sessions of one connector apart in a cache that others
// may use too, and resumes none once it was replaced: a session goes on with the client
// certificate that it began with.
type ownSessions struct {
	tls.ClientSessionCache
	of     *connector
	prefix string
}

func (s *ownSessions) Get(key string) (*tls.ClientSessionState, bool) {
	if s.of.latest() != s.of {
		return nil, false
	}
	return s.ClientSessionCache.Get(s.prefix + key)
}

func (s *ownSessions) Put(key string, session *tls.ClientSessionState) {
	s.ClientSessionCache.Put(s.prefix+key, session)
}

// RoundTrip sends a request over https. Any other scheme is refused, also when a
// redirect leads there: a 307 would send the body once more, in clear.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Scheme != "https" {
		if req.Body != nil {
			req.Body.Close()
		}
		if req.URL == nil {
			return nil, errors.New("pkioverheid: the request has no URL")
		}
		return nil, fmt.Errorf("pkioverheid: refused to call %s over %s: PKIoverheid services are called over https only", quoteHost(req.URL.Host), quoteHost(req.URL.Scheme))
	}
	c := t.current.get()
	ctx, attempt := withAttempt(req.Context(), c.client.clock, &c.asked)
	attempt.host = hostName(req.URL)
	noted := req.WithContext(ctx)
	if c.proxy != nil { // asked once, since it may answer something else the next time
		attempt.proxy, attempt.proxyErr = c.proxy(noted)
	}
	l := c.laneOf(req.URL, attempt.httpsProxy())
	if noted.Body != nil && noted.Body != http.NoBody {
		noted.Body = notedBody{noted.Body, attempt}
	}
	resp, err := c.lanes[l].RoundTrip(noted)
	if err == nil {
		return resp, nil // its Request carries the attempt, for RefusedCertificate
	}
	return nil, c.explain(req, attempt, err)
}

func (c *connector) explain(req *http.Request, a *attempt, err error) error {
	var ours *ServerCertificateError
	if req.Context().Err() != nil || errors.As(err, &ours) {
		return err
	}
	var refused *tls.CertificateVerificationError
	tr, peer := c.client.own.tracing, c.peer(req, a)
	if errors.As(err, &refused) {
		var e *ServerCertificateError
		if c.publicHosts.has(req.URL) {
			e = publicError(peer, refused)
		} else {
			e = c.client.explainServer(peer, refused)
		}
		report(tr, tr.Failed, Event{Peer: peer, Reason: RefusedPeer, Cause: e.Reason, Err: e})
		return e
	}
	if e := a.clientCertificateError(req.URL.Hostname(), peer, err); e != nil {
		said, _ := alertOf(err)
		report(tr, tr.Failed, Event{Peer: peer, Reason: reasonOfAlert(said), Err: e})
		return e
	}
	return err
}

// peer names the other side of a connection that failed: the host, or a proxy that is
// called by https itself, until the host's handshake begins: in TLS 1.3 a refusal comes
// after the proxy's.
func (c *connector) peer(req *http.Request, a *attempt) string {
	a.mu.Lock()
	before := a.started < 2 && a.dialler == nil
	a.mu.Unlock()
	if before && a.httpsProxy() {
		return "the proxy " + quoteHost(a.proxy.Hostname())
	}
	return quoteHost(req.URL.Hostname())
}

// CloseIdleConnections closes the connections that are not in use.
func (t *Transport) CloseIdleConnections() { t.current.get().closeIdle() }

// verifyPublic is tls.Config.VerifyConnection for ClientConfig.PublicHosts. crypto/x509 has
// verified the certificate by the roots of the operating system.
func (c *connector) verifyPublic(cs tls.ConnectionState) error {
	tr, host := c.client.own.tracing, quoteHost(cs.ServerName)
	if err := c.publicHosts.refusal(cs, c.client.distrusted); err != nil {
		report(tr, tr.Failed, Event{Peer: host, Reason: RefusedPeer, Cause: err.Reason, Err: err})
		return err
	}
	report(tr, tr.Peer, Event{Peer: host, Certificate: cs.PeerCertificates[0], Resumed: cs.DidResume})
	return nil
}
