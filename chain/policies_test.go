package chain_test

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 a key that no policy may take
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// anyPolicyOID is anyPolicy of RFC 5280 section 4.2.1.4.
var anyPolicyOID = oid(2, 5, 29, 32, 0)

func inhibitAnyPolicy(skip byte) edit { return extension(ce(54), true, 2, 1, skip) }

// mapPolicy is the policyMappings extension of RFC 5280 section 4.2.1.5.
func mapPolicy(issuers, subjects x509.OID) edit {
	type mapping struct{ Issuers, Subjects asn1.ObjectIdentifier }
	plain := func(id x509.OID) (oid asn1.ObjectIdentifier) {
		for _, arc := range strings.Split(id.String(), ".") {
			oid = append(oid, must(strconv.Atoi(arc)))
		}
		return oid
	}
	return extension(ce(33), true, must(asn1.Marshal([]mapping{{plain(issuers), plain(subjects)}}))...)
}

func subjectName(name pkix.Name) edit { return func(c *x509.Certificate) { c.Subject = name } }

func TestPolicies(t *testing.T) {
	l := newLayers()
	other := newLayers()
	reissued := l.domain.certify("Issuing CA", l.issuing.key)
	wanted, unwanted := oid(2, 16, 528, 1, 1003, 1, 2, 8, 6), oid(1, 2, 3)
	with := func(leaf, issuing, domain []edit) chain.Chain { return newLayers(nil, domain, issuing, leaf).full() }
	asserting := func(leaf, issuing, domain x509.OID) chain.Chain {
		return with([]edit{policies(leaf)}, []edit{policies(issuing)}, []edit{policies(domain)})
	}
	named := with(nil, []edit{subjectName(pkix.Name{CommonName: "Issuing  ca", Organization: []string{"CIBG"}, Country: []string{"NL"},
		ExtraNames: []pkix.AttributeTypeAndValue{{Type: []int{2, 5, 4, 97}, Value: "NTRNL-1"}}})}, nil)
	withKey := func(place int, key crypto.Signer) chain.Chain {
		c := l.full()
		c[place] = sign(caTemplate("Holder"), nil, key, l.root.key, nil)
		return c
	}
	p384, rsa2048, ed25519 := withKey(1, onCurve(elliptic.P384())), withKey(1, newSmoothKey(2048, 65537)), signers()[0]
	ofDSA := *l.leaf
	ofDSA.PublicKey = new(dsa.PublicKey)

	for _, test := range []struct {
		name   string
		policy chain.Policy
		chain  chain.Chain
		cert   int    // which is refused; -1 for none
		says   string // part of the error
	}{
		{"nothing is distrusted", chain.VetoCertificates().Policy, l.full(), -1, ""},
		{"another certificate is distrusted", chain.VetoCertificates(truststore.FingerprintOf(other.leaf)).Policy, l.full(), -1, ""},
		{"the leaf is distrusted by its fingerprint", chain.VetoCertificates(truststore.FingerprintOf(l.leaf)).Policy, l.full(), 0, truststore.FingerprintOf(l.leaf).String()},
		{"a CA is distrusted by its fingerprint", chain.VetoCertificates(truststore.FingerprintOf(other.leaf), truststore.FingerprintOf(l.domain.Certificate)).Policy, l.full(), 2, "distrusted"},
		{"the root is distrusted by its fingerprint", chain.VetoCertificates(truststore.FingerprintOf(l.root.Certificate)).Policy, l.full(), 3, "distrusted"},
		{"a reissued CA has another fingerprint", chain.VetoCertificates(truststore.FingerprintOf(reissued.Certificate)).Policy, l.full(), -1, ""},
		{"the zero fingerprint distrusts nothing", chain.VetoCertificates(truststore.Fingerprint{}).Policy, chain.Chain{{}, nil}, -1, ""},

		{"no keys are distrusted", chain.VetoKeys().Policy, l.full(), -1, ""},
		{"a key is distrusted", chain.VetoKeys(chain.KeyHash(l.leaf)).Policy, l.full(), 0, "public key"},
		{"a key is distrusted in a reissued CA as well", chain.VetoKeys(chain.KeyHash(reissued.Certificate)).Policy, l.full(), 1, "public key"},
		{"a key of nobody", chain.VetoKeys([32]byte{}, sha256.Sum256(nil)).Policy, chain.Chain{{}, nil}, -1, ""},

		{"no names are distrusted", chain.VetoSubjects().Policy, l.full(), -1, ""},
		{"a name is distrusted", chain.VetoSubjects(pkix.Name{CommonName: "Domain CA"}).Policy, l.full(), 2, "name"},
		{"the start of a name is another name", chain.VetoSubjects(pkix.Name{CommonName: "Domain"}).Policy, l.full(), -1, ""},
		{"case and repeated spaces do not count", chain.VetoSubjects(pkix.Name{CommonName: "ISSUING CA "}).Policy, named, 1, "name"},
		{"more attributes are asked for, and there", chain.VetoSubjects(pkix.Name{CommonName: "Issuing CA", Organization: []string{"CIBG"}, Country: []string{"NL"}}).Policy, named, 1, "name"},
		{"more attributes are asked for, and one is another", chain.VetoSubjects(pkix.Name{CommonName: "Issuing CA", Organization: []string{"CIBG"}, Country: []string{"BE"}}).Policy, named, -1, ""},
		{"more attributes are asked for, and not there", chain.VetoSubjects(pkix.Name{CommonName: "Issuing CA", Organization: []string{"CIBG"}}).Policy, l.full(), -1, ""},
		{"a value of another attribute is another", chain.VetoSubjects(pkix.Name{CommonName: "CIBG"}).Policy, named, -1, ""},
		{"the subject of a certificate can be given", chain.VetoSubjects(named[1].Subject).Policy, named, 1, "name"},
		{"with its unusual attributes", chain.VetoSubjects(named[1].Subject).Policy, with(nil, []edit{subjectName(pkix.Name{CommonName: "Issuing CA", Organization: []string{"CIBG"}, Country: []string{"NL"}})}, nil), -1, ""},
		{"an empty name distrusts everything", chain.VetoSubjects(pkix.Name{}).Policy, l.full(), 0, "name"},

		{"no leaf is pinned", chain.PinLeaf(), l.full(), 0, "not among the 0"},
		{"the leaf is pinned", chain.PinLeaf(truststore.FingerprintOf(other.leaf), truststore.FingerprintOf(l.leaf)), l.full(), -1, ""},
		{"another leaf is pinned", chain.PinLeaf(truststore.FingerprintOf(other.leaf)), l.full(), 0, truststore.FingerprintOf(l.leaf).String()},
		{"its CA is pinned, which is not a leaf", chain.PinLeaf(truststore.FingerprintOf(l.issuing.Certificate)), l.full(), 0, "not among"},
		{"the zero fingerprint pins nothing", chain.PinLeaf(truststore.Fingerprint{}), chain.Chain{{}}, 0, "not among"},

		{"no policy is enough", chain.RequirePolicy(), asserting(wanted, wanted, wanted), 0, "no policy is"},
		{"the policy is asserted all the way", chain.RequirePolicy(wanted), asserting(wanted, wanted, wanted), -1, ""},
		{"the policy is one of those asked for", chain.RequirePolicy(unwanted, wanted), asserting(wanted, wanted, wanted), -1, ""},
		{"CAs have anyPolicy", chain.RequirePolicy(wanted), asserting(wanted, anyPolicyOID, anyPolicyOID), -1, ""},
		{"a leaf has anyPolicy", chain.RequirePolicy(wanted), asserting(anyPolicyOID, wanted, wanted), 0, wanted.String()},
		{"a leaf has another", chain.RequirePolicy(wanted), asserting(unwanted, wanted, wanted), 0, wanted.String()},
		{"a leaf has none", chain.RequirePolicy(wanted), with(nil, []edit{policies(wanted)}, []edit{policies(wanted)}), 0, wanted.String()},
		{"the issuing CA has another", chain.RequirePolicy(wanted), asserting(wanted, unwanted, wanted), 1, wanted.String()},
		{"the domain CA has another", chain.RequirePolicy(wanted), asserting(wanted, wanted, unwanted), 2, wanted.String()},
		{"the domain CA has none", chain.RequirePolicy(wanted), with([]edit{policies(wanted)}, []edit{policies(wanted)}, nil), 2, wanted.String()},
		{"one policy is asserted here and the other there", chain.RequirePolicy(wanted, unwanted), asserting(wanted, unwanted, anyPolicyOID), 0, " or "},
		{"anyPolicy is inhibited at once", chain.RequirePolicy(wanted), with([]edit{policies(wanted)}, []edit{policies(anyPolicyOID)}, []edit{policies(wanted), inhibitAnyPolicy(0)}), 1, wanted.String()},
		{"anyPolicy is inhibited further below", chain.RequirePolicy(wanted), with([]edit{policies(wanted)}, []edit{policies(anyPolicyOID)}, []edit{policies(wanted), inhibitAnyPolicy(1)}), -1, ""},
		{"anyPolicy is inhibited, and not needed", chain.RequirePolicy(wanted), with([]edit{policies(wanted)}, []edit{policies(wanted)}, []edit{policies(anyPolicyOID), inhibitAnyPolicy(0)}), -1, ""},
		{"a CA maps it to another", chain.RequirePolicy(wanted), with([]edit{policies(wanted)}, []edit{policies(wanted), mapPolicy(wanted, unwanted)}, []edit{policies(wanted)}), 1, wanted.String()},
		{"a CA maps another to it", chain.RequirePolicy(wanted), with([]edit{policies(wanted)}, []edit{policies(anyPolicyOID)}, []edit{policies(anyPolicyOID), mapPolicy(unwanted, wanted)}), 2, wanted.String()},
		{"a CA maps others", chain.RequirePolicy(wanted), with([]edit{policies(wanted)}, []edit{policies(wanted), mapPolicy(unwanted, unwanted)}, []edit{policies(wanted)}), -1, ""},
		{"a root alone has none", chain.RequirePolicy(wanted), l.full()[3:], 0, wanted.String()},

		{"keys are large enough", chain.MinKeySizes(2048, 256), l.full(), -1, ""},
		{"no minimum", chain.MinKeySizes(0, 0), l.full(), -1, ""},
		{"a curve is too small", chain.MinKeySizes(2048, 384), p384, 0, "ECDSA key has 256 bits, and at least 384"},
		{"a modulus is too small", chain.MinKeySizes(3072, 256), rsa2048, 1, "RSA key has 2048 bits, and at least 3072"},
		{"a modulus is just large enough", chain.MinKeySizes(2048, 256), rsa2048, -1, ""},
		{"Ed25519 counts as 256 bits", chain.MinKeySizes(0, 256), withKey(0, ed25519), -1, ""},
		{"Ed25519 counts as no more", chain.MinKeySizes(0, 384), withKey(3, ed25519), 0, "ECDSA"},
		{"DSA keys have no size that is enough", chain.MinKeySizes(0, 0), chain.Chain{&ofDSA}, 0, "neither"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.policy(test.chain, now)
			if test.cert < 0 {
				assert.NoError(t, err)
				return
			}
			var refused *chain.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
			assert.Same(t, test.chain[test.cert], refused.Cert)
			assert.Equal(t, test.chain, refused.Chain)
			assert.Equal(t, now, refused.At)
			assert.ErrorContains(t, err, test.says)
		})
	}
}

// No policy panics on what a Verifier never hands it.
func TestPoliciesOnWhatIsNoChain(t *testing.T) {
	for name, policy := range map[string]chain.Policy{
		"VetoCertificates": chain.VetoCertificates(truststore.Fingerprint{1}).Policy,
		"VetoKeys":         chain.VetoKeys([32]byte{1}).Policy,
		"VetoSubjects":     chain.VetoSubjects(pkix.Name{CommonName: "a"}).Policy,
		"PinLeaf":          chain.PinLeaf(truststore.Fingerprint{1}),
		"RequirePolicy":    chain.RequirePolicy(anyPolicyOID),
		"MinKeySizes":      chain.MinKeySizes(1, 1),
		"Policies":         func(c chain.Chain, _ time.Time) error { c.Policies(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []chain.Chain{nil, {}, {nil}, {nil, nil}, {{}}, {{}, nil}, {{SerialNumber: big.NewInt(1)}, {}}} {
				assert.NotPanics(t, func() {
					if err := policy(c, now); err != nil {
						assert.NotEmpty(t, err.Error())
					}
				})
			}
		})
	}
}

// What VetoCertificates says about fingerprints: the same certificate in other bytes,
// which crypto/x509 accepts anyway.
func TestFingerprintsAreNotKeys(t *testing.T) {
	l := newLayers()
	original, again := l.full(), l.full()
	again[0] = withDataBehind(l.leaf)
	require.Equal(t, original[0].RawTBSCertificate, again[0].RawTBSCertificate)
	_, err := again[0].Verify(x509.VerifyOptions{Roots: l.roots().CertPool(), Intermediates: l.intermediates().CertPool(), CurrentTime: now})
	require.NoError(t, err)

	distrusted := chain.VetoCertificates(truststore.FingerprintOf(original[0])).Policy
	assert.Error(t, distrusted(original, now))
	assert.NoError(t, distrusted(again, now))
	assert.Error(t, chain.VetoKeys(chain.KeyHash(original[0])).Policy(again, now))
}

// A pin is on top of the hierarchy and takes nothing away from it.
func TestPinLeafThroughAVerifier(t *testing.T) {
	l := newLayers()
	old := l.issuing.issue("host.example", expired)
	v := l.verifier(chain.WithPolicy(chain.PinLeaf(truststore.FingerprintOf(old), truststore.FingerprintOf(l.leaf))))
	_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
	assert.NoError(t, err)

	var refused *chain.Error
	_, err = v.Verify(old, chain.VerifyOptions{Time: now})
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.Expired, refused.Reason)

	_, err = v.Verify(l.issuing.issue("host.example"), chain.VerifyOptions{Time: now})
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
}

// Where a CA requires an explicit policy, crypto/x509 follows the policies that are
// asked for, mappings and all: RequirePolicy accepts nothing that it refuses.
func TestRequirePolicyIsNotMoreLenient(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(1, 1))}
	asserted := func(c *x509.Certificate) {
		c.Policies = pick(d, []x509.OID{policyOne}, []x509.OID{policyOne, policyTwo}, []x509.OID{anyPolicy}, []x509.OID{policyTwo, anyPolicy})
	}
	odd := func(c *x509.Certificate) {
		pick(d, mapPolicy(policyOne, policyTwo), mapPolicy(policyTwo, policyOne), inhibitAnyPolicy(byte(d.IntN(3))), asserted, asserted)(c)
	}
	accepted := 0
	for range 400 {
		l := newLayers(nil, []edit{asserted, odd, requireExplicitPolicy(0)}, []edit{asserted, odd}, []edit{asserted})
		if chain.RequirePolicy(policyOne)(l.full(), now) != nil {
			continue
		}
		accepted++
		_, err := l.leaf.Verify(x509.VerifyOptions{Roots: l.roots().CertPool(), Intermediates: l.intermediates().CertPool(), CurrentTime: now,
			CertificatePolicies: []x509.OID{policyOne}})
		require.NoError(t, err, "%v below %v, %v below %v, %v", l.leaf.Policies, l.issuing.Policies, l.issuing.PolicyMappings, l.domain.Policies, l.domain.PolicyMappings)
	}
	assert.Greater(t, accepted, 40)
}
