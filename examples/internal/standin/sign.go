package standin

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"
)

// SignatureMark is where [Sign] puts the signature: after the start tag of the root.
const SignatureMark = "{signature}"

// Sign signs metadata as services do, with a KeyName only. It knows no XML: the document
// must be in its canonical form already (exclusive, without comments), and its root
// element have the ID _1.
func Sign(document string, cert tls.Certificate) (string, error) {
	key, ok := cert.PrivateKey.(*rsa.PrivateKey)
	if !ok || !strings.Contains(document, SignatureMark) {
		return "", fmt.Errorf("standin: nothing to sign with, or nowhere to sign")
	}
	digest := sha256.Sum256([]byte(strings.Replace(document, SignatureMark, "", 1)))
	const namespace = ` xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	info := `<ds:SignedInfo` + namespace + `><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>` +
		`<ds:Reference URI="#_1"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>` +
		`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>` +
		`<ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	hash := sha256.Sum256([]byte(info))
	value, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, hash[:])
	if err != nil {
		return "", err
	}
	signature := `<ds:Signature` + namespace + `>` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) +
		`</ds:SignatureValue><ds:KeyInfo><ds:KeyName>signing</ds:KeyName></ds:KeyInfo></ds:Signature>`
	return strings.Replace(document, SignatureMark, signature, 1), nil
}

// KeyDescriptor is one of metadata, in its canonical form.
func KeyDescriptor(use string, cert tls.Certificate) string {
	return `
    <md:KeyDescriptor use="` + use + `"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:KeyName>` + use + `</ds:KeyName><ds:X509Data><ds:X509Certificate>
      ` + base64.StdEncoding.EncodeToString(cert.Leaf.Raw) + `
    </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
}
