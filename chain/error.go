package chain

import (
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
)

// Reason tells why a certificate was refused.
type Reason uint8

const (
	Expired           Reason = iota + 1 // a certificate of the path has ended at that time
	NotYetValid                         // a certificate of the path is valid later only
	UnknownAuthority                    // the path leads to no root that is trusted
	BadSignature                        // an issuer of the right name is at hand, and did not sign this
	WrongName                           // the certificate is for another host
	WrongUsage                          // the extended key usages along the path do not allow it
	PathTooLong                         // a CA allows fewer CAs below it
	NameNotPermitted                    // a CA may not issue for this name
	NoValidPolicy                       // the path lacks a certificate policy that one of its certificates requires
	NotACA                              // an issuer is no CA, or may not sign certificates
	RefusedByPolicy                     // a Policy refused every path
	Revoked                             // said by a Policy that knows
	Unsupported                         // a certificate that crypto/x509 does not handle, or none at all, or beyond the [Limits]
	RevocationUnknown                   // said by a Policy that must know whether it is revoked, and cannot tell
)

var reasonTexts = [...]string{
	Expired:          "expired",
	NotYetValid:      "not yet valid",
	UnknownAuthority: "unknown authority",
	BadSignature:     "bad signature",
	WrongName:        "wrong name",
	WrongUsage:       "wrong usage",
	PathTooLong:      "path too long",
	NameNotPermitted: "name not permitted",
	NoValidPolicy:    "no valid certificate policy",
	NotACA:           "issuer is no CA",
	RefusedByPolicy:  "refused by policy",
	Revoked:          "revoked",
	Unsupported:      "unsupported certificate",

	RevocationUnknown: "revocation unknown",
}

// String returns the reason in words, "Reason(N)" for a value that is none.
func (r Reason) String() string {
	if r == 0 || int(r) >= len(reasonTexts) {
		return "Reason(" + strconv.Itoa(int(r)) + ")"
	}
	return reasonTexts[r]
}

// MarshalText returns what String does.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Error says why a certificate was refused. It is used as *Error.
type Error struct {
	Reason Reason

	// Chain is the path that got furthest: from the certificate that was
	// verified as far up as each signature checks out; that certificate alone
	// where none was checked. It says nothing about trust.
	Chain Chain

	// Cert is the certificate of the path that the reason is about; nil if none is.
	Cert *x509.Certificate

	// At is the time at which the chain was verified.
	At time.Time

	// Err holds what crypto/x509 and the policies said, any of which
	// [errors.As] finds.
	Err []error
}

// Error returns one line: the reason, the certificate, and what was underneath.
// Names from certificates are quoted and shortened; control characters in what
// crypto/x509 and the policies said are escaped, and of each at most 1000 bytes
// are shown.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("chain: ")
	b.WriteString(e.Reason.String())
	if e.Cert != nil {
		b.WriteString(": ")
		b.WriteString(quote.Certificate(e.Cert))
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
		writeLine(&b, err.Error())
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

// writeLine makes one harmless line of what another package says. crypto/x509
// repeats the host names in a certificate as they are, up to a hundred of any
// length, and they may hold the control sequences of a terminal.
func writeLine(b *strings.Builder, text string) {
	const most = 1000
	shown := 0
	for _, r := range text {
		part := string(r)
		switch {
		case r == '\n':
			part = "; "
		case !strconv.IsPrint(r):
			part = strconv.QuoteRune(r)
			part = part[1 : len(part)-1]
		}
		if shown += len(part); shown > most {
			b.WriteString("…")
			return
		}
		b.WriteString(part)
	}
}

// Unwrap returns crypto/x509's error and those of the policies.
func (e *Error) Unwrap() []error { return e.Err }
