package inventory_test

import (
	"bytes"
	"crypto/x509/pkix"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// PKIoverheid has CAs of which no file is embedded (facts.md §1, §2 and §5).
func TestACertificateOfACAThatIsNotEmbeddedIsOfPKIoverheidToo(t *testing.T) {
	for name, skipped := range map[string]bool{
		"ZOVAR Private Server CA G1":                 false,
		"UZI-register Zorgverlener CA G3":            false,
		"UZI Server - G4 PKIo Priv G-TLS SYS - 2024": false,
		"UZI Server": true,
	} {
		cert := testcert.ClaimingName(t, pkix.Name{CommonName: name, Organization: []string{"CIBG"}, Country: []string{"NL"}})
		serial := []byte{0xa0, 3, 2, 1, 2, 2, 1, 7}
		require.True(t, bytes.Contains(cert.Raw, serial))
		der := bytes.Replace(cert.Raw, serial, []byte{0xa0, 3, 2, 1, 2, 2, 1, 0x87}, 1) // negative
		_, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: der}}}, ".")
		require.Error(t, troubles["a"], name)
		if skipped {
			assert.ErrorIs(t, troubles["a"], inventory.ErrSkipped, name)
		} else {
			assert.NotErrorIs(t, troubles["a"], inventory.ErrSkipped, name)
		}
	}
}
