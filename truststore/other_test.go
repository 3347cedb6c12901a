package truststore_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore"
)

// What is not a certificate is called what it is, in DER, in base64 and in PEM.
func TestDecodeSaysWhatAFileIsThatHoldsNoCertificate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "x"}}, key)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), SubjectKeyId: []byte{1}, KeyUsage: x509.KeyUsageCRLSign}
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}, ca, key)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		der   []byte
		block string
		want  string
	}{
		"a request":                {request, "CERTIFICATE REQUEST", "this is a certificate request (CSR)"},
		"a public key":             {public, "PUBLIC KEY", "this is a public key"},
		"a public key of PKCS #1":  {x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey), "RSA PUBLIC KEY", "this is a public key"},
		"a CRL":                    {crl, "X509 CRL", "certificate revocation list (CRL)"},
		"a private key of PKCS #1": {x509.MarshalPKCS1PrivateKey(rsaKey), "RSA PRIVATE KEY", "this is a private key"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, data := range [][]byte{
				c.der,
				[]byte(base64.StdEncoding.EncodeToString(c.der)),
				pem.EncodeToMemory(&pem.Block{Type: c.block, Bytes: c.der}),
			} {
				_, err := truststore.Decode(data)
				assert.ErrorContains(t, err, c.want)
			}
		})
	}

	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err = z.Write(request)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, c := range map[string]struct{ data, want string }{
		"a jar":                      {"PK\x03\x04\x14\x00\x08", "this is an archive"},
		"gzip":                       {zipped.String(), "this is an archive"},
		"a list of hosts with ports": {"# ours\na.example:443\n\nb.example:8443\r\n", "this is a list of hosts"},
		"a list of hosts":            {"a.example\nb.example\n", "this is a list of hosts"},
		"a word":                     {"hello", "neither certificates nor"},
		"words":                      {"see a.example\nand b.example\n", "neither certificates nor"},
		"JSON":                       {`{"error": "not found"}`, "this is JSON"},
		"a store of Windows":         {"\x00\x00\x00\x00CERT\x20\x00", "certificate store of Windows"},
		"a BKS":                      {"\x00\x00\x00\x02\x00\x00\x00\x14abc", "BKS key store"},
		"NSS":                        {"SQLite format 3\x00\x10", "NSS"},
		"a public key of SSH":        {"ssh-ed25519 AAAA me", "key of SSH"},
		"a private key of PuTTY":     {"PuTTY-User-Key-File-3: ssh-rsa", "this is a private key"},
		"PGP":                        {"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n", "PGP"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := truststore.Decode([]byte(c.data))
			assert.ErrorContains(t, err, c.want)
		})
	}
}
