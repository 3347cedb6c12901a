package pkioverheid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Trace is a set of functions that are called as clients and servers show and see
// certificates, for logs and metrics. Each may be nil, is called synchronously and
// concurrently, and must return soon. A panic in one is recovered and logged once. All text
// is safe to log.
type Trace struct {
	// Shown is called when a key pair was chosen to show in a handshake, or none was. A
	// server chooses before it knows whether the client resumes a session.
	Shown func(Event)

	// Peer is called when the certificate of the other side passed, on resumed
	// sessions too: so the owner sees who presents Private G1. A server's client has not
	// proved yet that it has the key.
	Peer func(Event)

	// Failed is called when one side refused the other's certificate. With its
	// tls.Config alone a server reports what this package refuses; what crypto/tls
	// refuses, and who breaks off, only [Server.ErrorLog] and [Server.HandshakeFailed]
	// can know.
	Failed func(Event)

	// Refused is called when a server refused a request, in its Handler or in Identify.
	Refused func(Event)

	// Own is called when something must be done about a key pair: when a client or
	// server is made, and in the first handshake after a replacement and of each day.
	// That it is revoked is reported soon after that.
	Own func(Event)

	// Replaced is called at the first use after new contents of Trust.Roots,
	// ServerConfig.ClientRoots, Trust.Distrusted or a key pair came: they are in use, or
	// Err says what of them is not, and why.
	Replaced func(Event)
}

// Event is what the functions of [Trace] report. The fields of other functions are zero.
type Event struct {
	Server      bool              // we are the server
	Peer        string            // the host, or the client's address where it is known
	Certificate *x509.Certificate // ours for Shown and Own, the peer's for Peer
	Hierarchy   Hierarchy         // the certificate's; zero if it is not of PKIoverheid

	// Of Shown: the place in the order of that moment, where 0 is the first pair and -1
	// none, and whether the server announced CAs, which is false on a server.
	Place     int
	Announced bool

	// Of Peer: its OIN, empty where it has none, and whether the session was resumed.
	OIN     OIN
	Resumed bool

	// Of Failed and Refused: which side refused what, the reason of a certificate that we
	// refused where it is known, and the status of the answer, 0 where there is none. Err
	// is of Replaced too: nil if the new contents are in use.
	Reason FailureReason
	Cause  chain.Reason
	Status int
	Err    error

	// Of Own: what is wrong, until when something can be done (see [KeyPairStatus]), and
	// what to do.
	Problem  OwnProblem
	Deadline time.Time
	Text     string
}

// FailureReason says which side refused what, in a handshake or a request.
type FailureReason string

const (
	FailureUnknown     FailureReason = "the handshake ended without success"
	PeerUnknownCA      FailureReason = "the peer does not know our CA"
	PeerBadCertificate FailureReason = "the peer says that our certificate is bad"
	PeerRefused        FailureReason = "the peer refused our certificate" // it refused it with another alert
	PeerBrokeOff       FailureReason = "the peer broke off"               // it closed the connection without a reason
	RefusedPeer        FailureReason = "the peer's certificate was refused"
	NotLetIn           FailureReason = "the peer is not let in" // the Authorizer refused its holder
)

// Why a server refused a request, beside RefusedPeer and NotLetIn.
const (
	NoCertificate    FailureReason = "the caller showed no certificate"      // in the handshake, or in the proxy's header
	NotFromProxy     FailureReason = "the request did not come by the proxy" // see Proxy.From
	UnreadableHeader FailureReason = "the proxy's header cannot be read"     // see Proxy.Format
)

// OwnProblem is what is wrong with a certificate of ours.
type OwnProblem string

const (
	OwnEnding      OwnProblem = "its deadline is near" // its deadline is within 90 days, or has passed
	OwnEnded       OwnProblem = "it has ended"
	OwnNotYetValid OwnProblem = "it is not valid yet"
	OwnWrongUse    OwnProblem = "it is for another use" // a client's has no clientAuth, a server's no serverAuth
	OwnWithdrawn   OwnProblem = "its hierarchy was withdrawn"
	OwnShortKey    OwnProblem = "its key is too short" // its key is shorter than its hierarchy asks for
	OwnIncomplete  OwnProblem = "CAs above it are missing"
	OwnRevoked     OwnProblem = "it is revoked"    // it, or a CA above it, is revoked (Trust.Revocation)
	OwnDistrusted  OwnProblem = "it is distrusted" // it, or a CA above it, is in Trust.Distrusted
	OwnNoOIN       OwnProblem = "it has no OIN"    // it is a system's and has no OIN, which Digikoppeling wants
)

// tracing calls the functions of a Trace.
type tracing struct {
	*Trace
	logger func() *slog.Logger
	once   sync.Once // for a panic
}

// report calls f, which may be nil.
func report(t *tracing, f func(Event), e Event) {
	if t == nil || f == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			t.once.Do(func() {
				t.logger().Error("pkioverheid: a function of Trust.Trace panicked", "panic", safetext.Printable(fmt.Sprint(p), safetext.MostError))
			})
		}
	}()
	f(e)
}

// logOwn writes that something must be done about a certificate of ours.
func logOwn(logger *slog.Logger, e Event) {
	level := slog.LevelWarn
	if e.Problem == OwnNoOIN { // not everybody needs one
		level = slog.LevelInfo
	}
	logger.LogAttrs(context.Background(), level, "pkioverheid: our own certificate needs attention",
		slog.String("problem", string(e.Problem)), slog.String("certificate", safetext.Certificate(e.Certificate)),
		slog.String("serial", serialOf(e.Certificate)), slog.Time("deadline", e.Deadline.UTC()), slog.String("advice", e.Text))
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
	e := Event{Server: true, Certificate: pair.Leaf, Hierarchy: claimedHierarchy(pair.Leaf), Place: place}
	if hello.Conn != nil && hello.Conn.RemoteAddr() != nil {
		e.Peer = safetext.Printable(hello.Conn.RemoteAddr().String(), safetext.MostError)
	}
	report(t, t.Shown, e)
}

// reportedError is a refusal that Trace knows of.
type reportedError struct{ error }

func (e *reportedError) Unwrap() error { return e.error }

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
