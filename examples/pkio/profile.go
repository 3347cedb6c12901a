package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/profile"
	"github.com/go-pkioverheid/trust/pkioverheid/digikoppeling"
)

// profileFlag is the flag for a profile that chains must keep, besides being trusted.
type profileFlag struct {
	name   string
	policy chain.Policy // nil: none
}

func (p *profileFlag) Set(name string) error {
	switch name {
	case "rfc5280":
		p.policy = profile.RFC5280
	case "webpki":
		p.policy = profile.WebPKI
	case "digikoppeling":
		p.policy = digikoppeling.Policy(nil) // revocation lists are not asked
	default:
		return fmt.Errorf("want rfc5280, webpki or digikoppeling")
	}
	p.name = name
	return nil
}

func (p *profileFlag) String() string { return p.name }

func (p *profileFlag) Type() string { return "profile" }

func (p *profileFlag) flag(cmd *cobra.Command) {
	cmd.Flags().Var(p, "profile", "refuse what breaks rfc5280, webpki or digikoppeling too")
	complete(cmd, "profile", "rfc5280", "webpki", "digikoppeling")
}
