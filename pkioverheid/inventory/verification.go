package inventory

import (
	"bytes"
	"crypto/x509"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/recently"
)

// judge verifies certificates and remembers the outcome.
type judge struct {
	at       time.Time
	use      advice.Use
	verifier func() (*chain.Verifier, error)

	repeated recently.Cache[uint64, *known]

	mu   sync.Mutex
	seed maphash.Seed
	seen []uint64 // hashes of certificates seen, each at one place, later ones over earlier ones
}

func newJudge(cfg Config) *judge {
	j := &judge{at: cfg.Time, use: cfg.Use, verifier: defaultVerifier, seed: maphash.MakeSeed(), seen: make([]uint64, maxSeen)}
	j.repeated.Most, j.repeated.Size = maxRemembered, func(k *known) int { return len(k.cert.Raw) }
	if cfg.Verifier != nil {
		j.verifier = func() (*chain.Verifier, error) { return cfg.Verifier, nil }
	}
	return j
}

// defaultVerifier trusts the hierarchies of this version.
var defaultVerifier = sync.OnceValues(func() (*chain.Verifier, error) {
	v, err := pkioverheid.NewVerifier(pkioverheid.Trust{})
	if err != nil {
		return nil, err
	}
	return v.Chains(), nil
})

// known is what there is to know of one certificate, wherever it is found.
type known struct {
	judge *judge
	cert  *x509.Certificate

	mu       sync.Mutex
	verified *outcome // wherever it is
	advised  *advice.Advice
}

// What is remembered: two generations, each of so many bytes of DER, of
// certificates of which none is larger than real ones. Parsed they take some five
// times that, and twenty times at most.
const (
	maxRemembered     = 2 << 20
	maxRememberedCert = 16 << 10
	maxSeen           = 1 << 15 // a power of two
)

// signatureEnd is how many bytes at the end of a certificate are hashed: they are of
// its signature, in which no two certificates are the same. Where they are equal
// everywhere, whoever made them only makes the scan parse each of them.
const signatureEnd = 64

// of parses a certificate, or finds it among those that were seen more than once:
// nearly all are seen once, and to remember those would cost more than it saves. der
// is not kept if it belongs to others.
func (j *judge) of(der []byte, others bool) (*known, error) {
	hash := maphash.Bytes(j.seed, der[max(0, len(der)-signatureEnd):])
	k, _ := j.repeated.Get(hash)
	j.mu.Lock()
	place := &j.seen[hash%maxSeen]
	again := *place == hash
	*place = hash
	j.mu.Unlock()
	if k != nil && bytes.Equal(k.cert.Raw, der) {
		return k, nil
	}
	if others {
		der = bytes.Clone(der)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	k = &known{judge: j, cert: cert}
	if again && len(der) <= maxRememberedCert {
		j.repeated.Put(hash, k)
	}
	return k, nil
}

func (k *known) advice() advice.Advice {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.advised == nil {
		advice := advice.For(k.cert, k.judge.use, k.judge.at)
		k.advised = &advice
	}
	return *k.advised
}

// How many CAs of a file or a handshake help to build a path, and how many bytes they
// may have. Roots help to explain one only, and there are many of them in some files.
const (
	maxBeside      = 32
	maxRoots       = 8
	maxBesideBytes = 64 << 10
)

// source is one file or host: what its results have in common.
type source struct {
	host string // for the certificate that a server presents as its own

	// beside are CAs found in the same place. They do not change any more once the
	// first result is delivered.
	beside      []*x509.Certificate
	roots       int // among them
	besideBytes int

	mu       sync.Mutex
	verified map[*known]outcome // where the place makes a difference
}

// keep notes a CA of a file, once.
func (s *source) keep(ca *x509.Certificate) {
	root := bytes.Equal(ca.RawSubject, ca.RawIssuer)
	if len(s.beside) == maxBeside || root && s.roots == maxRoots || s.besideBytes+len(ca.Raw) > maxBesideBytes ||
		slices.ContainsFunc(s.beside, ca.Equal) {
		return
	}
	s.beside = append(s.beside, ca)
	s.besideBytes += len(ca.Raw)
	if root {
		s.roots++
	}
}

type outcome struct {
	path chain.Chain
	err  error
}

// chain verifies the certificate: once for all places, and once more in a place
// that can make a difference.
func (k *known) chain(from *source) (chain.Chain, error) {
	own := k.isServer(from)
	if !own {
		o := k.anywhere()
		if o.err == nil || !k.issuedBeside(from, o.err) {
			return o.path, o.err
		}
	}
	from.mu.Lock()
	defer from.mu.Unlock()
	o, done := from.verified[k]
	if !done {
		o.path, o.err = k.verifyWith(k.options(from))
		if from.verified == nil {
			from.verified = make(map[*known]outcome)
		}
		from.verified[k] = o
	}
	return o.path, o.err
}

func (k *known) anywhere() outcome {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.verified == nil {
		o := outcome{}
		o.path, o.err = k.verifyWith(k.options(nil))
		k.verified = &o
	}
	return *k.verified
}

// issuedBeside reports whether an issuer that the verifier does not know may lie in
// the same place.
func (k *known) issuedBeside(from *source, err error) bool {
	var reason *chain.Error
	if from == nil || !errors.As(err, &reason) ||
		reason.Reason != chain.UnknownAuthority && reason.Reason != chain.BadSignature {
		return false
	}
	for _, ca := range from.beside {
		if ca != k.cert && bytes.Equal(ca.RawSubject, k.cert.RawIssuer) && !bytes.Equal(ca.Raw, k.cert.Raw) {
			return true
		}
	}
	return false
}

// isServer reports whether the certificate is what a host presents as its own.
func (k *known) isServer(from *source) bool {
	return from != nil && from.host != "" && len(from.beside) > 0 && from.beside[0] == k.cert
}

// options are how the certificate is verified in a place, or wherever it is.
func (k *known) options(from *source) chain.VerifyOptions {
	opts := chain.VerifyOptions{Time: k.judge.at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if from != nil {
		opts.Extra = from.beside
	}
	if k.isServer(from) {
		opts.DNSName = from.host
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	return opts
}

func (k *known) explain(from *source) *chain.Explanation {
	v, err := k.judge.verifier()
	if err != nil {
		return nil
	}
	return v.Explain([]*x509.Certificate{k.cert}, k.options(from))
}

func (k *known) verifyWith(opts chain.VerifyOptions) (chain.Chain, error) {
	v, err := k.judge.verifier()
	if err != nil {
		return nil, err
	}
	opts.NoMemory = true // what is in one place must not help in another
	path, err := v.Verify(k.cert, opts)
	var g3 *pkioverheid.G3Error
	if err == nil || errors.As(err, &g3) {
		return path, err
	}
	// Without its CAs, what is G3 is merely unknown to the verifier.
	if refusal := pkioverheid.RejectG3([]*x509.Certificate{k.cert}); refusal != nil {
		err = &chain.Error{Reason: chain.RefusedByPolicy, Chain: chain.Chain{k.cert}, Cert: k.cert, At: opts.Time, Err: []error{refusal}}
	}
	return nil, err
}
