package logius

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Keyring holds the signing and encryption certificates of a service's metadata, as it is
// now. Make one with [Service.NewKeyring]; have it follow the metadata with [Keyring.Watch],
// or give it each new version with [Keyring.Update]. It is safe for concurrent use.
//
// It accepts end-entity certificates that verify up to a hierarchy of the service, for any
// extended key usage, with the policy of systems or organisations and the OIN of the
// entityID (ST-SAML 1.0.0). What is distrusted later, or loses its root, is left out at
// once. Verify the signature on the metadata first: see [MetadataSource].
type Keyring struct {
	// AnyOIN accepts certificates with another OIN than the entityID carries, or with
	// none. Set it before the first update.
	AnyOIN bool

	verifier *pkioverheid.Verifier
	clock    func() time.Time
	trace    *pkioverheid.Trace
	logger   *slog.Logger

	updating sync.Mutex // locked from looking which version there is until it is replaced

	mu      sync.RWMutex
	keys    []acceptedKey
	current *Metadata       // what they are from
	used    version         // which that is
	trusted *chain.Verifier // by which they were accepted
}

// acceptedKey is a certificate of a party, and until when it counts.
type acceptedKey struct {
	entity string
	use    KeyUse
	cert   *x509.Certificate
	beside []*x509.Certificate // CAs
	until  time.Time
}

// NewKeyring returns an empty Keyring that trusts what the clients of the service
// do: see [Service.Verifier].
func (s Service) NewKeyring(t pkioverheid.Trust) (*Keyring, error) {
	v, err := s.Verifier(t)
	if err != nil {
		return nil, err
	}
	logger := t.Logger
	if logger == nil {
		logger = slog.Default()
	}
	return &Keyring{verifier: v, clock: clockOf(t.Time), trace: t.Trace, logger: logger}, nil
}

// clockOf makes nil and a zero time mean now.
func clockOf(clock func() time.Time) func() time.Time {
	if clock == nil {
		return time.Now
	}
	return func() time.Time {
		if t := clock(); !t.IsZero() {
			return t
		}
		return time.Now()
	}
}

// KeyChanges is what an update changed. A certificate that was replaced is in
// Removed, and its successor in Added.
type KeyChanges struct {
	Signing    truststore.Changes
	Encryption truststore.Changes

	// Refused are the certificates of the metadata that were not accepted, each
	// with the reason. Look at them: if one is a party's only one, nothing that
	// the party signs is good any more.
	Refused []RefusedKey
}

// RefusedKey is a certificate of metadata that was not accepted.
type RefusedKey struct {
	EntityID    string
	Use         KeyUse
	Certificate *x509.Certificate // nil if it is one of [Key.Unread]
	Err         error             // a *chain.Error or *pkioverheid.G3Error where it does not verify
}

// Update replaces what the Keyring holds by the metadata's certificates, as far as
// they are accepted, and returns what that changed. What the metadata no longer has
// is gone, and nil is metadata without anything. Whether a certificate was there
// before makes no difference: it is verified again.
func (k *Keyring) Update(m *Metadata) KeyChanges {
	if m == nil {
		m = new(Metadata)
	}
	k.updating.Lock()
	defer k.updating.Unlock()
	return k.update(m, version{validUntil: m.validUntil()})
}

// Metadata returns what the Keyring was updated with last, nil before the first time. It
// is shared and must not be modified.
func (k *Keyring) Metadata() *Metadata {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.current
}

// again updates the Keyring with the metadata that it has.
func (k *Keyring) again() KeyChanges {
	k.updating.Lock()
	defer k.updating.Unlock()
	k.mu.RLock()
	m, used := k.current, k.used
	k.mu.RUnlock()
	return k.update(m, used)
}

// updateIfNewer updates the Keyring unless what it has is newer; then ok is false.
func (k *Keyring) updateIfNewer(m *Metadata, which version) (changes KeyChanges, ok bool) {
	k.updating.Lock()
	defer k.updating.Unlock()
	if which.before(k.version()) {
		return KeyChanges{}, false
	}
	return k.update(m, which), true
}

func (k *Keyring) version() version {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.used
}

// update needs updating to be locked.
func (k *Keyring) update(m *Metadata, which version) KeyChanges {
	trusted := k.trusts() // before: what changes meanwhile was perhaps not seen
	keys, refused := k.accept(m)
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.keys
	k.keys, k.current, k.used, k.trusted = keys, m, which, trusted
	return KeyChanges{
		Signing:    truststore.Diff(storeOf(old, Signing), storeOf(keys, Signing)),
		Encryption: truststore.Diff(storeOf(old, Encryption), storeOf(keys, Encryption)),
		Refused:    refused,
	}
}

// trusts returns what is trusted at this moment: another one after each change of it.
func (k *Keyring) trusts() *chain.Verifier {
	if k.verifier == nil {
		return nil
	}
	return k.verifier.Chains()
}

// accept returns the certificates of the metadata that are accepted, and the others.
func (k *Keyring) accept(m *Metadata) (keys []acceptedKey, refused []RefusedKey) {
	at := k.clock()
	verified := map[*x509.Certificate]verdict{} // of those with no CAs beside them
	for _, e := range m.Entities {
		bears := e.binding(k.AnyOIN)
		for _, key := range e.Keys {
			for _, err := range key.Unread {
				refused = append(refused, RefusedKey{EntityID: e.ID, Use: key.Use, Err: err})
			}
			beside := casAmong(key.Certificates)
			for _, cert := range key.Certificates {
				v, known := verified[cert]
				if !known || len(beside) > 0 {
					v = k.verify(cert, beside, at)
				}
				if len(beside) == 0 {
					verified[cert] = v
				}
				until, err := v.until, v.err
				if err == nil {
					err = bears(cert)
				}
				if !key.ValidUntil.IsZero() {
					if until = earliest(until, key.ValidUntil); err == nil && key.ValidUntil.Before(at) {
						err = fmt.Errorf("logius: the metadata of %s counted until %s: fetch it anew", safetext.Quote(e.ID), key.ValidUntil.UTC().Format(time.RFC3339))
					}
				}
				if err != nil {
					refused = append(refused, RefusedKey{e.ID, key.Use, cert, err})
					continue
				}
				keys = append(keys, acceptedKey{e.ID, key.Use, cert, beside, until})
			}
		}
	}
	return keys, refused
}

type verdict struct {
	until time.Time // when the first certificate of the chain ends
	err   error
}

var errCA = errors.New("logius: it is the certificate of a CA: CAs neither sign messages nor receive them")

func (k *Keyring) verify(cert *x509.Certificate, beside []*x509.Certificate, at time.Time) verdict {
	if cert.IsCA {
		return verdict{err: errCA}
	}
	c, err := verify(k.verifier, cert, beside, at, x509.ExtKeyUsageAny)
	if err != nil {
		return verdict{err: err}
	}
	var until time.Time
	for _, above := range c {
		until = earliest(until, above.NotAfter)
	}
	return verdict{until: until}
}

// verify verifies a certificate of a system, an organisation or a CA.
func verify(v *pkioverheid.Verifier, cert *x509.Certificate, beside []*x509.Certificate, at time.Time, usage x509.ExtKeyUsage) (chain.Chain, error) {
	if err := pkioverheid.RejectG3([]*x509.Certificate{cert}); err != nil {
		return nil, err
	}
	if cert.IsCA {
		return v.Chains().Verify(cert, chain.VerifyOptions{Time: at, Extra: beside, KeyUsages: []x509.ExtKeyUsage{usage}})
	}
	c, _, err := v.Inspect(slices.Concat([]*x509.Certificate{cert}, beside), pkioverheid.SignerOptions{
		Time: at, KeyUsages: []x509.ExtKeyUsage{usage}, Kinds: []pkioverheid.Kind{pkioverheid.System, pkioverheid.Organisation},
	})
	return c, err
}

// casAmong returns the CAs among what a document has beside a certificate, as far
// as they can belong to one chain.
func casAmong(certs []*x509.Certificate) []*x509.Certificate {
	const most = 8
	var cas []*x509.Certificate
	for _, c := range certs {
		if c.IsCA && len(cas) < most {
			cas = append(cas, c)
		}
	}
	return cas
}

// storeOf returns what was accepted for a use, whatever has ended since.
func storeOf(keys []acceptedKey, use KeyUse) *truststore.Store {
	s := truststore.New()
	for _, key := range keys {
		if key.use == use || key.use == "" {
			s.Add(key.cert)
		}
	}
	return s
}

// Signing returns the certificates by which a party may have signed, in a new
// Store: those that were accepted and have not ended since, nor has the metadata
// (validUntil). It is empty for a party that is not in the metadata.
func (k *Keyring) Signing(entityID string) *truststore.Store { return k.of(entityID, Signing) }

// Encryption returns the certificates to encrypt with for a party, as Signing does.
func (k *Keyring) Encryption(entityID string) *truststore.Store { return k.of(entityID, Encryption) }

func (k *Keyring) of(entityID string, use KeyUse) *truststore.Store {
	at, trusted := k.clock(), k.trusts()
	var keys []acceptedKey
	k.mu.RLock()
	same := trusted == k.trusted
	for _, key := range k.keys {
		if key.entity == entityID && (key.use == use || key.use == "") && !at.After(key.until) {
			keys = append(keys, key)
		}
	}
	k.mu.RUnlock()
	s := truststore.New()
	for _, key := range keys {
		if same || k.verify(key.cert, key.beside, at).err == nil {
			s.Add(key.cert)
		}
	}
	return s
}
