// Package quote makes text that somebody else chose fit for an error message: one
// line, not too long, with nothing in it that a terminal or a log would obey.
package quote

import (
	"crypto/x509"
	"strconv"
	"strings"
)

// Most is how many bytes of a text are shown: as many as a common name may have
// characters (RFC 5280 appendix A.1), so that those of honest CAs stay whole.
const Most = 64

// Text quotes as strconv.Quote does, and of a text that has more than [Most] bytes
// no more than those, with "…" behind them. Names, URLs and whatever else a peer
// chose may be of any length and hold the control sequences of a terminal.
func Text(s string) string { return strconv.Quote(cut(s, Most)) }

// URL is the Text of an address, of which 128 bytes are shown: those of CRLs have up to
// 77, and one without its end leads nowhere.
func URL(s string) string { return strconv.Quote(cut(s, 128)) }

// Escaped is as [Text], but without the quotation marks around it, and with
// another limit, for where a text stands by itself or must be longer to be of use.
func Escaped(s string, most int) string {
	s = strconv.Quote(cut(s, most))
	return s[1 : len(s)-1]
}

// Certificate is the Text of what people call a certificate: its common name, or
// else its first DNS name, or else its first organization. Of a certificate that
// has none of these, and of nil, that is two quotation marks.
func Certificate(cert *x509.Certificate) string {
	switch {
	case cert == nil:
		return Text("")
	case cert.Subject.CommonName != "":
		return Text(cert.Subject.CommonName)
	case len(cert.DNSNames) > 0:
		return Text(cert.DNSNames[0])
	case len(cert.Subject.Organization) > 0:
		return Text(cert.Subject.Organization[0])
	}
	return Text("")
}

// cut shortens between characters: it leaves out of what remains all that is not
// UTF-8, as half a character is not.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
