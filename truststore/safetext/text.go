package safetext

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Printable writes a text on one line: what is not a visible character or a space is
// escaped as strconv.Quote does, and so are bytes that are not UTF-8. Of more than
// most bytes the rest is left out, with "…" in its place.
func Printable(s string, most int) string {
	s = Shorten(s, most)
	if isPlain(s) {
		return s
	}
	quoted := strconv.Quote(s)
	return unescape.Replace(quoted[1 : len(quoted)-1])
}

// unescape restores what a text without quotation marks around it may have.
var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

// Quote writes at most Most bytes of a name in quotation marks, as strconv.Quote does,
// and twice as many of a URL: those of real CRLs have up to 77 bytes, and one without its
// end leads nowhere.
func Quote(s string) string {
	most := Most
	if strings.Contains(s[:min(len(s), Most)], "://") {
		most = 2 * Most
	}
	return strconv.Quote(Shorten(s, most))
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
const MostError = 400

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
