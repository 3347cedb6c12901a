package crl

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Prefetch fetches the CRLs that certificates name, so that the first connection does not
// wait, and keeps them fresh. Each hierarchy has certificates with their issuers, in any
// order. A CA's own list is named by what it issued: add the program's certificate. It waits
// until ctx ends, and returns all that went wrong, which is tried again in the background.
func (c *Checker) Prefetch(ctx context.Context, hierarchies ...[]*x509.Certificate) error {
	var (
		all  = slices.Concat(hierarchies...)
		errs = make([]error, len(all))
		done sync.WaitGroup
	)
	for i, cert := range all {
		if cert == nil || len(cert.RawTBSCertificate) == 0 {
			errs[i] = errNoCertificate
			continue
		}
		if bytes.Equal(cert.RawSubject, cert.RawIssuer) || slices.ContainsFunc(all[:i], cert.Equal) {
			continue
		}
		ca := issuerOf(cert, all)
		if ca == nil {
			errs[i] = fmt.Errorf("crl: prefetch for %s: its issuer %s is not among the certificates", safetext.CA(cert.Subject), safetext.CA(cert.Issuer))
			continue
		}
		if now := c.now(); now.After(cert.NotAfter) || now.After(ca.NotAfter) {
			continue
		}
		done.Go(func() {
			if err := c.prefetch(ctx, cert, ca); err != nil {
				errs[i] = fmt.Errorf("crl: prefetch for %s: %w", safetext.CA(cert.Subject), err)
			}
		})
	}
	done.Wait()
	return errors.Join(errs...)
}

// issuerOf finds the issuer by signature: nothing is fetched for a certificate
// that is not authentic.
func issuerOf(cert *x509.Certificate, all []*x509.Certificate) *x509.Certificate {
	for _, ca := range all {
		if ca != nil && bytes.Equal(ca.RawSubject, cert.RawIssuer) && cert.CheckSignatureFrom(ca) == nil {
			return ca
		}
	}
	return nil
}

func (c *Checker) prefetch(ctx context.Context, cert, ca *x509.Certificate) error {
	signers := append([]*x509.Certificate{ca}, c.ownSigners(ca.RawSubject)...)
	if err := maySignCRLs(signers); err != nil {
		return err
	}
	var failures []error
	if c.store.fetcher != nil {
		for _, address := range urlsOf(cert) {
			var err error
			for _, signer := range signers {
				if err = c.store.get(ctx, address, signer, true); err == nil {
					break
				}
				if ctx.Err() != nil {
					return err
				}
				failures = append(failures, err)
			}
			if err == nil {
				break // the others are for when this one fails
			}
		}
	}
	now := c.now()
	r := c.check(cert, signers, &question{at: now, now: now})
	if r.state != unknown {
		return nil
	}
	if !errors.Is(r.err, errNone) || len(failures) == 0 {
		failures = append([]error{r.err}, failures...)
	}
	return errors.Join(failures...)
}
