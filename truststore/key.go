package truststore

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/go-pkioverheid/trust/truststore/internal/entry"
)

// DecodeKey reads one private key and the certificates beside it, in their order, from
// PKCS#12, JKS, PEM, DER or base64 of DER; keys are PKCS#8, PKCS#1 or SEC 1, encrypted or not. The
// Store may be empty, and which certificate belongs to the key is not checked. No key, a
// second key, and an RSA key of more than 16384 bits are errors. No error contains the
// password or a part of the key.
func DecodeKey(data []byte, opts ...Option) (crypto.Signer, *Store, error) {
	o := newOptions(opts)
	o.keepGoing = false
	key, certs, err := decodeKey(data, o)
	if err != nil {
		return nil, nil, ours(err)
	}
	return key, certs, nil
}

var (
	errNoKey   = errors.New("there is no private key in it: give the file with the key")
	errTwoKeys = errors.New("there are two or more private keys in it, and which one is meant is not clear: give a file with one")
)

func decodeKey(data []byte, o options) (crypto.Signer, *Store, error) {
	d := decoder{options: o, certs: new(Store)}
	var key *entry.Entry
	for format, e := range entriesIn(data, o) {
		switch {
		case e.Kind == entry.Other && (e.Number == 0 || passedOverBesideKey(e.Label)):
		case e.Kind != entry.PrivateKey || e.Err != nil:
			if err := d.add(format, e); err != nil {
				return nil, nil, err
			}
		case key == nil:
			key = &e
		case e.Place != nil:
			return nil, nil, fmt.Errorf("%s and %w", key.Place(*key), e.Within(errTwoKeys))
		default:
			return nil, nil, errTwoKeys
		}
	}
	if key == nil {
		return nil, nil, errNoKey
	}
	signer, err := key.Key()
	if err != nil {
		return nil, nil, key.Within(err)
	}
	return signer, d.certs, nil
}

// passedOverBesideKey names what openssl writes into one file with a key and what
// says nothing that the key and the certificates do not.
func passedOverBesideKey(kind string) bool {
	switch kind {
	case "EC PARAMETERS", "DH PARAMETERS", "X9.42 DH PARAMETERS", "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return true
	}
	return false
}
