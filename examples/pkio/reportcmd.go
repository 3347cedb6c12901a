package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// reportFlags are what a report of many machines is asked for.
type reportFlags struct {
	outputFlags
	expect string
}

func newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report RUN.json…",
		Short: "Make one report of the runs of many machines",
		Long: `report makes one report of what pkio audit found on many machines. A certificate on
forty servers is one row with forty places. Of several runs of a machine the last one
counts. Runs that are cut off, of another version of the format, or from a machine
whose clock is wrong are named, and so are machines of --expect that did not report;
they count as not looked at. Its status is that of pkio audit.`,
		Example: `  pkio audit / --one-file-system --save $(hostname).json     on each machine
  pkio report runs/*.json --html report.html --expect machines.txt
  pkio report runs/*.json --json > report.json     for pkio diff`,
		Args: positional(1, 1_000_000, "a RUN.json"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.expect, "expect", "", "a `file` with the machines that should have reported, one a line")
	return cmd
}

func (f *reportFlags) run(cmd *cobra.Command, paths []string) error {
	failOn, shown, err := f.check()
	if err != nil {
		return err
	}
	var expected []string
	if f.expect != "" {
		if expected, err = readLines(f.expect); err != nil {
			return fmt.Errorf("--expect: %w", err)
		}
	}
	files, err := f.outputs(cmd, append(slices.Clone(paths), f.expect), nil)
	if err != nil {
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
	if err := f.write(cmd, files, found); err != nil {
		return err
	}
	return f.status(cmd, found, failOn)
}

// readLines reads a list: one entry a line, with comments after #.
func readLines(path string) (all []string, err error) {
	data, err := readFile(path, 8<<20)
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
		if f.file.stream(cmd) == cmd.OutOrStdout() {
			return fmt.Errorf("--%s: give the name of a file", f.flag)
		}
		if err := f.file.check(cmd, aReport); err != nil {
			return fmt.Errorf("--%s: %w", f.flag, err)
		}
	}
	return nil
}

func writeBeside(cmd *cobra.Command, files []sideFile, found *audit) (failed []error) {
	for i := range files {
		f := &files[i]
		if f.file.path == "" {
			continue
		}
		f.file.partial = found.Run.Partial && f.file.kind == aRun // the latest metrics are the ones to have
		if err := f.file.write(cmd, f.make(found), aReport); err != nil {
			failed = append(failed, fmt.Errorf("--%s: %w", f.flag, err))
		}
	}
	return failed
}
