package crl

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Parse reads a certificate revocation list of version 2 from DER or from one PEM block
// ("X509 CRL"), with nothing after it. It checks no signature, and is never more lenient than
// [x509.ParseRevocationList]. See Details.
func Parse(data []byte) (*List, error) {
	der, err := derOf(data)
	if err != nil {
		return nil, err
	}
	l := new(List)
	entries, first, err := l.readHead(der)
	if err != nil {
		return nil, err
	}
	if err := l.readEntries(entries, first); err != nil {
		return nil, err
	}
	return l, nil
}

var (
	pemBegin = []byte("-----BEGIN ")

	errNoList  = errors.New("crl: no certificate revocation list: the input is empty")
	errPEM     = errors.New("crl: the PEM block is damaged: fetch the list again")
	errAfter   = errors.New("crl: there is data after the PEM block")
	errMore    = errors.New("crl: there is more than one PEM block: give each list to Parse by itself")
	errHeaders = errors.New("crl: the PEM block has headers, which a CRL has not")
)

// derOf returns the DER in data, which is that or PEM.
func derOf(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errNoList
	}
	if data[0] == byte(asn1.SEQUENCE) {
		return data, nil
	}
	begin := bytes.Index(data, pemBegin)
	if begin < 0 {
		return nil, fmt.Errorf("crl: no certificate revocation list: this is neither DER nor PEM and begins with %s", safetext.Quote(string(data[:min(len(data), safetext.Most)])))
	}
	switch {
	case begin > 0 && data[begin-1] != '\n':
		return nil, errPEM
	case bytes.Count(data[begin:], pemBegin) > 1:
		return nil, errMore
	}
	block, rest := pem.Decode(data[begin:])
	switch {
	case block == nil:
		return nil, errPEM
	case block.Type != "X509 CRL":
		return nil, fmt.Errorf("crl: the PEM block is of type %s and not X509 CRL", safetext.Quote(block.Type))
	case len(block.Headers) > 0:
		return nil, errHeaders
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errAfter
	}
	return block.Bytes, nil
}

// readHead reads all of the list but its entries, which it returns, and where they
// begin.
func (l *List) readHead(der []byte) (entries cryptobyte.String, first int, err error) {
	var list, tbs, inner, outer cryptobyte.String
	var signed, signature cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&list, asn1.SEQUENCE) {
		return nil, 0, malformed(fmt.Sprintf("the %d bytes are not a whole SEQUENCE", len(der)))
	}
	if !input.Empty() {
		return nil, 0, fmt.Errorf("crl: there are %d bytes after the list", len(input))
	}
	if !list.ReadASN1Element(&signed, asn1.SEQUENCE) ||
		!list.ReadASN1Element(&outer, asn1.SEQUENCE) ||
		!list.ReadASN1Element(&signature, asn1.BIT_STRING) || !list.Empty() {
		return nil, 0, malformed("it is not made up of a content, an algorithm and a signature")
	}
	tbs = signed
	tbs.ReadASN1(&tbs, asn1.SEQUENCE)

	var issuer, thisUpdate, nextUpdate, extensions cryptobyte.String
	fullVersion, err := readVersion(&tbs)
	if err != nil {
		return nil, 0, err
	}
	if !tbs.ReadASN1Element(&inner, asn1.SEQUENCE) || !tbs.ReadASN1Element(&issuer, asn1.SEQUENCE) {
		return nil, 0, malformed("its algorithm or its issuer is malformed")
	}
	made, due, err := readUpdates(&tbs, &thisUpdate, &nextUpdate)
	if err != nil {
		return nil, 0, err
	}
	if tbs.PeekASN1Tag(asn1.SEQUENCE) {
		if !tbs.ReadASN1(&entries, asn1.SEQUENCE) {
			return nil, 0, malformed("its list of entries is malformed")
		}
		first = len(der) - len(outer) - len(signature) - len(tbs) - len(entries)
	}
	if !tbs.Empty() && !tbs.ReadASN1Element(&extensions, asn1.Tag(0).ContextSpecific().Constructed()) || !tbs.Empty() {
		return nil, 0, malformed("there is something else where its extensions belong")
	}

	if len(inner)+len(outer)+len(issuer)+len(extensions)+len(signature) > maxHead {
		return nil, 0, fmt.Errorf("crl: what is around the entries has more than %d bytes", maxHead)
	}
	head, err := parseHead(outer, signature, fullVersion, inner, issuer, thisUpdate, nextUpdate, extensions)
	if err != nil {
		return nil, 0, err
	}
	l.Issuer = head.Issuer
	l.RawIssuer = head.RawIssuer
	l.ThisUpdate, l.NextUpdate = time.Unix(made, 0).UTC(), time.Unix(due, 0).UTC()
	l.SignatureAlgorithm = head.SignatureAlgorithm
	var bits cryptobyte.String
	if !signature.ReadASN1(&bits, asn1.BIT_STRING) || bits.Empty() || bits[0] != 0 {
		return nil, 0, malformed("the bits of its signature do not make whole octets")
	}
	l.signature = head.Signature
	l.signed = digest(l.SignatureAlgorithm, signed)
	return entries, first, l.readExtensions(head, extensions)
}

// readVersion returns the version as it is in the DER.
func readVersion(tbs *cryptobyte.String) (cryptobyte.String, error) {
	if tbs.PeekASN1Tag(asn1.SEQUENCE) {
		return nil, errors.New("crl: the list is of version 1, and RFC 5280 section 5.1.2.1 asks for 2")
	}
	whole, version := *tbs, 0
	if !tbs.ReadASN1Integer(&version) {
		return nil, malformed("its version is malformed")
	}
	if version != 1 {
		return nil, fmt.Errorf("crl: the list is of version %d, and RFC 5280 section 5.1.2.1 asks for 2", int64(version)+1)
	}
	return whole[:len(whole)-len(*tbs)], nil
}

// readUpdates reads thisUpdate and nextUpdate, and returns them as times too.
func readUpdates(tbs, thisUpdate, nextUpdate *cryptobyte.String) (made, due int64, err error) {
	if made, err = readHeadTime(tbs, thisUpdate, "thisUpdate"); err != nil {
		return 0, 0, err
	}
	if !tbs.PeekASN1Tag(asn1.UTCTime) && !tbs.PeekASN1Tag(asn1.GeneralizedTime) {
		return 0, 0, errors.New("crl: the list does not say when the next one is due, which RFC 5280 section 5.1.2.5 requires")
	}
	if due, err = readHeadTime(tbs, nextUpdate, "nextUpdate"); err != nil {
		return 0, 0, err
	}
	if due < made {
		return 0, 0, errors.New("crl: the list ends (nextUpdate) before it begins (thisUpdate)")
	}
	return made, due, nil
}

// parseHead has crypto/x509 read the list without its entries: whatever it does
// not take, we do not take either.
func parseHead(outer, signature cryptobyte.String, tbs ...cryptobyte.String) (*x509.RevocationList, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, part := range tbs {
				b.AddBytes(part)
			}
		})
		b.AddBytes(outer)
		b.AddBytes(signature)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("crl: %w", err)
	}
	head, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("crl: %w", err)
	}
	return head, nil
}

// readExtensions reads those of the list: head is what crypto/x509 made of them,
// and raw what it read.
func (l *List) readExtensions(head *x509.RevocationList, raw cryptobyte.String) error {
	var wrapped, sequence cryptobyte.String
	if len(raw) > 0 && (!raw.ReadASN1(&wrapped, asn1.Tag(0).ContextSpecific().Constructed()) ||
		!wrapped.ReadASN1(&sequence, asn1.SEQUENCE) || !wrapped.Empty()) {
		return malformed("its extensions are malformed")
	}
	if len(head.Extensions) > maxExtensions {
		return fmt.Errorf("crl: the list has more than %d extensions", maxExtensions)
	}
	for i := range head.Extensions {
		e := &head.Extensions[i]
		var whole cryptobyte.String
		var id cryptobyte.String
		if !sequence.ReadASN1(&whole, asn1.SEQUENCE) || !whole.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) ||
			whole.PeekASN1Tag(asn1.BOOLEAN) && !whole.SkipASN1(asn1.BOOLEAN) ||
			!whole.SkipASN1(asn1.OCTET_STRING) || !whole.Empty() {
			return malformed("one of its extensions is malformed")
		}
		for _, before := range head.Extensions[:i] {
			if before.Id.Equal(e.Id) {
				return fmt.Errorf("crl: the list has the extension %s twice", safetext.Quote(e.Id.String()))
			}
		}
		number := -1
		if len(id) == 3 && id[0] == idCE0 && id[1] == idCE1 {
			number = int(id[2])
		}
		switch number {
		case idAuthorityKeyIdentifier:
			// crypto/x509 refuses one that is critical.
			l.AuthorityKeyID = head.AuthorityKeyId
		case idCRLNumber:
			if e.Critical {
				return errors.New("crl: the CRL number is critical, which RFC 5280 section 5.2.3 rules out")
			}
			value := cryptobyte.String(e.Value)
			if !value.SkipASN1(asn1.INTEGER) || !value.Empty() {
				return malformed("its CRL number is malformed")
			}
			if head.Number.Sign() < 0 || head.Number.BitLen() > 8*maxNumber {
				return fmt.Errorf("crl: the CRL number is negative or has more than %d octets, which RFC 5280 section 5.2.3 rules out", maxNumber)
			}
			l.Number = head.Number
		case idIssuingDistributionPoint:
			if err := l.scope.read(e.Value); err != nil {
				return err
			}
		case idDeltaCRLIndicator:
			return errors.New("crl: the list is a delta CRL, which has changes only: fetch the complete one")
		default:
			l.pointsToDelta = l.pointsToDelta || number == idFreshestCRL
			if e.Critical {
				return fmt.Errorf("crl: the list has the critical extension %s, which is not understood", safetext.Quote(e.Id.String()))
			}
		}
	}
	return nil
}

// readHeadTime reads a time of the list itself, and keeps its DER.
func readHeadTime(tbs, raw *cryptobyte.String, what string) (int64, error) {
	var tag asn1.Tag
	if tbs.ReadAnyASN1Element(raw, &tag) {
		var content cryptobyte.String
		element := *raw
		if element.ReadASN1(&content, tag) {
			if t, ok := parseTime(tag, content); ok {
				return t.seconds, nil
			}
		}
	}
	return 0, malformed("its " + what + " is malformed")
}
