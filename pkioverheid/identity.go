package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
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

// Recognition is by what [Identify] recognised a certificate, the surest first.
type Recognition uint8

const (
	ByKey           Recognition = iota + 1 // its public key is that of a known CA, or its verified chain leads to one
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

// Identity is what a certificate says about who holds it and where in
// PKIoverheid it stands. From [Identify] it is a claim, which anybody can make;
// from [PeerIdentity] it was verified.
type Identity struct {
	// Hierarchy is zero for a verified peer under a root that the user added.
	Hierarchy Hierarchy
	Role      Role

	// TSP is the provider that issued the certificate, or whose CA it is; empty
	// for the State's own CAs and where it is not known. Of a verified peer it is
	// told by keys, and by the names of CAs only below roots of the State and those
	// of Config.ClientRoots and Config.TrialRoots.
	TSP TSP

	// Policies are the certificate policies that the certificate asserts; of a
	// verified peer, those that each CA between it and the root asserts too. The
	// slice is shared and must not be modified.
	Policies []x509.OID

	// OIN is the subject's serialNumber where there is one and that has the form
	// of an OIN, else empty. Providers put numbers of their own there as well.
	OIN OIN

	// By tells how the hierarchy was recognised; zero if it was not.
	By Recognition

	// Fixture is true below a CA of package pkiotest, whose keys are public.
	Fixture bool

	// Certificate is the one that this is about.
	Certificate *x509.Certificate

	addedRoot bool // verified below Config.ClientRoots or Config.TrialRoots
}

// Identify tells what a certificate claims: which hierarchy of PKIoverheid, which
// place in it, whose, and by what that was recognised. It is false for a
// certificate of no PKIoverheid hierarchy known here, and for nil. It checks no
// signature, date or revocation: a forger can write the same claims. Trust and
// authorise by [PeerIdentity].
func Identify(cert *x509.Certificate) (Identity, bool) {
	if cert == nil || len(cert.Raw) == 0 {
		return Identity{}, false
	}
	self, issuer, by := recognised().find(cert)
	return identityAs(cert, self, issuer, by)
}

// identityAs is what a certificate claims that was found to be an authority, or to
// name one as its issuer.
func identityAs(cert *x509.Certificate, self, issuer *authority, by Recognition) (Identity, bool) {
	id := Identity{Policies: cert.Policies, By: by, Certificate: cert}
	switch {
	case self != nil:
		id.Hierarchy, id.Role, id.TSP, id.Fixture = self.hierarchy, self.role, self.tsp, self.fixture
	case issuer != nil:
		id.setBelow(issuer)
	default:
		return Identity{}, false
	}
	return id, true
}

// setBelow fills in what follows from the issuer.
func (id *Identity) setBelow(issuer *authority) {
	cert := id.Certificate
	id.Hierarchy, id.TSP, id.Fixture = issuer.hierarchy, issuer.tsp, issuer.fixture
	id.Role = EndEntity
	if cert.IsCA && cert.BasicConstraintsValid {
		id.Role = min(issuer.role+1, TSPCA)
		if t := tspOf(cert.Subject.Organization); t != "" {
			id.TSP = t
		}
		return
	}
	id.OIN = oinOf(cert)
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

var errNotVerified = errors.New("pkioverheid: the peer showed no certificate that was verified")

// PeerIdentity returns who the other side of a TLS connection is, from its
// verified chains only. It is an error if there is none (no certificate, or
// verification was turned off), and if none leads to a CA that this package
// knows by its key. Roots that a user adds are not known here, [Config.ClientRoots]
// among them: [IdentifyCallers] knows them, and so do an [Authorizer] and
// [IdentityFromContext].
//
// An identity is not yet a permission: PKIoverheid issues to persons too. See
// [AllowOIN].
func PeerIdentity(cs *tls.ConnectionState) (Identity, error) {
	if cs == nil || len(cs.VerifiedChains) == 0 {
		return Identity{}, errNotVerified
	}
	for _, c := range cs.VerifiedChains {
		if id := identityOf(c); id.Hierarchy != 0 {
			return id, nil
		}
	}
	for _, c := range cs.VerifiedChains {
		if len(c) > 0 {
			return Identity{}, fmt.Errorf("pkioverheid: %s is not below a CA of PKIoverheid known here", quote.Certificate(c[0]))
		}
	}
	return Identity{}, errNotVerified
}

// identityOf reads a verified chain. The hierarchy is zero where none of its CAs
// is known by key.
func identityOf(c chain.Chain) Identity {
	if len(c) == 0 || c[0] == nil {
		return Identity{}
	}
	id := Identity{Certificate: c[0], Policies: c[0].Policies}
	r := recognised()
	if len(c) == 1 {
		// A CA that stands in the pool itself; no system, whatever it is.
		if a := r.keyOf(c[0]); a != nil {
			id.Hierarchy, id.Role, id.TSP, id.Fixture, id.By = a.hierarchy, a.role, a.tsp, a.fixture, ByKey
		}
		return id
	}
	var known *authority
	for i, ca := range c[1:] {
		a := r.keyOf(ca)
		if a == nil {
			continue
		}
		known = a
		if i == 0 {
			break
		}
		// Between a known CA and the certificate stand others. The TSP is theirs, by
		// a name that the State gave, unless one of a TSP stands above them.
		between := *a
		if a.tsp == "" {
			between.tsp = tspOf(c[1].Subject.Organization)
		}
		between.role = TSPCA
		known = &between
		break
	}
	if known != nil {
		id.setBelow(known)
		id.By = ByKey
	} else {
		id.setBelow(&authority{role: TSPCA}) // of a TSP there is no more than a name
	}
	id.Policies = policiesAlong(c, r)
	return id
}

// policiesAlong returns the policies of the end-entity certificate that every CA
// below the root asserts as well (RFC 5280 section 6.1, without mappings, which
// PKIoverheid does not use). A chain that ends at a TSP CA is continued with the
// domain CA above that.
func policiesAlong(c chain.Chain, r *registry) []x509.OID {
	cas := c[1:]
	last := cas[len(cas)-1]
	if selfIssued(last) {
		cas = cas[:len(cas)-1]
	} else if a := r.keyOf(last); a != nil && a.role == TSPCA && a.cert != nil {
		cas = append(slices.Clone(cas), embedded()[a.hierarchy][1])
	}
	return slices.DeleteFunc(slices.Clone(c[0].Policies), func(p x509.OID) bool {
		return slices.ContainsFunc(cas, func(ca *x509.Certificate) bool { return !asserts(ca, p) })
	})
}

var anyPolicy = policy.Parse("2.5.29.32.0")

// asserts reports whether the CA allows the policy below it: by name or as anyPolicy.
func asserts(ca *x509.Certificate, p x509.OID) bool {
	return slices.ContainsFunc(ca.Policies, func(q x509.OID) bool {
		return q.Equal(p) || q.Equal(anyPolicy)
	})
}
