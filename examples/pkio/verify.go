package main

import (
	"crypto/x509"
	"errors"
	"fmt"
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

func newVerify() *cobra.Command {
	var at moment
	var roots trust
	var lists crls
	var keeps profileFlag
	var p passwords
	var host, purpose string
	var quiet, asJSON bool
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
		RunE: func(cmd *cobra.Command, args []string) error {
			usage, ok := purposes[purpose]
			if !ok {
				return fmt.Errorf("--for %q: want any, server or client", purpose)
			}
			if quiet && asJSON {
				return errors.New("--quiet writes nothing, and --json does: give one")
			}
			if err := checkServerName("host", host); err != nil {
				return err
			}
			v, err := roots.verifier(keeps.policy, &lists)
			if err != nil {
				return err
			}
			defer lists.close()
			when, target := at.orNow(), targetOf(args[0])
			found, err := look(cmd.Context(), cmd, inventory.Config{Time: when, Verifier: v, ServerName: host}, &p, target)
			if err != nil {
				return err
			}
			store, leaves := truststore.New(), truststore.New()
			for _, r := range found {
				store.Add(r.Certificate)
				if !r.Certificate.IsCA && r.Use != inventory.TLSChain {
					leaves.Add(r.Certificate)
				}
			}
			if found[0].Use == inventory.TLSServer { // it is the one, whatever else it sends
				leaves = truststore.New(found[0].Certificate)
				if host == "" {
					host, _, _ = net.SplitHostPort(target)
				}
			}
			if host != "" && !cmd.Flags().Changed("for") {
				usage = x509.ExtKeyUsageServerAuth
			}
			if leaves.Len() > 1 {
				return fmt.Errorf("%s holds %d certificates that are not CAs: give one at a time", safetext.Printable(args[0], maxText), leaves.Len())
			}
			onlyCAs := leaves.Len() == 0
			if onlyCAs {
				leaves = store
			}
			e := v.Explain(slices.Collect(leaves.All()), chain.VerifyOptions{
				DNSName: host, Time: when, KeyUsages: []x509.ExtKeyUsage{usage}, Extra: slices.Collect(store.All()),
			})
			if onlyCAs && len(e.Unused) > 0 {
				// The verdict is on one path: it must not pass for one on all of them.
				return fmt.Errorf("%s holds %d CAs that are not on one path: give one at a time", safetext.Printable(args[0], maxText), store.Len())
			}
			out := cmd.OutOrStdout()
			switch {
			case quiet:
			case asJSON:
				err = writeIndented(out, struct {
					Version int    `json:"version"`
					Target  string `json:"target"`
					*chain.Explanation
				}{formatVersion, safetext.Printable(target, maxText), e})
			default:
				explain(out, painter(out), nil, e, false)
			}
			if err != nil {
				return err
			}
			if !e.OK {
				return statusOf(statusFinding)
			}
			return nil
		},
	}
	at.flag(cmd, "verify at this date")
	lists.flag(cmd)
	roots.flag(cmd)
	keeps.flag(cmd)
	p.flags(cmd, "", "")
	cmd.Flags().StringVar(&host, "host", "", "the `name` that the certificate must be for")
	cmd.Flags().StringVar(&purpose, "for", "any", "a `use`: any, server or client")
	complete(cmd, "for", "any", "server", "client")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "the exit status only")
	return cmd
}
