package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// auditFlags are what an audit is asked for.
type auditFlags struct {
	json, csv bool
	all       bool
	quiet     bool
	strict    bool
	force     bool
	accept    string
	machine   string
	html      string
	save      string
	metrics   string
	at        moment
	roots     trust
	lists     crls
	passwords passwords
	use       string
	failOn    string
	timeout   time.Duration
	name      serverName
	hosts     string
	parallel  int
	exclude   []string
	closed    bool
	oneSystem bool
	shown     presentationFlags
}

// maxFile is how many bytes of a file are looked at: logs are larger than stores. Text is
// read piece by piece, and is in memory only if there may be a certificate in it.
const maxFile = 256 << 20

// maxParallel is how many servers are asked at once at most: each takes a file of the
// process, of which there are often 1,024.
const maxParallel = 512

func newAudit() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit PATH|HOST:PORT…",
		Short: "Find certificates that must be replaced",
		Long: `audit looks for certificates in files, in folders with all that is below them, and
on servers. A row is a certificate, with its places below. What must be done:

  now     the date has passed, or it may not be used at all: G3, ended, withdrawn
  fix     nothing to replace, but its chain, its name, its key or its server is wrong
  soon    within 90 days
  later   there is a date, further ahead: Private G1 must be left by the end of 2027
  ok      nothing to do

What is not of PKIoverheid is a number, and is listed with --all. The exit status is 1
if something must be replaced or put right, however far ahead the date is (--fail-on
changes that; a CA that goes "later" does not count, since its successor is trusted
beside it), else 2 if something could not be looked at, else 0. --strict lets 2 go
before 1. Findings in the file of --accept do not count until their date.

Formats are recognised by content: PEM and base64 in any text, DER, PKCS#7, PKCS#12,
Java key stores, SAML metadata, CPAs, WS-Security, and these in zip, jar, tar and gzip.
A private key is compared with the certificates beside it. Key stores are opened with the passwords of
--password-file and --password-env, or else PKIO_PASSWORD, and with "changeit".`,
		Example: `  pkio audit /etc
  pkio audit . service.example:443 --html report.html
  pkio audit /opt --password-file passwords.txt --csv > certificates.csv
  pkio audit /etc --json | jq '.certificates[] | select(.do == "now") | .name'
  pkio audit certs --fail-on soon      in CI, to fail from 90 days before the date on`,
		Args: func(cmd *cobra.Command, args []string) error {
			least := 1
			if f.hosts != "" {
				least = 0
			}
			return positional(least, 100_000, "a PATH or HOST:PORT")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "list what is not of PKIoverheid too, and every place")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write the summary only")
	flags.BoolVar(&f.json, "json", false, "write JSON, as audit.schema.json describes it")
	flags.BoolVar(&f.csv, "csv", false, "write CSV, a row for each place")
	flags.StringVar(&f.accept, "accept", "", "a `file` with findings that are accepted, see pkio accept")
	flags.BoolVar(&f.strict, "strict", false, "exit with status 2 if something could not be looked at, whatever was found")
	flags.StringVar(&f.machine, "machine", "", "the `name` of this machine, for JSON and the report (default its host name)")
	flags.StringVar(&f.html, "html", "", "write a report to this `file`, which works without a network")
	flags.StringVar(&f.save, "save", "", "write the JSON to this `file` as well, for pkio report and pkio diff")
	flags.StringVar(&f.metrics, "prometheus", "", "write metrics for node_exporter's textfile collector to this `file`")
	forceFlag(cmd, &f.force)
	f.at.flag(cmd, "judge at this date")
	flags.StringVar(&f.use, "for", "", "the `use` of the certificates: machine-to-machine, web or client-only (default what each allows)")
	flags.StringVar(&f.failOn, "fail-on", "later", "exit with status 1 from this `urgency` on: now, soon or later")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for a host")
	f.name.flag(cmd)
	flags.StringVar(&f.hosts, "hosts", "", "ask the servers in this `file` too, one a line")
	flags.IntVar(&f.parallel, "parallel", 64, "how many servers to ask at once")
	flags.BoolVar(&f.closed, "no-archives", false, "do not look into zip, jar, tar and gzip: they take most of the time")
	flags.StringArrayVar(&f.exclude, "exclude", nil, "leave out files and folders of this `glob`, by name, or by path if it has a slash")
	flags.BoolVar(&f.oneSystem, "one-file-system", false, "leave out folders of other file systems than that of the PATH")
	f.lists.flag(cmd)
	f.roots.flag(cmd)
	f.shown.flags(cmd)
	f.passwords.flags(cmd, "", "key stores")
	complete(cmd, "for", "machine-to-machine", "web", "client-only")
	complete(cmd, "fail-on", "now", "soon", "later")
	return cmd
}

func (f *auditFlags) run(cmd *cobra.Command, args []string) error {
	failOn, use, err := f.check()
	if err != nil {
		return err
	}
	shown, err := f.shown.presentation(f.html != "", f.csv)
	if err != nil {
		return err
	}
	targets, in, err := f.targets(args)
	if err != nil {
		return err
	}
	known, err := f.passwords.known()
	if err != nil {
		return err
	}
	known = append(known, javaPassword)
	verifier, err := f.roots.verifier(nil, &f.lists)
	if err != nil {
		return err
	}
	defer f.lists.close()
	var accepted *acceptances
	if f.accept != "" {
		if accepted, err = readAcceptances(f.accept, false); err != nil {
			return fmt.Errorf("--accept: %w", err)
		}
	}
	page := outFile{path: f.html, kind: aPage, force: f.force, passwords: known}
	if err := f.checkPage(cmd, &page, targets); err != nil {
		return err
	}
	beside := []sideFile{
		{"save", outFile{path: f.save, kind: aRun, force: f.force, inputs: page.inputs}, (*audit).json},
		{"prometheus", outFile{path: f.metrics, kind: aMetrics, force: f.force, inputs: page.inputs}, (*audit).prometheus},
	}
	if err := checkBeside(cmd, beside); err != nil {
		return err
	}

	out := cmd.OutOrStdout()
	if f.html != "" {
		out = page.remarks(cmd)
	}
	run := f.newRun(targets)
	c := model.NewCollector(run)
	found := f.scan(cmd, c, accepted, inventory.Config{
		Passwords:  func(string) iter.Seq[string] { return slices.Values(known) },
		Time:       run.At,
		Verifier:   verifier,
		Use:        use,
		JudgeAhead: true,
		Timeout:    f.timeout,
		ServerName: string(f.name),

		MaxFileSize:   maxFile,
		ParallelHosts: f.parallel,
		Exclude:       f.excluded(),
		OneFileSystem: f.oneSystem,
		SkipArchives:  f.closed,
	}, in, targets)

	found.shown = shown

	// The report first: what prints the table may have gone.
	if f.html != "" {
		if err := f.writePage(cmd, &page, found); err != nil {
			if !found.Run.Partial {
				return fmt.Errorf("--html: %w", err)
			}
			complain(cmd.ErrOrStderr(), fmt.Errorf("--html: %w", err)) // what was found is still to be told
			f.html = ""
		}
	}
	if err := writeBeside(cmd, beside, found); err != nil {
		return err
	}
	switch {
	case f.json:
		err = found.writeJSON(out)
	case f.csv:
		err = found.writeCSV(out)
	default:
		err = found.writeTable(out, tableOptions{all: f.all, quiet: f.quiet || f.html != "", width: widthOf(out)})
		if err == nil && f.html != "" && page.stream(cmd) == nil {
			_, err = fmt.Fprintln(out, shown.lang.say("The report is in %s.", safetext.Printable(f.html, maxText)))
		}
	}
	if err != nil {
		return err
	}
	return f.status(cmd, found, failOn)
}

// targets are what is looked at, and what standard input is read from.
func (f *auditFlags) targets(args []string) (targets []string, in io.Reader, err error) {
	if f.parallel < 1 || f.parallel > maxParallel {
		return nil, nil, fmt.Errorf("--parallel %d: want a number from 1 to %d", f.parallel, maxParallel)
	}
	if err := globs(f.exclude).check(); err != nil {
		return nil, nil, err
	}
	for _, arg := range args {
		if isStdin(arg) {
			if arg = stdinName; in != nil {
				return nil, nil, errStdinTwice
			}
			if in, err = stdinStream(); err != nil {
				return nil, nil, err
			}
		}
		targets = append(targets, targetOf(arg))
	}
	if f.hosts == "" {
		return targets, in, nil
	}
	hosts, err := hostsOf(f.hosts)
	if err != nil {
		return nil, nil, fmt.Errorf("--hosts: %w", err)
	}
	return append(targets, hosts...), in, nil
}

// excluded reports what is left out; nil if nothing is.
func (f *auditFlags) excluded() func(string) bool {
	if len(f.exclude) == 0 {
		return nil
	}
	return globs(f.exclude).match
}

// writePage writes the report. That of a run that was stopped takes the place of a whole
// one with --force only.
func (f *auditFlags) writePage(cmd *cobra.Command, page *outFile, found *audit) error {
	var text bytes.Buffer
	if err := found.writeReport(&text); err != nil {
		return err
	}
	data := text.Bytes()
	if page.partial = found.Run.Partial; page.partial {
		data = markPartial(data)
	}
	return page.write(cmd, data, aReport)
}

// check refuses flags that do not go together, or that have values which are none.
func (f *auditFlags) check() (failOn class, use advice.Use, err error) {
	switch {
	case f.json && f.csv:
		return "", use, errors.New("--json and --csv both write to standard output: give one")
	case (f.json || f.csv) && (f.all || f.quiet):
		return "", use, errors.New("--all and --quiet are for the table: --json and --csv have all")
	case f.all && f.quiet:
		return "", use, errors.New("--all and --quiet: give one")
	case f.html != "" && (f.all || f.quiet):
		return "", use, errors.New("--all and --quiet are for the table, and with --html there is none")
	case f.timeout <= 0:
		return "", use, fmt.Errorf("--timeout %v: want more than nothing, as 10s", f.timeout)
	}
	failOn = class(f.failOn)
	if !slices.Contains([]class{classNow, classSoon, classLater}, failOn) {
		return "", use, fmt.Errorf("--fail-on %q: want now, soon or later", f.failOn)
	}
	use = advice.Use(f.use)
	if !slices.Contains([]advice.Use{"", advice.MachineToMachine, advice.Web, advice.ClientOnly}, use) {
		return "", use, fmt.Errorf("--for %q: want machine-to-machine, web or client-only", f.use)
	}
	return failOn, use, f.name.check()
}

// checkPage refuses a place for the report before the work is done.
func (f *auditFlags) checkPage(cmd *cobra.Command, page *outFile, targets []string) error {
	if f.html == "" {
		return nil
	}
	for _, t := range targets {
		if info, err := os.Stat(t); err == nil && info.Mode().IsRegular() {
			page.inputs = append(page.inputs, t)
		}
	}
	if page.stream(cmd) == cmd.OutOrStdout() && (f.json || f.csv) {
		return errors.New("--html and --json or --csv both write to standard output: give the name of a file to --html")
	}
	if err := page.check(cmd, aReport); err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	return nil
}

func (f *auditFlags) newRun(targets []string) auditRun {
	run := auditRun{Machine: f.machine, Tool: version(), CAs: pkioverheid.EmbeddedVersion(), Start: time.Now().UTC().Truncate(time.Second), Targets: []string{}}
	if run.Machine == "" {
		run.Machine, _ = os.Hostname() // empty if it has none
	}
	run.At = run.Start
	if !f.at.IsZero() {
		run.At = f.at.Time
	}
	for _, t := range targets {
		run.Targets = append(run.Targets, safetext.Printable(t, maxPath))
	}
	return run
}

// scan looks at everything, and says on standard error what could not be looked at.
func (f *auditFlags) scan(cmd *cobra.Command, c *model.Collector, accepted *acceptances, cfg inventory.Config, in io.Reader, targets []string) *audit {
	shown := cmd.ErrOrStderr()
	if f.quiet {
		shown = io.Discard
	}
	start := time.Now()
	bar := startProgress(shown)
	cfg.Progress = &bar.counts
	eachFound(cmd.Context(), cfg, in, targets, c.Take)
	partial := cmd.Context().Err() != nil
	bar.end()
	found := finished(c, float64(time.Since(start).Milliseconds())/1000, partial, accepted)
	found.Summary.Unread = int(bar.counts.Unread.Load())
	for _, line := range found.errorLines() {
		complain(cmd.ErrOrStderr(), errors.New(line))
	}
	return found
}

// status is the exit status, with a word on why.
func (f *auditFlags) status(cmd *cobra.Command, found *audit, failOn class) error {
	unread := 0
	for i := range found.NotRead {
		if n := &found.NotRead[i]; !n.Skipped && n.Accepted == nil {
			unread++
		}
	}
	incomplete := unread > 0 || found.Run.Partial || found.lost > 0
	if found.Run.Partial {
		complain(cmd.ErrOrStderr(), errors.New("stopped: what is above is not complete"))
	}
	if unread > 0 {
		complain(cmd.ErrOrStderr(), fmt.Errorf("%s could not be looked at, and so the list may not be complete", count(unread, "place")))
	}
	switch {
	case incomplete && f.strict:
		return statusOf(statusError)
	case found.urgent(failOn):
		return statusOf(statusFinding)
	case incomplete:
		return statusOf(statusError)
	}
	return nil
}

// urgent reports whether something must be replaced that is as urgent as that, or put
// right. A CA that goes later is not replaced before: until then, its successor is
// trusted beside it.
func (a *audit) urgent(from class) bool {
	return slices.ContainsFunc(a.Certificates, func(c *certificate) bool {
		return c.Accepted == nil && c.Do.Grade() <= from.Grade() && !(c.CA && c.Do == classLater)
	})
}
