// Package jose verifies tokens whose header has the certificate of their signer (x5c, RFC
// 7515 section 4.1.6) with github.com/go-jose/go-jose.
package jose

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// maxToken bounds what a stranger sends.
const maxToken = 64 << 10

// Verify returns what a token says, and the OIN of who signed it. v refuses who is not of
// PKIoverheid, and the signature of the token proves that the signer has the key.
func Verify(v *pkioverheid.Verifier, token string) (payload []byte, signer pkioverheid.OIN, err error) {
	if len(token) > maxToken {
		return nil, "", errors.New("the token is too long")
	}
	t, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256})
	if err != nil {
		return nil, "", err
	}
	certs, err := x5c(token)
	if err != nil {
		return nil, "", err
	}
	id, err := v.VerifyRaw(certs, pkioverheid.SignerOptions{}, func(cert *x509.Certificate) error {
		payload, err = t.Verify(cert.PublicKey)
		return err
	})
	return payload, id.OIN(), err
}

// x5c returns the certificates in the header of a token: go-jose keeps them to itself.
func x5c(token string) ([][]byte, error) {
	first, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return nil, err
	}
	var header struct {
		X5C [][]byte `json:"x5c"`
	}
	return header.X5C, json.Unmarshal(text, &header)
}
