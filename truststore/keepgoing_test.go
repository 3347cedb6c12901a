package truststore

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeepGoing(t *testing.T) {
	all := realCerts(t)
	good := []*x509.Certificate{all[0], all[2]}
	broken := bytes.Clone(all[1].Raw)
	broken[bytes.Index(broken, []byte{0x17, 13})+2] = 'x' // in the validity
	bad := parseLoose(broken)
	mixed := []*x509.Certificate{all[0], bad, all[2]}
	pemText := string(text(mixed...))
	key := string(pemOf("PRIVATE KEY", pkcs8(t, testKey())))
	keyBag := seq(oid(oidKeyBag), tlv(0xa0, pkcs8(t, testKey())))
	var entries [][]byte
	for _, cert := range mixed {
		entries = append(entries, jksEntryOf(jksTrustedCert, "x", jksCertOf("X.509", cert.Raw)))
	}
	for name, c := range map[string]struct {
		data string
		want []*x509.Certificate
		errs []string
	}{
		"nothing bad":                         {string(text(good...)), good, nil},
		"a bad PEM block":                     {pemText, good, []string{"truststore: block 2 (CERTIFICATE, line "}},
		"a key among PEM blocks":              {pemText + key, good, []string{"block 2 (", "block 4 (PRIVATE KEY"}},
		"a block without its END line":        {strings.Replace(pemText, "-----END CERTIFICATE-----\n", "", 1), good[1:], []string{"block 1 (CERTIFICATE, line 1, byte 0) has no END line before line ", "block 2 ("}},
		"a last block without its END line":   {strings.TrimSuffix(string(text(good...)), "-----END CERTIFICATE-----\n"), good[:1], []string{"block 2 ("}},
		"a damaged BEGIN line":                {strings.Replace(string(text(good...)), "BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE---", 1), good[1:], []string{"block 1 (line 1, byte 0): damaged BEGIN line", "END line without"}},
		"a bad certificate in a PKCS#7 block": {string(text(all[4])) + string(pemOf("PKCS7", bag(t, mixed...))), []*x509.Certificate{all[4], all[0], all[2]}, []string{"truststore: block 2 (PKCS7, line "}},
		"a bad certificate in DER":            {string(ders(mixed...)), good, []string{"certificate 2 (byte "}},
		"DER that ends in the middle":         {string(ders(mixed...)) + string(all[3].Raw[:100]), good, []string{"certificate 2 (byte ", "certificate 4 (byte "}},
		"a bad certificate in PKCS#7":         {string(bag(t, mixed...)), good, []string{"truststore: certificate 2 in the PKCS#7"}},
		"a key and more in PKCS#12":           {string(pfx(certBag(all[0]), keyBag, certBag(bad), certBag(all[2]))), good, []string{"private key in it", "certificate 2 in the PKCS#12"}},
		"a bad certificate in a JKS":          {string(jksOf("geheim", 2, 3, entries...)), good, []string{"entry 2 (x) in the JKS"}},
		"a bad certificate in XML":            {samlMetadata(mixed...), good, []string{"X509Certificate 2 (byte "}},
		"XML that ends in the middle":         {samlMetadata(good...)[:4000], good[:1], []string{"cut off"}},
		"nothing good":                        {key, nil, []string{"block 1 (PRIVATE KEY"}},
		"no certificate":                      {string(pemOf("X509 CRL", []byte{0x30, 0})), nil, []string{"there is no certificate in it"}},
		"an HTML page":                        {"<html>", nil, []string{"HTML page"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.errs != nil {
				s, err := Decode([]byte(c.data))
				require.Error(t, err)
				require.Nil(t, s)
			}
			s, err := Decode([]byte(c.data), KeepGoing())
			if c.want == nil {
				assert.Nil(t, s)
			} else {
				assertCerts(t, c.want, s)
			}
			if c.errs == nil {
				require.NoError(t, err)
				return
			}
			var many interface{ Unwrap() []error }
			require.True(t, errors.As(err, &many))
			require.Len(t, many.Unwrap(), len(c.errs), "%v", err)
			for i, want := range c.errs {
				assert.ErrorContains(t, many.Unwrap()[i], want)
				assert.True(t, strings.HasPrefix(many.Unwrap()[i].Error(), "truststore: "))
			}
			assert.Equal(t, errors.Join(many.Unwrap()...).Error(), err.Error())
		})
	}
	_, _, err := DecodeKey([]byte(key+pemText), KeepGoing())
	assert.ErrorContains(t, err, "block 3 (CERTIFICATE")
}

// What goes with a certificate counts, also where the reading goes on.
func TestKeepGoingKeepsNoCertificateThatIsRejected(t *testing.T) {
	all := realCerts(t)
	rejected, other := all[0], all[1]
	aux := seq(tlv(0xa0, oidServerAuth))
	both := append(bytes.Clone(rejected.Raw), aux...)
	for name, data := range map[string][]byte{
		"as DER":                           both,
		"as base64 without BEGIN and END":  []byte(base64.StdEncoding.EncodeToString(both)),
		"as DER, trusted for other uses":   append(bytes.Clone(rejected.Raw), seq(seq(oidCodeSigning))...),
		"as DER, and then another":         append(bytes.Clone(both), other.Raw...),
		"as DER, and then plain":           append(bytes.Clone(both), rejected.Raw...),
		"plain, and then as DER":           append(bytes.Clone(rejected.Raw), both...),
		"in a block":                       pemOf("TRUSTED CERTIFICATE", both),
		"in a block before a plain one":    append(pemOf("TRUSTED CERTIFICATE", both), text(rejected, other)...),
		"in a block after a plain one":     append(text(other, rejected), pemOf("TRUSTED CERTIFICATE", both)...),
		"in a damaged block after a plain": append(text(other, rejected), pemOf("TRUSTED CERTIFICATE", append(bytes.Clone(both), 0))...),
	} {
		s, err := Decode(data)
		require.Error(t, err, name)
		require.Nil(t, s, name)
		s, err = Decode(data, KeepGoing())
		require.Error(t, err, name)
		assert.False(t, s.Contains(rejected), name)
		assert.Equal(t, bytes.Contains(data, other.Raw) || bytes.Contains(data, text(other)), s.Contains(other), name)
	}
	entries := entriesOf(both)
	require.NotEmpty(t, entries)
	assert.Equal(t, RestrictedCertificate, entries[0].Kind)
	assert.Equal(t, "rejected for serverAuth", entries[0].Restriction)

	dir := t.TempDir()
	write(t, dir, "a.pem", text(rejected, other))
	write(t, dir, "b.pem", pemOf("TRUSTED CERTIFICATE", both))
	write(t, dir, "c.cer", rejected.Raw)
	s, err := Open(dir, KeepGoing())
	assert.ErrorContains(t, err, "rejected for serverAuth")
	assertCerts(t, []*x509.Certificate{other}, s)
	source, err := Watch(t.Context(), dir, KeepGoing(), OnReload(func(Reload) {}))
	require.NoError(t, err)
	assertCerts(t, []*x509.Certificate{other}, source.Store())
}

func TestKeepGoingInAFolder(t *testing.T) {
	all := realCerts(t)
	dir := t.TempDir()
	write(t, dir, "a.pem", text(all[0], parseLoose([]byte("\x30\x00")), all[1]))
	b := write(t, dir, "b.html", []byte("<html>"))
	write(t, dir, "c.cer", all[2].Raw)
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "d")))
	s, err := Open(dir)
	require.ErrorContains(t, err, "a.pem: block 2")
	assert.Nil(t, s)

	s, err = Open(dir, KeepGoing())
	assertCerts(t, all[:3], s)
	errs := err.(interface{ Unwrap() []error }).Unwrap()
	require.Len(t, errs, 3)
	assert.ErrorContains(t, errs[0], "truststore: "+filepath.Join(dir, "a.pem")+": block 2 (")
	assert.ErrorContains(t, errs[1], "truststore: "+b+": this is an HTML page")
	assert.ErrorIs(t, errs[2], os.ErrNotExist)
	assert.ErrorIs(t, err, os.ErrNotExist)

	_, err = Open(t.TempDir(), KeepGoing())
	assert.ErrorContains(t, err, "no certificate in this folder")
	_, err = Open(filepath.Join(dir, "missing"), KeepGoing())
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestAMillionErrorsAreNotKept(t *testing.T) {
	cert := realCerts(t)[0]
	data := strings.Repeat("-----BEGIN X-----\n-----END X-----\n", 500_000) + string(text(cert))
	s, err := Decode([]byte(data), KeepGoing())
	assertCerts(t, []*x509.Certificate{cert}, s)
	assert.ErrorContains(t, err, "and 499900 more errors")
	assert.Less(t, len(err.Error()), 20_000)
}
