package crl

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
)

// state is what is known about the revocation of a certificate.
type state uint8

const (
	unknown     state = iota // no list tells
	unreachable              // likewise, only because none could be fetched
	good
	revoked
)

// finding is a state and why it is not good.
type finding struct {
	state state
	err   error
}

// held is a list that is in use.
type held struct {
	*List
	size   int64  // how many bytes of memory it takes at most
	origin string // the file or the URL, for people
	feed   *feed  // nil for one of a folder

	// Whose list it is, as far as that was asked: a list of a folder comes without
	// its issuer.
	mu    sync.Mutex
	asked []asked
	owner *x509.Certificate // the first whose list it is
}

// newHeld takes a list that was parsed from data.
func newHeld(l *List, data []byte, origin string, f *feed) *held {
	h := &held{List: l, size: int64(len(data)), origin: origin, feed: f} // entries take less than their DER
	if l.algorithm == x509.PureEd25519 {
		h.size += int64(len(l.signed)) // which is all of it
	}
	return h
}

type asked struct {
	raw []byte // of the CA's certificate
	err error
}

// maxAsked bounds what is remembered of CAs of one name.
const maxAsked = 8

// from says whether the list is that of a CA whose name is known to be the list's.
// The answer is remembered.
func (h *held) from(ca *x509.Certificate) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.asked {
		if bytes.Equal(a.raw, ca.Raw) {
			return a.err
		}
	}
	err := h.CheckSignatureFrom(ca)
	if err == nil && h.owner == nil {
		h.owner = ca
	}
	if len(h.asked) == maxAsked {
		h.asked = append(h.asked[:0], h.asked[1:]...)
	}
	h.asked = append(h.asked, asked{ca.Raw, err})
	return err
}

// newerThan compares lists of one CA: by date, then by number.
func (h *held) newerThan(o *held) bool {
	if d := h.ThisUpdate().Compare(o.ThisUpdate()); d != 0 {
		return d > 0
	}
	return h.Number() != nil && (o.Number() == nil || h.Number().Cmp(o.Number()) > 0)
}

// behind says whether a list must not replace another of the same source: who can
// keep a list from us, or has an old one, must not undo a revocation with it.
func (h *held) behind(o *held) bool {
	if h.ThisUpdate().Before(o.ThisUpdate()) {
		return true
	}
	return h.Number() != nil && o.Number() != nil && h.Number().Cmp(o.Number()) < 0
}

// fetched gives the lists at hand that were fetched and are by ca, whichever of its
// certificates they were fetched for.
func (c *Checker) fetched(buf []*held, ca *x509.Certificate) []*held {
	c.mu.RLock()
	authorities := c.authorities[string(ca.RawSubject)] // which is never changed
	c.mu.RUnlock()
	for _, a := range authorities {
		for _, f := range *a.feeds.Load() {
			if before := f.before.Load(); before != nil {
				buf = append(buf, *before...)
			}
			if l := f.list.Load(); l != nil {
				buf = append(buf, l)
			}
		}
		if !a.is(ca) {
			buf = slices.DeleteFunc(buf, func(l *held) bool { return l.feed.authority == a && l.from(ca) != nil })
		}
	}
	return buf
}

// judge asks the lists at hand. past is whether at is a time in the past: that must
// not change while a CRL is fetched.
func (c *Checker) judge(cert, ca *x509.Certificate, at time.Time, past bool) finding {
	if err := maySignCRLs(ca); err != nil {
		return finding{unknown, err}
	}
	if past {
		return c.judgePast(cert, ca, at, c.now())
	}
	return c.judgeNow(cert, ca, at, c.now())
}

// maySignCRLs is asked of each certificate of a CA; a list is verified with one.
func maySignCRLs(ca *x509.Certificate) error {
	if hasKeyUsage(ca) && ca.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return fmt.Errorf("its issuer %s may not sign CRLs (RFC 5280 section 4.2.1.3), so that nothing that it issued can be checked", quoteName(ca.Subject))
	}
	return nil
}

// use notes that a list is needed, and has it refreshed if that is due, which
// nobody waits for.
func (c *Checker) use(l *held, now time.Time) {
	if l.feed == nil {
		return
	}
	l.feed.used.Store(now.UnixNano())
	if now.UnixNano() >= l.feed.due.Load() {
		c.poke()
	}
}

var errNone = errors.New("no CRL of its issuer is at hand")

// judgeNow has the newest list decide.
func (c *Checker) judgeNow(cert, ca *x509.Certificate, at, now time.Time) finding {
	var newest *held
	reason := errNone
	usable := func(l *held) bool {
		if err := l.Covers(cert); err != nil {
			reason = err
		} else if c.fromFuture(l, now) {
			reason = futureError(l, now)
		} else {
			return true
		}
		return false
	}
	var room [8]*held
	for _, l := range c.fetched(room[:0], ca) {
		if usable(l) {
			if newest == nil || l.newerThan(newest) {
				newest = l
			}
		} else if err := l.revokedBy(cert, at); err != nil {
			// On the list although the list is for others.
			return finding{revoked, err}
		}
	}
	for _, l := range c.folder.of(ca) { // the newest first
		if newest != nil && !l.newerThan(newest) {
			break
		}
		if l.from(ca) != nil {
			continue
		}
		if usable(l) {
			newest = l
		} else if err := l.revokedBy(cert, at); err != nil {
			return finding{revoked, err}
		}
	}
	if newest == nil {
		return finding{unknown, reason}
	}
	c.use(newest, now)
	// On the list is on the list, whatever the date.
	if err := newest.revokedBy(cert, at); err != nil {
		return finding{revoked, err}
	}
	if end := newest.NextUpdate().Add(c.skew); at.After(end) {
		return finding{unknown, endedError(newest, at)}
	}
	return finding{state: good}
}

// revokedBy is Check for who takes each entry for a revocation.
func (h *held) revokedBy(cert *x509.Certificate, at time.Time) error {
	entry, on := h.Lookup(cert.SerialNumber)
	if !on {
		return nil
	}
	if entry.RevokedAt.After(at) {
		at = entry.RevokedAt
	}
	return h.Check(cert, at)
}

// judgePast has every list say what it knows of that time.
func (c *Checker) judgePast(cert, ca *x509.Certificate, at, now time.Time) finding {
	known, reason := false, errNone
	for _, l := range append(c.fetched(nil, ca), c.folder.of(ca)...) {
		if l.feed == nil && l.from(ca) != nil {
			continue
		}
		covers := l.Covers(cert)
		if covers == nil {
			c.use(l, now)
		}
		// A list from before that time has what was revoked by then.
		asked := l.Check(cert, at)
		if !at.Before(l.ThisUpdate()) {
			asked = l.revokedBy(cert, at)
		}
		if asked != nil {
			return finding{revoked, asked}
		}
		entry, on := l.Lookup(cert.SerialNumber)
		switch {
		case covers != nil:
			reason = covers
		case c.fromFuture(l, now):
			reason = futureError(l, now)
		case on && entry.Reason != RemoveFromCRL:
			known = true // and revoked later
		case at.After(l.NextUpdate().Add(c.skew)):
			reason = endedError(l, at)
		case cert.NotAfter.Before(l.ThisUpdate()):
			reason = fmt.Errorf("the certificate expired on %s, and a CRL of %s has no expired certificates any more: whether it was revoked by %s only a CRL from before can tell (put those that you kept into the folder)",
				inUTC(cert.NotAfter), inUTC(l.ThisUpdate()), inUTC(at))
		default:
			known = true
		}
	}
	if known {
		return finding{state: good}
	}
	return finding{unknown, reason}
}

func (c *Checker) fromFuture(l *held, now time.Time) bool {
	return l.ThisUpdate().After(now.Add(c.skew))
}

func futureError(l *held, now time.Time) error {
	return fmt.Errorf("the CRL from %s was made at %s, and it is %s now: is the clock right?", quote.URL(l.origin), inUTC(l.ThisUpdate()), inUTC(now))
}

func endedError(l *held, at time.Time) error {
	return fmt.Errorf("the newest CRL of its issuer ended at %s (from %s) and there is no successor: at %s every certificate of that CA counts as invalid", inUTC(l.NextUpdate()), quote.URL(l.origin), inUTC(at))
}
