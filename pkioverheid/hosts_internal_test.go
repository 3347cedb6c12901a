package pkioverheid

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

// net/http may dial a second time for a request whose first connection is not there yet.
// Which of the two asks for a certificate is not known then.
func TestAHostIsKnownWhileOneConnectionIsDialled(t *testing.T) {
	a := &attempt{host: "host.example", proxy: &url.URL{Scheme: "https", Host: "proxy.example"}}
	ctx := context.WithValue(t.Context(), attemptKey{}, a)
	a.dial()
	assert.Equal(t, "proxy.example", hostOf(ctx))
	a.handshakeEnds()
	assert.Equal(t, "host.example", hostOf(ctx))
	a.handshakeEnds()
	a.dial()
	assert.Equal(t, "proxy.example", hostOf(ctx))
	a.handshakeEnds()
	a.dial()
	assert.Empty(t, hostOf(ctx))
	a.handshakeEnds()
	assert.Empty(t, hostOf(ctx))
	assert.Empty(t, hostOf(context.Background()))
}
