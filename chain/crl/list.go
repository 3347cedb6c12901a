package crl

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// List is a certificate revocation list that [Parse] read. It is safe for concurrent
// use: do not change its fields, nor what its methods return. The zero value is an empty
// list that covers no certificate and that no CA signed.
type List struct {
	Issuer             pkix.Name
	RawIssuer          []byte    // its DER
	ThisUpdate         time.Time // when the list was made
	NextUpdate         time.Time // when the next list is due at the latest, not before ThisUpdate
	Number             *big.Int  // grows from list to list, or nil (RFC 5280 section 5.2.3)
	AuthorityKeyID     []byte    // of the key that signed the list, or nil
	SignatureAlgorithm x509.SignatureAlgorithm

	scope         scope
	pointsToDelta bool // it has the extension freshestCRL, RFC 5280 section 5.2.6

	signature []byte
	signed    []byte // the hash of what was signed; all of it if the algorithm is Ed25519

	entries
}

// Len returns the number of certificates on the list.
func (l *List) Len() int {
	n := 0
	for i := range l.tables {
		n += l.tables[i].Len()
	}
	return n
}

// Lookup returns what the list says about a serial number of its issuer, and whether it is
// there. Of several entries the earliest counts, RemoveFromCRL last. It does not allocate.
func (l *List) Lookup(serial *big.Int) (Entry, bool) {
	if serial == nil {
		return Entry{}, false
	}
	var usual [24]byte
	buf := usual[:]
	if serial.BitLen() > 8*(len(usual)-1) {
		buf = make([]byte, maxSerial+1) // a power of two may seem to need one more
	}
	content, ok := integerContent(buf, serial)
	if !ok {
		return Entry{}, false // Parse took no number of that size
	}
	row := l.find(content)
	if row == nil {
		return Entry{}, false
	}
	return l.entry(row[len(content):]), true
}

// All yields the serial numbers on the list with their entries, shorter numbers
// first.
func (l *List) All() iter.Seq2[*big.Int, Entry] {
	return func(yield func(*big.Int, Entry) bool) {
		for i := range l.tables {
			t := &l.tables[i]
			for row := range slices.Chunk(t.rows, t.width) {
				if !yield(integerOf(row[:t.length]), l.entry(row[t.length:])) {
					return
				}
			}
		}
	}
}

// Check returns a *[RevokedError] if a certificate is on the list with a date that is not
// after the given time and a reason other than RemoveFromCRL. A zero time means now. Ask
// [List.CheckSignatureFrom], [List.Covers] and NextUpdate too. That an expired certificate
// is not on a list proves nothing (RFC 5280 section 3.3).
func (l *List) Check(cert *x509.Certificate, at time.Time) error {
	if cert == nil || cert.SerialNumber == nil {
		return errNoCertificate
	}
	if at.IsZero() {
		at = time.Now()
	}
	e, ok := l.Lookup(cert.SerialNumber)
	if !ok || e.Reason == RemoveFromCRL || e.RevokedAt.After(at) {
		return nil
	}
	return &RevokedError{
		Serial: cert.SerialNumber, Entry: e, At: at,
		Issuer: l.Issuer, Number: l.Number, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate,
	}
}

var errNoCertificate = errors.New("crl: no certificate to check, or one that was never parsed")

// Covers reports whether the list speaks about a certificate, as an error or nil, so that one
// that is not on it is not revoked: their issuers have the same name, and the issuing
// distribution point of the list fits (RFC 5280 section 6.3.3 (b)).
func (l *List) Covers(cert *x509.Certificate) error {
	if cert == nil || len(cert.RawIssuer) == 0 {
		return errNoCertificate
	}
	isCA := cert.BasicConstraintsValid && cert.IsCA
	s := &l.scope
	switch {
	case !bytes.Equal(cert.RawIssuer, l.RawIssuer):
		return fmt.Errorf("crl: the list is by %s, and the certificate by %s", safetext.CA(l.Issuer), safetext.CA(cert.Issuer))
	case s.attributes:
		return fmt.Errorf("crl: the list of %s is for attribute certificates only", safetext.CA(l.Issuer))
	case s.users && isCA:
		return fmt.Errorf("crl: the list of %s is not for CA certificates, and this is one", safetext.CA(l.Issuer))
	case s.cas && !isCA:
		return fmt.Errorf("crl: the list of %s is for CA certificates only, and this is none", safetext.CA(l.Issuer))
	case s.someReasons:
		return fmt.Errorf("crl: the list of %s covers only some reasons of revocation, which is not supported: use a complete one", safetext.CA(l.Issuer))
	case s.named && !l.namedBy(cert):
		return fmt.Errorf("crl: the list of %s is for another distribution point than the certificate has (RFC 5280 section 6.3.3)", safetext.CA(l.Issuer))
	}
	return nil
}

// namedBy reports whether a name of the list's distribution point is one of the
// certificate's.
func (l *List) namedBy(cert *x509.Certificate) bool {
	has := func(name []byte) bool {
		for _, own := range l.scope.names {
			if bytes.Equal(own, name) {
				return true
			}
		}
		return false
	}
	// The point that RFC 5280 section 6.3.3 assumes for lists that the
	// certificate does not mention.
	var directory cryptobyte.Builder
	directory.AddASN1(asn1.Tag(4).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(cert.RawIssuer) })
	if name, err := directory.Bytes(); err == nil && has(name) {
		return true
	}
	for _, e := range cert.Extensions {
		if len(e.Id) != 4 || e.Id[0] != 2 || e.Id[1] != 5 || e.Id[2] != 29 || e.Id[3] != idCRLDistributionPoints {
			continue
		}
		input := cryptobyte.String(e.Value)
		var points cryptobyte.String
		if !input.ReadASN1(&points, asn1.SEQUENCE) || !input.Empty() {
			return false
		}
		for !points.Empty() {
			var whole, point cryptobyte.String
			var there bool
			if !points.ReadASN1(&whole, asn1.SEQUENCE) ||
				!whole.ReadOptionalASN1(&point, &there, asn1.Tag(0).ContextSpecific().Constructed()) {
				return false
			}
			if !there || !whole.Empty() { // reasons or a CRL issuer
				continue
			}
			names, ok := readPoint(point)
			if !ok {
				return false
			}
			for _, name := range names {
				if has(name) {
					return true
				}
			}
		}
	}
	return false
}
