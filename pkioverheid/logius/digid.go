package logius

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// CheckDigiDCertificates applies DigiD's rules to the certificates that a connected party
// uses in preproduction and in production (facts.md §4), and returns all that is wrong in
// one error, or nil:
//
//   - each is an end-entity certificate that verifies at Trust.Time under Private G1, EV
//     (CA2020) or Private G4, or what t says, and is not a person's;
//   - both are of the same hierarchy.
//
// The rule is of 2020 and names G1 and CA2020; that it holds between G1 and G4 too is our
// reading of it. The extended key usage is not asked for.
func CheckDigiDCertificates(preproduction, production *x509.Certificate, t pkioverheid.Trust) error {
	v, err := pkioverheid.NewVerifier(t)
	if err != nil {
		return fmt.Errorf("logius: DigiD: %w", err)
	}
	at := clockOf(t.Time)()
	var wrong []error
	var kinds []pkioverheid.Hierarchy
	for _, c := range []struct {
		env  Environment
		cert *x509.Certificate
	}{{Preproduction, preproduction}, {Production, production}} {
		kind, err := digiDKind(v, c.cert, at)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("logius: DigiD: the certificate for %s: %w", c.env, err))
			continue
		}
		kinds = append(kinds, kind)
	}
	if len(kinds) == 2 && kinds[0] != kinds[1] {
		wrong = append(wrong, fmt.Errorf("logius: DigiD: the certificate for preproduction is under %s and the one for production under %s: use the same kind in both", kinds[0], kinds[1]))
	}
	return errors.Join(wrong...)
}

// digiDKind returns the hierarchy of a certificate that verifies.
func digiDKind(v *pkioverheid.Verifier, cert *x509.Certificate, at time.Time) (pkioverheid.Hierarchy, error) {
	if cert == nil {
		return "", errors.New("there is none")
	}
	if cert.IsCA {
		return "", errors.New("it is the certificate of a CA")
	}
	c, err := verify(v, cert, nil, at, x509.ExtKeyUsageAny)
	if err != nil {
		return "", err
	}
	root, ok := pkioverheid.ClaimOf(c.Root())
	if !ok || root.By != pkioverheid.ByKey {
		return "", fmt.Errorf("its root %s is of no hierarchy that is known here", safetext.Certificate(c.Root()))
	}
	return root.Hierarchy, nil
}
