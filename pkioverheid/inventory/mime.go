package inventory

import (
	"bytes"
	"mime"
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
