package pbe

import (
	"crypto/hmac"
	"encoding/asn1"
	"errors"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
)

var (
	oidPBMAC1     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}
	errDamagedMAC = errors.New("damaged PKCS#12: its MAC cannot be read")
)

// CheckMAC checks the password of a PKCS#12 by its MacData, the MAC of message. For an
// empty one there are two ways to write it, both in use: two zero bytes and nothing at all.
// It sets the one that is right.
func CheckMAC(in, message cryptobyte.String, s *Secret, w *Work) error {
	var macData, digestInfo, params cryptobyte.String
	var oid asn1.ObjectIdentifier
	var digest, salt []byte
	if !in.ReadASN1(&macData, cbasn1.SEQUENCE) || !in.Empty() ||
		!macData.ReadASN1(&digestInfo, cbasn1.SEQUENCE) || !ber.ReadAlgorithm(&digestInfo, &oid, &params) ||
		!digestInfo.ReadASN1Bytes(&digest, cbasn1.OCTET_STRING) ||
		!macData.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) || len(salt) > maxSalt {
		return errDamagedMAC
	}
	if oid.Equal(oidPBMAC1) {
		return checkPBMAC1(params, message, digest, s, w)
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
	if err := w.Add(blocks); err != nil {
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
		return ErrWrong
	}
	if err := w.Add(blocks); err != nil {
		return err
	}
	if !check(nil) {
		return ErrWrong
	}
	s.bmp = nil
	return nil
}

// checkPBMAC1 is RFC 9579.
func checkPBMAC1(params, message cryptobyte.String, digest []byte, s *Secret, w *Work) error {
	var oid asn1.ObjectIdentifier
	var kdf, macParams cryptobyte.String
	if !params.ReadASN1(&params, cbasn1.SEQUENCE) ||
		!params.ReadASN1Element(&kdf, cbasn1.SEQUENCE) ||
		!ber.ReadAlgorithm(&params, &oid, &macParams) {
		return errDamagedMAC
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
		return ErrWrong
	}
	return nil
}

func macEqual(newHash func() hash.Hash, key, message, digest []byte) bool {
	mac := hmac.New(newHash, key)
	mac.Write(message)
	return hmac.Equal(mac.Sum(nil), digest)
}
