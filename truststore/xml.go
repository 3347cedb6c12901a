package truststore

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// xmldsig is the namespace of XML signatures, in whose form SAML metadata and CPAs
// carry certificates.
const xmldsig = "http://www.w3.org/2000/09/xmldsig#"

// What a document may ask of encoding/xml. Real metadata nests some ten deep. Of
// the attributes in a tag, encoding/xml makes many times their size.
const (
	maxXMLDepth = 128
	maxXMLTag   = 64 << 10
)

// addXML reads the ds:X509Certificate elements of a document, wherever they stand.
// What the document says about a certificate is not looked at, nor who signed it.
func (d *decoder) addXML(data []byte) error {
	x := newXMLReader(data)
	depth, number := 0, 0
	var inside []xml.StartElement // for entries
	for ended := false; ; {
		token, at, err := x.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.Directive:
			return fmt.Errorf("byte %d: the document has a DTD, which is refused: remove it", at)
		case xml.StartElement:
			if ended {
				return fmt.Errorf("byte %d: a second document follows the first one", at)
			}
			if depth++; depth > maxXMLDepth {
				return fmt.Errorf("byte %d: more than %d elements inside one another", at, maxXMLDepth)
			}
			if token.Name.Space != xmldsig || token.Name.Local != "X509Certificate" {
				if d.visit != nil {
					inside = append(inside, forEntry(token))
				}
				continue
			}
			number++
			d.entry.Number = number
			d.entry.Elements = slices.Clone(inside)
			text, err := x.text()
			if err != nil {
				return fmt.Errorf("X509Certificate %d (byte %d): %w", number, at, err)
			}
			depth--
			der, err := decodeBase64(text)
			if err == nil {
				err = d.addCertificate(der)
			}
			if err != nil {
				if err := d.skip(fmt.Errorf("X509Certificate %d (byte %d): %w", number, at, err)); err != nil {
					return err
				}
			}
		case xml.EndElement:
			depth--
			if d.visit != nil {
				inside = inside[:depth]
			}
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(token)) > 0 {
				return fmt.Errorf("byte %d: there is text outside of the document", at)
			}
			continue
		default: // comments and processing instructions
			continue
		}
		ended = depth == 0
	}
	if number == 0 && d.visit == nil {
		return errors.New("there is no X509Certificate element of the namespace " + xmldsig + " in it")
	}
	return nil
}

// xmlReader is a tokenizer with the position of each token. It gives its own
// decoder the bytes, in order to bound what one token takes.
type xmlReader struct {
	decoder *xml.Decoder
	data    []byte
	at      int
	limit   int
}

func newXMLReader(data []byte) *xmlReader {
	x := &xmlReader{data: data}
	x.decoder = xml.NewDecoder(x)
	// Entities are an error but for the five of XML itself: the decoder knows no
	// others, and the DTD that could define some is refused.
	x.decoder.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "US-ASCII") || strings.EqualFold(charset, "ASCII") {
			return input, nil
		}
		return nil, errXMLEncoding
	}
	return x
}

var (
	errXMLEncoding = errors.New("the document says that it is not in UTF-8: save it as UTF-8")
	errXMLTag      = fmt.Errorf("a tag of more than %d bytes", maxXMLTag)
)

// next returns the next token and where it begins.
func (x *xmlReader) next() (token xml.Token, at int64, err error) {
	at = x.decoder.InputOffset()
	x.limit = len(x.data)
	if rest := x.data[at:]; len(rest) > 1 && rest[0] == '<' && rest[1] != '!' && rest[1] != '?' {
		x.limit = min(len(x.data), int(at)+maxXMLTag)
	}
	token, err = x.decoder.Token()
	if err == nil || err == io.EOF {
		return token, at, err
	}
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, errXMLEncoding):
		err = errXMLEncoding
	case errors.As(err, &syntax) && x.at == len(x.data) && strings.Contains(syntax.Msg, "EOF"):
		err = errors.New("the document ends in the middle: it is cut off")
	case syntax != nil:
		err = fmt.Errorf("damaged XML in line %d: %s", syntax.Line, printable(syntax.Msg, 200))
	}
	return nil, at, fmt.Errorf("byte %d: %w", at, err)
}

// text returns what stands between the tag that next has just returned and its
// end tag.
func (x *xmlReader) text() ([]byte, error) {
	var text []byte
	for {
		token, at, err := x.next()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.CharData:
			if text = append(text, token...); len(text) > 2*maxCertificate {
				return nil, errLargeCertificate
			}
		case xml.EndElement:
			return text, nil
		case xml.Comment:
		default:
			return nil, fmt.Errorf("byte %d: there is something else than base64 in it", at)
		}
	}
}

// ReadByte and Read are for the decoder.
func (x *xmlReader) ReadByte() (byte, error) {
	if x.at == len(x.data) {
		return 0, io.EOF
	}
	if x.at == x.limit {
		return 0, errXMLTag
	}
	x.at++
	return x.data[x.at-1], nil
}

func (x *xmlReader) Read(p []byte) (int, error) {
	n := 0
	for ; n < len(p); n++ {
		b, err := x.ReadByte()
		if err != nil {
			return n, err
		}
		p[n] = b
	}
	return n, nil
}
