package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A screen is that of a terminal when it opens.
const (
	screenHeight = 24
	screenWidth  = 80
)

// topic is what several commands have in common: pkio help NAME shows the text and the
// flags. A command whose help is more than a screen names them and leaves them to it.
type topic struct {
	name, text string
	flags      []string
}

var topics = []topic{
	{"formats", `Formats are recognised by content, whatever a file is called: PEM and base64 in
text of any size, DER, PKCS#7, PKCS#12, Java key stores, SAML metadata, CPAs,
WS-Security, JWK, and these in zip, jar, tar and gzip. "-" is standard input.

Key stores are opened with the passwords of --password-file and --password-env, or
else PKIO_PASSWORD, and with "changeit". A private key is compared with the
certificates in the same file, and www.key beside www.pem, .crt, .cer or .cert with
those, as privkey.pem with fullchain.pem and cert.pem. Folders are read with all
that is below them; /proc and other file systems without files are left out.`,
		[]string{"password-file", "password-env", "exclude", "one-file-system", "no-archives"}},
	{"servers", `Servers are given as HOST:PORT, HOST:https, https://HOST/ or [::1]:443. A URL of
smtp, imap, pop3, ldap, postgres or another protocol that begins in clear asks for
TLS first. A server is sent the beginning of a TLS handshake and no certificate; of
one with an RSA and an ECDSA certificate both are seen.

By default 64 are asked at once, and connecting times out after 3 s: 5,000 that do
not answer take some four minutes.`,
		[]string{"hosts", "servername", "parallel", "timeout"}},
	{"output", `The table is for people, --json and --csv are for programs and go to standard
output in its place, and --html is for
whoever must decide. In a pipe the table has all of a place on its line. --lang nl, or a locale
that begins with nl, gives table, report and advice in Dutch; the rest stays English.`,
		[]string{"json", "csv", "csv-separator", "csv-bom", "html", "title", "organisation", "author", "machine", "save", "prometheus", "force", "lang"}},
	{"status", `The exit status is 1 if something must be replaced or put right, however far ahead
the date is; a CA that goes "later" does not count, since its successor is trusted
beside it. Else it is 2 if something could not be looked at, or on a mistake in the
command line, else 0. Findings in the file of --accept do not count until their date.

Certificates that are not of PKIoverheid are counted, and that is all: one that has
ended has no effect. But one beside the private key of another is for now, whoever
issued it, as is one that imitates PKIoverheid.`,
		[]string{"accept", "fail-on", "strict"}},
	{"trust", `Trusted are Private G1, Private G4 and EV, for what was signed until 2022. G3 is
refused. --trust adds CAs of others, such as the G-Other root, but not G3 or tests.

The advice depends on what a certificate is for. By default that is what it allows:
--for says that it is for machine-to-machine, web or client-only.`,
		[]string{"trust", "at", "for", "crl", "profile"}},
}

// writeHelp writes the help of a command on one screen: what it is for comes first.
func writeHelp(cmd *cobra.Command) error {
	text := helpOf(cmd, nil)
	for i := 0; i < len(topics) && strings.Count(text, "\n") > screenHeight; i++ {
		text = helpOf(cmd, topics[:i+1])
	}
	_, err := io.WriteString(cmd.OutOrStdout(), text)
	return err
}

// helpOf is the help, with the flags of some topics left to these.
func helpOf(cmd *cobra.Command, elsewhere []topic) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%sUsage: %s\n%s\n", paragraphs(cmd.Long), cmd.UseLine(), cmd.Example)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintln(&out)
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(&out, "  %-9s %s\n", c.Name(), c.Short)
			}
		}
		fmt.Fprintf(&out, "\nMore: pkio COMMAND --help, pkio --version, and pkio help TOPIC, where TOPIC is\n%s.\n", topicNames())
		return out.String()
	}
	here := pflag.NewFlagSet("", pflag.ContinueOnError)
	left := map[string][]string{}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		i := slices.IndexFunc(elsewhere, func(t topic) bool { return slices.Contains(t.flags, f.Name) })
		switch {
		case f.Name == "help":
		case i >= 0 && f.Usage == shared(cmd.Root(), f.Name).Usage:
			left[elsewhere[i].name] = append(left[elsewhere[i].name], "--"+f.Name)
		default:
			here.AddFlag(f)
		}
	})
	fmt.Fprintf(&out, "\n%s", usages(here))
	if len(left) > 0 {
		fmt.Fprintln(&out, "More flags, explained by pkio help GROUP:")
	}
	for _, t := range elsewhere {
		if names := left[t.name]; len(names) > 0 {
			out.WriteString(wrapped(fmt.Sprintf("  %-9s", t.name), strings.Repeat(" ", 11), strings.Join(names, " ")))
		}
	}
	return out.String()
}

func topicNames() string {
	var names []string
	for _, t := range topics {
		names = append(names, t.name)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// paragraphs are text in lines of a screen, with what is indented as it is, and an empty
// line at the end.
func paragraphs(text string) string {
	var out strings.Builder
	for _, p := range strings.Split(text, "\n\n") {
		if strings.HasPrefix(p, " ") {
			out.WriteString(p + "\n\n")
		} else {
			out.WriteString(wrappedTo(screenWidth, "", "", p) + "\n")
		}
	}
	return out.String()
}

// shared is a flag that several commands have, as audit has it.
func shared(root *cobra.Command, name string) *pflag.Flag {
	for _, command := range []string{"audit", "verify"} {
		cmd, _, _ := root.Find([]string{command}) // it is there
		if f := cmd.Flags().Lookup(name); f != nil {
			return f
		}
	}
	panic("a topic has a flag that no command has: --" + name)
}

// usages describes flags in lines of a screen.
func usages(flags *pflag.FlagSet) string {
	return flags.FlagUsagesWrapped(screenWidth)
}

// write writes a topic, with the flags as the commands have them.
func (t topic) write(root *cobra.Command, out io.Writer) error {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.SortFlags = false
	for _, name := range t.flags {
		flags.AddFlag(shared(root, name))
	}
	_, err := fmt.Fprint(out, paragraphs(t.text), usages(flags))
	return err
}

// newHelp is the command that shows help about a command or a topic.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [command|topic]", Short: "Help about a command or a topic", Hidden: true,
		ValidArgsFunction: func(*cobra.Command, []string, string) (all []cobra.Completion, _ cobra.ShellCompDirective) {
			for _, c := range root.Commands() {
				if c.IsAvailableCommand() {
					all = append(all, c.Name())
				}
			}
			for _, t := range topics {
				all = append(all, t.name)
			}
			return all, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, t := range topics {
				if len(args) == 1 && args[0] == t.name {
					return t.write(root, root.OutOrStdout())
				}
			}
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("there is no command or topic %q: see pkio --help", strings.Join(args, " "))
			}
			return writeHelp(cmd)
		},
	}
}
