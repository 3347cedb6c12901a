package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
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
	cmd.Flags().Var(m, "at", usage+", in UTC (default now)")
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
	cmd.Flags().StringVar(&t.path, "trust", "", "trust the CAs in this `file` or folder too")
}

// trust is what is trusted: the hierarchies, and the roots of the flag.
func (t *trust) trust(p chain.Policy) (pkioverheid.Trust, error) {
	trust := pkioverheid.Trust{Policy: p}
	if t.path != "" {
		roots, err := openLocked(t.path)
		if err != nil {
			text := "--trust: " + told(err)
			if errors.Is(err, truststore.ErrPassword) {
				text += ": make it a file without one, with pkio convert --to pem"
			}
			return trust, &trouble{text, err}
		}
		trust.Roots = truststore.NewSource(roots)
	}
	return trust, nil
}

// verifier verifies for the flags; lists may be nil.
func (t *trust) verifier(p chain.Policy, lists *crls) (*chain.Verifier, error) {
	trust, err := t.trust(p)
	if err != nil {
		return nil, err
	}
	if lists != nil {
		if trust.Revocation, err = lists.checker(); err != nil {
			return nil, err
		}
	}
	v, err := pkioverheid.NewVerifier(trust)
	if err != nil { // the hierarchies themselves do not fail
		return nil, fmt.Errorf("--trust: %w", notTrusted(err))
	}
	return v.Chains(), nil
}

// notTrusted is why a root is refused. Advice is for users where it is about G3; else it
// names fields of the library.
func notTrusted(err error) error {
	var g3 *pkioverheid.G3Error
	var e explained
	switch {
	case errors.As(err, &g3):
		return errors.New("G3 refused: " + g3.Problem + " " + g3.Advice)
	case errors.As(err, &e):
		problem, _ := e.ProblemAdvice()
		return errors.New(problem)
	}
	return err
}

// checkServerName refuses what is not the name of a server, with what was meant.
func checkServerName(flag, name string) error {
	if name == "" || net.ParseIP(name) != nil {
		return nil // refuseEmptyFlags has seen it
	}
	wrong := ""
	switch host, _, err := net.SplitHostPort(name); {
	case strings.Contains(name, "/"):
		wrong = "a URL, or has a path"
	case err == nil || strings.Contains(host, ":"):
		wrong = "a name with a port"
	case strings.Contains(name, "*"):
		wrong = "a pattern"
	case !isServerName(strings.TrimSuffix(name, ".")):
		wrong = "none that a server can have"
	default:
		return nil
	}
	return fmt.Errorf("--%s %q is %s: want the name alone, as service.example", flag, safetext.Printable(name, 100), wrong)
}

// isServerName reports whether a name is one of DNS (RFC 1035 §2.3), with underscores,
// which some internal names have. Other alphabets are written in ASCII (xn--…).
func isServerName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// serverName is the flag for the name that servers are asked for.
type serverName string

func (s *serverName) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar((*string)(s), "servername", "", "ask each HOST:PORT for this `name` (SNI) instead of its own")
}

func (s serverName) check() error { return checkServerName("servername", string(s)) }

// complete gives the values of a flag to the completion of shells.
func complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}
