package truststore

import (
	"bytes"
	"crypto/fips140"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	jksPrivateKey  = 1
	jksTrustedCert = 2
	maxJKSEntries  = 1 << 18
)

// jksOf writes a JKS with the given entries and the digest for the password.
func jksOf(password string, version, count uint32, entries ...[]byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, 0xfeedfeed)
	out = binary.BigEndian.AppendUint32(out, version)
	out = binary.BigEndian.AppendUint32(out, count)
	out = append(out, bytes.Join(entries, nil)...)
	var digest []byte
	fips140.WithoutEnforcement(func() { // to make an input
		h := sha1.New()
		for _, unit := range utf16.Encode([]rune(password)) {
			h.Write([]byte{byte(unit >> 8), byte(unit)})
		}
		h.Write([]byte("Mighty Aphrodite"))
		h.Write(out)
		digest = h.Sum(nil)
	})
	return append(out, digest...)
}

func jksEntryOf(tag uint32, alias string, rest ...[]byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, tag)
	out = append(binary.BigEndian.AppendUint16(out, uint16(len(alias))), alias...)
	return append(append(out, make([]byte, 8)...), bytes.Join(rest, nil)...)
}

func jksBytes(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func jksCertOf(kind string, der []byte) []byte {
	out := append(binary.BigEndian.AppendUint16(nil, uint16(len(kind))), kind...)
	return append(out, jksBytes(der)...)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

func TestDecodeReadsJKS(t *testing.T) {
	certs := realCerts(t)[:3]
	var entries, old [][]byte
	for _, cert := range certs {
		entries = append(entries, jksEntryOf(jksTrustedCert, "one name", jksCertOf("X.509", cert.Raw)))
		old = append(old, jksEntryOf(jksTrustedCert, "one name", jksBytes(cert.Raw)))
	}
	for name, c := range map[string]struct {
		data     []byte
		password string
	}{
		"three entries with one alias": {jksOf("geheim", 2, 3, entries...), "geheim"},
		"of version 1":                 {jksOf("geheim", 1, 3, old...), "geheim"},
		"a password beyond ASCII":      {jksOf(testPassword, 2, 3, entries...), testPassword},
		"a password beyond Unicode 1":  {jksOf("𝄞-sleutel", 2, 3, entries...), "𝄞-sleutel"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, opts := range [][]Option{{WithPassword(c.password)}, nil} {
				s, err := Decode(c.data, opts...)
				if refused(t, err) {
					continue
				}
				require.NoError(t, err)
				assertCerts(t, certs, s)
			}
			if fips140.Enforced() {
				return
			}
			for _, wrong := range []string{"wrong", "Ω", c.password + "x"} {
				s, err := Decode(c.data, WithPassword(wrong))
				assert.ErrorContains(t, err, "the password given does not fit")
				assert.Nil(t, s)
			}
			for n := range c.data {
				s, err := Decode(c.data[:n], WithPassword(c.password))
				require.Error(t, err, "%d bytes", n)
				require.Nil(t, s)
				_, err = Decode(c.data[:n])
				require.Error(t, err, "%d bytes", n)
			}
			changed := bytes.Clone(c.data)
			changed[len(changed)-30] ^= 1
			_, err := Decode(changed, WithPassword(c.password))
			assert.ErrorContains(t, err, "the password given does not fit, or the file is damaged")
		})
	}
}

func TestDecodeRefusesJKS(t *testing.T) {
	cert := realCerts(t)[0]
	good := jksEntryOf(jksTrustedCert, "good", jksCertOf("X.509", cert.Raw))
	key := jksEntryOf(jksPrivateKey, "my key", jksBytes([]byte("encrypted")), []byte{0, 0, 0, 1}, jksCertOf("X.509", cert.Raw))
	huge := []byte{0xff, 0xff, 0xff, 0xff}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a certificate of four gigabytes":      {jksOf("geheim", 2, 1, jksEntryOf(jksTrustedCert, "", []byte{0, 5}, []byte("X.509"), huge)), "entry 1 () in the JKS: damaged JKS"},
		"four billion entries":                 {jksOf("geheim", 2, 0xffffffff), "more than 262144"},
		"more entries than there are":          {jksOf("geheim", 2, 2, good), "entry 2: damaged JKS"},
		"fewer entries than there are":         {jksOf("geheim", 2, 1, good, good), "bytes follow the end"},
		"a key of four gigabytes":              {jksOf("geheim", 2, 1, jksEntryOf(jksPrivateKey, "k", huge)), "entry 1 (k) in the JKS: damaged JKS"},
		"a key with four billion certificates": {jksOf("geheim", 2, 1, jksEntryOf(jksPrivateKey, "k", jksBytes([]byte("x")), huge)), "entry 1 (k) in the JKS: damaged JKS"},
		"a private key":                        {jksOf("geheim", 2, 2, good, key), "entry 2 (my key) in the JKS: there is a private key in it"},
		"a secret key":                         {jksOf("geheim", 2, 1, jksEntryOf(3, "\x1b[31m", nil)), `entry 1 (\x1b[31m) in the JKS is neither`},
		"another type of certificate":          {jksOf("geheim", 2, 1, jksEntryOf(jksTrustedCert, "pgp", jksCertOf("PGP", cert.Raw))), "type PGP"},
		"a damaged certificate":                {jksOf("geheim", 2, 2, good, jksEntryOf(jksTrustedCert, "bad", jksCertOf("X.509", cert.Raw[:500]))), "entry 2 (bad) in the JKS: x509: "},
		"no entries":                           {jksOf("geheim", 2, 0), "there is no certificate in it"},
		"another version":                      {jksOf("geheim", 3, 0), "version 3"},
		"two files in one":                     {append(jksOf("geheim", 2, 1, good), jksOf("geheim", 2, 1, good)...), "bytes follow the end"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Decode(c.data, WithPassword("geheim"))
			if refused(t, err) {
				return
			}
			assert.ErrorContains(t, err, c.want)
			assert.Nil(t, s)
			assert.NotContains(t, err.Error(), "geheim")
		})
	}
}

// The library that writes our JKS allocates what a file says, before it looks
// whether the file has that much: 4 GiB for 38 bytes.
func TestALyingJKSCostsNoMemory(t *testing.T) {
	data := jksOf("", 2, 1, jksEntryOf(jksTrustedCert, "", []byte{0, 0}, []byte{0xff, 0xff, 0xff, 0xff}))[:38]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		_, err := Decode(data, WithPassword("geheim"))
		require.Error(t, err)
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(10<<20))
}

func TestJKSRoundTrips(t *testing.T) {
	for _, password := range []string{"geheim", testPassword, "x"} {
		s := New(realCerts(t)...)
		data, err := s.Encode(JKS, WithPassword(password))
		if refused(t, err) {
			return
		}
		require.NoError(t, err)
		format, err := Detect(data)
		require.NoError(t, err)
		assert.Equal(t, JKS, format)
		for _, opts := range [][]Option{{WithPassword(password)}, nil} {
			again, err := Decode(data, opts...)
			require.NoError(t, err)
			assert.Equal(t, s.Len(), again.Len())
			assert.Empty(t, Diff(s, again))
			same, err := again.Encode(JKS, WithPassword(password))
			require.NoError(t, err)
			if password == "geheim" {
				assert.Equal(t, len(data), len(same))
			}
		}
		same, err := s.Encode(JKS, WithPassword(password))
		require.NoError(t, err)
		assert.Equal(t, data, same, "the same store gives the same bytes")
		_, err = Decode(data, WithPassword("wrong"))
		assert.ErrorContains(t, err, "the password given does not fit")
		if isASCII(password) { // the library reads what it wrote
			ks := keystore.New()
			require.NoError(t, ks.Load(bytes.NewReader(data), []byte(password)))
			assert.Len(t, ks.Aliases(), len(realCerts(t)))
		}
	}
	_, err := New(realCerts(t)...).Encode(JKS)
	assert.ErrorContains(t, err, "JKS needs a password")
	data, err := new(Store).Encode(JKS, WithPassword("geheim"))
	require.NoError(t, err)
	_, err = Decode(data, WithPassword("geheim"))
	assert.ErrorContains(t, err, "there is no certificate in it")
}

func TestAliasesAreReadableAndUnique(t *testing.T) {
	named := func(cn string) *x509.Certificate { return newCert(t, pkix.Name{CommonName: cn}) }
	s := New(
		named("Root CA"), named("ROOT CA"), named("root ca (2)"), named("Root CA"), named("Root CA (2)"),
		newCert(t, pkix.Name{Organization: []string{"Nameless"}}),
		newCert(t, pkix.Name{}), newCert(t, pkix.Name{}), named("  "),
		named("line\nbreak\x00"), named("𝄞 clef"), named("İstanbul"), named("istanbul"), named("Ångström"),
		named(strings.Repeat("long ", 1000)), named(strings.Repeat("long ", 1000)),
	)
	var got []string
	seen := make(map[string]bool)
	for cert, alias := range s.aliases() {
		assert.NotNil(t, cert)
		assert.False(t, seen[strings.ToLower(alias)], alias)
		assert.Equal(t, strings.ToLower(alias), alias)
		seen[strings.ToLower(alias)] = true
		got = append(got, alias)
	}
	long := strings.TrimSpace(strings.Repeat("long ", 25)+"lon") + "…"
	assert.Equal(t, []string{
		"root ca", "root ca (2)", "root ca (2) (2)", "root ca (3)", "root ca (2) (3)",
		"o=nameless", "certificate", "certificate (2)", `cn=\ \`,
		`line\nbreak\x00`, `\u{1d11e} clef`, "istanbul", "istanbul (2)", "ångström",
		long, long + " (2)",
	}, got)
}

func TestManyEqualNamesStayFast(t *testing.T) {
	certs := standIns(20_000)
	start := time.Now()
	n := 0
	for range New(certs...).aliases() {
		n++
	}
	assert.Equal(t, 20_000, n)
	assert.Less(t, time.Since(start), 5*time.Second)
}
