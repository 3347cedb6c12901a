package pkioverheid

import (
	"crypto/x509"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// rejectCompromised refuses every key of package pkiotest: the private keys are
// public. What is below a root that came from that package itself is let in.
func rejectCompromised(allowed func(root *x509.Certificate) bool) chain.Policy {
	return func(c chain.Chain, _ time.Time) error {
		if allowed(c.Root()) {
			return nil
		}
		for _, cert := range c {
			if isCompromised(cert) {
				return errCompromised(cert)
			}
		}
		return nil
	}
}

func isCompromised(c *x509.Certificate) bool {
	r := recognised()
	return r.publicKeys[r.keyHash(c)]
}

func errCompromised(c *x509.Certificate) error {
	return &rejection{"The private key of " + safetext.Certificate(c) + " is public: it belongs to package pkiotest.", "A test trusts it with pkiotest.Trust, which has the certificate from that package and not from a file."}
}
