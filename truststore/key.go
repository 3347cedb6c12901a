package truststore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxKey bounds the DER of a private key. One of RSA with 16384 bits has 10 KiB.
const maxKey = 16 << 10

// DecodeKey reads one private key and the certificates that lie beside it, in
// their order; the Store is empty if there are none. Which of them belongs to the
// key is not looked into.
//
// It reads PKCS#12, with its password, and keys in PEM, DER or base64 without
// armour: PKCS#8 (PRIVATE KEY, ENCRYPTED PRIVATE KEY), PKCS#1 (RSA PRIVATE KEY)
// and SEC 1 (EC PRIVATE KEY), and PEM with the older encryption of OpenSSL
// ("Proc-Type: 4,ENCRYPTED"). Of PKCS#8 encryption it knows PBES2 with PBKDF2 and
// AES or triple DES in CBC mode; of PKCS#12 also RC2 and triple DES.
//
// As Decode without KeepGoing it is strict: no key and a second key are errors, as is
// anything that cannot be read. It refuses RSA keys of more than 16384 bits, and files
// that want a password hashed more than 2,000,000 times for one purpose or 8,000,000
// times in all. No error has the password or a part of the key in it; see ErrPassword.
func DecodeKey(data []byte, opts ...Option) (crypto.Signer, *Store, error) {
	o := newOptions(opts)
	key, certs, err := decodeKey(data, o)
	if err != nil {
		return nil, nil, fmt.Errorf("truststore: %w", blameNoPassword(err, o.password))
	}
	return key, certs, nil
}

// blameNoPassword says what is wrong with a password that was not given. An empty
// one is tried all the same, because there are files that have it.
func blameNoPassword(err error, password string) error {
	if password == "" && errors.Is(err, errWrongPassword) {
		return errNoPassword
	}
	return err
}

var (
	errNoKey   = errors.New("there is no private key in it: give the file with the key")
	errTwoKeys = errors.New("there are two or more private keys in it, and which one is meant is not clear: give a file with one")
)

func decodeKey(data []byte, o options) (crypto.Signer, *Store, error) {
	if int64(len(data)) > o.limit {
		return nil, nil, errTooLarge(o.limit)
	}
	k, data, err := sniff(data)
	if err != nil {
		return nil, nil, err
	}
	var w work
	switch {
	case k == kindPEM:
		return decodePEMKey(data, o.password, &w)
	case k == kindPKCS12:
		return decodePKCS12Key(data, o.password, &w)
	case k == kindJKS:
		return nil, nil, errors.New("this is a JKS key store, from which keys are not read: convert it with keytool -importkeystore -deststoretype PKCS12")
	case k.isKey():
		key, err := parseKey(data, o.password, &w)
		if err != nil {
			return nil, nil, err
		}
		return key, new(Store), nil
	}
	return nil, nil, errNoKey
}

func decodePEMKey(text []byte, password string, w *work) (crypto.Signer, *Store, error) {
	r := pemReader{text: text}
	var keyBlock *pemBlock
	certs := decoder{certs: new(Store)}
	for {
		block, err := r.next()
		if err != nil {
			return nil, nil, err
		}
		if block == nil {
			break
		}
		switch {
		case !isKeyBlock(block.kind):
			if passedOverBesideKey(block.kind) {
				continue
			}
			if err := certs.addBlock(block); err != nil {
				return nil, nil, fmt.Errorf("%v: %w", block, err)
			}
		case keyBlock != nil:
			return nil, nil, fmt.Errorf("%v and %v: %w", keyBlock, block, errTwoKeys)
		default:
			keyBlock = block
		}
	}
	if keyBlock == nil {
		return nil, nil, errNoKey
	}
	key, err := keyBlock.key(password, w)
	if err != nil {
		return nil, nil, fmt.Errorf("%v: %w", keyBlock, blameNoPassword(err, password))
	}
	return key, certs.certs, nil
}

// passedOverBesideKey names what openssl writes into one file with a key and what
// says nothing that the key and the certificates do not.
func passedOverBesideKey(kind string) bool {
	switch kind {
	case "EC PARAMETERS", "DH PARAMETERS", "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return true
	}
	return false
}

// key returns the private key in the block. The label of the block is not relied
// upon: it is often wrong, and the content says the same.
func (b *pemBlock) key(password string, w *work) (crypto.Signer, error) {
	switch b.kind {
	case "OPENSSH PRIVATE KEY":
		return nil, errors.New("keys in the form of OpenSSH are not supported: convert it with ssh-keygen -p -m PKCS8")
	case "DSA PRIVATE KEY":
		return nil, errors.New("DSA keys are not supported: TLS has no use for them")
	}
	headers, text, err := b.headers()
	if err != nil {
		return nil, err
	}
	der, err := decodeBase64(text)
	if err != nil {
		return nil, err
	}
	if headers["DEK-Info"] != "" {
		if len(der) > maxKey {
			return nil, errLargeKey
		}
		if err := approved("MD5"); err != nil {
			return nil, err
		}
		//lint:ignore SA1019 this encryption is weak, and writing it would be wrong, but old key files have it
		der, err = x509.DecryptPEMBlock(&pem.Block{Type: b.kind, Headers: headers, Bytes: der}, []byte(password))
		if errors.Is(err, x509.IncorrectPasswordError) || err == nil && !isOneSequence(der) {
			return nil, errWrongPassword
		}
		if err != nil {
			return nil, err
		}
	}
	return parseKey(der, password, w)
}

var errLargeKey = fmt.Errorf("the private key has more than %d bytes or, for RSA, %d bits, which is refused", maxKey, maxRSABits)

// isOneSequence tells apart a decrypted key and what a wrong password makes of it.
func isOneSequence(der []byte) bool {
	size, _, err := walkASN1(der)
	return err == nil && size == len(der) && der[0] == tagSequence
}

// parseKey reads a key in DER: PKCS#8, encrypted or not, PKCS#1 or SEC 1.
func parseKey(der []byte, password string, w *work) (crypto.Signer, error) {
	size, _, err := walkASN1(der)
	if err != nil {
		return nil, err
	}
	if rest := bytes.TrimLeft(der[size:], "\r\n\t "); len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes follow the end of the private key: the file is damaged, or two files in one", len(rest))
	}
	der = der[:size]
	if len(der) > maxKey {
		return nil, errLargeKey
	}
	k, err := sniffASN1(der)
	if err != nil {
		return nil, err
	}
	var key any
	switch k {
	case kindEncryptedPKCS8:
		if der, err = decryptPKCS8(der, newSecret(password), w); err != nil {
			return nil, err
		}
		return signerOf(parsePKCS8(der))
	case kindPKCS8:
		key, err = parsePKCS8(der)
	case kindPKCS1:
		if key, err = nil, errLargeKey; rsaFits(der) {
			key, err = x509.ParsePKCS1PrivateKey(der)
		}
	case kindSEC1:
		key, err = x509.ParseECPrivateKey(der)
	default:
		return nil, errors.New("this is no private key")
	}
	return signerOf(key, err)
}

// signerOf turns what crypto/x509 returns into a key for TLS.
func signerOf(key any, err error) (crypto.Signer, error) {
	if errors.Is(err, errLargeKey) {
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

// decryptPKCS8 reads an EncryptedPrivateKeyInfo.
func decryptPKCS8(der []byte, s secret, w *work) ([]byte, error) {
	var info, algorithm, encrypted cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) ||
		!info.ReadASN1(&encrypted, cbasn1.OCTET_STRING) {
		return nil, errors.New("damaged PKCS#8")
	}
	plain, err := decryptWithPassword(&algorithm, encrypted, s, w)
	if err != nil {
		return nil, err
	}
	if !isOneSequence(plain) {
		return nil, errWrongPassword
	}
	return plain, nil
}

// parsePKCS8 calls crypto/x509 after a look at the size of an RSA key: the work
// that crypto/rsa has with one grows with the third power.
func parsePKCS8(der []byte) (any, error) {
	var info, params, inner cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	in := cryptobyte.String(der)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Integer(&version) ||
		!readAlgorithm(&info, &oid, &params) || !info.ReadASN1(&inner, cbasn1.OCTET_STRING) {
		return nil, errors.New("damaged PKCS#8")
	}
	if len(der) > maxKey || oid.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}) && !rsaFits(inner) {
		return nil, errLargeKey
	}
	return x509.ParsePKCS8PrivateKey(der)
}

// rsaFits reports whether the modulus of an RSAPrivateKey is of a size that is
// used. It is true for what is damaged, which crypto/x509 finds out.
func rsaFits(der []byte) bool {
	var body, version, modulus cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&version, cbasn1.INTEGER) || !body.ReadASN1(&modulus, cbasn1.INTEGER) {
		return true
	}
	return len(bytes.TrimLeft(modulus, "\x00")) <= maxRSABits/8
}

func decodePKCS12Key(data []byte, password string, w *work) (crypto.Signer, *Store, error) {
	contents, s, err := readPKCS12(data, password, w)
	if err == nil {
		err = contents.unchecked
	}
	if err != nil {
		return nil, nil, err
	}
	switch len(contents.keys) {
	case 0:
		return nil, nil, errNoKey
	case 1:
	default:
		return nil, nil, errTwoKeys
	}
	certs := decoder{certs: new(Store)}
	for i, cert := range contents.certs {
		if err := certs.addBag(cert); err != nil {
			return nil, nil, fmt.Errorf("certificate %d in the PKCS#12: %w", i+1, err)
		}
	}
	der := []byte(contents.keys[0].der)
	if contents.keys[0].shrouded {
		if len(der) > maxKey {
			return nil, nil, errLargeKey
		}
		if der, err = decryptPKCS8(der, s, w); err != nil {
			return nil, nil, err
		}
	}
	key, err := signerOf(parsePKCS8(der))
	if err != nil {
		return nil, nil, err
	}
	return key, certs.certs, nil
}
