package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// refusal returns why the hosts of the list may not have a certificate, or nil.
func (l hostList) refusal(cs tls.ConnectionState, distrusted *distrustedSet) *ServerCertificateError {
	host := quoteHost(cs.ServerName)
	if !l.hasName(cs.ServerName) {
		return &ServerCertificateError{
			Host: host, Reason: chain.UnknownAuthority,
			Problem: "It is the certificate of a proxy to a host of ClientConfig.PublicHosts, and the proxy is not listed there.",
			Advice:  "Call the proxy by http, or list it.",
		}
	}
	err := error(errNotVerified)
	for _, certs := range cs.VerifiedChains {
		if err = rejectPKIoverheid(certs); err == nil {
			if err = vetoOf(distrusted).Policy(certs, time.Time{}); err == nil {
				return nil
			}
		}
	}
	e := serverError(host, err)
	if e.Reason != chain.Distrusted {
		e.Reason = chain.RefusedByPolicy
	}
	return e
}

// rejectPKIoverheid refuses chains with a CA of PKIoverheid: an operating system may have
// its roots that once were public, or that an administrator added.
func rejectPKIoverheid(certs []*x509.Certificate) error {
	if err := RejectG3(certs); err != nil {
		return err
	}
	for _, c := range certs {
		if recognised().keyOf(c) != nil {
			return errors.New("pkioverheid: it is under " + safetext.Certificate(c) + " of PKIoverheid, and the host is in ClientConfig.PublicHosts, for certificates of public CAs only")
		}
	}
	return nil
}

// publicError turns crypto/tls's refusal of the certificate of a host of
// ClientConfig.PublicHosts into ours.
func publicError(host string, cause *tls.CertificateVerificationError) *ServerCertificateError {
	e := &ServerCertificateError{
		Host: host, Reason: chain.UnknownAuthority, Err: []error{cause},
		Problem: "The host is in ClientConfig.PublicHosts, where only the roots of the operating system count: " + safetext.Printable(cause.Err.Error(), safetext.MostError) + ".",
		Advice:  "If it has a certificate of PKIoverheid, take it out of that list.",
	}
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(cause, &wrongName):
		e.Reason = chain.WrongName
	case errors.As(cause, &invalid) && invalid.Reason == x509.Expired:
		e.Reason = chain.Expired
	}
	return e
}
