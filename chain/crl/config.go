package crl

import (
	"crypto/x509"
	"log/slog"
	"net/http"
	"time"
)

// Config says where a [Checker] finds CRLs and what it does without one. Hosts or
// Folder must be set; the zero value of every other field is a usable default.
type Config struct {
	// Hosts are the names or addresses from which CRLs may be fetched, with a port if it
	// is not the usual one ("crl.example:8080"). "*" is any host, which whoever issued the
	// certificates then chooses. None: nothing is fetched.
	Hosts []string

	// AllowPrivate allows addresses that are not public, such as loopback and private
	// ones, also those that a name or a redirect leads to.
	AllowPrivate bool

	// Client brings a proxy or a transport of your own. With another RoundTripper than an
	// *http.Transport, or through a proxy, only URLs are checked and not the addresses of
	// their hosts. Nil: one with http.ProxyFromEnvironment.
	Client *http.Client

	// Timeout bounds one fetch and how long [Checker.Policy] may wait. Zero: 10
	// seconds.
	Timeout time.Duration

	// MaxBytes bounds one CRL and one file of Folder; 16 times as much, all lists.
	// Zero: 32 MiB, some 600,000 entries.
	MaxBytes int64

	// Folder holds CRLs in DER or PEM, in files whose names end in .crl. It is read
	// again every ten seconds where it has changed. Empty: none.
	Folder string

	// Signers are CA certificates for new keys of CAs, which sign lists for what the old
	// key issued. Each counts where it verifies up to the root of the chain and is not
	// revoked. A file of Folder in PEM may have some beside its lists.
	Signers []*x509.Certificate

	// Cache is a folder, made if need be, in which the Checker keeps what it fetched
	// for its next start. Several programs may share it. Empty: none.
	Cache string

	// RefreshEvery is how often each CRL is fetched again, earlier if it ends earlier.
	// Zero: 4 hours. The minimum is a minute.
	RefreshEvery time.Duration

	// ClockSkew is how far the clock may be wrong: a CRL counts that much longer, and
	// may come from that far in the future. Zero: 5 minutes. Negative: none.
	ClockSkew time.Duration

	// SoftFail, if not nil, lets a certificate pass for which no current CRL is available
	// and no server gave a complete answer, and is called with the reason, concurrently.
	// See Details. Whoever can cut off the network makes revoked certificates pass with
	// it, unless a list from before has them: use it with a Cache.
	SoftFail func(error)

	// AllowUnnumbered accepts CRLs without a CRL number (RFC 5280 section 5.2.3), which
	// Status notes.
	AllowUnnumbered bool

	// Logger hears when a source begins to fail and works again. Nil: slog.Default().
	Logger *slog.Logger

	// Time is the clock by which lists are current: use the verifier's. Nil: time.Now.
	Time func() time.Time
}

const (
	defaultMaxBytes = 32 << 20
	defaultRefresh  = 4 * time.Hour
	minRefresh      = time.Minute
	defaultSkew     = 5 * time.Minute
	// memoryFactor times MaxBytes is what lists that were fetched may take together.
	memoryFactor = 16
)
