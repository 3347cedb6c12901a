package audit

import (
	"hash/maphash"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// What is wrong with how a server presents its certificate, and what others make of it.
// It was tried with curl 7.88, OpenSSL 3.0 and Java 17.
const (
	leafAlone   = "The server sends its certificate without the CAs below the root: curl, OpenSSL and Java refuse it."
	notWhole    = "The server does not send all CAs below the root: curl, OpenSSL and Java refuse it."
	notInOrder  = "The server does not send its CAs in order: curl, OpenSSL and Java accept that, other programs refuse it."
	rootIsThere = "The server sends the root too, which nobody needs: whoever trusts it has it."
)

// handshake is what a server sent in one handshake, as far as problems need it.
type handshake struct {
	leaf   *Certificate
	target string
	place  string
	sent   []link
	known  bool     // whether path is
	path   []uint64 // the names of the CAs below the root that lead to one that is trusted
}

// link is one certificate that was sent.
type link struct{ subject, issuer uint64 }

var seed = maphash.MakeSeed()

// notePresented remembers what a server sends.
func (c *Collector) notePresented(r inventory.Result, cert *Certificate, p *Place) {
	x := r.Certificate
	if r.Use != inventory.TLSServer && r.Use != inventory.TLSChain {
		return
	}
	kind, _, _ := strings.Cut(r.Place, "chain position ")
	key := r.Target + " " + kind
	h := c.presented[key]
	if h == nil {
		h = &handshake{}
		c.presented[key] = h
	}
	if r.Use == inventory.TLSServer {
		h.leaf, h.target, h.place = cert, p.Target, p.Place
		path, err := r.Chain()
		h.known = err == nil
		for i := 1; i < len(path)-1; i++ {
			h.path = append(h.path, maphash.Bytes(seed, path[i].RawSubject))
		}
	}
	if len(h.sent) < 32 {
		h.sent = append(h.sent, link{maphash.Bytes(seed, x.RawSubject), maphash.Bytes(seed, x.RawIssuer)})
	}
}

// problems are what is wrong with what a server sent; repair is whether programs refuse
// it for that.
func (h *handshake) problems() (texts []string, repair bool) {
	if len(h.sent) == 0 || h.sent[0].subject == h.sent[0].issuer {
		return nil, false
	}
	there := map[uint64]bool{}
	for _, l := range h.sent {
		there[l.subject] = true
	}
	missing := false
	for _, name := range h.path {
		missing = missing || !there[name]
	}
	switch {
	case len(h.sent) == 1 && (len(h.path) > 0 || !h.known && h.leaf.Hierarchy != ""):
		texts, repair = append(texts, leafAlone), true
	case missing:
		texts, repair = append(texts, notWhole), true
	}
	for i := 1; i < len(h.sent); i++ {
		if h.sent[i].subject != h.sent[i-1].issuer {
			texts, repair = append(texts, notInOrder), true
			break
		}
	}
	for _, l := range h.sent[1:] {
		if l.subject == l.issuer {
			texts = append(texts, rootIsThere)
			break
		}
	}
	return texts, repair
}

// judgeServers adds the problems to the places of the servers' certificates.
func (c *Collector) judgeServers() {
	for _, h := range c.presented {
		if h.leaf == nil {
			continue
		}
		texts, repair := h.problems()
		for i := range h.leaf.Places {
			p := &h.leaf.Places[i]
			if p.Path == "" && p.Target == h.target && p.Place == h.place {
				p.Problems = append(p.Problems, texts...)
			}
		}
		if repair && h.leaf.Do == ClassOK {
			h.leaf.Do = ClassFix
		}
	}
}
