package pkioverheid_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

func TestOINsHaveARegister(t *testing.T) {
	cases := []struct{ oin, register string }{ // facts.md §6
		{"00000001002220647000", "RSIN"},
		{"00000002003214394001", "Fi-nummer"},
		{"00000003271987420000", "KVK-nummer"},
		{"00000004194049711000", "sub-OIN"},
		{"00000005000000000000", ""},
		{"00000007AB1200000000", "BRIN"},
		{"00000008823631400000", "buitenlands nummer"},
		{"00000099000000001000", "testnummer"},
		{"12345678901234567890", ""},
	}
	for _, c := range cases {
		oin := pkioverheid.OIN(c.oin)
		require.NoError(t, oin.Validate(), c.oin)
		assert.Equal(t, c.register, oin.Register(), c.oin)
		assert.Equal(t, strings.HasPrefix(c.oin, "00000099"), oin.IsTest())
	}
	for _, short := range []pkioverheid.OIN{"", "0000000"} {
		assert.Empty(t, short.Register())
		assert.False(t, short.IsTest())
	}
}

func TestWhatIsNoOINIsAnError(t *testing.T) {
	cases := map[string]struct{ text, says string }{
		"nothing":                     {"", "no OIN"},
		"19 digits":                   {"0000000327198742000", "it has 19 characters, not 20"},
		"21 digits":                   {"000000032719874200000", "it has 21 characters, not 20"},
		"spaces around it":            {" 00000003271987420000 ", "22 characters"},
		"spaces in it":                {"00000003 27198742 00", `character 9 is ' '`},
		"a letter in the prefix":      {"0000000A271987420000", "character 8"},
		"a letter in the suffix":      {"0000000327198742000A", "character 20"},
		"a small letter":              {"00000007ab1200000000", "character 9"},
		"digits of another script":    {"٠٠٠٠٠٠٠٠٠٠", `character 1`},
		"a control character":         {"00000003271987\x1b20000", `'\x1b'`},
		"a huge text":                 {strings.Repeat("9", 1<<20), "1048576 characters"},
		"an organisation's KvK alone": {"NTRNL-27198742", "14 characters"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := pkioverheid.OIN(c.text).Validate()
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "\x1b")
			assert.Less(t, len(err.Error()), 300)
		})
	}
}

func TestTheOINOfACertificateIsItsOnlySerialNumber(t *testing.T) {
	subject := func(values ...any) *x509.Certificate {
		template := new(x509.Certificate)
		for _, v := range values {
			template.Subject.ExtraNames = append(template.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 5}, Value: v})
		}
		return sign(t, template, nil).Leaf
	}
	oin, err := pkioverheid.OINOf(subject(string(someOIN)))
	require.NoError(t, err)
	assert.Equal(t, someOIN, oin)
	for name, c := range map[string]struct {
		cert *x509.Certificate
		says string
	}{
		"none":                    {subject(), "the subject has no serialNumber, which should be the OIN"},
		"two":                     {subject(string(someOIN), string(someOIN)), "the subject has 2 serialNumbers"},
		"of another form":         {subject("NTRNL-27142"), `the subject's serialNumber "NTRNL-27142" is not an OIN: it has 11 characters, not 20`},
		"with a space after it":   {subject(string(someOIN) + " "), "21 characters"},
		"empty":                   {subject(""), "0 characters"},
		"of a CA":                 {sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, Subject: pkix.Name{CommonName: "ca", SerialNumber: string(someOIN)}}, nil).Leaf, `"ca" is a CA`},
		"no certificate":          {nil, "there is no certificate"},
		"one that was not parsed": {new(x509.Certificate), "there is no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			oin, err := pkioverheid.OINOf(c.cert)
			assert.Empty(t, oin)
			require.ErrorContains(t, err, c.says)
			assert.True(t, strings.HasPrefix(err.Error(), "pkioverheid: "))
			assert.Equal(t, 1, strings.Count(err.Error(), "pkioverheid: "))
		})
	}
}

func FuzzOIN(f *testing.F) {
	for _, s := range []string{string(someOIN), "", "00000007AB1200000000", "0000000327198742000", "٠"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := pkioverheid.OIN(s).Validate(); err != nil && len(err.Error()) > 500 || err == nil && len(s) != 20 {
			t.Errorf("%q %v", s, err)
		}
	})
}
