package chain

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

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
