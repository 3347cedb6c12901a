package truststore

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
)

const testPassword = "gehéim-€-42"

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

var ed25519Key = sync.OnceValue(func() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return der
}

// leafFor is a certificate for the key, signed by itself.
func leafFor(t testing.TB, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "leaf"}, NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return parse(t, der)
}

type equaler interface {
	Equal(x crypto.PrivateKey) bool
}

func assertKey(t testing.TB, want, got crypto.Signer) {
	t.Helper()
	assert.True(t, want.(equaler).Equal(got))
}

func TestDecodeKeyReads(t *testing.T) {
	ec, p384 := testKey(), func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		require.NoError(t, err)
		return key
	}()
	sec1, err := x509.MarshalECPrivateKey(ec)
	require.NoError(t, err)
	pkcs1 := x509.MarshalPKCS1PrivateKey(rsaKey())
	leaf, chain := leafFor(t, ec), realCerts(t)[:2]
	certs := append([]*x509.Certificate{leaf}, chain...)
	ecPEM := string(pemOf("PRIVATE KEY", pkcs8(t, ec)))
	for name, c := range map[string]struct {
		data  string
		key   crypto.Signer
		certs []*x509.Certificate
	}{
		"PKCS#8 with ECDSA":                 {ecPEM, ec, nil},
		"PKCS#8 with P-384":                 {string(pemOf("PRIVATE KEY", pkcs8(t, p384))), p384, nil},
		"PKCS#8 with RSA":                   {string(pemOf("PRIVATE KEY", pkcs8(t, rsaKey()))), rsaKey(), nil},
		"PKCS#8 with Ed25519":               {string(pemOf("PRIVATE KEY", pkcs8(t, ed25519Key()))), ed25519Key(), nil},
		"PKCS#1":                            {string(pemOf("RSA PRIVATE KEY", pkcs1)), rsaKey(), nil},
		"SEC 1":                             {string(pemOf("EC PRIVATE KEY", sec1)), ec, nil},
		"SEC 1 after its parameters":        {string(pemOf("EC PARAMETERS", []byte{6, 1, 42})) + string(pemOf("EC PRIVATE KEY", sec1)), ec, nil},
		"PKCS#1 under the label of PKCS#8":  {string(pemOf("PRIVATE KEY", pkcs1)), rsaKey(), nil},
		"PKCS#8 under the label of PKCS#1":  {string(pemOf("RSA PRIVATE KEY", pkcs8(t, rsaKey()))), rsaKey(), nil},
		"a key, then its chain":             {ecPEM + string(text(certs...)), ec, certs},
		"a chain, then its key":             {string(text(certs...)) + ecPEM, ec, certs},
		"a key between certificates":        {string(text(leaf)) + ecPEM + string(text(chain...)), ec, certs},
		"a key and a PKCS#7":                {ecPEM + string(pemOf("PKCS7", bag(t, certs...))), ec, certs},
		"a key, a request and a public key": {ecPEM + string(pemOf("CERTIFICATE REQUEST", []byte{1})) + string(pemOf("PUBLIC KEY", []byte{1})), ec, nil},
		"Bag Attributes and CRLF":           {strings.ReplaceAll("Bag Attributes\n  localKeyID: 01\nKey Attributes: <No Attributes>\n"+ecPEM+string(text(leaf)), "\n", "\r\n"), ec, certs[:1]},
		"DER of PKCS#8":                     {string(pkcs8(t, ec)), ec, nil},
		"DER of PKCS#8 and a line break":    {string(pkcs8(t, ec)) + "\n", ec, nil},
		"DER of PKCS#1":                     {string(pkcs1), rsaKey(), nil},
		"DER of SEC 1":                      {string(sec1), ec, nil},
		"base64 without armour":             {base64.StdEncoding.EncodeToString(pkcs1), rsaKey(), nil},
	} {
		for option, opts := range map[string][]Option{"": nil, ", with a needless password": {WithPassword(testPassword)}} {
			t.Run(name+option, func(t *testing.T) {
				key, store, err := DecodeKey([]byte(c.data), opts...)
				require.NoError(t, err)
				assertKey(t, c.key, key)
				assertCerts(t, c.certs, store)
			})
		}
	}
}

// assertNeedsPassword reads with the right password, a wrong one and none.
func assertNeedsPassword(t *testing.T, data []byte, password string, want crypto.Signer, certs []*x509.Certificate) {
	t.Helper()
	key, store, err := DecodeKey(data, WithPassword(password))
	if refused(t, err) {
		_, _, err = DecodeKey(data)
		assert.Error(t, err)
		return
	}
	require.NoError(t, err)
	assertKey(t, want, key)
	require.Equal(t, len(certs), store.Len())
	assert.Empty(t, Diff(New(certs...), store))
	for _, wrong := range []string{password + "x", "wrong-one", "Ω"} {
		key, store, err = DecodeKey(data, WithPassword(wrong))
		assert.Nil(t, key)
		assert.Nil(t, store)
		assert.ErrorContains(t, err, "the password given does not fit")
		assert.NotContains(t, err.Error(), wrong)
	}
	_, _, err = DecodeKey(data)
	assert.ErrorContains(t, err, "no password was given")
}

func TestOpenSSLKeysDecode(t *testing.T) {
	slow(t)
	dir := t.TempDir()
	write(t, dir, "rsa.pem", pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())))
	write(t, dir, "ec.pem", pemOf("PRIVATE KEY", pkcs8(t, testKey())))
	write(t, dir, "ed.pem", pemOf("PRIVATE KEY", pkcs8(t, ed25519Key())))
	pass := "pass:" + testPassword
	for name, args := range map[string]string{
		"AES-256":              "-v2 aes256",
		"AES-192":              "-v2 aes192",
		"AES-128":              "-v2 aes128",
		"triple DES":           "-v2 des3",
		"PBKDF2 with SHA-1":    "-v2 aes256 -v2prf hmacWithSHA1",
		"PBKDF2 with SHA-224":  "-v2 aes256 -v2prf hmacWithSHA224",
		"PBKDF2 with SHA-384":  "-v2 aes256 -v2prf hmacWithSHA384",
		"PBKDF2 with SHA-512":  "-v2 aes256 -v2prf hmacWithSHA512",
		"300,000 iterations":   "-v2 aes256 -iter 300000",
		"PKCS#12's triple DES": "-v1 PBE-SHA1-3DES",
	} {
		for file, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ec": testKey(), "ed": ed25519Key()} {
			t.Run(name+" of openssl for "+file, func(t *testing.T) {
				dir := dir
				for _, form := range []string{"PEM", "DER"} {
					out := filepath.Join(t.TempDir(), "out")
					tool(t, dir, "openssl", append([]string{"pkcs8", "-topk8", "-in", file + ".pem", "-outform", form, "-out", out, "-passout", pass}, strings.Fields(args)...)...)
					assertNeedsPassword(t, read(t, "", out), testPassword, key, nil)
				}
			})
		}
	}
	for name, flag := range map[string]string{"AES-128": "-aes128", "AES-256": "-aes256", "triple DES": "-des3"} {
		t.Run("PEM encrypted with "+name+" by openssl", func(t *testing.T) {
			tool(t, dir, "openssl", "rsa", "-in", "rsa.pem", "-traditional", flag, "-passout", pass, "-out", "old.pem")
			data := read(t, dir, "old.pem")
			require.Contains(t, string(data), "Proc-Type: 4,ENCRYPTED")
			assertNeedsPassword(t, data, testPassword, rsaKey(), nil)
		})
	}
	t.Run("genrsa -traditional", func(t *testing.T) {
		tool(t, dir, "openssl", "genrsa", "-traditional", "-aes128", "-passout", pass, "-out", "gen.pem", "2048")
		key, _, err := DecodeKey(read(t, dir, "gen.pem"), WithPassword(testPassword))
		if refused(t, err) {
			return
		}
		require.NoError(t, err)
		assert.IsType(t, &rsa.PrivateKey{}, key)
	})
	t.Run("ecparam -genkey writes the parameters first", func(t *testing.T) {
		tool(t, dir, "openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", "param.pem")
		_, _, err := DecodeKey(read(t, dir, "param.pem"))
		require.NoError(t, err)
	})
	t.Run("ten million iterations are refused at once", func(t *testing.T) {
		tool(t, dir, "openssl", "pkcs8", "-topk8", "-in", "ec.pem", "-iter", "10000000", "-v2", "aes256", "-passout", pass, "-out", "slow.pem")
		start := time.Now()
		_, _, err := DecodeKey(read(t, dir, "slow.pem"), WithPassword(testPassword))
		if !refused(t, err) {
			assert.ErrorContains(t, err, "more than 16000000 blocks")
		}
		assert.Less(t, time.Since(start), time.Second)
	})
	for name, args := range map[string]string{"scrypt": "-scrypt", "DES and MD5": "-v1 PBE-MD5-DES -provider legacy -provider default"} {
		t.Run("unsupported: "+name, func(t *testing.T) {
			tool(t, dir, "openssl", append([]string{"pkcs8", "-topk8", "-in", "ec.pem", "-passout", pass, "-out", "un.pem"}, strings.Fields(args)...)...)
			_, _, err := DecodeKey(read(t, dir, "un.pem"), WithPassword(testPassword))
			assert.ErrorContains(t, err, "is not supported: write it anew with AES")
		})
	}
}

func TestPKCS12OfOpenSSLDecodes(t *testing.T) {
	dir := t.TempDir()
	leaf, chain := leafFor(t, rsaKey()), realCerts(t)[:3]
	certs := append([]*x509.Certificate{leaf}, chain...)
	write(t, dir, "key.pem", pemOf("PRIVATE KEY", pkcs8(t, rsaKey())))
	write(t, dir, "leaf.pem", text(leaf))
	write(t, dir, "chain.pem", text(chain...))
	for name, args := range map[string]string{
		"as it is":                    "",
		"legacy":                      "-legacy",
		"triple DES for certificates": "-legacy -descert",
		"RC2 with 128 bits":           "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-128",
		"AES-128 and AES-192":         "-certpbe AES-128-CBC -keypbe AES-192-CBC",
		"certificates in the clear":   "-certpbe NONE",
		"everything in the clear":     "-certpbe NONE -keypbe NONE",
		"SHA-1 as its MAC":            "-macalg sha1",
		"SHA-384 as its MAC":          "-macalg sha384",
		"SHA-512 as its MAC":          "-macalg sha512",
		"one iteration":               "-noiter -nomaciter",
		"many iterations":             "-iter 300000",
		"a friendly name and a CSP":   "-name naam -CSP provider -LMK",
	} {
		for _, password := range []string{testPassword, ""} {
			which := " with a password"
			if password == "" {
				which = " with an empty password"
			}
			t.Run(name+which, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "out.p12")
				tool(t, dir, "openssl", append([]string{"pkcs12", "-export", "-inkey", "key.pem", "-in", "leaf.pem", "-certfile", "chain.pem", "-passout", "pass:" + password, "-out", out}, strings.Fields(args)...)...)
				data := read(t, "", out)
				if password != "" {
					assertNeedsPassword(t, data, password, rsaKey(), certs)
				}
				key, store, err := DecodeKey(data, WithPassword(password))
				if refused(t, err) {
					return
				}
				require.NoError(t, err)
				assertKey(t, rsaKey(), key)
				assertCerts(t, certs, store)
				if password == "" {
					_, _, err = DecodeKey(data)
					assert.NoError(t, err, "an empty password is none")
					_, _, err = DecodeKey(data, WithPassword("x"))
					assert.ErrorContains(t, err, "the password given does not fit")
				}
				// What the library reads, it reads as we do.
				theirs, theirLeaf, theirChain, err := pkcs12.DecodeChain(data, password)
				if err == nil {
					assertKey(t, theirs.(crypto.Signer), key)
					assertCerts(t, append([]*x509.Certificate{theirLeaf}, theirChain...), store)
				} else {
					assert.Contains(t, name, "384", err)
				}
			})
		}
	}
	t.Run("a key without certificates", func(t *testing.T) {
		tool(t, dir, "openssl", "pkcs12", "-export", "-inkey", "key.pem", "-nocerts", "-passout", "pass:"+testPassword, "-out", "key.p12")
		assertNeedsPassword(t, read(t, dir, "key.p12"), testPassword, rsaKey(), nil)
	})
	t.Run("certificates without a key", func(t *testing.T) {
		tool(t, dir, "openssl", "pkcs12", "-export", "-in", "chain.pem", "-nokeys", "-passout", "pass:"+testPassword, "-out", "nokey.p12")
		_, _, err := DecodeKey(read(t, dir, "nokey.p12"), WithPassword(testPassword))
		if refused(t, err) {
			return
		}
		assert.ErrorContains(t, err, "there is no private key in it")
	})
	t.Run("no MAC and no encryption", func(t *testing.T) {
		tool(t, dir, "openssl", "pkcs12", "-export", "-inkey", "key.pem", "-in", "leaf.pem", "-nomac", "-certpbe", "NONE", "-keypbe", "NONE", "-passout", "pass:", "-out", "open.p12")
		key, store, err := DecodeKey(read(t, dir, "open.p12"))
		require.NoError(t, err)
		assertKey(t, rsaKey(), key)
		assertCerts(t, certs[:1], store)
		_, _, err = DecodeKey(read(t, dir, "open.p12"), WithPassword(testPassword))
		assert.ErrorContains(t, err, "nothing that a password could check")
	})
	t.Run("ten million iterations are refused at once", func(t *testing.T) {
		slow(t) // openssl is
		tool(t, dir, "openssl", "pkcs12", "-export", "-inkey", "key.pem", "-in", "leaf.pem", "-iter", "10000000", "-nomaciter", "-passout", "pass:x", "-out", "slow.p12")
		start := time.Now()
		_, _, err := DecodeKey(read(t, dir, "slow.p12"), WithPassword("x"))
		if !refused(t, err) {
			assert.ErrorContains(t, err, "more than 16000000 blocks")
		}
		assert.Less(t, time.Since(start), time.Second)
	})
}

func TestPKCS12OfCerttoolDecodes(t *testing.T) {
	dir := t.TempDir()
	leaf := leafFor(t, rsaKey())
	write(t, dir, "key.pem", pemOf("PRIVATE KEY", pkcs8(t, rsaKey())))
	write(t, dir, "leaf.pem", text(leaf))
	for name, cipher := range map[string]string{"AES": "aes-256", "triple DES": "3des-pkcs12", "RC2": "rc2-40"} {
		t.Run(name, func(t *testing.T) {
			tool(t, dir, "certtool", "--to-p12", "--load-privkey", "key.pem", "--load-certificate", "leaf.pem", "--p12-name", "naam", "--password", "geheim", "--pkcs-cipher", cipher, "--outder", "--outfile", "out.p12")
			assertNeedsPassword(t, read(t, dir, "out.p12"), "geheim", rsaKey(), []*x509.Certificate{leaf})
		})
	}
}

func TestPKCS12OfKeytoolDecodes(t *testing.T) {
	dir := t.TempDir()
	generate := func(store, kind, alias string, more ...string) {
		tool(t, dir, "keytool", append([]string{"-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-alias", alias, "-dname", "CN=" + alias, "-keystore", store, "-storetype", kind, "-storepass", "geheim"}, more...)...)
	}
	generate("new.p12", "PKCS12", "one")
	generate("old.p12", "PKCS12", "one", "-J-Dkeystore.pkcs12.legacy")
	for _, name := range []string{"new.p12", "old.p12"} {
		t.Run(name, func(t *testing.T) {
			key, store, err := DecodeKey(read(t, dir, name), WithPassword("geheim"))
			if refused(t, err) {
				return
			}
			require.NoError(t, err)
			require.Equal(t, 1, store.Len())
			assert.Equal(t, list(store)[0].PublicKey, key.Public())
			assertNeedsPassword(t, read(t, dir, name), "geheim", key, list(store))
		})
	}
	generate("new.p12", "PKCS12", "two")
	_, _, err := DecodeKey(read(t, dir, "new.p12"), WithPassword("geheim"))
	assert.ErrorContains(t, err, "two or more private keys")
	generate("one.jks", "JKS", "one")
	key, store, err := DecodeKey(read(t, dir, "one.jks"), WithPassword("geheim"))
	if !refused(t, err) {
		require.NoError(t, err)
		assert.Equal(t, list(store)[0].PublicKey, key.Public())
	}
}

func TestPKCS12OfTheLibraryDecodes(t *testing.T) {
	leaf, chain := leafFor(t, testKey()), realCerts(t)[:2]
	certs := append([]*x509.Certificate{leaf}, chain...)
	for name, enc := range map[string]*pkcs12.Encoder{
		"RC2": pkcs12.LegacyRC2, "triple DES": pkcs12.LegacyDES, "of 2023": pkcs12.Modern2023, "of 2026, with PBMAC1": pkcs12.Modern2026,
	} {
		t.Run(name, func(t *testing.T) {
			data := unenforced(t, func() ([]byte, error) { return enc.Encode(testKey(), leaf, chain, testPassword) })
			assertNeedsPassword(t, data, testPassword, testKey(), certs)
			if name == "of 2023" {
				for n := range data {
					_, _, err := DecodeKey(data[:n], WithPassword(testPassword))
					require.Error(t, err, "%d bytes", n)
				}
			}
		})
	}
	data := unenforced(t, func() ([]byte, error) { return pkcs12.Passwordless.Encode(testKey(), leaf, chain, "") })
	key, store, err := DecodeKey(data)
	require.NoError(t, err)
	assertKey(t, testKey(), key)
	assertCerts(t, certs, store)

	long := strings.Repeat("wachtwoord ", 50)
	data = unenforced(t, func() ([]byte, error) { return pkcs12.LegacyRC2.Encode(testKey(), leaf, nil, long) })
	if _, _, err = DecodeKey(data, WithPassword(long)); !refused(t, err) {
		assert.NoError(t, err)
	}
}

// pfx is a PKCS#12 without a MAC.
func pfx(bags ...[]byte) []byte {
	return pfxOf(seq(oid(oidData), tlv(0xa0, octets(seq(bags...)))))
}

func pfxOf(part []byte) []byte {
	return seq(integer(3), seq(oid(oidData), tlv(0xa0, octets(seq(part)))))
}

// encryptedParts encrypts SafeContents without a password, with the encrypted
// bytes in one piece and in two, which BER allows.
func encryptedParts(t testing.TB, contents []byte) map[string][]byte {
	t.Helper()
	salt, iv := []byte("saltsalt"), make([]byte, aes.BlockSize)
	key := unenforced(t, func() ([]byte, error) { return pbkdf2.Key(sha1.New, "", salt, 1, 32) })
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	pad := aes.BlockSize - len(contents)%aes.BlockSize
	data := append(bytes.Clone(contents), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	part := func(encrypted []byte) []byte {
		return seq(oid(oidEncryptedData), tlv(0xa0, seq(integer(0), seq(oid(oidData), pbes2(salt, integer(1), oidAES256CBC, iv), encrypted))))
	}
	return map[string][]byte{
		"in one piece":  part(tlv(0x80, data)),
		"in two pieces": part(tlv(0xa0, octets(data[:7]), octets(data[7:]))),
	}
}

func TestPKCS12InBERDecodes(t *testing.T) {
	leaf := leafFor(t, testKey())
	keyBag := seq(oid(oidKeyBag), tlv(0xa0, pkcs8(t, testKey())))
	certBag := seq(oid(oidCertBag), tlv(0xa0, seq(oid(oidX509Certificate), tlv(0xa0, octets(leaf.Raw)))))
	crlBag := seq(oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 4}), tlv(0xa0, seq()))
	nested := seq(oid(oidSafeContentsBag), tlv(0xa0, seq(keyBag, certBag)))
	file := pfx(keyBag, certBag)
	for name, data := range map[string][]byte{
		"in DER":                               file,
		"with indefinite lengths":              indefiniteOf(file, 3),
		"with a bag of bags and a bag of CRLs": pfx(crlBag, nested),
	} {
		t.Run(name, func(t *testing.T) {
			key, store, err := DecodeKey(data)
			require.NoError(t, err)
			assertKey(t, testKey(), key)
			assertCerts(t, []*x509.Certificate{leaf}, store)
		})
	}
	for name, part := range encryptedParts(t, seq(certBag, keyBag)) {
		key, store, err := DecodeKey(pfxOf(part))
		if refused(t, err) {
			continue
		}
		require.NoError(t, err, name)
		assertKey(t, testKey(), key)
		assertCerts(t, []*x509.Certificate{leaf}, store)
	}
	_, _, err := DecodeKey(pfx(keyBag, nested))
	assert.ErrorContains(t, err, "two or more private keys")
	_, _, err = DecodeKey(pfx(keyBag, seq(oid(oidCertBag), tlv(0xa0, seq(oid(oidX509Certificate), tlv(0xa0, octets(leaf.Raw[:99])))))))
	assert.ErrorContains(t, err, "certificate 1 in the PKCS#12: x509: ")
	_, _, err = DecodeKey(pfx(keyBag, seq(oid(oidCertBag), tlv(0xa0, seq(oid(oidData), tlv(0xa0, octets(leaf.Raw)))))))
	assert.ErrorContains(t, err, "not an X.509 certificate")
}

// pbes2 is the AlgorithmIdentifier of PBES2 with PBKDF2.
func pbes2(salt []byte, iterations []byte, cipher asn1.ObjectIdentifier, iv []byte, more ...[]byte) []byte {
	kdf := append([][]byte{octets(salt), iterations}, more...)
	return seq(oid(oidPBES2), seq(seq(oid(oidPBKDF2), seq(kdf...)), seq(oid(cipher), octets(iv))))
}

// keystore-go makes a slice of a negative length of what is shorter than its salt and
// its digest.
func TestAKeyOfAJKSCanBeShort(t *testing.T) {
	algorithm := seq(oid(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}), []byte{5, 0})
	for _, n := range []int{0, 19, 20, 39, 40, 41, 59, 60, 61, 99} {
		for _, key := range [][]byte{seq(algorithm, octets(make([]byte, n))), seq(algorithm, octets(make([]byte, n)), octets(make([]byte, 100)))} {
			for _, opts := range [][]Option{nil, {WithPassword("changeit")}} {
				_, _, err := DecodeKey(jksOf("changeit", 2, 1, jksEntryOf(jksPrivateKey, "k", jksBytes(key), []byte{0, 0, 0, 0})), opts...)
				assert.Error(t, err, n)
			}
		}
	}
}

func TestDecodeKeyRefuses(t *testing.T) {
	key := pkcs8(t, testKey())
	keyPEM := string(pemOf("PRIVATE KEY", key))
	certs := realCerts(t)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	iv, salt, data := make([]byte, 16), []byte("saltsalt"), octets(make([]byte, 64))
	encrypted := func(algorithm []byte) string { return string(pemOf("ENCRYPTED PRIVATE KEY", seq(algorithm, data))) }
	rsaOf := func(bits int) []byte {
		n := tlv(0x02, append([]byte{0, 0x80}, make([]byte, bits/8-1)...))
		return seq(integer(0), n, integer(65537), integer(1), integer(3), integer(5), integer(1), integer(1), integer(1))
	}
	rsaOID := seq(oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}), []byte{5, 0})
	p12MAC := func(salt, iterations []byte) string {
		file := pfx()
		return string(seq(integer(3), file[5:], seq(seq(seq(oid(asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26})), octets(make([]byte, 20))), octets(salt), iterations)))
	}
	require.Equal(t, []byte{2, 1, 3}, pfx()[2:5])
	shrouded := func(iterations int64) []byte {
		return seq(oid(oidShroudedKeyBag), tlv(0xa0, seq(pbes2(salt, integer(iterations), oidAES256CBC, iv), data)))
	}
	pbmac1 := func(keyLength int64) string {
		kdf := seq(oid(oidPBKDF2), seq(octets(salt), integer(1), integer(keyLength), seq(oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}))))
		mac := seq(oid(oidPBMAC1), seq(kdf, seq(oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}))))
		return string(seq(integer(3), pfx()[5:], seq(seq(mac, octets(make([]byte, 32))), octets(salt))))
	}
	for name, c := range map[string]struct{ data, want string }{
		"nothing":                               {"", "it is empty"},
		"an HTML page":                          {"<html>", "HTML page"},
		"text":                                  {"geheim", "neither certificates nor keys"},
		"a certificate":                         {string(text(certs[0])), "there is no private key in it"},
		"a certificate in DER":                  {string(certs[0].Raw), "there is no private key in it"},
		"PKCS#7":                                {string(bag(t, certs...)), "there is no private key in it"},
		"XML":                                   {"<?xml version=\"1.0\"?><x/>", "there is no private key in it"},
		"a JKS":                                 {string(jksOf(testPassword, 2, 1, jksEntryOf(jksPrivateKey, "k", jksBytes([]byte("x")), []byte{0, 0, 0, 0}))), "keytool -importkeystore"},
		"two keys":                              {keyPEM + keyPEM, "block 1 (PRIVATE KEY, line 1, byte 0) and block 2 (PRIVATE KEY, line 6, byte 241): there are two or more"},
		"two keys, one of them encrypted":       {keyPEM + encrypted(pbes2(salt, integer(1), oidAES256CBC, iv)), "two or more private keys"},
		"a key of OpenSSH":                      {string(pemOf("OPENSSH PRIVATE KEY", []byte("openssh-key-v1"))), "ssh-keygen -p -m PKCS8"},
		"a DSA key":                             {string(pemOf("DSA PRIVATE KEY", key)), "DSA keys are not supported"},
		"a key and a damaged certificate":       {keyPEM + string(pemOf("CERTIFICATE", certs[0].Raw[:500])), "block 2 (CERTIFICATE, line 6, byte 241): x509: "},
		"a key and something unknown":           {keyPEM + string(pemOf("SOMETHING", key)), "block 2 (SOMETHING, "},
		"a damaged key":                         {strings.Replace(keyPEM, "M", "*", 1), "block 1 (PRIVATE KEY, line 1, byte 0): damaged base64"},
		"a key cut off":                         {string(pemOf("PRIVATE KEY", key[:50])), "cut off"},
		"a key in DER cut off":                  {string(key[:50]), "cut off"},
		"a key in DER and more":                 {string(key) + "more", "4 bytes follow the end of the private key"},
		"a key block without a key":             {string(pemOf("PRIVATE KEY", certs[0].Raw)), "this is not a private key"},
		"an EC key without its curve":           {string(pemOf("EC PRIVATE KEY", seq(integer(1), octets(make([]byte, 32))))), "x509: "},
		"an EC key of zero":                     {string(pemOf("EC PRIVATE KEY", seq(integer(1), octets(make([]byte, 32)), tlv(0xa0, oid(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}))))), "block 1 ("},
		"RSA with 16392 bits":                   {string(pemOf("RSA PRIVATE KEY", rsaOf(16392))), "16384 bits, which is refused"},
		"RSA with 16392 bits in PKCS#8":         {string(pemOf("PRIVATE KEY", seq(integer(0), rsaOID, octets(rsaOf(16392))))), "16384 bits, which is refused"},
		"RSA with a million bits":               {string(pemOf("RSA PRIVATE KEY", rsaOf(1<<20))), "which is refused"},
		"an EC key of a curve that TLS has not": {string(pemOf("PRIVATE KEY", pkcs8(t, p224))), "of no use for TLS"},
		"RSA that is none":                      {string(pemOf("RSA PRIVATE KEY", rsaOf(2048))), "block 1 ("},
		"PKCS#8 of an unknown algorithm":        {string(pemOf("PRIVATE KEY", seq(integer(0), seq(oid(oidData)), octets(nil)))), "unknown algorithm"},
		"X25519":                                {string(pemOf("PRIVATE KEY", seq(integer(0), seq(oid(asn1.ObjectIdentifier{1, 3, 101, 110})), octets(octets(bytes.Repeat([]byte{9}, 32)))))), "cannot sign"},
		"old encryption of an unknown kind":     {strings.Replace(keyPEM, "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ROT-13,00\n\n", 1), "x509: "},
		"old encryption of a large block":       {"-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES-128-CBC,00112233445566778899aabbccddeeff\n\n" + base64.StdEncoding.EncodeToString(make([]byte, 20000)) + "\n-----END RSA PRIVATE KEY-----", "which is refused"},

		"too many iterations":                   {encrypted(pbes2(salt, integer(pbe.MaxBlocks+1), oidAES256CBC, iv)), "more than 16000000 blocks"},
		"iterations of five bytes":              {encrypted(pbes2(salt, integer(1<<33), oidAES256CBC, iv)), "more than 16000000 blocks"},
		"iterations of a hundred bytes":         {encrypted(pbes2(salt, tlv(2, bytes.Repeat([]byte{1}, 100)), oidAES256CBC, iv)), "more than 16000000 blocks"},
		"no iterations":                         {encrypted(pbes2(salt, integer(0), oidAES256CBC, iv)), "less than once"},
		"negative iterations":                   {encrypted(pbes2(salt, integer(-5), oidAES256CBC, iv)), "is damaged"},
		"a very long salt":                      {encrypted(pbes2(make([]byte, 2000), integer(1), oidAES256CBC, iv)), "is damaged"},
		"a short initial value":                 {encrypted(pbes2(salt, integer(1), oidAES256CBC, iv[:8])), "is damaged"},
		"a key size that does not fit":          {encrypted(pbes2(salt, integer(1), oidAES256CBC, iv, integer(16))), "is damaged"},
		"an unknown cipher":                     {encrypted(pbes2(salt, integer(1), oidData, iv)), "cipher 1.2.840.113549.1.7.1 is not supported"},
		"an unknown hash":                       {encrypted(pbes2(salt, integer(1), oidAES256CBC, iv, seq(oid(oidData)))), "key derivation 1.2.840.113549.1.7.1 is not supported"},
		"an unknown key derivation":             {encrypted(seq(oid(oidPBES2), seq(seq(oid(oidData)), seq(oid(oidAES128CBC), octets(iv))))), "key derivation 1.2.840.113549.1.7.1 is not supported"},
		"an unknown encryption":                 {encrypted(seq(oid(oidData))), "encryption 1.2.840.113549.1.7.1 is not supported"},
		"an encryption without anything":        {encrypted(seq(oid(oidPBES2))), "is damaged"},
		"PKCS#12 encryption without parameters": {encrypted(seq(oid(oidPKCS12TripleDES))), "is damaged"},
		"a ciphertext that is not a block":      {string(pemOf("ENCRYPTED PRIVATE KEY", seq(pbes2(salt, integer(1), oidAES256CBC, iv), octets([]byte("x"))))), "the password given does not fit"},
		"RC2 that is not a block":               {string(pemOf("ENCRYPTED PRIVATE KEY", seq(seq(oid(oidPKCS12RC2With40), seq(octets(salt), integer(1))), octets([]byte("x"))))), "the password given does not fit"},

		"PKCS#12 of version 4":                  {strings.Replace(string(pfx()), "\x02\x01\x03", "\x02\x01\x04", 1), "version 4"},
		"PKCS#12 that is signed":                {string(seq(integer(3), seq(oid(oidSignedData), tlv(0xa0, seq())))), "is signed instead"},
		"PKCS#12 without anything":              {string(seq(integer(3), seq())), "damaged PKCS#12"},
		"PKCS#12 and more":                      {p12MAC(salt, integer(1)) + "more", "4 bytes follow the end"},
		"PKCS#12 with a MAC of many iterations": {p12MAC(salt, integer(pbe.MaxBlocks+1)), "more than 16000000 blocks"},
		"PKCS#12 with a MAC of no iteration":    {p12MAC(salt, integer(0)), "less than once"},
		"PKCS#12 with a long salt":              {p12MAC(make([]byte, 2000), integer(1)), "damaged PKCS#12"},
		"PKCS#12 with a wrong MAC":              {p12MAC(salt, nil), "the password given does not fit"},
		"PKCS#12 with a short key for PBMAC1":   {pbmac1(1), "is damaged"},
		"PKCS#12 with a long key for PBMAC1":    {pbmac1(1 << 30), "is damaged"},
		"PKCS#12 with a wrong PBMAC1":           {pbmac1(32), "the password given does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			key, store, err := DecodeKey([]byte(c.data), WithPassword(testPassword))
			require.Error(t, err)
			assert.Nil(t, key)
			assert.Nil(t, store)
			if refused(t, err) {
				return
			}
			if fips140.Enforced() && name == "X25519" {
				c.want = "use of X25519 is not allowed in FIPS 140-only mode"
			}
			assert.ErrorContains(t, err, c.want)
			assert.True(t, strings.HasPrefix(err.Error(), "truststore: "))
			assert.NotContains(t, err.Error(), testPassword)
			assert.Less(t, time.Since(start), 3*time.Second)
		})
	}

	t.Run("an iteration count inside of an encrypted part", func(t *testing.T) {
		for name, part := range encryptedParts(t, seq(shrouded(pbe.MaxBlocks+1))) {
			_, _, err := DecodeKey(pfxOf(part))
			if refused(t, err) {
				continue
			}
			assert.ErrorContains(t, err, "more than 16000000 blocks", name)
		}
	})
	_, _, err = DecodeKey([]byte(keyPEM), WithLimit(100))
	assert.ErrorContains(t, err, "which is the limit")
}
