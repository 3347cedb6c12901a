package pkioverheid

import "crypto/x509"

// authority is a CA of PKIoverheid that this package can recognise.
type authority struct {
	name      caName
	hierarchy Hierarchy
	role      string // see Claim.Role
	tsp       TSP
	withdrawn string // the day, of a CA that was withdrawn, rather than being merely not for TLS
	source    string // who says so
	fixture   bool   // its private key is public: package pkiotest

	// cert is one of the certificates of the CA, if one is available.
	cert *x509.Certificate
}

// caName is a CA's name, compared attribute by attribute: their order differs
// from hierarchy to hierarchy, and organizationIdentifier is not always there
// (facts.md §1). A name with two of one attribute is nobody's.
type caName struct{ cn, o, c string }

// By what [ClaimOf] recognised a certificate, the surest first.
const (
	ByKey           = "key"            // its public key is that of a known CA
	ByKeyIdentifier = "key identifier" // it names a known CA as its issuer, and that CA's key identifier
	ByName          = "name"           // its own name or its issuer's is that of a known CA, and no more than that
)

// The values of Claim.Role.
const (
	Root      = "root"       // stamcertificaat
	DomainCA  = "domain CA"  // domeincertificaat
	TSPCA     = "TSP CA"     // the CA of a trust service provider
	EndEntity = "end entity" // a certificate of a system, organisation or person
)

// layer returns the role of a CA with so many CAs above it.
func layer(above int) string { return [...]string{Root, DomainCA, TSPCA}[min(above, 2)] }

// layerBelow returns the role of a CA that one of the role issued.
func layerBelow(role string) string {
	if role == Root {
		return DomainCA
	}
	return TSPCA
}
