// Package quote makes text that somebody else chose fit for an error message: one
// line, not too long, with nothing in it that a terminal or a log would obey.
package quote

import (
	"crypto/x509"
	"strconv"
	"strings"
	"unicode"
)

// Most is how many bytes of a name are shown: as many as a common name may have
// characters (RFC 5280 appendix A.1), so that those of honest CAs stay whole.
const Most = 64

// Text quotes as strconv.Quote does, and of a text that has more than [Most] bytes
// no more than those, with "…" after them. Names and whatever else a peer chose
// may be of any length and hold the control sequences of a terminal.
func Text(s string) string { return strconv.Quote(cut(s, Most)) }

// Escaped is as [Text], but without the quotation marks around it, and with
// another limit, for where a text stands by itself or must be longer to be of use.
func Escaped(s string, most int) string {
	s = strconv.Quote(cut(s, most))
	return s[1 : len(s)-1]
}

// Certificate is the Text of what people call a certificate: its common name, or
// else its first DNS name, or else its first organization. Of one that has none of
// these, and of nil, it says so.
func Certificate(cert *x509.Certificate) string {
	switch {
	case cert == nil:
		return "no certificate"
	case cert.Subject.CommonName != "":
		return Text(cert.Subject.CommonName)
	case len(cert.DNSNames) > 0:
		return Text(cert.DNSNames[0])
	case len(cert.Subject.Organization) > 0:
		return Text(cert.Subject.Organization[0])
	}
	return "a certificate without a name"
}

// Line makes one line of what another package says, which may repeat names that a
// peer chose: what cannot be printed becomes a space, what is not UTF-8 becomes
// U+FFFD, and of more than 400 bytes the rest is left out. It neither quotes nor
// escapes, because such text has quotation marks and escapes of its own.
func Line(s string) string {
	const most = 400
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cut shortens between characters: it leaves out of what remains all that is not
// UTF-8, as half a character is not.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
