// Package testidentity lets package pkiotest make a pkioverheid.Identity for tests,
// which outside this module only a verification does. Package pkioverheid fills in the
// functions; it cannot be imported here.
package testidentity

import (
	"context"
	"crypto/x509"
)

var (
	// Of returns the pkioverheid.Identity that a verified chain would give.
	Of func(chain []*x509.Certificate) (any, error)

	// Context returns a context in which pkioverheid.IdentityFromContext finds the
	// pkioverheid.Identity.
	Context func(ctx context.Context, identity any) context.Context
)
