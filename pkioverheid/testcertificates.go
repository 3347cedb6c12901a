package pkioverheid

import (
	"crypto/x509"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// testMark returns by what a certificate shows that it is for tests: a common name,
// its own or its issuer's, that starts with the word TRIAL, TEST or ACCEPTATIE in
// capitals, or a policy for tests (facts.md §5).
func testMark(c *x509.Certificate) (string, bool) {
	for _, name := range []string{c.Subject.CommonName, c.Issuer.CommonName} {
		for _, mark := range [...]string{"TRIAL", "TEST", "ACCEPTATIE"} {
			if rest, ok := strings.CutPrefix(name, mark); ok && !startsWithLetter(rest) {
				return "the name " + safetext.Quote(name), true
			}
		}
	}
	for _, p := range c.Policies {
		if policy.IsTest(p) {
			return "the policy " + safetext.OID(p, safetext.Most), true
		}
	}
	return "", false
}

func startsWithLetter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}

// rejectTest is the policy that refuses test certificates, but below the roots
// that the user named for that.
func rejectTest(allowed func(root *x509.Certificate) bool) chain.Policy {
	return func(c chain.Chain, _ time.Time) error {
		if allowed(c.Root()) {
			return nil
		}
		for _, cert := range c {
			if mark, found := testMark(cert); found {
				return errTest(cert, mark)
			}
		}
		return nil
	}
}

func errTest(cert *x509.Certificate, mark string) error {
	return &rejection{phrase.Capital(safetext.Certificate(cert)) + " is a test certificate (" + mark + ").", "In a test, name its root in Trust.TrialRoots. In production it is refused."}
}
