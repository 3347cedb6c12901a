package main

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// tableOptions say what is in the table.
type tableOptions struct {
	all   bool // also what is not of PKIoverheid, and every place
	quiet bool // the summary only
	width int  // of the terminal; 0 if there is none, and then nothing is shortened
}

// How much a person reads: of one certificate, and of one advice.
const (
	maxPlacesShown  = 5
	maxNamesShown   = 12
	maxActionsShown = 20
	maxErrorsShown  = 20
)

// writeTable writes the audit for a person: a table, the advice, and in any case how
// many there are of what.
func (a *audit) writeTable(to io.Writer, opts tableOptions) error {
	out := bufio.NewWriter(to)
	p := painter(to)
	var left omitted
	if !opts.quiet {
		a.unfoldAll()
		shown := slices.Clone(a.Certificates)
		if !opts.all {
			shown = slices.DeleteFunc(shown, func(c *certificate) bool { return c.Do == classOther })
		}
		if len(shown) > 0 && opts.width > 0 {
			left.places = writeRows(out, p, a.shown.lang, shown, opts)
		} else if len(shown) > 0 {
			writeLines(out, a.shown.lang, shown)
		}
		a.writeActions(out, p, opts)
		left.others = len(a.Certificates) - len(shown)
	}
	width := opts.width
	counts, elsewhere := a.Summary, a.otherSystems()
	for i := range a.NotRead {
		if isOtherSystem(&a.NotRead[i]) {
			counts.Skipped--
		}
	}
	for _, line := range summaryLines(counts, a.shown.lang) {
		fmt.Fprint(out, wrappedTo(width, "", "", line))
	}
	if elsewhere != "" {
		fmt.Fprint(out, wrappedTo(width, "", "", elsewhere))
	}
	for _, s := range a.Acceptances {
		fmt.Fprint(out, wrappedTo(width, "", "  ", a.shown.lang.say("Accepted, but %s: %s", a.shown.lang.say(s.Why), lineOf(s.Acceptance))))
	}
	if text := left.text(a.shown.lang, a.Summary); text != "" {
		fmt.Fprint(out, wrappedTo(width, "", "", text))
	}
	return out.Flush()
}

// otherSystems names the folders that --one-file-system left out, which may hold
// certificates.
func (a *audit) otherSystems() string {
	l, machines := a.shown.lang, map[string]int{}
	var folders []string
	for i := range a.NotRead {
		if n := &a.NotRead[i]; isOtherSystem(n) {
			if machines[n.Path]++; machines[n.Path] == 1 {
				folders = append(folders, n.Path)
			}
		}
	}
	if len(folders) == 0 {
		return ""
	}
	for i, folder := range folders {
		if folders[i] = safetext.Printable(folder, maxText); a.manyMachines() {
			folders[i] = l.say("%s on %s", folders[i], l.count(machines[folder], "machine"))
		}
	}
	return l.say("Left out, because they are other file systems: %s.", l.list(folders, 10))
}

// isOtherSystem reports whether a folder was left out by --one-file-system.
func isOtherSystem(n *notRead) bool { return n.Skipped && n.Error == "another file system" }

// omitted is what the table leaves out.
type omitted struct{ others, places int }

func (o omitted) text(l language, s summary) string {
	var parts []string
	if o.others > 0 {
		parts = append(parts, l.say("%s not of PKIoverheid", l.count(o.others, "certificate")))
	}
	if o.places > 0 {
		parts = append(parts, l.count(o.places, "place"))
	}
	text := ""
	if len(parts) > 0 {
		text = l.say("Not in the table: %s; --all lists them.", strings.Join(parts, l.say(" and ")))
	}
	if s.NotListed > 0 {
		text = strings.TrimSpace(text + " " + l.say("Found and not listed, because there are too many: %s.", l.count(s.NotListed, "place")))
	}
	return text
}

// column is one of the table.
type column struct {
	head  string
	cells []string
	width int
	keep  bool // also if all cells are the same
}

func (c *column) fit() {
	c.width = utf8.RuneCountInString(c.head)
	for _, cell := range c.cells {
		c.width = max(c.width, utf8.RuneCountInString(cell))
	}
}

// same reports whether all cells say the same, of more than one.
func (c *column) same() bool {
	return len(c.cells) > 1 && !slices.ContainsFunc(c.cells, func(s string) bool { return s != c.cells[0] })
}

// doWord is what is to be done, in a word.
func doWord(c *certificate, l language) string {
	switch {
	case c.Accepted != nil:
		return l.say("accepted")
	case c.Do == classOther:
		return "-"
	}
	return l.do(c.Do)
}

// columnsOf are the columns of certificates, as narrow as width needs. NAME is the last.
func columnsOf(l language, certs []*certificate, width int) []*column {
	do, by := &column{head: l.say("DO"), keep: true}, &column{head: l.say("BY")}
	under, state := &column{head: l.say("HIERARCHY")}, &column{head: l.say("CHAIN")}
	name := &column{head: l.say("NAME"), keep: true}
	for _, c := range certs {
		deadline := ""
		if c.Do.NeedsAction() {
			deadline = l.date(c.Deadline)
		}
		if c.Overdue {
			deadline += " " + l.say("overdue")
		}
		do.cells, by.cells = append(do.cells, doWord(c, l)), append(by.cells, deadline)
		under.cells, state.cells = append(under.cells, l.hierarchy(c.Hierarchy)), append(state.cells, l.state(c.State))
		name.cells = append(name.cells, c.Name)
	}
	columns := []*column{do, by, under, state, name}
	columns = slices.DeleteFunc(columns, func(c *column) bool { c.fit(); return !c.keep && c.same() })
	const enough = 30 // for a name
	left := func() int {
		n := width
		for _, c := range columns[:len(columns)-1] {
			n -= c.width + 2
		}
		return n
	}
	if left() < min(enough, name.width) {
		for i := range under.cells {
			under.cells[i] = strings.TrimSuffix(strings.TrimPrefix(under.cells[i], "Private "), " TLS")
			by.cells[i] = strings.Replace(by.cells[i], " "+l.say("overdue"), " !", 1)
		}
		under.fit()
		by.fit()
	}
	for _, least := range []*column{state, under} {
		if left() < min(16, name.width) {
			columns = slices.DeleteFunc(columns, func(c *column) bool { return c == least })
		}
	}
	name.width = min(name.width, max(left(), 12))
	return columns
}

// writeRows writes a row a certificate, with its places below, for a terminal. It returns
// how many places it leaves out.
func writeRows(out io.Writer, p paint, l language, certs []*certificate, opts tableOptions) (left int) {
	columns := columnsOf(l, certs, opts.width)
	var heads []string
	for _, c := range columns {
		heads = append(heads, c.head+strings.Repeat(" ", c.width-utf8.RuneCountInString(c.head)))
	}
	fmt.Fprintln(out, p.bold(strings.TrimRight(strings.Join(heads, "  "), " ")))
	for i, cert := range certs {
		var cells []string
		for j, c := range columns {
			cell := shortened(c.cells[i], c.width)
			pad := strings.Repeat(" ", c.width-utf8.RuneCountInString(cell))
			if j == 0 {
				cell = p.class(cert, cell)
			}
			cells = append(cells, cell+pad)
		}
		fmt.Fprintln(out, strings.TrimRight(strings.Join(cells, "  "), " "))
		left += writePlaces(out, l, cert, opts)
	}
	fmt.Fprintln(out)
	return left
}

func (p paint) class(c *certificate, word string) string {
	switch {
	case c.Accepted != nil:
	case c.Do == classNow:
		return p.red(word)
	case c.Do == classSoon, c.Do == classFix:
		return p.yellow(word)
	case c.Do == classOK:
		return p.green(word)
	}
	return word
}

func writePlaces(out io.Writer, l language, c *certificate, opts tableOptions) (left int) {
	const indent = "       "
	for i, pl := range problemsFirst(c) {
		if i == maxPlacesShown && !opts.all && len(c.Places) > maxPlacesShown+1 {
			left = len(c.Places) - i
			fmt.Fprintln(out, indent+l.say("and %s", l.count(left, "more place")))
			break
		}
		suffix := ""
		if state := pl.StateOf(c); state != c.State {
			suffix = ": " + l.state(state)
		}
		room := opts.width - len(indent) - utf8.RuneCountInString(suffix)
		fmt.Fprintln(out, indent+shortened(l.where(pl), max(room, 20))+suffix)
		for _, problem := range pl.Problems {
			fmt.Fprint(out, wrappedTo(opts.width, indent+"  ", indent+"  ", l.say(problem)))
		}
	}
	if c.Accepted != nil {
		fmt.Fprint(out, wrappedTo(opts.width, indent, indent, l.say("accepted until %s: %s", l.date(c.Accepted.Until), c.Accepted.Reason)))
	}
	return left
}

// problemsFirst are the places of a certificate, those with problems before the others:
// they are to be among the first, which are shown.
func problemsFirst(c *certificate) []*place {
	all := make([]*place, 0, len(c.Places))
	for i := range c.Places {
		if len(c.Places[i].Problems) > 0 {
			all = append(all, &c.Places[i])
		}
	}
	for i := range c.Places {
		if len(c.Places[i].Problems) == 0 {
			all = append(all, &c.Places[i])
		}
	}
	return all
}

// writeLines writes a line a place, each with all there is to know, for programs such as
// grep: whatever the terminal is, it is the same.
func writeLines(out io.Writer, l language, certs []*certificate) {
	heads := []string{l.say("DO"), l.say("BY"), l.say("HIERARCHY"), l.say("CHAIN"), l.say("NAME"), l.say("WHERE")}
	rows := [][]string{heads}
	for _, whole := range certs {
		_, own := whole.Apart()
		for i := range whole.Places {
			c, p := whole, &whole.Places[i]
			if own != nil && !p.WrongKey() && c.Accepted == nil {
				c = own
			}
			by := ""
			if c.Do.NeedsAction() {
				by = l.date(c.Deadline)
			}
			if c.Overdue {
				by += " " + l.say("overdue")
			}
			where := l.where(p)
			for _, problem := range p.Problems {
				where += "; " + l.say(problem)
			}
			rows = append(rows, []string{doWord(c, l), by, l.hierarchy(c.Hierarchy), l.state(p.StateOf(c)), c.Name, where})
		}
	}
	widths := make([]int, len(heads))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
	fmt.Fprintln(out)
}

// writeActions writes what to do, once for what is alike, with all that it concerns.
func (a *audit) writeActions(out io.Writer, p paint, opts tableOptions) {
	l, actions := a.shown.lang, a.actions()
	if len(actions) == 0 {
		return
	}
	fmt.Fprintln(out, p.bold(l.say("What to do")))
	for i, act := range actions {
		if i == maxActionsShown && !opts.all {
			fmt.Fprintln(out, "- "+l.say("and %s; --all lists them", l.count(len(actions)-i, "more thing")))
			break
		}
		what := act.words(l)
		fmt.Fprint(out, wrappedTo(opts.width, "- ", "  ", l.when(act.Do, act.Deadline, act.Overdue)+": "+what+"."))
		fmt.Fprint(out, wrappedTo(opts.width, "  ", "  ", act.concerns(l, a.manyMachines(), opts.all)))
	}
	fmt.Fprintln(out)
}

// when is how urgent something is, with its date if there is one.
func (l language) when(do class, deadline string, overdue bool) string {
	switch {
	case overdue:
		return l.do(do) + l.say(", since %s", l.date(deadline))
	case deadline != "":
		return l.do(do) + l.say(", by %s", l.date(deadline))
	}
	return l.do(do)
}

// concerns names the certificates of an action, and the systems.
func (a *action) concerns(l language, machines, all bool) string {
	kind := "certificate"
	if a.CA {
		kind = "CA"
	}
	most := maxNamesShown
	if all {
		most = len(a.Certificates)
	}
	names := distinctNames(l, a.Certificates, maxText)
	slices.Sort(names)
	return l.say("%s in %s: %s.", l.count(len(a.Certificates), kind), l.systemCount(len(a.systems()), machines), l.names(names, most))
}

// lines is the summary.
func summaryLines(s summary, l language) []string {
	total := s.Now + s.Soon + s.Later + s.Fix + s.OK + s.Other + s.TakeOut + s.Trust + s.Accepted
	if total == 0 {
		return []string{strings.TrimSpace(l.say("No certificates were found.") + skippedText(s, l))}
	}
	var texts, cas []string
	add := func(n int, what string, to *[]string) {
		if n > 0 {
			*to = append(*to, l.number(n)+" "+what)
		}
	}
	imitations := l.say("imitations of PKIoverheid")
	if s.Imitations == 1 {
		imitations = l.say("imitation of PKIoverheid")
	}
	add(s.Imitations, imitations, &texts)
	add(s.WrongKeys, l.say("beside the key of another certificate"), &texts)
	add(toReplaceNow(&s), l.say("to replace now"), &texts)
	add(s.Soon, l.say("to replace within 90 days"), &texts)
	add(s.Later, l.say("to replace later"), &texts)
	add(s.Fix, l.say("to put right"), &texts)
	add(s.OK, l.say("in order"), &texts)
	add(s.Accepted, l.say("accepted"), &texts)
	add(s.Other, l.say("not of PKIoverheid"), &texts)
	add(s.TakeOut, l.say("to take out of what is trusted"), &cas)
	add(s.Trust, l.say("whose successor must be trusted too"), &cas)
	found := l.say("%s in %s", l.count(total, "certificate"), l.count(s.Places, "place"))
	if len(texts) > 0 {
		found += ": " + strings.Join(texts, ", ")
	}
	lines := []string{found + "." + skippedText(s, l)}
	if len(cas) > 0 {
		lines = append(lines, l.say("CAs among them: %s.", strings.Join(cas, ", ")))
	}
	return lines
}

// toReplaceNow is how many certificates must be replaced now, of those that are for now.
func toReplaceNow(s *summary) int { return s.Now - s.WrongKeys - s.Imitations }

func skippedText(s summary, l language) string {
	text := ""
	if n := s.Skipped - s.Unread; n > 0 {
		text = " " + l.say("Skipped: %s that can hold no certificate.", l.number(n))
	}
	if s.Unread > 0 {
		what := l.say("1 archive or database")
		if s.Unread > 1 {
			what = l.say("%s archives or databases", l.number(s.Unread))
		}
		text += " " + l.say("Not opened up: %s of a kind that is not read (--json lists them).", what)
	}
	return text
}

// errorLines are what could not be looked at: what is alike in one folder on one line.
func (a *audit) errorLines() []string {
	l := a.shown.lang
	type kind struct{ folder, text string }
	var order []kind
	places, onMachines := map[kind][]string{}, map[kind]bool{}
	for i := range a.NotRead {
		n := &a.NotRead[i]
		if n.Skipped || n.Accepted != nil {
			continue
		}
		k := kind{text: l.trouble(n)}
		if n.Path != "" && n.Path != n.Target { // what was named is named again
			k.folder = whereIs(&place{Machine: n.Machine, Path: filepath.Dir(n.Path)})
		}
		if places[k] == nil {
			order = append(order, k)
		}
		places[k] = append(places[k], placeNotRead(n))
		onMachines[k] = onMachines[k] || n.Machine != ""
	}
	var lines []string
	more := 0
	for _, k := range order {
		all := places[k]
		switch {
		case len(lines) == maxErrorsShown:
			more += len(all)
		case len(all) == 1:
			lines = append(lines, all[0]+": "+k.text)
		case k.folder == "":
			lines = append(lines, a.countOf(all, onMachines[k])+": "+k.text+": "+some(all))
		default:
			lines = append(lines, l.say("%s: %s in it: %s", k.folder, l.count(len(all), "file"), k.text))
		}
	}
	if more > 0 {
		lines = append(lines, l.say("%s could not be looked at: --json and --csv list them", l.count(more, "more place")))
	}
	return lines
}

// countOf says how many targets were not looked at, and what they are: machines in a
// report of many, but for places on these.
func (a *audit) countOf(targets []string, onMachines bool) string {
	switch {
	case onMachines:
		return a.shown.lang.count(len(targets), "place")
	case !slices.ContainsFunc(targets, func(t string) bool { return !isHostTarget(t) }):
		return a.shown.lang.count(len(targets), "server")
	case len(a.Runs) > 0:
		return a.shown.lang.count(len(targets), "machine")
	}
	return a.shown.lang.count(len(targets), "place")
}

// some names the first of a list.
func some(all []string) string {
	const most = 3
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return strings.Join(all[:most], ", ") + " …"
}

// shortened leaves out the middle of what is longer: of a path the end says most.
func shortened(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	head := (most - 1) / 3
	return string(r[:head]) + "…" + string(r[len(r)-(most-1-head):])
}
