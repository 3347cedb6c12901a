package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestTheSwitch(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out), out.String())
	assert.Equal(t, 5, strings.Count(out.String(), "signed by the service"), out.String())
	for _, want := range []string{
		"signing certificate refused: pkioverheid: G3 refused",
		"signing certificate refused: chain: expired",
		"signing certificate added, issued by KPN PKIoverheid Server CA 2020",
		"signing certificate added, issued by KPN - G4 PKIo Priv G-TLS SYS - 2025",
		"encryption certificate removed, issued by KPN PKIoverheid Private Services CA - G1",
		"nothing is sent",
		"before: trusted", "before: refused: Get",
	} {
		assert.Contains(t, out.String(), want)
	}
}

func TestWhatIsNotSignedByTheServiceIsRefused(t *testing.T) {
	p, err := newParty(testTrust())
	require.NoError(t, err)
	service, other := newBSNk(), newBSNk()
	require.NoError(t, p.follow(&strings.Builder{}, strings.NewReader(service.metadata(of(g1), of(g1), today))))
	assert.ErrorContains(t, p.verify([]byte("x"), []byte("y")), "none of the service's")
	require.Len(t, p.service.Hosts, 1)
	assert.Equal(t, host, p.service.Hosts[0].Name)

	// Damaged metadata changes nothing.
	before := p.keys.Signing(entityID)
	assert.Error(t, p.follow(&strings.Builder{}, strings.NewReader(other.metadata(of(g4), of(g4), today)[:500])))
	assert.Equal(t, before.Len(), p.keys.Signing(entityID).Len())

	server := pkiotest.New(g1).NewService(host, other, pkioverheid.AllowOIN(ownOIN), pkiotest.OIN(serviceOIN), validAt(today))
	defer server.Close()
	other.metadata(of(g4), of(g4), today)
	err = p.call(&strings.Builder{}, pkioverheid.ClientConfig{Trust: testTrust(), KeyPairs: ownKeyPair(g1, today), Base: pkiotest.Base(server)})
	assert.Error(t, err, "another's key neither decrypts nor signs")
}
