package inventory

import (
	"bytes"
	"encoding/base64"
	"io"
)

// withoutBlanks reads text without its blanks. The decoder skips ends of lines.
type withoutBlanks struct{ text []byte }

func (w *withoutBlanks) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && len(w.text) > 0 {
		if c := w.text[0]; c != ' ' && c != '\t' {
			p[n] = c
			n++
		}
		w.text = w.text[1:]
	}
	if n == 0 && len(w.text) == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// base64Before is how much base64 is on the line before a byte, with nothing else but blanks
// on it.
func base64Before(text []byte, at int) int {
	line := text[max(0, at-maxLook):at]
	line = bytes.TrimLeft(line[bytes.LastIndexByte(line, '\n')+1:], " \t")
	if bytes.IndexByte(line, ' ') >= 0 || bytes.IndexByte(line, '=') >= 0 || !isBase64(line) {
		return 0
	}
	return len(line)
}

// lengthOfBase64 is that of the base64 with which text begins: the rest of its line,
// and of those below it that are as long as that with what is before it, and a last one
// that is shorter.
func lengthOfBase64(text []byte, before int) int {
	full, end := 0, 0
	for {
		begin := end
		for begin < len(text) && (text[begin] == ' ' || text[begin] == '\t') {
			begin++
		}
		at := begin
		for at < len(text) && text[at] > ' ' && isBase64(text[at:at+1]) {
			at++
		}
		length := at - begin
		for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r') {
			at++
		}
		whole := at == len(text) || text[at] == '\n'
		onLine := length
		switch {
		case end == 0:
			onLine += before
			full = onLine
		case !whole || length > full || length == 0:
			return end
		}
		end = begin + length
		if !whole || at == len(text) || onLine < full || text[end-1] == '=' {
			return end
		}
		end = at + 1
	}
}

func isBase64(s []byte) bool {
	for _, c := range s {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '+', c == '/', c == '=', c == '\r', c == '\n', c == ' ', c == '\t':
		default:
			return false
		}
	}
	return true
}

// beginOfBase64 decodes as much of base64 as isCertificateStart looks at.
func beginOfBase64(text []byte) []byte {
	const much = 24
	var begin []byte
	for _, c := range text[:min(len(text), 4*much)] {
		if len(begin) == much {
			break
		}
		if c > ' ' && c < 0x80 { // no white space, and no byte order mark
			begin = append(begin, c)
		}
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(much))
	n, _ := base64.StdEncoding.Decode(der, begin) // what is damaged begins no certificate
	return der[:n]
}
