package pkioverheid

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Identity is who the other side is, from a chain that was verified. Only a
// verification makes one; the zero value is nobody, and authorises nothing.
//
// An identity is not yet a permission: PKIoverheid issues to persons too. See
// [AllowOIN].
type Identity struct {
	chain     chain.Chain
	hierarchy Hierarchy
	kind      Kind
	tsp       TSP
	policies  []x509.OID
	oin       OIN
	uzi       UZI
	added     bool   // below a root of Trust.Roots, which nobody here knows
	probe     *probe // see faultOf
}

// probe makes an Identity one by which a constructor asks an Authorizer for what cannot
// work in it, wherever that is: it is recorded here, for a composition may drop errors.
type probe struct {
	asking  atomic.Bool
	refused bool // what the authorizers of this package answer
	fault   atomic.Pointer[error]
}

func (id Identity) isProbe() bool { return id.probe != nil && id.probe.asking.Load() }

// OIN returns the OIN of a system or an organisation (see [Identity.Kind]); empty where
// the subject's serialNumber has not the form of one. Of others the number is only a claim:
// see [Identity.Claim].
func (id Identity) OIN() OIN { return id.oin }

// Policies returns the certificate policies that are valid along the whole chain:
// see [chain.Chain.Policies].
func (id Identity) Policies() []x509.OID { return slices.Clone(id.policies) }

// Kind returns what the policies of the chain make of the holder; zero where the
// hierarchy does not know them, and under G3.
func (id Identity) Kind() Kind { return id.kind }

// TSP returns the provider that issued the certificate; empty where it is not
// known. It comes from the keys of CAs, and from their names only below roots of the
// State and those of [ServerConfig.ClientRoots] and [Trust.TrialRoots].
func (id Identity) TSP() TSP { return id.tsp }

// UZI returns the holder of an UZI server certificate. It is false for any other
// certificate, where the TSP is not CIBG, and where the policies are not those of a system
// or an organisation.
func (id Identity) UZI() (UZI, bool) { return id.uzi, id.uzi != UZI{} }

// Hierarchy returns the hierarchy of the chain's CAs, by their keys; zero under a
// root that the user added.
func (id Identity) Hierarchy() Hierarchy { return id.hierarchy }

// Certificate returns the certificate of the holder, nil for the zero Identity. It
// is shared and must not be modified.
func (id Identity) Certificate() *x509.Certificate { return id.chain.Leaf() }

// Chain returns the verified chain.
func (id Identity) Chain() chain.Chain { return slices.Clone(id.chain) }

// Claim returns what the certificate says about itself, of which only what the
// other methods return was verified.
func (id Identity) Claim() Claim {
	cert := id.Certificate()
	if cert == nil {
		return Claim{}
	}
	if c, ok := ClaimOf(cert); ok {
		return c
	}
	return Claim{Role: EndEntity, Policies: cert.Policies, OIN: oinOf(cert), Certificate: cert}
}

func init() {
	testidentity.Of = func(c []*x509.Certificate) (any, error) { return identityOf(c, true) }
}

var errNotVerified = errors.New("pkioverheid: the peer showed no certificate that was verified")

// identityOf reads a verified chain; added says that systems may be under its root
// although its hierarchy is not known. The hierarchy is zero where none of its CAs is
// known by key.
func identityOf(c chain.Chain, added bool) (Identity, error) {
	if len(c) == 0 || slices.Contains(c, nil) {
		return Identity{}, errNotVerified
	}
	leaf := c[0]
	if len(c) == 1 || leaf.IsCA && leaf.BasicConstraintsValid {
		return Identity{}, fmt.Errorf("pkioverheid: %s is a CA, which identifies nobody", safetext.Certificate(leaf))
	}
	c = completed(c)
	id := Identity{chain: c, policies: c.Policies()}
	if a := authorityAbove(c); a != nil {
		id.hierarchy, _, id.tsp = placeBelow(a, leaf)
	} else if added {
		id.tsp = tspOf(c[1].Subject.Organization)
	}
	if id.hierarchy != G3 && (id.hierarchy != "" || added) {
		id.kind = kindOf(id.hierarchy, id.policies)
	}
	id.added = id.hierarchy == "" && !added
	if id.kind == System || id.kind == Organisation {
		id.oin, id.uzi = oinOf(leaf), uziOf(leaf, id.tsp)
	}
	return id, nil
}

// authorityAbove is the issuer of a chain's certificate as far as it is known: by
// its key, or below a CA that is.
func authorityAbove(c chain.Chain) *authority {
	r := recognised()
	for i, ca := range c[1:] {
		a := r.keyOf(ca)
		if a == nil {
			continue
		}
		if i > 0 {
			// There are others between a known CA and the certificate. The TSP is theirs,
			// by a name that the State gave, unless one of a TSP is above them.
			between := *a
			if a.tsp == "" {
				between.tsp = tspBelow(c[:i+1])
			}
			between.role = TSPCA
			return &between
		}
		return a
	}
	return nil
}

// tspBelow is the TSP of the uppermost CA that is not the State's: what a TSP calls the CAs
// below its own is its word alone.
func tspBelow(c chain.Chain) TSP {
	for i := len(c) - 1; i > 0; i-- {
		if o := c[i].Subject.Organization; len(o) != 1 || o[0] != stateO {
			return tspOf(o)
		}
	}
	return ""
}

// completed continues a chain that ends at a known CA below its root, as those do
// that crypto/tls verified by a pool with CAs in it.
func completed(c chain.Chain) chain.Chain {
	for len(c) < 10 && !selfIssued(c.Root()) {
		last := c.Root()
		a := recognised().keyOf(last)
		if a == nil {
			return c
		}
		cas := embedded()[a.hierarchy]
		if a.fixture {
			cas = fixture.Certificates(string(a.hierarchy))
		}
		i := slices.IndexFunc(cas, func(ca *x509.Certificate) bool {
			return bytes.Equal(ca.RawSubject, last.RawIssuer) && bytes.Equal(ca.SubjectKeyId, last.AuthorityKeyId)
		})
		if i < 0 {
			return c
		}
		c = append(slices.Clip(c), cas[i])
	}
	return c
}
