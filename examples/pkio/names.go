package main

import (
	"crypto/x509"
	"time"
)

// nameOf is what people call a certificate, printable and short.
func nameOf(c *x509.Certificate) string {
	name := "(no name)"
	switch {
	case c.Subject.CommonName != "":
		name = c.Subject.CommonName
	case len(c.DNSNames) > 0:
		name = c.DNSNames[0]
	case len(c.Subject.Organization) > 0:
		name = c.Subject.Organization[0]
	}
	return shortened(printable(name), 64)
}

func quoted(c *x509.Certificate) string { return `"` + nameOf(c) + `"` }

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
