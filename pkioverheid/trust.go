package pkioverheid

import (
	"crypto/x509"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/truststore"
)

// Trust says whom to trust. The zero value trusts [Hierarchies], at the present time.
// It is read when something is made of it, and may be used again.
type Trust struct {
	// Hierarchies to trust. Empty means Hierarchies(). Any other, such as G3, is an error.
	Hierarchies []Hierarchy

	// Roots are trusted as well: those of truststore.NewSource, or of truststore.Watch
	// where they change while the program runs. Certificates that are not self-issued
	// are taken for CAs below a root, which a peer then need not send. It is an error if
	// one is not a CA, is of G3, is for tests (see TrialRoots), or is of package
	// pkiotest and was not made by it in this program. New contents with such an error
	// are not used, and Logger gets the reason. See Details for [ClientTLSConfig].
	Roots *truststore.Source

	// OnlyRoots trusts Roots, TrialRoots and ServerConfig.ClientRoots, and no hierarchy:
	// with Hierarchies it is an error.
	OnlyRoots bool

	// TrialRoots are trusted as well, for certificates marked as tests: common names that
	// start with the word TRIAL, TEST or ACCEPTATIE, policies of the TRIAL tool. Elsewhere
	// these are refused, under a production root too. nil adds nothing.
	TrialRoots *truststore.Store

	// Distrusted is refused once it is in the set: in new and
	// resumed handshakes, by a [Verifier], and at the next request through
	// [Server.Handler] and [Server.Identify]. A [Transport] uses no connection from before. A set
	// that names all roots in use is an error; as a replacement it is used but for these,
	// beside the one before it, and Logger and Trace.Replaced get an error with their names.
	Distrusted *Distrusted

	// RefuseFrom refuses peers under a hierarchy from a time on, on resumed sessions too.
	// nil refuses none.
	RefuseFrom map[Hierarchy]time.Time

	// Policy is asked about every complete chain of the other side, after
	// the rules of this package; nil rejects nothing. One chain that passes is enough.
	Policy chain.Policy

	// Revocation refuses certificates of the other side that are revoked or whose
	// status cannot be determined: each but the root is looked up in the CRL of its
	// issuer, at each handshake. nil does not ask, although PKIoverheid and
	// Digikoppeling require it (facts.md §7, PKI002 and PKI003). A connection that is
	// open stays so. See Details.
	//
	// Make one Checker for the whole program, with Time and [CRLHosts], and close it.
	Revocation *crl.Checker

	// Time returns the time to verify at. nil is time.Now, and a zero time is now.
	Time func() time.Time

	// Trace reports what clients and servers show and see. nil is none.
	Trace *Trace

	// Logger gets a line at level Warn when something must be done about a key pair (Info
	// if it has no OIN; see Trace.Own; a deadline once a day), at level Error when new
	// contents of Roots, ClientRoots or Distrusted are refused, and at level Warn for
	// requests that a [Server] refuses, at most one a second for each reason. nil is slog.Default.
	Logger *slog.Logger
}

// snapshot returns a Trust that the caller cannot change any more: what it puts into
// its stores and slices later was not checked.
func (t Trust) snapshot() Trust {
	t.TrialRoots = copyOf(t.TrialRoots)
	t.Hierarchies = slices.Clone(t.Hierarchies)
	t.RefuseFrom = maps.Clone(t.RefuseFrom)
	return t
}

// trusted are the hierarchies that a Trust says to trust.
func (t Trust) trusted() []Hierarchy {
	switch {
	case t.OnlyRoots:
		return nil
	case len(t.Hierarchies) == 0:
		return Hierarchies()
	}
	return t.Hierarchies
}

func (t Trust) logger() *slog.Logger { return orDefaultLogger(t.Logger) }

func orDefaultLogger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.Default()
	}
	return l
}

func newTracing(t Trust) *tracing {
	tr := &tracing{Trace: new(Trace), logger: t.logger}
	if t.Trace != nil {
		*tr.Trace = *t.Trace
	}
	return tr
}

func copyOf(s *truststore.Store) *truststore.Store {
	return s.Filter(func(*x509.Certificate) bool { return true })
}

// clockOf makes nil and a zero time mean now.
func clockOf(clock func() time.Time) func() time.Time {
	if clock == nil {
		return time.Now
	}
	return func() time.Time {
		if t := clock(); !t.IsZero() {
			return t
		}
		return time.Now()
	}
}
