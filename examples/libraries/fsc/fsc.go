// Package fsc checks access tokens of FSC (Federated Service Connectivity), which are
// bound to the certificate of the peer that uses them (RFC 8705), with
// github.com/go-jose/go-jose.
package fsc

import (
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/digikoppeling"
)

// maxToken bounds what a stranger sends.
const maxToken = 16 << 10

// Header is where FSC has the token.
const Header = "Fsc-Authorization"

// Confirmation is what a token is bound to.
type Confirmation struct {
	X5T string `json:"x5t#S256"`
}

// Claims are those of a token that are needed here.
type Claims struct {
	jwt.Claims
	Confirmation Confirmation `json:"cnf"`
}

// Verify returns the claims of a token that the Manager signed and that is bound to the
// peer's certificate. The TLS handshake has proved that the peer has its key.
func Verify(token string, manager, peer *x509.Certificate, now time.Time) (Claims, error) {
	var claims Claims
	if len(token) > maxToken {
		return Claims{}, errors.New("the token is too long")
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512})
	if err != nil {
		return Claims{}, err
	}
	if err := parsed.Claims(manager.PublicKey, &claims); err != nil {
		return Claims{}, err
	}
	if err := claims.ValidateWithLeeway(jwt.Expected{Time: now}, 0); err != nil {
		return Claims{}, err
	}
	if claims.Expiry == nil {
		return Claims{}, errors.New("the token does not expire")
	}
	if !digikoppeling.IsThumbprint(claims.Confirmation.X5T, peer) {
		return Claims{}, errors.New("the token is bound to another certificate than the one that was shown")
	}
	return claims, nil
}

// Inlet lets requests through whose token is the caller's. It goes into
// pkioverheid.Server.Handler, which has verified who calls.
func Inlet(manager *x509.Certificate, now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, ok := pkioverheid.IdentityFromContext(r.Context())
		token, bearer := strings.CutPrefix(r.Header.Get(Header), "Bearer ")
		if !ok || !bearer {
			http.Error(w, "there is no token", http.StatusUnauthorized)
			return
		}
		claims, err := Verify(token, manager, peer.Certificate(), now())
		if err != nil || claims.Subject != string(peer.OIN()) {
			http.Error(w, "the token is not good, or not yours", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
