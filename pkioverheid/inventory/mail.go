package inventory

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"net/textproto"
	"strconv"
	"strings"
)

const (
	maxParts      = 1000
	maxPartHeader = 16 << 10
)

// readMail reads the parts of a message, each as a file of its own, and what is before
// and after them as text.
func (r *reader) readMail(data []byte) {
	begin := bytes.TrimPrefix(data[:min(len(data), headSize)], []byte("\xef\xbb\xbf")) // what look has seen
	boundary := boundaryOf(begin)
	before, rest := cutAtBoundary(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), boundary)
	if mentions(before) {
		r.content(text, before)
	}
	for n := 1; rest != nil && r.ctx.Err() == nil; n++ {
		var part []byte
		if n > maxParts {
			part, rest = rest, nil
		} else {
			part, rest = cutAtBoundary(rest, boundary)
		}
		r.within("part "+strconv.Itoa(n), func() {
			header, body := splitHeader(part)
			r.part(body, header)
		})
	}
}

// cutAtBoundary cuts before and after a line with the boundary; after is nil if there is
// none.
func cutAtBoundary(data, boundary []byte) (before, after []byte) {
	if len(boundary) == 0 {
		return data, nil
	}
	for at := 0; ; {
		i := bytes.Index(data[at:], boundary)
		if i < 0 {
			return data, nil
		}
		i += at
		at = i + len(boundary)
		if i > 0 && data[i-1] != '\n' {
			continue
		}
		line, rest, _ := bytes.Cut(data[at:], []byte("\n"))
		if len(bytes.Trim(line, " \t\r-")) > 0 {
			continue
		}
		return data[:i], rest[:len(rest):len(rest)]
	}
}

func splitHeader(part []byte) (header textproto.MIMEHeader, body []byte) {
	for at := 0; at < min(len(part), maxPartHeader); {
		line, _, ok := bytes.Cut(part[at:], []byte("\n"))
		if !ok {
			break
		}
		at += len(line) + 1
		if len(bytes.TrimRight(line, "\r")) > 0 {
			continue
		}
		header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(part[:at]))).ReadMIMEHeader()
		if err != nil {
			break
		}
		return header, part[at:]
	}
	return nil, part
}

// part reads one part, decoded. What cannot be decoded is read as far as it can.
func (r *reader) part(body []byte, header textproto.MIMEHeader) {
	switch strings.ToLower(strings.TrimSpace(header.Get("Content-Transfer-Encoding"))) {
	case "base64":
		if plain, _ := io.ReadAll(base64.NewDecoder(base64.StdEncoding, &withoutBlanks{body})); len(plain) > 0 {
			body = plain
		}
	case "quoted-printable":
		if plain, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body))); err == nil {
			body = plain
		}
	}
	if strings.HasPrefix(header.Get("Content-Type"), "multipart/") {
		body = append([]byte("Content-Type: "+header.Get("Content-Type")+"\n\n"), body...)
	}
	if r.in.depth == maxNesting {
		r.endOfArchive(errNesting)
		return
	}
	r.in.depth++
	switch kind := look(body); {
	case kind == unread:
		r.isUnread(whatIsUnread(body), nil)
	case kind.opens():
		in := bytes.NewReader(body)
		r.open(kind, in, in, in.Size())
	case kind != nothing:
		r.inMemory(kind, body)
	}
	r.in.depth--
}
