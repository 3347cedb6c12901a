package crl

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// storedList is a list that is in use.
type storedList struct {
	*List
	size   int64   // how many bytes of memory it takes at most
	origin string  // the file or the URL, for people
	source *source // nil for one of the folder

	// Whose list it is, as far as that was asked: a list of the folder comes without
	// its issuer.
	mu    sync.Mutex
	asked []verification
	owner *x509.Certificate // the first whose list it is

	delta atomic.Bool // a certificate that it decided points to a delta CRL
}

// numbered is an error for a list without a CRL number, if those are not allowed.
func numbered(l *List, allowUnnumbered bool) error {
	if l.Number != nil || allowUnnumbered {
		return nil
	}
	return errors.New("crl: the list has no CRL number, which RFC 5280 section 5.2.3 demands: Config.AllowUnnumbered accepts it")
}

// notes are what Status notes about a list that is in use.
func (l *storedList) notes() (notes []string) {
	if l.Number == nil {
		notes = append(notes, "the list has no CRL number (RFC 5280 section 5.2.3)")
	}
	if l.pointsToDelta {
		notes = append(notes, "the list points to a delta CRL, which is not fetched (RFC 5280 section 5.2.6)")
	}
	if l.delta.Load() {
		notes = append(notes, "a certificate of its issuer points to a delta CRL, which is not fetched (RFC 5280 section 4.2.1.15)")
	}
	return notes
}

// noteDelta notes whether a certificate points to a delta CRL.
func (l *storedList) noteDelta(cert *x509.Certificate) {
	for i := range cert.Extensions { // for each connection: no copies
		if id := cert.Extensions[i].Id; len(id) == 4 && id[3] == idFreshestCRL && id[2] == 29 && id[1] == 5 && id[0] == 2 {
			l.delta.Store(true)
		}
	}
}

// verification is the answer to whether a list is by a CA.
type verification struct {
	raw []byte // of the CA's certificate
	err error
}

// maxAsked bounds what is remembered of CAs of one name.
const maxAsked = 8

// newStoredList takes a list that was parsed from data.
func newStoredList(l *List, data []byte, origin string, src *source) *storedList {
	s := &storedList{List: l, size: int64(len(data)), origin: origin, source: src} // entries take less than their DER
	if l.SignatureAlgorithm == x509.PureEd25519 {
		s.size += int64(len(l.signed)) // which is all of it
	}
	return s
}

// verify asks whether the list is by a CA, and remembers the answer.
func (l *storedList) verify(ca *x509.Certificate) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.asked {
		if bytes.Equal(a.raw, ca.Raw) {
			return a.err
		}
	}
	err := l.CheckSignatureFrom(ca)
	if err == nil && l.owner == nil {
		l.owner = ca
	}
	if len(l.asked) == maxAsked {
		l.asked = append(l.asked[:0], l.asked[1:]...)
	}
	l.asked = append(l.asked, verification{ca.Raw, err})
	return err
}

// isOf reports whether the list is by one of the signers.
func (l *storedList) isOf(signers []*x509.Certificate) bool {
	return slices.ContainsFunc(signers, func(s *x509.Certificate) bool { return l.verify(s) == nil })
}

// namedBy reports whether the list came from an address that the certificate names, or from
// the folder. A CA with two keys may have a list for each, at an address of its own: one for
// the certificates of the other key does not have this one.
func (l *storedList) namedBy(cert *x509.Certificate) bool {
	return l.source == nil || slices.Contains(cert.CRLDistributionPoints, l.source.url)
}

// madeBy returns a CA whose list it is, nil if there was none among those asked about.
func (l *storedList) madeBy() *x509.Certificate {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.owner
}

// revokedBy is Check for who takes each entry for a revocation.
func (l *storedList) revokedBy(cert *x509.Certificate, at time.Time) error {
	entry, on := l.Lookup(cert.SerialNumber)
	if !on {
		return nil
	}
	if entry.RevokedAt.After(at) {
		at = entry.RevokedAt
	}
	return l.Check(cert, at)
}

// newerThan compares lists of one CA: by date, then by number.
func (l *storedList) newerThan(o *storedList) bool {
	if d := l.ThisUpdate.Compare(o.ThisUpdate); d != 0 {
		return d > 0
	}
	return l.Number != nil && (o.Number == nil || l.Number.Cmp(o.Number) > 0)
}

// olderThan reports whether a list must not replace another of the same scope:
// whoever can keep a list from us, or has an old one, must not undo a revocation with
// it.
func (l *storedList) olderThan(o *storedList) bool {
	if l.ThisUpdate.Before(o.ThisUpdate) {
		return true
	}
	return l.Number != nil && o.Number != nil && l.Number.Cmp(o.Number) < 0
}

// sameScope reports whether lists of one CA speak about the same certificates.
func (l *storedList) sameScope(o *storedList) bool { return reflect.DeepEqual(l.scope, o.scope) }

// version distinguishes the lists of one CA, for people.
func (l *storedList) version() string {
	s := "of " + inUTC(l.ThisUpdate)
	if n := l.Number; n != nil {
		s = "number " + n.String() + " " + s
	}
	return s
}

func futureError(l *storedList, now time.Time) error {
	return fmt.Errorf("the CRL from %s was made at %s, and it is %s now: is the clock right?", safetext.Quote(l.origin), inUTC(l.ThisUpdate), inUTC(now))
}

// noSuccessor is why a list that has ended does not say that a certificate is good.
type noSuccessor struct{ text string }

func (e *noSuccessor) Error() string { return e.text }

func endedError(l *storedList, at time.Time) error {
	return &noSuccessor{fmt.Sprintf("the newest CRL of its issuer ended at %s (from %s) and has no successor: at %s no certificate of that CA is valid", inUTC(l.NextUpdate), safetext.Quote(l.origin), inUTC(at))}
}
