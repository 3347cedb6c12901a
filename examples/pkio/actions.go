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
	Deadline     string // the first of its certificates'
	Overdue      bool
	Certificates []*certificate
}

// toDo is what certificates have in common that are settled together.
type toDo struct {
	Do          class
	CA          bool
	Hierarchy   string // of CAs
	Supplier    string // of others: who is asked
	Replacement string
	Product     string // where that is of no hierarchy known here
	product     string // the same in Dutch
	TestKey     bool   // the private keys are public
	WrongKey    bool   // those beside them are of others
	Imitation   bool   // they are not of PKIoverheid, and say so
	Problem     string // of classFix: what is wrong
}

// tasks are the certificates with what is to be done about each, the most urgent first. One
// beside the key of another is there twice: where it is so, and with what is to be done
// about itself.
func (a *audit) tasks() []*certificate {
	all := make([]*certificate, 0, len(a.Certificates))
	for _, c := range a.Certificates {
		if wrong, own := c.Apart(); wrong != nil && c.Accepted == nil {
			all = append(all, wrong, own)
		} else {
			all = append(all, c)
		}
	}
	if len(all) > len(a.Certificates) {
		slices.SortStableFunc(all, (*certificate).Compare)
	}
	return all
}

// actions are what there is to do, the most urgent first: what does not work before what is
// in use, and that before what is trusted.
func (a *audit) actions() []action {
	byKey := map[toDo]*action{}
	var order []*action
	for _, c := range a.tasks() { // the first deadline first
		if !c.Do.NeedsAction() || c.Accepted != nil {
			continue
		}
		key := toDoOf(c)
		if byKey[key] == nil {
			byKey[key] = &action{toDo: key}
			if c.Do != classFix {
				byKey[key].Deadline, byKey[key].Overdue = c.Deadline, c.Overdue
			}
			order = append(order, byKey[key])
		}
		byKey[key].Certificates = append(byKey[key].Certificates, c)
	}
	slices.SortStableFunc(order, func(a, b *action) int {
		return cmp.Or(cmp.Compare(a.Do.Grade(), b.Do.Grade()), compareBools(b.Imitation, a.Imitation), compareBools(b.WrongKey, a.WrongKey), compareBools(a.CA, b.CA), model.CompareDeadlines(a.Deadline, b.Deadline),
			cmp.Compare(a.Hierarchy, b.Hierarchy), cmp.Compare(a.Supplier, b.Supplier), cmp.Compare(a.Replacement, b.Replacement), cmp.Compare(a.Problem, b.Problem))
	})
	all := make([]action, len(order))
	for i, a := range order {
		all[i] = *a
	}
	return all
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// manyDeadlines reports whether the deadline is that of some of them only.
func (a *action) manyDeadlines() bool {
	return a.Do != classFix && slices.ContainsFunc(a.Certificates, func(c *certificate) bool { return c.Deadline != a.Deadline })
}

func toDoOf(c *certificate) toDo {
	switch {
	case c.Do == classFix:
		return toDo{Do: classFix, Problem: whatIsWrong(c)}
	case c.Status == string(advice.Compromised):
		return toDo{Do: c.Do, TestKey: true}
	case c.Status == model.WrongKey:
		return toDo{Do: c.Do, WrongKey: true}
	case c.Status == model.Imitation:
		return toDo{Do: c.Do, Imitation: true}
	case c.CA: // nobody is asked: one changes what one trusts
		return toDo{Do: c.Do, CA: true, Hierarchy: c.Hierarchy, Replacement: c.Replacement}
	}
	key := toDo{Do: c.Do, Supplier: c.Supplier, Replacement: c.Replacement}
	if c.Order != nil && c.Replacement == "" {
		key.Product, key.product = c.Order.Product, c.Order.ProductDutch
	}
	return key
}

// whatIsWrong is what is wrong with a certificate that needs no replacement, in words that
// are the same for others with the same problem.
func whatIsWrong(c *certificate) string {
	if c.Status == string(advice.TestOnly) {
		return isForTests
	}
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

// isForTests is the problem of a test certificate that is not of package pkiotest.
const isForTests = "It is a test certificate, which no production system trusts."

// words says what one order or one change settles.
func (k toDo) words(l language) string {
	switch {
	case k.Problem == isForTests:
		return l.say("Keep test certificates out of production")
	case k.Do == classFix:
		return l.say("Put right how it is used: %s", l.say(k.Problem))
	case k.TestKey:
		return l.say("Take test certificates out of use")
	case k.Imitation:
		return l.say("Take imitations of PKIoverheid out of use, and find out where they came from")
	case k.WrongKey:
		return l.say("Put the right key beside the certificate, or the certificate of the key")
	}
	by, old := "", l.hierarchy(k.Hierarchy)
	if k.Replacement != "" {
		by = l.hierarchy(k.Replacement)
	}
	supplier := k.supplier(l)
	switch {
	case k.CA && k.Do == classNow && by != "":
		return l.say("Take the CAs of %s out of what is trusted, and trust %s", old, by)
	case k.CA && k.Do == classNow:
		return l.say("Take the CAs of %s out of what is trusted", old)
	case k.CA && by != "":
		return l.say("Trust %[2]s beside %[1]s", old, by)
	case k.CA:
		return l.say("Ask what comes after the CAs of %s", old)
	case by != "":
		return l.say("Ask %s for certificates under %s", supplier, by)
	case k.Product != "":
		return l.say("Ask %s for %s", supplier, l.product(&order{Product: k.Product, ProductDutch: k.product}))
	}
	return l.say("Ask %s for new certificates", supplier)
}

// why says why: of which hierarchies its certificates are, and what is with them.
func (a *action) why(l language) string {
	switch {
	case a.Problem == isForTests:
		return l.say("They are for tests: no production system trusts them.")
	case a.Do == classFix:
		return l.say("Nothing has to be ordered for this; programs refuse it as it is, or some do.")
	case a.TestKey:
		return l.say("Their private keys are public: they are of package pkiotest.")
	case a.Imitation:
		return l.say("They have the name of a CA of PKIoverheid, or name one as their issuer, and its key did not sign them: they are forged, damaged, or of a test chain.")
	case a.WrongKey:
		return l.say("The private key beside it is that of another certificate: no server works with the two.")
	}
	var all []string
	for _, c := range a.Certificates {
		of := l.hierarchy(c.Hierarchy)
		switch c.Status {
		case model.Revoked:
			of += l.say(" (revoked)")
		case string(advice.Withdrawn):
			of += l.say(" (withdrawn)")
		case string(advice.Unfit):
			of += l.say(" (not for this use)")
		case string(advice.Ended):
			of += l.say(" (ended)")
		}
		if !slices.Contains(all, of) {
			all = append(all, of)
		}
	}
	return l.say("Now: %s.", l.list(all, 4))
}

// isOfUse reports whether it is about certificates that can be used until they are replaced.
func (k toDo) isOfUse() bool { return !k.TestKey && !k.WrongKey && !k.Imitation }

// supplier is whom to ask.
func (k toDo) supplier(l language) string {
	if k.Supplier != "" {
		return k.Supplier
	}
	return l.say("the certificate supplier")
}

// distinctNames are the names of certificates, of so many letters: those that are the same
// say when they were issued, or else have the end of their SHA-256.
func distinctNames(l language, certs []*certificate, most int) []string {
	names := make([]string, len(certs))
	for i, c := range certs {
		names[i] = shortened(c.Name, most)
	}
	for _, more := range []func(c *certificate) string{
		func(c *certificate) string { return l.say("issued %s", l.date(date(c.NotBefore))) },
		func(c *certificate) string { return "SHA-256 …" + c.SHA256[max(0, len(c.SHA256)-8):] },
	} {
		count := map[string]int{}
		for _, name := range names {
			count[name]++
		}
		for i, c := range certs {
			if count[names[i]] > 1 {
				names[i] += " (" + more(c) + ")"
			}
		}
	}
	return names
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
