package jose_test

import (
	"crypto"
	"fmt"
	"log"
	"strings"
	"testing"

	josev4 "github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/examples/libraries/jose"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const someOIN = "00000003271987420000"

// tokenOf is signed with a key, and shows certificates.
func tokenOf(key crypto.PrivateKey, algorithm josev4.SignatureAlgorithm, certs ...[]byte) string {
	options := new(josev4.SignerOptions).WithHeader("x5c", certs)
	signer, err := josev4.NewSigner(josev4.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"sub":"zaak-1"}`))
	if err != nil {
		log.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		log.Fatal(err)
	}
	return token
}

func TestATokenIsVerifiedToAnOIN(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g1))
	require.NoError(t, err)
	signer, thief := g1.Issue(pkiotest.Leaf{OIN: someOIN}), g1.Issue(pkiotest.Leaf{OIN: "00000001123456789000"})
	curve := g1.Issue(pkiotest.Leaf{OIN: someOIN, ECDSA: true})
	person := g1.Issue(pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.8.1"}})
	g3 := pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{OIN: someOIN})
	good := tokenOf(signer.PrivateKey, josev4.RS256, signer.Certificate...)

	for name, token := range map[string]string{
		"RSA with PKCS #1": good,
		"RSA-PSS":          tokenOf(signer.PrivateKey, josev4.PS256, signer.Certificate[0]),
		"ECDSA":            tokenOf(curve.PrivateKey, josev4.ES256, curve.Certificate...),
	} {
		for range 2 { // the second time the certificate is remembered
			payload, oin, err := jose.Verify(v, token)
			require.NoError(t, err, name)
			assert.EqualValues(t, someOIN, oin, name)
			assert.JSONEq(t, `{"sub":"zaak-1"}`, string(payload), name)
		}
	}

	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"a stolen certificate without its key":    tokenOf(thief.PrivateKey, josev4.RS256, signer.Certificate...),
		"with another's message":                  parts[0] + ".e30." + parts[2],
		"a secret that the certificate is":        tokenOf(signer.Certificate[0], josev4.HS256, signer.Certificate...),
		"a person":                                tokenOf(person.PrivateKey, josev4.RS256, person.Certificate...),
		"G3":                                      tokenOf(g3.PrivateKey, josev4.RS256, g3.Certificate...),
		"the key's own certificate as the second": tokenOf(thief.PrivateKey, josev4.RS256, signer.Certificate[0], thief.Certificate[0]),
		"no certificate":                          tokenOf(signer.PrivateKey, josev4.RS256),
		"not a token":                             "a.b",
		"too long":                                good + strings.Repeat("A", 1<<20),
	} {
		payload, oin, err := jose.Verify(v, token)
		assert.Error(t, err, name)
		assert.Empty(t, oin, name)
		assert.Empty(t, payload, name)
	}
}

func ExampleVerify() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g1)) // yours is the zero Trust
	if err != nil {
		log.Fatal(err)
	}
	signer, thief := g1.Issue(pkiotest.Leaf{OIN: someOIN}), g1.Issue(pkiotest.Leaf{})

	payload, oin, err := jose.Verify(v, tokenOf(signer.PrivateKey, josev4.RS256, signer.Certificate...))
	fmt.Println(string(payload), oin, err)

	_, oin, err = jose.Verify(v, tokenOf(thief.PrivateKey, josev4.RS256, signer.Certificate...))
	fmt.Printf("%q %v\n", oin, err != nil)
	// Output:
	// {"sub":"zaak-1"} 00000003271987420000 <nil>
	// "" true
}
