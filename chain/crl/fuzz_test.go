package crl_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

// tryParse checks what holds for every input, and reports whether it is a list.
func tryParse(t testing.TB, data []byte) bool {
	l, err := crl.Parse(data)
	if err != nil {
		require.Nil(t, l)
		require.True(t, strings.HasPrefix(err.Error(), "crl: "), err)
		require.Less(t, len(err.Error()), 500)
		return false
	}
	if data[0] != 0x30 {
		return true
	}
	compare(t, data)
	own, theirs := judge(data, ca().Certificate)
	if theirs != nil {
		require.Error(t, own)
	}
	_ = l.Covers(ca().Certificate)
	return true
}

// parseSeeds are lists of each kind, and such as are none.
func parseSeeds() [][]byte {
	whole := newHandmade()
	whole.revoked = element(0x30,
		entryOf(integer(5), utcTime("260101000000Z"), entryExtension(21, nil, []byte{0x0a, 1, 1}), entryExtension(24, isCritical, generalizedTime("20251231235959Z"))),
		entryOf(integer(1, 2, 3), generalizedTime("20560101000000Z"), entryExtension(23, nil, element(0x06, []byte{0x2a, 3}))),
		entryOf(integer(5), utcTime("500101000000Z"), entryExtension(21, isCritical, []byte{0x0a, 1, 8})),
		entryOf(integer(0x80), utcTime("260101000000Z")))
	whole.extensions = element(0xa0, element(0x30,
		entryExtension(20, nil, integer(9)),
		entryExtension(35, nil, element(0x30, element(0x80, ca().SubjectKeyId))),
		entryExtension(28, isCritical, element(0x30, element(0xa0, element(0xa0, element(0x86, []byte("http://a")))), element(0x81, []byte{0xff}))),
		entryExtension(46, nil, []byte{5, 0})))
	short := newHandmade()
	short.revoked, short.extensions = nil, nil
	indirect := newHandmade()
	indirect.revoked = element(0x30, entryOf(integer(5), utcTime("260101000000Z"), entryExtension(29, isCritical, element(0x30, element(0xa4, ca().RawSubject)))))
	rsaCA := newAuthority("Issuing CA", rsaKey())
	return [][]byte{
		whole.sign(), short.sign(), indirect.sign(), pemOf(whole.sign()),
		ca().list(revoking(revoked(5, now, crl.KeyCompromise), revoked(300, now, crl.Unspecified))),
		rsaCA.list(func(l *x509.RevocationList) { l.SignatureAlgorithm = x509.SHA512WithRSAPSS }),
		newAuthority("Issuing CA", ed25519Key()).list(revoking(revoked(1, now, crl.Superseded))),
		ca().Raw, []byte("<html>"),
	}
}

// seedLists are lists written by openssl 3.0, by file name: the part before the
// first dash names the CA's certificate beside it.
func seedLists(t testing.TB) map[string][]byte {
	paths, err := filepath.Glob(filepath.Join("testdata", "openssl", "*.crl"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	lists := map[string][]byte{}
	for _, path := range paths {
		lists[path] = must(os.ReadFile(path))
	}
	return lists
}

func TestSeedsAreRead(t *testing.T) {
	for path, data := range seedLists(t) {
		t.Run(path, func(t *testing.T) {
			l, err := crl.Parse(data)
			require.NoError(t, err)
			assert.Equal(t, 6, l.Len())
			kind, _, _ := strings.Cut(path, "-")
			issuer := must(pemCertificate(kind + ".pem"))
			assert.NoError(t, l.CheckSignatureFrom(issuer))
			other := must(pemCertificate("testdata/openssl/rsa.pem"))
			if !issuer.Equal(other) {
				assert.Error(t, l.CheckSignatureFrom(other))
			}
		})
	}
}

func pemCertificate(path string) (*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	return x509.ParseCertificate(block.Bytes)
}

func FuzzParse(f *testing.F) {
	for _, seed := range seedLists(f) {
		f.Add(seed)
		if block, _ := pem.Decode(seed); block != nil {
			f.Add(block.Bytes)
		}
	}
	for _, seed := range parseSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { tryParse(t, data) })
}

// What a fuzzer would do, for every run: bytes changed, put in, left out and
// repeated, elements given other tags, and lengths made to fit again by chance.
func TestMutatedListsAreReadAsCryptoX509DoesOrRefused(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(6, 6))
	tags := []byte{1, 2, 3, 4, 5, 6, 0x0a, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0xa0, 0xff, 0}
	read := 0
	for _, seed := range parseSeeds()[:7] {
		for range 4000 {
			data := slices.Clone(seed)
			for range 1 + random.IntN(3) {
				i := random.IntN(len(data))
				switch random.IntN(5) {
				case 0:
					data[i] = byte(random.Uint32())
				case 1:
					data[i] ^= 1 << random.IntN(8)
				case 2:
					data[i] = tags[random.IntN(len(tags))]
				case 3: // swap two places of the same length
					n := min(1+random.IntN(16), len(data)-i)
					j := random.IntN(len(data) - n + 1)
					part := slices.Clone(data[i : i+n])
					copy(data[i:], data[j:j+n])
					copy(data[j:], part)
				case 4:
					data[i] = byte('0' + random.IntN(10))
				}
			}
			if tryParse(t, data) {
				read++
			}
		}
	}
	assert.Greater(t, read, 1000, "most of these were not lists at all, and nothing was tried")
}

// Long runs of one byte, nested elements, and lengths that lie.
func TestHostileInputIsRefusedAtOnce(t *testing.T) {
	const size = 1 << 20
	nested := bytes.Repeat([]byte{0x30, 0x84, 0, 0x0f, 0xff, 0xff}, size/6)
	for name, data := range map[string][]byte{
		"zeroes":                      make([]byte, size),
		"sequences":                   bytes.Repeat([]byte{0x30}, size),
		"nested sequences":            nested,
		"begins of PEM":               bytes.Repeat([]byte("-----BEGIN X509 CRL-----\n"), size/25),
		"an end of PEM without begin": bytes.Repeat([]byte("-----END X509 CRL-----\n"), size/25),
		"a length of 4 GB":            {0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
		"an indefinite length":        {0x30, 0x80, 0, 0},
	} {
		_, err := crl.Parse(data)
		require.ErrorContains(t, err, "crl: ", name)
		assert.Less(t, len(err.Error()), 400, name) // each of 64 bytes may be escaped
	}
	// Numbers that fall into the same bucket of the index, all but one.
	var entries []byte
	for i := range 20_000 {
		entries = append(entries, entryOf(integer(append([]byte{1}, new(big.Int).SetInt64(int64(0x100000+i)).FillBytes(make([]byte, 15))...)...), utcTime("260101000000Z"))...)
	}
	entries = append(entries, entryOf(integer(append([]byte{0x7f}, make([]byte, 15)...)...), utcTime("260101000000Z"))...)
	h := newHandmade()
	h.revoked = element(0x30, entries)
	compare(t, h.sign())
}
