package pkioverheid

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// KeyPair holds a certificate with its private key, and the CAs that belong to it. They can
// be replaced while it is used, by Set or by [WatchKeyPair]: the next handshakes show the
// new certificate, and a [Transport] uses no connection from before. It is safe for
// concurrent use and must not be copied.
type KeyPair struct {
	// PreferFrom is the time from which the pair goes before all that come ahead of
	// it. Before, it is used in its place; zero is always there. Set it, and Hosts,
	// before the KeyPair is used: they outlive a replacement.
	PreferFrom time.Time

	// Hosts are the only ones to which a client shows the pair, an https proxy among
	// them: exact host names in ASCII, without ports. Empty is all. For NewClient and
	// NewTransport only.
	Hosts []string

	clock   func() time.Time // nil: time.Now
	present atomic.Pointer[tls.Certificate]
	ending  endingLog
	follows bool         // it follows files
	problem func() error // why what they hold is not in use
}

func (k *KeyPair) pair() *tls.Certificate { return k.present.Load() }

// Certificate returns the present certificate, nil for a zero KeyPair. It is shared and
// must not be modified.
func (k *KeyPair) Certificate() *x509.Certificate {
	if pair := k.pair(); pair != nil {
		return pair.Leaf
	}
	return nil
}

// checkPairs refuses what a constructor cannot use.
func checkPairs(field string, pairs []*KeyPair) error {
	for _, k := range pairs {
		if k == nil || k.pair() == nil {
			return fmt.Errorf("pkioverheid: %s holds an empty KeyPair: LoadKeyPair and NewKeyPair make them", field)
		}
	}
	return nil
}

// NewKeyPair returns a KeyPair for a private key that is a crypto.Signer, perhaps in a token
// or another process. CAs above the certificate are added where they are known here. A key
// of another certificate is an error, and so is a certificate that has ended.
func NewKeyPair(pair tls.Certificate) (*KeyPair, error) {
	k := new(KeyPair)
	if err := k.set(pair); err != nil {
		return nil, fmt.Errorf("pkioverheid: the key pair %w", err)
	}
	return k, nil
}

// Set replaces the certificate and its key. What [NewKeyPair] would refuse is an error,
// and so are a certificate that is not yet valid in place of one that is, and a KeyPair
// that follows files: the present ones then stay.
func (k *KeyPair) Set(pair tls.Certificate) error {
	if k.follows {
		return errors.New("pkioverheid: this KeyPair follows files: replace those, or set one that NewKeyPair or LoadKeyPair made")
	}
	if err := k.set(pair); err != nil {
		return fmt.Errorf("pkioverheid: the key pair stays as it was, because the new one %w", err)
	}
	return nil
}

func (k *KeyPair) set(pair tls.Certificate) error { return k.setAt(pair, clockOf(k.clock)()) }

func (k *KeyPair) setAt(pair tls.Certificate, at time.Time) error {
	complete, err := defaultTrust().withChain(pair)
	if err != nil {
		return err
	}
	if leaf := complete.Leaf; at.After(leaf.NotAfter) {
		return fmt.Errorf("has ended: %s was valid until %s", safetext.Certificate(leaf), phrase.Day(leaf.NotAfter))
	}
	old := k.pair()
	if leaf := complete.Leaf; old != nil && at.Before(leaf.NotBefore) && validAt(old.Leaf, at) {
		return fmt.Errorf("is not yet valid: %s is valid from %s (%s UTC) on", safetext.Certificate(leaf), phrase.Day(leaf.NotBefore), leaf.NotBefore.UTC().Format(time.TimeOnly))
	}
	if k.follows && old != nil && slices.EqualFunc(old.Certificate, complete.Certificate, bytes.Equal) {
		return nil // the files were written anew with the same in them
	}
	k.present.Store(complete)
	return nil
}

// KeyPairStatus is what a [KeyPair] has at a moment.
type KeyPairStatus struct {
	// Certificate is the present one, nil for a zero KeyPair. It is shared and must not
	// be modified. Hierarchy is what it says it is of.
	Certificate *x509.Certificate
	Hierarchy   Hierarchy

	// Deadline is when it must have been replaced: its end, or the date by which its
	// hierarchy must be left (see [Plan]) where that is earlier.
	Deadline time.Time

	// Err is why what the files hold is not in use, nil if it is.
	Err error
}

// Status returns what the KeyPair has, for gauges and health checks.
func (k *KeyPair) Status() KeyPairStatus {
	var s KeyPairStatus
	if k.problem != nil {
		s.Err = k.problem()
	}
	if pair := k.pair(); pair != nil {
		claim, _ := ClaimOf(pair.Leaf)
		s.Certificate, s.Hierarchy, s.Deadline = pair.Leaf, claim.Hierarchy, deadlineOf(pair.Leaf, claim.Hierarchy)
	}
	return s
}

func init() {
	testidentity.KeyPair = func(pair tls.Certificate) (any, error) {
		k := &KeyPair{clock: func() time.Time { return time.Unix(1, 0) }}
		return k, k.set(pair)
	}
}
