package pkcs7

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

// A certificate that is not in DER, in a file that is full of beginnings of what it would
// be in DER: whoever searches the file for that compares half of it at each of them.
func TestACertificateInBERIsNotSearchedFor(t *testing.T) {
	long := func(tag byte, n int) []byte { return []byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)} }
	element := func(tag byte, content ...[]byte) []byte {
		all := slices.Concat(content...)
		return append(long(tag, len(all)), all...)
	}
	indefinite := func(tag byte, content ...[]byte) []byte {
		return append(append([]byte{tag, 0x80}, slices.Concat(content...)...), 0, 0)
	}
	const period = 20 // bytes, of what the certificate in DER begins with
	n := 1 << 20 / period * period
	some := []byte{4, 8, 1, 2, 3, 4, 5, 6, 7, 8}
	begin := slices.Concat(long(0x30, len(some)+5+n+4), some, long(4, n))
	cert := element(0x30, some, element(4, bytes.Repeat(begin, n/period)), indefinite(0x24, []byte{4, 1, 'x'}, []byte{4, 1, 'y'}))
	content := func(number byte) []byte { return []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, number} }
	file := indefinite(0x30, content(2), indefinite(0xa0, indefinite(0x30,
		[]byte{2, 1, 1, 0x31, 0},
		element(0x30, content(1), element(0xa0, element(4, bytes.Repeat(begin, 2*n/period)))),
		element(0xa0, cert), []byte{0x31, 0})))

	fastest := func(f func()) time.Duration {
		took := time.Hour
		for range 3 { // others on the machine make it seem slower
			start := time.Now()
			f()
			took = min(took, time.Since(start))
		}
		return took
	}
	read := fastest(func() {
		var errs []string
		for e := range Entries(file, entry.Options{}) {
			errs = append(errs, e.Within(e.Err).Error())
		}
		assert.Equal(t, []string{"certificate 1 in the PKCS#7: it is not in DER"}, errs)
	})
	hashed := fastest(func() { sha256.Sum256(file) })
	t.Log(read, hashed)
	assert.Less(t, read, 20*hashed, "%d bytes", len(file))
}
