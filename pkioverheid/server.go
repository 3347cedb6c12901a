package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
)

// IdentifyCallers returns a function that tells a server who is at the other side of a
// connection that crypto/tls verified, for servers that are not of net/http, such as
// gRPC; for net/http there is [RequireIdentity]. It knows what [PeerIdentity] does not:
// callers below [Config.ClientRoots] and the other roots of cfg, which is the Config
// of the server's [ServerTLSConfig].
//
// Each call judges the verified chains anew, by the time, the policies and the roots of
// that moment, and cfg.Revocation: ask for each request, so that a certificate that has
// ended or was revoked, and a root that was taken away, stop counting on connections
// that stay open. An identity is not yet a permission:
// see [AllowOIN]. It is an error if the caller showed no certificate that was verified,
// if no chain passes, and for a CA. The function is safe for concurrent use.
func IdentifyCallers(cfg Config) (func(*tls.ConnectionState) (Identity, error), error) {
	l, err := newLive(cfg, func(cfg Config) (*trust, error) { return newTrust(cfg, forClients) })
	if err != nil {
		return nil, err
	}
	return func(cs *tls.ConnectionState) (Identity, error) {
		if cs == nil || len(cs.VerifiedChains) == 0 {
			return Identity{}, errNotVerified
		}
		return l.get().caller(cs.VerifiedChains)
	}, nil
}

// ServerTLSConfig returns a new tls.Config for servers with mutual TLS: clients
// must show a certificate (tls.RequireAndVerifyClientCert), crypto/tls verifies
// it for client authentication, and then one complete chain must be valid and
// pass the policies and cfg.Revocation, and allow must let its holder in. All of it
// counts for resumed sessions too.
//
// cfg.Certificate is the server's own and must be set; who needs several sets
// GetCertificate on the result. The CAs that the server announces are those that
// cfg trusts, cfg.ClientRoots among them, without G3 and without those that have ended
// when the configuration is made, or when RootSource changes.
//
// With cfg.RootSource, GetConfigForClient of the result gives each handshake a copy
// of it, as it was at the first one. What else is needed, HTTP/2 in NextProtos for
// one, must be set on the result itself before: on a Clone it has no effect, and
// httptest and gRPC make one.
//
// allow may not be nil: a valid certificate of PKIoverheid is not yet an
// authorised system. See [AllowOIN] and [AllowAnySystem]. It is an error if it says that
// it cannot work, because of an OIN that is not valid perhaps.
func ServerTLSConfig(cfg Config, allow Authorizer) (*tls.Config, error) {
	if allow == nil {
		return nil, errors.New("pkioverheid: ServerTLSConfig needs an Authorizer: AllowOIN(…) lets in whom you name, AllowAnySystem() every system of PKIoverheid")
	}
	if cfg.Certificate == nil {
		return nil, errors.New("pkioverheid: ServerTLSConfig needs Config.Certificate, the server's own: see LoadKeyPair")
	}
	if err := faultOf(allow); err != nil {
		return nil, err
	}
	l, err := newLive(cfg, newServerSide)
	if err != nil {
		return nil, err
	}
	s := l.get()
	tc := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		CipherSuites: cipherSuites(),
		Certificates: []tls.Certificate{*s.certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    s.pool,
		Time:         s.clock,
		VerifyConnection: func(cs tls.ConnectionState) error {
			return l.get().verifyConnection(cs, allow)
		},
	}
	if cfg.RootSource != nil {
		// As it is at the first handshake, with what was set on it since.
		ready := sync.OnceValue(func() *tls.Config {
			c := tc.Clone()
			c.GetConfigForClient = nil
			return c
		})
		tc.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			now := ready().Clone()
			now.ClientCAs = l.get().pool
			return now, nil
		}
	}
	return tc, nil
}

// serverSide is what a Config amounts to for a server.
type serverSide struct {
	*trust
	certificate *tls.Certificate
	pool        *x509.CertPool
}

func newServerSide(cfg Config) (*serverSide, error) {
	t, err := newTrust(cfg, forClients)
	if err != nil {
		return nil, err
	}
	own, err := t.withChain(cfg.Certificate, "Config.Certificate")
	if err != nil {
		return nil, err
	}
	return &serverSide{t, own, t.announced.CertPool(t.clock)}, nil
}

func (s *serverSide) verifyConnection(cs tls.ConnectionState, allow Authorizer) error {
	c, err := s.check(cs)
	if err != nil {
		return refusedClient(err)
	}
	id, err := s.identify(c)
	if err != nil {
		return err
	}
	if err := allow(id); err != nil {
		return fmt.Errorf("pkioverheid: %s is not let in: %w", quote.Certificate(id.Certificate()), err)
	}
	return nil
}

// caller identifies a client from what crypto/tls verified, on a connection that may
// have been open for long: what was stapled to its handshake does not count any more.
func (t *trust) caller(verified [][]*x509.Certificate) (Identity, error) {
	c, err := t.judge.Check(verified, t.clock())
	if err != nil {
		return Identity{}, refusedClient(err)
	}
	return t.identify(c)
}

func refusedClient(err error) error {
	return fmt.Errorf("pkioverheid: the client's certificate was refused: %w", err)
}

// identify reads the verified chain of a client.
func (t *trust) identify(c chain.Chain) (Identity, error) {
	return identityOf(c, t.systemRoots.Contains(c.Root()))
}
