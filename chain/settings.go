package chain

import (
	"crypto/x509"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// settings are what a Verifier holds at one time. Nothing of it changes, but for what
// it remembers.
type settings struct {
	roots         *truststore.Store
	intermediates *truststore.Store
	limits        limits
	policy        Policy
	veto          Veto              // all of them; nil for none
	distrusted    *truststore.Store // what one of them is about
	why           Veto              // what to say about it

	anchors    map[*x509.Certificate]*anchor
	anchorPool *x509.CertPool // all anchors, without constraints: for Verify, which completes and asks itself
	rootPool   *x509.CertPool

	mu     sync.Mutex
	checks map[edge]bool // signatures between CAs of the verifier

	memory *memory
}

type edge struct{ child, parent *x509.Certificate }

// ask asks all that may have something against a complete chain.
func (s *settings) ask(c Chain, at time.Time) error {
	if err := s.veto.Policy(c, at); err != nil {
		return err
	}
	if err := keysWithinLimits(c, at); err != nil {
		return err
	}
	return s.policy(c, at)
}

// keysWithinLimits is asked about chains that crypto/x509 verified.
func keysWithinLimits(c Chain, at time.Time) *Error {
	for _, cert := range c {
		if err := keyTooLarge(cert); err != nil {
			return &Error{Reason: Unsupported, Chain: c, Cert: cert, At: at, Err: []error{err}}
		}
	}
	return nil
}
