package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

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

// Authorizer decides whether a verified peer may connect: nil lets it in. It runs
// at every handshake, resumed ones too, in several goroutines at the same time.
type Authorizer func(Identity) error

// ServerTLSConfig returns a new tls.Config for servers with mutual TLS: clients
// must show a certificate (tls.RequireAndVerifyClientCert), crypto/tls verifies
// it for client authentication, and then one complete chain must be valid and
// pass the policies and cfg.Revocation, and allow must let its holder in. All of it
// counts for resumed sessions too.
//
// cfg.Certificate is the server's own and must be set; who needs several sets
// GetCertificate on the result. The CAs that the server announces are those that
// cfg trusts, cfg.ClientRoots among them; G3 is not.
//
// With cfg.RootSource, GetConfigForClient of the result gives each handshake a copy
// of it, as it was at the first one. What else is needed, HTTP/2 in NextProtos for
// one, must be set on the result itself before: on a Clone it has no effect, and
// httptest and gRPC make one.
//
// allow may not be nil: a valid certificate of PKIoverheid is not yet an
// authorised system. See [AllowOIN] and [AllowAnySystem].
func ServerTLSConfig(cfg Config, allow Authorizer) (*tls.Config, error) {
	if allow == nil {
		return nil, errors.New("pkioverheid: ServerTLSConfig needs an Authorizer: AllowOIN(…) lets in whom you name, AllowAnySystem() every system of PKIoverheid")
	}
	if cfg.Certificate == nil {
		return nil, errors.New("pkioverheid: ServerTLSConfig needs Config.Certificate, the server's own: see LoadKeyPair")
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
	return &serverSide{t, own, t.verifier.CertPool(t.clock)}, nil
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

// An AccessError is an [Authorizer]'s refusal with a reason that the caller may read:
// [RequireIdentity] sends it, where of any other error the caller learns no more
// than that it was refused. It is used as *AccessError. The refusals of this
// package's own Authorizers are such.
type AccessError struct {
	// Reason is what is told, in a few words, with nothing secret in it.
	Reason string
}

// Error returns the reason behind the name of the package.
func (e *AccessError) Error() string { return "pkioverheid: " + e.Reason }

// AllowOIN lets in systems whose certificate bears one of the OINs. An empty list
// lets in nobody. An organisation may have two valid OINs: name both.
//
// Like [AllowAnySystem] it asks for the policy of a system's certificate first.
func AllowOIN(oins ...OIN) Authorizer {
	oins = slices.Clone(oins)
	return func(id Identity) error {
		if err := checkSystem(id); err != nil {
			return err
		}
		if id.oin == "" {
			return errNoOIN()
		}
		if !slices.Contains(oins, id.oin) {
			return errNotListed(id.oin)
		}
		return nil
	}
}

func errNoOIN() error { return &AccessError{"the certificate bears no OIN"} }

func errNotListed(oin OIN) error {
	return &AccessError{"OIN " + string(oin) + " is not on the list"}
}

// OINList is a list of OINs that may change while a server runs. Its method Allow is
// an [Authorizer] that lets in whom [AllowOIN] would, by the list as it is at that
// moment. The zero value lets in nobody. It is safe for concurrent use and must not
// be copied.
type OINList struct {
	oins atomic.Pointer[map[OIN]bool]
}

// Set replaces the whole list. If one of the OINs is not valid, that is the error and
// the list stays what it was.
func (l *OINList) Set(oins ...OIN) error {
	list := make(map[OIN]bool, len(oins))
	for _, oin := range oins {
		if err := oin.Validate(); err != nil {
			return fmt.Errorf("pkioverheid: the list of OINs stays as it was: %w", err)
		}
		list[oin] = true
	}
	l.oins.Store(&list)
	return nil
}

// Allow lets in systems whose certificate bears an OIN of the list.
func (l *OINList) Allow(id Identity) error {
	if err := checkSystem(id); err != nil {
		return err
	}
	if id.oin == "" {
		return errNoOIN()
	}
	if list := l.oins.Load(); list == nil || !(*list)[id.oin] {
		return errNotListed(id.oin)
	}
	return nil
}

// RefuseTestOIN lets in whom allow does, but nobody with a number for tests
// ([OIN.IsTest]). A nil allow gives nil, which ServerTLSConfig refuses.
func RefuseTestOIN(allow Authorizer) Authorizer {
	if allow == nil {
		return nil
	}
	return func(id Identity) error {
		if id.oin.IsTest() {
			return &AccessError{"OIN " + string(id.oin) + " is a number for tests, which anyone may use"}
		}
		return allow(id)
	}
}

// AllowAnySystem lets in every system of PKIoverheid: every certificate with the
// policy of one, below a CA that is known here or below Config.ClientRoots or
// Config.TrialRoots. Persons have certificates under the same roots, and are
// refused; so are certificates below Config.Roots whose hierarchy is not known.
func AllowAnySystem() Authorizer { return checkSystem }

func errNoSystem() error {
	return &AccessError{"not the certificate of a system: it has none of the policies that PKIoverheid gives to systems"}
}

func checkSystem(id Identity) error {
	if id.kind != System {
		return errNoSystem()
	}
	return nil
}
