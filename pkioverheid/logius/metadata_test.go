package logius_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestMetadataIsRead(t *testing.T) {
	a, b, c := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{})
	m := readMetadata(t, network(
		entity("urn:nl:one", keyDescriptor("signing", a), keyDescriptor("encryption", b)),
		"<md:EntitiesDescriptor validUntil='2026-01-01T00:00:00Z'>"+
			strings.Replace(entity("urn:nl:two &amp; more", keyDescriptor("", c, a), keyDescriptor("signing")), "<md:IDPSSODescriptor", "<md:IDPSSODescriptor validUntil='2025-12-01T12:00:00.5+01:00'", 1)+
			"</md:EntitiesDescriptor>",
		entity("urn:nl:three", keyDescriptor("signing", a)),
	))
	require.Len(t, m.Entities, 3)
	assert.Zero(t, m.Entities[2].ValidUntil, "what counted for the second is over")
	assert.Zero(t, m.Entities[2].Keys[0].ValidUntil)
	one, two := m.Entities[0], m.Entities[1]
	assert.Equal(t, "urn:nl:one", one.ID)
	assert.Zero(t, one.ValidUntil)
	require.Len(t, one.Keys, 2)
	assert.Equal(t, logius.Key{Use: logius.Signing, Role: "IDPSSODescriptor", Name: "key & name", Certificates: []*x509.Certificate{a}}, one.Keys[0])
	assert.Equal(t, logius.Encryption, one.Keys[1].Use)
	assert.Equal(t, []*x509.Certificate{b}, one.Keys[1].Certificates)
	require.Len(t, one.Endpoints, 2)
	assert.Equal(t, logius.Endpoint{Service: "ArtifactResolutionService", Binding: "urn:oasis:names:tc:SAML:2.0:bindings:SOAP", Location: "https://was.digid.nl/saml/idp/resolve_artifact"}, one.Endpoints[0])
	assert.Equal(t, []string{"was.digid.nl"}, one.Hosts())

	assert.Equal(t, "urn:nl:two & more", two.ID)
	assert.Equal(t, "2026-01-01T00:00:00Z", two.ValidUntil.Format(time.RFC3339))
	require.Len(t, two.Keys, 2)
	assert.Equal(t, "2025-12-01T11:00:00Z", two.Keys[0].ValidUntil.UTC().Format(time.RFC3339))
	assert.Equal(t, []*x509.Certificate{c, a}, two.Keys[0].Certificates)
	assert.Empty(t, two.Keys[0].Use)
	assert.Empty(t, two.Keys[1].Certificates)
	assert.Equal(t, two.Keys[0].ValidUntil, two.Keys[1].ValidUntil)
	assert.Same(t, one.Keys[0].Certificates[0], two.Keys[0].Certificates[1], "a certificate is parsed once")
}

// The document's own signature has a certificate too, and so may extensions.
func TestCertificatesOutsideOfKeyDescriptorsAreNone(t *testing.T) {
	a, b := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	signature := "<ds:Signature><ds:KeyInfo><ds:KeyName>x</ds:KeyName><ds:X509Data><ds:X509Certificate>" + lines(b) + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
	text := strings.Replace(network(entity("urn:nl:one", keyDescriptor("signing", a))), "<md:EntityDescriptor", signature+"<md:EntityDescriptor", 1)
	m := readMetadata(t, text)
	require.Len(t, m.Entities, 1)
	require.Len(t, m.Entities[0].Keys, 1)
	assert.Equal(t, []*x509.Certificate{a}, m.Entities[0].Keys[0].Certificates)
}

func TestMetadataInOtherForms(t *testing.T) {
	a := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	text := network(entity("urn:nl:one", keyDescriptor("signing", a)))
	alone := strings.Replace(entity("urn:nl:one", keyDescriptor("signing", a)), "<md:EntityDescriptor", `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`, 1)
	for name, text := range map[string]string{
		"after a byte order mark":         "\xef\xbb\xbf" + text,
		"with CRLF":                       strings.ReplaceAll(text, "\n", "\r\n"),
		"with other prefixes":             strings.NewReplacer("md:", "m:", ":md", ":m", "ds:", "dsig:", ":ds", ":dsig").Replace(text),
		"one entity alone":                alone,
		"with no prefix":                  strings.NewReplacer("md:", "", "xmlns:md", "xmlns").Replace(text),
		"with a comment among the base64": strings.Replace(text, "<ds:X509Certificate>", "<ds:X509Certificate><!-- it is -->", 1),
		"with CDATA":                      strings.NewReplacer("<ds:X509Certificate>", "<ds:X509Certificate><![CDATA[", "</ds:X509Certificate>", "]]></ds:X509Certificate>").Replace(text),
		"with the key of another's key":   strings.Replace(text, "<ds:KeyName>", "<ds:RetrievalMethod><ds:KeyName>x</ds:KeyName></ds:RetrievalMethod><ds:KeyName>", 1),
	} {
		t.Run(name, func(t *testing.T) {
			m := readMetadata(t, text)
			require.Len(t, m.Entities, 1)
			require.Len(t, m.Entities[0].Keys, 1)
			assert.Equal(t, []*x509.Certificate{a}, m.Entities[0].Keys[0].Certificates)
		})
	}
}

// small is a certificate whose base64 is short, to have many of.
func manyCertificates(n int, cert *x509.Certificate) string {
	var keys strings.Builder
	key := "<md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>" + strings.Join(strings.Fields(lines(cert)), "") + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
	for range n {
		keys.WriteString(key)
	}
	return network(entity("urn:nl:one", keys.String()))
}

func TestBadMetadataIsRefused(t *testing.T) {
	a, b := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{})
	good := network(entity("urn:nl:one", keyDescriptor("signing", a)), entity("urn:nl:two", keyDescriptor("encryption", b)))
	second := strings.LastIndex(good, "<ds:X509Certificate>") + len("<ds:X509Certificate>") + 100
	line := 1 + strings.Count(good[:second-100], "\n")
	place := fmt.Sprintf("logius: SAML metadata: line %d, in EntitiesDescriptor/EntityDescriptor/IDPSSODescriptor/KeyDescriptor/KeyInfo/X509Data/X509Certificate: certificate 2: ", line)
	root := strings.Index(good, "<md:EntitiesDescriptor")
	for name, c := range map[string]struct{ text, want string }{
		"empty":                                 {"", "empty"},
		"nothing but space":                     {" \n", "empty"},
		"no XML":                                {"hello", "text outside"},
		"a DTD":                                 {good[:root] + `<!DOCTYPE x [<!ENTITY a "b">]>` + good[root:], "line 3: byte"},
		"an external entity":                    {good[:root] + `<!DOCTYPE x SYSTEM "file:///etc/passwd">` + good[root:], "has a DTD"},
		"an entity":                             {strings.Replace(good, "&amp;", "&lol;", 1), "invalid character entity &lol;"},
		"a CPA":                                 {cpa(), `this is not SAML metadata: it begins with the element "CollaborationProtocolAgreement" of the namespace "http://www.oasis-open.org`},
		"SAML 1.0":                              {strings.ReplaceAll(good, "SAML:2.0:metadata", "SAML:1.0:metadata"), `the element "EntitiesDescriptor" is of the namespace "urn:oasis:names:tc:SAML:1.0:metadata": want urn:oasis:names:tc:SAML:2.0:metadata`},
		"no namespace":                          {strings.ReplaceAll(good, "xmlns:md", "xmlns:mdx"), `the element "EntitiesDescriptor" is of the namespace "md"`},
		"another namespace for the certificate": {strings.ReplaceAll(good, "xmldsig#", "xmldsig2#"), `the element "X509Certificate" is of the namespace "http://www.w3.org/2000/09/xmldsig2#"`},
		"an element of no namespace":            {strings.Replace(good, "<md:IDPSSODescriptor", "<KeyDescriptor/><md:IDPSSODescriptor", 1), `the element "KeyDescriptor" is of no namespace`},
		"broken base64":                         {good[:second] + "*" + good[second+1:], place + "damaged base64"},
		"a character lost":                      {good[:second] + strings.TrimLeft(good[second:], " \t\n")[1:], place},
		"a certificate cut off":                 {good[:second] + good[strings.LastIndex(good, "</ds:X509Certificate>"):], place},
		"a document cut off in a certificate":   {good[:second], place[:len(place)-len("certificate 2: ")]},
		"a document cut off after it":           {good[:len(good)-20], "cut off"},
		"an empty certificate":                  {good[:second-100] + good[strings.LastIndex(good, "</ds:X509Certificate>"):], place + "damaged base64: it is empty"},
		"two certificates in one element":       {good[:second-100] + lines(a) + good[second-100:], place},
		"an element within a certificate":       {good[:second] + "<b/>" + good[second:], place},
		"no certificate":                        {network(entity("urn:nl:one", keyDescriptor("signing"))), "there is no certificate in it"},
		"no entity":                             {network(), "there is no certificate in it"},
		"an entity without an ID":               {strings.Replace(good, `entityID="urn:nl:two"`, "", 1), "there is no entityID"},
		"an entity that comes twice":            {strings.Replace(good, "urn:nl:two", "urn:nl:one", 1), `the entityID "urn:nl:one" is there for the second time`},
		"another use":                           {strings.Replace(good, `use="encryption"`, `use="Signing"`, 1), `the use of the key is "Signing"`},
		"an empty use":                          {strings.Replace(good, `use="encryption"`, `use=""`, 1), `the use of the key is ""`},
		"a validUntil that is not a time":       {strings.Replace(good, `entityID="urn:nl:two"`, `entityID="urn:nl:two" validUntil="tomorrow"`, 1), `validUntil is "tomorrow"`},
		"a validUntil that comes twice":         {strings.Replace(good, `entityID="urn:nl:two"`, `entityID="urn:nl:two" validUntil="2020-01-01T00:00:00Z" validUntil="2030-01-01T00:00:00Z"`, 1), "the attribute validUntil comes twice"},
		"a use that comes twice":                {strings.Replace(good, `use="encryption"`, `use="encryption" use="signing"`, 1), "the attribute use comes twice"},
		"UTF-16":                                {"\xff\xfe<\x00a\x00/\x00>\x00", "damaged XML"},
		"two byte order marks":                  {"\xef\xbb\xbf\xef\xbb\xbf" + good[root:], "text outside"},
		"a key among the extensions":            {strings.Replace(good, "<md:IDPSSODescriptor", "<md:Extensions>"+keyDescriptor("signing", a)+"</md:Extensions><md:IDPSSODescriptor", 1), "EntityDescriptor/Extensions/KeyDescriptor: this element does not belong there"},
		"a key in a role of another namespace":  {strings.Replace(good, "<md:IDPSSODescriptor", "<x>"+keyDescriptor("signing", a)+"</x><md:IDPSSODescriptor", 1), "EntityDescriptor/x/KeyDescriptor: this element does not belong there"},
		"a key outside of a role":               {strings.Replace(good, "<md:IDPSSODescriptor", keyDescriptor("signing", a)+"<md:IDPSSODescriptor", 1), "EntitiesDescriptor/EntityDescriptor/KeyDescriptor: this element does not belong there"},
		"an entity within an entity":            {strings.Replace(good, "</md:IDPSSODescriptor>", entity("urn:nl:three")+"</md:IDPSSODescriptor>", 1), "does not belong there"},
		"entities within an entity":             {strings.Replace(good, "<md:IDPSSODescriptor", "<md:EntitiesDescriptor/><md:IDPSSODescriptor", 1), "does not belong there"},
		"a certificate beside its place":        {strings.Replace(good, "<ds:KeyInfo>", "<ds:X509Certificate>"+lines(a)+"</ds:X509Certificate><ds:KeyInfo>", 1), "does not belong there"},
		"a certificate in another's place":      {strings.NewReplacer("<ds:X509Data>", "<ds:PGPData>", "</ds:X509Data>", "</ds:PGPData>").Replace(good), "does not belong there"},
		"two documents":                         {good[root:] + good[root:], "second document"},
		"another encoding":                      {strings.Replace(good, "UTF-8", "ISO-8859-1", 1), "save it as UTF-8"},
		"a name of a megabyte":                  {strings.Replace(good, "urn:nl:two", strings.Repeat("n", 1<<20), 1), "a tag of more than"},
		"a key name of a megabyte":              {strings.Replace(good, "key &amp;", strings.Repeat("n", 1<<20), 1), "too long"},
		"elements without end":                  {network(strings.Repeat("<a>", 1_000_000)), "more than 128 elements inside one another"},
		"100,000 certificates":                  {manyCertificates(100_000, tinyCertificate(t)), "more than 16 MiB"},
		"control characters in names":           {"<x\x1b[31m/>", "damaged XML"},
		"control characters in values":          {strings.Replace(good, `use="encryption"`, `use="&#x9b;31m&#x202e;"`, 1), `the use of the key is "\u009b31m\u202e"`},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			m, err := logius.ReadMetadata(strings.NewReader(c.text))
			assert.ErrorContains(t, err, c.want)
			assert.Nil(t, m)
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 800)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, time.Since(start), 10*time.Second)
		})
	}
	for n := range good {
		if n%7 == 0 || n > len(good)-50 && n < len(good)-1 {
			_, err := logius.ReadMetadata(strings.NewReader(good[:n]))
			require.Error(t, err, "%d bytes", n)
		}
	}
}

// Certificates that fit into the size are counted, and there are enough to notice.
func TestCertificatesInMetadataAreCounted(t *testing.T) {
	cert := tinyCertificate(t)
	readMetadata(t, manyCertificates(10_000, cert))
	start := time.Now()
	_, err := logius.ReadMetadata(strings.NewReader(manyCertificates(10_001, cert)))
	assert.ErrorContains(t, err, "there are more than 10000 certificates")
	assert.Less(t, time.Since(start), 10*time.Second)
}

func TestReadingMetadataThatCannotBeRead(t *testing.T) {
	_, err := logius.ReadMetadata(io.MultiReader(strings.NewReader("<"), failing{}))
	assert.ErrorIs(t, err, errFailing)
	_, err = logius.ReadCPA(failing{})
	assert.ErrorIs(t, err, errFailing)
	_, err = logius.ReadMetadata(endless{})
	assert.ErrorContains(t, err, "more than 16 MiB")
}

type failing struct{}

var errFailing = errors.New("the line was cut")

func (failing) Read([]byte) (int, error) { return 0, errFailing }

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestHostsOfAnEntity(t *testing.T) {
	e := logius.Entity{}
	for _, l := range []string{
		"https://B.example/sso", "https://a.example:443/", "https://a.example/other", "http://plain.example/",
		"https://port.example:8443/", "https://192.0.2.1/", "https://[2001:db8::1]/", "https://localhost/", "::", "", "mailto:x@b.example", "https://*.example/",
	} {
		e.Endpoints = append(e.Endpoints, logius.Endpoint{Location: l})
	}
	assert.Equal(t, []string{"a.example", "b.example"}, e.Hosts())
}

func bsnk(t testing.TB, clock func() time.Time, hierarchies ...pkioverheid.Hierarchy) *logius.Keyring {
	k, err := logius.BSNk().NewKeyring(pkioverheid.Trust{Roots: truststore.NewSource(fixtures(hierarchies...)), Time: clock})
	require.NoError(t, err)
	return k
}

func certsOf(s *truststore.Store) []*x509.Certificate {
	var certs []*x509.Certificate
	for c := range s.All() {
		certs = append(certs, c)
	}
	return certs
}

func TestAKeyringFollowsTheMetadata(t *testing.T) {
	g1, g4 := pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS
	signing, encryption, both := issue(t, g1, pkiotest.Leaf{}), issue(t, g1, pkiotest.Leaf{}), issue(t, g1, pkiotest.Leaf{})
	newSigning, newEncryption := issue(t, g4, pkiotest.Leaf{}), issue(t, g4, pkiotest.Leaf{})
	k := bsnk(t, nil, g1, g4)
	assert.Zero(t, k.Signing("urn:nl:one").Len())

	changes := k.Update(readMetadata(t, network(
		entity("urn:nl:one", keyDescriptor("signing", signing), keyDescriptor("encryption", encryption)),
		entity("urn:nl:two", keyDescriptor("", both)))))
	assert.Empty(t, changes.Refused)
	assert.Equal(t, truststore.Changes{Added: []*x509.Certificate{signing, both}}, changes.Signing)
	assert.Equal(t, truststore.Changes{Added: []*x509.Certificate{encryption, both}}, changes.Encryption)
	assert.Equal(t, []*x509.Certificate{signing}, certsOf(k.Signing("urn:nl:one")))
	assert.Equal(t, []*x509.Certificate{encryption}, certsOf(k.Encryption("urn:nl:one")))
	assert.Equal(t, []*x509.Certificate{both}, certsOf(k.Signing("urn:nl:two")))
	assert.Equal(t, []*x509.Certificate{both}, certsOf(k.Encryption("urn:nl:two")))
	assert.Zero(t, k.Signing("urn:nl:three").Len())
	assert.Zero(t, k.Signing("").Len())

	// A new signing certificate beside the old one; a new encryption certificate
	// in place of the old one; a party that left.
	changes = k.Update(readMetadata(t, network(
		entity("urn:nl:one", keyDescriptor("signing", signing), keyDescriptor("signing", newSigning), keyDescriptor("encryption", newEncryption)))))
	assert.Empty(t, changes.Refused)
	assert.Equal(t, truststore.Changes{Added: []*x509.Certificate{newSigning}, Removed: []*x509.Certificate{both}}, changes.Signing)
	assert.Equal(t, truststore.Changes{Added: []*x509.Certificate{newEncryption}, Removed: []*x509.Certificate{encryption, both}}, changes.Encryption)
	assert.Equal(t, []*x509.Certificate{signing, newSigning}, certsOf(k.Signing("urn:nl:one")))
	assert.Zero(t, k.Signing("urn:nl:two").Len())

	changes = k.Update(readMetadata(t, network(
		entity("urn:nl:one", keyDescriptor("signing", signing), keyDescriptor("signing", newSigning), keyDescriptor("encryption", newEncryption)))))
	assert.Zero(t, changes, "the same once more")

	changes = k.Update(nil)
	assert.Equal(t, []*x509.Certificate{signing, newSigning}, changes.Signing.Removed)
	assert.Zero(t, k.Encryption("urn:nl:one").Len())
}

func TestAKeyringAcceptsWhatVerifiesOnly(t *testing.T) {
	now := withinG1()
	clock := func() time.Time { return now }
	good := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	g1 := pkiotest.New(pkioverheid.PrivateG1).Certificates()
	for name, c := range map[string]struct {
		cert *x509.Certificate
		want string
	}{
		"under G3":                {issue(t, pkioverheid.G3, pkiotest.Leaf{}), "G3"},
		"under EV, which is over": {issue(t, pkioverheid.EV, pkiotest.Leaf{}), "expired"},
		"ended":                   {issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{NotAfter: now.AddDate(0, 0, -1)}), "expired"},
		"yet to begin":            {issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{NotBefore: now.AddDate(0, 0, 1), NotAfter: now.AddDate(0, 1, 0)}), "not yet valid"},
		"a CA":                    {g1[2], "certificate of a CA"},
		"the root":                {g1[0], "certificate of a CA"},
		"a person's":              {issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.8.1"}}), "not the certificate of a system or an organisation"},
		"of a policy of G4 in G1": {issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.44.15.35.11"}}), "not the certificate of a system or an organisation"},
		"without a policy":        {issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{Policies: []string{}}), "not the certificate of a system or an organisation"},
		"of somebody else":        {tinyCertificate(t), "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			k := bsnk(t, clock, pkioverheid.PrivateG1, pkioverheid.EV)
			k.Update(readMetadata(t, network(entity("urn:nl:one", keyDescriptor("signing", good)))))
			changes := k.Update(readMetadata(t, network(entity("urn:nl:one", keyDescriptor("signing", good, c.cert)), entity("urn:nl:two", keyDescriptor("", c.cert)))))
			assert.Zero(t, changes.Signing)
			assert.Zero(t, changes.Encryption)
			require.Len(t, changes.Refused, 2)
			assert.Equal(t, "urn:nl:one", changes.Refused[0].EntityID)
			assert.Equal(t, logius.Signing, changes.Refused[0].Use)
			assert.Equal(t, c.cert, changes.Refused[0].Certificate)
			for _, r := range changes.Refused {
				assert.ErrorContains(t, r.Err, c.want)
			}
			assert.Equal(t, []*x509.Certificate{good}, certsOf(k.Signing("urn:nl:one")))
			assert.Zero(t, k.Signing("urn:nl:two").Len())
		})
	}

	// In its own time EV was good, which is what archives need.
	ev := pkiotest.New(pkioverheid.EV)
	k := bsnk(t, ev.Time, pkioverheid.EV)
	assert.Empty(t, k.Update(readMetadata(t, network(entity("urn:nl:one", keyDescriptor("signing", issue(t, pkioverheid.EV, pkiotest.Leaf{})))))).Refused)
	assert.Equal(t, 1, k.Signing("urn:nl:one").Len())
}

// The real root does not vouch for a fixture, and a document's CAs are not roots.
func TestAKeyringNeedsARootThatIsTrusted(t *testing.T) {
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	chain := []*x509.Certificate{cert.Leaf}
	chain = append(chain, pkiotest.New(pkioverheid.PrivateG1).Certificates()...)
	k, err := logius.BSNk().NewKeyring(pkioverheid.Trust{})
	require.NoError(t, err)
	changes := k.Update(readMetadata(t, network(entity("urn:nl:one", keyDescriptor("signing", chain...)))))
	assert.Len(t, changes.Refused, len(chain))
	assert.Zero(t, k.Signing("urn:nl:one").Len())
}

// Between two updates certificates end, and so does metadata.
func TestAKeyringForgetsWhatEnds(t *testing.T) {
	now := withinG1()
	clock := func() time.Time { return now }
	short := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 0, 1)})
	long := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	k := bsnk(t, clock, pkioverheid.PrivateG1)
	text := network(entity("urn:nl:one", keyDescriptor("", short, long)))
	k.Update(readMetadata(t, text))
	assert.Equal(t, 2, k.Signing("urn:nl:one").Len())
	now = now.AddDate(0, 0, 2)
	assert.Equal(t, []*x509.Certificate{long}, certsOf(k.Signing("urn:nl:one")))
	assert.Equal(t, []*x509.Certificate{long}, certsOf(k.Encryption("urn:nl:one")))
	changes := k.Update(readMetadata(t, text))
	assert.Equal(t, []*x509.Certificate{short}, changes.Signing.Removed)

	until := strings.Replace(text, "<md:EntityDescriptor", fmt.Sprintf("<md:EntityDescriptor validUntil=%q", now.AddDate(0, 0, 1).UTC().Format(time.RFC3339)), 1)
	k.Update(readMetadata(t, until))
	assert.Equal(t, 1, k.Signing("urn:nl:one").Len())
	now = now.AddDate(0, 0, 2)
	assert.Zero(t, k.Signing("urn:nl:one").Len())
	changes = k.Update(readMetadata(t, until))
	require.Len(t, changes.Refused, 2)
	assert.ErrorContains(t, changes.Refused[1].Err, "fetch it anew")
}

func TestAKeyringCanBeUsedWhileItIsUpdated(t *testing.T) {
	one := readMetadata(t, network(entity("urn:nl:one", keyDescriptor("", issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})))))
	two := readMetadata(t, network(entity("urn:nl:one", keyDescriptor("", issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})))))
	k := bsnk(t, nil, pkioverheid.PrivateG1)
	k.Update(one)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			k.Update(two)
			k.Update(one)
		}
	}()
	for {
		select {
		case <-done:
			return
		default:
			assert.Equal(t, 1, k.Signing("urn:nl:one").Len())
			assert.Equal(t, 1, k.Encryption("urn:nl:one").Len())
		}
	}
}
