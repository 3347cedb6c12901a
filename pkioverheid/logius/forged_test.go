package logius_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// namesake is a hierarchy with the names of Private G1's CAs and keys of its own, and
// a leaf under it.
func namesake(t testing.TB) (root, tsp, leaf *x509.Certificate) {
	real := pkioverheid.PrivateG1.Certificates()
	var kpn *x509.Certificate
	for _, c := range real {
		if id, ok := pkioverheid.ClaimOf(c); ok && id.TSP == pkioverheid.KPN {
			kpn = c
		}
	}
	require.NotNil(t, kpn)
	var parent *x509.Certificate
	var parentKey *ecdsa.PrivateKey
	for i, template := range []*x509.Certificate{
		{RawSubject: real[0].RawSubject, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign},
		{RawSubject: kpn.RawSubject, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign},
		{Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{"berichtenbox.example"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
	} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		template.SerialNumber = big.NewInt(int64(i + 1))
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		template.SubjectKeyId = []byte{byte(i)}
		if parent == nil {
			parent, parentKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		parent, parentKey = cert, key
		switch i {
		case 0:
			root = cert
		case 1:
			tsp = cert
		default:
			leaf = cert
		}
	}
	return root, tsp, leaf
}

// A root that a user trusts may have KPN's name, and CAs of KPN's names below it.
func TestAProviderIsKnownByItsKey(t *testing.T) {
	root, tsp, leaf := namesake(t)
	id, ok := pkioverheid.ClaimOf(tsp)
	require.True(t, ok)
	require.Equal(t, pkioverheid.KPN, id.TSP, "by its name it is")
	trust := pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root, tsp))}
	for _, s := range []logius.Service{logius.DigiDMachtigen(), logius.MijnOverheidBerichtenbox()} {
		v, err := s.Verifier(trust)
		require.NoError(t, err)
		_, err = v.Chains().Verify(leaf, chain.VerifyOptions{DNSName: "berichtenbox.example"})
		if s.TSP == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, "by its key, to be of KPN")
		}
	}
}

func TestTheKindOfACertificateIsThatOfItsRootsKey(t *testing.T) {
	root, tsp, leaf := namesake(t)
	err := logius.CheckDigiDCertificates(leaf, leaf, pkioverheid.Trust{Roots: truststore.NewSource(truststore.New(root, tsp))})
	assert.ErrorContains(t, err, "not the certificate of a system")
}

// Under roots that a user adds, such as that of G4 G-Other, the hierarchy is not known,
// and a policy of a system or an organisation is asked for.
func TestPersonsUnderOtherRootsAreRefused(t *testing.T) {
	for policy, want := range map[string]bool{
		"2.16.528.1.1003.1.2.44.16.25.4":  true,
		"2.16.528.1.1003.1.2.44.16.25.8":  true,
		"1.3.6.1.4.1.99999.1":             false, // of others
		"2.16.528.1.1003.1.2.8.10":        false,
		"2.16.528.1.1003.1.2.44.16.110.1": false,
		"2.16.528.1.1003.1.2.44.16.11.4":  false,
		"2.16.528.1.1003.1.2.44.16.14.1":  false,
		"2.16.528.1.1003.1.2.41.16.12.7":  false,
		"2.16.528.1.1003.1.2.8.1":         false,
		"2.16.528.1.1003.1.2.8.3":         false,
	} {
		root, leaf := rootAndLeaf(t, policy)
		k, err := logius.BSNk().NewKeyring(pkioverheid.Trust{TrialRoots: truststore.New(root)})
		require.NoError(t, err)
		changes := k.Update(&logius.Metadata{Entities: []logius.Entity{{ID: "x", Keys: []logius.Key{{Use: logius.Signing, Certificates: []*x509.Certificate{leaf}}}}}})
		assert.Equal(t, want, k.Signing("x").Len() == 1, policy)
		if !want {
			require.Len(t, changes.Refused, 1)
			assert.ErrorContains(t, changes.Refused[0].Err, "not the certificate of a system or an organisation")
		}
	}
}

func rootAndLeaf(t testing.TB, policy string) (root, leaf *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	oid, err := x509.ParseOID(policy)
	require.NoError(t, err)
	issued := func(template, parent *x509.Certificate) *x509.Certificate {
		template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(1), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		if parent == nil {
			parent = template
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return cert
	}
	root = issued(&x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	return root, issued(&x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}, Policies: []x509.OID{oid}}, root)
}

// A certificate that is referred to for both ends must be good for both.
func TestACPACertificateIsGoodForEachOfItsRoles(t *testing.T) {
	ours := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: ownOIN})
	for _, l := range []pkiotest.Leaf{{OIN: theirOIN, ServerOnly: true}, {OIN: theirOIN, ClientOnly: true}, {OIN: theirOIN}} {
		theirs := issue(t, pkioverheid.PrivateG1, l)
		err := readCPA(t, cpa(party("Gemeente", ownOIN, ours), party("Logius", theirOIN, theirs))).
			Check(verifier(t, logius.MijnOverheidLopendeZaken(), pkioverheid.PrivateG1), withinG1())
		if !l.ServerOnly && !l.ClientOnly {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, "wrong usage")
		}
	}
}
