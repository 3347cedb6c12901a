package chain

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// Veto says what it has against a path, or nil, from the certificates alone: it
// looks nothing up and waits for nothing. So it may run before signatures are
// checked, on certificates that a peer put together, which a [Policy] never does.
//
// It gets a path, the end-entity certificate first, or the beginning of one. One
// that refuses a beginning must refuse every path that begins like it. It may run
// in several goroutines at the same time and must not change what it gets.
//
// A Veto that knows better than "refused by policy" returns an *[Error] with a
// Reason of its own, such as [Revoked].
type Veto func(certs []*x509.Certificate) error

// Policy is the veto as a [Policy], for [All] and whatever else takes one. A nil
// Veto is against nothing.
func (d Veto) Policy(c Chain, at time.Time) error {
	if d == nil {
		return nil
	}
	err := d(c)
	if own, ok := err.(*Error); ok && own.At.IsZero() {
		dated := *own
		dated.At = at
		return &dated
	}
	return err
}

// both asks one veto and then the other.
func both(first, second Veto) Veto {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(certs []*x509.Certificate) error {
		if err := first(certs); err != nil {
			return err
		}
		return second(certs)
	}
}

// WithVeto adds a veto, after those that are there. Each complete chain is
// asked about before the policies are, and [Verifier.Verify] refuses without
// checking a signature what has no other path than those distrusted. nil adds nothing.
func WithVeto(d Veto) Option {
	return func(s *settings) { s.veto = both(s.veto, d) }
}

// errBeforeSignatures is said with a veto of certificates that only names lead to.
var errBeforeSignatures = errors.New("all paths that names lead to are vetoed, so signatures were not checked")

// refuseEarly follows names from leaf upwards, and returns an error if a veto
// refuses every path on the way, so that none is left for crypto/x509 to accept.
// An end that is not refused, trusted or not, leaves the answer to signatures.
func (s *settings) refuseEarly(leaf *x509.Certificate, extra *truststore.Store, at time.Time) *Error {
	if s.veto == nil {
		return nil
	}
	if err := s.veto([]*x509.Certificate{leaf}); err != nil {
		return vetoed(leaf, at, err)
	}
	if s.roots.Contains(leaf) {
		return nil
	}
	var (
		first error
		steps int
		read  int // bytes
		walk  func(path []*x509.Certificate, size int) bool
	)
	// walk reports whether every path that begins like this is refused.
	walk = func(path []*x509.Certificate, size int) bool {
		child := path[len(path)-1]
		refused := false
		for issuer, by := range s.vetoable(child, extra) {
			if slices.Contains(path, issuer) {
				continue
			}
			steps++
			read += size + len(issuer.Raw)
			if steps > maxVetoPaths || read > maxVetoBytes {
				return false
			}
			next := append(path[:len(path):len(path)], issuer)
			if err := s.veto(next); err != nil {
				if first == nil {
					first = err
				}
			} else if by == ofRoots || !walk(next, size+len(issuer.Raw)) {
				return false
			}
			refused = true
		}
		return refused
	}
	if !walk([]*x509.Certificate{leaf}, len(leaf.Raw)) {
		return nil
	}
	return vetoed(leaf, at, first, errBeforeSignatures)
}

// vetoable yields the candidates, and the distrusted certificates that may be the
// issuer: those say something to a peer whose own certificate is all there is. One
// that is known to have another key than the issuer is not the one that is meant.
func (s *settings) vetoable(child *x509.Certificate, extra *truststore.Store) iter.Seq2[*x509.Certificate, origin] {
	return func(yield func(*x509.Certificate, origin) bool) {
		for cert, by := range s.candidates(child, extra) {
			if !yield(cert, by) {
				return
			}
		}
		for cert := range s.distrusted.BySubject(child.RawIssuer) {
			if !s.holds(cert) && !extra.Contains(cert) && keyIdentifiersMatch(child, cert) && !yield(cert, ofDistrusted) {
				return
			}
		}
	}
}

func vetoed(leaf *x509.Certificate, at time.Time, errs ...error) *Error {
	e := &Error{Chain: Chain{leaf}, At: at, Err: errs}
	e.Reason, e.Cert = ofRefusals(errs)
	return e
}

// VetoCertificates returns the veto of every path with one of these
// certificates in it.
//
// Whoever holds a certificate can often give it another fingerprint, and a peer can
// do so to a CA certificate that it sends along: an ECDSA signature has a second
// form, and crypto/x509 passes over data behind the signature. What must not come
// back in another form, or reissued for the same key, is distrusted by [VetoKeys].
func VetoCertificates(fingerprints ...truststore.Fingerprint) Veto {
	distrusted := setOf(fingerprints)
	return func(certs []*x509.Certificate) error {
		for _, cert := range certs {
			if f := truststore.FingerprintOf(cert); distrusted[f] && f != (truststore.Fingerprint{}) {
				return refuse(certs, cert, time.Time{}, fmt.Errorf("this certificate is distrusted by its fingerprint %s", f))
			}
		}
		return nil
	}
}

// VetoKeys returns the veto of every path with one of these public
// keys in it, given by their [KeyHash]. It finds a CA or a compromised key in each
// certificate that was ever issued for it.
func VetoKeys(keys ...[sha256.Size]byte) Veto {
	distrusted := setOf(keys)
	return func(certs []*x509.Certificate) error {
		for _, cert := range certs {
			if key := KeyHash(cert); distrusted[key] && key != [sha256.Size]byte{} {
				return refuse(certs, cert, time.Time{}, fmt.Errorf("this public key is distrusted by its SHA-256 %x", key))
			}
		}
		return nil
	}
}

// VetoSubjects returns the veto of every path with a certificate in
// it whose subject has all the attributes of one of these names: in any order, in
// any string type, and without regard to case and repeated spaces (RFC 5280
// section 7.1), whatever other attributes it has. So a common name alone distrusts
// everything of that name; with organization and country it distrusts less. A name
// without any attribute distrusts everything.
//
// pkix.Name.Names counts as well, so that the Subject of a certificate can be given.
func VetoSubjects(names ...pkix.Name) Veto {
	distrusted := make([]map[attribute]bool, len(names))
	asked := map[attribute]bool{} // by any of names
	var types []asn1.ObjectIdentifier
	for i, name := range names {
		distrusted[i] = map[attribute]bool{}
		for _, rdn := range append(name.ToRDNSequence(), name.Names) {
			for _, part := range rdn {
				kind := slices.IndexFunc(types, part.Type.Equal)
				if kind < 0 {
					kind, types = len(types), append(types, slices.Clone(part.Type))
				}
				a := attribute{kind, normalised(part.Value)}
				distrusted[i][a], asked[a] = true, true
			}
		}
	}
	return func(certs []*x509.Certificate) error {
		if len(distrusted) == 0 {
			return nil
		}
		for _, cert := range certs {
			if cert == nil {
				continue
			}
			has := map[attribute]bool{}
			for _, part := range cert.Subject.Names {
				if kind := slices.IndexFunc(types, part.Type.Equal); kind >= 0 {
					if a := (attribute{kind, normalised(part.Value)}); asked[a] {
						has[a] = true
					}
				}
			}
			for _, name := range distrusted {
				if includes(has, name) {
					return refuse(certs, cert, time.Time{}, errors.New("this subject is distrusted by its name"))
				}
			}
		}
		return nil
	}
}

// attribute of a name, of a type that [VetoSubjects] was asked about.
type attribute struct {
	kind  int // the place of the type among those asked about
	value string
}

// normalised is the same for values that RFC 5280 section 7.1 takes for equal.
func normalised(value any) string {
	s, ok := value.(string)
	if !ok {
		s = fmt.Sprint(value)
	}
	s = strings.ToLower(s)
	if strings.TrimSpace(s) != s || strings.Contains(s, "  ") || strings.ContainsAny(s, "\t\r\n") {
		s = strings.Join(strings.Fields(s), " ")
	}
	return s
}

func includes(set, part map[attribute]bool) bool {
	for item := range part {
		if !set[item] {
			return false
		}
	}
	return true
}
