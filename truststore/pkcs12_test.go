package truststore

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

// assertNeedsItsPassword reads with the right password, a wrong one and none.
func assertNeedsItsPassword(t *testing.T, data []byte, password string, want []*x509.Certificate) {
	t.Helper()
	s, err := Decode(data, WithPassword(password))
	if refused(t, err) {
		s, err = Decode(data)
		assert.Error(t, err)
		assert.Nil(t, s)
		return
	}
	require.NoError(t, err)
	require.Equal(t, len(want), s.Len())
	assert.Empty(t, Diff(New(want...), s))
	for _, wrong := range []string{password + "x", "Ω"} {
		s, err = Decode(data, WithPassword(wrong))
		assert.ErrorContains(t, err, "the password given does not fit")
		assert.NotContains(t, err.Error(), wrong)
		assert.Nil(t, s)
	}
	s, err = Decode(data)
	assert.ErrorContains(t, err, "no password was given")
	assert.Nil(t, s)
}

func TestDecodeReadsPKCS12OfTheLibrary(t *testing.T) {
	certs := realCerts(t)
	for name, enc := range map[string]*pkcs12.Encoder{
		"RC2": pkcs12.LegacyRC2, "triple DES": pkcs12.LegacyDES, "of 2023": pkcs12.Modern2023, "of 2026, with PBMAC1": pkcs12.Modern2026,
	} {
		t.Run(name, func(t *testing.T) {
			data := unenforced(t, func() ([]byte, error) { return enc.EncodeTrustStore(certs, testPassword) })
			assertNeedsItsPassword(t, data, testPassword, certs)
			s, err := Decode(data, WithPassword(testPassword))
			if refused(t, err) {
				return
			}
			require.NoError(t, err)
			theirs, err := pkcs12.DecodeTrustStore(data, testPassword)
			require.NoError(t, err)
			assertCerts(t, theirs, s)
		})
	}
	data, err := pkcs12.Passwordless.EncodeTrustStore(certs, "")
	require.NoError(t, err)
	s, err := Decode(data)
	require.NoError(t, err)
	assertCerts(t, certs, s)
	_, err = Decode(data, WithPassword(testPassword))
	assert.ErrorContains(t, err, "nothing that a password could check")

	data, err = pkcs12.Modern2023.EncodeTrustStore(certs[:1], testPassword)
	require.NoError(t, err)
	for n := range data {
		_, err := Decode(data[:n], WithPassword(testPassword))
		require.Error(t, err, "%d bytes", n)
	}
}

func certBag(cert *x509.Certificate) []byte {
	return seq(oid(oidCertBag), tlv(0xa0, seq(oid(oidX509Certificate), tlv(0xa0, octets(cert.Raw)))))
}

func TestDecodeReadsPKCS12InBER(t *testing.T) {
	certs := realCerts(t)[:2]
	nested := seq(oid(oidSafeContentsBag), tlv(0xa0, seq(certBag(certs[1]))))
	crls := seq(oid(oidCRLBag), tlv(0xa0, seq()))
	for name, data := range map[string][]byte{
		"in DER":                               pfx(certBag(certs[0]), certBag(certs[1])),
		"with indefinite lengths":              indefiniteOf(pfx(certBag(certs[0]), certBag(certs[1])), 3),
		"with a bag of bags and a bag of CRLs": pfx(crls, certBag(certs[0]), nested),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Decode(data)
			require.NoError(t, err)
			assertCerts(t, certs, s)
		})
	}
	for name, part := range encryptedParts(t, seq(certBag(certs[0]))) {
		s, err := Decode(pfxOf(part))
		if refused(t, err) {
			continue
		}
		require.NoError(t, err, name)
		assertCerts(t, certs[:1], s)
	}
}

func TestDecodeRefusesPKCS12(t *testing.T) {
	cert := realCerts(t)[0]
	keyBag := seq(oid(oidKeyBag), tlv(0xa0, pkcs8(t, testKey())))
	secret := seq(oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 5}), tlv(0xa0, seq()))
	broken := parseLoose(cert.Raw[:len(cert.Raw)-1])
	encrypted := unenforced(t, func() ([]byte, error) {
		return pkcs12.Modern2023.Encode(testKey(), leafFor(t, testKey()), nil, testPassword)
	})
	sha256OID, salt := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, []byte("saltsalt")
	slow := seq(integer(3), pfx()[5:], seq(seq(seq(oid(sha256OID)), octets(make([]byte, 20))), octets(salt), integer(1<<31-1)))
	slowPart := seq(oid(oidEncryptedData), tlv(0xa0, seq(integer(0), seq(oid(oidData), pbes2(salt, integer(1<<31-1), oidAES256CBC, make([]byte, 16)), tlv(0x80, make([]byte, 32))))))
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a key beside a certificate":         {pfx(certBag(cert), keyBag), "there is a private key in it"},
		"a secret beside a certificate":      {pfx(certBag(cert), secret), "holds a secret"},
		"nothing":                            {pfx(), "there is no certificate in it"},
		"a damaged certificate":              {pfx(certBag(cert), certBag(broken)), "certificate 2 in the PKCS#12: x509: "},
		"a certificate that is not X.509":    {pfx(bytes.Replace(certBag(cert), oid(oidX509Certificate), oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 2}), 1)), "not an X.509 certificate"},
		"a certificate of more than 1 MiB":   {pfx(certBag(parseLoose(make([]byte, entry.MaxCertificate+1)))), "more than 1048576 bytes"},
		"nesting":                            {pfx(bytes.Repeat([]byte{0x30, 0x80}, 100_000)), "inside one another"},
		"two billion iterations for the MAC": {slow, "more than 16000000 blocks"},
		"two billion iterations for a part":  {pfxOf(slowPart), "part 1 of the PKCS#12: its password wants more than 16000000 blocks"},
		"an encrypted key and no password":   {encrypted, "no password was given"},
		"the first bytes only":               {encrypted[:50], "cut off"},
		"the last byte missing":              {encrypted[:len(encrypted)-1], "cut off"},
		"a file after the file":              {append(pfx(certBag(cert)), pfx(certBag(cert))...), "follow the end"},
		"random bytes after its first bytes": {append([]byte("\x30\x82\x10\x00\x02\x01\x03\x30\x82\x0f\xf0"), random(0x0ff5)...), "truststore: "},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			s, err := Decode(c.data)
			if refused(t, err) {
				return
			}
			assert.ErrorContains(t, err, c.want)
			assert.Nil(t, s)
			assert.Less(t, time.Since(start), time.Second)
		})
	}
	_, err := Decode(encrypted, WithPassword(testPassword))
	assert.ErrorContains(t, err, "give a file with certificates only")
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// A password protects the integrity of certificates that are not encrypted. Who
// gives none gets them unchecked, as from PEM; who gives one, checked.
func TestPKCS12WithPlainCertificatesNeedsNoPassword(t *testing.T) {
	certs := realCerts(t)[:2]
	dir := t.TempDir()
	write(t, dir, "in.pem", text(certs...))
	tool(t, dir, "openssl", "pkcs12", "-export", "-in", "in.pem", "-nokeys", "-certpbe", "NONE", "-passout", "pass:geheim", "-out", "plain.p12")
	data := read(t, dir, "plain.p12")
	for _, opts := range [][]Option{nil, {WithPassword("geheim")}} {
		s, err := Decode(data, opts...)
		require.NoError(t, err)
		assertCerts(t, certs, s)
	}
	_, err := Decode(data, WithPassword("wrong"))
	assert.ErrorContains(t, err, "the password given does not fit")
}

func TestPKCS12RoundTrips(t *testing.T) {
	s := New(realCerts(t)...)
	data, err := s.Encode(PKCS12, WithPassword("geheim"))
	require.NoError(t, err)
	format, err := Detect(data)
	require.NoError(t, err)
	assert.Equal(t, PKCS12, format)
	again, err := Decode(data, WithPassword("geheim"))
	require.NoError(t, err)
	assertCerts(t, realCerts(t), again)
	other, err := s.Encode(PKCS12, WithPassword("geheim"))
	require.NoError(t, err)
	assert.NotEqual(t, data, other, "salts are random")

	_, err = s.Encode(PKCS12)
	assert.ErrorContains(t, err, "PKCS12 needs a password, without which Java would not read it")
	for _, password := range []string{testPassword, "tab\t", "𝄞"} {
		_, err = s.Encode(PKCS12, WithPassword(password))
		assert.ErrorContains(t, err, "printable ASCII")
		assert.NotContains(t, err.Error(), password)
	}
}

// TestPKCS12AgainstItsLibrary reads the files of other programs and what fuzzing found
// with both readers: what go-pkcs12 reads, ours reads to the same certificates and key.
func TestPKCS12AgainstItsLibrary(t *testing.T) {
	if fips140.Enforced() {
		t.Log("fips140=only: go-pkcs12 asks nobody before it uses what is not approved")
		return
	}
	// What go-pkcs12 reads and we refuse.
	refusedHere := []string{"private key", "holds a secret", "as trusted for", "as rejected for", "list of the uses", "nothing that a password could check", "blocks hashed", "follow the end"}
	stores, chains := 0, 0
	for name, data := range corpus(t) {
		for _, password := range []string{"", seedPassword} {
			s, err := Decode(data, WithPassword(password))
			if err != nil && strings.Contains(err.Error(), "blocks hashed") {
				continue // go-pkcs12 would take its time
			}
			if theirs, theirErr := pkcs12.DecodeTrustStore(data, password); theirErr == nil && len(theirs) > 0 {
				if err == nil {
					stores++
					assert.Equal(t, rawOf(New(theirs...)), rawOf(s), name)
				} else {
					assert.True(t, slices.ContainsFunc(refusedHere, func(text string) bool { return strings.Contains(err.Error(), text) }), "%s: %v", name, err)
				}
			}
			key, beside, err := DecodeKey(data, WithPassword(password))
			if theirKey, theirCert, theirCAs, theirErr := pkcs12.DecodeChain(data, password); theirErr == nil {
				if err == nil {
					chains++
					assertKey(t, theirKey.(crypto.Signer), key)
					assert.ElementsMatch(t, rawOf(New(append(theirCAs, theirCert)...)), rawOf(beside), name)
				} else {
					assert.True(t, slices.ContainsFunc(refusedHere, func(text string) bool { return strings.Contains(err.Error(), text) }), "%s: %v", name, err)
				}
			}
		}
	}
	t.Logf("%d trust stores and %d keys read by both", stores, chains)
	assert.GreaterOrEqual(t, stores, 2)
	assert.GreaterOrEqual(t, chains, 3)
}
