// Package phrase has the phrases that errors and advice about PKIoverheid share.
package phrase

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// ForAnyUse is what to ask for in the place of a certificate whose use is not known,
// since there is Private G4.
const ForAnyUse = "a certificate under Private G4 (Private G1 ends in November 2028), or, for a public web site, under a CA that browsers trust"

// RevokedG3 is the server CA of G3 that was revoked on RevokedG3On, before the plan of 2020,
// which does not name it (facts.md §1).
const RevokedG3 = "Digidentity PKIoverheid Organisatie Server CA - G3"

var RevokedG3On = time.Date(2018, time.May, 17, 0, 0, 0, 0, time.UTC)

// Supplier names whom to ask for a certificate. tsp is a pkioverheid.TSP.
func Supplier[T ~string](tsp T) string {
	switch tsp {
	case "":
		return "the certificate supplier"
	case "QuoVadis":
		return "the certificate supplier (QuoVadis, now DigiCert)"
	}
	return "the certificate supplier (" + string(tsp) + ")"
}

// Stamcertificaat names a hierarchy by its root, which may be nil.
func Stamcertificaat(hierarchy fmt.Stringer, root *x509.Certificate) string {
	if root == nil {
		return hierarchy.String()
	}
	return fmt.Sprintf("%s (stamcertificaat %q)", hierarchy, root.Subject.CommonName)
}

// Capital begins a sentence, unless a quoted name does.
func Capital(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// Small begins what follows a colon: it undoes Capital, and leaves names and
// abbreviations, such as OIN and G3, alone.
func Small(s string) string {
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && (s[1] == ' ' || s[1] >= 'a' && s[1] <= 'z') {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// Day formats a date as everybody reads it, in UTC.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
