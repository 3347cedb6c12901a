package pkioverheid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// WithHandshake returns a context for dialling with a tls.Config of [ClientTLSConfig]. It
// records what the server asked for and what was sent, for [Explain]. Make one for each
// connection: a handshake overwrites what the one before it recorded.
func WithHandshake(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, new(attempt))
}

// Explain turns the error of any TLS client into ours, by what it wraps: a
// *tls.CertificateVerificationError into a *[ServerCertificateError], a server's alert
// about our certificate into a *[ClientCertificateError]. If ctx is of [WithHandshake],
// that says what was asked for and sent, and a connection that was lost within seconds is
// explained as a guess. Any other error is returned as it is. The words are those for
// [Hierarchies], since an error does not say what was trusted.
//
// In TLS 1.3 a server's alert comes with the first read: explain the errors of reads too,
// with the same ctx.
func Explain(ctx context.Context, err error) error {
	var server *ServerCertificateError
	var client *ClientCertificateError
	if err == nil || errors.As(err, &server) || errors.As(err, &client) {
		return err
	}
	var called *url.Error
	name := ""
	if errors.As(err, &called) {
		if u, parseErr := url.Parse(called.URL); parseErr == nil {
			name = u.Hostname()
		}
	}
	var refused *tls.CertificateVerificationError
	if errors.As(err, &refused) && refused.Err != nil {
		e := explainUntold(quoteHost(name), refused)
		e.Err = append(e.Err, err) // what the library says besides
		return e
	}
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok || a.asked != nil { // a Transport explains its own
		a = new(attempt)
	}
	e := a.clientCertificateError(name, quoteHost(name), err)
	if e == nil {
		return err
	}
	e.Err = []error{said(err), err} // the library's own text may name users and paths
	return e
}

// said returns what crypto/tls or the network said, without what was wrapped around it.
func said(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		if op.Op == "remote error" || op.Op == "local error" {
			return op
		}
	}
	if lost := lostBy(err); lost != nil {
		return lost
	}
	return err
}

// explainers verify in order to explain: which Trust refused is not known. The first is
// for a root that is not trusted: it trusts what the zero Trust does. The second is for all
// that crypto/x509 may say besides, of anything that may have been trusted.
var explainers = sync.OnceValue(func() (e struct{ root, other *trustState }) {
	var all []Hierarchy
	fixtures := truststore.New()
	for h := range everyHierarchy {
		if h.trustable() {
			all = append(all, h)
		}
		if certs := fixture.Certificates(string(h)); h != G3 && len(certs) > 0 {
			fixtures.Add(certs[0])
		}
	}
	var err, errOther error
	e.root, err = newTrustState(Trust{}, forServers, Hierarchies(), trustContents{})
	e.other, errOther = newTrustState(Trust{}, forServers, all, trustContents{roots: fixtures})
	if err := errors.Join(err, errOther); err != nil {
		panic(err) // the embedded certificates are wrong, and a test says so
	}
	e.root.known = e.other.known // with fixtures, so that a path is followed there too
	return e
})

// explainUntold explains a refusal without knowing what was trusted.
func explainUntold(host string, cause *tls.CertificateVerificationError) *ServerCertificateError {
	reason, hint := reasonOf(cause.Err), hintOf(cause.Err)
	if reason == chain.UnknownAuthority && hint == "" {
		return explainers().root.explainServer(host, cause)
	}
	e := explainers().other.explainServer(host, cause)
	if reason == "" || e.Reason != chain.UnknownAuthority || len(e.Path) == 0 {
		return e
	}
	if _, ours := ClaimOf(e.Path.Root()); ours {
		return e // and not what it says it is
	}
	// A root that is not known here, and was perhaps trusted.
	e.Reason = reason
	e.Problem, e.Advice = wordsOf(cause.Err)
	if hint != "" {
		e.Problem = notAccepted(hint)
	}
	var invalid x509.CertificateInvalidError
	if reason == chain.Expired && errors.As(cause.Err, &invalid) && invalid.Cert != nil {
		e.Problem = fmt.Sprintf("%s was valid until %s.", phrase.Capital(safetext.Certificate(invalid.Cert)), phrase.Day(invalid.Cert.NotAfter))
		e.Advice = "The server's owner must replace it. Check also that the clock is right."
	}
	return e
}
