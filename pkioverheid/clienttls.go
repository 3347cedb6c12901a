package pkioverheid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"iter"
	"net/http"
	"slices"
)

// ClientConfig says whom a client trusts and what it shows.
type ClientConfig struct {
	Trust Trust

	// KeyPairs are the client's own, in the order in which it prefers them: it shows
	// the first that is under a CA which the server announces and whose signature
	// algorithms the server takes. Empty shows none. See [LoadKeyPair].
	KeyPairs []*KeyPair

	// PublicHosts, for NewClient and NewTransport, are servers that have a certificate of
	// a public CA and want ours: exact host names in ASCII, each with or without a port.
	// They alone are verified by the roots of the operating system, and by these alone. Of
	// Trust, only Time and Distrusted count for them. Certificates of PKIoverheid are
	// refused there. An https proxy to them must be listed too.
	PublicHosts []string

	// AllowUnsuitable takes key pairs that have ended or are not for clients
	// (clientAuth), which are errors otherwise.
	AllowUnsuitable bool

	// RenegotiateHosts, for NewClient and NewTransport, are servers that ask for the
	// certificate late, as Apache and IIS do for some paths only: exact host names in
	// ASCII, each with or without a port. The client offers them TLS 1.2 without HTTP/2,
	// and one renegotiation a connection: crypto/tls does not know TLS 1.3's way.
	RenegotiateHosts []string

	// Base, for NewTransport and NewClient, is the transport whose proxy, timeouts,
	// HTTP/2 and dial settings to use, and whose TLSClientConfig is completed. It is
	// copied. What would get around verification or contradict this ClientConfig is an
	// error, such as DialTLSContext, InsecureSkipVerify, RootCAs and Certificates. nil
	// means the settings of http.DefaultTransport.
	Base *http.Transport
}

// ClientTLSConfig returns a new tls.Config for clients that are not of HTTP: tls.Dial, a
// message broker, gRPC. For HTTP use [NewClient] or [NewTransport], whose errors say more.
//
// VerifyConnection asks, after crypto/tls, for a complete chain that passes the policies and
// Trust.Revocation, on resumed sessions too. Its errors are *[ServerCertificateError];
// [Explain] makes all others ours. With InsecureSkipVerify every connection is refused.
//
// It sets no ClientSessionCache, because a session goes on with the certificate that it
// began with. No two configurations may share one.
func ClientTLSConfig(cfg ClientConfig) (*tls.Config, error) {
	if cfg.Base != nil {
		return nil, errors.New("pkioverheid: ClientConfig.Base is for NewTransport and NewClient: ClientTLSConfig makes no http.Transport")
	}
	for _, k := range cfg.KeyPairs {
		if k != nil && len(k.Hosts) > 0 {
			return nil, errors.New("pkioverheid: KeyPair.Hosts is for NewTransport and NewClient: a tls.Config does not know its host")
		}
	}
	if len(cfg.PublicHosts) > 0 {
		return nil, errors.New("pkioverheid: ClientConfig.PublicHosts is for NewTransport and NewClient: a tls.Config does not know its host")
	}
	if len(cfg.RenegotiateHosts) > 0 {
		return nil, errors.New("pkioverheid: ClientConfig.RenegotiateHosts is for NewTransport and NewClient: a tls.Config does not know its host")
	}
	c, err := newCurrentClient(cfg, newClientState)
	if err != nil {
		return nil, err
	}
	c.get().own.daily()
	tc := c.get().tlsConfig()
	tc.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return c.get().clientCertificate(info)
	}
	tc.VerifyConnection = func(cs tls.ConnectionState) error { return c.get().verifyConnection(cs) }
	return tc, nil
}

// newCurrentClient builds from a copy of cfg, with what its sources hold.
func newCurrentClient[T any](cfg ClientConfig, build func(ClientConfig, contents) (T, error)) (*current[T], error) {
	if err := checkPairs("ClientConfig.KeyPairs", cfg.KeyPairs); err != nil {
		return nil, err
	}
	late, err := newHostList("ClientConfig.RenegotiateHosts", cfg.RenegotiateHosts)
	if err != nil {
		return nil, err
	}
	public, err := newHostList("ClientConfig.PublicHosts", cfg.PublicHosts)
	if err != nil {
		return nil, err
	}
	cfg.RenegotiateHosts, cfg.PublicHosts = late, public
	cfg.Trust = cfg.Trust.snapshot()
	pairs := cfg.KeyPairs
	cfg.KeyPairs = make([]*KeyPair, len(pairs))
	for i, k := range pairs { // Hosts as they are now; what the pair holds is asked of pairs
		hosts, err := hostNames("KeyPair.Hosts", k.Hosts)
		if err != nil {
			return nil, err
		}
		cfg.KeyPairs[i] = &KeyPair{Hosts: hosts}
	}
	if cfg.Base != nil {
		cfg.Base = cfg.Base.Clone()
	}
	return newCurrent(sources{roots: cfg.Trust.Roots, distrusted: cfg.Trust.Distrusted, pairs: pairs, clock: clockOf(cfg.Trust.Time), tracing: newTracing(cfg.Trust)}, cfg.Trust.Logger, func(now contents) (T, error) {
		return build(cfg, now)
	})
}

// clientState is what a ClientConfig amounts to, with the contents that its sources have.
type clientState struct {
	*trustState
	pairs []ownPair
	own   *ownCertificates
}

func newClientState(cfg ClientConfig, now contents) (*clientState, error) {
	t, err := now.trust(func() (*trustState, error) {
		return newTrustState(cfg.Trust, forServers, cfg.Trust.trusted(), now.trustContents)
	})
	if err != nil {
		return nil, err
	}
	var hosts [][]string
	for _, k := range cfg.KeyPairs {
		hosts = append(hosts, k.Hosts)
	}
	pairs := t.showable(now, hosts)
	own := &ownCertificates{trust: t, tracing: now.tracing, pairs: pairs}
	if now.first {
		if err := own.check("ClientConfig.KeyPairs", cfg.AllowUnsuitable); err != nil {
			return nil, err
		}
	}
	return &clientState{trustState: t, pairs: pairs, own: own}, nil
}

func (c *clientState) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS12,
		CipherSuites:         cipherSuites(),
		RootCAs:              c.verifier.CertPool(c.clock),
		Time:                 c.clock,
		GetClientCertificate: c.clientCertificate,
		VerifyConnection:     c.verifyConnection,
	}
}

func (c *clientState) verifyConnection(cs tls.ConnectionState) error {
	c.own.daily()
	host := quoteHost(cs.ServerName)
	verified, err := c.check(cs, x509.ExtKeyUsageServerAuth)
	if err != nil {
		err := serverError(host, err)
		report(c.own.tracing, c.own.tracing.Failed, Event{Peer: host, Reason: RefusedPeer, Cause: err.Reason, Err: err})
		return err
	}
	if tr := c.own.tracing; tr.Peer != nil {
		claim, _ := ClaimOf(verified.Leaf())
		report(tr, tr.Peer, Event{Peer: host, Certificate: verified.Leaf(), Hierarchy: claim.Hierarchy, OIN: claim.OIN, Resumed: cs.DidResume})
	}
	return nil
}

// clientCertificate is tls.Config.GetClientCertificate.
func (c *clientState) clientCertificate(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return c.showTo("", info)
}

// showTo chooses what to show to the peer that info has, or else to host. It records for
// Transport what was asked and what was shown.
func (c *clientState) showTo(host string, info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	c.own.daily() // the peer may refuse it
	asked := certificateRequest{acceptableCAs: info.AcceptableCAs}
	ctx := info.Context()
	if ctx == nil { // of a request that a test made
		ctx = context.Background()
	}
	if known := hostOf(ctx); known != "" {
		host = known
	}
	shown, place := new(tls.Certificate), -1 // none; nil would be an error
	for i, pair := range c.pairsFor(host) {
		if asked.sent {
			asked.next = pair.Leaf
			break
		}
		unsupported := info.SupportsCertificate(pair)
		if unsupported == nil || asked.certificate == nil {
			asked.certificate, asked.chain, asked.unsupported = pair.Leaf, pair.Certificate, unsupported
		}
		if unsupported == nil {
			asked.sent = true
			shown, place = pair, i
		}
	}
	recordRequest(ctx, asked, c.clock)
	if tr := c.own.tracing; tr.Shown != nil {
		report(tr, tr.Shown, Event{Peer: quoteHost(host), Certificate: shown.Leaf, Hierarchy: claimedHierarchy(shown.Leaf), Place: place, Announced: len(info.AcceptableCAs) > 0})
	}
	return shown, nil
}

// pairsFor returns the pairs that may be shown to a host, with their places: none to one
// that is not known, where a pair is for some hosts only.
func (c *clientState) pairsFor(host string) iter.Seq2[int, *tls.Certificate] {
	return func(yield func(int, *tls.Certificate) bool) {
		if host == "" && c.bound() {
			return
		}
		for i, p := range c.pairs {
			if (len(p.hosts) == 0 || slices.Contains(p.hosts, host)) && !yield(i, p.Certificate) {
				return
			}
		}
	}
}

// bound reports whether a pair is for some hosts only.
func (c *clientState) bound() bool {
	return slices.ContainsFunc(c.pairs, func(p ownPair) bool { return len(p.hosts) > 0 })
}

// cipherSuites are those of TLS 1.2 that the NCSC's guidelines of 2025 rate good
// or sufficient (facts.md §7, TLSCIPH001) and crypto/tls has. TLS 1.3 has good
// ones only.
func cipherSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	}
}
