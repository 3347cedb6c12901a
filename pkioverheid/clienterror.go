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
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// ClientCertificateError says that a server ended a connection over our certificate, or
// over the lack of one. crypto/tls reports that as "handshake failure", "certificate
// required" or a closed connection, and not that it sent no certificate.
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
	// before it answered, or answered with a status that often means that.
	Guess bool

	// Problem is what is wrong, and Advice what to change, in sentences.
	Problem, Advice string

	// Err holds what crypto/tls or the network said.
	Err []error
}

// Error says what is wrong and what to change, then what the server said, and which CAs
// it accepts where none of them is ours, on one line.
func (e *ClientCertificateError) Error() string {
	var details []string
	if len(e.Err) > 0 {
		details = append(details, "["+safetext.Printable(e.Err[0].Error(), safetext.MostError)+"]")
	}
	if e.Known && !e.Sent && len(e.AcceptableCAs) > 0 {
		details = append(details, "["+e.asked()+"]")
	}
	return wording(e.Problem, e.Advice, details...)
}

func (e *ClientCertificateError) asked() string {
	const most = 6
	if n := len(e.AcceptableCAs); n > most {
		return fmt.Sprintf("it accepts certificates under %s or %d more", strings.Join(e.AcceptableCAs[:most], ", "), n-most)
	}
	return "it accepts certificates under " + strings.Join(e.AcceptableCAs, ", ")
}

// Unwrap returns what crypto/tls or the network said.
func (e *ClientCertificateError) Unwrap() []error { return e.Err }

// Timeout is false: the server did answer.
func (e *ClientCertificateError) Timeout() bool { return false }

// RefusedCertificate explains a response that may be a refusal of our certificate, since
// some servers, nginx among them, answer with status 400 after the handshake. The result is
// nil or a *[ClientCertificateError], for status 400, 403, 495 and 496. An application may
// answer 400 and 403 for reasons of its own.
func RefusedCertificate(resp *http.Response) error {
	if resp == nil || resp.Request == nil {
		return nil
	}
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, 495, 496: // the last two are nginx's own
	default:
		return nil
	}
	host := "the server"
	if resp.Request.URL != nil {
		host = quoteHost(resp.Request.URL.Hostname())
	}
	status := fmt.Errorf("HTTP status %d", resp.StatusCode)
	a, ok := resp.Request.Context().Value(attemptKey{}).(*attempt)
	if !ok {
		return &ClientCertificateError{
			Host: host, Guess: true, Err: []error{status},
			Problem: host + " may have refused our certificate, and it is not known what it asked for.",
			Advice:  "Make the request with a pkioverheid.Transport, which records that.",
		}
	}
	seen := a.seen()
	switch {
	case seen.request != nil:
	case seen.known && seen.version >= tls.VersionTLS13 && resp.StatusCode < 495:
		return wantedLate(host, "in TLS 1.3 a Go program cannot send one later", status)
	default:
		return nil
	}
	e := newClientCertificateError(host, noAlert, seen.request, a.now(), status)
	if said := handlerSaid(resp); said != "" {
		e.Guess = false
		e.Problem, e.Advice = host+" does not let us in: "+said+".", "Ask the server's owner to let this certificate in, or use the one that it expects."
	}
	return e
}

// wantedLate is for a server that asked for no certificate in the handshake, and may have
// wanted to ask for one after it.
func wantedLate(host, why string, err error) *ClientCertificateError {
	return &ClientCertificateError{
		Host: host, Guess: true, Err: []error{err},
		Problem: host + " may want a client certificate for this path: it asked for none in the handshake, and " + why + ".",
		Advice:  "Add it to ClientConfig.RenegotiateHosts, or have its owner ask for a certificate for the whole host.",
	}
}

// handlerPatience bounds how long a server's answer is waited for, of which it may never send
// the rest. That of a Server.Handler comes with its header.
const handlerPatience = 500 * time.Millisecond

// handlerSaid returns what a Server.Handler of this package answered, and leaves the body
// as it was.
func handlerSaid(resp *http.Response) string {
	const most = 1 << 10
	if resp.Body == nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		return ""
	}
	b := &begunBody{ReadCloser: resp.Body, done: make(chan struct{})}
	resp.Body = b
	go func() {
		defer close(b.done)
		b.begin, b.err = io.ReadAll(io.LimitReader(b.ReadCloser, most))
	}()
	select {
	case <-b.done:
	case <-time.After(handlerPatience):
		return ""
	}
	said, ours := strings.CutPrefix(strings.TrimSpace(string(b.begin)), "pkioverheid: ")
	if b.err != nil || !ours || len(b.begin) == most {
		return ""
	}
	return strings.TrimSuffix(safetext.Printable(said, safetext.MostError), ".")
}

// begunBody is a body of which a goroutine reads the beginning, until there is enough or it
// is closed.
type begunBody struct {
	io.ReadCloser
	done  chan struct{}
	begin []byte // what is not given yet; after done
	err   error
}

func (b *begunBody) Read(p []byte) (int, error) {
	<-b.done
	if len(b.begin) > 0 {
		n := copy(p, b.begin)
		b.begin = b.begin[n:]
		return n, nil
	}
	return b.ReadCloser.Read(p)
}

// describe names a certificate, its issuer and its hierarchy.
func describe(c *x509.Certificate) string {
	s := fmt.Sprintf("%s, issued by %s", safetext.Certificate(c), safetext.Quote(c.Issuer.CommonName))
	if id, ok := ClaimOf(c); ok {
		s += " (" + id.Hierarchy.String() + ")"
	}
	return s
}

// clientCertificateError returns the explanation of err if it is a server's
// refusal of our certificate, and nil if it is something else. The host was called by
// name.
func (a *attempt) clientCertificateError(name, host string, err error) *ClientCertificateError {
	var timeout interface{ Timeout() bool }
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	s := a.seen()
	said, local := alertOf(err)
	switch {
	case s.bodyFailed:
		return nil
	case local:
		if said != noRenegotiation {
			return nil
		}
	case slices.Contains(aboutCertificate, said):
		if s.request == nil && !s.connected && a.asked != nil {
			// In a handshake in which nobody asked: it was to resume a session in
			// which somebody had, or is about something else.
			if s.request, _ = a.asked.of(name); s.request == nil {
				return nil
			}
		}
	case s.request == nil && s.known && wantsHTTP1(err):
		return wantedLate(host, "in HTTP/2 it cannot ask later", err)
	case s.request == nil || s.answered:
		return nil
	case a.asked == nil && (a.now().Sub(s.request.at) > soon || lostBy(err) == net.ErrClosed):
		return nil // about something else, or closed by ourselves
	case slices.Contains(mayBeAboutCertificate, said):
	case said != noAlert || lostBy(err) == nil:
		return nil
	case s.connected && s.version < tls.VersionTLS13:
		return nil // up to TLS 1.2 the certificate was accepted when the handshake ended
	}
	e := newClientCertificateError(host, said, s.request, a.now(), err)
	if e.Guess && s.http2 {
		e.Advice += " A server that agrees to HTTP/2 and does not speak it closes the connection too: try GODEBUG=http2client=0."
	}
	return e
}

// newClientCertificateError explains a refusal; a nil request is not known.
func newClientCertificateError(host string, said alert, r *certificateRequest, now time.Time, err error) *ClientCertificateError {
	e := &ClientCertificateError{Host: host, Err: []error{err}, Guess: said == noAlert}
	if r != nil {
		e.Known, e.Certificate, e.Sent = true, r.certificate, r.sent
		for _, raw := range r.acceptableCAs {
			if name := distinguishedName(raw); !slices.Contains(e.AcceptableCAs, name) { // two keys of one name
				e.AcceptableCAs = append(e.AcceptableCAs, name)
			}
		}
	}
	e.Problem, e.Advice = e.words(said, r, now)
	return e
}

// soon is how long after a handshake an alert that may be about something else, or a lost
// connection, is put down to it.
const soon = 10 * time.Second

// words are the problem and the advice.
func (e *ClientCertificateError) words(said alert, r *certificateRequest, now time.Time) (problem, advice string) {
	refused := e.Host + " refused our certificate"
	if e.Guess {
		refused = e.Host + " ended the call, perhaps because of our certificate"
		if lostBy(e.Err[0]) != nil {
			refused = e.Host + " closed the connection without a reason, perhaps because of our certificate"
		}
	}
	switch {
	case said == noRenegotiation:
		return e.Host + " asks for a certificate late, in a renegotiation.", "Call it with a Transport, and add it to ClientConfig.RenegotiateHosts."
	case r == nil:
		return refused + ".", "Ask the server's owner what is wrong with the certificate."
	case r.certificate == nil:
		return e.Host + " wants a client certificate, and there is none to send.", "Set ClientConfig.KeyPairs, see LoadKeyPair."
	}
	c := r.certificate
	name := describe(c)
	switch g3 := findG3([]*x509.Certificate{c}); {
	case g3 != nil:
		return refused + ", and G3 is no longer accepted: " + phrase.Small(g3.Problem), g3.Advice
	case now.Before(c.NotBefore) || now.After(c.NotAfter) || said == expiredCertificate:
		return fmt.Sprintf("%s, %s: it is valid from %s to %s.", refused, name, phrase.Day(c.NotBefore), phrase.Day(c.NotAfter)), "Replace it, or check the clocks."
	case wrongUse(c, false) != "":
		return refused + ", " + name + ", and it has no clientAuth.", "Ask your TSP for a certificate that has clientAuth."
	case !r.sent && r.acceptable():
		return "our certificate was not sent: " + e.Host + " and it have no signature algorithm in common (" + safetext.Printable(r.unsupported.Error(), safetext.MostError) + "). Ours is " + name + ".",
			"Use a certificate with another kind of key."
	case !r.sent:
		return "our certificate was not sent: " + e.Host + " does not accept the CAs above it. Ours is " + name + ".",
			"Use a certificate under a CA that the server accepts, or ask the server's owner to accept this one's root."
	}
	advice = adviceOn(said)
	if len(r.acceptableCAs) == 0 && r.next != nil && (said == unknownCA || said == badCertificate || said == accessDenied || said == noAlert) {
		advice = fmt.Sprintf("The server named no CAs; we showed the %s certificate; the %s one is second. Put that first if the server takes no other, or bind one of them to its hosts (KeyPair.Hosts).", hierarchyName(c), hierarchyName(r.next))
	}
	return refused + ", " + name + ".", advice
}

// hierarchyName is short, for a certificate of ours.
func hierarchyName(c *x509.Certificate) string {
	if claim, ok := ClaimOf(c); ok {
		return claim.Hierarchy.String()
	}
	return safetext.Certificate(c)
}

// adviceOn is for a certificate that was sent and has no fault that shows here.
func adviceOn(said alert) string {
	switch said {
	case unknownCA:
		return "Ask the server's owner to trust the root of this certificate."
	case revokedCertificate:
		return "It counts as revoked there. Ask the certificate supplier for a new one."
	case decryptError:
		return "The signature by its private key did not check out: a key in a token or key store that cannot do RSA-PSS does this."
	case accessDenied, handshakeFailure, internalError:
		return "Ask the server's owner whether this certificate, its root and its OIN are known there."
	case noAlert:
		return "Ask the server's owner whether this certificate, its root and its OIN are known there, whether it counts as revoked, and whether chains of four certificates are allowed (nginx: ssl_verify_depth 2)."
	}
	return "Ask the server's owner what is wrong with it: its root, its policy or its OIN may not be what is wanted there, or it counts as revoked."
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
	s := safetext.Quote(name.CommonName)
	if name.CommonName == "" {
		s = `"` + safetext.Name(name, safetext.Most) + `"`
	}
	for h := range everyHierarchy {
		for _, c := range embedded()[h] {
			if string(c.RawSubject) == string(raw) {
				return s + " (" + h.String() + ")"
			}
		}
	}
	return s
}
