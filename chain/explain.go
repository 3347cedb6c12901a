package chain

import (
	"crypto/x509"
	"errors"
	"slices"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Explain verifies certs as [Verifier.Verify] does and says what it found: the path as
// far as it goes, what is right and wrong about each certificate, and what to do. certs
// may be in any order and hold more than the path; its end-entity certificate is picked
// as by [Verifier.Complete].
//
// To explain an *[Error], give its Chain, and its At as the time.
func (v *Verifier) Explain(certs []*x509.Certificate, opts VerifyOptions) *Explanation {
	opts = opts.withDefaults()
	given := truststore.New(certs...)
	leaf := endEntity(given)
	given.Add(opts.Extra...)
	opts.Extra = slices.DeleteFunc(slices.Collect(given.All()), func(c *x509.Certificate) bool { return c == leaf })

	s := v.settings.Load()
	var path Chain
	err := error(s.advise(noCertificate(opts.Time), nil, opts))
	if leaf != nil {
		path, err = s.verify(leaf, opts, recalled{}) // of what is given, not what is remembered
	}
	x := explaining{settings: s, given: given, opts: opts, path: path}
	e := &Explanation{OK: err == nil, Err: err, Time: marshallable(opts.Time), Host: safetext.Printable(opts.DNSName, safetext.Most)}
	if err != nil {
		x.fail(leaf, err)
		e.Reason = x.failed.Reason
	}
	used := truststore.New(x.path...)
	remaining := opts.KeyUsages
	e.Path = make([]ExplainedCertificate, 0, len(x.path))
	for i, cert := range x.path {
		explained := x.describe(cert)
		explained.Observations = x.observe(i, &remaining)
		e.Path = append(e.Path, explained)
	}
	if err != nil {
		e.Problem, e.Advice = x.problem(x.blame(e.Path))
	} else {
		e.Advice = x.incomplete()
	}
	for cert := range given.All() {
		if !used.Contains(cert) {
			e.Unused = append(e.Unused, x.describe(cert))
		}
	}
	return e
}

// fail takes what Verify says about a refusal. Of a refusal by a policy or a veto,
// the path is the one that it saw, if that goes further than signatures do.
func (x *explaining) fail(leaf *x509.Certificate, err error) {
	if !errors.As(err, &x.failed) {
		x.failed = &Error{Reason: Unsupported, Err: []error{err}}
	}
	x.path = x.failed.Chain
	if leaf == nil {
		return
	}
	if len(x.path) <= 1 {
		x.path = x.follow(leaf, x.given, x.opts.Time).path // a veto stops before
	}
	for _, refusal := range x.failed.Err {
		var own *Error
		if errors.As(refusal, &own) && own.Reason == x.failed.Reason && len(own.Chain) > 0 && own.Chain[0] == leaf && !slices.Contains(own.Chain, nil) {
			if n := len(own.Chain); n > len(x.path) || !slices.Equal(own.Chain, x.path[:n]) {
				x.path = own.Chain
			}
			break
		}
	}
}
