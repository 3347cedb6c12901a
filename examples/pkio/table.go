package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// maxAdvice is how many different pieces of advice follow the table.
const maxAdvice = 20

// writeTable writes the findings for a person: a table, the advice, and in any case how
// many there are of what.
func (fs *findings) writeTable(to io.Writer, whole bool) error {
	out := bufio.NewWriter(to)
	p := painter(to)
	if whole && len(fs.worst) > 0 {
		fs.writeRows(out, p)
		fs.writeAdvice(out, p)
	}
	fmt.Fprintln(out, fs.summary())
	if more := fs.leftOut(); whole && more != "" {
		fmt.Fprintf(out, "Not in the table: %s; --csv and --json have all.\n", more)
	}
	return out.Flush()
}

func (fs *findings) writeRows(out io.Writer, p paint) {
	rows := [][]string{{"DO", "BY", "HIERARCHY", "STATE", "NAME", "WHERE"}}
	all := fs.sorted()
	for _, f := range all {
		by := ""
		if f.Class <= classLater && !f.Advice.Deadline.IsZero() {
			if by = date(f.Advice.Deadline); f.overdue(fs.At) {
				by += " overdue"
			}
		}
		r := f.row()
		rows = append(rows, []string{f.Class.String(), by, r.hierarchy, r.state, r.name, r.where})
	}
	var widths [6]int
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case n == 0:
				line.WriteString(p.bold(cell))
			case i == 0 && all[n-1].Class == classNow:
				line.WriteString(p.red(cell))
			case i == 0 && all[n-1].Class == classSoon:
				line.WriteString(p.yellow(cell))
			case i == 0 && all[n-1].Class == classOK:
				line.WriteString(p.green(cell))
			default:
				line.WriteString(cell)
			}
			if i < len(row)-1 {
				line.WriteString(pad + "  ")
			}
		}
		fmt.Fprintln(out, line.String())
	}
	fmt.Fprintln(out)
}

// writeAdvice writes what to do, once for what is alike.
func (fs *findings) writeAdvice(out io.Writer, p paint) {
	told := map[string]bool{}
	for _, f := range fs.sorted() {
		if f.Class > classLater || told[f.Advice.Text] {
			continue
		}
		if len(told) == 0 {
			fmt.Fprintln(out, p.bold("What to do"))
		}
		told[f.Advice.Text] = true
		if len(told) > maxAdvice {
			continue
		}
		fmt.Fprint(out, wrapped("- ", "  ", f.Class.String()+": "+safetext.Printable(f.Advice.Text, maxText)))
	}
	if more := len(told) - maxAdvice; more > 0 {
		fmt.Fprintf(out, "- and %s more, for others of the table: --csv and --json have all\n", thousands(more))
	}
	if len(told) > 0 {
		fmt.Fprintln(out)
	}
}

// summary is one line.
func (fs *findings) summary() string {
	if fs.places() == 0 {
		return "No certificates were found." + fs.passedOver()
	}
	parts := []string{}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, thousands(n)+" "+what)
		}
	}
	add(fs.Count[classNow], "to replace now")
	add(fs.Count[classSoon], "within 90 days")
	add(fs.Count[classLater], "later")
	add(fs.Count[classOK], "in order")
	add(fs.Count[classOther], "not of PKIoverheid")
	return count(fs.places(), "finding") + ", " + fs.distinct() + ": " + strings.Join(parts, ", ") + "." + fs.passedOver()
}

func (fs *findings) passedOver() string {
	if n := fs.Count[classSkipped]; n > 0 {
		return " Skipped: " + thousands(n) + " that can hold no certificate."
	}
	return ""
}

// distinct is how many certificates there are, each counted once.
func (fs *findings) distinct() string {
	if fs.Distinct == maxDistinct {
		return "of more than " + count(maxDistinct, "certificate")
	}
	return "of " + count(fs.Distinct, "certificate")
}
