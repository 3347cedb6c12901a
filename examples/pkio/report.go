package main

import (
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
	CSP    string
	Style  template.CSS
	Script template.JS
	Data   template.JS // of the tables, see pageData

	Lang, Title, Organisation, Author string
	Run                               auditRun

	Headline   string
	Found      string
	First      *firstThing
	Lead       []string
	Warnings   []string
	Looked     []string
	LookedMore int
	Tiles      []tile
	Steps      []step
	StepsMore  int
	Timeline   []timelineItem

	Suppliers []supplierOrders
	Systems   *dataTable
	Findings  *dataTable
	Machines  *dataTable

	Chains                 []picture
	ChainsKept, ChainsMore int
	Errors                 []string
	ErrorsMore             int
	Lists                  string // whether revocation lists were asked
	Sources                []string
}

type tile struct {
	N     int
	Class class
	Label string
}

// step is a line of what to do, in order.
type step struct {
	Class                class
	What, Why            string
	Deadline             string
	Overdue, More        bool   // More: it is the first of several deadlines
	Certificates, Places string // how many
	Names, Systems       string // which
}

// firstThing is what must happen first: what, where, by when, and how.
type firstThing struct {
	What, When, How, Next string
	Where                 []string // a line for each, if they are few
	Class                 class
}

// classLabels are the words beside the signs: colour alone says nothing.
var classLabels = map[class]string{classNow: "now", classFix: "put right", classSoon: "soon", classLater: "later", classOK: "in order", classOther: "other", "error": "error", "accepted": "accepted"}

// Bounds of what a person reads at once.
const (
	maxTargets  = 12
	maxPictures = 200
	maxOpen     = 3
	maxSteps    = 40
	maxWhere    = 300
	maxCheck    = 140

	maxReportErrors = 200
)

// writeReport writes the report as one file of HTML that needs nothing else.
func (a *audit) writeReport(w io.Writer) error {
	l := a.shown.lang
	page, err := template.New("report").Funcs(template.FuncMap{
		"day":    l.day,
		"iso":    func(t time.Time) string { return t.Format(time.DateOnly) },
		"clock":  func(t time.Time) string { return t.UTC().Format("15:04") },
		"date":   l.date,
		"number": l.number,
		"t":      l.say,
		"word":   func(c class) string { return l.say(classLabels[c]) },
		"lower":  strings.ToLower,
		"breaks": breaks,
	}).Parse(reportHTML)
	if err != nil {
		return err
	}
	r, err := a.report()
	if err != nil {
		return err
	}
	return page.Execute(w, r)
}

func (a *audit) report() (*report, error) {
	a.unfoldAll()
	l := a.shown.lang
	r := &report{
		CSP:    contentPolicy(reportCSS, reportJS),
		Style:  template.CSS(reportCSS),
		Script: template.JS(reportJS),
		Lang:   l.name(),
		Title:  cmp.Or(a.shown.title, l.say("Certificates of PKIoverheid")),
		Run:    a.Run,

		Organisation: a.shown.organisation,
		Author:       a.shown.author,
	}
	for i, t := range a.Run.Targets {
		if i == maxTargets {
			r.LookedMore = len(a.Run.Targets) - i
			break
		}
		r.Looked = append(r.Looked, safetext.Printable(t, 100))
	}
	all := a.actions()
	r.Headline, r.Lead = a.lead()
	r.First = a.first(all)
	r.Found = l.say("Found: %s in %s.", l.count(len(a.Certificates), "certificate"), l.count(a.Summary.Places, "place"))
	r.Warnings = a.warnings()
	r.Tiles = a.tiles()
	r.Steps = a.steps(all[:min(len(all), maxSteps)])
	r.StepsMore = len(all) - len(r.Steps)
	r.Timeline = a.timeline()
	for i := range a.NotRead {
		n := &a.NotRead[i]
		switch {
		case n.Skipped, n.Accepted != nil:
		case len(r.Errors) == maxReportErrors:
			r.ErrorsMore++
		default:
			r.Errors = append(r.Errors, placeNotRead(n)+": "+l.trouble(n))
		}
	}
	r.pictures(l, a)
	r.Findings = a.findings(r.Chains)
	r.Suppliers = a.orderLists()
	r.Systems = a.systemsTable()
	r.Machines = a.machines()
	r.Lists = a.listsAsked()
	var err error
	r.Data, err = r.pageData(l)
	return r, err
}

// listsAsked says whether revocation lists were asked. Runs of other machines do not say it.
func (a *audit) listsAsked() string {
	l := a.shown.lang
	switch {
	case a.manyMachines():
		return l.say("Revocation lists were asked only where pkio audit was given --crl.")
	case a.shown.lists:
		return l.say("The revocation lists (CRLs) were asked too.")
	}
	return l.say("Revocation lists were not asked.")
}

// breaks is a text in which a line may end after a slash: else a path breaks in mid-word.
func breaks(s string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(s), "/", "/<wbr>"))
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

// lead is the report in a few words, and in a sentence on what is most urgent: what, how
// many, on which systems.
func (a *audit) lead() (short string, long []string) {
	l, s, found := a.shown.lang, &a.Summary, 0
	if len(a.Certificates) == 0 {
		return l.say("Nothing found."), []string{l.say("No certificates were found.")}
	}
	add := func(n int, one, more string, key toDo) {
		if n == 0 || len(long) > found {
			return
		}
		text := l.say(one)
		if n > 1 {
			text = l.say(more, l.number(n))
		}
		of, first, overdue := a.thoseOf(key)
		systems := shortNames(of.systems())
		where := l.systemCount(len(systems), a.manyMachines())
		switch {
		case a.manyMachines():
			text += l.say(", in %s: %s.", where, l.list(systems, 3))
		case key.CA:
			text += l.say(", in %s.", where)
		default:
			text += l.say(": %s, in %s.", l.list(of.names(l), 5), where)
		}
		switch {
		case first.IsZero():
		case n == 1 && overdue:
			text += l.say(" It was due on %s.", l.day(first))
		case overdue:
			text += l.say(" The first was due on %s.", l.day(first))
		case n == 1:
			text += l.say(" It is due on %s.", l.day(first))
		default:
			text += l.say(" The first is due on %s.", l.day(first))
		}
		long = append(long, text)
	}
	add(s.Imitations, "One certificate imitates PKIoverheid", "%s certificates imitate PKIoverheid", toDo{Do: classNow, Imitation: true})
	found = len(long)
	add(s.WrongKeys, "One certificate is beside the key of another", "%s certificates are beside the keys of others", toDo{Do: classNow, WrongKey: true})
	found = len(long)
	add(toReplaceNow(s), "One certificate must be replaced now", "%s certificates must be replaced now", toDo{Do: classNow})
	add(s.TakeOut, "One CA must be taken out of what is trusted now", "%s CAs must be taken out of what is trusted now", toDo{Do: classNow, CA: true})
	add(s.Soon, "One certificate must be replaced within 90 days", "%s certificates must be replaced within 90 days", toDo{Do: classSoon})
	add(s.Later, "One certificate must be replaced later", "%s certificates must be replaced later", toDo{Do: classLater})
	switch {
	case toReplaceNow(s) > 0:
		short = l.say("%s to replace now.", l.number(toReplaceNow(s)))
	case s.Now > 0:
		short = l.say("%s to put right now.", l.number(s.Now))
	case s.TakeOut > 0:
		short = l.say("%s to take out now.", l.number(s.TakeOut))
	case s.Soon > 0:
		short = l.say("%s to replace within 90 days.", l.number(s.Soon))
	case s.Later > 0:
		short = l.say("Nothing to replace now.")
	case s.Fix > 0:
		short = l.say("Nothing to replace.")
		long = append(long, l.say("Nothing needs to be replaced; %s must be put right.", l.count(s.Fix, "certificate")))
	default:
		short = l.say("Nothing to replace.")
		long = append(long, l.say("Nothing of PKIoverheid needs to be replaced."))
	}
	return short, long
}

func (a *audit) manyMachines() bool { return len(a.Runs) > 0 }

// systemCount is a number of systems, which are machines in a report of many.
func (l language) systemCount(n int, machines bool) string {
	switch {
	case machines:
		return l.count(n, "machine")
	case n == 1:
		return l.say("1 file or server")
	}
	return l.say("%s files or servers", l.number(n))
}

// thoseOf are what must be done as urgently, in the same way, and the first of its
// deadlines.
func (a *audit) thoseOf(key toDo) (of action, first time.Time, overdue bool) {
	for _, c := range a.tasks() {
		k := toDoOf(c)
		if c.Accepted != nil || k.Do != key.Do || k.WrongKey != key.WrongKey || k.Imitation != key.Imitation || key.isOfUse() && c.CA != key.CA {
			continue
		}
		of.Certificates = append(of.Certificates, c)
		if due, err := time.Parse(time.DateOnly, c.Deadline); err == nil && (first.IsZero() || due.Before(first)) {
			first, overdue = due, c.Overdue
		}
	}
	return of, first, overdue
}

// first is what must happen first: of what is most urgent, all with the first deadline.
func (a *audit) first(actions []action) *firstThing {
	if len(actions) == 0 {
		return nil
	}
	l, act := a.shown.lang, actions[0]
	how := act.words(l)
	f := &firstThing{What: how, Class: act.Do}
	if act.Do != classFix && !act.CA && act.isOfUse() {
		var hows []string
		act, hows = a.allWithDeadline(act, actions)
		f.What, f.How = l.say("Replace %s", l.list(act.names(l), 3)), strings.Join(hows, ". ")+"."
	}
	if a.manyMachines() || act.CA || len(act.Certificates) > 3 {
		f.Where = []string{l.list(shortNames(act.systems()), 3)}
	} else {
		for _, c := range act.Certificates { // which is where
			one := action{Certificates: []*certificate{c}}
			f.Where = append(f.Where, l.say("%s: in %s", shortened(c.Name, 60), l.list(shortNames(one.systems()), 2)))
		}
	}
	due, err := time.Parse(time.DateOnly, act.Deadline)
	switch {
	case err != nil && act.Do == classNow: // it was revoked
		f.When = l.say("Now")
	case err != nil:
	case act.Overdue:
		f.When = l.say("Now: overdue since %s", l.day(due))
	default:
		f.When = l.say("By %s", l.day(due))
	}
	f.Next = a.next(actions, due)
	return f
}

// allWithDeadline adds the certificates of other actions that are as urgent, in the order
// of the list below, and says whom to ask for what.
func (a *audit) allWithDeadline(first action, actions []action) (all action, hows []string) {
	all = action{toDo: first.toDo, Deadline: first.Deadline, Overdue: first.Overdue}
	for _, act := range actions {
		if act.Do != first.Do || act.CA || !act.isOfUse() {
			continue
		}
		before := len(all.Certificates)
		for _, c := range act.Certificates {
			if c.Deadline == first.Deadline {
				all.Certificates = append(all.Certificates, c)
			}
		}
		if len(all.Certificates) > before {
			hows = append(hows, act.words(a.shown.lang))
		}
	}
	return all, hows
}

// next is the first deadline in the future, if what must happen first has another.
func (a *audit) next(actions []action, first time.Time) string {
	l := a.shown.lang
	of, deadline := action{}, ""
	for _, act := range actions {
		for _, c := range act.Certificates {
			if c.CA || c.Overdue || c.Do == classFix || c.Deadline == "" || deadline != "" && c.Deadline > deadline {
				continue
			}
			if c.Deadline != deadline {
				of.Certificates, deadline = nil, c.Deadline
			}
			of.Certificates = append(of.Certificates, c)
		}
	}
	due, err := time.Parse(time.DateOnly, deadline)
	if err != nil || !due.After(first) {
		return ""
	}
	return l.say("The next date is %s: %s, in %s.", l.day(due), l.list(of.names(l), 3), l.list(shortNames(of.systems()), 3))
}

// names are those of its certificates, the most urgent first.
func (a *action) names(l language) []string { return distinctNames(l, a.Certificates, 60) }

// shortNames are names that fit into a sentence.
func shortNames(all []string) []string {
	short := make([]string, len(all))
	for i, s := range all {
		short[i] = shortened(s, 70)
	}
	return short
}

// warnings say what the report does not know.
func (a *audit) warnings() (all []string) {
	l, s := a.shown.lang, &a.Summary
	if a.Run.Partial {
		all = append(all, l.say("The search was stopped before its end."))
	}
	var bad []string
	for i := range a.Runs {
		if r := &a.Runs[i]; len(r.Problems) > 0 && !slices.Contains(bad, r.Machine) {
			bad = append(bad, r.Machine)
		}
	}
	if len(bad) > 0 {
		all = append(all, l.say("The runs of %s cannot be relied on, or did not come: %s.", l.count(len(bad), "machine"), l.list(bad, 5)))
	}
	if s.NotRead > 0 && !(a.manyMachines() && s.NotRead == len(bad)) {
		all = append(all, l.say("%s could not be looked at: see the end of this page.", l.count(s.NotRead, "place")))
	}
	if elsewhere := a.otherSystems(); elsewhere != "" {
		all = append(all, elsewhere)
	}
	if s.NotListed > 0 {
		all = append(all, l.say("Found and not listed, because there are too many: %s.", l.count(s.NotListed, "place")))
	}
	return all
}

// tiles are the numbers that are not zero; what must be done now is there in any case.
func (a *audit) tiles() (all []tile) {
	l, s := a.shown.lang, &a.Summary
	for _, t := range []tile{
		{s.Imitations, classNow, l.say("imitations of PKIoverheid")}, {s.WrongKeys, classNow, l.say("beside the key of another certificate")}, {toReplaceNow(s), classNow, l.say("to replace now")}, {s.TakeOut, classNow, l.say("CAs to take out")}, {s.Soon, classSoon, l.say("to replace within 90 days")},
		{s.Later, classLater, l.say("to replace later")}, {s.Trust, classLater, l.say("CAs: trust the successor too")}, {s.Fix, classFix, l.say("to put right")},
		{s.OK, classOK, l.say("in order")}, {s.Accepted, "accepted", l.say("accepted")}, {s.Other, classOther, l.say("not of PKIoverheid")}, {s.NotRead, "error", l.say("could not be looked at")},
	} {
		if t.N > 0 || t.Class == classNow && t.Label == l.say("to replace now") {
			all = append(all, t)
		}
	}
	return all
}

// steps are the actions as the first page shows them.
func (a *audit) steps(actions []action) (all []step) {
	l := a.shown.lang
	for _, act := range actions {
		kind := "certificate"
		if act.CA {
			kind = "CA"
		}
		systems := shortNames(act.systems())
		all = append(all, step{
			Class: act.Do, What: act.words(l), Why: act.why(l), Deadline: act.Deadline, Overdue: act.Overdue, More: act.manyDeadlines(),
			Certificates: l.count(len(act.Certificates), kind), Names: l.list(act.names(l), 3),
			Places: l.systemCount(len(systems), a.manyMachines()), Systems: l.list(systems, 3),
		})
	}
	return all
}

// pictures adds the chains of the most urgent, and the sources.
func (r *report) pictures(l language, a *audit) {
	sources := map[string]bool{}
	for _, c := range a.Certificates {
		for _, s := range c.Sources {
			if !sources[s] && c.Do.NeedsAction() && len(sources) < 50 {
				sources[s] = true
				r.Sources = append(r.Sources, s)
			}
		}
		if c.Found().Certificate == nil || len(r.Chains) == maxPictures {
			r.ChainsMore++
			continue
		}
		p := draw(l, fmt.Sprintf("chain-%d", len(r.Chains)+1), c)
		p.of, p.Open = c, len(r.Chains) < maxOpen
		r.Chains = append(r.Chains, p)
	}
	r.ChainsKept = len(r.Chains)
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
