package truststore

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// pemBlock is one block of a PEM text, and where it stands, for error messages.
type pemBlock struct {
	number int // from one
	line   int // of BEGIN, from one
	offset int // of BEGIN, in bytes
	kind   string
	body   []byte // the lines between BEGIN and END, as they are
}

func (b pemBlock) String() string {
	return fmt.Sprintf("block %d (%s, line %d, byte %d)", b.number, printable(b.kind, 40), b.line, b.offset)
}

// pemReader frames the blocks of a PEM text. It does so itself because
// encoding/pem goes on to the next good block when one is damaged, which would
// make a certificate disappear without a word. Like encoding/pem it passes over
// text outside of the blocks. Unlike it, it accepts indented blocks (cut from
// YAML), because passing over those too would lose them.
type pemReader struct {
	text  []byte
	at    int
	line  int
	count int

	// These are for nextInText.
	after int       // where the last block ended
	pure  bool      // the text begins as PEM, rather than to have PEM somewhere in it
	lost  EntryKind // what a block with an error was to be
}

var (
	pemBegin  = []byte("-----BEGIN")
	pemEnd    = []byte("-----END")
	pemDashes = []byte("-----")
)

// next returns the next block, or nil after the last one. After an error it can
// be called again and goes on behind the damage.
func (r *pemReader) next() (*pemBlock, error) {
	var block *pemBlock
	bodyStart := 0
	for r.at < len(r.text) {
		if block != nil {
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
		case bytes.HasPrefix(line, pemBegin):
			if block != nil {
				err := fmt.Errorf("%v has no END line before line %d: it is cut off or damaged", block, r.line)
				r.at, r.line = start, r.line-1 // for those who go on
				return nil, err
			}
			r.count++
			block = &pemBlock{number: r.count, line: r.line, offset: start}
			kind, ok := pemKind(line, pemBegin)
			if !ok {
				return nil, fmt.Errorf("block %d (line %d, byte %d): damaged BEGIN line", r.count, r.line, start)
			}
			block.kind = kindOfBlock(kind)
			bodyStart = r.at
		case bytes.HasPrefix(line, pemEnd):
			if block == nil {
				return nil, fmt.Errorf("line %d (byte %d) is an END line without a BEGIN line: the text is damaged", r.line, start)
			}
			kind, ok := pemKind(line, pemEnd)
			if !ok || string(kind) != block.kind {
				return nil, fmt.Errorf("%v: damaged END line, or no line break after it, in line %d", block, r.line)
			}
			block.body = r.text[bodyStart:start]
			return block, nil
		}
	}
	if block != nil {
		return nil, fmt.Errorf("%v has no END line: it is cut off", block)
	}
	return nil, nil
}

// skipBase64 goes on to the next line with a dash in it, which base64 has not.
func (r *pemReader) skipBase64() {
	rest := r.text[r.at:]
	dash := bytes.IndexByte(rest, '-')
	if dash < 0 {
		dash = len(rest)
	}
	lines := rest[:bytes.LastIndexByte(rest[:dash], '\n')+1]
	r.line += bytes.Count(lines, []byte("\n"))
	r.at += len(lines)
}

// pemKind returns what stands between the words of a BEGIN or END line.
func pemKind(line, word []byte) (kind []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, word)
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return nil, false
	}
	rest, ok = bytes.CutSuffix(rest[1:], pemDashes)
	return rest, ok && len(rest) > 0 && !bytes.Contains(rest, pemDashes)
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
func (b *pemBlock) headers() (headers map[string]string, base64 []byte, err error) {
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
func (b *pemBlock) der() ([]byte, error) {
	_, text, err := b.headers()
	if err != nil {
		return nil, err
	}
	return decodeBase64(text)
}

// decodeBase64 passes over white space and is strict about everything else.
func decodeBase64(text []byte) ([]byte, error) {
	der := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, read := decodeLines(der, text)
	decode := base64.StdEncoding.Strict().Decode
	if bytes.ContainsAny(text[read:], " \t") {
		decode = decodeWithBlanks
	}
	m, err := decode(der[n:], text[read:])
	if err != nil {
		if at, ok := err.(base64.CorruptInputError); ok {
			err = at + base64.CorruptInputError(read)
		}
		return nil, fmt.Errorf("damaged base64: %w", err)
	}
	n += m
	if n == 0 {
		return nil, errors.New("it is empty")
	}
	return der[:n], nil
}

// decodeWithBlanks decodes base64 with blanks in it, a piece at a time: a copy of all
// of it without blanks would take as much memory again.
func decodeWithBlanks(out, text []byte) (written int, err error) {
	var piece [4 << 10]byte // whole groups of four characters
	for done := 0; ; done += len(piece) {
		n := 0
		for len(text) > 0 && n < len(piece) {
			if c := text[0]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				piece[n] = c
				n++
			}
			text = text[1:]
		}
		text = bytes.TrimLeft(text, " \t\r\n")
		m, err := base64.StdEncoding.Strict().Decode(out[written:], piece[:n])
		written += m
		if err == nil && len(text) > 0 && piece[n-1] == '=' { // the end, and more
			err = base64.CorruptInputError(n)
		}
		if at, ok := err.(base64.CorruptInputError); ok {
			err = at + base64.CorruptInputError(done)
		}
		if err != nil || len(text) == 0 {
			return written, err
		}
	}
}

// decodeLines decodes the regular beginning of a base64 text: lines of whole groups
// of four characters. It returns how much it wrote and read, and leaves what is
// irregular, and the end with its padding, to encoding/base64. That stops at each
// line break to look closer and takes nearly twice as long: a third of the time in
// which crypto/x509 parses the certificate, where this takes a fifth.
func decodeLines(out, text []byte) (written, read int) {
	tables := base64Tables()
	for {
		// Lines of 64, which nearly all have, and then one group after the other. The
		// last ones are not done here.
		for len(text)-read > 80 && text[read+64] == '\n' {
			line, to := (*[64]byte)(text[read:]), (*[50]byte)(out[written:])
			var all uint32
			for i := range 8 {
				in := binary.LittleEndian.Uint64(line[8*i:])
				v := tables[0][byte(in)] | tables[1][byte(in>>8)] | tables[2][byte(in>>16)] | tables[3][byte(in>>24)]
				w := tables[0][byte(in>>32)] | tables[1][byte(in>>40)] | tables[2][byte(in>>48)] | tables[3][byte(in>>56)]
				all |= v | w
				// With two bytes that the next groups overwrite.
				binary.BigEndian.PutUint64(to[6*i:], uint64(v)<<40|uint64(w)<<16)
			}
			if all >= notBase64 {
				break
			}
			written += 48
			read += 65
		}
		for len(text)-read > 8 {
			in := (*[4]byte)(text[read:])
			v := tables[0][in[0]] | tables[1][in[1]] | tables[2][in[2]] | tables[3][in[3]]
			if v >= notBase64 {
				break
			}
			binary.BigEndian.PutUint32(out[written:], v<<8)
			written += 3
			read += 4
		}
		at := read
		for at < len(text) && (text[at] == '\n' || text[at] == '\r') {
			at++
		}
		if at == read {
			return written, read
		}
		read = at
	}
}

// base64Tables are the values of the four characters of a group, each where it
// belongs in the 24 bits.
var base64Tables = sync.OnceValue(func() *[4][256]uint32 {
	var tables [4][256]uint32
	for i := range tables {
		for c := range tables[i] {
			tables[i][c] = notBase64
		}
		for value, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
			tables[i][c] = uint32(value) << (18 - 6*i)
		}
	}
	return &tables
})

// notBase64 is in base64Tables what no group of characters of base64 has.
const notBase64 = 1 << 24
