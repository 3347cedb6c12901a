package chain

import (
	"crypto/x509"
	"time"
)

// BrokenRules tells every rule of Strict and of WebPKI that a chain breaks, by name
// and section, and not the first one only.
func BrokenRules(c Chain) (strict, webPKI []string) {
	all := func(rules []rule) (broken []string) {
		breaches(c, rules, func(_ *x509.Certificate, r rule, _ string) bool {
			broken = append(broken, r.name+" "+r.section)
			return true
		})
		return broken
	}
	return all(strictRules[:]), all(webPKIRules[:])
}

// RuleNames are the rules of each profile, by name and section.
func RuleNames() (strict, webPKI []string) {
	strict = append(strict, "certificate 4.1")
	for _, r := range strictRules {
		strict = append(strict, r.name+" "+r.section)
	}
	for _, r := range webPKIRules {
		webPKI = append(webPKI, r.name+" "+r.section)
	}
	return strict, webPKI
}

// ErrBeforeSignatures is in an error of Verify that came before any signature.
var ErrBeforeSignatures = errBeforeSignatures

// ReasonOf is what is made of crypto/x509's error about a chain with good signatures.
func ReasonOf(c Chain, at time.Time, err error) (Reason, *x509.Certificate) {
	return climbed{path: c, rooted: true}.reason(at, err, nil)
}
