package truststore

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

// describe says about each entry what matters to a test.
func describe(entries []Entry) (lines []string) {
	kinds := map[EntryKind]string{PlainCertificate: "certificate", TrustedCertificate: "trusted", KeyCertificate: "of key", RestrictedCertificate: "restricted", PrivateKey: "key"}
	for _, e := range entries {
		line := fmt.Sprintf("%v %d %s", e.Format, e.Number, kinds[e.Kind])
		if e.Line > 0 {
			line += fmt.Sprintf(" line %d", e.Line)
		}
		if e.Alias != "" {
			line += " " + e.Alias
		}
		if e.Position > 0 {
			line += fmt.Sprintf(" position %d", e.Position)
		}
		if e.Err != nil {
			line = fmt.Sprintf("%v %d error", e.Format, e.Number)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTheKindsAreThoseOfTheReaders(t *testing.T) {
	assert.Equal(t, []EntryKind{0, PlainCertificate, TrustedCertificate, KeyCertificate, RestrictedCertificate, PrivateKey},
		[]EntryKind{EntryKind(entry.Unknown), EntryKind(entry.Plain), EntryKind(entry.Trusted), EntryKind(entry.OfKey), EntryKind(entry.Restricted), EntryKind(entry.PrivateKey)})
}

func TestEntriesOfFilesOfOtherPrograms(t *testing.T) {
	for file, want := range map[string][]string{
		"der/two.der":             {"DER 1 certificate", "DER 2 certificate"},
		"jks/keytool.jks":         {"JKS 1 trusted b", "JKS 2 trusted a"},
		"jks/keytool-key.jks":     {"JKS 1 key 1", "JKS 1 of key 1 position 1"},
		"pkcs7/openssl.p7b":       {"PKCS7 1 certificate", "PKCS7 2 certificate"},
		"pkcs12/keytool.p12":      {"PKCS12 1 trusted a", "PKCS12 2 trusted b"},
		"key/openssl.p12":         {"PKCS12 1 key", "PKCS12 1 of key"},
		"key/certtool.p12":        {"PKCS12 1 key n", "PKCS12 1 of key n"},
		"key/openssl-both.pem":    {"PEM 1 key line 1", "PEM 2 certificate line 6"},
		"key/openssl.der":         {" 1 key"},
		"pem/openssl-trusted.pem": {"PEM 1 trusted line 1"},
		"pem/openssl-pkcs7.pem":   {"PEM 1 certificate line 1 position 1", "PEM 1 certificate line 1 position 2"},
	} {
		t.Run(file, func(t *testing.T) {
			data := seeds(t, strings.Split(file, "/")[0])["testdata/seeds/"+file]
			require.NotNil(t, data)
			entries := slices.Collect(Entries(data, WithPassword(seedPassword)))
			if refused(t, entries[0].Err) {
				return
			}
			assert.Equal(t, want, describe(entries))
		})
	}
}

func TestEntriesSayWhatIsWrongAndGoOn(t *testing.T) {
	all := realCerts(t)[:3]
	ca := strings.TrimSpace(string(pemOf("CERTIFICATE", all[0].Raw)))
	key := string(pemOf("PRIVATE KEY", pkcs8(t, testKey())))
	for name, c := range map[string]struct {
		data string
		want []string
		err  string
	}{
		"damage between two blocks":        {ca + "\n-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n" + ca, []string{"PEM 1 certificate line 1", "PEM 2 error", "PEM 3 certificate line"}, "damaged base64"},
		"a block that is cut off":          {ca + "\n" + ca[:200], []string{"PEM 1 certificate line 1", "PEM 2 error"}, "no END line"},
		"a key and parameters":             {key + "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + ca, []string{"PEM 1 key line 1", "PEM 3 certificate line"}, ""},
		"the same certificate twice":       {ca + "\n" + ca, []string{"PEM 1 certificate line 1", "PEM 2 certificate line"}, ""},
		"nothing that is known":            {"hello", []string{" 0 error"}, "neither certificates nor keys"},
		"DER that is cut off":              {string(all[0].Raw[:100]), []string{" 0 error"}, "cut off"},
		"a bag with something else":        {string(pemOf("PKCS7", []byte{0x30, 0})), []string{"PEM 1 error"}, "damaged PKCS#7"},
		"a keystore with another password": {string(jksOf("other", 2, 1, jksEntryOf(jksTrustedCert, "x", jksCertOf("X.509", all[0].Raw)))), []string{"JKS 0 error"}, "the password given does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			entries := slices.Collect(Entries([]byte(c.data), WithPassword(seedPassword)))
			if refused(t, entries[0].Err) {
				return
			}
			got := describe(entries)
			require.Len(t, got, len(c.want))
			var texts []string
			for i, e := range entries {
				assert.Truef(t, strings.HasPrefix(got[i], c.want[i]), "%s, want %s", got[i], c.want[i])
				if e.Err != nil {
					assert.True(t, strings.HasPrefix(e.Err.Error(), "truststore: "), "%v", e.Err)
					assert.Nil(t, e.DER)
					texts = append(texts, e.Err.Error())
				}
			}
			assert.Contains(t, strings.Join(texts, "\n"), c.err)
			assert.Equal(t, c.err != "", texts != nil)
		})
	}
}

func TestEntriesOfXMLSayWhereTheyStand(t *testing.T) {
	data := samlMetadata(realCerts(t)[:2]...)
	for e := range Entries([]byte(data)) {
		require.NoError(t, e.Err)
		var names []string
		for _, element := range e.Elements {
			names = append(names, element.Name.Local)
			for _, a := range element.Attr {
				assert.NotEqual(t, "xmlns", a.Name.Local)
				assert.NotEqual(t, "xmlns", a.Name.Space)
			}
		}
		assert.Equal(t, "X509Data", names[len(names)-1])
		assert.Contains(t, names, "KeyInfo")
	}
}

func TestEntriesAreNotReadOnAfterTheLastOneWanted(t *testing.T) {
	all := realCerts(t)
	for name, data := range map[string][]byte{
		"PEM": text(all...), "DER": ders(all...), "PKCS7": bag(t, all...), "XML": []byte(samlMetadata(all...)),
		"JKS": jksOf("", 2, 2, jksEntryOf(jksTrustedCert, "x", jksCertOf("X.509", all[0].Raw)), jksEntryOf(jksTrustedCert, "y", jksCertOf("X.509", all[1].Raw))),
	} {
		n := 0
		for range Entries(data) {
			n++
			break
		}
		assert.Equal(t, 1, n, name)
	}
}

func TestAnErrorInPEMSaysWhatWasToBeThere(t *testing.T) {
	const damaged = "-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n"
	for text, want := range map[string]EntryKind{
		damaged:              PlainCertificate,
		"# ours\n" + damaged: PlainCertificate,
		"-----BEGIN PKCS7-----\nMIIC\n-----END PKCS7-----\n": PlainCertificate,
		"-----BEGIN PKCS7-----\nMIIC\n":                      PlainCertificate,
		"-----BEGIN PRIVATE KEY-----\nMIIC\n":                PrivateKey,
		"-----BEGIN X-----\nMIIC\n":                          0,
		"-----BEGIN CERTIFICATE----\nMIIC\n":                 0,
	} {
		entries := entriesOf([]byte(text))
		require.Len(t, entries, 1, text)
		require.Error(t, entries[0].Err, text)
		require.Equal(t, want, entries[0].Kind, text)
	}
}

// What Decode takes, Entries lists.
func FuzzEntries(f *testing.F) {
	for _, decoder := range []string{"pem", "der", "pkcs7", "pkcs12", "jks", "xml", "key"} {
		for _, data := range seeds(f, decoder) {
			f.Add(data)
		}
	}
	f.Add([]byte("x: `-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----`"))
	f.Fuzz(func(t *testing.T, data []byte) {
		listed := map[[sha256.Size]byte]bool{}
		for e := range Entries(data, WithPassword(seedPassword)) {
			if e.Err != nil {
				require.Nil(t, e.DER)
				if e.Format != PEM {
					require.Zero(t, e.Kind)
				}
				require.Less(t, len(e.Err.Error()), 2000)
				continue
			}
			require.NotZero(t, e.Kind)
			require.Equal(t, e.Kind == PrivateKey, e.DER == nil)
			if e.DER == nil {
				continue
			}
			if cert, err := x509.ParseCertificate(bytes.Clone(e.DER)); err == nil {
				listed[sha256.Sum256(cert.Raw)] = true
			}
		}
		all, _ := Decode(data, WithPassword(seedPassword), KeepGoing())
		for cert := range all.All() {
			require.True(t, listed[FingerprintOf(cert)])
		}
	})
}
