package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

func newCheck() *cobra.Command {
	var roots trust
	var lists crls
	var p passwords
	var cert, key string
	var lang langFlag
	timeout := 20 * time.Second
	cmd := &cobra.Command{
		Use:   "check HOST:PORT [--cert FILE --key FILE]",
		Short: "Call a server as a program would, and explain both sides",
		Long: `check says whether a service would work: it connects as a program with this library
does, with our certificate if there is one, and asks for / with HEAD. If the server is
refused, it says why and what its owner must change. If the server does not let us in,
it says which CAs it accepts and what is wrong with ours.

Its status is 0 if the service would work, 1 if one side refuses the other, and 2 if
that cannot be known.`,
		Example: `  pkio check service.example:443
  pkio check service.example:443 --cert client.p7b --key client.key
  pkio check https://service.example/ --cert client.p12 --crl`,
		Args: positional(1, 1, "one HOST:PORT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang.language()
			if err != nil {
				return err
			}
			target := targetOf(args[0])
			if !isHostTarget(target) {
				target = withPort(args[0])
			}
			if strings.Contains(target, "://") || !isHostTarget(target) {
				return fmt.Errorf("%s is not a server that speaks HTTPS: want HOST:PORT or https://HOST/", safetext.Quote(args[0]))
			}
			switch {
			case key != "" && cert == "":
				return errors.New("--key is for --cert: give both")
			case timeout <= 0:
				return fmt.Errorf("--timeout %v: want more than nothing, as 10s", timeout)
			}
			known, err := p.known()
			if err != nil {
				return err
			}
			cfg := pkioverheid.ClientConfig{}
			if cfg.Trust, err = roots.trust(nil); err != nil {
				return err
			}
			if cfg.Trust.Revocation, err = lists.checker(); err != nil {
				return err
			}
			defer lists.close()
			if cert != "" {
				pair, err := loadPair(cert, key, known)
				if err != nil {
					return fmt.Errorf("--cert: %w", err)
				}
				cfg.KeyPairs, cfg.AllowUnsuitable = []*pkioverheid.KeyPair{pair}, true
			}
			return checkServer(cmd, l, cfg, target, timeout)
		},
	}
	cmd.Flags().StringVar(&cert, "cert", "", "our certificate: a `file` of any format, with its CAs")
	cmd.Flags().StringVar(&key, "key", "", "its private key: a `file`, if it is not in the one of --cert")
	cmd.Flags().DurationVar(&timeout, "timeout", timeout, "how long to wait for an answer")
	lists.flag(cmd)
	roots.flag(cmd)
	lang.flag(cmd)
	p.flags(cmd, "", "")
	return cmd
}

// loadPair loads our certificate with the first password that fits.
func loadPair(cert, key string, known []string) (pair *pkioverheid.KeyPair, err error) {
	for _, password := range append(known, "") {
		if isStdin(cert) || isStdin(key) {
			pair, err = readPair(cert, key, password)
		} else {
			pair, err = pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: cert, Key: key, Password: password})
		}
		if !errors.Is(err, truststore.ErrPassword) {
			break
		}
	}
	return pair, err
}

// maxPair bounds a file with our certificate or key.
const maxPair = 1 << 20

// readPair reads our certificate and key where one of them is standard input.
func readPair(cert, key, password string) (*pkioverheid.KeyPair, error) {
	read := func(path string) ([]byte, error) {
		if !isStdin(path) {
			return readFile(path, maxPair)
		}
		err := keepStdin()
		return stdin.data, err
	}
	data, err := read(cert)
	if err != nil {
		return nil, err
	}
	withKey := data
	if key != "" {
		if withKey, err = read(key); err != nil {
			return nil, err
		}
	}
	signer, certs, err := truststore.DecodeKey(withKey, truststore.WithPassword(password))
	if err != nil {
		return nil, err
	}
	if key != "" {
		if certs, err = truststore.Decode(data, truststore.WithPassword(password)); err != nil {
			return nil, err
		}
	}
	pair := tls.Certificate{PrivateKey: signer}
	for c := range certs.All() {
		if samePublicKey(signer.Public(), c.PublicKey) {
			pair.Certificate = slices.Insert(pair.Certificate, 0, c.Raw)
		} else {
			pair.Certificate = append(pair.Certificate, c.Raw)
		}
	}
	return pkioverheid.NewKeyPair(pair)
}

// checkServer calls the server and writes what came of it.
func checkServer(cmd *cobra.Command, l language, cfg pkioverheid.ClientConfig, target string, timeout time.Duration) error {
	client, err := pkioverheid.NewClient(cfg)
	if err != nil {
		return notTrusted(err)
	}
	defer client.CloseIdleConnections()
	client.Timeout = timeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(cmd.Context(), http.MethodHead, "https://"+target+"/", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	out := cmd.OutOrStdout()
	p := painter(out)
	var theirs *pkioverheid.ServerCertificateError
	var ours *pkioverheid.ClientCertificateError
	switch {
	case errors.As(err, &theirs):
		fmt.Fprintln(out, p.red(l.say("The server is refused."))+" "+safetext.Printable(theirs.Problem, maxText))
		writeAdvice(out, l, theirs.Advice)
		fmt.Fprintln(out, "\n"+l.say("Its chain, as far as the signatures check out:"))
		writePath(out, l, theirs.Path)
		return statusOf(statusFinding)
	case errors.As(err, &ours):
		fmt.Fprintln(out, p.red(l.say("The server is trusted and does not let us in."))+" "+safetext.Printable(ours.Problem, maxText))
		writeAdvice(out, l, ours.Advice)
		writeOurs(out, l, ours)
		return statusOf(statusFinding)
	case cmd.Context().Err() != nil:
		return errStopped
	case err != nil:
		return l.error(fmt.Errorf("%s: %w", target, safetext.Error(errors.Unwrap(err))))
	}
	resp.Body.Close()
	fmt.Fprintln(out, p.green(l.say("The server is trusted."))+" "+l.say("It answers with HTTP %s, and presents:", safetext.Printable(resp.Status, 100)))
	writePath(out, l, resp.TLS.PeerCertificates)
	if len(resp.TLS.PeerCertificates) < 3 { // its own, the TSP CA's and the domain CA's
		fmt.Fprintln(out, l.say("That is not its whole chain: clients that do not have the CAs built in refuse it."))
	}
	switch {
	case len(cfg.KeyPairs) == 0:
		fmt.Fprintln(out, l.say("No certificate of ours was shown: give it with --cert."))
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		fmt.Fprintln(out, p.red(l.say("It does not let us in: "))+l.say("its status often means that it does not know our certificate, or wanted none. Ask its owner whether our OIN is on its list."))
		writePath(out, l, []*x509.Certificate{cfg.KeyPairs[0].Certificate()})
		return statusOf(statusFinding)
	default:
		fmt.Fprintln(out, l.say("Our certificate was not refused:"))
		writePath(out, l, []*x509.Certificate{cfg.KeyPairs[0].Certificate()})
	}
	if cfg.Trust.Revocation != nil {
		fmt.Fprintln(out, l.say("None of its certificates is revoked, according to the CRLs of their issuers."))
	}
	return nil
}

func writeAdvice(out io.Writer, l language, text string) {
	if text != "" {
		fmt.Fprint(out, wrapped(l.say("What to do: "), "  ", safetext.Printable(text, maxText)))
	}
}

// writeOurs says what the server accepts, and what we showed.
func writeOurs(out io.Writer, l language, e *pkioverheid.ClientCertificateError) {
	switch {
	case !e.Known:
	case len(e.AcceptableCAs) == 0:
		fmt.Fprintln(out, "\n"+l.say("It announces no CAs: it asks for any certificate."))
	default:
		fmt.Fprintln(out, "\n"+l.say("It accepts certificates under:"))
		for i, ca := range e.AcceptableCAs {
			if i == 20 {
				fmt.Fprintln(out, "  "+l.say("and %s more", l.number(len(e.AcceptableCAs)-i)))
				break
			}
			fmt.Fprintln(out, "  "+safetext.Printable(ca, 300))
		}
	}
	if e.Certificate != nil {
		heading := l.say("Ours, which was not shown:")
		if e.Sent {
			heading = l.say("Ours, which was shown:")
		}
		fmt.Fprintln(out, "\n"+heading)
		writePath(out, l, []*x509.Certificate{e.Certificate})
	}
}

// writePath writes certificates as a tree, the lowest first.
func writePath(out io.Writer, l language, path []*x509.Certificate) {
	for i, c := range path[:min(len(path), 16)] {
		what := l.say("not of PKIoverheid, as far as is known here")
		if id, ok := pkioverheid.ClaimOf(c); ok {
			what = fmt.Sprintf("%s, %s", id.Hierarchy, l.say(string(id.Role)))
			if id.TSP != "" {
				what += l.say(", of %s", string(id.TSP))
			}
			if id.OIN != "" {
				what += ", OIN " + string(id.OIN)
			}
		}
		fmt.Fprintf(out, "  %*s%s\n  %*s  %s\n", 2*i, "", safetext.Certificate(c), 2*i, "", what+l.say("; valid %s to %s", l.date(date(c.NotBefore)), l.date(date(c.NotAfter))))
	}
}
