package pkioverheid

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Use is what a certificate is used for, on which depends what replaces it. The
// zero value is not known: [Advise] then goes by what the certificate allows.
type Use uint8

const (
	MachineToMachine Use = iota + 1 // TLS between systems, on either side
	Web                             // a public web site, which browsers visit
	ClientOnly                      // a client's certificate, which no server shows
)

var useTexts = [...]string{"", "machine-to-machine", "web", "client-only"}

// String returns "machine-to-machine", "web" or "client-only", and nothing for the
// zero value; for other values "Use(N)".
func (u Use) String() string { return enumString("Use", u, useTexts[:]) }

// MarshalText returns what String does. Values that are none are an error.
func (u Use) MarshalText() ([]byte, error) { return enumText("use", u, useTexts[:]) }

// UnmarshalText takes what String returns.
func (u *Use) UnmarshalText(text []byte) error { return enumParse("use", u, text, useTexts[:]) }

// Status is what [Advise] found a certificate to be.
type Status uint8

const (
	Unrecognised Status = iota // of no hierarchy of PKIoverheid known here, or no certificate at all
	Fine                       // nothing to do for now
	TestOnly                   // marked as a test certificate: TRIAL, TEST, ACCEPTATIE
	Ending                     // it or its hierarchy ends, and there is a date by which to replace it
	Unfit                      // not for this use, whatever its dates
	Ended                      // it or its CAs are no longer valid
	Withdrawn                  // its CA was withdrawn: G3 server certificates, and UZI Server 2024
	Compromised                // its private key or its CA's is public: package pkiotest
)

var statusTexts = [...]string{"unrecognised", "fine", "test", "ending", "unfit", "ended", "withdrawn", "compromised"}

// String returns the status in a word, such as "withdrawn"; "Status(N)" for a value
// that is none.
func (s Status) String() string { return enumString("Status", s, statusTexts[:]) }

// MarshalText returns what String does. Values that are none are an error.
func (s Status) MarshalText() ([]byte, error) { return enumText("status", s, statusTexts[:]) }

// UnmarshalText takes what String returns.
func (s *Status) UnmarshalText(text []byte) error {
	return enumParse("status", s, text, statusTexts[:])
}

// Urgency is how soon something must be done. A greater value is more urgent.
type Urgency uint8

const (
	NotUrgent Urgency = iota // nothing to do
	ActLater                 // there is a deadline, more than 90 days ahead
	ActSoon                  // the deadline is within 90 days
	ActNow                   // the deadline has passed, or it may not be used like this at all
)

var urgencyTexts = [...]string{"none", "later", "soon", "now"}

// soon is ours: an organisation needs some weeks to order a certificate of
// PKIoverheid and to agree with the other side on it.
const soon = 90 * 24 * time.Hour

// String returns "none", "later", "soon" or "now"; "Urgency(N)" for a value that is
// none.
func (u Urgency) String() string { return enumString("Urgency", u, urgencyTexts[:]) }

// MarshalText returns what String does. Values that are none are an error.
func (u Urgency) MarshalText() ([]byte, error) { return enumText("urgency", u, urgencyTexts[:]) }

// UnmarshalText takes what String returns.
func (u *Urgency) UnmarshalText(text []byte) error {
	return enumParse("urgency", u, text, urgencyTexts[:])
}

func enumString[T ~uint8](name string, v T, texts []string) string {
	if int(v) >= len(texts) {
		return name + "(" + strconv.Itoa(int(v)) + ")"
	}
	return texts[v]
}

func enumText[T ~uint8](name string, v T, texts []string) ([]byte, error) {
	if int(v) >= len(texts) {
		return nil, fmt.Errorf("pkioverheid: no such %s: %d", name, uint8(v))
	}
	return []byte(texts[v]), nil
}

func enumParse[T ~uint8](name string, v *T, text []byte, texts []string) error {
	i := slices.Index(texts, string(text))
	if i < 0 {
		return fmt.Errorf("pkioverheid: unknown %s %s: want %s", name, quote.Text(string(text)),
			strings.Join(slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" }), ", "))
	}
	*v = T(i)
	return nil
}

// Advice says what to do about a certificate. The zero value says that nothing is
// known.
type Advice struct {
	Status  Status  `json:"status"`
	Urgency Urgency `json:"urgency"`

	// Deadline is the last moment at which the certificate may be in use: its own
	// end, that of its hierarchy's TSP CAs, [Hierarchy.ReplaceBy], or, of what was
	// withdrawn, the date of that, whichever comes first. ReplaceBy is not that of a
	// CA of Private G1, which stays trusted until it ends. Zero if there is none.
	Deadline time.Time `json:"deadline,omitzero"`

	// Replacement is the hierarchy to get a certificate under, or, for a CA, the one
	// to trust beside it or in its place. Zero if there is nothing to replace, or if
	// what replaces it is not among those of this package, which Text then tells: a
	// public web site has a certificate of a CA that browsers trust, a client without
	// domain names one under Private G4 G-Other (see Config.ClientRoots).
	Replacement Hierarchy `json:"replacement,omitzero"`

	// Supplier is whom to ask: the TSP found in the certificate, DigiCert where that
	// is QuoVadis. Empty if none was found.
	Supplier TSP `json:"supplier,omitempty"`

	// Text says it in English, on one line, with names from the certificate quoted
	// and shortened.
	Text string `json:"text"`

	// Sources name the publications that the advice follows.
	Sources []string `json:"sources,omitempty"`
}

// Compare orders advice for [slices.SortFunc]: the most urgent first, then the
// earliest deadline, then the gravest status; what is alike in these, by its text.
func (a Advice) Compare(b Advice) int {
	deadlines := a.Deadline.Compare(b.Deadline)
	if a.Deadline.IsZero() != b.Deadline.IsZero() {
		deadlines = -deadlines // none is later than any
	}
	return cmp.Or(
		cmp.Compare(b.Urgency, a.Urgency),
		deadlines,
		cmp.Compare(b.Status, a.Status),
		cmp.Compare(a.Text, b.Text),
	)
}

// cite adds sources that are not there yet.
func (a *Advice) cite(sources ...string) {
	for _, s := range sources {
		if !slices.Contains(a.Sources, s) {
			a.Sources = append(a.Sources, s)
		}
	}
}

const (
	sourcePlan2020    = "Logius, replacement plan of 2020 (questions and answers of 25 November 2020)"
	sourceG4          = "Logius: everyone must have moved before 2028, when G3 and Private G1 end"
	sourceEV          = "cert.pkioverheid.nl: the EV root ended on 8 December 2022; since then PKIoverheid issues no publicly trusted TLS certificates"
	sourceSplit       = "PKIoverheid, Programma van Eisen: the certificate policies of Private G4"
	sourceCIBG        = "Nuts: CIBG (UZI-register) issues under G4 only from 12 November 2026"
	sourceGenerations = "PKIoverheid: its first generation ended in 2015, its second in March 2020"
	sourceOneCRL      = "OneCRL, Mozilla's list of revoked CA certificates"
	sourceUZI2024     = "Nuts: \"UZI Server - G4 PKIo Priv G-TLS SYS - 2024\" was revoked on 29 October 2025"
	sourceTests       = "Logius, TRIAL tool, and CIBG, test chains: certificates for tests stay out of production"
	sourceOwnDates    = "the validity in the certificate"
	sourcePkiotest    = "package pkiotest, which publishes the private keys"
)

var (
	// cibgG4 is from when CIBG is reported to issue under G4 only (facts.md §5).
	cibgG4 = time.Date(2026, time.November, 12, 0, 0, 0, 0, time.UTC)
)

// Advise says whether a certificate must be replaced, by what, by when, and whom to
// ask, as of a time; a zero time means now. It follows what Logius published, which
// Sources names, and the dates in the certificates:
//
//   - G3: server certificates had to be replaced by 31 December 2020, by Private G1
//     between machines and by public ones on the web; nothing under G3 is for TLS;
//   - EV: ended in December 2022;
//   - Private G1: Logius asks everybody to have moved to Private G4 before 2028, and
//     no certificate verifies after 12 November 2028, when its TSP CAs end;
//   - Private G4: fine until its own end is near.
//
// Under G4 a certificate without domain names, as clients have, is no longer of the
// same hierarchy as a server's. At a time before July 2025, when the TSP CAs of Private
// G4 began, what replaces a certificate between machines is Private G1, and that is
// fine until its own end is near.
//
// A CA is advised on as something that somebody trusts. Like [ClaimOf], Advise
// believes what the certificate says about itself, and does not know whether it was
// revoked. nil is [Unrecognised].
func Advise(cert *x509.Certificate, use Use, at time.Time) Advice {
	if cert == nil || len(cert.Raw) == 0 {
		return Advice{Text: "There is no certificate to advise on."}
	}
	if at.IsZero() {
		at = time.Now()
	}
	r, key := recognised(), chain.KeyHash(cert)
	self, issuer, by := r.findKey(cert, key)
	id, known := claimAs(cert, self, issuer, by)
	id.Certificate = cert
	c := &advised{Claim: id, use: use, at: at, compromised: r.publicKeys[key]}
	var a Advice
	var g3 *G3Error
	if id.Hierarchy == G3 {
		g3 = findG3([]*x509.Certificate{cert})
	}
	mark, test := testMark(cert)
	old, isOld := findWithdrawn(cert)
	switch {
	case c.compromised || id.Fixture:
		a = c.ofPkiotest()
	case g3 != nil:
		a = c.ofG3(g3)
	case old != nil:
		c.Hierarchy, c.TSP = old.hierarchy, old.tsp
		a = c.ofWithdrawn(old, isOld)
	case test:
		return Advice{Status: TestOnly, Sources: []string{sourceTests},
			Text: fmt.Sprintf("%s is a test certificate (%s): it belongs in no production system, and none trusts it.", capital(quote.Certificate(cert)), mark)}
	case !known:
		return c.unrecognised()
	case id.Role != EndEntity:
		a = c.ofCA()
	default:
		a = c.ofEndEntity()
	}
	if !a.Deadline.IsZero() && a.Urgency == ActNow && at.After(a.Deadline) {
		a.Text += " Overdue since " + day(a.Deadline) + "."
	}
	a.Supplier = c.TSP
	switch {
	case a.Status == Compromised, use == Web && a.Replacement == 0 && a.Urgency > NotUrgent:
		a.Supplier = ""
	case a.Supplier == QuoVadis:
		a.Supplier = DigiCert
	}
	return a
}

// clientOnly reports whether the certificate is a client's for all that is known.
func (c *advised) clientOnly() bool {
	cert := c.Certificate
	return c.use == ClientOnly || c.use == 0 && slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) &&
		!slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth) &&
		!slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// advised is a certificate to give advice on.
type advised struct {
	Claim
	use Use
	at  time.Time

	compromised bool // its own key is public
}

// ends is the last moment at which the certificate can verify: its hierarchy may
// end before it does.
func (c *advised) ends() time.Time {
	if last := lastOf(c.Hierarchy); !last.IsZero() {
		return earlier(last, c.Certificate.NotAfter)
	}
	return c.Certificate.NotAfter
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// lastOf is when the last TSP CA of a hierarchy ends: nothing verifies after that,
// although the root may go on (facts.md §1).
func lastOf(h Hierarchy) time.Time {
	var last time.Time
	for _, tsp := range tspCAs(h) {
		if tsp.NotAfter.After(last) {
			last = tsp.NotAfter
		}
	}
	if last.IsZero() && h.known() {
		return hierarchyTable[h].ended
	}
	return last
}

// firstOf is when the first TSP CA of a hierarchy began.
func firstOf(h Hierarchy) time.Time {
	var first time.Time
	for _, tsp := range tspCAs(h) {
		if first.IsZero() || tsp.NotBefore.Before(first) {
			first = tsp.NotBefore
		}
	}
	return first
}

func tspCAs(h Hierarchy) []*x509.Certificate {
	certs := embedded()[h]
	return certs[min(2, len(certs)):]
}

func (c *advised) urgency(deadline time.Time) Urgency {
	switch {
	case c.at.After(deadline):
		return ActNow
	case deadline.Sub(c.at) <= soon:
		return ActSoon
	}
	return ActLater
}

func (c *advised) ofPkiotest() Advice {
	a := Advice{Status: Compromised, Urgency: ActNow, Sources: []string{sourcePkiotest}}
	what := "its private key is public"
	if !c.compromised {
		what = "the private key of its CA is public"
	}
	a.Text = fmt.Sprintf("%s is of package pkiotest, and %s: use it in tests only, and take it out of everything else.", capital(quote.Certificate(c.Certificate)), what)
	return a
}

func (c *advised) unrecognised() Advice {
	a := Advice{Text: fmt.Sprintf("%s is of no hierarchy of PKIoverheid that is known here: there is nothing to advise.", capital(quote.Certificate(c.Certificate)))}
	for _, p := range c.Certificate.Policies {
		if policy.IsPKIoverheid(p) {
			a.Text = fmt.Sprintf("%s claims a policy of PKIoverheid (%s), and its CA is none that is known here: ask its supplier (TSP).", capital(quote.Certificate(c.Certificate)), safetext.OID(p, safetext.Most))
			break
		}
	}
	return a
}

func (c *advised) ofG3(g3 *G3Error) Advice {
	a := Advice{Status: Withdrawn, Deadline: earlier(G3.ReplaceBy(), c.Certificate.NotAfter), Sources: []string{sourcePlan2020}}
	c.TSP = g3.TSP
	isCA := c.Role != EndEntity && c.Role != 0
	if !g3.Withdrawn {
		a = Advice{Status: Unfit, Urgency: ActNow, Sources: []string{sourcePlan2020, sourceG4}}
		if !isCA && c.use == 0 { // a person's certificate or a seal, perhaps
			a.Status, a.Deadline = Ending, c.ends()
			if c.at.After(a.Deadline) {
				a.Status = Ended
			}
		}
	}
	if !a.Deadline.IsZero() {
		a.Urgency = c.urgency(a.Deadline)
	}
	by := c.replacement()
	a.Replacement = by.hierarchy
	a.cite(by.sources...)
	what := capital(g3.cause())
	switch {
	case isCA:
		a.Text = fmt.Sprintf("%s; take it out of what TLS trusts, and trust %s.", what, stamcertificaat(by.orMachines()))
		if !g3.Withdrawn {
			a.Text += " To check signatures of persons it may be needed until G3 ends in November 2028."
		}
	case a.Status == Ending:
		a.Text = fmt.Sprintf("%s, and ends on %s. If it is used for TLS: %s.", what, day(a.Deadline), c.ask(by))
	default:
		a.Text = fmt.Sprintf("%s; %s.", what, c.ask(by))
	}
	return a
}

func (c *advised) ofWithdrawn(old *authority, isOld bool) Advice {
	by := c.replacement()
	on, _ := time.Parse(time.DateOnly, old.withdrawn) // as the table of CAs has it, which is tested
	a := Advice{Status: Withdrawn, Deadline: earlier(on, c.Certificate.NotAfter), Replacement: by.hierarchy}
	if old.source != "" {
		a.cite(old.source)
	}
	a.cite(by.sources...)
	a.Urgency = c.urgency(a.Deadline)
	if isOld {
		a.Replacement = c.betweenMachines()
		a.Text = fmt.Sprintf("The CA %s was withdrawn: take it out of what you trust, and trust %s.", quote.Text(old.name.cn), stamcertificaat(a.Replacement))
		return a
	}
	a.Text = fmt.Sprintf("%s stands under %s, a CA that was withdrawn: %s.", capital(quote.Certificate(c.Certificate)), quote.Text(old.name.cn), c.ask(by))
	return a
}

func (c *advised) ofCA() Advice {
	kind := map[Role]string{Root: "stamcertificaat", DomainCA: "domeincertificaat", TSPCA: "TSP certificate"}[c.Role]
	a := Advice{Status: Fine, Deadline: c.ends()}
	what := fmt.Sprintf("%s (%s of %s)", capital(quote.Certificate(c.Certificate)), kind, c.Hierarchy)
	ended := c.at.After(a.Deadline)
	row, next := &hierarchyTable[c.Hierarchy], c.betweenMachines()
	switch {
	case !row.ended.IsZero():
		a.Status, a.Sources = Ending, []string{row.source}
		if ended {
			a.Status = Ended
		}
		a.Urgency, a.Replacement = c.urgency(a.Deadline), next
		goodUntil := "is good until %s, and after that"
		if ended {
			goodUntil = "was good until %s, and since then"
		}
		a.Text = fmt.Sprintf("%s "+goodUntil+" only to check what was signed before: between machines trust %s.", what, day(a.Deadline), stamcertificaat(a.Replacement))
	case next != c.Hierarchy:
		a.Status, a.Replacement, a.Sources = Ending, next, []string{row.source}
		a.Text = fmt.Sprintf("%s: no certificate under it verifies after %s. Trust %s beside it: whoever has moved to it is refused otherwise.", what, day(a.Deadline), stamcertificaat(next))
		if ended {
			a.Status = Ended
			a.Text = fmt.Sprintf("%s: no certificate under it verifies since %s. Trust %s in its place.", what, day(a.Deadline), stamcertificaat(next))
		}
		a.Urgency = c.urgency(a.Deadline)
	case !c.at.Before(a.Deadline.Add(-soon)):
		a.Status, a.Sources = Ending, []string{sourceOwnDates}
		if ended {
			a.Status = Ended
		}
		a.Urgency = c.urgency(a.Deadline)
		a.Text = fmt.Sprintf("%s is good until %s: ask %s what comes after it.", what, day(a.Deadline), c.TSP.supplier())
	default:
		a.Sources = []string{sourceOwnDates}
		a.Text = fmt.Sprintf("%s is good until %s.", what, day(a.Deadline))
	}
	return a
}

func (c *advised) ofEndEntity() Advice {
	a := Advice{Status: Fine, Deadline: c.ends(), Sources: []string{sourceOwnDates}}
	what := fmt.Sprintf("%s is a certificate under %s", capital(quote.Certificate(c.Certificate)), c.Hierarchy)
	if c.By == ByName {
		what = fmt.Sprintf("%s presents itself as a certificate under %s", capital(quote.Certificate(c.Certificate)), c.Hierarchy)
	}
	by := c.replacement()
	row, next := &hierarchyTable[c.Hierarchy], c.betweenMachines()
	end, leave := a.Deadline, row.replaceBy
	if next != c.Hierarchy && !leave.IsZero() {
		a.Deadline = earlier(end, leave)
	}
	switch {
	case c.at.After(end):
		a.Status, a.Urgency = Ended, ActNow
		a.Text = fmt.Sprintf("%s that ended on %s: %s.", what, day(end), c.ask(by))
	case c.use == Web && !row.public:
		a.Status, a.Urgency = Unfit, ActNow
		a.Text = fmt.Sprintf("%s, which no browser trusts: %s.", what, c.ask(by))
	case !row.ended.IsZero():
		a.Status, a.Urgency = Ending, c.urgency(a.Deadline)
		a.Text = fmt.Sprintf("%s that ends on %s, as that hierarchy does in %s: %s.", what, day(a.Deadline), row.ended.Format("January 2006"), c.ask(by))
	case next != c.Hierarchy:
		a.Status, a.Urgency = Ending, c.urgency(a.Deadline)
		switch {
		case c.at.After(leave):
			a.Text = fmt.Sprintf("%s that ends on %s, and Logius asked everyone to have left that hierarchy by %s: %s.", what, day(end), day(leave), c.ask(by))
		case end.After(leave):
			a.Text = fmt.Sprintf("%s that ends on %s, and Logius asks everyone to have left that hierarchy by %s: %s.", what, day(end), day(leave), c.ask(by))
		default:
			a.Text = fmt.Sprintf("%s that ends on %s; before then, and to have moved before 2028 as Logius asks everyone to, %s.", what, day(end), c.ask(by))
		}
	case !c.at.Before(a.Deadline.Add(-soon)):
		a.Status, a.Urgency = Ending, ActSoon
		a.Text = fmt.Sprintf("%s that ends on %s; before then, %s.", what, day(a.Deadline), c.ask(by))
	default:
		a.Text = fmt.Sprintf("%s, good until %s.", what, day(a.Deadline))
		if c.at.Before(c.Certificate.NotBefore) {
			a.Text = fmt.Sprintf("%s, good from %s until %s.", what, day(c.Certificate.NotBefore), day(a.Deadline))
		}
		return a
	}
	a.Replacement = by.hierarchy
	if next != c.Hierarchy && row.source != "" {
		a.cite(row.source)
	}
	a.cite(by.sources...)
	return a
}

// ask says whom to ask for what.
func (c *advised) ask(by replacement) string {
	s := "ask " + c.TSP.supplier() + " for " + by.words
	if c.use == Web {
		s = "get " + by.words
	}
	if c.OIN != "" && c.use != Web {
		s += ", with OIN " + string(c.OIN) + " in its subject:serialNumber"
	}
	return s
}

// replacement is what comes in the place of an end-entity certificate.
type replacement struct {
	hierarchy Hierarchy // zero for what is not in this package
	words     string
	sources   []string
}

// orMachines is the hierarchy to trust between machines.
func (r replacement) orMachines() Hierarchy {
	if r.hierarchy == 0 {
		return PrivateG4TLS
	}
	return r.hierarchy
}

// betweenMachines is the hierarchy that takes the place of the certificate's between
// machines, or that itself while it is good: Private G1 until Private G4 had TSP CAs
// (facts.md §3 and §5).
func (c *advised) betweenMachines() Hierarchy {
	h := c.Hierarchy
	for {
		row := &hierarchyTable[h]
		next := row.successor
		lasts := row.ended.IsZero() && !row.withdrawn
		if next == 0 || lasts && c.at.Before(firstOf(next)) {
			return h
		}
		h = next
	}
}

// forAnyUse is what to ask for in the place of a certificate whose use is not
// known, since there is Private G4.
const forAnyUse = "a certificate under Private G4 (Private G1 ends in November 2028), or, for a public web site, under a CA that browsers trust"

func (c *advised) replacement() replacement {
	h := c.betweenMachines()
	switch {
	case c.use == Web && c.Hierarchy != EV && c.at.Before(lastOf(EV)):
		return replacement{EV, "a public certificate of CA2020, under the EV root", []string{sourcePlan2020}}
	case c.use == Web:
		return replacement{0, "a certificate of a CA that browsers trust (PKIoverheid no longer has one)", []string{sourceEV}}
	case h == PrivateG1:
		return replacement{h, "a private certificate under Private G1", []string{sourcePlan2020}}
	case c.has(policy.G1Authenticity):
		return replacement{0, gOther("authenticity (authenticiteit)", policy.G4Authenticity), []string{sourceSplit}}
	case c.has(policy.G1Confidentiality):
		return replacement{0, gOther("confidentiality (vertrouwelijkheid)", policy.G4Confidentiality), []string{sourceSplit}}
	case c.clientOnly() && len(c.Certificate.DNSNames) == 0:
		return replacement{0, gOther("authentication", policy.G4Authentication) + ", or for one with a domain name under Private G4 TLS (policy " + policy.G4Server + ")", []string{sourceSplit}}
	}
	r := replacement{h, "a certificate under " + stamcertificaat(h), []string{sourceG4}}
	if c.use == 0 {
		r.words = forAnyUse
	}
	if c.TSP == CIBG && !c.at.Before(cibgG4) {
		r.sources = append(r.sources, sourceCIBG)
	}
	return r
}

func (c *advised) has(number string) bool {
	return slices.ContainsFunc(c.Certificate.Policies, policy.Parse(number).Equal)
}

// gOther names a certificate of a hierarchy that this package does not carry.
func gOther(what, number string) string {
	return `a certificate of an organisation for ` + what + ` under "Staat der Nederlanden - G4 Root Priv G-Other - 2024" (policy ` + number + `)`
}

// stamcertificaat names a hierarchy by its root.
func stamcertificaat(h Hierarchy) string {
	if h.Root() == nil {
		return h.String()
	}
	return fmt.Sprintf("%s (stamcertificaat %q)", h, h.Root().Subject.CommonName)
}

// supplier names whom to ask for a certificate.
func (t TSP) supplier() string {
	switch t {
	case "":
		return "the certificate supplier"
	case QuoVadis:
		return "the certificate supplier (QuoVadis, now DigiCert)"
	}
	return "the certificate supplier (" + string(t) + ")"
}

// capital begins a sentence, unless a quoted name does.
func capital(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// day formats a date as everybody reads it, in UTC.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
