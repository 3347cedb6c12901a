package pkiotest

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
	"github.com/go-pkioverheid/trust/truststore"
)

// Authority is a hierarchy of CAs that issues certificates for tests. Make one
// with [New]. It is safe for concurrent use.
type Authority struct {
	hierarchy pkioverheid.Hierarchy
	profile   profile
	certs     []*x509.Certificate // as fixture.Certificates has them
	issued    atomic.Uint32

	revocations *revocations
}

// New returns the Authority of a hierarchy: EV, PrivateG1, PrivateG4TLS or G3.
// It panics on another value. Two Authorities of one hierarchy have the same
// certificates and keys, and each revokes for itself.
func New(h pkioverheid.Hierarchy) *Authority {
	certs := fixture.Certificates(string(h))
	if certs == nil {
		panic(fmt.Sprintf("pkiotest: New: no fixture for %q", h))
	}
	return &Authority{hierarchy: h, profile: profiles[h], certs: certs, revocations: newRevocations(certs, profiles[h].cas)}
}

// Certificates returns the CA certificates in a new slice: the root, the domain
// CA, and two TSP CAs, of which the first issues unless [Leaf].TSP says otherwise.
// The certificates are shared and must not be modified.
func (a *Authority) Certificates() []*x509.Certificate { return slices.Clone(a.certs) }

// Roots returns a new Store with the root and nothing else, for truststore.NewSource and
// pkioverheid.Trust.Roots. It is accepted there for being the *x509.Certificate of this
// package, except under G3.
func (a *Authority) Roots() *truststore.Store { return truststore.New(a.certs[0]) }

// Trust returns a Trust that trusts the Authorities beside the real hierarchies. One of
// G3 is an error of what is made of it.
func Trust(authorities ...*Authority) pkioverheid.Trust {
	roots := truststore.New()
	for _, a := range authorities {
		roots.Add(a.certs[0])
	}
	return pkioverheid.Trust{Roots: truststore.NewSource(roots)}
}

// KeyPair returns what [Authority.Issue] issues as a KeyPair, for the KeyPairs of clients
// and servers. A test may show a certificate that has ended.
func (a *Authority) KeyPair(l Leaf) *pkioverheid.KeyPair {
	k, err := testidentity.KeyPair(a.Issue(l))
	if err != nil {
		panic("pkiotest: KeyPair: " + err.Error())
	}
	return k.(*pkioverheid.KeyPair)
}

// PrivateKey returns the key of one of [Authority.Certificates], to sign what
// Issue does not make. It panics on another certificate.
func (a *Authority) PrivateKey(ca *x509.Certificate) crypto.Signer {
	for i, cert := range a.certs {
		if cert.Equal(ca) {
			return a.profile.cas[i].key()
		}
	}
	panic(fmt.Sprintf("pkiotest: PrivateKey: that is not a CA certificate of %v: see Authority.Certificates", a.hierarchy))
}

// Time returns a time at which certificates issued without NotBefore and NotAfter
// are valid: now, as long as the TSP CAs are valid, and else the day before they end,
// as for EV. It is meant for pkioverheid.Trust.Time and tls.Config.Time.
func (a *Authority) Time() time.Time { return a.timeAt(time.Now()) }

func (a *Authority) timeAt(now time.Time) time.Time {
	tsp := a.certs[2]
	if now.Before(tsp.NotBefore) || now.After(tsp.NotAfter) {
		return tsp.NotAfter.AddDate(0, 0, -1)
	}
	return now
}

// Issue issues a certificate. The result has the certificate, its TSP CA and the domain CA,
// which is what a server should send, and the private key; tls.Certificate.Leaf is set. Issue
// panics when l makes no sense.
func (a *Authority) Issue(l Leaf) tls.Certificate {
	tsp := a.certs[a.tsp(l.TSP)]
	switch {
	case l.ECDSA && l.Key != nil:
		panic("pkiotest: Issue: ECDSA: that is the key of this package, and Key is another")
	case l.ECDSA:
		l.Key = p256()
	case l.Key == nil:
		n := a.issued.Add(1) - 1
		l.Key = a.profile.leafKeys[int(n%uint32(len(a.profile.leafKeys)))]()
	}
	template, err := a.template(l, time.Now())
	if err != nil {
		panic("pkiotest: Issue: " + err.Error())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, tsp, l.Key.Public(), a.PrivateKey(tsp))
	if err != nil {
		panic("pkiotest: Issue: " + err.Error())
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic("pkiotest: Issue: crypto/x509 does not read what it wrote: " + err.Error())
	}
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: l.Key, Leaf: cert}
	if !l.LeafOnly {
		pair.Certificate = append(pair.Certificate, tsp.Raw, a.certs[1].Raw)
	}
	return pair
}

// tsp returns the index in a.certs of the first TSP CA that goes by that name.
func (a *Authority) tsp(name string) int {
	var names []string
	for i, cert := range a.certs[2:] {
		// The year distinguishes reissues, which have one name.
		full := fmt.Sprintf("%s (%d)", cert.Subject.CommonName, cert.NotBefore.Year())
		if strings.Contains(full, name) {
			return i + 2
		}
		names = append(names, full)
	}
	panic(fmt.Sprintf("pkiotest: TSP: %v has none whose name contains %q, only %s", a.hierarchy, name, strings.Join(names, " and ")))
}
