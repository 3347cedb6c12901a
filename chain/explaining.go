package chain

import (
	"crypto/x509"
	"errors"
	"strings"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// explaining is one explanation in the making.
type explaining struct {
	*settings
	given  *truststore.Store
	opts   VerifyOptions
	path   Chain
	failed *Error // nil if Verify accepts
	done   work
}

// said is what crypto/x509 or a policy said, in one line.
func (x *explaining) said() string {
	var b strings.Builder
	for _, err := range x.failed.underneath() {
		if err == errBeforeSignatures {
			continue // the signatures of the path were checked since
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		if b.Len() > 400 {
			b.WriteString("…")
			break
		}
		text := err.Error()
		var invalid x509.CertificateInvalidError
		if errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName && invalid.Detail != "" {
			text = invalid.Detail
		}
		b.WriteString(safetext.Printable(strings.ReplaceAll(strings.TrimPrefix(text, "x509: "), "\n", "; "), mostText))
	}
	return b.String()
}

// limit returns the limit that was reached, or nil.
func (x *explaining) limit() *limitError {
	var limit *limitError
	errors.As(x.failed, &limit)
	return limit
}

// ending says how a path ends that leads to no trusted root.
type ending uint8

const (
	endsSelfSigned    ending = iota // at a root that is not trusted here
	endsIssuerMissing               // no certificate of the issuer's name is available
	endsOtherKey                    // one of the issuer's name is, with another key
	endsNotSigned                   // one is, and did not sign this
	endsNotCA                       // one is, and is not a CA
)

// issuer says what is known of the issuer of a certificate from which no path leads
// to a trusted root.
func (x *explaining) issuer(cert *x509.Certificate) (name ObservationName, text string, end ending) {
	if selfIssued(cert) {
		return ObservedTrust, "self-signed, and not among the roots that are trusted here", endsSelfSigned
	}
	issuer := safetext.CA(cert.Issuer)
	end = endsIssuerMissing
	for _, s := range []*truststore.Store{x.roots, x.intermediates, x.given} {
		for candidate := range s.BySubject(cert.RawIssuer) {
			found := endsNotSigned
			switch {
			case !isCA(candidate) || candidate.KeyUsage != 0 && candidate.KeyUsage&x509.KeyUsageCertSign == 0:
				found = endsNotCA
			case !keyIdentifiersMatch(cert, candidate):
				found = endsOtherKey
			}
			if x.failed.Reason == NotACA && found == endsNotCA || x.failed.Reason == BadSignature && found == endsNotSigned || end == endsIssuerMissing {
				end = found
			}
		}
	}
	switch end {
	case endsOtherKey:
		return ObservedTrust, "a CA named " + issuer + " is available, but its key is not the one of the issuer", end
	case endsNotSigned:
		return ObservedSignature, "it names " + issuer + " as its issuer, whose key did not sign it", end
	case endsNotCA:
		return ObservedSignature, "it names " + issuer + " as its issuer, which may not issue certificates", end
	}
	return ObservedTrust, "its issuer " + issuer + " was not given, and is not known here", end
}
