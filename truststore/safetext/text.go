package safetext

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable writes a text on one line: what is not a visible character or a space is
// escaped, and bytes that are not UTF-8 too. Of more than most bytes the rest is left
// out, with "…" in its place.
func Printable(s string, most int) string {
	s = Shorten(s, most)
	if isPlain(s) {
		return s
	}
	var out strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, `\u{%x}`, r)
		}
	}
	return out.String()
}

// Shorten cuts a text to at most most bytes, between two characters, and puts "…" in
// the place of the rest.
func Shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// isPlain reports whether there is nothing to do in s: most names are ASCII.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// MostError is a limit for what other packages say: crypto/x509 quotes whole names.
const MostError = 300

// Error makes an error of another package fit for one line of at most MostError bytes.
// Of a huge one only the shortened text is kept.
func Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if len(text) <= MostError && isPlain(text) {
		return err
	}
	short := &shortError{text: Shorten(Printable(text, MostError), MostError-len("…"))}
	if len(text) <= 4*MostError {
		short.cause = err
	}
	return short
}

type shortError struct {
	text  string
	cause error // nil if it is huge
}

func (e *shortError) Error() string { return e.text }

func (e *shortError) Unwrap() error { return e.cause }
