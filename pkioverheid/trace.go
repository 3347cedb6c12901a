package pkioverheid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
)

// Trace is a set of functions that are called as clients and servers show and see
// certificates, for logs and metrics. Each may be nil, is called synchronously and
// concurrently, and must return soon. A panic in one is recovered, and logged the first
// time. All text is safe to log.
type Trace struct {
	// Shown is called when a key pair was chosen to show in a handshake, or none was. A
	// server chooses before it knows whether the client resumes a session.
	Shown func(ShownEvent)

	// Peer is called when the certificate of the other side passed, on resumed
	// sessions too: so the owner sees who presents Private G1.
	Peer func(PeerEvent)

	// Failed is called when one side refused the other's certificate. With its
	// tls.Config alone a server reports what this package refuses; what crypto/tls
	// refuses, and who breaks off, only [Server.ErrorLog] and [Server.HandshakeFailed]
	// can know.
	Failed func(FailedEvent)

	// Own is called when something must be done about a key pair: when a client or
	// server is made, and in the first handshake after a replacement and of each day.
	// That it is revoked is reported soon after that.
	Own func(OwnEvent)

	// Replaced is called at the first use after new contents of Trust.Roots,
	// ServerConfig.ClientRoots, Trust.Distrusted or a key pair came: they are in use, or
	// Err says why they are refused and what was there stays.
	Replaced func(ReplacedEvent)
}

// ReplacedEvent is what Trace.Replaced reports.
type ReplacedEvent struct {
	Server bool  // it is a server's
	Err    error // nil: the new contents are in use
}

// ShownEvent is what Trace.Shown reports.
type ShownEvent struct {
	Server      bool   // we are the server
	Peer        string // the host, where it is known, or the client's address
	Certificate *x509.Certificate
	Hierarchy   Hierarchy // zero for one that is not of PKIoverheid, and for none
	Place       int       // in the order of that moment: 0 is the first pair, -1 none
	Announced   bool      // the server announced CAs; false on a server
}

// PeerEvent is what Trace.Peer reports.
type PeerEvent struct {
	Server      bool   // we are the server
	Peer        string // the host; empty on a server
	Certificate *x509.Certificate
	Hierarchy   Hierarchy
	OIN         OIN // empty where it has none
	Resumed     bool
}

// FailedEvent is what Trace.Failed reports.
type FailedEvent struct {
	Server bool   // we are the server
	Peer   string // the host, or the client's address where it is known
	Reason FailureReason
	Err    error
}

// FailureReason says which side refused which certificate in a handshake.
type FailureReason uint8

const (
	FailureUnknown     FailureReason = iota // it ended without success
	PeerUnknownCA                           // the other side does not trust our CA
	PeerBadCertificate                      // it says that our certificate is bad
	PeerRefused                             // it refused it with another alert
	PeerBrokeOff                            // it closed the connection without a reason
	RefusedPeer                             // we refused its certificate
	NotLetIn                                // the Authorizer refused its holder
)

// String returns a phrase such as "the peer does not know our CA".
func (r FailureReason) String() string {
	texts := [...]string{
		"the handshake ended without success", "the peer does not know our CA", "the peer says that our certificate is bad",
		"the peer refused our certificate", "the peer broke off", "the peer's certificate was refused", "the peer is not let in",
	}
	if int(r) < len(texts) {
		return texts[r]
	}
	return fmt.Sprintf("FailureReason(%d)", uint8(r))
}

// OwnEvent is what Trace.Own reports.
type OwnEvent struct {
	Server      bool // it is a server's
	Certificate *x509.Certificate
	Hierarchy   Hierarchy
	Problem     OwnProblem
	Deadline    time.Time // see KeyPairStatus
	Text        string    // what is wrong, and what to do
}

// OwnProblem is what is wrong with a certificate of ours.
type OwnProblem uint8

const (
	OwnEnding      OwnProblem = iota + 1 // its deadline is within 90 days, or has passed
	OwnEnded                             // it has ended
	OwnNotYetValid                       // it is not valid yet
	OwnWrongUse                          // a client's has no clientAuth, a server's no serverAuth
	OwnWithdrawn                         // its hierarchy was withdrawn
	OwnShortKey                          // its key is shorter than its hierarchy asks for
	OwnIncomplete                        // CAs above it are missing
	OwnRevoked                           // it, or a CA above it, is revoked (Trust.Revocation)
	OwnNoOIN                             // it is a system's and has no OIN, which Digikoppeling wants
)

// String returns a phrase such as "its deadline is near".
func (p OwnProblem) String() string {
	texts := [...]string{
		"", "its deadline is near", "it has ended", "it is not valid yet", "it is for another use",
		"its hierarchy was withdrawn", "its key is too short", "CAs above it are missing", "it is revoked", "it has no OIN",
	}
	if p > 0 && int(p) < len(texts) {
		return texts[p]
	}
	return fmt.Sprintf("OwnProblem(%d)", uint8(p))
}

// tracing calls the functions of a Trace.
type tracing struct {
	*Trace
	logger func() *slog.Logger
	once   sync.Once // for a panic
}

func newTracing(t Trust) *tracing {
	tr := &tracing{Trace: new(Trace), logger: t.logger}
	if t.Trace != nil {
		*tr.Trace = *t.Trace
	}
	return tr
}

// report calls f, which may be nil.
func report[E any](t *tracing, f func(E), e E) {
	if t == nil || f == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			t.once.Do(func() {
				t.logger().Error("pkioverheid: a function of Trust.Trace panicked", "panic", quote.Line(fmt.Sprint(p)))
			})
		}
	}()
	f(e)
}

// own reports what is wrong with our certificates.
func (t *tracing) own(problems []OwnEvent) {
	for _, e := range problems {
		level := slog.LevelWarn
		if e.Problem == OwnNoOIN { // not everybody needs one
			level = slog.LevelInfo
		}
		t.logger().LogAttrs(context.Background(), level, "pkioverheid: our own certificate needs attention",
			slog.String("problem", e.Problem.String()), slog.String("certificate", quote.Certificate(e.Certificate)),
			slog.String("serial", serialOf(e.Certificate)), slog.Time("deadline", e.Deadline.UTC()), slog.String("advice", e.Text))
		report(t, t.Own, e)
	}
}

// serialOf is short: a serial number has at most 20 bytes.
func serialOf(c *x509.Certificate) string {
	if c.SerialNumber == nil || c.SerialNumber.BitLen() > 160 {
		return ""
	}
	return c.SerialNumber.Text(16)
}

// shownBy reports the key pair that a server chose.
func (t *tracing) shownBy(hello *tls.ClientHelloInfo, pair *tls.Certificate, place int) {
	if t.Shown == nil {
		return
	}
	e := ShownEvent{Server: true, Certificate: pair.Leaf, Hierarchy: claimedHierarchy(pair.Leaf), Place: place}
	if hello.Conn != nil && hello.Conn.RemoteAddr() != nil {
		e.Peer = quote.Line(hello.Conn.RemoteAddr().String())
	}
	report(t, t.Shown, e)
}

// reasonOfAlert is what the peer's alert says about our certificate.
func reasonOfAlert(a alert) FailureReason {
	switch a {
	case noAlert:
		return PeerBrokeOff
	case unknownCA:
		return PeerUnknownCA
	case badCertificate:
		return PeerBadCertificate
	}
	return PeerRefused
}

// reportedError is a refusal that Trace knows of.
type reportedError struct{ error }

func (e *reportedError) Unwrap() error { return e.error }

// HandshakeFailed reports to Trace why a handshake failed, for whoever calls Handshake:
// gRPC, raw TLS. crypto/tls asks nothing of a server's configuration when the client
// breaks off, or when crypto/tls refuses the client's certificate itself. A nil error, and
// one that VerifyConnection reported, are not reported.
func (s *Server) HandshakeFailed(remote net.Addr, err error) {
	var known *reportedError
	if err == nil || errors.As(err, &known) {
		return
	}
	e := FailedEvent{Server: true, Reason: FailureUnknown, Err: err}
	if remote != nil {
		e.Peer = quote.Line(remote.String())
	}
	var refused *tls.CertificateVerificationError
	switch said, local := alertOf(err); {
	case errors.As(err, &refused):
		e.Reason = RefusedPeer
	case local || said == otherAlert:
	case said != noAlert:
		e.Reason = reasonOfAlert(said)
	case lostBy(err) != nil:
		e.Reason = PeerBrokeOff
	}
	report(s.tracing, s.tracing.Failed, e)
}

// ErrorLog returns a logger for http.Server.ErrorLog. It reads net/http's words about
// failed handshakes for [Server.HandshakeFailed]. Trust.Logger gets at most one line a
// second for each reason, and one for all that is not about handshakes, with the number
// of those left out.
func (s *Server) ErrorLog() *log.Logger {
	return log.New(&errorLog{server: s, last: make(map[string]*logged)}, "", 0)
}

type errorLog struct {
	server *Server
	mu     sync.Mutex
	last   map[string]*logged // by reason, of which there are few
}

type logged struct {
	at      time.Time
	leftOut int
}

// Write takes a line of net/http.
func (l *errorLog) Write(p []byte) (int, error) {
	line := quote.Line(strings.TrimSpace(string(p[:min(len(p), 1024)])))
	kind := "net/http"
	if rest, found := strings.CutPrefix(line, "http: TLS handshake error from "); found {
		remote, text, _ := strings.Cut(rest, ": ")
		kind = "handshake"
		if err := errorOfWords(text); err != nil {
			said, _ := alertOf(err)
			kind = fmt.Sprintf("handshake, alert %d", said)
			l.server.HandshakeFailed(namedAddr(remote), err)
		}
	}
	if leftOut, ok := l.admit(kind); ok {
		l.server.trust.logger().LogAttrs(context.Background(), slog.LevelWarn, "pkioverheid: net/http reports an error", slog.String("error", line), slog.Int("left_out", leftOut))
	}
	return len(p), nil
}

// admit reports whether a line of the kind may be logged, and how many were not since.
func (l *errorLog) admit(kind string) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now() // a limit for the log, which no verification depends on
	last := l.last[kind]
	if last == nil {
		last = new(logged)
		l.last[kind] = last
	}
	if age := now.Sub(last.at); age >= 0 && age < time.Second {
		last.leftOut++
		return 0, false
	}
	leftOut = last.leftOut
	*last = logged{at: now}
	return leftOut, true
}

// errorOfWords is the error of which net/http logged the text, nil for one that
// VerifyConnection reported.
func errorOfWords(text string) error {
	if strings.HasPrefix(text, "pkioverheid: ") {
		return nil
	}
	if said, found := strings.CutPrefix(text, "remote error: "); found {
		return &net.OpError{Op: "remote error", Err: errors.New(said)}
	}
	if strings.HasPrefix(text, "tls: failed to verify certificate: ") {
		return &tls.CertificateVerificationError{Err: errors.New(text)}
	}
	if text == "EOF" || strings.Contains(text, "connection reset by peer") {
		return io.EOF
	}
	return errors.New(text)
}

// namedAddr is an address as net/http logged it.
type namedAddr string

func (a namedAddr) Network() string { return "tcp" }
func (a namedAddr) String() string  { return string(a) }
