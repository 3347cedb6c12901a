package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// formats are the names that --to takes.
var formats = map[string]truststore.Format{
	"p12": truststore.PKCS12,
	"jks": truststore.JKS,
	"p7b": truststore.PKCS7,
	"pem": truststore.PEM,
	"der": truststore.DER,
}

const (
	formatNames  = "p12, jks, p7b, pem, der or trust-package"
	trustPackage = "trust-package"
)

// convertFlags are those of pkio convert.
type convertFlags struct {
	to, name, version string
	unchecked, force  bool
	in, out           passwords
}

func newConvert() *cobra.Command {
	var f convertFlags
	cmd := &cobra.Command{
		Use:   "convert IN OUT --to FORMAT",
		Short: "Write the certificates of a file in another format",
		Long: `convert writes the certificates of a file, or of those in a folder, as one file: p12
(PKCS#12), jks, p7b (PKCS#7), pem, der, or trust-package (JSON for trust-manager in
Kubernetes). A file with a private key in it is refused: the result is to be handed
out. An OUT that exists is only written over if pkio wrote it and no certificates
would be lost, and never one with a private key.`,
		Example: `  pkio convert delivered.p7b chain.pem --to pem
  pkio convert /etc/pki/partners trust.p12 --to p12 --out-password-file pw.txt
  pkio convert roots.pem roots.json --to trust-package --version 2026-11-01`,
		Args: positional(2, 2, "IN and OUT"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], args[1]) },
	}
	cmd.Flags().StringVar(&f.to, "to", "", "the `format` of OUT")
	cmd.Flags().StringVar(&f.name, "name", "pkioverheid", "of a trust-package")
	cmd.Flags().StringVar(&f.version, "version", "1", "of a trust-package")
	cmd.Flags().BoolVar(&f.unchecked, "unchecked", false, "read IN without its password, unchecked")
	forceFlag(cmd, &f.force)
	complete(cmd, "to", "p12", "jks", "p7b", "pem", "der", trustPackage)
	f.in.flags(cmd, "in-", " of IN")
	f.out.flags(cmd, "out-", " of OUT")
	return cmd
}

func (f *convertFlags) run(cmd *cobra.Command, from, path string) error {
	format, known, err := f.format(cmd, path)
	if err != nil {
		return err
	}
	passwords, err := f.out.known()
	if err != nil {
		return err
	}
	file := outFile{path: path, force: f.force, inputs: files(slices.Concat([]string{from}, f.in.files, f.out.files)), passwords: passwords}
	if err := file.check(cmd, notYet); err != nil {
		return err
	}
	store, err := openStore(cmd, from, &f.in, f.unchecked)
	if err != nil {
		return err
	}
	if cmd.Context().Err() != nil {
		return errStopped
	}
	var data []byte
	if known {
		data, err = encodeStore(cmd, store, path, format, passwords)
	} else {
		data, err = store.EncodeTrustPackage(f.name, f.version)
	}
	if err != nil {
		return err
	}
	if err := file.write(cmd, data, store.Len()); err != nil {
		return err
	}
	fmt.Fprintf(file.remarks(cmd), "%s: %s\n", safetext.Printable(path, maxText), count(store.Len(), "certificate"))
	return nil
}

// format returns the format to write, which is known unless it is a trust-package, or what
// is wrong with the flags.
func (f *convertFlags) format(cmd *cobra.Command, path string) (format truststore.Format, known bool, err error) {
	format, known = formats[strings.ToLower(f.to)]
	switch {
	case !known && strings.ToLower(f.to) != trustPackage:
		err = fmt.Errorf("--to %q: want %s", f.to, formatNames)
	case !hasPassword(format) && f.out.given():
		err = fmt.Errorf("--to %s has no password: leave --out-password-env and --out-password-file out", f.to)
	case known && (cmd.Flags().Changed("name") || cmd.Flags().Changed("version")):
		err = errors.New("--name and --version are for --to trust-package only")
	case path == "-" && known && format != truststore.PEM:
		err = fmt.Errorf("--to %s is binary: give the name of a file", f.to)
	case f.unchecked && f.in.given():
		err = errors.New("--unchecked reads without a password: leave it out, or --in-password-env and --in-password-file")
	}
	return format, known, err
}

// files are the names among them that are not standard input.
func files(names []string) []string {
	return slices.DeleteFunc(names, isStdin)
}

// positional asks for so many arguments, in words.
func positional(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fmt.Errorf("want %s, got %s: see %s --help", what, count(len(args), "argument"), cmd.CommandPath())
		}
		if slices.Contains(args, "") {
			return fmt.Errorf("an argument is empty: see %s --help", cmd.CommandPath())
		}
		return nil
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// openStore reads a file or folder: with one of the passwords that were given, and if
// none was, with that of Java or the one that a person types.
func openStore(cmd *cobra.Command, path string, p *passwords, unchecked bool) (*truststore.Store, error) {
	known, err := p.known()
	if err != nil {
		return nil, err
	}
	if unchecked {
		return openFile(path)
	}
	if len(known) > 0 {
		return openWith(path, known)
	}
	store, err := openLocked(path)
	if !errors.Is(err, truststore.ErrPassword) {
		return store, err
	}
	password, asked := prompt(cmd, "Password of "+safetext.Printable(path, maxText))
	if errors.Is(asked, errStopped) {
		return nil, asked
	}
	if asked != nil {
		return nil, fmt.Errorf("%w: give it with --in-password-file or --in-password-env, or give --unchecked if it is not encrypted", err)
	}
	return openWith(path, []string{password})
}

// openWith reads with the first of the passwords that fits.
func openWith(path string, passwords []string, opts ...truststore.Option) (store *truststore.Store, err error) {
	for _, password := range passwords {
		store, err = openFile(path, append(opts, truststore.WithPassword(password))...)
		if !errors.Is(err, truststore.ErrPassword) {
			break
		}
	}
	return store, err
}

// openLocked reads with the password that Java's key stores have, so that what has a
// password is never read without a check. What has none is read without.
func openLocked(path string) (*truststore.Store, error) {
	store, err := openWith(path, []string{javaPassword})
	switch {
	case err == nil:
		return store, nil
	case errors.Is(err, truststore.ErrPassword):
		return nil, passwordUnknown(path)
	}
	if info, e := os.Stat(path); !isStdin(path) && (e != nil || info.IsDir()) {
		return nil, err // one of the files in it may have a password
	}
	return openFile(path)
}

// passwordUnknown is the error for a key store that is not opened without a password.
type passwordUnknown string

func (p passwordUnknown) Error() string {
	return safetext.Printable(string(p), maxText) + ": it has a password, which was not given"
}

func (p passwordUnknown) Is(target error) bool { return target == truststore.ErrPassword }

// encodeStore returns the certificates in a format, with a password if that has one.
func encodeStore(cmd *cobra.Command, store *truststore.Store, path string, format truststore.Format, known []string) ([]byte, error) {
	var password string
	if hasPassword(format) {
		var err error
		switch len(known) {
		case 0:
			if password, err = newPassword(cmd, path); err != nil {
				return nil, err
			}
		case 1:
			password = known[0]
		default:
			return nil, fmt.Errorf("%d passwords for one file: give one", len(known))
		}
	}
	return store.Encode(format, truststore.WithPassword(password))
}

func hasPassword(f truststore.Format) bool { return f == truststore.PKCS12 || f == truststore.JKS }

// newPassword asks twice for what cannot be seen.
func newPassword(cmd *cobra.Command, path string) (string, error) {
	password, err := prompt(cmd, "New password of "+safetext.Printable(path, maxText))
	if errors.Is(err, errStopped) {
		return "", err
	}
	if err != nil {
		return "", fmt.Errorf("a key store has a password: give it with --out-password-file or --out-password-env (%w)", err)
	}
	again, err := prompt(cmd, "The same once more")
	if err != nil {
		return "", err
	}
	if password != again {
		return "", errors.New("the two passwords are not the same: nothing was written")
	}
	if password == "" {
		return "", errors.New("the password is empty: nothing was written")
	}
	return password, nil
}
