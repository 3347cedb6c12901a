package truststore

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheLimitOfAFolderIsNamed(t *testing.T) {
	certs := realCerts(t)
	dir := t.TempDir()
	first := text(certs[0])
	write(t, dir, "a.pem", first)
	write(t, dir, "b.pem", text(certs[1]))
	limit := len(first) + 7
	want := fmt.Sprintf("truststore: %s: the files in this folder have more than %d bytes together, which is the limit", filepath.Join(dir, "b.pem"), limit)
	_, err := Open(dir, WithLimit(int64(limit)))
	assert.EqualError(t, err, want)
	_, err = Watch(t.Context(), dir, WithLimit(int64(limit)))
	assert.EqualError(t, err, want)
	s, err := Open(dir, WithLimit(int64(limit)), KeepGoing())
	assert.EqualError(t, err, want)
	assert.Equal(t, 1, s.Len())
}

// The number of sets without anything in them went past the bound, which then bound nothing.
func TestTheNumberOfAttributesOfAnOutlineIsBounded(t *testing.T) {
	cert := func(name []byte) []byte {
		algorithm := seq(oid(asn1.ObjectIdentifier{1, 3, 101, 112}))
		date := tlv(0x17, []byte("300101000000Z"))
		key := seq(algorithm, tlv(0x03, make([]byte, 33)))
		return seq(seq(integer(1), algorithm, name, seq(date, date), name, key), algorithm, tlv(0x03, make([]byte, 65)))
	}
	attribute := seq(oid(asn1.ObjectIdentifier{2, 5, 4, 3}), tlv(0x0c, []byte("a")))
	for name, c := range map[string]struct {
		sets []byte
		good bool
	}{
		"as many as may be":      {bytes.Repeat(tlv(0x31, attribute), 256), true},
		"one more":               {bytes.Repeat(tlv(0x31, attribute), 257), false},
		"one more, in one set":   {tlv(0x31, bytes.Repeat(attribute, 257)), false},
		"in sets of many":        {bytes.Repeat(tlv(0x31, bytes.Repeat(attribute, 100)), 3), false},
		"many, after empty ones": {append(bytes.Repeat(tlv(0x31), 300), tlv(0x31, bytes.Repeat(attribute, 1000))...), false},
	} {
		_, err := ReadOutline(cert(seq(c.sets)))
		if c.good {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorIs(t, err, errLargeName, name)
		}
	}
}
