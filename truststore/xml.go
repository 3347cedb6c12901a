package truststore

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// addXML reads the ds:X509Certificate elements of a document, wherever they stand.
// What the document says about a certificate is not looked at, nor who signed it.
func (d *decoder) addXML(data []byte) error {
	r := xmldoc.NewReader(data)
	var inside []xml.StartElement // for entries
	for number := 0; ; {
		token, err := r.Next()
		if err == io.EOF {
			if number == 0 && d.visit == nil {
				return errors.New("there is no X509Certificate element of the namespace " + xmldoc.Signature + " in it")
			}
			return nil
		}
		if err != nil {
			return err
		}
		tag, ok := token.(xml.StartElement)
		if !ok || tag.Name.Space != xmldoc.Signature || tag.Name.Local != "X509Certificate" {
			_, end := token.(xml.EndElement)
			switch {
			case d.visit == nil:
			case ok:
				inside = append(inside, forEntry(tag))
			case end:
				inside = inside[:len(inside)-1]
			}
			continue
		}
		number++
		d.entry.Number = number
		d.entry.Elements = slices.Clone(inside)
		at := r.Offset()
		der, err := r.Base64(2 * maxCertificate)
		further := err == nil || errors.Is(err, xmldoc.ErrBase64) // else the reader cannot go on
		switch {
		case errors.Is(err, xmldoc.ErrLong):
			err = errLargeCertificate
		case errors.Is(err, xmldoc.ErrNotText):
			err = fmt.Errorf("byte %d: there is something else than base64 in it", r.Offset())
		case err == nil:
			err = d.addCertificate(der)
		}
		if err == nil {
			continue
		}
		err = fmt.Errorf("X509Certificate %d (byte %d): %w", number, at, err)
		if further {
			err = d.skip(err)
		}
		if err != nil {
			return err
		}
	}
}
