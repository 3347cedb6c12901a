package pkioverheid

import (
	"crypto/x509"
	"time"

	"github.com/go-pkioverheid/trust/chain"
)

// Claim is what a certificate says about its holder and its place in PKIoverheid.
// Anybody can make a certificate that says the same: a Claim authorises nothing.
// What was verified is an [Identity].
type Claim struct {
	Hierarchy Hierarchy

	// Role is Root, DomainCA, TSPCA or EndEntity.
	Role string

	// Kind is that of the certificate's policies; empty for a CA, and where they are
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

	// By says how the hierarchy was recognised: ByKey, ByKeyIdentifier or ByName.
	By string

	// Fixture is true for and below a CA of package pkiotest, whose keys are public.
	// KeyPublic is true where the private key of this very certificate is public.
	Fixture, KeyPublic bool

	// TestMark is by what the certificate shows that it is for tests, such as a name
	// that starts with TRIAL, in a few words; empty for others.
	TestMark string

	// Withdrawal is set where the certificate is, or names as its issuer, a CA that was
	// withdrawn. Of G3, RejectG3 says more, and it is nil.
	Withdrawal *Withdrawal

	// Certificate is the one that this is about.
	Certificate *x509.Certificate
}

// Withdrawal says which CA was withdrawn.
type Withdrawal struct {
	CA        string // its common name
	Hierarchy Hierarchy
	TSP       TSP
	On        time.Time
	Source    string // who says so
	Self      bool   // the certificate is that CA's own
}

// ClaimOf returns what a certificate claims. It is false for nil, and for a certificate
// under no hierarchy that is known here: its Claim has only what does not depend on one.
// Signatures, dates and revocation are not checked.
func ClaimOf(cert *x509.Certificate) (Claim, bool) {
	if cert == nil || len(cert.Raw) == 0 {
		return Claim{}, false
	}
	r, key := recognised(), chain.KeyHash(cert)
	self, issuer, by := r.findKey(cert, key)
	c := Claim{Policies: cert.Policies, By: by, Certificate: cert, KeyPublic: r.publicKeys[key]}
	c.TestMark, _ = testMark(cert)
	if ca, own := r.withdrawn(cert, key); ca != nil {
		c.Withdrawal = &Withdrawal{CA: ca.name.cn, Hierarchy: ca.hierarchy, TSP: ca.tsp, On: ca.withdrawnOn(), Source: ca.source, Self: own}
	}
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
		return c, false
	}
	return c, true
}

// placeBelow is what follows from the issuer.
func placeBelow(issuer *authority, cert *x509.Certificate) (Hierarchy, string, TSP) {
	role, tsp := EndEntity, issuer.tsp
	if cert.IsCA && cert.BasicConstraintsValid {
		role = layerBelow(issuer.role)
		if own := tspOf(cert.Subject.Organization); own != "" {
			tsp = own
		}
	}
	return issuer.hierarchy, role, tsp
}

func claimedHierarchy(c *x509.Certificate) Hierarchy {
	if c == nil {
		return ""
	}
	claim, _ := ClaimOf(c)
	return claim.Hierarchy
}
