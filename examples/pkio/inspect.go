package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/chain"
	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// inspectFlags are those of pkio inspect.
type inspectFlags struct {
	at        moment
	roots     trust
	lists     crls
	keeps     profileFlag
	passwords passwords
	name      serverName
	lang      langFlag
	json      bool
}

func newInspect() *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect FILE|HOST:PORT…",
		Short: "Say who a certificate is of, and explain its chain",
		Long: `inspect says who a certificate is of: the hierarchy, the place in it, the certificate
supplier (TSP), the OIN, and what to do. Then it explains the chain of each that is
not a CA: the path to the root as a tree, and what is right and wrong in it. It takes
files of any format and servers. Of a request, a key or a CRL it shows what it holds.

Its status is 1 if a chain is refused, else 2 if something could not be looked at.`,
		Example: `  pkio inspect client.p7b
  pkio inspect service.example:443
  pkio inspect keystore.p12 --password-file pw.txt
  pkio inspect old.cer --at 2020-11-01`,
		Args: positional(1, 1000, "a FILE or HOST:PORT"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.at.flag(cmd, "judge at this date")
	f.lists.flag(cmd)
	f.roots.flag(cmd)
	f.keeps.flag(cmd)
	f.name.flag(cmd)
	f.lang.flag(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "write JSON")
	f.passwords.flags(cmd, "", "")
	return cmd
}

func (f *inspectFlags) run(cmd *cobra.Command, targets []string) error {
	if err := f.name.check(); err != nil {
		return err
	}
	l, err := f.lang.language()
	if err != nil {
		return err
	}
	v, err := f.roots.verifier(f.keeps.policy, &f.lists)
	if err != nil {
		return err
	}
	defer f.lists.close()
	cfg := inventory.Config{Time: f.at.orNow(), Verifier: v, ServerName: string(f.name)}
	failed, refused := false, false
	all := []*inspected{}
	for _, target := range targets {
		target = targetOf(target)
		found, err := look(cmd.Context(), cmd, cfg, &f.passwords, target)
		in := lookInto(target, found, cfg)
		if err != nil && len(found) == 0 {
			in.Others = whatElse(target)
		}
		if err != nil && len(in.Others) == 0 {
			in.Error = told(err)
			failed = true
			complainAll(cmd.ErrOrStderr(), l, err)
		}
		refused = refused || in.refused()
		if all = append(all, in); !f.json {
			in.writeAll(cmd.OutOrStdout(), l, len(all) > 1)
		}
	}
	if f.json {
		if err := writeIndented(cmd.OutOrStdout(), struct {
			Version int          `json:"version"`
			Targets []*inspected `json:"targets"`
		}{formatVersion, all}); err != nil {
			return err
		}
	}
	switch {
	case refused:
		return statusOf(statusFinding)
	case failed:
		return statusOf(statusError)
	}
	return nil
}

// writeAll writes what was found, after an empty line if it is not the first.
func (in *inspected) writeAll(out io.Writer, l language, more bool) {
	if len(in.found)+len(in.Others) == 0 {
		return
	}
	if more {
		fmt.Fprintln(out)
	}
	if len(in.found) > 0 {
		in.write(out, l)
	}
	for _, line := range in.Others {
		fmt.Fprint(out, wrapped("", "  ", line))
	}
}

// writeIndented writes JSON for people and programs.
func writeIndented(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// complainAll writes each of joined errors on a line of its own.
func complainAll(w io.Writer, l language, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			complain(w, l.error(e))
		}
		return
	}
	complain(w, l.error(err))
}

// How much is printed about one file: the rest is for pkio audit.
const (
	maxListed    = 50
	maxExplained = 10
)

// inspected is what is known of one file or server. It is the JSON of pkio inspect, with
// the certificates as in that of an audit.
type inspected struct {
	Target       string               `json:"target"`
	Format       string               `json:"format,omitempty"`
	Error        string               `json:"error,omitempty"`
	Certificates []*certificate       `json:"certificates"`
	Chains       []*chain.Explanation `json:"chains"` // of those that are not CAs, or of all CAs together
	Others       []string             `json:"others,omitempty"`

	found []inventory.Result
	left  bool // there are more chains than are explained
}

// lookInto explains what was found.
func lookInto(target string, found []inventory.Result, cfg inventory.Config) *inspected {
	in := &inspected{Target: safetext.Printable(target, maxText), Certificates: []*certificate{}, Chains: []*chain.Explanation{}, found: found}
	c := model.NewCollector(auditRun{At: cfg.Time})
	for _, r := range found {
		c.Take(r)
	}
	in.Certificates = finished(c, 0, false, nil).Certificates
	if len(found) == 0 {
		return in
	}
	if f := found[0].Format; !slices.ContainsFunc(found, func(r inventory.Result) bool { return r.Format != f }) {
		in.Format = string(f)
	}
	for _, r := range found {
		if r.Use != inventory.TLSServer && (r.Certificate.IsCA || r.Use == inventory.TLSChain) {
			continue
		}
		if len(in.Chains) == maxExplained {
			in.left = true
			return in
		}
		in.Chains = append(in.Chains, r.Explain())
	}
	if len(in.Chains) == 0 { // CAs only
		var certs []*x509.Certificate
		for _, r := range found {
			certs = append(certs, r.Certificate)
		}
		in.Chains = append(in.Chains, cfg.Verifier.Explain(certs, chain.VerifyOptions{Time: cfg.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}))
	}
	return in
}

// refused reports whether a chain is.
func (in *inspected) refused() bool {
	return slices.ContainsFunc(in.Chains, func(e *chain.Explanation) bool { return !e.OK })
}

func (in *inspected) write(out io.Writer, l language) {
	p := painter(out)
	heading := in.Target + ": " + l.count(len(in.found), "certificate")
	if in.Format != "" {
		heading += " in " + in.Format
	}
	fmt.Fprintln(out, p.bold(heading))
	for i, r := range in.found {
		if i == maxListed {
			fmt.Fprintf(out, "\n  %s\n", l.say("and %s more: pkio audit lists them all", l.number(len(in.found)-i)))
			break
		}
		describe(out, l, i+1, r)
	}
	for _, e := range in.Chains {
		var cert *x509.Certificate
		if len(e.Path) > 0 && !e.Path[0].CA {
			cert = e.Path[0].Certificate
		}
		explain(out, l, p, cert, e, true)
	}
	if in.left {
		fmt.Fprintln(out, "\n"+l.say("The chains of the others are explained one by one, from files of their own."))
	}
}

// describe prints who a certificate is and what to do about it.
func describe(out io.Writer, l language, number int, r inventory.Result) {
	const indent = "     "
	c := r.Certificate
	fmt.Fprintf(out, "\n%3d. %s\n", number, safetext.Certificate(c))
	for _, line := range whoIs(l, r) {
		fmt.Fprint(out, wrapped(indent, indent+"  ", line))
	}
	if ca := imitatedBy(r); ca != "" {
		english, dutchText := model.AdviceOnImitation(model.NameOf(c), ca)
		if l == dutch {
			english = dutchText
		}
		fmt.Fprint(out, wrapped(indent+"→ ", indent+"  ", english))
	} else if a := r.Advice(); a.Urgency != advice.NotUrgent || a.Status != advice.Unrecognised {
		fmt.Fprint(out, wrapped(indent+"→ ", indent+"  ", safetext.Printable(l.text(a), maxText)))
	}
}

// imitatedBy is the CA that a certificate imitates; empty for one that does not.
func imitatedBy(r inventory.Result) string {
	if _, err := r.Chain(); err == nil {
		return ""
	}
	return model.Imitated(r.Certificate)
}

// whoIs returns what a certificate claims to be, in lines.
func whoIs(l language, r inventory.Result) []string {
	c := r.Certificate
	where := strings.TrimPrefix(strings.TrimPrefix(r.Where(), safetext.Printable(r.Path, maxText)), ", ")
	switch r.Path {
	case "":
		where = r.Place
	case r.Target:
	default: // in a folder
		where = r.Where()
	}
	lines := []string{l.say("found: %s", l.place(where))}
	if r.Use != inventory.UnknownUse {
		lines[0] += ", " + l.say(string(r.Use))
	}
	if r.Party != "" {
		lines[0] += l.say(", of %s", safetext.Printable(r.Party, 100))
	}
	id, ok := r.Claim()
	if ca := imitatedBy(r); ca != "" {
		lines = append(lines, l.say("identity: not of PKIoverheid: imitates %s", safetext.Quote(ca)))
	} else if !ok {
		lines = append(lines, l.say("identity: nothing of PKIoverheid that is known here"))
	} else {
		who := l.say("identity: %s, %s", id.Hierarchy, l.say(string(id.Role)))
		if id.TSP != "" {
			who += l.say(", of %s", string(id.TSP))
		}
		if id.OIN != "" {
			who += ", OIN " + string(id.OIN)
			if register := id.OIN.Register(); register != "" {
				who += " (" + register + ")"
			}
		}
		lines = append(lines, who+l.say("; recognised by its %s", l.say(recognisedBy(id.By))))
		if id.Fixture {
			lines = append(lines, l.say("of package pkiotest: the private keys are public"))
		}
	}
	if len(c.DNSNames) > 0 {
		names := strings.Join(c.DNSNames[:min(len(c.DNSNames), 10)], ", ")
		if len(c.DNSNames) > 10 {
			names = l.say("%s and %s more", names, l.number(len(c.DNSNames)-10))
		}
		lines = append(lines, l.say("names: %s", safetext.Printable(names, 300)))
	}
	lines = append(lines, l.say("valid: %s until %s", l.date(date(c.NotBefore)), l.date(date(c.NotAfter))), "SHA-256: "+truststore.FingerprintOf(r.Certificate).String())
	return lines
}

func recognisedBy(by string) string {
	if by == pkioverheid.ByKeyIdentifier {
		return "issuer's name and key identifier"
	}
	return by
}

// explain writes the tree, the verdict in colour.
func explain(out io.Writer, l language, p paint, cert *x509.Certificate, e *chain.Explanation, advised bool) {
	if !e.OK {
		e = forUser(l, e, advised)
	}
	if cert != nil {
		fmt.Fprintln(out, "\n"+l.say("The chain of %s:", safetext.Certificate(cert)))
	}
	if l == dutch {
		e = observedIn(l, e)
	}
	verdict, rest, _ := strings.Cut(e.String(), "\n")
	if l == dutch {
		if verdict = l.say("ACCEPTED"); !e.OK {
			verdict = l.say("REFUSED: %s", l.state(string(e.Reason)))
		}
		rest = treeDates.ReplaceAllString(dutchTree.Replace(rest), "$1$4-$3-$2")
	}
	if e.OK {
		verdict = p.green(verdict)
	} else {
		verdict = p.red(verdict)
	}
	wrong := "✗ WRONG"
	if l == dutch {
		wrong = "✗ FOUT "
	}
	fmt.Fprint(out, verdict+"\n"+strings.ReplaceAll(rest, wrong, p.red(wrong)))
}

// observedIn is the explanation with what was seen of each certificate in the language. The
// problem and the advice of a refusal as a whole stay English.
func observedIn(l language, e *chain.Explanation) *chain.Explanation {
	own := *e
	own.Path = slices.Clone(e.Path)
	for i := range own.Path {
		own.Path[i].Observations = slices.Clone(own.Path[i].Observations)
		for j := range own.Path[i].Observations {
			own.Path[i].Observations[j].Text = l.observation(own.Path[i].Observations[j])
		}
	}
	const before, after = "Others may not know the CAs that are known here: send ", " too."
	if names, ok := strings.CutPrefix(e.Advice, before); ok && e.OK {
		own.Advice = l.say("Others may not know the CAs that are known here: send %s too.", strings.ReplaceAll(strings.TrimSuffix(names, after), `" and "`, `"`+l.say(" and ")+`"`))
	}
	return &own
}

// observation is what was seen of a certificate.
func (l language) observation(o chain.Observation) string {
	if o.Result == chain.Fail {
		return l.failure(o)
	}
	if uses, ok := strings.CutPrefix(o.Text, "for "); ok && o.Name == chain.ObservedExtendedKeyUsage {
		if m := andMore.FindStringSubmatch(uses); m != nil {
			return l.say("for %s", l.say("%s and %s more", m[1], m[2]))
		}
		return l.say("for %s", strings.ReplaceAll(uses, " and ", l.say(" and ")))
	}
	var cas int
	if _, err := fmt.Sscanf(o.Text, "allows %d CA", &cas); err == nil && o.Name == chain.ObservedPathLength {
		return l.say("allows %s below it", l.count(cas, "CA"))
	}
	if o.Name == chain.ObservedNames {
		return l.say("limits the names in certificates below it")
	}
	return l.say(o.Text)
}

var andMore = regexp.MustCompile(`^(.*) and (\d+) more$`)

// treeDates are the dates of a tree.
var treeDates = regexp.MustCompile(`(Bekeken: op | geldig  | tot |, geldig )(\d{4})-(\d\d)-(\d\d)\b`)

// dutchTree puts the labels of a tree in Dutch, in the same width.
var dutchTree = strings.NewReplacer("Checked: at ", "Bekeken: op ", `, for host "`, `, voor host "`, "; signed with RSA with ", "; ondertekend met RSA met ", "; signed with ", "; ondertekend met ",
	" to 2", " tot 2", "(named as the issuer)", "(genoemd als uitgever)", "Given, and not part of the path: ", "Gegeven, en geen deel van het pad: ",
	", not a CA, serial ", ", geen CA, nummer ", ", a CA, serial ", ", een CA, nummer ", ", valid 2", ", geldig 2", ", valid 1", ", geldig 1", "Problem: ", "Fout:    ", "Advice:  ", "Advies:  ",
	"✗ WRONG ", "✗ FOUT  ", "✓ fine  ", "✓ goed  ", " valid   ", " geldig  ", " key     ", " sleutel ", " serial  ", " nummer  ",
	"(trusted root)", "(vertrouwd)", "(known here)", "(bekend)", "(given)", "(gegeven)", "(distrusted here)", "(niet vertrouwd)")

// forUser puts a refusal in terms of the tool, and says it once. Which policies a program
// has is for programmers, and how to make a chain work does not help with a certificate
// that may not be used: what to do about the certificate takes their place. If advised,
// that was said before.
func forUser(l language, e *chain.Explanation, advised bool) *chain.Explanation {
	own := *e
	var a advice.Advice
	imitates := ""
	if len(e.Path) > 0 {
		a = advice.For(e.Path[0].Certificate, "", e.Time)
		if !e.OK {
			imitates = model.Imitated(e.Path[0].Certificate)
		}
	}
	switch {
	case imitates != "": // and its root is not one to trust
		english, dutchText := model.AdviceOnImitation(model.NameOf(e.Path[0].Certificate), imitates)
		if own.Advice = english; l == dutch {
			own.Advice = dutchText
		}
		if advised {
			own.Advice = ""
		}
	case neverTrusted(a), e.Reason == chain.RefusedByPolicy && a.Status != "" && a.Status != advice.Unrecognised && a.Status != advice.Fine:
		own.Advice = safetext.Printable(l.text(a), maxText)
		if rest, same := strings.CutPrefix(own.Advice, strings.TrimSuffix(own.Problem, ".")); same {
			rest = strings.TrimLeft(rest, ";,. ")
			own.Advice = strings.ToUpper(rest[:min(1, len(rest))]) + rest[min(1, len(rest)):]
			if advised {
				own.Problem = ""
			}
		}
		if l == dutch { // the verdict has the reason, and the advice has the rest
			own.Problem = ""
		}
		if advised {
			own.Advice = ""
		}
	case e.Reason == chain.RefusedByPolicy: // another certificate of the path is
		own.Advice = ""
	}
	own.Path = slices.Clone(e.Path)
	for i := range own.Path {
		own.Path[i].Observations = slices.Clone(own.Path[i].Observations)
		for j := range own.Path[i].Observations {
			if o := &own.Path[i].Observations[j]; o.Result == chain.Fail && o.Text == e.Problem {
				o.Text = "as said above"
			}
		}
	}
	return &own
}

// neverTrusted reports whether a certificate may not be used, however whole its chain.
func neverTrusted(a advice.Advice) bool {
	return a.Status == advice.Compromised || a.Status == advice.Withdrawn || a.Status == advice.TestOnly
}
