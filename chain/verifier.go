package chain

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// Verifier verifies certificates up to the roots that it holds. The decision is
// crypto/x509's; the Verifier adds policies and explanations, and remembers what
// it verified above the issuing CAs. It is safe for concurrent use.
type Verifier struct {
	roots         *truststore.Store
	intermediates *truststore.Store
	policy        Policy
	denied        *truststore.Store
	denial        func([]*x509.Certificate) error

	anchors    map[*x509.Certificate]*anchor
	anchorPool *x509.CertPool // all anchors, without constraints: for Verify, which completes and judges itself
	rootPool   *x509.CertPool

	mu     sync.Mutex
	checks map[edge]bool // signatures between CAs that this verifier holds
}

type edge struct{ child, parent *x509.Certificate }

// Option is a setting of [NewVerifier].
type Option func(*Verifier)

// WithPolicy adds a policy, after those that are there. A chain is accepted if
// all policies are.
func WithPolicy(p Policy) Option {
	return func(v *Verifier) { v.policy = All(v.policy, p) }
}

// WithDenied refuses every chain with one of certs in it, before any policy is
// asked, whether it is a root or an intermediate too or not. In the pools of
// [Verifier.CertPool] certs are anchors that always refuse, so that crypto/x509
// can report why's words. why gets the chain up to and with the denied
// certificate; an error that it does not return, or a nil why, is made up for. A
// second WithDenied replaces the first.
//
// Mind that a server announces the subjects in its ClientCAs as the CAs whose
// certificates it accepts: deny nothing in a pool for clients' certificates.
func WithDenied(certs *truststore.Store, why func(chain []*x509.Certificate) error) Option {
	return func(v *Verifier) { v.denied, v.denial = certs, why }
}

// NewVerifier returns a verifier that trusts roots and knows intermediates: the
// CAs below them, whose paths to a root are verified when they are first needed.
// Neither may be nil or hold a certificate that is no CA; a root must be
// self-issued, and what it signs of itself is not looked at, for it proves nothing.
// No roots at all is no error: then nothing verifies.
//
// To trust a single leaf, a policy must ask for it: crypto/x509 checks neither
// the issuer nor the constraints of a certificate that stands in a pool itself.
func NewVerifier(roots, intermediates *truststore.Store, opts ...Option) (*Verifier, error) {
	if roots == nil || intermediates == nil {
		return nil, errors.New("chain: a verifier needs a store of roots and one of intermediates; either may be empty")
	}
	v := &Verifier{
		policy:   All(),
		anchors:  make(map[*x509.Certificate]*anchor, roots.Len()+intermediates.Len()),
		rootPool: roots.CertPool(),
		checks:   make(map[edge]bool),
	}
	for _, opt := range opts {
		opt(v)
	}
	// Copies: the caller may go on to change its stores.
	v.roots = roots.Filter(func(*x509.Certificate) bool { return true })
	v.intermediates = intermediates.Filter(func(c *x509.Certificate) bool { return !roots.Contains(c) })
	v.denied = v.denied.Filter(func(*x509.Certificate) bool { return true })
	if v.denied.Len() > 0 {
		v.policy = All(v.refuseDenied, v.policy)
	}
	v.anchorPool = v.roots.CertPool()
	for root := range v.roots.All() {
		if !isCA(root) {
			return nil, fmt.Errorf("chain: %s is no CA, so it cannot be a trust anchor: trust the CA that issued it, and pin the certificate by a policy", quoteName(root))
		}
		if !selfIssued(root) {
			return nil, fmt.Errorf("chain: %s is not a root (its issuer is another): give it as an intermediate, and its root as a root", quoteName(root))
		}
		v.anchors[root] = &anchor{cert: root, above: func() []upperPath { return []upperPath{{maxLower: -1}} }}
	}
	for ca := range v.intermediates.All() {
		if !isCA(ca) {
			return nil, fmt.Errorf("chain: %s is no CA, so it cannot be an intermediate", quoteName(ca))
		}
		if selfIssued(ca) || constrained(ca) {
			continue // crypto/x509 may use it on a path from a root
		}
		v.anchors[ca] = &anchor{
			cert:  ca,
			above: sync.OnceValue(func() []upperPath { return v.pathsAbove(ca) }),
		}
		v.anchorPool.AddCert(ca)
	}
	return v, nil
}

var errDenied = errors.New("chain: this CA is denied")

// refuseDenied is a policy, because an anchor that refuses closes only the path
// that ends at it: a peer may send the denied certificate with others above it.
func (v *Verifier) refuseDenied(c Chain, _ time.Time) error {
	for i, cert := range c {
		if v.isDenied(cert) {
			return v.refusal(c[: i+1 : i+1])
		}
	}
	return nil
}

// isDenied compares what was signed, not the whole: crypto/x509 takes the same
// certificate with another form of the signature, or with bytes behind it.
func (v *Verifier) isDenied(cert *x509.Certificate) bool {
	for denied := range v.denied.BySubject(cert.RawSubject) {
		if bytes.Equal(denied.RawTBSCertificate, cert.RawTBSCertificate) {
			return true
		}
	}
	return false
}

// refusal is what is said of a chain that ends at a denied certificate.
func (v *Verifier) refusal(c Chain) error {
	if v.denial != nil {
		if err := v.denial(c); err != nil {
			return err
		}
	}
	return errDenied
}

// VerifyOptions are the circumstances of one verification.
type VerifyOptions struct {
	// DNSName, if not empty, is the host that the certificate must be for.
	DNSName string

	// Time is the time to verify at; zero means now.
	Time time.Time

	// KeyUsages are the extended key usages of which one must be allowed along
	// the whole path. None means serverAuth, as in crypto/x509.
	KeyUsages []x509.ExtKeyUsage

	// Extra are certificates that the peer sent or that lie at hand, in any
	// order. They help to build a path and are not trusted. nil is skipped.
	Extra []*x509.Certificate
}

// Verify returns a chain from leaf to one of the roots that crypto/x509 accepts
// and that passes the policies. Where there are several, it is one whose issuing
// CA the verifier holds. The error is an *[Error].
func (v *Verifier) Verify(leaf *x509.Certificate, opts VerifyOptions) (Chain, error) {
	at := opts.Time
	if at.IsZero() {
		at = time.Now()
	}
	if leaf == nil || len(leaf.Raw) == 0 {
		return nil, &Error{Reason: Unsupported, At: at, Err: []error{errors.New("chain: no certificate to verify, or one that was never parsed")}}
	}
	if len(opts.KeyUsages) == 0 {
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}

	var (
		refused  []Chain
		refusals []error
	)
	accept := func(candidates []Chain) Chain {
		for _, c := range candidates {
			if slices.ContainsFunc(refused, func(r Chain) bool { return slices.Equal(r, c) }) {
				continue // the long way finds what the short way did
			}
			err := v.policy(c, at)
			if err == nil {
				return c
			}
			refused, refusals = append(refused, c), append(refusals, err)
		}
		return nil
	}

	xopts := x509.VerifyOptions{
		DNSName:     opts.DNSName,
		CurrentTime: at,
		KeyUsages:   opts.KeyUsages,
		Roots:       v.anchorPool,
	}
	// The short way: one signature check, from the leaf to an issuing CA that we hold.
	if chains, err := leaf.Verify(xopts); err == nil {
		for _, c := range chains {
			// A certificate that stands in the pool itself comes back alone,
			// and nothing about it was checked.
			if len(c) != 2 {
				continue
			}
			if found := accept(v.anchors[c[1]].complete(c[:1], at, opts.KeyUsages)); found != nil {
				return found, nil
			}
		}
	}

	// The long way, from the roots, for everything out of the ordinary.
	extra := truststore.New(opts.Extra...)
	xopts.Roots, xopts.Intermediates = v.rootPool, v.reachable(leaf, extra)
	chains, err := leaf.Verify(xopts)
	if err == nil {
		candidates := make([]Chain, len(chains))
		for i := range chains {
			candidates[i] = chains[i]
		}
		if found := accept(candidates); found != nil {
			return found, nil
		}
	}
	return nil, v.explain(leaf, extra, at, err, refusals)
}

// Check judges chains that crypto/x509 already verified with a pool of
// [Verifier.CertPool], as in tls.ConnectionState.VerifiedChains: it completes
// each up to its root, drops those that are not valid at that time or lead to
// no anchor of this verifier, and returns the first that passes the policies. No
// chain is an error. It belongs into tls.Config.VerifyConnection, which runs for
// resumed sessions too, when no pool is asked.
//
// A zero time means now. Chains with a nil in them count as none.
func (v *Verifier) Check(verified [][]*x509.Certificate, at time.Time) (Chain, error) {
	if at.IsZero() {
		at = time.Now()
	}
	verified = slices.DeleteFunc(slices.Clone(verified), func(c []*x509.Certificate) bool {
		return len(c) == 0 || slices.Contains(c, nil)
	})
	var refusals []error
	foreign := true
	for _, c := range verified {
		last := len(c) - 1
		a := v.anchorOf(c[last])
		if a == nil {
			continue
		}
		foreign = false
		if !validAt(c, at) {
			continue
		}
		for _, full := range a.complete(c[:last], at, nil) {
			err := v.policy(full, at)
			if err == nil {
				return full, nil
			}
			refusals = append(refusals, err)
		}
	}
	var leaf *x509.Certificate
	extra := truststore.New()
	for _, c := range verified {
		leaf = c[0]
		extra.Add(c[1:]...)
	}
	if leaf == nil {
		return nil, &Error{Reason: UnknownAuthority, At: at, Err: []error{errNoVerifiedChain}}
	}
	if foreign {
		e := v.explain(leaf, extra, at, errForeignChain, nil)
		e.Reason, e.Cert = UnknownAuthority, nil
		return nil, e
	}
	return nil, v.explain(leaf, extra, at, nil, refusals)
}

func validAt(certs []*x509.Certificate, at time.Time) bool {
	for _, c := range certs {
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			return false
		}
	}
	return true
}

// CertPool returns a new pool for tls.Config.RootCAs or ClientCAs, or whatever
// else takes a pool: of the roots, and of the issuing CAs as derived anchors, so
// that a peer which sends nothing but its own certificate can be verified. Issuing
// CAs are those with no other CA of the verifier below them; what a CA further up
// issues itself verifies if the peer sends that CA along. crypto/x509 follows each
// path that it finds, and each more anchor on the way up would cost every
// handshake one more signature check.
//
// Each anchor carries the policies, which see the complete chain at the time of
// clock; a nil clock is time.Now, and so is a zero time. Use the clock of
// tls.Config.Time.
//
// A pool's policies do not run on resumed sessions, nor where a peer presents a
// certificate of the pool as its own, and their words are lost in some of
// crypto/x509's errors: [Verifier.Check] does it again, for certain.
func (v *Verifier) CertPool(clock func() time.Time) *x509.CertPool {
	if clock == nil {
		clock = time.Now
	}
	pool := x509.NewCertPool()
	for cert := range v.denied.All() {
		// crypto/x509 asks no constraint about a certificate that is itself in
		// the pool, told by a hash of Raw; everything else it reads elsewhere. With
		// another Raw the denied CA is in the pool as an issuer only. A root keeps
		// its own: then AddCert of a bundle that still has it changes nothing.
		issuer := *cert
		if !selfIssued(cert) {
			issuer.Raw = append(cert.Raw[:len(cert.Raw):len(cert.Raw)], 0)
		}
		pool.AddCertWithConstraint(&issuer, func(lower []*x509.Certificate) error {
			return v.refusal(append(lower[:len(lower):len(lower)], cert))
		})
	}
	upper := map[*x509.Certificate]bool{} // CAs that have others below them, by signature
	for _, a := range v.ordered() {
		for _, p := range a.above() {
			if len(p.certs) > 1 {
				upper[p.certs[0]] = true
			}
		}
	}
	for cert, a := range v.ordered() {
		if v.isDenied(cert) {
			continue
		}
		// Verified here and not on first use: a certificate that is itself in the
		// pool is accepted without its constraint.
		if upper[cert] || len(a.above()) == 0 {
			continue
		}
		pool.AddCertWithConstraint(cert, func(lower []*x509.Certificate) error {
			at := clock()
			if at.IsZero() {
				at = time.Now()
			}
			refusal := errNoUpperPath
			for _, c := range a.complete(lower, at, nil) {
				if refusal = v.policy(c, at); refusal == nil {
					return nil
				}
			}
			return refusal
		})
	}
	return pool
}

// ordered yields the anchors as the stores hold them, so that pools are alike.
func (v *Verifier) ordered() iter.Seq2[*x509.Certificate, *anchor] {
	return func(yield func(*x509.Certificate, *anchor) bool) {
		for _, s := range []*truststore.Store{v.roots, v.intermediates} {
			for cert := range s.All() {
				if a := v.anchors[cert]; a != nil && !yield(cert, a) {
					return
				}
			}
		}
	}
}

// anchorOf finds the anchor of a certificate that crypto/tls may have parsed
// anew, as it does for the sessions that it resumes.
func (v *Verifier) anchorOf(cert *x509.Certificate) *anchor {
	if a := v.anchors[cert]; a != nil {
		return a
	}
	for _, s := range []*truststore.Store{v.roots, v.intermediates} {
		for held := range s.BySubject(cert.RawSubject) {
			if bytes.Equal(held.Raw, cert.Raw) {
				return v.anchors[held]
			}
		}
	}
	return nil
}

// issuers yields the certificates held whose name is that of child's issuer,
// roots first, and whether each is a root.
func (v *Verifier) issuers(child *x509.Certificate) iter.Seq2[*x509.Certificate, bool] {
	return func(yield func(*x509.Certificate, bool) bool) {
		for root := range v.roots.BySubject(child.RawIssuer) {
			if !yield(root, true) {
				return
			}
		}
		for ca := range v.intermediates.BySubject(child.RawIssuer) {
			if !yield(ca, false) {
				return
			}
		}
	}
}

// signed checks a signature between CAs that the verifier holds, once.
func (v *Verifier) signed(child, parent *x509.Certificate) bool {
	e := edge{child, parent}
	v.mu.Lock()
	ok, known := v.checks[e]
	v.mu.Unlock()
	if !known {
		ok = child.CheckSignatureFrom(parent) == nil
		v.mu.Lock()
		v.checks[e] = ok
		v.mu.Unlock()
	}
	return ok
}

// reachable returns the certificates that a path from leaf can lead through, by
// name, so that crypto/x509 need not look at each of a hundred thousand.
func (v *Verifier) reachable(leaf *x509.Certificate, extra *truststore.Store) *x509.CertPool {
	pool := x509.NewCertPool()
	seen := map[string]bool{}
	queue := []*x509.Certificate{leaf}
	for len(queue) > 0 {
		issuer := queue[0].RawIssuer
		queue = queue[1:]
		if seen[string(issuer)] {
			continue
		}
		seen[string(issuer)] = true
		for _, s := range []*truststore.Store{v.intermediates, extra} {
			for cert := range s.BySubject(issuer) {
				pool.AddCert(cert)
				queue = append(queue, cert)
			}
		}
	}
	return pool
}
