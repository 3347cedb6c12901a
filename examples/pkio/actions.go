package main

import (
	"cmp"
	"slices"

	"github.com/go-pkioverheid/trust/pkioverheid/advice"
)

// action is something that one order or one change settles, and all that it concerns.
type action struct {
	toDo
	Certificates []*certificate
}

// toDo is what certificates have in common that are settled together.
type toDo struct {
	Do          class
	CA          bool
	Hierarchy   string
	Status      string
	Supplier    string
	Replacement string
	Deadline    string
	Overdue     bool
	Problem     string // of classFix: what is wrong
}

// actions are what there is to do, the most urgent first.
func (a *audit) actions() []action {
	byKey := map[toDo]*action{}
	var order []*action
	for _, c := range a.Certificates {
		if !c.Do.needsAction() || c.Accepted != nil {
			continue
		}
		key := c.toDo()
		if byKey[key] == nil {
			byKey[key] = &action{toDo: key}
			order = append(order, byKey[key])
		}
		byKey[key].Certificates = append(byKey[key].Certificates, c)
	}
	slices.SortStableFunc(order, func(a, b *action) int {
		return cmp.Or(cmp.Compare(a.Do.grade(), b.Do.grade()), compareDeadlines(a.Deadline, b.Deadline), cmp.Compare(a.Hierarchy, b.Hierarchy),
			cmp.Compare(b.Status, a.Status), cmp.Compare(a.Supplier, b.Supplier), cmp.Compare(a.Replacement, b.Replacement), cmp.Compare(a.Problem, b.Problem))
	})
	all := make([]action, len(order))
	for i, a := range order {
		all[i] = *a
	}
	return all
}

func (c *certificate) toDo() toDo {
	switch {
	case c.Do == classFix:
		return toDo{Do: classFix, Problem: c.problem()}
	case c.Status == string(advice.Compromised):
		return toDo{Do: c.Do, Status: c.Status}
	}
	key := toDo{Do: c.Do, CA: c.CA, Hierarchy: c.Hierarchy, Status: c.Status, Supplier: c.Supplier,
		Replacement: c.Replacement, Deadline: c.Deadline, Overdue: c.Overdue}
	if key.CA {
		key.Supplier = "" // nobody is asked: one changes what one trusts
	}
	return key
}

// problem is what is wrong with a certificate that needs no replacement, in words that
// are the same for others with the same problem.
func (c *certificate) problem() string {
	for i := range c.Places {
		if state := stateOf(&c.Places[i], c); state != stateTrusted {
			return stateWords(state)
		}
		if len(c.Places[i].Problems) > 0 {
			return c.Places[i].Problems[0]
		}
	}
	return ""
}

// words says what one order or one change settles, and why.
func (k toDo) words() (what, why string) {
	if k.Do == classFix {
		return "Put right how it is used: " + k.Problem, "Nothing has to be ordered for this; programs refuse it as it is, or some do."
	}
	if k.Status == string(advice.Compromised) {
		return "Take test certificates out of use", "Their private keys are public: they are of package pkiotest."
	}
	by, old := "", hierarchyName(k.Hierarchy)
	if k.Replacement != "" {
		by = hierarchyName(k.Replacement)
	}
	supplier := cmp.Or(k.Supplier, "the certificate supplier")
	switch {
	case k.CA && k.Do == classNow:
		what = "Take the CAs of " + old + " out of what is trusted"
		if by != "" {
			what += ", and trust " + by
		}
	case k.CA && by != "":
		what = "Trust " + by + " beside " + old
	case k.CA:
		what = "Ask what comes after the CAs of " + old
	case by != "":
		what = "Ask " + supplier + " for certificates under " + by
	default:
		what = "Ask " + supplier + " for new certificates"
	}
	subject := "These certificates are of " + old
	if k.CA {
		subject = "These are CA certificates of " + old
	}
	switch k.Status {
	case stateRevoked:
		why = subject + ", and revoked."
	case string(advice.Withdrawn):
		why = subject + ", withdrawn."
	case string(advice.Unfit):
		why = subject + ", which may not be used like this."
	case string(advice.Ended):
		why = subject + ", and are no longer valid."
	case string(advice.Ending):
		why = subject + ", and end."
	default:
		why = subject + "."
	}
	return what, why
}

// systems are the files and servers in which an action changes something, in order.
func (a *action) systems() []string {
	var all []string
	for _, c := range a.Certificates {
		for i := range c.Places {
			all = append(all, c.Places[i].system())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
