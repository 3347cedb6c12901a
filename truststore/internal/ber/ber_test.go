package ber_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
)

func TestNestingDoesNotMultiplyMemory(t *testing.T) {
	const levels, size = ber.MaxDepth - 1, 1 << 20
	data := []byte(strings.Repeat("\x30\x80", levels))
	data = append(ber.AppendLength(append(data, 0x04), size), make([]byte, size)...)
	data = append(data, make([]byte, 2*levels)...)
	allocated := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, err := ber.DER(data)
			require.NoError(b, err)
		}
	}).AllocedBytesPerOp()
	assert.Less(t, allocated, int64(4*size))
}

func TestDividedOctetStringsAreJoined(t *testing.T) {
	for name, c := range map[string]struct{ ber, der string }{
		"as it is":             {"\x04\x02ab", "\x04\x02ab"},
		"one part":             {"\x24\x04\x04\x02ab", "\x04\x02ab"},
		"two parts":            {"\x24\x80\x04\x01a\x04\x01b\x00\x00", "\x04\x02ab"},
		"no parts":             {"\x24\x80\x00\x00", "\x04\x00"},
		"parts of parts":       {"\x24\x80\x24\x80\x04\x01a\x00\x00\x24\x03\x04\x01b\x00\x00", "\x04\x02ab"},
		"inside something":     {"\x30\x80\xa0\x80\x24\x80\x04\x02ab\x00\x00\x00\x00\x05\x00\x00\x00", "\x30\x08\xa0\x04\x04\x02ab\x05\x00"},
		"an empty sequence":    {"\x30\x80\x00\x00", "\x30\x00"},
		"a large tag":          {"\x3f\x81\x01\x80\x05\x00\x00\x00", "\x3f\x81\x01\x02\x05\x00"},
		"a tag with two bytes": {"\x30\x80\x9f\x81\x01\x01x\x00\x00", "\x30\x05\x9f\x81\x01\x01x"},
	} {
		t.Run(name, func(t *testing.T) {
			der, rest, err := ber.DER([]byte(c.ber + "rest"))
			require.NoError(t, err)
			assert.Equal(t, c.der, string(der))
			assert.Equal(t, "rest", string(rest))
			for n := range len(c.ber) {
				_, _, err := ber.DER([]byte(c.ber[:n]))
				assert.Error(t, err, n)
			}
		})
	}
	_, _, err := ber.DER([]byte("\x24\x80\x05\x00\x00\x00"))
	assert.ErrorContains(t, err, "something else")
}

func TestTheWalkRefuses(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"nothing":                        {"", "cut off"},
		"a length beyond the end":        {"\x30\x05\x05\x00", "says that it has 5 bytes"},
		"a length beyond the parent":     {"\x30\x03\x04\x02abcdef", "at byte 2: "},
		"four gigabytes":                 {"\x30\x84\xff\xff\xff\xff", "cut off"},
		"a length of five bytes":         {"\x30\x85\x00\x00\x00\x00\x00", "beyond reason"},
		"a primitive without a length":   {"\x04\x80ab\x00\x00", "has no length"},
		"an end mark with content":       {"\x30\x80\x00\x01a\x00\x00", "end mark has content"},
		"a tag without end":              {"\x3f\xff\xff\xff\xff\xff\x01\x00", "tag number"},
		"no end mark before the parent":  {"\x30\x04\x30\x80\x05\x00\x00\x00", "cut off"},
		"33 elements inside one another": {strings.Repeat("\x30\x80", 33) + strings.Repeat("\x00\x00", 33), "more than 32"},
		"five million elements":          {"\x30\x80" + strings.Repeat("\x05\x00", 5_000_000) + "\x00\x00", "more than 4194304"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ber.Walk([]byte(c.data))
			assert.ErrorContains(t, err, c.want)
		})
	}
	size, _, err := ber.Walk([]byte(strings.Repeat("\x30\x80", 32) + strings.Repeat("\x00\x00", 32)))
	require.NoError(t, err)
	assert.Equal(t, 128, size)
}
