package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestEveryOutcomeIsAsItShouldBe(t *testing.T) {
	var out strings.Builder
	ok, err := demonstrate(&out)
	require.NoError(t, err)
	assert.True(t, ok, out.String())
	assert.Equal(t, 3, strings.Count(out.String(), connected))
	assert.Equal(t, 2+len(ways), strings.Count(out.String(), revoked))
	assert.Equal(t, 2, strings.Count(out.String(), notLetIn))
	for _, want := range []string{ended, withdrawn, unknown, "is revoked", "another CA", "Organisatie Server CA - G3", "Private G4"} {
		assert.Contains(t, out.String(), want)
	}
	for _, line := range []string{
		"G1 alone                      G1          G1          refused     G1",
		"both, G1 first                G1          G1          G4          G1",
		"both, G4 first from a date    G1          G4          G4          G4",
		"G1 has ended                  refused     G4          G4          G4",
	} {
		assert.Contains(t, out.String(), line)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		assert.LessOrEqual(t, len(line), 80, line)
	}
}

func TestNoFlagIsLeftOutSilently(t *testing.T) {
	for _, args := range [][]string{{"-crl"}, {"-cert", "client.p7b"}, {"-addr", "localhost:1", "-key", "client.key"}, {"localhost:1"}, {"-nonsense"}} {
		var out, errOut strings.Builder
		assert.Equal(t, 2, run(args, &out, &errOut), args)
		assert.Empty(t, out.String())
		assert.Contains(t, errOut.String(), "usage: m2m")
	}
	var out, errOut strings.Builder
	assert.Equal(t, 0, run([]string{"-h"}, &out, &errOut))
	assert.Equal(t, 1, run([]string{"-addr", "localhost:1"}, &out, &errOut))
	assert.Contains(t, errOut.String(), "m2m: ")
}

func TestARealServersChainIsExplained(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	srv := g1.NewServer(http.NotFoundHandler(), pkiotest.Leaf{OIN: clientOIN})
	defer srv.Close()
	addr := strings.TrimPrefix(srv.URL, "https://")

	var out strings.Builder
	ok, err := explainWith(&out, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, addr)
	require.NoError(t, err)
	assert.True(t, ok)
	for _, want := range []string{"is trusted", "Private G1, end entity, KPN, OIN 00000099000000001000", "Private G1, domain CA"} {
		assert.Contains(t, out.String(), want)
	}

	assert.NotContains(t, out.String(), "not its whole chain")

	short := g1.NewServer(http.NotFoundHandler(), pkiotest.Leaf{LeafOnly: true})
	defer short.Close()
	out.Reset()
	ok, err = explainWith(&out, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)}, strings.TrimPrefix(short.URL, "https://"))
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Contains(t, out.String(), "not its whole chain")

	out.Reset()
	ok, err = explain(&out, addr, false, "", "", "")
	require.NoError(t, err)
	assert.False(t, ok)
	assert.Contains(t, out.String(), "is refused")
	assert.Contains(t, out.String(), "Private G1, TSP CA, KPN")

	_, err = explain(&out, "no port", false, "", "", "")
	assert.Error(t, err)
	_, err = explain(&out, addr, false, "no such file", "", "")
	assert.Error(t, err)
	_, err = explain(&out, "127.0.0.1:1", true, "", "", "")
	assert.Error(t, err, "nobody listens there")
}

func TestARealServersRevocationIsExplained(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	g1.Revoke(g1.Certificates()[3], crl.CACompromise) // QuoVadis
	checker, err := crl.NewChecker(pkiotest.CRLConfig(g1))
	require.NoError(t, err)
	defer checker.Close()
	trust := pkiotest.Trust(g1)
	trust.Revocation = checker
	for tsp, want := range map[string]string{"KPN": "None of these is revoked", "QuoVadis": "What to do: The server's owner needs a certificate under another CA."} {
		srv := g1.NewServer(http.NotFoundHandler(), pkiotest.Leaf{TSP: tsp})
		var out strings.Builder
		ok, err := explainWith(&out, pkioverheid.ClientConfig{Trust: trust}, strings.TrimPrefix(srv.URL, "https://"))
		srv.Close()
		require.NoError(t, err)
		assert.Equal(t, tsp == "KPN", ok)
		assert.Contains(t, out.String(), want)
	}
}
