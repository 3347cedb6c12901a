package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
)

// moment is a flag for a point in time: a date, which is its beginning in UTC, or a
// date with a time. It is zero if not given.
type moment struct{ time.Time }

func (m *moment) Set(s string) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil && !t.IsZero() { // which would be now
			m.Time = t.UTC()
			return nil
		}
	}
	return fmt.Errorf("want a date, as 2028-11-12, or a time, as 2028-11-12T09:00:00Z")
}

func (m *moment) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}

func (m *moment) Type() string { return "date" }

func (m *moment) flag(cmd *cobra.Command, usage string) {
	cmd.Flags().Var(m, "at", usage+"; a date alone is 00:00 UTC (default now)")
}

// orNow is the moment, or else the present.
func (m *moment) orNow() time.Time {
	if m.IsZero() {
		return time.Now().UTC()
	}
	return m.Time
}

// trust is the flag for roots besides the hierarchies.
type trust struct{ path string }

func (t *trust) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.path, "trust", "", "trust the CAs in this `file` or folder too, such as the G-Other root")
}

func (t *trust) verifier() (*chain.Verifier, error) {
	var cfg pkioverheid.Config
	if t.path != "" {
		var err error
		if cfg.Roots, err = openLocked(t.path); err != nil {
			if errors.Is(err, truststore.ErrPassword) {
				err = fmt.Errorf("%w: make it a file without one, with pkio convert --to pem", err)
			}
			return nil, fmt.Errorf("--trust: %w", err)
		}
	}
	v, err := pkioverheid.NewVerifier(cfg)
	if err != nil { // the hierarchies themselves do not fail
		return nil, fmt.Errorf("--trust: %w", err)
	}
	return v, nil
}
