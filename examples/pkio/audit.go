package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// auditFlags are what an audit is asked for.
type auditFlags struct {
	json, csv bool
	force     bool
	html      string
	at        moment
	roots     trust
	passwords passwords
	use       string
	failOn    string
	timeout   time.Duration
	name      serverName
}

func newAudit() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit PATH|HOST:PORT…",
		Short: "Find certificates that must be replaced",
		Long: `audit looks for certificates in files, in folders with all that is below them, and
on servers. It says of each whether it must be replaced, by what, by when, and whom
to ask. Formats are recognised by content, not by name: PEM in any text, DER, PKCS#7,
PKCS#12, Java key stores, SAML metadata, CPAs.

What must be done, as the table says it:

  now     the date has passed, or it may not be used at all: G3, ended, withdrawn
  soon    within 90 days
  later   there is a date, further ahead: Private G1 must be left by the end of 2027
  ok      nothing to do
  -       nothing of PKIoverheid
  error   could not be looked at: the list may not be complete

The exit status is 1 if something must be replaced, however far ahead the date is
(--fail-on changes that; a CA that goes "later" does not count, since until then its
successor is trusted beside it), 2 if something could not be looked at or the search
was stopped, which goes before 1, and else 0. What most likely holds no certificate,
such as a socket, is passed over, unless it is named itself; --json and --csv report
it. A file that is named itself and holds no certificate counts as not looked at.
Archives are not opened up, nor is base64 of DER looked for in other text.

Key stores are opened with the passwords of --password-file and --password-env, or
PKIO_PASSWORD if no flag is given, and with "changeit".

The table and the report hold all that needs action, and say how many of the others
they leave out if there are very many; --json and --csv hold all, as they are found.
The report is written over a report of before; --force writes it over any other
file, but never over a private key.`,
		Example: `  pkio audit /etc
  pkio audit . service.example:443 --html report.html
  pkio audit /opt --password-file passwords.txt --csv > certificates.csv
  pkio audit /etc --json | jq '.[] | select(.state == "withdrawn") | .path'
  pkio audit certs --fail-on soon      in CI, to fail from 90 days before the date on`,
		Args: positional(1, 100_000, "a PATH or HOST:PORT"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "write an array of JSON, a finding on each line")
	flags.BoolVar(&f.csv, "csv", false, "write CSV, with headings")
	flags.StringVar(&f.html, "html", "", "write a report to this `file`, which works without a network")
	forceFlag(cmd, &f.force)
	f.at.flag(cmd, "judge at this date")
	flags.StringVar(&f.use, "for", "", "the `use` of the certificates: machine-to-machine, web or client-only (default what each allows)")
	flags.StringVar(&f.failOn, "fail-on", "later", "exit with status 1 from this `urgency` on: now, soon or later")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for a host")
	f.name.flag(cmd)
	f.roots.flag(cmd)
	f.passwords.flags(cmd, "", "key stores")
	return cmd
}

// sink takes the findings of an audit as they come.
type sink interface {
	take(inventory.Result) error
	close() error
}

func (f *auditFlags) run(cmd *cobra.Command, targets []string) error {
	if f.json && f.csv {
		return errors.New("--json and --csv both write to standard output: give one")
	}
	if f.timeout <= 0 {
		return fmt.Errorf("--timeout %v: want more than nothing, as 10s", f.timeout)
	}
	var failOn advice.Urgency
	if err := failOn.UnmarshalText([]byte(f.failOn)); err != nil || failOn == advice.NotUrgent {
		return fmt.Errorf("--fail-on %q: want now, soon or later", f.failOn)
	}
	var use advice.Use
	if err := use.UnmarshalText([]byte(f.use)); err != nil {
		return fmt.Errorf("--for %q: want machine-to-machine, web or client-only", f.use)
	}
	if err := f.name.check(); err != nil {
		return err
	}
	known, err := f.passwords.known()
	if err != nil {
		return err
	}
	known = append(known, javaPassword)
	verifier, err := f.roots.verifier(nil)
	if err != nil {
		return err
	}
	page := outFile{path: f.html, force: f.force, passwords: known}
	for _, t := range targets {
		if info, err := os.Stat(t); err == nil && info.Mode().IsRegular() {
			page.inputs = append(page.inputs, t)
		}
	}
	if f.html != "" {
		if page.stream(cmd) == cmd.OutOrStdout() && (f.json || f.csv) {
			return errors.New("--html and --json or --csv both write to standard output: give the name of a file to --html")
		}
		if err := page.check(cmd, aReport); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
	}

	out, status := cmd.OutOrStdout(), cmd.ErrOrStderr()
	if f.html != "" {
		out = page.remarks(cmd)
	}
	findings := newFindings(f.at.orNow(), targets)
	var lines sink
	switch {
	case f.json:
		lines = newJSONLines(out)
	case f.csv:
		lines = newCSVLines(out)
	}

	shown := status
	if lines != nil && isTerminal(out) {
		shown = io.Discard // they would write over each other
	}
	bar := startProgress(shown)
	err = f.scan(cmd.Context(), inventory.Config{
		Passwords:  func(string) iter.Seq[string] { return slices.Values(known) },
		Time:       findings.At,
		Verifier:   verifier,
		Use:        use,
		JudgeAhead: true,
		Timeout:    f.timeout,
		ServerName: string(f.name),
		Progress:   &bar.counts,
	}, targets, func(r inventory.Result) error {
		findings.take(r)
		if lines == nil && classOf(r) == classError {
			bar.above(func(io.Writer) { complain(status, troubleOf(r)) })
		}
		if lines != nil {
			if r.Err != nil {
				r.Err = toldError{troubleOf(r)}
			}
			return lines.take(r)
		}
		return nil
	})
	bar.end()
	if err != nil {
		return err
	}
	stopped := cmd.Context().Err() != nil
	findings.Stopped = stopped

	// The report first: what prints the table may have gone.
	if f.html != "" {
		var text bytes.Buffer
		if err := findings.writeReport(&text); err != nil {
			return err
		}
		if err := page.write(cmd, text.Bytes(), aReport); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
	}
	if lines != nil {
		if err := lines.close(); err != nil {
			return err
		}
	} else {
		if err := findings.writeTable(out, f.html == ""); err != nil {
			return err
		}
		if f.html != "" && page.stream(cmd) == nil {
			fmt.Fprintf(out, "The report is in %s.\n", safetext.Printable(f.html, maxText))
		}
	}
	switch n := findings.Count[classError]; {
	case stopped:
		return errors.New("stopped: what is above is not complete")
	case n > 0:
		complain(status, fmt.Errorf("%s could not be looked at, and so the list may not be complete", count(n, "place")))
		return statusOf(statusError)
	case findings.urgent(failOn):
		return statusOf(statusFinding)
	}
	return nil
}

func (f *auditFlags) scan(ctx context.Context, cfg inventory.Config, targets []string, take func(inventory.Result) error) error {
	for r := range inventory.Scan(ctx, cfg, targets...) {
		if err := take(r); err != nil {
			return err
		}
	}
	return nil
}
