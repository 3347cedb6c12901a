package pkiotest

import (
	"context"
	"crypto/x509"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
)

// Identity returns whom a server would find in a certificate that [Authority.Issue]
// makes with the same options, for tests of an Authorizer or a handler without a
// handshake. Nothing is verified, so options that make a server refuse the certificate
// (Validity, ServerOnly) change nothing. It panics as Issue does, and under G3, where
// nobody is identified.
func (a *Authority) Identity(opts ...LeafOption) pkioverheid.Identity {
	if a.hierarchy == pkioverheid.G3 {
		panic("pkiotest: Identity: nobody is identified under G3")
	}
	tsp := a.certs[a.tsp(newLeaf(opts).tsp)]
	id, err := testidentity.Of([]*x509.Certificate{a.Issue(opts...).Leaf, tsp, a.certs[1], a.certs[0]})
	if err != nil {
		panic("pkiotest: Identity: " + err.Error())
	}
	return id.(pkioverheid.Identity)
}

// WithIdentity returns a context in which pkioverheid.IdentityFromContext finds id, as
// it does in handlers that a Server's Handler calls.
func WithIdentity(ctx context.Context, id pkioverheid.Identity) context.Context {
	return testidentity.Context(ctx, id)
}
