package chain

import (
	"crypto/x509"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// Complete orders and completes what somebody sent or delivered: from certs, in any
// order, it returns the path from their end-entity certificate to a root of the
// verifier, filled up with the verifier's CAs. The order of certs only decides
// which of several end-entity certificates is meant.
//
// Complete follows signatures: it neither checks usages nor asks policies, and the
// path may have expired. It prefers one that is valid at the given time (zero means
// now), then the longest. Without a path to a root, the error is an *[Error] whose
// Chain is the path as far as it goes.
func (v *Verifier) Complete(certs []*x509.Certificate, at time.Time) (Chain, error) {
	if at.IsZero() {
		at = time.Now()
	}
	s := v.settings.Load()
	extra := truststore.New(certs...)
	leaf := endEntity(extra)
	if leaf == nil {
		return nil, s.advise(noCertificate(at), nil, VerifyOptions{Time: at})
	}
	c := s.follow(leaf, extra, at)
	if !c.rooted {
		return nil, s.advise(c.failure(at, nil, nil), extra, VerifyOptions{Time: at})
	}
	return c.path, nil
}

// endEntity picks the certificate that a set was made for; nil from an empty set.
func endEntity(certs *truststore.Store) *x509.Certificate {
	issued := map[string]bool{}
	for c := range certs.All() {
		if !selfIssued(c) {
			issued[string(c.RawIssuer)] = true
		}
	}
	var first, lowestCA *x509.Certificate
	for c := range certs.All() {
		if first == nil {
			first = c
		}
		if issued[string(c.RawSubject)] {
			continue
		}
		if !isCA(c) {
			return c
		}
		if lowestCA == nil {
			lowestCA = c
		}
	}
	if lowestCA != nil {
		return lowestCA
	}
	return first
}
