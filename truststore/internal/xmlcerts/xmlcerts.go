// Package xmlcerts reads the ds:X509Certificate elements of XML documents.
package xmlcerts

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// Entries yields the certificates, wherever they are. What the document says about a
// certificate is not looked at, nor who signed it.
func Entries(data []byte, _ entry.Options) iter.Seq[entry.Entry] {
	return func(yield func(entry.Entry) bool) {
		r := xmldoc.NewReader(data)
		var inside, elements []xml.StartElement // elements is a copy, nil if inside has changed
		for number := 0; ; {
			token, err := r.Next()
			if err == io.EOF {
				if number == 0 {
					yield(entry.Entry{Kind: entry.Other, Err: errNone})
				}
				return
			}
			if err != nil {
				yield(entry.Entry{Err: err})
				return
			}
			switch tag := token.(type) {
			case xml.EndElement:
				inside, elements = inside[:len(inside)-1], nil
			case xml.StartElement:
				if tag.Name.Space != xmldoc.Signature || tag.Name.Local != "X509Certificate" {
					inside, elements = append(inside, withoutNamespaces(tag)), nil
					continue
				}
				if elements == nil {
					elements = slices.Clone(inside)
				}
				number++
				e := entry.Entry{Kind: entry.Plain, Number: number, Offset: int(r.Offset()), Elements: elements, Place: place}
				e.DER, e.Err = r.Base64(2 * entry.MaxCertificate)
				final := e.Err != nil && !errors.Is(e.Err, xmldoc.ErrBase64) // the reader cannot go on
				switch {
				case errors.Is(e.Err, xmldoc.ErrLong):
					e.Err = entry.ErrLarge
				case errors.Is(e.Err, xmldoc.ErrNotText):
					e.Err = fmt.Errorf("byte %d: there is something else than base64 in it", r.Offset())
				}
				if !yield(e) || final {
					return
				}
			}
		}
	}
}

var errNone = errors.New("there is no X509Certificate element of the namespace " + xmldoc.Signature + " in it")

func place(e entry.Entry) string {
	return fmt.Sprintf("X509Certificate %d (byte %d)", e.Number, e.Offset)
}

// maxAttributes is how many attributes of an element are kept.
const maxAttributes = 16

// withoutNamespaces returns the element without what belongs to XML itself.
func withoutNamespaces(e xml.StartElement) xml.StartElement {
	kept := make([]xml.Attr, 0, min(len(e.Attr), maxAttributes))
	for _, a := range e.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && len(kept) < maxAttributes {
			kept = append(kept, a)
		}
	}
	return xml.StartElement{Name: e.Name, Attr: kept}
}
