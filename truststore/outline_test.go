package truststore

import (
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// caseFile is a file of testdata/cases: what other programs write, one example of a kind
// each. Those with a name of a key were written by openssl 3.0.
func caseFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "cases", name))
	require.NoError(t, err)
	return data
}

func TestWhatCryptoX509RefusesHasAnOutline(t *testing.T) {
	for name, key := range map[string]string{
		"brainpool":       "ECDSA on brainpoolP256r1 (1.3.36.3.3.2.8.1.1.7)",
		"explicit-curve":  "ECDSA on a curve with explicit parameters",
		"ed448":           "Ed448 (1.3.101.113)",
		"rsa-pss":         "RSA-PSS (1.2.840.113549.1.1.10)",
		"dsa":             "DSA (1.2.840.10040.4.1)",
		"negative-serial": "ECDSA on P-256",
	} {
		t.Run(name, func(t *testing.T) {
			data := caseFile(t, name+".pem")
			o, err := ReadOutline(data)
			require.NoError(t, err)
			assert.Equal(t, "certificate", o.Kind)
			assert.Equal(t, strings.TrimSuffix(name, "-serial"), o.Subject.CommonName)
			assert.Equal(t, o.Subject.String(), o.Issuer.String())
			assert.Equal(t, 2026, o.NotBefore.Year())
			assert.Equal(t, 2036, o.NotAfter.Year())
			assert.Equal(t, key, o.Key)
			if name == "negative-serial" {
				assert.Equal(t, big.NewInt(-5), o.SerialNumber)
				return
			}
			assert.Equal(t, big.NewInt(7), o.SerialNumber)
			if name == "brainpool" || name == "explicit-curve" {
				_, err = Decode(data)
				assert.ErrorContains(t, err, key)
			}
			_, _, err = DecodeKey(append(data, caseFile(t, name+".key.pem")...))
			assert.ErrorContains(t, err, key)
			o, err = ReadOutline(caseFile(t, name+".key.pem"))
			require.NoError(t, err)
			assert.Equal(t, Outline{Kind: "private key", Key: key, unknownKey: true}, o)
		})
	}
}

func TestAnOutlineSaysWhatCryptoX509Does(t *testing.T) {
	for _, cert := range realCerts(t) {
		o, err := ReadOutline(cert.Raw)
		require.NoError(t, err)
		assert.Equal(t, "certificate", o.Kind)
		assert.Equal(t, cert.Subject.String(), o.Subject.String())
		assert.Equal(t, cert.Issuer.String(), o.Issuer.String())
		assert.Equal(t, cert.SerialNumber, o.SerialNumber)
		assert.Equal(t, cert.NotBefore, o.NotBefore)
		assert.Equal(t, cert.NotAfter, o.NotAfter)
		assert.Regexp(t, "^(RSA of (2048|4096) bits|ECDSA on P-384)$", o.Key)
	}
}

func TestOutlinesOfOtherThings(t *testing.T) {
	der, err := x509.MarshalPKIXPublicKey(realCerts(t)[0].PublicKey)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		data []byte
		want Outline
	}{
		"a public key in DER": {caseFile(t, "publickey.der"), Outline{Kind: "public key", Key: "RSA of 2048 bits"}},
		"one in PEM":          {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), Outline{Kind: "public key", Key: "RSA of 4096 bits"}},
		"a key of DH":         {caseFile(t, "dh.key.pem"), Outline{Kind: "private key", Key: "DH (1.2.840.113549.1.3.1)", unknownKey: true}},
		"an encrypted key": {[]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"),
			Outline{Kind: "encrypted private key"}},
	} {
		got, err := ReadOutline(c.data)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
	o, err := ReadOutline(caseFile(t, "request.csr.der"))
	require.NoError(t, err)
	request, err := x509.ParseCertificateRequest(caseFile(t, "request.csr.der"))
	require.NoError(t, err)
	assert.Equal(t, request.Subject.String(), o.Subject.String())
	o.Subject = Outline{}.Subject
	assert.Equal(t, Outline{Kind: "certificate request", Key: "RSA of 2048 bits"}, o)

	for name, data := range map[string][]byte{
		"nothing":     nil,
		"text":        []byte("Hello"),
		"a key store": caseFile(t, "nomac-all-encrypted.p12"),
		"a page":      caseFile(t, "html-page.cer"),
		"cut off":     realCerts(t)[0].Raw[:500],
	} {
		got, err := ReadOutline(data)
		assert.ErrorContains(t, err, "truststore: ", name)
		assert.Equal(t, Outline{}, got, name)
	}
}

func FuzzOutline(f *testing.F) {
	for _, name := range []string{"brainpool.pem", "negative-serial.pem", "request.csr.der", "publickey.der", "rsa-pss.key.pem", "explicit-curve.key.pem"} {
		data := caseFile(f, name)
		if block, _ := pem.Decode(data); block != nil {
			data = block.Bytes
		}
		f.Add(data)
	}
	f.Add(realCerts(f)[0].Raw)
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		o, err := ReadOutline(data)
		if cert, wrong := x509.ParseCertificate(data); wrong == nil && (err != nil || o.Kind != "certificate" || cert.SerialNumber.BitLen() <= 1000 && cert.SerialNumber.Cmp(o.SerialNumber) != 0) {
			t.Errorf("crypto/x509 reads it: %v %v", o, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%v", took)
		}
	})
}
