package safetext_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// parsed is a name as crypto/x509 reads it.
func parsed(t *testing.T, parts ...pkix.AttributeTypeAndValue) pkix.Name {
	t.Helper()
	var rdns pkix.RDNSequence
	for _, part := range parts {
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{part})
	}
	var name pkix.Name
	name.FillFromRDNSequence(&rdns)
	return name
}

func attribute(value any, oid ...int) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: oid, Value: value}
}

func TestName(t *testing.T) {
	cn := func(value string) pkix.Name { return parsed(t, attribute(value, 2, 5, 4, 3)) }
	for _, c := range []struct {
		name string
		in   pkix.Name
		want string
	}{
		{"nothing", pkix.Name{}, ""},
		{"a CA of PKIoverheid, its last attribute first", parsed(t,
			attribute("NL", 2, 5, 4, 6), attribute("KPN B.V.", 2, 5, 4, 10),
			attribute("NTRNL-27124701", 2, 5, 4, 97), attribute("KPN PKIoverheid Server CA 2020", 2, 5, 4, 3)),
			"CN=KPN PKIoverheid Server CA 2020,organizationIdentifier=NTRNL-27124701,O=KPN B.V.,C=NL"},
		{"a type that few know", parsed(t, attribute("a", 1, 2, 3, 4000000)), "1.2.3.4000000=a"},
		{"one that was not parsed", pkix.Name{CommonName: "a", Organization: []string{"b"}}, "CN=a,O=b"},
		{"what is special", cn(`a,b+c"d\e<f>g;h=i`), `CN=a\,b\+c\"d\\e\<f\>g\;h=i`},
		{"spaces and hashes at the ends", cn(" # a #  "), `CN=\ # a # \ `},
		{"a hash", cn("#a#"), `CN=\#a#`},
		{"letters beyond ASCII stay", cn("Coöperatie"), "CN=Coöperatie"},
		{"what a terminal obeys", cn("a\x1b[2J\r\nb\u202ec"), `CN=a\1B[2J\0D\0Ab\E2\80\AEc`},
		{"what is not UTF-8", cn("a\xffb\ufffd"), `CN=a\FFb` + "\ufffd"},
		{"a value that is not a string", parsed(t, attribute([]byte{1}, 2, 5, 4, 3)), "CN=#…"},
	} {
		assert.Equal(t, c.want, safetext.Name(c.in, safetext.MostDN), c.name)
	}
}

func TestNamesAreCutBetweenCharacters(t *testing.T) {
	name := parsed(t, attribute("b", 2, 5, 4, 10), attribute("aö\n", 2, 5, 4, 3))
	for most, want := range []string{"…", "…", "CN…", "CN=…", "CN=a…", "CN=a…", "CN=aö…", "CN=aö…", "CN=aö…", `CN=aö\0A…`, `CN=aö\0A,…`, `CN=aö\0A,O…`, `CN=aö\0A,O=…`, `CN=aö\0A,O=b`} {
		assert.Equal(t, want, safetext.Name(name, most), most)
	}
}

func TestOIDIsWrittenAsCryptoX509Does(t *testing.T) {
	for _, text := range []string{
		"0.0", "0.39", "1.0", "1.39", "2.0", "2.39", "2.40", "2.47", "2.48", "2.999.1",
		"2.5.29.32.0", "2.16.528.1.1003.1.2.44.15.35.11",
		"2.25.340282366920938463463374607431768211455", // of a UUID
		"2.340282366920938463463374607431768211455.1",
		"1.2.18446744073709551615.18446744073709551616",
	} {
		oid, err := x509.ParseOID(text)
		require.NoError(t, err)
		require.Equal(t, text, oid.String())
		assert.Equal(t, text, safetext.OID(oid, safetext.Most))
	}
	assert.Empty(t, safetext.OID(x509.OID{}, safetext.Most))
}

func TestOIDsAreCutBetweenNumbers(t *testing.T) {
	oid, err := x509.ParseOID("2.16.528.1")
	require.NoError(t, err)
	for most, want := range []string{"…", "2…", "2…", "2…", "2.16…", "2.16…", "2.16…", "2.16…", "2.16.528…", "2.16.528…", "2.16.528.1"} {
		assert.Equal(t, want, safetext.OID(oid, most), most)
	}
}

// The text of a megabyte costs no more than reading it once: the old one took a minute.
func TestWhatIsLongCostsLittle(t *testing.T) {
	const (
		size  = 1 << 20
		limit = 10 * time.Second // most take milliseconds; the race detector makes that seconds
	)
	number := slices.Repeat([]byte{0xff}, size)
	number[size-1] = 1
	arcs := slices.Repeat([]byte{1}, size)
	var attributes []pkix.AttributeTypeAndValue
	for range size / 10 {
		attributes = append(attributes, attribute("a", 1, 2, 3))
	}
	long, longType := parsed(t, attribute(strings.Repeat("\x00", size), 2, 5, 4, 3)), make(asn1.ObjectIdentifier, size)
	for name, text := range map[string]func() string{
		"an OID of one number":                    textOfOID(oidOf(t, number)),
		"an OID of many numbers":                  textOfOID(oidOf(t, arcs)),
		"a long value":                            textOfName(long),
		"many attributes":                         textOfName(parsed(t, attributes...)),
		"a long type":                             textOfName(parsed(t, pkix.AttributeTypeAndValue{Type: longType, Value: ""})),
		"many organisations that were not parsed": textOfName(pkix.Name{Organization: slices.Repeat([]string{"a"}, size)}),
	} {
		took := time.Hour
		for range 3 { // what else runs on the machine may take time too
			start := time.Now()
			got := text()
			took = min(took, time.Since(start))
			assert.LessOrEqual(t, len(got), safetext.MostDN+len("…"), name)
			assert.True(t, strings.HasSuffix(got, "…"), name)
		}
		assert.Less(t, took, limit, name)
	}
}

func textOfOID(oid x509.OID) func() string {
	return func() string { return safetext.OID(oid, safetext.Most) }
}

func textOfName(name pkix.Name) func() string {
	return func() string { return safetext.Name(name, safetext.MostDN) }
}

func oidOf(t *testing.T, der []byte) (oid x509.OID) {
	t.Helper()
	require.NoError(t, oid.UnmarshalBinary(der))
	return oid
}
