package chain_test

import (
	"crypto"
	"crypto/rsa"
	"io"
	"math/big"
	"math/rand/v2"
)

// smoothKey is an RSA key of many small primes, so that a test can make and use one
// of any size at once. To whoever verifies with it it is like any other of its size.
type smoothKey struct {
	public rsa.PublicKey
	primes []*big.Int
	d      []*big.Int // the private exponent for each prime
	unit   []*big.Int // 1 for its own prime, 0 for all others
}

func newSmoothKey(bits, exponent int) *smoothKey {
	const size = 61
	k := &smoothKey{public: rsa.PublicKey{E: exponent}}
	random := rand.New(rand.NewPCG(uint64(bits), uint64(exponent)))
	e, one, n := big.NewInt(int64(exponent)), big.NewInt(1), big.NewInt(1)
	seen := map[uint64]bool{}
	for n.BitLen() < bits {
		// The last one fills up what is left.
		length := min(size, bits-n.BitLen()+1)
		if left := bits - n.BitLen(); left > size && left < size+30 {
			length = left / 2
		}
		candidate := random.Uint64()>>(64-length) | 1<<(length-1) | 1
		p := new(big.Int).SetUint64(candidate)
		d := new(big.Int).ModInverse(e, new(big.Int).Sub(p, one))
		if seen[candidate] || d == nil || !p.ProbablyPrime(10) {
			continue
		}
		next := new(big.Int).Mul(n, p)
		if next.BitLen() > bits {
			continue
		}
		seen[candidate] = true
		n, k.primes, k.d = next, append(k.primes, p), append(k.d, d)
	}
	k.public.N = n
	for _, p := range k.primes {
		others := new(big.Int).Div(n, p)
		inverse := new(big.Int).ModInverse(new(big.Int).Mod(others, p), p)
		k.unit = append(k.unit, others.Mul(others, inverse))
	}
	return k
}

func (k *smoothKey) Public() crypto.PublicKey { return &k.public }

// sha256Prefix is that of a DigestInfo, RFC 8017 section 9.2.
var sha256Prefix = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// Sign makes a signature of PKCS #1 v1.5 with SHA-256.
func (k *smoothKey) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	padded := make([]byte, k.public.Size())
	padded[1] = 1
	content := len(padded) - len(sha256Prefix) - len(digest)
	for i := 2; i < content-1; i++ {
		padded[i] = 0xff
	}
	copy(padded[content:], sha256Prefix)
	copy(padded[content+len(sha256Prefix):], digest)
	m, sum := new(big.Int).SetBytes(padded), new(big.Int)
	for i, p := range k.primes {
		part := new(big.Int).Exp(new(big.Int).Mod(m, p), k.d[i], p)
		sum.Add(sum, part.Mul(part, k.unit[i]))
	}
	return sum.Mod(sum, k.public.N).FillBytes(padded), nil
}
