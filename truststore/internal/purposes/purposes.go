// Package purposes reads for which uses a file trusts a certificate. Two formats say so:
// TRUSTED CERTIFICATE blocks of OpenSSL, and PKCS#12 with Java's attribute.
package purposes

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
)

// Purposes are the uses for which a file trusts a certificate or rejects it.
type Purposes struct {
	listed   bool // there is a list of trusted uses, which may be empty
	trusted  []string
	rejected []string
}

// maxPurposes bounds one list; OpenSSL itself knows some twenty extended key usages.
const maxPurposes = 100

// shownPurposes is how many of a list an error shows.
const shownPurposes = 8

const (
	purposeServer = "serverAuth"
	purposeClient = "clientAuth"
	purposeAny    = "anyExtendedKeyUsage"
)

// purposeNames are those of RFC 5280, section 4.2.1.12.
var purposeNames = map[string]string{
	"1.3.6.1.5.5.7.3.1": purposeServer,
	"1.3.6.1.5.5.7.3.2": purposeClient,
	"1.3.6.1.5.5.7.3.3": "codeSigning",
	"1.3.6.1.5.5.7.3.4": "emailProtection",
	"1.3.6.1.5.5.7.3.8": "timeStamping",
	"1.3.6.1.5.5.7.3.9": "OCSPSigning",
	"2.5.29.37.0":       purposeAny,
}

var (
	errDamagedTrust = errors.New("the list of the uses for which it is trusted or rejected is damaged")
	errManyPurposes = fmt.Errorf("it is trusted or rejected for more than %d uses", maxPurposes)
)

// ReadCertAux reads what OpenSSL appends to the certificate in a TRUSTED CERTIFICATE
// block, which may be nothing: X509_CERT_AUX in its crypto/x509/x_x509a.c.
//
//	SEQUENCE {
//	  trust   SEQUENCE OF OBJECT IDENTIFIER OPTIONAL,
//	  reject  [0] IMPLICIT SEQUENCE OF OBJECT IDENTIFIER OPTIONAL,
//	  alias   UTF8String OPTIONAL,
//	  keyid   OCTET STRING OPTIONAL,
//	  other   [1] IMPLICIT SEQUENCE OF AlgorithmIdentifier OPTIONAL }
func ReadCertAux(in cryptobyte.String) (p Purposes, err error) {
	if in.Empty() {
		return p, nil
	}
	var aux, trusted, rejected cryptobyte.String
	var rejects bool
	if !in.ReadASN1(&aux, cbasn1.SEQUENCE) || !in.Empty() ||
		!aux.ReadOptionalASN1(&trusted, &p.listed, cbasn1.SEQUENCE) ||
		!aux.ReadOptionalASN1(&rejected, &rejects, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!aux.SkipOptionalASN1(cbasn1.UTF8String) ||
		!aux.SkipOptionalASN1(cbasn1.OCTET_STRING) ||
		!aux.SkipOptionalASN1(cbasn1.Tag(1).ContextSpecific().Constructed()) ||
		!aux.Empty() {
		return p, errDamagedTrust
	}
	if p.trusted, err = readPurposes(trusted); err != nil {
		return p, err
	}
	p.rejected, err = readPurposes(rejected)
	return p, err
}

// readPurposes returns the object identifiers by name, or with their numbers.
func readPurposes(in cryptobyte.String) (all []string, err error) {
	for !in.Empty() {
		if len(all) == maxPurposes {
			return nil, errManyPurposes
		}
		var oid asn1.ObjectIdentifier
		if !ber.ReadOID(&in, &oid) {
			return nil, errDamagedTrust
		}
		name := oid.String()
		if known, ok := purposeNames[name]; ok {
			name = known
		}
		all = append(all, name)
	}
	return all, nil
}

// ReadJava reads Java's attribute of a PKCS#12, of which a certificate has one: its
// values are extended key usages.
func (p *Purposes) ReadJava(values cryptobyte.String) (err error) {
	if p.listed {
		return errDamagedTrust
	}
	p.listed = true
	p.trusted, err = readPurposes(values)
	return err
}

// Listed reports whether there is a list of trusted uses.
func (p Purposes) Listed() bool { return p.listed }

// Restriction says in words what the certificate is not to be used for; it is empty
// if that is nothing of TLS, the only use that a Store is made for. What is rejected
// for any use is restricted: which one it is a Store cannot keep.
func (p Purposes) Restriction() string {
	forTLS := !p.listed
	for _, purpose := range p.trusted {
		forTLS = forTLS || purpose == purposeServer || purpose == purposeClient || purpose == purposeAny
	}
	if forTLS && len(p.rejected) == 0 {
		return ""
	}
	var parts []string
	if p.listed {
		parts = append(parts, "trusted for "+listPurposes(p.trusted))
	}
	if len(p.rejected) > 0 {
		parts = append(parts, "rejected for "+listPurposes(p.rejected))
	}
	return strings.Join(parts, " and ")
}

func listPurposes(all []string) string {
	switch n := len(all); {
	case n == 0:
		return "nothing"
	case n > shownPurposes:
		return fmt.Sprintf("%s and %d more", strings.Join(all[:shownPurposes], ", "), n-shownPurposes)
	}
	return strings.Join(all, ", ")
}
