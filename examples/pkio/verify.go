package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

var purposes = map[string]x509.ExtKeyUsage{
	"any":    x509.ExtKeyUsageAny,
	"server": x509.ExtKeyUsageServerAuth,
	"client": x509.ExtKeyUsageClientAuth,
}

// verifyFlags are those of pkio verify.
type verifyFlags struct {
	at            moment
	roots         trust
	lists         crls
	keeps         profileFlag
	passwords     passwords
	host, purpose string
	lang          langFlag
	quiet, json   bool
}

func newVerify() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify CERT|HOST:PORT --at DATE",
		Short: "Say whether a certificate is trusted at a date",
		Long: `verify says whether a certificate leads to a root of PKIoverheid at a date, as programs
with this library do. Revocation lists are asked with --crl only.

CERT is a file with one certificate that is not a CA; CAs in it help to build the
chain. If all are CAs, they must be on one path, and the lowest is checked.
A server is asked for the name in --host (SNI), or else for its own.

Its status is 0 if it is trusted, 1 if it is refused, and 2 on errors.`,
		Example: `  pkio verify client.pem --at 2028-11-13
  pkio verify 192.0.2.1:443 --host service.example
  pkio verify client.pem --for client --profile digikoppeling`,
		Args: positional(1, 1, "one CERT or HOST:PORT"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.lang.flag(cmd)
	f.at.flag(cmd, "verify at this date")
	f.lists.flag(cmd)
	f.roots.flag(cmd)
	f.keeps.flag(cmd)
	f.passwords.flags(cmd, "", "")
	cmd.Flags().StringVar(&f.host, "host", "", "the `name` that the certificate must be for")
	cmd.Flags().StringVar(&f.purpose, "for", "any", "a `use`: any, server or client")
	complete(cmd, "for", "any", "server", "client")
	cmd.Flags().BoolVar(&f.json, "json", false, "write JSON")
	cmd.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "the exit status only")
	return cmd
}

func (f *verifyFlags) run(cmd *cobra.Command, arg string) error {
	usage, ok := purposes[f.purpose]
	if !ok {
		return fmt.Errorf("--for %q: want any, server or client", f.purpose)
	}
	if f.quiet && f.json {
		return errors.New("--quiet writes nothing, and --json does: give one")
	}
	l, err := f.lang.language()
	if err != nil {
		return err
	}
	if err := checkServerName("host", f.host); err != nil {
		return err
	}
	v, err := f.roots.verifier(f.keeps.policy, &f.lists)
	if err != nil {
		return err
	}
	defer f.lists.close()
	when, target, host := f.at.orNow(), targetOf(arg), f.host
	found, err := look(cmd.Context(), cmd, inventory.Config{Time: when, Verifier: v, ServerName: host}, &f.passwords, target)
	if err != nil {
		complainAll(cmd.ErrOrStderr(), l, err)
		return statusOf(statusError)
	}
	if found[0].Use == inventory.TLSServer && host == "" {
		host, _, _ = net.SplitHostPort(target)
	}
	if host != "" && !cmd.Flags().Changed("for") {
		usage = x509.ExtKeyUsageServerAuth
	}
	e, err := explainOne(v, found, arg, chain.VerifyOptions{DNSName: host, Time: when, KeyUsages: []x509.ExtKeyUsage{usage}})
	if err != nil {
		return err
	}
	if err := f.write(cmd.OutOrStdout(), l, target, e); err != nil {
		return err
	}
	if !e.OK {
		return statusOf(statusFinding)
	}
	return nil
}

// explainOne explains the certificate that was found, with what was found beside it, or the
// lowest of CAs that are on one path. It is an error if more than one may be meant.
func explainOne(v *chain.Verifier, found []inventory.Result, arg string, opts chain.VerifyOptions) (*chain.Explanation, error) {
	store, leaves := truststore.New(), truststore.New()
	for _, r := range found {
		store.Add(r.Certificate)
		if !r.Certificate.IsCA && r.Use != inventory.TLSChain {
			leaves.Add(r.Certificate)
		}
	}
	if found[0].Use == inventory.TLSServer { // it is the one, whatever else it sends
		leaves = truststore.New(found[0].Certificate)
	}
	if leaves.Len() > 1 {
		return nil, fmt.Errorf("%s holds %d certificates that are not CAs: give one at a time", safetext.Printable(arg, maxText), leaves.Len())
	}
	onlyCAs := leaves.Len() == 0
	if onlyCAs {
		leaves = store
	}
	opts.Extra = slices.Collect(store.All())
	e := v.Explain(slices.Collect(leaves.All()), opts)
	if onlyCAs && len(e.Unused) > 0 {
		// The verdict is on one path: it must not pass for one on all of them.
		return nil, fmt.Errorf("%s holds %d CAs that are not on one path: give one at a time", safetext.Printable(arg, maxText), store.Len())
	}
	return e, nil
}

func (f *verifyFlags) write(out io.Writer, l language, target string, e *chain.Explanation) error {
	switch {
	case f.quiet:
		return nil
	case f.json:
		return writeIndented(out, struct {
			Version int    `json:"version"`
			Target  string `json:"target"`
			*chain.Explanation
		}{formatVersion, safetext.Printable(target, maxText), e})
	}
	explain(out, l, painter(out), nil, e, false)
	return nil
}
