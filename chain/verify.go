package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
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

	// NoMemory verifies anew, with Extra and the verifier's CAs alone, and remembers
	// nothing.
	NoMemory bool
}

// Verify returns a chain from leaf to one of the roots that crypto/x509 accepts and
// that passes the vetoes and policies; one through an intermediate of the verifier
// where there are several. Its certificates are read again from the bytes of leaf and
// Extra; they are shared and must not be modified. The error is an *[Error].
//
// The chains of a certificate are remembered until [Verifier.Replace]: see Memory in the
// package documentation.
//
// Where vetoes leave no path, no signature is checked. Then the error's Chain is the
// leaf alone, and its Cert is what names lead to: it may not have issued the leaf.
func (v *Verifier) Verify(leaf *x509.Certificate, opts VerifyOptions) (Chain, error) {
	opts = opts.withDefaults()
	s := v.settings.Load()
	if leaf == nil || len(leaf.Raw) == 0 {
		return nil, s.advise(noCertificate(opts.Time), nil, opts)
	}
	r := s.recall(leaf.Raw, opts)
	if r.passed != nil {
		return r.passed, nil
	}
	return s.verify(leaf, opts, r)
}

// VerifyRaw is [Verifier.Verify] for certificates in DER. The first is verified, and the
// others are added to Extra. A certificate that is remembered is not read again, and what
// cannot be read is an error only where no path is found without it.
func (v *Verifier) VerifyRaw(certs [][]byte, opts VerifyOptions) (Chain, error) {
	opts = opts.withDefaults()
	s := v.settings.Load()
	if len(certs) == 0 {
		return nil, s.advise(noCertificate(opts.Time), nil, opts)
	}
	r := s.recall(certs[0], opts)
	if r.passed != nil {
		return r.passed, nil
	}
	if r.leaf == nil {
		var err error
		if r.leaf, err = x509.ParseCertificate(certs[0]); err != nil {
			return nil, unreadable(0, err, opts.Time)
		}
	}
	opts.Extra = slices.Clip(opts.Extra)
	var failed *Error
	for i, der := range certs[1:] {
		cert, err := x509.ParseCertificate(der)
		switch {
		case err == nil:
			opts.Extra = append(opts.Extra, cert)
		case failed == nil:
			failed = unreadable(i+1, err, opts.Time)
		}
	}
	c, err := s.verify(r.leaf, opts, r)
	if err != nil && failed != nil {
		return nil, failed
	}
	return c, err
}

func noCertificate(at time.Time) *Error {
	return &Error{Reason: Unsupported, At: at, Err: []error{errors.New("no parsed certificate was given")}}
}

func unreadable(i int, err error, at time.Time) *Error {
	why := fmt.Errorf("certificate %d cannot be read: %s", i+1, safetext.Printable(err.Error(), safetext.MostError))
	return &Error{Reason: Unsupported, At: at, Err: []error{why},
		Problem: fmt.Sprintf("Certificate %d cannot be read.", i+1), Advice: "Give each certificate in DER, by itself: decode PEM or base64 first."}
}

var serverAuth = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

// withDefaults puts in what the zero values mean.
func (o VerifyOptions) withDefaults() VerifyOptions {
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	if len(o.KeyUsages) == 0 {
		o.KeyUsages = serverAuth
	}
	return o
}

// verification is one verification under way.
type verification struct {
	*settings
	leaf     *x509.Certificate
	at       time.Time
	usages   []x509.ExtKeyUsage
	refused  []Chain
	refusals []error
	found    []Chain // by crypto/x509, on the way that led to a chain that passes
}

// verify verifies leaf, of which the memory knows r, without asking the memory again.
func (s *settings) verify(leaf *x509.Certificate, opts VerifyOptions, r recalled) (Chain, error) {
	at := opts.Time
	var extra *truststore.Store
	if s.veto != nil {
		extra = s.besides(truststore.New(opts.Extra...))
		if err := s.refuseEarly(leaf, extra, at); err != nil {
			return nil, s.advise(err, extra, opts)
		}
	}
	if err := leafWithinLimits(leaf, at); err != nil {
		return nil, s.advise(err, nil, opts)
	}
	v := verification{settings: s, leaf: leaf, at: at, usages: opts.KeyUsages, refused: r.refused, refusals: r.refusals}
	xopts := x509.VerifyOptions{DNSName: opts.DNSName, CurrentTime: at, KeyUsages: opts.KeyUsages}
	c, err := v.fromAnchors(xopts), error(nil)
	if c == nil {
		if extra == nil {
			extra = s.besides(truststore.New(opts.Extra...))
		}
		c, err = v.fromRoots(xopts, extra)
	}
	if c != nil {
		return v.own(c, opts, r)
	}
	return nil, s.advise(s.follow(leaf, extra, at).failure(at, err, v.refusals), extra, opts)
}

// fromAnchors takes one signature check, from the leaf to an anchor.
func (v *verification) fromAnchors(opts x509.VerifyOptions) Chain {
	opts.Roots = v.anchorPool
	chains, err := v.leaf.Verify(opts)
	if err != nil {
		return nil
	}
	v.found = nil
	for _, c := range chains {
		// A certificate that is itself in the pool comes back alone, and nothing
		// about it was checked.
		if len(c) == 2 {
			v.found = append(v.found, v.anchors[c[1]].complete(c[:1], v.at, v.usages)...)
		}
	}
	return v.firstAccepted()
}

// fromRoots looks for whole paths. The error is crypto/x509's, or a *limitError.
func (v *verification) fromRoots(opts x509.VerifyOptions, extra *truststore.Store) (Chain, error) {
	var err error
	if opts.Intermediates, err = v.reachable(v.leaf, extra); err != nil {
		return nil, err
	}
	opts.Roots = v.rootPool
	chains, err := v.leaf.Verify(opts)
	v.found = nil
	for _, c := range chains {
		v.found = append(v.found, c)
	}
	return v.firstAccepted(), err
}

func (v *verification) firstAccepted() Chain {
	for _, c := range v.found {
		if v.accepts(c) {
			return c
		}
	}
	return nil
}

// accepts asks vetoes and policies about a chain, once.
func (v *verification) accepts(c Chain) bool {
	if slices.ContainsFunc(v.refused, c.equal) {
		return false
	}
	err := v.ask(c, v.at)
	if err != nil {
		v.refused, v.refusals = append(v.refused, c), append(v.refusals, err)
	}
	return err == nil
}

func (c Chain) equal(o Chain) bool { return slices.EqualFunc(c, o, (*x509.Certificate).Equal) }

// Check asks vetoes and policies about chains that crypto/x509 verified with a pool
// of [Verifier.CertPool], as in tls.ConnectionState.VerifiedChains: it completes each
// up to its root and returns the first that is valid at the given time (zero means
// now) and passes. No chain is an error. With keyUsages, one of them must be allowed along
// the whole chain, as for [VerifyOptions]; without any, only those above the CAs of the
// pool are compared with those below.
//
// It belongs into tls.Config.VerifyConnection, which also runs for resumed sessions,
// when no pool is asked.
func (v *Verifier) Check(verified [][]*x509.Certificate, at time.Time, keyUsages ...x509.ExtKeyUsage) (Chain, error) {
	if at.IsZero() {
		at = time.Now()
	}
	verified = slices.DeleteFunc(slices.Clone(verified), func(c []*x509.Certificate) bool {
		return len(c) == 0 || slices.Contains(c, nil)
	})
	s := v.settings.Load()
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
		for _, full := range a.complete(c[:last], at, keyUsages) {
			if len(keyUsages) > 0 && !allowsOne(full, keyUsages) {
				continue
			}
			err := s.ask(full, at)
			if err == nil {
				return full, nil
			}
			refusals = append(refusals, err)
		}
	}
	return nil, s.checkFailure(verified, VerifyOptions{Time: at, KeyUsages: keyUsages}, foreign, refusals)
}

func (s *settings) checkFailure(verified [][]*x509.Certificate, opts VerifyOptions, foreign bool, refusals []error) *Error {
	at := opts.Time
	if len(verified) == 0 {
		return &Error{Reason: UnknownAuthority, At: at, Err: []error{errors.New("no verified chain: was verification turned off?")},
			Problem: "There is no verified chain.", Advice: "Turn verification on: crypto/tls leaves VerifiedChains empty with InsecureSkipVerify."}
	}
	var leaf *x509.Certificate
	extra := truststore.New()
	for _, c := range verified {
		leaf = c[0]
		extra.Add(c[1:]...)
	}
	path := s.follow(leaf, extra, at)
	if foreign {
		e := path.failure(at, errors.New("the verified chains end at no CA that is trusted now: were they verified with its CertPool?"), nil)
		e.Reason, e.Cert = UnknownAuthority, nil
		e.Problem, e.Advice = "The verified chains end at no CA that is trusted now.", "Verify with a pool of this verifier's CertPool, and make a new pool after Replace."
		return e
	}
	return s.advise(path.failure(at, nil, refusals), extra, opts)
}

func validAt(certs []*x509.Certificate, at time.Time) bool {
	for _, c := range certs {
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			return false
		}
	}
	return true
}
