package pkioverheid

import (
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// announced are the CAs that a server announces, below which crypto/tls verifies clients:
// those that it trusts, without those that have ended or are refused (Trust.RefuseFrom).
// They change while a server runs.
type announced struct {
	roots, intermediates *truststore.Store
	opts                 []chain.Option
	refuseFrom           map[Hierarchy]time.Time
	clock                func() time.Time
	moments              []time.Time // from each of which there are others

	mu     sync.Mutex
	passed int // of the moments, for pool
	pool   *x509.CertPool
}

func newAnnounced(clock func() time.Time, refuseFrom map[Hierarchy]time.Time, roots, intermediates *truststore.Store, opts []chain.Option) (*announced, error) {
	a := &announced{roots: roots, intermediates: intermediates, opts: opts, refuseFrom: refuseFrom, clock: clock}
	for _, store := range []*truststore.Store{roots, intermediates} {
		for ca := range store.All() {
			a.moments = append(a.moments, a.until(ca))
		}
	}
	slices.SortFunc(a.moments, time.Time.Compare)
	at := a.clock()
	pool, err := a.build(at)
	a.passed, a.pool = a.phase(at), pool
	return a, err
}

// until returns the first moment at which a CA is not announced any more.
func (a *announced) until(ca *x509.Certificate) time.Time {
	until := ca.NotAfter.Add(time.Nanosecond)
	if known := recognised().keyOf(ca); known != nil {
		if from, set := a.refuseFrom[known.hierarchy]; set && from.Before(until) {
			return from
		}
	}
	return until
}

func (a *announced) phase(at time.Time) int {
	passed, exactly := slices.BinarySearchFunc(a.moments, at, time.Time.Compare)
	for exactly && passed < len(a.moments) && a.moments[passed].Equal(at) {
		passed++
	}
	return passed
}

func (a *announced) build(at time.Time) (*x509.CertPool, error) {
	lasts := func(ca *x509.Certificate) bool { return at.Before(a.until(ca)) }
	v, err := chain.NewVerifier(a.roots.Filter(lasts), a.intermediates.Filter(lasts), a.opts...)
	if err != nil {
		return nil, err
	}
	return v.CertPool(a.clock), nil
}

// now returns the pool for the present time.
func (a *announced) now() *x509.CertPool {
	at := a.clock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if passed := a.phase(at); passed != a.passed {
		pool, err := a.build(at)
		if err != nil { // the stores were taken with all of their CAs
			pool = x509.NewCertPool() // nobody is let in
		}
		a.passed, a.pool = passed, pool
	}
	return a.pool
}
