package inventory

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// keys are the private keys of one file, and the certificates that may be theirs: a key's
// own has its public key.
type keys struct {
	reader  *contentReader
	found   []privateKey
	bytes   int
	certs   []certBeside
	walked  int  // of certs, by use
	tooMuch bool // there are keys that are not among found
}

type privateKey struct {
	data     []byte
	password string
	store    int
	position
	public  uint64 // zero if it could not be read
	matched bool
}

// position is where something is in a text.
type position struct {
	at, end int
	pure    bool // the text is PEM alone
}

// certBeside is a certificate as far as keys matter.
type certBeside struct {
	use   Use
	store int
	leaf  bool
	position
	public, subject, issuer uint64 // hashes; zero if it is not known
}

// Bounds of the keys of one file. Reading one takes time that grows with the third
// power of its size; one of RSA with 2048 bits has some 1200 bytes.
const (
	maxKeys     = 4096
	maxKeyBytes = 16 << 20
	keySize     = 1200
	maxKeyWork  = maxKeys // in keys of that size
)

func (k *keys) addKey(f found) {
	if len(k.found) == maxKeys || k.bytes+len(f.key) > maxKeyBytes {
		k.tooMuch = true
		return
	}
	k.bytes += len(f.key)
	k.found = append(k.found, privateKey{data: bytes.Clone(f.key), password: f.password, store: f.store, position: position{f.at, f.end, f.pure}})
}

func (k *keys) addCertificate(f found, r *Result) {
	cert := r.Certificate
	k.certs = append(k.certs, certBeside{
		use: r.Use, store: f.store, leaf: !cert.IsCA, position: position{f.at, f.end, f.pure},
		public: k.hash(publicOf(cert.PublicKey)), subject: k.hash(cert.RawSubject), issuer: k.hash(cert.RawIssuer),
	})
}

func (k *keys) hash(b []byte) uint64 {
	if b == nil {
		return 0
	}
	return maphash.Bytes(k.reader.judge.seed, b)
}

// publicOf is what distinguishes a public key from others; nil if that is not known.
func publicOf(key any) []byte {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.N.Bytes()
	case *ecdsa.PublicKey:
		b, _ := key.Bytes() // of a curve that is not known, nil
		return b
	case ed25519.PublicKey:
		return key
	}
	return nil
}

// match finds out which certificates belong to the keys, after all were added.
func (k *keys) match() {
	switch {
	case len(k.certs) == 0:
		return
	case len(k.found) == 0 && !k.tooMuch:
		k.beside()
		return
	}
	k.readAll()
	own := map[uint64]bool{}  // the public keys of the private ones
	here := map[uint64]bool{} // those of the certificates
	for i := range k.found {
		own[k.found[i].public] = true
	}
	for i := range k.certs {
		here[k.certs[i].public] = true
	}
	delete(own, 0)
	for i := range k.found {
		k.found[i].matched = k.found[i].public != 0 && here[k.found[i].public]
	}
	k.own(own)
	k.mismatches()
	k.unknownKeys()
}

// own marks the certificates of keys, by their public keys, and the CAs above them; false
// if there are none.
func (k *keys) own(public map[uint64]bool) bool {
	above := map[uint64]bool{} // the names of those that issued a key's own
	for i := range k.certs {
		if c := &k.certs[i]; public[c.public] {
			if c.use == UnknownUse {
				c.use = KeyEntry
			}
			above[c.issuer] = true
		}
	}
	k.chains(above)
	return len(above) > 0
}

// chains marks the CAs above the keys' own, up to maxChain.
func (k *keys) chains(above map[uint64]bool) {
	const maxChain = 8
	for range maxChain {
		more := false
		for i := range k.certs {
			if c := &k.certs[i]; c.use == UnknownUse && !c.leaf && above[c.subject] {
				c.use, more = KeyChain, true
				above[c.issuer] = true
			}
		}
		if !more {
			return
		}
	}
}

// maxApart is how many bytes there may be in a text between a certificate and a key that is
// to be its own. In what is PEM alone there may be any.
const maxApart = 128

// mismatches marks the certificate directly before or after a key that is of no certificate
// here. In a key store it is the one that the file says is the key's.
func (k *keys) mismatches() {
	type item struct {
		position
		cert, key int // one of them is -1
	}
	var items []item
	lost := false
	for i := range k.certs {
		if k.certs[i].store == 0 {
			items = append(items, item{k.certs[i].position, i, -1})
		}
	}
	for i := range k.found {
		key := &k.found[i]
		switch {
		case key.store == 0:
			items = append(items, item{key.position, -1, i})
			lost = lost || key.public != 0 && !key.matched
		case key.public != 0:
			k.mismatchInStore(key)
		}
	}
	if !lost {
		return
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.at, b.at) })
	for i, it := range items {
		if it.key < 0 || k.found[it.key].public == 0 || k.found[it.key].matched {
			continue
		}
		for _, step := range [...]int{-1, 1} {
			if at := k.neighbour(len(items), i, step, func(j int) (position, int) { return items[j].position, items[j].cert }); at >= 0 {
				k.certs[at].use = KeyMismatch
				break
			}
		}
	}
}

// neighbour returns the certificate beside item i that is to be the key's, CAs in between
// skipped; -1 if there is none without a key.
func (k *keys) neighbour(n, i, step int, item func(int) (position, int)) int {
	last, _ := item(i)
	for j := i + step; j >= 0 && j < n; j += step {
		where, at := item(j)
		apart := where.at - last.end
		if step < 0 {
			apart = last.at - where.end
		}
		if at < 0 || apart > maxApart && !(where.pure && last.pure) {
			return -1
		}
		c := &k.certs[at]
		if only := len(k.certs) == 1 && len(k.found) == 1; c.leaf || only {
			if c.use == UnknownUse && c.public != 0 {
				return at
			}
			return -1
		}
		last = where
	}
	return -1
}

// mismatchInStore marks the certificate of a key in a key store if none in it is the key's.
func (k *keys) mismatchInStore(key *privateKey) {
	var first *certBeside
	for i := range k.certs {
		c := &k.certs[i]
		if c.store != key.store {
			continue
		}
		if c.public == key.public || c.public == 0 {
			return
		}
		if first == nil && (c.use == KeyEntry || c.use == UnknownUse && c.leaf) {
			first = c
		}
	}
	if first != nil {
		first.use = KeyMismatch
	}
}

// unknownKeys marks certificates beside keys that could not be read, in the same key
// store, or outside of one: those that are not CAs, or else the first one.
func (k *keys) unknownKeys() {
	stores := map[int]bool{}
	for i := range k.found {
		if k.found[i].public == 0 {
			stores[k.found[i].store] = true
		}
	}
	if k.tooMuch {
		stores[0] = true
	}
	if len(stores) == 0 {
		return
	}
	first, own := map[int]int{}, map[int]bool{}
	for i := range k.certs {
		c := &k.certs[i]
		if !stores[c.store] {
			continue
		}
		own[c.store] = own[c.store] || c.use == KeyEntry
		if c.use != UnknownUse {
			continue
		}
		if _, ok := first[c.store]; !ok {
			first[c.store] = i
		}
		if c.use = KeyChain; c.leaf {
			c.use, own[c.store] = KeyEntry, true
		}
	}
	for store, i := range first {
		if !own[store] {
			k.certs[i].use = KeyEntry
		}
	}
}

// readAll reads the public parts, as far as a password is known.
func (k *keys) readAll() {
	work := 0.0
	for i := range k.found {
		key := &k.found[i]
		size := float64(len(key.data)) / keySize
		if key.store > 0 {
			size = 1
		}
		if work += size * size * size; work <= maxKeyWork && k.reader.ctx.Err() == nil && k.reader.in.opening <= maxOpening {
			key.public = k.read(key)
		}
		key.data, key.password = nil, ""
	}
}

func (k *keys) read(key *privateKey) uint64 {
	decode := func(password string) (signer crypto.Signer, err error) {
		defer func(begin time.Time) { k.reader.in.opening += time.Since(begin) }(time.Now())
		signer, _, err = truststore.DecodeKey(key.data, k.reader.optionsWith(password)...)
		return signer, err
	}
	signer, err := decode(key.password)
	if errors.Is(err, truststore.ErrPassword) && key.store == 0 {
		for password := range k.reader.passwords() {
			if k.reader.in.opening > maxOpening {
				break
			}
			if signer, err = decode(password); err == nil {
				break
			}
		}
	}
	if err != nil {
		return 0
	}
	return k.hash(publicOf(signer.Public()))
}

// use sets what the keys say about the next certificate, in the order in which they were
// added.
func (k *keys) use(r *Result) {
	if k.walked < len(k.certs) { // else the file has become another one
		r.Use = k.certs[k.walked].use
	}
	k.walked++
}
