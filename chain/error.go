package chain

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Error says why a certificate was refused. It is used as *Error.
type Error struct {
	Reason Reason

	// Chain is the path that got furthest: from the certificate that was
	// verified as far up as each signature checks out; that certificate alone
	// where none was checked. It says nothing about trust.
	Chain Chain

	// Cert is the certificate of the path that the reason is about, or nil.
	Cert *x509.Certificate

	// At is the time at which the chain was verified.
	At time.Time

	// Problem is the refusal in a sentence, and Advice says what to do about it. A
	// policy or veto may set both in its own Error.
	Problem, Advice string

	// Err holds what crypto/x509 and the policies said, for [errors.As].
	Err []error
}

// Error returns one line with the reason, the certificate and what was underneath, all
// of it escaped and shortened.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("chain: ")
	b.WriteString(cmp.Or(string(e.Reason), "refused"))
	if e.Cert != nil {
		b.WriteString(": ")
		b.WriteString(safetext.Certificate(e.Cert))
		switch e.Reason {
		case Expired:
			fmt.Fprintf(&b, " ended %s", e.Cert.NotAfter.UTC().Format(time.DateOnly))
		case NotYetValid:
			fmt.Fprintf(&b, " begins %s", e.Cert.NotBefore.UTC().Format(time.DateOnly))
		}
	}
	sep := ": "
	for _, err := range e.underneath() {
		b.WriteString(sep)
		b.WriteString(safetext.Printable(strings.ReplaceAll(err.Error(), "\n", "; "), mostText))
		sep = "; "
	}
	return b.String()
}

// underneath is what remains to be said: where the reason came from a policy's
// own *Error, not that once more.
func (e *Error) underneath() []error {
	var left []error
	for _, err := range e.Err {
		if own, ok := err.(*Error); ok && own.Reason == e.Reason && own.Cert == e.Cert {
			left = append(left, own.underneath()...)
		} else if err != nil {
			left = append(left, err)
		}
	}
	return left
}

// mostText bounds what policies and other packages say: crypto/x509 repeats the host
// names in a certificate, up to a hundred of any length.
const mostText = 1000

// Unwrap returns crypto/x509's error and those of the policies.
func (e *Error) Unwrap() []error { return e.Err }

// ofRefusals is what policies and vetoes say that the reason is.
func ofRefusals(refusals []error) (Reason, *x509.Certificate) {
	for _, r := range refusals {
		var own *Error
		if errors.As(r, &own) && own.Reason != "" {
			return own.Reason, own.Cert
		}
	}
	return RefusedByPolicy, nil
}
