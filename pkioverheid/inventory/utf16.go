package inventory

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Reader reads UTF-16 as UTF-8, a piece at a time: of text that is decoded at
// once, up to ten times its file would be in memory.
type utf16Reader struct {
	in    io.Reader
	order binary.ByteOrder
	raw   []byte
	left  int    // bytes of raw that are not decoded yet
	text  []byte // what is decoded and not yet delivered
	out   []byte
	err   error
}

func newUTF16Reader(in io.Reader) *utf16Reader {
	return &utf16Reader{in: in, raw: make([]byte, headSize)}
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	if len(u.text) == 0 && u.err == nil {
		u.decode()
	}
	if len(u.text) == 0 {
		return 0, u.err
	}
	n := copy(p, u.text)
	u.text = u.text[n:]
	return n, nil
}

// decode reads one piece. A half character at the end of the file is left out.
func (u *utf16Reader) decode() {
	n, err := u.in.Read(u.raw[u.left:])
	u.err = err
	raw := u.raw[:u.left+n]
	if u.order == nil && len(raw) >= 2 {
		u.order = binary.LittleEndian
		if raw[0] == 0xfe || raw[0] == 0 {
			u.order = binary.BigEndian
		}
		if u.order.Uint16(raw) == 0xfeff { // the byte order mark
			raw = raw[2:]
		}
	}
	u.out = u.out[:0]
	for len(raw) >= 4 || len(raw) >= 2 && err != nil {
		c, size := rune(u.order.Uint16(raw)), 2
		if utf16.IsSurrogate(c) {
			pair := rune(utf8.RuneError)
			if len(raw) >= 4 {
				pair = utf16.DecodeRune(c, rune(u.order.Uint16(raw[2:])))
			}
			if c = pair; pair != utf8.RuneError {
				size = 4
			}
		}
		u.out = utf8.AppendRune(u.out, c)
		raw = raw[size:]
	}
	u.left = copy(u.raw, raw)
	u.text = u.out
}

// blankDeclaration makes blanks of an XML declaration, which may say that the text is
// in UTF-16.
func blankDeclaration(text []byte) {
	end := bytes.Index(text[:min(len(text), 256)], []byte("?>"))
	if end < 0 || !bytes.HasPrefix(text, []byte("<?xml")) {
		return
	}
	for i := range end + len("?>") {
		if text[i] != '\n' {
			text[i] = ' '
		}
	}
}
