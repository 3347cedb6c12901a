package crl

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/fetch"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

const (
	// maxAtOnce bounds the fetches under way, and with them the memory that they
	// take; maxOfOne those for one CA, whose servers may all hang. Of these, one is
	// a refresh, and the others are for what somebody awaits.
	maxAtOnce = 8
	maxOfOne  = 3
	// maxSources bounds the addresses that are remembered. Whoever may issue
	// certificates can think up any number of them.
	maxSources = 255
	// maxURLs and maxURL bound what is taken of one certificate.
	maxURLs = 8
	maxURL  = 2048
	// maxScopes bounds the lists of one address.
	maxScopes = 4
)

// store has the lists that a Checker uses: it fetches, refreshes and evicts them, and
// reads those of the folder.
type store struct {
	fetcher      *fetch.Fetcher // nil if nothing is fetched
	cache        *cache         // nil if there is none
	folder       *folder
	maxBytes     int64
	unnumbered   bool // lists without a CRL number are used
	refreshEvery time.Duration
	skew         time.Duration
	now          func() time.Time
	logger       *slog.Logger

	ctx   context.Context
	stop  context.CancelFunc
	wake  chan struct{}
	tasks sync.WaitGroup
	slots chan struct{} // one for each fetch under way

	mu          sync.RWMutex
	closed      bool
	authorities map[string][]*authority // by RawSubject
	sources     map[sourceKey]*source
	bytes       int64 // of the lists of all sources
	evicted     map[sourceKey]*eviction
	crowded     bool // the cache may have too much
}

var (
	errClosed  = errors.New("the Checker is closed")
	errTooMany = fmt.Errorf("more than %d addresses of CRLs are in use at once", maxSources)
)

func newStore(now func() time.Time, skew time.Duration) *store {
	return &store{
		now: now, skew: skew,
		wake:        make(chan struct{}, 1),
		slots:       make(chan struct{}, maxAtOnce),
		authorities: make(map[string][]*authority),
		sources:     make(map[sourceKey]*source),
		evicted:     make(map[sourceKey]*eviction),
	}
}

func (s *store) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.tasks.Wait()
	if s.fetcher != nil {
		s.fetcher.Close()
	}
}

// urlsOf returns the addresses in a certificate that can be fetched from.
func urlsOf(cert *x509.Certificate) []string {
	var urls []string
	for _, address := range cert.CRLDistributionPoints {
		if len(address) > maxURL || slices.Contains(urls, address) {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			continue
		}
		if urls = append(urls, address); len(urls) == maxURLs {
			break
		}
	}
	return urls
}

// fetchedBy returns the lists that were fetched and are by one of the signers, which have
// one name, whichever of their certificates they were fetched for.
func (s *store) fetchedBy(buf []*storedList, signers []*x509.Certificate) []*storedList {
	var others []*storedList // of CAs of the same name
	s.mu.RLock()
	for _, a := range s.authorities[string(signers[0].RawSubject)] {
		is := a.is(signers[0]) || len(signers) > 1 && slices.ContainsFunc(signers, a.is)
		for _, src := range a.sources {
			for _, l := range src.lists {
				if is {
					buf = append(buf, l)
				} else {
					others = append(others, l)
				}
			}
		}
	}
	s.mu.RUnlock()
	for _, l := range others {
		if l.isOf(signers) {
			buf = append(buf, l)
		}
	}
	return buf
}

// use notes that a list is needed, and has it refreshed if that is due, which
// nobody waits for.
func (s *store) use(l *storedList, now time.Time) {
	if l.source == nil {
		return
	}
	l.source.used.Store(now.UnixNano())
	if now.UnixNano() >= l.source.due.Load() {
		s.poke()
	}
}

// sourceOf returns the source of an address, new if need be.
func (s *store) sourceOf(address string, ca *x509.Certificate, pin bool) (*source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	key := keyOf(address, ca)
	src := s.sources[key]
	if src == nil {
		if len(s.sources) >= maxSources && !s.evict() {
			return nil, errTooMany
		}
		src = &source{url: address, authority: s.join(ca)}
		if e := s.evicted[key]; e != nil {
			src.floor = e.last
		}
		src.authority.sources = append(src.authority.sources, src)
		s.sources[key] = src
	}
	src.pinned = src.pinned || pin
	src.used.Store(s.now().UnixNano())
	return src, nil
}

// join returns the authority of a CA, new if need be. The caller holds the lock.
func (s *store) join(ca *x509.Certificate) *authority {
	name := string(ca.RawSubject)
	for _, a := range s.authorities[name] {
		if a.is(ca) {
			return a
		}
	}
	a := &authority{cert: ca, slots: make(chan struct{}, maxOfOne)}
	s.authorities[name] = append(s.authorities[name], a)
	return a
}

// drop forgets a source. The caller holds the lock.
func (s *store) drop(src *source) {
	src.dropped = true
	a := src.authority
	delete(s.sources, keyOf(src.url, a.cert))
	s.bytes -= src.size()
	a.sources = slices.DeleteFunc(a.sources, func(other *source) bool { return other == src })
	if len(a.sources) > 0 {
		return
	}
	name := string(a.cert.RawSubject)
	s.authorities[name] = slices.DeleteFunc(s.authorities[name], func(other *authority) bool { return other == a })
	if len(s.authorities[name]) == 0 {
		delete(s.authorities, name)
	}
}

// replace puts a list to use, beside those of other scopes: it takes back nothing of
// what they say. It is an error if it is older than what was there.
func (s *store) replace(src *source, l *storedList) error {
	var others []*storedList
	older := func(old *storedList) error {
		return fmt.Errorf("%s gives an older CRL (%s) than before (%s), which stays in use: remove its file from the cache only if the CA counts anew", safetext.Quote(src.url), l.version(), old.version())
	}
	for _, old := range src.lists {
		switch {
		case !l.sameScope(old):
			others = append(others, old)
		case l.olderThan(old):
			return older(old)
		}
	}
	if src.floor != nil && l.olderThan(src.floor) {
		return older(src.floor)
	}
	others = others[max(len(others)-(maxScopes-1), 0):]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= src.size()
	src.lists = append(others, l)
	src.lost, src.floor = nil, nil
	delete(s.evicted, keyOf(src.url, src.authority.cert))
	s.bytes += src.size()
	for s.bytes > s.maxBytes*memoryFactor && s.evict() {
	}
	return nil
}

// eviction is an address whose list gave way for room.
type eviction struct {
	ca   *x509.Certificate
	url  string
	last *storedList // only its date and its number
	at   time.Time
}

// evict makes room: what was not used for longest gives way. A CA that takes more
// than a quarter of the room pushes out its own, or one that issues certificates with
// ever new addresses would push out what others need. It is false if all are in use.
// The caller holds the lock.
func (s *store) evict() bool {
	type share struct {
		sources int
		bytes   int64
	}
	shares := map[*authority]share{}
	for _, src := range s.sources {
		before := shares[src.authority]
		shares[src.authority] = share{before.sources + 1, before.bytes + src.size()}
	}
	large := func(src *source) bool {
		share := shares[src.authority]
		return share.sources > maxSources/4 || share.bytes > s.maxBytes*memoryFactor/4
	}
	var first *source
	for _, src := range s.sources {
		switch {
		case src.running || src.pinned:
		case first == nil, large(src) && !large(first),
			large(src) == large(first) && src.used.Load() < first.used.Load():
			first = src
		}
	}
	if first == nil {
		return false
	}
	s.drop(first)
	if l := first.last(); l != nil {
		s.remember(&eviction{
			first.authority.cert, first.url,
			&storedList{List: &List{ThisUpdate: l.ThisUpdate, Number: l.Number}}, s.now(),
		})
	}
	s.crowded = true
	s.poke()
	return true
}

// remember notes what was evicted: for Status, because soft-fail must not pass what
// was known to be revoked, and because no older list may take its place. The caller
// holds the lock.
func (s *store) remember(e *eviction) {
	s.evicted[keyOf(e.url, e.ca)] = e
	if len(s.evicted) <= maxSources {
		return
	}
	first := e
	for _, other := range s.evicted {
		if other.at.Before(first.at) {
			first = other
		}
	}
	delete(s.evicted, keyOf(first.url, first.ca))
}

func (e *eviction) err() error {
	return fmt.Errorf("the list from %s gave way for room at %s: raise Config.MaxBytes", safetext.Quote(e.url), inUTC(e.at))
}

// missed says so if there was a list of a CA that cannot be asked: one that was
// evicted and is not back, or one in a file of the folder that cannot be read.
func (s *store) missed(ca *x509.Certificate) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	wanted := keyOf("", ca)
	for key, e := range s.evicted {
		if key.url = ""; key == wanted {
			return e.err()
		}
	}
	return s.folder.unread()
}

// cleanUp keeps the cache within its bounds, without the lock. What was evicted from
// memory stays in it while there is room.
func (s *store) cleanUp() {
	s.mu.Lock()
	crowded := s.crowded
	s.crowded = false
	inUse := map[string]bool{}
	if crowded && s.cache != nil {
		for _, src := range s.sources {
			inUse[s.cache.name(src)] = true
		}
	}
	s.mu.Unlock()
	if crowded && s.cache != nil {
		_ = s.cache.prune(inUse)
	}
}

// poke wakes run.
func (s *store) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
