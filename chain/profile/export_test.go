package profile

import (
	"crypto/x509"

	"github.com/go-pkioverheid/trust/chain"
)

// BrokenRules returns every rule of RFC5280 and every one that only WebPKI has that a
// chain breaks, by name and section, and not the first one only.
func BrokenRules(c chain.Chain) (strict, only []string) {
	all := func(standards []standard) (broken []string) {
		breaches(c, standards, func(_ *x509.Certificate, _ string, r rule, _ string) bool {
			broken = append(broken, r.name+" "+r.section)
			return true
		})
		return broken
	}
	return all(rfc5280), all(webPKI[:1])
}

// RuleNames are the rules of each profile, by name and section.
func RuleNames() (rfc5280, webPKI []string) {
	rfc5280 = append(rfc5280, "certificate 4.1")
	for _, r := range rfc5280Rules {
		rfc5280 = append(rfc5280, r.name+" "+r.section)
	}
	for _, r := range webPKIRules {
		webPKI = append(webPKI, r.name+" "+r.section)
	}
	return rfc5280, webPKI
}
