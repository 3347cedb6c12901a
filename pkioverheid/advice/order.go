package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Order is a certificate of a system that can be ordered (facts.md §5 and §6).
type Order struct {
	// Product is what it is, Policy the number by which suppliers know it.
	Product string `json:"product"`
	Policy  string `json:"policy"`

	// Hierarchy is what it is under; zero for Private G4 G-Other, which this module does
	// not carry.
	Hierarchy pkioverheid.Hierarchy `json:"hierarchy,omitzero"`

	// Suppliers are whom to ask, as far as is known. Empty: any TSP of PKIoverheid.
	Suppliers []pkioverheid.TSP `json:"suppliers,omitempty"`

	// Contents is what it must have, in a few words each.
	Contents []string `json:"contents"`
}

// String returns the order as one sentence, with what came from a certificate quoted and
// shortened.
func (o Order) String() string {
	whom := "a TSP of PKIoverheid"
	if len(o.Suppliers) > 0 {
		var names []string
		for _, tsp := range o.Suppliers {
			names = append(names, string(tsp))
		}
		whom = strings.Join(names, " or ")
	}
	return fmt.Sprintf("order %s (policy %s) from %s, with %s", o.Product, o.Policy, whom, strings.Join(o.Contents, "; "))
}

// Orders returns what can be ordered for systems: of Private G4 a certificate with DNS
// names and one without, and of Private G1, until its replacement is due, one for those
// who must still call services that do not take G4.
func Orders() []Order {
	return []Order{
		newOrder(pkioverheid.PrivateG4TLS, false),
		newOrder(pkioverheid.PrivateG4TLS, true),
		newOrder(pkioverheid.PrivateG1, false),
	}
}

// newOrder is for anybody. Without DNS names one under Private G4 is of G-Other.
func newOrder(h pkioverheid.Hierarchy, clientOnly bool) Order {
	const (
		oin = "your OIN in subject:serialNumber, where you use Digikoppeling"
		kvk = "your number in the Handelsregister as organizationIdentifier (NTRNL-…)"
	)
	switch {
	case h == pkioverheid.PrivateG1:
		return Order{
			Product: "a server certificate under Private G1", Policy: policy.G1Server, Hierarchy: h,
			Suppliers: slices.DeleteFunc(suppliers(h), func(tsp pkioverheid.TSP) bool { return tsp == pkioverheid.CIBG }), // see sourceCIBG
			Contents:  []string{oin, "your DNS names, if it is a server's", "serverAuth and clientAuth", "an RSA key of 2048 bits or more"},
		}
	case clientOnly:
		return Order{
			Product: "an authentication certificate of an organisation under Private G4 G-Other", Policy: policy.G4Authentication,
			Contents: []string{oin, kvk, "clientAuth, and no DNS names", "an RSA key of 3072 bits or more, and a request that is signed with RSASSA-PSS"},
		}
	}
	return Order{
		Product: "a system certificate under Private G4 G-TLS", Policy: policy.G4Server, Hierarchy: h, Suppliers: suppliers(h),
		Contents: []string{
			oin, kvk, "1 to 100 DNS names, without wildcards and IP addresses, also if it is only a client's", "serverAuth and clientAuth",
			"an RSA key of 3072 bits or more (4096 at CIBG), and a request that is signed with RSASSA-PSS",
		},
	}
}

// suppliers are the TSPs that have a CA under the hierarchy.
func suppliers(h pkioverheid.Hierarchy) (all []pkioverheid.TSP) {
	for _, ca := range h.Certificates() {
		claim, _ := pkioverheid.ClaimOf(ca)
		tsp := claim.TSP
		if tsp == pkioverheid.QuoVadis {
			tsp = pkioverheid.DigiCert
		}
		if tsp != "" && !slices.Contains(all, tsp) {
			all = append(all, tsp)
		}
	}
	slices.Sort(all)
	return all
}

// order is what to order in the place of a certificate; nil where that is not a
// certificate for TLS between systems.
func (c *subject) order(by replacement) *Order {
	if c.use == Web || c.Kind != pkioverheid.System {
		return nil
	}
	clientOnly := by.hierarchy == 0
	if !clientOnly && by.hierarchy != pkioverheid.PrivateG1 && by.hierarchy != pkioverheid.PrivateG4TLS {
		return nil
	}
	o := newOrder(by.hierarchy, clientOnly)
	switch tsp := c.TSP; {
	case tsp == pkioverheid.QuoVadis:
		o.Suppliers = []pkioverheid.TSP{pkioverheid.DigiCert}
	case slices.Contains(o.Suppliers, tsp) || clientOnly && tsp != "":
		o.Suppliers = []pkioverheid.TSP{tsp}
	}
	if c.OIN != "" {
		o.Contents[0] = "OIN " + string(c.OIN) + " in subject:serialNumber"
	}
	const most = 5
	if names := c.Certificate.DNSNames; len(names) > 0 && !clientOnly {
		var quoted []string
		for _, name := range names[:min(len(names), most)] {
			quoted = append(quoted, safetext.Quote(name))
		}
		text := "the DNS names " + strings.Join(quoted, ", ")
		if len(names) > most {
			text += fmt.Sprintf(" and %d more", len(names)-most)
		}
		i := slices.IndexFunc(o.Contents, func(s string) bool { return strings.Contains(s, "DNS names") })
		o.Contents[i] = text
	}
	return &o
}
