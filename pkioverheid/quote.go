package pkioverheid

import (
	"crypto/x509"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// quote makes text that a peer chose fit for an error message: quoted, control
// characters escaped, and no more than 80 bytes of it.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}

// quoteName names a certificate in an error message.
func quoteName(c *x509.Certificate) string {
	switch {
	case c == nil:
		return "no certificate"
	case c.Subject.CommonName != "":
		return quote(c.Subject.CommonName)
	case len(c.DNSNames) > 0:
		return quote(c.DNSNames[0])
	case len(c.Subject.Organization) > 0:
		return quote(c.Subject.Organization[0])
	}
	return "a certificate without a name"
}

// oneLine makes text of others, which may repeat names that a peer chose, fit for
// an error message: control characters blanked, and no more than 400 bytes of it.
func oneLine(s string) string {
	const most = 400
	if len(s) > most {
		s = s[:most] + "…"
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// day formats a date as everybody reads it, in UTC.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
