package policy

import (
	"crypto/x509"
	"slices"
	"strings"
	"sync"
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

// Added means the roots that a user added for clients or tests, below which G4
// G-Other and test chains may be.
const Added = "added"

// table is that of the policies of end-entity certificates (facts.md §5 and §8): their
// number, where a final dot means all that lies in an arc; their kind; and the
// hierarchies below which they are of that kind, as Hierarchy.MarshalText names them.
// The first row that fits counts.
var table = [...]struct {
	number string
	kind   Kind
	below  string
}{
	{"2.16.528.1.1003.1.2.5.4", Organisation, "g3"},
	{"2.16.528.1.1003.1.2.5.5", Organisation, "g3"},
	{G3Server, System, "g3"},
	{"2.16.528.1.1003.1.2.5.7", Organisation, "g3"},
	{"2.16.528.1.1003.1.2.5.8", System, "ev"},
	{EVServer, System, "ev"},
	{"2.16.528.1.1003.1.2.8.1", Person, "private-g1 added"},
	{"2.16.528.1.1003.1.2.8.2", Person, "private-g1 added"},
	{"2.16.528.1.1003.1.2.8.3", Person, "private-g1 added"},
	{G1Authenticity, Organisation, "private-g1 added"},
	{G1Confidentiality, Organisation, "private-g1 added"},
	{G1Server, System, "private-g1 added"},
	{G4Server, System, "private-g4-tls added"},
	{G4Authenticity, Organisation, "added"},
	{G4Confidentiality, Organisation, "added"},
	{G4Authentication, System, "added"},
	{"2.16.528.1.1003.1.2.44.16.11.", Person, "added"},
	{"2.16.528.1.1003.1.2.44.16.12.", Person, "added"},
	{"2.16.528.1.1003.1.2.44.16.13.", Person, "added"},
	{"2.16.528.1.1003.1.2.44.16.14.", Person, "added"},

	// Logius' TRIAL tool has 41 where production has 44.
	{"2.16.528.1.1003.1.2.41.15.35.11", System, "added"},
	{"2.16.528.1.1003.1.2.41.16.25.4", Organisation, "added"},
	{"2.16.528.1.1003.1.2.41.16.25.7", Organisation, "added"},
	{"2.16.528.1.1003.1.2.41.16.25.8", System, "added"},
	{"2.16.528.1.1003.1.2.41.16.11.", Person, "added"},
	{"2.16.528.1.1003.1.2.41.16.12.", Person, "added"},
	{"2.16.528.1.1003.1.2.41.16.13.", Person, "added"},
	{"2.16.528.1.1003.1.2.41.16.14.", Person, "added"},
	{"2.16.528.1.1003.1.2.41.", Test, "ev private-g1 private-g4-tls g3"},

	// CIBG's acceptance environment.
	{"2.16.528.1.1007.99.12", System, "added"},
	{"2.16.528.1.1007.99.44.15.35.11", System, "added"},
	{"2.16.528.1.1007.99.", Test, "ev private-g1 private-g4-tls g3"},
}

// row is a row of the table, parsed.
type row struct {
	policy x509.OID
	arc    bool
	kind   Kind
}

func (r row) fits(p x509.OID) bool { return p.Equal(r.policy) || r.arc && Within(p, r.policy) }

var rows = sync.OnceValue(func() map[string][]row {
	byHierarchy := map[string][]row{}
	for _, t := range table {
		number, arc := strings.CutSuffix(t.number, ".")
		for below := range strings.FieldsSeq(t.below) {
			byHierarchy[below] = append(byHierarchy[below], row{Parse(number), arc, t.kind})
		}
	}
	return byHierarchy
})

// KindOf returns the kind that the policies give below a hierarchy, or Added; the first
// in the order of the constants where they give several, and empty where they give none.
func KindOf(below string, policies ...x509.OID) Kind {
	known, found := rows()[below], len(order)
	for _, p := range policies {
		i := slices.IndexFunc(known, func(r row) bool { return r.fits(p) })
		if i >= 0 {
			found = min(found, slices.Index(order, known[i].kind))
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
