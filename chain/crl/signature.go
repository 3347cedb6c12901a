package crl

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash.New
	_ "crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// The bounds of RSA keys with which signatures are checked: the work grows with
// the square of the one and with the other.
const (
	maxRSABits     = 8192
	maxRSAExponent = 65537
)

// hashOf returns the hash function of a signature algorithm that is checked, or 0:
// that of one that is not, and Ed25519, which hashes by itself.
func hashOf(a x509.SignatureAlgorithm) crypto.Hash {
	switch a {
	case x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256:
		return crypto.SHA256
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return crypto.SHA512
	}
	return 0
}

// digest is what is needed of the signed part of a list to check the signature.
func digest(a x509.SignatureAlgorithm, signed []byte) []byte {
	if a == x509.PureEd25519 {
		return bytes.Clone(signed)
	}
	hash := hashOf(a)
	if hash == 0 {
		return nil
	}
	h := hash.New()
	h.Write(signed)
	return h.Sum(nil)
}

// CheckSignatureFrom reports whether issuer made the list, as an error or nil. It is never
// more lenient than [x509.RevocationList.CheckSignatureFrom], and refuses SHA-1 and RSA keys
// of more than 8192 bits. Whether issuer is trusted and valid is another question.
func (l *List) CheckSignatureFrom(issuer *x509.Certificate) error {
	if issuer == nil || len(issuer.RawSubject) == 0 {
		return errors.New("crl: no certificate of the CA that made the list, or one that was never parsed")
	}
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) {
		return fmt.Errorf("crl: the list is by %s and not by %s", safetext.CA(l.Issuer), safetext.CA(issuer.Subject))
	}
	if len(l.AuthorityKeyID) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(l.AuthorityKeyID, issuer.SubjectKeyId) {
		return fmt.Errorf("crl: the list of %s is by another key of that CA: its key identifiers differ", safetext.CA(l.Issuer))
	}
	if !issuer.BasicConstraintsValid || !issuer.IsCA {
		return fmt.Errorf("crl: %s is not a CA and may not make lists: %w", safetext.CA(issuer.Subject), x509.ConstraintViolationError{})
	}
	if hasKeyUsage(issuer) && issuer.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return fmt.Errorf("crl: %s may not sign lists: its key usage does not have cRLSign: %w", safetext.CA(issuer.Subject), x509.ConstraintViolationError{})
	}
	if err := checkSignature(issuer.PublicKey, l.SignatureAlgorithm, l.signed, l.signature); err != nil {
		return fmt.Errorf("crl: the signature of the list of %s: %w", safetext.CA(l.Issuer), err)
	}
	return nil
}

// hasKeyUsage is true for a key usage without any bit too, which crypto/x509 takes
// for none.
func hasKeyUsage(cert *x509.Certificate) bool {
	return cert.KeyUsage != 0 || hasExtension(cert, 2, 5, 29, 15)
}

var (
	errOtherKey  = errors.New("its algorithm is not one of that key")
	errSignature = errors.New("it was not made with the right key, or what it signs was changed")
	errRSAKey    = fmt.Errorf("the RSA key has more than %d bits or an exponent above %d, which is refused", maxRSABits, maxRSAExponent)
)

// checkSignature does so as crypto/x509 does; signed is what digest made of it.
func checkSignature(key crypto.PublicKey, a x509.SignatureAlgorithm, signed, signature []byte) error {
	hash := hashOf(a)
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return x509.InsecureAlgorithmError(a)
	}
	if hash == 0 && a != x509.PureEd25519 {
		return x509.ErrUnsupportedAlgorithm
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N == nil || key.N.BitLen() > maxRSABits || key.E > maxRSAExponent {
			return errRSAKey
		}
		switch a {
		case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA:
			return explain(rsa.VerifyPKCS1v15(key, hash, signed, signature))
		case x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
			return explain(rsa.VerifyPSS(key, hash, signed, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return errOtherKey
	case *ecdsa.PublicKey:
		switch a {
		case x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
			if !ecdsa.VerifyASN1(key, signed, signature) {
				return errSignature
			}
			return nil
		}
		return errOtherKey
	case ed25519.PublicKey:
		if a != x509.PureEd25519 {
			return errOtherKey
		}
		if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, signed, signature) {
			return errSignature
		}
		return nil
	}
	return x509.ErrUnsupportedAlgorithm
}

// explain adds to crypto/rsa's "verification error", which may have other things to
// say, such as that a key is too small.
func explain(err error) error {
	if errors.Is(err, rsa.ErrVerification) {
		return fmt.Errorf("%w: %w", errSignature, err)
	}
	return err
}

func hasExtension(cert *x509.Certificate, id ...int) bool {
	for _, e := range cert.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}
