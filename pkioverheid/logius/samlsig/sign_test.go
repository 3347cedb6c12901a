package samlsig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

const (
	partyOIN = pkioverheid.OIN("00000099000000002000") // test numbers (facts.md §6)
	otherOIN = pkioverheid.OIN("00000099000000003000")

	partyID = "urn:nl-eid-gdi:1.0:RD:" + string(partyOIN) + ":entities:9002"
	otherID = "urn:nl-eid-gdi:1.0:RD:" + string(otherOIN) + ":entities:9002"
)

var g1 = pkiotest.New(pkioverheid.PrivateG1)

// The documents of these tests are written by hand in their canonical form, so that no
// library for XML signatures takes part in signing them. TestXmlsecAgrees has xmlsec1
// verify one.

// signatureMark is where the signature goes.
const signatureMark = "{signature}"

func x509Data(cert *x509.Certificate) string {
	return "<ds:X509Data><ds:X509Certificate>" + base64.StdEncoding.EncodeToString(cert.Raw) + "</ds:X509Certificate></ds:X509Data>"
}

func key(use string, cert *x509.Certificate) string {
	if use != "" {
		use = ` use="` + use + `"`
	}
	return `<md:KeyDescriptor` + use + `><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:KeyName>name of a key</ds:KeyName>` + x509Data(cert) + `</ds:KeyInfo></md:KeyDescriptor>`
}

func role(keys ...string) string {
	return `<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + strings.Join(keys, "") +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://dienst.example/login"></md:SingleSignOnService></md:IDPSSODescriptor>`
}

// party is the root element of a party's metadata, with a mark for the signature.
func party(id, entityID string, roles ...string) string {
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="` + id + `" entityID="` + entityID + `">` + signatureMark + strings.Join(roles, "") + `</md:EntityDescriptor>`
}

// signing is how a document is signed. Empty fields are what ST-SAML has.
type signing struct {
	cert       tls.Certificate
	uri        string // default: #_1
	c14n       string
	transforms []string
	method     string
	digest     string
	hash       crypto.Hash // of method and digest
	keyInfo    string      // default: a KeyName
	more       string      // after the Reference
	inside     string      // at the end of the Signature
	inScope    string      // namespaces that inclusive canonicalisation adds to SignedInfo
}

const (
	envelopedTransform = `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>`
	excTransform       = `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>`
	noURI              = "none"
	keyNameOnly        = `<ds:KeyInfo><ds:KeyName>name of a key</ds:KeyName></ds:KeyInfo>`
)

// sign puts a signature into a canonical document.
func (s signing) sign(t testing.TB, doc string) []byte {
	t.Helper()
	or := func(s *string, text string) {
		if *s == "" {
			*s = text
		}
	}
	or(&s.uri, "#_1")
	or(&s.c14n, `<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>`)
	or(&s.method, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
	or(&s.digest, "http://www.w3.org/2001/04/xmlenc#sha256")
	or(&s.keyInfo, keyNameOnly)
	if s.uri == noURI {
		s.uri = ""
	}
	if s.hash == 0 {
		s.hash = crypto.SHA256
	}
	if s.transforms == nil {
		s.transforms = []string{envelopedTransform, excTransform}
	}
	digest := s.hash.New()
	digest.Write([]byte(strings.Replace(doc, signatureMark, "", 1)))
	info := `<ds:SignedInfo>` + s.c14n + `<ds:SignatureMethod Algorithm="` + s.method + `"></ds:SignatureMethod>` +
		`<ds:Reference URI="` + s.uri + `"><ds:Transforms>` + strings.Join(s.transforms, "") + `</ds:Transforms><ds:DigestMethod Algorithm="` + s.digest + `"></ds:DigestMethod>` +
		`<ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest.Sum(nil)) + `</ds:DigestValue></ds:Reference>` + s.more + `</ds:SignedInfo>`
	canonical := strings.Replace(info, "<ds:SignedInfo>", `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`+s.inScope+`>`, 1)
	hash := s.hash.New()
	hash.Write([]byte(canonical))
	signer := s.cert.PrivateKey.(crypto.Signer)
	var value []byte
	var err error
	switch private := signer.(type) {
	case *rsa.PrivateKey:
		value, err = rsa.SignPKCS1v15(nil, private, s.hash, hash.Sum(nil))
	default:
		value, err = signer.Sign(rand.Reader, hash.Sum(nil), s.hash)
		if public, ok := signer.Public().(*ecdsa.PublicKey); ok && err == nil {
			value, err = plainECDSA(value, (public.Params().BitSize+7)/8)
		}
	}
	require.NoError(t, err)
	signature := `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + info +
		`<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue>` + s.keyInfo + s.inside + `</ds:Signature>`
	require.Contains(t, doc, signatureMark)
	return []byte(strings.Replace(doc, signatureMark, signature, 1))
}

// plainECDSA is r and s one after the other, as XML signatures have them (RFC 9231,
// section 2.3.6).
func plainECDSA(der []byte, size int) ([]byte, error) {
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil, err
	}
	return append(v.R.FillBytes(make([]byte, size)), v.S.FillBytes(make([]byte, size))...), nil
}

func verifierOf(t testing.TB, trust pkioverheid.Trust) *pkioverheid.Verifier {
	t.Helper()
	v, err := pkioverheid.NewVerifier(trust)
	require.NoError(t, err)
	return v
}

func replaced(t testing.TB, doc []byte, old, by string) []byte {
	t.Helper()
	require.Equal(t, 1, bytes.Count(doc, []byte(old)), old)
	return bytes.Replace(doc, []byte(old), []byte(by), 1)
}
