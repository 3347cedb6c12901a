package crl

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/internal/fetch"
)

// Config says where a [Checker] finds CRLs and what it does without one. It needs
// Hosts or a Folder; the zero value of every other field is fit for use.
type Config struct {
	// Hosts are the hosts that CRLs may be fetched from, such as
	// "crl.pkioverheid.nl": exact names without regard to case, with the port if it
	// is not the usual one ("crl.example:8080"). "*" is any host, which leaves it to
	// the CAs below your anchors, and to whoever got a certificate from one, which
	// servers you ask. None: nothing is fetched.
	Hosts []string

	// AllowPrivate lets CRLs be fetched from addresses that are not public:
	// loopback, private and link-local ones and the like. Without it a name that
	// leads to one is refused, in redirects too.
	AllowPrivate bool

	// Client is for fetching through a proxy or with a transport of your own, of
	// which the Checker takes a copy with its guards added; of a RoundTripper that is
	// no *http.Transport only the URLs are guarded, not the addresses behind the
	// names. Nil: no proxy, whatever the environment says.
	Client *http.Client

	// Timeout bounds one fetch, from the look-up of the name to the last byte, and
	// so how long [Checker.Policy] may wait. Zero: 10 seconds.
	Timeout time.Duration

	// MaxBytes bounds one CRL, and a file in Folder. All that was fetched takes at
	// most 16 times as much memory. Zero: 32 MiB, some 600,000 entries.
	MaxBytes int64

	// Folder holds CRLs, in DER or PEM, in files whose names end in .crl: for
	// systems from which no CRL can be fetched, and for lists of the past (see
	// [Checker.Policy]). Other files, hidden ones and folders in it are passed over.
	// It is looked at every ten seconds and read where it has changed; at most 10,000
	// files and 16 times MaxBytes. A list that is in use stays so until it ends if its
	// file is gone or damaged, or has an older list, one for others, or one that its CA
	// did not sign. Empty: none.
	Folder string

	// Cache is a folder in which the Checker keeps what it fetched, to have it at
	// hand when the program starts again. It is made if need be. What is in it is
	// verified like what is fetched. Several programs may share one. One that cannot be
	// written costs no connection: Logger and [Checker.Status] tell, and it is tried
	// again. It has at most 256 files and 64 times MaxBytes. Empty: none.
	Cache string

	// RefreshEvery is how often each CRL is fetched anew, in the background and
	// earlier if it ends earlier. Zero, and more than four hours, mean the four hours
	// that Digikoppeling asks for (pkioverheid/facts.md §7); the least is a minute.
	RefreshEvery time.Duration

	// ClockSkew is how far the clock may be off: a CRL counts as current for that
	// much longer, and may come from that far in the future. Zero: 5 minutes.
	// Negative: none.
	ClockSkew time.Duration

	// SoftFail, if not nil, makes a certificate pass whose CRL could not be
	// fetched, and is told why each time. Without it such a certificate is refused.
	//
	// It is for that only: no list of the issuer is at hand, and no server that is
	// allowed gave a complete answer. A certificate that is revoked, a list that is
	// not the issuer's or that has ended, an answer that is no CRL, a host that is
	// not allowed and a certificate that names no host are refused all the same; and so
	// is one whose CRL gave way for room, or may be in a file of Cache or Folder that
	// cannot be read.
	//
	// Whoever can cut off the network makes revoked certificates pass with it, unless
	// they were known to be revoked. Use it with a Cache: without one a Checker knows
	// of none when the program starts.
	//
	// It runs in the handshake, in several goroutines at once.
	SoftFail func(error)

	// Logger is told when a source begins to fail and when it works again. Nil:
	// slog.Default().
	Logger *slog.Logger

	// Time is the clock that lists are held against. Nil: time.Now. Use that of
	// the verifier.
	Time func() time.Time
}

const (
	defaultMaxBytes = 32 << 20
	defaultRefresh  = 4 * time.Hour
	minRefresh      = time.Minute
	defaultSkew     = 5 * time.Minute
	// pastAfter is how long ago a time must at least be to be one in the past.
	pastAfter = 5 * time.Minute
	// heldFactor times MaxBytes is what lists that were fetched may take together.
	heldFactor = 16
)

// Checker refuses revoked certificates: its [Checker.Policy] is a chain.Policy. It
// fetches and keeps the CRLs that it takes to tell. It is safe for concurrent use.
type Checker struct {
	fetcher      *fetch.Fetcher // nil if nothing is fetched
	timeout      time.Duration
	maxBytes     int64
	refreshEvery time.Duration
	skew         time.Duration
	softFail     func(error)
	logger       *slog.Logger
	now          func() time.Time

	cache  *cache // nil if there is none
	folder *folder

	ctx   context.Context
	stop  context.CancelFunc
	wake  chan struct{}
	tasks sync.WaitGroup
	slots chan struct{} // one for each fetch under way

	mu          sync.RWMutex
	closed      bool
	authorities map[string][]*authority // by RawSubject
	feeds       map[feedKey]*feed
	held        int64 // bytes of the lists of all feeds
	evicted     map[feedKey]*evicted
	crowded     bool // something gave way for room, and the cache may have too much
}

// authority is a CA as revocation knows it: a name and a key, whatever else stands in
// its certificates. A CA that is reissued for its key (pkioverheid/facts.md §1) keeps its lists.
type authority struct {
	cert  *x509.Certificate // one of them
	slots chan struct{}     // one for each fetch under way
	feeds atomic.Pointer[[]*feed]
}

// is compares all that decides whose a list is: the key identifier too, or the first
// certificate of a CA would decide whether its lists are taken for those of another
// that has another identifier.
func (a *authority) is(ca *x509.Certificate) bool {
	return bytes.Equal(a.cert.RawSubject, ca.RawSubject) &&
		bytes.Equal(a.cert.SubjectKeyId, ca.SubjectKeyId) &&
		chain.KeyHash(a.cert) == chain.KeyHash(ca)
}

// NewChecker returns a Checker and starts its goroutine, which looks after the
// folder and refreshes CRLs: Close ends it. It fetches nothing until it is asked
// about a chain; [Checker.Prefetch] does so before.
//
// A Checker that could find no CRL at all is an error, and so are a folder that
// cannot be read and a cache that cannot be made. Files in the folder that are no
// CRLs are not: [Checker.Status] tells of them.
func NewChecker(cfg Config) (*Checker, error) {
	if len(cfg.Hosts) == 0 && cfg.Folder == "" {
		return nil, errors.New("crl: a Checker without Hosts and without a Folder can find no CRL, and would refuse everything: give it one of them")
	}
	c := &Checker{
		timeout:      orDefault(cfg.Timeout, fetch.DefaultTimeout),
		maxBytes:     min(orDefault(cfg.MaxBytes, defaultMaxBytes), math.MaxInt64/(2*heldFactor)), // room for sums
		refreshEvery: max(min(orDefault(cfg.RefreshEvery, defaultRefresh), defaultRefresh), minRefresh),
		skew:         max(orDefault(cfg.ClockSkew, defaultSkew), 0),
		softFail:     cfg.SoftFail,
		logger:       cfg.Logger,
		wake:         make(chan struct{}, 1),
		slots:        make(chan struct{}, maxAtOnce),
		authorities:  make(map[string][]*authority),
		feeds:        make(map[feedKey]*feed),
		evicted:      make(map[feedKey]*evicted),
	}
	if cfg.Timeout < 0 || cfg.MaxBytes < 0 || cfg.RefreshEvery < 0 {
		return nil, errors.New("crl: Timeout, MaxBytes or RefreshEvery is negative: zero means the default")
	}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	clock := cfg.Time
	if clock == nil {
		clock = time.Now
	}
	// Without the monotonic clock, which stands still while a machine sleeps.
	c.now = func() time.Time { return clock().Round(0) }
	if len(cfg.Hosts) > 0 {
		f, err := fetch.New(fetch.Config{
			Client: cfg.Client, Hosts: cfg.Hosts, AllowPrivate: cfg.AllowPrivate,
			Timeout: cfg.Timeout, MaxBytes: c.maxBytes,
		})
		if err != nil {
			return nil, fmt.Errorf("crl: %w", err)
		}
		c.fetcher = f
	}
	if cfg.Cache != "" {
		store, err := openCache(cfg.Cache, c.maxBytes)
		if err != nil {
			return nil, fmt.Errorf("crl: cache: %w", err)
		}
		c.cache = store
	}
	c.folder = &folder{path: cfg.Folder, maxBytes: c.maxBytes}
	if err := c.folder.open(); err != nil {
		return nil, fmt.Errorf("crl: folder: %w", err)
	}
	if cfg.Folder != "" {
		c.folder.report(c.logger, nil)
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.tasks.Add(1)
	go c.run()
	return c, nil
}

func orDefault[T comparable](value, standard T) T {
	var zero T
	if value == zero {
		return standard
	}
	return value
}

// Close ends the goroutines of the Checker and waits for them. A fetch under way is
// given up, and who waits for it is told so. Policy goes on with the lists that are
// at hand, for as long as they are current. Close returns nil, each time.
func (c *Checker) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.tasks.Wait()
	if c.fetcher != nil {
		c.fetcher.Close()
	}
	return nil
}

// Policy is a chain.Policy that refuses a chain with a revoked certificate in it,
// and one of which that cannot be told. Give it to chain.WithPolicy:
//
//	chain.NewVerifier(roots, intermediates, chain.WithPolicy(checker.Policy))
//
// Each certificate but the root is held against a CRL of its issuer, the next in
// the chain: one from a http or https address among the certificate's distribution
// points (ldap is passed over), or one in the folder. The list must be signed by
// that very issuer, speak about the certificate and be current. Of several, the
// newest decides, and an address that gives an older list than before is not believed.
// Nothing is fetched for a chain with a certificate in it of which it is known already
// that it was revoked. Policy trusts that the signatures of the chain check out, as
// every chain.Policy does.
//
// The error is a *chain.Error. Its reason is [chain.Revoked] if a list says so, with
// a *[RevokedError] in it, [chain.Unsupported] if this is no chain up to a root, and
// [chain.RevocationUnknown] otherwise.
//
// # Waiting
//
// Policy does not wait while a current CRL is at hand. Otherwise it waits for a
// fetch, at most for Config.Timeout and together with everyone else who needs the
// same one. Once that has failed, nobody waits for it any more: it is tried again in
// the background, after 5 seconds first and then less often, once a minute at least,
// and until it works certificates that need that CRL are refused at once.
//
// A CRL that nothing needed for a day is no longer refreshed, and stays in use: the
// next certificate that needs it is judged by it, and has it refreshed. Where memory
// is short (see Config.MaxBytes) what was not used for longest gives way, and
// [Checker.Status] says so.
//
// # The past
//
// A time that lies back further than five minutes, or the clock skew if that is more,
// is one in the past. Then what is asked is whether the certificate was revoked by that
// time; a later revocation is nothing against it. What tells is
//
//   - a list that was current at that time, such as one kept in the folder, or
//   - any later list that was made while the certificate had not expired: CAs take
//     expired certificates off their lists (pkioverheid/facts.md §7), and until then a list has
//     all that was ever revoked, but not what was on hold and is no more.
//
// So a current CRL tells about the past of a certificate that has not expired, and
// of one that has, only a list kept from before. If any list of the issuer has the
// certificate as revoked by that time, it counts as that, also if it was only on hold.
// Where no list reaches, the error says what is missing.
//
// A zero time means now.
func (c *Checker) Policy(ch chain.Chain, at time.Time) error {
	now := c.now()
	if at.IsZero() {
		at = now
	}
	if err := whole(ch); err != nil {
		return &chain.Error{Reason: chain.Unsupported, Chain: ch, At: at, Err: []error{err}}
	}
	past := at.Before(now.Add(-max(c.skew, pastAfter)))
	var missing []int
	for i := len(ch) - 2; i >= 0; i-- {
		switch found := c.judge(ch[i], ch[i+1], at, past); found.state {
		case good:
		case revoked:
			return refusal(ch, i, at, found)
		default:
			missing = append(missing, i)
		}
	}
	if missing == nil {
		return nil
	}
	return c.fetchAndJudge(ch, missing, at, past)
}

// fetchAndJudge goes on where the lists at hand do not tell.
func (c *Checker) fetchAndJudge(ch chain.Chain, missing []int, at time.Time, past bool) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.timeout)
	defer cancel()
	findings := make([]finding, len(missing))
	var all sync.WaitGroup
	for n, i := range missing {
		all.Add(1)
		go func() {
			defer all.Done()
			findings[n] = c.obtain(ctx, ch[i], ch[i+1], at, past)
		}()
	}
	all.Wait()
	for n, i := range missing {
		if findings[n].state == revoked {
			return refusal(ch, i, at, findings[n])
		}
	}
	var unfetched []error
	for n, i := range missing {
		found := findings[n]
		switch {
		case found.state == good:
		case found.state == unreachable && c.softFail != nil:
			unfetched = append(unfetched, refusal(ch, i, at, found))
		default:
			return refusal(ch, i, at, found)
		}
	}
	for _, err := range unfetched {
		c.softFail(err)
	}
	return nil
}

func refusal(ch chain.Chain, i int, at time.Time, found finding) error {
	reason := chain.RevocationUnknown
	if found.state == revoked {
		reason = chain.Revoked
	}
	return &chain.Error{Reason: reason, Chain: ch, Cert: ch[i], At: at, Err: []error{found.err}}
}

// whole makes sure that no certificate goes unchecked for being the last.
func whole(ch chain.Chain) error {
	if len(ch) == 0 {
		return errNoCertificate
	}
	for _, cert := range ch {
		if cert == nil || len(cert.RawTBSCertificate) == 0 || cert.SerialNumber == nil {
			return errNoCertificate
		}
	}
	if root := ch.Root(); !bytes.Equal(root.RawSubject, root.RawIssuer) {
		return errors.New("crl: the chain does not end at a root, so that its last certificate cannot be checked: give it whole")
	}
	return nil
}
