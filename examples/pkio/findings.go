package main

import (
	"cmp"
	"container/heap"
	"crypto/x509"
	"errors"
	"fmt"
	iofs "io/fs"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// class is what must be done about a finding, the gravest first.
type class int

const (
	classNow class = iota
	classSoon
	classLater
	classOK
	classOther // nothing of PKIoverheid
	classError
	classSkipped
	classes
)

var classWords = [classes]string{"now", "soon", "later", "ok", "-", "error", "skipped"}

func (c class) String() string { return classWords[c] }

func classOf(r inventory.Result) class {
	if r.Err != nil {
		if errors.Is(r.Err, inventory.ErrSkipped) && r.Path != r.Target { // what was asked for is not skipped
			return classSkipped
		}
		return classError
	}
	a := r.Advice()
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

// troubleOf is the error of a result in terms of the tool: for a target that is not
// there with what targets are, and else with advice of ours in place of the library's.
func troubleOf(r inventory.Result) error {
	if r.Path == r.Target && errors.Is(r.Err, iofs.ErrNotExist) {
		return fmt.Errorf("%s: no such file or folder, and a server is given as HOST:PORT, with a port from 1 to 65535", safetext.Printable(r.Target, 300))
	}
	var e explained
	if !errors.As(r.Err, &e) {
		return r.Err
	}
	problem, more := e.ProblemAdvice()
	switch {
	case errors.Is(r.Err, truststore.ErrPassword):
		more = "give its password with --password-file"
	case more != "": // a file beyond inventory.Config.MaxFileSize
		more = "if there can be certificates in it, copy them into a file of their own"
	default:
		return r.Err
	}
	return &trouble{problem + ": " + more, r.Err}
}

// trouble is an error in words of ours.
type trouble struct {
	text  string
	cause error
}

func (t *trouble) Error() string { return t.text }

func (t *trouble) Unwrap() error { return t.cause }

// finding is one place, as the table and the report have it. Its texts are printable.
type finding struct {
	inventory.Result // without certificate once the finding was put aside
	Class            class
	Advice           advice.Advice
	number           int // in the order of the scan
	aside            *row
}

// row is a finding in words, which take less space than the certificate.
type row struct {
	name, hierarchy, until, state, where, use, what string
	fingerprint                                     truststore.Fingerprint
}

func (f *finding) row() row {
	if f.aside != nil {
		return *f.aside
	}
	r := row{
		name:        nameOf(f.Certificate),
		hierarchy:   f.Hierarchy(),
		until:       date(f.Certificate.NotAfter),
		state:       f.State(),
		where:       f.Where(),
		fingerprint: f.Fingerprint(),
	}
	if f.Class <= classLater {
		r.what, _ = keyOf(f).words()
	}
	if f.Use != inventory.UnknownUse {
		r.use = f.Use.String()
		if f.Party != "" {
			r.use += " of " + safetext.Printable(f.Party, 80)
		}
	}
	return r
}

// putAside keeps the words only, and returns how many bytes they take.
func (f *finding) putAside() int {
	const structs = 700 // of what is in a finding beside its texts
	r := f.row()
	f.aside = &r
	f.Result = inventory.Result{Target: f.Target, Path: f.Path}
	return structs + len(r.name) + len(r.where) + len(r.use) + len(r.what) + len(f.Path) + len(f.Advice.Text)
}

// overdue reports whether the deadline has passed.
func (f *finding) overdue(at time.Time) bool {
	return !f.Advice.Deadline.IsZero() && at.After(f.Advice.Deadline)
}

// Hierarchy is the name of the hierarchy, as far as one was recognised.
func (f *finding) Hierarchy() string {
	id, ok := f.Claim()
	switch {
	case ok:
		return id.Hierarchy.String()
	case f.State() == "withdrawn":
		return pkioverheid.G3.String()
	}
	return "other"
}

// compare orders the most urgent first, and what is alike by name and place.
func (f *finding) compare(g *finding) int {
	return cmp.Or(
		cmp.Compare(f.Class, g.Class),
		f.Advice.Compare(g.Advice),
		cmp.Compare(f.Path, g.Path),
		cmp.Compare(f.Target, g.Target),
		cmp.Compare(f.number, g.number),
	)
}

// What is kept of a scan that finds more than a person reads: the most urgent with their
// certificates, and in words all else that needs action. A parsed certificate takes some
// five times its bytes, of which real ones have two thousand.
const (
	maxFindings = 2000
	maxKept     = 16 << 20 // bytes of certificates
	maxAside    = 64 << 20 // bytes of words: some fifty thousand findings
	maxErrors   = 200
	maxDistinct = 100_000
)

// findings is what an audit found, in a bounded space.
type findings struct {
	At      time.Time
	Targets []string
	Stopped bool

	Count    [classes]int          // of places
	LaterCAs int                   // those of CAs among Count[classLater]
	Distinct int                   // certificates, up to maxDistinct
	Ends     map[int]*[classes]int // by the year of their deadline or end, and the quarter: see period
	ToDo     map[toDo]int          // what there is to do, and for how many places
	Errors   []string              // the first of them, printable
	toDoMore int                   // places of what is not in ToDo, because there are too many
	worst    []*finding            // a heap, with the least urgent on top
	kept     int                   // bytes of the certificates in it
	aside    []*finding            // what needs action and is not in the heap
	words    int                   // bytes of it
	lost     int                   // what needs action and is in neither
	seen     map[truststore.Fingerprint]bool
}

// toDo is something that one request to a supplier settles.
type toDo struct {
	Class       class
	Hierarchy   string
	Status      advice.Status
	CA          bool
	Supplier    pkioverheid.TSP
	Replacement pkioverheid.Hierarchy
	Deadline    string
	Overdue     bool
}

// maxToDo bounds them: deadlines are chosen by whoever made the certificates.
const maxToDo = 1000

func newFindings(at time.Time, targets []string) *findings {
	return &findings{At: at, Targets: targets, Ends: map[int]*[classes]int{}, ToDo: map[toDo]int{}, seen: map[truststore.Fingerprint]bool{}}
}

func (fs *findings) take(r inventory.Result) {
	f := &finding{Result: r, Class: classOf(r), Advice: r.Advice()}
	fs.Count[f.Class]++
	f.number = fs.places()
	if r.Err != nil {
		if f.Class == classError && len(fs.Errors) < maxErrors {
			fs.Errors = append(fs.Errors, told(troubleOf(r)))
		}
		return
	}
	if len(fs.seen) < maxDistinct {
		fs.seen[r.Fingerprint()] = true
		fs.Distinct = len(fs.seen)
	}
	p := period(f.deadline())
	if fs.Ends[p] == nil {
		fs.Ends[p] = new([classes]int)
	}
	fs.Ends[p][f.Class]++
	if f.Class == classLater && f.Certificate.IsCA {
		fs.LaterCAs++
	}
	if f.Class <= classLater {
		fs.note(f)
	}
	heap.Push((*leastUrgent)(fs), f)
	fs.kept += len(f.Certificate.Raw)
	for len(fs.worst) > maxFindings || fs.kept > maxKept {
		least := heap.Pop((*leastUrgent)(fs)).(*finding)
		fs.kept -= len(least.Certificate.Raw)
		switch {
		case least.Class > classLater:
		case fs.words > maxAside:
			fs.lost++
		default:
			fs.words += least.putAside()
			fs.aside = append(fs.aside, least)
		}
	}
}

// leftOut says how many findings are neither in the table nor in the report; nothing if
// all are.
func (fs *findings) leftOut() string {
	n := fs.places() - len(fs.worst) - len(fs.aside)
	switch {
	case n == 0:
		return ""
	case fs.lost > 0:
		return count(n, "finding") + ", less urgent than these"
	}
	return count(n, "finding") + " needing no action"
}

// deadline is the moment that a finding has on the timeline: by when to replace it, or
// else its own end.
func (f *finding) deadline() time.Time {
	if !f.Advice.Deadline.IsZero() {
		return f.Advice.Deadline.UTC()
	}
	return f.Certificate.NotAfter.UTC()
}

// period is a quarter as a number that sorts.
func period(t time.Time) int { return t.Year()*4 + (int(t.Month())-1)/3 }

func (fs *findings) note(f *finding) {
	key := keyOf(f)
	key.Overdue = key.Deadline != "" && f.overdue(fs.At)
	if fs.ToDo[key] == 0 && len(fs.ToDo) >= maxToDo {
		fs.toDoMore++
		return
	}
	fs.ToDo[key]++
}

// keyOf puts a finding with what is settled together.
func keyOf(f *finding) toDo {
	if f.Advice.Status == advice.Compromised {
		return toDo{Class: f.Class, Status: f.Advice.Status}
	}
	key := toDo{Class: f.Class, Hierarchy: f.Hierarchy(), Status: f.Advice.Status, CA: f.Certificate.IsCA,
		Supplier: f.Advice.Supplier, Replacement: f.Advice.Replacement}
	if !f.Advice.Deadline.IsZero() {
		key.Deadline = date(f.Advice.Deadline)
	}
	if key.CA {
		key.Supplier = "" // nobody is asked: one changes what one trusts
	}
	return key
}

// urgent reports whether something must be replaced that is as urgent as that. A CA that
// goes later is not replaced before: until then, its successor is trusted beside it.
func (fs *findings) urgent(u advice.Urgency) bool {
	n := fs.Count[classNow]
	if u <= advice.ActSoon {
		n += fs.Count[classSoon]
	}
	if u <= advice.ActLater {
		n += fs.Count[classLater] - fs.LaterCAs
	}
	return n > 0
}

// places is how many certificates were found, a certificate in two places counted twice.
func (fs *findings) places() int {
	return fs.Count[classNow] + fs.Count[classSoon] + fs.Count[classLater] + fs.Count[classOK] + fs.Count[classOther]
}

// sorted returns the findings that were kept, the most urgent first.
func (fs *findings) sorted() []*finding {
	all := slices.Concat(fs.worst, fs.aside)
	slices.SortFunc(all, (*finding).compare)
	return all
}

// leastUrgent is the heap of findings.
type leastUrgent findings

func (h *leastUrgent) Len() int           { return len(h.worst) }
func (h *leastUrgent) Less(i, j int) bool { return h.worst[i].compare(h.worst[j]) > 0 }
func (h *leastUrgent) Swap(i, j int)      { h.worst[i], h.worst[j] = h.worst[j], h.worst[i] }
func (h *leastUrgent) Push(x any)         { h.worst = append(h.worst, x.(*finding)) }
func (h *leastUrgent) Pop() any {
	last := h.worst[len(h.worst)-1]
	h.worst[len(h.worst)-1] = nil
	h.worst = h.worst[:len(h.worst)-1]
	return last
}

// nameOf is what people call a certificate.
func nameOf(c *x509.Certificate) string {
	return cmp.Or(safetext.CertificateName(c), "(no name)")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
