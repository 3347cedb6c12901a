package truststore

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes a text that somebody else chose fit for one line of a
// message or of a PEM file: what is not a visible character or a space is
// escaped, dashes do not follow one another (five of them begin a PEM block),
// and no more than max bytes are taken.
func printable(s string, max int) string {
	s = shorten(s, max)
	if isPlain(s) {
		return s
	}
	var out strings.Builder
	var last rune
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case r == '-' && last == '-':
			out.WriteString(`\x2d`)
			r = 0
		case unicode.IsPrint(r):
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, `\u{%x}`, r)
		}
		last = r
	}
	return out.String()
}

// maxErrorText bounds what other packages say: crypto/x509 quotes whole names.
const maxErrorText = 300

// brief makes an error of another package fit for one line. Of a huge one it
// keeps the shortened text only, because KeepGoing holds many.
func brief(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if len(text) <= maxErrorText && isPlain(text) {
		return err
	}
	short := &briefError{text: shorten(printable(text, maxErrorText), maxErrorText-len("…"))}
	if len(text) <= 4*maxErrorText {
		short.cause = err
	}
	return short
}

type briefError struct {
	text  string
	cause error // nil if it is huge
}

func (e *briefError) Error() string { return e.text }

func (e *briefError) Unwrap() error { return e.cause }

// isPlain reports whether there is nothing to do in s: most names are ASCII.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '-' && i > 0 && s[i-1] == '-' {
			return false
		}
	}
	return true
}

// shorten cuts s to at most max bytes and an ellipsis, between two characters.
func shorten(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max] + "…"
}
