package inventory

import (
	"bytes"
	"io"
	"strconv"
)

// How a text is read that is too large to be in memory: in parts, each of which begins
// with the end of the one before, so that what lies across a border is whole in one of
// them. The overlap is more than any certificate that is read.
const (
	textPart    = 16 << 20
	textOverlap = 2 << 20
	textBefore  = 4 << 10 // of what was looked at, for what depends on the text before it
)

// section is a part of a text: what begins from a byte on until another is reported.
type section struct {
	data        []byte
	linesBefore int
	from, until int
}

// limitOf is how much of a file may be in memory, and whether it is read in parts if it is
// larger. What has a structure, such as XML, is read as that for longer.
func (r *reader) limitOf(kind contentKind, head []byte) (limit int64, streamed bool) {
	limit = r.MaxFileSize - r.in.held
	switch {
	case kind == text && !isXMLDocument(beginOfText(head)):
		return min(limit, textPart), true
	case kind == text, kind == utf16Text, kind == mail:
		return min(limit, defaultMaxFileSize), true
	}
	return limit, false
}

// beginOfText is a text without a byte order mark and blanks before it.
func beginOfText(head []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// inParts reads a text of any size as it comes; wide says that it was in UTF-16. Text that
// comes out of an archive is bounded, since it can be much more than what was sent. An
// error is that of in.
func (r *reader) inParts(in io.Reader, wide bool) error {
	r.hold(textPart)
	buffer, seen := make([]byte, textPart), int64(0)
	s, kept, markup := section{}, 0, false
	for first := true; r.ctx.Err() == nil; first = false {
		n, err := readFull(in, buffer[kept:])
		data := buffer[:kept+n]
		if first {
			if wide && look(data) != text {
				return nil // binary
			}
			markup = bytes.HasPrefix(beginOfText(data[:min(len(data), headSize)]), []byte("<"))
		}
		s.data, s.until = data, len(data)
		if err == nil {
			s.until -= textOverlap
		}
		if seen += int64(n); mentions(data) {
			if r.in.depth > 0 && seen > r.MaxFileSize {
				r.tooLarge(text)
				return nil
			}
			if markup {
				blankEndsOfLines(data)
			}
			if !r.section(s) {
				return nil
			}
		}
		if err != nil {
			if first {
				r.nothingIn(data, false)
			} else {
				r.nothingIn([]byte("text"), false)
			}
			if err == io.EOF {
				err = nil
			}
			return err
		}
		begin := s.until - textBefore
		s.linesBefore += bytes.Count(data[:begin], []byte("\n"))
		s.from = textBefore
		kept = copy(buffer, data[begin:])
	}
	return nil
}

// section adds the results of a part of a text; false means that nobody wants more.
func (r *reader) section(s section) bool {
	c := &contentReader{reader: r, kind: text, data: s.data, section: s, from: new(source)}
	return c.read()
}

// visit passes on what begins in the section; an error says where that is.
func (s section) visit(visit visitor) visitor {
	if s.until == 0 { // it is the whole
		return visit
	}
	return func(f found) bool {
		if f.at < s.from || f.at >= s.until {
			return true
		}
		if f.Err != nil && s.linesBefore > 0 {
			f.Err = &sectionError{s.linesBefore, f.Err}
		}
		return visit(f)
	}
}

// sectionError is an error with lines that count from the beginning of a part.
type sectionError struct {
	linesBefore int
	err         error
}

func (e *sectionError) Error() string {
	return "after line " + strconv.Itoa(e.linesBefore) + ": " + e.err.Error()
}

func (e *sectionError) Unwrap() error { return e.err }
