package audit

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// certificateOf is what is known of a certificate, but for its places.
func certificateOf(r inventory.Result, at time.Time) *Certificate {
	x, a := r.Certificate, r.Advice()
	c := &Certificate{
		SHA256:    truststore.FingerprintOf(r.Certificate).String(),
		Do:        classOf(a),
		Name:      NameOf(x),
		Subject:   safetext.Name(x.Subject, MaxName),
		Issuer:    safetext.Name(x.Issuer, MaxName),
		NotBefore: x.NotBefore.UTC(),
		NotAfter:  x.NotAfter.UTC(),
		CA:        x.IsCA,
		Status:    string(a.Status),
		Supplier:  string(a.Supplier),
		Advice:    safetext.Printable(a.Text, MaxText),
		Sources:   a.Sources,

		AdviceDutch: safetext.Printable(a.Dutch().Text, MaxText),
	}
	if o, dutch := a.Order, a.Dutch().Order; o != nil && dutch != nil {
		c.Order = &Order{o.Policy, o.Product, dutch.Product, o.Contents, dutch.Contents}
	}
	if x.SerialNumber != nil && x.SerialNumber.BitLen() <= 8*64 {
		c.Serial = x.SerialNumber.Text(16)
	}
	for _, name := range x.DNSNames[:min(len(x.DNSNames), 100)] {
		c.DNSNames = append(c.DNSNames, safetext.Printable(name, 253))
	}
	c.KeyType, c.KeyBits = keyOf(x)
	if x.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		c.SignatureAlgorithm = x.SignatureAlgorithm.String()
	}
	if !a.Deadline.IsZero() {
		c.Deadline, c.Overdue = date(a.Deadline), c.Do.NeedsAction() && at.After(a.Deadline)
	}
	if a.Replacement != "" {
		c.Replacement = string(a.Replacement)
	}
	claim, ok := r.Claim()
	switch {
	case ok:
		c.Hierarchy, c.Role, c.TSP = string(claim.Hierarchy), string(claim.Role), string(claim.TSP)
		c.OIN, c.RecognisedBy, c.TestKey = string(claim.OIN), claim.By, claim.Fixture
	case a.Status == advice.Withdrawn:
		c.Hierarchy = string(pkioverheid.G3)
	}
	c.State, c.Reason = c.judged(r)
	return c
}

func keyOf(x *x509.Certificate) (kind string, bits int) {
	switch key := x.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", key.Curve.Params().BitSize
	case ed25519.PublicKey:
		return "Ed25519", 256
	}
	return "", 0
}

func placeOf(r inventory.Result, c *Certificate) Place {
	p := Place{
		Target: safetext.Printable(r.Target, MaxPath),
		Path:   safetext.Printable(r.Path, MaxPath),
		Place:  r.Place,
		Party:  safetext.Printable(r.Party, MaxName),
		Format: string(r.Format),
	}
	if !utf8.ValidString(r.Path) {
		p.PathBytes = []byte(r.Path)
	}
	if r.Use != inventory.UnknownUse {
		p.Use = string(r.Use)
	}
	if r.Use == inventory.KeyMismatch {
		p.Problems = append(p.Problems, otherKey)
	}
	if state, reason := c.judged(r); state != c.State || reason != c.Reason {
		p.State, p.Reason = state, reason
	}
	return p
}

// otherKey is the problem of a key file.
const otherKey = "The private key beside it is that of another certificate."

// States of certificates that more than words depend on.
const (
	Trusted = "trusted"
	Revoked = "revoked"
)

// WrongKey is the Status of a certificate that needs the right key beside it, before
// anything else.
const WrongKey = "wrong key"

// revoked makes it one to replace now: until its list says so, nothing else does.
func (c *Certificate) revoked() {
	if c.Do == ClassNow {
		return
	}
	c.Do, c.Status, c.Deadline = ClassNow, Revoked, ""
	c.Advice = safetext.Quote(c.Name) + " is revoked: ask " + cmp.Or(c.Supplier, "its certificate supplier (TSP)") + " for a new one."
	c.AdviceDutch = safetext.Quote(c.Name) + " is ingetrokken: vraag " + cmp.Or(c.Supplier, "de certificaatleverancier (TSP)") + " om een nieuw."
}

// judged is the verdict on the chain, and why. It has no clock in it, so that it is the
// same the next time.
func (c *Certificate) judged(r inventory.Result) (state, reason string) {
	state = r.State()
	_, err := r.Chain()
	if err == nil {
		return state, ""
	}
	if !c.asked {
		c.asked, c.imitates = true, Imitated(r.Certificate)
	}
	if c.imitates != "" { // and nobody trusts its root
		return Imitation, reasonOf(c.imitates)
	}
	var g3 *pkioverheid.G3Error
	var e *chain.Error
	switch {
	case errors.As(err, &g3):
		return state, g3.Problem
	case !errors.As(err, &e):
		return state, safetext.Printable(err.Error(), safetext.MostError)
	}
	who := "it"
	if e.Cert != nil {
		who = safetext.Certificate(e.Cert)
	}
	switch e.Reason {
	case chain.Expired:
		return state, who + " ended on " + date(e.Cert.NotAfter)
	case chain.NotYetValid:
		return state, who + " begins on " + date(e.Cert.NotBefore)
	case chain.UnknownAuthority:
		return state, "the CA that issued " + who + " is not known"
	}
	reason = who + ": " + StateWords(state)
	for _, under := range e.Err {
		var told explained
		if errors.As(under, &told) {
			if problem, _ := told.ProblemAdvice(); problem != "" {
				return state, safetext.Printable(problem, safetext.MostError)
			}
		}
	}
	return state, reason
}

// stateTexts are states as people read them who do not know the words of programs.
var stateTexts = map[string]string{
	Imitation:                     "imitation",
	"expired":                     "ended",
	"unknown authority":           "its CA is not known",
	"bad signature":               "its signature is wrong",
	"wrong name":                  "for another name",
	"wrong usage":                 "not for this use",
	"path too long":               "its CA may not issue it",
	"name not permitted":          "its CA may not issue it",
	"no valid certificate policy": "its policy is not right",
	"issuer is not a CA":          "its issuer is not a CA",
	"refused by policy":           "refused by a rule",
	"unsupported certificate":     "cannot be checked",
	"revocation unknown":          "not known if revoked",
}

// StateWords are those for a state of package inventory.
func StateWords(state string) string { return cmp.Or(stateTexts[state], state) }

func classOf(a advice.Advice) Class {
	switch {
	case a.Urgency == advice.ActNow:
		return ClassNow
	case a.Urgency == advice.ActSoon:
		return ClassSoon
	case a.Urgency == advice.ActLater:
		return ClassLater
	case a.Status == advice.Unrecognised:
		return ClassOther
	}
	return ClassOK
}

// NameOf is what people call a certificate.
func NameOf(c *x509.Certificate) string {
	name := safetext.Name(c.Subject, safetext.Most)
	switch {
	case c.Subject.CommonName != "":
		name = safetext.Printable(c.Subject.CommonName, safetext.Most)
	case len(c.DNSNames) > 0:
		name = safetext.Printable(c.DNSNames[0], safetext.Most)
	}
	return cmp.Or(name, "(no name)")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
