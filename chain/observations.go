package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// observer gathers what is seen of one certificate.
type observer struct {
	seen []Observation
}

func (o *observer) add(name ObservationName, ok bool, text string, args ...any) {
	result := Pass
	if !ok {
		result = Fail
	}
	o.seen = append(o.seen, Observation{name, result, fmt.Sprintf(text, args...)})
}

// observe looks at one certificate of the path. remaining are the usages asked for
// that are left, from the leaf up to this certificate.
func (x *explaining) observe(i int, remaining *[]x509.ExtKeyUsage) []Observation {
	var o observer
	cert, at := x.path[i], x.opts.Time
	switch {
	case at.Before(cert.NotBefore):
		o.add(ObservedValidity, false, "%s", begins(cert, at))
	case at.After(cert.NotAfter):
		o.add(ObservedValidity, false, "%s", ended(cert, at))
	default:
		o.add(ObservedValidity, true, "valid at that time")
	}
	o.seen = append(o.seen, x.observeIssuer(i))
	if i > 0 {
		o.issuing(cert, i)
	} else if isCA(cert) {
		o.add(ObservedCA, true, "a CA")
	}
	o.usages(cert, remaining)
	if i > 0 && constrainsNames(cert) {
		o.seen = append(o.seen, x.observeConstraints(cert))
	}
	if len(cert.UnhandledCriticalExtensions) > 0 {
		o.add(ObservedExtensions, false, "it has the critical extension %s, which is not understood here", safetext.Printable(cert.UnhandledCriticalExtensions[0].String(), safetext.Most))
	}
	if i == 0 && x.opts.DNSName != "" {
		if cert.VerifyHostname(x.opts.DNSName) == nil {
			o.add(ObservedHost, true, "for this host")
		} else {
			o.add(ObservedHost, false, "%s", notFor(cert, x.opts.DNSName))
		}
	}
	return o.seen
}

// issuing looks at what a certificate needs to have issued others.
func (o *observer) issuing(cert *x509.Certificate, place int) {
	if isCA(cert) {
		o.add(ObservedCA, true, "a CA")
	} else {
		o.add(ObservedCA, false, "it is not a CA, so it may not issue certificates")
	}
	if isCA(cert) && cert.MaxPathLen >= 0 {
		if place-1 > cert.MaxPathLen {
			o.add(ObservedPathLength, false, "it allows %s below it, and there %s", count(cert.MaxPathLen, "CA"), areThere(place-1))
		} else {
			o.add(ObservedPathLength, true, "allows %s below it", count(cert.MaxPathLen, "CA"))
		}
	}
	if cert.KeyUsage != 0 {
		if cert.KeyUsage&x509.KeyUsageCertSign == 0 {
			o.add(ObservedKeyUsage, false, "its key may not sign certificates (keyCertSign is missing)")
		} else {
			o.add(ObservedKeyUsage, true, "its key may sign certificates")
		}
	}
}

func (o *observer) usages(cert *x509.Certificate, remaining *[]x509.ExtKeyUsage) {
	asked := *remaining
	if len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) == 0 || len(asked) == 0 {
		return
	}
	if !slices.Contains(asked, x509.ExtKeyUsageAny) && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny) {
		*remaining = slices.DeleteFunc(slices.Clone(asked), func(u x509.ExtKeyUsage) bool { return !slices.Contains(cert.ExtKeyUsage, u) })
	}
	if len(*remaining) == 0 {
		o.add(ObservedExtendedKeyUsage, false, "it is for %s, not for %s", usagesOfCert(cert), orList(usageNames(asked)))
	} else {
		o.add(ObservedExtendedKeyUsage, true, "for %s", usagesOfCert(cert))
	}
}

func (x *explaining) observeConstraints(ca *x509.Certificate) Observation {
	o := Observation{ObservedNames, Pass, "limits the names in certificates below it"}
	var names []string
	for _, permitted := range [][]string{ca.PermittedDNSDomains, ca.PermittedEmailAddresses} {
		for _, name := range permitted[:min(len(permitted), listed)] {
			names = append(names, safetext.Quote(name))
		}
	}
	if len(names) > 0 {
		o.Text += " to " + andList(shortList(names, len(ca.PermittedDNSDomains)+len(ca.PermittedEmailAddresses)))
	}
	if x.failed != nil && x.failed.Reason == NameNotPermitted {
		o.Result = Unknown
	}
	return o
}

// observeIssuer looks at the issuer of a certificate of the path.
func (x *explaining) observeIssuer(i int) Observation {
	cert := x.path[i]
	if i+1 < len(x.path) {
		if x.failed != nil {
			if why := x.notSignedBy(cert, x.path[i+1]); why != "" {
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
		name, text, _ := x.issuer(cert)
		return Observation{name, Fail, text}
	}
	if selfIssued(cert) {
		return Observation{ObservedTrust, Unknown, "not among the roots that are trusted here"}
	}
	return Observation{ObservedTrust, Unknown, "its issuer was not looked at"}
}

func (x *explaining) notSignedBy(child, parent *x509.Certificate) (why string) {
	if keyTooLarge(parent) != nil || !x.done.signature(parent, x.limits) {
		return "the signature was not checked, because that takes too much"
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
	text, _ := ownWords(x.failed.Err)
	if text == "" {
		text = string(x.failed.Reason)
		if said := x.said(); said != "" {
			text += ": " + said
		}
	}
	name := names[0]
	if x.limit() != nil {
		name = ObservedLimits
	}
	path[culprit].Observations = append(path[culprit].Observations, Observation{name, Fail, text})
	return path[culprit].Certificate
}
