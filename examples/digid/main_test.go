package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestTheSwitch(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out), out.String())
	assert.Equal(t, 4, strings.Count(out.String(), "artifact resolved: success"), out.String())
	for _, want := range []string{
		"now: refused: logius: the metadata from \"was.digid.nl\": samlsig: the signature is not accepted",
		"G3 refused",
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
	require.NoError(t, digid.setSigning(of(g1)))
	server := pkiotest.New(g1).NewService(host, digid, pkioverheid.AllowOIN(standin.OwnOIN), pkiotest.Leaf{OIN: standin.ServiceOIN})
	defer server.Close()
	cfg := pkioverheid.ClientConfig{Trust: standin.Trust(), KeyPairs: standin.KeyPairs(standin.OwnCertificate(g1)), Base: pkiotest.Base(server)}
	app, err := newApplication(t.Context(), cfg, 0, nil)
	require.NoError(t, err)
	client := app.client
	defer client.CloseIdleConnections()
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

	// Metadata that somebody changed on the way, or that another party signed.
	for name, change := range map[string]func(string) string{
		"changed": func(s string) string { return strings.Replace(s, `index="0"`, `index="1"`, 1) },
		"another party's": func(s string) string {
			return strings.Replace(s, string(standin.ServiceOIN), string(standin.OwnOIN), 1)
		},
		"not signed": func(s string) string {
			return s[:strings.Index(s, "<ds:Signature")] + s[strings.Index(s, "</ds:Signature>")+15:]
		},
	} {
		require.NoError(t, digid.setSigning(of(g1)))
		digid.metadata = change(digid.metadata)
		_, err := newApplication(t.Context(), cfg, 0, nil)
		assert.ErrorContains(t, err, "samlsig: ", name)
	}
}
