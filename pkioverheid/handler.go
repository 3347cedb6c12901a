package pkioverheid

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Handler returns a middleware that passes requests on to next whose caller is verified
// and let in by the server's [Authorizer], and puts who that is into their context, for
// [IdentityFromContext]. All others get status 403 and one line that says why, or 400
// where a proxy's header cannot be read. What an Authorizer says in an *[AccessError] is
// for the caller to read; of any other error it learns no more than that it was refused.
//
// On a server that ends TLS itself, crypto/tls has verified the caller in the handshake:
// use [Server.TLSConfigForHandler]. With a [Proxy], the certificate in its header is
// verified as crypto/tls would, for client authentication and with the same policies.
//
// The identity of a connection is kept for a minute, so that a certificate that ends or is
// revoked, and a root that is taken away, stop counting within that time on connections
// that stay open. The Authorizer is asked for every request. A proxy's header that is
// refused is refused for five seconds without being read again.
//
// Trust.Logger gets a warning for every request that is refused: the reason, the address,
// and the OIN and subject where the caller's certificate was verified, or what it claims to
// be where not.
func (s *Server) Handler(next http.Handler) http.Handler { return s.handler(next, s.allow) }

// HandlerFor returns a [Server.Handler] for a route: it asks the server's Authorizer and
// then allow. nil is an error, and so is one that cannot work.
func (s *Server) HandlerFor(allow Authorizer) (func(http.Handler) http.Handler, error) {
	if allow == nil {
		return nil, errors.New("pkioverheid: HandlerFor needs an Authorizer: AllowOIN(…) lets in whom you name")
	}
	if err := faultOf(allow); err != nil {
		return nil, err
	}
	both := AllOf(s.allow, allow)
	return func(next http.Handler) http.Handler { return s.handler(next, both) }, nil
}

func (s *Server) handler(next http.Handler, allow Authorizer) http.Handler {
	if next == nil {
		panic("pkioverheid: Server.Handler needs a handler to pass requests on to") // as http.Handle does
	}
	return &handler{s, allow, next}
}

type handler struct {
	server *Server
	allow  Authorizer
	next   http.Handler
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, refused := h.server.callers.identify(r, h.server.current.get().trustState)
	if refused == nil {
		err := h.allow(*id)
		if err == nil {
			h.next.ServeHTTP(w, r.WithContext(withIdentity(r.Context(), id)))
			return
		}
		refused = refusalOf(id, err)
	}
	if id == nil && h.server.callers.proxy == nil {
		// No request of the connection can succeed. HTTP/2 turns it into GOAWAY.
		w.Header().Set("Connection", "close")
	}
	attrs := append(slices.Clip(refused.attrs), slog.String("remote", safetext.Printable(r.RemoteAddr, safetext.MostError)))
	h.server.trust.logger().LogAttrs(r.Context(), slog.LevelWarn, "pkioverheid: a caller was refused", attrs...)
	http.Error(w, refused.answer, refused.status) // as plain text, with nosniff
}

// refusal is what is said about a refused request. It holds no certificate: that
// of a stranger may be large, and this is remembered.
type refusal struct {
	status int
	answer string      // to the caller
	attrs  []slog.Attr // for the log

	trust *trustState // as for known
	at    time.Time
}

func (r *refusal) fresh(t *trustState, now time.Time) bool {
	age := now.Sub(r.at)
	return r.trust == t && age >= 0 && age < refuseFor
}

// refusalOf says to the log what it does not say to the caller.
func refusalOf(id *Identity, err error) *refusal {
	r := &refusal{status: http.StatusForbidden, answer: reasonFor(id, err)}
	r.attrs = append(r.attrs, slog.String("reason", safetext.Printable(err.Error(), safetext.MostError)))
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
// what an Authorizer says in an AccessError. What a policy or somebody's Authorizer says
// otherwise may be about other systems.
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
		return safetext.Printable(wording(access.Problem, ""), safetext.MostError)
	case errors.As(err, &bad):
		return bad.Error()
	case id != nil:
		return fmt.Sprintf("pkioverheid: %s is not let in", safetext.Certificate(id.Certificate()))
	case errors.As(err, &failed):
		if g3 := findG3(failed.Chain); g3 != nil {
			return g3.Error()
		}
		return fmt.Sprintf("pkioverheid: the caller's certificate was refused: %s", failed.Reason)
	}
	return "pkioverheid: the caller's certificate was refused"
}
