package truststore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// passwordErrors are the errors of all functions that read certificates.
func passwordErrors(t *testing.T, data []byte, opts ...Option) map[string]error {
	t.Helper()
	path := write(t, t.TempDir(), "store", data)
	errs := make(map[string]error)
	_, errs["Decode"] = Decode(data, opts...)
	_, errs["Decode, KeepGoing"] = Decode(data, append(opts, KeepGoing())...)
	_, errs["Open"] = Open(path, opts...)
	_, errs["Open, a folder"] = Open(filepath.Dir(path), opts...)
	for e := range Entries(data, opts...) {
		errs["Entries"] = errors.Join(errs["Entries"], e.Err)
	}
	return errs
}

func assertWrongPassword(t *testing.T, err error) {
	t.Helper()
	assert.ErrorIs(t, err, ErrPassword)
	assert.NotErrorIs(t, err, ErrNoPassword)
	assert.ErrorContains(t, err, "the password given does not fit")
}

func assertNoPassword(t *testing.T, err error) {
	t.Helper()
	assert.ErrorIs(t, err, ErrPassword)
	assert.ErrorIs(t, err, ErrNoPassword)
	assert.ErrorContains(t, err, "no password was given")
}

// Files of openssl, keytool and certtool.
func TestAPasswordThatDoesNotFitIsToldFromOneThatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name  string
		path  string
		plain bool // read without a password
	}{
		{name: "PKCS#12 of openssl", path: "pkcs12/openssl.p12"},
		{name: "PKCS#12 of keytool", path: "pkcs12/keytool.p12"},
		{name: "PKCS#12 with RC2", path: "pkcs12/openssl-legacy.p12"},
		{name: "PKCS#12 that is not encrypted", path: "pkcs12/openssl-plain.p12", plain: true},
		{name: "JKS", path: "jks/keytool.jks", plain: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata/seeds", c.path))
			require.NoError(t, err)
			for function, err := range passwordErrors(t, data, WithPassword(seedPassword)) {
				if refused(t, err) {
					return
				}
				assert.NoError(t, err, function)
			}
			for _, wrong := range []string{"another", "Ω", seedPassword + " "} {
				for function, err := range passwordErrors(t, data, WithPassword(wrong)) {
					t.Log(function)
					assertWrongPassword(t, err)
				}
			}
			for function, err := range passwordErrors(t, data) {
				if t.Log(function); c.plain {
					assert.NoError(t, err)
				} else {
					assertNoPassword(t, err)
				}
			}
		})
	}
	for _, c := range []struct{ name, path string }{
		{"PKCS#12 of openssl", "key/openssl.p12"},
		{"PKCS#12 of certtool", "key/certtool.p12"},
		{"PKCS#8", "key/openssl-pkcs8.pem"},
		{"the older encryption of PEM", "key/openssl-old.pem"},
	} {
		t.Run("the key in "+c.name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata/seeds", c.path))
			require.NoError(t, err)
			_, _, err = DecodeKey(data, WithPassword("another"))
			if refused(t, err) {
				return
			}
			assertWrongPassword(t, err)
			_, _, err = DecodeKey(data)
			assertNoPassword(t, err)
		})
	}
}

// A JKS that was changed is read by nobody who gives a password; keytool says
// "Keystore was tampered with, or password was incorrect".
func TestAJKSWithAWrongDigestIsRefusedWithEveryPassword(t *testing.T) {
	data, err := os.ReadFile("testdata/seeds/jks/keytool.jks")
	require.NoError(t, err)
	data[len(data)-1] ^= 1
	for _, password := range []string{seedPassword, "another", "Ω"} {
		for function, err := range passwordErrors(t, data, WithPassword(password)) {
			if t.Log(function); !refused(t, err) {
				assertWrongPassword(t, err)
			}
		}
	}
	for function, err := range passwordErrors(t, data) {
		assert.NoError(t, err, function)
	}
}

func TestWhatIsNotAPasswordErrorIsNone(t *testing.T) {
	data, err := os.ReadFile("testdata/seeds/pkcs12/openssl.p12")
	require.NoError(t, err)
	for function, err := range passwordErrors(t, data[:100]) {
		assert.Error(t, err, function)
		assert.NotErrorIs(t, err, ErrPassword, function)
		assert.NotErrorIs(t, err, ErrNoPassword, function)
	}
}
