// Package jks reads and writes the former key stores of Java. keystore-go checks the digest
// of one, decrypts keys and writes it. The certificates are taken by a walk of our own,
// because keystore-go allocates what lengths and counts say, before it looks whether the
// file has that much; reads nothing without a password; and keeps entries in a map, which
// has no order, and in which one of two with the same alias gets lost.
package jks

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf16"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/keys"
	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// A JKS is a magic number, a version, a count, the entries, and a SHA-1 over the
// password, a fixed text and all that comes before. Each entry has a tag, an alias and a
// date; then a trusted certificate has its type and bytes, and a private key its
// encrypted bytes and a count of such certificates.
const (
	magicNumber = 0xfeedfeed
	magicJCEKS  = 0xcececece // the same with stronger keys, and with secret keys

	privateKey  = 1
	trustedCert = 2
	secretKey   = 3
)

// maxEntries bounds what keystore-go makes of an entry beside its bytes.
const maxEntries = 1 << 18

var (
	errDamaged   = errors.New("damaged JKS: it is cut off, or something in it says that it is longer than it is")
	errManyCerts = fmt.Errorf("the private keys have more than %d certificates", maxEntries)
	errJCEKS     = errors.New("this is a JCEKS key store, from which keys are not read: convert it with keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore FILE.p12 -deststoretype PKCS12")
	errSecret    = errors.New("it is a secret key, whose length the JCEKS does not say: what follows it is not read")
)

// Entries yields the entries of a JKS. Without a password the digest is not checked.
func Entries(data []byte, o entry.Options) iter.Seq[entry.Entry] {
	entries, err := walk(data)
	if err == nil && o.Password != "" {
		err = check(data, o.Password)
	}
	if err != nil {
		return entry.Only(err)
	}
	return func(yield func(entry.Entry) bool) {
		for _, in := range entries {
			e := entry.Entry{Kind: entry.Trusted, Number: in.number, Alias: in.alias, Place: place}
			if in.tag == privateKey {
				e.Kind, e.Key = entry.PrivateKey, func() (crypto.Signer, error) { return in.privateKey(o) }
				if !yield(e) {
					return
				}
				e.Kind, e.Key = entry.OfKey, nil
			}
			if in.tag == secretKey {
				e.Kind, e.Err = entry.Unknown, errSecret
				yield(e)
				return
			}
			for i, cert := range in.certs {
				e.DER = cert
				if in.tag == privateKey {
					e.Position = i + 1
				}
				if !yield(e) {
					return
				}
			}
		}
	}
}

func place(e entry.Entry) string {
	return fmt.Sprintf("entry %d (%s) in the JKS", e.Number, safetext.Printable(e.Alias, 80))
}

// check compares the digest. Of a password that is not ASCII keystore-go takes the bytes
// of UTF-8, where Java takes those of UTF-16.
func check(data []byte, password string) error {
	if err := pbe.Approved("SHA-1"); err != nil {
		return err
	}
	body, digest := data[:len(data)-sha1.Size], data[len(data)-sha1.Size:]
	byLibrary := isASCII(password) && data[0] == magicNumber>>24
	fits := byLibrary && keystore.New().Load(bytes.NewReader(data), []byte(password)) == nil ||
		!byLibrary && hmac.Equal(digest, digestOf(body, password))
	if !fits { // after the walk, nothing else is left that can be wrong
		return pbe.ErrWrong
	}
	return nil
}

// storeEntry is one entry.
type storeEntry struct {
	number int
	tag    uint32
	alias  string
	certs  [][]byte // one of a trusted certificate; of a private key its own and those above it
	key    []byte   // encrypted
	jceks  bool
}

func (e storeEntry) String() string {
	return place(entry.Entry{Number: e.number, Alias: e.alias})
}

// walk checks each count and length against the size of the file, reads
// nothing twice, and allocates only by what is there.
func walk(data []byte) ([]storeEntry, error) {
	in := cryptobyte.String(data)
	var magic, version, count uint32
	if !in.ReadUint32(&magic) || magic != magicNumber && magic != magicJCEKS || !in.ReadUint32(&version) || !in.ReadUint32(&count) {
		return nil, errDamaged
	}
	if version != 1 && version != 2 {
		return nil, fmt.Errorf("a JKS of version %d: want version 1 or 2", version)
	}
	if count > maxEntries {
		return nil, fmt.Errorf("a JKS with %d entries, which is more than %d", count, maxEntries)
	}
	var entries []storeEntry
	var keyCerts uint64
	for number := 1; number <= int(count); number++ {
		e := storeEntry{number: number, jceks: magic == magicJCEKS}
		var alias, date, key cryptobyte.String
		if !in.ReadUint32(&e.tag) || !in.ReadUint16LengthPrefixed(&alias) || !in.ReadBytes((*[]byte)(&date), 8) {
			return nil, fmt.Errorf("entry %d: %w", number, errDamaged)
		}
		e.alias = string(alias)
		certs := uint32(1)
		switch e.tag {
		case trustedCert:
		case privateKey:
			if !readBytes(&in, &key) || !in.ReadUint32(&certs) {
				return nil, fmt.Errorf("%v: %w", e, errDamaged)
			}
			e.key = key
		default:
			if e.tag == secretKey && e.jceks {
				return append(entries, e), nil
			}
			return nil, fmt.Errorf("%v is neither a certificate nor a private key", e)
		}
		if e.tag == privateKey {
			if keyCerts += uint64(certs); keyCerts > maxEntries && uint64(certs) <= uint64(len(in))/4 {
				return nil, fmt.Errorf("%v: %w", e, errManyCerts)
			}
		}
		for ; certs > 0; certs-- {
			var kind, cert cryptobyte.String
			if version == 2 && !in.ReadUint16LengthPrefixed(&kind) || !readBytes(&in, &cert) {
				return nil, fmt.Errorf("%v: %w", e, errDamaged)
			}
			if version == 2 && string(kind) != "X.509" && string(kind) != "X509" {
				return nil, fmt.Errorf("%v is a certificate of type %s: want X.509", e, safetext.Printable(string(kind), 40))
			}
			e.certs = append(e.certs, cert)
		}
		entries = append(entries, e)
	}
	if len(in) < sha1.Size {
		return nil, errDamaged
	}
	if len(in) > sha1.Size {
		return nil, fmt.Errorf("%d bytes follow the end of the JKS: the file is damaged, or two files in one", len(in)-sha1.Size)
	}
	return entries, nil
}

// privateKey decrypts the key of an entry: keystore-go does, which is given a store of this
// one entry. The password is the key's own or, without one, that of the store.
func (e storeEntry) privateKey(o entry.Options) (crypto.Signer, error) {
	if e.jceks {
		return nil, errJCEKS
	}
	if err := pbe.Approved("SHA-1"); err != nil {
		return nil, err
	}
	if len(e.key) > keys.MaxKey+256 { // around the key are its algorithm, a salt and a digest
		return nil, keys.ErrLarge
	}
	const ours = "store"
	secret := pbe.NewSecret(cmp.Or(o.KeyPassword, o.Password))
	password, ok := latin1(cmp.Or(o.KeyPassword, o.Password))
	if !ok {
		return nil, errors.New("the password of its key has characters beyond ISO 8859-1: convert it with keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12")
	}
	if !hasKey(e.key) {
		return nil, secret.BlameNone(pbe.ErrWrong)
	}
	var b cryptobyte.Builder
	for _, n := range []uint32{magicNumber, 2, 1, privateKey} {
		b.AddUint32(n)
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(ours)) })
	b.AddUint64(0) // the date
	b.AddUint32(uint32(len(e.key)))
	b.AddBytes(e.key)
	b.AddUint32(0) // no certificates
	body, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	ks := keystore.New()
	if err := ks.Load(bytes.NewReader(append(body, digestOf(body, ours)...)), []byte(ours)); err != nil {
		return nil, errDamaged
	}
	key, err := ks.GetPrivateKeyEntry(ours, password)
	if err != nil || !keys.IsOneSequence(key.PrivateKey) {
		return nil, secret.BlameNone(pbe.ErrWrong)
	}
	return keys.ParsePKCS8(key.PrivateKey)
}

// hasKey reports whether there is something encrypted between the salt and the digest of a
// key. keystore-go panics where there is not.
func hasKey(key cryptobyte.String) bool {
	var info, encrypted cryptobyte.String
	return key.ReadASN1(&info, asn1.SEQUENCE) && info.SkipASN1(asn1.SEQUENCE) && info.ReadASN1(&encrypted, asn1.OCTET_STRING) &&
		len(encrypted) > 2*sha1.Size
}

// latin1 returns a text in ISO 8859-1, of which keystore-go makes the UTF-16 that Java
// hashes.
func latin1(s string) (out []byte, ok bool) {
	for _, r := range s {
		if r > 0xff {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}

// readBytes reads bytes after their length.
func readBytes(in, out *cryptobyte.String) bool {
	var n uint32
	return in.ReadUint32(&n) && uint64(n) <= uint64(len(*in)) && in.ReadBytes((*[]byte)(out), int(n))
}

// digestOf is what follows the body of a JKS.
func digestOf(body []byte, password string) []byte {
	h := sha1.New()
	for _, unit := range utf16.Encode([]rune(password)) {
		h.Write([]byte{byte(unit >> 8), byte(unit)})
	}
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(body)
	return h.Sum(nil)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// Encode writes trusted certificates with their aliases.
func Encode(certs iter.Seq2[*x509.Certificate, string], password string) ([]byte, error) {
	if err := pbe.Approved("SHA-1"); err != nil {
		return nil, fmt.Errorf("cannot write JKS: %w", err)
	}
	ks := keystore.New(keystore.WithOrderedAliases())
	for cert, alias := range certs {
		// Java shows the date and makes no use of it. That of the certificate does
		// not change from one writing to the next.
		err := ks.SetTrustedCertificateEntry(alias, keystore.TrustedCertificateEntry{
			CreationTime: cert.NotBefore,
			Certificate:  keystore.Certificate{Type: "X.509", Content: cert.Raw},
		})
		if err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	if err := ks.Store(&out, []byte(password)); err != nil {
		return nil, err
	}
	data := out.Bytes()
	if body := data[:len(data)-sha1.Size]; !isASCII(password) { // see check
		copy(data[len(body):], digestOf(body, password))
	}
	return data, nil
}
