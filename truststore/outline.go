package truststore

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/internal/b64"
	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/keys"
	"github.com/go-pkioverheid/trust/truststore/internal/notcerts"
	"github.com/go-pkioverheid/trust/truststore/internal/pem"
)

// Outline is what a certificate, a request or a key says about itself. Nothing is verified,
// and nothing in it is fit to trust: see [ReadOutline].
type Outline struct {
	// Kind is "certificate", "certificate request", "public key", "private key" or
	// "encrypted private key".
	Kind string

	// Subject is that of a certificate or request.
	Subject pkix.Name

	// Of a certificate. SerialNumber may be negative; it is nil if it is longer than
	// 128 bytes. A time is zero if it cannot be read.
	Issuer              pkix.Name
	SerialNumber        *big.Int
	NotBefore, NotAfter time.Time

	// Key names the kind of the key, such as "RSA of 2048 bits", "ECDSA on P-256" or
	// "ECDSA on brainpoolP256r1 (1.3.36.3.3.2.8.1.1.7)": an object identifier is there
	// where crypto/x509 does not know it. It is empty for an encrypted key.
	Key string

	unknownKey bool // crypto/x509 does not know the kind
}

// ReadOutline reads DER, or the first block of PEM, without crypto/x509: certificates that
// crypto/x509 refuses too, such as those with keys on other curves and with negative serial
// numbers. It is for reports. No Store holds such a certificate.
func ReadOutline(data []byte) (Outline, error) {
	o, err := readOutline(data)
	if err != nil {
		return Outline{}, ours(err)
	}
	return o, nil
}

var (
	errNotOutlined = errors.New("damaged: this is neither a certificate nor a request nor a key")
	errLargeName   = errors.New("a name in it is beyond reason")
)

func readOutline(data []byte) (Outline, error) {
	if bytes.Contains(data, pemBegin) {
		der, encrypted, err := pem.First(data)
		switch {
		case err != nil:
			return Outline{}, err
		case encrypted:
			return Outline{Kind: "encrypted private key"}, nil
		}
		data = der
	} else if text := bytes.TrimLeft(data, " \t\r\n"); len(text) > 0 && text[0] == 'M' {
		if der, err := b64.Decode(data); err == nil {
			data = der
		}
	}
	switch {
	case len(data) == 0:
		return Outline{}, errNotOutlined
	case len(data) > entry.MaxCertificate:
		return Outline{}, entry.ErrLarge
	}
	size, _, err := ber.Walk(data)
	if err != nil {
		// crypto/x509 passes over what is damaged after the key of a certificate.
		if _, body, _ := ber.Cut(data); body != nil {
			if o, wrong := outlineOfCertificate(body); wrong == nil {
				return o, nil
			}
		}
		return Outline{}, err
	}
	tag, body, _ := ber.Cut(data[:size])
	if tag != ber.Sequence {
		return Outline{}, errNotOutlined
	}
	switch keys.FormOf(body) {
	case 0:
	case keys.EncryptedPKCS8:
		return Outline{Kind: "encrypted private key"}, nil
	default:
		name, known := keys.NameOfPrivate(data[:size])
		return Outline{Kind: "private key", Key: name, unknownKey: !known}, nil
	}
	switch err := notcerts.ASN1(body); err {
	case nil:
		return outlineOfCertificate(body)
	case notcerts.ErrRequest:
		return outlineOfRequest(body)
	case notcerts.ErrPublicKey:
		o := Outline{Kind: "public key"}
		return o, o.readKey(data[:size])
	default:
		return Outline{}, err
	}
}

func outlineOfRequest(in cryptobyte.String) (Outline, error) {
	o := Outline{Kind: "certificate request"}
	var info, ignored cryptobyte.String
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&ignored, cbasn1.INTEGER) {
		return Outline{}, errNotOutlined
	}
	return o, errors.Join(readName(&info, &o.Subject), o.readKey(info))
}

func outlineOfCertificate(in cryptobyte.String) (Outline, error) {
	o := Outline{Kind: "certificate"}
	var tbs, serial, ignored, validity cryptobyte.String
	if !in.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) || // version
		!tbs.ReadASN1(&serial, cbasn1.INTEGER) ||
		!tbs.ReadASN1(&ignored, cbasn1.SEQUENCE) { // of the signature
		return Outline{}, errNotOutlined
	}
	if len(serial) > 0 && len(serial) <= 128 {
		o.SerialNumber = new(big.Int).SetBytes(serial)
		if serial[0] >= 0x80 {
			o.SerialNumber.Sub(o.SerialNumber, new(big.Int).Lsh(big.NewInt(1), uint(8*len(serial))))
		}
	}
	if err := readName(&tbs, &o.Issuer); err != nil {
		return Outline{}, err
	}
	if !tbs.ReadASN1(&validity, cbasn1.SEQUENCE) {
		return Outline{}, errNotOutlined
	}
	o.NotBefore, o.NotAfter = readTime(&validity), readTime(&validity)
	if err := readName(&tbs, &o.Subject); err != nil {
		return Outline{}, err
	}
	if err := o.readKey(tbs); err != nil {
		return Outline{}, err
	}
	return o, nil
}

func (o *Outline) readKey(in cryptobyte.String) error {
	name, known, ok := keys.NameOfPublic(in)
	if !ok {
		return errNotOutlined
	}
	o.Key, o.unknownKey = name, !known
	return nil
}

// readTime returns zero for what is not a time.
func readTime(in *cryptobyte.String) (t time.Time) {
	switch {
	case in.PeekASN1Tag(cbasn1.UTCTime) && in.ReadASN1UTCTime(&t):
	case in.PeekASN1Tag(cbasn1.GeneralizedTime) && in.ReadASN1GeneralizedTime(&t):
	default:
		var ignored cryptobyte.String
		var tag cbasn1.Tag
		in.ReadAnyASN1(&ignored, &tag)
	}
	return t
}

// What a name may have: more is not a name, but an attack on whoever prints it.
const (
	maxNameBytes  = 64 << 10
	maxAttributes = 256
)

// readName reads a Name. Values that are not strings are left out.
func readName(in *cryptobyte.String, name *pkix.Name) error {
	var rdns, rdn cryptobyte.String
	if !in.ReadASN1(&rdns, cbasn1.SEQUENCE) {
		return errNotOutlined
	}
	if len(rdns) > maxNameBytes {
		return errLargeName
	}
	var all pkix.RDNSequence
	attributes := 0
	for !rdns.Empty() {
		if !rdns.ReadASN1(&rdn, cbasn1.SET) {
			return errNotOutlined
		}
		var set pkix.RelativeDistinguishedNameSET
		for !rdn.Empty() {
			var attribute, value cryptobyte.String
			var oid asn1.ObjectIdentifier
			var tag cbasn1.Tag
			if !rdn.ReadASN1(&attribute, cbasn1.SEQUENCE) || !ber.ReadOID(&attribute, &oid) || !attribute.ReadAnyASN1(&value, &tag) {
				return errNotOutlined
			}
			if attributes++; attributes > maxAttributes {
				return errLargeName
			}
			if text, ok := textOf(tag, value); ok {
				set = append(set, pkix.AttributeTypeAndValue{Type: oid, Value: text})
			}
		}
		all = append(all, set)
	}
	name.FillFromRDNSequence(&all)
	return nil
}

// textOf returns the text of one of the string types of ASN.1.
func textOf(tag cbasn1.Tag, value []byte) (string, bool) {
	switch tag {
	case cbasn1.UTF8String, cbasn1.PrintableString, cbasn1.IA5String, cbasn1.T61String, 18, 26: // NumericString, VisibleString
		return string(value), true
	case 30: // BMPString
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = uint16(value[2*i])<<8 | uint16(value[2*i+1])
		}
		return string(utf16.Decode(units)), true
	}
	return "", false
}
