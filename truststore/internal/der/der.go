// Package der reads certificates that follow one another.
package der

import (
	"errors"
	"fmt"
	"iter"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/purposes"
)

// Entries yields the certificates, with nothing after the last one but white space and zero bytes.
func Entries(data []byte, _ entry.Options) iter.Seq[entry.Entry] {
	return func(yield func(entry.Entry) bool) {
		for number, at := 1, 0; ; number++ {
			if ber.IsPadding(data[at:]) {
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
			if e.Restriction = restriction(data[end:]); e.Restriction != "" {
				e.Kind = entry.Restricted
			}
			if !yield(e) {
				return
			}
			at = end
		}
	}
}

// restriction is what the content of a TRUSTED CERTIFICATE block says after the
// certificate. Such content is not DER certificates, and its second element is an error,
// but whoever goes on after that may not take the certificate without it.
func restriction(rest []byte) string {
	h, err := ber.ReadHeader(rest)
	if err != nil || h.Tag != ber.Sequence || h.Length == ber.Indefinite {
		return ""
	}
	p, err := purposes.ReadCertAux(rest[:h.Size+h.Length])
	if err != nil {
		return ""
	}
	return p.Restriction()
}

func place(e entry.Entry) string {
	return fmt.Sprintf("certificate %d (byte %d)", e.Number, e.Offset)
}
