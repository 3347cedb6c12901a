package pkioverheid

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ClientCertificateError says that a server ended a connection over our
// certificate, or over the lack of one. crypto/tls reports that as "handshake
// failure", "certificate required" or a connection that was closed, and does not
// tell that it showed no certificate because no CA of ours was among those that
// the server accepts. It is used as *ClientCertificateError.
type ClientCertificateError struct {
	// Host is the server, as it was called.
	Host string

	// AcceptableCAs are the names of the CAs that the server announced; empty
	// where it announced none, which means any, or where that is not known.
	AcceptableCAs []string

	// Certificate is ours, nil if there was none to show.
	Certificate *x509.Certificate

	// Sent is whether it was shown to the server.
	Sent bool

	// Advice is what to change.
	Advice string

	// Err is what crypto/tls or the network said.
	Err error

	guessed bool // no alert says that it was about the certificate
}

// Error says what the server asked for, what was sent, and what to change.
func (e *ClientCertificateError) Error() string {
	var b strings.Builder
	if e.guessed {
		fmt.Fprintf(&b, "pkioverheid: %s ended the call, probably for want of a client certificate that it accepts: it asked for ", e.Host)
	} else {
		fmt.Fprintf(&b, "pkioverheid: %s refused the connection, for want of a client certificate that it accepts: it asked for ", e.Host)
	}
	const most = 6
	switch n := len(e.AcceptableCAs); {
	case n == 0:
		b.WriteString("one of any CA")
	case n > most:
		fmt.Fprintf(&b, "one under %s or %d more", strings.Join(e.AcceptableCAs[:most], ", "), n-most)
	default:
		fmt.Fprintf(&b, "one under %s", strings.Join(e.AcceptableCAs, ", "))
	}
	switch {
	case e.Certificate == nil:
		b.WriteString("; none was sent, for there is none to send")
	case !e.Sent:
		fmt.Fprintf(&b, "; %s was not sent, for it is not under one of these", describe(e.Certificate))
	default:
		fmt.Fprintf(&b, "; %s was sent", describe(e.Certificate))
	}
	fmt.Fprintf(&b, "; %s: %v", e.Advice, e.Err)
	return b.String()
}

// Unwrap returns what crypto/tls or the network said.
func (e *ClientCertificateError) Unwrap() []error { return []error{e.Err} }

// Timeout is false: to try again is no use.
func (e *ClientCertificateError) Timeout() bool { return false }

// RefusedCertificate explains a response that may be a refusal of our certificate.
// Some servers, nginx among them, let the handshake pass whatever the client
// showed, and then answer with status 400; their page says little. If resp came
// from a [Transport], has status 400, 403, 495 or 496, and the server asked for a
// certificate when the request's connection was made, the result says what was
// asked for and what was sent. Else it is nil.
func RefusedCertificate(resp *http.Response) *ClientCertificateError {
	if resp == nil || resp.Request == nil {
		return nil
	}
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, 495, 496: // the last two are nginx's own
	default:
		return nil
	}
	a, ok := resp.Request.Context().Value(attemptKey{}).(*attempt)
	if !ok {
		return nil
	}
	a.mu.Lock()
	request := a.request
	a.mu.Unlock()
	if request == nil {
		return nil
	}
	return newClientCertificateError(resp.Request.URL.Hostname(), "", request, time.Now(), fmt.Errorf("HTTP status %d", resp.StatusCode))
}

// describe names a certificate, its issuer and its hierarchy.
func describe(c *x509.Certificate) string {
	s := fmt.Sprintf("%s, issued by %s", quoteName(c), quote(c.Issuer.CommonName))
	if id, ok := Identify(c); ok {
		s += " (" + id.Hierarchy.String() + ")"
	}
	return s
}

// certificateRequest is what a server asked of a client in one handshake.
type certificateRequest struct {
	acceptableCAs [][]byte
	certificate   *x509.Certificate // what there was to show
	unsupported   error             // why it was not shown
	sent          bool
}

// attempt notes what happens to one request on its way to a connection. The
// context of the request carries it to the handshake that the request causes.
type attempt struct {
	mu      sync.Mutex
	request *certificateRequest
	reused  bool
}

type attemptKey struct{}

// withAttempt returns a context whose handshakes and connections are noted.
func withAttempt(ctx context.Context) (context.Context, *attempt) {
	a := new(attempt)
	ctx = context.WithValue(ctx, attemptKey{}, a)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		a.mu.Lock()
		a.reused = info.Reused
		a.mu.Unlock()
	}})
	return ctx, a
}

func noteRequest(ctx context.Context, r certificateRequest) {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		a.mu.Lock()
		a.request = &r
		a.mu.Unlock()
	}
}

// aboutCertificate are the alerts of RFC 8446 section 6.2 by which a server speaks of
// the client's certificate and of nothing else, in crypto/tls's words.
var aboutCertificate = [...]string{
	"tls: bad certificate",
	"tls: unsupported certificate",
	"tls: revoked certificate",
	"tls: expired certificate",
	"tls: unknown certificate",
	"tls: unknown certificate authority",
	"tls: certificate required",
}

// mayBeAboutCertificate are alerts that some servers send over a certificate that
// they asked for.
var mayBeAboutCertificate = [...]string{
	"tls: handshake failure",
	"tls: access denied",
	"tls: error decrypting message",
	"tls: internal error",
}

// clientCertificateError returns the explanation of err if it is a server's
// refusal of our certificate, and nil if it is something else.
func (a *attempt) clientCertificateError(host string, now time.Time, err error) *ClientCertificateError {
	a.mu.Lock()
	request, reused := a.request, a.reused
	a.mu.Unlock()

	var timeout interface{ Timeout() bool }
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	alert, local := alertOf(err)
	switch {
	case local && alert == "tls: no renegotiation":
	case !local && has(aboutCertificate[:], alert):
	case request == nil:
		return nil
	case !local && has(mayBeAboutCertificate[:], alert):
	case alert == "" && !reused && connectionLost(err):
	default:
		return nil
	}
	if request == nil {
		request = &certificateRequest{}
	}
	return newClientCertificateError(host, alert, request, now, err)
}

func newClientCertificateError(host, alert string, r *certificateRequest, now time.Time, err error) *ClientCertificateError {
	e := &ClientCertificateError{Host: quoteHost(host), Certificate: r.certificate, Sent: r.sent, Err: err, guessed: alert == ""}
	for _, raw := range r.acceptableCAs {
		e.AcceptableCAs = append(e.AcceptableCAs, distinguishedName(raw))
	}
	e.Advice = e.adviseOn(alert, r, now)
	return e
}

// alertOf returns the words of a TLS alert, and whether we sent it ourselves.
func alertOf(err error) (alert string, local bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Err == nil {
		return "", false
	}
	switch op.Op {
	case "remote error":
		return op.Err.Error(), false
	case "local error":
		return op.Err.Error(), true
	}
	return "", false
}

// connectionLost reports whether err may be what is left of a server that closed
// the connection right after the handshake: in TLS 1.3 its alert can come too
// late to be read.
func connectionLost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		strings.Contains(err.Error(), "http2: client conn") // of HTTP/2, which does not wrap its cause
}

func has(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func (e *ClientCertificateError) adviseOn(alert string, r *certificateRequest, now time.Time) string {
	switch {
	case alert == "tls: no renegotiation":
		return "it asks for a certificate late: set Config.Renegotiate"
	case e.Certificate == nil:
		return "set Config.Certificate, see LoadKeyPair"
	case RejectG3([]*x509.Certificate{e.Certificate}) != nil:
		return "a certificate under G3 is no longer accepted: ask the certificate supplier for one under Private G4"
	case now.Before(e.Certificate.NotBefore) || now.After(e.Certificate.NotAfter) || alert == "tls: expired certificate":
		return fmt.Sprintf("it is valid from %s to %s: replace it, or check the clocks", day(e.Certificate.NotBefore), day(e.Certificate.NotAfter))
	case !e.Sent && len(r.acceptableCAs) == 0:
		return fmt.Sprintf("the server and this certificate have no signature algorithm in common (%v)", r.unsupported)
	case !e.Sent:
		return "use a certificate under a CA that the server accepts, or ask the server's owner to accept this one's root"
	}
	switch alert {
	case "tls: unknown certificate authority":
		return "ask the server's owner to trust the root of this certificate"
	case "tls: revoked certificate":
		return "ask the certificate supplier for a new one"
	case "tls: error decrypting message":
		return "the signature by its private key did not check out: a key in a token or key store that cannot do RSA-PSS does this"
	case "tls: access denied", "tls: handshake failure", "tls: internal error":
		return "ask the server's owner whether this certificate, its root and its OIN are known there"
	case "":
		return "ask the server's owner whether this certificate, its root and its OIN are known there, and whether chains of four certificates are allowed (nginx: ssl_verify_depth 2)"
	}
	return "ask the server's owner what is wrong with it: its root, its policy or its OIN may not be what is wanted there"
}

// distinguishedName returns the common name in a name that a server announced,
// with the hierarchy where that is one of ours.
func distinguishedName(raw []byte) string {
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &rdns); err != nil || len(rest) > 0 {
		return "a CA whose name cannot be read"
	}
	var name pkix.Name
	name.FillFromRDNSequence(&rdns)
	s := name.CommonName
	if s == "" {
		s = name.String()
	}
	s = quote(s)
	for h := EV; h <= G3; h++ {
		for _, c := range embedded()[h] {
			if string(c.RawSubject) == string(raw) {
				return s + " (" + h.String() + ")"
			}
		}
	}
	return s
}
