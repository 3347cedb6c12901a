package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

// difference is what changed between two runs or reports. It is the JSON of pkio diff.
type difference struct {
	Version  int           `json:"version"`
	Old      diffSide      `json:"old"`
	New      diffSide      `json:"new"`
	Came     []*diffEntry  `json:"came"`
	Replaced []replacement `json:"replaced"` // one went and another came in the same place
	Changed  []change      `json:"changed"`
	Went     []*diffEntry  `json:"went"`
	Same     int           `json:"same"`
}

type diffSide struct {
	Machine      string `json:"machine,omitempty"`
	Start        string `json:"start"`
	Certificates int    `json:"certificates"`
	Partial      bool   `json:"partial,omitempty"`
}

// diffEntry is a certificate in short. Its places are named in the language.
type diffEntry struct {
	SHA256    string   `json:"sha256"`
	Name      string   `json:"name"`
	Hierarchy string   `json:"hierarchy,omitempty"`
	Do        class    `json:"do"`
	Deadline  string   `json:"deadline,omitempty"`
	Places    []string `json:"places"`

	certificate *certificate
}

type replacement struct {
	Old *diffEntry `json:"old"`
	New *diffEntry `json:"new"`
}

// change is a certificate that stayed, and what is different about it.
type change struct {
	*diffEntry
	What []string `json:"what"`
}

func newDiff() *cobra.Command {
	var asJSON bool
	var lang langFlag
	cmd := &cobra.Command{
		Use:   "diff OLD.json NEW.json",
		Short: "Say what changed between two runs or reports",
		Long: `diff says what changed between two runs of pkio audit, or two reports of pkio report:
which certificates came, were replaced, changed, and went. What is not of PKIoverheid
is left out. Its status is 1 if something came, or got more urgent, that must be
replaced or put right; else 0.`,
		Example: `  pkio diff last-week.json today.json
  pkio diff last-week.json today.json --json | jq '.came[].name'`,
		Args: positional(2, 2, "an OLD.json and a NEW.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang.language()
			if err != nil {
				return err
			}
			if asJSON {
				l = english
			}
			older, err := loadRun(args[0])
			if err != nil {
				return err
			}
			newer, err := loadRun(args[1])
			if err != nil {
				return err
			}
			d, worse := compareRuns(l, older, newer)
			out := cmd.OutOrStdout()
			if asJSON {
				encoder := json.NewEncoder(out)
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "  ")
				err = encoder.Encode(d)
			} else {
				err = d.write(out, l)
			}
			if err == nil && worse {
				err = statusOf(statusFinding)
			}
			return err
		},
	}
	lang.flag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func entryOf(l language, c *certificate) *diffEntry {
	e := &diffEntry{SHA256: c.SHA256, Name: c.Name, Hierarchy: c.Hierarchy, Do: c.Do, Deadline: c.Deadline, Places: []string{}, certificate: c}
	for i := range c.Places {
		e.Places = append(e.Places, l.where(&c.Places[i]))
	}
	slices.Sort(e.Places)
	e.Places = slices.Compact(e.Places)
	return e
}

func sideOf(a *audit) diffSide {
	return diffSide{Machine: a.Run.Machine, Start: a.Run.Start.UTC().Format("2006-01-02T15:04:05Z"), Certificates: len(a.Certificates), Partial: a.Run.Partial}
}

// compareRuns also reports whether there is more to do than before.
func compareRuns(l language, older, newer *audit) (d *difference, worse bool) {
	d = &difference{Version: formatVersion, Old: sideOf(older), New: sideOf(newer), Came: []*diffEntry{}, Replaced: []replacement{}, Changed: []change{}, Went: []*diffEntry{}}
	before := map[string]*certificate{}
	for _, c := range older.Certificates {
		before[c.SHA256] = c
	}
	var came []*diffEntry
	for _, c := range newer.Certificates {
		old := before[c.SHA256]
		delete(before, c.SHA256)
		switch {
		case old == nil && c.Do == classOther, old != nil && c.Do == classOther && old.Do == classOther:
		case old == nil:
			came = append(came, entryOf(l, c))
		default:
			if what := changes(l, old, c); len(what) > 0 {
				d.Changed = append(d.Changed, change{entryOf(l, c), what})
				worse = worse || c.Accepted == nil && c.Do.NeedsAction() && (c.Do.Grade() < old.Do.Grade() || old.Accepted != nil)
			} else {
				d.Same++
			}
		}
	}
	goneFrom := map[string]*diffEntry{} // by place
	for _, c := range older.Certificates {
		if _, gone := before[c.SHA256]; !gone || c.Do == classOther {
			continue
		}
		e := entryOf(l, c)
		d.Went = append(d.Went, e)
		for _, p := range e.Places {
			if goneFrom[p] == nil {
				goneFrom[p] = e
			}
		}
	}
	replaced := map[*diffEntry]bool{}
	for _, e := range came {
		old := predecessor(e, goneFrom)
		if old == nil || replaced[old] {
			d.Came = append(d.Came, e)
		} else {
			replaced[old] = true
			d.Replaced = append(d.Replaced, replacement{old, e})
		}
		worse = worse || e.certificate.Accepted == nil && e.Do.NeedsAction() && !(e.certificate.CA && e.Do == classLater)
	}
	d.Went = slices.DeleteFunc(d.Went, func(e *diffEntry) bool { return replaced[e] })
	return d, worse
}

// predecessor is the certificate that was where e is now, of the same name if there are
// several.
func predecessor(e *diffEntry, goneFrom map[string]*diffEntry) (old *diffEntry) {
	for _, p := range e.Places {
		candidate := goneFrom[p]
		if candidate == nil || candidate.certificate.CA != e.certificate.CA {
			continue
		}
		if old == nil || candidate.Name == e.Name {
			old = candidate
		}
	}
	return old
}

// changes are in words what is different about a certificate.
func changes(l language, old, now *certificate) (what []string) {
	was := func(name, a, b string) {
		if a != b {
			what = append(what, l.say("%s was %s, is %s", name, cmp.Or(a, l.say("none")), cmp.Or(b, l.say("none"))))
		}
	}
	was(l.say("what to do"), l.do(old.Do), l.do(now.Do))
	was(l.say("the deadline"), l.date(old.Deadline), l.date(now.Deadline))
	was(l.say("the chain"), l.state(old.State), l.state(now.State))
	switch {
	case old.Accepted == nil && now.Accepted != nil:
		what = append(what, l.say("it is accepted until %s", l.date(now.Accepted.Until)))
	case old.Accepted != nil && now.Accepted == nil:
		what = append(what, l.say("it is no longer accepted"))
	}
	before, after := problems(l, old), problems(l, now)
	for _, p := range after {
		if _, found := slices.BinarySearch(before, p); !found {
			what = append(what, p)
		}
	}
	for _, p := range before {
		if _, found := slices.BinarySearch(after, p); !found {
			what = append(what, l.say("no longer: %s", p))
		}
	}
	before, after = entryOf(l, old).Places, entryOf(l, now).Places
	for _, p := range after {
		if _, found := slices.BinarySearch(before, p); !found {
			what = append(what, l.say("new place %s", p))
		}
	}
	for _, p := range before {
		if _, found := slices.BinarySearch(after, p); !found {
			what = append(what, l.say("gone from %s", p))
		}
	}
	const most = 20
	if len(what) > most {
		what = append(what[:most], l.say("and %s", l.count(len(what)-most, "more change")))
	}
	return what
}

// problems are what is wrong with a certificate in its places.
func problems(l language, c *certificate) (all []string) {
	for i := range c.Places {
		for _, problem := range c.Places[i].Problems {
			all = append(all, l.where(&c.Places[i])+": "+l.say(problem))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// write says it in words.
func (d *difference) write(to io.Writer, l language) error {
	out := bufio.NewWriter(to)
	fmt.Fprintln(out, l.say("From %s (%s) to %s (%s).", d.Old.Start, l.count(d.Old.Certificates, "certificate"), d.New.Start, l.count(d.New.Certificates, "certificate")))
	if d.Old.Partial || d.New.Partial {
		fmt.Fprintln(out, l.say("One of the runs was stopped before its end: what went may only not have been looked at."))
	}
	for _, e := range d.Came {
		fmt.Fprintln(out, "\n"+l.say("came: %s", e.line(l)))
		e.writePlaces(out, l)
	}
	for _, r := range d.Replaced {
		fmt.Fprintf(out, "\n%s\n      %s\n", l.say("replaced: %s", r.Old.line(l)), l.say("by: %s", r.New.line(l)))
		r.New.writePlaces(out, l)
	}
	for _, c := range d.Changed {
		fmt.Fprintln(out, "\n"+l.say("changed: %s", c.line(l)))
		for _, w := range c.What {
			fmt.Fprintf(out, "  %s\n", w)
		}
	}
	for _, e := range d.Went {
		fmt.Fprintln(out, "\n"+l.say("went: %s", e.line(l)))
		e.writePlaces(out, l)
	}
	fmt.Fprintln(out, "\n"+l.say("%s came, %s replaced, %s changed, %s went, %s the same.", l.number(len(d.Came)), l.number(len(d.Replaced)), l.number(len(d.Changed)), l.number(len(d.Went)), l.number(d.Same)))
	return out.Flush()
}

// line is a certificate in a line.
func (e *diffEntry) line(l language) string {
	text := e.Name + " (" + l.hierarchy(e.Hierarchy) + "), " + l.do(e.Do)
	if e.Deadline != "" {
		text += l.say(", by %s", l.date(e.Deadline))
	}
	if c := e.certificate; c.Status == model.Imitation {
		text += ": " + l.reason(c)
	}
	return text
}

func (e *diffEntry) writePlaces(out io.Writer, l language) {
	for i, p := range e.Places {
		if i == maxPlacesShown {
			fmt.Fprintln(out, "  "+l.say("and %s", l.count(len(e.Places)-i, "more place")))
			return
		}
		fmt.Fprintf(out, "  %s\n", p)
	}
}
