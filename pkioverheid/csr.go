package pkioverheid

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Request says what certificate of a system [NewRequest] asks for (facts.md §5). The
// zero value of each field but Organization is usable, or is filled from the certificate
// that From holds.
type Request struct {
	// From is the certificate that the new one comes after; nil for none. What the other
	// fields leave empty is taken from it: it is not verified.
	From *x509.Certificate

	// Hierarchy is PrivateG4TLS, also if zero, or PrivateG1.
	Hierarchy Hierarchy

	// Organization is the name in the Handelsregister, and KVK the number there, of
	// eight digits; without it that in the OIN is used. G4 wants both.
	Organization, KVK string

	// OIN goes into subject:serialNumber. Digikoppeling wants one.
	OIN OIN

	// CommonName is the first of DNSNames if empty, or else Organization.
	CommonName string

	// DNSNames are up to 100 names of hosts, without wildcards. None asks for a
	// certificate for clients only, which under Private G4 is one of G-Other.
	DNSNames []string

	// Key is an RSA key; nil makes one of Bits. Zero means 3072 bits, or 4096 where
	// CIBG issued From or there are no DNSNames under G4.
	Key  crypto.Signer
	Bits int
}

// NewRequest returns a certificate signing request (PKCS#10) in DER, and its private key.
// Its signature is RSASSA-PSS with SHA-512 for Private G4, and PKCS #1 v1.5 with SHA-256
// for Private G1. What a TSP would refuse is an error: its text names the field.
func NewRequest(r Request) (der []byte, key crypto.Signer, err error) {
	if err := r.complete(); err != nil {
		return nil, nil, fmt.Errorf("pkioverheid: Request: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, nil, fmt.Errorf("pkioverheid: Request.%w", err)
	}
	subject, err := r.subject()
	if err != nil {
		return nil, nil, fmt.Errorf("pkioverheid: Request: %w", err)
	}
	if r.Key == nil {
		if r.Key, err = rsa.GenerateKey(rand.Reader, r.Bits); err != nil {
			return nil, nil, fmt.Errorf("pkioverheid: Request: %w", err)
		}
	}
	template := &x509.CertificateRequest{RawSubject: subject, DNSNames: r.DNSNames, SignatureAlgorithm: x509.SHA512WithRSAPSS}
	if r.Hierarchy == PrivateG1 {
		template.SignatureAlgorithm = x509.SHA256WithRSA
	}
	if der, err = x509.CreateCertificateRequest(rand.Reader, template, r.Key); err != nil {
		return nil, nil, fmt.Errorf("pkioverheid: Request: the key cannot sign it: %w", err)
	}
	return der, r.Key, nil
}

var oidOrganizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}

// kvkPrefix is what organizationIdentifier has before the number (ETSI EN 319 412-1
// section 5.1.4).
const kvkPrefix = "NTRNL-"

// complete fills what is empty.
func (r *Request) complete() error {
	if r.Hierarchy == "" {
		r.Hierarchy = PrivateG4TLS
	}
	if from := r.From; from != nil {
		claim, _ := ClaimOf(from)
		if from.IsCA && from.BasicConstraintsValid {
			return fmt.Errorf("the certificate in From is a CA, %s", safetext.Certificate(from))
		}
		if r.Organization == "" && len(from.Subject.Organization) > 0 {
			r.Organization = from.Subject.Organization[0]
		}
		if r.OIN == "" {
			r.OIN, _ = OINOf(from) // empty where there is none
		}
		if r.DNSNames == nil {
			r.DNSNames = from.DNSNames
		}
		if r.CommonName == "" {
			r.CommonName = from.Subject.CommonName
		}
		for _, name := range from.Subject.Names {
			if number, ok := name.Value.(string); ok && name.Type.Equal(oidOrganizationIdentifier) && r.KVK == "" {
				r.KVK, _ = strings.CutPrefix(number, kvkPrefix)
			}
		}
		if r.Bits == 0 && claim.TSP == CIBG {
			r.Bits = 4096
		}
	}
	if oin := string(r.OIN); r.KVK == "" && len(oin) == 20 && strings.HasPrefix(oin, "00000003") {
		r.KVK = oin[8:16] // facts.md §6
	}
	switch {
	case r.CommonName != "":
	case len(r.DNSNames) > 0:
		r.CommonName = r.DNSNames[0]
	default:
		r.CommonName = r.Organization
	}
	if r.Bits == 0 {
		r.Bits = 3072
		if r.Hierarchy == PrivateG4TLS && len(r.DNSNames) == 0 {
			r.Bits = 4096
		}
	}
	return nil
}

// check holds it against the profile of the TRIAL tool (facts.md §5).
func (r *Request) check() error {
	if r.Hierarchy != PrivateG1 && r.Hierarchy != PrivateG4TLS {
		return fmt.Errorf("Hierarchy is %s: no certificates of systems are issued under it", safetext.Printable(r.Hierarchy.String(), safetext.Most))
	}
	for _, f := range []struct{ field, text string }{{"Organization", r.Organization}, {"CommonName", r.CommonName}} {
		n := utf8.RuneCountInString(f.text)
		if !utf8.ValidString(f.text) || n < 2 || n > 64 || strings.ContainsFunc(f.text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("%s is %s: it has 2 to 64 characters that can be printed", f.field, safetext.Quote(f.text))
		}
	}
	if g4 := r.Hierarchy == PrivateG4TLS; (g4 || r.KVK != "") && (len(r.KVK) != 8 || !digits(r.KVK)) {
		return fmt.Errorf("KVK is %s: it is the number in the Handelsregister, of eight digits", safetext.Quote(r.KVK))
	}
	if r.OIN != "" {
		if err := r.OIN.Validate(); err != nil {
			return fmt.Errorf("OIN: %w", err)
		}
	}
	if len(r.DNSNames) > 100 {
		return fmt.Errorf("DNSNames holds %d names, and a certificate may have 100", len(r.DNSNames))
	}
	for i, name := range r.DNSNames {
		if !isHostName(name) {
			return fmt.Errorf("DNSNames: %s is not the whole name of a host in ASCII, without wildcards, or is an address", safetext.Quote(name))
		}
		if slices.ContainsFunc(r.DNSNames[:i], func(n string) bool { return strings.EqualFold(n, name) }) {
			return fmt.Errorf("DNSNames: %s is there twice", safetext.Quote(name))
		}
	}
	least := r.Hierarchy.row().rsaBits
	bits, field := r.Bits, "Bits"
	if r.Key != nil {
		field = "Key"
		if isEmptyKey(r.Key) {
			return fmt.Errorf("%s is nil or empty: was an error ignored where it was made?", field)
		}
		public, ok := r.Key.Public().(*rsa.PublicKey)
		if !ok {
			return fmt.Errorf("%s is a %T: the TSPs take RSA only", field, r.Key.Public())
		}
		bits = public.N.BitLen()
	}
	if bits < least || bits > 8192 {
		return fmt.Errorf("%s: an RSA key of %d bits: %v asks for %d or more", field, bits, r.Hierarchy, least)
	}
	return nil
}

// isHostName reports whether a certificate of G-TLS may have the name.
func isHostName(name string) bool {
	labels := strings.Split(name, ".")
	if len(labels) < 2 || len(name) > 253 || strings.EqualFold(labels[len(labels)-1], "onion") {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	return !slices.ContainsFunc(labels, func(label string) bool {
		return label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != ""
	})
}

// subject is in UTF8String but where the standard asks for PrintableString.
func (r *Request) subject() ([]byte, error) {
	var rdns pkix.RDNSequence
	add := func(oid asn1.ObjectIdentifier, value any) {
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: oid, Value: value}})
	}
	text := func(s string) asn1.RawValue { return asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(s)} }
	add(asn1.ObjectIdentifier{2, 5, 4, 6}, "NL")
	add(asn1.ObjectIdentifier{2, 5, 4, 10}, text(r.Organization))
	if r.OIN != "" {
		add(asn1.ObjectIdentifier{2, 5, 4, 5}, string(r.OIN))
	}
	add(asn1.ObjectIdentifier{2, 5, 4, 3}, text(r.CommonName))
	if r.KVK != "" {
		add(oidOrganizationIdentifier, text(kvkPrefix+r.KVK))
	}
	return asn1.Marshal(rdns)
}
