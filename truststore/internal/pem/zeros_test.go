package pem

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

// openssl reads it so.
func TestZerosAfterTheEndAreIgnored(t *testing.T) {
	const block = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"
	for _, end := range []string{"\x00", "\n\x00\x00", strings.Repeat("\x00", 10_000)} {
		for e := range Entries([]byte(block+end), entry.Options{}) {
			assert.NoError(t, e.Err)
			assert.Equal(t, []byte{0x30, 0}, e.DER)
		}
	}
	for e := range Entries([]byte(block+"\x00x"), entry.Options{}) {
		assert.Error(t, e.Err)
	}
}
