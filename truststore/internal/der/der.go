// Package der reads certificates that follow one another.
package der

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

// Entries yields the certificates, with nothing after the last one but white space.
func Entries(data []byte, _ entry.Options) iter.Seq[entry.Entry] {
	return func(yield func(entry.Entry) bool) {
		for number, at := 1, 0; ; number++ {
			if rest := bytes.TrimLeft(data[at:], "\r\n\t "); len(rest) == 0 {
				return
			}
			e := entry.Entry{Kind: entry.Plain, Number: number, Offset: at, Place: place}
			h, err := ber.ReadHeader(data[at:])
			switch {
			case err != nil:
			case h.Length == ber.Indefinite:
				err = entry.ErrNoLength
			case h.Tag != ber.Sequence:
				err = errors.New("this is not a certificate")
			}
			if err != nil { // where the next one begins is not known
				e.Err = err
				yield(e)
				return
			}
			end := at + h.Size + h.Length
			e.DER = data[at:end]
			if !yield(e) {
				return
			}
			at = end
		}
	}
}

func place(e entry.Entry) string {
	return fmt.Sprintf("certificate %d (byte %d)", e.Number, e.Offset)
}
