package inventory_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// A scan went round for ever there: the boundary was looked for with the mark in front.
func TestAMessageAfterAByteOrderMarkIsRead(t *testing.T) {
	for name, mail := range map[string]string{
		"with a header":    "Content-Type: multipart/mixed; boundary=x\n\n--x\n\n" + pemOf(pkioverheid.PrivateG1.Root()) + "--x--\n",
		"without a header": "--x\nContent-Type: a/b\n\n" + pemOf(pkioverheid.PrivateG1.Root()) + "--x--\n",
	} {
		done := make(chan []inventory.Result)
		go func() {
			found, _ := scanAll(t, inventory.Config{FS: fstest.MapFS{"mail": {Data: []byte("\xef\xbb\xbf" + mail)}}}, ".")
			done <- found
		}()
		select {
		case found := <-done:
			if assert.Len(t, found, 1, name) {
				assert.Equal(t, "part 1, line 1", found[0].Place, name)
			}
		case <-time.After(time.Minute):
			t.Fatal(name + ": the scan does not end")
		}
	}
}
