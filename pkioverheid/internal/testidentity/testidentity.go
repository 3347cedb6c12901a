// Package testidentity lets package pkiotest make what others get from a verification only:
// a pkioverheid.Identity, and a KeyPair whose certificate has ended. Package pkioverheid
// fills in the functions; it cannot be imported here.
package testidentity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"time"
)

var (
	// Of returns the pkioverheid.Identity that a verified chain would give.
	Of func(chain []*x509.Certificate) (any, error)

	// Context returns a context in which pkioverheid.IdentityFromContext finds the
	// pkioverheid.Identity.
	Context func(ctx context.Context, identity any) context.Context

	// KeyPair returns a *pkioverheid.KeyPair without asking whether the certificate has
	// ended.
	KeyPair func(pair tls.Certificate) (any, error)

	// Advice returns the advice.Advice about a fixture as if it were real; use is an
	// advice.Use. Package advice fills it in.
	Advice func(cert *x509.Certificate, use any, at time.Time) any
)
