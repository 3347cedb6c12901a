package main

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
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
			left.places = writeRows(out, p, shown, opts)
		} else if len(shown) > 0 {
			writeLines(out, shown)
		}
		a.writeActions(out, p, opts)
		left.others = len(a.Certificates) - len(shown)
	}
	width := opts.width
	for _, line := range a.Summary.lines() {
		fmt.Fprint(out, wrappedTo(width, "", "", line))
	}
	for _, s := range a.Acceptances {
		fmt.Fprint(out, wrappedTo(width, "", "  ", "Accepted, but "+s.Why+": "+s.line()))
	}
	if text := left.text(a.Summary); text != "" {
		fmt.Fprint(out, wrappedTo(width, "", "", text))
	}
	return out.Flush()
}

// omitted is what the table leaves out.
type omitted struct{ others, places int }

func (o omitted) text(s summary) string {
	var parts []string
	if o.others > 0 {
		parts = append(parts, count(o.others, "certificate")+" not of PKIoverheid")
	}
	if o.places > 0 {
		parts = append(parts, count(o.places, "place"))
	}
	text := ""
	if len(parts) > 0 {
		text = "Not in the table: " + strings.Join(parts, " and ") + "; --all lists them."
	}
	if s.NotListed > 0 {
		text = strings.TrimSpace(text + " Found and not listed, because there are too many: " + count(s.NotListed, "place") + ".")
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
func (c *certificate) doWord() string {
	switch {
	case c.Accepted != nil:
		return "accepted"
	case c.Do == classOther:
		return "-"
	}
	return string(c.Do)
}

// columnsOf are the columns of certificates, as narrow as width needs. NAME is the last.
func columnsOf(certs []*certificate, width int) []*column {
	do, by := &column{head: "DO", keep: true}, &column{head: "BY"}
	under, state := &column{head: "HIERARCHY"}, &column{head: "CHAIN"}
	name := &column{head: "NAME", keep: true}
	for _, c := range certs {
		deadline := ""
		if c.Do.needsAction() {
			deadline = c.Deadline
		}
		if c.Overdue {
			deadline += " overdue"
		}
		do.cells, by.cells = append(do.cells, c.doWord()), append(by.cells, deadline)
		under.cells, state.cells = append(under.cells, hierarchyName(c.Hierarchy)), append(state.cells, stateWords(c.State))
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
			by.cells[i] = strings.Replace(by.cells[i], " overdue", " !", 1)
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
func writeRows(out io.Writer, p paint, certs []*certificate, opts tableOptions) (left int) {
	columns := columnsOf(certs, opts.width)
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
		left += writePlaces(out, cert, opts)
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

func writePlaces(out io.Writer, c *certificate, opts tableOptions) (left int) {
	const indent = "       "
	for i := range c.Places {
		if i == maxPlacesShown && !opts.all && len(c.Places) > maxPlacesShown+1 {
			left = len(c.Places) - i
			fmt.Fprintf(out, "%sand %s\n", indent, count(left, "more place"))
			break
		}
		pl := &c.Places[i]
		suffix := ""
		if state := stateOf(pl, c); state != c.State {
			suffix = ": " + stateWords(state)
		}
		room := opts.width - len(indent) - utf8.RuneCountInString(suffix)
		fmt.Fprintln(out, indent+shortened(pl.where(), max(room, 20))+suffix)
		for _, problem := range pl.Problems {
			fmt.Fprint(out, wrappedTo(opts.width, indent+"  ", indent+"  ", problem))
		}
	}
	if c.Accepted != nil {
		fmt.Fprint(out, wrappedTo(opts.width, indent, indent, "accepted until "+c.Accepted.Until+": "+c.Accepted.Reason))
	}
	return left
}

// writeLines writes a line a place, each with all there is to know, for programs such as
// grep: whatever the terminal is, it is the same.
func writeLines(out io.Writer, certs []*certificate) {
	heads := []string{"DO", "BY", "HIERARCHY", "CHAIN", "NAME", "WHERE"}
	rows := [][]string{heads}
	for _, c := range certs {
		by := ""
		if c.Do.needsAction() {
			by = c.Deadline
		}
		if c.Overdue {
			by += " overdue"
		}
		for i := range c.Places {
			p := &c.Places[i]
			where := p.where()
			for _, problem := range p.Problems {
				where += "; " + problem
			}
			rows = append(rows, []string{c.doWord(), by, hierarchyName(c.Hierarchy), stateWords(stateOf(p, c)), c.Name, where})
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
	actions := a.actions()
	if len(actions) == 0 {
		return
	}
	fmt.Fprintln(out, p.bold("What to do"))
	for i, act := range actions {
		if i == maxActionsShown && !opts.all {
			fmt.Fprintf(out, "- and %s; --all lists them\n", count(len(actions)-i, "more thing"))
			break
		}
		what, _ := act.words(a.shown.lang)
		when := string(act.Do)
		switch {
		case act.Overdue:
			when += ", since " + act.Deadline
		case act.Deadline != "":
			when += ", by " + act.Deadline
		}
		fmt.Fprint(out, wrappedTo(opts.width, "- ", "  ", when+": "+what+"."))
		fmt.Fprint(out, wrappedTo(opts.width, "  ", "  ", act.concerns(opts.all)))
	}
	fmt.Fprintln(out)
}

// concerns names the certificates of an action, and the systems.
func (a *action) concerns(all bool) string {
	kind := "certificate"
	if a.CA {
		kind = "CA"
	}
	most := maxNamesShown
	if all {
		most = len(a.Certificates)
	}
	var names []string
	for _, c := range a.Certificates {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %s more", thousands(len(names)-most))
		names = names[:most]
	}
	return count(len(a.Certificates), kind) + " in " + systemCount(len(a.systems())) + ": " + strings.Join(names, ", ") + more + "."
}

func systemCount(n int) string {
	if n == 1 {
		return "1 file or server"
	}
	return thousands(n) + " files or servers"
}

// lines is the summary.
func (s summary) lines() []string {
	total := s.Now + s.Soon + s.Later + s.Fix + s.OK + s.Other + s.TakeOut + s.Trust + s.Accepted
	if total == 0 {
		return []string{strings.TrimSpace("No certificates were found." + s.skipped())}
	}
	join := func(parts ...any) string {
		var texts []string
		for i := 0; i < len(parts); i += 2 {
			if n := parts[i].(int); n > 0 {
				texts = append(texts, thousands(n)+" "+parts[i+1].(string))
			}
		}
		return strings.Join(texts, ", ")
	}
	text := join(s.Now, "to replace now", s.Soon, "to replace within 90 days", s.Later, "to replace later", s.Fix, "to put right",
		s.OK, "in order", s.Accepted, "accepted", s.Other, "not of PKIoverheid")
	cas := join(s.TakeOut, "to take out of what is trusted", s.Trust, "to trust a successor beside")
	lines := []string{count(total, "certificate") + " in " + count(s.Places, "place")}
	if text != "" {
		lines[0] += ": " + text
	}
	lines[0] += "." + s.skipped()
	if cas != "" {
		lines = append(lines, "CAs among them: "+cas+".")
	}
	return lines
}

func (s summary) skipped() string {
	text := ""
	if n := s.Skipped - s.Unread; n > 0 {
		text = " Skipped: " + thousands(n) + " that can hold no certificate."
	}
	if s.Unread > 0 {
		text += " Not opened up: " + count(s.Unread, "archive or database") + " of a kind that is not read (--json lists them)."
	}
	return text
}

// errorLines are what could not be looked at: what is alike in one folder on one line.
func (a *audit) errorLines() []string {
	type kind struct{ folder, text string }
	var order []kind
	places := map[kind][]string{}
	for i := range a.NotRead {
		n := &a.NotRead[i]
		if n.Skipped || n.Accepted != nil {
			continue
		}
		k := kind{text: n.Error}
		if n.Advice != "" {
			k.text += ": " + n.Advice
		}
		where := n.Target
		if n.Path != "" {
			where, k.folder = n.Path, filepath.Dir(n.Path)
		}
		if places[k] == nil {
			order = append(order, k)
		}
		places[k] = append(places[k], where)
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
			lines = append(lines, count(len(all), "server")+": "+k.text+": "+some(all))
		default:
			lines = append(lines, k.folder+": "+count(len(all), "file")+" in it: "+k.text)
		}
	}
	if more > 0 {
		lines = append(lines, count(more, "more place")+" could not be looked at: --json and --csv list them")
	}
	return lines
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
