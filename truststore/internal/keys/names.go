package keys

import (
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
)

// algorithms are the names of kinds of keys. crypto/x509 reads those that are known.
var algorithms = map[string]struct {
	name  string
	known bool
}{
	"1.2.840.113549.1.1.1":    {"RSA", true},
	"1.2.840.113549.1.1.10":   {"RSA-PSS", false},
	"1.2.840.113549.1.1.7":    {"RSA-OAEP", false},
	"1.2.840.10045.2.1":       {"ECDSA", true},
	"1.2.840.10040.4.1":       {"DSA", false},
	"1.2.840.113549.1.3.1":    {"DH", false},
	"1.2.840.10046.2.1":       {"DH (X9.42)", false},
	"1.3.101.110":             {"X25519", true},
	"1.3.101.111":             {"X448", false},
	"1.3.101.112":             {"Ed25519", true},
	"1.3.101.113":             {"Ed448", false},
	"1.2.643.2.2.19":          {"GOST R 34.10-2001", false},
	"1.2.643.7.1.1.1.1":       {"GOST R 34.10-2012 (256 bits)", false},
	"1.2.643.7.1.1.1.2":       {"GOST R 34.10-2012 (512 bits)", false},
	"2.16.840.1.101.3.4.3.17": {"ML-DSA-44", false},
	"2.16.840.1.101.3.4.3.18": {"ML-DSA-65", false},
	"2.16.840.1.101.3.4.3.19": {"ML-DSA-87", false},
}

var curves = map[string]struct {
	name  string
	known bool
}{
	"1.3.132.0.33":         {"P-224", true},
	"1.2.840.10045.3.1.7":  {"P-256", true},
	"1.3.132.0.34":         {"P-384", true},
	"1.3.132.0.35":         {"P-521", true},
	"1.2.840.10045.3.1.1":  {"P-192", false},
	"1.3.132.0.10":         {"secp256k1", false},
	"1.2.156.10197.1.301":  {"SM2", false},
	"1.3.36.3.3.2.8.1.1.1": {"brainpoolP160r1", false}, "1.3.36.3.3.2.8.1.1.2": {"brainpoolP160t1", false},
	"1.3.36.3.3.2.8.1.1.3": {"brainpoolP192r1", false}, "1.3.36.3.3.2.8.1.1.4": {"brainpoolP192t1", false},
	"1.3.36.3.3.2.8.1.1.5": {"brainpoolP224r1", false}, "1.3.36.3.3.2.8.1.1.6": {"brainpoolP224t1", false},
	"1.3.36.3.3.2.8.1.1.7": {"brainpoolP256r1", false}, "1.3.36.3.3.2.8.1.1.8": {"brainpoolP256t1", false},
	"1.3.36.3.3.2.8.1.1.9": {"brainpoolP320r1", false}, "1.3.36.3.3.2.8.1.1.10": {"brainpoolP320t1", false},
	"1.3.36.3.3.2.8.1.1.11": {"brainpoolP384r1", false}, "1.3.36.3.3.2.8.1.1.12": {"brainpoolP384t1", false},
	"1.3.36.3.3.2.8.1.1.13": {"brainpoolP512r1", false}, "1.3.36.3.3.2.8.1.1.14": {"brainpoolP512t1", false},
}

// Name names a kind of keys by what is in its AlgorithmIdentifier, with the object
// identifier of one that crypto/x509 does not know, and reports whether it knows it.
func Name(oid asn1.ObjectIdentifier, params cryptobyte.String) (name string, known bool) {
	a, ok := algorithms[oid.String()]
	switch {
	case !ok:
		return fmt.Sprintf("of an unknown algorithm (%v)", oid), false
	case a.name == "ECDSA":
		return curveName(params)
	case !a.known:
		return fmt.Sprintf("%s (%v)", a.name, oid), false
	}
	return a.name, true
}

// curveName names a key by the parameters of its curve.
func curveName(params cryptobyte.String) (name string, known bool) {
	var oid asn1.ObjectIdentifier
	if params.PeekASN1Tag(cbasn1.SEQUENCE) {
		return "ECDSA on a curve with explicit parameters", false
	}
	if !ber.ReadOID(&params, &oid) {
		return "ECDSA on an unknown curve", false
	}
	c, ok := curves[oid.String()]
	switch {
	case !ok:
		return fmt.Sprintf("ECDSA on an unknown curve (%v)", oid), false
	case !c.known:
		return fmt.Sprintf("ECDSA on %s (%v)", c.name, oid), false
	}
	return "ECDSA on " + c.name, true
}

// NameOfPublic names the key in a SubjectPublicKeyInfo, as Name does, or in PKCS#1.
func NameOfPublic(der cryptobyte.String) (name string, known, ok bool) {
	var info, params, public cryptobyte.String
	var oid asn1.ObjectIdentifier
	var bits asn1.BitString
	if !der.ReadASN1(&info, cbasn1.SEQUENCE) {
		return "", false, false
	}
	if info.PeekASN1Tag(cbasn1.INTEGER) {
		name, ok = rsaName(info)
		return name, ok, ok
	}
	if !ber.ReadAlgorithm(&info, &oid, &params) || !info.ReadASN1BitString(&bits) {
		return "", false, false
	}
	name, known = Name(oid, params)
	if inner := cryptobyte.String(bits.Bytes); name == "RSA" && inner.ReadASN1(&public, cbasn1.SEQUENCE) {
		if rsa, ok := rsaName(public); ok {
			name = rsa
		}
	}
	return name, known, true
}

// NameOfPrivate names the key in one of the forms that are not encrypted.
func NameOfPrivate(der []byte) (name string, known bool) {
	var body, params, inner, ignored cryptobyte.String
	var oid asn1.ObjectIdentifier
	in := cryptobyte.String(der)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return "", false
	}
	switch FormOf(body) {
	case PKCS1:
		if body.ReadASN1(&ignored, cbasn1.INTEGER) {
			name, known = rsaName(body)
		}
	case SEC1:
		explicit0 := cbasn1.Tag(0).ContextSpecific().Constructed()
		if body.ReadASN1(&ignored, cbasn1.INTEGER) && body.ReadASN1(&ignored, cbasn1.OCTET_STRING) &&
			body.ReadASN1(&params, explicit0) {
			return curveName(params)
		}
	case PKCS8:
		if !body.ReadASN1(&ignored, cbasn1.INTEGER) || !ber.ReadAlgorithm(&body, &oid, &params) || !body.ReadASN1(&inner, cbasn1.OCTET_STRING) {
			return "", false
		}
		if name, known = Name(oid, params); name == "RSA" {
			if rsa, ok := NameOfPrivate(inner); ok {
				name = rsa
			}
		}
	}
	return name, known
}

// rsaName has the number of bits of the modulus, which is read first.
func rsaName(in cryptobyte.String) (name string, ok bool) {
	var modulus cryptobyte.String
	if !in.ReadASN1(&modulus, cbasn1.INTEGER) {
		return "", false
	}
	for len(modulus) > 0 && modulus[0] == 0 {
		modulus = modulus[1:]
	}
	bits := 8 * len(modulus)
	if bits > 0 {
		for b := modulus[0]; b < 0x80; b <<= 1 {
			bits--
		}
	}
	return fmt.Sprintf("RSA of %d bits", bits), true
}
