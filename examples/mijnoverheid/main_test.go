package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestTheSwitch(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out), out.String())
	assert.Equal(t, 13, strings.Count(out.String(), ": answered"), out.String())
	for _, want := range []string{"G3 refused", "not among the 1 that are pinned", "known, by its key, to be of KPN", "certificate signed by unknown authority"} {
		assert.Contains(t, out.String(), want)
	}
}

func TestTheServiceSaysWhatIsWrong(t *testing.T) {
	answers := &service{}
	server := pkiotest.New(g1).NewService(host, answers, pkioverheid.AllowOIN(standin.OwnOIN), pkiotest.Leaf{OIN: standin.ServiceOIN})
	defer server.Close()
	own := standin.OwnCertificate(g1)
	upload, err := exportForRegister(own)
	require.NoError(t, err)
	answers.agreement, err = register(upload, server.Certificate())
	require.NoError(t, err)
	client, err := logius.MijnOverheidLopendeZaken().NewClient(logius.Production, pkioverheid.ClientConfig{Trust: standin.Trust(), KeyPairs: standin.KeyPairs(own), Base: pkiotest.Base(server)})
	require.NoError(t, err)
	defer client.CloseIdleConnections()

	cpa, err := logius.ReadCPA(strings.NewReader(answers.agreement))
	require.NoError(t, err)
	good := message{cpaID: cpa.ID, from: standin.OwnOIN, to: standin.ServiceOIN, id: "a&b@koppeling.example", payload: "<zaak/>"}
	require.NoError(t, exchange(client, "https://"+host+path, good))
	for name, change := range map[string]func(*message){
		"no such agreement":      func(m *message) { m.cpaID = "another" },
		"not from the one":       func(m *message) { m.from = standin.ServiceOIN },
		"is for another":         func(m *message) { m.to = standin.OwnOIN },
		"there is no zaak in it": func(m *message) { m.payload = "<x/>" },
	} {
		m := good
		change(&m)
		assert.ErrorContains(t, exchange(client, "https://"+host+path, m), name)
	}
	resp, err := client.Post("https://"+host+path, "text/xml", strings.NewReader("<x/>"))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)

	_, err = register([]byte("no PEM"), server.Certificate())
	assert.Error(t, err)
	_, err = register(append(upload, upload...), server.Certificate())
	assert.ErrorContains(t, err, "takes one certificate")
}
