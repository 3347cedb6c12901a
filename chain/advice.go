package chain

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
)

// limit returns the limit that was reached, or nil.
func (x *explaining) limit() *limitError {
	var limit *limitError
	errors.As(x.failed, &limit)
	return limit
}

// said is what crypto/x509 or a policy said, in one line.
func (x *explaining) said() string {
	var b strings.Builder
	for _, err := range x.failed.underneath() {
		if err == errBeforeSignatures {
			continue // the signatures of the path were checked since
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		if b.Len() > 400 {
			b.WriteString("…")
			break
		}
		text := err.Error()
		var invalid x509.CertificateInvalidError
		if errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName && invalid.Detail != "" {
			text = invalid.Detail
		}
		writeLine(&b, strings.TrimPrefix(strings.TrimPrefix(text, "chain: "), "x509: "))
	}
	return b.String()
}

// problem puts the reason into a sentence about cert, and what to do into others.
func (x *explaining) problem(cert *x509.Certificate) (problem, advice string) {
	if cert == nil {
		return "There is no certificate to look at.", "Give the certificate that it is about, in any order with those of its CAs."
	}
	var (
		name   = quote.Certificate(cert)
		leaf   = cert == x.path[0]
		at     = x.opts.Time
		server = "whoever sent or delivered it"
	)
	switch x.failed.Reason {
	case Expired:
		problem = name + " has expired: it " + ended(cert, at) + "."
		if leaf {
			return problem, "Ask its holder to renew it: a new certificate from a CA, put where the old one is. Check also that the clock is right."
		}
		return problem, "This is a CA. Ask " + server + " for a newer certificate of this CA; if there is none, the certificates below it must be replaced by ones of another CA. Check also that the clock is right."
	case NotYetValid:
		problem = name + " is not valid yet: it " + begins(cert, at) + "."
		return problem, "Check the clock first. If that is right, wait until then, or use the certificate that this one is to replace."
	case UnknownAuthority:
		return x.unknownAuthority(x.path[len(x.path)-1])
	case BadSignature:
		return name + " names " + quote.Text(issuerName(cert)) + " as its issuer, and the key of that CA did not sign it.",
			"It was changed, damaged or forged, or comes from another CA of the same name. Get it anew from the CA that issued it, and do not use this one."
	case WrongName:
		problem = "The certificate " + name + " " + notFor(cert, x.opts.DNSName) + "."
		if len(cert.DNSNames)+len(cert.IPAddresses) == 0 {
			return problem, "Ask its holder for a certificate with the host among its subjectAltNames. A common name does not count."
		}
		return problem, "Connect by a name that is in the certificate. If the host is the right one, ask its holder for a certificate that names it."
	case WrongUsage:
		asked := orList(usageNames(x.opts.KeyUsages))
		if !leaf {
			return name + " may not issue certificates for " + asked + ": it is for " + usagesOfCert(cert) + ".",
				"Ask for a certificate of a CA that may issue for " + asked + "."
		}
		return name + " may not be used for " + asked + ": it is for " + usagesOfCert(cert) + ".",
			"Use it for what it is meant for, or ask for a certificate that allows " + asked + " and whose CAs allow it too."
	case PathTooLong:
		return name + " allows " + count(cert.MaxPathLen, "CA") + " between itself and the certificate at the end, and there " + areThere(slices.IndexFunc(x.path, cert.Equal)-1) + ".",
			"One of the CAs below it was issued against its rules. Ask " + server + " for the right chain, or for a certificate of another CA."
	case NameNotPermitted:
		return "A CA above " + name + " may not issue for a name in it: " + x.said() + ".",
			"Ask for a certificate whose names are within what its CA may issue for, or for one of another CA."
	case NoValidPolicy:
		return "A certificate in the path of " + name + " requires a certificate policy, and the others do not all have one in common.",
			"Ask for a certificate with the policies that its CA requires, or for one of another CA."
	case NotACA:
		if _, text, end := x.top(cert); end == endsNoCA {
			problem = name + " was not issued by a CA: " + text + "."
		} else {
			problem = name + " stands where a CA should, and is none."
		}
		return problem, "Do not trust it. Ask " + server + " for a certificate that a CA issued, and for the certificates of that CA."
	case RefusedByPolicy:
		return name + " is refused by a rule of this program: " + x.said() + ".",
			"Do as the rule says. If the rule is wrong, change it where the program sets its policies: it is not part of the certificates."
	case Revoked:
		problem = name + " was revoked: " + x.said() + "."
		if leaf {
			return problem, "Do not use it again. Ask its holder for a new certificate, with a new key if the old one may be known to others."
		}
		return problem, "This is a CA: nothing that it issued counts any more. Ask for a certificate of another CA."
	case RevocationUnknown:
		return "Whether " + name + " was revoked cannot be told: " + x.said() + ".",
			"The certificate may be good. See to it that the CRL of its issuer can be fetched, or put it where this program looks for it."
	}
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
	name, issuer := quote.Certificate(end), quote.Text(issuerName(end))
	_, text, how := x.top(end)
	switch how {
	case endsSelfSigned:
		if len(x.path) == 1 && !isCA(end) {
			return name + " is self-signed: no CA vouches for it.",
				"Ask its holder for a certificate of a CA that is trusted here. A certificate that is no CA cannot be made a root; to accept this one only, issue it from a CA of your own and trust that."
		}
		return "The path ends at " + name + ", a root that is not trusted here.",
			"If it should be: compare its SHA-256 with what its owner publishes, by another way than this one, and add it to the roots. Otherwise ask for a certificate of a CA that is trusted here."
	case endsIssuerMissing:
		problem = "The certificate of " + issuer + ", the issuer of " + name + ", is missing: it was neither given nor is it known here."
		advice = "Let the other side send its whole chain, without the root; or get the certificate of " + issuer + " from who supplied this one, and give it along."
		if len(end.IssuingCertificateURL) > 0 {
			const most = 100 // a shortened URL leads nowhere, and those of real CAs have up to 77
			advice += " The certificate says that it is at \"" + quote.Escaped(end.IssuingCertificateURL[0], most) + "\"."
		}
		return problem, advice + " If it is a root that you trust, add it to the roots."
	case endsOtherKey:
		return "The issuer of " + name + " is missing: " + text + ".",
			"The CA has several certificates, or another CA uses its name. Get the certificate of the issuer from who supplied this one, and give it along."
	}
	return "No path leads from " + name + " to a root that is trusted here: " + text + ".",
		"Ask for the chain that belongs to this certificate, and for its root, if that should be trusted here."
}

// incomplete says what a peer needs that does not hold what this verifier does.
func (x *explaining) incomplete() string {
	var missing []string
	for _, cert := range x.path {
		if !x.given.Contains(cert) && !x.roots.Contains(cert) {
			missing = append(missing, quote.Certificate(cert))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "Others may not know the CAs that are known here: send " + andList(missing) + " along."
}
