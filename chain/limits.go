package chain

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// Limits bound what one call computes for a peer that chose its certificates to
// make it compute. They are far from what hierarchies in use need: ten certificates
// with RSA keys of 4096 bits are within the defaults, whatever they are. A zero
// field means its default.
//
// An end-entity certificate, and a root or intermediate of the verifier, whose key is
// beyond the limits is an error; one that the peer sent beside its own is not used.
// What is beyond the other limits is refused, with the reason [Unsupported].
//
// crypto/tls verifies by itself with the pools of [Verifier.CertPool]: it takes RSA
// keys of at most 8192 bits and 100 signatures, and asks the verifier afterwards.
type Limits struct {
	// RSABits is the size of the largest RSA modulus. The default is 8192.
	RSABits int

	// RSAExponent is the largest public exponent of RSA. The default is 65537.
	RSAExponent int

	// Certificates is how many of VerifyOptions.Extra a path may be looked for in:
	// those that names lead to, each once. The default is 64.
	Certificates int

	// Signatures is how many signatures a path may be followed by, in Complete and
	// to explain a refusal. What costs more than the check of a signature with
	// RSA-4096 counts as several: longer keys, long certificates, long lists of
	// names and policies. crypto/x509 checks at most 100; what these cost more
	// than with RSA-4096 is bounded likewise. The default is 100.
	Signatures int
}

// WithLimits sets other limits than the default ones.
func WithLimits(l Limits) Option {
	return func(s *state) { s.limits = l }
}

// withDefaults returns the limits with the defaults in them.
func (l Limits) withDefaults() (Limits, error) {
	for _, field := range []struct {
		value    *int
		standard int
	}{{&l.RSABits, 8192}, {&l.RSAExponent, 65537}, {&l.Certificates, 64}, {&l.Signatures, 100}} {
		switch {
		case *field.value < 0:
			return l, errors.New("chain: Limits: a limit is negative; 0 means the default")
		case *field.value == 0:
			*field.value = field.standard
		}
	}
	return l, nil
}

// beyond says how a certificate's key is beyond the limits, or "".
func (l *Limits) beyond(cert *x509.Certificate) string {
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return ""
	case key.N.BitLen() > l.RSABits:
		return fmt.Sprintf("its RSA key has %d bits, and at most %d are computed with: see Limits", key.N.BitLen(), l.RSABits)
	case key.E > l.RSAExponent:
		return fmt.Sprintf("its RSA key has the public exponent %d, and at most %d is computed with: see Limits", key.E, l.RSAExponent)
	}
	return ""
}

// errBeyond is in an error about a key that nothing is computed with.
type errBeyond string

func (e errBeyond) Error() string { return "chain: " + string(e) }

// withinLimits is asked about chains that crypto/x509 verified with a pool.
func (s *state) withinLimits(c Chain, at time.Time) error {
	for _, cert := range c {
		if how := s.limits.beyond(cert); how != "" {
			return &Error{Reason: Unsupported, Chain: c, Cert: cert, At: at, Err: []error{errBeyond(how)}}
		}
	}
	return nil
}

var (
	errTooMany = errors.New("chain: gave up: names lead to more of the certificates at hand than a path is looked for in: see Limits.Certificates")
	errTooMuch = errors.New("chain: gave up: the certificates at hand take more to verify than is allowed: see Limits.Signatures")
	errGaveUp  = errors.New("chain: gave up: the path is too long to follow, or takes more signatures to find than is allowed: see Limits.Signatures")
)

// costOf is what the check of a signature costs beside one with RSA-4096 and the exponent
// 65537, which is 1, as measured with Go 1.25 and 1.26. Fractions are left out: what
// costs less is as many as crypto/x509 allows.
func costOf(child, parent *x509.Certificate) int {
	cost := 1
	switch key := parent.PublicKey.(type) {
	case *rsa.PublicKey:
		// Each multiplication grows with the square of the modulus. There is one
		// for each bit of the exponent, and one more for each that is set.
		if size := (key.N.BitLen() + 1023) / 1024; size > 4 {
			cost = (size*size + 15) / 16
		}
		if key.E > 65537 {
			cost *= 4
		}
	case *ecdsa.PublicKey:
		switch bits := key.Curve.Params().BitSize; {
		case bits > 384:
			cost = 8
		case bits > 256:
			cost = 3
		}
	}
	const hashed = 256 << 10
	return cost + len(child.RawTBSCertificate)/hashed
}

// namesOf counts what name constraints are compared with.
func namesOf(cert *x509.Certificate) int {
	return len(cert.DNSNames) + len(cert.EmailAddresses) + len(cert.IPAddresses) + len(cert.URIs)
}

func constraintsOf(ca *x509.Certificate) int {
	return len(ca.PermittedDNSDomains) + len(ca.ExcludedDNSDomains) +
		len(ca.PermittedIPRanges) + len(ca.ExcludedIPRanges) +
		len(ca.PermittedEmailAddresses) + len(ca.ExcludedEmailAddresses) +
		len(ca.PermittedURIDomains) + len(ca.ExcludedURIDomains)
}

// maxSteps bounds the work of finding out how much work there is.
const maxSteps = 1000

// affordable says whether crypto/x509 may be asked for the paths from leaf through
// pool. It stops at 100 signatures by itself, but does not count what each costs,
// nor comparisons of names and policies. So only what is dear is counted here, along
// all paths that names allow, which are more than signatures do.
func (s *state) affordable(leaf *x509.Certificate, extra *truststore.Store) bool {
	var (
		steps int
		dear  int
		walk  func(path []*x509.Certificate, names, bytes, policies int)
	)
	walk = func(path []*x509.Certificate, names, size, policies int) {
		child := path[len(path)-1]
		names, size, policies = names+namesOf(child), size+len(child.Raw), policies+len(child.Policies)+len(child.PolicyMappings)
		for parent, by := range s.candidates(child, extra) {
			if by == ofExtra && s.limits.beyond(parent) != "" || slices.Contains(path, parent) {
				continue
			}
			if steps++; steps > maxSteps {
				return
			}
			// Between certificates of one name and key, crypto/x509 looks for the
			// subjectAltName among the extensions, for each that is above the other.
			dear += costOf(child, parent) - 1 + len(parent.Extensions)/200
			if constrainsNames(parent) {
				// Go 1.25 compares each with each, and Go 1.26 sorts them. Both
				// take each name apart, even if there is nothing to compare it with.
				n := constraintsOf(parent)
				dear += min(n*names, 250_000)/3000 + (n+names)/500
			}
			if by == ofRoots {
				// Policies are followed along whole chains, and all that judge
				// chains read them.
				dear += policies*(20+len(path))/4000 + size/(128<<10)
				continue
			}
			if dear <= s.limits.Signatures {
				walk(append(path[:len(path):len(path)], parent), names, size, policies)
			}
		}
	}
	walk([]*x509.Certificate{leaf}, 0, 0, 0)
	return dear == 0 || dear <= s.limits.Signatures && steps <= maxSteps
}

// work counts what following signatures costs.
type work struct {
	left  int // of Limits.Signatures
	steps int // candidates that were looked at
}

// allows reports whether one more signature may be checked, and counts it.
func (w *work) allows(child, parent *x509.Certificate) bool {
	if w.left <= 0 {
		return false
	}
	w.left -= costOf(child, parent)
	return true
}

// step reports whether one more candidate may be looked at, and counts it.
func (w *work) step() bool {
	w.steps++
	return !w.exhausted()
}

func (w *work) exhausted() bool { return w.left <= 0 || w.steps > maxSteps }
