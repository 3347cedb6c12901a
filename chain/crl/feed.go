package crl

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/internal/fetch"
	"github.com/go-pkioverheid/trust/chain/internal/quote"
)

const (
	// maxAtOnce bounds the fetches under way, and with them the memory that they
	// take; maxOfOne those for one CA, whose servers may all hang. Of these, one is
	// a refresh, and the others are for what somebody awaits.
	maxAtOnce = 8
	maxOfOne  = 3
	// maxFeeds bounds the addresses that are remembered. Whoever may issue
	// certificates can think up any number of them.
	maxFeeds = 255
	// maxURLs and maxURL bound what is taken of one certificate.
	maxURLs = 8
	maxURL  = 2048
	// maxScopes bounds the lists of one address.
	maxScopes = 4
	// restAfter is how long an address is kept up that no certificate named. Its list
	// stays.
	restAfter = 24 * time.Hour
	// firstRetry doubles with each failure, up to maxRetry while nothing current is
	// at hand and certificates are refused for it, else up to lazyRetry.
	firstRetry = 5 * time.Second
	maxRetry   = time.Minute
	lazyRetry  = 10 * time.Minute
)

// feedKey is an address and the CA whose list is expected there: see authority.is.
// With the CA in it, no CA can spoil what is known about another's list by naming its
// address.
type feedKey struct {
	url, name, id string
	key           [sha256.Size]byte
}

func feedKeyOf(url string, ca *x509.Certificate) feedKey {
	return feedKey{url, string(ca.RawSubject), string(ca.SubjectKeyId), chain.KeyHash(ca)}
}

// feed keeps the list up to date that a CA publishes at an address.
type feed struct {
	url       string
	authority *authority

	list atomic.Pointer[held] // nil until there is one
	// Lists of another scope that the address gave before: the newest of each scope.
	before atomic.Pointer[[]*held]
	due    atomic.Int64 // when to fetch next, in nanoseconds since 1970
	used   atomic.Int64 // when a chain needed it last

	// Of Checker.mu.
	pinned    bool          // by Prefetch: kept up for good
	dropped   bool          // it is no longer among the feeds
	running   bool          // a fetch
	awaited   chan struct{} // closed when the fetch has an outcome; nil if none is under way
	failures  int           // since the last success
	err       error         // of the last fetch
	cacheErr  error
	lost      error     // why what the cache had could not be read; nil once there is a list
	floor     *held     // what gave way for room, as far as it takes to tell an older list
	confirmed time.Time // when the source last gave the list that is held

	// Of the fetch under way.
	started    bool
	cached     *held             // the list that the cache has
	sum        [sha256.Size]byte // of the bytes that were last taken
	validators http.Header       // to ask whether they changed
}

var (
	errClosed  = errors.New("the Checker is closed")
	errTooMany = fmt.Errorf("more than %d addresses of CRLs are in use at once", maxFeeds)
)

// urlsOf gives the addresses in a certificate that can be fetched from.
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

// authorityOf returns what is remembered of a CA, or nil.
func (c *Checker) authorityOf(ca *x509.Certificate) *authority {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, a := range c.authorities[string(ca.RawSubject)] {
		if a.is(ca) {
			return a
		}
	}
	return nil
}

// feedOf returns the feed of an address, new if need be.
func (c *Checker) feedOf(address string, ca *x509.Certificate, pin bool) (*feed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	key := feedKeyOf(address, ca)
	f := c.feeds[key]
	if f == nil {
		if len(c.feeds) >= maxFeeds && !c.evict() {
			return nil, errTooMany
		}
		a := c.join(ca)
		f = &feed{url: address, authority: a}
		if e := c.evicted[key]; e != nil {
			f.floor = e.last
		}
		feeds := append(slices.Clip(*a.feeds.Load()), f)
		a.feeds.Store(&feeds)
		c.feeds[key] = f
	}
	f.pinned = f.pinned || pin
	f.used.Store(c.now().UnixNano())
	return f, nil
}

// join returns the authority of a CA, new if need be. The caller holds the lock.
func (c *Checker) join(ca *x509.Certificate) *authority {
	name := string(ca.RawSubject)
	for _, a := range c.authorities[name] {
		if a.is(ca) {
			return a
		}
	}
	a := &authority{cert: ca, slots: make(chan struct{}, maxOfOne)}
	a.feeds.Store(new([]*feed))
	c.authorities[name] = append(slices.Clip(c.authorities[name]), a)
	return a
}

// drop forgets a feed. The caller holds the lock.
func (c *Checker) drop(f *feed) {
	f.dropped = true
	a := f.authority
	name := string(a.cert.RawSubject)
	delete(c.feeds, feedKeyOf(f.url, a.cert))
	c.held -= f.size()
	left := slices.DeleteFunc(slices.Clone(*a.feeds.Load()), func(other *feed) bool { return other == f })
	a.feeds.Store(&left)
	if len(left) > 0 {
		return
	}
	others := slices.DeleteFunc(slices.Clone(c.authorities[name]), func(other *authority) bool { return other == a })
	if len(others) == 0 {
		delete(c.authorities, name)
	} else {
		c.authorities[name] = others
	}
}

// size is what the lists of the address take. The caller holds the lock.
func (f *feed) size() int64 {
	var size int64
	for _, l := range f.lists() {
		size += l.size
	}
	return size
}

// lists are those in use: the last, and before it those of another scope.
func (f *feed) lists() []*held {
	var all []*held
	if before := f.before.Load(); before != nil {
		all = *before
	}
	if l := f.list.Load(); l != nil {
		all = append(slices.Clip(all), l)
	}
	return all
}

// evicted is an address whose list gave way for room.
type evicted struct {
	ca   *x509.Certificate
	url  string
	last *held // only its date and its number
	at   time.Time
}

// evict makes room: what was not used for longest gives way. A CA that takes more
// than a quarter of the room pushes out its own, or one that issues certificates with
// ever new addresses would push out what others need. It is false if all are in use.
// The caller holds the lock.
func (c *Checker) evict() bool {
	type share struct {
		feeds int
		bytes int64
	}
	shares := map[*authority]share{}
	for _, f := range c.feeds {
		s := shares[f.authority]
		shares[f.authority] = share{s.feeds + 1, s.bytes + f.size()}
	}
	large := func(f *feed) bool {
		s := shares[f.authority]
		return s.feeds > maxFeeds/4 || s.bytes > c.maxBytes*heldFactor/4
	}
	var oldest *feed
	for _, f := range c.feeds {
		if f.running || f.pinned {
			continue
		}
		switch {
		case oldest == nil, large(f) && !large(oldest):
			oldest = f
		case large(f) == large(oldest) && f.used.Load() < oldest.used.Load():
			oldest = f
		}
	}
	if oldest == nil {
		return false
	}
	c.drop(oldest)
	if l := oldest.list.Load(); l != nil {
		c.remember(&evicted{
			oldest.authority.cert, oldest.url,
			&held{List: &List{thisUpdate: l.thisUpdate, number: l.number}}, c.now(),
		})
	}
	c.crowded = true
	c.poke()
	return true
}

// remember notes what gave way: for Status, because soft-fail must not pass what was
// known to be revoked, and because no older list may take its place. The caller holds
// the lock.
func (c *Checker) remember(e *evicted) {
	c.evicted[feedKeyOf(e.url, e.ca)] = e
	if len(c.evicted) <= maxFeeds {
		return
	}
	first := e
	for _, other := range c.evicted {
		if other.at.Before(first.at) {
			first = other
		}
	}
	delete(c.evicted, feedKeyOf(first.url, first.ca))
}

// gaveWay says so if a list of a CA gave way for room and is not back.
func (c *Checker) gaveWay(ca *x509.Certificate) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for key, e := range c.evicted {
		if key == feedKeyOf(e.url, ca) {
			return e.err()
		}
	}
	return nil
}

func (e *evicted) err() error {
	return fmt.Errorf("the list from %s gave way for room at %s: raise Config.MaxBytes", quote.URL(e.url), inUTC(e.at))
}

// cleanUp keeps the cache within its bounds, without the lock. What gave way in memory
// stays in it for as long as there is room.
func (c *Checker) cleanUp() {
	c.mu.Lock()
	crowded := c.crowded
	c.crowded = false
	inUse := map[string]bool{}
	if crowded && c.cache != nil {
		for _, f := range c.feeds {
			inUse[c.cache.name(f)] = true
		}
	}
	c.mu.Unlock()
	if crowded && c.cache != nil {
		_ = c.cache.prune(inUse)
	}
}

// obtain fetches what it takes to tell about a certificate, and judges it. It
// waits until ctx ends.
func (c *Checker) obtain(ctx context.Context, cert, ca *x509.Certificate, at time.Time, past bool) finding {
	if err := maySignCRLs(ca); err != nil {
		return finding{unknown, noList(err)}
	}
	urls := urlsOf(cert)
	if c.fetcher == nil {
		urls = nil
	}
	var failures []error
	soft := len(urls) > 0
	found := c.judge(cert, ca, at, past)
	for i, address := range urls {
		if found.state == good || found.state == revoked {
			return found
		}
		// One that hangs must not take the time of the others. It goes on meanwhile.
		deadline, _ := ctx.Deadline()
		turn, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(urls)-i))
		f, err := c.feedOf(address, ca, false)
		if err == nil {
			err = c.await(turn, f, false)
		}
		cancel()
		if err != nil {
			failures = append(failures, err)
			soft = soft && isUnreachable(err)
			if lost := c.lostOf(f); lost != nil {
				failures = append(failures, lost)
				soft = false
			}
		}
		found = c.judge(cert, ca, at, past)
	}
	if found.state == good || found.state == revoked {
		return found
	}
	if errors.Is(found.err, errNone) {
		switch {
		case len(failures) > 0:
			found.err = nil
		case c.fetcher == nil:
			found.err = errors.New("there is none in the folder, and no host is allowed to be asked")
		case len(urls) == 0:
			found.err = errors.New("the certificate names no http or https address of one, and there is none in the folder")
		}
		// What there was, and cannot be asked now, may have had the certificate on it.
		for _, why := range []error{c.gaveWay(ca), c.folder.unread()} {
			if why != nil {
				failures = append(failures, why)
				soft = false
			}
		}
		if soft && len(failures) > 0 {
			found.state = unreachable
		}
	}
	return finding{found.state, noList(append([]error{found.err}, failures...)...)}
}

// unknownError says why it cannot be told whether a certificate is revoked.
type unknownError struct {
	text   string
	causes []error
}

func (e *unknownError) Error() string { return e.text }

func (e *unknownError) Unwrap() []error { return e.causes }

func noList(causes ...error) error {
	causes = slices.DeleteFunc(causes, func(err error) bool { return err == nil })
	var b strings.Builder
	b.WriteString("crl: no CRL tells whether it is revoked")
	sep := ": "
	for _, err := range causes {
		b.WriteString(sep)
		b.WriteString(err.Error())
		sep = "; "
	}
	return &unknownError{b.String(), causes}
}

// unreachableError is in the errors of fetches in which no server gave a complete
// answer: what soft-fail is for.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }

func (e *unreachableError) Unwrap() error { return e.err }

func isUnreachable(err error) bool {
	var u *unreachableError
	return errors.As(err, &u)
}

// await has a feed fetched if it was not or is due, and waits for that. Where it
// failed before it does not wait, but says how, unless the caller insists.
func (c *Checker) await(ctx context.Context, f *feed, insist bool) error {
	c.mu.Lock()
	switch {
	case c.closed:
		c.mu.Unlock()
		return errClosed
	case f.dropped:
		c.mu.Unlock()
		return errTooMany
	}
	patient := insist || f.failures == 0
	if !f.running && (!f.started || patient && (f.failures > 0 || c.now().UnixNano() >= f.due.Load())) {
		c.start(f)
	}
	wait, err := f.awaited, f.err
	if !patient {
		wait = nil
	}
	c.mu.Unlock()
	if wait == nil {
		return err
	}
	select {
	case <-wait:
	case <-ctx.Done():
		if c.ctx.Err() != nil {
			return errClosed
		}
		return &unreachableError{fmt.Errorf("no CRL from %s in time: %w", quote.URL(f.url), ctx.Err())}
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return f.err
}

// lostOf says why what the cache has of an address cannot be used.
func (c *Checker) lostOf(f *feed) error {
	if f == nil {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return f.lost
}

// start begins a fetch. The caller holds the lock.
func (c *Checker) start(f *feed) {
	f.running, f.started = true, true
	f.due.Store(math.MaxInt64) // until it is known when
	f.awaited = make(chan struct{})
	c.tasks.Add(1)
	go func() {
		defer c.tasks.Done()
		c.update(f)
	}()
}

// update is one fetch, from the cache too when it is the first.
func (c *Checker) update(f *feed) {
	if f.list.Load() == nil && c.cache != nil && f.validators == nil {
		c.restore(f)
	}
	err := c.fetch(f)

	c.mu.Lock()
	before := f.err
	now := c.now()
	f.err = err
	if err == nil {
		f.failures = 0
	} else {
		f.failures++
	}
	f.due.Store(now.Add(c.pause(f, now)).UnixNano())
	f.running = false
	c.release(f)
	c.mu.Unlock()
	c.poke()

	switch l := f.list.Load(); {
	case c.ctx.Err() != nil:
	case err != nil && before == nil:
		attrs := []any{"url", f.url, "error", err}
		if l != nil {
			attrs = append(attrs, "until", l.NextUpdate())
		}
		c.logger.Warn("crl: a CRL cannot be refreshed", attrs...)
	case err == nil && before != nil:
		c.logger.Info("crl: a CRL can be refreshed again", "url", f.url, "until", l.NextUpdate())
	}
}

// release lets go on who waits. The caller holds the lock.
func (c *Checker) release(f *feed) {
	if f.awaited != nil {
		close(f.awaited)
		f.awaited = nil
	}
}

// pause is how long to wait until the next fetch. It varies, so that a thousand
// programs that start together do not go on asking together.
func (c *Checker) pause(f *feed, now time.Time) time.Duration {
	l := f.list.Load()
	if f.failures > 0 {
		longest := maxRetry
		if l != nil && now.Before(l.NextUpdate()) {
			longest = min(lazyRetry, c.refreshEvery) // what is more, round takes for a clock set back
		}
		d := min(firstRetry<<min(f.failures-1, 16), longest)
		return d - rand.N(d/5)
	}
	d := c.refreshEvery
	if l != nil {
		// Halfway to the end, so that there is time for another try, and another.
		d = min(d, max(l.NextUpdate().Sub(now)/2, minRefresh))
	}
	return d - rand.N(d/10)
}

// restore takes what the cache has, as if it had been fetched, and lets go on who
// waits for it if it is current.
func (c *Checker) restore(f *feed) {
	data, err := c.cache.read(f)
	if err == nil && data == nil {
		return
	}
	if err == nil {
		err = c.take(f, data)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && !errors.Is(err, errEnded) {
		f.lost = fmt.Errorf("crl: cache: %w", err)
		f.cacheErr = f.lost
	} else {
		f.cached = f.list.Load()
	}
	if l := f.list.Load(); l != nil && c.now().Before(l.NextUpdate()) {
		c.release(f)
	}
}

// fetch gets the list anew.
func (c *Checker) fetch(f *feed) error {
	// The CA's own first: it must not have all of the others.
	for _, slots := range []chan struct{}{f.authority.slots, c.slots} {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-c.ctx.Done():
			return errClosed
		}
	}
	res, err := c.fetcher.Get(c.ctx, f.url, f.validators)
	switch {
	case err == nil:
	case c.ctx.Err() != nil:
		return errClosed
	case errors.Is(err, fetch.ErrNotAllowed):
		return err
	default:
		return &unreachableError{err}
	}
	l := f.list.Load()
	if res.NotModified || l != nil && sha256.Sum256(res.Body) == f.sum {
		if l == nil {
			return fmt.Errorf("%s answers that nothing has changed, unasked", quote.URL(f.url))
		}
		c.confirm(f)
		if res.Body != nil {
			c.keepAgain(f, res.Body)
		} else if c.cache != nil && !c.cache.touch(f) {
			c.missing(f)
		}
		err := c.ended(l)
		if err != nil {
			// Some server on the way may say so for ever: ask for all of it.
			f.validators = nil
		}
		return err
	}
	if err = c.take(f, res.Body); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	f.validators = validatorsOf(res.Header)
	c.confirm(f)
	if c.cache != nil {
		c.keep(f, res.Body)
	}
	return err
}

// missing has a file that somebody removed from the cache written again.
func (c *Checker) missing(f *feed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.cacheErr == nil {
		f.cacheErr = errors.New("crl: cache: the file of the list is gone, and will be written again")
	}
	f.validators = nil // the next answer is to be the list
}

// keepAgain tries what failed before, if it did.
func (c *Checker) keepAgain(f *feed, data []byte) {
	c.mu.RLock()
	failed := f.cacheErr != nil
	c.mu.RUnlock()
	if failed && c.cache != nil {
		c.keep(f, data)
	}
}

// keep puts a list into the cache. The Checker works without.
func (c *Checker) keep(f *feed, data []byte) {
	l := f.list.Load()
	if old := f.cached; old != nil && !reflect.DeepEqual(old.scope, l.scope) && c.ended(old) == nil {
		return // it speaks for others: at the next start the one that is there must count
	}
	err := c.cache.write(f, data)
	if err == nil {
		f.cached = l
	} else {
		f.validators = nil // the next answer is to be the list, for another try
	}
	c.mu.Lock()
	before := f.cacheErr
	f.cacheErr = err
	if len(c.evicted) > 0 { // then the cache may be full too
		c.crowded = true
	}
	c.mu.Unlock()
	if err != nil && before == nil {
		c.logger.Warn("crl: a CRL cannot be kept for the next start", "url", f.url, "error", err)
	}
}

func (c *Checker) confirm(f *feed) {
	c.mu.Lock()
	f.confirmed = c.now()
	c.mu.Unlock()
}

// validatorsOf is the header that asks for a newer version than this.
func validatorsOf(from http.Header) http.Header {
	ask := http.Header{}
	if tag := from.Get("ETag"); tag != "" {
		ask.Set("If-None-Match", tag)
	}
	if date := from.Get("Last-Modified"); date != "" {
		ask.Set("If-Modified-Since", date)
	}
	return ask
}

var errEnded = errors.New("the CRL has ended")

func (c *Checker) ended(l *held) error {
	if c.now().After(l.NextUpdate().Add(c.skew)) {
		return fmt.Errorf("%s has no newer list than one that ended at %s: %w", quote.URL(l.origin), inUTC(l.NextUpdate()), errEnded)
	}
	return nil
}

// take verifies a list and puts it to use. One that has ended is put to use and an
// error: it still tells what is revoked.
func (c *Checker) take(f *feed, data []byte) error {
	list, err := Parse(data)
	if err != nil {
		return fmt.Errorf("what %s gives is no CRL that can be used: %w", quote.URL(f.url), err)
	}
	l := newHeld(list, data, f.url, f)
	if err := l.from(f.authority.cert); err != nil {
		return fmt.Errorf("what %s gives is no CRL of the issuer %s: %w", quote.URL(f.url), quoteName(f.authority.cert.Subject), err)
	}
	if now := c.now(); c.fromFuture(l, now) {
		return futureError(l, now)
	}
	var before []*held // of other scopes
	older := func(old *held) error {
		return fmt.Errorf("%s gives an older CRL (%s) than it gave before (%s), which stays in use: only if the CA tells you that it counts anew, remove its file from the cache and start again", quote.URL(f.url), l.describe(), old.describe())
	}
	for _, old := range f.lists() {
		switch {
		case !reflect.DeepEqual(old.scope, l.scope):
			// It speaks for other certificates, and takes back nothing of these.
			before = append(before, old)
		case l.behind(old):
			return older(old)
		}
	}
	if f.floor != nil && l.behind(f.floor) {
		return older(f.floor)
	}
	f.sum = sha256.Sum256(data)
	c.mu.Lock()
	c.held -= f.size()
	before = before[max(len(before)-(maxScopes-1), 0):]
	f.before.Store(&before)
	f.list.Store(l)
	f.lost, f.floor = nil, nil
	delete(c.evicted, feedKeyOf(f.url, f.authority.cert))
	c.held += f.size()
	for c.held > c.maxBytes*heldFactor && c.evict() {
	}
	c.mu.Unlock()
	return c.ended(l)
}

// describe tells lists of one CA apart.
func (h *held) describe() string {
	s := "of " + inUTC(h.ThisUpdate())
	if n := h.Number(); n != nil {
		s = "number " + n.String() + " " + s
	}
	return s
}

// poke has run look again.
func (c *Checker) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

const (
	// lookEvery bounds how long run sleeps, because a clock can jump.
	lookEvery = time.Minute
	// folderEvery is how often the folder is looked at.
	folderEvery = 10 * time.Second
)

// run refreshes what is due, forgets what is not used and looks at the folder.
func (c *Checker) run() {
	defer c.tasks.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var looks <-chan time.Time // not with each wake: connections cause those
	if c.folder.path != "" {
		ticker := time.NewTicker(folderEvery)
		defer ticker.Stop()
		looks = ticker.C
	}
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-looks:
			c.look()
			continue
		case <-c.wake:
		case <-timer.C:
		}
		timer.Reset(c.round())
		c.cleanUp()
	}
}

// resting reports whether an address is not kept up, because nothing needed its list
// for a day. The list stays: it may have somebody on it. The caller holds the lock.
func (f *feed) resting(now time.Time) bool {
	return !f.pinned && now.UnixNano()-f.used.Load() > int64(restAfter)
}

// round starts the refreshes that are due and returns when the next one is.
func (c *Checker) round() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	busy := map[*authority]bool{}
	for _, f := range c.feeds {
		busy[f.authority] = busy[f.authority] || f.running
	}
	pause := lookEvery
	for _, f := range c.feeds {
		if f.running || !f.started || c.closed {
			continue
		}
		if f.resting(now) {
			if f.list.Load() == nil {
				c.drop(f)
			}
			continue
		}
		left := time.Duration(f.due.Load() - now.UnixNano())
		switch {
		case 0 < left && left <= c.refreshEvery: // more, if the clock was set back
			pause = min(pause, left)
		case !busy[f.authority]: // else when that has ended
			busy[f.authority] = true
			c.start(f)
		}
	}
	return pause
}
