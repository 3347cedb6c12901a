package truststore

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"golang.org/x/crypto/cryptobyte"
)

// A JKS of Java is a magic number, a version, a count, the entries, and a SHA-1
// over the password, a fixed text and all that comes before. Each entry has a tag,
// an alias and a date; then a trusted certificate has its type and bytes, and a
// private key its encrypted bytes and a count of such certificates.
const (
	jksMagic = 0xfeedfeed

	jksPrivateKey  = 1
	jksTrustedCert = 2
)

// maxJKSEntries bounds what keystore-go makes of an entry beside its bytes.
const maxJKSEntries = 1 << 18

var errDamagedJKS = errors.New("damaged JKS: it is cut off, or something in it says that it is longer than it is")

var errManyJKSCerts = fmt.Errorf("the private keys have more than %d certificates", maxJKSEntries)

// jksEntry is one entry of a JKS.
type jksEntry struct {
	number int
	tag    uint32
	alias  string
	certs  [][]byte // one of a trusted certificate; of a private key its own and those above it
}

func (e jksEntry) String() string {
	return fmt.Sprintf("entry %d (%s) in the JKS", e.number, printable(e.alias, 80))
}

// addJKS reads the trusted certificates of a JKS.
//
// The walk comes first: keystore-go allocates what lengths and counts say, before
// it looks whether the file has that much. Then keystore-go reads the file and
// checks its digest. The certificates are taken where the walk found them, because
// keystore-go keeps entries in a map, which has no order, and in which one of two
// with the same alias gets lost. Two forms it cannot read: a JKS without a
// password given, which Java lists (with a warning), and passwords that are not
// ASCII, of which it takes the bytes of UTF-8 where Java takes those of UTF-16.
func (d *decoder) addJKS(data []byte) error {
	entries, err := walkJKS(data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.tag == jksPrivateKey && d.visit == nil {
			if err := d.skip(fmt.Errorf("%v: %w", e, errKeyInside)); err != nil {
				return err
			}
		}
	}
	if d.password != "" {
		if err := approved("SHA-1"); err != nil {
			return err
		}
	}
	switch {
	case d.password == "":
	case isASCII(d.password):
		if err := keystore.New().Load(bytes.NewReader(data), []byte(d.password)); err != nil {
			// After the walk, nothing else is left that can be wrong.
			return errWrongPassword
		}
	default:
		body, digest := data[:len(data)-sha1.Size], data[len(data)-sha1.Size:]
		if !hmac.Equal(digest, jksDigest(body, d.password)) {
			return errWrongPassword
		}
	}
	for _, e := range entries {
		if e.tag != jksTrustedCert && d.visit == nil {
			continue
		}
		if e.tag == jksPrivateKey {
			if err := d.visit(Entry{Format: JKS, Kind: PrivateKey, Number: e.number, Alias: e.alias}); err != nil {
				return err
			}
		}
		for i, cert := range e.certs {
			d.entry = Entry{Format: JKS, Kind: TrustedCertificate, Number: e.number, Alias: e.alias}
			if e.tag == jksPrivateKey {
				d.entry.Kind, d.entry.Position = KeyCertificate, i+1
			}
			if err := d.addCertificate(cert); err != nil {
				if err := d.skip(fmt.Errorf("%v: %w", e, err)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// walkJKS checks each count and length against the size of the file, reads
// nothing twice, and allocates only by what is there.
func walkJKS(data []byte) ([]jksEntry, error) {
	in := cryptobyte.String(data)
	var magic, version, count uint32
	if !in.ReadUint32(&magic) || magic != jksMagic || !in.ReadUint32(&version) || !in.ReadUint32(&count) {
		return nil, errDamagedJKS
	}
	if version != 1 && version != 2 {
		return nil, fmt.Errorf("a JKS of version %d: want version 1 or 2", version)
	}
	if count > maxJKSEntries {
		return nil, fmt.Errorf("a JKS with %d entries, which is more than %d", count, maxJKSEntries)
	}
	var entries []jksEntry
	var keyCerts uint64
	for number := 1; number <= int(count); number++ {
		e := jksEntry{number: number}
		var alias, date, key cryptobyte.String
		if !in.ReadUint32(&e.tag) || !in.ReadUint16LengthPrefixed(&alias) || !in.ReadBytes((*[]byte)(&date), 8) {
			return nil, fmt.Errorf("entry %d: %w", number, errDamagedJKS)
		}
		e.alias = string(alias)
		certs := uint32(1)
		switch e.tag {
		case jksTrustedCert:
		case jksPrivateKey:
			if !readJKSBytes(&in, &key) || !in.ReadUint32(&certs) {
				return nil, fmt.Errorf("%v: %w", e, errDamagedJKS)
			}
		default:
			return nil, fmt.Errorf("%v is neither a certificate nor a private key", e)
		}
		if e.tag == jksPrivateKey {
			if keyCerts += uint64(certs); keyCerts > maxJKSEntries && uint64(certs) <= uint64(len(in))/4 {
				return nil, fmt.Errorf("%v: %w", e, errManyJKSCerts)
			}
		}
		for ; certs > 0; certs-- {
			var kind, cert cryptobyte.String
			if version == 2 && !in.ReadUint16LengthPrefixed(&kind) || !readJKSBytes(&in, &cert) {
				return nil, fmt.Errorf("%v: %w", e, errDamagedJKS)
			}
			if version == 2 && string(kind) != "X.509" && string(kind) != "X509" {
				return nil, fmt.Errorf("%v is a certificate of type %s: want X.509", e, printable(string(kind), 40))
			}
			e.certs = append(e.certs, cert)
		}
		entries = append(entries, e)
	}
	if len(in) < sha1.Size {
		return nil, errDamagedJKS
	}
	if len(in) > sha1.Size {
		return nil, fmt.Errorf("%d bytes follow the end of the JKS: the file is damaged, or two files in one", len(in)-sha1.Size)
	}
	return entries, nil
}

// readJKSBytes reads bytes after their length.
func readJKSBytes(in, out *cryptobyte.String) bool {
	var n uint32
	return in.ReadUint32(&n) && uint64(n) <= uint64(len(*in)) && in.ReadBytes((*[]byte)(out), int(n))
}

// jksDigest is what stands behind the body of a JKS.
func jksDigest(body []byte, password string) []byte {
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

// encodeJKS writes a JKS through keystore-go.
func (s *Store) encodeJKS(password string) ([]byte, error) {
	if err := approved("SHA-1"); err != nil {
		return nil, fmt.Errorf("cannot write %v: %w", JKS, err)
	}
	ks := keystore.New(keystore.WithOrderedAliases())
	for cert, alias := range s.aliases() {
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
	if body := data[:len(data)-sha1.Size]; !isASCII(password) { // see addJKS
		copy(data[len(body):], jksDigest(body, password))
	}
	return data, nil
}
