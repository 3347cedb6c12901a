package pkioverheid

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/go-pkioverheid/trust/chain"
)

var errInHandshake = errors.New("pkioverheid: the handshake is not complete, so the peer has not proved that it has the key of its certificate: ask after it")

// inHandshake reports the state of a handshake under way. One that a test made has no version.
func inHandshake(cs *tls.ConnectionState) bool { return cs.Version != 0 && !cs.HandshakeComplete }

// caller identifies a client from what crypto/tls verified, perhaps for another use, on a
// connection that may have been open for long: what was stapled to its handshake does not
// count any more.
func (t *trustState) caller(verified [][]*x509.Certificate) (Identity, error) {
	c, err := t.complete.Check(verified, t.clock(), x509.ExtKeyUsageClientAuth)
	if err != nil {
		return Identity{}, refusedClient(err)
	}
	return t.identify(c)
}

// identify reads the verified chain of a client.
func (t *trustState) identify(c chain.Chain) (Identity, error) {
	return identityOf(c, t.systemRoots.Contains(c.Root()))
}

// causeOf returns why crypto/tls refused a client's certificate. What a pool refuses is an
// unknown authority to it.
func (t *trustState) causeOf(refused *tls.CertificateVerificationError) chain.Reason {
	var failed *chain.Error
	if certs := refused.UnverifiedCertificates; len(certs) > 0 {
		_, err := t.verifier.Verify(certs[0], chain.VerifyOptions{
			Time: t.clock(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, Extra: t.genuine(certs[1:]),
		})
		if errors.As(err, &failed) {
			return failed.Reason
		}
	}
	return causeOfWords(refused.Err.Error())
}

// genuine returns those of the certificates beside a caller's that are known CAs, or
// issued by one of these, trusted or not. A path is looked for in no others: the caller
// may have made them up so that this takes long.
func (t *trustState) genuine(others []*x509.Certificate) []*x509.Certificate {
	const most = 2 // CAs that are not known, between a root and the caller
	var found, unknown []*x509.Certificate
	for _, c := range others {
		if t.cas.Contains(c) {
			found = append(found, c)
		} else {
			unknown = append(unknown, c)
		}
	}
	checks := 0
	issued := func(ca *x509.Certificate) {
		unknown = slices.DeleteFunc(unknown, func(c *x509.Certificate) bool {
			if checks >= most || !c.IsCA || !bytes.Equal(c.RawIssuer, ca.RawSubject) ||
				len(c.AuthorityKeyId) > 0 && len(ca.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, ca.SubjectKeyId) {
				return false
			}
			checks++
			if c.CheckSignatureFrom(ca) != nil {
				checks = most // somebody made it up
				return false
			}
			found = append(found, c)
			return true
		})
	}
	for ca := range t.cas.All() {
		issued(ca)
	}
	for i := 0; i < len(found); i++ { // found grows
		if !t.cas.Contains(found[i]) {
			issued(found[i])
		}
	}
	return found
}
