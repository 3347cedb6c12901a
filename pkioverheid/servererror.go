package pkioverheid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
)

// ServerCertificateError says why the certificate of a server was refused. It is
// used as *ServerCertificateError. [errors.As] finds in it a *[G3Error] where the
// server is under G3, the *[chain.Error], and crypto/tls's and crypto/x509's own.
type ServerCertificateError struct {
	// Host is the server, as it was called.
	Host string

	// Reason tells the kinds of refusal apart. G3 is chain.RefusedByPolicy.
	Reason chain.Reason

	// Path is the server's certificate and those above it, as far as each
	// signature checks out. It says nothing about trust.
	Path chain.Chain

	// Cause is what is wrong, Advice what to do about it, if that can be said.
	Cause, Advice string

	// Err holds what is underneath.
	Err []error
}

// Error names the reason, the path with the hierarchy of each certificate, and
// what to do, on one line.
func (e *ServerCertificateError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pkioverheid: the certificate of %s was refused: %s", e.Host, e.Cause)
	if e.Advice != "" {
		b.WriteString("; ")
		b.WriteString(e.Advice)
	}
	if len(e.Path) > 0 {
		b.WriteString(" [")
		b.WriteString(describePath(e.Path))
		b.WriteString("]")
	}
	return b.String()
}

// Unwrap returns what is underneath.
func (e *ServerCertificateError) Unwrap() []error { return e.Err }

// Timeout is true where it could not be told in time whether the certificate was
// revoked: then to try again may help, and otherwise it is no use.
func (e *ServerCertificateError) Timeout() bool {
	return e.Reason == chain.RevocationUnknown && errors.Is(e, context.DeadlineExceeded)
}

// describePath names the certificates of a path, whose signatures check out, each
// with its hierarchy as told by the keys along it.
func describePath(path chain.Chain) string {
	r := recognised()
	parts := make([]string, len(path))
	for i, c := range path {
		a := r.keyOf(c)
		if a == nil && i+1 < len(path) {
			a = r.keyOf(path[i+1])
		}
		label := "not PKIoverheid"
		switch {
		case a == nil && i == 0 && len(path) == 1:
			label = "issuer not proven"
		case a != nil && a.fixture:
			label = a.hierarchy.String() + ", pkiotest"
		case a != nil:
			label = a.hierarchy.String()
		}
		parts[i] = fmt.Sprintf("%s (%s)", quote.Certificate(c), label)
	}
	return strings.Join(parts, " < ")
}

// explainServer turns crypto/tls's refusal of a server's certificate into ours.
func (t *trustState) explainServer(host string, cause *tls.CertificateVerificationError) *ServerCertificateError {
	certs := cause.UnverifiedCertificates
	if len(certs) == 0 {
		return serverError(host, cause)
	}
	opts := chain.VerifyOptions{Time: t.clock(), Extra: slices.Concat(certs[1:], t.known)}
	var wrongName x509.HostnameError
	if errors.As(cause.Err, &wrongName) {
		opts.DNSName = wrongName.Host // the name that crypto/tls verified, which may be a proxy's
	}
	path, err := t.verifier.Verify(certs[0], opts)
	if err == nil {
		e := &ServerCertificateError{Host: host, Reason: chain.UnknownAuthority, Path: path, Err: []error{cause}}
		e.explainStricterPool(certs, cause)
		return e
	}
	var failed *chain.Error
	if errors.As(err, &failed) && failed.Reason == chain.RefusedByPolicy && len(failed.Chain) == 1 {
		// Refused before signatures were checked. They tell whether the server is
		// below G3 or only says so.
		failed.Chain = t.path(certs[0], certs[1:])
	}
	e := serverError(host, err)
	e.Err = append(e.Err, cause)
	return e
}

// explainStricterPool is for a chain that verifies with all that is known here and
// that crypto/tls refused with what the pool has and the server sent.
func (e *ServerCertificateError) explainStricterPool(sent []*x509.Certificate, cause *tls.CertificateVerificationError) {
	var missing []string
	for _, c := range e.Path[1 : len(e.Path)-1] {
		if !slices.ContainsFunc(sent, c.Equal) {
			missing = append(missing, quote.Certificate(c))
		}
	}
	if len(missing) == 0 {
		e.Reason = chain.RefusedByPolicy
		e.Cause = quote.Line(cause.Err.Error())
		return
	}
	e.Cause = "the server does not send its whole chain: " + strings.Join(missing, " and ") + " is missing"
	e.Advice = "the server's owner must send it, or add " + quote.Certificate(e.Path[1]) + " to Trust.Roots"
}

// serverError makes the error of a refusal.
func serverError(host string, err error) *ServerCertificateError {
	e := &ServerCertificateError{Host: host, Reason: chain.UnknownAuthority, Err: []error{err}, Cause: quote.Line(err.Error())}
	var failed *chain.Error
	if !errors.As(err, &failed) {
		return e
	}
	e.Reason, e.Path = failed.Reason, failed.Chain
	// What the server sent beside the path does not matter: an old CA left in a
	// file says nothing of the certificate.
	if g3 := findG3(e.Path); g3 != nil {
		e.Reason = chain.RefusedByPolicy
		e.Err = append([]error{g3}, e.Err...)
		e.Cause, e.Advice = g3.cause(), g3.advice()
		return e
	}
	e.explain(failed)
	return e
}

func (e *ServerCertificateError) explain(failed *chain.Error) {
	leaf := e.Path.Leaf()
	e.Cause = failed.Reason.String()
	switch failed.Reason {
	case chain.Expired:
		// A CA that has ended says more than a leaf that has.
		for _, c := range e.Path[min(1, len(e.Path)):] {
			a := recognised().keyOf(c)
			if a == nil || !failed.At.After(c.NotAfter) {
				continue
			}
			e.Cause = fmt.Sprintf("the %s hierarchy has ended: %s was valid until %s", a.hierarchy, quote.Certificate(c), phrase.Day(c.NotAfter))
			e.Advice = "the server's owner needs a certificate under Private G4"
			if a.hierarchy == EV {
				e.Advice += ", for a public web site one of a public CA: since December 2022 PKIoverheid issues no public TLS certificates"
			}
			return
		}
		if c := failed.Cert; c != nil {
			e.Cause = fmt.Sprintf("%s expired on %s", quote.Certificate(c), phrase.Day(c.NotAfter))
		}
		e.Advice = "the server's owner must replace it"
	case chain.NotYetValid:
		if c := failed.Cert; c != nil {
			e.Cause = fmt.Sprintf("%s is valid from %s on, and the clock says %s", quote.Certificate(c), phrase.Day(c.NotBefore), phrase.Day(failed.At))
		}
		e.Advice = "check the clock of this machine"
	case chain.WrongName:
		e.Cause = "it is for another host"
		if leaf != nil && len(leaf.DNSNames) > 0 {
			e.Cause = "it is for " + listNames(leaf.DNSNames)
		}
		e.Advice = "call the server by that name, or have its owner add the name that you call"
	case chain.WrongUsage:
		e.Cause = "it may not be used by a server"
		e.Advice = "the server's owner needs a certificate with the extended key usage serverAuth"
	case chain.UnknownAuthority, chain.BadSignature:
		e.explainUnknown(failed)
	case chain.Revoked, chain.RevocationUnknown:
		e.explainRevocation(failed)
	case chain.RefusedByPolicy:
		var texts []string
		for _, err := range failed.Err {
			texts = append(texts, quote.Line(strings.TrimPrefix(err.Error(), "pkioverheid: ")))
		}
		e.Cause += ": " + strings.Join(slices.Compact(texts), "; ")
	default:
		if failed.Cert != nil {
			e.Cause += ": " + quote.Certificate(failed.Cert)
		}
		e.Advice = "the server's owner must replace it"
	}
}

// explainRevocation tells which certificate of the path is revoked, or which CRL is
// missing.
func (e *ServerCertificateError) explainRevocation(failed *chain.Error) {
	var texts []string
	for _, err := range failed.Err {
		var own *chain.Error
		for errors.As(err, &own) && len(own.Err) > 0 { // what the policy said within
			err = own.Err[0]
		}
		text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "pkioverheid: "), "crl: ")
		texts = append(texts, quote.Line(text))
	}
	why := strings.Join(slices.Compact(texts), "; ")
	name := "a certificate of its chain"
	if failed.Cert != nil {
		name = quote.Certificate(failed.Cert)
	}
	switch {
	case failed.Reason == chain.RevocationUnknown:
		e.Cause = fmt.Sprintf("it cannot be told whether %s is revoked: %s", name, why)
		e.Advice = "its CRL, and what the server staples, must be current and within reach: see Trust.Revocation"
	case failed.Cert != nil && failed.Cert != e.Path.Leaf():
		e.Cause = fmt.Sprintf("%s above it is revoked: %s", name, why)
		e.Advice = "the server's owner needs a certificate under another CA"
	default:
		e.Cause = fmt.Sprintf("%s is revoked: %s", name, why)
		e.Advice = "the server's owner must replace it"
	}
}

// explainUnknown tells a hierarchy that was left out, a claim that is not borne
// out, and a CA that nobody knows apart.
func (e *ServerCertificateError) explainUnknown(failed *chain.Error) {
	top := e.Path.Root()
	if top == nil {
		e.Cause = quote.Line(strings.TrimPrefix(failed.Error(), "chain: "))
		return
	}
	if a := recognised().keyOf(top); a != nil && !a.fixture {
		e.Cause = fmt.Sprintf("it is under %s, which is not trusted here", a.hierarchy)
		e.Advice = fmt.Sprintf("add it to Trust.Hierarchies if it should be (%s)", a.hierarchy)
		return
	}
	issuer := quote.Text(top.Issuer.CommonName)
	id, ok := ClaimOf(top)
	switch {
	case ok && id.Fixture && len(e.Path) > 1:
		e.Cause = "it stands under a CA of package pkiotest, whose private key is public"
		e.Advice = "in a test, trust that as Trust{Roots: truststore.NewSource(authority.Roots())}; anywhere else, do not"
		return
	case ok:
		e.Cause = fmt.Sprintf("it presents itself as issued by %s (%s), and that CA's signature is not on it", issuer, id.Hierarchy)
		e.Advice = "do not trust it: it is forged, damaged, or from a test chain with the names of the real one"
		return
	case failed.Reason == chain.BadSignature:
		e.Cause = fmt.Sprintf("the signature of %s on %s is wrong", issuer, quote.Certificate(top))
		e.Advice = "do not trust it: it is forged or damaged"
		return
	case selfIssued(top) && len(e.Path) == 1:
		e.Cause = "it is self-signed"
	case selfIssued(top):
		e.Cause = fmt.Sprintf("its root %s is not trusted here", quote.Certificate(top))
	default:
		e.Cause = fmt.Sprintf("the CA %s is not known here, and the server did not send it", issuer)
	}
	e.Advice = "if it should be trusted, add its root to Trust.Roots; a server of PKIoverheid needs a certificate under Private G4 or Private G1"
}

// listNames quotes the first few of the names in a certificate.
func listNames(names []string) string {
	const most = 3
	var quoted []string
	for _, n := range names[:min(most, len(names))] {
		quoted = append(quoted, quote.Text(n))
	}
	s := strings.Join(quoted, ", ")
	if n := len(names) - most; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

func quoteHost(host string) string {
	if host == "" {
		return "the server"
	}
	return quote.Escaped(host, quote.Most)
}
