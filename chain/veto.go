package chain

import (
	"crypto/x509"
	"time"
)

// Veto reports why it rejects a path, or nil. It gets the end-entity certificate and
// those above it, or the beginning of that path; if it rejects a beginning, it must
// reject every path with it. It is asked before signatures are checked, so it must look
// at the certificates alone. It may run concurrently and must not change them.
//
// A Veto may return an *[Error] with its own Reason, Problem and Advice.
type Veto func(certs []*x509.Certificate) error

// Policy is the veto as a [Policy]. A nil Veto accepts everything.
func (d Veto) Policy(c Chain, at time.Time) error {
	if d == nil {
		return nil
	}
	err := d(c)
	if own, ok := err.(*Error); ok && own.At.IsZero() {
		dated := *own
		dated.At = at
		return &dated
	}
	return err
}

// both asks one veto and then the other.
func both(first, second Veto) Veto {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(certs []*x509.Certificate) error {
		if err := first(certs); err != nil {
			return err
		}
		return second(certs)
	}
}
