package truststore

import (
	"bytes"
	"encoding/asn1"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What openssl marks, and how openssl verify decides on a certificate below the CA: Decode
// takes a CA only if openssl trusts it for servers or for clients.
func TestDecodeRefusesWhatOpenSSLRejects(t *testing.T) {
	ca, other := issue(t, "CA", true, nil), issue(t, "Other CA", true, nil)
	dir := t.TempDir()
	write(t, dir, "ca.pem", text(ca.cert))
	write(t, dir, "leaf.pem", text(issue(t, "leaf", false, ca).cert))
	for _, c := range []struct {
		name, marks, restriction string
	}{
		{"not marked", "", ""},
		{"an alias and nothing else", "-setalias ours", ""},
		{"trusted for servers", "-addtrust serverAuth", ""},
		{"trusted for clients and signing of code", "-addtrust codeSigning -addtrust clientAuth -setalias ours", ""},
		{"trusted for any use", "-addtrust anyExtendedKeyUsage", ""},
		{"rejected for servers and clients", "-addreject serverAuth -addreject clientAuth", "rejected for serverAuth, clientAuth"},
		{"rejected for any use", "-addreject anyExtendedKeyUsage -setalias distrusted", "rejected for anyExtendedKeyUsage"},
		{"rejected for mail, trusted for servers", "-addtrust serverAuth -addreject emailProtection", "trusted for serverAuth and rejected for emailProtection"},
		{"trusted for mail only", "-addtrust emailProtection", "trusted for emailProtection"},
		{"trusted for what has no name here", "-addtrust 1.3.6.1.4.1.311.10.3.4 -addtrust timeStamping", "trusted for 1.3.6.1.4.1.311.10.3.4, timeStamping"},
		{"trusted and rejected for servers", "-addtrust serverAuth -addreject serverAuth", "trusted for serverAuth and rejected for serverAuth"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"x509", "-in", "ca.pem", "-trustout", "-out", "marked.pem"}, strings.Fields(c.marks)...)
			tool(t, dir, "openssl", args...)
			trusted := false
			for _, purpose := range []string{"sslserver", "sslclient"} {
				cmd := exec.Command("openssl", "verify", "-purpose", purpose, "-CAfile", "marked.pem", "leaf.pem")
				cmd.Dir = dir
				trusted = cmd.Run() == nil || trusted
			}
			data := append(text(other.cert), read(t, dir, "marked.pem")...)
			s, err := Decode(data)
			entries, kept := entriesOf(data), New(other.cert, ca.cert)
			require.Len(t, entries, 2)
			assert.Equal(t, ca.cert.Raw, entries[1].DER)
			assert.Equal(t, c.restriction, entries[1].Restriction)
			if c.restriction == "" {
				require.NoError(t, err)
				assert.Equal(t, TrustedCertificate, entries[1].Kind)
				assert.True(t, trusted, "openssl does not trust it")
			} else {
				assert.Nil(t, s)
				assert.ErrorContains(t, err, "block 2 (TRUSTED CERTIFICATE, line ")
				assert.ErrorContains(t, err, "marks the certificate as "+c.restriction+":")
				assert.Equal(t, RestrictedCertificate, entries[1].Kind)
				kept = New(other.cert)
				_, _, err = DecodeKey(append(pemOf("PRIVATE KEY", pkcs8(t, ca.key)), data...))
				assert.ErrorContains(t, err, c.restriction)
			}
			s, err = Decode(data, KeepGoing())
			assert.Equal(t, c.restriction != "", err != nil)
			assert.Equal(t, rawOf(kept), rawOf(s))
		})
	}
}

func entriesOf(data []byte, opts ...Option) (all []Entry) {
	for e := range Entries(data, opts...) {
		all = append(all, e)
	}
	return all
}

var (
	oidServerAuth  = oid(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1})
	oidCodeSigning = oid(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3})
	oidAnyUsage    = oid(asn1.ObjectIdentifier{2, 5, 29, 37, 0})
)

func TestWhatFollowsATrustedCertificateIsReadWhole(t *testing.T) {
	ca := realCerts(t)[0].Raw
	utf8 := func(s string) []byte { return tlv(0x0c, []byte(s)) }
	many := bytes.Repeat(oidCodeSigning, 100)
	for name, c := range map[string]struct {
		aux  []byte
		want string
	}{
		"nothing":                             {nil, ""},
		"no field":                            {seq(), ""},
		"all fields":                          {seq(seq(oidServerAuth), tlv(0xa0), utf8("x"), octets([]byte("id")), tlv(0xa1, seq(oidServerAuth))), ""},
		"a list of no trusted use":            {seq(seq()), "trusted for nothing"},
		"as many uses as are read":            {seq(seq(many)), "codeSigning and 92 more: leave it out"},
		"more uses":                           {seq(tlv(0xa0, oidServerAuth, many)), "more than 100 uses"},
		"a use that is a number":              {seq(seq(integer(1))), "is damaged"},
		"a use of a thousand bytes":           {seq(seq(tlv(0x06, bytes.Repeat([]byte{0x81}, 1000), []byte{1}))), "is damaged"},
		"a use that is cut off":               {seq(seq([]byte{0x06, 9, 0x2b})), "is damaged"},
		"rejected before trusted":             {seq(tlv(0xa0), seq()), "is damaged"},
		"two lists of trusted uses":           {seq(seq(oidAnyUsage), seq(oidCodeSigning)), "is damaged"},
		"a field of another kind":             {seq(integer(1)), "is damaged"},
		"a set":                               {tlv(0x31), "is damaged"},
		"a second one":                        {append(seq(), seq()...), "is damaged"},
		"a zero byte after it":                {append(seq(), 0), "is damaged"},
		"one byte":                            {[]byte{0x30}, "is damaged"},
		"a length of four gigabytes":          {[]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, "is damaged"},
		"indefinite length":                   {[]byte{0x30, 0x80, 0, 0}, "is damaged"},
		"another certificate, which is wrong": {realCerts(t)[1].Raw, "is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			data := pemOf("TRUSTED CERTIFICATE", append(bytes.Clone(ca), c.aux...))
			s, err := Decode(data)
			entries := entriesOf(data)
			require.Len(t, entries, 1)
			if c.want == "" {
				require.NoError(t, err)
				assert.Equal(t, 1, s.Len())
				assert.Equal(t, TrustedCertificate, entries[0].Kind)
				return
			}
			assert.Nil(t, s)
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "block 1 (TRUSTED CERTIFICATE, line 1, byte 0)")
			assert.Less(t, len(err.Error()), 400)
			assert.Equal(t, strings.Contains(c.want, "damaged") || strings.Contains(c.want, "more than"), entries[0].Err != nil)
			s, err = Decode(append(text(realCerts(t)[2]), data...), KeepGoing())
			assert.Error(t, err)
			assert.Equal(t, 1, s.Len())
		})
	}
}

// Java writes anyExtendedKeyUsage and takes everything; the attribute lists the
// extended key usages for which the certificate is trusted.
func TestDecodeReadsForWhatAPKCS12Trusts(t *testing.T) {
	certs := realCerts(t)[:2]
	attribute := func(values ...[]byte) []byte { return seq(oid(oidJavaTrusted), tlv(0x31, values...)) }
	name := seq(oid(oidFriendlyName), tlv(0x31, tlv(0x1e, []byte{0, 'a'})))
	for what, c := range map[string]struct {
		attributes [][]byte
		kind       EntryKind
		want       string
	}{
		"not marked":                    {[][]byte{name}, PlainCertificate, ""},
		"any use, as Java writes":       {[][]byte{attribute(oidAnyUsage), name}, TrustedCertificate, ""},
		"servers and signing of code":   {[][]byte{attribute(oidCodeSigning, oidServerAuth)}, TrustedCertificate, ""},
		"signing of code only":          {[][]byte{name, attribute(oidCodeSigning)}, RestrictedCertificate, "trusted for codeSigning"},
		"no use":                        {[][]byte{attribute()}, RestrictedCertificate, "trusted for nothing"},
		"a use that is a number":        {[][]byte{attribute(integer(1))}, 0, "is damaged"},
		"a number after any use":        {[][]byte{attribute(oidAnyUsage, integer(1))}, 0, "is damaged"},
		"two lists":                     {[][]byte{attribute(oidAnyUsage), attribute(oidCodeSigning)}, 0, "is damaged"},
		"more uses than anybody writes": {[][]byte{attribute(bytes.Repeat(oidAnyUsage, 100+1))}, 0, "more than 100 uses"},
	} {
		t.Run(what, func(t *testing.T) {
			bag := seq(oid(oidCertBag), tlv(0xa0, seq(oid(oidX509Certificate), tlv(0xa0, octets(certs[1].Raw)))), tlv(0x31, c.attributes...))
			data := pfx(certBag(certs[0]), bag)
			withKey := pfx(seq(oid(oidKeyBag), tlv(0xa0, pkcs8(t, testKey()))), bag)
			s, err := Decode(data)
			_, _, keyErr := DecodeKey(withKey)
			entries := entriesOf(data)
			require.Len(t, entries, 2)
			assert.Equal(t, c.kind, entries[1].Kind)
			if c.want == "" {
				require.NoError(t, err)
				require.NoError(t, keyErr)
				assertCerts(t, certs, s)
				return
			}
			assert.ErrorContains(t, err, "certificate 2 in the PKCS#12: ")
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, keyErr, c.want)
			assert.Nil(t, s)
			s, err = Decode(data, KeepGoing())
			assert.Error(t, err)
			assertCerts(t, certs[:1], s)
		})
	}
}
