// Package pkcs12 reads and writes PKCS#12 files (RFC 7292).
//
// software.sslmate.com/src/go-pkcs12 writes them. It does not read them, because it reads
// a trust store only if each certificate has Java's attribute (openssl pkcs12 -export
// -nokeys gives none) and there is one part, a file with a key only if it has a
// certificate and no more than two parts, nothing with indefinite lengths, and
// it knows no bound on iterations. The bound could not be put before it, because
// some counts appear only when an encrypted part is open. Our tests compare the two
// on what both can read.
package pkcs12

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	library "software.sslmate.com/src/go-pkcs12"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/keys"
	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
	"github.com/go-pkioverheid/trust/truststore/internal/purposes"
)

// contents is what a file holds, in its order.
type contents struct {
	certs []certBag
	keys  []keyBag
	other int // bags of secret keys and of what is not known

	secret *pbe.Secret // the password, in the form that was right
	work   *pbe.Work

	// unchecked is not nil where no password was given and the file has one. Its
	// contents are then what somebody left unencrypted.
	unchecked error

	// noMAC is true where a password was given and there is no MAC: then the decryption
	// must be the check of all that is there.
	noMAC bool
}

var errNoCheck = errors.New("this PKCS#12 has no MAC, and nothing that a password could check: give none, or write it anew with a MAC")

var errOther = errors.New("the PKCS#12 holds a secret, or something else that is not a certificate: give a file with certificates only")

// Entries yields the keys of a PKCS#12, and then its certificates.
func Entries(data []byte, o entry.Options) iter.Seq[entry.Entry] {
	c := contents{secret: pbe.NewSecret(o.Password), work: o.Work}
	if err := c.read(data, o.Password); err != nil {
		return entry.Only(c.secret.BlameNone(err))
	}
	return func(yield func(entry.Entry) bool) {
		for i, key := range c.keys {
			if !yield(entry.Entry{Kind: entry.PrivateKey, Number: i + 1, Alias: key.alias, Key: func() (crypto.Signer, error) { return c.key(key) }}) {
				return
			}
		}
		if c.other > 0 && !yield(entry.Entry{Kind: entry.Other, Err: errOther}) {
			return
		}
		byID := c.keysByID()
		for i, cert := range c.certs {
			key, ofKey := byID[string(cert.id)]
			if cert.alias == "" { // some writers name the key only
				cert.alias = key.alias
			}
			e := entry.Entry{Kind: entry.Plain, Number: i + 1, Alias: cert.alias, DER: cert.der, Err: cert.err, Place: place}
			if restriction := cert.purposes.Restriction(); restriction != "" {
				e.Kind, e.Restriction = entry.Restricted, restriction
			} else if ofKey {
				e.Kind = entry.OfKey
			} else if cert.purposes.Listed() {
				e.Kind = entry.Trusted
			}
			if !yield(e) {
				return
			}
		}
	}
}

func place(e entry.Entry) string { return fmt.Sprintf("certificate %d in the PKCS#12", e.Number) }

func (c *contents) keysByID() map[string]keyBag {
	byID := make(map[string]keyBag, len(c.keys))
	for _, key := range c.keys {
		if len(key.id) > 0 {
			byID[string(key.id)] = key
		}
	}
	return byID
}

// key reads a key, which it decrypts.
func (c *contents) key(bag keyBag) (crypto.Signer, error) {
	if c.unchecked != nil {
		return nil, c.secret.BlameNone(c.unchecked)
	}
	if !bag.shrouded {
		return keys.ParsePKCS8(bag.der)
	}
	key, err := keys.DecryptPKCS8(bag.der, c.secret, c.work)
	return key, c.secret.BlameNone(err)
}

// keyBag is a key that is not decrypted yet: that costs time, and a file with two keys
// is refused before.
type keyBag struct {
	der      cryptobyte.String // PrivateKeyInfo, or EncryptedPrivateKeyInfo
	shrouded bool
	attributes
}

type certBag struct {
	der cryptobyte.String
	attributes
}

// attributes is what a bag says about its content. Only Entries makes use
// of the first two, so that attributes which cannot be read are not an error.
type attributes struct {
	alias    string // friendlyName
	id       []byte // localKeyID: of a key and of its certificate the same
	purposes purposes.Purposes
	err      error // of the purposes
}

func readAttributes(in cryptobyte.String) (a attributes) {
	var set cryptobyte.String
	if !in.ReadASN1(&set, cbasn1.SET) {
		return a
	}
	for !set.Empty() {
		var attribute, values, name cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !set.ReadASN1(&attribute, cbasn1.SEQUENCE) || !ber.ReadOID(&attribute, &oid) || !attribute.ReadASN1(&values, cbasn1.SET) {
			return a
		}
		switch {
		case oid.Equal(oidFriendlyName):
			if values.ReadASN1(&name, tagBMPString) {
				units := make([]uint16, len(name)/2)
				for i := range units {
					units[i] = uint16(name[2*i])<<8 | uint16(name[2*i+1])
				}
				a.alias = string(utf16.Decode(units))
			}
		case oid.Equal(oidLocalKeyID):
			values.ReadASN1Bytes(&a.id, cbasn1.OCTET_STRING)
		case oid.Equal(oidJavaTrusted):
			if a.err = a.purposes.ReadJava(values); a.err != nil {
				return a
			}
		}
	}
	return a
}

var (
	oidFriendlyName = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	oidLocalKeyID   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 21}

	// Its values are extended key usages. Java writes anyExtendedKeyUsage, and trusts
	// a certificate with any values for everything.
	oidJavaTrusted = asn1.ObjectIdentifier{2, 16, 840, 1, 113894, 746875, 1, 1}
)

var (
	oidKeyBag          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedKeyBag  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidCRLBag          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 4}
	oidSafeContentsBag = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 6}

	oidX509Certificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
)

var errDamaged = errors.New("damaged PKCS#12")

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
)

// Tags of RFC 7292 that are not universal.
const (
	tagExplicit0 = cbasn1.Tag(0x80 | 0x20)
	tagImplicit0 = cbasn1.Tag(0x80)
	tagBMPString = cbasn1.Tag(0x1e)
)

// read reads a file, checks it with the password and takes its bags out of their
// envelopes.
func (c *contents) read(data []byte, password string) error {
	pfx, err := enter(data)
	if err != nil {
		return err
	}
	var version int
	var info, authSafe cryptobyte.String
	var contentType asn1.ObjectIdentifier
	if !pfx.ReadASN1Integer(&version) ||
		!pfx.ReadASN1(&info, cbasn1.SEQUENCE) || !ber.ReadOID(&info, &contentType) {
		return errDamaged
	}
	if version != 3 {
		return fmt.Errorf("PKCS#12 of version %d: want version 3", version)
	}
	if contentType.Equal(oidSignedData) {
		return errors.New("a PKCS#12 that is signed instead of having a password is not supported")
	}
	if !contentType.Equal(oidData) || !info.ReadASN1(&info, tagExplicit0) || !info.ReadASN1(&authSafe, cbasn1.OCTET_STRING) {
		return errDamaged
	}
	if pfx.Empty() {
		c.noMAC = password != ""
	} else if err := pbe.CheckMAC(pfx, authSafe, c.secret, c.work); err != nil {
		if password != "" || !errors.Is(err, pbe.ErrWrong) && !errors.Is(err, pbe.ErrFIPS) {
			return err
		}
		c.unchecked = err
	}

	parts, err := enter(authSafe)
	if err != nil {
		return err
	}
	for number := 1; !parts.Empty(); number++ {
		if err := c.readPart(&parts); err != nil {
			return fmt.Errorf("part %d of the PKCS#12: %w", number, err)
		}
	}
	return nil
}

// enter returns the content of a sequence with nothing after it, when it was walked.
func enter(data []byte) (cryptobyte.String, error) {
	der, err := ber.Only(data, "PKCS#12")
	if err != nil {
		return nil, err
	}
	var body cryptobyte.String
	if in := cryptobyte.String(der); !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return nil, errDamaged
	}
	return body, nil
}

// readPart reads one ContentInfo of the AuthenticatedSafe.
func (c *contents) readPart(in *cryptobyte.String) error {
	var info, content, bags cryptobyte.String
	var contentType asn1.ObjectIdentifier
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !ber.ReadOID(&info, &contentType) ||
		!info.ReadASN1(&content, tagExplicit0) {
		return errDamaged
	}
	encrypted := false
	switch {
	case contentType.Equal(oidData):
		if !content.ReadASN1(&bags, cbasn1.OCTET_STRING) {
			return errDamaged
		}
	case contentType.Equal(oidEncryptedData):
		if c.unchecked != nil {
			return c.unchecked
		}
		var err error
		if bags, err = c.decryptPart(content); err != nil {
			return err
		}
		encrypted = true
	default:
		return fmt.Errorf("its content type %v is not supported: want one that is encrypted with a password", contentType)
	}
	body, err := enter(bags)
	switch {
	case err != nil && encrypted && c.noMAC: // padding that was right by chance
		return pbe.ErrWrong
	case err != nil:
		return err
	}
	return c.readBags(body, encrypted)
}

func (c *contents) decryptPart(content cryptobyte.String) ([]byte, error) {
	var version int
	var info, algorithm, encrypted cryptobyte.String
	var contentType asn1.ObjectIdentifier
	if !content.ReadASN1(&content, cbasn1.SEQUENCE) || !content.ReadASN1Integer(&version) || version != 0 ||
		!content.ReadASN1(&info, cbasn1.SEQUENCE) || !ber.ReadOID(&info, &contentType) || !contentType.Equal(oidData) ||
		!info.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) {
		return nil, errDamaged
	}
	// The encrypted bytes are an octet string under a tag of its own, which
	// ber.DER does not join when it is divided.
	if divided := info.PeekASN1Tag(tagExplicit0); divided {
		if !info.ReadASN1(&encrypted, tagExplicit0) {
			return nil, errDamaged
		}
		joined, err := ber.AppendOctets(nil, encrypted)
		if err != nil {
			return nil, err
		}
		encrypted = joined
	} else if !info.ReadASN1(&encrypted, tagImplicit0) {
		return nil, errDamaged
	}
	return pbe.Decrypt(&algorithm, encrypted, c.secret, c.work)
}

// readBags reads SafeContents. Bags may hold bags; the walk has bounded how deep.
func (c *contents) readBags(in cryptobyte.String, encrypted bool) error {
	for !in.Empty() {
		var bag, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !in.ReadASN1(&bag, cbasn1.SEQUENCE) || !ber.ReadOID(&bag, &oid) || !bag.ReadASN1(&value, tagExplicit0) {
			return errDamaged
		}
		switch {
		case c.noMAC && !encrypted && !oid.Equal(oidShroudedKeyBag):
			return errNoCheck
		case oid.Equal(oidKeyBag):
			c.keys = append(c.keys, keyBag{der: value, attributes: readAttributes(bag)})
		case oid.Equal(oidShroudedKeyBag):
			c.keys = append(c.keys, keyBag{der: value, shrouded: true, attributes: readAttributes(bag)})
		case oid.Equal(oidCertBag):
			var cert cryptobyte.String
			if !value.ReadASN1(&value, cbasn1.SEQUENCE) || !ber.ReadOID(&value, &oid) {
				return errDamaged
			}
			if !oid.Equal(oidX509Certificate) {
				return errors.New("it has a certificate that is not an X.509 certificate")
			}
			if !value.ReadASN1(&value, tagExplicit0) || !value.ReadASN1(&cert, cbasn1.OCTET_STRING) {
				return errDamaged
			}
			c.certs = append(c.certs, certBag{cert, readAttributes(bag)})
		case oid.Equal(oidSafeContentsBag):
			if !value.ReadASN1(&value, cbasn1.SEQUENCE) {
				return errDamaged
			}
			if err := c.readBags(value, encrypted); err != nil {
				return err
			}
		case !oid.Equal(oidCRLBag):
			c.other++
		}
	}
	return nil
}

// Encode writes a trust store of Java, with as many iterations as keytool.
func Encode(certs iter.Seq2[*x509.Certificate, string], password string) ([]byte, error) {
	return encode(library.Modern2023, certs, password)
}

func encode(encoder *library.Encoder, certs iter.Seq2[*x509.Certificate, string], password string) ([]byte, error) {
	if strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("the password of a PKCS12 must be printable ASCII, because Java takes no other")
	}
	var entries []library.TrustStoreEntry
	for cert, alias := range certs {
		entries = append(entries, library.TrustStoreEntry{Cert: cert, FriendlyName: alias})
	}
	return encoder.WithIterations(10_000).EncodeTrustStoreEntries(entries, password)
}

// EncodeLegacy writes it with triple DES and SHA-1, for Java before July 2021 and Windows
// Server 2016, which read nothing else.
func EncodeLegacy(certs iter.Seq2[*x509.Certificate, string], password string) ([]byte, error) {
	if err := pbe.Approved("triple DES and SHA-1"); err != nil {
		return nil, fmt.Errorf("cannot write PKCS12Legacy: %w", err)
	}
	return encode(library.LegacyDES, certs, password)
}
