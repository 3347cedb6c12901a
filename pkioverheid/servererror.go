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
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// ServerCertificateError says why the certificate of a server was refused.
// [errors.As] finds in it a *[G3Error] where the server is under G3, the *[chain.Error],
// and crypto/tls's and crypto/x509's own.
type ServerCertificateError struct {
	// Host is the server, as it was called.
	Host string

	// Reason is the kind of refusal. G3 is chain.RefusedByPolicy.
	Reason chain.Reason

	// Path is the server's certificate and those above it, as far as each
	// signature checks out. It says nothing about trust.
	Path chain.Chain

	// Problem is what is wrong, Advice what to do about it, each in sentences. Advice is
	// empty where there is none.
	Problem, Advice string

	// Err holds what is underneath.
	Err []error
}

// Error says what is wrong and what to do, and names the path with the hierarchy of each
// certificate, on one line.
func (e *ServerCertificateError) Error() string {
	path := ""
	if len(e.Path) > 0 {
		path = "[" + describePath(e.Path) + "]"
	}
	return wording("the certificate of "+e.Host+" was refused: "+phrase.Small(e.Problem), e.Advice, path)
}

// Unwrap returns what is underneath.
func (e *ServerCertificateError) Unwrap() []error { return e.Err }

// Timeout is true where it was not known in time whether the certificate is revoked:
// then to try again may help.
func (e *ServerCertificateError) Timeout() bool {
	return e.Reason == chain.RevocationUnknown && errors.Is(e, context.DeadlineExceeded)
}

// describePath names the certificates of a path, whose signatures check out, each
// with its hierarchy by the keys along it.
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
		parts[i] = fmt.Sprintf("%s (%s)", safetext.Certificate(c), label)
	}
	return strings.Join(parts, " < ")
}

// explainServer turns crypto/tls's refusal of a server's certificate into ours.
func (t *trustState) explainServer(host string, cause *tls.CertificateVerificationError) *ServerCertificateError {
	certs := cause.UnverifiedCertificates
	if len(certs) == 0 {
		return serverError(host, cause)
	}
	opts := chain.VerifyOptions{Time: t.clock(), Extra: slices.Concat(certs[1:], t.known), NoMemory: true}
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
		// Refused before signatures were checked. They show whether the server is
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
	e.Problem, e.Advice = wordsOf(cause.Err)
	if reason := reasonOf(cause.Err); reason != chain.UnknownAuthority && reason != "" {
		e.Reason = reason // by another clock, perhaps
		return
	}
	if hint := hintOf(cause.Err); hint != "" {
		e.Reason, e.Problem = chain.RefusedByPolicy, notAccepted(hint)
		return
	}
	var missing []string
	for _, c := range e.Path[1:max(1, len(e.Path)-1)] { // a root may be all that there is
		if !slices.ContainsFunc(sent, c.Equal) {
			missing = append(missing, safetext.Certificate(c))
		}
	}
	if len(missing) == 0 {
		e.Reason = chain.RefusedByPolicy
		if a := recognised().keyOf(e.Path.Root()); a != nil && e.Advice == "" {
			e.Advice = fmt.Sprintf("It is under %s: see whether the tls.Config trusts that, and which policies it has.", a.hierarchy)
		}
		return
	}
	e.Problem = "The server does not send its whole chain: " + strings.Join(missing, " and ") + " is missing."
	e.Advice = "The server's owner must send it, or add " + safetext.Certificate(e.Path[1]) + " to Trust.Roots."
}

// notAccepted says why the constraint of a pool refused a CA that is in it.
func notAccepted(hint string) string {
	return "A CA above it was not accepted: " + safetext.Printable(hint, safetext.MostError) + "."
}

// serverError makes the error of a refusal.
func serverError(host string, err error) *ServerCertificateError {
	e := &ServerCertificateError{Host: host, Reason: chain.UnknownAuthority, Err: []error{err}}
	e.Problem, e.Advice = wordsOf(err)
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
		e.Problem, e.Advice = g3.Problem, "The server's owner must "+phrase.Small(g3.Advice)
		return e
	}
	switch failed.Reason {
	case chain.Expired:
		e.explainEnded(failed)
	case chain.UnknownAuthority, chain.BadSignature:
		e.explainUnknown(failed)
	case chain.Revoked, chain.RevocationUnknown:
		e.explainRevocation(failed)
	}
	return e
}

// explainEnded says that a whole hierarchy has ended, which is more than that a
// certificate has.
func (e *ServerCertificateError) explainEnded(failed *chain.Error) {
	for _, c := range e.Path[min(1, len(e.Path)):] {
		a := recognised().keyOf(c)
		if a == nil || !failed.At.After(c.NotAfter) {
			continue
		}
		e.Problem = fmt.Sprintf("The %s hierarchy has ended: %s was valid until %s.", a.hierarchy, safetext.Certificate(c), phrase.Day(c.NotAfter))
		e.Advice = "The server's owner needs a certificate under Private G4"
		if a.hierarchy == EV {
			e.Advice += ", for a public web site one of a public CA: since December 2022 PKIoverheid issues no public TLS certificates"
		}
		e.Advice += "."
		return
	}
}

// explainRevocation says which certificate of the path is revoked, or which CRL is
// missing, once where each of several chains was refused for it.
func (e *ServerCertificateError) explainRevocation(failed *chain.Error) {
	var texts []string
	for _, err := range failed.Err {
		var own *chain.Error
		for errors.As(err, &own) && len(own.Err) > 0 { // what the policy said within
			err = own.Err[0]
		}
		text, _ := wordsOf(err)
		texts = append(texts, strings.TrimSuffix(text, "."))
	}
	why := strings.Join(slices.Compact(texts), "; ")
	name := "a certificate of its chain"
	if failed.Cert != nil {
		name = safetext.Certificate(failed.Cert)
	}
	switch {
	case failed.Reason == chain.RevocationUnknown:
		e.Problem = fmt.Sprintf("It is not known whether %s is revoked: %s.", name, why)
		e.Advice = "Its CRL, and an OCSP response that the server sends, must be current and within reach: see Trust.Revocation."
	case failed.Cert != nil && failed.Cert != e.Path.Leaf():
		e.Problem = fmt.Sprintf("The CA %s above it is revoked: %s.", name, why)
		e.Advice = "The server's owner needs a certificate under another CA."
	default:
		e.Problem = fmt.Sprintf("%s is revoked: %s.", phrase.Capital(name), why)
		e.Advice = "The server's owner must replace it."
	}
}

// explainUnknown distinguishes a hierarchy that was left out, a chain for tests, a claim
// that is not borne out, and a CA that nobody knows.
func (e *ServerCertificateError) explainUnknown(failed *chain.Error) {
	top := e.Path.Root()
	if top == nil {
		return
	}
	if a := recognised().keyOf(top); a != nil && !a.fixture {
		e.Problem = fmt.Sprintf("It is under %s, which is not trusted here.", a.hierarchy)
		e.Advice = fmt.Sprintf("Add it to Trust.Hierarchies if it should be (%s).", a.hierarchy)
		if !a.hierarchy.trustable() {
			e.Advice = "It ended and cannot be trusted. The server's owner needs a certificate under Private G4."
		}
		return
	}
	issuer := safetext.Quote(top.Issuer.CommonName)
	for _, c := range e.Path {
		if mark, found := testMark(c); found {
			e.Problem = "It is a test certificate (" + mark + "), and its test root is not trusted here."
			e.Advice = "In production the server needs a real certificate. In a test, put its root into Trust.TrialRoots."
			return
		}
	}
	claim, ok := ClaimOf(top)
	switch {
	case ok && claim.Fixture && len(e.Path) > 1:
		e.Problem = "It is under a CA of package pkiotest, whose private key is public."
		e.Advice = "In a test, trust that with pkiotest.Trust. Anywhere else, do not."
		return
	case ok && claim.Withdrawal != nil:
		e.Problem = fmt.Sprintf("It presents itself as issued by %s, which was withdrawn on %s.", safetext.Quote(claim.Withdrawal.CA), phrase.Day(claim.Withdrawal.On))
		e.Advice = "The server's owner needs a certificate under another CA."
		return
	case ok && !claim.Hierarchy.trustable(): // its CAs are not available to check a signature
		e.Problem = fmt.Sprintf("It presents itself as issued by %s (%s), of a hierarchy that ended.", issuer, claim.Hierarchy)
		e.Advice = "The server's owner needs a certificate under Private G4."
		return
	case ok:
		e.Problem = fmt.Sprintf("It presents itself as issued by %s (%s), and that CA's signature is not on it.", issuer, claim.Hierarchy)
		e.Advice = "Do not trust it: it is forged, damaged, or from a test chain with the names of the real one."
		return
	case failed.Reason == chain.BadSignature:
		e.Problem = fmt.Sprintf("The signature of %s on %s is wrong.", issuer, safetext.Certificate(top))
		e.Advice = "Do not trust it: it is forged or damaged."
		return
	case selfIssued(top) && len(e.Path) == 1:
		e.Problem = "It is self-signed."
	case selfIssued(top):
		e.Problem = fmt.Sprintf("Its root %s is not trusted here.", safetext.Certificate(top))
	default:
		e.Problem = fmt.Sprintf("The CA %s is not known here, and the server did not send it.", issuer)
	}
	e.Advice = "If it should be trusted, add its root to Trust.Roots. A server of PKIoverheid needs a certificate under Private G4 or Private G1."
}

func quoteHost(host string) string {
	if host == "" {
		return "the server"
	}
	return safetext.Printable(host, safetext.Most)
}

// reasonOf returns the reason in an error of crypto/x509, zero for one that has no word here.
func reasonOf(err error) chain.Reason {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &unknown):
		return chain.UnknownAuthority
	case errors.As(err, &name):
		return chain.WrongName
	case !errors.As(err, &invalid):
		return ""
	}
	switch invalid.Reason {
	case x509.Expired:
		return chain.Expired
	case x509.IncompatibleUsage, x509.CANotAuthorizedForExtKeyUsage:
		return chain.WrongUsage
	}
	return ""
}
