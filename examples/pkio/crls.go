package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
)

// crls is the flag for asking the revocation lists.
type crls struct {
	ask     bool
	running *crl.Checker
}

func (c *crls) flag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.ask, "crl", false, "ask the CRLs too, from the hosts of PKIoverheid only")
}

// crlConfig is where lists come from and are kept.
var crlConfig = func() crl.Config {
	cfg := crl.Config{Hosts: pkioverheid.CRLHosts(), Logger: slog.New(slog.DiscardHandler)} // the verdict says what went wrong
	if dir, err := os.UserCacheDir(); err == nil {
		cfg.Cache = filepath.Join(dir, "pkio", "crl")
	}
	return cfg
}

// checker is nil if the lists are not asked.
func (c *crls) checker() (*crl.Checker, error) {
	if !c.ask {
		return nil, nil
	}
	checker, err := crl.NewChecker(crlConfig())
	if err != nil {
		return nil, fmt.Errorf("--crl: %w", err)
	}
	c.running = checker
	return checker, nil
}

func (c *crls) close() {
	if c.running != nil {
		_ = c.running.Close()
	}
}
