package inventory

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/textproto"
	"strconv"
	"strings"
)

// boundaryOf returns what is between the parts of a message in MIME that begins so; nil of
// other text. The head of a message can be missing, as in what was written off the wire.
func boundaryOf(head []byte) []byte {
	if rest := bytes.TrimLeft(head, "\r\n"); bytes.HasPrefix(rest, []byte("--")) {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		line = bytes.TrimRight(line, " \t\r")
		if ok && len(line) > 2 && len(line) <= 72 && !bytes.HasPrefix(line, pemDashes) && hasPrefixFold(after, "Content-") {
			return line
		}
	}
	if !beginsHeader(head) {
		return nil
	}
	for rest := head; ; {
		at := bytes.Index(rest, []byte("ultipart/"))
		if at < 0 {
			return nil
		}
		begin := bytes.LastIndexByte(rest[:at], '\n') + 1
		if field := rest[begin:]; hasPrefixFold(field, "Content-Type:") {
			value := string(unfold(field[len("Content-Type:"):]))
			if kind, params, err := mime.ParseMediaType(value); err == nil && strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
				return []byte("--" + params["boundary"])
			}
		}
		rest = rest[at+1:]
	}
}

// beginsHeader reports whether the first line is a field of a header, or that of HTTP or of a
// mailbox before them.
func beginsHeader(head []byte) bool {
	name := bytes.IndexFunc(head, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-'
	})
	if name <= 0 {
		return false
	}
	return head[name] == ':' || bytes.HasPrefix(head, []byte("POST ")) || bytes.HasPrefix(head, []byte("HTTP/")) || bytes.HasPrefix(head, []byte("From "))
}

func hasPrefixFold(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(string(text[:len(prefix)]), prefix)
}

// unfold returns a field of a header without its ends of lines.
func unfold(field []byte) []byte {
	var out []byte
	for {
		line, rest, more := bytes.Cut(field, []byte("\n"))
		out = append(out, bytes.TrimRight(line, "\r")...)
		if !more || len(rest) == 0 || rest[0] != ' ' && rest[0] != '\t' {
			return out
		}
		field = rest
	}
}

const (
	maxParts      = 1000
	maxPartHeader = 16 << 10
)

// readMail reads the parts of a message, each as a file of its own, and what is before
// and after them as text.
func (r *reader) readMail(data []byte) {
	boundary := boundaryOf(data[:min(len(data), headSize)])
	before, rest := cutAtBoundary(data, boundary)
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
