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
		if id, ok := pkioverheid.Identify(c); ok && id.TSP == pkioverheid.KPN {
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
	id, ok := pkioverheid.Identify(tsp)
	require.True(t, ok)
	require.Equal(t, pkioverheid.KPN, id.TSP, "by its name it is")
	cfg := pkioverheid.Config{Roots: truststore.New(root, tsp)}
	for _, s := range []logius.Service{logius.DigiDMachtigen(), logius.MijnOverheidBerichtenbox()} {
		v, err := s.Verifier(cfg)
		require.NoError(t, err)
		_, err = v.Verify(leaf, chain.VerifyOptions{DNSName: "berichtenbox.example"})
		if s.TSP == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, "by its key, to be of KPN")
		}
	}
}

func TestTheKindOfACertificateIsThatOfItsRootsKey(t *testing.T) {
	root, tsp, leaf := namesake(t)
	err := logius.CheckDigiDCertificates(leaf, leaf, pkioverheid.Config{Roots: truststore.New(root, tsp)})
	assert.ErrorContains(t, err, "of no hierarchy that is known here")
}

// A certificate that is referred to for both ends must be good for both.
func TestACPACertificateIsGoodForEachOfItsRoles(t *testing.T) {
	ours := issue(t, pkioverheid.PrivateG1, pkiotest.OIN(ownOIN))
	for _, opts := range [][]pkiotest.LeafOption{{pkiotest.ServerOnly()}, {pkiotest.ClientOnly()}, nil} {
		theirs := issue(t, pkioverheid.PrivateG1, append(opts, pkiotest.OIN(theirOIN))...)
		err := readCPA(t, cpa(party("Gemeente", ownOIN, ours), party("Logius", theirOIN, theirs))).
			Check(verifier(t, logius.MijnOverheidLopendeZaken(), pkioverheid.PrivateG1), withinG1())
		if opts == nil {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, "wrong usage")
		}
	}
}
