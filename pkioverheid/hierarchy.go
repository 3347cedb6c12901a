package pkioverheid

import (
	"cmp"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

// Hierarchy is one of the PKIoverheid certificate hierarchies that this
// package carries: a self-signed root (stamcertificaat), a domain CA
// (domeincertificaat) and the CAs of the trust service providers (TSPs) below it.
//
// The value is its name in JSON and files, such as "private-g1". The zero value is none of
// them.
type Hierarchy string

const (
	// EV is "Staat der Nederlanden EV Root CA", with the public web server
	// certificates known as CA2020. Its root expired on 8 December 2022: it
	// verifies signatures and archives of 2020–2022, at a time in the past.
	EV Hierarchy = "ev"

	// PrivateG1 is "Staat der Nederlanden Private Root CA - G1", for traffic
	// between machines. Its TSP CAs end on 12 November 2028.
	PrivateG1 Hierarchy = "private-g1"

	// PrivateG4TLS is "Staat der Nederlanden - G4 Root Priv G-TLS - 2024", the
	// successor of PrivateG1. Its TSP CAs end on 18 May 2039.
	PrivateG4TLS Hierarchy = "private-g4-tls"

	// G3 is "Staat der Nederlanden Root CA - G3". Its server CAs were withdrawn
	// in 2020 and 2021. Nothing in this package trusts it.
	G3 Hierarchy = "g3"

	// Generation1 and Generation2 are "Staat der Nederlanden Root CA" and "Staat der
	// Nederlanden Root CA - G2", which ended in 2015 and 2020. Their certificates are
	// recognised; none is embedded, and they cannot be trusted.
	Generation1 Hierarchy = "generation-1"
	Generation2 Hierarchy = "generation-2"
)

type hierarchyRow struct {
	hierarchy Hierarchy
	title     string // what String returns

	trusted   bool // among Hierarchies
	withdrawn bool // refused for TLS at any time
	public    bool // its root was in browsers

	rsaBits   int       // what a new certificate's RSA key has at least (facts.md §5)
	replaceBy time.Time // by when Logius asks to replace: the end of the day in the Netherlands
	ended     time.Time // when it ended, if it did
	successor Hierarchy // what takes its place between machines, from when it began
	source    string    // who says so

	policies []policy.Rule // of end-entity certificates, the first that fits counts
}

// hierarchyTable has a row for each hierarchy (facts.md §1, §3, §5 and §10). A new
// hierarchy is a row here, with the rows and files of its CAs; it has a constant only if
// programs name it.
var hierarchyTable = []hierarchyRow{
	{
		hierarchy: EV, title: "EV", trusted: true, public: true,
		ended: time.Date(2022, time.December, 8, 11, 10, 28, 0, time.UTC), successor: PrivateG1, source: sourceEV,
		policies: []policy.Rule{{Number: "2.16.528.1.1003.1.2.5.8", Kind: policy.System}, {Number: policy.EVServer, Kind: policy.System}},
	},
	{
		hierarchy: PrivateG1, title: "Private G1", trusted: true, rsaBits: 2048,
		replaceBy: time.Date(2027, time.December, 31, 23, 0, 0, 0, time.UTC), successor: PrivateG4TLS, source: sourceG4,
		policies: []policy.Rule{
			{Number: "2.16.528.1.1003.1.2.8.1", Kind: policy.Person},
			{Number: "2.16.528.1.1003.1.2.8.2", Kind: policy.Person},
			{Number: "2.16.528.1.1003.1.2.8.3", Kind: policy.Person},
			{Number: policy.G1Authenticity, Kind: policy.Organisation},
			{Number: policy.G1Confidentiality, Kind: policy.Organisation},
			{Number: policy.G1Server, Kind: policy.System},
		},
	},
	{
		hierarchy: PrivateG4TLS, title: "Private G4 TLS", trusted: true, rsaBits: 3072,
		policies: []policy.Rule{{Number: policy.G4Server, Kind: policy.System}},
	},
	{
		hierarchy: G3, title: "G3", withdrawn: true, public: true,
		replaceBy: time.Date(2020, time.December, 31, 23, 0, 0, 0, time.UTC), successor: PrivateG1, source: sourcePlan2020,
		policies: []policy.Rule{
			{Number: "2.16.528.1.1003.1.2.5.4", Kind: policy.Organisation},
			{Number: "2.16.528.1.1003.1.2.5.5", Kind: policy.Organisation},
			{Number: policy.G3Server, Kind: policy.System},
			{Number: "2.16.528.1.1003.1.2.5.7", Kind: policy.Organisation},
		},
	},
	{
		hierarchy: Generation1, title: "Generation 1", public: true,
		ended: time.Date(2015, time.December, 31, 23, 0, 0, 0, time.UTC), successor: PrivateG1, source: sourceGenerations,
	},
	{
		hierarchy: Generation2, title: "Generation 2", public: true,
		ended: time.Date(2020, time.March, 31, 22, 0, 0, 0, time.UTC), successor: PrivateG1, source: sourceGenerations,
	},
}

const (
	sourcePlan2020    = "Logius, replacement plan of 2020 (questions and answers of 25 November 2020)"
	sourceG4          = "Logius: everyone must have moved before 2028, when G3 and Private G1 end"
	sourceEV          = "cert.pkioverheid.nl: the EV root ended on 8 December 2022; since then PKIoverheid issues no publicly trusted TLS certificates"
	sourceGenerations = "PKIoverheid: its first generation ended in 2015, its second in March 2020"
)

// row returns the row of a hierarchy, and an empty one for other values.
func (h Hierarchy) row() *hierarchyRow {
	for i := range hierarchyTable {
		if row := &hierarchyTable[i]; row.hierarchy == h {
			return row
		}
	}
	return new(hierarchyRow)
}

func (h Hierarchy) known() bool { return h.row().hierarchy != "" }

// everyHierarchy yields the hierarchies in the order of the table.
func everyHierarchy(yield func(Hierarchy) bool) {
	for i := range hierarchyTable {
		if !yield(hierarchyTable[i].hierarchy) {
			return
		}
	}
}

// Hierarchies returns the hierarchies that a zero [Trust] and
// [DefaultCertPool] trust, each in a new slice: EV, PrivateG1 and PrivateG4TLS.
// EV has only expired: nothing under it passes at the present time, and archives of
// 2020–2022 pass at theirs.
func Hierarchies() []Hierarchy {
	var all []Hierarchy
	for h := range everyHierarchy {
		if h.row().trusted {
			all = append(all, h)
		}
	}
	return all
}

// String returns the name that people use, such as "Private G1" or "G3"; of other values the
// value.
func (h Hierarchy) String() string { return cmp.Or(h.row().title, string(h)) }

// Plan is what was published about the future of a hierarchy.
type Plan struct {
	// ReplaceBy is the moment by which Logius asks that certificates under the hierarchy
	// are replaced: the end of 2020 for servers under G3, the end of 2027 for Private G1.
	// Zero if no such date was published.
	ReplaceBy time.Time

	// Ended is when the hierarchy ended; zero if it did not.
	Ended time.Time

	// Successor is what takes its place between machines, from when that began; zero if
	// there is none.
	Successor Hierarchy

	Withdrawn bool   // it is refused for TLS at any time
	Public    bool   // browsers trusted its root
	Source    string // who says so
}

// Plan returns what was published about the future of the hierarchy. It is zero where
// nothing was.
func (h Hierarchy) Plan() Plan {
	row := h.row()
	return Plan{row.replaceBy, row.ended, row.successor, row.withdrawn, row.public, row.source}
}
