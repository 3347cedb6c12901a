package pkioverheid

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	uziName  = "2.16.528.1.1003.1.3.5.5.5-1-123456789-S-90000123-00.000-00000000"
	uziOther = "2.16.528.1.1003.1.3.5.5.5-1-123456789-S-90000124-00.000-00000000"
)

// sanNames writes GeneralNames.
func sanNames(t testing.TB, names ...func(*cryptobyte.Builder)) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, n := range names {
			n(b)
		}
	})
	der, err := b.Bytes()
	require.NoError(t, err)
	return der
}

func otherNameOf(oid []int, value func(*cryptobyte.Builder)) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1(cbasn1.Tag(0).Constructed().ContextSpecific(), value)
		})
	}
}

func textOf(tag cbasn1.Tag, s string) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
	}
}

func ia5Name(s string) func(*cryptobyte.Builder) {
	return otherNameOf(oidUZIName, textOf(cbasn1.IA5String, s))
}

func permanent(s string) func(*cryptobyte.Builder) {
	return otherNameOf(oidPermanentIdentifier, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, textOf(cbasn1.UTF8String, s))
	})
}

func dnsName(s string) func(*cryptobyte.Builder) { return textOf(cbasn1.Tag(2).ContextSpecific(), s) }

func TestTheHolderOfAnUZICertificateIsRead(t *testing.T) {
	want := UZI{Number: "123456789", URA: "90000123", OtherName: uziName}
	cases := []struct {
		name string
		der  []byte
		ok   bool
	}{
		{"as in G1", sanNames(t, dnsName("zorg.example"), ia5Name(uziName)), true},
		{"as in G4, in both", sanNames(t, ia5Name(uziName), permanent(uziName), dnsName("zorg.example")), true},
		{"the permanentIdentifier alone", sanNames(t, permanent(uziName)), true},
		{"a permanentIdentifier of another form beside it", sanNames(t, permanent("something"), ia5Name(uziName)), true},
		{"an otherName of another kind beside it", sanNames(t, otherNameOf([]int{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}, textOf(cbasn1.UTF8String, "x@y")), ia5Name(uziName)), true},
		{"the same twice", sanNames(t, ia5Name(uziName), ia5Name(uziName)), true},
		{"two that differ", sanNames(t, ia5Name(uziName), ia5Name(uziOther)), false},
		{"two that differ in the last digits", sanNames(t, ia5Name(uziName), ia5Name(uziName[:len(uziName)-1]+"1")), false},
		{"two kinds that differ", sanNames(t, ia5Name(uziName), permanent(uziOther)), false},
		{"DNS names only", sanNames(t, dnsName(uziName)), false},
		{"a person's", sanNames(t, ia5Name(strings.Replace(uziName, "-S-", "-Z-", 1))), false},
		{"another string type", sanNames(t, otherNameOf(oidUZIName, textOf(cbasn1.UTF8String, uziName))), false},
		{"a number too long", sanNames(t, ia5Name(strings.Replace(uziName, "-S-", "0-S-", 1))), false},
		{"a letter in a number", sanNames(t, ia5Name(strings.Replace(uziName, "123456789", "12345678x", 1))), false},
		{"something after it", sanNames(t, ia5Name(uziName+"\n")), false},
		{"another arc", sanNames(t, ia5Name(strings.Replace(uziName, "5.5.5-", "5.5.2-", 1))), false},
		{"two values in one name", sanNames(t, otherNameOf(oidUZIName, func(b *cryptobyte.Builder) {
			textOf(cbasn1.IA5String, uziName)(b)
			textOf(cbasn1.IA5String, uziName)(b)
		})), false},
		{"cut off", sanNames(t, ia5Name(uziName), dnsName("zorg.example"))[:80], false},
		{"no names", sanNames(t), false},
		{"nothing", nil, false},
		{"no sequence", []byte{0x04, 0x00}, false},
		{"a length that is a lie", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			uzi, ok := uziInNames(c.der, uziPrefix)
			assert.Equal(t, c.ok, ok)
			if c.ok {
				assert.Equal(t, want, uzi)
			} else {
				assert.Equal(t, UZI{}, uzi)
			}
		})
	}
}

func TestOnlyCIBGSaysWhoHoldsAnUZINumber(t *testing.T) {
	withName := func(ca string) *x509.Certificate {
		return forge(t, func(template, parent *x509.Certificate) {
			for _, c := range PrivateG1.Certificates() {
				if c.Subject.CommonName == ca {
					parent.RawSubject, parent.SubjectKeyId = c.RawSubject, c.SubjectKeyId
				}
			}
			template.ExtraExtensions = []pkix.Extension{{Id: oidSubjectAltName, Value: sanNames(t, dnsName("zorg.example"), ia5Name(uziName))}}
		})
	}
	claim, ok := ClaimOf(withName("UZI-register Private Server CA G1"))
	require.True(t, ok)
	assert.Equal(t, UZI{Number: "123456789", URA: "90000123", OtherName: uziName}, claim.UZI)

	claim, ok = ClaimOf(withName("KPN PKIoverheid Private Services CA - G1"))
	require.True(t, ok)
	assert.Zero(t, claim.UZI, "another TSP's")
	for _, c := range PrivateG1.Certificates() {
		claim, _ := ClaimOf(c)
		assert.Zero(t, claim.UZI)
	}
	_, ok = Identity{}.UZI()
	assert.False(t, ok)
	assert.Zero(t, uziOf(new(x509.Certificate), CIBG))
}

func FuzzUZINames(f *testing.F) {
	f.Add(sanNames(f, dnsName("zorg.example"), ia5Name(uziName)))
	f.Add(sanNames(f, permanent(uziName), ia5Name(uziOther)))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		uzi, ok := uziInNames(der, uziPrefix)
		if ok != (uzi != UZI{}) {
			t.Error("half a result")
		}
		if ok && !bytes.Contains(der, []byte(uzi.OtherName)) {
			t.Errorf("%q is not in it", uzi.OtherName)
		}
		if ok && (len(uzi.Number) != 9 || len(uzi.URA) != 8 || !digits(uzi.Number+uzi.URA)) {
			t.Errorf("%+v", uzi)
		}
	})
}
