package pkioverheid

import (
	"crypto/x509"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

// Nobody outside this package can write into an Identity.
func TestAnIdentityHasNoExportedFields(t *testing.T) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Identity]()) {
		assert.False(t, field.IsExported(), field.Name)
	}
	assert.False(t, reflect.TypeFor[Claim]().ConvertibleTo(reflect.TypeFor[Identity]()))
}

func TestTheZeroIdentityAuthorisesNothing(t *testing.T) {
	var list OINList
	require.NoError(t, list.Set("00000003271987420000"))
	for name, allow := range map[string]Authorizer{
		"AllowAnySystem":      AllowAnySystem(),
		"AllowOIN":            AllowOIN("00000003271987420000"),
		"AllowOIN of nothing": AllowOIN(),
		"AllowOIN of no OIN":  AllowOIN(""),
		"OINList":             list.Allow,
		"the zero OINList":    new(OINList).Allow,
		"AllowTSP":            AllowTSP(KPN),
	} {
		assert.Error(t, allow(Identity{}), name)
	}
	var id Identity
	assert.Nil(t, id.Certificate())
	assert.Empty(t, id.Chain())
	assert.Equal(t, Claim{}, id.Claim())
	assert.Zero(t, id.Kind())
}

// The callers of an Identity cannot change what it holds.
func TestAnIdentityHandsOutCopies(t *testing.T) {
	policies := []x509.OID{policy.Parse("2.16.528.1.1003.1.2.8.6")}
	root := &x509.Certificate{RawTBSCertificate: []byte{1}}
	id, err := identityOf(chain.Chain{{RawTBSCertificate: []byte{2}, Policies: policies}, root}, true)
	require.NoError(t, err)
	id.Policies()[0], id.Chain()[0] = x509.OID{}, nil
	assert.Equal(t, policies, id.Policies())
	assert.NotNil(t, id.Certificate())
}

// The policies of an Identity are those that chain.RequirePolicy finds, one by one,
// and AllowAnySystem lets in whom RequirePolicy would for the policies of systems.
func TestAnIdentityHasThePoliciesThatChainRequires(t *testing.T) {
	system, other, anyPolicy := policy.Parse("2.16.528.1.1003.1.2.8.6"), policy.Parse("1.2.3"), policy.Parse("2.5.29.32.0")
	all := []x509.OID{system, other, anyPolicy}
	for seed := range uint64(4000) {
		d := rand.New(rand.NewPCG(seed, 1))
		some := func() (oids []x509.OID) {
			for _, oid := range all {
				if d.IntN(3) > 0 {
					oids = append(oids, oid)
				}
			}
			return oids
		}
		c := make(chain.Chain, 2+d.IntN(4))
		for i := range c {
			cert := &x509.Certificate{RawTBSCertificate: []byte{1}, RawSubject: []byte{byte(i)}, RawIssuer: []byte{byte(i + 1)}, Policies: some(), Subject: named("CA", "CIBG")}
			if i == len(c)-1 || d.IntN(6) == 0 {
				cert.RawIssuer = cert.RawSubject
			}
			if i > 0 && d.IntN(5) == 0 {
				cert.PolicyMappings = []x509.PolicyMapping{{IssuerDomainPolicy: all[d.IntN(3)], SubjectDomainPolicy: all[d.IntN(3)]}}
			}
			if i > 0 && d.IntN(3) == 0 {
				cert.InhibitAnyPolicy = d.IntN(3)
				cert.InhibitAnyPolicyZero = cert.InhibitAnyPolicy == 0
			}
			c[i] = cert
		}
		id, err := identityOf(c, true)
		require.NoError(t, err)
		for _, oid := range all {
			want := chain.RequirePolicy(oid)(c, time.Time{}) == nil
			assert.Equal(t, want, containsOID(id.Policies(), oid), "seed %d, %v", seed, oid)
		}
		want := chain.RequirePolicy(system)(c, time.Time{}) == nil
		assert.Equal(t, want, AllowAnySystem()(id) == nil, "seed %d", seed)
		if t.Failed() {
			return
		}
	}
}

func containsOID(list []x509.OID, oid x509.OID) bool {
	for _, o := range list {
		if o.Equal(oid) {
			return true
		}
	}
	return false
}

func TestTheKindOfACertificateIsThatOfItsPolicies(t *testing.T) {
	for _, c := range []struct {
		name      string
		hierarchy Hierarchy
		policies  []string // below 2.16.528.1.1003.1.2
		want      Kind
	}{
		{"a server of G1", PrivateG1, []string{"8.6"}, System},
		{"a signature of an organisation", PrivateG1, []string{"8.4"}, Organisation},
		{"a person", PrivateG1, []string{"8.2"}, Person},
		{"a system among others", PrivateG1, []string{"8.1", "8.6"}, System},
		{"a policy of another hierarchy", PrivateG4TLS, []string{"8.6"}, ""},
		{"a system of G4", PrivateG4TLS, []string{"44.15.35.11"}, System},
		{"a public server", EV, []string{"5.9"}, System},
		{"the TRIAL tool's", PrivateG4TLS, []string{"41.15.35.11"}, ForTests},
		{"the TRIAL tool's, below a root that was named for it", "", []string{"41.15.35.11"}, System},
		{"G4 G-Other", "", []string{"44.16.25.8"}, System},
		{"a person of G4 G-Other", "", []string{"44.16.12.7"}, Person},
		{"what only begins as that", "", []string{"44.16.120"}, ""},
		{"none", PrivateG1, nil, ""},
		{"no hierarchy at all", "g5", []string{"8.6"}, ""},
	} {
		var oids []x509.OID
		for _, p := range c.policies {
			oids = append(oids, policy.Parse("2.16.528.1.1003.1.2."+p))
		}
		assert.Equal(t, c.want, kindOf(c.hierarchy, oids), c.name)
	}
	for _, h := range Hierarchies() {
		assert.True(t, slices.ContainsFunc(h.row().policies, func(r policy.Rule) bool { return r.Kind == policy.System }), "%v: nobody below it would be a system", h)
	}
	for _, k := range []policy.Kind{policy.System, policy.Organisation, policy.Person, policy.Test} {
		assert.Contains(t, []Kind{System, Organisation, Person, ForTests}, Kind(k))
	}
}
