package chain

import (
	"crypto/x509"
	"errors"
	"slices"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// advise fills in the Problem and Advice of an error.
func (s *settings) advise(e *Error, given *truststore.Store, opts VerifyOptions) *Error {
	x := explaining{settings: s, given: given, opts: opts, path: e.Chain, failed: e}
	cert := e.Cert
	if cert == nil {
		cert = e.Chain.Leaf()
	}
	e.Problem, e.Advice = x.problem(cert)
	return e
}

// ownWords returns what the error of a policy or veto says itself, in the fields of an
// *[Error] or by a method ProblemAdvice: of the refusal that gave the reason, if one did.
func ownWords(refusals []error) (problem, advice string) {
	if i := slices.IndexFunc(refusals, givesReason); i >= 0 {
		refusals = refusals[i : i+1]
	}
	for _, err := range refusals {
		var own *Error
		if errors.As(err, &own) && own.Advice != "" {
			return own.Problem, own.Advice
		}
		var other interface {
			ProblemAdvice() (problem, advice string)
		}
		if errors.As(err, &other) {
			return other.ProblemAdvice()
		}
	}
	return "", ""
}

func givesReason(err error) bool {
	var own *Error
	return errors.As(err, &own) && own.Reason != ""
}

// problem puts the reason into a sentence about cert, and what to do into others.
func (x *explaining) problem(cert *x509.Certificate) (problem, advice string) {
	if cert == nil {
		return "There is no certificate to look at.", "Give the certificate that it is about, in any order with those of its CAs."
	}
	ownProblem, ownAdvice := ownWords(x.failed.Err)
	if ownProblem != "" && ownAdvice != "" {
		return ownProblem, ownAdvice
	}
	problem, advice = x.problemOf(cert)
	if ownAdvice != "" {
		advice = ownAdvice
	}
	return problem, advice
}

const otherCA = "Ask for a certificate of another CA."

func (x *explaining) problemOf(cert *x509.Certificate) (problem, advice string) {
	name := safetext.Certificate(cert)
	switch x.failed.Reason {
	case Expired, NotYetValid:
		return x.problemOfTime(cert)
	case UnknownAuthority:
		return x.unknownAuthority(x.path[len(x.path)-1])
	case BadSignature:
		return name + " names " + safetext.CA(cert.Issuer) + " as its issuer, and the key of that CA did not sign it.",
			"Do not use it: it was changed or forged, or is from another CA of that name. Get it again from its CA."
	case WrongName:
		return x.wrongName(cert)
	case WrongUsage:
		return x.wrongUsage(cert)
	case PathTooLong:
		return name + " allows " + count(cert.MaxPathLen, "CA") + " between itself and the certificate at the end, and there " + areThere(slices.IndexFunc(x.path, cert.Equal)-1) + ".",
			"Ask its sender for the right chain, or for a certificate of another CA."
	case NameNotPermitted:
		return "A CA above " + name + " may not issue for a name in it: " + x.said() + ".", otherCA
	case NoValidPolicy:
		return "A certificate in the path of " + name + " requires a certificate policy, and the others do not all have one in common.", otherCA
	case NotACA:
		if _, text, end := x.issuer(cert); end == endsNotCA {
			problem = name + " was not issued by a CA: " + text + "."
		} else {
			problem = name + " is in the place of a CA, and is not a CA."
		}
		return problem, "Do not trust it. Ask its sender for a certificate that a CA issued, and for the certificates of that CA."
	case RefusedByPolicy:
		return "A rule refuses " + name + ": " + x.said() + ".",
			"Do as the rule says. If the rule is wrong, change it where the program sets its policies."
	case Revoked:
		if problem = name + " was revoked: " + x.said() + "."; cert != x.path[0] {
			return problem, "Everything that this CA issued is worthless now. " + otherCA
		}
		return problem, "Do not use it again. Ask its holder for a new certificate, with a new key if others may know the old one."
	case RevocationUnknown:
		return "It is not known whether " + name + " was revoked: " + x.said() + ".",
			"The certificate may be good. Make the CRL of its issuer available to this program."
	}
	return x.unsupported(name)
}

func (x *explaining) problemOfTime(cert *x509.Certificate) (problem, advice string) {
	name, at := safetext.Certificate(cert), x.opts.Time
	switch {
	case x.failed.Reason == NotYetValid:
		return name + " is not valid yet: it " + begins(cert, at) + ".",
			"Check the clock first. If it is right, use the certificate that this one is to replace."
	case cert == x.path[0] && slices.ContainsFunc(x.path[1:], func(ca *x509.Certificate) bool { return at.After(ca.NotAfter) }):
		return name + " has expired: it " + ended(cert, at) + ".",
			"A CA above it has expired too, and cannot renew it. " + otherCA + " Check also that the clock is right."
	case cert == x.path[0]:
		return name + " has expired: it " + ended(cert, at) + ".",
			"Ask its holder to renew it. Check also that the clock is right."
	}
	return name + " has expired: it " + ended(cert, at) + ".",
		"This is a CA. Ask for its newer certificate, or for a certificate of another CA. Check also that the clock is right."
}

func (x *explaining) wrongName(cert *x509.Certificate) (problem, advice string) {
	problem = "The certificate " + safetext.Certificate(cert) + " " + notFor(cert, x.opts.DNSName) + "."
	if len(cert.DNSNames)+len(cert.IPAddresses) == 0 {
		return problem, "Ask its holder for a certificate with the host among its subjectAltNames. A common name does not count."
	}
	return problem, "Connect by a name that is in the certificate, or ask its holder for a certificate that names this host."
}

func (x *explaining) wrongUsage(cert *x509.Certificate) (problem, advice string) {
	asked := orList(usageNames(x.opts.KeyUsages))
	if len(x.opts.KeyUsages) == 0 { // of a chain that was verified for another use
		asked = "this"
	}
	purpose := " for " + asked + ": it is for " + usagesOfCert(cert) + "."
	if cert != x.path[0] {
		return safetext.Certificate(cert) + " may not issue certificates" + purpose, "Ask for a certificate of a CA that may issue for " + asked + "."
	}
	return safetext.Certificate(cert) + " may not be used" + purpose,
		"Ask for a certificate that allows " + asked + ", from a CA that allows it too."
}

func (x *explaining) unsupported(name string) (problem, advice string) {
	limit := x.limit()
	switch {
	case limit != nil && limit.key:
		return name + " cannot be handled: " + x.said() + ".",
			"Ask for a certificate with a key of a common size, from a CA with such a key."
	case limit != nil:
		return "Too much was given to find a path from " + name + ": " + x.said() + ".",
			"Give this certificate and those of its CAs only, each once."
	}
	return name + " cannot be handled: " + x.said() + ".",
		"Ask for a certificate of a common kind, or look for a newer version of this program."
}

func (x *explaining) unknownAuthority(end *x509.Certificate) (problem, advice string) {
	name, issuer := safetext.Certificate(end), safetext.CA(end.Issuer)
	_, text, how := x.issuer(end)
	switch how {
	case endsSelfSigned:
		if len(x.path) == 1 && !isCA(end) {
			return name + " is self-signed: it was not issued by a CA.",
				"Ask its holder for a certificate of a CA that is trusted here. To accept this one only, issue it from a CA of your own."
		}
		return "The path ends at " + name + ", a root that is not trusted here.",
			"Ask for a certificate of a CA that is trusted here. To trust this root, compare its SHA-256 with what its owner publishes elsewhere, and add it to the roots."
	case endsIssuerMissing:
		advice = "Let the other side send its whole chain, without the root, or get the certificate of " + issuer + " from its supplier."
		if len(end.IssuingCertificateURL) > 0 {
			advice += " The certificate says that it is at " + safetext.Quote(end.IssuingCertificateURL[0]) + "."
		}
		return "The certificate of " + issuer + ", the issuer of " + name + ", is missing: it was not given, and is not known here.",
			advice + " If it is a root that you trust, add it to the roots."
	case endsOtherKey:
		return "The issuer of " + name + " is missing: " + text + ".",
			"The CA has several certificates, or another CA has its name. Get the one of the issuer from the supplier of this certificate."
	}
	return "No path leads from " + name + " to a root that is trusted here: " + text + ".",
		"Ask for the chain that belongs to this certificate, and for its root, if that should be trusted here."
}

// incomplete says what a peer needs that does not hold what this verifier does.
func (x *explaining) incomplete() string {
	var missing []string
	for _, cert := range x.path {
		if !x.given.Contains(cert) && !x.roots.Contains(cert) {
			missing = append(missing, safetext.Certificate(cert))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "Others may not know the CAs that are known here: send " + andList(missing) + " too."
}
