package main

import (
	"iter"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// formatVersion is the version of the JSON of an audit, which audit.schema.json
// describes. It is raised when a reader of the version before would go wrong.
const formatVersion = 1

// audit is what an audit found. It is the JSON that pkio writes. The same input gives
// the same audit, but for Run.
type audit struct {
	Version      int            `json:"version"`
	Run          auditRun       `json:"run"`
	Summary      summary        `json:"summary"`
	Certificates []*certificate `json:"certificates"` // the most urgent first

	// NotRead is what was not looked at, or not whole.
	NotRead []notRead `json:"notRead"`

	// Acceptances are those that have ended or match nothing.
	Acceptances []staleAcceptance `json:"acceptances,omitempty"`

	// Runs are those of a report of many machines.
	Runs []fleetRun `json:"runs,omitempty"`

	// unfold sets the places of a certificate of many machines, which are kept in short.
	unfold func(*certificate)

	shown presentation // how it is written

	lost int // places of certificates of PKIoverheid that are not listed
}

// auditRun is who looked at what, and when.
type auditRun struct {
	Machine string    `json:"machine"`
	Tool    string    `json:"tool"`     // the version of pkio
	CAs     string    `json:"knownCAs"` // the version of the embedded CA certificates, a date
	Start   time.Time `json:"start"`
	Seconds float64   `json:"seconds"`
	At      time.Time `json:"at"` // when the certificates were judged: --at, or the start
	Targets []string  `json:"targets"`
	Partial bool      `json:"partial"` // it was stopped before its end
}

// summary counts certificates, each once, but for Places, NotRead and Skipped. Accepted
// ones count there alone, and CAs in the two for CAs alone where something is to be done
// about them.
type summary struct {
	Now     int `json:"now"`
	Soon    int `json:"soon"`
	Later   int `json:"later"`
	Fix     int `json:"fix"`
	OK      int `json:"ok"`
	Other   int `json:"other"` // not of PKIoverheid
	TakeOut int `json:"casToTakeOut"`
	Trust   int `json:"casToTrust"` // CAs whose successor is to be trusted beside them

	Accepted  int `json:"accepted"`
	Places    int `json:"places"`
	NotRead   int `json:"notRead"`
	Skipped   int `json:"skipped"`   // places that most likely hold no certificate
	Unread    int `json:"unread"`    // archives, images, databases of kinds that are not read: Skipped, unless they were named
	NotListed int `json:"notListed"` // places of certificates that are too many to be listed
}

// certificate is a certificate, wherever it was found, and what to do about it. Its
// texts are printable.
type certificate struct {
	SHA256 string `json:"sha256"`

	// Do is what is to be done, by whom it may concern: see class.
	Do       class       `json:"do"`
	Deadline string      `json:"deadline,omitempty"` // a date
	Overdue  bool        `json:"overdue,omitempty"`
	Accepted *acceptance `json:"accepted,omitempty"`

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
	State       string   `json:"state"`            // whether its chain is trusted, at the first of its places
	Reason      string   `json:"reason,omitempty"` // why it is not
	Replacement string   `json:"replacement,omitempty"`
	Supplier    string   `json:"supplier,omitempty"`
	Order       *order   `json:"order,omitempty"` // what to order in its place
	Advice      string   `json:"advice"`
	AdviceDutch string   `json:"adviceDutch"`
	Sources     []string `json:"sources,omitempty"`

	Places []place `json:"places"` // in the order of their names

	refs  []placeRef       // see audit.unfold
	found inventory.Result // for the picture of its chain; empty for all but the most urgent
}

// order is what to order in the place of a certificate of a system.
type order struct {
	Policy        string   `json:"policy"`
	Product       string   `json:"product"`
	ProductDutch  string   `json:"productDutch"`
	Contents      []string `json:"contents"` // what it must have
	ContentsDutch []string `json:"contentsDutch"`
}

// unfolded are the certificates, each with its places while it is looked at.
func (a *audit) unfolded() iter.Seq[*certificate] {
	return func(yield func(*certificate) bool) {
		for _, c := range a.Certificates {
			if a.unfold != nil {
				a.unfold(c)
			}
			more := yield(c)
			if a.unfold != nil {
				c.Places = nil
			}
			if !more {
				return
			}
		}
	}
}

// unfoldAll sets the places of all certificates, for what needs them at the same time.
func (a *audit) unfoldAll() {
	if a.unfold == nil {
		return
	}
	for _, c := range a.Certificates {
		a.unfold(c)
		c.refs = nil
	}
	a.unfold = nil
}

// place is where a certificate was found.
type place struct {
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

// where names the file or the server, and the place in it.
func (p *place) where() string {
	where := p.system()
	if p.Machine != "" {
		where = p.Machine + ": " + where
	}
	if p.Place != "" {
		where += ", " + p.Place
	}
	return where
}

// system is the file or the server.
func (p *place) system() string {
	if p.Path == "" {
		return p.Target
	}
	return p.Path
}

// systemName is the machine in a report of many, and else the file or the server.
func (p *place) systemName() string {
	if p.Machine != "" {
		return p.Machine
	}
	return p.system()
}

// notRead is a place that could not be looked at.
type notRead struct {
	Target    string `json:"target"`
	Path      string `json:"path,omitempty"`
	PathBytes []byte `json:"pathBytes,omitempty"`
	Error     string `json:"error"`             // without the place
	Advice    string `json:"advice,omitempty"`  // what to do about it
	Skipped   bool   `json:"skipped,omitempty"` // it most likely holds no certificate

	Accepted *acceptance `json:"accepted,omitempty"`
}

// acceptance is a finding that somebody knows, and accepts for some time.
type acceptance struct {
	SHA256 string `json:"sha256,omitempty"` // of the certificate; empty: any at the place
	Place  string `json:"place,omitempty"`  // a path, a folder or a server; empty: anywhere
	Reason string `json:"reason"`
	Until  string `json:"until"` // the last day on which it counts
}

// staleAcceptance is one that has no effect.
type staleAcceptance struct {
	acceptance
	Why string `json:"why"` // ended, or matches nothing
}

// class is what must be done about a certificate, the gravest first.
type class string

const (
	classNow   class = "now"
	classFix   class = "fix" // nothing to replace, and something is wrong with it or its server
	classSoon  class = "soon"
	classLater class = "later"
	classOK    class = "ok"
	classOther class = "other" // not of PKIoverheid
)

// classes are in their order.
var classes = []class{classNow, classFix, classSoon, classLater, classOK, classOther}

// grade is the place of a class among the others: a smaller one is graver.
func (c class) grade() int { return slices.Index(classes, c) }

// needsAction reports whether there is something to do.
func (c class) needsAction() bool { return c.grade() <= classLater.grade() }
