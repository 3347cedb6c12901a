package pkioverheid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// ClientCertificateError says that a server ended a connection over our
// certificate, or over the lack of one. crypto/tls reports that as "handshake
// failure", "certificate required" or a connection that was closed, and does not
// tell that it showed no certificate because no CA of ours was among those that
// the server accepts. It is used as *ClientCertificateError.
type ClientCertificateError struct {
	// Host is the server, as it was called, or the https proxy.
	Host string

	// Known is whether the handshake was seen in which the server asked. If it is
	// false (the server asked in a renegotiation), the next three say nothing.
	Known bool

	// AcceptableCAs are the CAs that the server announced, each a quoted name and,
	// for one of PKIoverheid, its hierarchy. Empty means any CA.
	AcceptableCAs []string

	// Certificate is ours, nil if there was none to show.
	Certificate *x509.Certificate

	// Sent is whether it was shown to the server.
	Sent bool

	// Guess is true where the server gave no reason: it closed the connection
	// after it had asked for a certificate and before it answered anything, or
	// answered with a status that often means that.
	Guess bool

	// Advice is what to change.
	Advice string

	// Err is what crypto/tls or the network said.
	Err error
}

// Error says what the server asked for, what was sent, and what to change.
func (e *ClientCertificateError) Error() string {
	var b strings.Builder
	if e.Guess {
		fmt.Fprintf(&b, "pkioverheid: %s ended the call, probably for want of a client certificate that it accepts: ", e.Host)
	} else {
		fmt.Fprintf(&b, "pkioverheid: %s refused the connection, for want of a client certificate that it accepts: ", e.Host)
	}
	if e.Known {
		b.WriteString(e.asked())
		b.WriteString("; ")
		b.WriteString(e.shown())
		b.WriteString("; ")
	}
	fmt.Fprintf(&b, "%s: %v", e.Advice, e.Err)
	return b.String()
}

func (e *ClientCertificateError) asked() string {
	const most = 6
	switch n := len(e.AcceptableCAs); {
	case n == 0:
		return "it asked for one of any CA"
	case n > most:
		return fmt.Sprintf("it asked for one under %s or %d more", strings.Join(e.AcceptableCAs[:most], ", "), n-most)
	}
	return "it asked for one under " + strings.Join(e.AcceptableCAs, ", ")
}

func (e *ClientCertificateError) shown() string {
	switch {
	case e.Certificate == nil:
		return "none was sent, for there is none to send"
	case !e.Sent:
		return describe(e.Certificate) + " was not sent"
	}
	return describe(e.Certificate) + " was sent"
}

// Unwrap returns what crypto/tls or the network said.
func (e *ClientCertificateError) Unwrap() []error { return []error{e.Err} }

// Timeout is false: the server did answer.
func (e *ClientCertificateError) Timeout() bool { return false }

// RefusedCertificate explains a response that may be a refusal of our certificate.
// Some servers, nginx among them, let the handshake pass whatever the client
// showed, and then answer with status 400; their page says little. If resp came
// from a [Transport], has status 400, 403, 495 or 496, and the server asked for a
// certificate when the connection was made, the result is a
// *[ClientCertificateError] that says what was asked for and what was sent. Else
// it is nil. An application may answer 400 and 403 for reasons of its own.
func RefusedCertificate(resp *http.Response) error {
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
	seen := a.seen()
	if seen.request == nil {
		return nil
	}
	return newClientCertificateError(quoteHost(resp.Request.URL.Hostname()), "", seen.request, a.clock(), fmt.Errorf("HTTP status %d", resp.StatusCode))
}

// describe names a certificate, its issuer and its hierarchy.
func describe(c *x509.Certificate) string {
	s := fmt.Sprintf("%s, issued by %s", quote.Certificate(c), quote.Text(c.Issuer.CommonName))
	if id, ok := ClaimOf(c); ok {
		s += " (" + id.Hierarchy.String() + ")"
	}
	return s
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
func (a *attempt) clientCertificateError(host string, err error) *ClientCertificateError {
	var timeout interface{ Timeout() bool }
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	s := a.seen()
	alert, local := alertOf(err)
	switch {
	case s.bodyFailed:
		return nil
	case local:
		if alert != "tls: no renegotiation" {
			return nil
		}
	case slices.Contains(aboutCertificate[:], alert):
		if s.request == nil && !s.connected {
			return nil // in a handshake in which nobody asked
		}
	case s.request == nil || s.answered:
		return nil
	case slices.Contains(mayBeAboutCertificate[:], alert):
	case alert != "" || !connectionLost(err):
		return nil
	case s.connected && s.version < tls.VersionTLS13:
		return nil // up to TLS 1.2 the certificate was accepted when the handshake ended
	}
	return newClientCertificateError(host, alert, s.request, a.clock(), err)
}

// newClientCertificateError explains a refusal; a nil request is not known.
func newClientCertificateError(host, alert string, r *certificateRequest, now time.Time, err error) *ClientCertificateError {
	e := &ClientCertificateError{Host: host, Err: err, Guess: alert == ""}
	if r == nil {
		e.Advice = adviseOn(alert, new(certificateRequest), now)
		if alert != "tls: no renegotiation" {
			e.Advice = "ask the server's owner what is wrong with the certificate"
		}
		return e
	}
	e.Known, e.Certificate, e.Sent = true, r.certificate, r.sent
	for _, raw := range r.acceptableCAs {
		e.AcceptableCAs = append(e.AcceptableCAs, distinguishedName(raw))
	}
	e.Advice = adviseOn(alert, r, now)
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
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return true
	}
	switch err.Error() { // of HTTP/2, which does not wrap its cause
	case "http2: client conn could not be established",
		"http2: client conn is closed",
		"http2: client conn not usable",
		"http2: client connection force closed via ClientConn.Close":
		return true
	}
	return false
}

func adviseOn(alert string, r *certificateRequest, now time.Time) string {
	c := r.certificate
	switch {
	case alert == "tls: no renegotiation":
		return "it asks for a certificate late: set ClientConfig.Renegotiate"
	case c == nil:
		return "set ClientConfig.KeyPairs, see LoadKeyPair"
	case findG3([]*x509.Certificate{c}) != nil:
		return "a certificate under G3 is no longer accepted: " + findG3([]*x509.Certificate{c}).advice()
	case now.Before(c.NotBefore) || now.After(c.NotAfter) || alert == "tls: expired certificate":
		return fmt.Sprintf("it is valid from %s to %s: replace it, or check the clocks", phrase.Day(c.NotBefore), phrase.Day(c.NotAfter))
	case !r.sent && r.acceptable():
		return fmt.Sprintf("the server and this certificate have no signature algorithm in common (%s)", quote.Line(r.unsupported.Error()))
	case !r.sent:
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
		return "ask the server's owner whether this certificate, its root and its OIN are known there, whether it counts as revoked, and whether chains of four certificates are allowed (nginx: ssl_verify_depth 2)"
	}
	return "ask the server's owner what is wrong with it: its root, its policy or its OIN may not be what is wanted there, or it counts as revoked"
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
	s := quote.Text(name.CommonName)
	if name.CommonName == "" {
		s = `"` + safetext.Name(name, safetext.Most) + `"`
	}
	for h := EV; h.known(); h++ {
		for _, c := range embedded()[h] {
			if string(c.RawSubject) == string(raw) {
				return s + " (" + h.String() + ")"
			}
		}
	}
	return s
}
