package pkioverheid

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnIdentityIsUsedForAMinuteAndByTheTrustThatFoundIt(t *testing.T) {
	one, other, now := new(trust), new(trust), time.Now()
	k := &known{trust: one, at: now}
	assert.True(t, k.fresh(one, now))
	assert.True(t, k.fresh(one, now.Add(59*time.Second)))
	assert.False(t, k.fresh(one, now.Add(time.Minute)))
	assert.False(t, k.fresh(one, now.Add(-time.Second)), "the clock was set back")
	assert.False(t, k.fresh(other, now))
}

func TestConnectionsThatAreGoneAreForgotten(t *testing.T) {
	h, err := RequireIdentity(http.NotFoundHandler(), Access{Allow: func(Identity) error { return nil }})
	require.NoError(t, err)
	d := h.(*door)
	remembered := func() (n int) {
		d.connections.Range(func(any, any) bool { n++; return true })
		return n
	}
	cas := PrivateG1.Certificates()
	for range 100 {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = new(tls.ConnectionState)
		r.TLS.VerifiedChains = append(r.TLS.VerifiedChains, cas[2:3])
		_, _ = d.ofConnection(r, d.trust.get())
	}
	require.NotZero(t, remembered())
	require.Eventually(t, func() bool { runtime.GC(); return remembered() <= 1 }, 20*time.Second, 10*time.Millisecond)
	d.forget(weak.Make(new(tls.ConnectionState))) // of nobody
}

func TestHeadersAreRememberedWithinBounds(t *testing.T) {
	var c recently[string, int]
	_, ok := c.get("a")
	assert.False(t, ok)
	for i := range 10 * recentlyMost {
		c.put(fmt.Sprint(i), i)
		v, ok := c.get("0") // asked for all the time
		assert.True(t, ok)
		assert.Zero(t, v)
		assert.LessOrEqual(t, len(c.new)+len(c.old), 2*recentlyMost)
	}
	_, ok = c.get("1")
	assert.False(t, ok, "and this was not")
}
