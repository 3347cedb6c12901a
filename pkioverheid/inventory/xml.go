package inventory

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// maxInElement bounds the base64 in an element: that of the largest certificates, or of many.
const maxInElement = 2 << 20

// maxAttributes is how many attributes of an element are kept.
const maxAttributes = 16

// document visits the certificates of an XML document: elements that are there for them,
// with what is around them, and all else as in other text. Where it cannot be read as XML,
// the rest is text. That is an error only if the document holds certificates.
func (c *contentReader) document(visit visitor) bool {
	d := documentReader{contentReader: c, in: xmldoc.NewReader(c.data), visit: visit}
	err := d.read()
	if err == nil || err == errNoMore {
		return err == nil
	}
	if !d.text(len(c.data)) {
		return false
	}
	if d.certificates == 0 && !c.seemsToHold(c.data[d.broken:]) {
		return true
	}
	return visit(found{Entry: truststore.Entry{Format: truststore.XML, Err: err}})
}

var errNoMore = errors.New("nobody wants more")

// documentReader reads one document.
type documentReader struct {
	*contentReader
	in           *xmldoc.Reader
	visit        visitor
	inside       []xml.StartElement
	done, lines  int // what was visited: bytes, and lines in them
	broken       int // where it cannot be read any more
	certificates int
}

// text visits what is before a byte as text.
func (d *documentReader) text(until int) bool {
	text, before := d.data[d.done:until], d.lines
	d.done, d.lines = until, d.lines+bytes.Count(text, []byte("\n"))
	return d.inText(text, before, func(f found) bool {
		if f.DER != nil {
			d.certificates++
		}
		return d.visit(f)
	})
}

// read returns errNoMore if nobody wants more.
func (d *documentReader) read() error {
	for {
		token, err := d.in.Next()
		switch {
		case err == io.EOF:
			if !d.text(len(d.data)) {
				return errNoMore
			}
			return nil
		case err != nil:
			d.broken = min(int(d.in.Offset()), len(d.data))
			return err
		}
		switch tag := token.(type) {
		case xml.EndElement:
			d.inside = d.inside[:len(d.inside)-1]
		case xml.StartElement:
			if !isForCertificates(tag.Name) {
				d.inside = append(d.inside, withoutNamespaces(tag))
				continue
			}
			if err := d.element(withoutNamespaces(tag)); err != nil {
				return err
			}
		}
	}
}

// isForCertificates names the elements that hold certificates, whatever their name space:
// that of XML signatures, of trusted lists and of older drafts, and WS-Security.
func isForCertificates(name xml.Name) bool {
	return name.Local == "X509Certificate" || name.Local == "BinarySecurityToken"
}

// element reads the base64 in an element.
func (d *documentReader) element(tag xml.StartElement) error {
	begin := int(d.in.Offset())
	if !d.text(begin) {
		return errNoMore
	}
	der, err := d.in.Base64(maxInElement)
	end := min(int(d.in.Offset()), len(d.data)) // of what was read
	if err != nil {
		holds := d.seemsToHold(d.data[begin:])
		if !errors.Is(err, xmldoc.ErrBase64) { // the reader cannot go on
			d.broken, d.done = begin, begin
			switch {
			case errors.Is(err, xmldoc.ErrLong):
				err = fmt.Errorf("byte %d: a certificate of more than %d bytes", begin, maxInElement/2)
			case errors.Is(err, xmldoc.ErrNotText):
				err = fmt.Errorf("byte %d: there is something else than base64 in %s", begin, tag.Name.Local)
			}
			return err
		}
		if d.skip(end); !holds {
			return nil // a placeholder
		}
		d.certificates++
		err = fmt.Errorf("%s (byte %d): %w", tag.Name.Local, begin, err)
		if !d.visit(found{Entry: truststore.Entry{Format: truststore.XML, Err: err}}) {
			return errNoMore
		}
		return nil
	}
	d.skip(end)
	d.certificates++
	elements := d.inside
	if tag.Name.Local != "X509Certificate" {
		elements = append(elements, tag) // in the place of the next one
	}
	if bodyOf(bodyOf(der)) != nil && !isPKIPath(der) {
		f := found{Entry: truststore.Entry{Format: truststore.XML, Kind: truststore.PlainCertificate, DER: der}}
		d.about(&f, tag, elements)
		if !d.visit(f) {
			return errNoMore
		}
		return nil
	}
	if !d.container(der, false, func(f found) bool {
		inner := f.place
		d.about(&f, tag, elements)
		if inner != "" {
			f.place += ", " + inner
		}
		return d.visit(f)
	}) {
		return errNoMore
	}
	return nil
}

// skip skips what was read as an element.
func (d *documentReader) skip(until int) {
	d.lines += bytes.Count(d.data[d.done:until], []byte("\n"))
	d.done = until
}

// seemsToHold reports whether the base64 of a certificate follows the first tag, rather
// than a placeholder.
func (c *contentReader) seemsToHold(text []byte) bool {
	_, after, ok := bytes.Cut(text[:min(len(text), 64<<10)], []byte(">"))
	return ok && bytes.HasPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte("MI"))
}

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

// isXMLDocument reports whether a text is an XML document that is not HTML: after comments,
// instructions and a DTD there is an element. PHP is not XML.
func isXMLDocument(text []byte) bool {
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		end := ">"
		switch {
		case len(text) < 2 || text[0] != '<' || bytes.HasPrefix(text, []byte("<?php")) || bytes.HasPrefix(text, []byte("<?=")):
			return false
		case bytes.HasPrefix(text, []byte("<!--")):
			end = "-->"
		case text[1] == '?':
			end = "?>"
		case text[1] == '!':
			if i := bytes.IndexAny(text, "[>"); i >= 0 && text[i] == '[' {
				end = "]"
			}
		default:
			return isNameStart(text[1]) && !(len(text) >= 5 && bytes.EqualFold(text[1:5], []byte("html")))
		}
		_, after, ok := bytes.Cut(text, []byte(end))
		if !ok {
			return false
		}
		if text = after; end == "]" {
			text = bytes.TrimPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte(">"))
		}
	}
}

func isNameStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

// blankEndsOfLines puts blanks, which PEM may have, in place of the ends of lines that
// XML and HTML have to write out in attributes, and in text from Windows. It does so
// in text itself, which can be large.
func blankEndsOfLines(text []byte) {
	for {
		at := bytes.Index(text, []byte("&#"))
		if at < 0 {
			return
		}
		text = text[at:]
		length := len("&#")
		for _, end := range [...]string{"&#13;", "&#10;", "&#xD;", "&#xA;", "&#xd;", "&#xa;"} {
			if bytes.HasPrefix(text, []byte(end)) {
				copy(text, "     ")
			}
		}
		text = text[length:]
	}
}
