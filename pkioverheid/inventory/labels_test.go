package inventory_test

import (
	"encoding/pem"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestContainersInPEMAreFound(t *testing.T) {
	store := truststore.New(pkioverheid.PrivateG1.Certificates()[:2]...)
	p12, err := store.Encode(truststore.PKCS12, truststore.WithPassword("geheim"))
	require.NoError(t, err)
	p7, err := store.Encode(truststore.PKCS7)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"PKCS#12 of certtool": {Type: "PKCS12", Bytes: p12}, "PKCS#7 under another label": {Type: "CERTIFICATE", Bytes: p7}} {
		for _, before := range []string{"", "# a key store\n"} {
			files := fstest.MapFS{"f": {Data: append([]byte(before), pem.EncodeToMemory(block)...)}}
			found, troubles := scanAll(t, inventory.Config{FS: files, Passwords: passwords("geheim")}, ".")
			assert.Empty(t, troubles, name)
			assert.Len(t, found, 2, name)
			if block.Type == "PKCS12" {
				_, troubles = scanAll(t, inventory.Config{FS: files}, ".")
				assert.ErrorContains(t, troubles["f"], "password is not known", name)
			}
		}
	}
}
