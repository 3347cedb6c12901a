package inventory_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// Not only certbot calls its files so.
func TestCertPemGoesWithCertKeyToo(t *testing.T) {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	a, b := authority.Issue(pkiotest.Leaf{}), authority.Issue(pkiotest.Leaf{})
	for _, name := range []string{"cert", "fullchain", "cert1"} {
		for want, key := range map[inventory.Use]string{inventory.KeyEntry: keyPEM(t, a), inventory.KeyMismatch: keyPEM(t, b)} {
			files := fstest.MapFS{name + ".pem": {Data: []byte(pemOf(a.Leaf))}, name + ".key": {Data: []byte(key)}}
			found, troubles := scanAll(t, inventory.Config{FS: files}, ".")
			assert.Empty(t, troubles)
			if assert.Len(t, found, 1) {
				assert.Equal(t, want, found[0].Use, name)
			}
		}
	}
}
