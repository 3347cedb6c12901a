package audit

import (
	"cmp"
	"container/heap"
	"errors"
	"path"
	"slices"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Bounds of texts in an audit, in bytes, and of its list of what was not read.
const (
	MaxName    = 1024   // of a distinguished name
	MaxPath    = 4096   // of a path
	MaxText    = 32_000 // of any other: spreadsheets take as much in a cell
	MaxNotRead = 100_000
)

// What is kept of a scan that finds more than a person reads, in bytes of text. What is
// not of PKIoverheid takes no room from what is.
const (
	maxOthers   = 48 << 20
	maxOurs     = 256 << 20
	maxPictured = 500      // certificates that are kept for pictures of their chains
	maxDER      = 16 << 20 // and the bytes of these
)

// Collector makes an audit of what a scan finds. It is for one goroutine.
type Collector struct {
	audit Audit
	bySHA map[truststore.Fingerprint]*Certificate

	presented map[string]*handshake // by server
	ours      int                   // bytes of certificates of PKIoverheid
	others    int                   // and of the others
	lost      int                   // places of certificates of PKIoverheid that are not listed
	pictured  leastUrgent
	der       int // bytes of the certificates in it
}

// NewCollector returns a collector for a run. Deadlines are compared with its At.
func NewCollector(run Run) *Collector {
	return &Collector{
		audit:     Audit{Version: Version, Run: run},
		bySHA:     map[truststore.Fingerprint]*Certificate{},
		presented: map[string]*handshake{},
	}
}

// Take adds a result of package inventory: a certificate at a place, or what was not read.
func (c *Collector) Take(r inventory.Result) {
	if r.Err != nil {
		c.takeError(r)
		return
	}
	c.audit.Summary.Places++
	hash := truststore.FingerprintOf(r.Certificate)
	cert := c.bySHA[hash]
	isNew := cert == nil
	if isNew {
		cert = certificateOf(r, c.audit.Run.At)
	}
	p := placeOf(r, cert)
	if !c.room(cert, isNew, p) {
		return
	}
	cert.Places = append(cert.Places, p)
	c.notePresented(r, cert, &p)
	switch state := p.StateOf(cert); {
	case state == Imitation:
		cert.imitation()
	case state == Revoked && cert.Do != ClassOther:
		cert.revoked()
	case cert.Do == ClassOK && state != Trusted:
		cert.Do = ClassFix
	}
	cert.wrongKey = cert.wrongKey || p.WrongKey()
	if isNew {
		c.list(hash, cert)
		c.picture(cert, r)
	}
}

// Add adds what another collector found, whose audit may have been through JSON. What it
// says of servers, runs and acceptances is left out.
func (c *Collector) Add(part *Audit) {
	s := &c.audit.Summary
	s.NotRead += part.Summary.NotRead
	s.Skipped += part.Summary.Skipped
	s.Unread += part.Summary.Unread
	s.Places += part.Summary.NotListed
	s.NotListed += part.Summary.NotListed
	c.audit.NotRead = append(c.audit.NotRead, part.NotRead[:min(len(part.NotRead), MaxNotRead-len(c.audit.NotRead))]...)
	for _, cert := range part.Certificates {
		s.Places += len(cert.Places)
		hash, err := truststore.ParseFingerprint(cert.SHA256)
		if err != nil {
			s.NotListed += len(cert.Places) // not of a collector
			continue
		}
		c.addCertificate(hash, cert)
	}
}

func (c *Collector) addCertificate(hash truststore.Fingerprint, cert *Certificate) {
	known := c.bySHA[hash]
	places := cert.Places
	if known == nil {
		known = cert
		known.Places = nil
	} else {
		known.Merge(cert)
	}
	for _, p := range places {
		if p.State == "" && (cert.State != known.State || cert.Reason != known.Reason) {
			p.State, p.Reason = cert.State, cert.Reason
		}
		isNew := len(known.Places) == 0
		if !c.room(known, isNew, p) {
			continue
		}
		known.Places = append(known.Places, p)
		if isNew {
			c.list(hash, known)
		}
	}
}

func (c *Collector) list(hash truststore.Fingerprint, cert *Certificate) {
	c.bySHA[hash] = cert
	c.audit.Certificates = append(c.audit.Certificates, cert)
}

// room reports whether there is room for a place of a certificate, and takes it.
func (c *Collector) room(cert *Certificate, isNew bool, p Place) bool {
	size := len(p.Path) + len(p.Place) + len(p.Party) + 160
	if isNew {
		size += sizeOf(cert)
	}
	spent, most := &c.ours, maxOurs
	other := cert.Do == ClassOther && !cert.wrongKey && !p.WrongKey()
	if other {
		spent, most = &c.others, maxOthers
	}
	if *spent+size > most {
		c.audit.Summary.NotListed++
		if !other {
			c.lost++
		}
		return false
	}
	*spent += size
	return true
}

func sizeOf(c *Certificate) int {
	n := 700 + len(c.Name) + len(c.Subject) + len(c.Issuer) + len(c.Serial) + len(c.Reason) + len(c.Advice) + len(c.AdviceDutch)
	if c.Order != nil {
		n += 600
	}
	for _, name := range c.DNSNames {
		n += len(name) + 16
	}
	return n
}

// picture keeps the certificate itself of the most urgent.
func (c *Collector) picture(cert *Certificate, r inventory.Result) {
	cert.found = r
	heap.Push(&c.pictured, cert)
	c.der += len(r.Certificate.Raw)
	for len(c.pictured) > maxPictured || c.der > maxDER {
		least := heap.Pop(&c.pictured).(*Certificate)
		c.der -= len(least.found.Certificate.Raw)
		least.found = inventory.Result{}
	}
}

func (c *Collector) takeError(r inventory.Result) {
	skipped := errors.Is(r.Err, inventory.ErrSkipped) && r.Path != r.Target // what was asked for is not skipped
	if skipped {
		c.audit.Summary.Skipped++
	} else {
		c.audit.Summary.NotRead++
	}
	if len(c.audit.NotRead) == MaxNotRead {
		return
	}
	n := NotRead{Target: safetext.Printable(r.Target, MaxPath), Path: safetext.Printable(r.Path, MaxPath), Skipped: skipped}
	if !utf8.ValidString(r.Path) {
		n.PathBytes = []byte(r.Path)
	}
	n.Error, n.Advice = Trouble(r)
	c.audit.NotRead = append(c.audit.NotRead, n)
}

// Finish puts all in order, counts, and returns the audit; the collector is not used
// after it. Lost is how many places of certificates of PKIoverheid are not listed. Accept
// marks what is accepted before it is counted, and returns what has no effect; it may be
// nil.
func (c *Collector) Finish(seconds float64, partial bool, accept func(*Audit) []StaleAcceptance) (found *Audit, lost int) {
	a := &c.audit
	a.Run.Seconds, a.Run.Partial = seconds, partial
	c.judgeServers()
	for _, cert := range a.Certificates {
		slices.SortStableFunc(cert.Places, func(p, q Place) int {
			return cmp.Or(cmp.Compare(p.Path, q.Path), cmp.Compare(p.Target, q.Target))
		})
		before := len(cert.Places)
		cert.Places = eachOnce(cert.Places)
		a.Summary.Places -= before - len(cert.Places)
		cert.settle()
		cert.raise()
	}
	slices.SortFunc(a.Certificates, (*Certificate).Compare)
	slices.SortStableFunc(a.NotRead, func(n, m NotRead) int {
		return cmp.Or(cmp.Compare(n.Path, m.Path), cmp.Compare(n.Target, m.Target), cmp.Compare(n.Error, m.Error))
	})
	if accept != nil {
		a.Acceptances = accept(a)
	}
	for _, cert := range a.Certificates {
		a.Summary.Count(cert)
	}
	a.Certificates, a.NotRead = filled(a.Certificates), filled(a.NotRead)
	return a, c.lost
}

// eachOnce leaves out places that are there by way of another target too, as /etc/ssl is
// below /etc.
func eachOnce(places []Place) []Place {
	if len(places) == 1 {
		return places
	}
	type where struct{ path, place, use, party string }
	targetOf := map[where]string{}
	return slices.DeleteFunc(places, func(p Place) bool {
		if p.Path == "" {
			return false
		}
		w := where{path.Clean(p.Path), p.Place, p.Use, p.Party}
		target, seen := targetOf[w]
		if !seen {
			targetOf[w] = p.Target
		}
		return seen && target != p.Target
	})
}

// filled is a list that is [] in JSON if there is nothing in it.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// settle makes the state of the first place that of the certificate, whatever was found
// first.
func (c *Certificate) settle() {
	for i := range c.Places {
		p := &c.Places[i]
		if p.State == "" {
			p.State, p.Reason = c.State, c.Reason
		}
	}
	c.State, c.Reason = c.Places[0].State, c.Places[0].Reason
	for i := range c.Places {
		p := &c.Places[i]
		if p.State == c.State && p.Reason == c.Reason {
			p.State, p.Reason = "", ""
		}
	}
}

// leastUrgent is a heap of certificates, with the least urgent on top.
type leastUrgent []*Certificate

func (h leastUrgent) Len() int           { return len(h) }
func (h leastUrgent) Less(i, j int) bool { return h[i].Compare(h[j]) > 0 }
func (h leastUrgent) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *leastUrgent) Push(x any)        { *h = append(*h, x.(*Certificate)) }
func (h *leastUrgent) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	return last
}
