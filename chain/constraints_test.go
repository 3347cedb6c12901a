package chain_test

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// What the pools rely on: crypto/x509 applies the name constraints of an anchor, and does
// not know those above it.
func TestCryptoX509AppliesTheNameConstraintsOfAnAnchor(t *testing.T) {
	l := newLayers(nil, nil, []edit{onlyDomain("example.nl")}, nil)
	verify := func(leaf *x509.Certificate, anchor authority) error {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: poolOf(anchor.Certificate), CurrentTime: now})
		return err
	}
	assert.NoError(t, verify(l.issuing.issue("host.example.nl"), l.issuing))
	assert.ErrorContains(t, verify(l.issuing.issue("evil.example.com"), l.issuing), "not permitted")

	below := l.issuing.issueCA("Lower CA")
	assert.NoError(t, verify(below.issue("evil.example.com"), below), "which is why those below are not in a pool")
}

func TestNameConstraintsAndPools(t *testing.T) {
	only := []edit{onlyDomain("example.nl")}
	for _, test := range []struct {
		name                  string
		root, domain, issuing []edit
		inPool                bool // the issuing CA
	}{
		{"nowhere", nil, nil, nil, true},
		{"on the anchor", nil, nil, only, true},
		{"on its issuer", nil, only, nil, false},
		{"on both", nil, only, only, false},
		{"on the root", only, nil, nil, false},
		{"on all", only, only, only, false},
		{"on the anchor, which also demands a policy", nil, nil, slices.Concat(only, []edit{policies(policyOne), requireExplicitPolicy(9)}), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLayers(test.root, test.domain, test.issuing, nil)
			key := newKey()
			leafFor := func(host string) *x509.Certificate {
				return sign(leafTemplate(host), l.issuing.Certificate, key, l.issuing.key, nil)
			}
			good, evil := leafFor("host.example.nl"), leafFor("evil.example.com")
			v := l.verifier()
			for presented, extra := range map[string][]*x509.Certificate{"the leaf alone": nil, "all sent": l.full()[1:]} {
				_, err := v.Verify(good, chain.VerifyOptions{Time: now, Extra: extra})
				assert.NoError(t, err, presented)
				_, err = verifyAsTLS(v, good, extra)
				assert.Equal(t, test.inPool || extra != nil, err == nil, "%s: %v", presented, err)

				_, err = v.Verify(evil, chain.VerifyOptions{Time: now, Extra: extra})
				_, ofPool := verifyAsTLS(v, evil, extra)
				if test.name == "nowhere" {
					assert.NoError(t, err)
					assert.NoError(t, ofPool)
				} else {
					assert.Error(t, err, presented)
					assert.Error(t, ofPool, presented)
				}
			}
			resumes(t, v, keyPair(key, append([]*x509.Certificate{good}, l.full()[1:]...)))
			if !test.inPool {
				return
			}
			// The issuer of the anchor is constrained from now on, for whoever resumes too.
			pair := keyPair(key, []*x509.Certificate{good})
			resume := resumes(t, v, pair)
			domain := l.root.certify("Domain CA", l.domain.key, onlyDomain("example.be"))
			require.NoError(t, v.Replace(l.roots(), truststore.New(domain.Certificate, l.issuing.Certificate)))
			assert.Error(t, resume())
		})
	}
}

// resumes makes two connections, of which the second resumes the first, and returns what
// makes a third.
func resumes(t *testing.T, v *chain.Verifier, pair tls.Certificate) func() error {
	resumed := false
	client := &tls.Config{
		ServerName: "host.example.nl", Time: clock, RootCAs: v.CertPool(clock), ClientSessionCache: tls.NewLRUClientSessionCache(8),
		VerifyConnection: func(cs tls.ConnectionState) error {
			resumed = cs.DidResume
			_, err := v.Check(cs.VerifiedChains, now)
			return err
		},
	}
	server := &tls.Config{Time: clock, Certificates: []tls.Certificate{pair}}
	connect := func() error {
		err, _ := handshake(t, client, server)
		return err
	}
	require.NoError(t, connect())
	require.False(t, resumed)
	require.NoError(t, connect())
	require.True(t, resumed)
	return connect
}
