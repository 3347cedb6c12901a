package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// requestFlags are those of pkio request.
type requestFlags struct {
	from, hierarchy, key, keyOut, out, check string
	oin                                      string
	clientOnly                               bool
	at                                       moment
	roots                                    trust
	passwords                                passwords
	request                                  pkioverheid.Request
}

func newRequest() *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   "request [--check CERT REQUEST]",
		Short: "Make a key and a certificate request, and check what is delivered",
		Long: `request makes a private key and a certificate request (PKCS#10) from the flags and the
certificate in --from. The key stays with you, not encrypted. --check has status 0 if
what was delivered is as requested, else 1.`,
		Example: `  pkio request --from old.pem --key-out new.key --out new.csr
  pkio request --check delivered.p7b new.csr`,
		Args: positional(0, 1, "at most one REQUEST, with --check"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("check") != (len(args) == 1) {
				return errors.New("--check and REQUEST go together: pkio request --check CERT REQUEST")
			}
			if err := refuseFlagsOfTheOther(cmd, len(args) == 1); err != nil {
				return err
			}
			if len(args) == 1 {
				return f.checkDelivered(cmd, args[0])
			}
			return f.make(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "the `certificate` that the new one replaces")
	flags.StringVar(&f.request.Organization, "organization", "", "its `name` in the Handelsregister")
	flags.StringVar(&f.request.KVK, "kvk", "", "its `number` there (default that in the OIN)")
	flags.StringVar(&f.oin, "oin", "", "its `OIN`, for Digikoppeling")
	flags.StringVar(&f.request.CommonName, "name", "", "common `name` (default the first DNS name)")
	flags.StringSliceVar(&f.request.DNSNames, "dns", nil, "DNS `names`, with commas")
	flags.BoolVar(&f.clientOnly, "client-only", false, "without DNS names: G-Other under G4")
	flags.StringVar(&f.hierarchy, "hierarchy", "g4", "the `hierarchy`: g4 or g1")
	flags.IntVar(&f.request.Bits, "bits", 0, "size of the RSA key (default what the TSPs ask)")
	flags.StringVar(&f.key, "key", "", "use the private key in this `file`, make none")
	flags.StringVar(&f.keyOut, "key-out", "", "the `file` for the new private key")
	flags.StringVar(&f.out, "out", "", "the `file` for the request")
	flags.StringVar(&f.check, "check", "", "hold this `certificate` against the request")
	f.at.flag(cmd, "judge at this date")
	f.roots.flag(cmd)
	f.passwords.flags(cmd, "", "")
	return cmd
}

// refuseFlagsOfTheOther refuses the flags of making a request with --check, and those of
// --check without it.
func refuseFlagsOfTheOther(cmd *cobra.Command, checks bool) (err error) {
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		switch flag.Name {
		case "at", "check", "password-env", "password-file":
		case "trust":
			if !checks {
				err = errors.New("--trust is for --check")
			}
		default:
			if checks {
				err = fmt.Errorf("--%s is for making a request, and --check makes none", flag.Name)
			}
		}
	})
	return err
}

func (f *requestFlags) make(cmd *cobra.Command) error {
	r := f.request
	switch {
	case f.out == "":
		return errors.New("--out is missing: the file for the request, or - for standard output")
	case (f.key == "") == (f.keyOut == ""):
		return errors.New("give --key-out for a new private key, or --key for one that is there")
	case isStdin(f.keyOut):
		return errors.New("--key-out: give the name of a file: a private key goes to no screen and no pipe")
	case f.keyOut == f.out:
		return errors.New("--key-out and --out are the same file")
	case f.clientOnly && len(r.DNSNames) > 0:
		return errors.New("--client-only is for a certificate without DNS names, and --dns gives one")
	}
	if f.clientOnly {
		r.DNSNames = []string{} // not those of --from
	}
	r.OIN = pkioverheid.OIN(f.oin)
	if r.Hierarchy = hierarchyNamed(f.hierarchy); r.Hierarchy == "" {
		return fmt.Errorf("--hierarchy %q: want g4 or g1", safetext.Printable(f.hierarchy, maxText))
	}
	for _, path := range []string{f.keyOut, f.out} { // before a key is made
		if err := mustBeNew(path); err != nil {
			return err
		}
	}
	var err error
	if f.from != "" {
		if r.From, err = f.oneCertificate(cmd, f.from); err != nil {
			return err
		}
	}
	if f.key != "" {
		if r.Key, err = f.readKey(); err != nil {
			return err
		}
	}
	der, key, err := pkioverheid.NewRequest(r)
	if err != nil {
		return errors.New(inFlags.Replace(err.Error()))
	}
	if f.keyOut != "" {
		if err := writeKey(f.keyOut, key); err != nil {
			return err
		}
	}
	request := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	if f.out == "-" {
		_, err = cmd.OutOrStdout().Write(request)
		return err
	}
	if err := writeNew(f.out, request, 0o644); err != nil {
		if f.keyOut != "" {
			err = fmt.Errorf("%w (the new private key is in %q, and without a request it is of no use)", err, f.keyOut)
		}
		return err
	}
	out := cmd.OutOrStdout()
	if f.keyOut != "" {
		fmt.Fprintf(out, "wrote %q: the private key, which stays with you\n", f.keyOut)
	}
	fmt.Fprintf(out, "wrote %q: the request, which you send to your TSP\n", f.out)
	fmt.Fprint(out, "What to order, and from whom: pkio plan --order\n")
	return nil
}

// inFlags names what is wrong with a request by the flags of the tool.
var inFlags = strings.NewReplacer(
	"pkioverheid: Request.Organization", "--organization", "pkioverheid: Request.CommonName", "--name", "pkioverheid: Request.KVK", "--kvk",
	"pkioverheid: Request.OIN: pkioverheid: ", "--oin: ", "pkioverheid: Request.OIN", "--oin", "pkioverheid: Request.DNSNames", "--dns", "pkioverheid: Request.Hierarchy", "--hierarchy",
	"pkioverheid: Request.Bits", "--bits", "pkioverheid: Request.Key", "--key", "pkioverheid: Request: From", "--from", "pkioverheid: Request: ", "",
)

// oneCertificate reads the only certificate that is not a CA.
func (f *requestFlags) oneCertificate(cmd *cobra.Command, target string) (*x509.Certificate, error) {
	found, err := look(cmd.Context(), cmd, inventory.Config{Time: f.at.orNow()}, &f.passwords, target)
	if err != nil {
		return nil, err
	}
	leaves := truststore.New()
	for _, r := range found {
		if !r.Certificate.IsCA && r.Use != inventory.TLSChain {
			leaves.Add(r.Certificate)
		}
	}
	if leaves.Len() != 1 {
		return nil, fmt.Errorf("%s holds %s that are not CAs: want one", safetext.Printable(target, maxText), count(leaves.Len(), "certificate"))
	}
	for c := range leaves.All() {
		return c, nil
	}
	return nil, nil
}

// readKey reads the private key in --key.
func (f *requestFlags) readKey() (crypto.Signer, error) {
	known, err := f.passwords.known()
	if err != nil {
		return nil, err
	}
	data, err := readFile(f.key, maxExisting)
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	for _, password := range append([]string{""}, known...) {
		var key crypto.Signer
		if key, _, err = truststore.DecodeKey(data, truststore.WithPassword(password)); err == nil {
			return key, nil
		}
	}
	return nil, fmt.Errorf("--key %q: %w", f.key, err)
}

// mustBeNew refuses a place where something is.
func mustBeNew(path string) error {
	if path == "" || path == "-" {
		return nil
	}
	if amongDevices(path) {
		return fmt.Errorf("%q is under /dev, where no files are made: give another name", path)
	}
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("%q exists, and is not written over: give another name", path)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return tryFolder(path)
}

func writeKey(path string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writeNew(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// writeNew makes a file, and removes it if not all can be written.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
