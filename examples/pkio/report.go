package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

var (
	//go:embed report/report.html
	reportHTML string
	//go:embed report/report.css
	reportCSS string
	//go:embed report/report.js
	reportJS string
)

// report is what the page shows. Its texts are printable; html/template sees to it that
// none becomes markup, and the policy in CSP that nothing runs or loads if one did.
type report struct {
	CSP     string
	Style   template.CSS
	Script  template.JS
	Version string
	At      time.Time

	Headline, Lead, Warning string
	Looked                  []string
	LookedMore              int
	Tiles                   []tile
	Actions                 []action
	Timeline                []timelineItem
	Rows                    []reportRow
	More                    string // what is not on the page
	Chains                  []picture
	ChainsKept, ChainsMore  int
	Errors                  []string
	ErrorsMore              int
	Sources                 []string
}

type tile struct {
	N     int
	Class string
	Label string
}

// action is a line of what to do.
type action struct {
	Class             string
	What, Why, Before string
	Overdue           bool
	Places            int
}

type reportRow struct {
	Class                                                            string
	Order                                                            int
	Overdue                                                          bool
	Before, Name, Advice, Hierarchy, Until, State, Where, Use, Chain string
}

// classIDs are the names of the classes in the style sheet.
var classIDs = [classes]string{"now", "soon", "later", "ok", "other", "error", "other"}

// classLabels are the words beside the signs: colour alone says nothing.
var classLabels = map[string]string{"now": "now", "soon": "soon", "later": "later", "ok": "in order", "other": "other", "error": "error"}

// Bounds of the page: a browser gets slow beyond some megabytes.
const (
	maxTargets  = 12
	maxPictures = 200
	maxOpen     = 3
	maxActions  = 40
	maxWhere    = 300
	maxCheck    = 140
)

// writeReport writes the report as one file of HTML that needs nothing else.
func (fs *findings) writeReport(w io.Writer) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"day":       func(t time.Time) string { return t.Format("2 January 2006") },
		"iso":       func(t time.Time) string { return t.Format(time.DateOnly) },
		"thousands": thousands,
		"word":      func(class string) string { return classLabels[class] },
	}).Parse(reportHTML)
	if err != nil {
		return err
	}
	return page.Execute(w, fs.report())
}

func (fs *findings) report() *report {
	r := &report{
		CSP:        contentPolicy(reportCSS, reportJS),
		Style:      template.CSS(reportCSS),
		Script:     template.JS(reportJS),
		Version:    version(),
		At:         fs.At,
		Errors:     fs.Errors,
		ErrorsMore: fs.Count[classError] - len(fs.Errors),
	}
	r.More = fs.leftOut()
	for i, t := range fs.Targets {
		if i == maxTargets {
			r.LookedMore = len(fs.Targets) - i
			break
		}
		r.Looked = append(r.Looked, safetext.Printable(t, 100))
	}
	r.Headline, r.Lead = fs.lead()
	switch {
	case fs.Stopped:
		r.Warning = "The search was stopped before its end."
	case fs.Count[classError] > 0:
		r.Warning = count(fs.Count[classError], "place") + " could not be looked at: see the end of this page."
	}
	for _, c := range []struct {
		class class
		label string
	}{
		{classNow, "to replace now"}, {classSoon, "to replace within 90 days"}, {classLater, "to replace later"},
		{classOK, "in order"}, {classOther, "not of PKIoverheid"}, {classError, "could not be looked at"},
	} {
		r.Tiles = append(r.Tiles, tile{fs.Count[c.class], classIDs[c.class], c.label})
	}
	r.Actions = fs.actions()
	r.Timeline = fs.timeline()
	fs.fill(r)
	return r
}

// contentPolicy allows the one style sheet and the one script of the page, and nothing
// from anywhere.
func contentPolicy(style, script string) string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) + "; img-src data:; base-uri 'none'; form-action 'none'"
}

// lead is the report in a few words, and in a sentence or two.
func (fs *findings) lead() (short, long string) {
	now, soon, later := fs.Count[classNow], fs.Count[classSoon], fs.Count[classLater]
	found := "Found: " + strings.TrimPrefix(fs.distinct(), "of ") + " in " + count(fs.places(), "place") + ". "
	switch {
	case fs.places() == 0:
		return "Nothing found.", "No certificates were found."
	case now > 0:
		long = found + capitalCount(now) + " must be replaced or taken out now"
		if soon > 0 {
			long += ", and " + thousands(soon) + " within 90 days"
		}
		return thousands(now) + " to replace now.", long + "."
	case soon > 0:
		return thousands(soon) + " to replace within 90 days.", found + "Nothing is overdue; " + thousands(soon) + " must be replaced within 90 days."
	case later > 0:
		return "Nothing to replace now.", found + "Nothing needs to be replaced within 90 days; for " + thousands(later) + " there is a later date."
	}
	return "Nothing to replace.", found + "Nothing of PKIoverheid needs to be replaced."
}

func capitalCount(n int) string {
	if n == 1 {
		return "One"
	}
	return thousands(n)
}

// actions puts what there is to do into words, the most urgent first.
func (fs *findings) actions() []action {
	keys := make([]toDo, 0, len(fs.ToDo))
	for k := range fs.ToDo {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b toDo) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Deadline, b.Deadline), cmp.Compare(a.Hierarchy, b.Hierarchy),
			cmp.Compare(b.Status, a.Status), cmp.Compare(a.Supplier, b.Supplier), cmp.Compare(a.Replacement, b.Replacement),
			strings.Compare(fmt.Sprint(a.CA), fmt.Sprint(b.CA)))
	})
	var all []action
	for i, k := range keys {
		if i == maxActions {
			all = append(all, action{Class: classIDs[k.Class], What: "More, see the table below", Places: sum(fs.ToDo, keys[i:]) + fs.toDoMore})
			break
		}
		what, why := k.words()
		all = append(all, action{Class: classIDs[k.Class], What: what, Why: why, Before: k.Deadline, Overdue: k.Overdue, Places: fs.ToDo[k]})
	}
	return all
}

func sum(of map[toDo]int, keys []toDo) (n int) {
	for _, k := range keys {
		n += of[k]
	}
	return n
}

// words says what one request or one change settles, and why.
func (k toDo) words() (what, why string) {
	by := ""
	if k.Replacement != 0 {
		by = k.Replacement.String()
	}
	supplier := "the certificate supplier"
	if k.Supplier != "" {
		supplier = string(k.Supplier)
	}
	switch {
	case k.Status == advice.Compromised:
		return "Take test certificates out of use", "Their private keys are public: they are of package pkiotest."
	case k.CA && k.Class == classNow:
		what = "Take the CAs of " + k.Hierarchy + " out of what is trusted"
		if by != "" {
			what += ", and trust " + by
		}
	case k.CA && by != "":
		what = "Trust " + by + " beside " + k.Hierarchy
	case k.CA:
		what = "Ask what comes after the CAs of " + k.Hierarchy
	case by != "":
		what = "Ask " + supplier + " for certificates under " + by
	default:
		what = "Ask " + supplier + " for new certificates"
	}
	subject := "These certificates are of " + k.Hierarchy
	if k.CA {
		subject = "These are CA certificates of " + k.Hierarchy
	}
	switch k.Status {
	case advice.Withdrawn:
		why = subject + ", withdrawn."
	case advice.Unfit:
		why = subject + ", which may not be used like this."
	case advice.Ended:
		why = subject + ", and are no longer valid."
	default:
		why = subject + ", and end."
	}
	return what, why
}

// fill adds the rows, the pictures and the sources.
func (fs *findings) fill(r *report) {
	pictures := map[truststore.Fingerprint]string{}
	sources := map[string]bool{}
	for i, f := range fs.sorted() {
		for _, s := range f.Advice.Sources {
			if !sources[s] && f.Class <= classLater && len(sources) < 50 {
				sources[s] = true
				r.Sources = append(r.Sources, s)
			}
		}
		words := f.row()
		id, drawn := pictures[words.fingerprint]
		switch {
		case drawn:
		case len(r.Chains) < maxPictures && f.aside == nil:
			id = fmt.Sprintf("chain-%d", len(r.Chains)+1)
			pictures[words.fingerprint] = id
			r.Chains = append(r.Chains, draw(id, f))
		default:
			r.ChainsMore++
		}
		row := reportRow{
			Class:     classIDs[f.Class],
			Order:     i,
			Name:      words.name,
			Hierarchy: words.hierarchy,
			Until:     words.until,
			State:     words.state,
			Where:     middle(words.where, maxWhere),
			Use:       words.use,
			Advice:    words.what,
			Chain:     id,
		}
		if f.Class <= classLater && !f.Advice.Deadline.IsZero() {
			row.Before, row.Overdue = date(f.Advice.Deadline), f.overdue(fs.At)
		}
		r.Rows = append(r.Rows, row)
	}
	r.ChainsKept = len(r.Chains)
	for i := range r.Chains {
		r.Chains[i].Open = i < maxOpen
	}
	slices.Sort(r.Sources)
}

// middle leaves out the middle of what is long: the end of a path says most.
func middle(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most/3]) + " … " + string(r[len(r)-most*2/3:])
}

// picture is the chain of a certificate.
type picture struct {
	ID, Class, Name, Verdict string
	Open                     bool
	Boxes                    []box
	Facts                    []fact
}

type box struct {
	Kind              string // "", "wrong" or "unknown"
	Role, Name, Until string
	Checks            []boxCheck
}

type boxCheck struct {
	Bad  bool
	Text string
}

type fact struct {
	Name, Text string
	Code       bool
}

// draw explains the chain of a finding.
func draw(id string, f *finding) picture {
	p := picture{ID: id, Class: classIDs[f.Class], Name: nameOf(f.Certificate)}
	e := f.Explain()
	if e == nil {
		return p
	}
	p.Verdict = "trusted"
	if !e.OK {
		p.Verdict = f.State()
	}
	for i := len(e.Path) - 1; i >= 0; i-- {
		c := &e.Path[i]
		if i == len(e.Path)-1 && c.Source != chain.SourceRoot && !bytes.Equal(c.Certificate.RawIssuer, c.Certificate.RawSubject) {
			p.Boxes = append(p.Boxes, box{Kind: "unknown", Role: "Issuer, not available", Name: safetext.Printable(c.Issuer, 200)})
		}
		p.Boxes = append(p.Boxes, drawBox(c))
	}
	add := func(name, text string, code bool) {
		if text != "" {
			p.Facts = append(p.Facts, fact{name, safetext.Printable(text, maxText), code})
		}
	}
	if e.Reason != chain.RefusedByPolicy { // else the advice says it, and does so without the words of programs
		add("Problem", e.Problem, false)
		if !neverTrusted(f.Advice) {
			add("To make it work", e.Advice, false)
		}
	}
	add("Advice", f.Advice.Text, false)
	if identity, ok := f.Claim(); ok {
		add("OIN", string(identity.OIN), false)
	}
	add("Issued by", safetext.Name(f.Certificate.Issuer, safetext.MostDN), false)
	add("SHA-256", f.Fingerprint().String(), true)
	return p
}

func drawBox(c *chain.ExplainedCertificate) box {
	b := box{Name: nameOf(c.Certificate), Until: date(c.NotAfter), Role: "Certificate"}
	identity, known := pkioverheid.ClaimOf(c.Certificate)
	switch {
	case known:
		role := identity.Role.String()
		b.Role = strings.ToUpper(role[:1]) + role[1:] + ", " + identity.Hierarchy.String()
	case c.Source == chain.SourceRoot:
		b.Role = "Root"
	case c.CA:
		b.Role = "CA"
	}
	good := 0
	for _, check := range c.Observations {
		if check.Result == chain.Fail {
			b.Kind = "wrong"
			b.Checks = append(b.Checks, boxCheck{true, safetext.Printable(check.Text, maxCheck)})
		} else if check.Result == chain.Pass {
			good++
		}
	}
	switch {
	case known && identity.Hierarchy == pkioverheid.G3:
		b.Kind, b.Checks = "wrong", []boxCheck{{true, "G3: not trusted here"}}
	case len(b.Checks) > 0 || good == 0:
	case c.Source == chain.SourceRoot:
		b.Checks = []boxCheck{{false, "trusted root"}}
	default:
		b.Checks = []boxCheck{{false, "in order"}}
	}
	return b
}
