package chain

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// failure makes the error of a refusal: err is crypto/x509's or a *limitError,
// refusals are the policies'; either may be missing.
func (c signedPath) failure(at time.Time, err error, refusals []error) *Error {
	e := &Error{Chain: c.path, At: at}
	if err != nil {
		e.Err = append(e.Err, err)
	}
	var limit *limitError
	if !c.rooted && !errors.As(err, &limit) {
		if errors.As(c.refused, &limit) {
			e.Err = append(e.Err, limit)
		} else if c.gaveUp {
			e.Err = append(e.Err, errGaveUp)
		}
	}
	e.Err = append(e.Err, refusals...)
	e.Reason, e.Cert = c.reason(at, err, refusals)
	return e
}

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
