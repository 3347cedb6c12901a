package samlsig

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

var in2022 = time.Date(2022, time.December, 1, 0, 0, 0, 0, time.UTC)

func TestRealMetadataVerifies(t *testing.T) {
	doc, err := os.ReadFile("testdata/tvs-metadata-2022.xml")
	require.NoError(t, err)
	v := verifierOf(t, pkioverheid.Trust{})
	m, err := VerifyMetadata(doc, v, pkioverheid.SignerOptions{Time: in2022})
	require.NoError(t, err)
	require.Len(t, m.Entities, 1)
	assert.Equal(t, "urn:nl-eid-gdi:1.0:RD:00000004000000149000:entities:9002", m.Entities[0].ID)
	require.Len(t, m.Entities[0].Keys, 1)
	assert.Len(t, m.Entities[0].Keys[0].Certificates, 1)
	assert.Len(t, m.Entities[0].Endpoints, 3)
	assert.Equal(t, "2023-09-29T10:00:00Z", m.Entities[0].ValidUntil.Format(time.RFC3339))

	_, err = VerifyMetadata(doc, v, pkioverheid.SignerOptions{})
	assert.ErrorContains(t, err, "expired")
	for name, changed := range map[string][]byte{
		"an attribute":   replaced(t, doc, `index="0"`, `index="1"`),
		"the time":       replaced(t, doc, `validUntil="2023-`, `validUntil="2033-`),
		"a host":         replaced(t, doc, `https://artifact-pp2.toegang.overheid.nl`, `https://artifact-pp2.toegang.example`),
		"the entityID":   replaced(t, doc, `:RD:00000004000000149000:`, `:HM:00000004000000149000:`),
		"an element":     replaced(t, doc, `</md:IDPSSODescriptor>`, `<md:NameIDFormat>x</md:NameIDFormat></md:IDPSSODescriptor>`),
		"white space":    replaced(t, doc, `</md:IDPSSODescriptor>`, ` </md:IDPSSODescriptor>`),
		"the signature":  replaced(t, doc, `<dsig:SignatureValue>`, `<dsig:SignatureValue>AAAA`),
		"the key's name": bytes.Replace(doc, []byte("08c229fce24eb6a3abf303dc630971aff9b0f029"), []byte("18c229fce24eb6a3abf303dc630971aff9b0f029"), 2),
	} {
		_, err := VerifyMetadata(changed, v, pkioverheid.SignerOptions{Time: in2022})
		assert.ErrorContains(t, err, "samlsig: ", name)
	}
	// What is not signed may change: the name of the key that is looked for.
	_, err = VerifyMetadata(bytes.Replace(doc, []byte("<dsig:KeyName>08c2"), []byte("<dsig:KeyName>18c2"), 1), v, pkioverheid.SignerOptions{Time: in2022})
	assert.NoError(t, err)

	_, err = VerifyMetadata(doc, v, pkioverheid.SignerOptions{Time: in2022, OINs: []pkioverheid.OIN{otherOIN}})
	assert.ErrorContains(t, err, "not one of those that are expected")
	_, err = VerifyMetadata(doc, nil, pkioverheid.SignerOptions{})
	assert.Error(t, err)
	_, err = VerifyMetadata(nil, v, pkioverheid.SignerOptions{})
	assert.ErrorContains(t, err, "empty")
}

func TestMetadataIsSignedInSeveralWays(t *testing.T) {
	v := verifierOf(t, pkiotest.Trust(g1, pkiotest.New(pkioverheid.PrivateG4TLS)))
	cert, elliptic := g1.Issue(pkiotest.Leaf{OIN: partyOIN}), g1.Issue(pkiotest.Leaf{OIN: partyOIN, ECDSA: true})
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{OIN: partyOIN})
	other := g1.Issue(pkiotest.Leaf{OIN: otherOIN})
	doc := party("_1", partyID, role(key("signing", cert.Leaf)))
	for name, c := range map[string]struct {
		doc string
		s   signing
	}{
		"with a KeyName":                    {doc, signing{cert: cert}},
		"with a KeyName that no key has":    {doc, signing{cert: cert, keyInfo: "<ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo>"}},
		"without KeyInfo":                   {doc, signing{cert: cert, keyInfo: " "}},
		"with X509Data":                     {doc, signing{cert: cert, keyInfo: "<ds:KeyInfo>" + x509Data(cert.Leaf) + "</ds:KeyInfo>"}},
		"with another's X509Data too":       {doc, signing{cert: cert, keyInfo: "<ds:KeyInfo>" + x509Data(other.Leaf) + x509Data(cert.Leaf) + "</ds:KeyInfo>"}},
		"by a key that is in KeyInfo alone": {party("_1", partyID, role(key("encryption", cert.Leaf))), signing{cert: elliptic, keyInfo: "<ds:KeyInfo>" + x509Data(elliptic.Leaf) + "</ds:KeyInfo>", method: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"}},
		"by the second of two keys":         {party("_1", partyID, role(key("", elliptic.Leaf), key("signing", cert.Leaf))), signing{cert: cert}},
		"by a key of G4":                    {party("_1", partyID, role(key("signing", cert.Leaf), key("signing", g4.Leaf))), signing{cert: g4}},
		"among keys of others":              {party("_1", partyID, role(key("signing", other.Leaf), key("signing", cert.Leaf))), signing{cert: cert}},
		"with the signature at the end":     {`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1" entityID="` + partyID + `">` + role(key("signing", cert.Leaf)) + signatureMark + `</md:EntityDescriptor>`, signing{cert: cert}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := VerifyMetadata(c.s.sign(t, c.doc), v, pkioverheid.SignerOptions{})
			require.NoError(t, err)
			assert.Equal(t, partyID, m.Entities[0].ID)
		})
	}

	// Who signs for several parties is who the caller says.
	network := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1">` + signatureMark +
		`<md:EntityDescriptor entityID="` + partyID + `">` + role(key("signing", cert.Leaf)) + `</md:EntityDescriptor>` +
		`<md:EntityDescriptor entityID="` + otherID + `">` + role(key("signing", other.Leaf)) + `</md:EntityDescriptor></md:EntitiesDescriptor>`
	signed := signing{cert: other}.sign(t, network)
	m, err := VerifyMetadata(signed, v, pkioverheid.SignerOptions{OINs: []pkioverheid.OIN{otherOIN}})
	require.NoError(t, err)
	assert.Len(t, m.Entities, 2)
	_, err = VerifyMetadata(signed, v, pkioverheid.SignerOptions{})
	assert.ErrorContains(t, err, "say it in SignerOptions.OINs")
	_, err = VerifyMetadata(signed, v, pkioverheid.SignerOptions{OINs: []pkioverheid.OIN{partyOIN}})
	assert.ErrorContains(t, err, "its key did not make the signature")
}
