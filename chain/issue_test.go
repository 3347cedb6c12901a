package chain_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// now is when the tests take place, so that they do not depend on the clock:
// certificates are valid for ten years around it, if not said otherwise.
var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

var lastSerial atomic.Int64

// authority is a CA certificate with its key.
type authority struct {
	*x509.Certificate
	key crypto.Signer
}

// edit changes a certificate before it is signed.
type edit func(*x509.Certificate)

func newKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func newRoot(name string, edits ...edit) authority {
	a := authority{key: newKey()}
	a.Certificate = sign(caTemplate(name), nil, a.key, a.key, edits)
	return a
}

// issueCA returns a CA with a new key below a.
func (a authority) issueCA(name string, edits ...edit) authority {
	return a.certify(name, newKey(), edits...)
}

// certify returns a CA certificate below a for a key that may have others: a
// reissue, or a cross-signed one.
func (a authority) certify(name string, key crypto.Signer, edits ...edit) authority {
	return authority{sign(caTemplate(name), a.Certificate, key, a.key, edits), key}
}

// issue returns an end-entity certificate for a host.
func (a authority) issue(host string, edits ...edit) *x509.Certificate {
	return sign(leafTemplate(host), a.Certificate, newKey(), a.key, edits)
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.AddDate(-5, 0, 0),
		NotAfter:              now.AddDate(5, 0, 0),
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            -1,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func leafTemplate(host string) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: host},
		DNSNames:    []string{host},
		NotBefore:   now.AddDate(-1, 0, 0),
		NotAfter:    now.AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// sign makes a certificate of a template; a nil parent means self-signed.
func sign(template, parent *x509.Certificate, key, signer crypto.Signer, edits []edit) *x509.Certificate {
	template.SerialNumber = big.NewInt(lastSerial.Add(1))
	for _, edit := range edits {
		edit(template)
	}
	if parent == nil {
		parent = template
	}
	var der []byte
	var err error
	fips140.WithoutEnforcement(func() { // keys of any size
		der, err = x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	})
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

func valid(from, until time.Time) edit {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, until }
}

// shortLived is how long public server certificates may be valid in 2026.
func shortLived(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = now.AddDate(0, -3, 0), now.AddDate(0, 3, 0)
}

func expired(c *x509.Certificate) { c.NotAfter = now.AddDate(0, -1, 0) }

func notYetValid(c *x509.Certificate) { c.NotBefore = now.AddDate(0, 1, 0) }

func usages(u ...x509.ExtKeyUsage) edit {
	return func(c *x509.Certificate) { c.ExtKeyUsage = u }
}

func maxPathLen(n int) edit {
	return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
}

func onlyDomain(domain string) edit {
	return func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{domain}, true
	}
}

func policies(oids ...x509.OID) edit {
	return func(c *x509.Certificate) { c.Policies = oids }
}

// requireExplicitPolicy is the policyConstraints extension of RFC 5280 section
// 4.2.1.11, which crypto/x509 reads and does not write.
func requireExplicitPolicy(skip byte) edit {
	return extension(asn1.ObjectIdentifier{2, 5, 29, 36}, true, 0x30, 0x03, 0x80, 0x01, skip)
}

func extension(id asn1.ObjectIdentifier, critical bool, value ...byte) edit {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

// unknownCritical is an extension that crypto/x509 must refuse.
func unknownCritical(c *x509.Certificate) {
	extension(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55555, 1}, true, 0x05, 0x00)(c)
}

func oid(ints ...uint64) x509.OID {
	id, err := x509.OIDFromInts(ints)
	if err != nil {
		panic(err)
	}
	return id
}

// layers is a hierarchy as real ones are, and a host's certificate in it.
type layers struct {
	root, domain, issuing authority
	leaf                  *x509.Certificate
}

// newLayers makes a hierarchy in which each certificate has its edits: first
// those of the root, then of the domain CA, of the issuing CA, of the leaf.
func newLayers(edits ...[]edit) layers {
	of := func(i int) []edit {
		if i < len(edits) {
			return edits[i]
		}
		return nil
	}
	var l layers
	l.root = newRoot("Root", of(0)...)
	l.domain = l.root.issueCA("Domain CA", of(1)...)
	l.issuing = l.domain.issueCA("Issuing CA", of(2)...)
	l.leaf = l.issuing.issue("host.example", of(3)...)
	return l
}

// full is the whole chain.
func (l layers) full() chain.Chain {
	return chain.Chain{l.leaf, l.issuing.Certificate, l.domain.Certificate, l.root.Certificate}
}

func (l layers) roots() *truststore.Store { return truststore.New(l.root.Certificate) }

func (l layers) intermediates() *truststore.Store {
	return truststore.New(l.domain.Certificate, l.issuing.Certificate)
}

func (l layers) verifier(opts ...chain.Option) *chain.Verifier {
	return mustVerifier(l.roots(), l.intermediates(), opts...)
}

func mustVerifier(roots, intermediates *truststore.Store, opts ...chain.Option) *chain.Verifier {
	v, err := chain.NewVerifier(roots, intermediates, opts...)
	if err != nil {
		panic(err)
	}
	return v
}

// copyOf is the same certificate in another value, as crypto/tls makes them.
func copyOf(cert *x509.Certificate) *x509.Certificate {
	c, err := x509.ParseCertificate(cert.Raw)
	if err != nil {
		panic(err)
	}
	return c
}

func poolOf(certs ...*x509.Certificate) *x509.CertPool { return truststore.New(certs...).CertPool() }

func clock() time.Time { return now }

// mutated is the certificate with a bit of its signature flipped.
func mutated(cert *x509.Certificate) *x509.Certificate {
	der := slices.Clone(cert.Raw)
	der[len(der)-1] ^= 1
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

// withDataBehind is the certificate with data after its signature, which crypto/x509
// does not mind.
func withDataBehind(cert *x509.Certificate) *x509.Certificate {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(cert.Raw, &outer); err != nil {
		panic(err)
	}
	outer.Bytes, outer.FullBytes = append(slices.Clone(outer.Bytes), 5, 0), nil
	return must(x509.ParseCertificate(must(asn1.Marshal(outer))))
}

func onCurve(curve elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(curve, rand.Reader)) }

// ce is an identifier below id-ce.
func ce(number int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, number} }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
