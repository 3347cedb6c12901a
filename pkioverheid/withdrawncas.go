package pkioverheid

import (
	"crypto/sha256"
	"crypto/x509"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// rejectWithdrawnCAs is the policy that refuses every CA of PKIoverheid known to be
// withdrawn, other than those of G3, which RejectG3 refuses. What was withdrawn stays so
// whatever the time that is verified at. It does not replace revocation lists: it
// has only what was known when this version was made.
func rejectWithdrawnCAs(c chain.Chain, at time.Time) error {
	r := recognised()
	for _, cert := range c {
		if cert == nil {
			continue
		}
		if w, _ := r.withdrawn(cert, r.keyHash(cert)); w != nil {
			return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: cert, At: at, Err: []error{
				&rejection{"The CA " + safetext.Quote(w.name.cn) + " was withdrawn.", "Ask " + phrase.Supplier(w.tsp) + " for a certificate under its successor."}}}
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
