package truststore

import (
	"crypto/fips140"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
)

// refused reports whether err is the refusal of an algorithm where FIPS 140-3 is
// enforced, which ends a test that needs it. It logs what was refused: .ci/run lists it.
// What is refused and what is not is in TestWhatFIPSRefuses.
func refused(t testing.TB, err error) bool {
	t.Helper()
	if !errors.Is(err, pbe.ErrFIPS) {
		return false
	}
	require.True(t, fips140.Enforced())
	_, algorithm, ok := strings.Cut(err.Error(), "it needs ")
	require.True(t, ok, "%v", err)
	t.Logf("fips140=only: %s (%s)", t.Name(), strings.TrimSuffix(algorithm, ", "+pbe.ErrFIPS.Error()))
	return true
}

// unenforced makes an input for a test with an algorithm that is not approved.
func unenforced(t testing.TB, make func() ([]byte, error)) (data []byte) {
	t.Helper()
	var err error
	fips140.WithoutEnforcement(func() { data, err = make() })
	require.NoError(t, err)
	return data
}

// What is refused, and what is not, of files that other programs wrote.
func TestWhatFIPSRefuses(t *testing.T) {
	const salt, sha1 = "a salt of 8 bytes", "SHA-1"
	for path, needs := range map[string]string{
		"der/two.der":               "",
		"pem/openssl-trusted.pem":   "",
		"pkcs7/openssl.p7b":         "",
		"pkcs12/keytool.p12":        "",
		"pkcs12/openssl.p12":        salt,
		"pkcs12/openssl-plain.p12":  "",
		"pkcs12/openssl-legacy.p12": sha1,
		"pkcs12/keytool-legacy.p12": sha1,
		"jks/keytool.jks":           sha1,
		"key/openssl-pkcs8.pem":     salt,
		"key/openssl-old.pem":       "MD5",
		"key/openssl-legacy.p12":    sha1,
	} {
		t.Run(path, func(t *testing.T) {
			data, err := os.ReadFile("testdata/seeds/" + path)
			require.NoError(t, err)
			if strings.HasPrefix(path, "key/") {
				_, _, err = DecodeKey(data, WithPassword(seedPassword))
			} else {
				_, err = Decode(data, WithPassword(seedPassword))
			}
			if needs == "" || !fips140.Enforced() {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, "it needs "+needs+", which GODEBUG=fips140=only does not allow")
			assert.True(t, refused(t, err))
		})
	}
	t.Run("a JKS without a password", func(t *testing.T) {
		data, err := os.ReadFile("testdata/seeds/jks/keytool.jks")
		require.NoError(t, err)
		_, err = Decode(data)
		assert.NoError(t, err, "it is read unchecked")
	})
	t.Run("what is written", func(t *testing.T) {
		for _, f := range []Format{PEM, DER, PKCS7} {
			_, err := New(realCerts(t)...).Encode(f)
			assert.NoError(t, err)
		}
		_, err := New(realCerts(t)...).Encode(PKCS12, WithPassword(seedPassword))
		assert.NoError(t, err)
		_, err = New(realCerts(t)...).Encode(JKS, WithPassword(seedPassword))
		if !refused(t, err) {
			assert.NoError(t, err)
		}
	})
}
