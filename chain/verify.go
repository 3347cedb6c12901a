package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

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

// leafWithinLimits is asked before anything is computed.
func leafWithinLimits(leaf *x509.Certificate, at time.Time) *Error {
	if err := keysWithinLimits(Chain{leaf}, at); err != nil {
		return err
	}
	var own amount
	own.addOwn(leaf)
	if own.names <= maxNames {
		return nil
	}
	return &Error{Reason: Unsupported, Chain: Chain{leaf}, Cert: leaf, At: at, Err: []error{
		&limitError{text: fmt.Sprintf("it has %d names, and at most %d are allowed", own.names, maxNames)}}}
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

// own remembers c, which passes, and what else crypto/x509 found, and returns c, with
// certificates that were read here: callers can change theirs. Where one of theirs is not
// what its bytes say, all are verified again as read.
func (v *verification) own(c Chain, opts VerifyOptions, r recalled) (Chain, error) {
	o := owner{settings: v.settings, read: map[*x509.Certificate]*x509.Certificate{}}
	if r.leaf != nil && (r.leaf == c[0] || reflect.DeepEqual(r.leaf, c[0])) {
		o.read[c[0]] = r.leaf
	}
	owned := o.own(c)
	if owned == nil {
		if r.reread {
			return nil, unreadable(0, errors.New("it is not always the same"), v.at)
		}
		return v.reread(opts, r)
	}
	if !r.keep {
		return owned, nil
	}
	chains := []Chain{slices.Clone(owned)} // the caller may change its own
	for _, other := range v.found {
		if len(chains) == maxRememberedPaths {
			break
		}
		if own := o.own(other); own != nil && !own.equal(owned) {
			chains = append(chains, own)
		}
	}
	v.memory.put(r.key, chains)
	return owned, nil
}

// reread verifies once more what a caller gave, as its bytes say.
func (v *verification) reread(opts VerifyOptions, r recalled) (Chain, error) {
	leaf, err := x509.ParseCertificate(v.leaf.Raw)
	if err != nil {
		return nil, unreadable(0, err, v.at)
	}
	var extra []*x509.Certificate
	for _, cert := range opts.Extra {
		if cert == nil {
			continue
		}
		if read, err := x509.ParseCertificate(cert.Raw); err == nil {
			extra = append(extra, read)
		}
	}
	opts.Extra = extra
	return v.settings.verify(leaf, opts, recalled{key: r.key, keep: r.keep, reread: true, refused: r.refused, refusals: r.refusals})
}
