package crl

import (
	"log/slog"
	"net/http"
	"time"
)

// Config says where a [Checker] finds CRLs and what it does without one. Hosts or
// Folder must be set; the zero value of every other field is a usable default.
type Config struct {
	// Hosts are the hosts from which CRLs may be fetched, such as "crl.example":
	// names or addresses, exact except for case, with the port if it is not the usual
	// one of the scheme ("crl.example:8080"). "*" is any host, and leaves the choice
	// to whoever issued the certificates. None: nothing is fetched.
	Hosts []string

	// AllowPrivate allows addresses that are not public: loopback, private,
	// link-local and reserved ones. Without it a host name that leads to one is
	// refused, also after a redirect.
	AllowPrivate bool

	// Client brings a proxy or a transport of your own, and its Timeout if that is
	// shorter. The Checker guards a copy of an *http.Transport; of any other
	// RoundTripper it checks only the URLs, not the addresses that are dialled, nor
	// those that a proxy looks up. Nil: no proxy, whatever the environment says.
	Client *http.Client

	// Timeout bounds one fetch, from the look-up of the name to the last byte, and
	// how long [Checker.Policy] may wait. Zero: 10 seconds.
	Timeout time.Duration

	// MaxBytes bounds one CRL and one file of Folder; all lists that were fetched may
	// take 16 times as much memory. Zero: 32 MiB, some 600,000 entries.
	MaxBytes int64

	// Folder holds CRLs in DER or PEM, in files whose names end in .crl. It is read
	// again every ten seconds where it has changed. See Details. Empty: none.
	Folder string

	// Cache is a folder in which the Checker keeps what it fetched, for its next
	// start. It is made if it does not exist; several programs may share it. See
	// Details. Empty: none.
	Cache string

	// RefreshEvery is how often each CRL is fetched again in the background, which
	// happens earlier if it ends earlier. Zero: 4 hours. The minimum is a minute.
	RefreshEvery time.Duration

	// ClockSkew is how far the clock may be wrong: a CRL counts that much longer, and
	// may come from that far in the future. Zero: 5 minutes. Negative: none.
	ClockSkew time.Duration

	// SoftFail, if not nil, lets a certificate pass for which no CRL is available
	// and no server gave a complete answer, and is called with the reason. Without it
	// such a certificate is refused. It runs in the handshake, in several goroutines
	// at once.
	//
	// Whoever can cut off the network makes revoked certificates pass with it, unless
	// they were known to be revoked. Use it with a Cache: without one, a Checker knows
	// of none when the program starts. See Details.
	SoftFail func(error)

	// Logger receives a line when a source begins to fail and when it works again.
	// Nil: slog.Default().
	Logger *slog.Logger

	// Time is the clock by which lists are current. Nil: time.Now. Use the
	// verifier's.
	Time func() time.Time
}
