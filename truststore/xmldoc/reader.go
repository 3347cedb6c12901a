// Package xmldoc reads XML documents from outside that carry certificates, such as
// SAML metadata and ebXML agreements: token by token, with the position of each, and
// within bounds. It is encoding/xml with everything refused that a document of that
// kind does not need.
//
// It is for this module's own use, and may change without notice.
package xmldoc

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Signature is the namespace of XML signatures, in whose form documents carry
// certificates: its X509Certificate elements hold them in base64.
const Signature = "http://www.w3.org/2000/09/xmldsig#"

// What a document may ask of encoding/xml. Real metadata nests some ten deep. Of
// the attributes in a tag, encoding/xml makes many times their size.
const (
	maxDepth = 128
	maxTag   = 64 << 10
)

// mostName is how much of a name of the document an error has.
const mostName = 200

// Reader reads the tokens of one document. An error is final, but for ErrBase64.
// Errors name the byte at which the token begins, and hold no control characters.
//
// Refused are DTDs, and with them every entity but the five of XML itself; other
// encodings than UTF-8; more than 128 elements inside one another; tags of more
// than 64 KiB; an attribute that comes twice in a tag, which encoding/xml lets pass
// and of which programs read one or the other; a prefix for no namespace, which it lets
// pass too; text beside the document element, and a second one; and whatever
// encoding/xml takes for damaged.
type Reader struct {
	decoder *xml.Decoder
	data    []byte
	at      int   // what the decoder has read, or we in its place
	limit   int   // what it may read for this token
	skipped int64 // what we have read in its place
	start   int64
	depth   int
	ended   bool

	counted, lines int // see Line
}

// NewReader returns a Reader of a document. It keeps data, which must not change
// while the Reader is in use.
func NewReader(data []byte) *Reader {
	r := &Reader{data: data}
	r.decoder = xml.NewDecoder((*source)(r))
	r.decoder.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "US-ASCII") || strings.EqualFold(charset, "ASCII") {
			return input, nil
		}
		return nil, errEncoding
	}
	return r
}

var (
	errEncoding = errors.New("the document says that it is not in UTF-8: save it as UTF-8")
	errTag      = fmt.Errorf("a tag of more than %d bytes", maxTag)
)

// Next returns the next token, which is good until the call after it, and io.EOF
// after the last one. It never returns an xml.Directive.
func (r *Reader) Next() (xml.Token, error) {
	token, err := r.next()
	if err == io.EOF {
		return nil, err
	}
	if err == nil {
		err = r.place(token)
	}
	if err != nil {
		return nil, fmt.Errorf("byte %d: %w", r.start, err)
	}
	return token, nil
}

// place keeps count of where in the document a token is.
func (r *Reader) place(token xml.Token) error {
	switch token := token.(type) {
	case xml.Directive:
		return errors.New("the document has a DTD, which is refused: remove it")
	case xml.StartElement:
		if r.ended {
			return errors.New("a second document follows the first one")
		}
		if r.depth++; r.depth > maxDepth {
			return fmt.Errorf("more than %d elements inside one another", maxDepth)
		}
		return checkAttributes(token.Attr)
	case xml.EndElement:
		r.depth--
		r.ended = r.depth == 0
	case xml.CharData:
		if r.depth == 0 && len(bytes.TrimSpace(token)) > 0 {
			return errors.New("there is text outside of the document")
		}
	}
	return nil
}

// checkAttributes refuses what is not well-formed in Namespaces in XML 1.0: two of one
// name and namespace (section 6.3), and a prefix without a namespace (section 5),
// which programs take for one or for none.
func checkAttributes(attrs []xml.Attr) error {
	const few = 8 // of more, a map finds them faster
	var seen map[xml.Name]bool
	if len(attrs) > few {
		seen = make(map[xml.Name]bool, len(attrs))
	}
	for i, a := range attrs {
		if a.Name.Space == "xmlns" && a.Value == "" {
			return fmt.Errorf("the prefix %s is declared for no namespace", safetext.Printable(a.Name.Local, mostName))
		}
		twice := seen[a.Name]
		if seen != nil {
			seen[a.Name] = true
		} else {
			twice = slices.ContainsFunc(attrs[:i], func(b xml.Attr) bool { return b.Name == a.Name })
		}
		if twice {
			return fmt.Errorf("the attribute %s comes twice", safetext.Printable(a.Name.Local, mostName))
		}
	}
	return nil
}

func (r *Reader) next() (xml.Token, error) {
	r.start = r.decoder.InputOffset() + r.skipped
	r.limit = len(r.data)
	if rest := r.data[r.start:]; len(rest) > 1 && rest[0] == '<' && rest[1] != '!' && rest[1] != '?' {
		r.limit = min(len(r.data), int(r.start)+maxTag)
	}
	token, err := r.decoder.Token()
	if err == nil || err == io.EOF {
		return token, err
	}
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, errEncoding):
		err = errEncoding
	case errors.As(err, &syntax) && r.at == len(r.data) && strings.Contains(syntax.Msg, "EOF"):
		err = errors.New("the document ends in the middle: it is cut off")
	case syntax != nil:
		err = fmt.Errorf("damaged XML in line %d: %s", r.Line(int64(r.at)), safetext.Printable(syntax.Msg, mostName))
	case !errors.Is(err, errTag):
		err = errors.New(safetext.Printable(err.Error(), mostName)) // it quotes the document
	}
	return nil, err
}

// Offset returns the byte at which the token begins that Next returned, or was to
// return when it failed.
func (r *Reader) Offset() int64 { return r.start }

// Line returns the line of the byte, the first being 1. It counts on from where the last
// call ended; backwards, it counts anew.
func (r *Reader) Line(offset int64) int {
	at := int(min(max(offset, 0), int64(len(r.data))))
	if at < r.counted {
		r.counted, r.lines = 0, 0
	}
	r.lines += bytes.Count(r.data[r.counted:at], []byte("\n"))
	r.counted = at
	return 1 + r.lines
}

// Text returns what is between the tag that Next has just returned and its end
// tag, which it reads too. More than max bytes are an error, and so is anything in
// it but text and comments.
func (r *Reader) Text(max int) ([]byte, error) {
	return r.text(nil, max, func(text []byte, more xml.CharData) []byte { return append(text, more...) })
}

func (r *Reader) text(text []byte, max int, add func(text []byte, more xml.CharData) []byte) ([]byte, error) {
	for {
		if len(text) > max {
			return nil, fmt.Errorf("byte %d: %w", r.start, ErrLong)
		}
		token, err := r.Next()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.CharData:
			text = add(text, token)
		case xml.EndElement:
			return text, nil
		case xml.Comment:
		default:
			return nil, fmt.Errorf("byte %d: %w", r.start, ErrNotText)
		}
	}
}

// Base64 returns what the base64 encodes that Text would return, with white
// space in it wherever it is. More than max characters without that are an error;
// so is none at all. Documents are mostly base64, and it is read faster than as Text.
func (r *Reader) Base64(max int) ([]byte, error) {
	text, err := r.text(r.leadingBase64(max), max, func(text []byte, more xml.CharData) []byte {
		return appendWithoutSpace(text, more)
	})
	if err != nil {
		return nil, err
	}
	decoded := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(decoded, text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrBase64, err)
	case n == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrBase64)
	}
	return decoded[:n:n], nil
}

// leadingBase64 takes what directly follows a tag out of the decoder's
// way, if it is nothing but base64 up to the next tag: text that means in XML just
// what it says.
func (r *Reader) leadingBase64(max int) []byte {
	if r.at < 2 || r.data[r.at-1] != '>' || r.data[r.at-2] == '/' {
		return nil // an empty-element tag, after which comes something else
	}
	length := bytes.IndexByte(r.data[r.at:], '<')
	if length < 0 {
		return nil
	}
	run := r.data[r.at : r.at+length]
	text := make([]byte, 0, min(length, max+1))
	for _, b := range run {
		switch base64Class[b] {
		case inBase64:
			if len(text) <= max {
				text = append(text, b)
			}
		case inSpace:
		default:
			return nil
		}
	}
	r.at += length
	r.skipped += int64(length)
	return text
}

// What a byte is in base64 text.
const (
	inBase64 = iota + 1
	inSpace
)

var base64Class = func() (class [256]byte) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") {
		class[b] = inBase64
	}
	for _, b := range []byte(" \t\r\n") {
		class[b] = inSpace
	}
	return class
}()

func appendWithoutSpace(text, more []byte) []byte {
	for _, b := range more {
		if base64Class[b] != inSpace {
			text = append(text, b)
		}
	}
	return text
}

// What is wrong with the content of an element for Text and Base64. After ErrBase64 its
// end tag has been read, and Next goes on after it.
var (
	ErrLong    = errors.New("the text is too long")
	ErrNotText = errors.New("there is something else than text in it")
	ErrBase64  = errors.New("damaged base64")
)

// source gives the decoder the bytes, in order to bound what one token takes.
type source Reader

func (s *source) ReadByte() (byte, error) {
	if s.at == len(s.data) {
		return 0, io.EOF
	}
	if s.at == s.limit {
		return 0, errTag
	}
	s.at++
	return s.data[s.at-1], nil
}

func (s *source) Read(p []byte) (int, error) {
	n := 0
	for ; n < len(p); n++ {
		b, err := s.ReadByte()
		if err != nil {
			return n, err
		}
		p[n] = b
	}
	return n, nil
}
