package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// maxLook bounds how many certificates of one file are looked at one by one.
const maxLook = 1000

// look returns what lies in one file, or what a host presents, and what is wrong with
// it as a whole.
func look(ctx context.Context, cmd *cobra.Command, cfg inventory.Config, p *passwords, target string) ([]inventory.Result, error) {
	known, err := p.known()
	if err != nil {
		return nil, err
	}
	if isStdin(target) {
		target = stdinName
		if err := keepStdin(); err != nil {
			return nil, err
		}
	}
	if len(known) > 0 {
		// A JKS that is read without a password would pass whatever its digest is.
		if _, err := openWith(target, known, truststore.KeepGoing()); errors.Is(err, truststore.ErrPassword) {
			return nil, err
		}
	}
	tried := append(slices.Clone(known), javaPassword)
	for asked := false; ; asked = true {
		cfg.Passwords = func(string) iter.Seq[string] { return slices.Values(tried) }
		var found []inventory.Result
		var wrong []error
		for r := range scan(ctx, cfg, bytes.NewReader(stdin.data), target) {
			if r.Err != nil {
				wrong = append(wrong, errorOf(r))
			} else {
				found = append(found, r)
			}
			if len(found) > maxLook || len(wrong) > maxLook {
				return nil, errors.New(safetext.Printable(target, maxText) + " holds more than a person can read: use pkio audit")
			}
		}
		err = errors.Join(wrong...)
		if errors.Is(err, truststore.ErrPassword) && len(known) == 0 && !asked {
			password, asking := prompt(cmd, "Password of "+safetext.Printable(target, maxText))
			switch {
			case asking == nil:
				tried = []string{password}
				continue
			case errors.Is(asking, errStopped):
				return nil, asking
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, errStopped
		case err == nil && len(found) == 0:
			return nil, errors.New(safetext.Printable(target, maxText) + ": there is no certificate in it")
		}
		return found, err
	}
}

// errorOf is the same as one error.
func errorOf(r inventory.Result) error {
	problem, more := model.Trouble(r)
	problem = safetext.Printable(cmp.Or(r.Path, r.Target), 300) + ": " + problem
	if more != "" {
		problem += ": " + more
	}
	return &trouble{problem, r.Err}
}

// trouble is an error in words of ours.
type trouble struct {
	text  string
	cause error
}

func (t *trouble) Error() string { return t.text }

func (t *trouble) Unwrap() error { return t.cause }
