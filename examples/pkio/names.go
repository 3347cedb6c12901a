package main

import (
	"cmp"
	"crypto/x509"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// nameOf is what people call a certificate.
func nameOf(c *x509.Certificate) string {
	return cmp.Or(safetext.CertificateName(c), "(no name)")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
