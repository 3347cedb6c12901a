package pkiotest

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// Leaf describes a certificate for [Authority.Issue]. The zero value is that of a server
// named localhost that may act as a client too. Of a list, nil is what is usual and an
// empty one is none.
type Leaf struct {
	OIN          pkioverheid.OIN // the subject's serialNumber, written as it is
	DNSNames     []string        // nil: localhost
	Organization string          // empty: Testgemeente
	CommonName   string          // empty: the first DNS name, or else the organisation

	// TSP is a part of the name of the issuing TSP CA, or its year: "QuoVadis" under EV and
	// PrivateG1, "Digidentity" under PrivateG4TLS, "2016" under G3. Empty is KPN.
	TSP string

	// NotBefore and NotAfter may lie outside the life of the CAs. If one is zero, it is a
	// year from the other. If both are, the life is from an hour ago until in a year, within
	// that of the TSP CA.
	NotBefore, NotAfter time.Time

	// ClientOnly leaves serverAuth out of the extended key usage, and ServerOnly clientAuth.
	ClientOnly, ServerOnly bool

	Policies              []string // nil: those of the hierarchy for servers
	CRLDistributionPoints []string // nil: the TSP's, where [CRLHandler] and [CRLConfig] answer

	// Key is the private key, RSA or ECDSA. Nil is one of this package, of RSA or, if ECDSA
	// is set, on P-256.
	Key   crypto.Signer
	ECDSA bool

	LeafOnly bool // without the CAs, as badly configured servers send it
}

// template returns what of the certificate comes from l, which has a Key.
func (a *Authority) template(l Leaf, now time.Time) (*x509.Certificate, error) {
	if l.ClientOnly && l.ServerOnly {
		return nil, errors.New("ClientOnly and ServerOnly: together they leave no use")
	}
	i := a.tsp(l.TSP)
	tsp, issuer := a.certs[i], a.profile.cas[i]
	if l.DNSNames == nil {
		l.DNSNames = []string{"localhost"}
	}
	if l.Policies == nil {
		l.Policies = a.profile.policies
	}
	if l.CRLDistributionPoints == nil {
		l.CRLDistributionPoints = []string{issuer.crl}
	}

	subject, err := a.subject(l)
	if err != nil {
		return nil, err
	}
	ski, err := keyIdentifier(l.Key.Public())
	if err != nil {
		return nil, err
	}
	from, to := l.validity(tsp, now)
	if to.Before(from) {
		return nil, fmt.Errorf("NotAfter: %v is before NotBefore, %v", to, from)
	}
	t := &x509.Certificate{
		RawSubject:            subject,
		NotBefore:             from,
		NotAfter:              to,
		SignatureAlgorithm:    tsp.SignatureAlgorithm,
		KeyUsage:              keyUsage(l.Key.Public()),
		SubjectKeyId:          ski,
		DNSNames:              l.DNSNames,
		CRLDistributionPoints: l.CRLDistributionPoints,
		IssuingCertificateURL: []string{issuer.issuer},
	}
	if !l.ClientOnly {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if !l.ServerOnly {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	for _, p := range l.Policies {
		oid, err := x509.ParseOID(p)
		if err != nil {
			return nil, fmt.Errorf("field Policies: %q is not an object identifier: %w", p, err)
		}
		t.Policies = append(t.Policies, oid)
	}
	return t, nil
}

// validity is what l says, or a year from now, cut to the CA's life, or else the CA's last
// year.
func (l Leaf) validity(ca *x509.Certificate, now time.Time) (from, to time.Time) {
	switch from, to = l.NotBefore, l.NotAfter; {
	case !from.IsZero() && !to.IsZero():
		return from, to
	case !from.IsZero():
		return from, from.AddDate(1, 0, 0)
	case !to.IsZero():
		return to.AddDate(-1, 0, 0), to
	}
	if now.Before(ca.NotBefore) || now.After(ca.NotAfter) {
		from, to = ca.NotAfter.AddDate(-1, 0, 0), ca.NotAfter
	} else {
		from, to = now.Add(-time.Hour), now.AddDate(1, 0, 0)
	}
	if from.Before(ca.NotBefore) {
		from = ca.NotBefore
	}
	if to.After(ca.NotAfter) {
		to = ca.NotAfter
	}
	return from, to
}

// keyUsage is that of the profiles, except that only an RSA key can encipher one.
func keyUsage(pub crypto.PublicKey) x509.KeyUsage {
	if _, ok := pub.(*rsa.PublicKey); ok {
		return x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	}
	return x509.KeyUsageDigitalSignature
}

var (
	oidCommonName             = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSerialNumber           = asn1.ObjectIdentifier{2, 5, 4, 5}
	oidCountry                = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrganization           = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOrganizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}
)

// subject encodes the names as the TSPs do: UTF8String except where the
// standard asks for PrintableString. In the names of G4's CAs
// organizationIdentifier comes after CN, so it does here.
func (a *Authority) subject(l Leaf) ([]byte, error) {
	organization := cmp.Or(l.Organization, "Testgemeente")
	name := l.CommonName
	if name == "" && len(l.DNSNames) > 0 {
		name = l.DNSNames[0]
	}
	name = cmp.Or(name, organization)
	utf8 := func(s string) asn1.RawValue { return asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(s)} }

	rdns := pkix.RDNSequence{
		{{Type: oidCountry, Value: "NL"}},
		{{Type: oidOrganization, Value: utf8(organization)}},
	}
	if l.OIN != "" {
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: oidSerialNumber, Value: string(l.OIN)}})
	}
	rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: oidCommonName, Value: utf8(name)}})
	if a.profile.organizationIdentifier {
		// No organisation has this KvK number.
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: oidOrganizationIdentifier, Value: utf8("NTRNL-00000000")}})
	}
	return asn1.Marshal(rdns)
}

// keyIdentifier is method 1 of RFC 7093, section 2: the first 160 bits of the SHA-256
// of the public key's bits. The real CAs use SHA-1, which FIPS 140-3 does not allow.
func keyIdentifier(pub crypto.PublicKey) ([]byte, error) {
	switch pub.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
	default:
		return nil, fmt.Errorf("field Key: a TSP issues no certificate for a %T: use RSA or ECDSA", pub)
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	var spki struct {
		Algorithm asn1.RawValue
		PublicKey asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &spki); err != nil {
		return nil, err
	} else if len(rest) > 0 {
		return nil, errors.New("data after the public key")
	}
	sum := sha256.Sum256(spki.PublicKey.Bytes)
	return sum[:20], nil
}
