package pkioverheid

import (
	"crypto/x509"
	"strconv"
)

// Role is the place of a certificate in its hierarchy.
type Role uint8

const (
	Root      Role = iota + 1 // stamcertificaat
	DomainCA                  // domeincertificaat
	TSPCA                     // the CA of a trust service provider
	EndEntity                 // a certificate of a system, organisation or person
)

// String returns "root", "domain CA", "TSP CA" or "end entity".
func (r Role) String() string {
	switch r {
	case Root:
		return "root"
	case DomainCA:
		return "domain CA"
	case TSPCA:
		return "TSP CA"
	case EndEntity:
		return "end entity"
	}
	return "Role(" + strconv.Itoa(int(r)) + ")"
}

// TSP is a trust service provider: whom to ask for a certificate. The State
// itself, which runs roots and domain CAs, is none.
type TSP string

const (
	KPN         TSP = "KPN"
	QuoVadis    TSP = "QuoVadis" // now part of DigiCert
	DigiCert    TSP = "DigiCert"
	Digidentity TSP = "Digidentity"
	CIBG        TSP = "CIBG" // UZI-register
	Cleverbase  TSP = "Cleverbase"
	Defensie    TSP = "Ministerie van Defensie"
)

func tspOf(organization []string) TSP {
	if len(organization) != 1 {
		return ""
	}
	switch organization[0] {
	case "KPN B.V.":
		return KPN
	case "QuoVadis Trustlink B.V.":
		return QuoVadis
	case "DigiCert Europe Netherlands B.V.":
		return DigiCert
	case "Digidentity B.V.":
		return Digidentity
	case "CIBG":
		return CIBG
	case "Cleverbase ID B.V.":
		return Cleverbase
	case "Ministerie van Defensie":
		return Defensie
	}
	return ""
}

// Recognition is by what [ClaimOf] recognised a certificate, the surest first.
type Recognition uint8

const (
	ByKey           Recognition = iota + 1 // its public key is that of a known CA
	ByKeyIdentifier                        // it names a known CA as its issuer, and that CA's key identifier
	ByName                                 // its own name or its issuer's is that of a known CA, and no more than that
)

// String returns "key", "key identifier" or "name".
func (r Recognition) String() string {
	switch r {
	case ByKey:
		return "key"
	case ByKeyIdentifier:
		return "key identifier"
	case ByName:
		return "name"
	}
	return "Recognition(" + strconv.Itoa(int(r)) + ")"
}

// Claim is what a certificate says about its holder and its place in PKIoverheid.
// Anybody can make a certificate that says the same: a Claim authorises nothing.
// What was verified is an [Identity].
type Claim struct {
	Hierarchy Hierarchy
	Role      Role

	// Kind is that of the certificate's policies; zero for a CA, and where they are
	// not known.
	Kind Kind

	// TSP is the provider that issued the certificate, or whose CA it is; empty
	// for the State's own CAs and where it is not known.
	TSP TSP

	// Policies are the certificate policies that the certificate asserts. The slice
	// is shared and must not be modified.
	Policies []x509.OID

	// OIN is the subject's serialNumber where there is one and that has the form
	// of an OIN, else empty. Providers put numbers of their own there as well.
	OIN OIN

	// UZI is the holder of an UZI server certificate; zero in any other.
	UZI UZI

	// By says how the hierarchy was recognised.
	By Recognition

	// Fixture is true below a CA of package pkiotest, whose keys are public.
	Fixture bool

	// Certificate is the one that this is about.
	Certificate *x509.Certificate
}

// ClaimOf returns what a certificate claims. It is false for nil and for a
// certificate of no PKIoverheid hierarchy that is known here. It checks no
// signature, date or revocation.
func ClaimOf(cert *x509.Certificate) (Claim, bool) {
	if cert == nil || len(cert.Raw) == 0 {
		return Claim{}, false
	}
	self, issuer, by := recognised().find(cert)
	return claimAs(cert, self, issuer, by)
}

// claimAs is what a certificate claims that was found to be an authority, or to
// name one as its issuer.
func claimAs(cert *x509.Certificate, self, issuer *authority, by Recognition) (Claim, bool) {
	c := Claim{Policies: cert.Policies, By: by, Certificate: cert}
	switch {
	case self != nil:
		c.Hierarchy, c.Role, c.TSP, c.Fixture = self.hierarchy, self.role, self.tsp, self.fixture
	case issuer != nil:
		c.Fixture = issuer.fixture
		c.Hierarchy, c.Role, c.TSP = placeBelow(issuer, cert)
		if c.Role == EndEntity {
			c.Kind = kindOf(c.Hierarchy, cert.Policies)
			c.OIN, c.UZI = oinOf(cert), uziOf(cert, c.TSP)
		}
	default:
		return Claim{}, false
	}
	return c, true
}

// placeBelow is what follows from the issuer.
func placeBelow(issuer *authority, cert *x509.Certificate) (Hierarchy, Role, TSP) {
	role, tsp := EndEntity, issuer.tsp
	if cert.IsCA && cert.BasicConstraintsValid {
		role = min(issuer.role+1, TSPCA)
		if own := tspOf(cert.Subject.Organization); own != "" {
			tsp = own
		}
	}
	return issuer.hierarchy, role, tsp
}

// oinOf returns the OIN in the subject, empty if there is none.
func oinOf(cert *x509.Certificate) OIN {
	if oin := OIN(cert.Subject.SerialNumber); isOIN(oin) && serialNumbers(cert) == 1 {
		return oin
	}
	return ""
}

// serialNumbers counts the subject's attributes of that type (2.5.4.5): a
// certificate with two is nobody's.
func serialNumbers(cert *x509.Certificate) int {
	n := 0
	for _, name := range cert.Subject.Names {
		if t := name.Type; len(t) == 4 && t[0] == 2 && t[1] == 5 && t[2] == 4 && t[3] == 5 {
			n++
		}
	}
	return n
}

// isOIN is Validate without an error to allocate.
func isOIN(o OIN) bool { return len(o) == 20 && o.fault() == "" }
