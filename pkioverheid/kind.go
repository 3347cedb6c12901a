package pkioverheid

import (
	"crypto/x509"
	"strconv"
	"strings"
	"sync"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

// Kind says what a certificate identifies, by its policies.
type Kind uint8

const (
	System       Kind = iota + 1 // a system: TLS between machines
	Organisation                 // an organisation: signatures, encryption
	Person                       // a natural person
	ForTests                     // nobody: Logius' TRIAL tool issued it
)

// String returns "system", "organisation", "person" or "test".
func (k Kind) String() string {
	switch k {
	case System:
		return "system"
	case Organisation:
		return "organisation"
	case Person:
		return "person"
	case ForTests:
		return "test"
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// policyKinds are the policies of end-entity certificates by hierarchy, without
// the beginning 2.16.528.1.1003.1.2 of most (facts.md §5 and §8). A final dot stands for
// any continuation. Under the zero Hierarchy stand those that may come below
// Config.ClientRoots and Config.TrialRoots: G4 G-Other, and test chains.
var policyKinds = [...][]struct {
	policies string
	kind     Kind
}{
	0: {
		{"8.6 44.15.35.11 44.16.25.8 41.15.35.11 41.16.25.8", System},
		{"2.16.528.1.1007.99.44.15.35.11 2.16.528.1.1007.99.12", System}, // of CIBG's acceptance environment
		{"8.4 8.5 44.16.25.4 44.16.25.7 41.16.25.4 41.16.25.7", Organisation},
		{"8.1 8.2 8.3 44.16.11. 44.16.12. 44.16.13. 44.16.14. 41.16.11. 41.16.12. 41.16.13. 41.16.14.", Person},
	},
	EV:           {{"5.8 5.9", System}, {"41.", ForTests}},
	PrivateG1:    {{"8.6", System}, {"8.4 8.5", Organisation}, {"8.1 8.2 8.3", Person}, {"41.", ForTests}},
	PrivateG4TLS: {{"44.15.35.11", System}, {"41.", ForTests}},
	G3:           {{"5.6", System}, {"5.4 5.5 5.7", Organisation}, {"41.", ForTests}},
}

// policyKind is a policy of a row of policyKinds.
type policyKind struct {
	policy x509.OID
	arc    bool // and all that lies in it
	kind   Kind
}

var parsedPolicyKinds = sync.OnceValue(func() (all [len(policyKinds)][]policyKind) {
	for h, rows := range policyKinds {
		for _, row := range rows {
			for text := range strings.FieldsSeq(row.policies) {
				text, arc := strings.CutSuffix(text, ".")
				if !strings.HasPrefix(text, "2.16.") {
					text = "2.16.528.1.1003.1.2." + text
				}
				all[h] = append(all[h], policyKind{policy.Parse(text), arc, row.kind})
			}
		}
	}
	return all
})

// kindOf returns the kind that the policies give under a hierarchy; the first in
// the order of the constants where they give several.
func kindOf(h Hierarchy, policies []x509.OID) Kind {
	if int(h) >= len(policyKinds) {
		return 0
	}
	found := Kind(0)
	for _, p := range policies {
		for _, row := range parsedPolicyKinds()[h] {
			if (found == 0 || row.kind < found) && (p.Equal(row.policy) || row.arc && policy.Within(p, row.policy)) {
				found = row.kind
			}
		}
	}
	return found
}
