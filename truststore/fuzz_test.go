package truststore

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"
)

// Each decoder has a fuzz test of its own. The seeds are files of the programs for
// which they are named: two certificates with keys on P-256, written by openssl
// 3.0, certtool 3.7 and keytool 17 in each form that they have, with two iterations
// where that can be, and the password geheim. What the fuzz tests
// found is in testdata/fuzz.
const seedPassword = "geheim"

// corpus is what the fuzz tests begin with and what they found.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	for _, decoder := range []string{"pem", "der", "pkcs7", "pkcs12", "jks", "xml", "key"} {
		for name, data := range seeds(t, decoder) {
			files[name] = data
		}
	}
	found, err := filepath.Glob(filepath.Join("testdata", "fuzz", "*", "*"))
	require.NoError(t, err)
	for _, path := range found {
		file, err := os.Open(path)
		require.NoError(t, err)
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			if literal, ok := strings.CutPrefix(lines.Text(), "[]byte("); ok {
				data, err := strconv.Unquote(strings.TrimSuffix(literal, ")"))
				require.NoError(t, err, path)
				files[path] = []byte(data)
			}
		}
		require.NoError(t, lines.Err())
		require.NoError(t, file.Close())
		require.Contains(t, files, path)
	}
	return files
}

// seeds returns the files for a decoder, by name.
func seeds(t testing.TB, decoder string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "seeds", decoder, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	files := make(map[string][]byte)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		files[path] = data
	}
	return files
}

func TestSeedsDecode(t *testing.T) {
	for _, c := range []struct {
		decoder string
		format  Format
	}{{"pem", PEM}, {"der", DER}, {"pkcs7", PKCS7}, {"pkcs12", PKCS12}, {"jks", JKS}, {"xml", XML}} {
		for path, data := range seeds(t, c.decoder) {
			t.Run(path, func(t *testing.T) {
				format, err := Detect(data)
				require.NoError(t, err)
				assert.Equal(t, c.format, format)
				password := WithPassword(seedPassword)
				if strings.Contains(path, "nomac") {
					password = nil
				}
				s, err := Decode(data, password)
				if refused(t, err) {
					return
				}
				if strings.Contains(path, "-key") {
					assert.ErrorContains(t, err, "private key")
					return
				}
				require.NoError(t, err)
				assert.Positive(t, s.Len())
			})
		}
	}
	for path, data := range seeds(t, "key") {
		_, _, err := DecodeKey(data, WithPassword(seedPassword))
		if strings.Contains(path, "-open.p12") {
			_, _, err = DecodeKey(data)
		}
		if !refused(t, err) {
			assert.NoError(t, err, path)
		}
	}
}

// reader reads data as one format, or as whatever it is.
type reader func(data []byte, o options) entries

// tryDecoder runs one decoder with and without a password, and checks what holds
// for every input.
func tryDecoder(t testing.TB, data []byte, read reader) {
	for _, password := range []string{"", seedPassword} {
		run := func(keepGoing bool) (*Store, error) {
			o := newOptions(nil)
			o.password, o.keepGoing = password, keepGoing
			return gather(read(data, o), o)
		}
		strict, err := run(false)
		all, skipped := run(true)
		if err != nil {
			require.Nil(t, strict)
			require.Error(t, skipped, "KeepGoing hides an error")
			require.Less(t, len(err.Error()), 2000)
			require.NotContains(t, err.Error(), seedPassword)
		} else {
			require.NoError(t, skipped)
			require.Positive(t, strict.Len())
			require.Empty(t, Diff(strict, all))
		}
		if all.Len() == 0 {
			continue
		}
		written, err := all.Encode(PEM)
		require.NoError(t, err)
		again, err := Decode(written)
		require.NoError(t, err, "%s", written)
		require.Equal(t, rawOf(all), rawOf(again))
		if jks, err := all.Encode(JKS, WithPassword(seedPassword)); err == nil {
			again, err = Decode(jks, WithPassword(seedPassword))
			require.NoError(t, err)
			require.Equal(t, all.Len(), again.Len())
			require.Empty(t, Diff(all, again))
		}
	}
}

// rawOf is the DER of the certificates, in order.
func rawOf(s *Store) (ders [][]byte) {
	for cert := range s.All() {
		ders = append(ders, cert.Raw)
	}
	return ders
}

func fuzzDecoder(f *testing.F, seedsOf string, read reader) {
	for _, data := range seeds(f, seedsOf) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { tryDecoder(t, data, read) })
}

func FuzzPEM(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nA: b\n\nMAA=\n-----END CERTIFICATE-----"))
	fuzzDecoder(f, "pem", formOf(PEM).entriesIn)
}

func FuzzDER(f *testing.F) { fuzzDecoder(f, "der", formOf(DER).entriesIn) }

func FuzzPKCS7(f *testing.F) {
	f.Add(indefiniteOf(bag(f, realCerts(f)[0]), 4))
	fuzzDecoder(f, "pkcs7", formOf(PKCS7).entriesIn)
}

func FuzzPKCS12(f *testing.F) {
	cert := realCerts(f)[0]
	f.Add(indefiniteOf(pfx(certBag(cert)), 3))
	for _, part := range encryptedParts(f, seq(certBag(cert))) {
		f.Add(pfxOf(part))
	}
	for _, enc := range []*pkcs12.Encoder{pkcs12.Modern2023, pkcs12.Modern2026} {
		data, err := enc.WithIterations(2).EncodeTrustStore([]*x509.Certificate{cert}, seedPassword)
		require.NoError(f, err)
		f.Add(data)
	}
	fuzzDecoder(f, "pkcs12", formOf(PKCS12).entriesIn)
}

func FuzzJKS(f *testing.F) { fuzzDecoder(f, "jks", formOf(JKS).entriesIn) }

func FuzzXML(f *testing.F) { fuzzDecoder(f, "xml", formOf(XML).entriesIn) }

// FuzzDecode is all of them, after the detection.
func FuzzDecode(f *testing.F) {
	for _, decoder := range []string{"pem", "der", "pkcs7", "pkcs12", "jks", "xml", "key"} {
		for _, data := range seeds(f, decoder) {
			f.Add(data)
		}
	}
	f.Add([]byte(base64.StdEncoding.EncodeToString(realCerts(f)[0].Raw)))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		format, detectErr := Detect(data)
		tryDecoder(t, data, entriesIn)
		if _, err := Decode(data); err == nil {
			require.NoError(t, detectErr)
			require.NotZero(t, format)
		}
	})
}

func FuzzDecodeKey(f *testing.F) {
	leaf := leafFor(f, testKey())
	for _, decoder := range []string{"key", "jks"} {
		for _, data := range seeds(f, decoder) {
			f.Add(data)
		}
	}
	shortKey := seq(seq(oid(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}), []byte{5, 0}), octets(make([]byte, 41)))
	f.Add(jksOf(seedPassword, 2, 1, jksEntryOf(jksPrivateKey, "k", jksBytes(shortKey), []byte{0, 0, 0, 0})))
	for _, enc := range []*pkcs12.Encoder{pkcs12.LegacyRC2, pkcs12.LegacyDES, pkcs12.Modern2023, pkcs12.Modern2026} {
		f.Add(unenforced(f, func() ([]byte, error) { return enc.WithIterations(2).Encode(testKey(), leaf, nil, seedPassword) }))
	}
	keyBag := seq(oid(oidKeyBag), tlv(0xa0, pkcs8(f, testKey())))
	f.Add(pfx(keyBag))
	f.Add(indefiniteOf(pfx(keyBag), 3))
	for _, part := range encryptedParts(f, seq(keyBag)) {
		f.Add(pfxOf(part))
	}
	f.Add(pemOf("ENCRYPTED PRIVATE KEY", seq(pbes2([]byte("salt"), integer(2), oidAES128CBC, make([]byte, 16)), octets(make([]byte, 64)))))
	f.Add(pkcs8(f, ed25519Key()))
	f.Add(x509.MarshalPKCS1PrivateKey(rsaKey()))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899aabbccddeeff\n\nAAAAAAAAAAAAAAAAAAAAAA==\n-----END RSA PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, data []byte) { tryKey(t, data) })
}

func tryKey(t testing.TB, data []byte) {
	for _, opts := range [][]Option{nil, {WithPassword(seedPassword)}} {
		key, store, err := DecodeKey(data, opts...)
		if err != nil {
			require.Nil(t, key)
			require.Nil(t, store)
			continue
		}
		require.NotNil(t, store)
		// A key that parses also works.
		digest := sha256.Sum256(data)
		if rsaKey, ok := key.(*rsa.PrivateKey); ok && rsaKey.N.BitLen() < 1024 {
			continue
		}
		hash := crypto.SHA256
		message := bytes.Clone(digest[:])
		if _, ok := key.(ed25519.PrivateKey); ok {
			hash = 0
		}
		_, err = key.Sign(rand.Reader, message, hash)
		require.NoError(t, err)
	}
}
