package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/go-pkioverheid/trust/chain"
)

// ClientTLSConfig returns a new tls.Config for clients, for whatever takes one:
// tls.Dial, a message broker, gRPC. For HTTP use [NewClient] or [NewTransport],
// whose errors say more.
//
// It trusts what cfg says, from TLS 1.2 on and with the cipher suites that the
// NCSC rates good or sufficient, and shows cfg.Certificate. crypto/tls's own
// verification stays on; VerifyConnection then asks for a complete chain that is
// valid and passes the policies and cfg.Revocation, on resumed sessions too. Its errors are
// *[ServerCertificateError]; what crypto/tls refuses itself is a
// *tls.CertificateVerificationError. Setting InsecureSkipVerify on the result
// leaves nothing verified, and every connection is refused. A ClientSessionCache
// set on the result must not serve another tls.Config as well: what is resumed
// from it was agreed by the other's certificate. cfg.Base is not used.
func ClientTLSConfig(cfg Config) (*tls.Config, error) {
	l, err := newLive(cfg, newClientSide)
	if err != nil {
		return nil, err
	}
	tc := l.get().tlsConfig()
	tc.VerifyConnection = func(cs tls.ConnectionState) error { return l.get().verifyConnection(cs) }
	return tc, nil
}

// clientSide is what a Config amounts to for a client.
type clientSide struct {
	*trust
	certificate    *tls.Certificate
	getCertificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)
	renegotiate    bool
}

func newClientSide(cfg Config) (*clientSide, error) {
	t, err := newTrust(cfg, forServers)
	if err != nil {
		return nil, err
	}
	c := &clientSide{trust: t, getCertificate: cfg.GetCertificate, renegotiate: cfg.Renegotiate}
	if cfg.Certificate != nil {
		if c.certificate, err = t.withChain(cfg.Certificate, "Config.Certificate"); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *clientSide) tlsConfig() *tls.Config {
	tc := &tls.Config{
		MinVersion:           tls.VersionTLS12,
		CipherSuites:         cipherSuites(),
		RootCAs:              c.verifier.CertPool(c.clock),
		Time:                 c.clock,
		GetClientCertificate: c.clientCertificate,
		VerifyConnection:     c.verifyConnection,
	}
	if c.renegotiate {
		tc.Renegotiation = tls.RenegotiateOnceAsClient
	}
	return tc
}

func (c *clientSide) verifyConnection(cs tls.ConnectionState) error {
	if _, err := c.check(cs); err != nil {
		return serverError(quoteHost(cs.ServerName), err)
	}
	return nil
}

// clientCertificate is tls.Config.GetClientCertificate. It shows what crypto/tls
// would, and notes for Transport what was asked and what was shown.
func (c *clientSide) clientCertificate(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	cert := c.certificate
	if c.getCertificate != nil {
		var err error
		if cert, err = c.getCertificate(info); err != nil {
			return nil, err
		}
		if cert != nil && len(cert.Certificate) == 1 {
			if cert, err = c.withChain(cert, "what Config.GetCertificate returned"); err != nil {
				return nil, err
			}
		}
	}
	asked := certificateRequest{acceptableCAs: info.AcceptableCAs, certificate: leafOf(cert)}
	if asked.certificate != nil {
		asked.chain = cert.Certificate
		asked.unsupported = info.SupportsCertificate(cert)
		asked.sent = asked.unsupported == nil
	}
	noteRequest(info.Context(), asked)
	if !asked.sent {
		return new(tls.Certificate), nil // none; nil would be an error
	}
	return cert, nil
}

// leafOf returns the certificate of a key pair, nil where there is none.
func leafOf(cert *tls.Certificate) *x509.Certificate {
	if cert == nil || len(cert.Certificate) == 0 {
		return nil
	}
	if cert.Leaf != nil {
		return cert.Leaf
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}

// withChain returns a copy of a key pair that is shown with all certificates
// below its root. A client's needs them most: crypto/tls shows a certificate only
// if one of its chain was issued by a CA that the server announces.
func (t *trust) withChain(pair *tls.Certificate, what string) (*tls.Certificate, error) {
	if len(pair.Certificate) == 0 || pair.PrivateKey == nil {
		return nil, fmt.Errorf("pkioverheid: %s holds no certificate or no private key: see LoadKeyPair", what)
	}
	var certs []*x509.Certificate
	for i, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("pkioverheid: %s: certificate %d: %w", what, i+1, err)
		}
		certs = append(certs, c)
	}
	leaf := certs[0]
	complete := *pair
	complete.Leaf = leaf
	path := t.path(leaf, certs[1:])
	if len(path) > 1 {
		complete.Certificate = nil
		for _, c := range path {
			if !selfIssued(c) || c == leaf {
				complete.Certificate = append(complete.Certificate, c.Raw)
			}
		}
	}
	return &complete, nil
}

// path returns the certificates from leaf up, as far as they can be found in
// extra and among all that is known here.
func (t *trust) path(leaf *x509.Certificate, extra []*x509.Certificate) chain.Chain {
	certs := slices.Concat([]*x509.Certificate{leaf}, extra)
	path, err := t.verifier.Complete(certs, t.clock())
	if err == nil && path.Leaf() == leaf {
		return path
	}
	// Not under a root that is trusted here: a client's own may be another's.
	certs = append(certs, t.known...)
	var failed *chain.Error
	if _, err = t.verifier.Complete(certs, t.clock()); errors.As(err, &failed) && failed.Chain.Leaf() == leaf {
		return failed.Chain
	}
	return chain.Chain{leaf}
}
