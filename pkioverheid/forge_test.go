package pkioverheid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
)

func sign(t testing.TB, template *x509.Certificate, parent *tls.Certificate) tls.Certificate {
	t.Helper()
	return testcert.Sign(t, template, parent)
}

// forgedPair bears the name and the key identifier of the real KPN CA under
// Private G1, the policy of a system and an OIN; the signature is somebody's.
func forgedPair(t testing.TB, oin pkioverheid.OIN) tls.Certificate {
	t.Helper()
	var kpn *x509.Certificate
	for _, c := range pkioverheid.PrivateG1.Certificates() {
		if c.Subject.CommonName == "KPN PKIoverheid Private Services CA - G1" {
			kpn = c
		}
	}
	require.NotNil(t, kpn)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	policy, err := x509.ParseOID("2.16.528.1.1003.1.2.8.6")
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7),
		Subject:      pkix.Name{CommonName: "localhost", Organization: []string{"Stichting ICTU"}, SerialNumber: string(oin)},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, Policies: []x509.OID{policy},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	parent := &x509.Certificate{RawSubject: kpn.RawSubject, SubjectKeyId: kpn.SubjectKeyId}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}
}

// personsCA is like "Staat der Nederlanden Private Personen CA - G1": below the
// Private G1 root, with the policies of persons. The signature is not the root's.
func personsCA(t testing.TB) *x509.Certificate {
	t.Helper()
	var policies []x509.OID
	for _, s := range []string{"2.16.528.1.1003.1.2.8.1", "2.16.528.1.1003.1.2.8.2", "2.16.528.1.1003.1.2.8.3"} {
		p, err := x509.ParseOID(s)
		require.NoError(t, err)
		policies = append(policies, p)
	}
	return sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Staat der Nederlanden Private Personen CA - G1"},
		IsCA:    true, BasicConstraintsValid: true, Policies: policies,
	}, nil).Leaf
}

// trialHierarchy is named as Logius' TRIAL tool names its chains.
func trialHierarchy(t testing.TB) (*x509.Certificate, tls.Certificate) {
	t.Helper()
	ca := func(cn string, parent *tls.Certificate) tls.Certificate {
		return sign(t, &x509.Certificate{
			Subject: pkix.Name{CommonName: cn, Organization: []string{"TRIAL Staat der Nederlanden"}, Country: []string{"NL"}},
			IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}, parent)
	}
	root := ca("TRIAL Staat der Nederlanden - G4 Root Priv G-TLS - 2024", nil)
	domain := ca("TRIAL Staat der Nederlanden - G4 Intm Priv G-TLS SYS - 2024", &root)
	tsp := ca("TRIAL KPN - G4 PKIo Priv G-TLS SYS - 2025", &domain)
	leaf := sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, &tsp)
	leaf.Certificate = append(leaf.Certificate, tsp.Certificate[0], domain.Certificate[0])
	return root.Leaf, leaf
}

// pkcs1Only is a signer as some tokens are: it ignores that PSS was asked for.
type pkcs1Only struct{ *rsa.PrivateKey }

func (k pkcs1Only) Sign(rnd io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil {
		return nil, errors.New("no options")
	}
	return rsa.SignPKCS1v15(rnd, k.PrivateKey, opts.HashFunc(), digest)
}

func badSigner(pair tls.Certificate) tls.Certificate {
	pair.PrivateKey = pkcs1Only{pair.PrivateKey.(*rsa.PrivateKey)}
	return pair
}

// writeKeyPair writes the certificate in DER and its key in PKCS#8.
func writeKeyPair(pair tls.Certificate, certPath, keyPath string) {
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(certPath, pair.Certificate[0], 0o600); err != nil {
		panic(err)
	}
	if err := os.WriteFile(keyPath, key, 0o600); err != nil {
		panic(err)
	}
}
