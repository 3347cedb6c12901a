package pkioverheid_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

func TestHostsAreExactNames(t *testing.T) {
	for host, says := range map[string]string{
		"bücher.example":       "xn--",
		"*.example.nl":         "wildcards",
		"https://example.nl":   "port", // its colon begins one
		"example.nl/path":      "wildcards",
		"":                     "empty",
		"127.0.0.1":            "address",
		"127.0.0.1:443":        "address",
		"[::1]:443":            "host name",
		"example.nl:":          "port",
		"example.nl:https":     "port",
		"example.nl, other.nl": "host name",
	} {
		_, err := pkioverheid.NewClient(pkioverheid.ClientConfig{RenegotiateHosts: []string{host}})
		assert.ErrorContains(t, err, "ClientConfig.RenegotiateHosts", host)
		assert.ErrorContains(t, err, says, host)
		_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{PublicHosts: []string{host}})
		assert.ErrorContains(t, err, "ClientConfig.PublicHosts", host)
	}
	_, err := pkioverheid.NewClient(pkioverheid.ClientConfig{RenegotiateHosts: []string{"Example.NL", "example.nl:8443", "xn--bcher-kva.example"}})
	assert.NoError(t, err)
	_, err = pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{RenegotiateHosts: []string{"example.nl"}})
	assert.ErrorContains(t, err, "RenegotiateHosts is for NewTransport and NewClient")
	_, err = pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{PublicHosts: []string{"example.nl"}})
	assert.ErrorContains(t, err, "PublicHosts is for NewTransport and NewClient")
	_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{
		RenegotiateHosts: []string{"example.nl"},
		Base:             &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}},
	})
	assert.ErrorContains(t, err, "sets MinVersion: ClientConfig.RenegotiateHosts needs TLS 1.2")
}
