package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// outputFlags say what an audit, or a report of several, writes where, and from when on
// its status is 1.
type outputFlags struct {
	json, csv  bool
	all, quiet bool
	strict     bool
	force      bool
	html       string
	metrics    string
	failOn     string
	shown      presentationFlags
}

func (f *outputFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "list every place, and what is not of PKIoverheid")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write the summary only")
	flags.BoolVar(&f.json, "json", false, "write JSON, as audit.schema.json describes it")
	flags.BoolVar(&f.csv, "csv", false, "write CSV, a row for each place")
	flags.StringVar(&f.html, "html", "", "write a report to this `file`, to hand on")
	flags.StringVar(&f.metrics, "prometheus", "", "write metrics for node_exporter's textfile collector to this `file`")
	flags.BoolVar(&f.strict, "strict", false, "status 2 (something could not be looked at) goes before 1")
	flags.StringVar(&f.failOn, "fail-on", "later", "status 1 from this `urgency` on: now, soon or later")
	complete(cmd, "fail-on", "now", "soon", "later")
	forceFlag(cmd, &f.force)
	f.shown.flags(cmd)
}

// check refuses flags that do not go together, or that have values which are none.
func (f *outputFlags) check() (failOn class, shown presentation, err error) {
	switch {
	case f.json && f.csv:
		return "", shown, errors.New("--json and --csv both write to standard output: give one")
	case (f.json || f.csv) && (f.all || f.quiet):
		return "", shown, errors.New("--all and --quiet are for the table: --json and --csv have all")
	case f.all && f.quiet:
		return "", shown, errors.New("--all and --quiet: give one")
	case f.html != "" && (f.all || f.quiet):
		return "", shown, errors.New("--all and --quiet are for the table, and with --html there is none")
	}
	failOn = class(f.failOn)
	if !slices.Contains([]class{classNow, classSoon, classLater}, failOn) {
		return "", shown, fmt.Errorf("--fail-on %q: want now, soon or later", f.failOn)
	}
	shown, err = f.shown.presentation(f.html != "", f.csv)
	return failOn, shown, err
}

// outputs are the files that are written besides standard output.
type outputs struct {
	page   outFile
	beside []sideFile
}

// outputs refuses a place for a file before the work is done. inputs are what is read,
// some of them empty.
func (f *outputFlags) outputs(cmd *cobra.Command, inputs, passwords []string, more ...sideFile) (*outputs, error) {
	files := &outputs{page: outFile{path: f.html, kind: aPage, force: f.force, passwords: passwords}}
	for _, t := range inputs {
		if info, err := os.Stat(t); err == nil && info.Mode().IsRegular() {
			files.page.inputs = append(files.page.inputs, t)
		}
	}
	if f.html != "" {
		if files.page.stream(cmd) == cmd.OutOrStdout() && (f.json || f.csv) {
			return nil, errors.New("--html and --json or --csv both write to standard output: give the name of a file to --html")
		}
		if err := files.page.check(cmd, aReport); err != nil {
			return nil, fmt.Errorf("--html: %w", err)
		}
	}
	given := []string{f.html}
	files.beside = append(more, sideFile{"prometheus", outFile{path: f.metrics, kind: aMetrics}, (*audit).prometheus})
	for i := range files.beside {
		file := &files.beside[i].file
		file.force, file.inputs = f.force, files.page.inputs
		if file.path != "" && slices.ContainsFunc(given, func(other string) bool { return isSamePlace(file.path, other) }) {
			return nil, fmt.Errorf("--%s: another flag writes to this file too: give another name", files.beside[i].flag)
		}
		given = append(given, file.path)
	}
	return files, checkBeside(cmd, files.beside)
}

// write writes all that was asked for.
func (f *outputFlags) write(cmd *cobra.Command, files *outputs, found *audit) error {
	out, html := cmd.OutOrStdout(), f.html
	// Files first: what prints the table may have gone. Where one cannot be written, what
	// was found is still printed.
	failed := writeBeside(cmd, files.beside, found)
	if html != "" {
		out = files.page.remarks(cmd)
		if err := writePage(cmd, &files.page, found); err != nil {
			failed, html = append(failed, fmt.Errorf("--html: %w", err)), ""
		}
	}
	for _, err := range failed {
		complain(cmd.ErrOrStderr(), err)
	}
	if err := f.writeFound(cmd, out, files, html, found); err != nil {
		return err
	}
	if len(failed) > 0 && !found.Run.Partial {
		return statusOf(statusError)
	}
	return nil
}

// writeFound writes what goes to standard output, or beside a page that goes there.
func (f *outputFlags) writeFound(cmd *cobra.Command, out io.Writer, files *outputs, html string, found *audit) (err error) {
	switch {
	case f.json:
		return found.writeJSON(out)
	case f.csv:
		return found.writeCSV(out)
	}
	if found.manyMachines() {
		err = writeLine(out, found.runsLine())
	}
	if err == nil {
		err = found.writeTable(out, tableOptions{all: f.all, quiet: f.quiet || html != "", width: widthOf(out)})
	}
	if err == nil && html != "" && files.page.stream(cmd) == nil {
		err = writeLine(out, found.shown.lang.say("The report is in %s.", safetext.Printable(html, maxText)))
	}
	return err
}

func writeLine(out io.Writer, text string) error {
	_, err := fmt.Fprintln(out, text)
	return err
}

// writePage writes the report. That of a run that was stopped takes the place of a whole
// one with --force only.
func writePage(cmd *cobra.Command, page *outFile, found *audit) error {
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

// status is the exit status, with a word on why.
func (f *outputFlags) status(cmd *cobra.Command, found *audit, failOn class) error {
	l, unread := found.shown.lang, 0
	for i := range found.NotRead {
		if n := &found.NotRead[i]; !n.Skipped && n.Accepted == nil {
			unread++
		}
	}
	incomplete := unread > 0 || found.Run.Partial || found.lost > 0
	if found.Run.Partial {
		complain(cmd.ErrOrStderr(), errors.New(l.say("stopped: what is above is not complete")))
	}
	if unread > 0 {
		complain(cmd.ErrOrStderr(), errors.New(l.say("%s could not be looked at, and so the list may not be complete", l.count(unread, "place"))))
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
