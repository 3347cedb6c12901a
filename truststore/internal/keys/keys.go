// Package keys reads private keys in DER: PKCS#8, encrypted or not, PKCS#1 and SEC 1.
package keys

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
)

// MaxKey bounds the DER of a private key. One of RSA with 16384 bits has 10 KiB.
const MaxKey = 16 << 10

// MaxRSABits bounds the RSA keys with which this module computes. The largest in use
// have 8192 bits, and the work grows with the third power.
const MaxRSABits = 16384

// Form is a form of private keys; zero is none.
type Form uint8

const (
	PKCS8 Form = iota + 1
	EncryptedPKCS8
	PKCS1
	SEC1
)

// FormOf recognises the form by the content of the outer sequence.
func FormOf(body []byte) Form {
	first, firstBody, rest := ber.Cut(body)
	second, secondBody, third := ber.Cut(rest)
	switch {
	case first == ber.Integer && second == ber.OctetString:
		return SEC1
	case first == ber.Integer && second == ber.Integer:
		return PKCS1
	case first == ber.Integer && second == ber.Sequence:
		// PrivateKeyInfo has version 0 or 1, an algorithm and an octet string;
		// PFX has version 3 and a ContentInfo, perhaps of indefinite length.
		if tag, _, _ := ber.Cut(third); tag == ber.OctetString && len(firstBody) == 1 && firstBody[0] < 3 {
			return PKCS8
		}
	case first == ber.Sequence && second == ber.OctetString && len(secondBody) > 0:
		if tag, _, _ := ber.Cut(firstBody); tag == ber.OID {
			return EncryptedPKCS8
		}
	}
	return 0
}

// Entries yields the one key that data is.
func Entries(data []byte, o entry.Options) iter.Seq[entry.Entry] {
	return func(yield func(entry.Entry) bool) {
		yield(entry.Entry{Kind: entry.PrivateKey, Number: 1, Key: func() (crypto.Signer, error) {
			return Parse(data, o)
		}})
	}
}

// ErrLarge is the error for a key beyond these bounds.
var ErrLarge = fmt.Errorf("the private key has more than %d bytes or, for RSA, %d bits, which is refused", MaxKey, MaxRSABits)

// IsOneSequence distinguishes a decrypted key from what a wrong password makes of it.
func IsOneSequence(der []byte) bool {
	size, _, err := ber.Walk(der)
	return err == nil && size == len(der) && der[0] == ber.Sequence
}

// Parse reads a key in DER, with the password if it is encrypted.
func Parse(der []byte, o entry.Options) (crypto.Signer, error) {
	size, _, err := ber.Walk(der)
	if err != nil {
		return nil, err
	}
	if err := ber.End(der[size:], "private key"); err != nil {
		return nil, err
	}
	der = der[:size]
	if len(der) > MaxKey {
		return nil, ErrLarge
	}
	_, body, _ := ber.Cut(der)
	var key any
	switch FormOf(body) {
	case EncryptedPKCS8:
		secret := pbe.NewSecret(o.Password)
		signer, err := DecryptPKCS8(der, secret, o.Work)
		return signer, secret.BlameNone(err)
	case PKCS8:
		return ParsePKCS8(der)
	case PKCS1:
		if key, err = nil, ErrLarge; rsaFits(der) {
			key, err = x509.ParsePKCS1PrivateKey(der)
		}
	case SEC1:
		if key, err = x509.ParseECPrivateKey(der); err != nil {
			err = cmp.Or(unknown(der), err)
		}
	default:
		return nil, errors.New("this is not a private key")
	}
	return signerOf(key, err)
}

// signerOf turns what crypto/x509 returns into a key for TLS.
func signerOf(key any, err error) (crypto.Signer, error) {
	if errors.Is(err, ErrLarge) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("the private key cannot be read: %w", err)
	}
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		// crypto/x509 also reads keys on P-224, which TLS does not have.
		if _, err := ec.ECDH(); err != nil {
			return nil, fmt.Errorf("the private key is of no use for TLS: %w", err)
		}
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a private key of type %T cannot sign: TLS needs RSA, ECDSA or Ed25519", key)
	}
	return signer, nil
}

// DecryptPKCS8 reads an EncryptedPrivateKeyInfo.
func DecryptPKCS8(der []byte, s *pbe.Secret, w *pbe.Work) (crypto.Signer, error) {
	if len(der) > MaxKey {
		return nil, ErrLarge
	}
	var info, algorithm, encrypted cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) ||
		!info.ReadASN1(&encrypted, cbasn1.OCTET_STRING) {
		return nil, errors.New("damaged PKCS#8")
	}
	plain, err := pbe.Decrypt(&algorithm, encrypted, s, w)
	if err != nil {
		return nil, err
	}
	if !IsOneSequence(plain) {
		return nil, pbe.ErrWrong
	}
	return ParsePKCS8(plain)
}

// ParsePKCS8 reads a PrivateKeyInfo: crypto/x509 does, after a look at the size of an RSA
// key. The work that crypto/rsa has with one grows with the third power.
func ParsePKCS8(der []byte) (crypto.Signer, error) {
	var info, params, inner cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	in := cryptobyte.String(der)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Integer(&version) ||
		!ber.ReadAlgorithm(&info, &oid, &params) || !info.ReadASN1(&inner, cbasn1.OCTET_STRING) {
		return nil, errors.New("damaged PKCS#8")
	}
	if len(der) > MaxKey || oid.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}) && !rsaFits(inner) {
		return nil, ErrLarge
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		err = cmp.Or(unknown(der), err)
	}
	return signerOf(key, err)
}

// unknown names a key that crypto/x509 did not read because it does not know its kind;
// nil for others.
func unknown(der []byte) error {
	name, known := NameOfPrivate(der)
	if name == "" || known {
		return nil
	}
	return fmt.Errorf("it is %s: TLS needs RSA, ECDSA on P-256, P-384 or P-521, or Ed25519", name)
}

// rsaFits reports whether the modulus of an RSAPrivateKey is of a size that is
// used. It is true for what is damaged, which crypto/x509 finds out.
func rsaFits(der []byte) bool {
	var body, version, modulus cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&version, cbasn1.INTEGER) || !body.ReadASN1(&modulus, cbasn1.INTEGER) {
		return true
	}
	return len(bytes.TrimLeft(modulus, "\x00")) <= MaxRSABits/8
}
