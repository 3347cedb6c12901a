package pkioverheid

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
)

// registry finds authorities by key, by key identifier and by name.
type registry struct {
	byKey   map[[sha256.Size]byte]*authority
	byKeyID map[string][]*authority // fixture CAs and real ones share names, never keys
	byName  map[caName]*authority   // real ones only

	publicKeys map[[sha256.Size]byte]bool // whose private keys are public: package pkiotest

	// hashes of the keys of the certificates of this package, which do not change: most of
	// a chain is these, and is asked about again and again.
	hashes map[*x509.Certificate][sha256.Size]byte
}

// keyHash returns the hash of the public key of a certificate.
func (r *registry) keyHash(c *x509.Certificate) [sha256.Size]byte {
	if key, ok := r.hashes[c]; ok {
		return key
	}
	return chain.KeyHash(c)
}

// recognised returns the registry, built on first use.
var recognised = sync.OnceValue(func() *registry {
	r := &registry{
		byKey:   map[[sha256.Size]byte]*authority{},
		byKeyID: map[string][]*authority{},
		byName:  map[caName]*authority{},

		publicKeys: map[[sha256.Size]byte]bool{},
		hashes:     map[*x509.Certificate][sha256.Size]byte{},
	}
	for h, certs := range embedded() {
		r.addCertificates(h, certs, false)
	}
	r.addKnown()
	for h := range everyHierarchy {
		r.addCertificates(h, fixture.Certificates(string(h)), true)
	}
	for _, key := range fixture.LeafKeys() {
		r.publicKeys[key] = true
	}
	return r
})

func (r *registry) addCertificates(h Hierarchy, certs []*x509.Certificate, isFixture bool) {
	for i, cert := range certs {
		role := layer(i) // the order of sortFromRoot
		a := &authority{
			hierarchy: h,
			role:      role,
			tsp:       tspOf(cert.Subject.Organization),
			fixture:   isFixture,
			cert:      cert,
		}
		a.name, _ = subjectName(cert)
		if real := r.byName[a.name]; isFixture && real != nil {
			a.withdrawn = real.withdrawn
		}
		key := chain.KeyHash(cert)
		r.hashes[cert] = key
		if isFixture {
			r.publicKeys[key] = true
		}
		if r.byKey[key] != nil {
			continue // reissued with the same key and the same name
		}
		r.byKey[key] = a
		r.byKeyID[string(cert.SubjectKeyId)] = append(r.byKeyID[string(cert.SubjectKeyId)], a)
		if !isFixture {
			r.byName[a.name] = a
		}
	}
}

// addKnown adds what the table of CAs says: those that are not embedded, and what was
// withdrawn.
func (r *registry) addKnown() {
	for i := range knownCAs {
		k := &knownCAs[i]
		name := caName{k.cn, k.o, "NL"}
		key, hasKey := k.keyHash()
		a := r.byKey[key]
		if !hasKey {
			a = r.byName[name]
		}
		if a == nil {
			a = k.authority()
		}
		if k.withdrawn != "" {
			a.withdrawn, a.source = k.withdrawn, k.source
		}
		if hasKey {
			r.byKey[key] = a
		}
		if k.o != "" && r.byName[name] == nil {
			r.byName[name] = a
		}
	}
}

func subjectName(c *x509.Certificate) (caName, bool) {
	s := &c.Subject
	if len(s.Organization) != 1 || len(s.Country) != 1 {
		return caName{}, false
	}
	return caName{s.CommonName, s.Organization[0], s.Country[0]}, true
}

func issuerName(c *x509.Certificate) (caName, bool) {
	s := &c.Issuer
	if len(s.Organization) != 1 || len(s.Country) != 1 {
		return caName{}, false
	}
	return caName{s.CommonName, s.Organization[0], s.Country[0]}, true
}

// keyOf returns the authority whose public key the certificate holds, or nil.
func (r *registry) keyOf(c *x509.Certificate) *authority {
	return r.byKey[r.keyHash(c)]
}

// find returns what the certificate says about itself: either the authority that it
// is, or the authority that it says issued it, and by what it was recognised.
func (r *registry) find(c *x509.Certificate) (self, issuer *authority, by string) {
	return r.findKey(c, r.keyHash(c))
}

// findKey is find for who has the hash of the public key already.
func (r *registry) findKey(c *x509.Certificate, key [sha256.Size]byte) (self, issuer *authority, by string) {
	if a := r.byKey[key]; a != nil {
		return a, nil, ByKey
	}
	name, named := issuerName(c)
	if named && len(c.AuthorityKeyId) > 0 {
		for _, a := range r.byKeyID[string(c.AuthorityKeyId)] {
			if a.name == name {
				return nil, a, ByKeyIdentifier
			}
		}
	}
	if own, ok := subjectName(c); ok {
		if a := r.byName[own]; a != nil {
			return a, nil, ByName
		}
	}
	if named {
		if a := r.byName[name]; a != nil {
			return nil, a, ByName
		}
	}
	return nil, nil, ""
}
