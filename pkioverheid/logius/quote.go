package logius

import (
	"crypto/x509"
	"strconv"
	"strings"
)

// quote makes text that others chose fit for an error message: quoted, control
// characters escaped, and no more than 64 bytes of it.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}

// quoteName names a certificate in an error message.
func quoteName(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return quote(c.Subject.CommonName)
	case len(c.DNSNames) > 0:
		return quote(c.DNSNames[0])
	case len(c.Subject.Organization) > 0:
		return quote(c.Subject.Organization[0])
	}
	return "a certificate without a name"
}
