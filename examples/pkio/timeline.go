package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

// timelineItem is a line of the timeline: a date of PKIoverheid, today, or how many of
// the findings are due or end in a span of time.
type timelineItem struct {
	At              time.Time
	Deadline, Today bool
	Label           string
	Bars            []bar
	Text            string
}

type bar struct {
	Class    class
	X, Width string
}

// Spans near the present are quarters, those further away are years, and the rest is
// put together: a certificate can end in any year.
const (
	quartersBack  = 4
	quartersAhead = 12
	yearsBack     = 7
	yearsAhead    = 20
)

// span returns the beginning and the name of the span in which a quarter lies.
func span(l language, quarter int, now time.Time) (time.Time, string) {
	year, q := quarter/4, quarter%4
	switch ahead := quarter - period(now); {
	case ahead >= -quartersBack && ahead <= quartersAhead:
		return day(year, time.Month(q*3+1), 1), l.say("%d Q%d", year, q+1)
	case year < now.Year()-yearsBack:
		return day(0, 1, 1), l.say("before %d", now.Year()-yearsBack)
	case year > now.Year()+yearsAhead:
		return day(now.Year()+yearsAhead+1, 1, 1), l.say("after %d", now.Year()+yearsAhead)
	case ahead < 0:
		return day(year, 1, 1), fmt.Sprint(year)
	}
	// The quarters of the year in which the years begin are not all near.
	first := max(year*4, period(now)+quartersAhead+1)
	return day(year, time.Month(first%4*3+1), 1), fmt.Sprint(year)
}

// period is a quarter as a number that sorts.
func period(t time.Time) int { return t.Year()*4 + (int(t.Month())-1)/3 }

// due is the moment that a certificate has on the timeline: by when to replace it, or
// else its own end. What must be done now, and was not due before, is for today: it has no
// date of its own.
func dueDate(c *certificate, now time.Time) (due time.Time, today bool) {
	due, err := time.Parse(time.DateOnly, c.Deadline)
	if err != nil {
		due = c.NotAfter
	}
	return due, c.Do == classNow && (err != nil || due.After(now))
}

// onTimeline reports whether somebody has to do with the date of a certificate: nobody
// here replaces other people's CAs, or what is accepted.
func onTimeline(c *certificate) bool {
	return c.Accepted == nil && c.Status != model.WrongKey && c.Status != model.Imitation && (c.Do.NeedsAction() || c.Do == classOK && !c.CA)
}

func (a *audit) timeline() []timelineItem {
	type spanned struct {
		label string
		n     map[class]int
		total int
	}
	l := a.shown.lang
	spans := map[time.Time]*spanned{}
	most, today := 1, 0
	for _, c := range a.tasks() {
		if !onTimeline(c) {
			continue
		}
		due, isToday := dueDate(c, a.Run.At)
		if isToday {
			today++
			continue
		}
		start, label := span(l, period(due), a.Run.At)
		if spans[start] == nil {
			spans[start] = &spanned{label: label, n: map[class]int{}}
		}
		spans[start].n[c.Do]++
		spans[start].total++
		most = max(most, spans[start].total)
	}
	items := []timelineItem{{At: a.Run.At, Today: true}}
	if today > 0 {
		items[0].Text = l.say("for now, without a date: %s", l.number(today))
	}
	for start, s := range spans {
		item := timelineItem{At: start, Label: s.label}
		var parts []string
		total := 0
		for _, c := range model.Classes {
			if s.n[c] == 0 {
				continue
			}
			width := float64(s.n[c]) * 100 / float64(most)
			item.Bars = append(item.Bars, bar{c, fmt.Sprintf("%.2f", float64(total)*100/float64(most)), fmt.Sprintf("%.2f", max(width, 0.6))})
			parts = append(parts, l.number(s.n[c])+" "+l.say(classLabels[c]))
			total += s.n[c]
		}
		item.Text = strings.Join(parts, ", ")
		items = append(items, item)
	}
	for _, m := range milestones(l) {
		start, _ := span(l, period(m.Date), a.Run.At)
		if m.Date.After(a.Run.At.AddDate(-1, 0, 0)) || spans[start] != nil {
			items = append(items, timelineItem{At: m.Date, Deadline: true, Label: strings.ToUpper(m.What[:1]) + m.What[1:]})
		}
	}
	slices.SortStableFunc(items, func(i, j timelineItem) int {
		return cmp.Or(i.At.Compare(j.At), strings.Compare(i.Label, j.Label))
	})
	return items
}
