package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
)

// explain calls a real server and prints what its chain is.
func explain(w io.Writer, addr string, crls bool, certPath, keyPath, password string) (bool, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return false, fmt.Errorf("-addr wants host:port: %w", err)
	}
	var cfg pkioverheid.ClientConfig
	if certPath != "" {
		cert, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: certPath, Key: keyPath, Password: password})
		if err != nil {
			return false, err
		}
		cfg.KeyPairs = []*pkioverheid.KeyPair{cert}
	}
	if crls {
		checker, err := crl.NewChecker(crl.Config{Hosts: pkioverheid.CRLHosts()})
		if err != nil {
			return false, err
		}
		defer checker.Close()
		cfg.Trust.Revocation = checker
	}
	return explainWith(w, cfg, addr)
}

func explainWith(w io.Writer, cfg pkioverheid.ClientConfig, addr string) (bool, error) {
	client, err := pkioverheid.NewClient(cfg)
	if err != nil {
		return false, err
	}
	defer client.CloseIdleConnections()
	client.Timeout = 30 * time.Second
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	resp, err := client.Head("https://" + addr + "/")
	var theirs *pkioverheid.ServerCertificateError
	var ours *pkioverheid.ClientCertificateError
	switch {
	case errors.As(err, &theirs):
		fmt.Fprintf(w, "%s is refused: %s\n", addr, theirs.Problem)
		if theirs.Advice != "" {
			fmt.Fprintf(w, "What to do: %s\n", theirs.Advice)
		}
		fmt.Fprintln(w, "\nIts chain, as far as the signatures check out:")
		printPath(w, theirs.Path)
		return false, nil
	case errors.As(err, &ours):
		fmt.Fprintf(w, "%s is trusted and does not let us in: %v\n", addr, ours)
		return false, nil
	case err != nil:
		return false, err
	}
	resp.Body.Close()
	fmt.Fprintf(w, "%s is trusted (HTTP %s). It presents:\n", addr, resp.Status)
	sent := resp.TLS.PeerCertificates
	printPath(w, sent)
	if len(sent) < 3 { // its own, the TSP CA's and the domain CA's
		fmt.Fprintln(w, "That is not its whole chain: clients that do not have the CAs built in will refuse it.")
	}
	if cfg.Trust.Revocation != nil {
		fmt.Fprintln(w, "None of these is revoked, say the CRLs of their issuers.")
	}
	return true, nil
}

func printPath(w io.Writer, path []*x509.Certificate) {
	for i, c := range path {
		what := "not PKIoverheid, as far as is known here"
		if id, ok := pkioverheid.ClaimOf(c); ok {
			what = fmt.Sprintf("%v, %v", id.Hierarchy, id.Role)
			if id.TSP != "" {
				what += ", " + string(id.TSP)
			}
			if id.OIN != "" {
				what += ", OIN " + string(id.OIN)
			}
		}
		fmt.Fprintf(w, "  %*s%q\n  %*s  %s; valid %s to %s\n", 2*i, "", c.Subject.CommonName, 2*i, "",
			what, c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly))
	}
}
