package samlsig

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// variant is a version of this package with some of its checks taken out.
type variant struct {
	checks
	verifier verifier
	opts     pkioverheid.SignerOptions

	// whole reads the document, and not what was signed; byReference verifies the last
	// element with the ID that the Reference names, wherever it is, and not the root.
	whole, byReference bool
}

func (v variant) read(doc []byte) (*logius.Metadata, error) {
	verify := func() (*logius.Metadata, error) { return v.verify(doc, v.verifier, v.opts) }
	if v.byReference {
		verify = func() (*logius.Metadata, error) { return v.verifyReferenced(doc) }
	}
	m, err := verify()
	if err != nil || !v.whole {
		return m, err
	}
	return logius.ReadMetadata(bytes.NewReader(doc))
}

// verifyReferenced asks for the form of the document, and verifies another element.
func (v variant) verifyReferenced(doc []byte) (*logius.Metadata, error) {
	tree := etree.NewDocument()
	if err := errors.Join(v.bound(doc), tree.ReadFromBytes(doc)); err != nil {
		return nil, err
	}
	for _, r := range v.form {
		if err := r.check(tree.Root()); err != nil {
			return nil, err
		}
	}
	signature := tree.FindElement("//Signature").Copy()
	id := signature.FindElement("//Reference").SelectAttrValue("URI", "")[1:]
	var found *etree.Element
	for el := range elements(tree.Root()) {
		if value, _ := attribute(el, "ID"); value == id {
			found = el
		}
	}
	alone := etree.NewDocument()
	alone.SetRoot(found.Copy())
	if alone.FindElement("//Signature") == nil {
		alone.Root().AddChild(signature)
	}
	if alone.Root().SelectAttr("xmlns:md") == nil {
		alone.Root().CreateAttr("xmlns:md", metadata)
	}
	text, err := alone.WriteToBytes()
	if err != nil {
		return nil, err
	}
	v.form = nil
	return v.verify(text, v.verifier, v.opts)
}

// unverified takes every certificate.
type unverified struct{}

func (unverified) Verify(certs []*x509.Certificate, _ pkioverheid.SignerOptions, check func(*x509.Certificate) error) (pkioverheid.Identity, error) {
	return pkioverheid.Identity{}, check(certs[0])
}

// without takes a check out of a variant, by its name.
func (v *variant) without(t *testing.T, name string) {
	t.Helper()
	unbound := func(_ *etree.Element, opts pkioverheid.SignerOptions) (pkioverheid.SignerOptions, error) {
		return opts, nil
	}
	switch name {
	case "reading only what was signed":
		v.whole = true
	case "verifying the root":
		v.byReference = true
	case "bounds and no DTD":
		v.bound = func([]byte) error { return nil }
	case "the OIN of the entityID":
		v.bind = unbound
	case "keys for signatures only":
		v.maySign = func(*x509.Certificate) error { return nil }
	case "the chain to PKIoverheid":
		v.verifier = unverified{}
	case "the dates":
		v.opts.Time = yesterday
	case "revocation", "the list of distrusted":
		v.verifier = verifierOf(t, pkiotest.Trust(g1))
	default:
		i := slices.IndexFunc(v.form, func(r rule) bool { return r.name == name })
		require.GreaterOrEqual(t, i, 0, "there is no check %q", name)
		v.form = slices.Delete(slices.Clone(v.form), i, i+1)
	}
}

var yesterday = time.Now().AddDate(0, 0, -1)

// attack is a document that somebody made who does not have the party's key, or whose
// signature should not count.
type attack struct {
	doc     []byte
	without []string // the checks of which each stops it
	harm    bool     // what the attacker put in is read then; else the document is accepted
	trust   *pkioverheid.Trust
}

// Each attack is refused, is accepted by a version without the checks that are named, and
// each of these alone stops it.
func TestAttacksAreStopped(t *testing.T) {
	for name, a := range attacks(t) {
		t.Run(name, func(t *testing.T) {
			trust := pkiotest.Trust(g1)
			if a.trust != nil {
				trust = *a.trust
			}
			try := func(without ...string) (*logius.Metadata, error) {
				v := variant{checks: all, verifier: verifierOf(t, trust)}
				for _, name := range without {
					v.without(t, name)
				}
				return v.read(a.doc)
			}
			harmed := func(m *logius.Metadata) bool {
				for _, e := range m.Entities {
					for _, k := range e.Keys {
						if k.Name == "evil" || slices.ContainsFunc(k.Certificates, evil(t).Leaf.Equal) {
							return true
						}
					}
				}
				return false
			}
			m, err := VerifyMetadata(a.doc, verifierOf(t, trust), pkioverheid.SignerOptions{})
			require.Error(t, err)
			assert.Nil(t, m)
			t.Logf("refused: %v", err)
			assert.Less(t, len(err.Error()), 2000)

			m, err = try(a.without...)
			require.NoError(t, err, "without %q", a.without)
			assert.Equal(t, a.harm, harmed(m), "without %q", a.without)
			for i, name := range a.without {
				m, err := try(slices.Delete(slices.Clone(a.without), i, i+1)...)
				if a.harm && err == nil {
					assert.False(t, harmed(m), "%q alone", name)
				} else {
					assert.Error(t, err, "%q alone", name)
				}
			}
		})
	}
}

// evil is the attacker's own certificate, which is a good one.
func evil(testing.TB) tls.Certificate { return evilCertificate }

var (
	partyCertificate = g1.Issue(pkiotest.Leaf{OIN: partyOIN})
	evilCertificate  = g1.Issue(pkiotest.Leaf{OIN: otherOIN})
)

func attacks(t *testing.T) map[string]attack {
	all := map[string]attack{}
	for _, some := range []map[string]attack{wrappings(t), dishonestForms(t), weakForms(t), wrongSigners(t)} {
		for name, a := range some {
			require.NotContains(t, all, name)
			all[name] = a
		}
	}
	return all
}

// What the attacker wants to be read.
func evilRole(t testing.TB) string { return role(key("signing", evil(t).Leaf)) }

func goodRole() string { return role(key("signing", partyCertificate.Leaf)) }

func goodSigned(t testing.TB) string {
	return string(signing{cert: partyCertificate}.sign(t, party("_1", partyID, goodRole())))
}

// wrappings have the signed element somewhere else than the one that is read.
func wrappings(t *testing.T) map[string]attack {
	signed := goodSigned(t)
	signature := signed[strings.Index(signed, "<ds:Signature") : strings.Index(signed, "</ds:Signature>")+len("</ds:Signature>")]
	unsigned := strings.Replace(signed, signature, "", 1)
	entities := func(id, first string, more ...string) []byte {
		return []byte(`<md:EntitiesDescriptor xmlns:md="` + metadata + `" ID="` + id + `" entityID="` + partyID + `">` + first + strings.Join(more, "") + `</md:EntitiesDescriptor>`)
	}
	evilEntity := strings.Replace(party("_2", partyID+"0", evilRole(t)), signatureMark, "", 1)
	evilFirst := []byte(strings.Replace(party("_1", partyID, evilRole(t)), signatureMark, strings.Replace(signature, "</ds:Signature>", "<ds:Object>"+unsigned+"</ds:Object></ds:Signature>", 1), 1))
	return map[string]attack{
		"the signed element moved below another root": {
			doc:     entities("_3", evilEntity, signed),
			without: []string{"one signature", "shape", "reference", "transforms", "verifying the root", "reading only what was signed"}, harm: true,
		},
		"two equal IDs, the signed element second": {
			doc:     entities("_1", signature, evilEntity, unsigned),
			without: []string{"one ID", "verifying the root", "reading only what was signed"}, harm: true,
		},
		"the signed element in an Object of the signature": {
			doc:     evilFirst,
			without: []string{"one ID", "shape", "verifying the root"}, // what is read then is what the party signed
		},
		"two roots": {
			doc:     []byte(signed + strings.Replace(party("_2", partyID, evilRole(t)), signatureMark, "", 1)),
			without: []string{"bounds and no DTD"},
		},
	}
}

// dishonestForms are signatures that say less than they seem to.
func dishonestForms(t *testing.T) map[string]attack {
	signed := goodSigned(t)
	doc := party("_1", partyID, goodRole())
	// The party signed this by mistake: the second transform takes out what comes after
	// the signature.
	twice := string(signing{cert: partyCertificate, transforms: []string{envelopedTransform, envelopedTransform, excTransform}}.sign(t, doc))
	// The attacker signs all of it, in front of the party's signature.
	changed := strings.Replace(strings.Replace(signed, "</ds:Signature>", "</ds:Signature>"+evilRole(t), 1), "<ds:Signature", signatureMark+"<ds:Signature", 1)
	second := signing{cert: evil(t), keyInfo: "<ds:KeyInfo>" + x509Data(evil(t).Leaf) + "</ds:KeyInfo>"}.sign(t, changed)
	return map[string]attack{
		"a transform that drops content": {
			doc:     []byte(strings.Replace(twice, "</ds:Signature>", "</ds:Signature>"+evilRole(t), 1)),
			without: []string{"transforms", "reading only what was signed"}, harm: true,
		},
		"a second signature, by the attacker": {
			doc:     second,
			without: []string{"one signature", "the OIN of the entityID"}, harm: true,
		},
		"a second signature within the first": {
			doc:     []byte(strings.Replace(signed, "</ds:KeyInfo></ds:Signature>", `<ds:Signature></ds:Signature></ds:KeyInfo></ds:Signature>`, 1)),
			without: []string{"one signature"},
		},
		"a DTD": {
			doc:     []byte(`<!DOCTYPE md:EntityDescriptor [<!ENTITY x "y"><!ATTLIST md:KeyDescriptor use CDATA "signing">]>` + signed),
			without: []string{"bounds and no DTD"},
		},
		"elements inside one another": {
			doc:     []byte(strings.Replace(signed, "</ds:KeyName></ds:KeyInfo></ds:Signature>", "</ds:KeyName>"+strings.Repeat("<x>", 62)+strings.Repeat("</x>", 62)+"</ds:KeyInfo></ds:Signature>", 1)),
			without: []string{"bounds and no DTD"},
		},
		"the ID of the root twice": {
			doc:     []byte(strings.Replace(signed, "<ds:KeyName>name of a key</ds:KeyName></ds:KeyInfo></ds:Signature>", `<x xml:id="_1"/></ds:KeyInfo></ds:Signature>`, 1)),
			without: []string{"one ID"},
		},
		"another element with the ID of the root, as Id": {
			doc:     []byte(strings.Replace(signed, "<ds:KeyName>name of a key</ds:KeyName></ds:KeyInfo></ds:Signature>", `<x Id="_1"/></ds:KeyInfo></ds:Signature>`, 1)),
			without: []string{"one ID"},
		},
		"an Object in the signature": {
			doc:     []byte(strings.Replace(signed, "</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>", 1)),
			without: []string{"shape"},
		},
		"an attribute of a namespace in SignedInfo": {
			doc: signing{cert: partyCertificate, digest: `http://www.w3.org/2000/09/xmldsig#sha1" xml:Algorithm="http://www.w3.org/2001/04/xmlenc#sha256`}.sign(t, doc),
			// goxmldsig takes the last one, we the one without a namespace.
			without: []string{"shape", "algorithms"},
		},
	}
}

// weakForms are signatures of the party that are not good enough.
func weakForms(t *testing.T) map[string]attack {
	doc := party("_1", partyID, goodRole())
	sign := func(s signing) []byte {
		s.cert = partyCertificate
		return s.sign(t, doc)
	}
	c14n := func(algorithm string) string {
		return `<ds:CanonicalizationMethod Algorithm="` + algorithm + `"></ds:CanonicalizationMethod>`
	}
	transform := func(algorithm string) []string {
		return []string{envelopedTransform, `<ds:Transform Algorithm="` + algorithm + `"></ds:Transform>`}
	}
	const inclusive, withComments = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
	reference := `<ds:Reference URI="#_9"><ds:Transforms>` + envelopedTransform + excTransform + `</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>`
	all := map[string]attack{}
	if fips140.Enforced() {
		t.Log("fips140=only: nobody signs with SHA-1")
	} else {
		all["a signature and digest with SHA-1"] = attack{
			doc:     sign(signing{method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1", digest: "http://www.w3.org/2000/09/xmldsig#sha1", hash: crypto.SHA1}),
			without: []string{"algorithms"},
		}
	}
	maps.Copy(all, map[string]attack{
		"inclusive canonicalisation of SignedInfo":           {doc: sign(signing{c14n: c14n(inclusive), inScope: ` xmlns:md="` + metadata + `"`}), without: []string{"algorithms"}},
		"canonicalisation of SignedInfo with comments":       {doc: sign(signing{c14n: c14n(withComments)}), without: []string{"algorithms"}},
		"inclusive canonicalisation of the document":         {doc: sign(signing{transforms: transform(inclusive)}), without: []string{"transforms"}},
		"canonicalisation of the document with comments":     {doc: sign(signing{transforms: transform(withComments)}), without: []string{"transforms"}},
		"canonicalisation before the signature is taken out": {doc: sign(signing{transforms: []string{excTransform, envelopedTransform}}), without: []string{"transforms"}},
		"a reference to the whole document, without an ID":   {doc: sign(signing{uri: noURI}), without: []string{"reference"}},
		"two references": {doc: sign(signing{more: reference}), without: []string{"shape", "reference", "transforms"}},
	})
	return all
}

// wrongSigners made good signatures.
func wrongSigners(t *testing.T) map[string]attack {
	by := func(cert tls.Certificate, roles ...string) []byte {
		return signing{cert: cert, keyInfo: "<ds:KeyInfo>" + x509Data(cert.Leaf) + "</ds:KeyInfo>"}.sign(t, party("_1", partyID, roles...))
	}
	now := time.Now()
	expired := g1.Issue(pkiotest.Leaf{OIN: partyOIN, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.Add(-time.Hour)})
	withdrawn := pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{OIN: partyOIN})
	person := g1.Issue(pkiotest.Leaf{OIN: partyOIN, Policies: []string{"2.16.528.1.1003.1.2.8.1"}})
	revoked, distrusted := g1.Issue(pkiotest.Leaf{OIN: partyOIN}), g1.Issue(pkiotest.Leaf{OIN: partyOIN})
	return map[string]attack{
		"KeyInfo of an attacker with a good chain and another OIN": {
			doc: by(evil(t), evilRole(t)), without: []string{"the OIN of the entityID"}, harm: true,
		},
		"a KeyDescriptor of such an attacker": {
			doc:     signing{cert: evil(t)}.sign(t, party("_1", partyID, goodRole(), evilRole(t))),
			without: []string{"the OIN of the entityID"}, harm: true,
		},
		"an entityID of the attacker on an element that has none": {
			doc: signing{cert: evil(t), keyInfo: "<ds:KeyInfo>" + x509Data(evil(t).Leaf) + "</ds:KeyInfo>"}.sign(t,
				`<md:EntitiesDescriptor xmlns:md="`+metadata+`" ID="_1" entityID="`+otherID+`">`+signatureMark+`<md:EntityDescriptor entityID="https://party.example/">`+evilRole(t)+`</md:EntityDescriptor></md:EntitiesDescriptor>`),
			without: []string{"the OIN of the entityID"}, harm: true,
		},
		"a certificate that nobody issued": {
			doc: by(selfSigned(t), role(key("signing", selfSigned(t).Leaf))), without: []string{"the chain to PKIoverheid"},
		},
		"an expired signer": {doc: by(expired, role(key("signing", expired.Leaf))), without: []string{"the dates"}},
		"a revoked signer": {
			doc: by(revoked, role(key("signing", revoked.Leaf))), without: []string{"revocation"}, trust: revoking(t, revoked.Leaf),
		},
		"a signer that we distrust": {
			doc: by(distrusted, role(key("signing", distrusted.Leaf))), without: []string{"the list of distrusted"}, trust: distrusting(t, distrusted.Leaf),
		},
		"a withdrawn signer, under G3": {doc: by(withdrawn, role(key("signing", withdrawn.Leaf))), without: []string{"the chain to PKIoverheid"}},
		"a person":                     {doc: by(person, role(key("signing", person.Leaf))), without: []string{"the chain to PKIoverheid"}},
	}
}

// revoking is the trust of somebody who asks for revocation.
func revoking(t *testing.T, cert *x509.Certificate) *pkioverheid.Trust {
	t.Helper()
	g1.Revoke(cert, crl.KeyCompromise)
	checker, err := crl.NewChecker(pkiotest.CRLConfig(g1))
	require.NoError(t, err)
	t.Cleanup(func() { checker.Close() })
	trust := pkiotest.Trust(g1)
	trust.Revocation = checker
	return &trust
}

func distrusting(t *testing.T, cert *x509.Certificate) *pkioverheid.Trust {
	t.Helper()
	trust := pkiotest.Trust(g1)
	trust.Distrusted = new(pkioverheid.Distrusted)
	require.NoError(t, trust.Distrusted.Set(pkioverheid.DistrustedEntry{Certificate: sha256.Sum256(cert.Raw)}))
	return &trust
}

// selfSigned is a certificate of the party that it made for itself.
func selfSigned(t testing.TB) tls.Certificate {
	t.Helper()
	key := partyCertificate.PrivateKey.(crypto.Signer)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: partyCertificate.Leaf.Subject, NotBefore: yesterday, NotAfter: yesterday.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
