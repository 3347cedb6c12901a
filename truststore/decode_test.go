package truststore

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
)

// tool runs another program in a folder of its own. A test that lacks the program
// skips; in CI it fails.
func tool(t testing.TB, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program(t, name), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), out)
	return out
}

func program(t testing.TB, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} { // where Debian puts servers
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and in CI no test may skip", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func read(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return data
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// text is the PEM of the certificates as encoding/pem writes it.
func text(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, cert := range certs {
		out = append(out, pemOf("CERTIFICATE", cert.Raw)...)
	}
	return out
}

func ders(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, cert := range certs {
		out = append(out, cert.Raw...)
	}
	return out
}

// assertCerts compares by DER and in order.
func assertCerts(t testing.TB, want []*x509.Certificate, got *Store) {
	t.Helper()
	require.Equal(t, len(want), got.Len())
	for i, cert := range list(got) {
		assert.True(t, cert.Equal(want[i]), "certificate %d is %v, not %v", i+1, cert.Subject, want[i].Subject)
	}
}

func TestTheRealFilesDecode(t *testing.T) {
	for _, f := range realFiles() {
		s, err := Open(f.path)
		require.NoError(t, err)
		assertCerts(t, []*x509.Certificate{f.cert}, s)
	}
}

func lines(s string, change func(line string) string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		out.WriteString(change(line))
	}
	return out.String()
}

// indefiniteOf writes every constructed element down to the given depth with an
// indefinite length, and what is deeper as it is.
func indefiniteOf(der []byte, depth int) []byte {
	h, err := ber.ReadHeader(der)
	if err != nil {
		panic(err)
	}
	body := der[h.Size : h.Size+h.Length]
	if depth == 0 || !h.Constructed() {
		return der[:h.Size+h.Length]
	}
	out := append(bytes.Clone(der[:1]), 0x80)
	for len(body) > 0 {
		h, err := ber.ReadHeader(body)
		if err != nil {
			panic(err)
		}
		out = append(out, indefiniteOf(body, depth-1)...)
		body = body[h.Size+h.Length:]
	}
	return append(out, 0, 0)
}

func bag(t testing.TB, certs ...*x509.Certificate) []byte {
	t.Helper()
	der, err := pkcs7.DegenerateCertificate(ders(certs...))
	require.NoError(t, err)
	return der
}

func TestDecodeReads(t *testing.T) {
	all := realCerts(t)
	three := all[:3]
	plain := string(text(three...))
	oneLine := strings.ReplaceAll(base64.StdEncoding.EncodeToString(all[0].Raw), "\n", "")
	p7 := bag(t, three...)
	for name, c := range map[string]struct {
		data   string
		want   []*x509.Certificate
		format Format
	}{
		"PEM":                                       {plain, three, PEM},
		"all in PEM":                                {string(text(all...)), all, PEM},
		"PEM after a byte order mark":               {"\xef\xbb\xbf" + plain, three, PEM},
		"PEM with CRLF":                             {strings.ReplaceAll(plain, "\n", "\r\n"), three, PEM},
		"PEM without the last line break":           {strings.TrimSpace(plain), three, PEM},
		"PEM with spaces after the lines":           {strings.ReplaceAll(plain, "\n", "  \t\n"), three, PEM},
		"indented PEM, as in YAML":                  {lines(plain, func(l string) string { return "    " + l }), three, PEM},
		"PEM of one long line":                      {"-----BEGIN CERTIFICATE-----\n" + oneLine + "\n-----END CERTIFICATE-----", all[:1], PEM},
		"comments around the blocks":                {"# ours\n\n" + strings.ReplaceAll(plain, "-----BEGIN", "# -----BEGIN CERTIFICATE----- it is\n-----BEGIN") + "# that was it", three, PEM},
		"text that starts with a zero":              {" 0 s:CN = x\n" + plain, three, PEM},
		"text that starts with zeros":               {"00 s:CN = x\n" + plain, three, PEM},
		"Bag Attributes before the blocks":          {strings.ReplaceAll(plain, "-----BEGIN", "Bag Attributes\n    friendlyName: x\n    2.16.840.1.113894.746875.1.1: <Unsupported tag 6>\nsubject=CN = x\n-----BEGIN"), three, PEM},
		"PEM with headers":                          {strings.ReplaceAll(plain, "BEGIN CERTIFICATE-----\n", "BEGIN CERTIFICATE-----\nX-Name: a\nX-Other: b\n\n"), three, PEM},
		"X509 CERTIFICATE blocks":                   {strings.ReplaceAll(plain, " CERTIFICATE", " X509 CERTIFICATE"), three, PEM},
		"a CRL between certificates":                {string(text(all[0])) + string(pemOf("X509 CRL", []byte{0x30, 0})) + string(text(all[1])), all[:2], PEM},
		"the same certificate twice":                {string(text(all[0], all[0], all[1])), all[:2], PEM},
		"DER":                                       {string(all[0].Raw), all[:1], DER},
		"DER, several":                              {string(ders(all...)), all, DER},
		"DER and a line break":                      {string(all[0].Raw) + "\r\n", all[:1], DER},
		"base64 without armour":                     {oneLine, all[:1], DER},
		"base64 without armour, in lines":           {"\r\n" + strings.ReplaceAll(oneLine, "A", "A\r\n") + "\r\n", all[:1], DER},
		"base64 of several":                         {base64.StdEncoding.EncodeToString(ders(three...)), three, DER},
		"base64 of PKCS#7":                          {base64.StdEncoding.EncodeToString(p7), three, PKCS7},
		"PKCS#7":                                    {string(p7), three, PKCS7},
		"PKCS#7 and a line break":                   {string(p7) + "\n", three, PKCS7},
		"PKCS#7 in PEM":                             {string(pemOf("PKCS7", p7)), three, PEM},
		"PKCS#7 in PEM as CMS":                      {string(pemOf("CMS", p7)), three, PEM},
		"PKCS#7 and certificates in one PEM":        {string(pemOf("PKCS7", p7)) + string(text(all[3:5]...)), all[:5], PEM},
		"PKCS#7 with an outer indefinite length":    {string(indefiniteOf(p7, 1)), three, PKCS7},
		"PKCS#7 with indefinite lengths throughout": {string(indefiniteOf(p7, 4)), three, PKCS7},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Decode([]byte(c.data))
			require.NoError(t, err)
			assertCerts(t, c.want, s)
			format, err := Detect([]byte(c.data))
			require.NoError(t, err)
			assert.Equal(t, c.format, format)
		})
	}
}

func TestDecodeKeepsNothingOfItsInput(t *testing.T) {
	all := realCerts(t)
	for name, data := range map[string][]byte{"DER": ders(all...), "PKCS#7": bag(t, all...), "PKCS#7 in BER": indefiniteOf(bag(t, all...), 3), "PEM": text(all...)} {
		s, err := Decode(data)
		require.NoError(t, err, name)
		clear(data)
		assertCerts(t, all, s)
	}
}

func TestDecodeRefuses(t *testing.T) {
	all := realCerts(t)
	plain := string(text(all[:3]...))
	second := strings.Index(plain[10:], "-----BEGIN") + 10
	secondLine := 1 + strings.Count(plain[:second], "\n")
	broken := bytes.Clone(all[1].Raw)
	broken[bytes.Index(broken, []byte{0x17, 13})+2] = 'x' // in the validity
	der := string(all[0].Raw)
	p7 := bag(t, all[:3]...)
	enveloped := bytes.Replace(p7, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03}, 1)
	empty, err := pkcs7.DegenerateCertificate(nil)
	require.NoError(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(testKey())
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(testKey())
	require.NoError(t, err)
	place := fmt.Sprintf("block 2 (CERTIFICATE, line %d, byte %d)", secondLine, second)
	deep := strings.Repeat("\x30\x80", 1_000_000)
	sequence := func(body string) string { return string(ber.AppendLength([]byte{0x30}, len(body))) + body }

	for name, c := range map[string]struct {
		data string
		want string
	}{
		"nothing":                   {"", "it is empty"},
		"a byte order mark only":    {"\xef\xbb\xbf", "it is empty"},
		"white space only":          {" \r\n\t", "it is empty"},
		"a word":                    {"hello", "neither certificates nor"},
		"an HTML page":              {"\n<!DOCTYPE html>\n<html><body>404</body></html>", "HTML page"},
		"another HTML page":         {"<HTML><body>", "HTML page"},
		"UTF-16":                    {"\xff\xfe-\x00-\x00", "UTF-16"},
		"XML":                       {"<?xml version=\"1.0\"?><md:EntityDescriptor/>", "no X509Certificate element"},
		"JKS":                       {"\xfe\xed\xfe\xed\x00\x00\x00\x02", "damaged JKS"},
		"a private key":             {string(pemOf("PRIVATE KEY", key)), "block 1 (PRIVATE KEY, line 1, byte 0): this is a private key"},
		"a certificate and its key": {plain + string(pemOf("EC PRIVATE KEY", sec1)), "(EC PRIVATE KEY, line "},
		"an encrypted private key":  {string(pemOf("ENCRYPTED PRIVATE KEY", key)), "this is a private key"},
		"a PKCS#8 key in DER":       {string(key), "this is a private key"},
		"an EC key in DER":          {string(sec1), "this is a private key"},
		"an RSA key in DER":         {sequence("\x02\x01\x00\x02\x01\x05"), "this is a private key"},
		"an encrypted key in DER":   {sequence(sequence("\x06\x01\x2a") + "\x04\x01\x00"), "this is a private key"},
		"base64 of a key":           {base64.StdEncoding.EncodeToString(key), "this is a private key"},
		"a certificate request":     {string(pemOf("CERTIFICATE REQUEST", []byte{0x30, 0})), "this is a certificate request (CSR)"},
		"only a CRL":                {string(pemOf("X509 CRL", []byte{0x30, 0})), "there is no certificate in it"},

		"PEM without its end":                    {strings.TrimSpace(plain)[:len(plain)-30], "block 3 "},
		"a block without END in the middle":      {plain[:second] + strings.Replace(plain[second:], "-----END CERTIFICATE-----\n", "", 1), place + " has no END line before line"},
		"a damaged END line":                     {plain[:second] + strings.Replace(plain[second:], "-----END CERTIFICATE-----", "-----END CERTIFICATE----", 1), place},
		"an END line of something else":          {plain[:second] + strings.Replace(plain[second:], "-----END CERTIFICATE", "-----END PKCS7", 1), place},
		"no line break between blocks":           {strings.ReplaceAll(plain, "-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----"), "no line break after it"},
		"a damaged BEGIN line":                   {plain[:second] + strings.Replace(plain[second:], "CERTIFICATE-----", "CERTIFICATE----", 1), "damaged BEGIN line"},
		"a BEGIN line without its dashes":        {plain[:second] + strings.Replace(plain[second:], "-----BEGIN", "----BEGIN", 1), "END line without a BEGIN line"},
		"a BEGIN line on its own":                {"-----BEGIN \n" + plain, "damaged BEGIN line"},
		"text glued to a BEGIN line":             {"x" + plain, "line"},
		"a star in the base64":                   {plain[:second+100] + "*" + plain[second+101:], place + ": damaged base64"},
		"a lost line of base64":                  {plain[:second+100] + plain[second+165:], place},
		"a lost character":                       {plain[:second+100] + plain[second+101:], place + ": damaged base64"},
		"an empty block":                         {plain + "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "block 4 (CERTIFICATE, "},
		"a block that is not a certificate":      {plain[:second] + string(pemOf("CERTIFICATE", broken)) + plain[second:], place + ": x509: "},
		"a CERTIFICATE with more after it":       {string(pemOf("CERTIFICATE", append(bytes.Clone(all[0].Raw), 0))), "trailing data"},
		"a TRUSTED CERTIFICATE cut off":          {string(pemOf("TRUSTED CERTIFICATE", all[0].Raw[:300])), "cut off"},
		"a TRUSTED CERTIFICATE without a length": {string(pemOf("TRUSTED CERTIFICATE", []byte{0x30, 0x80, 0, 0})), "not DER"},
		"too many header lines":                  {"-----BEGIN CERTIFICATE-----\n" + lines(strings.Repeat("x\n", 40), func(l string) string { return fmt.Sprintf("%p: %s", &l, l) }) + "\n-----END CERTIFICATE-----", "header"},
		"a long and odd type":                    {"-----BEGIN \x1b[31m" + strings.Repeat("X", 100) + "-----\n-----END", `\x1b[31mXXX`},

		"DER cut off":              {der[:700], "cut off"},
		"DER, the last cut off":    {der + string(all[1].Raw[:700]), fmt.Sprintf("certificate 2 (byte %d): ", len(der))},
		"DER, the second damaged":  {der + string(broken) + der, fmt.Sprintf("certificate 2 (byte %d): x509: ", len(der))},
		"DER and something else":   {der + "something else", fmt.Sprintf("certificate 2 (byte %d): ", len(der))},
		"DER without a length":     {"\x30\x80" + der + "\x00\x00", "not DER"},
		"a very large certificate": {"\x30\x83\x20\x00\x00" + strings.Repeat("\x00", 0x200000), "more than 1048576 bytes"},

		"PKCS#7 cut off":                    {string(p7[:len(p7)-1]), "cut off"},
		"PKCS#7 and more":                   {string(p7) + "more", "4 bytes follow the end"},
		"PKCS#7 without certificates":       {string(empty), "there is no certificate in it"},
		"PKCS#7 that is encrypted":          {string(enveloped), "1.2.840.113549.1.7.3"},
		"PKCS#7 with nothing in it":         {sequence("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), "damaged PKCS#7"},
		"PKCS#7 with a damaged certificate": {string(bag(t, all[0], parseLoose(broken), all[2])), "certificate 2 in the PKCS#7: x509: "},
		"PKCS#7 with something else in it":  {strings.Replace(string(p7), string(all[0].Raw), "\xa0\x82"+der[2:], 1), "certificate 1 in the PKCS#7: this is not an X.509 certificate"},
		"a million indefinite lengths":      {"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + deep, "more than 32 ASN.1 elements inside one another"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			s, err := Decode([]byte(c.data))
			require.Error(t, err)
			assert.Nil(t, s)
			assert.ErrorContains(t, err, c.want)
			assert.True(t, strings.HasPrefix(err.Error(), "truststore: "), err)
			assert.NotContains(t, err.Error(), "\x1b")
			assert.Less(t, len(err.Error()), 500)
			assert.Less(t, time.Since(start), 5*time.Second)
		})
	}
}

// parseLoose makes the shell of a certificate, for what no parser accepts.
func parseLoose(der []byte) *x509.Certificate { return &x509.Certificate{Raw: der} }

func TestEveryTruncationIsAnError(t *testing.T) {
	certs := realCerts(t)[:2]
	for name, data := range map[string][]byte{
		"PKCS#7":             bag(t, certs...),
		"PKCS#7, indefinite": indefiniteOf(bag(t, certs...), 4),
		"one DER":            certs[0].Raw,
		"PEM":                bytes.TrimSpace(text(certs[0])),
	} {
		t.Run(name, func(t *testing.T) {
			for n := range data {
				s, err := Decode(data[:n])
				require.Error(t, err, "%d bytes", n)
				require.Nil(t, s)
			}
		})
	}
}

func TestEveryFlippedByteIsAnErrorOrTheSameNumberOfCertificates(t *testing.T) {
	certs := realCerts(t)[:2]
	data := text(certs...)
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 0x08
		if s, err := Decode(changed); err == nil {
			require.Equal(t, 2, s.Len(), "byte %d: a certificate has disappeared", i)
		}
	}
}

func TestWithLimit(t *testing.T) {
	data := text(realCerts(t)...)
	path := write(t, t.TempDir(), "ca.pem", data)
	size := int64(len(data))
	for limit, ok := range map[int64]bool{0: true, -1: true, 1: false, size - 1: false, size: true, size + 1: true} {
		_, err := Decode(data, WithLimit(limit), nil)
		assert.Equal(t, ok, err == nil, "%d: %v", limit, err)
		_, err2 := Open(path, WithLimit(limit))
		assert.Equal(t, ok, err2 == nil, "%d: %v", limit, err2)
		if !ok {
			assert.ErrorContains(t, err, "which is the limit")
			assert.ErrorContains(t, err2, path)
		}
	}
	_, err := Decode(make([]byte, defaultLimit+1))
	assert.ErrorContains(t, err, "more than 67108864 bytes")
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a", []byte("contents"))
	require.NoError(t, os.Symlink("a", filepath.Join(dir, "link")))
	for _, name := range []string{path, filepath.Join(dir, "link")} {
		data, err := ReadFile(name, 8)
		require.NoError(t, err)
		assert.Equal(t, "contents", string(data))
	}
	tool(t, dir, "mkfifo", "pipe")
	for name, want := range map[string]string{
		path:                        path + ": there are more than 7 bytes",
		filepath.Join(dir, "pipe"):  "not a regular file",
		dir:                         "not a regular file",
		"/dev/zero":                 "not a regular file",
		"/proc/self/status":         "there are more than 7 bytes",
		filepath.Join(dir, "other"): "no such file",
	} {
		data, err := ReadFile(name, 7)
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "truststore: ")
		assert.NotContains(t, err.Error(), "WithLimit")
		assert.Nil(t, data)
	}
}

func TestOpenReadsAFolder(t *testing.T) {
	all := realCerts(t)
	dir := t.TempDir()
	write(t, dir, "b.pem", text(all[0]))
	write(t, dir, "a.cer", ders(all[1], all[2]))
	write(t, dir, "c.p7b", bag(t, all[2:5]...))
	write(t, dir, ".hidden", []byte("not read"))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	write(t, filepath.Join(dir, "sub"), "x.txt", []byte("not read"))
	elsewhere := write(t, t.TempDir(), "linked.pem", text(all[5]))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "d.pem")))
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "loop")))

	s, err := Open(dir)
	require.NoError(t, err)
	assertCerts(t, []*x509.Certificate{all[1], all[2], all[0], all[3], all[4], all[5]}, s)

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	s, err = Open(link)
	require.NoError(t, err)
	assert.Equal(t, 6, s.Len())

	_, err = Open(dir, WithLimit(6000))
	assert.ErrorContains(t, err, "more than", "the files together")

	readme := write(t, dir, "README", []byte("hello"))
	s, err = Open(dir)
	assert.ErrorContains(t, err, "truststore: "+readme+": neither certificates")
	assert.Nil(t, s)
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	assert.ErrorContains(t, err, "no certificate in this folder")
	_, err = Open(filepath.Join(dir, "missing.pem"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open("/dev/null")
	assert.ErrorContains(t, err, "not a regular file")
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	_, err = Open(dir)
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "dangling")

	pipes := t.TempDir()
	tool(t, pipes, "mkfifo", "pipe")
	start := time.Now()
	_, err = Open(pipes)
	assert.ErrorContains(t, err, filepath.Join(pipes, "pipe")+": not a regular file")
	_, err = Open(filepath.Join(pipes, "pipe"))
	assert.ErrorContains(t, err, "not a regular file")
	assert.Less(t, time.Since(start), 5*time.Second)
}

func TestEncodeRoundTrips(t *testing.T) {
	s := New(realCerts(t)...)
	for _, f := range []Format{PEM, DER, PKCS7} {
		data, err := s.Encode(f)
		require.NoError(t, err)
		again, err := Decode(data)
		require.NoError(t, err)
		assertCerts(t, realCerts(t), again)
		same, err := again.Encode(f)
		require.NoError(t, err)
		assert.Equal(t, data, same)
		detected, err := Detect(data)
		require.NoError(t, err)
		assert.Equal(t, f, detected)

		nothing, err := (*Store)(nil).Encode(f)
		require.NoError(t, err)
		assert.Equal(t, f == PKCS7, len(nothing) > 0)
		_, err = s.Encode(f, WithPassword("geheim"))
		assert.ErrorContains(t, err, "has no password")
		assert.NotContains(t, err.Error(), "geheim")
	}
	for _, f := range []Format{"", XML, "ARJ"} {
		_, err := s.Encode(f)
		assert.ErrorContains(t, err, "truststore: ", f)
	}
}

func TestAPEMCommentIsOneLineWhateverTheSubject(t *testing.T) {
	other := realCerts(t)[0]
	for name, cn := range map[string]string{
		"line breaks and a block": "x\n" + string(text(other)) + "\ny",
		"carriage return":         "x\r-----BEGIN CERTIFICATE-----\r",
		"Unicode line separators": "x\u2028-----BEGIN\u2029\u0085y",
		"right to left":           "x\u202ey",
		"terminal control":        "x\x1b[2Jy",
		"invalid UTF-8 and nul":   "x\x00y",
		"dashes":                  "-----BEGIN CERTIFICATE-----------",
		"length":                  strings.Repeat("x", 5000),
		"unusual length":          strings.Repeat("x", 50_000),
	} {
		t.Run(name, func(t *testing.T) {
			cert := newCert(t, pkix.Name{CommonName: cn})
			data, err := New(cert).Encode(PEM)
			require.NoError(t, err)
			assert.Equal(t, 1, strings.Count(string(data), "-----BEGIN "))
			first, rest, _ := strings.Cut(string(data), "\n")
			assert.Equal(t, string(text(cert)), rest)
			assert.Regexp(t, `^# [ -~é…]* \| expires 2036-01-01 \| SHA-256 [0-9a-f]{64}$`, first)
			assert.NotContains(t, first, "--")
			assert.Less(t, len(first), 900)
			s, err := Decode(data)
			require.NoError(t, err)
			assertCerts(t, []*x509.Certificate{cert}, s)
		})
	}
}

func TestDetectSaysWhatIsNotAFormat(t *testing.T) {
	_, err := Detect(nil)
	assert.ErrorContains(t, err, "truststore: ")
	for _, name := range []string{"PRIVATE KEY", "CERTIFICATE"} { // the content counts
		der, err := base64.StdEncoding.DecodeString("MAYCAQACAQU=")
		require.NoError(t, err)
		_, err = Detect(der)
		assert.ErrorContains(t, err, "truststore: this is a private key")
		format, err := Detect(pemOf(name, der))
		require.NoError(t, err)
		assert.Equal(t, PEM, format)
	}
}

// What other programs write.

func TestOpenSSLFilesDecode(t *testing.T) {
	all := realCerts(t)
	dir := t.TempDir()
	write(t, dir, "all.pem", text(all...))
	write(t, dir, "one.pem", text(all[0]))
	tool(t, dir, "openssl", "crl2pkcs7", "-nocrl", "-certfile", "all.pem", "-out", "p7.pem")
	tool(t, dir, "openssl", "crl2pkcs7", "-nocrl", "-certfile", "all.pem", "-outform", "DER", "-out", "p7.der")
	tool(t, dir, "openssl", "x509", "-in", "one.pem", "-trustout", "-addtrust", "serverAuth", "-setalias", "ours", "-out", "trusted.pem")
	tool(t, dir, "openssl", "x509", "-in", "one.pem", "-text", "-out", "text.pem")
	tool(t, dir, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=signer", "-keyout", "key.pem", "-out", "signer.pem")
	write(t, dir, "message", []byte("signed"))
	tool(t, dir, "openssl", "smime", "-sign", "-signer", "signer.pem", "-inkey", "key.pem", "-certfile", "one.pem", "-in", "message", "-outform", "DER", "-nodetach", "-out", "signed.p7b")
	tool(t, dir, "openssl", "cms", "-sign", "-signer", "signer.pem", "-inkey", "key.pem", "-certfile", "one.pem", "-in", "message", "-outform", "PEM", "-keyid", "-nodetach", "-stream", "-out", "keyid.pem")
	tool(t, dir, "openssl", "pkcs12", "-export", "-in", "all.pem", "-nokeys", "-passout", "pass:geheim", "-out", "certs.p12")
	tool(t, dir, "openssl", "pkcs12", "-in", "certs.p12", "-nokeys", "-passin", "pass:geheim", "-out", "bags.pem")
	signer, err := Open(filepath.Join(dir, "signer.pem"))
	require.NoError(t, err)
	signed := []*x509.Certificate{list(signer)[0], all[0]}
	for name, c := range map[string]struct {
		want   []*x509.Certificate
		format Format
	}{
		"p7.pem":      {all, PEM},
		"p7.der":      {all, PKCS7},
		"trusted.pem": {all[:1], PEM},
		"text.pem":    {all[:1], PEM},
		"signed.p7b":  {signed, PKCS7},
		"keyid.pem":   {signed, PEM},
		"bags.pem":    {all, PEM},
	} {
		t.Run(name, func(t *testing.T) {
			data := read(t, dir, name)
			s, err := Decode(data)
			require.NoError(t, err)
			require.Equal(t, len(c.want), s.Len())
			assert.Empty(t, Diff(New(c.want...), s), "the order is openssl's")
			format, err := Detect(data)
			require.NoError(t, err)
			assert.Equal(t, c.format, format)
		})
	}
	_, err = Open(filepath.Join(dir, "certs.p12"))
	assert.ErrorContains(t, err, "no password was given")
	_, err = Open(filepath.Join(dir, "key.pem"))
	assert.ErrorContains(t, err, "this is a private key")

	written, err := New(all...).Encode(PEM)
	require.NoError(t, err)
	write(t, dir, "written.pem", written)
	out := tool(t, dir, "openssl", "storeutl", "-noout", "-certs", "written.pem")
	assert.Contains(t, string(out), fmt.Sprintf("Total found: %d", len(all)))
}

func TestCerttoolFilesDecode(t *testing.T) {
	all := realCerts(t)
	dir := t.TempDir()
	write(t, dir, "all.pem", text(all...))
	tool(t, dir, "certtool", "--p7-generate", "--load-certificate", "all.pem", "--outfile", "p7.pem")
	tool(t, dir, "certtool", "--p7-generate", "--load-certificate", "all.pem", "--outder", "--outfile", "p7.der")
	for _, name := range []string{"p7.pem", "p7.der"} {
		s, err := Open(filepath.Join(dir, name))
		require.NoError(t, err, name)
		require.Equal(t, len(all), s.Len(), name)
		assert.Empty(t, Diff(New(all...), s), name)
	}
}

func TestKeytoolExportDecodes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "one.pem", text(realCerts(t)[0]))
	tool(t, dir, "keytool", "-importcert", "-noprompt", "-alias", "one", "-file", "one.pem", "-keystore", "trust.p12", "-storetype", "PKCS12", "-storepass", "geheim")
	tool(t, dir, "keytool", "-importcert", "-noprompt", "-alias", "one", "-file", "one.pem", "-keystore", "trust.jks", "-storetype", "JKS", "-storepass", "geheim")
	tool(t, dir, "keytool", "-exportcert", "-rfc", "-alias", "one", "-keystore", "trust.p12", "-storepass", "geheim", "-file", "rfc.pem")
	tool(t, dir, "keytool", "-exportcert", "-alias", "one", "-keystore", "trust.p12", "-storepass", "geheim", "-file", "one.der")
	for _, name := range []string{"rfc.pem", "one.der"} {
		s, err := Open(filepath.Join(dir, name))
		require.NoError(t, err, name)
		assertCerts(t, realCerts(t)[:1], s)
	}
	for name, want := range map[string]Format{"trust.p12": PKCS12, "trust.jks": JKS} {
		format, err := Detect(read(t, dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, format)
	}
}

// TestPKCS7AgainstItsLibrary compares our reading with that of smallstep/pkcs7,
// which reads and checks the signatures as well.
func TestPKCS7AgainstItsLibrary(t *testing.T) {
	all := realCerts(t)
	for _, data := range [][]byte{bag(t, all...), bag(t, all[:1]...), indefiniteOf(bag(t, all...), 3)} {
		theirs, err := pkcs7.Parse(data)
		require.NoError(t, err)
		ours, err := Decode(data)
		require.NoError(t, err)
		assertCerts(t, theirs.Certificates, ours)
	}
}
