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
	assert.Equal(t, 4, strings.Count(out.String(), "machtiging M-1 is geldig, gevraagd door 00000099000000001000"), out.String())
	assert.Contains(t, out.String(), "KPN BV PKIoverheid Organisatie Server CA - G3")
	assert.Contains(t, out.String(), "certificate signed by unknown authority")
}

func TestTheServiceSaysWhatIsWrong(t *testing.T) {
	service := pkiotest.New(pkioverheid.PrivateG4TLS).NewService(host, http.HandlerFunc(serveSOAP), pkioverheid.AllowOIN(standin.OwnOIN), pkiotest.Leaf{OIN: standin.ServiceOIN})
	defer service.Close()
	client, err := clientNow(pkioverheid.ClientConfig{Trust: standin.Trust(), KeyPairs: standin.KeyPairs(standin.OwnCertificate(pkioverheid.PrivateG4TLS)), Base: pkiotest.Base(service)})
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	resp, err := client.Post("https://"+host+"/machtigen", "text/xml", strings.NewReader("<Envelope/>"))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	_, err = readEnvelope(strings.NewReader("no XML"))
	assert.Error(t, err)

	// Without a certificate nobody gets in.
	stranger, err := clientNow(pkioverheid.ClientConfig{Trust: standin.Trust(), Base: pkiotest.Base(service)})
	require.NoError(t, err)
	defer stranger.CloseIdleConnections()
	_, err = ask(stranger, "https://"+host+"/machtigen", "M-1")
	var ours *pkioverheid.ClientCertificateError
	assert.ErrorAs(t, err, &ours)
}
