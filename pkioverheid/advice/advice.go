// Package advice says what to do about a certificate of PKIoverheid: whether it must be
// replaced, by what, by when, and whom to ask. It follows what Logius published, which the
// table of hierarchies in package pkioverheid has, and the dates in the certificates.
package advice

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Use is what a certificate is used for, on which depends what replaces it. The
// zero value is not known: [For] then goes by what the certificate allows.
type Use string

const (
	MachineToMachine Use = "machine-to-machine" // TLS between systems, on either side
	Web              Use = "web"                // a public web site, which browsers visit
	ClientOnly       Use = "client-only"        // a client's certificate, which no server shows
)

// Status is what [For] found a certificate to be. Empty means Unrecognised.
type Status string

const (
	Unrecognised Status = "unrecognised" // of no hierarchy of PKIoverheid known here, or no certificate at all
	Fine         Status = "fine"         // nothing to do for now
	TestOnly     Status = "test"         // marked as a test certificate: TRIAL, TEST, ACCEPTATIE
	Ending       Status = "ending"       // it or its hierarchy ends, and there is a date by which to replace it
	Unfit        Status = "unfit"        // not for this use, whatever its dates
	Ended        Status = "ended"        // it or its CAs are no longer valid
	Withdrawn    Status = "withdrawn"    // its CA was withdrawn: G3 server certificates, and UZI Server 2024
	Compromised  Status = "compromised"  // its private key or its CA's is public: package pkiotest
)

// Urgency is how soon something must be done. Empty means NotUrgent.
type Urgency string

const (
	NotUrgent Urgency = "none"  // nothing to do
	ActLater  Urgency = "later" // there is a deadline, more than 90 days ahead
	ActSoon   Urgency = "soon"  // the deadline is within 90 days
	ActNow    Urgency = "now"   // the deadline has passed, or it may not be used like this at all
)

// soon is ours: an organisation needs some weeks to order a certificate of
// PKIoverheid and to agree with the other side on it.
const soon = 90 * 24 * time.Hour

// Advice says what to do about a certificate. The zero value says that nothing is
// known.
type Advice struct {
	Status  Status  `json:"status"`
	Urgency Urgency `json:"urgency"`

	// Deadline is the last moment at which the certificate may be in use: its own
	// end, that of its hierarchy's TSP CAs, [pkioverheid.Plan].ReplaceBy, or, of what was
	// withdrawn, the date of that, whichever comes first. ReplaceBy is not that of a
	// CA of Private G1, which stays trusted until it ends. Zero if there is none.
	Deadline time.Time `json:"deadline,omitzero"`

	// Replacement is the hierarchy to get a certificate under, or, for a CA, the one
	// to trust beside it or in its place. Zero if there is nothing to replace, or if
	// what replaces it is not among those of this package, which Text then says: a
	// public web site has a certificate of a CA that browsers trust, a client without
	// domain names one under Private G4 G-Other (see pkioverheid.ServerConfig.ClientRoots).
	Replacement pkioverheid.Hierarchy `json:"replacement,omitzero"`

	// Supplier is whom to ask: the TSP found in the certificate, DigiCert where that
	// is QuoVadis. Empty if none was found.
	Supplier pkioverheid.TSP `json:"supplier,omitempty"`

	// Text says it in English, on one line, with names from the certificate quoted
	// and shortened. See Dutch.
	Text string `json:"text"`

	// Order is what to order in its place; nil if nothing must be replaced, and for what
	// is not a certificate of a system or of an organisation.
	Order *Order `json:"order,omitempty"`

	// Sources name the publications that the advice follows.
	Sources []string `json:"sources,omitempty"`

	dutch      string
	dutchOrder *Order
}

// LogValue returns all of it but the sources.
func (a Advice) LogValue() slog.Value {
	return safetext.Group(slog.String("status", string(a.Status)), slog.String("urgency", string(a.Urgency)), slog.Time("deadline", a.Deadline),
		slog.String("replacement", a.Replacement.String()), slog.String("supplier", string(a.Supplier)), slog.String("text", a.Text))
}

// Dutch returns the same advice with Text and Order in Dutch. Advice that was not made by
// [For], as when it was read from JSON, stays as it is.
func (a Advice) Dutch() Advice {
	if a.dutch != "" {
		a.Text, a.Order = a.dutch, a.dutchOrder
	}
	return a
}

// say sets the text.
func (a *Advice) say(t text, args ...any) {
	said := say(t, args...)
	a.Text, a.dutch = said.en, said.nl
}

// order sets what to order.
func (a *Advice) order(o *Order, dutch *Order) { a.Order, a.dutchOrder = o, dutch }

// cite adds sources that are not there yet.
func (a *Advice) cite(sources ...string) {
	for _, s := range sources {
		if !slices.Contains(a.Sources, s) {
			a.Sources = append(a.Sources, s)
		}
	}
}

const (
	sourceSplit    = "PKIoverheid, Programma van Eisen: the certificate policies of Private G4"
	sourceCIBG     = "Nuts: CIBG (UZI-register) issues under G4 only from 12 November 2026"
	sourceOneCRL   = "OneCRL, May 2018"
	sourceTests    = "Logius, TRIAL tool, and CIBG, test chains: certificates for tests stay out of production"
	sourceOwnDates = "the validity in the certificate"
	sourcePkiotest = "package pkiotest, which publishes the private keys"
)

var (
	// cibgG4 is from when CIBG is reported to issue under G4 only (facts.md §5).
	cibgG4 = time.Date(2026, time.November, 12, 0, 0, 0, 0, time.UTC)
)

// For says whether a certificate must be replaced, by what, by when, and whom to
// ask, as of a time; a zero time means now. Sources names the publications:
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
// A CA is advised on as something that somebody trusts. Like [pkioverheid.ClaimOf], For
// believes what the certificate says about itself, and does not know whether it was
// revoked. nil is [Unrecognised].
func For(cert *x509.Certificate, use Use, at time.Time) Advice { return adviseOn(cert, use, at, false) }

func init() {
	testidentity.Advice = func(cert *x509.Certificate, use any, at time.Time) any { return adviseOn(cert, use.(Use), at, true) }
}

// adviseOn takes fixtures for real where a test asks.
func adviseOn(cert *x509.Certificate, use Use, at time.Time, fixtures bool) Advice {
	if cert == nil || len(cert.Raw) == 0 {
		a := Advice{Status: Unrecognised, Urgency: NotUrgent}
		a.say(textNone)
		return a
	}
	if at.IsZero() {
		at = time.Now()
	}
	claim, known := pkioverheid.ClaimOf(cert)
	c := &subject{Claim: claim, use: use, at: at}
	var g3 *pkioverheid.G3Error
	if claim.Hierarchy == pkioverheid.G3 {
		errors.As(pkioverheid.RejectG3([]*x509.Certificate{cert}), &g3)
	}
	var a Advice
	switch {
	case (claim.KeyPublic || claim.Fixture) && !fixtures:
		a = c.ofPkiotest()
	case g3 != nil:
		a = c.ofG3(g3)
	case claim.Withdrawal != nil:
		c.Hierarchy, c.TSP = claim.Withdrawal.Hierarchy, claim.Withdrawal.TSP
		a = c.ofWithdrawn()
	case claim.TestMark != "":
		a := Advice{Status: TestOnly, Urgency: NotUrgent, Sources: []string{sourceTests}}
		a.say(textTest, c.name(), claim.TestMark)
		return a
	case !known:
		return c.unrecognised()
	case claim.Role != pkioverheid.EndEntity:
		a = c.ofCA()
	default:
		a = c.ofEndEntity()
	}
	if !a.Deadline.IsZero() && a.Urgency == ActNow && at.After(a.Deadline) {
		overdue := say(textOverdue, day(a.Deadline))
		a.Text, a.dutch = a.Text+overdue.en, a.dutch+overdue.nl
	}
	a.Supplier = c.TSP
	switch {
	case a.Status == Compromised, use == Web && a.Replacement == "" && a.Urgency != NotUrgent:
		a.Supplier = ""
	case a.Supplier == pkioverheid.QuoVadis:
		a.Supplier = pkioverheid.DigiCert
	}
	return a
}

// planOf2020 and planForG4 are the sources for G3 and Private G1.
func planOf2020() string { return pkioverheid.G3.Plan().Source }
func planForG4() string  { return pkioverheid.PrivateG1.Plan().Source }

// clientOnly reports whether the certificate is a client's for all that is known.
func (c *subject) clientOnly() bool {
	cert := c.Certificate
	return c.use == ClientOnly || c.use == "" && slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) &&
		!slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth) &&
		!slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// subject is a certificate to give advice on.
type subject struct {
	pkioverheid.Claim
	use Use
	at  time.Time
}

// ends is the last moment at which the certificate can verify: its hierarchy may
// end before it does.
func (c *subject) ends() time.Time {
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
func lastOf(h pkioverheid.Hierarchy) time.Time {
	var last time.Time
	for _, tsp := range tspCAs(h) {
		if tsp.NotAfter.After(last) {
			last = tsp.NotAfter
		}
	}
	if last.IsZero() {
		return h.Plan().Ended
	}
	return last
}

// firstOf is when the first TSP CA of a hierarchy began.
func firstOf(h pkioverheid.Hierarchy) time.Time {
	var first time.Time
	for _, tsp := range tspCAs(h) {
		if first.IsZero() || tsp.NotBefore.Before(first) {
			first = tsp.NotBefore
		}
	}
	return first
}

func tspCAs(h pkioverheid.Hierarchy) []*x509.Certificate {
	certs := h.Certificates()
	return certs[min(2, len(certs)):]
}

func (c *subject) urgency(deadline time.Time) Urgency {
	switch {
	case c.at.After(deadline):
		return ActNow
	case deadline.Sub(c.at) <= soon:
		return ActSoon
	}
	return ActLater
}

// name begins a sentence with the certificate.
func (c *subject) name() text {
	name := safetext.Certificate(c.Certificate)
	if name[0] == '"' {
		return text{name, name}
	}
	return text{phrase.Capital(name), "Een certificaat zonder naam"}
}

func (c *subject) ofPkiotest() Advice {
	a := Advice{Status: Compromised, Urgency: ActNow, Sources: []string{sourcePkiotest}}
	what := textOwnKeyPublic
	if !c.KeyPublic {
		what = textCAKeyPublic
	}
	a.say(textPkiotest, c.name(), what)
	return a
}

func (c *subject) unrecognised() Advice {
	a := Advice{Status: Unrecognised, Urgency: NotUrgent}
	a.say(textUnrecognised, c.name())
	for _, p := range c.Certificate.Policies {
		if policy.IsPKIoverheid(p) {
			a.say(textClaimsPolicy, c.name(), safetext.OID(p, safetext.Most))
			break
		}
	}
	return a
}

func (c *subject) ofG3(g3 *pkioverheid.G3Error) Advice {
	a := Advice{Status: Withdrawn, Deadline: earlier(pkioverheid.G3.Plan().ReplaceBy, c.Certificate.NotAfter), Sources: []string{planOf2020()}}
	if g3.CA == phrase.RevokedG3 {
		a.Deadline, a.Sources = earlier(phrase.RevokedG3On, c.Certificate.NotAfter), []string{sourceOneCRL}
	}
	c.TSP = g3.TSP
	isCA := c.Role != pkioverheid.EndEntity && c.Role != ""
	if !g3.Withdrawn {
		a = Advice{Status: Unfit, Urgency: ActNow, Sources: []string{planOf2020(), planForG4()}}
		if !isCA && c.use == "" { // a person's certificate or a seal, perhaps
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
	what := c.problem(g3)
	switch {
	case isCA:
		trust := textG3CA
		if !g3.Withdrawn {
			trust = trust.and(textG3Persons)
			if c.at.After(pkioverheid.G3.Root().NotAfter) {
				trust = textG3CA.and(textG3OfPersons)
			}
		}
		a.say(trust, what, stamcertificaat(by.orMachines()))
	case a.Status == Ending:
		a.say(textG3Ending, what, day(a.Deadline), c.ask(by))
	default:
		a.say(textAsk, what, c.ask(by))
	}
	if !isCA {
		a.order(c.order(by))
	}
	return a
}

// problem is what is wrong, without a full stop.
func (c *subject) problem(g3 *pkioverheid.G3Error) text {
	isCA := c.Certificate.Subject.CommonName == g3.CA
	t := textG3SaysUnder
	switch {
	case isCA && g3.By == pkioverheid.ByKey:
		t = textG3IsCA
	case isCA:
		t = textG3SaysCA
	case g3.By == pkioverheid.ByKey:
		t = textG3Under
	}
	became := dutchNotForTLS
	switch {
	case g3.CA == phrase.RevokedG3:
		became = dutchRevoked
	case g3.Withdrawn:
		became = dutchWithdrawn
	}
	problem := phrase.Capital(strings.TrimSuffix(g3.Problem, "."))
	// Sprintf reports arguments that a text with numbers does not use only without numbers.
	return text{problem, fmt.Sprintf(t.nl, problem, safetext.Quote(g3.CA), became, c.name().nl)}
}

func (c *subject) ofWithdrawn() Advice {
	by, old := c.replacement(), c.Withdrawal
	a := Advice{Status: Withdrawn, Deadline: earlier(old.On, c.Certificate.NotAfter), Replacement: by.hierarchy}
	if old.Source != "" {
		a.cite(old.Source)
	}
	a.cite(by.sources...)
	a.Urgency = c.urgency(a.Deadline)
	if old.Self {
		a.Replacement = c.betweenMachines()
		a.say(textCAWithdrawn, safetext.Quote(old.CA), stamcertificaat(a.Replacement))
		return a
	}
	a.order(c.order(by))
	a.say(textUnderCA, c.name(), safetext.Quote(old.CA), c.ask(by))
	return a
}

func (c *subject) ofCA() Advice {
	kind := map[string]text{pkioverheid.Root: {"stamcertificaat", "stamcertificaat"}, pkioverheid.DomainCA: {"domeincertificaat", "domeincertificaat"}, pkioverheid.TSPCA: textTSPCA}[c.Role]
	a := Advice{Status: Fine, Urgency: NotUrgent, Deadline: c.ends()}
	what := say(textCA, c.name(), kind, c.Hierarchy)
	ended := c.at.After(a.Deadline)
	row, next := c.Hierarchy.Plan(), c.betweenMachines()
	switch {
	case !row.Ended.IsZero():
		a.Status, a.Sources = Ending, []string{row.Source}
		if ended {
			a.Status = Ended
		}
		a.Urgency, a.Replacement = c.urgency(a.Deadline), next
		good := textStillGood
		if ended {
			good = textWasGood
		}
		a.say(good, what, day(a.Deadline), stamcertificaat(a.Replacement))
	case next != c.Hierarchy:
		a.Status, a.Replacement, a.Sources = Ending, next, []string{row.Source}
		a.say(textTrustBeside, what, day(a.Deadline), stamcertificaat(next))
		if ended {
			a.Status = Ended
			a.say(textTrustInstead, what, day(a.Deadline), stamcertificaat(next))
		}
		a.Urgency = c.urgency(a.Deadline)
	case !c.at.Before(a.Deadline.Add(-soon)):
		a.Status, a.Sources = Ending, []string{sourceOwnDates}
		if ended {
			a.Status = Ended
		}
		a.Urgency = c.urgency(a.Deadline)
		a.say(textAskAfter, what, day(a.Deadline), supplier(c.TSP))
	default:
		a.Sources = []string{sourceOwnDates}
		a.say(textGoodUntil, what, day(a.Deadline))
	}
	return a
}

func (c *subject) ofEndEntity() Advice {
	a := Advice{Status: Fine, Urgency: NotUrgent, Deadline: c.ends(), Sources: []string{sourceOwnDates}}
	under := textUnder
	if c.By == pkioverheid.ByName {
		under = textSaysUnder
	}
	what := say(under, c.name(), c.Hierarchy)
	by := c.replacement()
	row, next := c.Hierarchy.Plan(), c.betweenMachines()
	end, leave := a.Deadline, row.ReplaceBy
	if next != c.Hierarchy && !leave.IsZero() {
		a.Deadline = earlier(end, leave)
	}
	switch {
	case c.at.After(end):
		a.Status, a.Urgency = Ended, ActNow
		a.say(textEnded, what, day(end), c.ask(by))
	case c.use == Web && !row.Public:
		a.Status, a.Urgency = Unfit, ActNow
		a.say(textNoBrowser, what, c.ask(by))
	case !row.Ended.IsZero():
		a.Status, a.Urgency = Ending, c.urgency(a.Deadline)
		a.say(textHierarchyEnds, what, day(a.Deadline), month(row.Ended), c.ask(by))
	case next != c.Hierarchy:
		a.Status, a.Urgency = Ending, c.urgency(a.Deadline)
		switch {
		case c.at.After(leave):
			a.say(textAsked, what, day(end), day(leave), c.ask(by))
		case end.After(leave):
			a.say(textAsks, what, day(end), day(leave), c.ask(by))
		default:
			a.say(textBefore2028, what, day(end), c.ask(by))
		}
	case !c.at.Before(a.Deadline.Add(-soon)):
		a.Status, a.Urgency = Ending, ActSoon
		a.say(textBeforeThen, what, day(a.Deadline), c.ask(by))
	default:
		a.say(textGood, what, day(a.Deadline))
		if c.at.Before(c.Certificate.NotBefore) {
			a.say(textGoodFrom, what, day(c.Certificate.NotBefore), day(a.Deadline))
		}
		return a
	}
	a.Replacement = by.hierarchy
	a.order(c.order(by))
	if next != c.Hierarchy && row.Source != "" {
		a.cite(row.Source)
	}
	a.cite(by.sources...)
	return a
}

// ask says whom to ask for what.
func (c *subject) ask(by replacement) text {
	if c.use == Web {
		return say(textGet, by.words)
	}
	t := say(textAskFor, supplier(c.TSP), by.words)
	if c.OIN != "" {
		t = say(textWithOIN, t, string(c.OIN))
	}
	return t
}

// replacement is what comes in the place of an end-entity certificate.
type replacement struct {
	hierarchy pkioverheid.Hierarchy // zero for what is not in this package
	words     text
	sources   []string
}

// orMachines is the hierarchy to trust between machines.
func (r replacement) orMachines() pkioverheid.Hierarchy {
	if r.hierarchy == "" {
		return pkioverheid.PrivateG4TLS
	}
	return r.hierarchy
}

// betweenMachines is the hierarchy that takes the place of the certificate's between
// machines, or that itself while it is good: Private G1 until Private G4 had TSP CAs
// (facts.md §3 and §5).
func (c *subject) betweenMachines() pkioverheid.Hierarchy {
	h := c.Hierarchy
	for {
		row := h.Plan()
		next := row.Successor
		lasts := row.Ended.IsZero() && !row.Withdrawn
		if next == "" || lasts && c.at.Before(firstOf(next)) {
			return h
		}
		h = next
	}
}

func (c *subject) replacement() replacement {
	h := c.betweenMachines()
	switch {
	case c.use == Web && c.Hierarchy != pkioverheid.EV && c.at.Before(lastOf(pkioverheid.EV)):
		return replacement{pkioverheid.EV, textPublic, []string{planOf2020()}}
	case c.use == Web:
		return replacement{"", textBrowsersTrust, []string{pkioverheid.EV.Plan().Source}}
	case h == pkioverheid.PrivateG1:
		return replacement{h, textPrivateG1, []string{planOf2020()}}
	case c.has(policy.G1Authenticity):
		return replacement{"", gOther(textAuthenticity, policy.G4Authenticity), []string{sourceSplit}}
	case c.has(policy.G1Confidentiality):
		return replacement{"", gOther(textConfidentiality, policy.G4Confidentiality), []string{sourceSplit}}
	case c.clientOnly() && len(c.Certificate.DNSNames) == 0:
		return replacement{"", say(textOrWithName, gOther(textAuthentication, policy.G4Authentication), policy.G4Server), []string{sourceSplit}}
	}
	r := replacement{h, say(textCertificate, stamcertificaat(h)), []string{planForG4()}}
	if c.use == "" {
		r.words = textForAnyUse
	}
	if c.TSP == pkioverheid.CIBG && !c.at.Before(cibgG4) {
		r.sources = append(r.sources, sourceCIBG)
	}
	return r
}

func (c *subject) has(number string) bool {
	return slices.ContainsFunc(c.Certificate.Policies, policy.Parse(number).Equal)
}

// gOther names a certificate of a hierarchy that this package does not carry.
func gOther(what text, number string) text { return say(textGOther, what, number) }

// stamcertificaat names a hierarchy by its root.
func stamcertificaat(h pkioverheid.Hierarchy) string { return phrase.Stamcertificaat(h, h.Root()) }
