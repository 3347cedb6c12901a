package pkioverheid

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// ownPair is a key pair to show.
type ownPair struct {
	*tls.Certificate
	holder *KeyPair
	hosts  []string // see KeyPair.Hosts
}

// showable returns the key pairs in the order in which to show them, completed once more
// by CAs that only this trust has. hosts are those of each, or nil.
func (t *trustState) showable(now contents, hosts [][]string) []ownPair {
	all := make([]ownPair, len(now.pairs))
	for i, of := range now.order {
		pair := now.pairs[of]
		all[i].Certificate, all[i].holder = t.addCAs(pair, above(pair)), now.holders[of]
		if hosts != nil {
			all[i].hosts = hosts[of]
		}
	}
	return all
}

// ownCertificates looks at our own certificates, once a day.
type ownCertificates struct {
	trust   *trustState
	tracing *tracing
	server  bool
	pairs   []ownPair
	day     atomic.Int64 // on which they were looked at last
}

// daily reports what is wrong, in the first call of a day.
func (o *ownCertificates) daily() {
	at := o.trust.clock()
	day := dayOf(at)
	if len(o.pairs) == 0 {
		return
	}
	switch before := o.day.Swap(day); before {
	case day:
		return
	case 0:
		o.report(append(o.look(at), o.withoutOIN()...), at)
	default:
		o.report(o.look(at), at)
	}
	if o.trust.revocation != nil {
		// A CRL may have to be fetched, within crl.Config.Timeout, and nobody waits for that.
		go func() { o.report(o.revoked(at), at) }()
	}
}

// report reports what is wrong. That a deadline is near is logged once a day for all that
// use the key pair.
func (o *ownCertificates) report(found []Event, at time.Time) {
	for _, e := range found {
		logger := o.tracing.logger()
		of := slices.IndexFunc(o.pairs, func(pair ownPair) bool { return pair.Leaf == e.Certificate })
		if e.Problem != OwnEnding || of < 0 || o.pairs[of].holder.ending.first(logger, e.Certificate, at) {
			logOwn(logger, e)
		}
		report(o.tracing, o.tracing.Own, e)
	}
}

// withoutOIN is said once of each certificate: not everybody needs one.
func (o *ownCertificates) withoutOIN() (found []Event) {
	for _, pair := range o.pairs {
		claim, _ := ClaimOf(pair.Leaf)
		if claim.Kind == System && claim.OIN == "" && claim.UZI == (UZI{}) {
			found = append(found, o.event(pair, OwnNoOIN, "Digikoppeling wants one in subject:serialNumber (PKI001): where you use it for that, ask your TSP for a certificate with your OIN"))
		}
	}
	return found
}

// revoked asks Trust.Revocation. A status that cannot be determined is not reported here:
// the Checker says why.
func (o *ownCertificates) revoked(at time.Time) (found []Event) {
	for _, pair := range o.pairs {
		var (
			refused *chain.Error
			entry   *crl.RevokedError
		)
		err := o.trust.revocation.Policy(o.trust.path(pair.Leaf, above(pair.Certificate)), at)
		if !errors.As(err, &refused) || !errors.As(err, &entry) {
			continue
		}
		what, advice := "it", "ask your TSP for a new one, with a new key"
		if refused.Cert != nil && refused.Cert.IsCA {
			what, advice = safetext.Certificate(refused.Cert)+", above it,", "ask for one under another CA"
		}
		found = append(found, o.event(pair, OwnRevoked, fmt.Sprintf("%s was revoked on %s (%s): %s", what, phrase.Day(entry.RevokedAt), entry.Reason, advice)))
	}
	return found
}

func (o *ownCertificates) event(pair ownPair, p OwnProblem, text string) Event {
	h := claimedHierarchy(pair.Leaf)
	return Event{Server: o.server, Certificate: pair.Leaf, Hierarchy: h, Problem: p, Deadline: deadlineOf(pair.Leaf, h), Text: text}
}

// look returns what is wrong with our certificates.
func (o *ownCertificates) look(at time.Time) []Event {
	var all []Event
	for _, pair := range o.pairs {
		all = append(all, o.problems(pair, claimedHierarchy(pair.Leaf), at)...)
	}
	return all
}

func (o *ownCertificates) problems(pair ownPair, h Hierarchy, at time.Time) (found []Event) {
	leaf := pair.Leaf
	add := func(p OwnProblem, format string, args ...any) {
		found = append(found, o.event(pair, p, fmt.Sprintf(format, args...)))
	}
	switch {
	case at.After(leaf.NotAfter):
		add(OwnEnded, "it was valid until %s: replace it", phrase.Day(leaf.NotAfter))
	case at.Before(leaf.NotBefore):
		add(OwnNotYetValid, "it is valid from %s on: check the clock of this machine", phrase.Day(leaf.NotBefore))
	}
	if text := wrongUse(leaf, o.server); text != "" {
		add(OwnWrongUse, "%s", text)
	}
	if g3 := findG3([]*x509.Certificate{leaf}); g3 != nil {
		add(OwnWithdrawn, "%s", safetext.Printable(g3.Error(), safetext.MostError))
	} else if e, near := ending(leaf, h, at); near {
		add(OwnEnding, "%s", e.Text)
	}
	if err := vetoOf(o.trust.distrusted).Policy(append(chain.Chain{leaf}, above(pair.Certificate)...), at); err != nil {
		var why *distrustedError
		if errors.As(err, &why) {
			add(OwnDistrusted, "%s: replace it", safetext.Printable(strings.TrimSuffix(why.problem(), "."), safetext.MostError))
		}
	}
	if key, ok := leaf.PublicKey.(*rsa.PublicKey); ok && h.known() && key.N.BitLen() < h.row().rsaBits {
		add(OwnShortKey, "its RSA key has %d bits, and %s asks for %d: ask your supplier for a certificate with a new key", key.N.BitLen(), h, h.row().rsaBits)
	}
	if !selfIssued(leaf) {
		if len(pair.Certificate.Certificate) < 2 && len(o.trust.path(leaf, nil)) < 2 {
			add(OwnIncomplete, "the CA that issued it, %s, is not in its file and not known here: add it to the file", safetext.Quote(leaf.Issuer.CommonName))
		}
	}
	return found
}

// wrongUse says what a certificate lacks for its side, or nothing.
func wrongUse(leaf *x509.Certificate, server bool) string {
	use, name, other, otherName := x509.ExtKeyUsageClientAuth, "clientAuth", x509.ExtKeyUsageServerAuth, "serverAuth"
	if server {
		use, name, other, otherName = other, otherName, use, name
	}
	if len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 ||
		slices.Contains(leaf.ExtKeyUsage, use) || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return ""
	}
	has := "it has no " + name
	if slices.Contains(leaf.ExtKeyUsage, other) {
		has = "it is for " + otherName + " and has no " + name
	}
	return has + ": ask your TSP for one that has"
}

// check is for a constructor: what makes a certificate of no use is an error.
func (o *ownCertificates) check(field string, allowUnsuitable bool) error {
	if allowUnsuitable {
		return nil
	}
	for _, e := range o.look(o.trust.clock()) {
		if e.Problem == OwnEnded || e.Problem == OwnWrongUse {
			return fmt.Errorf("pkioverheid: %s: %s cannot be used: %s (AllowUnsuitable uses it anyway)", field, safetext.Certificate(e.Certificate), e.Text)
		}
	}
	return nil
}
