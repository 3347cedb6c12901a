package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

func newInspect() *cobra.Command {
	var at moment
	var roots trust
	var lists crls
	var keeps profileFlag
	var p passwords
	var name serverName
	cmd := &cobra.Command{
		Use:   "inspect FILE|HOST:PORT…",
		Short: "Say who a certificate is of, and explain its chain",
		Long: `inspect shows what certificates are: the hierarchy, the place in it, the certificate
supplier (TSP), the OIN, and what to do about each. Then it explains the chain of
each that is not a CA: the path to the root as a tree, what is right and what is wrong
in it, and what to do.

It takes files of any format and servers. A server is shown no certificate, and
nothing is sent to it but the beginning of a TLS handshake.

The exit status is 0 if all of it could be looked at, whatever the verdict, and
else 2. To have the verdict as exit status, use pkio verify.`,
		Example: `  pkio inspect client.p7b
  pkio inspect service.example:443
  pkio inspect keystore.p12 --password-file pw.txt
  pkio inspect old.cer --at 2020-11-01`,
		Args: positional(1, 1000, "a FILE or HOST:PORT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := name.check(); err != nil {
				return err
			}
			v, err := roots.verifier(keeps.policy, &lists)
			if err != nil {
				return err
			}
			defer lists.close()
			cfg := inventory.Config{Time: at.orNow(), Verifier: v, ServerName: string(name)}
			failed, some := false, false
			for _, target := range args {
				target = targetOf(target)
				found, err := look(cmd.Context(), cmd, cfg, &p, target)
				if len(found) > 0 {
					if some {
						fmt.Fprintln(cmd.OutOrStdout())
					}
					some = true
					inspect(cmd.OutOrStdout(), target, found, cfg)
				}
				if err != nil {
					complainAll(cmd.ErrOrStderr(), err)
					failed = true
				}
			}
			if failed {
				return statusOf(statusError)
			}
			return nil
		},
	}
	at.flag(cmd, "judge at this date")
	lists.flag(cmd)
	roots.flag(cmd)
	keeps.flag(cmd)
	name.flag(cmd)
	p.flags(cmd, "", "a key store")
	return cmd
}

// complainAll writes each of joined errors on a line of its own.
func complainAll(w io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			complain(w, e)
		}
		return
	}
	complain(w, err)
}

// How much is printed about one file: the rest is for pkio audit.
const (
	maxListed    = 50
	maxExplained = 10
)

func inspect(out io.Writer, target string, found []inventory.Result, cfg inventory.Config) {
	p := painter(out)
	heading := fmt.Sprintf("%s: %s", safetext.Printable(target, maxText), count(len(found), "certificate"))
	f := found[0].Format
	if f != 0 && !slices.ContainsFunc(found, func(r inventory.Result) bool { return r.Format != f }) {
		heading += " in " + f.String()
	}
	fmt.Fprintln(out, p.bold(heading))
	for i, r := range found {
		if i == maxListed {
			fmt.Fprintf(out, "\n  and %d more: pkio audit lists them all\n", len(found)-i)
			break
		}
		describe(out, i+1, r)
	}

	explained := 0
	for _, r := range found {
		if r.Use != inventory.TLSServer && (r.Certificate.IsCA || r.Use == inventory.TLSChain) {
			continue
		}
		if explained++; explained > maxExplained {
			fmt.Fprintln(out, "\nThe chains of the others are explained one by one, from files of their own.")
			return
		}
		explain(out, p, r.Certificate, r.Explain())
	}
	if explained == 0 { // CAs only
		var certs []*x509.Certificate
		for _, r := range found {
			certs = append(certs, r.Certificate)
		}
		explain(out, p, nil, cfg.Verifier.Explain(certs, chain.VerifyOptions{Time: cfg.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}))
	}
}

// describe prints who a certificate is and what to do about it.
func describe(out io.Writer, number int, r inventory.Result) {
	const indent = "     "
	c := r.Certificate
	fmt.Fprintf(out, "\n%3d. %s\n", number, safetext.Certificate(c))
	for _, line := range whoIs(r) {
		fmt.Fprint(out, wrapped(indent, indent+"  ", line))
	}
	if a := r.Advice(); a.Urgency != advice.NotUrgent || a.Status != advice.Unrecognised {
		fmt.Fprint(out, wrapped(indent+"→ ", indent+"  ", safetext.Printable(a.Text, maxText)))
	}
}

// whoIs returns what a certificate claims to be, in lines.
func whoIs(r inventory.Result) []string {
	c := r.Certificate
	lines := []string{"found: " + strings.TrimPrefix(strings.TrimPrefix(r.Where(), safetext.Printable(r.Path, maxText)), ", ")}
	switch r.Path {
	case "":
		lines[0] = "found: " + r.Place
	case r.Target:
	default: // in a folder
		lines[0] = "found: " + r.Where()
	}
	if r.Use != inventory.UnknownUse {
		lines[0] += ", " + string(r.Use)
	}
	if r.Party != "" {
		lines[0] += " of " + safetext.Printable(r.Party, 100)
	}
	id, ok := r.Claim()
	if !ok {
		lines = append(lines, "identity: nothing of PKIoverheid that is known here")
	} else {
		who := fmt.Sprintf("identity: %s, %s", id.Hierarchy, id.Role)
		if id.TSP != "" {
			who += ", of " + string(id.TSP)
		}
		if id.OIN != "" {
			who += ", OIN " + string(id.OIN)
			if register := id.OIN.Register(); register != "" {
				who += " (" + register + ")"
			}
		}
		lines = append(lines, who+"; recognised by its "+recognisedBy(id.By))
		if id.Fixture {
			lines = append(lines, "of package pkiotest: the private keys are public")
		}
	}
	if len(c.DNSNames) > 0 {
		names := strings.Join(c.DNSNames[:min(len(c.DNSNames), 10)], ", ")
		if len(c.DNSNames) > 10 {
			names += fmt.Sprintf(" and %d more", len(c.DNSNames)-10)
		}
		lines = append(lines, "names: "+safetext.Printable(names, 300))
	}
	lines = append(lines, fmt.Sprintf("valid: %s until %s", date(c.NotBefore), date(c.NotAfter)), "SHA-256: "+r.Fingerprint().String())
	return lines
}

func recognisedBy(by string) string {
	if by == pkioverheid.ByKeyIdentifier {
		return "issuer's name and key identifier"
	}
	return by
}

// explain writes the tree, the verdict in colour.
func explain(out io.Writer, p paint, cert *x509.Certificate, e *chain.Explanation) {
	if !e.OK {
		e = forUser(e)
	}
	fmt.Fprintln(out)
	if cert != nil {
		fmt.Fprintf(out, "The chain of %s:\n", safetext.Certificate(cert))
	}
	verdict, rest, _ := strings.Cut(e.String(), "\n")
	if e.OK {
		verdict = p.green(verdict)
	} else {
		verdict = p.red(verdict)
	}
	fmt.Fprint(out, verdict+"\n"+strings.ReplaceAll(rest, "✗ WRONG", p.red("✗ WRONG")))
}

// forUser puts a refusal in terms of the tool. Which policies a program has is for
// programmers, and how to make a chain work does not help with a certificate that may not
// be used: what to do about the certificate takes their place.
func forUser(e *chain.Explanation) *chain.Explanation {
	own := *e
	var a advice.Advice
	if len(e.Path) > 0 {
		a = advice.For(e.Path[0].Certificate, "", e.Time)
	}
	switch {
	case neverTrusted(a), e.Reason == chain.RefusedByPolicy && a.Status != "" && a.Status != advice.Unrecognised && a.Status != advice.Fine:
		own.Advice = safetext.Printable(a.Text, maxText)
	case e.Reason == chain.RefusedByPolicy: // another certificate of the path is
		own.Advice = ""
	}
	own.Problem = strings.Replace(e.Problem, "A rule of this program refuses ", "A rule refuses ", 1)
	return &own
}

// neverTrusted reports whether a certificate may not be used, however whole its chain.
func neverTrusted(a advice.Advice) bool {
	return a.Status == advice.Compromised || a.Status == advice.Withdrawn || a.Status == advice.TestOnly
}
