package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	outputFlags
	accept    string
	machine   string
	save      string
	at        moment
	roots     trust
	lists     crls
	passwords passwords
	use       string
	timeout   time.Duration
	name      serverName
	hosts     string
	parallel  int
	exclude   []string
	closed    bool
	oneSystem bool
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
		Long: `audit finds the certificates of PKIoverheid that must be replaced, in files, folders
and servers, and says by what and by when. A row is a certificate:

  now    the date has passed, or it is of no use: G3, ended, with another's key
  fix    its chain, its name or its server is wrong
  soon   within 90 days;  later: after that;  ok: nothing to do

The status is 1 if something must be done, 2 if something was not read, else 0.`,
		Example: `  pkio audit /etc
  pkio audit . service.example:443 --html report.html
  pkio audit certs --fail-on soon      in CI, to fail 90 days before the date`,
		Args: func(cmd *cobra.Command, args []string) error {
			least := 1
			if f.hosts != "" {
				least = 0
			}
			return positional(least, 100_000, "a PATH or HOST:PORT")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.outputFlags.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.accept, "accept", "", "a `file` with findings that are accepted, see pkio accept")
	flags.StringVar(&f.machine, "machine", "", "the `name` of this machine, for JSON and the report (default its host name)")
	flags.StringVar(&f.save, "save", "", "write JSON to this `file` too, for pkio report and pkio diff")
	f.at.flag(cmd, "judge at this date")
	flags.StringVar(&f.use, "for", "", "the `use`: machine-to-machine, web or client-only (default what each certificate allows)")
	complete(cmd, "for", "machine-to-machine", "web", "client-only")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for a server; connecting may take 3 s of it")
	f.name.flag(cmd)
	flags.StringVar(&f.hosts, "hosts", "", "ask the servers in this `file` too, one a line")
	flags.IntVar(&f.parallel, "parallel", 64, "how many servers to ask at once")
	flags.BoolVar(&f.closed, "no-archives", false, "do not look into zip, jar, tar and gzip: they take most of the time")
	flags.StringArrayVar(&f.exclude, "exclude", nil, "leave out files and folders of this `glob`, by name, or by path if it has a slash")
	flags.BoolVar(&f.oneSystem, "one-file-system", false, "leave out folders of other file systems than that of the PATH")
	f.lists.flag(cmd)
	f.roots.flag(cmd)
	f.passwords.flags(cmd, "", "")
	return cmd
}

func (f *auditFlags) run(cmd *cobra.Command, args []string) error {
	failOn, shown, err := f.outputFlags.check()
	if err != nil {
		return err
	}
	use, err := f.check()
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
	files, err := f.outputs(cmd, slices.Concat(targets, []string{f.hosts, f.accept}, f.passwords.files), known, sideFile{"save", outFile{path: f.save, kind: aRun}, (*audit).json})
	if err != nil {
		return err
	}
	shown.lists = f.lists.ask
	run := f.newRun(targets)
	c := model.NewCollector(run)
	found := f.scan(cmd, shown, c, accepted, inventory.Config{
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
	if err := f.write(cmd, files, found); err != nil {
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
		if err := f.notAnOutput(arg); err != nil {
			return nil, nil, err
		}
		targets = append(targets, targetOf(arg))
	}
	if f.hosts != "" {
		hosts, err := hostsOf(f.hosts)
		if err != nil {
			return nil, nil, fmt.Errorf("--hosts: %w", err)
		}
		targets = append(targets, hosts...)
	}
	return once(targets), in, nil
}

// once leaves out what was named before: a server that is asked twice would seem to send
// its chain twice.
func once(targets []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(targets, func(t string) bool {
		before := seen[t]
		seen[t] = true
		return before
	})
}

// notAnOutput refuses the name of a new file after --csv or --json, which have none.
func (f *auditFlags) notAnOutput(arg string) error {
	for _, flag := range []struct {
		on   bool
		name string
	}{{f.csv, "csv"}, {f.json, "json"}} {
		if _, err := os.Lstat(arg); err != nil && flag.on && strings.EqualFold(filepath.Ext(arg), "."+flag.name) {
			return fmt.Errorf("%s: there is no such file, and --%s writes to standard output: want --%s > FILE", safetext.Printable(arg, 300), flag.name, flag.name)
		}
	}
	return nil
}

// excluded reports what is left out; nil if nothing is.
func (f *auditFlags) excluded() func(string) bool {
	if len(f.exclude) == 0 {
		return nil
	}
	return globs(f.exclude).match
}

// check refuses values which are none.
func (f *auditFlags) check() (use advice.Use, err error) {
	if f.timeout <= 0 {
		return use, fmt.Errorf("--timeout %v: want more than nothing, as 10s", f.timeout)
	}
	use = advice.Use(f.use)
	if !slices.Contains([]advice.Use{"", advice.MachineToMachine, advice.Web, advice.ClientOnly}, use) {
		return use, fmt.Errorf("--for %q: want machine-to-machine, web or client-only", f.use)
	}
	return use, f.name.check()
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
func (f *auditFlags) scan(cmd *cobra.Command, as presentation, c *model.Collector, accepted *acceptances, cfg inventory.Config, in io.Reader, targets []string) *audit {
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
	found.Summary.Unread, found.shown = int(bar.counts.Unread.Load()), as
	for _, line := range found.errorLines() {
		complain(cmd.ErrOrStderr(), errors.New(line))
	}
	return found
}

// urgent reports whether something must be replaced that is as urgent as that, or put
// right. A CA that goes later is not replaced before: until then, its successor is
// trusted beside it.
func (a *audit) urgent(from class) bool {
	return slices.ContainsFunc(a.Certificates, func(c *certificate) bool {
		return c.Accepted == nil && c.Do.Grade() <= from.Grade() && !(c.CA && c.Do == classLater)
	})
}
