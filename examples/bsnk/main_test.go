package main

import (
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
	assert.Equal(t, 5, strings.Count(out.String(), "signed by the service"), out.String())
	for _, want := range []string{
		"failed: samlsig: the signature is not accepted: chain: refused by policy: pkioverheid: G3 refused",
		"signing certificate refused: chain: expired",
		"signing certificate added, issued by KPN PKIoverheid Server CA 2020",
		"signing certificate added, issued by KPN - G4 PKIo Priv G-TLS SYS - 2025",
		"encryption certificate removed, issued by KPN PKIoverheid Private Services CA - G1",
		"before: trusted", "before: refused: Get",
	} {
		assert.Contains(t, out.String(), want)
	}
}

func TestWhatIsNotSignedByTheServiceIsRefused(t *testing.T) {
	p, err := newParty(standin.Trust())
	require.NoError(t, err)
	service, other := newBSNk(), newBSNk()
	document := func(b *bsnk, h pkioverheid.Hierarchy) []byte {
		document, err := b.metadata(of(h), of(h), today)
		require.NoError(t, err)
		return document
	}
	good := document(service, g1)
	_, err = p.encrypt([]byte("x"))
	assert.ErrorContains(t, err, "nothing is sent")
	require.NoError(t, p.follow(&strings.Builder{}, good))
	assert.ErrorContains(t, p.verify([]byte("x"), []byte("y")), "none of the service's")
	require.Len(t, p.service.Hosts, 1)
	assert.Equal(t, host, p.service.Hosts[0].Name)

	// Damaged and changed metadata changes nothing.
	before := p.keys.Signing(entityID)
	assert.Error(t, p.follow(&strings.Builder{}, document(other, g4)[:500]))
	assert.Error(t, p.follow(&strings.Builder{}, []byte(strings.Replace(string(good), host, "elsewhere.example", 1))))
	assert.Equal(t, before.Len(), p.keys.Signing(entityID).Len())
	assert.Equal(t, host, p.service.Hosts[0].Name)

	server := pkiotest.New(g1).NewService(host, other, pkioverheid.AllowOIN(standin.OwnOIN), validAt(today, pkiotest.Leaf{OIN: standin.ServiceOIN}))
	defer server.Close()
	document(other, g4)
	own := pkiotest.New(g1).Issue(validAt(today, standin.OwnLeaf))
	err = p.call(&strings.Builder{}, pkioverheid.ClientConfig{Trust: standin.Trust(), KeyPairs: standin.KeyPairs(&own), Base: pkiotest.Base(server)})
	assert.Error(t, err, "another's key neither decrypts nor signs")
}
