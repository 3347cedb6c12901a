package main

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const welcome = "Welcome, " + citizen + "."

func TestEveryOutcomeIsAsItShouldBe(t *testing.T) {
	var out strings.Builder
	require.NoError(t, demonstrate(&out))
	parts := strings.Split(out.String(), "\n\n")
	require.Len(t, parts, 5, out.String())
	for i, want := range [][]string{
		{"refused: ", `is under "KPN BV PKIoverheid Organisatie Server CA - G3", which was withdrawn`},
		{"refused: ", "the signature is not accepted", "G3 refused"},
		{welcome},
		{"no longer signs with the certificate issued by KPN PKIoverheid Private Services CA - G1", "now signs with the one issued by KPN - G4", welcome},
		{"use the same kind in both", "yes", welcome},
	} {
		for _, text := range want {
			assert.Contains(t, parts[i], text)
		}
	}
	assert.NotContains(t, out.String(), "login failed")
}

// running starts a stand-in and an application with certificates of one hierarchy.
func running(t *testing.T, h pkioverheid.Hierarchy) (*application, *strings.Builder) {
	var out strings.Builder
	a, err := start(t.Context(), &out, h, h, h)
	require.NoError(t, err)
	t.Cleanup(a.close)
	return a, &out
}

// sign has the stand-in sign with another certificate than its metadata said.
func (s *standIn) sign(cert tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signing = cert
}

func TestASigningCertificateIsReplacedWhileTheApplicationRuns(t *testing.T) {
	a, out := running(t, g1)
	require.NoError(t, a.logIn(t.Context()))
	require.Contains(t, out.String(), welcome)

	require.NoError(t, a.standIn.replace(g1, g4))
	out.Reset()
	require.NoError(t, a.logIn(t.Context()))
	assert.NotContains(t, out.String(), welcome, "the metadata was not read again")
	assert.Contains(t, out.String(), "trusted certs")

	old := a.standIn.signing
	_, changes, err := a.digid.fetchMetadata(t.Context())
	require.NoError(t, err)
	assert.Len(t, changes.Signing.Added, 1)
	assert.Len(t, changes.Signing.Removed, 1)
	out.Reset()
	require.NoError(t, a.logIn(t.Context()))
	assert.Contains(t, out.String(), welcome)

	require.NoError(t, a.standIn.replace(g1, g4))
	_, _, err = a.digid.fetchMetadata(t.Context())
	require.NoError(t, err)
	a.standIn.sign(old)
	out.Reset()
	require.NoError(t, a.logIn(t.Context()))
	assert.NotContains(t, out.String(), welcome, "what the metadata no longer has is no longer good")
}

// Left to itself, crewjam/saml takes every certificate of the metadata.
func TestAnAnswerSignedUnderG3IsRefusedAlthoughTheMetadataNamesTheCertificate(t *testing.T) {
	stand, err := newStandIn(g1, g1)
	require.NoError(t, err)
	withdrawn := pkiotest.New(g3).Issue(pkiotest.Leaf{})
	stand.another = withdrawn.Leaf

	var out strings.Builder
	a, err := newApplication(t.Context(), &out, stand, g1)
	require.NoError(t, err)
	defer a.close()
	require.NoError(t, a.logIn(t.Context()))
	require.Contains(t, out.String(), welcome, "it signs with the other")

	stand.sign(withdrawn)
	out.Reset()
	require.NoError(t, a.logIn(t.Context()))
	assert.NotContains(t, out.String(), welcome)
	assert.Contains(t, out.String(), "trusted certs")
}

func TestAnArtifactThatDigiDDidNotGiveLogsNobodyIn(t *testing.T) {
	a, out := running(t, g1)
	page, err := browse(t.Context(), a.server.URL+"/saml/acs?SAMLart="+url.QueryEscape("AAQAAA=="))
	require.NoError(t, err)
	assert.Equal(t, "Login failed.", page)
	assert.Contains(t, out.String(), "HTTP status 400")
}

func TestDigiDRefusesOtherParties(t *testing.T) {
	stand, err := newStandIn(g1, g1)
	require.NoError(t, err)
	defer stand.close()
	fetch := func(cert *pkioverheid.KeyPair) error {
		cfg := pkioverheid.ClientConfig{Trust: fixtures(), AllowUnsuitable: true, Base: &http.Transport{DialContext: stand.dial}}
		if cert != nil {
			cfg.KeyPairs = []*pkioverheid.KeyPair{cert}
		}
		d, err := newDigiD(cfg)
		require.NoError(t, err)
		defer d.client.CloseIdleConnections()
		_, _, err = d.fetchMetadata(t.Context())
		return err
	}
	issue := func(h pkioverheid.Hierarchy, l pkiotest.Leaf) *pkioverheid.KeyPair {
		return pkiotest.New(h).KeyPair(l)
	}
	require.NoError(t, fetch(issue(g1, pkiotest.Leaf{OIN: partyOIN})))
	for name, cert := range map[string]*pkioverheid.KeyPair{
		"without a certificate": nil,
		"under G3":              issue(g3, pkiotest.Leaf{OIN: partyOIN}),
		"with another OIN":      issue(g1, pkiotest.Leaf{OIN: "00000099000000002000"}),
		"without an OIN":        issue(g4, pkiotest.Leaf{}),
		"as a person":           issue(g1, pkiotest.Leaf{OIN: partyOIN, Policies: []string{"2.16.528.1.1003.1.2.8.1"}}),
		"with an expired one":   issue(g1, pkiotest.Leaf{OIN: partyOIN, NotAfter: time.Now().AddDate(0, 0, -1)}),
	} {
		t.Run(name, func(t *testing.T) {
			var ours *pkioverheid.ClientCertificateError
			assert.ErrorAs(t, fetch(cert), &ours)
		})
	}
}

func TestRequestsThatThePartyDidNotSignAreRefused(t *testing.T) {
	a, _ := running(t, g1)
	a.standIn.register(pkiotest.New(g1).Issue(pkiotest.Leaf{ECDSA: true}).Leaf, a.standIn.acs)
	page, err := browse(t.Context(), a.server.URL)
	require.NoError(t, err)
	assert.Equal(t, "the request was not signed by the connected party", page)
}

func TestNobodyButDigiDIsCalled(t *testing.T) {
	d, err := newDigiD(pkioverheid.ClientConfig{})
	require.NoError(t, err)
	for _, url := range []string{"https://was.digid.nl/saml/idp/metadata", "https://localhost/", "http://was-preprod1.digid.nl/saml/idp/metadata"} {
		_, err := d.client.Get(url)
		assert.ErrorContains(t, err, "refused to c", url)
	}
}
