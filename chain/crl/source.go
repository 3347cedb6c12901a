package crl

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/chain"
)

// authority is a CA as revocation knows it: a name and a key, whatever else is in its
// certificates. A CA that is reissued for its key keeps its lists.
type authority struct {
	cert    *x509.Certificate // one of them
	slots   chan struct{}     // one for each fetch under way
	sources []*source         // of store.mu
}

// is compares all that decides whose a list is: the key identifier too, or the first
// certificate of a CA would decide whether its lists are taken for those of another
// that has another identifier.
func (a *authority) is(ca *x509.Certificate) bool {
	return bytes.Equal(a.cert.RawSubject, ca.RawSubject) &&
		bytes.Equal(a.cert.SubjectKeyId, ca.SubjectKeyId) &&
		// The second is the rule, and takes a hundred times as long.
		(bytes.Equal(a.cert.RawSubjectPublicKeyInfo, ca.RawSubjectPublicKeyInfo) || chain.KeyHash(a.cert) == chain.KeyHash(ca))
}

// sourceKey is an address and the CA whose list is expected there: see authority.is.
// With the CA in it, no CA can spoil what is known about another's list by naming its
// address.
type sourceKey struct {
	url, name, id string
	key           [sha256.Size]byte
}

func keyOf(url string, ca *x509.Certificate) sourceKey {
	return sourceKey{url, string(ca.RawSubject), string(ca.SubjectKeyId), chain.KeyHash(ca)}
}

// source is an address at which a CA publishes its list, and what it gave.
type source struct {
	url       string
	authority *authority

	due  atomic.Int64 // when to fetch next, in nanoseconds since 1970
	used atomic.Int64 // when a chain needed it last

	// Of store.mu. The lists are the newest of each scope, of which the last was
	// taken last; only the fetch under way changes them.
	lists     []*storedList
	pinned    bool          // by Prefetch: kept up for good
	dropped   bool          // it is no longer among the sources
	running   bool          // a fetch
	started   bool          // ever
	awaited   chan struct{} // closed when the fetch has an outcome; nil if none is under way
	failures  int           // since the last success
	err       error         // of the last fetch
	cacheErr  error
	lost      error       // why what the cache had could not be read; nil once there is a list
	floor     *storedList // what was evicted, as far as it takes to recognise an older list
	confirmed time.Time   // when the server last gave the last list

	// Of the fetch under way.
	sum        [sha256.Size]byte // of the bytes that were last taken
	validators http.Header       // to ask whether they changed
	cached     *storedList       // the list that the cache has
}

// last returns the list that was taken last, nil if there is none.
func (src *source) last() *storedList {
	if len(src.lists) == 0 {
		return nil
	}
	return src.lists[len(src.lists)-1]
}

func (src *source) size() int64 {
	var size int64
	for _, l := range src.lists {
		size += l.size
	}
	return size
}

// release ends the wait for a fetch. The caller holds the lock.
func (src *source) release() {
	if src.awaited != nil {
		close(src.awaited)
		src.awaited = nil
	}
}
