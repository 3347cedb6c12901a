package pkioverheid

import (
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// RejectWithdrawn is a [chain.Policy] that refuses G3, as [RejectG3] does, and
// every other CA of PKIoverheid known to be withdrawn. What was withdrawn stays
// so whatever the time that is verified at. The error is a *[G3Error], or a
// *[chain.Error] with the reason [chain.Revoked].
//
// It is built into every configuration of this package, and every pool that
// trusts something. It is no substitute for revocation lists: it knows what this
// version was told.
func RejectWithdrawn(c chain.Chain, at time.Time) error {
	if err := RejectG3(c); err != nil {
		return err
	}
	return rejectWithdrawnCAs(c, at)
}

func rejectWithdrawnCAs(c chain.Chain, at time.Time) error {
	for _, cert := range c {
		if cert == nil {
			continue
		}
		if w, _ := recognised().withdrawn(cert, chain.KeyHash(cert)); w != nil {
			return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: cert, At: at, Err: []error{
				&rejection{"The CA " + quote.Text(w.name.cn) + " was withdrawn.", "Ask " + phrase.Supplier(w.tsp) + " for a certificate under its successor."}}}
		}
	}
	return nil
}

// withdrawn returns the CA, other than those of G3, that was withdrawn and that
// cert is, or says it was issued by. key is the hash of its public key.
func (r *registry) withdrawn(cert *x509.Certificate, key [sha256.Size]byte) (ca *authority, self bool) {
	if a := r.byKey[key]; a.isWithdrawn() {
		return a, true
	}
	if name, ok := subjectName(cert); ok && r.byName[name].isWithdrawn() {
		return r.byName[name], true
	}
	if name, ok := issuerName(cert); ok && r.byName[name].isWithdrawn() {
		return r.byName[name], false
	}
	return nil, false
}

// isWithdrawn leaves out G3, which RejectG3 refuses as a whole.
func (a *authority) isWithdrawn() bool {
	return a != nil && a.withdrawn != "" && a.hierarchy != G3
}

// withdrawnOn is the day, as the table of CAs has it, which is tested.
func (a *authority) withdrawnOn() time.Time {
	on, _ := time.Parse(time.DateOnly, a.withdrawn)
	return on
}

// testMark returns by what a certificate shows that it is for tests: a common name,
// its own or its issuer's, that starts with the word TRIAL, TEST or ACCEPTATIE in
// capitals, or a policy for tests (facts.md §5).
func testMark(c *x509.Certificate) (string, bool) {
	for _, name := range []string{c.Subject.CommonName, c.Issuer.CommonName} {
		for _, mark := range [...]string{"TRIAL", "TEST", "ACCEPTATIE"} {
			if rest, ok := strings.CutPrefix(name, mark); ok && !startsWithLetter(rest) {
				return "the name " + quote.Text(name), true
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

// rejectCompromised refuses every key of package pkiotest: the private keys are
// public. What stands below a root that came from that package itself is let in.
func rejectCompromised(allowed func(root *x509.Certificate) bool) chain.Policy {
	return func(c chain.Chain, _ time.Time) error {
		if allowed(c.Root()) {
			return nil
		}
		for _, cert := range c {
			if isCompromised(cert) {
				return errCompromised(cert)
			}
		}
		return nil
	}
}

func isCompromised(c *x509.Certificate) bool {
	return recognised().publicKeys[chain.KeyHash(c)]
}

func errTest(cert *x509.Certificate, mark string) error {
	return &rejection{phrase.Capital(quote.Certificate(cert)) + " is a test certificate (" + mark + ").", "In a test, name its root in Trust.TrialRoots. In production it is refused."}
}

func errCompromised(c *x509.Certificate) error {
	return &rejection{"The private key of " + quote.Certificate(c) + " is public: it belongs to package pkiotest.", "A test trusts it with pkiotest.Trust, which has the certificate from that package and not from a file."}
}
