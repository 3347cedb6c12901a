package chain

import (
	"crypto/x509"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// Verifier verifies certificates up to the roots that it holds. The decision is
// crypto/x509's; the Verifier adds policies and explanations, and remembers what
// it verified above the issuing CAs. It is safe for concurrent use. Make one with
// [NewVerifier], and change what it trusts with [Verifier.Replace].
type Verifier struct {
	state atomic.Pointer[state] // each call loads it once, and so sees all of it or nothing
}

// Option is a setting of [NewVerifier] and [Verifier.Replace].
type Option func(*state)

// WithPolicy adds a policy, after those that are there. A chain is accepted if
// all policies are.
func WithPolicy(p Policy) Option {
	return func(s *state) { s.policy = All(s.policy, p) }
}

// NewVerifier returns a verifier that trusts roots and knows intermediates: the
// CAs below them, whose paths to a root are verified when they are first needed.
// Neither may be nil or hold a certificate that is no CA; a root must be
// self-issued, and what it signs of itself is not looked at, for it proves nothing.
// A key beyond the [Limits] is an error. No roots at all is no error: then nothing verifies.
//
// To trust a single leaf, a policy must ask for it: crypto/x509 checks neither
// the issuer nor the constraints of a certificate that stands in a pool itself.
func NewVerifier(roots, intermediates *truststore.Store, opts ...Option) (*Verifier, error) {
	v := new(Verifier)
	if err := v.Replace(roots, intermediates, opts...); err != nil {
		return nil, err
	}
	return v, nil
}

// Replace gives the verifier other roots, intermediates and options, in one step:
// a verification that is under way ends with those that it began with, and the
// next sees the new ones. Nothing of the old is kept; an option that is not given
// again is gone. It takes what NewVerifier takes, and where that is an error,
// everything stays as it was.
//
// A pool that [Verifier.CertPool] made before goes on to hold the CAs that it was
// made of, and asks the verifier as it is now about them: one that is no longer
// trusted is refused, and so is what the present policies have something against.
// What was added to the verifier needs a new pool.
func (v *Verifier) Replace(roots, intermediates *truststore.Store, opts ...Option) error {
	s, err := newState(roots, intermediates, opts)
	if err != nil {
		return err
	}
	v.state.Store(s)
	return nil
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
	// order. They help to build a path and are not trusted. nil is skipped. [Limits]
	// bound how many of them are looked at, and with what keys.
	Extra []*x509.Certificate
}

// Verify returns a chain from leaf to one of the roots that crypto/x509 accepts
// and that passes the vetoes and policies. Where there are several, it is one whose
// issuing CA the verifier holds. The error is an *[Error].
//
// What vetoes leave no path is refused before any signature is checked. Then the
// error's Chain is the leaf alone, and its Cert, if there is one, is what names
// lead to: nobody knows whether it issued the leaf.
func (v *Verifier) Verify(leaf *x509.Certificate, opts VerifyOptions) (Chain, error) {
	return v.state.Load().verify(leaf, opts)
}

func (s *state) verify(leaf *x509.Certificate, opts VerifyOptions) (Chain, error) {
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

	var extra *truststore.Store
	if s.veto != nil {
		extra = s.besides(truststore.New(opts.Extra...))
		if err := s.refuseEarly(leaf, extra, at); err != nil {
			return nil, err
		}
	}
	if err := s.withinLimits(Chain{leaf}, at); err != nil {
		return nil, err
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
			err := s.judge(c, at)
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
		Roots:       s.anchorPool,
	}
	// The short way: one signature check, from the leaf to an issuing CA that we hold.
	if chains, err := leaf.Verify(xopts); err == nil {
		for _, c := range chains {
			// A certificate that stands in the pool itself comes back alone,
			// and nothing about it was checked.
			if len(c) != 2 {
				continue
			}
			if found := accept(s.anchors[c[1]].complete(c[:1], at, opts.KeyUsages)); found != nil {
				return found, nil
			}
		}
	}

	// The long way, from the roots, for everything out of the ordinary.
	if extra == nil {
		extra = s.besides(truststore.New(opts.Extra...))
	}
	var err error
	if xopts.Intermediates, err = s.reachable(leaf, extra); err == nil && !s.affordable(leaf, extra) {
		err = errTooMuch
	}
	if err == nil {
		var chains [][]*x509.Certificate
		xopts.Roots = s.rootPool
		chains, err = leaf.Verify(xopts)
		candidates := make([]Chain, len(chains))
		for i := range chains {
			candidates[i] = chains[i]
		}
		if found := accept(candidates); found != nil {
			return found, nil
		}
	}
	return nil, s.explain(leaf, extra, at, err, refusals)
}

// Check judges chains that crypto/x509 already verified with a pool of
// [Verifier.CertPool], as in tls.ConnectionState.VerifiedChains: it completes
// each up to its root, drops those that are not valid at that time or lead to
// no anchor of this verifier, and returns the first that passes the vetoes and
// policies. No
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
	s := v.state.Load()
	var refusals []error
	foreign := true
	for _, c := range verified {
		last := len(c) - 1
		a := s.anchorOf(c[last])
		if a == nil {
			continue
		}
		foreign = false
		if !validAt(c, at) {
			continue
		}
		for _, full := range a.complete(c[:last], at, nil) {
			err := s.judge(full, at)
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
		e := s.explain(leaf, extra, at, errForeignChain, nil)
		e.Reason, e.Cert = UnknownAuthority, nil
		return nil, e
	}
	return nil, s.explain(leaf, extra, at, nil, refusals)
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
// Each anchor asks the vetoes and policies, which see the complete chain at the time of
// clock; a nil clock is time.Now, and so is a zero time. Use the clock of
// tls.Config.Time. See [Verifier.Replace] for what becomes of a pool afterwards.
//
// A pool's policies do not run on resumed sessions, nor where a peer presents a
// certificate of the pool as its own, and their words are lost in some of
// crypto/x509's errors: [Verifier.Check] does it again, for certain.
func (v *Verifier) CertPool(clock func() time.Time) *x509.CertPool {
	if clock == nil {
		clock = time.Now
	}
	s := v.state.Load()
	pool := x509.NewCertPool()
	for cert := range s.distrusted.All() {
		// crypto/x509 asks no constraint about a certificate that is itself in
		// the pool, told by a hash of Raw; everything else it reads elsewhere. With
		// another Raw the distrusted CA is in the pool as an issuer only. A root keeps
		// its own: then AddCert of a bundle that still has it changes nothing.
		issuer := *cert
		if !selfIssued(cert) {
			issuer.Raw = append(cert.Raw[:len(cert.Raw):len(cert.Raw)], 0)
		}
		pool.AddCertWithConstraint(&issuer, func(lower []*x509.Certificate) error {
			return s.refusal(append(lower[:len(lower):len(lower)], cert))
		})
	}
	upper := map[*x509.Certificate]bool{} // CAs that have others below them, by signature
	for _, a := range s.ordered() {
		for _, p := range a.above() {
			if len(p.certs) > 1 {
				upper[p.certs[0]] = true
			}
		}
	}
	for cert, a := range s.ordered() {
		if s.isDistrusted(cert) {
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
			s := v.state.Load()
			a := s.anchorOf(cert)
			if a == nil {
				return errReplaced
			}
			refusal := errNoUpperPath
			for _, c := range a.complete(lower, at, nil) {
				if refusal = s.judge(c, at); refusal == nil {
					return nil
				}
			}
			return refusal
		})
	}
	return pool
}

// errReplaced is what a pool says of a CA that Replace took away after the pool
// was made.
var errReplaced = errors.New("chain: this CA is no longer trusted: the verifier was given others")
