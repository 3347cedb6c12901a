package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
)

// milestone is a date of the plan.
type milestone struct {
	Date   time.Time `json:"date"`
	What   string    `json:"what"`
	Source string    `json:"source"`
}

// planFlags are those of pkio plan.
type planFlags struct {
	at                    moment
	services, json, order bool
	passwords             passwords
	lang                  langFlag
}

func newPlan() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan [--order [CERT]]",
		Short: "Show the dates that matter",
		Long: `plan shows the dates of the replacement of 2020, of the move to Private G4, and when
each hierarchy ends: when the last CA of a certificate supplier (TSP) under it does.
These are in the certificates; the other dates are from publications, which are named.

With --order it shows which certificates a system can be given, from whom and with
what in them; with CERT, a file or HOST:PORT, what to order in the place of that one.`,
		Example: `  pkio plan
  pkio plan --order client.p7b
  pkio plan --services     what was published about single services of Logius
  pkio plan --at 2028-01-01`,
		Args: positional(0, 1, "at most one CERT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := f.lang.language()
			switch {
			case err != nil:
				return err
			case f.order && f.services:
				return errors.New("--order and --services show different things: give one")
			case !f.order && f.passwords.given():
				return errors.New("--password-file and --password-env are for the CERT of --order")
			case f.order:
				return showOrders(cmd, l, f.at.orNow(), f.json, &f.passwords, args)
			case len(args) > 0:
				return fmt.Errorf("a CERT goes with --order: see %s --help", cmd.CommandPath())
			}
			return f.writeDates(cmd.OutOrStdout(), l)
		},
	}
	f.lang.flag(cmd)
	f.at.flag(cmd, "count the days from this date")
	cmd.Flags().BoolVar(&f.services, "services", false, "also what was published about single services")
	cmd.Flags().BoolVar(&f.json, "json", false, "as JSON")
	cmd.Flags().BoolVar(&f.order, "order", false, "which certificate to order, from whom, with what in it")
	f.passwords.flags(cmd, "", "")
	return cmd
}

// writeDates writes the dates of the plan, and what was published about services.
func (f *planFlags) writeDates(out io.Writer, l language) error {
	if f.json {
		l = english
	}
	dates, now := milestones(l), f.at.orNow()
	if f.json {
		if f.services {
			return writeIndented(out, struct {
				Dates    []milestone      `json:"dates"`
				Services []logius.Service `json:"services"`
			}{dates, logius.Services()})
		}
		return writeIndented(out, dates)
	}
	p := painter(out)
	next, width := true, 0
	for _, m := range dates {
		width = max(width, len(inDays(l, m.Date, now)))
	}
	for _, m := range dates {
		line := fmt.Sprintf("%s  %-*s  %s", l.date(date(m.Date)), width, inDays(l, m.Date, now), m.What)
		if m.Date.After(now) && next {
			line, next = p.bold(line), false
		}
		fmt.Fprintln(out, line)
		fmt.Fprintf(out, "%*s(%s)\n", len("2006-01-02")+2+width+2, "", m.Source)
	}
	if f.services {
		fmt.Fprint(out, "\n", wrapped("", "", l.say("Services of Logius, as published; your own agreement with Logius goes before this.")))
		for _, s := range logius.Services() {
			fmt.Fprintf(out, "\n%s (%s)\n", p.bold(s.Name), s.Protocol)
			for _, n := range s.Notes {
				fmt.Fprint(out, wrapped(fmt.Sprintf("  %-17s ", n.Date), strings.Repeat(" ", 20), string(n.Environment)+" "+n.Text))
			}
		}
	}
	fmt.Fprintln(out, "\n"+l.say("Which certificates this is about: pkio audit PATH"))
	return nil
}

// milestones are the dates in order: those published (pkioverheid/facts.md §3 and §5),
// and the ends of the hierarchies.
func milestones(l language) []milestone {
	plan2020 := l.say("Logius, replacement plan of 2020")
	blog2021 := l.say("Logius, blog on the revocation of G3")
	all := []milestone{
		{day(2020, 10, 1), l.say("G3 certificates for web traffic were due"), blog2021},
		{pkioverheid.G3.Plan().ReplaceBy, l.say("every G3 server certificate had to be replaced"), plan2020},
		{day(2021, 1, 31), l.say("browsers were asked to drop the G3 root"), plan2020},
		{day(2021, 2, 1), l.say("revocation of the G3 server certificates was complete"), blog2021},
		{day(2026, 11, 12), l.say("CIBG (UZI-register) issues under Private G4 only"), "Nuts"},
		{pkioverheid.PrivateG1.Plan().ReplaceBy, l.say("everybody must have moved from Private G1 to Private G4"), "Logius"},
	}
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		all = append(all, milestone{endOf(h), l.say("%s ends: nothing under it verifies after this", h), l.say("its TSP CAs")})
		all = append(all, milestone{h.Root().NotAfter.UTC(), l.say("the root of %s expires", h), fmt.Sprintf("%q", h.Root().Subject.CommonName)})
	}
	slices.SortStableFunc(all, func(a, b milestone) int { return cmp.Or(a.Date.Compare(b.Date)) })
	return all
}

// endOf is when the last TSP CA of a hierarchy ends.
func endOf(h pkioverheid.Hierarchy) (last time.Time) {
	for _, c := range h.Certificates()[2:] {
		if c.NotAfter.After(last) {
			last = c.NotAfter.UTC()
		}
	}
	return last
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// inDays says how far away a date is.
func inDays(l language, date, now time.Time) string {
	midnight := func(t time.Time) time.Time { return day(t.Year(), t.Month(), t.Day()) }
	days := int(midnight(date).Sub(midnight(now)) / (24 * time.Hour))
	switch {
	case days == 0:
		return l.say("today")
	case days < 0:
		return l.say("%s ago", l.count(-days, "day"))
	}
	return l.say("in %s", l.count(days, "day"))
}

// thousands writes a number with commas.
func thousands(n int) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
