package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// pemText finds the blocks of PEM in text of any kind: on one line, or on lines with the
// quotes, escapes and comment marks of programs and settings around them. What is in a
// block truststore says.
type pemText struct {
	text  []byte
	at    int
	line  int
	count int
	begin int                  // where the last block began
	after int                  // where the last block ended
	pure  bool                 // the text begins as PEM, rather than to have PEM somewhere in it
	lost  truststore.EntryKind // what a block with an error was to be
}

var (
	pemBegin  = []byte("-----BEGIN")
	pemEnd    = []byte("-----END")
	pemDashes = []byte("-----")
)

// pemBlock is one block, and where it is, for error messages.
type pemBlock struct {
	number int // from one
	line   int // of BEGIN, from one
	offset int // of BEGIN, in bytes
	kind   string
	body   []byte // what is between BEGIN and END
	whole  []byte // all of it, if truststore reads it as it is
}

func (b *pemBlock) String() string {
	return fmt.Sprintf("block %d (%s, line %d, byte %d)", b.number, safetext.Printable(b.kind, 40), b.line, b.offset)
}

// pemEntries are what a text holds, as truststore.Entries has them.
func pemEntries(text []byte, opts []truststore.Option) iter.Seq[found] {
	return func(yield func(found) bool) {
		r := pemText{text: text, pure: bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), " \t\r\n"), pemBegin)}
		for {
			block, err := r.next()
			switch {
			case err != nil:
				if !yield(found{Entry: truststore.Entry{Format: truststore.PEM, Number: r.count, Line: r.line, Kind: r.lost, Err: err}, pure: r.pure, at: r.begin}) {
					return
				}
				continue
			case block == nil:
				return
			case isCMSBlock(block.kind) && isOtherCMS(beginOfBase64(block.body)), block.kind == "PKCS12": // a value, with passwords
				continue
			}
			pem := block.pem()
			kind := r.claim(block.kind, block.body)
			for e := range truststore.Entries(pem, opts...) {
				e.Number, e.Line = block.number, block.line
				if e.Err != nil {
					e.Kind, e.Err = kind, block.errorOf(e)
				}
				if !yield(found{Entry: e, key: pem, pure: r.pure, at: block.offset, end: r.at}) {
					return
				}
			}
		}
	}
}

// errorOf is the error of an entry with the place of the block in the text, instead of
// the one in itself.
func (b *pemBlock) errorOf(e truststore.Entry) error {
	reason := e.Err
	for range 2 { // the package and the place
		if inner := errors.Unwrap(reason); inner != nil {
			reason = inner
		}
	}
	if e.Position > 0 {
		return fmt.Errorf("%v: certificate %d in the PKCS#7: %w", b, e.Position, reason)
	}
	return fmt.Errorf("%v: %w", b, reason)
}

// pem returns the block as truststore reads it.
func (b *pemBlock) pem() []byte {
	if b.whole != nil {
		return b.whole
	}
	return fmt.Appendf(nil, "-----BEGIN %s-----\n%s\n-----END %s-----\n", b.kind, b.body, b.kind)
}

// next returns the next block of a text of any kind, in which PEM can be in strings of a
// program or of JSON, in comments, or on one line. What is whole is a block.
// What is not is an error where BEGIN has a line of its own, or a certificate
// seems to follow it; else the text only speaks of PEM.
func (r *pemText) next() (*pemBlock, error) {
	r.line = max(r.line, 1)
	for {
		i := bytes.Index(r.text[r.at:], pemBegin)
		if i < 0 {
			r.at = len(r.text)
			return nil, nil
		}
		begin := r.at + i
		r.begin = begin
		r.line += bytes.Count(r.text[r.at:begin], []byte("\n"))
		r.at = begin
		before := r.text[max(r.after, begin-maxLook):begin]
		before = before[bytes.LastIndexByte(before, '\n')+1:]
		own := len(bytes.TrimSpace(before)) == 0

		mark, kind := pemMark(r.text[begin:], pemBegin)
		if mark == 0 {
			if err := r.damagedBegin(begin, own); err != nil {
				return nil, err
			}
			continue
		}
		block := &pemBlock{number: r.count + 1, line: r.line, offset: begin, kind: kindOfBlock(kind)}
		body := r.text[begin+mark:]
		length := bytes.Index(body, pemDashes)
		untilDashes := body
		if length >= 0 {
			untilDashes = body[:length]
		}
		behind, _, ended := bytes.Cut(untilDashes, []byte("\n"))
		ended = ended || length < 0 // the end of the text ends the line, too
		own = own && ended && len(bytes.TrimSpace(behind)) == 0
		if length < 0 {
			return nil, r.cutOff(block, body, own)
		}
		rest := body[length:]
		body = body[:length]
		ending, endKind := pemMark(rest, pemEnd)
		if ending == 0 || !bytes.Equal(endKind, kind) {
			if err := r.damagedEnd(block, body, begin+mark+length, own); err != nil {
				return nil, err
			}
			continue
		}
		line := r.line
		r.line += bytes.Count(body, []byte("\n"))
		r.at = begin + mark + length + ending
		r.after = r.at
		if last := bytes.LastIndexByte(body, '\n'); !own || len(bytes.TrimSpace(body[last+1:])) > 0 {
			if clean := withoutFrame(before, body); clean != nil {
				body = clean
			} else if !own && !seemsCertificate(body) {
				continue
			}
		} else {
			block.whole = r.text[begin:r.at]
		}
		r.count++
		block.line, block.body = line, body
		return block, nil
	}
}

// damagedBegin goes on after a BEGIN mark that is not whole.
func (r *pemText) damagedBegin(begin int, own bool) error {
	r.at += len(pemBegin)
	if !own {
		return nil
	}
	r.count++
	line, body, _ := bytes.Cut(r.text[begin:min(len(r.text), begin+maxLook)], []byte("\n"))
	r.lost = 0
	if bytes.Contains(line, []byte("CERTIFICATE")) {
		r.lost = r.claim("CERTIFICATE", body)
	}
	return fmt.Errorf("block %d (line %d, byte %d): damaged BEGIN line", r.count, r.line, begin)
}

// cutOff ends the text, of which body is the rest.
func (r *pemText) cutOff(block *pemBlock, body []byte, own bool) error {
	r.at = len(r.text)
	if !own && !seemsCertificate(body) {
		return nil
	}
	r.count++
	r.lost = r.claim(block.kind, body)
	return fmt.Errorf("%v has no END line: it is cut off", block)
}

// damagedEnd goes on at the dashes after body, which are not those of its END line.
func (r *pemText) damagedEnd(block *pemBlock, body []byte, dashes int, own bool) error {
	r.line += bytes.Count(r.text[r.at:dashes], []byte("\n"))
	r.at = dashes
	begins := bytes.HasPrefix(r.text[dashes:], pemBegin)
	if !begins {
		r.at += len(pemDashes)
	}
	if !own && !seemsCertificate(body) {
		return nil
	}
	r.count++
	r.lost = r.claim(block.kind, body)
	if begins {
		return fmt.Errorf("%v has no END line before line %d: it is cut off or damaged", block, r.line)
	}
	return fmt.Errorf("%v: damaged END line in line %d", block, r.line)
}

// kindOfBlock takes no memory for the kind of nearly all blocks.
func kindOfBlock(kind []byte) string {
	const certificate = "CERTIFICATE"
	if string(kind) == certificate {
		return certificate
	}
	return string(kind)
}

// maxLook is how much is looked at of what is read again after that: the line
// before BEGIN, a damaged BEGIN line, and what follows a BEGIN mark. Else a text of
// many marks would be read to its end for each of them.
const maxLook = 256

// pemMark returns the length of the BEGIN or END mark with which text begins, and what
// is in it; zero if there is none.
func pemMark(text, word []byte) (length int, kind []byte) {
	const most = 64 // more than any kind has
	rest, ok := bytes.CutPrefix(text, word)
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return 0, nil
	}
	rest = rest[1:]
	end := bytes.Index(rest[:min(len(rest), most+len(pemDashes))], pemDashes)
	if end <= 0 || bytes.IndexByte(rest[:end], '\n') >= 0 {
		return 0, nil
	}
	return len(word) + 1 + end + len(pemDashes), rest[:end]
}

// claim returns what a block says that it is. Of a certificate in other text that does
// not begin as one does it is zero: such texts explain PEM with examples.
func (r *pemText) claim(kind string, body []byte) truststore.EntryKind {
	switch {
	case strings.HasSuffix(kind, "PRIVATE KEY"):
		return truststore.PrivateKey
	case isCertificateBlock(kind) && (r.pure || seemsCertificate(body)) && !hasPlaceholder(body):
		return truststore.PlainCertificate
	}
	return 0
}

// hasPlaceholder reports whether a block has points or a variable instead of base64.
func hasPlaceholder(body []byte) bool {
	const most = 64 << 10
	body = body[:min(len(body), most)]
	for _, mark := range [...]string{"...", "…", "{{", "${", "<"} {
		if bytes.Contains(body, []byte(mark)) {
			return true
		}
	}
	return len(bytes.TrimSpace(body)) == 0
}

// seemsCertificate reports whether the base64 of a certificate follows a BEGIN
// mark, perhaps after the end of a line in a program.
func seemsCertificate(body []byte) bool {
	body = bytes.TrimLeft(body[:min(len(body), maxLook)], " \t\r\n\\rn\"'`,+;#/*>")
	return bytes.HasPrefix(body, []byte("MI"))
}

// withoutFrame returns the base64 that is between the marks of a block, without
// what a program, a comment or a message has around its lines: what is before
// BEGIN, quotes with all that is between one string and the next, and what
// is escaped. It is nil if something else is left.
func withoutFrame(before, body []byte) []byte {
	const maxBlock = 2 << 20 // base64 of more than any certificate that is read
	if len(body) > maxBlock {
		return nil
	}
	const quotes = "\"'`"
	before = bytes.TrimSpace(before)
	if bytes.ContainsAny(before, quotes) {
		before = nil
	}
	const comment = "*#>;|" // marks of comments and quotations at the beginning of a line
	out := make([]byte, 0, len(body))
	var quote byte
	inside := true // of the string with BEGIN, or of the next ones
	for first := true; len(body) > 0; first = false {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		if !first {
			line = bytes.TrimPrefix(bytes.TrimLeft(line, " \t"), before)
			line = bytes.TrimPrefix(bytes.TrimLeft(line, " \t"+comment), []byte("// "))
		}
		for len(line) > 0 {
			c := line[0]
			line = line[1:]
			switch {
			case c == '"' || c == '\'' || c == '`':
				if quote == 0 {
					quote = c
				}
				if c == quote {
					inside = !inside
				} else if inside {
					return nil
				}
			case !inside, c == ' ', c == '\t', c == '\r':
			case c == '\\':
				var ok bool
				if line, out, ok = unescape(line, out); !ok {
					return nil
				}
			case isBase64Byte(c):
				out = append(out, c)
			default:
				return nil
			}
		}
	}
	if !inside || len(out) == 0 {
		return nil
	}
	return out
}

// unescape appends what the escape stands for after whose backslash line begins, if that is
// base64, and returns the rest of line. It is false for an escape that no base64 has in it.
func unescape(line, out []byte) (rest, appended []byte, ok bool) {
	line = bytes.TrimLeft(line, `\`)
	if len(line) == 0 {
		return line, out, true
	}
	switch line[0] {
	case '\r', '"', '\'', '/', '=':
		return line, out, true
	case 'n', 'r', 't':
	case 'u':
		if len(line) < 5 {
			return nil, nil, false
		}
		code, err := strconv.ParseUint(string(line[1:5]), 16, 8)
		switch {
		case err == nil && isBase64Byte(byte(code)):
			out = append(out, byte(code))
		case err != nil || code != '\n' && code != '\r':
			return nil, nil, false
		}
		line = line[4:]
	default:
		return nil, nil, false
	}
	return line[1:], out, true
}

func isBase64Byte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '='
}

func isCertificateBlock(kind string) bool {
	return kind == "CERTIFICATE" || kind == "X509 CERTIFICATE" || kind == "TRUSTED CERTIFICATE" || isCMSBlock(kind)
}

func isCMSBlock(kind string) bool {
	return kind == "PKCS7" || kind == "PKCS #7 SIGNED DATA" || kind == "CMS"
}
