package pkioverheid

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
)

// authority is a CA of PKIoverheid that this package can recognise.
type authority struct {
	name      caName
	hierarchy Hierarchy
	role      Role
	tsp       TSP
	withdrawn bool // on a list of withdrawn CAs, rather than merely not for TLS
	fixture   bool // its private key is public: package pkiotest

	// cert is one of the certificates of the CA, where there is one at hand.
	cert *x509.Certificate
}

// caName is a CA's name, compared attribute by attribute: their order differs
// from hierarchy to hierarchy, and organizationIdentifier is not always there
// (facts.md §1). A name with two of one attribute is nobody's.
type caName struct{ cn, o, c string }

// registry finds authorities by key, by key identifier and by name.
type registry struct {
	byKey   map[[sha256.Size]byte]*authority
	byKeyID map[string][]*authority // fixture CAs and real ones share names, never keys
	byName  map[caName]*authority   // real ones only

	publicKeys map[[sha256.Size]byte]bool // whose private keys are public: package pkiotest
}

// recognised returns the registry, built on first use.
var recognised = sync.OnceValue(func() *registry {
	r := &registry{
		byKey:   map[[sha256.Size]byte]*authority{},
		byKeyID: map[string][]*authority{},
		byName:  map[caName]*authority{},

		publicKeys: map[[sha256.Size]byte]bool{},
	}
	for h, certs := range embedded() {
		r.addCertificates(h, certs, false)
	}
	for h := EV; h <= G3; h++ {
		r.addCertificates(h, fixture.Certificates(hierarchyTable[h].text), true)
	}
	for _, key := range fixture.LeafKeys() {
		r.publicKeys[key] = true
	}
	r.addKnownG3()
	return r
})

func (r *registry) addCertificates(h Hierarchy, certs []*x509.Certificate, isFixture bool) {
	for i, cert := range certs {
		role := min(Role(i+1), TSPCA) // the order of sortFromRoot
		a := &authority{
			hierarchy: h,
			role:      role,
			tsp:       tspOf(cert.Subject.Organization),
			withdrawn: h == G3 && role == TSPCA,
			fixture:   isFixture,
			cert:      cert,
		}
		a.name, _ = subjectName(cert)
		key := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
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

// addKnownG3 adds what is known of the other CAs under the G3 root (facts.md §1
// and §2): no certificate is at hand, so they are recognised by key and by name.
func (r *registry) addKnownG3() {
	for _, line := range strings.Split(strings.TrimSpace(knownG3), "\n") {
		f := strings.Split(line, "|")
		a := &authority{
			name:      caName{cn: f[0], o: f[1], c: "NL"},
			hierarchy: G3,
			role:      TSPCA,
			tsp:       tspOf([]string{f[1]}),
			withdrawn: f[2] == "withdrawn",
		}
		if f[1] == stateO {
			a.role = DomainCA
		}
		r.byName[a.name] = a
		if f[3] != "" {
			var key [sha256.Size]byte
			if n, err := hex.Decode(key[:], []byte(f[3])); err != nil || n != len(key) {
				panic("pkioverheid: bad key in the table of G3 CAs: " + line)
			}
			r.byKey[key] = a
		}
	}
}

const stateO = "Staat der Nederlanden"

// knownG3 lists CAs under "Staat der Nederlanden Root CA - G3" that are not
// embedded: common name, organisation, whether their server certificates were
// withdrawn in 2020, SHA-256 of the public key. Names and keys: facts.md §1
// and §2; the country is NL for all. The keys of those without one are not known.
// The organisations are those of the same providers' other CAs.
const knownG3 = `
Digidentity PKIoverheid Organisatie Server CA - G3|Digidentity B.V.|withdrawn|
Staat der Nederlanden Autonome Apparaten CA - G3|Staat der Nederlanden||4164eb61228864e9213e0c602beba03612c060f33ecdae8e1786763551ff3b15
Staat der Nederlanden Burger CA - G3|Staat der Nederlanden||0ddb66cba3dafa98a36f57e0647ac406b46e8cdc1c1fddb4fb9b9c3a11c6e325
Staat der Nederlanden Organisatie Persoon CA - G3|Staat der Nederlanden||03cb44b933d7e14551e52ddbfc335a4d57bf65a703667b57ac961de31e3a106d
Staat der Nederlanden Citizen CA - G3 2023|Staat der Nederlanden||
Staat der Nederlanden Organization Services CA - G3 2023|Staat der Nederlanden||
Staat der Nederlanden Organization Person CA - G3 2023|Staat der Nederlanden||
Staat der Nederlanden S/MIME CA - G3 2023|Staat der Nederlanden||
Cleverbase ID PKIoverheid Burger CA - G3|Cleverbase ID B.V.||7375aa40d4e9f0d4b08fa02be59ddb03374b0a42c686a197395a6cfe94bc04a3
Digidentity BV PKIoverheid Organisatie Persoon CA - G3|Digidentity B.V.||32328159f2149e8e73a4765ca28c7fcd1a40119ec0005c2ac2d2d3e750612fe6
KPN BV PKIoverheid Organisatie Persoon CA - G3|KPN B.V.||f335e4d71f0bd5ccbb81ef14c155ff2fcde33eadee2e63159da5d7dfcb402b25
KPN BV PKIoverheid Organisatie Services CA - G3|KPN B.V.||4758e5d40c5fdf6ac587e6bd947b1cc1a51b53bb39d7f7cf5d6a8668bc9b4b2e
Ministerie van Defensie PKIoverheid Organisatie Persoon CA - G3|Ministerie van Defensie||eca60bcf1e50473bbe6aefe00b04d366a0a1e85b126c9c5435a35ed0dc5b3146
QuoVadis PKIoverheid Organisatie Persoon CA - G3|QuoVadis Trustlink B.V.||e55d496986beeafda816831789fba1ae375e6b776bc6d56bf65ab388f4c257d3
QuoVadis PKIoverheid Organisatie Services CA - G3|QuoVadis Trustlink B.V.||0ddddd2f787b33028be7b013ed20c05cb72706cbfe17e352b23bbd1c37e72143
UZI-register Medewerker niet op naam CA G3|CIBG||8a8ef49be57fe7d0f76a954bdf464b0f80508c602135498cd9c2d2f9b7bcb7fb
UZI-register Medewerker op naam CA G3|CIBG||742cabc402942bc8f946840921293f40f43d796875c2f0d9163909c6fcac6353
UZI-register Zorgverlener CA G3|CIBG||2c96e4b43a544ed405c62c7e4c7e0f89d4c62ebb75486c566544d62bc4829fd4
Digidentity PKIoverheid Burger CA - G3|Digidentity B.V.||05a1bc47adefd00062056ff6df2c0d20d05752426582064deeaef75596fa7f2e
Digidentity BV PKIoverheid Burger CA - G3|Digidentity B.V.||939bcf1edfcc74db5f727a420f0a9f123766e0b07b80133dbd7da24dbd2420f3
`

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
	return r.byKey[sha256.Sum256(c.RawSubjectPublicKeyInfo)]
}

// find returns what the certificate says of itself: either the authority that it
// is, or the authority that it says issued it, and by what it was recognised.
func (r *registry) find(c *x509.Certificate) (self, issuer *authority, by Recognition) {
	return r.findKey(c, sha256.Sum256(c.RawSubjectPublicKeyInfo))
}

// findKey is find for who has the SHA-256 of the public key already.
func (r *registry) findKey(c *x509.Certificate, key [sha256.Size]byte) (self, issuer *authority, by Recognition) {
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
	return nil, nil, 0
}
