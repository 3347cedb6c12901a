package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Authorizer decides whether a verified peer may connect: nil lets it in. It runs
// at every handshake, resumed ones too, in several goroutines at the same time.
type Authorizer func(Identity) error

// ServerTLSConfig returns a new tls.Config for servers with mutual TLS: clients
// must show a certificate (tls.RequireAndVerifyClientCert), crypto/tls verifies
// it for client authentication, and then one complete chain must be valid and
// pass the policies, and allow must let its holder in. All of it counts for
// resumed sessions too.
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
	c, err := s.verifier.Check(cs.VerifiedChains, s.clock())
	if err != nil {
		return fmt.Errorf("pkioverheid: the client's certificate was refused: %w", err)
	}
	id := identityOf(c)
	if id.Role != EndEntity {
		return fmt.Errorf("pkioverheid: %s is a CA, and no CA is let in as a client", quoteName(id.Certificate))
	}
	id.addedRoot = s.systemRoots.Contains(c.Root())
	if err := allow(id); err != nil {
		return fmt.Errorf("pkioverheid: %s is not let in: %w", quoteName(id.Certificate), err)
	}
	return nil
}

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
		if id.OIN == "" {
			return errors.New("pkioverheid: the certificate bears no OIN")
		}
		if !slices.Contains(oins, id.OIN) {
			return fmt.Errorf("pkioverheid: OIN %s is not on the list", id.OIN)
		}
		return nil
	}
}

// AllowAnySystem lets in every system of PKIoverheid: every certificate with the
// policy of one, below a CA that is known here or below Config.ClientRoots or
// Config.TrialRoots. Persons have certificates under the same roots, and are
// refused; so are certificates below Config.Roots whose hierarchy is not known.
func AllowAnySystem() Authorizer { return checkSystem }

// systemPolicies are the policies of certificates for systems, by hierarchy
// (facts.md §5 and §8); under the zero Hierarchy those that may come under
// Config.ClientRoots and Config.TrialRoots: G4 G-Other, and test chains.
var systemPolicies = [...][]string{
	0: {
		"2.16.528.1.1003.1.2.8.6",
		"2.16.528.1.1003.1.2.44.15.35.11",
		"2.16.528.1.1003.1.2.44.16.25.8",
		"2.16.528.1.1003.1.2.41.15.35.11",
		"2.16.528.1.1003.1.2.41.16.25.8",
	},
	EV:           {"2.16.528.1.1003.1.2.5.8", "2.16.528.1.1003.1.2.5.9"},
	PrivateG1:    {"2.16.528.1.1003.1.2.8.6"},
	PrivateG4TLS: {"2.16.528.1.1003.1.2.44.15.35.11"},
	G3:           nil,
}

var errNoSystem = errors.New("pkioverheid: not the certificate of a system: it has none of the policies that PKIoverheid gives to systems")

func checkSystem(id Identity) error {
	if id.Role != EndEntity || int(id.Hierarchy) >= len(systemPolicies) || id.Hierarchy == 0 && !id.addedRoot {
		return errNoSystem
	}
	system := slices.ContainsFunc(id.Policies, func(p x509.OID) bool {
		return slices.Contains(systemPolicies[id.Hierarchy], p.String())
	})
	if !system {
		return errNoSystem
	}
	return nil
}
