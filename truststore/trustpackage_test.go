package truststore

import (
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loadTrustPackage does what trust-manager does with a default package: its
// pkg/fspkg.LoadPackage and pkg/util.CertPool.AddCertsFromPEM as of v0.25.0,
// and stricter where older releases were.
func loadTrustPackage(t *testing.T, data []byte) (name, version string, certs *Store) {
	t.Helper()
	var pkg map[string]string
	require.NoError(t, json.Unmarshal(data, &pkg))
	require.Len(t, pkg, 3)
	certs = New()
	rest := []byte(pkg["bundle"])
	for len(rest) > 0 {
		require.True(t, strings.HasPrefix(string(rest), "-----BEGIN CERTIFICATE-----\n"), "nothing but blocks")
		var block *pem.Block
		block, rest = pem.Decode(rest)
		require.NotNil(t, block)
		require.Equal(t, "CERTIFICATE", block.Type)
		require.Empty(t, block.Headers)
		certs.Add(parse(t, block.Bytes))
	}
	return pkg["name"], pkg["version"], certs
}

func TestTrustPackageLoadsAsTrustManagerLoadsIt(t *testing.T) {
	certs := realCerts(t)
	data, err := New(certs...).EncodeTrustPackage("pkioverheid", "1.2.0+2026-11~rc:1_x")
	require.NoError(t, err)
	name, version, got := loadTrustPackage(t, data)
	assert.Equal(t, "pkioverheid", name)
	assert.Equal(t, "1.2.0+2026-11~rc:1_x", version)
	assertCerts(t, certs, got)

	again, err := New(certs...).EncodeTrustPackage("pkioverheid", "1.2.0+2026-11~rc:1_x")
	require.NoError(t, err)
	assert.Equal(t, data, again)
	assert.True(t, strings.HasPrefix(string(data), `{"name":"pkioverheid","version":"1.2.0+2026-11~rc:1_x","bundle":"-----BEGIN CERTIFICATE-----\nMII`))
	assert.True(t, strings.HasSuffix(string(data), `-----END CERTIFICATE-----\n"}`+"\n"))
}

func TestTrustPackageRefuses(t *testing.T) {
	full := New(realCerts(t)...)
	for name, c := range map[string]struct {
		store         *Store
		name, version string
		want          string
	}{
		"a package without a name":           {full, "", "1", "truststore: the name of the trust package has 0 characters: want 1 to 128"},
		"a package without a version":        {full, "a", "", "truststore: the version of the trust package has 0 characters: want 1 to 128"},
		"a name of several words":            {full, "a b", "1", `truststore: the name of the trust package has the character ' ': want letters, digits and ._-+~: only`},
		"a version with a line break":        {full, "a", "1\n", `truststore: the version of the trust package has the character '\n': want letters, digits and ._-+~: only`},
		"a name that is not UTF-8":           {full, "a\xff", "1", `truststore: the name of the trust package has the character '�': want letters, digits and ._-+~: only`},
		"a name that fills a page":           {full, strings.Repeat("a", 129), "1", "truststore: the name of the trust package has 129 characters: want 1 to 128"},
		"an empty store":                     {New(), "a", "1", "truststore: a trust package without certificates is not written: a cluster would trust nobody"},
		"a store that is nil, that is empty": {nil, "a", "1", "truststore: a trust package without certificates is not written: a cluster would trust nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := c.store.EncodeTrustPackage(c.name, c.version)
			assert.EqualError(t, err, c.want)
			assert.Nil(t, data)
		})
	}
}
