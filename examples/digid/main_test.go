package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestTheSwitch(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out), out.String())
	assert.Equal(t, 4, strings.Count(out.String(), "artifact resolved: success"), out.String())
	for _, want := range []string{
		"signing certificate refused: pkioverheid: G3 refused",
		"new signing certificate, issued by KPN PKIoverheid Private Services CA - G1",
		"new signing certificate, issued by KPN - G4 PKIo Priv G-TLS SYS - 2025",
		"signing certificate gone, issued by KPN PKIoverheid Private Services CA - G1",
		"use the same kind in both",
		"before: trusted", "before: refused: Get",
	} {
		assert.Contains(t, out.String(), want)
	}
}

func TestTheServiceSaysWhatIsWrong(t *testing.T) {
	digid := newIdentityProvider()
	digid.setSigning(nil)
	server := pkiotest.New(pkioverheid.PrivateG1).NewService(host, digid, pkioverheid.AllowOIN(ownOIN), pkiotest.OIN(serviceOIN))
	defer server.Close()
	client, err := logius.DigiD().NewClient(logius.Production, pkioverheid.ClientConfig{
		Trust: testTrust(), KeyPairs: keyPairs(ownCertificate(pkioverheid.PrivateG1)), Base: pkiotest.Base(server),
	})
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	_, err = fetch(client)
	assert.ErrorContains(t, err, "no certificate")
	_, err = resolve(client, "https://was.digid.nl/saml/idp/resolve_artifact", "")
	assert.ErrorContains(t, err, "status:Requester")
	_, err = resolve(client, "https://was.digid.nl/elsewhere", "a")
	assert.Error(t, err)
	_, err = resolve(client, "https://was.digid.example/saml/idp/resolve_artifact", "a")
	assert.ErrorContains(t, err, "not a host of")
	resp, err := client.Post("https://was.digid.nl/saml/idp/resolve_artifact", "text/xml", strings.NewReader("<x/>"))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
}
