package pbe

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where a key is longer than the hash, each iteration is hashed once for each part of it.
func TestKeyDerivationIsCountedInHashBlocks(t *testing.T) {
	const n = 1_000_000
	for name, c := range map[string]struct {
		blocks int64
		want   float64 // for each iteration
	}{
		"PBKDF2 with SHA-1, AES-128":        {pbkdf2Blocks(sha1.New(), 16, n, 16), 2},
		"PBKDF2 with SHA-1, AES-256":        {pbkdf2Blocks(sha1.New(), 16, n, 32), 4},
		"PBKDF2 with SHA-1, 64 bytes":       {pbkdf2Blocks(sha1.New(), 16, n, 64), 8},
		"PBKDF2 with SHA-224, AES-256":      {pbkdf2Blocks(sha256.New224(), 16, n, 32), 4},
		"PBKDF2 with SHA-256, AES-256":      {pbkdf2Blocks(sha256.New(), 16, n, 32), 2},
		"PBKDF2 with SHA-384, AES-256":      {pbkdf2Blocks(sha512.New384(), 16, n, 32), 4},
		"PBKDF2 with SHA-512, AES-256":      {pbkdf2Blocks(sha512.New(), 16, n, 32), 4},
		"PKCS#12 with SHA-1, triple DES":    {pkcs12Blocks(sha1.New(), 14, 8, n, 24), 2},
		"PKCS#12 with SHA-1, initial value": {pkcs12Blocks(sha1.New(), 14, 8, n, 8), 1},
		"PKCS#12 with SHA-512, MAC":         {pkcs12Blocks(sha512.New(), 14, 8, n, 64), 2},
	} {
		assert.InDelta(t, c.want, float64(c.blocks)/n, 0.001, name)
	}
	assert.Positive(t, pbkdf2Blocks(sha512.New(), maxSalt, math.MaxInt32, 64))
}

func TestTheWorkOfManyPartsIsAddedUp(t *testing.T) {
	var w Work
	for range 4 {
		require.NoError(t, w.Add(MaxBlocks/4))
	}
	assert.ErrorContains(t, w.Add(1), "more than 16000000 blocks")
}

func TestRC2AgainstItsRFC(t *testing.T) {
	// RFC 2268, section 5, those where all bits of the key are effective.
	for _, c := range []struct{ key, plain, cipher string }{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, err := hex.DecodeString(c.key)
		require.NoError(t, err)
		data, err := hex.DecodeString(c.cipher)
		require.NoError(t, err)
		require.NoError(t, rc2DecryptCBC(key, make([]byte, 8), data))
		assert.Equal(t, c.plain, hex.EncodeToString(data))
	}
	assert.Error(t, rc2DecryptCBC(make([]byte, 5), make([]byte, 8), make([]byte, 7)))
	assert.Error(t, rc2DecryptCBC(make([]byte, 5), make([]byte, 7), make([]byte, 8)))
	assert.Error(t, rc2DecryptCBC(nil, make([]byte, 8), make([]byte, 8)))
	assert.Error(t, rc2DecryptCBC(make([]byte, 129), make([]byte, 8), make([]byte, 8)))
}
