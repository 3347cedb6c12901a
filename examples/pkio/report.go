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
	Actions                 []reportAction
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
	Class class
	Label string
}

// reportAction is a line of what to do.
type reportAction struct {
	Class             class
	What, Why, Before string
	Overdue           bool
	Places            int
}

type reportRow struct {
	Class                                                            class
	Order                                                            int
	Overdue                                                          bool
	Before, Name, Advice, Hierarchy, Until, State, Where, Use, Chain string
}

// classLabels are the words beside the signs: colour alone says nothing.
var classLabels = map[class]string{classNow: "now", classFix: "put right", classSoon: "soon", classLater: "later", classOK: "in order", classOther: "other", "error": "error"}

// Bounds of the page: a browser gets slow beyond some megabytes.
const (
	maxTargets  = 12
	maxPictures = 200
	maxOpen     = 3
	maxActions  = 40
	maxWhere    = 300
	maxCheck    = 140

	maxReportErrors = 200
)

// writeReport writes the report as one file of HTML that needs nothing else.
func (a *audit) writeReport(w io.Writer) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"day":       func(t time.Time) string { return t.Format("2 January 2006") },
		"iso":       func(t time.Time) string { return t.Format(time.DateOnly) },
		"thousands": thousands,
		"word":      func(c class) string { return classLabels[c] },
	}).Parse(reportHTML)
	if err != nil {
		return err
	}
	return page.Execute(w, a.report())
}

func (a *audit) report() *report {
	a.unfoldAll()
	r := &report{
		CSP:     contentPolicy(reportCSS, reportJS),
		Style:   template.CSS(reportCSS),
		Script:  template.JS(reportJS),
		Version: a.Run.Tool,
		At:      a.Run.At,
	}
	for i, t := range a.Run.Targets {
		if i == maxTargets {
			r.LookedMore = len(a.Run.Targets) - i
			break
		}
		r.Looked = append(r.Looked, safetext.Printable(t, 100))
	}
	r.Headline, r.Lead = a.lead()
	s := &a.Summary
	switch {
	case a.Run.Partial:
		r.Warning = "The search was stopped before its end."
	case s.NotRead > 0:
		r.Warning = count(s.NotRead, "place") + " could not be looked at: see the end of this page."
	}
	for _, t := range []tile{
		{s.Now, classNow, "to replace now"}, {s.TakeOut, classNow, "CAs to take out"}, {s.Soon, classSoon, "to replace within 90 days"},
		{s.Later, classLater, "to replace later"}, {s.Trust, classLater, "CAs to trust a successor beside"}, {s.Fix, classFix, "to put right"},
		{s.OK, classOK, "in order"}, {s.Accepted, classOK, "accepted"}, {s.Other, classOther, "not of PKIoverheid"}, {s.NotRead, "error", "could not be looked at"},
	} {
		r.Tiles = append(r.Tiles, t)
	}
	for i, act := range a.actions() {
		if i == maxActions {
			r.Actions = append(r.Actions, reportAction{Class: act.Do, What: "More, see the table below"})
			break
		}
		what, why := act.words()
		r.Actions = append(r.Actions, reportAction{Class: act.Do, What: what, Why: why, Before: act.Deadline, Overdue: act.Overdue, Places: len(act.Certificates)})
	}
	for i := range a.NotRead {
		n := &a.NotRead[i]
		switch {
		case n.Skipped:
		case len(r.Errors) == maxReportErrors:
			r.ErrorsMore++
		default:
			r.Errors = append(r.Errors, cmp.Or(n.Path, n.Target)+": "+n.Error)
		}
	}
	r.Timeline = a.timeline()
	a.fill(r)
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
func (a *audit) lead() (short, long string) {
	s := &a.Summary
	found := "Found: " + count(len(a.Certificates), "certificate") + " in " + count(s.Places, "place") + ". "
	switch {
	case len(a.Certificates) == 0:
		return "Nothing found.", "No certificates were found."
	case s.Now > 0:
		long = found + capitalCount(s.Now) + " must be replaced now"
		if s.Soon > 0 {
			long += ", and " + thousands(s.Soon) + " within 90 days"
		}
		return thousands(s.Now) + " to replace now.", long + "."
	case s.TakeOut > 0:
		return thousands(s.TakeOut) + " to take out now.", found + capitalCount(s.TakeOut) + " must be taken out of what is trusted now."
	case s.Soon > 0:
		return thousands(s.Soon) + " to replace within 90 days.", found + "Nothing is overdue; " + thousands(s.Soon) + " must be replaced within 90 days."
	case s.Later > 0:
		return "Nothing to replace now.", found + "Nothing needs to be replaced within 90 days; for " + thousands(s.Later) + " there is a later date."
	}
	return "Nothing to replace.", found + "Nothing of PKIoverheid needs to be replaced."
}

func capitalCount(n int) string {
	if n == 1 {
		return "One"
	}
	return thousands(n)
}

// fill adds the rows, the pictures and the sources.
func (a *audit) fill(r *report) {
	sources := map[string]bool{}
	for i, c := range a.Certificates {
		for _, s := range c.Sources {
			if !sources[s] && c.Do.needsAction() && len(sources) < 50 {
				sources[s] = true
				r.Sources = append(r.Sources, s)
			}
		}
		row := reportRow{
			Class:     c.Do,
			Order:     i,
			Name:      c.Name,
			Hierarchy: hierarchyName(c.Hierarchy),
			Until:     date(c.NotAfter),
			State:     stateWords(c.State),
			Where:     middle(c.Places[0].where(), maxWhere),
			Use:       c.Places[0].Use,
		}
		if len(c.Places) > 1 {
			row.Where += " and " + count(len(c.Places)-1, "more place")
		}
		if c.Do.needsAction() {
			row.Before, row.Overdue = c.Deadline, c.Overdue
			row.Advice, _ = c.toDo().words()
		}
		switch {
		case c.found.Certificate == nil || len(r.Chains) == maxPictures:
			r.ChainsMore++
		default:
			row.Chain = fmt.Sprintf("chain-%d", len(r.Chains)+1)
			r.Chains = append(r.Chains, draw(row.Chain, c))
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
	ID, Name, Verdict string
	Class             class
	Open              bool
	Boxes             []box
	Facts             []fact
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

// draw explains the chain of a certificate.
func draw(id string, cert *certificate) picture {
	p := picture{ID: id, Class: cert.Do, Name: cert.Name}
	e := cert.found.Explain()
	if e == nil {
		return p
	}
	p.Verdict = stateWords(cert.State)
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
		if !neverTrusted(cert.found.Advice()) {
			add("To make it work", e.Advice, false)
		}
	}
	add("Advice", cert.Advice, false)
	add("OIN", cert.OIN, false)
	add("Issued by", safetext.Shorten(cert.Issuer, safetext.MostDN), false)
	add("SHA-256", cert.SHA256, true)
	return p
}

func drawBox(c *chain.ExplainedCertificate) box {
	b := box{Name: nameOf(c.Certificate), Until: date(c.NotAfter), Role: "Certificate"}
	identity, known := pkioverheid.ClaimOf(c.Certificate)
	switch {
	case known:
		role := string(identity.Role)
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
