package pkioverheid

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Handler returns a middleware that passes on to next the requests whose caller is
// verified and let in by the server's [Authorizer], with the caller in their context, for
// [IdentityFromContext]. It answers all others with status 403 and one line that says why,
// or 400 where a proxy's header cannot be read: see ServerConfig.OnRefusal.
//
// A server without a [Proxy] needs [Server.TLSConfigForHandler].
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
	h.server.reportRefusal(r, refused)
	h.server.answer(w, r, refused)
}

// identityKey is that of the Identity in a request's context.
type identityKey struct{}

func withIdentity(ctx context.Context, id *Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}

// IdentityFromContext returns who the caller of a request is that came through
// [Server.Handler]. It is false for every other context.
func IdentityFromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(identityKey{}).(*Identity)
	if !ok {
		return Identity{}, false
	}
	return *id, true
}

func init() {
	testidentity.Context = func(ctx context.Context, id any) context.Context {
		known := id.(Identity)
		return withIdentity(ctx, &known)
	}
}

// reportRefusal reports to Trace and to the log.
func (s *Server) reportRefusal(r *http.Request, refused *refusal) {
	peer := safetext.Printable(r.RemoteAddr, safetext.MostError)
	attrs := append(slices.Clip(refused.attrs), slog.String("remote", peer))
	if caller := s.callers.proxy.caller(r); caller != "" {
		attrs, peer = append(attrs, slog.String("caller", caller)), caller
	}
	report(s.tracing, s.tracing.Refused, Event{
		Server: true, Peer: peer, Reason: refused.said.Reason, Cause: refused.said.Cause, Status: refused.status, Err: errors.New(refused.text),
	})
	if leftOut, ok := s.requestLog.admit(refused.said.Reason, refused.said.Cause); ok {
		s.trust.logger().LogAttrs(r.Context(), slog.LevelWarn, "pkioverheid: a caller was refused", append(attrs, slog.Int("left_out", leftOut))...)
	}
}

// answer has OnRefusal answer, or does so itself where that writes nothing: net/http would
// turn that into status 200.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, refused *refusal) {
	said := refused.said
	if s.onRefusal != nil {
		noted := &notedWriter{ResponseWriter: w, status: refused.status}
		if s.onRefusal(noted, r, refused.status, &said); noted.wrote {
			return
		}
	}
	http.Error(w, said.Error(), refused.status) // as plain text, with nosniff
}

// notedWriter notes whether something was written. What comes without a status has that of
// the refusal, where net/http would say 200.
type notedWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (w *notedWriter) WriteHeader(status int) {
	w.wrote = w.wrote || status >= 200
	w.ResponseWriter.WriteHeader(status)
}

func (w *notedWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(w.status)
	}
	return w.ResponseWriter.Write(p)
}

// FlushError is for http.ResponseController.
func (w *notedWriter) FlushError() error {
	if !w.wrote {
		w.WriteHeader(w.status)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *notedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
