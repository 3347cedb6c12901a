package logius

import (
	"bytes"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// What a document may hold, in bytes. One with a thousand certificates has 2 MB.
const (
	maxDocument    = 16 << 20
	maxCertificate = 1 << 20  // of base64
	maxValue       = 64 << 10 // of any other text
)

// document reads an XML document with certificates: the tokens, where they are,
// and each certificate once however often it is repeated.
type document struct {
	kind   string // for errors
	xml    *xmldoc.Reader
	path   []xml.Name // of the elements that are open
	number int        // of certificates
	most   int        // of them
	seen   map[string]*x509.Certificate
}

func newDocument(kind string, r io.Reader, most int) (*document, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("logius: reading %s: %w", kind, err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("logius: %s: the document has more than %d MiB", kind, maxDocument>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fmt.Errorf("logius: %s: the document is empty", kind)
	}
	return &document{kind: kind, most: most, xml: xmldoc.NewReader(data), seen: map[string]*x509.Certificate{}}, nil
}

// walk reads the document to its end and calls start after each start tag, with its
// element on the path, and end after each end tag, with its element off it. Text
// outside of the elements that are asked for their text has no meaning in these
// documents.
func (d *document) walk(start func(xml.StartElement) error, end func(xml.EndElement) error) error {
	for {
		token, err := d.xml.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return d.fail(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			d.path = append(d.path, token.Name)
			err = start(token)
		case xml.EndElement:
			d.path = d.path[:len(d.path)-1]
			err = end(token)
		}
		if err != nil {
			return err
		}
	}
}

// fail says where in the document the error is.
func (d *document) fail(err error) error { return d.failAt(d.xml.Offset(), err) }

func (d *document) failAt(offset int64, err error) error {
	var at strings.Builder
	fmt.Fprintf(&at, "line %d", d.xml.Line(offset))
	const most = 8
	shown := d.path
	if len(shown) > most {
		shown = shown[len(shown)-most:]
	}
	for i, name := range shown {
		switch {
		case i > 0:
			at.WriteByte('/')
		case len(shown) < len(d.path):
			at.WriteString(", in …/")
		default:
			at.WriteString(", in ")
		}
		at.WriteString(safetext.Printable(name.Local, safetext.Most))
	}
	return fmt.Errorf("logius: %s: %s: %w", d.kind, &at, err)
}

// text returns the text of the element whose tag was the last token, without
// white space around it, and reads its end tag.
func (d *document) text() (string, error) {
	text, err := d.xml.Text(maxValue)
	if err != nil {
		return "", d.fail(err)
	}
	d.path = d.path[:len(d.path)-1]
	return string(bytes.TrimSpace(text)), nil
}

// certificate returns what the X509Certificate element holds whose tag was the
// last token.
func (d *document) certificate() (*x509.Certificate, error) {
	if d.number++; d.number > d.most {
		return nil, d.fail(fmt.Errorf("there are more than %d certificates", d.most))
	}
	at := d.xml.Offset()
	der, err := d.xml.Base64(maxCertificate)
	var cert *x509.Certificate
	if err == nil {
		cert, err = d.parse(der)
	}
	if err != nil {
		return nil, d.failAt(at, fmt.Errorf("certificate %d: %w", d.number, err))
	}
	d.path = d.path[:len(d.path)-1]
	return cert, nil
}

func (d *document) parse(der []byte) (*x509.Certificate, error) {
	if cert := d.seen[string(der)]; cert != nil {
		return cert, nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, &unreadError{safetext.Error(err)}
	}
	d.seen[string(der)] = cert
	return cert, nil
}

// unreadError is that of crypto/x509. The element was read to its end.
type unreadError struct{ error }

func (e *unreadError) Unwrap() error { return e.error }

// foreign is the error for an element whose name belongs to another namespace.
func (d *document) foreign(tag xml.StartElement, want string) error {
	found := "the namespace " + safetext.Quote(tag.Name.Space)
	if tag.Name.Space == "" {
		found = "no namespace"
	}
	return d.fail(fmt.Errorf("the element %s is of %s: want %s", safetext.Quote(tag.Name.Local), found, want))
}

func (d *document) misplaced() error {
	return d.fail(errors.New("this element does not belong there"))
}

// dateTime reads an xs:dateTime (XML Schema Part 2, section 3.2.7). Without a time
// zone it is in UTC. 0001-01-01T00:00:00Z is the zero time. The error quotes it.
func dateTime(text string) (time.Time, error) {
	const endOfDay = "T24:00:00"
	read, later := strings.TrimSpace(text), time.Duration(0)
	if i := strings.Index(read, endOfDay); i >= 0 {
		read, later = read[:i]+"T00:00:00"+read[i+len(endOfDay):], 24*time.Hour
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, read); err == nil {
			return t.Add(later), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: want a time such as 2026-12-31T12:00:00Z", safetext.Quote(text))
}
