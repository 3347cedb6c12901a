package pkioverheid

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// refusal is what is said about a refused request. It holds no certificate: that
// of a stranger may be large, and this is remembered.
type refusal struct {
	status int
	said   AccessError // to the caller
	text   string      // for the log and Trace
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
	r := &refusal{status: http.StatusForbidden, said: saidTo(id, err), text: safetext.Printable(err.Error(), safetext.MostError)}
	r.said.Reason, r.said.Cause = failureOf(id, err)
	r.attrs = append(r.attrs, slog.String("reason", r.text), slog.String("kind", string(r.said.Reason)))
	var failed *chain.Error
	switch {
	case errors.As(err, &failed) && id == nil && failed.Chain.Leaf() != nil:
		r.attrs = append(r.attrs, slog.String("claims", safetext.Name(failed.Chain.Leaf().Subject, safetext.MostDN)))
	case id != nil:
		r.attrs = append(r.attrs, slog.String("oin", string(id.oin)), slog.String("subject", safetext.Name(id.Certificate().Subject, safetext.MostDN)))
	}
	if r.said.Reason == UnreadableHeader {
		r.status = http.StatusBadRequest
	}
	return r
}

// failureOf returns why a caller is refused. id is nil where it was not identified.
func failureOf(id *Identity, err error) (FailureReason, chain.Reason) {
	var (
		bad    *headerError
		access *AccessError
		failed *chain.Error
	)
	switch {
	case id != nil:
		return NotLetIn, ""
	case errors.As(err, &bad):
		return UnreadableHeader, ""
	case errors.As(err, &access) && access.Reason != "":
		return access.Reason, access.Cause
	case errors.As(err, &failed):
		return RefusedPeer, failed.Reason
	}
	return RefusedPeer, ""
}

// saidTo is what the caller may know: what is wrong with its own certificate, and
// what an Authorizer says in an AccessError. What a policy or somebody's Authorizer says
// otherwise may be about other systems.
func saidTo(id *Identity, err error) AccessError {
	var (
		g3     *G3Error
		access *AccessError
		failed *chain.Error
		bad    *headerError
	)
	switch {
	case errors.As(err, &g3):
		return g3.said()
	case errors.As(err, &access):
		return AccessError{Problem: safetext.Printable(access.Problem, safetext.MostError)}
	case errors.As(err, &bad):
		return AccessError{Problem: bad.problem()}
	case id != nil:
		return AccessError{Problem: safetext.Certificate(id.Certificate()) + " is not let in."}
	case errors.As(err, &failed):
		if g3 := findG3(failed.Chain); g3 != nil {
			return g3.said()
		}
		return AccessError{Problem: "The caller's certificate was refused: " + string(failed.Reason) + "."}
	}
	return AccessError{Problem: "The caller's certificate was refused."}
}

func (e *G3Error) said() AccessError {
	return AccessError{Problem: "G3 refused: " + e.Problem, Advice: e.Advice}
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
		noted := &notedWriter{ResponseWriter: w}
		if s.onRefusal(noted, r, refused.status, &said); noted.wrote {
			return
		}
	}
	http.Error(w, said.Error(), refused.status) // as plain text, with nosniff
}

// notedWriter notes whether something was written.
type notedWriter struct {
	http.ResponseWriter
	wrote bool
}

func (w *notedWriter) WriteHeader(status int) {
	w.wrote = w.wrote || status >= 200
	w.ResponseWriter.WriteHeader(status)
}

func (w *notedWriter) Write(p []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *notedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logLimit lets one line a second through for each reason, of which there are few.
type logLimit struct {
	mu   sync.Mutex
	last map[logReason]*logged
}

type logReason struct {
	reason FailureReason
	cause  chain.Reason
}

type logged struct {
	at      time.Time
	leftOut int
}

// admit reports whether a line may be logged, and how many were not since.
func (l *logLimit) admit(reason FailureReason, cause chain.Reason) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now() // a limit for the log, which no verification depends on
	last := l.last[logReason{reason, cause}]
	if last == nil {
		last = new(logged)
		if l.last == nil {
			l.last = make(map[logReason]*logged)
		}
		l.last[logReason{reason, cause}] = last
	}
	if age := now.Sub(last.at); age >= 0 && age < time.Second {
		last.leftOut++
		return 0, false
	}
	leftOut = last.leftOut
	*last = logged{at: now}
	return leftOut, true
}
