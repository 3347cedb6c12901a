package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

func newAccept() *cobra.Command {
	var file, reason string
	var until, at moment
	cmd := &cobra.Command{
		Use:   "accept SHA256|PLACE… --file FILE --until DATE --reason TEXT",
		Short: "Note that a finding is known, and accepted until a date",
		Long: `accept notes that a finding of pkio audit is known: until a date it does not count, and
the audit shows it as accepted.

A finding is given by the SHA-256 of its certificate, as --json and pkio inspect show
it; or by its place, as the audit names it: a file, a folder with all below it, or
HOST:PORT. A place counts for certificates that are found nowhere else, and for what
could not be looked at. The file is text, an acceptance a line. One about the same
takes the old one's place.`,
		Example: `  pkio accept /opt/old --file ok.txt --until 2027-03-31 --reason "off in March"
  pkio accept a.example:443 --file ok.txt --until 2027-01-31 --reason "order 4"
  pkio audit /opt host.example:443 --accept ok.txt`,
		Args: positional(1, 1000, "a SHA-256 or a PLACE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case file == "":
				return errors.New("give the file to write to with --file")
			case isStdin(file):
				return errors.New("--file: give the name of a file, which is read and written")
			case amongDevices(file):
				return fmt.Errorf("--file %q is under /dev, where no files are made: give another name", file)
			case until.IsZero():
				return errors.New("give the last day on which it is accepted with --until")
			case strings.TrimSpace(reason) == "":
				return errors.New("give the reason with --reason: whoever reads the audit sees it")
			case until.Before(at.orNow().Truncate(24 * time.Hour)):
				return fmt.Errorf("--until %s has passed", date(until.Time))
			}
			all, err := readAcceptances(file, true)
			if err != nil {
				return fmt.Errorf("--file: %w", err)
			}
			var unseen []string
			for _, what := range args {
				a := acceptance{Until: date(until.Time), Reason: safetext.Printable(strings.Join(strings.Fields(reason), " "), 500)}
				if err := concern(&a, what); err != nil {
					return err
				}
				if a.Place != "" {
					a.Place = placeOf(targetOf(what))
					if _, err := os.Stat(what); err != nil && !isHostTarget(a.Place) {
						unseen = append(unseen, what)
					}
				}
				if _, err := parseAcceptance(lineOf(a)); err != nil {
					return err
				}
				all.add(a)
			}
			if err := truststore.ReplaceFile(file, []byte(strings.Join(all.lines, "\n")+"\n")); err != nil {
				return fmt.Errorf("--file: %w", err)
			}
			for _, what := range unseen {
				complain(cmd.ErrOrStderr(), fmt.Errorf("%s: there is no such file or folder here, and it is not HOST:PORT: it counts only where an audit finds this place", safetext.Printable(what, maxText)))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s until %s\n", safetext.Printable(file, maxText), count(len(args), "acceptance"), date(until.Time))
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "the `file` with what is accepted; it is made if need be")
	cmd.Flags().Var(&until, "until", "the last day on which it is accepted")
	cmd.Flags().StringVar(&reason, "reason", "", "why it is accepted, in a `text`")
	at.flag(cmd, "today, for scripts")
	return cmd
}
