package audit

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Version is the version of the JSON of an audit, which audit.schema.json of pkio
// describes. It is raised when a reader of the version before would go wrong.
const Version = 1

// Audit is what an audit found. The same input gives the same audit, but for Run.
type Audit struct {
	Version      int            `json:"version"`
	Run          Run            `json:"run"`
	Summary      Summary        `json:"summary"`
	Certificates []*Certificate `json:"certificates"` // the most urgent first

	// NotRead is what was not looked at, or not whole.
	NotRead []NotRead `json:"notRead"`

	// Acceptances are those that have ended or match nothing.
	Acceptances []StaleAcceptance `json:"acceptances,omitempty"`

	// Runs are those of a report of many machines.
	Runs []MachineRun `json:"runs,omitempty"`
}

// Run is who looked at what, and when.
type Run struct {
	Machine string    `json:"machine"`
	Tool    string    `json:"tool"`     // the version of pkio, or the program
	CAs     string    `json:"knownCAs"` // the version of the embedded CA certificates, a date
	Start   time.Time `json:"start"`
	Seconds float64   `json:"seconds"`
	At      time.Time `json:"at"` // when the certificates were judged: --at, or the start
	Targets []string  `json:"targets"`
	Partial bool      `json:"partial"` // it was stopped before its end
}

// MachineRun is a run in a report of many machines.
type MachineRun struct {
	Machine  string    `json:"machine"`
	Tool     string    `json:"tool"`
	Start    time.Time `json:"start"`
	Problems []string  `json:"problems,omitempty"` // why it does not count, or not whole
}

// Summary counts certificates, each once, but for Places, NotRead and Skipped. Accepted
// ones count there alone, and CAs in the two for CAs alone where something is to be done
// about them. WrongKeys and Imitations are among Now.
type Summary struct {
	Now     int `json:"now"`
	Soon    int `json:"soon"`
	Later   int `json:"later"`
	Fix     int `json:"fix"`
	OK      int `json:"ok"`
	Other   int `json:"other"` // not of PKIoverheid
	TakeOut int `json:"casToTakeOut"`
	Trust   int `json:"casToTrust"` // CAs whose successor is to be trusted beside them

	WrongKeys  int `json:"wrongKeys"` // see WrongKey
	Imitations int `json:"imitations"`

	Accepted  int `json:"accepted"`
	Places    int `json:"places"`
	NotRead   int `json:"notRead"`
	Skipped   int `json:"skipped"`   // places that most likely hold no certificate
	Unread    int `json:"unread"`    // archives, images, databases of kinds that are not read: Skipped, unless they were named
	NotListed int `json:"notListed"` // places of certificates that are too many to be listed
}

// Count counts a certificate once.
func (s *Summary) Count(c *Certificate) {
	n := map[Class]*int{ClassNow: &s.Now, ClassSoon: &s.Soon, ClassLater: &s.Later, ClassFix: &s.Fix, ClassOK: &s.OK, ClassOther: &s.Other}[c.Do]
	switch {
	case c.Accepted != nil:
		n = &s.Accepted
	case c.Status == WrongKey:
		s.WrongKeys++
	case c.Status == Imitation:
		s.Imitations++
	case !c.CA || c.Do == ClassFix:
	case c.Do == ClassNow:
		n = &s.TakeOut
	case c.Do == ClassSoon, c.Do == ClassLater:
		n = &s.Trust
	}
	*n++
}

// Certificate is a certificate, wherever it was found, and what to do about it. Its
// texts are printable.
type Certificate struct {
	SHA256 string `json:"sha256"`

	// Do is what is to be done, by whom it may concern.
	Do       Class       `json:"do"`
	Deadline string      `json:"deadline,omitempty"` // a date
	Overdue  bool        `json:"overdue,omitempty"`
	Accepted *Acceptance `json:"accepted,omitempty"`

	Name      string    `json:"name"`
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial,omitempty"` // hexadecimal, in small letters
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	CA        bool      `json:"ca,omitempty"`
	DNSNames  []string  `json:"dnsNames,omitempty"`
	KeyType   string    `json:"keyType,omitempty"` // RSA, ECDSA or Ed25519
	KeyBits   int       `json:"keyBits,omitempty"`

	SignatureAlgorithm string `json:"signatureAlgorithm,omitempty"` // as crypto/x509 names it

	// What it says that it is. Empty if it is not of PKIoverheid.
	Hierarchy    string `json:"hierarchy,omitempty"` // private-g1, private-g4-tls, ev or g3
	Role         string `json:"role,omitempty"`
	TSP          string `json:"tsp,omitempty"`
	OIN          string `json:"oin,omitempty"`
	RecognisedBy string `json:"recognisedBy,omitempty"`
	TestKey      bool   `json:"testKey,omitempty"` // of package pkiotest

	Status      string   `json:"status"`           // of package advice: ending, ended, withdrawn …
	State       string   `json:"state"`            // whether its chain is trusted, at the first of its places; or Imitation
	Reason      string   `json:"reason,omitempty"` // why it is not
	Replacement string   `json:"replacement,omitempty"`
	Supplier    string   `json:"supplier,omitempty"`
	Order       *Order   `json:"order,omitempty"` // what to order in its place
	Advice      string   `json:"advice"`
	AdviceDutch string   `json:"adviceDutch"`
	Sources     []string `json:"sources,omitempty"`

	// Otherwise is what is to be done about the certificate itself, where Status is
	// WrongKey.
	Otherwise *Verdict `json:"otherwise,omitempty"`

	Places []Place `json:"places"` // in the order of their names

	found    inventory.Result
	wrongKey bool // at one of the places, at least
	asked    bool // what it imitates
	imitates string
}

// Verdict is what is to be done about a certificate itself, whatever lies beside it.
type Verdict struct {
	Do          Class  `json:"do"`
	Deadline    string `json:"deadline,omitempty"`
	Overdue     bool   `json:"overdue,omitempty"`
	Status      string `json:"status"`
	Advice      string `json:"advice"`
	AdviceDutch string `json:"adviceDutch"`
}

// Apart returns the certificate as it is beside the key of another, with the places where
// it is so, and with what is to be done about itself. They are nil where Status is not
// WrongKey.
func (c *Certificate) Apart() (wrong, own *Certificate) {
	if c.Otherwise == nil {
		return nil, nil
	}
	first, second := *c, *c
	wrong, own = &first, &second
	wrong.Otherwise, wrong.Places = nil, nil
	for _, p := range c.Places {
		if p.WrongKey() {
			wrong.Places = append(wrong.Places, p)
		}
	}
	own.lower()
	return wrong, own
}

// raise makes it one to put right now if the key beside it is another's: it is of no use
// with that, however long it is good. What is to be replaced now gets another key anyway.
func (c *Certificate) raise() {
	if !c.wrongKey || c.Do == ClassNow {
		return
	}
	own := Verdict{c.Do, c.Deadline, c.Overdue, c.Status, c.Advice, c.AdviceDutch}
	c.Otherwise = &own
	c.Do, c.Status, c.Deadline, c.Overdue = ClassNow, WrongKey, "", false
	name := safetext.Quote(c.Name)
	c.Advice = "The private key beside " + name + " is that of another certificate, and no server works with the two: put its own key there, or the certificate of the key."
	c.AdviceDutch = "De privésleutel naast " + name + " hoort bij een ander certificaat, en geen server werkt met die twee: zet de eigen sleutel ernaast, of het certificaat dat bij de sleutel hoort."
	if own.Do.NeedsAction() && own.Do != ClassFix {
		c.Advice += " " + own.Advice
		c.AdviceDutch += " " + own.AdviceDutch
	}
}

// lower takes back what raise did.
func (c *Certificate) lower() {
	if own := c.Otherwise; own != nil {
		c.Do, c.Deadline, c.Overdue, c.Status, c.Advice, c.AdviceDutch = own.Do, own.Deadline, own.Overdue, own.Status, own.Advice, own.AdviceDutch
		c.Otherwise, c.wrongKey = nil, true
	}
}

// Found is the result that it was made of, for an explanation of its chain. It is the
// zero value for all but the most urgent of a Collector.
func (c *Certificate) Found() inventory.Result { return c.found }

// Merge takes over from the same certificate, found elsewhere, what is graver there: what
// to do, and that nobody accepts it. Where there is nothing to do, nothing was to be
// accepted. Places are not merged.
func (c *Certificate) Merge(other *Certificate) {
	switch { // with the keys beside them
	case !other.Do.NeedsAction():
	case !c.Do.NeedsAction():
		c.Accepted = other.Accepted
	case other.Accepted == nil:
		c.Accepted = nil
	}
	c.lower()
	other.lower()
	c.wrongKey = c.wrongKey || other.wrongKey
	if other.Do.Grade() < c.Do.Grade() || other.Status == Imitation {
		c.Do, c.Deadline, c.Overdue, c.Status = other.Do, other.Deadline, other.Overdue, other.Status
		c.Hierarchy, c.Role, c.TSP, c.OIN, c.RecognisedBy = other.Hierarchy, other.Role, other.TSP, other.OIN, other.RecognisedBy
		c.Replacement, c.Supplier, c.Order, c.Sources = other.Replacement, other.Supplier, other.Order, other.Sources
		c.Advice, c.AdviceDutch = other.Advice, other.AdviceDutch
	}
	c.raise()
}

// Compare orders the most urgent first, and what is alike by name.
func (c *Certificate) Compare(d *Certificate) int {
	return cmp.Or(
		cmp.Compare(c.Do.Grade(), d.Do.Grade()),
		CompareDeadlines(c.Deadline, d.Deadline),
		cmp.Compare(c.Hierarchy, d.Hierarchy),
		cmp.Compare(c.Name, d.Name),
		c.NotAfter.Compare(d.NotAfter),
		cmp.Compare(c.SHA256, d.SHA256),
	)
}

// CompareDeadlines compares dates, of which none is later than any.
func CompareDeadlines(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}

// Order is what to order in the place of a certificate of a system.
type Order struct {
	Policy        string   `json:"policy"`
	Product       string   `json:"product"`
	ProductDutch  string   `json:"productDutch"`
	Contents      []string `json:"contents"` // what it must have
	ContentsDutch []string `json:"contentsDutch"`
}

// Place is where a certificate was found.
type Place struct {
	Machine   string `json:"machine,omitempty"` // in a report of many machines
	Target    string `json:"target"`
	Path      string `json:"path,omitempty"`      // empty for a server
	PathBytes []byte `json:"pathBytes,omitempty"` // of a path that is not UTF-8
	Place     string `json:"place,omitempty"`     // in the file
	Format    string `json:"format,omitempty"`
	Use       string `json:"use,omitempty"`
	Party     string `json:"party,omitempty"`

	// State and Reason are here where they are not those of the certificate.
	State  string `json:"state,omitempty"`
	Reason string `json:"reason,omitempty"`

	// Problems are what is wrong with how a server presents it, or with the key beside it.
	Problems []string `json:"problems,omitempty"`
}

// WrongKey reports whether the private key beside the certificate is another's there.
func (p *Place) WrongKey() bool { return p.Use == string(inventory.KeyMismatch) }

// StateOf is the state of a certificate at the place.
func (p *Place) StateOf(c *Certificate) string { return cmp.Or(p.State, c.State) }

// NotRead is a place that could not be looked at.
type NotRead struct {
	Machine   string `json:"machine,omitempty"` // in a report of many machines
	Target    string `json:"target"`
	Path      string `json:"path,omitempty"`
	PathBytes []byte `json:"pathBytes,omitempty"`
	Error     string `json:"error"`             // without the place
	Advice    string `json:"advice,omitempty"`  // what to do about it
	Skipped   bool   `json:"skipped,omitempty"` // it most likely holds no certificate

	Accepted *Acceptance `json:"accepted,omitempty"`
}

// Acceptance is a finding that somebody knows, and accepts for some time.
type Acceptance struct {
	SHA256 string `json:"sha256,omitempty"` // of the certificate; empty: any at the place
	Place  string `json:"place,omitempty"`  // a path, a folder or a server; empty: anywhere
	Reason string `json:"reason"`
	Until  string `json:"until"` // the last day on which it counts
}

// StaleAcceptance is one that has no effect.
type StaleAcceptance struct {
	Acceptance
	Why string `json:"why"` // ended, or matches nothing
}

// Class is what must be done about a certificate.
type Class string

// The classes, the gravest first.
const (
	ClassNow   Class = "now"
	ClassFix   Class = "fix" // nothing to replace, and something is wrong with it or its server
	ClassSoon  Class = "soon"
	ClassLater Class = "later"
	ClassOK    Class = "ok"
	ClassOther Class = "other" // not of PKIoverheid
)

// Classes are in their order.
var Classes = []Class{ClassNow, ClassFix, ClassSoon, ClassLater, ClassOK, ClassOther}

// Grade is the place of a class among the others: a smaller one is graver. It is -1 for
// what is not a class.
func (c Class) Grade() int { return slices.Index(Classes, c) }

// NeedsAction reports whether there is something to do.
func (c Class) NeedsAction() bool { return c.Grade() <= ClassLater.Grade() }
