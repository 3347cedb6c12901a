package policy

import (
	"crypto/x509"
	"slices"
	"strings"
)

// Kind is what a certificate with a policy identifies.
type Kind string

const (
	System       Kind = "system"
	Organisation Kind = "organisation"
	Person       Kind = "person"
	Test         Kind = "test"
)

// order is that of the kinds where policies give several.
var order = []Kind{System, Organisation, Person, Test}

// Policies with a use of their own.
const (
	EVServer          = "2.16.528.1.1003.1.2.5.9"
	G3Server          = "2.16.528.1.1003.1.2.5.6"
	G1Authenticity    = "2.16.528.1.1003.1.2.8.4"
	G1Confidentiality = "2.16.528.1.1003.1.2.8.5"
	G1Server          = "2.16.528.1.1003.1.2.8.6"
	G4Server          = "2.16.528.1.1003.1.2.44.15.35.11"
	G4Authenticity    = "2.16.528.1.1003.1.2.44.16.25.4"
	G4Confidentiality = "2.16.528.1.1003.1.2.44.16.25.7"
	G4Authentication  = "2.16.528.1.1003.1.2.44.16.25.8"
)

// Rule gives a policy its kind (facts.md §5 and §8). A number with a final dot means all
// that lies in an arc.
type Rule struct {
	Number string
	Kind   Kind
}

// Added are the rules below the roots that a user added for clients or tests, beside those of
// hierarchies that were never public: there G4 G-Other and test chains may be.
var Added = []Rule{
	{G4Authenticity, Organisation},
	{G4Confidentiality, Organisation},
	{G4Authentication, System},
	{"2.16.528.1.1003.1.2.44.16.11.", Person},
	{"2.16.528.1.1003.1.2.44.16.12.", Person},
	{"2.16.528.1.1003.1.2.44.16.13.", Person},
	{"2.16.528.1.1003.1.2.44.16.14.", Person},

	// Logius' TRIAL tool has 41 where production has 44.
	{"2.16.528.1.1003.1.2.41.15.35.11", System},
	{"2.16.528.1.1003.1.2.41.16.25.4", Organisation},
	{"2.16.528.1.1003.1.2.41.16.25.7", Organisation},
	{"2.16.528.1.1003.1.2.41.16.25.8", System},
	{"2.16.528.1.1003.1.2.41.16.11.", Person},
	{"2.16.528.1.1003.1.2.41.16.12.", Person},
	{"2.16.528.1.1003.1.2.41.16.13.", Person},
	{"2.16.528.1.1003.1.2.41.16.14.", Person},

	// CIBG's acceptance environment.
	{"2.16.528.1.1007.99.12", System},
	{"2.16.528.1.1007.99.44.15.35.11", System},
}

// Tests are the rules below every hierarchy, after its own: there nobody is of those.
var Tests = []Rule{
	{"2.16.528.1.1003.1.2.41.", Test},
	{"2.16.528.1.1007.99.", Test},
}

// Set is rules, parsed. The first that fits a policy counts.
type Set []row

type row struct {
	policy x509.OID
	arc    bool
	kind   Kind
}

func (r row) fits(p x509.OID) bool { return p.Equal(r.policy) || r.arc && Within(p, r.policy) }

// NewSet parses rules.
func NewSet(rules ...[]Rule) Set {
	var s Set
	for _, r := range slices.Concat(rules...) {
		number, arc := strings.CutSuffix(r.Number, ".")
		s = append(s, row{Parse(number), arc, r.Kind})
	}
	return s
}

// KindOf returns the kind that the policies give; the first in the order of the constants
// where they give several, and empty where they give none.
func (s Set) KindOf(policies ...x509.OID) Kind {
	found := len(order)
	for _, p := range policies {
		if i := slices.IndexFunc(s, func(r row) bool { return r.fits(p) }); i >= 0 {
			found = min(found, slices.Index(order, s[i].kind))
		}
	}
	if found == len(order) {
		return ""
	}
	return order[found]
}

var arcs = struct{ pkioverheid, trial, acceptance x509.OID }{
	Parse("2.16.528.1.1003.1.2"), Parse("2.16.528.1.1003.1.2.41"), Parse("2.16.528.1.1007.99"),
}

// IsTest reports whether a policy is one for tests, of Logius or CIBG.
func IsTest(p x509.OID) bool { return Within(p, arcs.trial, arcs.acceptance) }

// IsPKIoverheid reports whether a policy is one of PKIoverheid.
func IsPKIoverheid(p x509.OID) bool { return Within(p, arcs.pkioverheid) }
