package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// ServerConfig says whom a server trusts and what it shows.
type ServerConfig struct {
	Trust Trust

	// KeyPairs are the server's own, in the order in which it prefers them (see
	// KeyPair.PreferFrom): it shows the first whose signature algorithms, its chain's too,
	// the client takes. They may be empty only with a Proxy. See [LoadKeyPair].
	KeyPairs []*KeyPair

	// AllowUnsuitable takes key pairs that have ended or are not for servers
	// (serverAuth), which are errors otherwise.
	AllowUnsuitable bool

	// ClientRoots are trusted as well, for the certificates of clients, such as "Staat der
	// Nederlanden - G4 Root Priv G-Other - 2024", under which certificates without a domain
	// name are issued. What cannot be in Trust.Roots cannot be here. nil adds nothing.
	ClientRoots *truststore.Source

	// Proxy is the proxy in front that ends TLS. If it is set, Handler takes the
	// callers' certificates from its header and from nowhere else. nil is none: they
	// come from the TLS connection.
	Proxy *Proxy

	// OnRefusal answers a request that Handler refuses. status is 403, or 400 where a
	// proxy's header cannot be read. err is an *[AccessError], whose Problem is for the
	// caller to read. If OnRefusal is nil or writes nothing, the answer is the text of
	// err; what it writes without WriteHeader has that status. It runs concurrently.
	OnRefusal func(w http.ResponseWriter, r *http.Request, status int, err error)

	// SessionLifetime is how long a client may resume TLS sessions after the handshake in
	// which it signed with its key. Zero means 24 hours; the most for one ticket is seven
	// days. A session also ends with the certificate that the server showed.
	SessionLifetime time.Duration
}

// Server verifies who calls, and lets in whom its [Authorizer] allows: in the TLS
// handshake, in handlers of net/http, behind a proxy that ends TLS, and in other
// protocols. Make it once; it is safe for concurrent use.
type Server struct {
	allow           Authorizer
	current         *current[*serverState]
	trust           Trust // for Logger
	tracing         *tracing
	callers         callers
	onRefusal       func(w http.ResponseWriter, r *http.Request, status int, err error)
	requestLog      logLimit
	sessionLifetime time.Duration
}

// NewServer returns a Server. allow may not be nil: a PKIoverheid certificate is not an
// authorisation. See [AllowOIN], [AllowTSP] and [AllowAnySystem]. It is an error if allow
// says that it cannot work, because of an OIN that is not valid perhaps.
func NewServer(cfg ServerConfig, allow Authorizer) (*Server, error) {
	switch {
	case allow == nil:
		return nil, errors.New("pkioverheid: NewServer needs an Authorizer, such as AllowOIN(…) or AllowAnySystem()")
	case len(cfg.KeyPairs) == 0 && cfg.Proxy == nil:
		return nil, errors.New("pkioverheid: ServerConfig.KeyPairs is empty: load one with LoadKeyPair, or set Proxy where a proxy ends TLS for this server")
	case cfg.SessionLifetime < 0:
		return nil, errors.New("pkioverheid: ServerConfig.SessionLifetime is negative: for no resumption set SessionTicketsDisabled")
	}
	if err := checkPairs("ServerConfig.KeyPairs", cfg.KeyPairs); err != nil {
		return nil, err
	}
	for _, k := range cfg.KeyPairs {
		if len(k.Hosts) > 0 {
			return nil, errors.New("pkioverheid: ServerConfig.KeyPairs holds a KeyPair with Hosts, which are for clients")
		}
	}
	if err := faultOf(allow); err != nil {
		return nil, err
	}
	s := &Server{allow: allow, trust: cfg.Trust.snapshot(), tracing: newTracing(cfg.Trust), sessionLifetime: cfg.SessionLifetime, onRefusal: cfg.OnRefusal}
	if s.sessionLifetime == 0 {
		s.sessionLifetime = defaultSessionLifetime
	}
	if cfg.Proxy != nil {
		p, err := newProxyHeader(*cfg.Proxy)
		if err != nil {
			return nil, err
		}
		s.callers.proxy = p
	}
	c, err := newCurrent(sources{
		roots: cfg.Trust.Roots, clientRoots: cfg.ClientRoots, distrusted: cfg.Trust.Distrusted,
		pairs: cfg.KeyPairs, clock: clockOf(cfg.Trust.Time), tracing: s.tracing, server: true,
	}, cfg.Trust.Logger, func(now contents) (*serverState, error) {
		return newServerState(s.trust, now, cfg.AllowUnsuitable)
	})
	if err != nil {
		return nil, err
	}
	s.current = c
	c.get().own.daily()
	return s, nil
}

// serverState is what a ServerConfig amounts to, with the contents that its sources have.
type serverState struct {
	*trustState
	pairs []ownPair
	own   *ownCertificates
}

func newServerState(cfg Trust, now contents, allowUnsuitable bool) (*serverState, error) {
	t, err := now.trust(func() (*trustState, error) { return newTrustState(cfg, forClients, cfg.trusted(), now.trustContents) })
	if err != nil {
		return nil, err
	}
	pairs := t.showable(now, nil)
	own := &ownCertificates{trust: t, tracing: now.tracing, pairs: pairs, server: true}
	if now.first {
		if err := own.check("ServerConfig.KeyPairs", allowUnsuitable); err != nil {
			return nil, err
		}
	}
	return &serverState{t, pairs, own}, nil
}

// TLSConfig returns a new tls.Config for mutual TLS, which is safe alone: clients must show
// a certificate for client authentication, one complete chain must pass the policies and
// Trust.Revocation, and the server's Authorizer must let its holder in; on resumed sessions
// too. With QUIC, 0-RTT is refused.
//
// After a change of roots or key pairs, handshakes get a copy of the result as it was at the
// first one: set what else is needed, such as NextProtos, on the result and not on a Clone.
func (s *Server) TLSConfig() *tls.Config { return s.tlsConfig(s.allow) }

// TLSConfigForHandler is [Server.TLSConfig] for connections whose every request passes
// [Server.Handler]: it lets in every verified system, and the Handler asks the server's
// Authorizer, so that who is refused reads why.
func (s *Server) TLSConfigForHandler() *tls.Config { return s.tlsConfig(checkSystem) }

func (s *Server) tlsConfig(allow Authorizer) *tls.Config {
	first := s.current.get()
	firstCAs := first.announced.now()
	tc := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		CipherSuites: cipherSuites(),
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    firstCAs,
		Time:         first.clock,
		VerifyConnection: func(cs tls.ConnectionState) error {
			return s.current.get().verifyConnection(cs, allow)
		},
	}
	resumable := &sessions{tickets: tc, lifetime: s.sessionLifetime, clock: first.clock}
	if len(first.pairs) > 0 {
		tc.Certificates = []tls.Certificate{*first.pairs[0].Certificate}
		resumable.bind(tc, first.pairs[0].Leaf)
	}
	// As it is at the first handshake, with what was set on it since.
	ready := sync.OnceValue(func() *tls.Config {
		c := tc.Clone()
		c.GetConfigForClient = nil
		return c
	})
	tc.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		base, now := ready(), s.current.get()
		now.own.daily()
		pair, place, err := now.pairFor(hello, base.MaxVersion)
		if err != nil {
			return nil, err
		}
		s.tracing.shownBy(hello, pair, place)
		cas := now.announced.now()
		if cas == firstCAs && now == first && pair == first.pairs[0].Certificate {
			return nil, nil // as it is
		}
		c := base.Clone()
		c.Certificates, c.ClientCAs = []tls.Certificate{*pair}, cas
		resumable.bind(c, pair.Leaf)
		return c, nil
	}
	return tc
}

// pairFor returns the first key pair that the client can verify, or else the first.
func (s *serverState) pairFor(hello *tls.ClientHelloInfo, most uint16) (pair *tls.Certificate, place int, err error) {
	switch len(s.pairs) {
	case 0:
		return nil, -1, errors.New("pkioverheid: ServerConfig.KeyPairs is empty, because a proxy ends TLS for this server")
	case 1:
		return s.pairs[0].Certificate, 0, nil
	}
	at := s.clock()
	for i, pair := range s.pairs {
		if i > 0 && at.After(pair.Leaf.NotAfter) {
			break // ended ones are last
		}
		if verifiable(pair.Certificate, hello, most) {
			return pair.Certificate, i, nil
		}
	}
	return s.pairs[0].Certificate, 0, nil
}

func (s *serverState) verifyConnection(cs tls.ConnectionState, allow Authorizer) error {
	tr := s.own.tracing
	refused := func(reason FailureReason, err error) error {
		e := Event{Server: true, Reason: reason, Err: err}
		var failed *chain.Error
		if reason == RefusedPeer && errors.As(err, &failed) {
			e.Cause = failed.Reason
		}
		report(tr, tr.Failed, e)
		return &reportedError{err}
	}
	c, err := s.check(cs, x509.ExtKeyUsageClientAuth)
	if err != nil {
		return refused(RefusedPeer, refusedClient(err))
	}
	id, err := s.identify(c)
	if err != nil {
		return refused(RefusedPeer, err)
	}
	if err := allow(id); err != nil {
		return refused(NotLetIn, notLetIn(id, err))
	}
	report(tr, tr.Peer, Event{Server: true, Certificate: id.Certificate(), Hierarchy: id.Hierarchy(), OIN: id.OIN(), Resumed: cs.DidResume})
	return nil
}

// Identify returns who is at the other side of a connection that crypto/tls verified, for
// servers that are not of net/http: gRPC, fasthttp, HTTP/3. It is an error if the caller
// showed no verified certificate for client authentication, or the server's Authorizer
// refuses. Each call verifies and authorises anew, by the present time, roots and
// revocation lists: ask for each request, after the handshake.
func (s *Server) Identify(cs *tls.ConnectionState) (Identity, error) {
	if cs == nil || len(cs.VerifiedChains) == 0 {
		report(s.tracing, s.tracing.Refused, Event{Server: true, Reason: NoCertificate, Err: errNotVerified})
		return Identity{}, errNotVerified
	}
	if inHandshake(cs) {
		report(s.tracing, s.tracing.Refused, Event{Server: true, Reason: NoCertificate, Err: errInHandshake})
		return Identity{}, errInHandshake
	}
	id, err := s.current.get().caller(cs.VerifiedChains)
	known := &id
	if err != nil {
		known = nil
	} else if err = s.allow(id); err != nil {
		err = notLetIn(id, err)
	}
	if err != nil {
		e := Event{Server: true, Err: err}
		e.Reason, e.Cause = failureOf(known, err)
		report(s.tracing, s.tracing.Refused, e)
		return Identity{}, err
	}
	return id, nil
}
