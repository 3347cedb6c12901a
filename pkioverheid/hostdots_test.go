package pkioverheid_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// People do not call a host so: the name would have no effect, in silence.
func TestHostsWithDotsToExcessAreAnError(t *testing.T) {
	for name, host := range map[string]string{
		"with a dot at its end":                   "host.example.",
		"that means all below a domain elsewhere": ".host.example",
		"with an empty label":                     "host..example",
		"a dot":                                   ".",
	} {
		t.Run(name, func(t *testing.T) {
			k := pkiotest.New(pkioverheid.PrivateG1).KeyPair(pkiotest.Leaf{})
			k.Hosts = []string{host}
			for field, cfg := range map[string]pkioverheid.ClientConfig{
				"KeyPair.Hosts":    {KeyPairs: []*pkioverheid.KeyPair{k}},
				"PublicHosts":      {PublicHosts: []string{host}},
				"RenegotiateHosts": {RenegotiateHosts: []string{host + ":443"}},
			} {
				_, err := pkioverheid.NewTransport(cfg)
				assert.ErrorContains(t, err, field)
			}
		})
	}
}
