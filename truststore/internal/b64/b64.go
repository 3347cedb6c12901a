// Package b64 decodes base64 in lines, as PEM and portals have it.
package b64

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// Decode ignores white space and is strict about everything else.
func Decode(text []byte) ([]byte, error) {
	der := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, read := decodeLines(der, text)
	decode := base64.StdEncoding.Strict().Decode
	if bytes.ContainsAny(text[read:], " \t") {
		decode = decodeWithBlanks
	}
	m, err := decode(der[n:], text[read:])
	if err != nil {
		if at, ok := err.(base64.CorruptInputError); ok {
			err = at + base64.CorruptInputError(read)
		}
		return nil, fmt.Errorf("damaged base64: %w", err)
	}
	n += m
	if n == 0 {
		return nil, errors.New("it is empty")
	}
	return der[:n], nil
}

// decodeWithBlanks decodes base64 with blanks in it, a piece at a time: a copy of all
// of it without blanks would take as much memory again.
func decodeWithBlanks(out, text []byte) (written int, err error) {
	var piece [4 << 10]byte // whole groups of four characters
	for done := 0; ; done += len(piece) {
		n := 0
		for len(text) > 0 && n < len(piece) {
			if c := text[0]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				piece[n] = c
				n++
			}
			text = text[1:]
		}
		text = bytes.TrimLeft(text, " \t\r\n")
		m, err := base64.StdEncoding.Strict().Decode(out[written:], piece[:n])
		written += m
		if err == nil && len(text) > 0 && piece[n-1] == '=' { // the end, and more
			err = base64.CorruptInputError(n)
		}
		if at, ok := err.(base64.CorruptInputError); ok {
			err = at + base64.CorruptInputError(done)
		}
		if err != nil || len(text) == 0 {
			return written, err
		}
	}
}

// decodeLines decodes the regular beginning of a base64 text: lines of whole groups
// of four characters. It returns how much it wrote and read, and leaves what is
// irregular, and the end with its padding, to encoding/base64. That stops at each
// line break to look closer and takes nearly twice as long: a third of the time in
// which crypto/x509 parses the certificate, where this takes a fifth.
func decodeLines(out, text []byte) (written, read int) {
	tables := base64Tables()
	for {
		// Lines of 64, which nearly all have, and then one group after the other. The
		// last ones are not done here.
		for len(text)-read > 80 && text[read+64] == '\n' {
			line, to := (*[64]byte)(text[read:]), (*[50]byte)(out[written:])
			var all uint32
			for i := range 8 {
				in := binary.LittleEndian.Uint64(line[8*i:])
				v := tables[0][byte(in)] | tables[1][byte(in>>8)] | tables[2][byte(in>>16)] | tables[3][byte(in>>24)]
				w := tables[0][byte(in>>32)] | tables[1][byte(in>>40)] | tables[2][byte(in>>48)] | tables[3][byte(in>>56)]
				all |= v | w
				// With two bytes that the next groups overwrite.
				binary.BigEndian.PutUint64(to[6*i:], uint64(v)<<40|uint64(w)<<16)
			}
			if all >= notBase64 {
				break
			}
			written += 48
			read += 65
		}
		for len(text)-read > 8 {
			in := (*[4]byte)(text[read:])
			v := tables[0][in[0]] | tables[1][in[1]] | tables[2][in[2]] | tables[3][in[3]]
			if v >= notBase64 {
				break
			}
			binary.BigEndian.PutUint32(out[written:], v<<8)
			written += 3
			read += 4
		}
		at := read
		for at < len(text) && (text[at] == '\n' || text[at] == '\r') {
			at++
		}
		if at == read {
			return written, read
		}
		read = at
	}
}

// base64Tables are the values of the four characters of a group, each where it
// belongs in the 24 bits.
var base64Tables = sync.OnceValue(func() *[4][256]uint32 {
	var tables [4][256]uint32
	for i := range tables {
		for c := range tables[i] {
			tables[i][c] = notBase64
		}
		for value, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
			tables[i][c] = uint32(value) << (18 - 6*i)
		}
	}
	return &tables
})

// notBase64 is in base64Tables what no group of characters of base64 has.
const notBase64 = 1 << 24
