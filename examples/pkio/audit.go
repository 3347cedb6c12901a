package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
)

// auditFlags are what an audit is asked for.
type auditFlags struct {
	json, csv bool
	html      string
	at        moment
	roots     trust
	passwords passwords
	use       string
	failOn    string
	timeout   time.Duration
}

func newAudit() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit PATH|HOST:PORT…",
		Short: "Find certificates that must be replaced",
		Long: `audit looks for certificates in files, in folders with all that is below them, and
on servers. It says of each whether it must be replaced, by what, by when, and whom
to ask. Formats are told by content, not by name: PEM in any text, DER, PKCS#7,
PKCS#12, Java key stores, SAML metadata, CPAs.

What must be done, as the table says it:

  now     the date has passed, or it may not be used at all: G3, ended, withdrawn
  soon    within 90 days
  later   there is a date, further ahead: Private G1 ends in November 2028
  ok      nothing to do
  -       nothing of PKIoverheid
  error   could not be looked at: the list may not be complete

The exit status is 1 if something must be replaced, however far ahead the date is
(--fail-on changes that; a CA that goes "later" does not count, since until then its
successor is trusted beside it), 2 if something could not be looked at or the search
was stopped, which goes before 1, and else 0. What most likely holds no certificate,
such as a socket, is passed over, unless it is named itself; --json and --csv tell of
it. Archives are not opened up, nor is base64 of DER looked for in other text.

Key stores are opened with the passwords of --password-file and --password-env, or
PKIO_PASSWORD if no flag is given, and with "changeit".

The table and the report hold the most urgent findings if there are very many;
--json and --csv hold all, as they are found. The report is written over a report of
before, and over no other file.`,
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
	f.at.flag(cmd, "judge at this date")
	flags.StringVar(&f.use, "for", "", "the `use` of the certificates: machine-to-machine, web or client-only (default what each allows)")
	flags.StringVar(&f.failOn, "fail-on", "later", "exit with status 1 from this `urgency` on: now, soon or later")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for a host")
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
	var failOn pkioverheid.Urgency
	if err := failOn.UnmarshalText([]byte(f.failOn)); err != nil || failOn == pkioverheid.NotUrgent {
		return fmt.Errorf("--fail-on %q: want now, soon or later", f.failOn)
	}
	var use pkioverheid.Use
	if err := use.UnmarshalText([]byte(f.use)); err != nil {
		return fmt.Errorf("--for %q: want machine-to-machine, web or client-only", f.use)
	}
	known, err := f.passwords.known()
	if err != nil {
		return err
	}
	known = append(known, javaPassword)
	verifier, err := f.roots.verifier()
	if err != nil {
		return err
	}
	if err := mayReport(f.html, targets); err != nil {
		return err
	}

	out, status := cmd.OutOrStdout(), cmd.ErrOrStderr()
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
		var page bytes.Buffer
		if err := findings.writeReport(&page); err != nil {
			return err
		}
		if err := truststore.ReplaceFile(f.html, page.Bytes()); err != nil {
			return err
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
		if f.html != "" {
			fmt.Fprintf(out, "The report is in %s.\n", printable(f.html))
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

// maxMark is how far into a report its mark is looked for.
const maxMark = 4 << 10

// reportMark is in every report, see report.html.
const reportMark = `<meta name="generator" content="pkio `

// mayReport refuses a place for the report where something would be lost, or where it
// cannot be written: better to hear that now than after an hour. Only a report of
// before is written over, and an empty file.
func mayReport(path string, targets []string) error {
	if path == "" {
		return nil
	}
	if path == "-" {
		return errors.New("--html \"-\" is not standard output here: give the name of a file")
	}
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f, err := os.CreateTemp(filepath.Dir(path), ".pkio-*.tmp")
		if err != nil {
			return fmt.Errorf("--html %q cannot be written: %w", path, errors.Unwrap(err))
		}
		return errors.Join(f.Close(), os.Remove(f.Name()))
	case err != nil:
		return fmt.Errorf("--html: %w", err)
	case !old.Mode().IsRegular():
		return fmt.Errorf("--html %q is no regular file: give another name", path)
	}
	for _, t := range targets {
		if info, err := os.Stat(t); err == nil && os.SameFile(info, old) {
			return fmt.Errorf("--html %q is what is looked at: give the report another name", path)
		}
	}
	if old.Size() == 0 {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	defer f.Close()
	start, err := io.ReadAll(io.LimitReader(f, maxMark))
	if err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	if !bytes.Contains(start, []byte(reportMark)) {
		return fmt.Errorf("--html %q exists and is no report of pkio: give another name", path)
	}
	return nil
}
