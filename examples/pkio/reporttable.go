package main

import (
	"cmp"
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

// maxPlain is how many rows of a table the page has for whoever has no script.
const maxPlain = 100

// dataTable is a table of the page. Its rows are in the page as data; a script draws those
// that are seen, and without it the first ones are there.
type dataTable struct {
	ID      string
	Caption string
	Columns []dataColumn
	Plain   [][]cell
	More    int // rows that only the data has

	rows   [][]cell
	search []string // what the filter finds a row by, besides its cells
}

type dataColumn struct {
	Head string
	Kind string // do, date, name or text
}

// cell is one of a table.
type cell struct {
	Kind    string
	Text    string // of a date, as 2027-12-31
	Note    string
	Class   class
	Overdue bool
	Chain   int // the number of a picture; 0 for none
	Head    string
}

func newTable(id, caption string, columns ...dataColumn) *dataTable {
	return &dataTable{ID: id, Caption: caption, Columns: columns}
}

func (t *dataTable) add(cells ...cell) {
	for i := range cells {
		cells[i].Kind, cells[i].Head = t.Columns[i].Kind, t.Columns[i].Head
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) <= maxPlain {
		t.Plain = append(t.Plain, cells)
	} else {
		t.More++
	}
}

// N is how many rows there are.
func (t *dataTable) N() int { return len(t.rows) }

// strings of all tables, each once.
type stringPool struct {
	list  []string
	index map[string]int
}

func (p *stringPool) of(s string) int {
	if i, ok := p.index[s]; ok {
		return i
	}
	p.index[s] = len(p.list)
	p.list = append(p.list, s)
	return p.index[s]
}

// pageClasses are the classes in the order of their numbers in the data.
var pageClasses = append(slices.Clone(model.Classes), "error", "accepted")

// encode is a cell in the data: a number of a string, or a list that begins with it.
func (c *cell) encode(p *stringPool) any {
	if c.Kind == "do" {
		return slices.Index(pageClasses, c.Class)
	}
	all := []int{p.of(c.Text)}
	switch {
	case c.Kind == "date" && c.Overdue:
		all = append(all, 1)
	case c.Kind == "date":
	case c.Chain > 0:
		all = append(all, p.of(c.Note), c.Chain)
	case c.Note != "":
		all = append(all, p.of(c.Note))
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// pageData is what the script of the page reads: JSON in which <, > and & are escaped, so
// that no text of others ends the element that it is in.
func (r *report) pageData(l language) (template.JS, error) {
	pool := &stringPool{index: map[string]int{}}
	type tableData struct {
		Kinds []string `json:"kinds"`
		Heads []string `json:"heads"`
		Rows  [][]any  `json:"rows"`
	}
	tables := map[string]tableData{}
	for _, t := range r.tables() {
		data := tableData{Rows: make([][]any, 0, len(t.rows))}
		for _, c := range t.Columns {
			data.Kinds, data.Heads = append(data.Kinds, c.Kind), append(data.Heads, c.Head)
		}
		for i, cells := range t.rows {
			row := make([]any, len(cells), len(cells)+1)
			for j := range cells {
				row[j] = cells[j].encode(pool)
			}
			if t.search != nil && t.search[i] != "" {
				row = append(row, pool.of(t.search[i]))
			}
			data.Rows = append(data.Rows, row)
		}
		tables[t.ID] = data
	}
	words := make([]string, len(pageClasses))
	for i, c := range pageClasses {
		words[i] = l.say(classLabels[c])
	}
	text, err := json.Marshal(map[string]any{
		"lang": l.name(), "classes": pageClasses, "words": words, "tables": tables, "strings": pool.list,
		"texts": map[string]string{
			"overdue": l.say("overdue"), "shown": l.say("%s of %s shown."), "up": l.say("Sorted by %s, ascending."), "down": l.say("Sorted by %s, descending."),
			"more": l.say("Show more"),
		},
	})
	return template.JS(text), err
}

func (r *report) tables() []*dataTable {
	all := []*dataTable{r.Findings, r.Systems}
	for i := range r.Suppliers {
		for j := range r.Suppliers[i].Products {
			all = append(all, r.Suppliers[i].Products[j].Table)
		}
	}
	all = append(all, r.Machines)
	return slices.DeleteFunc(all, func(t *dataTable) bool { return t == nil })
}

// class is the one that the page shows.
func shownClass(c *certificate) class {
	if c.Accepted != nil {
		return "accepted"
	}
	return c.Do
}

// findings has a row for each certificate.
func (a *audit) findings(chains []picture) *dataTable {
	if len(a.Certificates) == 0 {
		return nil
	}
	l := a.shown.lang
	number := map[*certificate]int{}
	for i := range chains {
		number[chains[i].of] = i + 1
	}
	t := newTable("findings", l.say("Where each certificate was found, and what to do about it. The headings sort the table."),
		dataColumn{l.say("When"), "do"}, dataColumn{l.say("Before"), "date"}, dataColumn{l.say("Certificate"), "name"}, dataColumn{l.say("Hierarchy"), "text"},
		dataColumn{l.say("Valid until"), "date"}, dataColumn{l.say("Chain"), "text"}, dataColumn{l.say("Where"), "text"})
	for _, c := range a.Certificates {
		before, what := cell{}, ""
		switch {
		case c.Accepted != nil:
			what = l.say("Accepted until %s: %s", l.date(c.Accepted.Until), c.Accepted.Reason)
		case c.Do.NeedsAction():
			before = cell{Text: c.Deadline, Overdue: c.Overdue}
			what = toDoOf(c).words(l)
		}
		if _, own := c.Apart(); own != nil && own.Do.NeedsAction() && c.Accepted == nil {
			what += ". " + l.when(own.Do, own.Deadline, own.Overdue) + ": " + toDoOf(own).words(l)
		}
		t.add(cell{Class: shownClass(c)}, before, cell{Text: c.Name, Note: what, Chain: number[c]}, cell{Text: l.hierarchy(c.Hierarchy)},
			cell{Text: date(c.NotAfter)}, cell{Text: l.state(c.State)}, cell{Text: whereAll(c, l), Note: noteOf(c, l)})
		names := slices.DeleteFunc(slices.Clone(c.DNSNames), func(s string) bool { return s == c.Name })
		t.search = append(t.search, middle(strings.TrimSpace(strings.Join(names, " ")+" "+c.OIN), 200))
	}
	return t
}

// where names the places of a certificate, as many as a person reads.
func whereAll(c *certificate, l language) string {
	var all []string
	length := 0
	for i, p := range problemsFirst(c) {
		where := middle(l.where(p), maxWhere)
		if length += len(where); i > 0 && (length > maxWhere || i == 8) {
			break
		}
		all = append(all, where)
	}
	text := strings.Join(all, "; ")
	if more := len(c.Places) - len(all); more > 0 {
		text = l.say("%s and %s", text, l.count(more, "more place"))
	}
	return text
}

// noteOf says what is wrong in places of a certificate, or else what the first says that it
// is for.
func noteOf(c *certificate, l language) string {
	var all []string
	for i := range c.Places {
		for _, problem := range c.Places[i].Problems {
			text := l.say(problem)
			if len(c.Places) > 1 {
				text = middle(l.where(&c.Places[i]), maxWhere) + ": " + text
			}
			all = append(all, text)
		}
	}
	const most = 5
	if len(all) > most {
		return l.say("%s and %s more", strings.Join(all[:most], " "), l.number(len(all)-most))
	}
	return cmp.Or(strings.Join(all, " "), l.say(c.Places[0].Use))
}

// supplierOrders is what to order of a supplier.
type supplierOrders struct {
	Supplier string
	N        int
	Count    string // N in words
	Products []productOrders
}

// productOrders is one product, with what each of the certificates must have.
type productOrders struct {
	Product, Policy string
	Contents        []string
	Table           *dataTable
	Names           string // of the certificates, for a list on paper
}

// orderLists are the certificates to order, by supplier and product.
func (a *audit) orderLists() (all []supplierOrders) {
	l := a.shown.lang
	type key struct{ supplier, product, policy string }
	groups := map[key][]*certificate{}
	var keys []key
	for _, c := range a.tasks() {
		todo := toDoOf(c)
		if c.Accepted != nil || c.CA || !todo.isOfUse() || !slices.Contains([]class{classNow, classSoon, classLater}, c.Do) {
			continue
		}
		k := key{supplier: todo.supplier(l), product: l.say("a new certificate")}
		switch {
		case c.Order != nil:
			k.product, k.policy = l.product(c.Order), c.Order.Policy
		case c.Replacement != "":
			k.product = l.say("a certificate under %s", l.hierarchy(c.Replacement))
		}
		if groups[k] == nil {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], c)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.supplier, b.supplier), cmp.Compare(a.product, b.product))
	})
	n := 0
	for _, k := range keys {
		if len(all) == 0 || all[len(all)-1].Supplier != k.supplier {
			all = append(all, supplierOrders{Supplier: k.supplier})
		}
		n++
		s := &all[len(all)-1]
		s.N += len(groups[k])
		s.Count = l.count(s.N, "certificate")
		s.Products = append(s.Products, a.productOrders("order-"+thousands(n), k.product, k.policy, groups[k]))
	}
	return all
}

func (a *audit) productOrders(id, product, policy string, certs []*certificate) productOrders {
	l := a.shown.lang
	p := productOrders{Product: product, Policy: policy}
	common := map[string]int{} // what all of them must have
	for _, c := range certs {
		if c.Order != nil {
			for _, text := range l.contents(c.Order) {
				common[text]++
			}
		}
	}
	p.Table = newTable(id, l.say("%s: %s", product, l.count(len(certs), "certificate")),
		dataColumn{l.say("Before"), "date"}, dataColumn{l.say("Certificate"), "name"}, dataColumn{l.say("For"), "text"}, dataColumn{l.say("In use at"), "text"})
	var names []string
	for _, c := range certs {
		what := middle(l.list(c.DNSNames, 12), maxWhere)
		if c.OIN != "" {
			what = strings.TrimPrefix(what+"; OIN "+c.OIN, "; ")
		}
		systems := (&action{Certificates: []*certificate{c}}).systems()
		p.Table.add(cell{Text: c.Deadline, Overdue: c.Overdue}, cell{Text: c.Name}, cell{Text: what}, cell{Text: l.list(shortNames(systems), 6)})
		names = append(names, c.Name)
	}
	if first := certs[0].Order; first != nil {
		for _, text := range l.contents(first) {
			if common[text] == len(certs) && (len(certs) > 1 || !strings.Contains(text, certs[0].Name)) {
				p.Contents = append(p.Contents, text)
			}
		}
	}
	if len(certs) > 300 {
		p.Names = strings.Join(names, ", ")
	}
	return p
}

// systemsTable says of each system what to change there, the most urgent first.
func (a *audit) systemsTable() *dataTable {
	l := a.shown.lang
	type system struct {
		name    string
		class   class
		due     string
		overdue bool
		certs   []*certificate
		places  []string
	}
	byName := map[string]*system{}
	var order []*system
	for _, c := range a.tasks() { // the most urgent first
		if !c.Do.NeedsAction() || c.Accepted != nil {
			continue
		}
		for i := range c.Places {
			name := systemName(&c.Places[i])
			s := byName[name]
			if s == nil {
				s = &system{name: name, class: c.Do}
				if c.Do != classFix {
					s.due, s.overdue = c.Deadline, c.Overdue
				}
				byName[name] = s
				order = append(order, s)
			}
			if len(s.certs) == 0 || s.certs[len(s.certs)-1] != c { // nor twice in one
				s.certs = append(s.certs, c)
				s.places = append(s.places, inSystem(&c.Places[i]))
			}
		}
	}
	if len(order) == 0 {
		return nil
	}
	caption, head := l.say("Each file and server in which something changes, the most urgent first."), l.say("File or server")
	if a.manyMachines() {
		caption, head = l.say("Each machine on which something changes, the most urgent first."), l.say("Machine")
	}
	t := newTable("systems", caption, dataColumn{l.say("When"), "do"}, dataColumn{l.say("Before"), "date"}, dataColumn{head, "name"}, dataColumn{l.say("What to change"), "text"})
	for _, s := range order {
		t.add(cell{Class: s.class}, cell{Text: s.due, Overdue: s.overdue}, cell{Text: middle(s.name, maxWhere)}, cell{Text: changesOf(l, s.certs, s.places)})
	}
	return t
}

// changesOf are what to do in a system: about each certificate, and about CAs of one
// hierarchy together.
func changesOf(l language, certs []*certificate, places []string) string {
	var all []string
	type group struct{ change, hierarchy string }
	cas := map[group][]string{}
	var groups []group
	for i, c := range certs {
		if c.CA && toDoOf(c).CA {
			of := group{changeFor(c), c.Hierarchy}
			if cas[of] == nil {
				groups = append(groups, of)
			}
			cas[of] = append(cas[of], shortened(c.Name, 60))
			continue
		}
		text := l.say(changeFor(c), shortened(c.Name, 60))
		if places[i] != "" {
			text += " (" + shortened(l.place(places[i]), 60) + ")"
		}
		all = append(all, text)
	}
	for _, of := range groups {
		which := cas[of][0]
		if n := len(cas[of]); n > 1 {
			which = l.say("%s of %s", l.count(n, "CA"), l.hierarchy(of.hierarchy))
		}
		all = append(all, l.say(of.change, which))
	}
	const most = 8
	if len(all) > most {
		return l.say("%s and %s more", strings.Join(all[:most], "; "), l.number(len(all)-most))
	}
	return strings.Join(all, "; ")
}

// change is what to do about a certificate in a system, with %s for its name.
func changeFor(c *certificate) string {
	switch {
	case c.Do == classFix && whatIsWrong(c) == isForTests:
		return "take out: %s"
	case c.Do == classFix:
		return "put right: %s"
	case c.Status == model.WrongKey:
		return "put right the key of: %s"
	case c.Status == model.Imitation:
		return "take out: %s"
	case c.CA && c.Do == classNow:
		return "take out: %s"
	case c.CA:
		return "trust the successor of: %s"
	}
	return "replace: %s"
}

// inSystem is where in its system a place is.
func inSystem(p *place) string {
	if p.Machine != "" {
		return systemOf(p)
	}
	return p.Place
}

// machines are the runs of a report of many machines, those with problems first.
func (a *audit) machines() *dataTable {
	if !a.manyMachines() {
		return nil
	}
	l := a.shown.lang
	t := newTable("machines", l.say("The runs that this report is made of; those that cannot be relied on first."),
		dataColumn{l.say("Machine"), "name"}, dataColumn{l.say("Run of"), "date"}, dataColumn{"pkio", "text"}, dataColumn{l.say("Problem"), "text"})
	runs := slices.Clone(a.Runs)
	slices.SortStableFunc(runs, func(r, s fleetRun) int {
		return cmp.Compare(min(len(s.Problems), 1), min(len(r.Problems), 1))
	})
	for _, r := range runs {
		start := ""
		if !r.Start.IsZero() {
			start = date(r.Start)
		}
		t.add(cell{Text: r.Machine}, cell{Text: start}, cell{Text: r.Tool}, cell{Text: l.why(strings.Join(r.Problems, "; "))})
	}
	return t
}
