package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
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
	Class    string
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
func span(quarter int, now time.Time) (time.Time, string) {
	year, q := quarter/4, quarter%4
	switch ahead := quarter - period(now); {
	case ahead >= -quartersBack && ahead <= quartersAhead:
		return day(year, time.Month(q*3+1), 1), fmt.Sprintf("%d Q%d", year, q+1)
	case year < now.Year()-yearsBack:
		return day(0, 1, 1), fmt.Sprintf("before %d", now.Year()-yearsBack)
	case year > now.Year()+yearsAhead:
		return day(now.Year()+yearsAhead+1, 1, 1), fmt.Sprintf("after %d", now.Year()+yearsAhead)
	case ahead < 0:
		return day(year, 1, 1), fmt.Sprint(year)
	}
	// The quarters of the year in which the years begin are not all near.
	first := max(year*4, period(now)+quartersAhead+1)
	return day(year, time.Month(first%4*3+1), 1), fmt.Sprint(year)
}

func (fs *findings) timeline() []timelineItem {
	type spanned struct {
		label string
		n     [classes]int
	}
	spans := map[time.Time]*spanned{}
	most := 1
	for quarter, n := range fs.Ends {
		start, label := span(quarter, fs.At)
		if spans[start] == nil {
			spans[start] = &spanned{label: label}
		}
		total := 0
		for c := range n {
			spans[start].n[c] += n[c]
			total += spans[start].n[c]
		}
		most = max(most, total)
	}
	items := []timelineItem{{At: fs.At, Today: true}}
	for start, s := range spans {
		item := timelineItem{At: start, Label: s.label}
		var parts []string
		total := 0
		for c := classNow; c <= classOther; c++ {
			if s.n[c] == 0 {
				continue
			}
			width := float64(s.n[c]) * 100 / float64(most)
			item.Bars = append(item.Bars, bar{classIDs[c], fmt.Sprintf("%.2f", float64(total)*100/float64(most)), fmt.Sprintf("%.2f", max(width, 0.6))})
			parts = append(parts, thousands(s.n[c])+" "+classLabels[classIDs[c]])
			total += s.n[c]
		}
		item.Text = strings.Join(parts, ", ")
		items = append(items, item)
	}
	for _, m := range milestones() {
		start, _ := span(period(m.Date), fs.At)
		if m.Date.After(fs.At.AddDate(-1, 0, 0)) || spans[start] != nil {
			items = append(items, timelineItem{At: m.Date, Deadline: true, Label: strings.ToUpper(m.What[:1]) + m.What[1:]})
		}
	}
	slices.SortStableFunc(items, func(a, b timelineItem) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Label, b.Label))
	})
	return items
}
