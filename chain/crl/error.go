package crl

import (
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// RevokedError says that a certificate was revoked at the time that was asked about, and
// which list says so. It is used as *RevokedError.
type RevokedError struct {
	// Serial is the number of the certificate.
	Serial *big.Int

	// Entry is what the list says about it.
	Entry

	// At is the time that was asked about; RevokedAt is not after it.
	At time.Time

	// Issuer, Number, ThisUpdate and NextUpdate are those of the list. Number is
	// nil if it has none.
	Issuer                 pkix.Name
	Number                 *big.Int
	ThisUpdate, NextUpdate time.Time
}

// Error returns one line, with the name of the CA quoted and shortened.
func (e *RevokedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "crl: certificate %s was revoked on %s (%s", hexOf(e.Serial), inUTC(e.RevokedAt), e.Reason)
	if !e.InvalidityDate.IsZero() {
		fmt.Fprintf(&b, ", invalid since %s", inUTC(e.InvalidityDate))
	}
	fmt.Fprintf(&b, "), says the CRL of %s", safetext.CA(e.Issuer))
	if e.Number != nil {
		fmt.Fprintf(&b, ", number %s", e.Number)
	}
	fmt.Fprintf(&b, ", of %s: ask the holder for the certificate that replaces it", inUTC(e.ThisUpdate))
	return b.String()
}

// LogValue returns the serial number, when and why it was revoked, and whose list says so.
func (e *RevokedError) LogValue() slog.Value {
	return safetext.Group(slog.String("serial", hexOf(e.Serial)), slog.Time("revokedAt", e.RevokedAt), slog.String("reason", e.Reason.String()),
		slog.String("issuer", safetext.Name(e.Issuer, safetext.MostDN)), slog.Time("thisUpdate", e.ThisUpdate))
}

func inUTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// hexOf writes a serial number as browsers and openssl do. What is longer than
// the standard allows is shortened.
func hexOf(n *big.Int) string {
	if n == nil {
		return "without a number"
	}
	return safetext.Printable(n.Text(16), safetext.Most)
}
