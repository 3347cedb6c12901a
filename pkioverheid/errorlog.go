package pkioverheid

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"strings"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// HandshakeFailed reports to Trace why a handshake failed, for whoever calls Handshake: gRPC,
// raw TLS. crypto/tls calls nothing of ours when the client breaks off, or when it refuses
// the client's certificate itself. What was reported already is not reported again.
func (s *Server) HandshakeFailed(remote net.Addr, err error) {
	var known *reportedError
	if err == nil || errors.As(err, &known) {
		return
	}
	e := Event{Server: true, Err: &printableError{err}}
	e.Reason, e.Cause = s.handshakeFailure(err)
	if remote != nil {
		e.Peer = safetext.Printable(remote.String(), safetext.MostError)
	}
	report(s.tracing, s.tracing.Failed, e)
}

// printableError has the text of crypto/tls, which may quote long names of a stranger.
type printableError struct{ error }

func (e *printableError) Error() string {
	return safetext.Printable(e.error.Error(), safetext.MostError)
}

func (e *printableError) Unwrap() error { return e.error }

// handshakeFailure returns why a handshake failed.
func (s *Server) handshakeFailure(err error) (FailureReason, chain.Reason) {
	var refused *tls.CertificateVerificationError
	switch said, local := alertOf(err); {
	case errors.As(err, &refused) && refused.Err != nil:
		return RefusedPeer, s.current.get().causeOf(refused)
	case err.Error() == noClientCertificate:
		return NoCertificate, ""
	case strings.HasPrefix(err.Error(), wrongClientSignature):
		return RefusedPeer, ""
	case local || said == otherAlert:
	case said != noAlert:
		return reasonOfAlert(said), ""
	case lostBy(err) != nil:
		return PeerBrokeOff, ""
	}
	return FailureUnknown, ""
}

// ErrorLog returns a logger for http.Server.ErrorLog. It reads net/http's words about failed
// handshakes for [Server.HandshakeFailed]. Trust.Logger gets at most one line a second for
// each reason, of at most 400 bytes, or 8 KiB for the stack of a panic.
func (s *Server) ErrorLog() *log.Logger {
	return log.New(&errorLog{server: s}, "", 0)
}

type errorLog struct {
	server *Server
	limit  logLimit
}

// A panic in a handler, whose stack net/http logs in the same line.
const (
	mostPanic = 8 << 10
	panicked  = FailureReason("panic") // for the limit alone
)

// Write takes a line of net/http.
func (l *errorLog) Write(p []byte) (int, error) {
	most := safetext.MostError
	var reason FailureReason
	if bytes.HasPrefix(p, []byte("http: panic serving ")) {
		most, reason = mostPanic, panicked
	}
	line := safetext.Printable(strings.TrimSpace(string(p[:min(len(p), 2*most)])), most)
	var cause chain.Reason
	if rest, found := strings.CutPrefix(line, "http: TLS handshake error from "); found {
		remote, text, _ := strings.Cut(rest, ": ")
		if err := errorOfWords(text); err != nil {
			reason, cause = l.server.handshakeFailure(err)
			l.server.HandshakeFailed(namedAddr(remote), err)
		} else {
			reason, cause = reportedWords(text)
		}
	}
	if leftOut, ok := l.limit.admit(reason, cause); ok {
		l.server.trust.logger().LogAttrs(context.Background(), slog.LevelWarn, "pkioverheid: net/http reports an error", slog.String("error", line), slog.Int("left_out", leftOut))
	}
	return len(p), nil
}

// reportedWords returns the reason in the text of an error of VerifyConnection, which
// net/http logged.
func reportedWords(text string) (FailureReason, chain.Reason) {
	if rest, found := strings.CutPrefix(text, refusedClientText+"chain: "); found {
		cause, _, _ := strings.Cut(rest, ":") // our own word
		return RefusedPeer, chain.Reason(cause)
	}
	if strings.Contains(text, notLetInText) {
		return NotLetIn, ""
	}
	return RefusedPeer, ""
}

// namedAddr is an address as net/http logged it.
type namedAddr string

func (a namedAddr) Network() string { return "tcp" }
func (a namedAddr) String() string  { return string(a) }
