package pkioverheid

import (
	"crypto/x509"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/enum"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

// Kind says what a certificate identifies, by its policies.
type Kind uint8

const (
	System       = Kind(policy.System)       // a system: TLS between machines
	Organisation = Kind(policy.Organisation) // an organisation: signatures, encryption
	Person       = Kind(policy.Person)       // a natural person
	ForTests     = Kind(policy.Test)         // nobody: it was issued for tests, by Logius' TRIAL tool or CIBG
)

var kindTexts = []string{"", "system", "organisation", "person", "test"}

// String returns "system", "organisation", "person" or "test".
func (k Kind) String() string { return enum.String("Kind", k, kindTexts) }

// MarshalText returns what String does.
func (k Kind) MarshalText() ([]byte, error) { return enum.Marshal("kind", k, kindTexts) }

// UnmarshalText takes what String returns.
func (k *Kind) UnmarshalText(text []byte) error { return enum.Unmarshal("kind", k, text, kindTexts) }

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
	return 0
}
