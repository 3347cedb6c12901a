package logius

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A newer document comes while the certificates of the one before are verified again.
func TestVerifyingAgainBringsNoOlderDocumentBack(t *testing.T) {
	older, newer := &Metadata{Entities: []Entity{{ID: "older"}}}, &Metadata{Entities: []Entity{{ID: "newer"}}}
	k := &Keyring{clock: time.Now}
	k.Update(older)
	var asked atomic.Bool
	updated := make(chan struct{})
	k.clock = func() time.Time { // asked for while it verifies
		if asked.CompareAndSwap(false, true) {
			go func() {
				k.Update(newer)
				close(updated)
			}()
			select {
			case <-updated:
			case <-time.After(50 * time.Millisecond):
			}
		}
		return time.Now()
	}
	k.again()
	<-updated
	assert.Same(t, newer, k.Metadata())
}
