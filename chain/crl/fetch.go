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
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/fetch"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

const (
	// firstRetry doubles with each failure, up to maxRetry while nothing current is
	// available and certificates are refused for it, else up to lazyRetry.
	firstRetry = 5 * time.Second
	maxRetry   = time.Minute
	lazyRetry  = 10 * time.Minute
)

// unreachableError is the error of a fetch in which no server gave a complete answer:
// what soft-fail is for. One that wraps it has more to say, and is not.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }

func (e *unreachableError) Unwrap() error { return e.err }

func isUnreachable(err error) bool {
	_, is := err.(*unreachableError)
	return is
}

// get waits until there is a list from an address, or the fetch has failed, or ctx
// ends. For Prefetch it fetches what failed before again, and has it kept up for good.
func (s *store) get(ctx context.Context, address string, ca *x509.Certificate, prefetch bool) error {
	src, err := s.sourceOf(address, ca, prefetch)
	if err != nil {
		return err
	}
	if err = s.await(ctx, src, prefetch); err == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if src.lost != nil {
		return fmt.Errorf("%w; %w", err, src.lost)
	}
	return err
}

// await has a source fetched if it was not or is due, and waits for that. Where it
// failed before it does not wait, but says how, unless the caller insists.
func (s *store) await(ctx context.Context, src *source, insist bool) error {
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return errClosed
	case src.dropped:
		s.mu.Unlock()
		return errTooMany
	}
	patient := insist || src.failures == 0
	if !src.running && (!src.started || patient && (src.failures > 0 || s.now().UnixNano() >= src.due.Load())) {
		s.start(src)
	}
	wait, err := src.awaited, src.err
	if !patient {
		wait = nil
	}
	s.mu.Unlock()
	if wait == nil {
		return err
	}
	select {
	case <-wait:
	case <-ctx.Done():
		if s.ctx.Err() != nil {
			return errClosed
		}
		return &unreachableError{fmt.Errorf("no CRL from %s in time: %w", safetext.Quote(src.url), ctx.Err())}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return src.err
}

// start begins a fetch. The caller holds the lock.
func (s *store) start(src *source) {
	src.running, src.started = true, true
	src.due.Store(math.MaxInt64) // until it is known when
	src.awaited = make(chan struct{})
	s.tasks.Go(func() { s.update(src) })
}

// update is one fetch, from the cache too when it is the first.
func (s *store) update(src *source) {
	if src.last() == nil && s.cache != nil && src.validators == nil {
		s.restore(src)
	}
	err := s.fetch(src)

	s.mu.Lock()
	before := src.err
	now := s.now()
	src.err = err
	if err == nil {
		src.failures = 0
	} else {
		src.failures++
	}
	src.due.Store(now.Add(s.pause(src, now)).UnixNano())
	src.running = false
	src.release()
	l := src.last()
	s.mu.Unlock()
	s.poke()

	switch {
	case s.ctx.Err() != nil:
	case err != nil && before == nil:
		attrs := []any{"url", src.url, "error", err}
		if l != nil {
			attrs = append(attrs, "until", l.NextUpdate)
		}
		s.logger.Warn("crl: a CRL cannot be refreshed", attrs...)
	case err == nil && before != nil:
		s.logger.Info("crl: a CRL can be refreshed again", "url", src.url, "until", l.NextUpdate)
	}
}

// pause is how long to wait until the next fetch. It varies, so that a thousand
// programs that start together do not go on asking together.
func (s *store) pause(src *source, now time.Time) time.Duration {
	l := src.last()
	if src.failures > 0 {
		longest := maxRetry
		if l != nil && now.Before(l.NextUpdate) {
			longest = min(lazyRetry, s.refreshEvery) // what is more, round takes for a clock set back
		}
		d := min(firstRetry<<min(src.failures-1, 16), longest)
		return d - rand.N(d/5)
	}
	d := s.refreshEvery
	if l != nil {
		// Halfway to the end, so that there is time for another try, and another.
		d = min(d, max(l.NextUpdate.Sub(now)/2, minRefresh))
	}
	return d - rand.N(d/10)
}

// restore takes what the cache has, as if it had been fetched, and ends the wait for
// it if it is current.
func (s *store) restore(src *source) {
	data, err := s.cache.read(src)
	if err == nil && data == nil {
		return
	}
	if err == nil {
		err = s.take(src, data)
	}
	l := src.last()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !errors.Is(err, errEnded) {
		src.lost = fmt.Errorf("crl: cache: %w", err)
		src.cacheErr = src.lost
	} else {
		src.cached = l
	}
	if l != nil && s.now().Before(l.NextUpdate) {
		src.release()
	}
}

// fetch gets the list anew.
func (s *store) fetch(src *source) error {
	// The CA's own first: it must not have all of the others.
	for _, slots := range []chan struct{}{src.authority.slots, s.slots} {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-s.ctx.Done():
			return errClosed
		}
	}
	res, err := s.fetcher.Get(s.ctx, src.url, src.validators)
	switch {
	case err == nil:
	case s.ctx.Err() != nil:
		return errClosed
	case errors.Is(err, fetch.ErrNotAllowed):
		return err
	default:
		return &unreachableError{err}
	}
	if res.NotModified || src.last() != nil && sha256.Sum256(res.Body) == src.sum {
		return s.unchanged(src, res.Body)
	}
	if err = s.take(src, res.Body); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	src.validators = validatorsOf(res.Header)
	s.confirm(src)
	if s.cache != nil {
		s.keep(src, res.Body)
	}
	return err
}

// unchanged is what remains of a fetch that gave the list once more, or that there is
// no newer one.
func (s *store) unchanged(src *source, body []byte) error {
	l := src.last()
	if l == nil {
		return fmt.Errorf("%s answers that nothing has changed, unasked", safetext.Quote(src.url))
	}
	s.confirm(src)
	switch {
	case s.cache == nil:
	case body != nil:
		s.keepAgain(src, body)
	case !s.cache.touch(src):
		s.keepLater(src)
	}
	err := s.ended(l)
	if err != nil {
		// Some server on the way may say so for ever: ask for all of it.
		src.validators = nil
	}
	return err
}

// keepLater has a file that somebody removed from the cache written again.
func (s *store) keepLater(src *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src.cacheErr == nil {
		src.cacheErr = errors.New("crl: cache: the file of the list is gone, and will be written again")
	}
	src.validators = nil // the next answer is to be the list
}

// keepAgain tries what failed before, if it did.
func (s *store) keepAgain(src *source, data []byte) {
	s.mu.RLock()
	failed := src.cacheErr != nil
	s.mu.RUnlock()
	if failed {
		s.keep(src, data)
	}
}

// keep puts a list into the cache. The Checker works without.
func (s *store) keep(src *source, data []byte) {
	l := src.last()
	if old := src.cached; old != nil && !old.sameScope(l) && s.ended(old) == nil {
		return // it speaks for others: at the next start the one that is there must count
	}
	err := s.cache.write(src, data)
	if err == nil {
		src.cached = l
	} else {
		src.validators = nil // the next answer is to be the list, for another try
	}
	s.mu.Lock()
	before := src.cacheErr
	src.cacheErr = err
	if len(s.evicted) > 0 { // then the cache may be full too
		s.crowded = true
	}
	s.mu.Unlock()
	if err != nil && before == nil {
		s.logger.Warn("crl: a CRL cannot be kept for the next start", "url", src.url, "error", err)
	}
}

func (s *store) confirm(src *source) {
	s.mu.Lock()
	src.confirmed = s.now()
	s.mu.Unlock()
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

func (s *store) ended(l *storedList) error {
	if s.now().After(l.NextUpdate.Add(s.skew)) {
		return fmt.Errorf("%s has no newer list than one that ended at %s: %w", safetext.Quote(l.origin), inUTC(l.NextUpdate), errEnded)
	}
	return nil
}

// take verifies a list and puts it to use. One that has ended is put to use and an
// error: it still says what is revoked.
func (s *store) take(src *source, data []byte) error {
	list, err := Parse(data)
	if err != nil {
		return fmt.Errorf("what %s gives is not a CRL that can be used: %w", safetext.Quote(src.url), err)
	}
	if err := numbered(list, s.unnumbered); err != nil {
		return fmt.Errorf("what %s gives cannot be used: %w", safetext.Quote(src.url), err)
	}
	l := newStoredList(list, data, src.url, src)
	if err := l.verify(src.authority.cert); err != nil {
		return fmt.Errorf("what %s gives is not a CRL of the issuer %s: %w", safetext.Quote(src.url), safetext.CA(src.authority.cert.Subject), err)
	}
	if now := s.now(); l.ThisUpdate.After(now.Add(s.skew)) {
		return futureError(l, now)
	}
	if err := s.replace(src, l); err != nil {
		return err
	}
	src.sum = sha256.Sum256(data)
	return s.ended(l)
}
