package chain

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// Reason is why a certificate was refused, in words.
type Reason string

const (
	Expired           Reason = "expired"                     // a certificate of the path has ended at that time
	NotYetValid       Reason = "not yet valid"               // a certificate of the path is valid later only
	UnknownAuthority  Reason = "unknown authority"           // the path leads to no root that is trusted
	BadSignature      Reason = "bad signature"               // an issuer of the right name is available, and did not sign this
	WrongName         Reason = "wrong name"                  // the certificate is for another host
	WrongUsage        Reason = "wrong usage"                 // the extended key usages along the path do not allow it
	PathTooLong       Reason = "path too long"               // a CA allows fewer CAs below it
	NameNotPermitted  Reason = "name not permitted"          // a CA may not issue for this name
	NoValidPolicy     Reason = "no valid certificate policy" // the path lacks a certificate policy that one of its certificates requires
	NotACA            Reason = "issuer is not a CA"          // an issuer is not a CA, or may not sign certificates
	RefusedByPolicy   Reason = "refused by policy"           // a Policy refused every path
	Revoked           Reason = "revoked"                     // by a Policy
	Unsupported       Reason = "unsupported certificate"     // a certificate that crypto/x509 does not handle, or none at all, or beyond the limits
	Distrusted        Reason = "distrusted"                  // by a list of certificates, keys or names
	RevocationUnknown Reason = "revocation unknown"          // by a Policy: whether it is revoked cannot be determined
)

func (c signedPath) reason(at time.Time, err error, refusals []error) (Reason, *x509.Certificate) {
	if len(refusals) > 0 {
		return ofRefusals(refusals)
	}

	var limit *limitError
	if errors.As(err, &limit) {
		return Unsupported, nil
	}
	if !c.rooted {
		// crypto/x509 looks at the leaf's dates and names first. Of a certificate
		// that nobody vouches for they are worth nothing.
		end := c.path[len(c.path)-1]
		var (
			notCA    x509.ConstraintViolationError
			insecure x509.InsecureAlgorithmError
		)
		switch {
		case c.gaveUp || errors.As(c.refused, &limit):
			return Unsupported, end
		case errors.As(c.refused, &insecure) || errors.Is(c.refused, x509.ErrUnsupportedAlgorithm):
			return Unsupported, end
		case errors.As(c.refused, &notCA):
			return NotACA, end
		case c.refused != nil:
			return BadSignature, end
		}
		return UnknownAuthority, end
	}

	var (
		wrongName x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	if errors.As(err, &wrongName) {
		return WrongName, c.path[0]
	}
	var reason Reason
	if errors.As(err, &invalid) {
		reason = ofInvalid(invalid, at)
		if reason == NameNotPermitted {
			return reason, c.path[0]
		}
		if slices.Contains(c.path, invalid.Cert) {
			return reason, invalid.Cert
		}
	}
	// What crypto/x509 says is about another path, or about none.
	if reason, cert := c.fault(at); reason != "" {
		return reason, cert
	}
	switch {
	case reason != "":
		return reason, invalid.Cert
	case err != nil:
		return Unsupported, nil // such as the limit of signatures
	}
	return WrongUsage, nil // by a chain that was verified for another use
}

// fault finds what is wrong with a path whose signatures are good, in the order in
// which crypto/x509 looks; empty if nothing is.
func (c signedPath) fault(at time.Time) (Reason, *x509.Certificate) {
	for i, cert := range c.path {
		switch {
		case len(cert.UnhandledCriticalExtensions) > 0:
			return Unsupported, cert
		case !validAt([]*x509.Certificate{cert}, at):
			return outsideValidity(cert, at), cert
		case i > 0 && !isCA(cert):
			return NotACA, cert
		case i > 0 && cert.MaxPathLen >= 0 && i-1 > cert.MaxPathLen:
			return PathTooLong, cert
		}
	}
	return "", nil
}

// ofInvalid is the reason in crypto/x509's words.
func ofInvalid(err x509.CertificateInvalidError, at time.Time) Reason {
	switch err.Reason {
	case x509.NotAuthorizedToSign:
		return NotACA
	case x509.Expired:
		return outsideValidity(err.Cert, at)
	case x509.CANotAuthorizedForThisName, x509.UnconstrainedName, x509.NameConstraintsWithoutSANs:
		return NameNotPermitted
	case x509.TooManyIntermediates:
		return PathTooLong
	case x509.IncompatibleUsage, x509.CANotAuthorizedForExtKeyUsage:
		return WrongUsage
	case x509.NameMismatch:
		return UnknownAuthority
	case x509.NoValidChains:
		// Whatever is wrong with usages has a reason of its own.
		return NoValidPolicy
	}
	return Unsupported // TooManyConstraints: it gave up comparing
}

// ofRefusals is what policies and vetoes say that the reason is.
func ofRefusals(refusals []error) (Reason, *x509.Certificate) {
	for _, r := range refusals {
		var own *Error
		if errors.As(r, &own) && own.Reason != "" {
			return own.Reason, own.Cert
		}
	}
	return RefusedByPolicy, nil
}

func outsideValidity(cert *x509.Certificate, at time.Time) Reason {
	if cert != nil && at.Before(cert.NotBefore) {
		return NotYetValid
	}
	return Expired
}
