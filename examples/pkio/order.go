package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// showOrders prints what can be ordered, or what to order in the place of a certificate.
func showOrders(cmd *cobra.Command, l language, at time.Time, asJSON bool, p *passwords, args []string) error {
	out := cmd.OutOrStdout()
	var found []inventory.Result
	orders := advice.Orders()
	for i := range orders {
		if !asJSON {
			orders[i] = l.order(orders[i])
		}
	}
	if len(args) == 1 {
		var err error
		if found, err = look(cmd.Context(), cmd, inventory.Config{Time: at}, p, args[0]); err != nil {
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
	from, fill := "--organization NAME --kvk NUMBER --oin OIN --dns HOST", []string{"NAME", "NUMBER", "OIN", "HOST"}
	if len(args) == 1 {
		from, fill = requestFrom(args[0], found, orders[0], p)
	}
	fmt.Fprintln(out, "\n"+l.say("The key and the request:"))
	fmt.Fprintf(out, "  pkio request %s --key-out new.key --out new.csr\n", from)
	for _, name := range fill {
		fmt.Fprint(out, wrapped("  ", "    ", name+": "+l.say(toFillIn[name])))
	}
	fmt.Fprint(out, wrapped("", "", l.say("Private G1 is for services that do not take G4 yet: ask them when they do. Order some weeks before you need it: the TSP checks who you are.")))
	return nil
}

// toFillIn explains the words in the command for a request that a person replaces.
var toFillIn = map[string]string{
	"CERT":   "a file with only the certificate that the new one replaces",
	"NAME":   "the name of your organisation in the Handelsregister",
	"NUMBER": "its number there, of eight digits",
	"OIN":    "your OIN, for Digikoppeling; leave --oin out without one",
	"HOST":   "your DNS names, with commas and without wildcards",
}

// requestFrom is the part of the command for a request in the place of the certificate in a
// target, and what is to be filled in.
func requestFrom(target string, found []inventory.Result, o advice.Order, p *passwords) (flags string, fill []string) {
	var leaves []*x509.Certificate
	for _, r := range found {
		if !r.Certificate.IsCA && r.Use != inventory.TLSChain && !slices.ContainsFunc(leaves, r.Certificate.Equal) {
			leaves = append(leaves, r.Certificate)
		}
	}
	quoted, ok := shellWord(target)
	if !ok || isStdin(target) || len(leaves) != 1 {
		quoted, fill = "CERT", append(fill, "CERT")
	}
	flags = "--from " + quoted
	if quoted != "CERT" {
		for _, file := range p.files {
			if word, ok := shellWord(file); ok {
				flags += " --password-file " + word
			}
		}
	}
	if o.Hierarchy == pkioverheid.PrivateG1 {
		flags += " --hierarchy g1"
	}
	r := pkioverheid.Request{Hierarchy: o.Hierarchy, Key: unsignedKey}
	if len(leaves) > 0 {
		r.From = leaves[0]
	}
	add := func(flag, name string) { flags, fill = flags+" --"+flag+" "+name, append(fill, name) }
	for range toFillIn { // until only its signature is missing
		_, _, err := pkioverheid.NewRequest(r)
		text := inFlags.Replace(fmt.Sprint(err))
		switch {
		case err == nil || errors.Is(err, errUnsigned):
			return flags, fill
		case r.KVK == "" && strings.HasPrefix(text, "--kvk"):
			add("kvk", "NUMBER")
			r.KVK = "12345678"
		case r.Organization == "" && strings.HasPrefix(text, "--organization"):
			add("organization", "NAME")
			r.Organization = "Name"
		case r.OIN == "" && strings.HasPrefix(text, "--oin"):
			add("oin", "OIN")
			r.OIN = "00000003123456780000"
		case r.DNSNames == nil && strings.HasPrefix(text, "--dns"):
			add("dns", "HOST")
			r.DNSNames = []string{"host.example"}
		default:
			return flags, fill // pkio request says it
		}
	}
	return flags, fill
}

// unsignedKey is a key that signs nothing, to try a request without making a key.
var unsignedKey = unsigned{rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 4095, 1), E: 65537}}

type unsigned struct{ public rsa.PublicKey }

var errUnsigned = errors.New("it signs nothing")

func (k unsigned) Public() crypto.PublicKey                                  { return &k.public }
func (k unsigned) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errUnsigned }

// shellWord quotes an argument for a shell; false if it has what nobody can type.
func shellWord(s string) (string, bool) {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if strings.Trim(s, plain) == "" && s != "" {
		return s, true
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
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
