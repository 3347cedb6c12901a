package chain

import (
	linked "container/list"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"sync"
)

// The bounds of what a Verifier remembers.
const (
	maxRemembered      = 10_000   // certificates, each with a set of key usages
	maxRememberedBytes = 64 << 20 // that these take, see memory.sizeOf
	maxRememberedDER   = 16 << 10 // of an end-entity certificate
	maxRememberedPaths = 8        // chains of one certificate
)

// memory has the chains that were verified in one state of a Verifier. What is there was
// parsed by this package and verified by crypto/x509, and may be used where the rest passes
// at that moment: see settings.recall.
//
// It has two lists, so that certificates that come once push out none that came again.
type memory struct {
	most, mostBytes int
	shared          func(*x509.Certificate) bool // the verifier holds it anyway

	mu          sync.Mutex
	entries     map[memoryKey]*linked.Element
	once, again linked.List // of *remembered, the last used first
	bytes       int         // of both lists
	bytesAgain  int         // of again
}

// memoryKey is the SHA-256 of an end-entity certificate, and the key usages asked for.
type memoryKey struct {
	leaf   [sha256.Size]byte
	usages uint64 // a bit each
}

type remembered struct {
	key    memoryKey
	chains []Chain
	size   int
	again  bool // it is in the list of that name
}

func newMemory(most, mostBytes int, shared func(*x509.Certificate) bool) *memory {
	return &memory{most: most, mostBytes: mostBytes, shared: shared, entries: make(map[memoryKey]*linked.Element)}
}

// sizeOf counts the end-entity certificate once.
func (m *memory) sizeOf(chains []Chain) int {
	size := 512 + parsedSize(chains[0][0])
	for _, c := range chains {
		size += 64 + 8*len(c)
		for _, cert := range c[1:] {
			if !m.shared(cert) {
				size += parsedSize(cert)
			}
		}
	}
	return size
}

// parsedSize is how many bytes of memory a certificate takes at most.
func parsedSize(cert *x509.Certificate) int {
	var parts amount
	parts.add(cert)
	n := parts.names + parts.constraints + parts.extensions + parts.policies + len(cert.Subject.Names) + len(cert.Issuer.Names) +
		len(cert.ExtKeyUsage) + len(cert.UnknownExtKeyUsage) + len(cert.CRLDistributionPoints) + len(cert.OCSPServer) + len(cert.IssuingCertificateURL)
	return 2048 + 2*len(cert.Raw) + 128*n
}

// keyOf is false for what is not remembered.
func (m *memory) keyOf(der []byte, requested []x509.ExtKeyUsage) (memoryKey, bool) {
	if m.most == 0 || len(der) > maxRememberedDER {
		return memoryKey{}, false
	}
	k := memoryKey{}
	for _, u := range requested {
		if u < 0 || u > 63 {
			return memoryKey{}, false
		}
		k.usages |= 1 << u
	}
	k.leaf = sha256.Sum256(der)
	return k, true
}

// get returns the chains of a certificate. They are the memory's, and must not be changed.
func (m *memory) get(key memoryKey) []Chain {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil {
		return nil
	}
	r := e.Value.(*remembered)
	if r.again {
		m.again.MoveToFront(e)
		return r.chains
	}
	m.once.Remove(e)
	m.pushAgain(r)
	// A fifth of the room is for what came once, or nothing new could come again.
	for m.again.Len() > max(1, m.most/5*4) || m.bytesAgain > m.mostBytes/5*4 {
		last := m.again.Back().Value.(*remembered)
		m.remove(last)
		m.push(last)
	}
	return r.chains
}

// put adds chains to those of a certificate, ahead of them.
func (m *memory) put(key memoryKey, chains []Chain) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &remembered{key: key}
	if e := m.entries[key]; e != nil {
		r = e.Value.(*remembered)
		m.remove(r)
	}
	all := slices.Clone(chains)
	for _, c := range r.chains {
		if !slices.ContainsFunc(all, c.equal) {
			all = append(all, c)
		}
	}
	r.chains = all[:min(len(all), maxRememberedPaths)]
	r.size = m.sizeOf(r.chains)
	if r.size > m.mostBytes/16 {
		return
	}
	if r.again {
		m.pushAgain(r)
	} else {
		m.push(r)
	}
	for len(m.entries) > m.most || m.bytes > m.mostBytes {
		last := m.once.Back()
		if last == nil {
			last = m.again.Back()
		}
		m.remove(last.Value.(*remembered))
	}
}

func (m *memory) push(r *remembered) {
	r.again = false
	m.entries[r.key] = m.once.PushFront(r)
	m.bytes += r.size
}

func (m *memory) pushAgain(r *remembered) {
	r.again = true
	m.entries[r.key] = m.again.PushFront(r)
	m.bytes += r.size
	m.bytesAgain += r.size
}

func (m *memory) remove(r *remembered) {
	e := m.entries[r.key]
	delete(m.entries, r.key)
	m.bytes -= r.size
	if r.again {
		m.again.Remove(e)
		m.bytesAgain -= r.size
	} else {
		m.once.Remove(e)
	}
}
