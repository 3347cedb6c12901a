package pkioverheid

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// G3Error says that a certificate is under "Staat der Nederlanden Root CA -
// G3", or presents itself so. It is used as *G3Error.
type G3Error struct {
	// Leaf is the first certificate of the chain that was refused.
	Leaf *x509.Certificate

	// CA is the common name of the G3 CA that was met, the one closest to Leaf.
	CA string

	// TSP is the provider that runs the CA; empty for the State's own.
	TSP TSP

	// Withdrawn is true for the server CAs of the replacement of 2020, false for
	// the root and the CAs below it that may still be used, but not for TLS.
	Withdrawn bool

	// By is how the CA was recognised. Anything but ByKey is the word of a
	// certificate about itself or its issuer.
	By string

	// Problem is what is wrong, and Advice what to ask for instead, in sentences.
	Problem, Advice string
}

// Error says which CA it is, what became of it, and what to ask for instead.
func (e *G3Error) Error() string { return wording("G3 refused: "+phrase.Small(e.Problem), e.Advice) }

// ProblemAdvice returns Problem and Advice, for a [chain.Error] and a
// [chain.Explanation].
func (e *G3Error) ProblemAdvice() (problem, advice string) { return e.Problem, e.Advice }

// explain fills in Problem and Advice.
func (e *G3Error) explain() *G3Error {
	var b strings.Builder
	isCA := e.Leaf != nil && e.Leaf.Subject.CommonName == e.CA
	switch {
	case isCA && e.By == ByKey:
		fmt.Fprintf(&b, "%s is a CA that ", safetext.Quote(e.CA))
	case isCA:
		fmt.Fprintf(&b, "A certificate presents itself as %s, which ", safetext.Quote(e.CA))
	case e.By == ByKey:
		fmt.Fprintf(&b, "%s is under %s, which ", phrase.Capital(safetext.Certificate(e.Leaf)), safetext.Quote(e.CA))
	default:
		fmt.Fprintf(&b, "%s presents itself as issued by %s, which ", phrase.Capital(safetext.Certificate(e.Leaf)), safetext.Quote(e.CA))
	}
	switch {
	case e.CA == phrase.RevokedG3:
		b.WriteString("was withdrawn: it was revoked on 17 May 2018.")
	case e.Withdrawn:
		b.WriteString("was withdrawn: its server certificates had to be replaced by 31 December 2020.")
	default:
		b.WriteString("may not be used between machines: what is left of G3 is for persons and signatures.")
	}
	e.Problem = b.String()
	e.Advice = "Ask " + phrase.Supplier(e.TSP) + " for " + phrase.ForAnyUse + "."
	return e
}

// RejectG3 returns a *[G3Error] if a certificate of the chain is of the G3 hierarchy, and
// nil otherwise. G3 certificates are recognised, in this order:
//
//   - by the public key, which the reissues of a CA share;
//   - by the issuer's name and key identifier, so that a leaf alone is enough;
//   - by the exact name (CN, O and C), its own or its issuer's, of a G3 CA.
//
// nil certificates are skipped and an empty chain passes. RejectG3 checks no signatures. It
// is a [chain.Veto], and usable as the constraint of x509.CertPool.AddCertWithConstraint.
func RejectG3(chain []*x509.Certificate) error {
	if e := findG3(chain); e != nil {
		return e
	}
	return nil
}

// findG3 returns the G3 CA closest to the leaf, and the surest sign of it.
func findG3(certs []*x509.Certificate) *G3Error {
	r := recognised()
	var leaf *x509.Certificate
	var found *authority
	var how string
	for _, c := range certs {
		if c == nil || len(c.Raw) == 0 {
			continue
		}
		if leaf == nil {
			leaf = c
		}
		a, issuer, by := r.find(c)
		if a == nil {
			a = issuer
		}
		if a == nil || a.hierarchy != G3 {
			continue
		}
		if found == nil {
			found, how = a, by
		} else if found.name == a.name && (by == ByKey || how == ByName) {
			how = by
		}
	}
	if found == nil {
		return nil
	}
	return (&G3Error{Leaf: leaf, CA: found.name.cn, TSP: found.tsp, Withdrawn: found.withdrawn != "", By: how}).explain()
}
