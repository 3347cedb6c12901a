package main

import (
	"cmp"
	"container/heap"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	iofs "io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// What is kept of a scan that finds more than a person reads, in bytes of text. What is
// not of PKIoverheid takes no room from what is.
const (
	maxOthers   = 48 << 20
	maxOurs     = 256 << 20
	maxNotRead  = 100_000
	maxPictured = 500      // certificates that are kept for pictures of their chains
	maxDER      = 16 << 20 // and the bytes of these
	maxName     = 1024     // of a distinguished name
	maxPath     = 4096     // of a path in a text
)

// collector makes an audit of what a scan finds.
type collector struct {
	audit
	at    time.Time
	bySHA map[truststore.Fingerprint]*certificate

	presented map[string]*handshake // by server
	ours      int                   // bytes of certificates of PKIoverheid
	others    int                   // and of the others
	pictured  leastUrgent
	der       int // bytes of the certificates in it
}

func newCollector(run auditRun) *collector {
	c := &collector{at: run.At, bySHA: map[truststore.Fingerprint]*certificate{}, presented: map[string]*handshake{}}
	c.Version, c.Run = formatVersion, run
	return c
}

func (c *collector) take(r inventory.Result) {
	if r.Err != nil {
		c.takeError(r)
		return
	}
	c.Summary.Places++
	hash := r.Fingerprint()
	cert := c.bySHA[hash]
	isNew := cert == nil
	if isNew {
		cert = certificateOf(r, c.at)
	}
	p := placeOf(r, cert)
	size := len(p.Path) + len(p.Place) + len(p.Party) + 160
	if isNew {
		size += sizeOf(cert)
	}
	spent, most := &c.ours, maxOurs
	if cert.Do == classOther {
		spent, most = &c.others, maxOthers
	}
	if *spent+size > most {
		c.Summary.NotListed++
		if cert.Do != classOther {
			c.lost++
		}
		return
	}
	*spent += size
	cert.Places = append(cert.Places, p)
	c.notePresented(r, cert, &p)
	switch state := stateOf(&p, cert); {
	case state == stateRevoked && cert.Do != classOther:
		cert.revoked()
	case cert.Do == classOK && (state != stateTrusted || len(p.Problems) > 0), cert.Do == classOther && len(p.Problems) > 0:
		cert.Do = classFix
	}
	if isNew {
		c.bySHA[hash] = cert
		c.Certificates = append(c.Certificates, cert)
		c.picture(cert, r)
	}
}

func sizeOf(c *certificate) int {
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
func (c *collector) picture(cert *certificate, r inventory.Result) {
	cert.found = r
	heap.Push(&c.pictured, cert)
	c.der += len(r.Certificate.Raw)
	for len(c.pictured) > maxPictured || c.der > maxDER {
		least := heap.Pop(&c.pictured).(*certificate)
		c.der -= len(least.found.Certificate.Raw)
		least.found = inventory.Result{}
	}
}

func (c *collector) takeError(r inventory.Result) {
	skipped := errors.Is(r.Err, inventory.ErrSkipped) && r.Path != r.Target // what was asked for is not skipped
	if skipped {
		c.Summary.Skipped++
	} else {
		c.Summary.NotRead++
	}
	if len(c.NotRead) == maxNotRead {
		return
	}
	n := notRead{Target: safetext.Printable(r.Target, maxPath), Path: safetext.Printable(r.Path, maxPath), Skipped: skipped}
	if !utf8.ValidString(r.Path) {
		n.PathBytes = []byte(r.Path)
	}
	n.Error, n.Advice = troubleOf(r)
	where := n.Path
	if where == "" {
		where = n.Target
	}
	n.Error = strings.TrimPrefix(n.Error, where+": ")
	c.NotRead = append(c.NotRead, n)
}

// finish puts all in order, and counts.
func (c *collector) finish(seconds float64, partial bool, accepted *acceptances) *audit {
	a := &c.audit
	a.Run.Seconds, a.Run.Partial = seconds, partial
	c.judgeServers()
	for _, cert := range a.Certificates {
		slices.SortStableFunc(cert.Places, func(p, q place) int {
			return cmp.Or(cmp.Compare(p.Path, q.Path), cmp.Compare(p.Target, q.Target))
		})
		cert.settle()
	}
	slices.SortFunc(a.Certificates, (*certificate).compare)
	slices.SortStableFunc(a.NotRead, func(n, m notRead) int {
		return cmp.Or(cmp.Compare(n.Path, m.Path), cmp.Compare(n.Target, m.Target), cmp.Compare(n.Error, m.Error))
	})
	a.Acceptances = accepted.apply(a)
	for _, cert := range a.Certificates {
		a.Summary.count(cert)
	}
	a.Certificates, a.NotRead = filled(a.Certificates), filled(a.NotRead)
	return a
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
func (c *certificate) settle() {
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

// count counts a certificate once.
func (s *summary) count(c *certificate) {
	n := map[class]*int{classNow: &s.Now, classSoon: &s.Soon, classLater: &s.Later, classFix: &s.Fix, classOK: &s.OK, classOther: &s.Other}[c.Do]
	switch {
	case c.Accepted != nil:
		n = &s.Accepted
	case !c.CA || c.Do == classFix:
	case c.Do == classNow:
		n = &s.TakeOut
	case c.Do == classSoon, c.Do == classLater:
		n = &s.Trust
	}
	*n++
}

// compare orders the most urgent first, and what is alike by name.
func (c *certificate) compare(d *certificate) int {
	return cmp.Or(
		cmp.Compare(c.Do.grade(), d.Do.grade()),
		compareDeadlines(c.Deadline, d.Deadline),
		cmp.Compare(c.Hierarchy, d.Hierarchy),
		cmp.Compare(c.Name, d.Name),
		c.NotAfter.Compare(d.NotAfter),
		cmp.Compare(c.SHA256, d.SHA256),
	)
}

func compareDeadlines(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(b, a) // none is later than any
	}
	return cmp.Compare(a, b)
}

// leastUrgent is a heap of certificates, with the least urgent on top.
type leastUrgent []*certificate

func (h leastUrgent) Len() int           { return len(h) }
func (h leastUrgent) Less(i, j int) bool { return h[i].compare(h[j]) > 0 }
func (h leastUrgent) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *leastUrgent) Push(x any)        { *h = append(*h, x.(*certificate)) }
func (h *leastUrgent) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	return last
}

// certificateOf is what is known of a certificate, but for its places.
func certificateOf(r inventory.Result, at time.Time) *certificate {
	x, a := r.Certificate, r.Advice()
	c := &certificate{
		SHA256:    r.Fingerprint().String(),
		Do:        classOf(a),
		Name:      nameOf(x),
		Subject:   safetext.Name(x.Subject, maxName),
		Issuer:    safetext.Name(x.Issuer, maxName),
		NotBefore: x.NotBefore.UTC(),
		NotAfter:  x.NotAfter.UTC(),
		CA:        x.IsCA,
		Status:    string(a.Status),
		Supplier:  string(a.Supplier),
		Advice:    safetext.Printable(a.Text, maxText),
		Sources:   a.Sources,

		AdviceDutch: safetext.Printable(a.Dutch().Text, maxText),
	}
	if o, dutch := a.Order, a.Dutch().Order; o != nil && dutch != nil {
		c.Order = &order{o.Policy, o.Product, dutch.Product, o.Contents, dutch.Contents}
	}
	if x.SerialNumber != nil && x.SerialNumber.BitLen() <= 8*64 {
		c.Serial = x.SerialNumber.Text(16)
	}
	for _, name := range x.DNSNames[:min(len(x.DNSNames), 100)] {
		c.DNSNames = append(c.DNSNames, safetext.Printable(name, 253))
	}
	c.KeyType, c.KeyBits = keyOf(x)
	if x.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		c.SignatureAlgorithm = x.SignatureAlgorithm.String()
	}
	if !a.Deadline.IsZero() {
		c.Deadline, c.Overdue = date(a.Deadline), c.Do.needsAction() && at.After(a.Deadline)
	}
	if a.Replacement != 0 {
		c.Replacement = textOf(a.Replacement)
	}
	claim, ok := r.Claim()
	switch {
	case ok:
		c.Hierarchy, c.Role, c.TSP = textOf(claim.Hierarchy), string(claim.Role), string(claim.TSP)
		c.OIN, c.RecognisedBy, c.TestKey = string(claim.OIN), claim.By, claim.Fixture
	case a.Status == advice.Withdrawn:
		c.Hierarchy = textOf(pkioverheid.G3)
	}
	c.State, c.Reason = judged(r)
	return c
}

func keyOf(x *x509.Certificate) (kind string, bits int) {
	switch key := x.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", key.Curve.Params().BitSize
	case ed25519.PublicKey:
		return "Ed25519", 256
	}
	return "", 0
}

// textOf is a hierarchy as machines read it.
func textOf(h pkioverheid.Hierarchy) string {
	text, err := h.MarshalText()
	if err != nil {
		return ""
	}
	return string(text)
}

// hierarchyName is one as people read it; "other" for none.
func hierarchyName(text string) string {
	var h pkioverheid.Hierarchy
	if text == "" || h.UnmarshalText([]byte(text)) != nil {
		return "other"
	}
	return h.String()
}

func placeOf(r inventory.Result, c *certificate) place {
	p := place{
		Target: safetext.Printable(r.Target, maxPath),
		Path:   safetext.Printable(r.Path, maxPath),
		Place:  r.Place,
		Party:  safetext.Printable(r.Party, maxName),
	}
	if !utf8.ValidString(r.Path) {
		p.PathBytes = []byte(r.Path)
	}
	if r.Format != 0 {
		p.Format = r.Format.String()
	}
	if r.Use != inventory.UnknownUse {
		p.Use = string(r.Use)
	}
	if r.Use == inventory.KeyMismatch {
		p.Problems = append(p.Problems, "The private key beside it is that of another certificate.")
	}
	if state, reason := judged(r); state != c.State || reason != c.Reason {
		p.State, p.Reason = state, reason
	}
	return p
}

// stateOf is the state of a certificate at a place.
func stateOf(p *place, c *certificate) string {
	if p.State != "" {
		return p.State
	}
	return c.State
}

const (
	stateTrusted = "trusted"
	stateRevoked = "revoked"
)

// revoked makes it one to replace now: until its list says so, nothing else does.
func (c *certificate) revoked() {
	if c.Do == classNow {
		return
	}
	c.Do, c.Status, c.Deadline = classNow, stateRevoked, ""
	c.Advice = safetext.Quote(c.Name) + " is revoked: ask " + cmp.Or(c.Supplier, "its certificate supplier (TSP)") + " for a new one."
	c.AdviceDutch = safetext.Quote(c.Name) + " is ingetrokken: vraag " + cmp.Or(c.Supplier, "de certificaatleverancier (TSP)") + " om een nieuw."
}

// judged is the verdict on the chain, and why. It has no clock in it, so that it is the
// same the next time.
func judged(r inventory.Result) (state, reason string) {
	state = r.State()
	_, err := r.Chain()
	if err == nil {
		return state, ""
	}
	var g3 *pkioverheid.G3Error
	var e *chain.Error
	switch {
	case errors.As(err, &g3):
		return state, g3.Problem
	case !errors.As(err, &e):
		return state, safetext.Printable(err.Error(), safetext.MostError)
	}
	who := "it"
	if e.Cert != nil {
		who = safetext.Certificate(e.Cert)
	}
	switch e.Reason {
	case chain.Expired:
		return state, who + " ended on " + date(e.Cert.NotAfter)
	case chain.NotYetValid:
		return state, who + " begins on " + date(e.Cert.NotBefore)
	case chain.UnknownAuthority:
		return state, "the CA that issued " + who + " is not known"
	}
	reason = who + ": " + stateWords(state)
	for _, under := range e.Err {
		var told explained
		if errors.As(under, &told) {
			if problem, _ := told.ProblemAdvice(); problem != "" {
				return state, safetext.Printable(problem, safetext.MostError)
			}
		}
	}
	return state, reason
}

// stateTexts are states as people read them who do not know the words of programs.
var stateTexts = map[string]string{
	"expired":                     "ended",
	"unknown authority":           "its CA is not known",
	"bad signature":               "its signature is wrong",
	"wrong name":                  "for another name",
	"wrong usage":                 "not for this use",
	"path too long":               "its CA may not issue it",
	"name not permitted":          "its CA may not issue it",
	"no valid certificate policy": "its policy is not right",
	"issuer is not a CA":          "its issuer is not a CA",
	"refused by policy":           "refused by a rule",
	"unsupported certificate":     "cannot be checked",
	"revocation unknown":          "not known if revoked",
}

func stateWords(state string) string { return cmp.Or(stateTexts[state], state) }

func classOf(a advice.Advice) class {
	switch {
	case a.Urgency == advice.ActNow:
		return classNow
	case a.Urgency == advice.ActSoon:
		return classSoon
	case a.Urgency == advice.ActLater:
		return classLater
	case a.Status == advice.Unrecognised:
		return classOther
	}
	return classOK
}

// troubleOf is the error of a result in terms of the tool, and what to do about it.
func troubleOf(r inventory.Result) (problem, more string) {
	if r.Path == r.Target && errors.Is(r.Err, iofs.ErrNotExist) {
		return "no such file or folder, and a server is given as HOST, HOST:PORT or https://HOST/", ""
	}
	var e explained
	if !errors.As(r.Err, &e) {
		return told(r.Err), ""
	}
	problem, more = e.ProblemAdvice()
	switch {
	case errors.Is(r.Err, truststore.ErrPassword):
		more = "give its password with --password-file"
	case more != "": // a file beyond inventory.Config.MaxFileSize
		more = "if there can be certificates in it, copy them into a file of their own"
	}
	if strings.HasSuffix(problem, "this is a list of hosts, not of certificates") {
		more = "give each as an argument, HOST:PORT"
	}
	return told(errors.New(problem)), more
}

// errorOf is the same as one error.
func errorOf(r inventory.Result) error {
	problem, more := troubleOf(r)
	if where := safetext.Printable(cmp.Or(r.Path, r.Target), 300); !strings.HasPrefix(problem, where) {
		problem = where + ": " + problem
	}
	if more != "" {
		problem += ": " + more
	}
	return &trouble{problem, r.Err}
}

// trouble is an error in words of ours.
type trouble struct {
	text  string
	cause error
}

func (t *trouble) Error() string { return t.text }

func (t *trouble) Unwrap() error { return t.cause }

// nameOf is what people call a certificate.
func nameOf(c *x509.Certificate) string {
	name := safetext.Name(c.Subject, safetext.Most)
	switch {
	case c.Subject.CommonName != "":
		name = safetext.Printable(c.Subject.CommonName, safetext.Most)
	case len(c.DNSNames) > 0:
		name = safetext.Printable(c.DNSNames[0], safetext.Most)
	}
	return cmp.Or(name, "(no name)")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
