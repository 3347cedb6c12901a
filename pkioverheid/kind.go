package pkioverheid

import (
	"crypto/x509"
	"sync"

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

// policySets are those of the hierarchies, and at zero that of ServerConfig.ClientRoots and
// Trust.TrialRoots.
var policySets = sync.OnceValue(func() map[Hierarchy]policy.Set {
	sets := make(map[Hierarchy]policy.Set, len(hierarchyTable)+1)
	added := [][]policy.Rule{policy.Added}
	for h := range everyHierarchy {
		row := h.row()
		sets[h] = policy.NewSet(row.policies, policy.Tests)
		if !row.public {
			added = append(added, row.policies)
		}
	}
	sets[""] = policy.NewSet(added...)
	return sets
})

// kindOf returns the kind that the policies give below a hierarchy, zero for those roots; the
// first in the order of the constants where they give several.
func kindOf(h Hierarchy, policies []x509.OID) Kind {
	set, ok := policySets()[h]
	if !ok {
		return ""
	}
	return Kind(set.KindOf(policies...))
}
