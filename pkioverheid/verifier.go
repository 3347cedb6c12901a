package pkioverheid

import (
	"github.com/go-pkioverheid/trust/chain"
)

// NewVerifier returns a chain.Verifier that trusts what cfg says, and refuses what
// all configurations of this package refuse, for certificates that come in another
// way than a TLS handshake: in SAML metadata, beside a signature, from an archive.
//
// The time to verify at goes with each certificate, in chain.VerifyOptions, and so
// do the key usages, which are those of a server if nothing is said. Of cfg,
// Hierarchies, Roots, OnlyRoots, TrialRoots, Policy and Revocation count, and
// RootSource with what it holds now. Like crypto/x509 the Verifier accepts a CA that
// it trusts as what is to be verified: whoever wants no CA looks at IsCA.
func NewVerifier(cfg Config) (*chain.Verifier, error) {
	cfg = cfg.snapshot()
	if cfg.RootSource != nil {
		cfg.fromSource = cfg.RootSource.Store()
	}
	t, err := newTrust(cfg, forServers)
	if err != nil {
		return nil, err
	}
	return t.judge, nil
}
