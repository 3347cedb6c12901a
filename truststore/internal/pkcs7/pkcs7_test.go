package pkcs7

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	library "github.com/smallstep/pkcs7"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

// seed returns a file of the fuzz tests, out of its PEM.
func seed(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/seeds", path))
	require.NoError(t, err)
	if block, _ := pem.Decode(data); block != nil {
		return block.Bytes
	}
	return data
}

// bagOf returns a SignedData with the certificates of the seeds, so many times.
func bagOf(t testing.TB, times int) []byte {
	t.Helper()
	der, err := library.DegenerateCertificate(bytes.Repeat(seed(t, "der/two.der"), times))
	require.NoError(t, err)
	return der
}

// indefinite gives the outermost element an indefinite length.
func indefinite(der []byte) []byte {
	_, body, _ := ber.Cut(der)
	return append(append([]byte{der[0], 0x80}, body...), 0, 0)
}

// Which files the library reads, and which it cannot, so that ours does.
func TestWhatTheLibraryReads(t *testing.T) {
	two := bagOf(t, 1)
	damaged := bytes.Clone(two)
	damaged[bytes.Index(damaged, []byte{0x17, 13})+2] = 'x' // in the validity of the first
	for name, c := range map[string]struct {
		data    []byte
		library bool
		certs   int
	}{
		"of openssl":                           {seed(t, "pkcs7/openssl.p7b"), true, 2},
		"of openssl, in PEM":                   {seed(t, "pem/openssl-pkcs7.pem"), true, 2},
		"of certtool":                          {seed(t, "pkcs7/certtool.p7b"), true, 2},
		"signed, by issuer and number":         {seed(t, "pkcs7/openssl-signed.p7b"), true, 2},
		"signed, by key identifier":            {seed(t, "pkcs7/openssl-ski.p7b"), true, 1},
		"signed, in a stream":                  {seed(t, "pkcs7/openssl-stream.p7b"), false, 1},
		"of indefinite length":                 {indefinite(two), false, 2},
		"of more than 1 MiB":                   {bagOf(t, 2000), false, 4000},
		"with one certificate that is damaged": {damaged, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			der, err := ber.Only(c.data, "")
			require.NoError(t, err)
			n := 0
			for e := range Entries(c.data, entry.Options{}) {
				require.NoError(t, e.Err)
				n++
			}
			assert.Equal(t, c.certs, n)
			assert.Equal(t, c.library, &der[0] == &c.data[0] && len(byLibrary(der)) > 0)
			sameAsLibrary(t, der)
		})
	}
}

// sameAsLibrary checks that what the library reads, our reader finds.
func sameAsLibrary(t testing.TB, der []byte) {
	theirs := byLibrary(der)
	if len(theirs) == 0 {
		return
	}
	ours, err := find(der)
	require.NoError(t, err)
	require.Len(t, ours, len(theirs))
	for i, cert := range theirs {
		require.Equal(t, ours[i], cert.Raw)
		parsed, err := x509.ParseCertificate(bytes.Clone(cert.Raw))
		require.NoError(t, err)
		require.True(t, cert.Equal(parsed))
	}
}

func FuzzAgainstTheLibrary(f *testing.F) {
	paths, err := filepath.Glob("../../testdata/seeds/pkcs7/*")
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if der, err := ber.Only(data, ""); err == nil && &der[0] == &data[0] {
			sameAsLibrary(t, der)
		}
	})
}
