package pkiotest

import (
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

// A LeafOption changes what [Authority.Issue] issues. Of two options about the
// same thing the later one counts.
type LeafOption func(*leaf)

// leaf is an order for a certificate.
type leaf struct {
	dnsNames     []string
	oin          pkioverheid.OIN
	from, to     time.Time          // both zero: as long as makes sense
	usages       []x509.ExtKeyUsage // nil: both, as real ones have
	organization string
	commonName   string // empty: the first DNS name, or else the organisation
	tsp          string
	policies     []string
	ownPolicies  bool // policies counts, also if empty
	alone        bool
	key          crypto.Signer
	crls         []string
	ownCRLs      bool // crls counts, also if empty
}

func newLeaf(opts []LeafOption) *leaf {
	l := &leaf{dnsNames: []string{"localhost"}, organization: "Testgemeente"}
	for _, opt := range opts {
		opt(l)
	}
	return l
}

// DNSNames sets the DNS names in place of localhost. Without arguments there are
// none, as in client certificates of G1; real certificates of G4 always have one.
// IP addresses have no option: PKIoverheid certificates have none.
func DNSNames(names ...string) LeafOption { return func(l *leaf) { l.dnsNames = names } }

// OIN puts the number in the subject's serialNumber. It is written as it is, so
// that a test can ask for what real certificates have there besides an OIN.
// Without this option the serialNumber is left out. Numbers that start with 00000099
// are for tests.
func OIN(oin pkioverheid.OIN) LeafOption { return func(l *leaf) { l.oin = oin } }

// Validity sets the first and the last second of the certificate's life, also
// outside that of its CAs.
func Validity(from, to time.Time) LeafOption { return func(l *leaf) { l.from, l.to = from, to } }

// ClientOnly leaves serverAuth out of the extended key usage.
func ClientOnly() LeafOption { return usage(x509.ExtKeyUsageClientAuth) }

// ServerOnly leaves clientAuth out of the extended key usage, so that a server must
// refuse the certificate as a client's.
func ServerOnly() LeafOption { return usage(x509.ExtKeyUsageServerAuth) }

func usage(u x509.ExtKeyUsage) LeafOption {
	return func(l *leaf) { l.usages = []x509.ExtKeyUsage{u} }
}

// Organization sets the subject's O.
func Organization(name string) LeafOption { return func(l *leaf) { l.organization = name } }

// CommonName sets the subject's CN in place of the first DNS name.
func CommonName(name string) LeafOption { return func(l *leaf) { l.commonName = name } }

// TSP chooses the issuing TSP CA by a part of its name or by the year in which
// it was issued. Every hierarchy has "KPN", and for a second one EV and PrivateG1
// have "QuoVadis" and PrivateG4TLS has "Digidentity". G3 has KPN's CA twice, "2019" and
// "2016", with one key: the option says which of the certificates goes into the
// chain. Issue panics if there is none of that name.
func TSP(name string) LeafOption { return func(l *leaf) { l.tsp = name } }

// Policy sets the certificate policies in place of the hierarchy's for servers:
// "2.16.528.1.1003.1.2.8.1", say, for a person under PrivateG1. Without arguments
// there are none.
func Policy(oids ...string) LeafOption {
	return func(l *leaf) { l.policies, l.ownPolicies = oids, true }
}

// CRLDistributionPoints sets the addresses of the CRL in place of the TSP's, to which
// [CRLHandler] and [CRLConfig] answer. Without arguments there are none.
func CRLDistributionPoints(urls ...string) LeafOption {
	return func(l *leaf) { l.crls, l.ownCRLs = urls, true }
}

// LeafOnly leaves the CAs out of tls.Certificate.Certificate, as badly configured
// servers do.
func LeafOnly() LeafOption { return func(l *leaf) { l.alone = true } }

// Key sets the private key. An HSM's will do: Issue uses its public key only.
func Key(key crypto.Signer) LeafOption { return func(l *leaf) { l.key = key } }

// ECDSA sets the private key to one on P-256 that belongs to this package.
func ECDSA() LeafOption { return func(l *leaf) { l.key = p256() } }

func (a *Authority) template(l *leaf, now time.Time) (*x509.Certificate, error) {
	i := a.tsp(l.tsp)
	tsp, issuer := a.certs[i], a.profile.cas[i]

	subject, err := a.subject(l)
	if err != nil {
		return nil, err
	}
	ski, err := keyIdentifier(l.key.Public())
	if err != nil {
		return nil, err
	}
	from, to := l.from, l.to
	if from.IsZero() && to.IsZero() {
		from, to = validity(tsp, now)
	}
	if to.Before(from) {
		return nil, fmt.Errorf("Validity: from %v to %v", from, to)
	}
	t := &x509.Certificate{
		RawSubject:            subject,
		NotBefore:             from,
		NotAfter:              to,
		SignatureAlgorithm:    tsp.SignatureAlgorithm,
		KeyUsage:              keyUsage(l.key.Public()),
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		SubjectKeyId:          ski,
		DNSNames:              l.dnsNames,
		CRLDistributionPoints: []string{issuer.crl},
		IssuingCertificateURL: []string{issuer.issuer},
	}
	if l.usages != nil {
		t.ExtKeyUsage = l.usages
	}
	if l.ownCRLs {
		t.CRLDistributionPoints = l.crls
	}
	policies := a.profile.policies
	if l.ownPolicies {
		policies = l.policies
	}
	for _, p := range policies {
		oid, err := x509.ParseOID(p)
		if err != nil {
			return nil, fmt.Errorf("Policy: %q is not an object identifier: %w", p, err)
		}
		t.Policies = append(t.Policies, oid)
	}
	return t, nil
}

// validity is a year from now, cut to the CA's life, or else the CA's last year.
func validity(ca *x509.Certificate, now time.Time) (from, to time.Time) {
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
func (a *Authority) subject(l *leaf) ([]byte, error) {
	name := l.commonName
	if name == "" && len(l.dnsNames) > 0 {
		name = l.dnsNames[0]
	}
	if name == "" {
		name = l.organization
	}
	utf8 := func(s string) asn1.RawValue { return asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(s)} }

	rdns := pkix.RDNSequence{
		{{Type: oidCountry, Value: "NL"}},
		{{Type: oidOrganization, Value: utf8(l.organization)}},
	}
	if l.oin != "" {
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: oidSerialNumber, Value: string(l.oin)}})
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
		return nil, fmt.Errorf("Key: a certificate for a %T is none that a TSP would issue: use RSA or ECDSA", pub)
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
