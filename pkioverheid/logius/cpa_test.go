package logius_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os/exec"
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

func TestACPAIsRead(t *testing.T) {
	ours, theirs := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: ownOIN}), issue(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{OIN: theirOIN})
	c := readCPA(t, cpa(party("Gemeente", ownOIN, ours), party("Logius", theirOIN, theirs)))
	assert.Equal(t, "cpa-1", c.ID)
	assert.Equal(t, "agreed", c.Status)
	assert.Equal(t, "2020-11-25T00:00:00Z", c.Start.Format(time.RFC3339))
	assert.Equal(t, "2030-11-25T00:00:00Z", c.End.Format(time.RFC3339))
	require.Len(t, c.Parties, 2)
	assert.Equal(t, logius.Party{
		Name:         "Gemeente",
		IDs:          []logius.PartyID{{Type: "urn:osb:oin", Value: string(ownOIN)}},
		Certificates: []logius.PartyCertificate{{ID: "cert_Gemeente", Certificate: ours, Roles: []string{"Client", "Server", "Signing"}}},
	}, c.Parties[0])
	p, found := c.Party(theirOIN)
	require.True(t, found)
	assert.Equal(t, "Logius", p.Name)
	assert.Equal(t, []*x509.Certificate{theirs}, p.InRole("Server"))
	assert.Empty(t, p.InRole("Encryption"))
	_, found = c.Party("00000099000000003000")
	assert.False(t, found)
	_, found = c.Party("")
	assert.False(t, found)
}

// References are before what they are to as well, and a certificate may come with
// the CAs above it and be one of several.
func TestACPAOfMoreThanOneCertificate(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cas := g1.Certificates()
	ours, theirs := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: ownOIN}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: theirOIN})
	text := cpa(party("Gemeente", ownOIN, ours), party("Logius", theirOIN, theirs))
	text = strings.Replace(text, "<ds:X509Certificate>", "<ds:X509Certificate>"+lines(cas[2])+"</ds:X509Certificate><ds:X509Certificate>"+lines(cas[1])+"</ds:X509Certificate><ds:X509Certificate>", 1)
	text = strings.Replace(text, "  <tp:Certificate ", fmt.Sprintf(`  <tp:PartyId tp:type="urn:other">x</tp:PartyId><tp:CollaborationRole><tp:ApplicationCertificateRef tp:certId="cert_Gemeente"/></tp:CollaborationRole>
<tp:Certificate tp:certId="root"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></tp:Certificate>
<tp:SecurityDetails tp:securityId="s"><tp:TrustAnchors><tp:AnchorCertificateRef tp:certId="root"/></tp:TrustAnchors></tp:SecurityDetails>
  <tp:Certificate `, lines(cas[0])), 1)
	c := readCPA(t, text)
	certs := c.Parties[0].Certificates
	require.Len(t, certs, 2)
	assert.Equal(t, logius.PartyCertificate{ID: "root", Certificate: cas[0], Roles: []string{"Anchor"}}, certs[0])
	assert.Equal(t, logius.PartyCertificate{ID: "cert_Gemeente", Certificate: ours, Others: []*x509.Certificate{cas[2], cas[1]}, Roles: []string{"Application", "Client", "Server", "Signing"}}, certs[1])
	assert.Equal(t, ownOIN, c.Parties[0].OIN())
	assert.NoError(t, c.Check(verifier(t, logius.MijnOverheidLopendeZaken(), pkioverheid.PrivateG1), withinG1()))
}

func TestBadCPAsAreRefused(t *testing.T) {
	ours, theirs := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: ownOIN}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: theirOIN})
	good := cpa(party("Gemeente", ownOIN, ours), party("Logius", theirOIN, theirs))
	readCPA(t, good)
	root := strings.Index(good, "<tp:Coll")
	second := strings.LastIndex(good, "<ds:X509Certificate>") + len("<ds:X509Certificate>") + 100
	line := 1 + strings.Count(good[:second-100], "\n")
	place := fmt.Sprintf("logius: CPA: line %d, in CollaborationProtocolAgreement/PartyInfo/Certificate/KeyInfo/X509Data/X509Certificate: certificate 2: ", line)
	end := strings.LastIndex(good, "</ds:X509Certificate>")
	many := func(n int, cert *x509.Certificate) string {
		var certs strings.Builder
		for i := range n {
			fmt.Fprintf(&certs, "<tp:Certificate tp:certId='c%d'><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></tp:Certificate>", i, lines(cert))
		}
		return strings.Replace(good, "  <tp:Transport ", certs.String()+"  <tp:Transport ", 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":                               {"", "empty"},
		"a DTD":                               {good[:root] + `<!DOCTYPE x [<!ENTITY a "b">]>` + good[root:], "has a DTD"},
		"an entity":                           {strings.Replace(good, `"agreed"`, `"&lol;"`, 1), "invalid character entity"},
		"metadata":                            {network(), `this is not a CPA: it begins with the element "EntitiesDescriptor" of the namespace "urn:oasis`},
		"CPPA 1.0":                            {strings.ReplaceAll(good, "cpp-cpa-2_0.xsd", "cpp-cpa-v1_0.xsd"), `this is not a CPA`},
		"another namespace for signatures":    {strings.ReplaceAll(good, "xmldsig#", "xmldsig2#"), `the element "X509Certificate" is of the namespace "http://www.w3.org/2000/09/xmldsig2#": want http`},
		"a party of no namespace":             {strings.Replace(good, "<tp:PartyInfo", "<PartyInfo/><tp:PartyInfo", 1), `the element "PartyInfo" is of no namespace`},
		"a reference of no namespace":         {strings.Replace(good, "<tp:ClientCertificateRef", "<ClientCertificateRef", 1), `the element "ClientCertificateRef" is of no namespace`},
		"broken base64":                       {good[:second] + "*" + good[second+1:], place + "damaged base64"},
		"a certificate cut off":               {good[:second] + good[end:], place},
		"a document cut off in a certificate": {good[:second], place[:len(place)-len("certificate 2: ")]},
		"a document cut off after it":         {good[:len(good)-20], "cut off"},
		"an empty certificate":                {good[:second-100] + good[end:], place + "damaged base64: it is empty"},
		"no certificate":                      {strings.NewReplacer("<ds:X509Certificate>", "<ds:X509CRL>", "</ds:X509Certificate>", "</ds:X509CRL>").Replace(good), `there is no certificate in "cert_Gemeente"`},
		"a certificate beside its place":      {strings.Replace(good, "<ds:KeyInfo>", "<ds:X509Certificate>"+lines(ours)+"</ds:X509Certificate><ds:KeyInfo>", 1), "does not belong there"},
		"a tp:Certificate beside its place":   {strings.Replace(good, "<tp:Status", "<tp:Certificate/><tp:Status", 1), "does not belong there"},
		"a party within a party":              {strings.Replace(good, "<tp:PartyId", "<tp:PartyInfo/><tp:PartyId", 1), "does not belong there"},
		"a party id beside a party":           {strings.Replace(good, "<tp:PartyInfo", "<tp:PartyId/><tp:PartyInfo", 1), "does not belong there"},
		"a reference beside a party":          {strings.Replace(good, "<tp:PartyInfo", "<tp:ClientCertificateRef tp:certId='x'/><tp:PartyInfo", 1), "does not belong there"},
		"a certificate without an id":         {strings.Replace(good, `tp:certId="cert_Gemeente"><ds:K`, `certId="cert_Gemeente"><ds:K`, 1), "there is no tp:certId"},
		"a reference without an id":           {strings.Replace(good, `<tp:ClientCertificateRef tp:certId="cert_Gemeente"`, `<tp:ClientCertificateRef`, 1), "there is no tp:certId"},
		"an id that comes twice":              {strings.ReplaceAll(good, "cert_Logius", "cert_Gemeente"), "is there for the second time"},
		"a reference to nothing":              {strings.Replace(good, `<tp:SigningCertificateRef tp:certId="cert_Gemeente"`, `<tp:SigningCertificateRef tp:certId="x"`, 1), `the reference "SigningCertificateRef" is to "x", and this party has no such certificate`},
		"a reference to the other's":          {strings.Replace(good, `<tp:SigningCertificateRef tp:certId="cert_Logius"`, `<tp:SigningCertificateRef tp:certId="cert_Gemeente"`, 1), "this party has no such certificate"},
		"references of many kinds":            {strings.Replace(good, "</tp:PartyInfo>", refs(17)+"</tp:PartyInfo>", 1), "more than 16 kinds"},
		"no party":                            {cpa(), "there is no party in it"},
		"a time that is none":                 {strings.Replace(good, "2030-11-25T00:00:00", "soon", 1), `the time is "soon"`},
		"two ends":                            {strings.Replace(good, "<tp:End>", "<tp:End>2020-11-25T00:00:00Z</tp:End><tp:End>", 1), "End: this element comes twice"},
		"two statuses":                        {strings.Replace(good, "<tp:Status", `<tp:Status tp:value="proposed"/><tp:Status`, 1), "Status: this element comes twice"},
		"1,001 certificates":                  {many(999, tinyCertificate(t)), "more than 1000 certificates"},
		"100,000 certificates":                {many(100_000, tinyCertificate(t)), "more than 16 MiB"},
		"elements without end":                {strings.Replace(good, "<tp:Status", strings.Repeat("<a>", 100_000)+"<tp:Status", 1), "more than 128 elements"},
		"a party id of a megabyte":            {strings.Replace(good, string(ownOIN), strings.Repeat("0", 1<<20), 1), "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			got, err := logius.ReadCPA(strings.NewReader(c.text))
			assert.ErrorContains(t, err, c.want)
			assert.Nil(t, got)
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 800)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, time.Since(start), 10*time.Second)
		})
	}
	for n := range good {
		if n%7 == 0 {
			_, err := logius.ReadCPA(strings.NewReader(good[:n]))
			require.Error(t, err, "%d bytes", n)
		}
	}
}

func refs(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "<tp:X%dCertificateRef tp:certId='cert_Gemeente'/>", i)
	}
	return out.String()
}

func TestACPAIsChecked(t *testing.T) {
	at := withinG1()
	g1 := pkioverheid.PrivateG1
	leaf := func(h pkioverheid.Hierarchy, oin pkioverheid.OIN) *x509.Certificate {
		return issue(t, h, pkiotest.Leaf{OIN: oin})
	}
	gemeente := party("Gemeente", ownOIN, leaf(g1, ownOIN))
	logiusParty := party("Logius", theirOIN, leaf(g1, theirOIN))
	good := cpa(gemeente, logiusParty)
	with := func(cert *x509.Certificate) string { return cpa(gemeente, party("Logius", theirOIN, cert)) }
	for name, c := range map[string]struct {
		text string
		want string // empty: nothing is wrong
	}{
		"nothing is wrong":                  {good, ""},
		"signed":                            {strings.Replace(good, "agreed", "signed", 1), ""},
		"without times":                     {strings.NewReplacer("<tp:Start>2020-11-25T00:00:00Z</tp:Start>", "", "<tp:End>2030-11-25T00:00:00</tp:End>", "").Replace(good), ""},
		"of G1 and G4":                      {with(leaf(pkioverheid.PrivateG4TLS, theirOIN)), ""},
		"proposed":                          {strings.Replace(good, "agreed", "proposed", 1), `its status is "proposed"`},
		"without a status":                  {strings.Replace(good, `<tp:Status tp:value="agreed"/>`, "", 1), `its status is ""`},
		"over":                              {strings.Replace(good, "2030", "2021", 1), "it ended 2021-11-25"},
		"not begun":                         {strings.Replace(good, "2020", "2099", 1), "it begins 2099-11-25"},
		"of one party":                      {cpa(gemeente), "it has 1 parties"},
		"of three parties":                  {cpa(gemeente, logiusParty, party("C", "00000099000000003000", leaf(g1, "00000099000000003000"))), "it has 3 parties"},
		"of one party with itself":          {cpa(gemeente, party("Logius", ownOIN, leaf(g1, ownOIN))), "both parties have the OIN"},
		"a party without an OIN":            {strings.Replace(good, "urn:osb:oin", "urn:duns", 1), "has no id of the type urn:osb:oin"},
		"a party with two OINs":             {strings.Replace(good, "<tp:PartyId", `<tp:PartyId tp:type="urn:osb:oin">00000099000000009000</tp:PartyId><tp:PartyId`, 1), "has several OINs"},
		"a party with another number too":   {strings.Replace(good, "<tp:PartyId", `<tp:PartyId tp:type="urn:duns">1</tp:PartyId><tp:PartyId`, 1), ""},
		"an OIN of 19 digits":               {strings.Replace(good, string(theirOIN), string(theirOIN[1:]), 1), "it has 19 characters, not 20"},
		"an OIN of 21 digits":               {strings.Replace(good, string(theirOIN), string(theirOIN)+"0", 1), "it has 21 characters, not 20"},
		"an OIN with spaces":                {strings.Replace(good, string(theirOIN), "00000099 00000000200", 1), "is not an OIN"},
		"a certificate of another OIN":      {with(leaf(g1, ownOIN)), `it bears the OIN "00000099000000001000" and not the party's, "00000099000000002000"`},
		"a certificate without an OIN":      {with(issue(t, g1, pkiotest.Leaf{})), "the subject has no serialNumber"},
		"a certificate with another number": {with(leaf(g1, "1234567890")), "it has 10 characters"},
		"a certificate that has ended":      {with(issue(t, g1, pkiotest.Leaf{OIN: theirOIN, NotAfter: at.AddDate(0, 0, -1)})), "expired"},
		"a certificate of G3":               {with(leaf(pkioverheid.G3, theirOIN)), "G3 refused"},
		"a certificate of EV":               {with(leaf(pkioverheid.EV, theirOIN)), "unknown authority"},
		"a server's for a client only":      {with(issue(t, g1, pkiotest.Leaf{OIN: theirOIN, ClientOnly: true})), "wrong usage"},
		"a person's":                        {with(issue(t, g1, pkiotest.Leaf{OIN: theirOIN, Policies: []string{"2.16.528.1.1003.1.2.8.1"}})), "not the certificate of a system or an organisation"},
		"for authenticity":                  {with(issue(t, g1, pkiotest.Leaf{OIN: theirOIN, Policies: []string{"2.16.528.1.1003.1.2.8.4"}})), ""},
		"for confidentiality":               {with(issue(t, g1, pkiotest.Leaf{OIN: theirOIN, Policies: []string{"2.16.528.1.1003.1.2.8.5"}})), ""},
		"a CA's":                            {with(pkiotest.New(g1).Certificates()[2]), "certificate of a CA"},
		"a party without a certificate":     {cpa(gemeente, `<tp:PartyInfo tp:partyName="Logius"><tp:PartyId tp:type="urn:osb:oin">00000099000000002000</tp:PartyId></tp:PartyInfo>`), "has no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			err := readCPA(t, c.text).Check(verifier(t, logius.MijnOverheidLopendeZaken(), g1, pkioverheid.PrivateG4TLS), at)
			if c.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}

	// Berichtenbox takes KPN's only, and says so of each.
	quovadis := cpa(gemeente, party("Logius", theirOIN, issue(t, g1, pkiotest.Leaf{OIN: theirOIN, TSP: "QuoVadis"})))
	assert.ErrorContains(t, readCPA(t, quovadis).Check(verifier(t, logius.MijnOverheidBerichtenbox(), g1), at), `"cert_Logius" of the party "Logius"`)
	assert.NoError(t, readCPA(t, good).Check(verifier(t, logius.MijnOverheidBerichtenbox(), g1), at))
	// A CPA names the CAs too that a party trusts; those of another provider are not KPN's.
	for i, ca := range pkiotest.New(g1).Certificates() {
		text := strings.Replace(good, "  <tp:Certificate ", fmt.Sprintf(`  <tp:Certificate tp:certId="ca"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></tp:Certificate>
<tp:SecurityDetails tp:securityId="s"><tp:TrustAnchors><tp:AnchorCertificateRef tp:certId="ca"/></tp:TrustAnchors></tp:SecurityDetails>
  <tp:Certificate `, lines(ca)), 1)
		err := readCPA(t, text).Check(verifier(t, logius.MijnOverheidBerichtenbox(), g1), at)
		if i < 3 {
			assert.NoError(t, err, ca.Subject.CommonName)
		} else {
			assert.ErrorContains(t, err, "by its key, to be of KPN", ca.Subject.CommonName)
		}
	}
	// The time that is zero is now.
	assert.ErrorContains(t, readCPA(t, strings.Replace(good, "2030", "2021", 1)).Check(verifier(t, logius.MijnOverheidBerichtenbox(), g1), time.Time{}), "ended")
}

// A hostile agreement with much that is wrong gives an error that can be read.
func TestTheErrorsOfACheckAreBounded(t *testing.T) {
	var certs strings.Builder
	tiny := tinyCertificate(t)
	for i := range 900 {
		fmt.Fprintf(&certs, "<tp:Certificate tp:certId='c%d'><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></tp:Certificate>", i, lines(tiny))
	}
	for _, text := range []string{cpa("<tp:PartyInfo>" + certs.String() + "</tp:PartyInfo>"), cpa(strings.Repeat("<tp:PartyInfo/>", 1000))} {
		err := readCPA(t, text).Check(verifier(t, logius.MijnOverheidLopendeZaken()), withinG1())
		require.Error(t, err)
		assert.Less(t, strings.Count(err.Error(), "\n"), 110)
		assert.ErrorContains(t, err, "and more")
	}
}

func TestRegisterCertificate(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cert := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: ownOIN})
	delivered := truststore.New(append([]*x509.Certificate{cert}, g1.Certificates()[:3]...)...)
	for _, f := range []truststore.Format{truststore.PEM, truststore.DER, truststore.PKCS7} {
		data, err := delivered.Encode(f)
		require.NoError(t, err)
		text, err := logius.RegisterCertificate(data)
		require.NoError(t, err, f)
		block, rest := pem.Decode(text)
		require.NotNil(t, block)
		assert.Equal(t, "CERTIFICATE", block.Type)
		assert.Empty(t, block.Headers)
		assert.Empty(t, bytes.TrimSpace(rest), "the leaf alone")
		assert.Equal(t, cert.Raw, block.Bytes)
		assert.True(t, bytes.HasPrefix(text, []byte("-----BEGIN CERTIFICATE-----\n")))
	}

	encode := func(certs ...*x509.Certificate) []byte {
		data, err := truststore.New(certs...).Encode(truststore.PEM)
		require.NoError(t, err)
		return data
	}
	key := append(encode(cert), "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"...)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                      {nil, "logius: truststore:"},
		"no certificate":               {[]byte("hello"), "logius: truststore:"},
		"CAs only":                     {encode(g1.Certificates()...), "only CAs"},
		"two certificates":             {encode(cert, issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: theirOIN})), "there are 2 certificates"},
		"a certificate without an OIN": {encode(issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})), "the subject has no serialNumber"},
		"another number than an OIN":   {encode(issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: "123"})), "it has 3 characters"},
		"G3":                           {encode(issue(t, pkioverheid.G3, pkiotest.Leaf{OIN: ownOIN})), "G3 refused"},
		"a private key":                {key, "private key"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := logius.RegisterCertificate(c.data)
			assert.Nil(t, text)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// openssl agrees on which one of a .p7b it is.
func TestRegisterCertificateOfAFileByOpenSSL(t *testing.T) {
	openssl := program(t, "openssl")
	dir := t.TempDir()
	cert := issue(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{OIN: ownOIN})
	chain := truststore.New(append(pkiotest.New(pkioverheid.PrivateG4TLS).Certificates()[:3], cert)...)
	require.NoError(t, chain.WriteFile(dir+"/chain.pem", truststore.PEM))
	p7b, err := exec.Command(openssl, "crl2pkcs7", "-nocrl", "-certfile", dir+"/chain.pem").Output()
	require.NoError(t, err)
	text, err := logius.RegisterCertificate(p7b)
	require.NoError(t, err)
	cmd := exec.Command(openssl, "x509", "-noout", "-subject", "-serial")
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), string(ownOIN))
	assert.Contains(t, strings.ToLower(string(out)), strings.ToLower(fmt.Sprintf("%X", cert.SerialNumber)))
}
