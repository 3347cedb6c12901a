package pkioverheid

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Distrusted is a set of certificates, keys and names that are refused from now on, for
// Trust.Distrusted: the way in which an emergency withdrawal reaches a running program.
// The zero value is empty. It is safe for concurrent use and must not be copied.
type Distrusted struct {
	current atomic.Pointer[distrustedSet]
	follows bool         // it follows a file
	problem func() error // why what that holds cannot be read
}

// DistrustedEntry says what to refuse. One of Certificate, Key, Issuer and Subject must be
// set. Of names the attributes are compared, all of them, without regard to their order,
// string type, case and repeated spaces; where a pkix.Name has Names, these count alone.
type DistrustedEntry struct {
	// Certificate is the fingerprint of one certificate, of a peer or of a CA. Appended
	// bytes, and another form of the same signature, do not change it. Below an issuer
	// with an ECDSA key anybody can, with another signature, and a new certificate has
	// another: use Key against what must not come back.
	Certificate truststore.Fingerprint

	// Key is the chain.KeyHash of a public key. Every certificate of the key is refused,
	// and all that the key has issued.
	Key [sha256.Size]byte

	// Issuer and SerialNumber are a certificate as CRLs and public lists name it. They
	// go together.
	Issuer       pkix.Name
	SerialNumber *big.Int

	// Subject refuses every certificate of that subject, and all that is below it.
	Subject pkix.Name

	// Reason is for the error and the log, in words.
	Reason string
}

// Set replaces all entries. An entry that names nothing or more than one thing is an error,
// and so is Set where a file is followed: the present entries then stay. See
// Trust.Distrusted.
func (d *Distrusted) Set(entries ...DistrustedEntry) error {
	if d.follows {
		return errors.New("pkioverheid: this Distrusted follows a file: change that, or set one of your own")
	}
	set, err := newDistrustedSet(entries)
	if err != nil {
		return fmt.Errorf("pkioverheid: Distrusted stays as it was: %w", err)
	}
	d.current.Store(set)
	return nil
}

// Err returns why the contents of the file cannot be read, or nil. See Trace.Replaced too.
func (d *Distrusted) Err() error {
	if d == nil || d.problem == nil {
		return nil
	}
	return d.problem()
}

// set is nil for none.
func (d *Distrusted) set() *distrustedSet {
	if d == nil {
		return nil
	}
	return d.current.Load()
}

// distrustedSet never changes. Each value is the reason.
type distrustedSet struct {
	certificates map[truststore.Fingerprint]string
	keys         map[[sha256.Size]byte]string
	serials      map[string]map[string]string // by serial number, and then by issuer
	subjects     map[string]string

	// Of a set that names all roots in use, see sparing.
	spared []*x509.Certificate
	before *distrustedSet // nil for none
	whole  *distrustedSet
}

// sparing is the set as far as it can be used where it names all roots, which are those:
// without those that were trusted before, and with all that was distrusted before, as a set
// with a mistake in it lifts nothing. It is nil if no root is left.
func (s *distrustedSet) sparing(roots []*x509.Certificate, before *distrustedSet) *distrustedSet {
	present := before
	if before != nil && before.whole != nil {
		before = before.before // the last one that was used as it was
	}
	var spared []*x509.Certificate
	for _, root := range roots {
		if before.accepts(root) {
			spared = append(spared, root)
		}
	}
	if spared == nil {
		return nil
	}
	if present != nil && present.whole == s && slices.EqualFunc(present.spared, spared, (*x509.Certificate).Equal) {
		return present
	}
	part := *s
	if present != before {
		part = *s.with(present)
	}
	part.spared, part.before, part.whole = spared, before, s
	return &part
}

// with is what is in either set.
func (s *distrustedSet) with(other *distrustedSet) *distrustedSet {
	both := &distrustedSet{
		certificates: maps.Clone(other.certificates), keys: maps.Clone(other.keys),
		serials: make(map[string]map[string]string), subjects: maps.Clone(other.subjects),
	}
	maps.Copy(both.certificates, s.certificates)
	maps.Copy(both.keys, s.keys)
	maps.Copy(both.subjects, s.subjects)
	for _, serials := range []map[string]map[string]string{other.serials, s.serials} {
		for serial, issuers := range serials {
			if both.serials[serial] == nil {
				both.serials[serial] = make(map[string]string)
			}
			maps.Copy(both.serials[serial], issuers)
		}
	}
	return both
}

func newDistrustedSet(entries []DistrustedEntry) (*distrustedSet, error) {
	s := &distrustedSet{
		certificates: make(map[truststore.Fingerprint]string),
		keys:         make(map[[sha256.Size]byte]string),
		serials:      make(map[string]map[string]string),
		subjects:     make(map[string]string),
	}
	for i, e := range entries {
		if err := s.add(e); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return s, nil
}

func (s *distrustedSet) add(e DistrustedEntry) error {
	issuer, subject, reason := nameKey(e.Issuer), nameKey(e.Subject), safetext.Printable(e.Reason, safetext.MostError)
	things := 0
	if e.Certificate != (truststore.Fingerprint{}) {
		s.certificates[e.Certificate] = reason
		things++
	}
	if e.Key != [sha256.Size]byte{} {
		s.keys[e.Key] = reason
		things++
	}
	if subject != "" {
		s.subjects[subject] = reason
		things++
	}
	if issuer != "" || e.SerialNumber != nil {
		if issuer == "" || e.SerialNumber == nil {
			return errors.New("an issuer and a serial number go together")
		}
		serial := serialKey(e.SerialNumber)
		if s.serials[serial] == nil {
			s.serials[serial] = make(map[string]string)
		}
		s.serials[serial][issuer] = reason
		things++
	}
	if things != 1 {
		return fmt.Errorf("it names %d things, and should name one: a certificate, a key, an issuer with a serial number, or a subject", things)
	}
	return nil
}

// vetoOf is nil for a set that refuses nothing.
func vetoOf(s *distrustedSet) chain.Veto {
	if s.none() {
		return nil
	}
	return s.veto
}

// veto refuses paths with a certificate of the set. It looks at each alone, so that a path
// that it refuses stays refused whatever comes above it.
func (s *distrustedSet) veto(certs []*x509.Certificate) error {
	for _, cert := range certs {
		if cert == nil {
			continue
		}
		if by, reason, found := s.find(cert); found {
			return &chain.Error{Reason: chain.Distrusted, Chain: certs, Cert: cert, Err: []error{&distrustedError{cert, by, reason}}}
		}
	}
	return nil
}

// find returns by what a certificate is distrusted, and the reason.
func (s *distrustedSet) find(cert *x509.Certificate) (by, reason string, found bool) {
	if len(s.spared) > 0 && slices.ContainsFunc(s.spared, cert.Equal) {
		return "", "", false
	}
	if !s.before.none() {
		if by, reason, found = s.before.find(cert); found {
			return by, reason, true
		}
	}
	if len(s.certificates) > 0 {
		if reason, found = s.certificates[truststore.FingerprintOf(cert)]; !found {
			reason, found = s.certificates[issuedFingerprint(cert)]
		}
		if found {
			return "its fingerprint", reason, true
		}
	}
	if len(s.keys) > 0 {
		if reason, found = s.keys[chain.KeyHash(cert)]; found {
			return "its key", reason, true
		}
	}
	if len(s.serials) > 0 && cert.SerialNumber != nil {
		if issuers := s.serials[serialKey(cert.SerialNumber)]; issuers != nil {
			if reason, found = issuers[nameKey(cert.Issuer)]; found {
				return "its issuer and serial number", reason, true
			}
		}
	}
	if len(s.subjects) > 0 {
		if reason, found = s.subjects[nameKey(cert.Subject)]; found {
			return "its subject", reason, true
		}
	}
	return "", "", false
}

// issuedFingerprint is the fingerprint of a certificate as it was issued. crypto/x509 takes
// two other forms, which anybody can make: with bytes after the signature, and with bits
// that are not used at the end of the signature, by which it moves the rest to the right.
// It is zero for what is in the form in which it was issued.
func issuedFingerprint(cert *x509.Certificate) (f truststore.Fingerprint) {
	input := cryptobyte.String(cert.Raw)
	var content, part cryptobyte.String
	if !input.ReadASN1(&content, cbasn1.SEQUENCE) {
		return f
	}
	rest := content
	for range 2 { // what is signed, and the algorithm: RFC 5280 section 4.1
		if !rest.ReadASN1Element(&part, cbasn1.SEQUENCE) {
			return f
		}
	}
	signed := content[:len(content)-len(rest)]
	var bits asn1.BitString
	if !rest.ReadASN1BitString(&bits) || rest.Empty() && bits.BitLength%8 == 0 {
		return f
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(signed)
		b.AddASN1BitString(bits.RightAlign())
	})
	der, err := b.Bytes()
	if err != nil {
		return f
	}
	return sha256.Sum256(der)
}

// none is true for a set that refuses nothing.
func (s *distrustedSet) none() bool {
	return s == nil || len(s.certificates)+len(s.keys)+len(s.serials)+len(s.subjects) == 0
}

// accepts reports whether a certificate is not distrusted itself.
func (s *distrustedSet) accepts(cert *x509.Certificate) bool {
	if s.none() {
		return true
	}
	_, _, found := s.find(cert)
	return !found
}

// checkRoots refuses a set that leaves none of the roots.
func (s *distrustedSet) checkRoots(roots *truststore.Store) error {
	if s.none() || roots.Len() == 0 {
		return nil
	}
	var named []*x509.Certificate
	for root := range roots.All() {
		if s.accepts(root) {
			return nil
		}
		named = append(named, root)
	}
	return &allRootsError{named, false}
}

// allRootsError says that a set names all roots in use.
type allRootsError struct {
	roots []*x509.Certificate
	rest  bool // what else is in the set is in use
}

func (e *allRootsError) Error() string {
	const most = 4
	var names []string
	for _, root := range e.roots[:min(len(e.roots), most)] {
		names = append(names, safetext.Certificate(root))
	}
	if more := len(e.roots) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	text := "pkioverheid: Trust.Distrusted would refuse all roots in use (" + strings.Join(names, ", ") + "): nothing could be trusted any more"
	if e.rest {
		text += ". Those that were trusted still are, and the rest of the set is in use: to trust none of them, stop the program"
	}
	return text
}

// distrustedError says why a path is refused.
type distrustedError struct {
	cert       *x509.Certificate
	by, reason string
}

func (e *distrustedError) Error() string {
	problem, advice := e.ProblemAdvice()
	return wording(problem, advice)
}

func (e *distrustedError) ProblemAdvice() (problem, advice string) {
	return e.problem(), "Its owner needs a certificate that is not on the list of Trust.Distrusted, of another CA where the CA is on it."
}

func (e *distrustedError) problem() string {
	problem := safetext.Certificate(e.cert) + " is distrusted here, by " + e.by
	if e.reason != "" {
		problem += ": " + strings.TrimSuffix(e.reason, ".")
	}
	return problem + "."
}

func serialKey(n *big.Int) string {
	if n.Sign() < 0 {
		return "-" + string(n.Bytes())
	}
	return "+" + string(n.Bytes())
}

// nameKey is the same for names of the same attributes (RFC 5280 section 7.1); empty for
// one without any.
func nameKey(name pkix.Name) string {
	attributes := name.Names
	if len(attributes) == 0 { // it was not parsed
		for _, rdn := range name.ToRDNSequence() {
			attributes = append(attributes, rdn...)
		}
	}
	parts := make([]string, len(attributes))
	for i, a := range attributes {
		parts[i] = a.Type.String() + "=" + attributeKey(a.Value)
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), "\x00")
}

func attributeKey(value any) string {
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
