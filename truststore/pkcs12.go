package truststore

import (
	"bytes"
	"crypto/hmac"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// pkcs12Contents is what a PKCS#12 file holds, in its order.
type pkcs12Contents struct {
	certs []pkcs12CertBag
	keys  []pkcs12KeyBag
	other int // bags of secret keys and of what is not known

	// unchecked is not nil where no password was given and the file has one. Its
	// contents are then what somebody left unencrypted.
	unchecked error
}

// addPKCS12 reads the certificates of a PKCS#12.
func (d *decoder) addPKCS12(data []byte) error {
	contents, _, err := readPKCS12(data, d.password, d.work)
	if err != nil {
		return blameNoPassword(err, d.password)
	}
	if len(contents.keys) > 0 && d.visit == nil {
		if err := d.skip(errKeyInside); err != nil {
			return err
		}
	}
	if contents.other > 0 && d.visit == nil {
		if err := d.skip(errors.New("the PKCS#12 holds a secret, or something else that is no certificate: give a file with certificates only")); err != nil {
			return err
		}
	}
	if d.visit != nil {
		for i := range contents.keys {
			if err := d.visit(Entry{Format: PKCS12, Kind: PrivateKey, Number: i + 1, Alias: contents.keys[i].alias}); err != nil {
				return err
			}
		}
	}
	keyIDs := contents.keyIDs()
	for i, cert := range contents.certs {
		d.entry = Entry{Format: PKCS12, Kind: PlainCertificate, Number: i + 1, Alias: cert.alias}
		if keyIDs[string(cert.id)] {
			d.entry.Kind = KeyCertificate
		} else if cert.purposes.listed {
			d.entry.Kind = TrustedCertificate
		}
		if err := d.addBag(cert); err != nil {
			if err := d.skip(fmt.Errorf("certificate %d in the PKCS#12: %w", i+1, err)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *decoder) addBag(cert pkcs12CertBag) error {
	if cert.err != nil {
		return cert.err
	}
	return d.addWithPurposes(cert.der, cert.purposes)
}

func (c *pkcs12Contents) keyIDs() map[string]bool {
	ids := make(map[string]bool, len(c.keys))
	for _, key := range c.keys {
		if len(key.id) > 0 {
			ids[string(key.id)] = true
		}
	}
	return ids
}

var errKeyInside = errors.New("there is a private key in it, and certificates are wanted: give a file with certificates only, or read the key with DecodeKey")

// pkcs12KeyBag is a key that is not decrypted yet: that costs time, and a file
// with two keys is refused before.
type pkcs12KeyBag struct {
	der      cryptobyte.String // PrivateKeyInfo, or EncryptedPrivateKeyInfo
	shrouded bool
	pkcs12Attributes
}

type pkcs12CertBag struct {
	der cryptobyte.String
	pkcs12Attributes
}

// pkcs12Attributes is what a bag says about its content. Only Entries makes use
// of the first two, so that attributes which cannot be read are not an error.
type pkcs12Attributes struct {
	alias    string // friendlyName
	id       []byte // localKeyID: of a key and of its certificate the same
	purposes purposes
	err      error // of the purposes
}

func readPKCS12Attributes(in cryptobyte.String) (a pkcs12Attributes) {
	var set cryptobyte.String
	if !in.ReadASN1(&set, cbasn1.SET) {
		return a
	}
	for !set.Empty() {
		var attribute, values, name cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !set.ReadASN1(&attribute, cbasn1.SEQUENCE) || !readOID(&attribute, &oid) || !attribute.ReadASN1(&values, cbasn1.SET) {
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
			if a.purposes.trusted, a.err = readPurposes(values); a.err == nil && a.purposes.listed {
				a.err = errDamagedTrust // a second list
			}
			a.purposes.listed = true
			if a.err != nil {
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
	oidPBMAC1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}

	oidKeyBag          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedKeyBag  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidCRLBag          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 4}
	oidSafeContentsBag = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 6}

	oidX509Certificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
)

var errDamagedPKCS12 = errors.New("damaged PKCS#12")

// Tags of RFC 7292 that are no universal ones.
const (
	tagExplicit0 = cbasn1.Tag(0x80 | 0x20)
	tagImplicit0 = cbasn1.Tag(0x80)
	tagBMPString = cbasn1.Tag(0x1e)
)

// readPKCS12 reads a PKCS#12 file (RFC 7292), checks it with the password and
// takes its bags out of their envelopes. It also returns the password in the
// form that was right.
//
// It does not use software.sslmate.com/src/go-pkcs12, which reads a trust store
// only if each certificate has Java's attribute (openssl pkcs12 -export -nokeys
// gives none) and there is one part, a file with a key only if it has a
// certificate and no more than two parts, nothing with indefinite lengths, and
// which knows no bound on iterations. The bound could not be put before it, because
// some counts appear only when an encrypted part is open. Our tests compare the two
// on what both can read.
func readPKCS12(data []byte, password string, w *work) (*pkcs12Contents, secret, error) {
	s := newSecret(password)
	contents := new(pkcs12Contents)
	pfx, err := enter(data)
	if err != nil {
		return nil, s, err
	}
	var version int
	var info, authSafe cryptobyte.String
	var contentType asn1.ObjectIdentifier
	if !pfx.ReadASN1Integer(&version) ||
		!pfx.ReadASN1(&info, cbasn1.SEQUENCE) || !readOID(&info, &contentType) {
		return nil, s, errDamagedPKCS12
	}
	if version != 3 {
		return nil, s, fmt.Errorf("PKCS#12 of version %d: want version 3", version)
	}
	if contentType.Equal(oidSignedData) {
		return nil, s, errors.New("a PKCS#12 that is signed instead of having a password is not supported")
	}
	if !contentType.Equal(oidData) || !info.ReadASN1(&info, tagExplicit0) || !info.ReadASN1(&authSafe, cbasn1.OCTET_STRING) {
		return nil, s, errDamagedPKCS12
	}
	if pfx.Empty() {
		if password != "" {
			return nil, s, errors.New("this PKCS#12 has nothing that a password could check: give none, or write it anew with a MAC")
		}
	} else if err := checkMAC(pfx, authSafe, &s, w); err != nil {
		if password != "" || !errors.Is(err, errWrongPassword) && !errors.Is(err, errFIPS) {
			return nil, s, err
		}
		contents.unchecked = err
	}

	parts, err := enter(authSafe)
	if err != nil {
		return nil, s, err
	}
	for number := 1; !parts.Empty(); number++ {
		if err := contents.readPart(&parts, s, w); err != nil {
			return nil, s, fmt.Errorf("part %d of the PKCS#12: %w", number, err)
		}
	}
	return contents, s, nil
}

// enter returns the content of a sequence with nothing behind it, after the walk.
func enter(data []byte) (cryptobyte.String, error) {
	der, rest, err := derOf(data)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimLeft(rest, "\r\n\t ")) > 0 {
		return nil, fmt.Errorf("%d bytes follow the end of the PKCS#12: the file is damaged, or two files in one", len(rest))
	}
	var body cryptobyte.String
	if in := cryptobyte.String(der); !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return nil, errDamagedPKCS12
	}
	return body, nil
}

// checkMAC checks the password. For an empty one there are two ways to write it,
// both in use: two zero bytes and nothing at all. It sets the one that is right.
func checkMAC(in, message cryptobyte.String, s *secret, w *work) error {
	var macData, digestInfo, params cryptobyte.String
	var oid asn1.ObjectIdentifier
	var digest, salt []byte
	if !in.ReadASN1(&macData, cbasn1.SEQUENCE) || !in.Empty() ||
		!macData.ReadASN1(&digestInfo, cbasn1.SEQUENCE) || !readAlgorithm(&digestInfo, &oid, &params) ||
		!digestInfo.ReadASN1Bytes(&digest, cbasn1.OCTET_STRING) ||
		!macData.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) || len(salt) > maxSalt {
		return errDamagedPKCS12
	}
	if oid.Equal(oidPBMAC1) {
		return checkPBMAC1(params, message, digest, *s, w)
	}
	newHash, err := hashOf(oid, "MAC")
	if err != nil {
		return err
	}
	iterations := 1
	if !macData.Empty() {
		if err := readIterations(&macData, &iterations); err != nil {
			return err
		}
	}
	blocks := pkcs12Blocks(newHash(), len(s.bmp), len(salt), iterations, newHash().Size())
	if err := w.add(blocks); err != nil {
		return err
	}
	check := func(password []byte) bool {
		key := pkcs12Key(newHash, 3, password, salt, iterations, newHash().Size())
		return macEqual(newHash, key, message, digest)
	}
	if check(s.bmp) {
		return nil
	}
	if s.text != "" {
		return errWrongPassword
	}
	if err := w.add(blocks); err != nil {
		return err
	}
	if !check(nil) {
		return errWrongPassword
	}
	s.bmp = nil
	return nil
}

// checkPBMAC1 is RFC 9579.
func checkPBMAC1(params, message cryptobyte.String, digest []byte, s secret, w *work) error {
	var oid asn1.ObjectIdentifier
	var kdf, macParams cryptobyte.String
	if !params.ReadASN1(&params, cbasn1.SEQUENCE) ||
		!params.ReadASN1Element(&kdf, cbasn1.SEQUENCE) ||
		!readAlgorithm(&params, &oid, &macParams) {
		return errDamagedPKCS12
	}
	newHash, err := hashOf(oid, "MAC")
	if err != nil {
		return err
	}
	key, err := readPBKDF2(&kdf, 0, s, w)
	if err != nil {
		return err
	}
	if !macEqual(newHash, key, message, digest) {
		return errWrongPassword
	}
	return nil
}

func macEqual(newHash func() hash.Hash, key, message, digest []byte) bool {
	mac := hmac.New(newHash, key)
	mac.Write(message)
	return hmac.Equal(mac.Sum(nil), digest)
}

// readPart reads one ContentInfo of the AuthenticatedSafe.
func (c *pkcs12Contents) readPart(in *cryptobyte.String, s secret, w *work) error {
	var info, content, bags cryptobyte.String
	var contentType asn1.ObjectIdentifier
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !readOID(&info, &contentType) ||
		!info.ReadASN1(&content, tagExplicit0) {
		return errDamagedPKCS12
	}
	switch {
	case contentType.Equal(oidData):
		if !content.ReadASN1(&bags, cbasn1.OCTET_STRING) {
			return errDamagedPKCS12
		}
	case contentType.Equal(oidEncryptedData):
		if c.unchecked != nil {
			return c.unchecked
		}
		var err error
		if bags, err = decryptPart(content, s, w); err != nil {
			return err
		}
	default:
		return fmt.Errorf("its content type %v is not supported: want one that is encrypted with a password", contentType)
	}
	body, err := enter(bags)
	if err != nil {
		return err
	}
	return c.readBags(body)
}

func decryptPart(content cryptobyte.String, s secret, w *work) ([]byte, error) {
	var version int
	var info, algorithm, encrypted cryptobyte.String
	var contentType asn1.ObjectIdentifier
	if !content.ReadASN1(&content, cbasn1.SEQUENCE) || !content.ReadASN1Integer(&version) || version != 0 ||
		!content.ReadASN1(&info, cbasn1.SEQUENCE) || !readOID(&info, &contentType) || !contentType.Equal(oidData) ||
		!info.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) {
		return nil, errDamagedPKCS12
	}
	// The encrypted bytes are an octet string under a tag of its own, which
	// derOf does not join when it is divided.
	if divided := info.PeekASN1Tag(tagExplicit0); divided {
		if !info.ReadASN1(&encrypted, tagExplicit0) {
			return nil, errDamagedPKCS12
		}
		joined, err := appendOctets(nil, encrypted)
		if err != nil {
			return nil, err
		}
		encrypted = joined
	} else if !info.ReadASN1(&encrypted, tagImplicit0) {
		return nil, errDamagedPKCS12
	}
	return decryptWithPassword(&algorithm, encrypted, s, w)
}

// readBags reads SafeContents. Bags may hold bags; the walk has bounded how deep.
func (c *pkcs12Contents) readBags(in cryptobyte.String) error {
	for !in.Empty() {
		var bag, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !in.ReadASN1(&bag, cbasn1.SEQUENCE) || !readOID(&bag, &oid) || !bag.ReadASN1(&value, tagExplicit0) {
			return errDamagedPKCS12
		}
		switch {
		case oid.Equal(oidKeyBag):
			c.keys = append(c.keys, pkcs12KeyBag{der: value, pkcs12Attributes: readPKCS12Attributes(bag)})
		case oid.Equal(oidShroudedKeyBag):
			c.keys = append(c.keys, pkcs12KeyBag{der: value, shrouded: true, pkcs12Attributes: readPKCS12Attributes(bag)})
		case oid.Equal(oidCertBag):
			var cert cryptobyte.String
			if !value.ReadASN1(&value, cbasn1.SEQUENCE) || !readOID(&value, &oid) {
				return errDamagedPKCS12
			}
			if !oid.Equal(oidX509Certificate) {
				return errors.New("it has a certificate that is no X.509 certificate")
			}
			if !value.ReadASN1(&value, tagExplicit0) || !value.ReadASN1(&cert, cbasn1.OCTET_STRING) {
				return errDamagedPKCS12
			}
			c.certs = append(c.certs, pkcs12CertBag{cert, readPKCS12Attributes(bag)})
		case oid.Equal(oidSafeContentsBag):
			if !value.ReadASN1(&value, cbasn1.SEQUENCE) {
				return errDamagedPKCS12
			}
			if err := c.readBags(value); err != nil {
				return err
			}
		case !oid.Equal(oidCRLBag):
			c.other++
		}
	}
	return nil
}
