// Package pbe decrypts with passwords, and checks them: PKCS#5, and PKCS#12 with what
// it used of old. No library fits: x/crypto/pkcs12 and go-pkcs12 decrypt whole files
// only, and bound no iterations.
package pbe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"math"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
)

// MaxBlocks is how many blocks of 64 bytes a file may have hashed for its password,
// for all keys and checks in it: a few seconds. PBKDF2 hashes two blocks an iteration.
// Programs write 2,048 iterations (openssl), 10,000 (keytool) and 600,000 (certtool, and
// that for each certificate anew: ten with their key are eight million).
const MaxBlocks = 16_000_000

// Longer than any that is written, and short enough to be hashed many times.
const maxSalt = 1024

// Work adds up the hash blocks that a file, or the files of a folder together, have
// asked for. The zero value is the start.
type Work struct{ Blocks int64 }

// Add adds blocks, or refuses them.
func (w *Work) Add(blocks int64) error {
	if blocks > MaxBlocks-w.Blocks {
		return fmt.Errorf("its password wants more than %d blocks hashed, which is refused: write it anew with fewer iterations", MaxBlocks)
	}
	w.Blocks += blocks
	return nil
}

// hashBlocks is how many blocks of 64 bytes a hash of size bytes costs. SHA-384 and
// SHA-512 have blocks of 128 bytes, which cost as much as two.
func hashBlocks(h hash.Hash, size int) int64 {
	block := h.BlockSize()
	return int64((size+1+block/8+block-1)/block) * int64(block/64)
}

// pbkdf2Blocks is what PBKDF2 costs: for each part of the key, as long as the hash, two
// blocks an iteration, and the salt.
func pbkdf2Blocks(h hash.Hash, salt, iterations, keySize int) int64 {
	parts := int64((keySize + h.Size() - 1) / h.Size())
	return parts * (hashBlocks(h, salt+4) + 2*int64(iterations)*int64(h.BlockSize()/64))
}

// pkcs12Blocks is what pkcs12Key costs.
func pkcs12Blocks(h hash.Hash, password, salt, iterations, size int) int64 {
	parts := int64((size + h.Size() - 1) / h.Size())
	return parts * (hashBlocks(h, password+salt+3*h.BlockSize()) + int64(iterations)*int64(h.BlockSize()/64))
}

// Secret is a password in the two forms in which it is hashed.
type Secret struct {
	text string
	bmp  []byte // UTF-16, big endian, with a zero at the end, for PKCS#12
}

// NewSecret returns both forms of a password.
func NewSecret(password string) *Secret {
	s := Secret{text: password}
	for _, unit := range append(utf16.Encode([]rune(password)), 0) {
		s.bmp = append(s.bmp, byte(unit>>8), byte(unit))
	}
	return &s
}

// BlameNone says what is wrong with a password that was not given. An empty one is
// tried nevertheless, because there are files that have it.
func (s *Secret) BlameNone(err error) error {
	if s.text == "" && errors.Is(err, ErrWrong) {
		return ErrMissing
	}
	return err
}

// ErrWrong and ErrMissing are the errors for a password: as ErrPassword both, and as
// ErrNoPassword the second.
var (
	ErrWrong   error = passwordError("the password given does not fit, or the file is damaged")
	ErrMissing error = passwordError("it is encrypted, and no password was given")

	ErrPassword   = errors.New("truststore: the password does not fit or is missing")
	ErrNoPassword = errors.New("truststore: the password is missing")

	errDamagedPBE = errors.New("the description of its encryption is damaged")
)

type passwordError string

func (e passwordError) Error() string { return string(e) }

func (e passwordError) Is(target error) bool {
	return target == ErrPassword || target == ErrNoPassword && e == ErrMissing
}

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	oidHMACWithSHA1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}

	oidPKCS12TripleDES  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3}
	oidPKCS12RC2With128 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 5}
	oidPKCS12RC2With40  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 6}

	oidTripleDESCBC = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	oidAES128CBC    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192CBC    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256CBC    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// hashOf returns the hash for the object identifier of a digest or an HMAC, which is
// used for what.
func hashOf(oid asn1.ObjectIdentifier, what string) (func() hash.Hash, error) {
	switch oid.String() {
	case "1.3.14.3.2.26", "1.2.840.113549.2.7":
		return sha1.New, Approved("SHA-1")
	case "2.16.840.1.101.3.4.2.4", "1.2.840.113549.2.8":
		return sha256.New224, nil
	case "2.16.840.1.101.3.4.2.1", "1.2.840.113549.2.9":
		return sha256.New, nil
	case "2.16.840.1.101.3.4.2.2", "1.2.840.113549.2.10":
		return sha512.New384, nil
	case "2.16.840.1.101.3.4.2.3", "1.2.840.113549.2.11":
		return sha512.New, nil
	}
	return nil, errUnsupported(what, oid)
}

// Decrypt reads an AlgorithmIdentifier of a password based encryption
// from algorithm and decrypts data with it. ErrWrong is all that it says
// when the padding is not as it should be.
func Decrypt(algorithm *cryptobyte.String, data []byte, password *Secret, w *Work) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	var params cryptobyte.String
	if !ber.ReadAlgorithm(algorithm, &oid, &params) {
		return nil, errDamagedPBE
	}
	if oid.Equal(oidPBES2) {
		return decryptPBES2(params, data, password, w)
	}
	keySize, needs := 0, "RC2 and SHA-1"
	switch {
	case oid.Equal(oidPKCS12TripleDES):
		keySize, needs = 24, "triple DES and SHA-1"
	case oid.Equal(oidPKCS12RC2With128):
		keySize = 16
	case oid.Equal(oidPKCS12RC2With40):
		keySize = 5
	default:
		return nil, errUnsupported("encryption", oid)
	}
	if err := Approved(needs); err != nil {
		return nil, err
	}
	var salt []byte
	var iterations int
	if !params.ReadASN1(&params, cbasn1.SEQUENCE) || !params.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) || len(salt) > maxSalt {
		return nil, errDamagedPBE
	}
	if err := readIterations(&params, &iterations); err != nil {
		return nil, err
	}
	h := sha1.New()
	blocks := pkcs12Blocks(h, len(password.bmp), len(salt), iterations, keySize) + pkcs12Blocks(h, len(password.bmp), len(salt), iterations, 8)
	if err := w.Add(blocks); err != nil {
		return nil, err
	}
	key := pkcs12Key(sha1.New, 1, password.bmp, salt, iterations, keySize)
	iv := pkcs12Key(sha1.New, 2, password.bmp, salt, iterations, 8)
	if keySize != 24 {
		if len(data) == 0 || len(data)%rc2BlockSize != 0 {
			return nil, ErrWrong
		}
		out := append([]byte(nil), data...)
		if err := rc2DecryptCBC(key, iv, out); err != nil {
			return nil, err
		}
		return unpad(out, rc2BlockSize)
	}
	block, err := des.NewTripleDESCipher(key)
	if err != nil {
		return nil, err
	}
	return decryptCBC(block, iv, data)
}

func errUnsupported(what string, oid asn1.ObjectIdentifier) error {
	return fmt.Errorf("its %s %v is not supported: write it anew with AES (openssl pkcs8 -topk8, or pkcs12 -export)", what, oid)
}

// readIterations reads an iteration count. What is larger than an int32 is that: it is
// refused when its blocks are counted.
func readIterations(in *cryptobyte.String, iterations *int) error {
	var n cryptobyte.String
	if !in.ReadASN1(&n, cbasn1.INTEGER) || len(n) == 0 || n[0] >= 0x80 && len(n) <= 4 {
		return errDamagedPBE
	}
	*iterations = math.MaxInt32
	if len(n) <= 4 {
		*iterations = 0
		for _, b := range n {
			*iterations = *iterations<<8 | int(b)
		}
	}
	if *iterations < 1 {
		return errors.New("it wants the password hashed less than once: the file is damaged")
	}
	return nil
}

// readPBKDF2 reads the parameters of PBKDF2 (RFC 8018, A.2) and derives a key.
// A keySize of zero means that the parameters must say it.
func readPBKDF2(params *cryptobyte.String, keySize int, password *Secret, w *Work) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	var kdf, prfParams cryptobyte.String
	if !ber.ReadAlgorithm(params, &oid, &kdf) {
		return nil, errDamagedPBE
	}
	if !oid.Equal(oidPBKDF2) {
		return nil, errUnsupported("key derivation", oid)
	}
	var salt []byte
	if !kdf.ReadASN1(&kdf, cbasn1.SEQUENCE) || !kdf.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) || len(salt) > maxSalt {
		return nil, errDamagedPBE
	}
	var iterations int
	if err := readIterations(&kdf, &iterations); err != nil {
		return nil, err
	}
	if kdf.PeekASN1Tag(cbasn1.INTEGER) {
		var n int64
		if !kdf.ReadASN1Integer(&n) || keySize != 0 && n != int64(keySize) {
			return nil, errDamagedPBE
		}
		// RFC 9579, section 4, for PBMAC1: a short key would make any password right.
		if keySize == 0 && n >= 20 && n <= 64 {
			keySize = int(n)
		}
	}
	if keySize == 0 {
		return nil, errDamagedPBE
	}
	oid = oidHMACWithSHA1 // where there is none
	if !kdf.Empty() && !ber.ReadAlgorithm(&kdf, &oid, &prfParams) {
		return nil, errDamagedPBE
	}
	newHash, err := hashOf(oid, "key derivation")
	if err != nil {
		return nil, err
	}
	if len(salt) < 16 { // SP 800-132, section 5.1
		if err := Approved(fmt.Sprintf("a salt of %d bytes", len(salt))); err != nil {
			return nil, err
		}
	}
	if err := w.Add(pbkdf2Blocks(newHash(), len(salt), iterations, keySize)); err != nil {
		return nil, err
	}
	return pbkdf2.Key(newHash, password.text, salt, iterations, keySize)
}

// decryptPBES2 is RFC 8018, section 6.2.
func decryptPBES2(params cryptobyte.String, data []byte, password *Secret, w *Work) ([]byte, error) {
	// The cipher follows the key derivation, which needs its key size.
	var kdf, cipherParams cryptobyte.String
	var oid asn1.ObjectIdentifier
	var iv []byte
	if !params.ReadASN1(&params, cbasn1.SEQUENCE) ||
		!params.ReadASN1Element(&kdf, cbasn1.SEQUENCE) ||
		!ber.ReadAlgorithm(&params, &oid, &cipherParams) {
		return nil, errDamagedPBE
	}
	newCipher, keySize, blockSize := aes.NewCipher, 0, aes.BlockSize
	switch {
	case oid.Equal(oidAES128CBC):
		keySize = 16
	case oid.Equal(oidAES192CBC):
		keySize = 24
	case oid.Equal(oidAES256CBC):
		keySize = 32
	case oid.Equal(oidTripleDESCBC):
		if err := Approved("triple DES"); err != nil {
			return nil, err
		}
		newCipher, keySize, blockSize = des.NewTripleDESCipher, 24, des.BlockSize
	default:
		return nil, errUnsupported("cipher", oid)
	}
	if !cipherParams.ReadASN1Bytes(&iv, cbasn1.OCTET_STRING) || len(iv) != blockSize {
		return nil, errDamagedPBE
	}
	key, err := readPBKDF2(&kdf, keySize, password, w)
	if err != nil {
		return nil, err
	}
	block, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	return decryptCBC(block, iv, data)
}

func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	if len(data) == 0 || len(data)%block.BlockSize() != 0 {
		return nil, ErrWrong
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	return unpad(out, block.BlockSize())
}

func unpad(data []byte, blockSize int) ([]byte, error) {
	n := int(data[len(data)-1])
	if n == 0 || n > blockSize {
		return nil, ErrWrong
	}
	for _, b := range data[len(data)-n:] {
		if int(b) != n {
			return nil, ErrWrong
		}
	}
	return data[:len(data)-n], nil
}

// pkcs12Key is the key derivation of PKCS#12 (RFC 7292, B.2). The id says what
// the result is for: 1 a key, 2 an initial value, 3 a MAC key.
func pkcs12Key(newHash func() hash.Hash, id byte, password, salt []byte, iterations, size int) []byte {
	h := newHash()
	v := h.BlockSize()
	diversifier := make([]byte, v)
	for i := range diversifier {
		diversifier[i] = id
	}
	blocks := append(repeatTo(salt, v), repeatTo(password, v)...)
	key := make([]byte, 0, size+h.Size())
	for {
		h.Reset()
		h.Write(diversifier)
		h.Write(blocks)
		sum := h.Sum(nil)
		for range iterations - 1 {
			h.Reset()
			h.Write(sum)
			sum = h.Sum(sum[:0])
		}
		if key = append(key, sum...); len(key) >= size {
			return key[:size]
		}
		// Each block becomes itself plus the sum, repeated to a block, plus one.
		addend := repeatTo(sum, v)[:v]
		for b := 0; b < len(blocks); b += v {
			carry := 1
			for i := v - 1; i >= 0; i-- {
				carry += int(blocks[b+i]) + int(addend[i])
				blocks[b+i] = byte(carry)
				carry >>= 8
			}
		}
	}
}

// repeatTo repeats data until its length is a multiple of v.
func repeatTo(data []byte, v int) []byte {
	size := (len(data) + v - 1) / v * v
	out := make([]byte, 0, size+len(data))
	for len(data) > 0 && len(out) < size {
		out = append(out, data...)
	}
	return out[:size]
}
