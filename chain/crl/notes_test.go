package crl_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

func TestAListWithoutANumberIsRefusedUnlessAFieldAllowsIt(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	s.serve("/issuing.crl", l.issuing.unnumbered())

	c := newChecker(t, s)
	refusedAs(t, chain.RevocationUnknown, "has no CRL number, which RFC 5280 section 5.2.3 demands: Config.AllowUnnumbered", c.Policy(l.chain(), now))
	assert.ErrorContains(t, statusOf(c, "/issuing.crl").Err, "AllowUnnumbered")

	c = newChecker(t, s, func(cfg *crl.Config) { cfg.AllowUnnumbered = true })
	require.NoError(t, c.Policy(l.chain(), now))
	assert.Equal(t, []string{"the list has no CRL number (RFC 5280 section 5.2.3)"}, statusOf(c, "/issuing.crl").Notes)
	assert.Nil(t, statusOf(c, "/domain.crl").Notes)
	text, err := json.Marshal(statusOf(c, "/issuing.crl"))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"notes":["the list has no CRL number`)

	dir := t.TempDir()
	for name, data := range map[string][]byte{"/root.crl": l.root.list(), "/domain.crl": l.domain.list(), "/issuing.crl": l.issuing.unnumbered()} {
		put(t, dir+name, data)
	}
	c = newChecker(t, nil, inFolder(dir))
	assert.ErrorContains(t, statusOf(c, "/issuing.crl").Err, "AllowUnnumbered")
	c = newChecker(t, nil, inFolder(dir), func(cfg *crl.Config) { cfg.AllowUnnumbered = true })
	require.NoError(t, c.Policy(l.chain(), now))
}

func TestStatusNotesWherePointersToDeltaCRLsAre(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	freshest := extension(46, false, element(0x30, element(0x30, element(0xa0, element(0xa0, element(0x86, []byte("http://crl.example/delta.crl")))))))
	s.serve("/domain.crl", l.domain.list(func(l *x509.RevocationList) { l.ExtraExtensions = []pkix.Extension{freshest} }))
	c := newChecker(t, s)
	require.NoError(t, c.Policy(l.chain(), now))
	assert.Nil(t, statusOf(c, "/root.crl").Notes)
	assert.Nil(t, statusOf(c, "/issuing.crl").Notes)
	assert.Equal(t, []string{"the list points to a delta CRL, which is not fetched (RFC 5280 section 5.2.6)"}, statusOf(c, "/domain.crl").Notes)

	leaf := l.leafWith(20, func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{freshest} })
	require.NoError(t, c.Policy(l.chainOf(leaf), now))
	assert.Equal(t, []string{"a certificate of its issuer points to a delta CRL, which is not fetched (RFC 5280 section 4.2.1.15)"}, statusOf(c, "/issuing.crl").Notes)
}
