package pkioverheid

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"runtime"
	"sync"
	"time"
	"weak"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/recently"
)

// callers identifies who calls, and remembers it for some time.
type callers struct {
	proxy *proxyHeader // nil if the callers' certificates come from TLS connections

	connections sync.Map                                    // of weak.Pointer[tls.ConnectionState] to *known
	headers     recently.Cache[[sha256.Size]byte, *known]   // of header values
	refusals    recently.Cache[[sha256.Size]byte, *refusal] // of header values, so that these push no identity out
}

// keepFor bounds how long an identity is used without its chain being verified again.
const keepFor = time.Minute

// known is an identity that was verified.
type known struct {
	id    Identity
	leaf  *x509.Certificate
	trust *trustState // by which
	at    time.Time   // by the system's clock: that of Trust may not move
}

func (k *known) fresh(t *trustState, now time.Time) bool {
	age := now.Sub(k.at)
	return k.trust == t && age >= 0 && age < keepFor
}

// identify returns who sent a request, or why that is not known.
func (c *callers) identify(r *http.Request, t *trustState) (*Identity, *refusal) {
	if c.proxy != nil {
		return c.ofHeader(r, t)
	}
	return c.ofConnection(r, t)
}

// ofConnection identifies the caller of a connection that crypto/tls verified.
func (c *callers) ofConnection(r *http.Request, t *trustState) (*Identity, *refusal) {
	state := r.TLS
	switch {
	case state == nil:
		return nil, refusalOf(nil, &AccessError{Reason: NoCertificate, Problem: "The request did not come over TLS, so nobody is known to call."})
	case len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0:
		return nil, refusalOf(nil, &AccessError{Reason: NoCertificate, Problem: "The caller showed no certificate that was verified."})
	case inHandshake(state):
		return nil, refusalOf(nil, &AccessError{Reason: NoCertificate, Problem: "The handshake is not complete, so the caller has not proved that it has the key of its certificate."})
	}
	// net/http gives all requests of a connection the same pointer.
	now, leaf, key := time.Now(), state.VerifiedChains[0][0], weak.Make(state)
	cached, found := c.connections.Load(key)
	if found {
		if k := cached.(*known); k.leaf == leaf && k.fresh(t, now) {
			return &k.id, nil
		}
	}
	id, err := t.caller(state.VerifiedChains)
	if err != nil { // not kept: a CRL that is not available now may be in a moment
		return nil, refusalOf(nil, err)
	}
	k := &known{id: id, leaf: leaf, trust: t, at: now}
	c.connections.Store(key, k)
	if !found {
		runtime.AddCleanup(state, c.forget, key)
	}
	return &k.id, nil
}

func (c *callers) forget(key weak.Pointer[tls.ConnectionState]) { c.connections.Delete(key) }

// ofHeader identifies the caller that the proxy in front names.
func (c *callers) ofHeader(r *http.Request, t *trustState) (*Identity, *refusal) {
	value, err := c.proxy.value(r)
	if err != nil {
		return nil, refusalOf(nil, err)
	}
	now, key := time.Now(), sha256.Sum256([]byte(value))
	if k, ok := c.headers.Get(key); ok && k.fresh(t, now) {
		return &k.id, nil
	}
	if r, ok := c.refusals.Get(key); ok && r.fresh(t, now) {
		return nil, r
	}
	k, err := c.readHeader(value, t)
	if err != nil {
		r := refusalOf(nil, err)
		r.trust, r.at = t, now
		c.refusals.Put(key, r)
		return nil, r
	}
	k.trust, k.at = t, now
	c.headers.Put(key, k)
	return &k.id, nil
}

func (c *callers) readHeader(value string, t *trustState) (*known, error) {
	certs, err := c.proxy.parse(value)
	if err != nil {
		return nil, &headerError{c.proxy.name, err}
	}
	verified, err := t.complete.Verify(certs[0], chain.VerifyOptions{
		Time:      t.clock(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		Extra:     t.genuine(certs[1:]),
	})
	if err != nil {
		return nil, refusedClient(err)
	}
	id, err := t.identify(verified)
	if err != nil {
		return nil, err
	}
	return &known{id: id, leaf: certs[0]}, nil
}
