package samlsig

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// Comments are not signed: an attacker may put one anywhere. A program that takes the
// text before the first comment for all of it reads what the attacker wants.
func TestCommentsChangeNothing(t *testing.T) {
	signed := goodSigned(t)
	v := verifierOf(t, pkiotest.Trust(g1))
	want, err := VerifyMetadata([]byte(signed), v, pkioverheid.SignerOptions{})
	require.NoError(t, err)
	commented := strings.ReplaceAll(signed, "<ds:KeyName>name of", "<ds:KeyName>name<!-- x --> of")
	encoded := base64.StdEncoding.EncodeToString(partyCertificate.Leaf.Raw)
	commented = strings.ReplaceAll(commented, encoded, encoded[:40]+"<!-- <x> -->"+encoded[40:])
	commented = "<!-- before -->" + strings.Replace(commented, "<md:KeyDescriptor", "<!-- between --><md:KeyDescriptor", 1) + "<!-- after -->"
	require.Equal(t, 6, strings.Count(commented, "<!--"))

	got, err := VerifyMetadata([]byte(commented), v, pkioverheid.SignerOptions{})
	require.NoError(t, err)
	assert.Equal(t, want, got)

	// What the attack is about: the first text in a KeyName is not all of it.
	naive, name := xml.NewDecoder(strings.NewReader(commented)), ""
	for name == "" {
		token, err := naive.Token()
		require.NoError(t, err)
		if tag, ok := token.(xml.StartElement); ok && tag.Name.Local == "KeyName" {
			token, err = naive.Token()
			require.NoError(t, err)
			name = string(token.(xml.CharData))
		}
	}
	assert.Equal(t, "name", name)
}

func TestSignersThatAreNone(t *testing.T) {
	v := verifierOf(t, pkiotest.Trust(g1))
	verify := func(doc []byte) error {
		m, err := VerifyMetadata(doc, v, pkioverheid.SignerOptions{})
		assert.Nil(t, m)
		return err
	}
	// A key for encryption signs nothing.
	err := verify(signing{cert: partyCertificate}.sign(t, party("_1", partyID, role(key("encryption", partyCertificate.Leaf)))))
	assert.ErrorContains(t, err, "there is no certificate in the document that may have signed it")
	assert.Error(t, maySign(&x509.Certificate{KeyUsage: x509.KeyUsageKeyEncipherment}))
	assert.NoError(t, maySign(&x509.Certificate{KeyUsage: x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature}))
	assert.NoError(t, maySign(&x509.Certificate{KeyUsage: x509.KeyUsageContentCommitment}))

	// CAs sign no messages, and of many certificates the first eight are tried.
	ca := g1.Certificates()[len(g1.Certificates())-1]
	err = verify(signing{cert: partyCertificate, keyInfo: "<ds:KeyInfo>" + x509Data(ca) + "</ds:KeyInfo>"}.sign(t, party("_1", partyID, role(key("signing", ca)))))
	assert.ErrorContains(t, err, "no certificate")
	var keys []string
	for range maxCandidates + 1 {
		keys = append(keys, key("signing", g1.Issue(pkiotest.Leaf{OIN: partyOIN, ECDSA: true}).Leaf))
	}
	err = verify(signing{cert: partyCertificate}.sign(t, party("_1", partyID, role(append(keys, key("signing", partyCertificate.Leaf))...))))
	assert.ErrorContains(t, err, "more than 8 certificates")
	_, err = VerifyMetadata(signing{cert: partyCertificate}.sign(t, party("_1", partyID, role(append(keys[:maxCandidates-1], key("signing", partyCertificate.Leaf))...))), v, pkioverheid.SignerOptions{})
	assert.NoError(t, err)
	// The KeyName says which to try first.
	named := strings.Replace(key("signing", partyCertificate.Leaf), "name of a key", "this", 1)
	_, err = VerifyMetadata(signing{cert: partyCertificate, keyInfo: "<ds:KeyInfo><ds:KeyName>this</ds:KeyName></ds:KeyInfo>"}.sign(t, party("_1", partyID, role(append(keys, named)...))), v, pkioverheid.SignerOptions{})
	assert.NoError(t, err)
}

// needing accepts a signer only with a certain CA beside its certificate.
type needing struct {
	*pkioverheid.Verifier
	ca       *x509.Certificate
	verified int
}

func (n *needing) Verify(certs []*x509.Certificate, opts pkioverheid.SignerOptions, check func(*x509.Certificate) error) (pkioverheid.Identity, error) {
	n.verified++
	if !slices.ContainsFunc(certs, n.ca.Equal) {
		return pkioverheid.Identity{}, errors.New("no path")
	}
	return n.Verifier.Verify(certs, opts, check)
}

// The signer's certificate may be there twice, and its CAs beside one of them only.
func TestTheSameSignerWithOtherCAsIsTriedToo(t *testing.T) {
	cas := g1.Certificates()
	with := func(certs ...*x509.Certificate) string {
		data := x509Data(certs[0])
		for _, ca := range certs[1:] {
			data += x509Data(ca)
		}
		return strings.Replace(key("signing", certs[0]), x509Data(certs[0]), data, 1)
	}
	leaf := partyCertificate.Leaf
	for name, c := range map[string]struct {
		keys  []string
		tries int
		ok    bool
	}{
		"alone, and then with its CA":              {[]string{with(leaf), with(leaf, cas[2])}, 2, true},
		"with another CA, and then with its own":   {[]string{with(leaf, cas[0]), with(leaf), with(leaf, cas[2])}, 3, true},
		"the same again and again":                 {[]string{with(leaf), with(leaf), with(leaf)}, 1, false},
		"more often than there are ways that help": {[]string{with(leaf), with(leaf, cas[0]), with(leaf, cas[1]), with(leaf, cas[0], cas[1]), with(leaf, cas[1], cas[0]), with(leaf, cas[2])}, maxPaths, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := &needing{Verifier: verifierOf(t, pkiotest.Trust(g1)), ca: cas[2]}
			_, err := all.verify(signing{cert: partyCertificate}.sign(t, party("_1", partyID, role(c.keys...))), v, pkioverheid.SignerOptions{})
			assert.Equal(t, c.ok, err == nil, "%v", err)
			assert.Equal(t, c.tries, v.verified)
		})
	}
	// Whose key made the signature does not depend on the CAs.
	other := g1.Issue(pkiotest.Leaf{OIN: partyOIN, ECDSA: true}).Leaf
	v := &needing{Verifier: verifierOf(t, pkiotest.Trust(g1)), ca: cas[2]}
	_, err := all.verify(signing{cert: partyCertificate}.sign(t, party("_1", partyID, role(with(other, cas[2]), with(other, cas[2], cas[1]), with(leaf, cas[2])))), v, pkioverheid.SignerOptions{})
	assert.NoError(t, err)
	assert.Equal(t, 2, v.verified)
}

func TestWhatIsNotSignedAsItShouldBe(t *testing.T) {
	v := verifierOf(t, pkiotest.Trust(g1))
	good := party("_1", partyID, goodRole())
	signed := goodSigned(t)
	late := `<md:EntityDescriptor xmlns:md="` + metadata + `" ID="_1" entityID="` + partyID + `">` + goodRole() + strings.Repeat("<md:Extensions></md:Extensions>", 1000) + signatureMark + `</md:EntityDescriptor>`
	for name, c := range map[string]struct {
		doc  []byte
		want string
	}{
		"not at all":                  {[]byte(strings.Replace(good, signatureMark, "", 1)), "not signed"},
		"late in a long document":     {signing{cert: partyCertificate}.sign(t, late), "it should be the first in its element"},
		"with RSA-PSS":                {signing{cert: partyCertificate, method: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"}.sign(t, good), "RSA-PSS, which this package does not verify"},
		"with an HMAC":                {signing{cert: partyCertificate, method: "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"}.sign(t, good), "want RSA or ECDSA"},
		"with DSA":                    {signing{cert: partyCertificate, method: "http://www.w3.org/2009/xmldsig11#dsa-sha256"}.sign(t, good), "want RSA or ECDSA"},
		"without an ID":               {signing{cert: partyCertificate, uri: "#"}.sign(t, party("", partyID, goodRole())), `has the ID ""`},
		"with an ID that is none":     {signing{cert: partyCertificate, uri: "#a b"}.sign(t, party("a b", partyID, goodRole())), "want a name"},
		"with a filter":               {signing{cert: partyCertificate, transforms: []string{`<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(self::x)</ds:XPath></ds:Transform>`, excTransform}}.sign(t, good), "Transform 1 is"},
		"with an XSLT":                {signing{cert: partyCertificate, transforms: []string{envelopedTransform, excTransform, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"></ds:Transform>`}}.sign(t, good), "3 Transforms"},
		"with a DigestMethod of MD5":  {signing{cert: partyCertificate, digest: "http://www.w3.org/2001/04/xmldsig-more#md5"}.sign(t, good), "want SHA-256"},
		"by a reference elsewhere":    {signing{cert: partyCertificate, uri: "https://example.nl/"}.sign(t, good), "the Reference is to"},
		"with an instruction in it":   {[]byte(strings.Replace(signed, "<md:IDPSSODescriptor", "<?x y?><md:IDPSSODescriptor", 1)), "processing instruction"},
		"in another encoding":         {[]byte(`<?xml version="1.0" encoding="ISO-8859-1"?>` + signed), "save it as UTF-8"},
		"cut off":                     {[]byte(signed[:len(signed)-9]), "cut off"},
		"a comment alone":             {[]byte("<!-- x -->"), "no element"},
		"with an entity":              {[]byte(strings.Replace(signed, "name of a key", "&x;", 1)), "entity"},
		"more than 16 MiB":            {[]byte(signed + strings.Repeat(" ", 16<<20)), "more than 16 MiB"},
		"a Signature of no namespace": {[]byte(strings.NewReplacer("<ds:Signature ", "<Signature ", "</ds:Signature>", "</Signature>").Replace(signed)), "another namespace"},
		"an assertion, not metadata":  {signing{cert: partyCertificate}.sign(t, `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" entityID="`+partyID+`">`+signatureMark+`</saml:Assertion>`), "carries no OIN"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := VerifyMetadata(c.doc, v, pkioverheid.SignerOptions{})
			assert.ErrorContains(t, err, c.want)
			assert.Nil(t, m)
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 1500)
		})
	}
	_, err := VerifyMetadata([]byte("\xef\xbb\xbf<?xml version='1.0'?>\r\n"+signed), v, pkioverheid.SignerOptions{})
	assert.NoError(t, err)

	// Signed messages of the party are not its metadata.
	message := signing{cert: partyCertificate, keyInfo: "<ds:KeyInfo>" + x509Data(partyCertificate.Leaf) + "</ds:KeyInfo>"}.sign(t, `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1">`+signatureMark+`</saml:Assertion>`)
	_, err = VerifyMetadata(message, v, pkioverheid.SignerOptions{OINs: []pkioverheid.OIN{partyOIN}})
	assert.ErrorContains(t, err, "not SAML metadata")
}

// large is signed metadata of about so many bytes, with as many parties as that has.
func large(t testing.TB, size int) []byte {
	var b strings.Builder
	entity := role(key("signing", partyCertificate.Leaf), key("encryption", evilCertificate.Leaf))
	b.WriteString(`<md:EntitiesDescriptor xmlns:md="` + metadata + `" ID="_1">` + signatureMark)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `<md:EntityDescriptor entityID="urn:etoegang:HM:%020d:entities:1">%s</md:EntityDescriptor>`, i, entity)
	}
	b.WriteString("</md:EntitiesDescriptor>")
	return signing{cert: partyCertificate}.sign(t, b.String())
}

// What an attacker sends is as large as he likes.
func TestTimeAndMemoryAreBounded(t *testing.T) {
	size := 5 << 20
	if raceDetector { // its time and memory say nothing
		size = 1 << 20
	}
	v := verifierOf(t, pkiotest.Trust(g1))
	opts := pkioverheid.SignerOptions{OINs: []pkioverheid.OIN{partyOIN}}
	good := large(t, size)
	var same []string // candidates that all might have signed
	for range 3000 {
		same = append(same, key("signing", partyCertificate.Leaf))
	}
	fill := func(each string) []byte {
		return []byte(strings.Replace(goodSigned(t), "<md:IDPSSODescriptor", strings.Repeat(each, size/len(each))+"<md:IDPSSODescriptor", 1))
	}
	docs := map[string][]byte{
		"good":                         good,
		"changed at the end":           []byte(strings.Replace(string(good), "</md:EntitiesDescriptor>", " </md:EntitiesDescriptor>", 1)),
		"signed by somebody else":      []byte(strings.Replace(string(good), "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1)),
		"one certificate, many times":  signing{cert: evilCertificate}.sign(t, party("_1", partyID, role(same...))),
		"elements":                     fill("<x></x>"),
		"attributes":                   fill("<x" + manyAttributes + "></x>"),
		"namespaces":                   fill("<x" + manyNamespaces + "></x>"),
		"namespaces within namespaces": fill(strings.Repeat("<x"+manyNamespaces[:2000]+">", 60) + strings.Repeat("</x>", 60)),
		"comments":                     fill("<!-- -->"),
		"text":                         fill("&lt;text&amp;"),
		"many KeyInfos":                []byte(strings.Replace(goodSigned(t), "</ds:KeyInfo></ds:Signature>", strings.Repeat(x509Data(evilCertificate.Leaf), size/2500)+"</ds:KeyInfo></ds:Signature>", 1)),
	}
	thorough := os.Getenv("THOROUGH") != ""
	if !thorough {
		docs = map[string][]byte{"good": good}
	}
	for name, doc := range docs {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			least, allocated := time.Hour, uint64(0)
			for range 3 { // others may be at work on this machine
				runtime.GC()
				runtime.ReadMemStats(&before)
				begin := time.Now()
				_, err := VerifyMetadata(doc, v, opts)
				least = min(least, time.Since(begin))
				runtime.ReadMemStats(&after)
				allocated = after.TotalAlloc - before.TotalAlloc
				if name == "good" {
					require.NoError(t, err)
				} else if err != nil {
					assert.Less(t, len(err.Error()), 5000)
				}
				if least < 300*time.Millisecond || raceDetector {
					break
				}
			}
			t.Logf("%d KiB: %v, %d MB allocated", len(doc)>>10, least.Round(time.Millisecond), allocated/1e6)
			switch {
			case raceDetector:
			case thorough:
				assert.Less(t, least, 600*time.Millisecond)
				fallthrough
			default:
				assert.Less(t, least, 5*time.Second)
				assert.Less(t, allocated, uint64(250e6))
			}
		})
	}
}

// Whoever has no key can declare namespaces in the root element of a document that another
// one signed: exclusive canonicalisation leaves them out.
func TestWhatIsInsideManyAttributesIsBounded(t *testing.T) {
	v := verifierOf(t, pkiotest.Trust(g1))
	elements := strings.Repeat("<md:x></md:x>", 12_000)
	signed := string(signing{cert: partyCertificate}.sign(t, party("_1", partyID, goodRole(), "<md:Extensions>"+elements+"</md:Extensions>")))
	_, err := VerifyMetadata([]byte(signed), v, pkioverheid.SignerOptions{})
	require.NoError(t, err)
	namespaces := manyNamespaces[:450*len(` xmlns:n0000="u"`)]
	nested := strings.Repeat("<x"+manyAttributes[:450*len(` a0000=""`)]+">", 20)
	for name, c := range map[string]struct{ doc, want string }{
		"of the root":       {strings.Replace(signed, "<md:EntityDescriptor", "<md:EntityDescriptor"+namespaces, 1), "many attributes or namespaces hold many others"},
		"of many ancestors": {strings.Replace(signed, elements, nested+strings.Repeat("<KeyDescriptor/>", 12_000)+strings.Repeat("</x>", 20), 1), "many attributes or namespaces hold many others"},
		"of one tag":        {strings.Replace(signed, "<md:x>", "<md:x"+manyAttributes+">", 1), "more than 500 attributes"},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			_, err := VerifyMetadata([]byte(c.doc), v, pkioverheid.SignerOptions{})
			assert.ErrorContains(t, err, c.want)
			assert.Less(t, time.Since(begin), 2*time.Second)
		})
	}
}

// A prefix for no namespace is not well-formed. encoding/xml takes what has it for what
// has none, and etree does not.
func TestAPrefixHidesNoEntityID(t *testing.T) {
	doc := `<md:EntityDescriptor xmlns:foo="" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1" foo:entityID="` + otherID + `">` + signatureMark + goodRole() + `</md:EntityDescriptor>`
	m, err := VerifyMetadata(signing{cert: partyCertificate}.sign(t, doc), verifierOf(t, pkiotest.Trust(g1)), pkioverheid.SignerOptions{OINs: []pkioverheid.OIN{partyOIN}})
	assert.ErrorContains(t, err, "the prefix foo is declared for no namespace")
	assert.Nil(t, m)
}

var manyAttributes, manyNamespaces = func() (string, string) {
	var a, n strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&a, ` a%04d=""`, i)
		fmt.Fprintf(&n, ` xmlns:n%04d="u"`, i)
	}
	return a.String(), n.String()
}()

// A signature is verified whichever of the algorithms that are good it has.
func TestAlgorithms(t *testing.T) {
	v := verifierOf(t, pkiotest.Trust(g1))
	elliptic := g1.Issue(pkiotest.Leaf{OIN: partyOIN, ECDSA: true})
	for _, c := range []struct {
		cert           tls.Certificate
		method, digest string
		hash           crypto.Hash
	}{
		{partyCertificate, "rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256", crypto.SHA256},
		{partyCertificate, "rsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#sha384", crypto.SHA384},
		{partyCertificate, "rsa-sha512", "http://www.w3.org/2001/04/xmlenc#sha512", crypto.SHA512},
		{elliptic, "ecdsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256", crypto.SHA256},
		{elliptic, "ecdsa-sha512", "http://www.w3.org/2001/04/xmlenc#sha512", crypto.SHA512},
	} {
		doc := signing{cert: c.cert, method: "http://www.w3.org/2001/04/xmldsig-more#" + c.method, digest: c.digest, hash: c.hash}.sign(t, party("_1", partyID, role(key("signing", c.cert.Leaf))))
		_, err := VerifyMetadata(doc, v, pkioverheid.SignerOptions{})
		assert.NoError(t, err, c.method)
		_, err = VerifyMetadata([]byte(strings.Replace(string(doc), "dienst.example", "elders.example", 1)), v, pkioverheid.SignerOptions{})
		assert.ErrorContains(t, err, "the signed document was another one", c.method)
	}
}
