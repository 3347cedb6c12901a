package profile_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"sync"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/chain"
)

// forged is a certificate in parts, each the DER of it, so that any of them can be
// as no library would write it.
type forged struct {
	version    []byte // with its tag [0]; none for version 1
	serial     []byte // the content of the INTEGER
	algorithm  []byte
	issuer     []byte
	notBefore  []byte
	notAfter   []byte
	subject    []byte
	publicKey  []byte // the SubjectPublicKeyInfo
	unique     []byte // issuerUniqueID and subjectUniqueID, with their tags
	extensions []forgedExtension
	noExts     bool   // no field of extensions at all
	more       []byte // after the extensions
	shifted    bool   // the signature by one bit, which is unused then
	behind     []byte // after the signature
}

type forgedExtension struct {
	id           asn1.ObjectIdentifier
	critical     bool
	writtenFalse bool // critical, where it is not
	value        []byte
	more         []byte // after the value
}

// change is what makes a forged certificate different from one that is in order.
type change func(*forged)

var ecdsaWithSHA256 = seq(oidDER(1, 2, 840, 10045, 4, 3, 2))

// forgedKeys are those of the leaf, the issuing CA and the root, always the same:
// what a fuzzer finds must be found again.
var forgedKeys = sync.OnceValue(func() (keys [3]crypto.Signer) {
	for i := range keys {
		keys[i] = must(ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{byte(i + 1)}, 32)))
	}
	return keys
})

// forge makes a chain of three in which everything is in order, but for changes:
// of the leaf, of the issuing CA and of the root.
func forge(changes ...change) chain.Chain {
	keys := forgedKeys()
	c := make(chain.Chain, 3)
	for i, f := range forgedParts() {
		if i < len(changes) && changes[i] != nil {
			changes[i](&f)
		}
		c[i] = parsed(f.der(keys[min(i+1, 2)]))
	}
	return c
}

func forgedParts() [3]forged {
	keys := forgedKeys()
	names := [...][]byte{nameDER("host.example"), nameDER("Issuing CA"), nameDER("Root")}
	ids := [3][]byte{}
	for i, key := range keys {
		id := sha256.Sum256(spkiDER(key.Public()))
		ids[i] = id[:20]
	}
	var all [3]forged
	for i := range all {
		up := min(i+1, 2)
		all[i] = forged{
			version:   []byte{0xa0, 3, 2, 1, 2},
			serial:    []byte{0x01, byte(i)},
			algorithm: ecdsaWithSHA256,
			issuer:    names[up],
			notBefore: utcTime("211101120000Z"),
			notAfter:  utcTime("311101120000Z"),
			subject:   names[i],
			publicKey: spkiDER(keys[i].Public()),
			extensions: []forgedExtension{
				{id: ce(14), value: octets(ids[i])},
				{id: ce(35), value: seq(tagged(0x80, ids[up]))},
				{id: ce(15), critical: true, value: []byte{3, 2, 1, 0x06}}, // keyCertSign, cRLSign
				{id: ce(19), critical: true, value: seq([]byte{1, 1, 0xff})},
			},
		}
	}
	all[0].notBefore, all[0].notAfter = utcTime("260601120000Z"), utcTime("261217120000Z")
	leaf := all[0].extensions
	leaf[2].value = []byte{3, 2, 7, 0x80} // digitalSignature
	leaf[3] = forgedExtension{id: ce(17), value: seq(tagged(0x82, "host.example"))}
	all[0].extensions = append(leaf, forgedExtension{id: ce(37), value: seq(oidDER(1, 3, 6, 1, 5, 5, 7, 3, 1))})
	return all
}

func (f *forged) tbs() []byte {
	parts := [][]byte{f.version, tagged(0x02, f.serial), f.algorithm, f.issuer, seq(f.notBefore, f.notAfter), f.subject, f.publicKey, f.unique}
	if !f.noExts {
		var list [][]byte
		for _, e := range f.extensions {
			list = append(list, e.der())
		}
		parts = append(parts, tagged(0xa3, seq(list...)))
	}
	return seq(append(parts, f.more)...)
}

// der signs with a key on P-256, whatever the certificate says about it.
func (f *forged) der(key crypto.Signer) []byte {
	tbs := f.tbs()
	sum := sha256.Sum256(tbs)
	signature, err := key.Sign(nil, sum[:], crypto.SHA256) // deterministic
	if err != nil {
		panic(err)
	}
	unused := []byte{0}
	if f.shifted {
		unused[0] = 1
		signature = new(big.Int).Lsh(new(big.Int).SetBytes(signature), 1).Bytes()
	}
	return seq(tbs, f.algorithm, tagged(0x03, unused, signature), f.behind)
}

func (e forgedExtension) der() []byte {
	var critical []byte
	if e.critical {
		critical = []byte{1, 1, 0xff}
	} else if e.writtenFalse {
		critical = []byte{1, 1, 0}
	}
	return seq(oidDER(e.id...), critical, octets(e.value), e.more)
}

func parsed(der []byte) *x509.Certificate {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

// tagged is an element whose content is parts one after the other.
func tagged[T string | []byte](tag uint8, parts ...T) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) {
		for _, p := range parts {
			b.AddBytes([]byte(p))
		}
	})
	return b.BytesOrPanic()
}

func seq(parts ...[]byte) []byte { return tagged(0x30, parts...) }

func octets(content []byte) []byte { return tagged(0x04, content) }

func utcTime(s string) []byte { return tagged(0x17, s) }

func generalizedTime(s string) []byte { return tagged(0x18, s) }

func oidDER(ints ...int) []byte { return must(asn1.Marshal(asn1.ObjectIdentifier(ints))) }

func spkiDER(key any) []byte { return must(x509.MarshalPKIXPublicKey(key)) }

func nameDER(commonName string) []byte {
	return must(asn1.Marshal(pkix.Name{CommonName: commonName}.ToRDNSequence()))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// ce is an extension below id-ce.
func ce(number int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, number} }

// Changes, by what they are for.

func changes(all ...change) change {
	return func(f *forged) {
		for _, c := range all {
			c(f)
		}
	}
}

// with puts an extension in the place of the one of that id, or at the end.
func with(number int, critical bool, value []byte) change {
	return func(f *forged) {
		e := forgedExtension{id: ce(number), critical: critical, value: value}
		for i := range f.extensions {
			if f.extensions[i].id.Equal(e.id) {
				f.extensions[i] = e
				return
			}
		}
		f.extensions = append(f.extensions, e)
	}
}

// withAccess adds an extension below id-pe.
func withAccess(number int, value []byte) change {
	return func(f *forged) {
		f.extensions = append(f.extensions, forgedExtension{id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, number}, value: value})
	}
}

func without(number int) change {
	return func(f *forged) {
		f.extensions = slices.DeleteFunc(f.extensions, func(e forgedExtension) bool { return e.id.Equal(ce(number)) })
	}
}

// forHosts gives a certificate host names only, no common name among them.
func forHosts(list ...string) change {
	var san [][]byte
	for _, name := range list {
		san = append(san, tagged(0x82, name))
	}
	return changes(with(17, true, seq(san...)), noSubject)
}

func noSubject(f *forged) { f.subject = seq() }

func subjectOf(parts ...[]byte) change { return func(f *forged) { f.subject = seq(parts...) } }

// rdn is a part of a name, of one attribute.
func rdn(attribute int, value string) []byte {
	return tagged(0x31, seq(oidDER(2, 5, 4, attribute), tagged(0x0c, value)))
}

func mailRDN(address string) []byte {
	return tagged(0x31, seq(oidDER(1, 2, 840, 113549, 1, 9, 1), tagged(0x16, address)))
}

func usageList(purposes ...int) []byte {
	var list [][]byte
	for _, p := range purposes {
		list = append(list, oidDER(1, 3, 6, 1, 5, 5, 7, 3, p))
	}
	return seq(list...)
}

func keyOfKind(key any) change { return func(f *forged) { f.publicKey = spkiDER(key) } }

// rsaKeyDER is a public key with a modulus of so many bits, all of them set, which
// nobody can sign with.
func rsaKeyDER(bits int, exponent ...byte) []byte {
	modulus := bytes.Repeat([]byte{0xff}, (bits+7)/8)
	if bits%8 != 0 {
		modulus[0] >>= 8 - bits%8
	}
	key := seq(tagged(0x02, []byte{0}, modulus), tagged(0x02, exponent))
	if bits%8 != 0 {
		key = seq(tagged(0x02, modulus), tagged(0x02, exponent))
	}
	return seq(seq(oidDER(1, 2, 840, 113549, 1, 1, 1), []byte{5, 0}), tagged(0x03, []byte{0}, key))
}

func rawKey(spki []byte) change { return func(f *forged) { f.publicKey = spki } }

func onCurve(curve elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(curve, rand.Reader)) }
