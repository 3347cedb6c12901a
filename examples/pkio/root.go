package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// The exit statuses, which serve in scripts and CI.
const (
	statusFine    = 0
	statusFinding = 1 // something must be replaced, or is refused
	statusError   = 2
)

// statusOf is an error that is printed already: only the status is left to give.
type statusOf int

func (s statusOf) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// run runs one command and returns the exit status.
func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	out := &output{file: os.Stdout}
	root.SetOut(out) // cobra would write help that nobody asked for there too
	root.SetErr(os.Stderr)
	err := root.ExecuteContext(ctx)
	if out.err != nil { // whatever the command made of it
		err = fmt.Errorf("not all of the output could be written: %w", out.err)
	}
	var status statusOf
	switch {
	case err == nil:
		return statusFine
	case errors.As(err, &status):
		return int(status)
	}
	complain(os.Stderr, err)
	return statusError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "pkio COMMAND [flags]",
		Short: "Look after certificates of PKIoverheid",
		Long: `pkio finds the certificates of PKIoverheid that must be replaced, and says by what
and by when. It trusts Private G1, its successor Private G4, and EV for what was
signed until 2022, and refuses G3.`,
		Example: `  pkio audit /etc service.example:443        what must be replaced, and by what
  pkio audit /etc --html report.html         the same as a report to hand on
  pkio inspect service.example:443           who is that, is the chain right?
  pkio export --hierarchy g1,g4 --to curl    a trust store for another program`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return writeHelp(cmd) },

		SuggestionsMinimumDistance: 2,
		PersistentPreRunE:          refuseEmptyFlags,
	}
	root.SetVersionTemplate("{{.Name}} version {{.Version}}\nknows the CAs of PKIoverheid as of " + pkioverheid.EmbeddedVersion() + "\n")
	root.AddCommand(newAccept(), newAudit(), newCheck(), newConvert(), newDiff(), newExport(), newInspect(), newPlan(), newReport(), newRequest(), newVerify())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w%s: see %s --help", err, whoHas(root, err), cmd.CommandPath())
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _ = writeHelp(cmd) }) // run sees what could not be written
	root.SetHelpCommand(newHelp(root))
	return root
}

// whoHas names the commands that have a flag which another one has not, if these are few:
// the topics of help show flags of several.
func whoHas(root *cobra.Command, err error) string {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return ""
	}
	var names []string
	for _, c := range root.Commands() {
		if f := c.Flags().Lookup(name); f != nil && c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if len(names) == 0 || len(names) > 3 {
		return ""
	}
	return ", which is one of " + strings.Join(names, ", ")
}

// refuseEmptyFlags keeps a script with a variable that is not set from leaving out a
// check, such as that of --host, or a file, such as that of --html, unnoticed.
func refuseEmptyFlags(cmd *cobra.Command, args []string) error {
	for _, name := range []string{"expect", "for", "host", "html", "prometheus", "save", "servername", "trust"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed && f.Value.String() == "" {
			return fmt.Errorf("--%s is empty: give a value, or leave it out", name)
		}
	}
	return refuseStdinTwice(cmd, args)
}

// refuseStdinTwice refuses two files that are both standard input.
func refuseStdinTwice(cmd *cobra.Command, args []string) error {
	switch cmd.Name() {
	case "convert":
		args = args[:min(len(args), 1)] // the other is what is written
	case "export", "accept", "help":
		args = nil
	}
	names := slices.Clone(args)
	for _, name := range []string{"accept", "cert", "check", "expect", "from", "hosts", "key", "trust"} {
		if f := cmd.Flags().Lookup(name); f != nil {
			names = append(names, f.Value.String())
		}
	}
	for _, name := range []string{"password-file", "in-password-file", "out-password-file"} {
		if more, err := cmd.Flags().GetStringArray(name); err == nil {
			names = append(names, more...)
		}
	}
	if len(names)-len(files(names)) > 1 {
		return errStdinTwice
	}
	return nil
}

// unknownCommand refuses what is not a command, with the one that was probably meant.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("there is no command %q: see pkio --help", args[0])
	if close := cmd.SuggestionsFor(args[0]); len(close) > 0 {
		err = fmt.Errorf("there is no command %q: did you mean %s?", args[0], strings.Join(close, " or "))
	}
	return err
}

// version is that of the module, as go install notes it, with the commit where it is
// built from one.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	v := info.Main.Version
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed since"
		}
	}
	if commit != "" && !strings.Contains(v, commit) {
		v += " (commit " + commit + changed + ")"
	}
	return v
}
