package crl

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// pastAfter is how long ago a time must at least be to be one in the past.
const pastAfter = 5 * time.Minute

// state is what is known about the revocation of a certificate.
type state uint8

const (
	unknown     state = iota // no list says
	unreachable              // likewise, only because none could be fetched
	good
	revoked
)

// result is a state and why it is not good.
type result struct {
	state state
	err   error
}

// question is what time is asked about. Whether that is past must not change while a
// CRL is fetched.
type question struct {
	at, now time.Time
	past    bool
}

// Policy is a [chain.Policy] that refuses a chain with a certificate that is revoked, or
// whose status cannot be determined. Each but the root is checked against a CRL of its
// issuer, which may be fetched first. A zero time means now. See Details. The *[chain.Error]
// is for [chain.Revoked], with a *[RevokedError] in it, [chain.RevocationUnknown], or
// [chain.Unsupported] if this is not a chain up to a root.
func (c *Checker) Policy(ch chain.Chain, at time.Time) error {
	q := &question{at: at, now: c.now()}
	if at.IsZero() {
		q.at = q.now
	}
	if err := whole(ch); err != nil {
		return &chain.Error{Reason: chain.Unsupported, Chain: ch, At: q.at, Err: []error{err}}
	}
	q.past = q.at.Before(q.now.Add(-max(c.skew, pastAfter)))
	var missing []int
	for i := len(ch) - 2; i >= 0; i-- {
		switch r := c.check(ch[i], c.signers(ch, i, q), q); r.state {
		case good:
		case revoked:
			return refusal(ch, i, q.at, r)
		default:
			missing = append(missing, i)
		}
	}
	if missing == nil {
		return nil
	}
	return c.fetchAndCheck(ch, missing, *q)
}

// fetchAndCheck continues where the available lists do not say.
func (c *Checker) fetchAndCheck(ch chain.Chain, missing []int, q question) error {
	ctx, cancel := context.WithTimeout(c.store.ctx, c.timeout)
	defer cancel()
	results := make([]result, len(missing))
	var all sync.WaitGroup
	for n, i := range missing {
		all.Go(func() { results[n] = c.obtain(ctx, ch, i, q) })
	}
	all.Wait()
	for n, i := range missing {
		if results[n].state == revoked {
			return refusal(ch, i, q.at, results[n])
		}
	}
	var unfetched []error
	for n, i := range missing {
		r := results[n]
		switch {
		case r.state == good:
		case r.state == unreachable && c.softFail != nil:
			unfetched = append(unfetched, refusal(ch, i, q.at, r))
		default:
			return refusal(ch, i, q.at, r)
		}
	}
	for _, err := range unfetched {
		c.softFail(err)
	}
	return nil
}

func refusal(ch chain.Chain, i int, at time.Time, r result) error {
	reason := chain.RevocationUnknown
	if r.state == revoked {
		reason = chain.Revoked
	}
	return &chain.Error{Reason: reason, Chain: ch, Cert: ch[i], At: at, Err: []error{r.err}}
}

// whole makes sure that no certificate goes unchecked because it is the last.
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

// check asks the lists that are available, of signers: the issuer and what counts as such.
func (c *Checker) check(cert *x509.Certificate, signers []*x509.Certificate, q *question) result {
	if err := maySignCRLs(signers); err != nil {
		return result{unknown, err}
	}
	if q.past {
		return c.checkPast(cert, signers, q)
	}
	return c.checkNow(cert, signers, q)
}

// maySignCRLs is an error if none of the certificates may.
func maySignCRLs(signers []*x509.Certificate) error {
	ca := signers[0]
	if ca.KeyUsage&x509.KeyUsageCRLSign != 0 {
		return nil
	}
	if !slices.ContainsFunc(signers, func(s *x509.Certificate) bool { return !hasKeyUsage(s) || s.KeyUsage&x509.KeyUsageCRLSign != 0 }) {
		return fmt.Errorf("its issuer %s may not sign CRLs (RFC 5280 section 4.2.1.3), so that nothing that it issued can be checked", safetext.CA(ca.Subject))
	}
	return nil
}

var errNone = errors.New("no CRL of its issuer is available")

// checkNow has the newest list of the issuer's key decide, and the newest by another key of
// its name: what either says is revoked is, and one that is current must say that it is not.
func (c *Checker) checkNow(cert *x509.Certificate, signers []*x509.Certificate, q *question) result {
	var newest [2]*storedList // by the issuer's key, and by another
	reason := errNone
	usable := func(l *storedList, slot int) bool {
		if err := l.Covers(cert); err != nil {
			reason = err
		} else if c.fromFuture(l, q.now) {
			reason = futureError(l, q.now)
		} else {
			return slot == 0 || l.namedBy(cert)
		}
		return false
	}
	var room [8]*storedList
	for _, l := range c.store.fetchedBy(room[:0], signers) {
		if slot := slotOf(l, signers); usable(l, slot) {
			if newest[slot] == nil || l.newerThan(newest[slot]) {
				newest[slot] = l
			}
		} else if err := l.revokedBy(cert, q.at); err != nil {
			// On the list although the list is for others.
			return result{revoked, err}
		}
	}
	for _, l := range c.store.folder.named(signers[0]) { // the newest first
		if !l.isOf(signers) {
			continue
		}
		slot := slotOf(l, signers)
		if newest[slot] != nil && !l.newerThan(newest[slot]) {
			continue
		}
		if usable(l, slot) {
			newest[slot] = l
		} else if err := l.revokedBy(cert, q.at); err != nil {
			return result{revoked, err}
		}
	}
	known := false
	for _, l := range newest {
		if l == nil {
			continue
		}
		c.store.use(l, q.now)
		l.noteDelta(cert)
		// On the list is on the list, whatever the date.
		if err := l.revokedBy(cert, q.at); err != nil {
			return result{revoked, err}
		}
		if q.at.After(l.NextUpdate.Add(c.skew)) {
			reason = endedError(l, q.at)
		} else {
			known = true
		}
	}
	if !known {
		return result{unknown, reason}
	}
	return result{state: good}
}

// slotOf is 0 for a list by the issuer's own key, and 1 for one by another of its name.
func slotOf(l *storedList, signers []*x509.Certificate) int {
	if len(signers) == 1 || l.verify(signers[0]) == nil {
		return 0
	}
	return 1
}

// checkPast has every list say what it knows of that time.
func (c *Checker) checkPast(cert *x509.Certificate, signers []*x509.Certificate, q *question) result {
	complete, reason := false, errNone
	for _, l := range append(c.store.fetchedBy(nil, signers), c.store.folder.named(signers[0])...) {
		if l.source == nil && !l.isOf(signers) {
			continue
		}
		covers := l.Covers(cert)
		if covers == nil && slotOf(l, signers) != 0 && !l.namedBy(cert) {
			covers = errNone
		}
		if covers == nil {
			c.store.use(l, q.now)
		}
		// A list from before that time has what was revoked by then.
		err := l.Check(cert, q.at)
		if !q.at.Before(l.ThisUpdate) {
			err = l.revokedBy(cert, q.at)
		}
		if err != nil {
			return result{revoked, err}
		}
		entry, on := l.Lookup(cert.SerialNumber)
		switch {
		case covers != nil:
			reason = covers
		case c.fromFuture(l, q.now):
			reason = futureError(l, q.now)
		case on && entry.Reason != RemoveFromCRL:
			complete = true // and revoked later
		case q.at.After(l.NextUpdate.Add(c.skew)):
			if errors.Is(reason, errNone) { // else that says more
				reason = endedError(l, q.at)
			}
		case cert.NotAfter.Before(l.ThisUpdate):
			reason = fmt.Errorf("it expired on %s, and the CRL of %s has no expired certificates: only an older one (in the folder) says whether it was revoked by %s",
				inUTC(cert.NotAfter), inUTC(l.ThisUpdate), inUTC(q.at))
		default:
			complete = true
		}
	}
	if complete {
		return result{state: good}
	}
	return result{unknown, reason}
}

func (c *Checker) fromFuture(l *storedList, now time.Time) bool {
	return l.ThisUpdate.After(now.Add(c.skew))
}

// obtain fetches what is needed to check a certificate, and checks it. It waits
// until ctx ends.
func (c *Checker) obtain(ctx context.Context, ch chain.Chain, i int, q question) result {
	c.obtainForSigners(ctx, ch, i, q)
	return c.obtainFrom(ctx, ch[i], c.signers(ch, i, &q), q)
}

// obtainForSigners fetches what is needed to know whether the operator's signers for ch[i]
// are revoked.
func (c *Checker) obtainForSigners(ctx context.Context, ch chain.Chain, i int, q question) {
	for _, own := range c.ownSigners(ch[i].RawIssuer) {
		path := c.paths.of(own, ch[i+1:], q.at)
		for k := len(path) - 2; k >= 0; k-- {
			signers := signersIn(path, path[k])
			if c.check(path[k], signers, &q).state != good && c.obtainFrom(ctx, path[k], signers, q).state != good {
				break
			}
		}
	}
}

// obtainFrom fetches lists of these signers, and checks a certificate.
func (c *Checker) obtainFrom(ctx context.Context, cert *x509.Certificate, signers []*x509.Certificate, q question) result {
	ca := signers[0]
	if err := maySignCRLs(signers); err != nil {
		return result{unknown, noList(err)}
	}
	var urls []string
	if c.store.fetcher != nil {
		urls = urlsOf(cert)
	}
	check := func() result {
		return c.check(cert, signers, &question{q.at, c.now(), q.past})
	}
	var failures []error
	soft := len(urls) > 0
	r := check()
	for i, address := range urls {
		if r.state == good || r.state == revoked {
			return r
		}
		// One that hangs must not take the time of the others. It goes on meanwhile.
		deadline, _ := ctx.Deadline()
		turn, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(urls)-i))
		for _, signer := range signers {
			err := c.store.get(turn, address, signer, false)
			if err != nil {
				failures = append(failures, err)
			}
			soft = soft && isUnreachable(err) // nil: it gave a list
			if r = check(); r.state == good || r.state == revoked {
				break
			}
		}
		cancel()
	}
	if r.state == good || r.state == revoked {
		return r
	}
	none := errors.Is(r.err, errNone)
	soft = soft && len(failures) > 0
	if none {
		switch {
		case len(failures) > 0:
			r.err = nil
		case c.store.fetcher == nil:
			r.err = errors.New("no host is allowed to be asked")
		case len(urls) == 0:
			r.err = errors.New("the certificate names no http or https address of one")
		}
		r.err = both(c.store.folder.lacks(ca), r.err)
	}
	if none || isEnded(r.err) { // a list that has ended, and does not have the certificate, is as good as none
		// A list that there was, and that cannot be asked now, may have the certificate.
		if missed := c.store.missed(ca); missed != nil {
			failures = append(failures, missed)
		} else if soft {
			r.state = unreachable
		}
	}
	return result{r.state, noList(append([]error{r.err}, failures...)...)}
}

// isEnded reports whether a list was not current, and nothing else.
func isEnded(err error) bool {
	_, is := err.(*noSuccessor)
	return is
}

// both is one error of two, either of which may be nil.
func both(a, b error) error {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return fmt.Errorf("%w; %w", a, b)
}

// unknownError says why the status of a certificate cannot be determined.
type unknownError struct {
	text   string
	causes []error
}

func (e *unknownError) Error() string { return e.text }

func (e *unknownError) Unwrap() []error { return e.causes }

func noList(causes ...error) error {
	causes = slices.DeleteFunc(causes, func(err error) bool { return err == nil })
	var b strings.Builder
	b.WriteString("crl: no CRL says whether it is revoked")
	sep := ": "
	for _, err := range causes {
		b.WriteString(sep)
		b.WriteString(err.Error())
		sep = "; "
	}
	return &unknownError{b.String(), causes}
}

// signers returns the certificates whose lists speak about ch[i]: that of its issuer, and
// others of that name, because a CA that changes its key signs its lists with the new
// one. These are above it in the chain, or are the operator's own, verify up to the root
// of the chain and are not revoked. What a peer only sent is not among them.
func (c *Checker) signers(ch chain.Chain, i int, q *question) []*x509.Certificate {
	signers := ch[i+1 : i+2 : i+2]
	for _, above := range ch[i+2:] {
		if bytes.Equal(above.RawSubject, ch[i].RawIssuer) {
			signers = append(signers, above)
		}
	}
	for _, own := range c.ownSigners(ch[i].RawIssuer) {
		if slices.ContainsFunc(signers, own.Equal) {
			continue
		}
		path := c.paths.of(own, ch[i+1:], q.at)
		if path == nil {
			continue
		}
		revocable := slices.ContainsFunc(path[:len(path)-1], func(cert *x509.Certificate) bool {
			return c.check(cert, signersIn(path, cert), q).state != good
		})
		if !revocable {
			signers = append(signers, own)
		}
	}
	return signers
}

// ownSigners are the operator's certificates of a name, from Config and the folder.
func (c *Checker) ownSigners(name []byte) []*x509.Certificate {
	var signers []*x509.Certificate
	if len(c.configured) > 0 {
		signers = c.configured[string(name)]
	}
	if contents := c.store.folder.current.Load(); contents != nil && len(contents.signers) > 0 {
		signers = slices.Concat(signers, contents.signers[string(name)])
	}
	return signers
}

// signersIn are the signers for a certificate of the path of a signer: its issuer, and
// itself where a CA issued it for its own new key, which is the one that goes on.
func signersIn(path []*x509.Certificate, cert *x509.Certificate) []*x509.Certificate {
	issuer := path[slices.Index(path, cert)+1]
	if bytes.Equal(cert.RawSubject, cert.RawIssuer) {
		return []*x509.Certificate{issuer, cert}
	}
	return []*x509.Certificate{issuer}
}
