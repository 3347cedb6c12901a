package chain_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// dice decides what a generated hierarchy is like.
type dice struct{ *rand.Rand }

func newDice(seed uint64, first []byte) dice {
	return dice{rand.New(&source{first, rand.NewPCG(seed, 0)})}
}

// source gives a byte of first for each decision and goes on at random, so that
// a fuzzer can change decisions one by one.
type source struct {
	first []byte
	rest  *rand.PCG
}

func (s *source) Uint64() uint64 {
	n := s.rest.Uint64()
	if len(s.first) > 0 {
		n = n>>8 | uint64(s.first[0])<<56
		s.first = s.first[1:]
	}
	return n
}

func (d dice) oneIn(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

// some returns about one in n of certs, in another order.
func (d dice) some(certs []*x509.Certificate, n int) []*x509.Certificate {
	var kept []*x509.Certificate
	for _, c := range certs {
		if d.oneIn(n) {
			kept = append(kept, c)
		}
	}
	d.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	return kept
}

// most returns all but about one in n of certs, in another order.
func (d dice) most(certs []*x509.Certificate, n int) []*x509.Certificate {
	var kept []*x509.Certificate
	for _, c := range certs {
		if !d.oneIn(n) {
			kept = append(kept, c)
		}
	}
	d.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	return kept
}

// signer is a key and the algorithms that it can sign with.
type signer struct {
	crypto.Signer
	algorithms []x509.SignatureAlgorithm
	id         []byte // the usual subject key identifier
}

// signers are made once: what is random about a hierarchy is not its keys.
var signers = sync.OnceValue(func() []signer {
	var all []signer
	add := func(key crypto.Signer, algorithms ...x509.SignatureAlgorithm) {
		spki, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			panic(err)
		}
		id := sha256.Sum256(spki)
		all = append(all, signer{key, algorithms, id[:20]})
	}
	for i := range 10 {
		add(ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(i))), x509.PureEd25519)
	}
	for range 10 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
		if err != nil {
			panic(err)
		}
		add(key, x509.ECDSAWithSHA256, x509.ECDSAWithSHA512)
	}
	for range 3 {
		key, err := rsa.GenerateKey(cryptorand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		add(key, x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.SHA512WithRSAPSS)
	}
	return all
})

// entity is what certificates are issued to and by.
type entity struct {
	name string
	key  signer
}

// world is a generated hierarchy, the stores that hold some of it, and the
// verifiers of these stores.
type world struct {
	dice
	odd         int  // one in so many certificates has a given oddity
	constrained bool // most CAs limit names

	roots  []*x509.Certificate // self-signed
	cas    []*x509.Certificate // all others that issue, or try to
	leaves []*x509.Certificate

	held, heldRoots     *truststore.Store
	revoked, distrusted *truststore.Store    // by the strict verifier: by its policy, and by WithDistrusted
	barred              [][32]byte           // and by its vetoes: keys
	pair                [2]*x509.Certificate // and two that may not be in one path
	plain, strict       *chain.Verifier      // without memory

	// The same with memory.
	remembering, rememberingStrictly *chain.Verifier

	tight  *chain.Verifier // with narrow limits
	moving *chain.Verifier // by turns like plain and like strict

	entities []entity     // CAs
	lists    *revocations // nil for most

	signed map[[2]*x509.Certificate]bool // links that were checked
	misled error                         // what a policy should not have been asked

	at                                time.Time
	plainPool, strictPool, movingPool *x509.CertPool // at the time of at
}

func newWorld(d dice) *world {
	w := &world{dice: d, odd: pick(d, 8, 20, 40, 80, 1000), signed: map[[2]*x509.Certificate]bool{}}
	w.constrained = w.oneIn(5)
	w.issueAll()
	w.hold()
	return w
}

func (w *world) issueAll() {
	keys := slices.Clone(signers())
	w.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })

	roots, below := 1+w.IntN(3), 1+w.IntN(6)
	var entities []entity
	for i := range roots + below {
		e := entity{fmt.Sprintf("CA %d", i), keys[i]}
		if i > 0 && w.oneIn(12) {
			e.name = entities[w.IntN(i)].name // another CA of that name
		}
		if i > 0 && w.oneIn(20) {
			e.key = entities[w.IntN(i)].key // another name of that CA
		}
		entities = append(entities, e)
	}
	// CAs that change their key, and certify the new one with the old one and the other way round.
	var successions [][2]entity
	for range w.IntN(3) {
		old := entities[w.IntN(roots+below)]
		fresh := entity{old.name, keys[len(entities)]}
		entities, successions = append(entities, fresh), append(successions, [2]entity{old, fresh})
	}
	w.entities = entities
	for i, e := range entities[:roots] {
		for range w.times(8) {
			w.roots = append(w.roots, w.issue(w.caTemplate(e), e, e))
		}
		if i > 0 && w.oneIn(3) {
			w.cas = append(w.cas, w.issue(w.caTemplate(e), e, entities[w.IntN(i)]))
		}
	}
	for _, s := range successions {
		old, fresh := s[0], s[1]
		w.cas = append(w.cas, w.issue(w.caTemplate(fresh), fresh, old))
		if w.oneIn(2) {
			w.cas = append(w.cas, w.issue(w.caTemplate(old), old, fresh))
		}
		if w.oneIn(3) {
			w.roots = append(w.roots, w.issue(w.caTemplate(fresh), fresh, fresh))
		}
	}
	for i := roots; i < roots+below; i++ {
		e := entities[i]
		for range w.times(4) {
			// Rather deep than broad; now and then by a CA further down.
			parent := entities[max(w.IntN(i), w.IntN(i))]
			if w.oneIn(10) {
				parent = pick(w.dice, entities...)
			}
			for range w.times(8) {
				w.cas = append(w.cas, w.issue(w.caTemplate(e), e, parent))
			}
		}
	}
	for i := range 4 {
		e := entity{fmt.Sprintf("leaf %d", i), keys[len(keys)-1-i]}
		last := len(entities) - 1
		parent := entities[max(w.IntN(last+1), w.IntN(last+1), w.IntN(last+1))]
		leaf := w.issue(w.leafTemplate(e), e, parent)
		if w.oneIn(10) {
			leaf = w.mutate(leaf)
		}
		w.leaves = append(w.leaves, leaf)
	}
	for i, c := range w.cas {
		if w.oneIn(3 * w.odd) {
			w.cas[i] = w.mutate(c)
		}
	}
	w.leaves = append(w.leaves, pick(w.dice, slices.Concat(w.roots, w.cas)...))
}

// times is one, two in one of n cases, and seldom three.
func (w *world) times(n int) int {
	i := 1
	for i < 3 && w.oneIn(n) {
		i++
	}
	return i
}

func (w *world) isOdd() bool { return w.oneIn(w.odd) }

func (w *world) validity(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = now.AddDate(-10, 0, 0), now.AddDate(10, 0, 0)
	if w.isOdd() {
		switch w.IntN(4) {
		case 0:
			c.NotAfter = now.AddDate(0, 0, -w.IntN(100))
		case 1:
			c.NotBefore = now.AddDate(0, 0, w.IntN(100))
		case 2:
			c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
		case 3:
			c.NotBefore, c.NotAfter = now, now
		}
	}
}

func (w *world) caTemplate(e entity) *x509.Certificate {
	c := caTemplate(e.name)
	c.SubjectKeyId = e.key.id
	w.validity(c)
	if w.isOdd() {
		c.SubjectKeyId = []byte{byte(w.IntN(2))}
	}
	if w.isOdd() {
		c.KeyUsage = pick(w.dice, 0, x509.KeyUsageDigitalSignature)
	}
	if w.oneIn(max(4, w.odd/4)) {
		c.MaxPathLen = w.IntN(4)
		c.MaxPathLenZero = true
	}
	if w.isOdd() {
		c.IsCA, c.MaxPathLen, c.MaxPathLenZero = false, -1, false
		c.BasicConstraintsValid = w.oneIn(2)
	}
	if w.oneIn(max(3, w.odd/4)) {
		w.restrict(c)
	}
	if w.isOdd() {
		c.DNSNames = []string{pick(w.dice, hosts...)}
	}
	if w.isOdd() {
		c.PermittedDNSDomains = w.half("a.test", "b.test", "test", "other")
		c.ExcludedDNSDomains = w.half("b.test", "x.a.test", "other")
		c.PermittedEmailAddresses = w.half("a.test")
		c.PermittedDNSDomainsCritical = w.oneIn(2)
	}
	if w.constrained && w.oneIn(2) {
		c.PermittedDNSDomains = []string{pick(w.dice, "test", "test", "a.test", "other")}
		c.PermittedDNSDomainsCritical = w.oneIn(2)
	}
	w.policies(c)
	if w.isOdd() {
		w.policyConstraints(c)
	}
	if w.oneIn(3 * w.odd) {
		unknownCritical(c)
	}
	return c
}

var hosts = []string{"a.test", "x.a.test", "b.test", "c.other"}

func (w *world) leafTemplate(e entity) *x509.Certificate {
	c := leafTemplate(pick(w.dice, hosts...))
	c.Subject = pkix.Name{CommonName: e.name}
	w.validity(c)
	if w.oneIn(4) {
		w.restrict(c)
	}
	if w.isOdd() {
		c.DNSNames = append(c.DNSNames, pick(w.dice, hosts...))
	}
	if w.isOdd() {
		c.EmailAddresses = []string{pick(w.dice, "jan@a.test", "jan@b.test", "no address")}
	}
	if w.isOdd() {
		c.DNSNames = nil
	}
	if w.isOdd() {
		c.BasicConstraintsValid, c.IsCA, c.MaxPathLen = true, w.oneIn(2), -1
	}
	w.policies(c)
	if w.isOdd() {
		w.policyConstraints(c)
	}
	if w.oneIn(3 * w.odd) {
		unknownCritical(c)
	}
	return c
}

// half returns about half of the strings.
func (w *world) half(from ...string) []string {
	var kept []string
	for _, s := range from {
		if w.oneIn(2) {
			kept = append(kept, s)
		}
	}
	return kept
}

func (w *world) restrict(c *x509.Certificate) {
	server, client := x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	c.UnknownExtKeyUsage = nil
	switch w.IntN(8) {
	case 0:
		c.ExtKeyUsage = nil
	case 1:
		c.ExtKeyUsage = []x509.ExtKeyUsage{server}
	case 2:
		c.ExtKeyUsage = []x509.ExtKeyUsage{client}
	case 3:
		c.ExtKeyUsage = []x509.ExtKeyUsage{client, server, x509.ExtKeyUsageEmailProtection}
	case 4:
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	case 5:
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning, client}
	case 6:
		c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 2, 3}}
	case 7:
		c.ExtKeyUsage, c.UnknownExtKeyUsage = []x509.ExtKeyUsage{server}, []asn1.ObjectIdentifier{{1, 2, 3}}
	}
}

var (
	policyOne, policyTwo = oid(1, 2, 3), oid(1, 2, 4)
	anyPolicy            = oid(2, 5, 29, 32, 0)
)

func (w *world) policies(c *x509.Certificate) {
	switch w.IntN(8) {
	case 0, 1:
		c.Policies = []x509.OID{policyOne}
	case 2:
		c.Policies = []x509.OID{policyOne, policyTwo}
	case 3:
		c.Policies = []x509.OID{anyPolicy}
	case 4:
		c.Policies = []x509.OID{policyTwo, anyPolicy}
	}
}

func (w *world) policyConstraints(c *x509.Certificate) {
	skip := byte(w.IntN(4))
	switch w.IntN(6) {
	case 0, 1:
		requireExplicitPolicy(skip)(c)
	case 2: // inhibitPolicyMapping
		extension(asn1.ObjectIdentifier{2, 5, 29, 36}, true, 0x30, 0x03, 0x81, 0x01, skip)(c)
	case 3: // both
		extension(asn1.ObjectIdentifier{2, 5, 29, 36}, true, 0x30, 0x06, 0x80, 0x01, skip, 0x81, 0x01, byte(w.IntN(4)))(c)
	case 4: // inhibitAnyPolicy
		extension(asn1.ObjectIdentifier{2, 5, 29, 54}, true, 0x02, 0x01, skip)(c)
	case 5: // policyMappings, of one to two, and sometimes of anyPolicy, which is wrong
		if w.oneIn(3) {
			extension(asn1.ObjectIdentifier{2, 5, 29, 33}, w.oneIn(2), 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x04, 0x55, 0x1d, 0x20, 0x00, 0x06, 0x02, 0x2a, 0x04)(c)
			return
		}
		extension(asn1.ObjectIdentifier{2, 5, 29, 33}, w.oneIn(2), 0x30, 0x0a, 0x30, 0x08, 0x06, 0x02, 0x2a, 0x03, 0x06, 0x02, 0x2a, 0x04)(c)
	}
}

// issue signs, in one of odd cases with a key that is not the issuer's.
func (w *world) issue(c *x509.Certificate, subject, issuer entity) *x509.Certificate {
	c.SerialNumber = big.NewInt(lastSerial.Add(1))
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: issuer.name}, SubjectKeyId: issuer.key.id}
	if w.isOdd() {
		parent.SubjectKeyId = nil
	}
	if w.isOdd() {
		parent.SubjectKeyId = []byte{byte(w.IntN(2))}
	}
	key := issuer.key
	if w.oneIn(2 * w.odd) {
		key = pick(w.dice, signers()...)
	}
	c.SignatureAlgorithm = pick(w.dice, key.algorithms...)
	der, err := x509.CreateCertificate(cryptorand.Reader, c, parent, subject.key.Public(), key.Signer)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

// mutate flips a bit, if what comes out can still be read.
func (w *world) mutate(cert *x509.Certificate) *x509.Certificate {
	for range 8 {
		der := slices.Clone(cert.Raw)
		der[w.IntN(len(der))] ^= 1 << w.IntN(8)
		if c, err := x509.ParseCertificate(der); err == nil {
			return c
		}
	}
	return cert
}

// hold puts some of what there is into the stores.
func (w *world) hold() {
	// A bit that was flipped may make an exponent that NewVerifier does not take.
	isCA := func(c *x509.Certificate) bool {
		key, ok := c.PublicKey.(*rsa.PublicKey)
		return c.BasicConstraintsValid && c.IsCA && !(ok && key.E > 65537)
	}
	selfIssued := func(c *x509.Certificate) bool { return string(c.RawSubject) == string(c.RawIssuer) }
	w.heldRoots = truststore.New(w.most(w.roots, 6)...).Filter(isCA)
	intermediates := w.most(w.cas, 4)
	if w.oneIn(6) {
		intermediates = nil
	}
	if w.oneIn(6) {
		intermediates = append(intermediates, w.some(w.roots, 2)...)
	}
	w.held = truststore.New(intermediates...).Filter(isCA)
	if w.oneIn(10) {
		w.heldRoots.Add(slices.Collect(w.held.Filter(selfIssued).All())...)
	}
	w.plain = mustVerifier(w.heldRoots, w.held, chain.WithMemory(0, 0))
	w.remembering = mustVerifier(w.heldRoots, w.held)

	all := slices.Concat(w.roots, w.cas, w.leaves)
	w.revoked = truststore.New(w.some(all, 6)...)
	w.distrusted = truststore.New(w.some(all, 10)...)
	for _, c := range w.some(all, pick(w.dice, 3, 12, 12, 1000)) {
		w.barred = append(w.barred, chain.KeyHash(c))
	}
	w.pair = [2]*x509.Certificate{pick(w.dice, all...), pick(w.dice, all...)}
	w.strict = mustVerifier(w.heldRoots, w.held, append(w.strictly(), chain.WithMemory(0, 0))...)
	w.rememberingStrictly = mustVerifier(w.heldRoots, w.held, w.strictly()...)
	w.tight = mustVerifier(w.heldRoots, w.held, chain.WithLimits(1+w.IntN(4), 1+w.IntN(6)))
	w.moving = mustVerifier(w.heldRoots, w.held, chain.WithMemory(0, 0))

	w.at = now
	clock := func() time.Time { return w.at }
	w.plainPool, w.strictPool, w.movingPool = w.plain.CertPool(clock), w.strict.CertPool(clock), w.moving.CertPool(clock)
}

// strictly are options of each kind that refuses.
func (w *world) strictly() []chain.Option {
	return []chain.Option{
		chain.WithDistrusted(w.distrusted, nil),
		chain.WithVeto(chain.VetoKeys(w.barred...)),
		chain.WithVeto(func(certs []*x509.Certificate) error {
			for i, c := range certs[1:] {
				if string(certs[i].RawIssuer) != string(c.RawSubject) {
					w.misled = fmt.Errorf("a veto was asked about %s, which no path begins with", names(certs))
				}
			}
			if w.barsPair(certs) {
				return errRevoked
			}
			return nil
		}),
		chain.WithPolicy(func(c chain.Chain, at time.Time) error {
			if !w.heldRoots.Contains(c.Root()) || string(c.Root().RawSubject) != string(c.Root().RawIssuer) || at != w.at {
				w.misled = fmt.Errorf("a policy was asked at %s about %s, which is not a chain up to a root", at, names(c))
			}
			if slices.ContainsFunc(c, w.revoked.Contains) {
				return errRevoked
			}
			return nil
		}),
	}
}

func (w *world) barsPair(certs []*x509.Certificate) bool {
	return slices.ContainsFunc(certs, w.pair[0].Equal) && slices.ContainsFunc(certs, w.pair[1].Equal)
}

// refuses reports whether the strict verifier has something against a chain.
func (w *world) refuses(c []*x509.Certificate) bool {
	return w.barsPair(c) || slices.ContainsFunc(c, func(cert *x509.Certificate) bool {
		return w.revoked.Contains(cert) || w.distrusted.Contains(cert) || slices.Contains(w.barred, chain.KeyHash(cert))
	})
}

// question is one case.
type question struct {
	leaf   *x509.Certificate
	extra  []*x509.Certificate
	dns    string
	usages []x509.ExtKeyUsage
	at     time.Time
}

func (w *world) question() question {
	q := question{leaf: pick(w.dice, w.leaves...), at: now}
	all := slices.Concat(w.cas, w.roots)
	switch w.IntN(6) {
	case 0:
	case 1:
		q.extra = w.most(w.cas, 4)
	case 2:
		q.extra = w.most(all, 3)
	case 3:
		q.extra = w.some(all, 2)
	case 4:
		q.extra = slices.Concat(w.some(all, 2), w.most(all, 2))
	case 5:
		q.extra = slices.Concat(w.most(all, 6), w.leaves)
	}
	for i, c := range q.extra {
		if w.oneIn(20) {
			q.extra[i] = copyOf(c)
		}
		if w.oneIn(4 * w.odd) {
			q.extra[i] = w.mutate(c)
		}
	}
	if w.oneIn(3) {
		q.dns = pick(w.dice, hosts...)
		if len(q.leaf.DNSNames) > 0 && !w.oneIn(4) {
			q.dns = q.leaf.DNSNames[0]
		}
	}
	switch w.IntN(8) {
	case 0:
		q.usages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	case 1, 2:
		q.usages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	case 3:
		q.usages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	case 4:
		q.usages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	case 5:
		q.usages = []x509.ExtKeyUsage{pick(w.dice, x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsage(70))}
	}
	if w.oneIn(5) {
		c := pick(w.dice, append(all, q.leaf)...)
		q.at = pick(w.dice, c.NotBefore, c.NotAfter, c.NotBefore.Add(-time.Second), c.NotAfter.Add(time.Second))
	}
	return q
}
