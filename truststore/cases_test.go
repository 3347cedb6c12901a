package truststore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	smallstep "github.com/smallstep/pkcs7"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"
)

func TestKeysAndCertificatesThatOthersWrite(t *testing.T) {
	for _, c := range []struct {
		name, file string
		opts       []Option
		certs      int
		key        any
		err        string
	}{
		{"a PKCS#12 with eight zero bytes after it", "eight-zero-bytes.p12", []Option{WithPassword("test")}, 1, (*rsa.PrivateKey)(nil), ""},
		{"an encrypted PKCS#12 without a MAC", "nomac-all-encrypted.p12", []Option{WithPassword("test")}, 1, (*rsa.PrivateKey)(nil), ""},
		{"the same with a wrong password", "nomac-all-encrypted.p12", []Option{WithPassword("tset")}, 0, nil, "the password given does not fit"},
		{"the same without a password", "nomac-all-encrypted.p12", nil, 0, nil, "no password was given"},
		{"PEM with parameters of DH", "certificate-key-x942-dhparams.pem", nil, 1, (*rsa.PrivateKey)(nil), ""},
		{"a JKS, with both passwords", "key.jks", []Option{WithPassword("storepass"), WithKeyPassword("keypass1")}, 1, (*ecdsa.PrivateKey)(nil), ""},
		{"a JKS, with that of the key only", "key.jks", []Option{WithKeyPassword("keypass1")}, 1, (*ecdsa.PrivateKey)(nil), ""},
		{"a JKS, with that of the store for the key", "key.jks", []Option{WithPassword("storepass")}, 0, nil, "the password given does not fit"},
		{"a JKS, with that of the key for the store", "key.jks", []Option{WithPassword("keypass1")}, 0, nil, "the password given does not fit"},
		{"a JKS without a password", "key.jks", nil, 0, nil, "entry 1 (own) in the JKS: it is encrypted, and no password was given"},
		{"a JKS without a key", "jks-bad-digest.jks", nil, 0, nil, "there is no private key in it"},
		{"a JCEKS", "keystore.jceks", []Option{WithPassword("changeit")}, 0, nil, "-srckeystore FILE -srcstoretype JCEKS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, certs, err := DecodeKey(caseFile(t, c.file), c.opts...)
			if refused(t, err) {
				return
			}
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.certs, certs.Len())
			assert.IsType(t, c.key, key)
			assert.Equal(t, list(certs)[0].PublicKey, key.Public())
		})
	}
}

func TestCertificatesThatOthersWrite(t *testing.T) {
	cert := realCerts(t)[0]
	p7b, err := New(cert).Encode(PKCS7)
	require.NoError(t, err)
	p12, err := New(cert).Encode(PKCS12, WithPassword("test"))
	require.NoError(t, err)
	zeros := make([]byte, 9)
	for _, c := range []struct {
		name, password string
		data           []byte
		certs          int
		err            string
	}{
		{"lines that end in CR alone", "", caseFile(t, "cr-only.pem"), 1, ""},
		{"zero bytes after DER", "", append(bytes.Clone(cert.Raw), zeros...), 1, ""},
		{"zero bytes after PKCS#7", "", append(p7b, zeros...), 1, ""},
		{"zero bytes after PKCS#12", "test", append(p12, zeros...), 1, ""},
		{"zero bytes and another after DER", "", append(append(bytes.Clone(cert.Raw), zeros...), 1), 0, "certificate 2"},
		{"zero bytes between two in DER", "", append(append(bytes.Clone(cert.Raw), zeros...), cert.Raw...), 0, "certificate 2"},
		{"zero bytes and another after PKCS#7", "", append(p7b, 0, 0, 1), 0, "3 bytes follow"},
		{"a JCEKS", "changeit", caseFile(t, "trusted.jceks"), 1, ""},
		{"a JCEKS without its password", "", caseFile(t, "trusted.jceks"), 1, ""},
		{"a JCEKS with a wrong password", "wrong", caseFile(t, "trusted.jceks"), 0, "the password given does not fit"},
		{"a JKS whose digest is wrong", "changeit", caseFile(t, "jks-bad-digest.jks"), 0, "the password given does not fit"},
		{"a JCEKS with a secret key", "storepass", caseFile(t, "key.jceks"), 0, "private key"},
		{"a request in DER", "", caseFile(t, "request.csr.der"), 0, "this is a certificate request (CSR)"},
		{"a public key in DER", "", caseFile(t, "publickey.der"), 0, "this is a public key"},
		{"a page", "", caseFile(t, "html-page.cer"), 0, "this is an HTML page"},
		{"a certificate that OpenSSL rejects", "", caseFile(t, "rejected-trusted-certificate.pem"), 0, "rejected for serverAuth, clientAuth"},
		{"parameters alone", "", []byte("-----BEGIN DH PARAMETERS-----\nMAYCAQACAQI=\n-----END DH PARAMETERS-----\n"), 0, "these are parameters of keys"},
	} {
		s, err := Decode(c.data, WithPassword(c.password))
		if refused(t, err) {
			continue
		}
		if c.err != "" {
			assert.ErrorContains(t, err, c.err, c.name)
			continue
		}
		if assert.NoError(t, err, c.name) {
			assert.Equal(t, c.certs, s.Len(), c.name)
		}
	}
}

// Messages of OpenSSL for CMP, and an attribute certificate as RFC 5755 (section 4.1) has
// it, are named.
func TestWhatIsNotACertificateIsNamed(t *testing.T) {
	dir := t.TempDir()
	cmp := "-use_mock_srv -ref x -secret pass:x -srv_ref x -srv_secret pass:x "
	tool(t, dir, "openssl", strings.Fields("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem")...)
	tool(t, dir, "openssl", strings.Fields("req -x509 -key key.pem -subj /CN=x -out cert.pem")...)
	tool(t, dir, "openssl", strings.Fields("cmp -cmd genm "+cmp+"-reqout genm.der -rspout genp.der")...)
	tool(t, dir, "openssl", strings.Fields("cmp -cmd ir "+cmp+"-newkey key.pem -subject /CN=x -rsp_cert cert.pem -certout out.pem -reqout ir.der,certconf.der -rspout ip.der,pkiconf.der")...)

	sha256WithRSA := seq(oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}), []byte{5, 0})
	name := tlv(0xa4, seq(tlv(0x31, seq(oid(asn1.ObjectIdentifier{2, 5, 4, 3}), tlv(0x0c, []byte("holder"))))))
	attribute := seq(
		seq(
			[]byte{2, 1, 1},                // version 2
			seq(tlv(0xa1, name)),           // holder: entityName
			tlv(0xa0, seq(name)),           // issuer: v2Form
			sha256WithRSA, []byte{2, 1, 7}, // serialNumber
			seq(tlv(0x18, []byte("20260101000000Z")), tlv(0x18, []byte("20270101000000Z"))),
			seq(seq(oid(asn1.ObjectIdentifier{2, 5, 4, 72}), tlv(0x31, seq(tlv(0xa1, tlv(0x86, []byte("urn:role"))))))),
		),
		sha256WithRSA, tlv(3, []byte{0}, make([]byte, 256)),
	)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a question of CMP":        {read(t, dir, "genm.der"), "this is a message of CMP (RFC 4210)"},
		"an answer of CMP":         {read(t, dir, "genp.der"), "this is a message of CMP (RFC 4210)"},
		"a request in CMP":         {read(t, dir, "ir.der"), "this is a message of CMP (RFC 4210)"},
		"a certificate in CMP":     {read(t, dir, "ip.der"), "this is a message of CMP (RFC 4210)"},
		"a confirmation in CMP":    {read(t, dir, "certconf.der"), "this is a message of CMP (RFC 4210)"},
		"an attribute certificate": {attribute, "this is an attribute certificate (RFC 5755)"},
	} {
		_, err := Decode(c.data)
		assert.ErrorContains(t, err, c.want, name)
		_, err = Decode(pem.EncodeToMemory(&pem.Block{Type: "ATTRIBUTE CERTIFICATE", Bytes: c.data}))
		assert.ErrorContains(t, err, "this is not a certificate", name+" in PEM of its own kind")
	}
}

func TestEntriesOfAJCEKS(t *testing.T) {
	var got []string
	for e := range Entries(caseFile(t, "key.jceks")) {
		got = append(got, fmt.Sprintf("%v %d %q kind %d position %d, %v", e.Format, e.Number, e.Alias, e.Kind, e.Position, e.Err))
	}
	assert.Equal(t, []string{
		`JKS 1 "own" kind 5 position 0, <nil>`,
		`JKS 1 "own" kind 3 position 1, <nil>`,
		`JKS 2 "zsecret" kind 0 position 0, truststore: entry 2 (zsecret) in the JKS: it is a secret key, whose length the JCEKS does not say: what follows it is not read`,
	}, got)
}

func TestAPKCS12WithoutAMACIsCheckedByItsDecryption(t *testing.T) {
	open, err := pkcs12.Passwordless.EncodeTrustStore(realCerts(t)[:1], "")
	require.NoError(t, err)
	_, err = Decode(open, WithPassword("test"))
	assert.ErrorContains(t, err, "this PKCS#12 has no MAC, and nothing that a password could check")
	s, err := Decode(open)
	require.NoError(t, err)
	assert.Equal(t, 1, s.Len())

	// About one of 256 wrong passwords gives padding that is right.
	data := caseFile(t, "nomac-all-encrypted.p12")
	for i := range 300 {
		_, err := Decode(data, WithPassword(strconv.Itoa(i)))
		if refused(t, err) {
			return
		}
		require.ErrorIs(t, err, ErrPassword, i)
	}
}

func TestACertificateHasTheNameOfItsKey(t *testing.T) {
	id := seq(oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 21}), tlv(0x31, octets([]byte{7})))
	name := func(text string) []byte {
		return seq(oid(oidFriendlyName), tlv(0x31, tlv(0x1e, []byte(text))))
	}
	value := tlv(0xa0, seq(oid(oidX509Certificate), tlv(0xa0, octets(realCerts(t)[0].Raw))))
	key := seq(oid(oidKeyBag), tlv(0xa0, pkcs8(t, testKey())), tlv(0x31, id, name("\x00a")))
	var got []string
	for e := range Entries(pfx(key, seq(oid(oidCertBag), value, tlv(0x31, id)), seq(oid(oidCertBag), value, tlv(0x31, id, name("\x00b"))), seq(oid(oidCertBag), value))) {
		require.NoError(t, e.Err)
		got = append(got, e.Alias)
	}
	assert.Equal(t, []string{"a", "a", "b", ""}, got, "the key's, and its certificate's unless that has its own")
}

// What is written for Java of old is read by today's, OpenSSL's "legacy" provider and Windows.
func TestPKCS12OfOldIsWrittenOnRequestOnly(t *testing.T) {
	if fips140.Enforced() {
		_, err := New(realCerts(t)...).Encode(PKCS12Legacy, WithPassword("changeit"))
		require.ErrorContains(t, err, "triple DES")
		return
	}
	data, err := New(realCerts(t)...).Encode(PKCS12Legacy, WithPassword("changeit"))
	require.NoError(t, err)
	assert.Contains(t, string(data), "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03", "pbeWithSHAAnd3-KeyTripleDES-CBC")
	f, err := Detect(data)
	require.NoError(t, err)
	assert.Equal(t, PKCS12, f)
	s, err := Decode(data, WithPassword("changeit"))
	require.NoError(t, err)
	assert.Empty(t, Diff(s, New(realCerts(t)...)))
	modern, err := s.Encode(PKCS12, WithPassword("changeit"))
	require.NoError(t, err)
	assert.NotContains(t, string(modern), "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03")
}

// What the README says about the programs with which the formats are proved: they read what
// we write, and we read what they write of that, up to 300 certificates. GnuTLS reads 32 of a
// part of a PKCS#12, and go-pkcs12 writes all in one part.
func TestFormatsUpTo300Certificates(t *testing.T) {
	if fips140.Enforced() {
		t.Skip("triple DES is not approved for FIPS 140-3")
	}
	sizes := []int{33}
	if thorough {
		sizes = []int{32, 33, 100, 300}
	}
	for _, n := range sizes {
		dir := t.TempDir()
		var s Store
		for i := range n {
			s.Add(newCert(t, pkix.Name{CommonName: "c" + strconv.Itoa(i)}))
		}
		for name, f := range map[string]Format{"our.pem": PEM, "our.p7b": PKCS7, "new.p12": PKCS12, "old.p12": PKCS12Legacy, "our.jks": JKS} {
			var opts []Option
			if formOf(f).java {
				opts = append(opts, WithPassword("geheim"))
			}
			require.NoError(t, s.WriteFile(filepath.Join(dir, name), f, opts...))
		}
		run := func(what string, check func(t *testing.T)) {
			t.Run(fmt.Sprintf("%d certificates, %s", n, what), func(t *testing.T) {
				if strings.Contains(what, "keytool") {
					slow(t)
				}
				check(t)
			})
		}
		for command, mark := range map[string]string{
			"certtool --certificate-info --infile our.pem":                     "-----BEGIN",
			"keytool -printcert -file our.pem":                                 "Owner: ",
			"openssl pkcs7 -inform DER -in our.p7b -print_certs":               "-----BEGIN",
			"certtool --p7-info --inder --infile our.p7b":                      "-----BEGIN CERT",
			"keytool -printcert -file our.p7b":                                 "Owner: ",
			"openssl pkcs12 -nokeys -passin pass:geheim -in new.p12":           "-----BEGIN",
			"openssl pkcs12 -nokeys -passin pass:geheim -in old.p12":           "-----BEGIN",
			"keytool -list -storepass geheim -keystore new.p12":                "trustedCertEntry",
			"keytool -list -storepass geheim -keystore old.p12":                "trustedCertEntry",
			"pk12util -W geheim -l new.p12":                                    "Friendly Name: ", // NSS
			"pk12util -W geheim -l old.p12":                                    "Friendly Name: ",
			"certtool --p12-info --inraw --password geheim --infile new.p12":   "-----BEGIN",
			"certtool --p12-info --inraw --password geheim --infile old.p12":   "-----BEGIN",
			"keytool -list -storepass geheim -storetype JKS -keystore our.jks": "trustedCertEntry",
		} {
			run("read by "+command, func(t *testing.T) {
				want := n
				if strings.Contains(command, "--p12-info") {
					want = min(n, 32)
				}
				args := strings.Fields(command)
				assert.Equal(t, want, bytes.Count(tool(t, dir, args[0], args[1:]...), []byte(mark)))
			})
		}
		run("in XML made by hand", func(t *testing.T) {
			text := "<x xmlns='http://www.w3.org/2000/09/xmldsig#'>"
			for cert := range s.All() {
				text += "<X509Certificate>" + base64.StdEncoding.EncodeToString(cert.Raw) + "</X509Certificate>"
			}
			again, err := Decode([]byte(text + "</x>"))
			require.NoError(t, err)
			assert.Empty(t, Diff(&s, again))
		})
		for out, command := range map[string]string{
			"openssl.p7b":  "openssl crl2pkcs7 -nocrl -certfile our.pem -outform DER -out openssl.p7b",
			"certtool.p7b": "certtool --p7-generate --load-certificate our.pem --outder --outfile certtool.p7b",
			"openssl.p12":  "openssl pkcs12 -export -nokeys -in our.pem -passout pass:geheim -out openssl.p12",
			"keytool.p12":  "keytool -importkeystore -noprompt -srckeystore our.jks -srcstorepass geheim -destkeystore keytool.p12 -deststoretype PKCS12 -deststorepass geheim",
			"keytool.jks":  "keytool -importkeystore -noprompt -srckeystore new.p12 -srcstorepass geheim -destkeystore keytool.jks -deststoretype JKS -deststorepass geheim",
		} {
			run("written by "+command, func(t *testing.T) {
				args := strings.Fields(command)
				tool(t, dir, args[0], args[1:]...)
				again, err := Decode(read(t, dir, out), WithPassword("geheim"))
				require.NoError(t, err)
				assert.Equal(t, n, again.Len())
				assert.Empty(t, Diff(&s, again))
			})
		}
	}
}

// The PKCS#7 library has a switch for the whole process, which any package can set.
func TestPKCS7IsReadAsCryptoX509Does(t *testing.T) {
	key := testKey()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), ExtraExtensions: []pkix.Extension{
		{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Critical: true, Value: seq(tlv(0x80, []byte{1}))},
	}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	data, err := smallstep.DegenerateCertificate(der)
	require.NoError(t, err)
	for _, lenient := range []bool{false, true} {
		smallstep.SetFallbackLegacyX509CertificateParserEnabled(lenient)
		_, err := Decode(data)
		assert.ErrorContains(t, err, "certificate 1 in the PKCS#7: x509: authority key identifier incorrectly marked critical", "%t", lenient)
	}
	smallstep.SetFallbackLegacyX509CertificateParserEnabled(false)
}
