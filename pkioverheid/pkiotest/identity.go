package pkiotest

import (
	"context"
	"crypto/x509"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
)

// Identity returns whom a server would find in a certificate that [Authority.Issue]
// makes of l, for tests of an Authorizer or a handler without a handshake. Nothing is
// verified: NotAfter and ServerOnly change nothing. It panics as Issue does, and under G3.
func (a *Authority) Identity(l Leaf) pkioverheid.Identity {
	if a.hierarchy == pkioverheid.G3 {
		panic("pkiotest: Identity: nobody is identified under G3")
	}
	tsp := a.certs[a.tsp(l.TSP)]
	id, err := testidentity.Of([]*x509.Certificate{a.Issue(l).Leaf, tsp, a.certs[1], a.certs[0]})
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
