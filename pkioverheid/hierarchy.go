package pkioverheid

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
)

// Hierarchy is one of the PKIoverheid certificate hierarchies that this
// package carries: a self-signed root (stamcertificaat), a domain CA
// (domeincertificaat) and the CAs of the trust service providers (TSPs) below it.
//
// The zero value is no hierarchy.
type Hierarchy uint8

const (
	// EV is "Staat der Nederlanden EV Root CA", with the public web server
	// certificates known as CA2020. Its root expired on 8 December 2022: it
	// verifies signatures and archives of 2020–2022, at a time in the past.
	EV Hierarchy = iota + 1

	// PrivateG1 is "Staat der Nederlanden Private Root CA - G1", for traffic
	// between machines. Its TSP CAs end on 12 November 2028.
	PrivateG1

	// PrivateG4TLS is "Staat der Nederlanden - G4 Root Priv G-TLS - 2024", the
	// successor of PrivateG1. Its TSP CAs end on 18 May 2039.
	PrivateG4TLS

	// G3 is "Staat der Nederlanden Root CA - G3". Its server CAs were withdrawn
	// in 2020 and 2021. Nothing in this package trusts it.
	G3
)

// hierarchyTable has a row for each hierarchy: what MarshalText writes, which is also
// the name of its folder under certs; what String says; and what ReplaceBy returns
// (facts.md §3 and §5): the end of the last day in the Netherlands.
var hierarchyTable = [...]struct {
	text, title string
	replaceBy   time.Time
}{
	EV:           {"ev", "EV", time.Time{}},
	PrivateG1:    {"private-g1", "Private G1", time.Date(2027, time.December, 31, 23, 0, 0, 0, time.UTC)},
	PrivateG4TLS: {"private-g4-tls", "Private G4 TLS", time.Time{}},
	G3:           {"g3", "G3", time.Date(2020, time.December, 31, 23, 0, 0, 0, time.UTC)},
}

func (h Hierarchy) known() bool { return h >= EV && h <= G3 }

// Hierarchies returns the hierarchies that a zero [Config] and
// [DefaultCertPool] trust, each in a new slice: EV, PrivateG1 and PrivateG4TLS.
// EV is among them because it is no more than expired: nothing under it passes
// at a present time, and archives of 2020–2022 pass at theirs.
func Hierarchies() []Hierarchy { return []Hierarchy{EV, PrivateG1, PrivateG4TLS} }

// String returns the name that people use: "EV", "Private G1",
// "Private G4 TLS" or "G3"; for other values "Hierarchy(N)".
func (h Hierarchy) String() string {
	if !h.known() {
		return "Hierarchy(" + strconv.Itoa(int(h)) + ")"
	}
	return hierarchyTable[h].title
}

// ReplaceBy returns the moment by which Logius asks that certificates under the
// hierarchy are replaced: the end of 2020 for servers under G3, the end of 2027 for
// Private G1. It is zero if no such date was published.
func (h Hierarchy) ReplaceBy() time.Time {
	if !h.known() {
		return time.Time{}
	}
	return hierarchyTable[h].replaceBy
}

// MarshalText returns "ev", "private-g1", "private-g4-tls" or "g3", and nothing
// for the zero value. Other values are an error.
func (h Hierarchy) MarshalText() ([]byte, error) {
	switch {
	case h == 0:
		return []byte{}, nil
	case !h.known():
		return nil, fmt.Errorf("pkioverheid: no such hierarchy: %d", uint8(h))
	}
	return []byte(hierarchyTable[h].text), nil
}

// UnmarshalText takes what MarshalText and String return, in upper or lower
// case, and "g1" and "g4" for short.
func (h *Hierarchy) UnmarshalText(text []byte) error {
	s := strings.ToLower(string(text))
	switch s {
	case "":
		*h = 0
		return nil
	case "g1":
		*h = PrivateG1
		return nil
	case "g4":
		*h = PrivateG4TLS
		return nil
	}
	for i := EV; i <= G3; i++ {
		if s == hierarchyTable[i].text || s == strings.ToLower(hierarchyTable[i].title) {
			*h = i
			return nil
		}
	}
	return fmt.Errorf("pkioverheid: unknown hierarchy %s: want ev, private-g1, private-g4-tls or g3", quote.Text(string(text)))
}
