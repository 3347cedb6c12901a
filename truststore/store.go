package truststore

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"hash/maphash"
	"iter"

	"github.com/go-pkioverheid/trust/truststore/internal/keys"
)

// Store is an ordered set of certificates, which are the same if their DER is. The zero
// value is an empty Store, and for methods that only read nil is one too. Any number of
// goroutines may read a Store; while one calls Add, no other may use it. Do not
// copy a Store, nor modify a certificate in one.
type Store struct {
	entries []item

	// byDER and bySubject lead from a hash to the first entry with that hash;
	// the others are chained from there. Both hold positions, see place.
	byDER     map[uint64]place
	bySubject map[uint64]place
}

// place is an index in Store.entries plus one, so that zero means nowhere.
type place uint32

// item is one certificate.
type item struct {
	cert        *x509.Certificate
	hash        uint64 // of cert.Raw
	nextDER     place  // the next entry whose DER has the same hash
	nextSubject place  // the next entry whose subject has the same hash
	lastSubject place  // in the first entry of a chain: its last one
}

// hashSeed is one for all stores, so that the hash that one Store has computed
// serves another in Diff and Filter. It differs from process to process: nobody
// can prepare certificates that collide. The hash covers the whole certificate,
// because its parts (a signature, an end) can be copied into a thousand others.
var hashSeed = maphash.MakeSeed()

// New returns a Store with the given certificates, as if by Add.
func New(certs ...*x509.Certificate) *Store {
	s := new(Store)
	s.Add(certs...)
	return s
}

// Add appends the certificates that are not yet in the Store and returns how many. It
// ignores nil, and certificates that were not parsed.
func (s *Store) Add(certs ...*x509.Certificate) int {
	added := 0
	for _, cert := range certs {
		if cert == nil || len(cert.Raw) == 0 {
			continue
		}
		if s.add(cert, maphash.Bytes(hashSeed, cert.Raw)) {
			added++
		}
	}
	return added
}

func (s *Store) add(cert *x509.Certificate, hash uint64) bool {
	if s.find(cert, hash) {
		return false
	}
	if s.byDER == nil {
		s.byDER = make(map[uint64]place)
		s.bySubject = make(map[uint64]place)
	}
	s.entries = append(s.entries, item{cert: cert, hash: hash, nextDER: s.byDER[hash]})
	at := place(len(s.entries))
	s.byDER[hash] = at

	// Subjects repeat (a reissued CA, a hostile file), so that a chain is
	// extended at its end, in order, without walking it.
	subject := maphash.Bytes(hashSeed, cert.RawSubject)
	first := s.bySubject[subject]
	if first == 0 {
		s.bySubject[subject] = at
		s.entries[at-1].lastSubject = at
		return true
	}
	head := &s.entries[first-1]
	s.entries[head.lastSubject-1].nextSubject = at
	head.lastSubject = at
	return true
}

// find reports whether a certificate with this DER is in the Store.
func (s *Store) find(cert *x509.Certificate, hash uint64) bool {
	for at := s.byDER[hash]; at != 0; {
		e := &s.entries[at-1]
		if e.cert == cert || bytes.Equal(e.cert.Raw, cert.Raw) {
			return true
		}
		at = e.nextDER
	}
	return false
}

// Contains reports whether a certificate with the same DER is in the Store.
func (s *Store) Contains(cert *x509.Certificate) bool {
	if s == nil || cert == nil || len(s.byDER) == 0 || len(cert.Raw) == 0 {
		return false
	}
	return s.find(cert, maphash.Bytes(hashSeed, cert.Raw))
}

// Len returns the number of certificates.
func (s *Store) Len() int {
	if s == nil {
		return 0
	}
	return len(s.entries)
}

// All returns the certificates in the order in which they were added.
// Certificates added during an iteration are not part of it.
func (s *Store) All() iter.Seq[*x509.Certificate] {
	return func(yield func(*x509.Certificate) bool) {
		if s == nil {
			return
		}
		entries := s.entries
		for i := range entries {
			if !yield(entries[i].cert) {
				return
			}
		}
	}
}

// BySubject returns the certificates with this RawSubject, in the order in which they were
// added. A name finds candidates and proves nothing: whoever makes a certificate chooses it.
func (s *Store) BySubject(rawSubject []byte) iter.Seq[*x509.Certificate] {
	return func(yield func(*x509.Certificate) bool) { s.ofSubject(rawSubject, yield) }
}

// ofSubject is apart from BySubject so that the compiler can inline the latter,
// and with it the caller's loop: no closure then leaves the stack.
func (s *Store) ofSubject(rawSubject []byte, yield func(*x509.Certificate) bool) {
	if s == nil || len(s.bySubject) == 0 {
		return
	}
	entries := s.entries
	// A later Add extends the chain beyond the entries known here.
	for at := s.bySubject[maphash.Bytes(hashSeed, rawSubject)]; at != 0 && int(at) <= len(entries); at = entries[at-1].nextSubject {
		e := &entries[at-1]
		if bytes.Equal(e.cert.RawSubject, rawSubject) && !yield(e.cert) {
			return
		}
	}
}

// Filter returns a new Store with the certificates for which keep returns true,
// in the same order.
func (s *Store) Filter(keep func(*x509.Certificate) bool) *Store {
	kept := new(Store)
	if s == nil {
		return kept
	}
	entries := s.entries
	for i := range entries {
		if e := &entries[i]; keep(e.cert) {
			kept.add(e.cert, e.hash)
		}
	}
	return kept
}

// SelfSigned returns a new Store with the certificates that their own key signed, as roots
// are. That says nothing about trust. It leaves out what crypto/x509 cannot check, such as
// MD5 signatures, and RSA keys of more than 16384 bits.
func (s *Store) SelfSigned() *Store {
	return s.Filter(func(cert *x509.Certificate) bool {
		if !bytes.Equal(cert.RawSubject, cert.RawIssuer) {
			return false
		}
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > keys.MaxRSABits {
			return false
		}
		return cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
	})
}

// CertPool returns a new pool with all certificates of the Store. As roots, all of them are
// trusted, also those that are not self-signed.
func (s *Store) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	for cert := range s.All() {
		pool.AddCert(cert)
	}
	return pool
}

// Changes is what Diff found.
type Changes struct {
	Added   []*x509.Certificate // in the order of the newer Store
	Removed []*x509.Certificate // in the order of the older Store
}

// Diff returns what must be added to and removed from the first Store to get the second.
// The order does not count. Either may be nil.
func Diff(from, to *Store) Changes {
	return Changes{Added: to.without(from), Removed: from.without(to)}
}

// without returns the certificates of s that other has not.
func (s *Store) without(other *Store) []*x509.Certificate {
	if s == nil {
		return nil
	}
	var certs []*x509.Certificate
	for i := range s.entries {
		e := &s.entries[i]
		if other == nil || !other.find(e.cert, e.hash) {
			certs = append(certs, e.cert)
		}
	}
	return certs
}
