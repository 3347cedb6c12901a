package pkiotest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestAServiceLetsInWhomItAllowsAndNobodyElse(t *testing.T) {
	const allowed, other = pkioverheid.OIN("00000099000000001000"), pkioverheid.OIN("00000099000000002000")
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	srv := g1.NewService("service.example", http.NotFoundHandler(), pkioverheid.AllowOIN(allowed), pkiotest.Leaf{})
	defer srv.Close()
	assert.Equal(t, []string{"service.example"}, srv.Certificate().DNSNames)
	for _, c := range []struct {
		name      string
		hierarchy pkioverheid.Hierarchy
		oin       pkioverheid.OIN // empty: no certificate
		host      string
		lets      bool
	}{
		{"a client under the service's hierarchy", pkioverheid.PrivateG1, allowed, "service.example", true},
		{"a client under another hierarchy", pkioverheid.PrivateG4TLS, allowed, "service.example", true},
		{"a client under G3", pkioverheid.G3, allowed, "service.example", false},
		{"a client with another OIN", pkioverheid.PrivateG1, other, "service.example", false},
		{"a client without a certificate", "", "", "service.example", false},
		{"a client that asks for another host", pkioverheid.PrivateG1, allowed, "other.example", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := pkioverheid.ClientConfig{Trust: pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1)), Base: pkiotest.Base(srv)}
			if c.oin != "" {
				cfg.KeyPairs = []*pkioverheid.KeyPair{pkiotest.New(c.hierarchy).KeyPair(pkiotest.Leaf{OIN: c.oin})}
			}
			client, err := pkioverheid.NewClient(cfg)
			require.NoError(t, err)
			defer client.CloseIdleConnections()
			res, err := client.Get("https://" + c.host + "/")
			if assert.Equal(t, c.lets, err == nil, "%v", err) && err == nil {
				res.Body.Close()
			}
		})
	}
}
