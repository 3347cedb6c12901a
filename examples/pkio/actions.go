package main

import (
	"cmp"
	"slices"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
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
		if !c.Do.NeedsAction() || c.Accepted != nil {
			continue
		}
		key := toDoOf(c)
		if byKey[key] == nil {
			byKey[key] = &action{toDo: key}
			order = append(order, byKey[key])
		}
		byKey[key].Certificates = append(byKey[key].Certificates, c)
	}
	slices.SortStableFunc(order, func(a, b *action) int {
		return cmp.Or(cmp.Compare(a.Do.Grade(), b.Do.Grade()), model.CompareDeadlines(a.Deadline, b.Deadline), cmp.Compare(a.Hierarchy, b.Hierarchy),
			cmp.Compare(b.Status, a.Status), cmp.Compare(a.Supplier, b.Supplier), cmp.Compare(a.Replacement, b.Replacement), cmp.Compare(a.Problem, b.Problem))
	})
	all := make([]action, len(order))
	for i, a := range order {
		all[i] = *a
	}
	return all
}

func toDoOf(c *certificate) toDo {
	switch {
	case c.Do == classFix:
		return toDo{Do: classFix, Problem: whatIsWrong(c)}
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

// whatIsWrong is what is wrong with a certificate that needs no replacement, in words that
// are the same for others with the same problem.
func whatIsWrong(c *certificate) string {
	for i := range c.Places {
		if state := c.Places[i].StateOf(c); state != model.Trusted {
			return model.StateWords(state)
		}
		if len(c.Places[i].Problems) > 0 {
			return c.Places[i].Problems[0]
		}
	}
	return ""
}

// words says what one order or one change settles, and why.
func (k toDo) words(l language) (what, why string) {
	if k.Do == classFix {
		return l.say("Put right how it is used: %s", l.say(k.Problem)), l.say("Nothing has to be ordered for this; programs refuse it as it is, or some do.")
	}
	if k.Status == string(advice.Compromised) {
		return l.say("Take test certificates out of use"), l.say("Their private keys are public: they are of package pkiotest.")
	}
	by, old := "", l.hierarchy(k.Hierarchy)
	if k.Replacement != "" {
		by = l.hierarchy(k.Replacement)
	}
	supplier := k.supplier(l)
	switch {
	case k.CA && k.Do == classNow && by != "":
		what = l.say("Take the CAs of %s out of what is trusted, and trust %s", old, by)
	case k.CA && k.Do == classNow:
		what = l.say("Take the CAs of %s out of what is trusted", old)
	case k.CA && by != "":
		what = l.say("Trust %[2]s beside %[1]s", old, by)
	case k.CA:
		what = l.say("Ask what comes after the CAs of %s", old)
	case by != "":
		what = l.say("Ask %s for certificates under %s", supplier, by)
	default:
		what = l.say("Ask %s for new certificates", supplier)
	}
	why = l.say("These certificates are of %s", old)
	if k.CA {
		why = l.say("These are CA certificates of %s", old)
	}
	switch k.Status {
	case model.Revoked:
		why += l.say(", and revoked.")
	case string(advice.Withdrawn):
		why += l.say(", withdrawn.")
	case string(advice.Unfit):
		why += l.say(", which may not be used like this.")
	case string(advice.Ended):
		why += l.say(", and are no longer valid.")
	case string(advice.Ending):
		why += l.say(", and end.")
	default:
		why += "."
	}
	return what, why
}

// supplier is whom to ask.
func (k toDo) supplier(l language) string {
	if k.Supplier != "" {
		return k.Supplier
	}
	return l.say("the certificate supplier")
}

// systems are the files and servers in which an action changes something, in order.
func (a *action) systems() []string {
	var all []string
	for _, c := range a.Certificates {
		for i := range c.Places {
			all = append(all, systemName(&c.Places[i]))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
