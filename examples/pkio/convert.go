package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/truststore"
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

func newConvert() *cobra.Command {
	var to, name, version string
	var in, out passwords
	cmd := &cobra.Command{
		Use:   "convert IN OUT --to FORMAT",
		Short: "Write the certificates of a file in another format",
		Long: `convert reads the certificates of a file, or of the files in a folder, in any
format, and writes them to one file:

  p12            PKCS#12, the trust store of Java today
  jks            the trust store of older Java
  p7b            PKCS#7, as certificate suppliers deliver and Windows imports
  pem            text, for most other programs
  der            binary, one certificate after the other
  trust-package  JSON for trust-manager, which distributes trust in Kubernetes

Certificates only: a file with a private key in it is refused, because the result
is to be handed out. The file is written whole or not at all, and never over IN.

Passwords come from a file, from an environment variable, from PKIO_PASSWORD if no
flag is given, or from a prompt on the terminal.`,
		Example: `  pkio convert delivered.p7b chain.pem --to pem
  pkio convert /etc/pki/partners trust.p12 --to p12 --out-password-file pw.txt
  pkio convert cacerts cacerts.pem --to pem --in-password-env STORE_PASSWORD
  pkio convert roots.pem roots.json --to trust-package --version 2026-11-01`,
		Args: positional(2, 2, "IN and OUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, path := args[0], args[1]
			format, known := formats[strings.ToLower(to)]
			if !known && strings.ToLower(to) != trustPackage {
				return fmt.Errorf("--to %q: want %s", to, formatNames)
			}
			if !hasPassword(format) && out.given() {
				return fmt.Errorf("--to %s has no password: leave --out-password-env and --out-password-file out", to)
			}
			if known && (cmd.Flags().Changed("name") || cmd.Flags().Changed("version")) {
				return errors.New("--name and --version are for --to trust-package only")
			}
			if err := mayWrite(path, slices.Concat([]string{from}, in.files, out.files)...); err != nil {
				return err
			}
			store, err := openStore(cmd, from, &in)
			if err != nil {
				return err
			}
			if cmd.Context().Err() != nil {
				return errStopped
			}
			if known {
				err = writeStore(cmd, store, path, format, &out)
			} else {
				err = writeTrustPackage(store, path, name, version)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", printable(path), count(store.Len(), "certificate"))
			return nil
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the `format`: "+formatNames)
	cmd.Flags().StringVar(&name, "name", "pkioverheid", "of a trust-package: its `name`")
	cmd.Flags().StringVar(&version, "version", "1", "of a trust-package: its `version`")
	in.flags(cmd, "in-", "IN")
	out.flags(cmd, "out-", "OUT")
	return cmd
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

// openStore reads a file or folder, with the passwords that are known, or else the one
// that a person types.
func openStore(cmd *cobra.Command, path string, p *passwords) (*truststore.Store, error) {
	known, err := p.known()
	if err != nil {
		return nil, err
	}
	for _, password := range known {
		var store *truststore.Store
		store, err = truststore.Open(path, truststore.WithPassword(password))
		if !errors.Is(err, truststore.ErrPassword) {
			return store, err
		}
	}
	store, without := truststore.Open(path)
	switch {
	case !errors.Is(without, truststore.ErrPassword):
		return store, without
	case len(known) > 0:
		return nil, err
	}
	err = without
	password, asked := prompt(cmd, "Password of "+printable(path))
	if errors.Is(asked, errStopped) {
		return nil, asked
	}
	if asked != nil {
		return nil, fmt.Errorf("%w: give it with --in-password-file or --in-password-env", err)
	}
	return truststore.Open(path, truststore.WithPassword(password))
}

// writeStore writes the certificates, with a password where the format has one.
func writeStore(cmd *cobra.Command, store *truststore.Store, path string, format truststore.Format, p *passwords) error {
	known, err := p.known()
	if err != nil {
		return err
	}
	var password string
	if hasPassword(format) {
		switch len(known) {
		case 0:
			if password, err = newPassword(cmd, path); err != nil {
				return err
			}
		case 1:
			password = known[0]
		default:
			return fmt.Errorf("%d passwords for one file: give one", len(known))
		}
	}
	return store.WriteFile(path, format, truststore.WithPassword(password))
}

func hasPassword(f truststore.Format) bool { return f == truststore.PKCS12 || f == truststore.JKS }

// newPassword asks twice for what cannot be seen.
func newPassword(cmd *cobra.Command, path string) (string, error) {
	password, err := prompt(cmd, "New password of "+printable(path))
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

func writeTrustPackage(store *truststore.Store, path, name, version string) error {
	data, err := store.EncodeTrustPackage(name, version)
	if err != nil {
		return err
	}
	return truststore.ReplaceFile(path, data)
}
