package logius

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// OIN returns the OIN in the entityID, such as that in
// urn:nl-eid-gdi:1.0:RD:00000004000000149000:entities:9002 (facts.md §9). It is empty
// where the entityID carries none. It is an error if there are several, and if an
// entityID of eHerkenning or ST-SAML has none.
func (e Entity) OIN() (pkioverheid.OIN, error) {
	var found pkioverheid.OIN
	parts := strings.Split(e.ID, ":")
	if !strings.EqualFold(parts[0], "urn") {
		return "", nil
	}
	for _, part := range parts {
		oin := pkioverheid.OIN(part)
		if len(part) != 20 || oin.Validate() != nil || oin == found {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("logius: the entityID %s carries several OINs", safetext.Quote(e.ID))
		}
		found = oin
	}
	if found == "" && len(parts) > 1 && (strings.EqualFold(parts[1], "etoegang") || strings.EqualFold(parts[1], "nl-eid-gdi")) {
		return "", fmt.Errorf("logius: the entityID %s should carry an OIN, and carries none", safetext.Quote(e.ID))
	}
	return found, nil
}

// binding returns what asks whether a certificate bears the OIN that the entityID
// carries.
func (e Entity) binding(any bool) func(*x509.Certificate) error {
	want, err := e.OIN()
	return func(cert *x509.Certificate) error {
		if any || err == nil && want == "" {
			return nil
		}
		if err != nil {
			return err
		}
		own, err := pkioverheid.OINOf(cert)
		if err != nil {
			return fmt.Errorf("logius: the entityID carries the OIN %s: %w", want, err)
		}
		if own != want {
			return fmt.Errorf("logius: the certificate bears the OIN %s, and the entityID carries %s", own, want)
		}
		return nil
	}
}
