package inventory_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// What crypto/x509 does not read is skipped only if its names are not of PKIoverheid.
func TestACertificateThatIsNotReadIsSkippedUnlessItIsOfPKIoverheid(t *testing.T) {
	negative := func(der []byte) []byte { // the first byte of the serial number
		out := bytes.Clone(der)
		at := bytes.Index(out, []byte{0xa0, 0x03, 0x02, 0x01, 0x02, 0x02}) + 7
		out[at] |= 0x80
		return out
	}
	_, withKey := planted(t)
	for name, c := range map[string]struct {
		der     []byte
		skipped bool
	}{
		"of others":      {negative(withKey[len(withKey)-1].Leaf.Raw), true},
		"of PKIoverheid": {negative(pkioverheid.PrivateG1.Root().Raw), false},
	} {
		_, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: c.der}}}, ".")
		require.Error(t, troubles["a"], name)
		assert.ErrorContains(t, troubles["a"], "negative serial number", name)
		if c.skipped {
			assert.ErrorIs(t, troubles["a"], inventory.ErrSkipped)
			assert.ErrorContains(t, troubles["a"], `issued by "foreign.example", until 2126-10-30, ECDSA on P-256`)
		} else {
			assert.NotErrorIs(t, troubles["a"], inventory.ErrSkipped)
		}
	}
}
