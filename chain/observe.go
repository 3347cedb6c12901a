package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
	"github.com/go-pkioverheid/trust/truststore"
)

// observe looks at one certificate of the path. remaining is what usages are left of
// those asked for, from the leaf up to this certificate.
func (x *explaining) observe(i int, remaining *[]x509.ExtKeyUsage) []Observation {
	var (
		cert     = x.path[i]
		at       = x.opts.Time
		observed []Observation
	)
	add := func(name ObservationName, ok bool, text string, args ...any) {
		result := Pass
		if !ok {
			result = Fail
		}
		observed = append(observed, Observation{name, result, fmt.Sprintf(text, args...)})
	}

	switch {
	case at.Before(cert.NotBefore):
		add(ObservedValidity, false, "%s", begins(cert, at))
	case at.After(cert.NotAfter):
		add(ObservedValidity, false, "%s", ended(cert, at))
	default:
		add(ObservedValidity, true, "valid at that time")
	}

	observed = append(observed, x.observeIssuer(i))

	if i == 0 && isCA(cert) {
		add(ObservedCA, true, "a CA")
	}
	if i > 0 {
		if isCA(cert) {
			add(ObservedCA, true, "a CA")
		} else {
			add(ObservedCA, false, "it is no CA, so it may not issue certificates")
		}
		if isCA(cert) && cert.MaxPathLen >= 0 {
			if i-1 > cert.MaxPathLen {
				add(ObservedPathLength, false, "it allows %s below it, and there %s", count(cert.MaxPathLen, "CA"), areThere(i-1))
			} else {
				add(ObservedPathLength, true, "allows %s below it", count(cert.MaxPathLen, "CA"))
			}
		}
		if cert.KeyUsage != 0 {
			if cert.KeyUsage&x509.KeyUsageCertSign == 0 {
				add(ObservedKeyUsage, false, "its key may not sign certificates (keyCertSign is missing)")
			} else {
				add(ObservedKeyUsage, true, "its key may sign certificates")
			}
		}
	}

	if restricted := len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0; restricted && len(*remaining) > 0 {
		asked := *remaining
		if !slices.Contains(asked, x509.ExtKeyUsageAny) && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny) {
			*remaining = slices.DeleteFunc(slices.Clone(asked), func(u x509.ExtKeyUsage) bool { return !slices.Contains(cert.ExtKeyUsage, u) })
		}
		if len(*remaining) == 0 {
			add(ObservedExtendedKeyUsage, false, "it is for %s, not for %s", usagesOfCert(cert), orList(usageNames(asked)))
		} else {
			add(ObservedExtendedKeyUsage, true, "for %s", usagesOfCert(cert))
		}
	}

	if i > 0 && constrainsNames(cert) {
		text := "limits the names in certificates below it"
		var names []string
		for _, permitted := range [][]string{cert.PermittedDNSDomains, cert.PermittedEmailAddresses} {
			for _, name := range permitted[:min(len(permitted), listed)] {
				names = append(names, quote.Text(name))
			}
		}
		if len(names) > 0 {
			text += " to " + andList(shortList(names, len(cert.PermittedDNSDomains)+len(cert.PermittedEmailAddresses)))
		}
		c := Observation{ObservedNames, Pass, text}
		if x.failed != nil && x.failed.Reason == NameNotPermitted {
			c.Result = Unknown
		}
		observed = append(observed, c)
	}

	if len(cert.UnhandledCriticalExtensions) > 0 {
		add(ObservedExtensions, false, "it has the critical extension %s, which is not understood here", quote.Escaped(cert.UnhandledCriticalExtensions[0].String(), quote.Most))
	}

	if i == 0 && x.opts.DNSName != "" {
		if cert.VerifyHostname(x.opts.DNSName) == nil {
			add(ObservedHost, true, "for this host")
		} else {
			add(ObservedHost, false, "%s", notFor(cert, x.opts.DNSName))
		}
	}
	return observed
}

// observeIssuer looks at what stands above a certificate of the path.
func (x *explaining) observeIssuer(i int) Observation {
	cert := x.path[i]
	if i+1 < len(x.path) {
		if x.failed != nil {
			if why := x.signedBy(cert, x.path[i+1]); why != "" {
				return Observation{ObservedSignature, Fail, why}
			}
		}
		return Observation{ObservedSignature, Pass, "signed by the CA above"}
	}
	if x.roots.Contains(cert) {
		return Observation{ObservedTrust, Pass, "a root that is trusted here"}
	}
	switch x.failed.Reason {
	case UnknownAuthority, BadSignature, NotACA:
		name, text, _ := x.top(cert)
		return Observation{name, Fail, text}
	}
	if selfIssued(cert) {
		return Observation{ObservedTrust, Unknown, "not among the roots that are trusted here"}
	}
	return Observation{ObservedTrust, Unknown, "what stands above it was not looked at"}
}

func (x *explaining) signedBy(child, parent *x509.Certificate) (why string) {
	if keyTooLarge(parent) != nil || !x.done.signature(parent, x.limits) {
		return "the signature was not checked, for that would take too much"
	}
	var notCA x509.ConstraintViolationError
	switch err := child.CheckSignatureFrom(parent); {
	case err == nil:
		return ""
	case errors.As(err, &notCA):
		return "the certificate above may not issue certificates"
	}
	return "it was not signed by the key of the certificate above"
}

// ending says how a path ends that leads to no trusted root.
type ending uint8

const (
	endsSelfSigned    ending = iota // at a root that is not trusted here
	endsIssuerMissing               // nobody of the issuer's name is at hand
	endsOtherKey                    // one of the issuer's name is, with another key
	endsNotSigned                   // one is, and did not sign this
	endsNoCA                        // one is, and is no CA
)

// top says what is known of the issuer of a certificate above which no path leads
// to a trusted root.
func (x *explaining) top(cert *x509.Certificate) (name ObservationName, text string, end ending) {
	if selfIssued(cert) {
		return ObservedTrust, "self-signed, and not among the roots that are trusted here", endsSelfSigned
	}
	issuer := quote.Text(issuerName(cert))
	end = endsIssuerMissing
	for _, s := range []*truststore.Store{x.roots, x.intermediates, x.given} {
		for candidate := range s.BySubject(cert.RawIssuer) {
			found := endsNotSigned
			switch {
			case !isCA(candidate) || candidate.KeyUsage != 0 && candidate.KeyUsage&x509.KeyUsageCertSign == 0:
				found = endsNoCA
			case !keyIdentifiersMatch(cert, candidate):
				found = endsOtherKey
			}
			if x.failed.Reason == NotACA && found == endsNoCA || x.failed.Reason == BadSignature && found == endsNotSigned || end == endsIssuerMissing {
				end = found
			}
		}
	}
	switch end {
	case endsOtherKey:
		return ObservedTrust, "a CA named " + issuer + " is at hand, but it has another key than its issuer", end
	case endsNotSigned:
		return ObservedSignature, "it names " + issuer + " as its issuer, whose key did not sign it", end
	case endsNoCA:
		return ObservedSignature, "it names " + issuer + " as its issuer, which may not issue certificates", end
	}
	return ObservedTrust, "its issuer " + issuer + " was neither given nor is it known here", end
}

// blamed are the observations that a reason is about, the first if there is none yet.
func blamed(r Reason) []ObservationName {
	switch r {
	case Expired, NotYetValid:
		return []ObservationName{ObservedValidity}
	case UnknownAuthority:
		return []ObservationName{ObservedTrust, ObservedSignature}
	case BadSignature:
		return []ObservationName{ObservedSignature, ObservedTrust}
	case WrongName:
		return []ObservationName{ObservedHost}
	case WrongUsage:
		return []ObservationName{ObservedExtendedKeyUsage}
	case PathTooLong:
		return []ObservationName{ObservedPathLength}
	case NameNotPermitted:
		return []ObservationName{ObservedNames}
	case NotACA:
		return []ObservationName{ObservedCA, ObservedKeyUsage, ObservedSignature}
	case Revoked, RevocationUnknown:
		return []ObservationName{ObservedRevocation}
	case Unsupported:
		return []ObservationName{ObservedExtensions}
	}
	return []ObservationName{ObservedPolicy}
}

// blame finds the certificate of the path that the reason is about, and makes
// sure that its observations say so; nil if there is none.
func (x *explaining) blame(path []ExplainedCertificate) *x509.Certificate {
	if len(path) == 0 {
		return nil
	}
	names := blamed(x.failed.Reason)
	culprit := -1
	if x.failed.Cert != nil {
		culprit = slices.IndexFunc(x.path, x.failed.Cert.Equal)
	}
	for i, cert := range path {
		// Of usages, crypto/x509 names the leaf, whichever certificate forbids them.
		if culprit >= 0 && i != culprit && x.failed.Reason != WrongUsage {
			continue
		}
		for _, c := range cert.Observations {
			if c.Result == Fail && slices.Contains(names, c.Name) {
				return cert.Certificate
			}
		}
	}
	culprit = max(culprit, 0)
	text := x.failed.Reason.String()
	if said := x.said(); said != "" {
		text += ": " + said
	}
	name := names[0]
	if x.limit() != nil {
		name = ObservedLimits
	}
	path[culprit].Observations = append(path[culprit].Observations, Observation{name, Fail, text})
	return path[culprit].Certificate
}
