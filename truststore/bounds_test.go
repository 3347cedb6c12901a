package truststore

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
)

func TestErrorsOfOthersAreBrief(t *testing.T) {
	uri := tlv(0x86, []byte("http://a b/"+strings.Repeat("\x01", 400_000)))
	extension := seq(oid(oidSubjectAltName), octets(seq(uri)))
	cert := smallCert(1, seq())
	var tbs, outer asn1.RawValue
	_, err := asn1.Unmarshal(cert, &outer)
	assert.NoError(t, err)
	rest, err := asn1.Unmarshal(outer.Bytes, &tbs)
	assert.NoError(t, err)
	bad := seq(seq(tbs.Bytes, tlv(0xa3, seq(extension))), rest)
	_, err = Decode(bad)
	assert.ErrorContains(t, err, "x509: ")
	assert.Less(t, len(err.Error()), 500)
	_, err = Decode(bytes.Repeat(bad, 20), KeepGoing())
	assert.Less(t, len(err.Error()), 20*500)

}

func TestObjectIdentifiersAreBounded(t *testing.T) {
	long := tlv(0x06, bytes.Repeat([]byte{1}, 1<<20))
	for _, data := range [][]byte{
		seq(long, tlv(0xa0, seq())),
		seq(integer(3), seq(long, tlv(0xa0, octets(seq())))),
		pfxOf(seq(long, tlv(0xa0, octets(seq())))),
	} {
		_, err := Decode(data)
		assert.ErrorContains(t, err, "damaged PKCS#")
		assert.Less(t, len(err.Error()), 400)
	}
}

func TestPKCS7KeepsTheBytesOfCertificates(t *testing.T) {
	cert := smallCert(1, seq())
	wrap := func(certs ...[]byte) []byte {
		return seq(oid(oidSignedData), tlv(0xa0, seq(integer(1), tlv(0x31), seq(oid(oidData)), tlv(0xa0, certs...), tlv(0x31))))
	}
	s, err := Decode(wrap(indefiniteOf(cert, 2)))
	assert.ErrorContains(t, err, "certificate 1 in the PKCS#7: it is not in DER")
	assert.Nil(t, s)

	for _, bad := range [][]byte{tlv(0xa1, []byte{5, 0}), seq(make([]byte, entry.MaxCertificate))} {
		_, err = Decode(wrap(cert, bad, smallCert(2, seq())))
		assert.ErrorContains(t, err, "certificate 2 in the PKCS#7: ")
		s, err = Decode(wrap(cert, bad, smallCert(2, seq())), KeepGoing())
		assert.ErrorContains(t, err, "certificate 2 in the PKCS#7: ")
		assert.Equal(t, 2, s.Len())
	}
}

// smallCert is a certificate of some hundred bytes that nobody signed.
func smallCert(serial int64, name []byte) []byte {
	algorithm := seq(oid(asn1.ObjectIdentifier{1, 3, 101, 112}))
	date := tlv(0x17, []byte("300101000000Z"))
	number, err := asn1.Marshal(big.NewInt(serial))
	if err != nil {
		panic(err)
	}
	tbs := seq(tlv(0xa0, integer(2)), number, algorithm, name, seq(date, date), name, seq(algorithm, tlv(0x03, make([]byte, 33))))
	return seq(tbs, algorithm, tlv(0x03, make([]byte, 65)))
}

func TestTheFilesOfAFolderShareTheBoundOnIterations(t *testing.T) {
	pool, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{parsedRoot(t)}, "geheim")
	require.NoError(t, err)
	folder := t.TempDir()
	for _, name := range []string{"a.p12", "b.p12"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), pool, 0o600))
	}
	o := newOptions([]Option{WithPassword("geheim")})
	s, err := openAny(folder, o)
	require.NoError(t, err)
	assert.Equal(t, 1, s.Len())
	spent := o.work.Blocks
	require.Positive(t, spent)

	o = newOptions([]Option{WithPassword("geheim")})
	o.work.Blocks = pbe.MaxBlocks - spent + 1 // enough for the first file
	_, err = openAny(folder, o)
	assert.ErrorContains(t, err, "b.p12")
	assert.ErrorContains(t, err, "fewer iterations")
}

func TestIterationsAreCountedInHashBlocks(t *testing.T) {
	// Five million iterations would be within the bound with SHA-256.
	_, _, err := DecodeKey(pemOf("ENCRYPTED PRIVATE KEY", seq(pbes2([]byte("salt"), integer(5_000_000), oidAES256CBC, make([]byte, 16)), octets(make([]byte, 64)))), WithPassword("x"))
	if !refused(t, err) {
		assert.ErrorContains(t, err, "more than 16000000 blocks")
	}
}

func TestFileNamesInErrorsStayOnOneLine(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a\nall is well\x1b[2J"), []byte("no certificate"), 0o600))
	_, err := Open(folder)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "\n")
	assert.NotContains(t, err.Error(), "\x1b")
}

func TestKeysThatJavaRefusesAreNotWritten(t *testing.T) {
	for _, key := range []*rsa.PublicKey{
		{N: new(big.Int).Lsh(big.NewInt(1), 255), E: 65537},
		{N: new(big.Int).Lsh(big.NewInt(1), 17000), E: 65537},
		{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 1},
	} {
		cert := *parsedRoot(t)
		cert.PublicKey = key
		for _, f := range []Format{PKCS12, JKS} {
			_, err := New(&cert).Encode(f, WithPassword("geheim"))
			assert.ErrorContains(t, err, "RSA key")
		}
	}
}

// parsedRoot is a certificate that has all that Java asks for.
func parsedRoot(t *testing.T) *x509.Certificate {
	t.Helper()
	s, err := Open("../pkioverheid/certs/private-g1/staat-der-nederlanden-private-root-ca-g1.pem")
	require.NoError(t, err)
	for c := range s.All() {
		return c
	}
	return nil
}
