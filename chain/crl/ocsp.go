package crl

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	_ "crypto/sha1" // of names and keys, as RFC 6960 has it
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

const (
	// maxOCSP bounds a response. Real ones have a few kilobytes.
	maxOCSP = 64 << 10
	// maxResponders bounds the certificates of a response that are looked at.
	maxResponders = 8
)

// CheckOCSPResponse checks the response in a tls.ConnectionState against the first
// certificate of a verified chain, beside [Checker.Policy]: it is empty, or is current and
// says "good" about it. A zero time means now. See Details. Its errors are those of Policy.
func (c *Checker) CheckOCSPResponse(response []byte, ch chain.Chain, at time.Time) error {
	if len(response) == 0 {
		return nil
	}
	if at.IsZero() {
		at = c.now()
	}
	err := whole(ch)
	if err == nil && len(ch) < 2 {
		err = errors.New("crl: nobody can answer for a root: there is no certificate above it")
	}
	if err != nil {
		return &chain.Error{Reason: chain.Unsupported, Chain: ch, At: at, Err: []error{err}}
	}
	r := c.checkOCSP(response, ch[0], ch[1], at)
	if r.state == good {
		return nil
	}
	r.err = &unknownError{"crl: OCSP response: " + r.err.Error(), []error{r.err}}
	return refusal(ch, 0, at, r)
}

// ocspResponse is a response taken apart as far as package ocsp does not: that takes
// neither RSASSA-PSS nor looks at whom it answers for and who may do so.
type ocspResponse struct {
	signed     cryptobyte.String // ResponseData
	algorithm  cryptobyte.String // AlgorithmIdentifier
	signature  cryptobyte.String // BIT STRING
	responders []*x509.Certificate
	byName     []byte // who says to have signed: a name
	byKey      []byte // or the SHA-1 of a key
	ids        []certID
	der        []byte // without the certificates
}

type certID struct {
	hash          crypto.Hash
	name, key     []byte
	serial        []byte // as in DER
	hashSupported bool
}

var errOCSP = errors.New("it is malformed (RFC 6960 section 4.2.1)")

func (c *Checker) checkOCSP(response []byte, cert, ca *x509.Certificate, at time.Time) result {
	s, err := readOCSP(response)
	if err != nil {
		return result{unknown, err}
	}
	if fips140.Enforced() && s.needsSHA1() {
		return result{unknown, errors.New("it names the issuer or the responder by SHA-1, which GODEBUG=fips140=only does not allow")}
	}
	if err := c.checkResponder(s, ca, at); err != nil {
		return result{unknown, err}
	}
	if err := s.isAbout(cert, ca); err != nil {
		return result{unknown, err}
	}
	res, err := ocsp.ParseResponseForCert(s.der, cert, nil)
	if err != nil {
		return result{unknown, errors.New(safetext.Printable(err.Error(), safetext.MostError))}
	}
	switch {
	case res.Status == ocsp.Revoked:
		// Certain whatever the dates.
		return result{revoked, &ocspRevocation{&RevokedError{
			Serial: cert.SerialNumber,
			Entry:  Entry{RevokedAt: res.RevokedAt, Reason: Reason(res.RevocationReason)},
			At:     later(at, res.RevokedAt), Issuer: ca.Subject,
			ThisUpdate: res.ThisUpdate, NextUpdate: res.NextUpdate,
		}}}
	case res.Status != ocsp.Good:
		return result{unknown, errors.New("the responder does not know the certificate")}
	case res.ThisUpdate.After(at.Add(c.skew)):
		return result{unknown, fmt.Errorf("it is of %s, and it is %s now: is the clock right?", inUTC(res.ThisUpdate), inUTC(at))}
	case res.NextUpdate.IsZero():
		return result{unknown, errors.New("it does not say until when it is good, so that the peer could have kept it for years")}
	case at.After(res.NextUpdate.Add(c.skew)):
		return result{unknown, fmt.Errorf("it ended at %s, and it is %s now", inUTC(res.NextUpdate), inUTC(at))}
	}
	return result{state: good}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ocspRevocation is a RevokedError that came by OCSP.
type ocspRevocation struct{ why *RevokedError }

func (e *ocspRevocation) Error() string {
	return fmt.Sprintf("certificate %s was revoked on %s (%s), says the responder of %s at %s",
		hexOf(e.why.Serial), inUTC(e.why.RevokedAt), e.why.Reason, safetext.CA(e.why.Issuer), inUTC(e.why.ThisUpdate))
}

func (e *ocspRevocation) Unwrap() error { return e.why }

func readOCSP(response []byte) (*ocspResponse, error) {
	if len(response) > maxOCSP {
		return nil, fmt.Errorf("it has more than %d bytes", maxOCSP)
	}
	var (
		input              = cryptobyte.String(response)
		outer, wrap, bytes cryptobyte.String
		basic, list        cryptobyte.String
		kind               asn1.ObjectIdentifier
		status             int
		hasCerts           bool
		s                  ocspResponse
	)
	if !input.ReadASN1(&outer, casn1.SEQUENCE) || !input.Empty() || !outer.ReadASN1Enum(&status) {
		return nil, errOCSP
	}
	if status != int(ocsp.Success) {
		return nil, fmt.Errorf("it is an error of the responder: %s", ocsp.ResponseStatus(status))
	}
	if !outer.ReadASN1(&wrap, casn1.Tag(0).ContextSpecific().Constructed()) || !outer.Empty() ||
		!wrap.ReadASN1(&wrap, casn1.SEQUENCE) || !wrap.ReadASN1ObjectIdentifier(&kind) ||
		!wrap.ReadASN1(&bytes, casn1.OCTET_STRING) || !wrap.Empty() {
		return nil, errOCSP
	}
	if !kind.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}) {
		return nil, errors.New("it is not of the basic type (RFC 6960 section 4.2.1)")
	}
	if !bytes.ReadASN1(&basic, casn1.SEQUENCE) || !bytes.Empty() ||
		!basic.ReadASN1Element(&s.signed, casn1.SEQUENCE) ||
		!basic.ReadASN1Element(&s.algorithm, casn1.SEQUENCE) ||
		!basic.ReadASN1Element(&s.signature, casn1.BIT_STRING) ||
		!basic.ReadOptionalASN1(&list, &hasCerts, casn1.Tag(0).ContextSpecific().Constructed()) || !basic.Empty() {
		return nil, errOCSP
	}
	if hasCerts && (!list.ReadASN1(&list, casn1.SEQUENCE)) {
		return nil, errOCSP
	}
	for !list.Empty() && len(s.responders) < maxResponders {
		var one cryptobyte.String
		if !list.ReadASN1Element(&one, casn1.SEQUENCE) {
			return nil, errOCSP
		}
		// One that does not parse signed nothing that we could check.
		if cert, err := x509.ParseCertificate(one); err == nil {
			s.responders = append(s.responders, cert)
		}
	}
	if !s.readData() {
		return nil, errOCSP
	}
	var err error
	s.der, err = s.withoutCertificates()
	return &s, err
}

// readData reads whom the response is by and about.
func (s *ocspResponse) readData() bool {
	data := s.signed
	var responder, responses, extensions cryptobyte.String
	var tag casn1.Tag
	var hasExtensions bool
	if !data.ReadASN1(&data, casn1.SEQUENCE) ||
		!data.SkipOptionalASN1(casn1.Tag(0).ContextSpecific().Constructed()) || // version
		!data.ReadAnyASN1(&responder, &tag) ||
		!data.SkipASN1(casn1.GeneralizedTime) || // producedAt
		!data.ReadASN1(&responses, casn1.SEQUENCE) ||
		!data.ReadOptionalASN1(&extensions, &hasExtensions, casn1.Tag(1).ContextSpecific().Constructed()) || !data.Empty() {
		return false
	}
	if hasExtensions && !harmless(extensions) {
		return false
	}
	switch tag {
	case casn1.Tag(1).ContextSpecific().Constructed():
		s.byName = responder
	case casn1.Tag(2).ContextSpecific().Constructed():
		var key cryptobyte.String
		if !responder.ReadASN1(&key, casn1.OCTET_STRING) || !responder.Empty() {
			return false
		}
		s.byKey = key
	default:
		return false
	}
	for !responses.Empty() {
		var one, id, algorithm, name, key, serial cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !responses.ReadASN1(&one, casn1.SEQUENCE) || !one.ReadASN1(&id, casn1.SEQUENCE) ||
			!id.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
			!id.ReadASN1(&name, casn1.OCTET_STRING) || !id.ReadASN1(&key, casn1.OCTET_STRING) ||
			!id.ReadASN1(&serial, casn1.INTEGER) || !id.Empty() {
			return false
		}
		hash, ok := hashOfOID(oid)
		s.ids = append(s.ids, certID{hash, name, key, serial, ok})
	}
	return true
}

// harmless reports whether there is no critical extension among those of the whole
// response, of which package ocsp knows nothing.
func harmless(wrapped cryptobyte.String) bool {
	var list cryptobyte.String
	if !wrapped.ReadASN1(&list, casn1.SEQUENCE) || !wrapped.Empty() {
		return false
	}
	for !list.Empty() {
		var one cryptobyte.String
		critical := false
		if !list.ReadASN1(&one, casn1.SEQUENCE) || !one.SkipASN1(casn1.OBJECT_IDENTIFIER) ||
			!one.ReadOptionalASN1Boolean(&critical, casn1.BOOLEAN, false) || critical {
			return false
		}
	}
	return true
}

func hashOfOID(oid asn1.ObjectIdentifier) (crypto.Hash, bool) {
	switch {
	case oid.Equal(asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}):
		return crypto.SHA1, true
	case oid.Equal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}):
		return crypto.SHA256, true
	case oid.Equal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}):
		return crypto.SHA384, true
	case oid.Equal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}):
		return crypto.SHA512, true
	}
	return 0, false
}

// withoutCertificates is the response without those that package ocsp would check
// the signature with.
func (s *ocspResponse) withoutCertificates() ([]byte, error) {
	var basic, whole cryptobyte.Builder
	basic.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(s.signed)
		b.AddBytes(s.algorithm)
		b.AddBytes(s.signature)
	})
	der, err := basic.Bytes()
	if err != nil {
		return nil, err
	}
	whole.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(int64(ocsp.Success))
		b.AddASN1(casn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1})
				b.AddASN1OctetString(der)
			})
		})
	})
	return whole.Bytes()
}

// isAbout says whether there is one answer for the serial number of a certificate,
// and that for its issuer.
func (s *ocspResponse) isAbout(cert, ca *x509.Certificate) error {
	var serial cryptobyte.Builder
	serial.AddASN1BigInt(cert.SerialNumber)
	element, err := serial.Bytes()
	if err != nil {
		return err
	}
	var content cryptobyte.String
	(*cryptobyte.String)(&element).ReadASN1(&content, casn1.INTEGER)
	var id *certID
	for i := range s.ids {
		if bytes.Equal(s.ids[i].serial, content) {
			if id != nil {
				return errors.New("it has two answers for the serial number")
			}
			id = &s.ids[i]
		}
	}
	if id == nil {
		return errors.New("it is about another certificate")
	}
	if !id.hashSupported {
		return errors.New("it names the issuer by a hash that is not supported")
	}
	if !bytes.Equal(id.name, hashed(id.hash, ca.RawSubject)) || !bytes.Equal(id.key, hashed(id.hash, keyBits(ca))) {
		return errors.New("it is about a certificate of another issuer")
	}
	return nil
}

func hashed(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// keyBits is the public key as RFC 6960 section 4.1.1 hashes it: without its
// algorithm, and without the count of unused bits.
func keyBits(cert *x509.Certificate) []byte {
	spki := cryptobyte.String(cert.RawSubjectPublicKeyInfo)
	var bits asn1.BitString
	if !spki.ReadASN1(&spki, casn1.SEQUENCE) || !spki.SkipASN1(casn1.SEQUENCE) || !spki.ReadASN1BitString(&bits) {
		return nil
	}
	return bits.Bytes
}

// checkResponder says whether who signed the response may do so.
func (c *Checker) checkResponder(s *ocspResponse, ca *x509.Certificate, at time.Time) error {
	err := errors.New("neither the issuer of the certificate nor a responder of its own signed it")
	if s.claims(ca) {
		wrong := s.signedBy(ca)
		if wrong == nil {
			return nil
		}
		err = fmt.Errorf("%w: the signature of %s: %w", err, safetext.CA(ca.Subject), wrong)
	}
	for _, responder := range s.responders {
		if !s.claims(responder) {
			continue
		}
		// In this order: whoever sends the response chose the key, unless the issuer
		// signed the certificate.
		if err = c.checkDelegate(responder, ca, at); err == nil {
			if err = s.signedBy(responder); err == nil {
				return nil
			}
		}
		err = fmt.Errorf("the responder %s: %w", safetext.CA(responder.Subject), err)
	}
	return err
}

func (s *ocspResponse) needsSHA1() bool {
	return s.byName == nil || slices.ContainsFunc(s.ids, func(id certID) bool { return id.hash == crypto.SHA1 })
}

// claims reports whether the response says that it was signed with the key of a
// certificate.
func (s *ocspResponse) claims(cert *x509.Certificate) bool {
	if s.byName != nil {
		return bytes.Equal(s.byName, cert.RawSubject)
	}
	return bytes.Equal(s.byKey, hashed(crypto.SHA1, keyBits(cert)))
}

// signedBy checks the signature as that of a list is checked: the algorithms and keys
// are the same.
func (s *ocspResponse) signedBy(cert *x509.Certificate) error {
	algorithm, signature, err := s.readSignature()
	if err != nil {
		return err
	}
	return checkSignature(cert.PublicKey, algorithm, digest(algorithm, s.signed), signature)
}

// readSignature has crypto/x509 read the algorithm, which it shows for lists and
// certificates only: it gets a list that has nothing else in it.
func (s *ocspResponse) readSignature() (x509.SignatureAlgorithm, []byte, error) {
	empty := func(tag casn1.Tag, content ...byte) cryptobyte.String {
		return append(cryptobyte.String{byte(tag), byte(len(content))}, content...)
	}
	day := []byte("260101000000Z")
	head, err := parseHead(s.algorithm, s.signature, empty(casn1.INTEGER, 1), s.algorithm, empty(casn1.SEQUENCE),
		empty(casn1.UTCTime, day...), empty(casn1.UTCTime, day...))
	if err != nil {
		return 0, nil, errOCSP
	}
	return head.SignatureAlgorithm, head.Signature, nil
}

// checkDelegate asks what RFC 6960 section 4.2.2.2 asks of who answers for a CA. A CA
// certificate is refused: a CA below could otherwise answer for its issuer.
func (c *Checker) checkDelegate(responder, ca *x509.Certificate, at time.Time) error {
	switch {
	case !bytes.Equal(responder.RawIssuer, ca.RawSubject):
		return errors.New("its certificate is by another issuer")
	case responder.BasicConstraintsValid && responder.IsCA:
		return errors.New("it is a CA, which must not answer for another")
	case !slices.Contains(responder.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return errors.New("its certificate is not for OCSP signing")
	case hasKeyUsage(responder) && responder.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return errors.New("its certificate is not for signing")
	case len(responder.UnhandledCriticalExtensions) > 0:
		return errors.New("its certificate has a critical extension that is not known")
	case at.Before(responder.NotBefore.Add(-c.skew)) || at.After(responder.NotAfter.Add(c.skew)):
		return errors.New("its certificate is not valid at this time")
	}
	if err := responder.CheckSignatureFrom(ca); err != nil {
		return errors.New("its certificate is not signed by the issuer")
	}
	switch r := c.check(responder, []*x509.Certificate{ca}, &question{at: at, now: c.now()}); {
	case r.state == revoked:
		return r.err
	case r.state != good && !hasExtension(responder, 1, 3, 6, 1, 5, 5, 7, 48, 1, 5): // ocsp-nocheck, section 4.2.2.2.1
		return fmt.Errorf("its certificate could be revoked: %w", r.err)
	}
	return nil
}
