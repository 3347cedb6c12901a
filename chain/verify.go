package chain

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// VerifyOptions are the circumstances of one verification.
type VerifyOptions struct {
	// DNSName, if not empty, is the host that the certificate must be for.
	DNSName string

	// Time is the time to verify at; zero means now.
	Time time.Time

	// KeyUsages are the extended key usages of which one must be allowed along
	// the whole path. None means serverAuth, as in crypto/x509.
	KeyUsages []x509.ExtKeyUsage

	// Extra are certificates that the peer sent or that are otherwise available,
	// in any order. They help to build a path and are not trusted. nil is skipped.
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

func (s *settings) verify(leaf *x509.Certificate, opts VerifyOptions) (Chain, error) {
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
	if err := keysWithinLimits(Chain{leaf}, at); err != nil {
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
	if xopts.Intermediates, err = s.reachable(leaf, extra); err == nil {
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

// errNoVerifiedChain is what Check says of a peer whose chain nobody verified:
// crypto/tls leaves VerifiedChains empty under InsecureSkipVerify.
var errNoVerifiedChain = errors.New("chain: no verified chain: was verification turned off?")

// errForeignChain is what Check says of chains that end at none of its anchors.
var errForeignChain = errors.New("chain: the verified chains end at no CA that this verifier holds now: were they verified with its CertPool?")

func validAt(certs []*x509.Certificate, at time.Time) bool {
	for _, c := range certs {
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			return false
		}
	}
	return true
}
