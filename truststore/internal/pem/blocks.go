package pem

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-pkioverheid/trust/truststore/internal/b64"
	"github.com/go-pkioverheid/trust/truststore/internal/notcerts"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// block is one block of a PEM text, and where it is, for error messages.
type block struct {
	number int // from one
	line   int // of BEGIN, from one
	offset int // of BEGIN, in bytes
	kind   string
	body   []byte // the lines between BEGIN and END, as they are
}

func (b block) String() string {
	return fmt.Sprintf("block %d (%s, line %d, byte %d)", b.number, safetext.Printable(b.kind, 40), b.line, b.offset)
}

// reader frames the blocks of a PEM text. It does so itself because
// encoding/pem goes on to the next good block when one is damaged, which would
// make a certificate disappear without a word. Like encoding/pem it skips
// text outside of the blocks. Unlike it, it accepts indented blocks (cut from
// YAML), because skipping those too would lose them.
type reader struct {
	text  []byte
	at    int
	line  int
	count int
}

// newReader reads lines that end in CR alone too, as Macs of old wrote them, if all do, and
// ignores zero bytes at the end, as openssl does.
func newReader(text []byte) reader {
	text = bytes.TrimRight(text, "\x00")
	if bytes.IndexByte(text, '\n') < 0 {
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	}
	return reader{text: text}
}

var (
	begin  = []byte("-----BEGIN")
	end    = []byte("-----END")
	dashes = []byte("-----")
)

// next returns the next block, or nil after the last one. Beside an error it returns what
// is known of the block, and when it is called again it goes on after the damage.
func (r *reader) next() (*block, error) {
	var b *block
	bodyStart := 0
	for r.at < len(r.text) {
		if b != nil {
			r.skipBase64()
		}
		start := r.at
		line := r.text[start:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		r.at += len(line)
		r.line++
		if len(line) > 0 && line[0] != '-' && line[0] != ' ' && line[0] != '\t' {
			continue
		}
		line = bytes.TrimSpace(line)
		switch {
		case bytes.HasPrefix(line, begin):
			if b != nil {
				err := fmt.Errorf("%v has no END line before line %d: it is cut off or damaged", b, r.line)
				r.at, r.line = start, r.line-1 // for those who go on
				return b, err
			}
			r.count++
			b = &block{number: r.count, line: r.line, offset: start}
			kind, ok := kindIn(line, begin)
			if !ok {
				return b, fmt.Errorf("block %d (line %d, byte %d): damaged BEGIN line", r.count, r.line, start)
			}
			b.kind = kindOfBlock(kind)
			bodyStart = r.at
		case bytes.HasPrefix(line, end):
			if b == nil {
				return &block{number: max(r.count, 1)}, fmt.Errorf("line %d (byte %d) is an END line without a BEGIN line: the text is damaged", r.line, start)
			}
			kind, ok := kindIn(line, end)
			if !ok || string(kind) != b.kind {
				return b, fmt.Errorf("%v: damaged END line, or no line break after it, in line %d", b, r.line)
			}
			b.body = r.text[bodyStart:start]
			return b, nil
		}
	}
	if b != nil {
		return b, fmt.Errorf("%v has no END line: it is cut off", b)
	}
	return nil, nil
}

// skipBase64 goes on to the next line with a dash in it, which base64 has not.
func (r *reader) skipBase64() {
	rest := r.text[r.at:]
	dash := bytes.IndexByte(rest, '-')
	if dash < 0 {
		dash = len(rest)
	}
	lines := rest[:bytes.LastIndexByte(rest[:dash], '\n')+1]
	r.line += bytes.Count(lines, []byte("\n"))
	r.at += len(lines)
}

// kindIn returns what is between the words of a BEGIN or END line.
func kindIn(line, word []byte) (kind []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, word)
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return nil, false
	}
	rest, ok = bytes.CutSuffix(rest[1:], dashes)
	return rest, ok && len(rest) > 0 && !bytes.Contains(rest, dashes)
}

// kindOfBlock takes no memory for the kind of nearly all blocks.
func kindOfBlock(kind []byte) string {
	const certificate = "CERTIFICATE"
	if string(kind) == certificate {
		return certificate
	}
	return string(kind)
}

// headers splits the body into the header lines of RFC 1421, if there are any,
// and the base64.
func (b *block) headers() (headers map[string]string, base64 []byte, err error) {
	text := b.body
	for {
		line, rest, more := bytes.Cut(text, []byte("\n"))
		line = bytes.TrimSpace(line)
		key, value, isHeader := bytes.Cut(line, []byte(":"))
		switch {
		case len(line) == 0 && more:
			// The end of the headers, or an empty line before the base64.
		case isHeader:
			if headers == nil {
				headers = make(map[string]string)
			}
			if len(headers) == 16 {
				return nil, nil, errors.New("too many header lines")
			}
			headers[string(bytes.TrimSpace(key))] = string(bytes.TrimSpace(value))
		default:
			return headers, text, nil
		}
		text = rest
	}
}

// der returns the content of the block.
func (b *block) der() ([]byte, error) {
	_, text, err := b.headers()
	if err != nil {
		return nil, err
	}
	return b64.Decode(text)
}

// First returns the content of the first block; encrypted means that of a private key
// which only a password reads.
func First(text []byte) (der []byte, encrypted bool, err error) {
	r := newReader(text)
	b, err := r.next()
	if err != nil {
		return nil, false, err
	}
	if b == nil {
		return nil, false, errors.New("there is no block of PEM in it")
	}
	headers, base64, err := b.headers()
	if err != nil {
		return nil, false, err
	}
	if headers["DEK-Info"] != "" {
		return nil, true, nil
	}
	if b.kind == "OPENSSH PRIVATE KEY" {
		return nil, false, notcerts.Block(b.kind)
	}
	der, err = b64.Decode(base64)
	return der, false, err
}
