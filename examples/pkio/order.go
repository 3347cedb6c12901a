package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// showOrders prints what can be ordered, or what to order in the place of a certificate.
func showOrders(cmd *cobra.Command, l language, at time.Time, asJSON bool, p *passwords, args []string) error {
	out := cmd.OutOrStdout()
	orders := advice.Orders()
	for i := range orders {
		if !asJSON {
			orders[i] = l.order(orders[i])
		}
	}
	if len(args) == 1 {
		found, err := look(cmd.Context(), cmd, inventory.Config{Time: at}, p, args[0])
		if err != nil {
			complainAll(cmd.ErrOrStderr(), l, err)
			return statusOf(statusError)
		}
		orders = []advice.Order{}
		for _, r := range found {
			a := r.Advice()
			if l == dutch && !asJSON {
				a = a.Dutch()
			}
			if a.Order != nil && imitatedBy(r) == "" {
				orders = append(orders, *a.Order)
			}
		}
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(orders)
	}
	if len(orders) == 0 {
		fmt.Fprintln(out, l.say("%s: there is nothing to order, see pkio inspect", safetext.Printable(args[0], maxText)))
		return nil
	}
	for i, o := range orders {
		if i > 0 {
			fmt.Fprintln(out)
		}
		printOrder(cmd, l, o)
	}
	from := "--organization NAME --kvk NUMBER --oin OIN --dns HOST"
	if len(args) == 1 {
		from = "--from CERT"
	}
	fmt.Fprintln(out, "\n"+l.say("The key and the request:"))
	fmt.Fprintf(out, "  pkio request %s --key-out new.key --out new.csr\n", from)
	fmt.Fprint(out, wrapped("", "", l.say("Private G1 is for services that do not take G4 yet: ask them when they do. Order some weeks before you need it: the TSP checks who you are.")))
	return nil
}

// order is one of those for anybody, in the language.
func (l language) order(o advice.Order) advice.Order {
	o.Product = l.say(o.Product)
	contents := make([]string, len(o.Contents))
	for i, text := range o.Contents {
		contents[i] = l.say(text)
	}
	o.Contents = contents
	return o
}

func printOrder(cmd *cobra.Command, l language, o advice.Order) {
	out := cmd.OutOrStdout()
	fmt.Fprint(out, wrapped("", "  ", painter(out).bold(o.Product)))
	row := func(name, text string) {
		fmt.Fprint(out, wrapped(fmt.Sprintf("  %-8s ", name), "           ", text))
	}
	row(l.say("policy"), o.Policy)
	switch {
	case len(o.Suppliers) == 0:
		row(l.say("from"), l.say("a TSP of PKIoverheid: who offers it was not found in public"))
	default:
		names := ""
		for i, tsp := range o.Suppliers {
			if i > 0 {
				names += ", "
			}
			names += string(tsp)
		}
		row(l.say("from"), names)
	}
	for i, text := range o.Contents {
		name := ""
		if i == 0 {
			name = l.say("with")
		}
		row(name, text)
	}
}
