package pkioverheid

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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

// refuseFor bounds how long a header is refused without being read again. It is
// short because what was missing, such as a CRL, may be there in a moment.
const refuseFor = 5 * time.Second

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

// Parts of errors that the limit of the log looks for.
const (
	notLetInText      = " is not let in: "
	refusedClientText = "pkioverheid: the client's certificate was refused: "
)

func notLetIn(id Identity, err error) error {
	return fmt.Errorf("pkioverheid: %s"+notLetInText+"%w", safetext.Certificate(id.Certificate()), err)
}

func refusedClient(err error) error {
	return fmt.Errorf(refusedClientText+"%w", err)
}
