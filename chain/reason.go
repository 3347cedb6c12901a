package chain

import (
	"crypto/x509"
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

func outsideValidity(cert *x509.Certificate, at time.Time) Reason {
	if cert != nil && at.Before(cert.NotBefore) {
		return NotYetValid
	}
	return Expired
}
