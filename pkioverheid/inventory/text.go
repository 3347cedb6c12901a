package inventory

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes what others chose, such as a file's name, fit for one line of
// text: what cannot be seen is escaped, bytes that are not UTF-8 too, and of more
// than most bytes the rest is left out.
func printable(s string, most int) string {
	cut := ""
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s, cut = s[:most], "…"
	}
	if isPlain(s) {
		return s + cut
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
	return out.String() + cut
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

const (
	maxName = 64   // of what stands in a certificate or a document
	maxPath = 4096 // of a file
	maxText = 300  // of what other packages say
)

// quoted is a name in quotes.
func quoted(s string) string {
	return `"` + strings.ReplaceAll(printable(s, maxName), `"`, `\"`) + `"`
}
