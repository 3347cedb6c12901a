package pkioverheid

import (
	"crypto/x509"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

// Kind says what a certificate identifies, by its policies.
type Kind string

const (
	System       Kind = "system"       // a system: TLS between machines
	Organisation Kind = "organisation" // an organisation: signatures, encryption
	Person       Kind = "person"       // a natural person
	ForTests     Kind = "test"         // nobody: it was issued for tests, by Logius' TRIAL tool or CIBG
)

// kindOf returns the kind that the policies give below a hierarchy, where zero means
// ServerConfig.ClientRoots and Trust.TrialRoots; the first in the order of the constants
// where they give several.
func kindOf(h Hierarchy, policies []x509.OID) Kind {
	switch {
	case h == 0:
		return Kind(policy.KindOf(policy.Added, policies...))
	case h.known():
		return Kind(policy.KindOf(hierarchyTable[h].text, policies...))
	}
	return ""
}
