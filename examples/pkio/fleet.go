package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// clockSkew is how far the clock of a machine may be ahead of that of the report.
const clockSkew = 5 * time.Minute

// fleet makes one audit of the runs of many machines. Machines have much in common, and
// so each place is kept once, with its machines beside it.
type fleet struct {
	audit
	bySHA    map[string]*certificate
	texts    map[string]string
	machines []string
	placeOf  map[placeKey]uint32
	places   []place
	refs     map[*certificate][]placeRef
	now      time.Time
}

// placeRef is a place on a machine.
type placeRef struct{ machine, place uint32 }

// placeKey is a place but for its machine.
type placeKey struct{ target, path, pathBytes, place, format, use, party, state, reason, problems string }

func newFleet(run auditRun) *fleet {
	f := &fleet{bySHA: map[string]*certificate{}, texts: map[string]string{}, placeOf: map[placeKey]uint32{},
		refs: map[*certificate][]placeRef{}, now: run.Start}
	f.Version, f.Run = formatVersion, run
	f.unfold = func(c *certificate) {
		refs := f.refs[c]
		c.Places = make([]place, len(refs))
		for i, ref := range refs {
			c.Places[i] = f.places[ref.place]
			c.Places[i].Machine = f.machines[ref.machine]
		}
	}
	return f
}

// take reads the runs in files, each whole before the next, so that the same files give
// the same report. Of several runs of a machine the last one counts.
func (f *fleet) take(paths []string) {
	var runs []*runFile
	latest := map[string]*runFile{}
	for _, path := range paths {
		run, err := readHead(path)
		r := &fleetRun{Machine: safetext.Printable(path, maxPath)}
		switch {
		case err != nil && run.head.Version != formatVersion:
			f.note(r, problemOf(err))
			continue
		case run.head.Version != formatVersion:
			f.note(r, versionProblem(run.head.Version))
			continue
		}
		runs = append(runs, run)
		if old := latest[run.machine()]; old == nil || f.isLater(run, old) {
			latest[run.machine()] = run
		}
	}
	slices.SortStableFunc(runs, func(a, b *runFile) int { return cmp.Compare(a.machine(), b.machine()) })
	for _, run := range runs {
		f.takeRun(run, latest[run.machine()])
	}
}

// isLater reports whether a run began after another. One that has not begun yet is before
// all others: its clock is wrong.
func (f *fleet) isLater(run, other *runFile) bool {
	if ahead := f.isAhead(run); ahead != f.isAhead(other) {
		return !ahead
	}
	return run.head.Run.Start.After(other.head.Run.Start)
}

// isAhead reports whether a run says that it began in the future.
func (f *fleet) isAhead(run *runFile) bool {
	return run.head.Run.Start.After(f.now.Add(clockSkew))
}

// note lists a run, with what is wrong with it. It counts as not looked at then.
func (f *fleet) note(r *fleetRun, problems ...string) {
	r.Problems = append(r.Problems, problems...)
	f.Runs = append(f.Runs, *r)
	for _, p := range problems {
		f.Summary.NotRead++
		f.NotRead = append(f.NotRead, notRead{Target: r.Machine, Error: p})
	}
}

func (f *fleet) takeRun(run, latest *runFile) {
	head := &run.head.Run
	r := &fleetRun{Machine: f.text(run.machine()), Tool: f.text(head.Tool), Start: head.Start}
	if latest != nil && latest != run {
		problem := "there is a later run of it, of " + latest.head.Run.Start.UTC().Format(time.DateTime) + " UTC, which counts"
		switch {
		case f.isAhead(run):
			problem = aheadProblem(head)
		case !f.isLater(latest, run):
			problem = "its run came twice, and counts once"
		}
		r.Problems = append(r.Problems, problem)
		f.Runs = append(f.Runs, *r)
		return
	}
	var problems []string
	if f.isAhead(run) {
		problems = append(problems, aheadProblem(head))
	} else if began, err := time.Parse(time.DateOnly, head.CAs); err == nil && head.Start.Before(began) {
		problems = append(problems, "its clock is wrong: it says "+head.Start.UTC().Format(time.DateOnly)+", before its own pkio was made")
	}
	if head.Partial {
		problems = append(problems, "it was stopped before its end")
	}
	err := run.read(func(c *certificate) error {
		f.add(c, r.Machine)
		return nil
	}, func(n notRead) error {
		f.addNotRead(n, r.Machine)
		return nil
	})
	if err != nil {
		problems = append(problems, problemOf(err))
	}
	notListed := inBounds(run.head.Summary.NotListed)
	f.Summary.Unread += inBounds(run.head.Summary.Unread)
	f.Summary.NotListed += notListed
	f.Summary.Places += notListed
	if run.isReport() {
		f.Runs = append(f.Runs, run.head.Runs...)
		if len(problems) == 0 {
			return
		}
	}
	f.note(r, problems...)
}

func aheadProblem(run *auditRun) string {
	return "its clock is wrong: it says " + run.Start.UTC().Format(time.DateTime) + " UTC, which has not come yet"
}

// inBounds is a number that a run says, as far as it can be one of places.
func inBounds(n int) int { return min(max(n, 0), 1<<30) }

// addNotRead adds a place that a machine did not look at.
func (f *fleet) addNotRead(n notRead, machine string) {
	n.Machine = cmp.Or(n.Machine, machine)
	if n.Skipped {
		f.Summary.Skipped++
	} else {
		f.Summary.NotRead++
	}
	if len(f.NotRead) < model.MaxNotRead && (!n.Skipped || isOtherSystem(&n)) {
		f.NotRead = append(f.NotRead, n)
	}
}

// text keeps a text once.
func (f *fleet) text(s string) string {
	if known, ok := f.texts[s]; ok {
		return known
	}
	const most = 1 << 20
	if len(f.texts) < most {
		f.texts[s] = s
	}
	return s
}

// add adds a certificate as a machine has it.
func (f *fleet) add(c *certificate, machine string) {
	places := c.Places
	c.Places = nil
	f.Summary.Places += len(places)
	known := f.bySHA[c.SHA256]
	if known == nil {
		known = c
		f.bySHA[c.SHA256] = c
		f.Certificates = append(f.Certificates, c)
	}
	known.Merge(c)
	refs := f.refs[known]
	for i := range places {
		p := &places[i]
		if p.State == "" && (c.State != known.State || c.Reason != known.Reason) {
			p.State, p.Reason = c.State, c.Reason
		}
		refs = append(refs, f.ref(p, machine))
	}
	f.refs[known] = refs
}

// ref keeps a place.
func (f *fleet) ref(p *place, machine string) placeRef {
	if p.Machine != "" {
		machine = f.text(p.Machine) // of a report
	}
	if n := len(f.machines); n == 0 || f.machines[n-1] != machine {
		f.machines = append(f.machines, machine)
	}
	p.Machine = ""
	key := placeKey{p.Target, p.Path, string(p.PathBytes), p.Place, p.Format, p.Use, p.Party, p.State, p.Reason, strings.Join(p.Problems, "\x00")}
	n, ok := f.placeOf[key]
	if !ok {
		n = uint32(len(f.places))
		f.placeOf[key] = n
		f.places = append(f.places, *p)
	}
	return placeRef{uint32(len(f.machines) - 1), n}
}

// missing names the machines of a list that did not report.
func (f *fleet) missing(expected []string) {
	reported := map[string]bool{}
	for i := range f.Runs {
		reported[f.Runs[i].Machine] = true
	}
	for _, machine := range expected {
		if !reported[machine] {
			f.note(&fleetRun{Machine: machine}, "it did not report")
		}
	}
}

// finish puts all in order, and counts.
func (f *fleet) finish(seconds float64) *audit {
	a := &f.audit
	a.Run.Seconds = seconds
	slices.SortFunc(a.Certificates, (*certificate).Compare)
	for _, c := range a.Certificates {
		a.Summary.Count(c)
	}
	f.bySHA, f.texts, f.placeOf = nil, nil, nil
	slices.SortStableFunc(a.Runs, func(r, s fleetRun) int { return cmp.Compare(r.Machine, s.Machine) })
	return a
}

// runsLine says how many machines there are, and what is wrong with their runs.
func (a *audit) runsLine() string {
	if len(a.Runs) == 0 {
		return ""
	}
	whole, wrong := 0, 0
	for i := range a.Runs {
		if len(a.Runs[i].Problems) == 0 {
			whole++
		} else {
			wrong++
		}
	}
	l := a.shown.lang
	text := l.say("Runs of %s", l.count(whole, "machine"))
	if wrong > 0 {
		text += l.say(", and %s that cannot be relied on, or did not come", l.count(wrong, "run"))
	}
	return text + "."
}
