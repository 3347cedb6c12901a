package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// reportFlags are what a report of many machines is asked for.
type reportFlags struct {
	json, csv  bool
	all, quiet bool
	strict     bool
	force      bool
	html       string
	prometheus string
	expect     string
	failOn     string
	shown      presentationFlags
}

func newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report RUN.json…",
		Short: "Make one report of the runs of many machines",
		Long: `report makes one report of what pkio audit found on many machines. A certificate on
forty servers is one row with forty places. Of several runs of a machine the last one
counts. Runs that are cut off, of another version of the format, or from a machine whose
clock is wrong are named, and so are machines of --expect that did not report; they
count as not looked at. The exit status is that of pkio audit.`,
		Example: `  pkio audit / --one-file-system --save $(hostname).json     on each machine
  pkio report runs/*.json --html report.html --expect machines.txt
  pkio report runs/*.json --json > report.json              pkio diff compares two of these`,
		Args: positional(1, 1_000_000, "a RUN.json"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "list what is not of PKIoverheid too, and every place")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write the summary only")
	flags.BoolVar(&f.json, "json", false, "write JSON, as audit.schema.json describes it")
	flags.BoolVar(&f.csv, "csv", false, "write CSV, a row for each place")
	flags.StringVar(&f.html, "html", "", "write a report to this `file`, which works without a network")
	flags.StringVar(&f.prometheus, "prometheus", "", "write metrics for node_exporter's textfile collector to this `file`")
	flags.StringVar(&f.expect, "expect", "", "a `file` with the machines that should have reported, one a line")
	flags.BoolVar(&f.strict, "strict", false, "exit with status 2 if something could not be looked at, whatever was found")
	flags.StringVar(&f.failOn, "fail-on", "later", "exit with status 1 from this `urgency` on: now, soon or later")
	forceFlag(cmd, &f.force)
	f.shown.flags(cmd)
	return cmd
}

func (f *reportFlags) run(cmd *cobra.Command, paths []string) error {
	asAudit := auditFlags{json: f.json, csv: f.csv, all: f.all, quiet: f.quiet, strict: f.strict, force: f.force, html: f.html, failOn: f.failOn, timeout: time.Second}
	failOn, _, err := asAudit.check()
	if err != nil {
		return err
	}
	shown, err := f.shown.presentation(f.html != "", f.csv)
	if err != nil {
		return err
	}
	var expected []string
	if f.expect != "" {
		if expected, err = readLines(f.expect); err != nil {
			return fmt.Errorf("--expect: %w", err)
		}
	}
	page := outFile{path: f.html, kind: aPage, force: f.force}
	if err := asAudit.checkPage(cmd, &page, paths); err != nil {
		return err
	}
	beside := []sideFile{{"prometheus", outFile{path: f.prometheus, kind: aMetrics, force: f.force, inputs: paths}, (*audit).prometheus}}
	if err := checkBeside(cmd, beside); err != nil {
		return err
	}
	start := time.Now()
	run := auditRun{Machine: "", Tool: version(), CAs: pkioverheid.EmbeddedVersion(), Start: start.UTC().Truncate(time.Second), Targets: []string{}}
	run.At = run.Start
	fl := newFleet(run)
	fl.take(paths)
	fl.missing(expected)
	found := fl.finish(float64(time.Since(start).Milliseconds()) / 1000)
	found.shown = shown
	for _, line := range found.errorLines() {
		complain(cmd.ErrOrStderr(), errors.New(line))
	}
	out := cmd.OutOrStdout()
	if f.html != "" {
		out = page.remarks(cmd)
		var text bytes.Buffer
		if err := found.writeReport(&text); err != nil {
			return err
		}
		if err := page.write(cmd, text.Bytes(), aReport); err != nil {
			return fmt.Errorf("--html: %w", err)
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
		if _, err = fmt.Fprintln(out, found.runsLine()); err == nil {
			err = found.writeTable(out, tableOptions{all: f.all, quiet: f.quiet || f.html != "", width: widthOf(out)})
		}
	}
	if err != nil {
		return err
	}
	return asAudit.status(cmd, found, failOn)
}

// readLines reads a list: one entry a line, with comments after #.
func readLines(path string) (all []string, err error) {
	data, err := truststore.ReadFile(path, 8<<20)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, safetext.Printable(line, maxPath))
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// sideFile is what is written beside the output, by a flag that names the file.
type sideFile struct {
	flag string
	file outFile
	make func(*audit) []byte
}

// checkBeside refuses a place for a file before the work is done.
func checkBeside(cmd *cobra.Command, files []sideFile) error {
	for i := range files {
		f := &files[i]
		if f.file.path == "" {
			continue
		}
		if f.file.path == "-" {
			return fmt.Errorf("--%s: give the name of a file", f.flag)
		}
		if err := f.file.check(cmd, aReport); err != nil {
			return fmt.Errorf("--%s: %w", f.flag, err)
		}
	}
	return nil
}

func writeBeside(cmd *cobra.Command, files []sideFile, found *audit) error {
	for i := range files {
		f := &files[i]
		if f.file.path == "" {
			continue
		}
		f.file.partial = found.Run.Partial && f.file.kind == aRun // the latest metrics are the ones to have
		if err := f.file.write(cmd, f.make(found), aReport); err != nil {
			return fmt.Errorf("--%s: %w", f.flag, err)
		}
	}
	return nil
}
