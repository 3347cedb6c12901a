package pkioverheid

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"
	"weak"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Access says who may call a handler, and from where it is known who calls.
type Access struct {
	// Config says whom to trust. Give the same to [ServerTLSConfig], whose
	// connections these are. Certificate is not used here.
	Config Config

	// Allow decides about every request. nil is an error. An [OINList] can change
	// while the server runs. What it says in an *[AccessError] is told to the caller.
	Allow Authorizer

	// Proxy is the proxy in front that ends TLS. If it is set, the callers'
	// certificates come from its header and from nowhere else. nil is none: they come
	// from the TLS connection.
	Proxy *Proxy

	// Logger gets a warning for every request that is refused: the reason, the
	// address, and the OIN and subject where the caller's certificate was verified,
	// or what it claims to be where not. Names are on one line, shortened, without
	// control characters. nil is slog.Default.
	Logger *slog.Logger
}

// RequireIdentity returns a handler that passes requests on to next whose caller is
// verified and let in, and puts who that is into their context, for
// [IdentityFromContext]. All others get status 403 and one line that tells why, or 400
// where a proxy's header cannot be read.
//
// On a server that ends TLS itself, crypto/tls has verified the caller in the
// handshake. Make its configuration with [ServerTLSConfig], of the same Config: with
// the same Authorizer a caller that is not let in does not get through the handshake,
// with [AllowAnySystem] there, systems that are not let in here read the reason.
//
// Behind a proxy the certificate in the header is verified as crypto/tls would, for
// client authentication and with the same policies. See [Proxy].
//
// The identity of a connection is kept for a minute, so that a certificate that ends
// or is revoked, and a root that is taken away, stop counting within that time on
// connections that stay open. Allow is asked for every request. A proxy's header that
// is refused is refused for five seconds without being read again.
func RequireIdentity(next http.Handler, a Access) (http.Handler, error) {
	switch {
	case next == nil:
		return nil, errors.New("pkioverheid: RequireIdentity needs a handler to pass requests on to")
	case a.Allow == nil:
		return nil, errors.New("pkioverheid: Access.Allow is not set: AllowOIN(…) lets in whom you name, AllowAnySystem() every system of PKIoverheid")
	}
	if err := faultOf(a.Allow); err != nil {
		return nil, err
	}
	l, err := newLive(a.Config, func(cfg Config) (*trust, error) { return newTrust(cfg, forClients) })
	if err != nil {
		return nil, err
	}
	d := &door{next: next, allow: a.Allow, trust: l, logger: a.Logger}
	if a.Proxy == nil {
		d.identify = d.ofConnection
		return d, nil
	}
	p, err := newProxyHeader(*a.Proxy)
	if err != nil {
		return nil, err
	}
	d.proxy, d.identify = p, d.ofHeader
	return d, nil
}

type identityKey struct{}

func init() {
	testidentity.Of = func(c []*x509.Certificate) (any, error) { return identityOf(c, true) }
	testidentity.Context = func(ctx context.Context, id any) context.Context {
		known := id.(Identity)
		return context.WithValue(ctx, identityKey{}, &known)
	}
}

// IdentityFromContext returns who the caller of a request is that came through
// [RequireIdentity]. It is false for every other context.
func IdentityFromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(identityKey{}).(*Identity)
	if !ok {
		return Identity{}, false
	}
	return *id, true
}

// door is the handler of RequireIdentity.
type door struct {
	next     http.Handler
	allow    Authorizer
	trust    *live[*trust]
	logger   *slog.Logger
	proxy    *proxyHeader
	identify func(*http.Request, *trust) (*Identity, *refusal)

	connections sync.Map                              // of weak.Pointer[tls.ConnectionState] to *known
	headers     recently[[sha256.Size]byte, *known]   // of header values
	refusals    recently[[sha256.Size]byte, *refusal] // of header values, so that these push no identity out
}

const (
	// keepFor bounds how long an identity is used without its chain being judged again.
	keepFor = time.Minute

	// refuseFor bounds how long a header is refused without being read again. It is
	// short because what was missing, such as a CRL, may be there in a moment.
	refuseFor = 5 * time.Second
)

// known is an identity that was verified.
type known struct {
	id    Identity
	leaf  *x509.Certificate
	trust *trust    // by which
	at    time.Time // by the system's clock: that of Config may stand still
}

func (k *known) fresh(t *trust, now time.Time) bool {
	age := now.Sub(k.at)
	return k.trust == t && age >= 0 && age < keepFor
}

// refusal is what is said of a request that is refused. It holds no certificate: that
// of a stranger may be large, and this is remembered.
type refusal struct {
	status int
	answer string      // to the caller
	attrs  []slog.Attr // for the log

	trust *trust // as for known
	at    time.Time
}

func (r *refusal) fresh(t *trust, now time.Time) bool {
	age := now.Sub(r.at)
	return r.trust == t && age >= 0 && age < refuseFor
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, refused := d.identify(r, d.trust.get())
	if refused == nil {
		err := d.allow(*id)
		if err == nil {
			d.next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, id)))
			return
		}
		refused = refusalOf(id, err)
	}
	logger := d.logger
	if logger == nil {
		logger = slog.Default()
	}
	attrs := append(slices.Clip(refused.attrs), slog.String("remote", quote.Line(r.RemoteAddr)))
	logger.LogAttrs(r.Context(), slog.LevelWarn, "pkioverheid: a caller was refused", attrs...)
	http.Error(w, refused.answer, refused.status) // as plain text, with nosniff
}

// ofConnection identifies the caller of a connection that crypto/tls verified.
func (d *door) ofConnection(r *http.Request, t *trust) (*Identity, *refusal) {
	state := r.TLS
	switch {
	case state == nil:
		return nil, refusalOf(nil, &AccessError{"the request did not come over TLS, so nobody is known to call"})
	case len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0:
		return nil, refusalOf(nil, &AccessError{"the caller showed no certificate that was verified"})
	}
	// net/http gives all requests of a connection the same pointer.
	now, leaf, key := time.Now(), state.VerifiedChains[0][0], weak.Make(state)
	cached, found := d.connections.Load(key)
	if found {
		if k := cached.(*known); k.leaf == leaf && k.fresh(t, now) {
			return &k.id, nil
		}
	}
	id, err := t.caller(state.VerifiedChains)
	if err != nil { // not kept: a CRL that cannot be had now may be there in a moment
		return nil, refusalOf(nil, err)
	}
	k := &known{id: id, leaf: leaf, trust: t, at: now}
	d.connections.Store(key, k)
	if !found {
		runtime.AddCleanup(state, d.forget, key)
	}
	return &k.id, nil
}

func (d *door) forget(key weak.Pointer[tls.ConnectionState]) { d.connections.Delete(key) }

// ofHeader identifies the caller that the proxy in front names.
func (d *door) ofHeader(r *http.Request, t *trust) (*Identity, *refusal) {
	value, err := d.proxy.value(r)
	if err != nil {
		return nil, refusalOf(nil, err)
	}
	now, key := time.Now(), sha256.Sum256([]byte(value))
	if k, ok := d.headers.get(key); ok && k.fresh(t, now) {
		return &k.id, nil
	}
	if r, ok := d.refusals.get(key); ok && r.fresh(t, now) {
		return nil, r
	}
	k, err := d.readHeader(value, t)
	if err != nil {
		r := refusalOf(nil, err)
		r.trust, r.at = t, now
		d.refusals.put(key, r)
		return nil, r
	}
	k.trust, k.at = t, now
	d.headers.put(key, k)
	return &k.id, nil
}

func (d *door) readHeader(value string, t *trust) (*known, error) {
	certs, err := d.proxy.parse(value)
	if err != nil {
		return nil, &headerError{d.proxy.name, err}
	}
	c, err := t.judge.Verify(certs[0], chain.VerifyOptions{
		Time:      t.clock(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		Extra:     t.genuine(certs[1:]),
	})
	if err != nil {
		return nil, refusedClient(err)
	}
	id, err := t.identify(c)
	if err != nil {
		return nil, err
	}
	return &known{id: id, leaf: certs[0]}, nil
}

// refusalOf says to the log what it does not say to the caller.
func refusalOf(id *Identity, err error) *refusal {
	r := &refusal{status: http.StatusForbidden, answer: reasonFor(id, err)}
	r.attrs = append(r.attrs, slog.String("reason", quote.Line(err.Error())))
	var failed *chain.Error
	switch {
	case errors.As(err, &failed) && id == nil && failed.Chain.Leaf() != nil:
		r.attrs = append(r.attrs, slog.String("claims", safetext.Name(failed.Chain.Leaf().Subject, safetext.MostDN)))
	case id != nil:
		r.attrs = append(r.attrs, slog.String("oin", string(id.oin)), slog.String("subject", safetext.Name(id.Certificate().Subject, safetext.MostDN)))
	}
	var bad *headerError
	if errors.As(err, &bad) {
		r.status = http.StatusBadRequest
	}
	return r
}

// reasonFor is what the caller may know: what is wrong with its own certificate, and
// what an Authorizer says in so many words. What a policy or somebody's Authorizer says
// otherwise may be about systems behind this one.
func reasonFor(id *Identity, err error) string {
	var (
		g3     *G3Error
		access *AccessError
		failed *chain.Error
		bad    *headerError
	)
	switch {
	case errors.As(err, &g3):
		return g3.Error()
	case errors.As(err, &access):
		return quote.Line(access.Error())
	case errors.As(err, &bad):
		return bad.Error()
	case id != nil:
		return fmt.Sprintf("pkioverheid: %s is not let in", quote.Certificate(id.Certificate()))
	case errors.As(err, &failed):
		if g3 := findG3(failed.Chain); g3 != nil {
			return g3.Error()
		}
		return fmt.Sprintf("pkioverheid: the caller's certificate was refused: %s", failed.Reason)
	}
	return "pkioverheid: the caller's certificate was refused"
}

// recently keeps what was looked up in the last two generations of it: at most twice
// recentlyMost values, and the oldest go.
type recently[K comparable, V any] struct {
	mu       sync.Mutex
	new, old map[K]V
}

const recentlyMost = 256

func (c *recently[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.new[key]
	if !ok {
		if v, ok = c.old[key]; ok {
			c.add(key, v)
		}
	}
	return v, ok
}

func (c *recently[K, V]) put(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, v)
}

func (c *recently[K, V]) add(key K, v V) {
	if len(c.new) >= recentlyMost || c.new == nil {
		c.old, c.new = c.new, make(map[K]V)
	}
	c.new[key] = v
}
