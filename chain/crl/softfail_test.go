package crl_test

import (
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// SoftFail is for servers that do not answer, and not for an address that nobody can ask:
// that would stay so for ever.
func TestSoftFailIsNotForAnAddressThatCannotBeAsked(t *testing.T) {
	for name, address := range map[string]string{
		"a port that is none":               "http://crl.example:0/x.crl",
		"a name that is read as an address": "http://127.1/x.crl",
		"a name that is none":               "http://crl_example!/x.crl",
		"a port that is too large":          "http://crl.example:99999/x.crl",
	} {
		t.Run(name, func(t *testing.T) {
			l := newLayers("http://crl.example")
			dir := t.TempDir()
			put(t, dir+"/root.crl", l.root.list())
			put(t, dir+"/domain.crl", l.domain.list())
			passed := 0
			c := newChecker(t, nil, inFolder(dir), func(cfg *crl.Config) {
				cfg.Hosts, cfg.SoftFail = []string{"*"}, func(error) { passed++ }
			})
			leaf := l.leafWith(77, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{address} })
			refusedAs(t, chain.RevocationUnknown, "", c.Policy(l.chainOf(leaf), now))
			assert.Zero(t, passed)
		})
	}
}
