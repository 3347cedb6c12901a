package advice

import (
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Order is a certificate of a system or an organisation that can be ordered (facts.md §5
// and §6).
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

// orderTexts is an order in both languages.
type orderTexts struct {
	Order
	product  text
	contents []text
}

func (o orderTexts) in(language func(text) string) Order {
	all := o.Order
	all.Product = language(o.product)
	for _, t := range o.contents {
		all.Contents = append(all.Contents, language(t))
	}
	return all
}

func (o orderTexts) english() Order { return o.in(func(t text) string { return t.en }) }

func (o orderTexts) inDutch() Order { return o.in(func(t text) string { return t.nl }) }

// Orders returns what can be ordered for systems: of Private G4 a certificate with DNS
// names and one without, and of Private G1, until its replacement is due, one for those
// who must still call services that do not take G4.
func Orders() []Order {
	return []Order{
		newOrder(pkioverheid.PrivateG4TLS, false).english(),
		newOrder(pkioverheid.PrivateG4TLS, true).english(),
		newOrder(pkioverheid.PrivateG1, false).english(),
	}
}

// newOrder is for anybody. Without DNS names one under Private G4 is of G-Other.
func newOrder(h pkioverheid.Hierarchy, clientOnly bool) orderTexts {
	switch {
	case h == pkioverheid.PrivateG1:
		return orderTexts{
			Order: Order{Policy: policy.G1Server, Hierarchy: h,
				Suppliers: slices.DeleteFunc(suppliers(h), func(tsp pkioverheid.TSP) bool { return tsp == pkioverheid.CIBG })}, // see sourceCIBG
			product: textG1Server, contents: []text{textYourOIN, textG1Names, textBothUsages, textRSA2048},
		}
	case clientOnly:
		return orderTexts{
			Order:   Order{Policy: policy.G4Authentication},
			product: textG4Client, contents: []text{textYourOIN, textKvK, textNoNames, textRSA3072},
		}
	}
	return orderTexts{
		Order:   Order{Policy: policy.G4Server, Hierarchy: h, Suppliers: suppliers(h)},
		product: textG4Server, contents: []text{textYourOIN, textKvK, textG4Names, textBothUsages, textRSACIBG},
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

// order is what to order in the place of a certificate, in English and in Dutch; nil where
// that is neither a certificate for TLS between systems nor one of an organisation under
// Private G1.
func (c *subject) order(by replacement) (english, dutch *Order) {
	if c.use != Web && c.Kind == pkioverheid.Organisation && by.hierarchy == "" {
		return c.orderOfOrganisation()
	}
	if c.use == Web || c.Kind != pkioverheid.System {
		return nil, nil
	}
	clientOnly := by.hierarchy == ""
	if !clientOnly && by.hierarchy != pkioverheid.PrivateG1 && by.hierarchy != pkioverheid.PrivateG4TLS {
		return nil, nil
	}
	o := newOrder(by.hierarchy, clientOnly)
	switch tsp := c.TSP; {
	case tsp == pkioverheid.QuoVadis:
		o.Suppliers = []pkioverheid.TSP{pkioverheid.DigiCert}
	case slices.Contains(o.Suppliers, tsp) || clientOnly && tsp != "", tsp == pkioverheid.CIBG && c.at.Before(cibgG4):
		o.Suppliers = []pkioverheid.TSP{tsp}
	}
	if c.OIN != "" {
		o.contents[0] = say(textOIN, string(c.OIN))
	}
	const most = 5
	if names := c.Certificate.DNSNames; len(names) > 0 && !clientOnly {
		var quoted []string
		for _, name := range names[:min(len(names), most)] {
			quoted = append(quoted, safetext.Quote(name))
		}
		these := say(textTheseNames, strings.Join(quoted, ", "))
		if len(names) > most {
			these = say(textMoreNames, strings.Join(quoted, ", "), len(names)-most)
		}
		i := slices.IndexFunc(o.contents, func(t text) bool { return t == textG1Names || t == textG4Names })
		o.contents[i] = these
	}
	en, nl := o.english(), o.inDutch()
	return &en, &nl
}

// orderOfOrganisation is for what signs or decrypts in the name of an organisation.
func (c *subject) orderOfOrganisation() (english, dutch *Order) {
	o := orderTexts{contents: []text{textYourOIN, textKvK, textRSA3072}}
	switch {
	case c.has(policy.G1Authenticity):
		o.product, o.Policy = textG4Authenticity, policy.G4Authenticity
	case c.has(policy.G1Confidentiality):
		o.product, o.Policy = textG4Confidentiality, policy.G4Confidentiality
	default:
		return nil, nil
	}
	if c.TSP != "" {
		o.Suppliers = []pkioverheid.TSP{c.TSP}
		if c.TSP == pkioverheid.QuoVadis {
			o.Suppliers[0] = pkioverheid.DigiCert
		}
	}
	if c.OIN != "" {
		o.contents[0] = say(textOIN, string(c.OIN))
	}
	en, nl := o.english(), o.inDutch()
	return &en, &nl
}
